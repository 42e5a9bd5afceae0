//! Rewrites commands so that items are arguments and not a part of a shell's code.

use procession_program::find_placeholders;
use procession_task::TableSpec;

/// A shell's code in which the items are arguments, and these arguments.
struct SafeCode {
    text: Vec<u8>,
    args: Vec<Vec<u8>>,
}

/// The command for a line of shell that was given as one word.
pub(super) fn of_line(line: &[u8], table: Option<&TableSpec>) -> Vec<Vec<u8>> {
    if !needs_shell(line, table) {
        let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        return words.map(<[u8]>::to_vec).collect();
    }
    let SafeCode { text, args } = safe_code(line, &[], table);
    [vec![b"sh".to_vec(), b"-c".to_vec(), text], args].concat()
}

/// The command whose word `at` is the text of a shell, with items as arguments of
/// the shell.
pub(super) fn of_shell(words: &[Vec<u8>], at: usize, table: Option<&TableSpec>) -> Vec<Vec<u8>> {
    let SafeCode { text, args } = safe_code(&words[at], &words[at + 1..], table);
    [&words[..at], &[text], &args[..]].concat()
}

/// The command of `ssh` in which the item is read from standard input. There is
/// none if another part of the item than all of it is used, or the item elsewhere:
/// then it is not on standard input.
pub(super) fn of_ssh(words: &[Vec<u8>], from: usize, table: Option<&TableSpec>) -> Option<Vec<Vec<u8>>> {
    const READ: &[u8] = b"IFS= read -r item; ";
    if words[..from].iter().any(|word| !find_placeholders(word, table).is_empty()) {
        return None;
    }
    let command = words[from..].join(&b' ');
    if find_placeholders(&command, table).iter().any(|place| &command[place.range.clone()] != b"{}") {
        return None;
    }
    let text = with_variables(&command, table, |_| b"item".to_vec());
    Some([&words[..from], &[[READ, &text].concat()]].concat())
}

/// Whether more is in it than words, which only a shell understands.
fn needs_shell(line: &[u8], table: Option<&TableSpec>) -> bool {
    let places = find_placeholders(line, table);
    let is_outside = |at: usize| !places.iter().any(|place| place.range.contains(&at));
    line.iter().enumerate().any(|(at, byte)| b"|&;<>()$`\\\"'*?[]#~=!\n".contains(byte) && is_outside(at))
}

/// Code whose items are arguments behind those that it has.
fn safe_code(code: &[u8], given: &[Vec<u8>], table: Option<&TableSpec>) -> SafeCode {
    let mut args = given.to_vec();
    let text = with_variables(code, table, |notation| {
        if args.is_empty() {
            args.push(b"_".to_vec());
        }
        let known = args[1..].iter().position(|arg| arg == notation).map(|at| at + 1);
        let number = known.unwrap_or(args.len());
        if known.is_none() {
            args.push(notation.to_vec());
        }
        if number < 10 { number.to_string().into_bytes() } else { format!("{{{number}}}").into_bytes() }
    });
    SafeCode { text, args }
}

/// Code with a variable, always in double quotes, for each place of an item. `name`
/// receives the placeholder.
fn with_variables(code: &[u8], table: Option<&TableSpec>, mut name: impl FnMut(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let (mut text, mut quote, mut from) = (Vec::new(), None, 0);
    for place in find_placeholders(code, table).into_iter().filter(|place| place.holds_item) {
        let before = &code[from..place.range.start];
        quote = quote_after(quote, before);
        text.extend_from_slice(before);
        let variable = [b"$", &name(&code[place.range.clone()])[..]].concat();
        let (open, close): (&[u8], &[u8]) = match quote {
            None => (b"\"", b"\""),
            Some(b'"') => (b"", b""),
            Some(_) => (b"'\"", b"\"'"),
        };
        text.extend([open, &variable, close].concat());
        from = place.range.end;
    }
    text.extend_from_slice(&code[from..]);
    text
}

/// The quote that is open behind this code.
fn quote_after(mut quote: Option<u8>, code: &[u8]) -> Option<u8> {
    let mut bytes = code.iter();
    while let Some(&byte) = bytes.next() {
        match (quote, byte) {
            (None | Some(b'"'), b'\\') => drop(bytes.next()),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    quote
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession_task::{TableFormat, shell_quote};

    #[test]
    fn a_line_of_shell_becomes_a_command() {
        for (line, expected) in [
            ("echo {} | tr 1 9", r#"sh -c 'echo "$1" | tr 1 9' _ {}"#),
            ("wc -l  {}", "wc -l {}"),
            ("cp {} {.}.bak", "cp {} '{.}.bak'"),
            ("cmd {} > {.}.out", r#"sh -c 'cmd "$1" > "$2".out' _ {} '{.}'"#),
            ("a {} && b {}", r#"sh -c 'a "$1" && b "$1"' _ {}"#),
            (r#"echo "<{}>""#, r#"sh -c 'echo "<$1>"' _ {}"#),
            ("echo '{}' x", r#"sh -c 'echo '\'''\''"$1"'\'''\'' x' _ {}"#),
            ("echo {#} {}", "echo '{#}' {}"),
            ("echo {#} {};", r#"sh -c 'echo {#} "$1";' _ {}"#),
            ("ls | wc", "sh -c 'ls | wc'"),
        ] {
            assert_eq!(shell_quote::line(&of_line(line.as_bytes(), None)), expected, "{line}");
        }
        let table = TableSpec { format: TableFormat::Csv(b','), names: Vec::new(), column: None };
        let fields = of_line(b"echo {2} {1} | rev", Some(&table));
        assert_eq!(shell_quote::line(&fields), r#"sh -c 'echo "$1" "$2" | rev' _ '{2}' '{1}'"#);
    }

    fn words(words: &[&str]) -> Vec<Vec<u8>> {
        words.iter().map(|word| word.as_bytes().to_vec()).collect()
    }

    #[test]
    fn items_become_arguments_behind_those_of_the_shell() {
        for (given, at, expected) in [
            (&["bash", "-c", "echo {}"][..], 2, r#"bash -c 'echo "$1"' _ {}"#),
            (&["sh", "-c", "f $1 {}", "me", "a"], 2, r#"sh -c 'f $1 "$2"' me a {}"#),
            (&["sh", "-c", "f $1 {}", "me", "{}"], 2, r#"sh -c 'f $1 "$1"' me {}"#),
            (&["env", "A=1", "sh", "-c", "{/}"], 4, r#"env A=1 sh -c '"$1"' _ '{/}'"#),
            (
                &["sh", "-c", "{}", "_", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
                2,
                r#"sh -c '"${10}"' _ 1 2 3 4 5 6 7 8 9 {}"#,
            ),
        ] {
            assert_eq!(shell_quote::line(&of_shell(&words(given), at, None)), expected);
        }
    }

    #[test]
    fn ssh_reads_the_item() {
        let safe = |given: &[&str], from| of_ssh(&words(given), from, None).map(|safe| shell_quote::line(&safe));
        let expected = r#"ssh host 'IFS= read -r item; wc -l "$item"'"#;
        assert_eq!(safe(&["ssh", "host", "wc", "-l", "{}"], 2).unwrap(), expected);
        assert_eq!(safe(&["ssh", "host", "wc {.}"], 2), None);
        assert_eq!(safe(&["ssh", "{}", "wc {}"], 2), None);
    }
}
