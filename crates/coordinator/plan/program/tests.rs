//! Commands as people bring them from other tools.

use super::*;
use procession_task::TableFormat;

fn words(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

fn csv() -> TableSpec {
    TableSpec { format: TableFormat::Csv(b','), names: Vec::new(), column: None }
}

fn checked(given: &[&str], table: Option<&TableSpec>) -> Result<(), String> {
    check(&words(given), ProgramContext { runner: ItemRunner::Program, table, trusts_items: false })
}

fn refusal(given: &[&str]) -> String {
    checked(given, None).expect_err(&given.join(" "))
}

#[test]
fn lists_behind_the_program_are_refused_with_the_flag() {
    for (given, says) in [
        (&["echo", "{}", ":::", "a", "b"][..], "--list a,b -- echo {}"),
        (&["echo {} | rev", ":::", "a"], r#"--list a -- sh -c 'echo "$1" | rev' _ {}"#),
        (&["echo", ":::", "a,b"], "--list X,Y,… (or --input FILE) -- echo"),
        (&["echo", ":::"], "--list X,Y,…"),
        (&["cat", "::::", "f", "g"], "--input f g -- cat"),
        (&["echo", ":::", "a", ":::", "b"], "no combinations"),
        (&["echo", ":::+", "a b"], "':::+' is not known here: items stand before --, as in --list 'a b' -- echo"),
    ] {
        let said = refusal(given);
        assert!(said.contains(says), "{said}");
    }
    let filter = ProgramContext { runner: ItemRunner::Coprocess, table: None, trusts_items: false };
    assert!(check(&words(&["cat", ":::", "a"]), filter).unwrap_err().contains("--list a -- cat"));
}

#[test]
fn a_line_of_shell_as_one_word_is_refused_with_the_command() {
    let said = refusal(&["echo {} | tr 1 9"]);
    let says = r#"no shell runs between the coordinator and the program; write -- sh -c 'echo "$1" | tr 1 9' _ {}"#;
    assert_eq!(said, format!("'echo {{}} | tr 1 9' is no program: {says}"));
    assert!(refusal(&["wc -l {}"]).ends_with("write -- wc -l {}"));
    assert!(of_shell_line(&words(&["ls | wc"]), None).unwrap().ends_with("-- sh -c 'ls | wc'"));
    assert_eq!(of_shell_line(&words(&["ls", "a b"]), None), None);
    assert_eq!(of_shell_line(&words(&["ls"]), None), None);
}

#[test]
fn unknown_placeholders_are_refused_where_they_are_whole_arguments() {
    for (given, says) in [
        ("{1}", "'{1}' is not known here, because items are not records: with --items csv"),
        ("{12}", "first field"),
        ("{= s/a/b/ =}", "a shell can compute others"),
        ("{==}", "a shell can compute others"),
        ("{1.}", "the placeholders are {} {#} {%} {/} {//} {.} {/.}"),
        ("{..}", "the placeholders are"),
        ("{+/}", "the placeholders are"),
        ("{-1}", "the placeholders are"),
    ] {
        let said = refusal(&["echo", given]);
        assert!(said.contains(says), "{said}");
    }
    for kept in
        ["x{2}", "{1}x", "{print}", "{ print $1 }", "{", "{}", "{%}", "{#}", "{name}", "{{1}}", "{}{1}", "{a,b}"]
    {
        assert_eq!(checked(&["grep", kept], None), Ok(()), "{kept}");
    }
    assert_eq!(checked(&["echo", "{1}", "{2}"], Some(&csv())), Ok(()));
    for (given, says) in [("{0}", "for fields {1} and {NAME}"), ("{1.}", "for fields {1} and {NAME}")] {
        let said = checked(&["echo", given], Some(&csv())).unwrap_err();
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn items_in_the_code_of_a_shell_are_refused_with_the_safe_form() {
    for (given, says) in [
        (
            &["sh", "-c", "echo {}"][..],
            r#"text of sh -c would be run as code: write -- sh -c 'echo "$1"' _ {}, or --trust-items"#,
        ),
        (&["env", "A=1", "bash", "-lc", "wc {.}"], r#"write -- env A=1 bash -lc 'wc "$1"' _ '{.}',"#),
        (&["sh", "-c", "{}"], "each item would be run as a line of sh: add --trust-items"),
        (&["ssh", "h", "wc", "{}"], r#"-- ssh h 'IFS= read -r item; wc "$item"', or --trust-items"#),
        (&["ssh", "{}", "wc {}"], "read the item from standard input"),
        (&["env", "-S", "wc {}"], "words of their own"),
    ] {
        let said = refusal(given);
        assert!(said.contains(says), "{said}");
        let trusting = ProgramContext { runner: ItemRunner::Program, table: None, trusts_items: true };
        assert_eq!(check(&words(given), trusting), Ok(()));
    }
    for kept in [
        &["sh", "-c", "echo \"$1\"", "_", "{}"][..],
        &["sh", "-c", "echo {#} {%} {size}"],
        &["ssh", "{}", "uptime"],
        &["python3", "-c", "{}"],
        &["sh", "{}"],
    ] {
        assert_eq!(checked(kept, None), Ok(()), "{kept:?}");
    }
    let needed =
        needed_columns(&words(&["p", "{id}", "{the name}", "x{no}", "{size}", "{1}", "{{no}}", "{ print }", "{}"]));
    assert_eq!(needed, ["id", "the name"]);
    let refused = refused_columns(&words(&["sh", "-c", "f() { echo {the name}; }; f {{no}}", "_", "{id}"]));
    assert_eq!(refused.iter().map(|(name, _)| &name[..]).collect::<Vec<_>>(), ["the name"]);
    assert!(refused[0].1.contains(r#"sh -c 'f() { echo "$2"; }"#), "{}", refused[0].1);
    let said = checked(&["sh", "-c", "echo {2}"], Some(&csv())).unwrap_err();
    assert!(said.contains(r#"sh -c 'echo "$1"' _ '{2}'"#), "{said}");
    let filter = ProgramContext { runner: ItemRunner::Coprocess, table: None, trusts_items: true };
    assert!(check(&words(&["cat"]), filter).unwrap_err().contains("--trust-items is about"));
}
