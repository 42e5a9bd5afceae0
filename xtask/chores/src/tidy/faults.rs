//! The table of faults in the guide: every test that it names exists.

/// Where the table stands.
pub(super) const FILE: &str = "docs/src/faults.md";
/// The heading of its section.
const SECTION: &str = "## How it fails";

/// What is wrong with the table; `source` gives the text of a file of tests.
pub(super) fn check(text: &str, source: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let lines = (1..).zip(text.lines()).skip_while(|(_, line)| *line != SECTION).skip(1);
    let section = lines.take_while(|(_, line)| !line.starts_with("## "));
    let rows: Vec<(usize, &str)> = section.filter(|(_, line)| is_row(line)).collect();
    if rows.is_empty() {
        return vec![format!("{FILE}: no table of faults under '{SECTION}'")];
    }
    let wrong = rows.into_iter().flat_map(|(number, row)| check_row(row, &source).map(move |what| (number, what)));
    wrong.map(|(number, what)| format!("{FILE}:{number}: {what}")).collect()
}

/// Neither a heading nor the line under it.
fn is_row(line: &str) -> bool {
    line.starts_with("| ") && !line.starts_with("| fault |")
}

fn check_row(row: &str, source: impl Fn(&str) -> Option<String>) -> impl Iterator<Item = String> {
    let last = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
    let tests: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
    let none = tests.is_empty().then(|| "a fault that no test plays".to_owned());
    let missing = tests.into_iter().filter(|test| !is_there(test, &source)).map(|test| format!("no test '{test}'"));
    none.into_iter().chain(missing.collect::<Vec<_>>())
}

/// Whether `file::test` is a test.
fn is_there(test: &str, source: impl Fn(&str) -> Option<String>) -> bool {
    let Some((file, name)) = test.split_once("::") else { return false };
    let is_test = |text: String| text.contains(&format!("#[test]\nfn {name}() {{\n"));
    [format!("tests/cli/{file}.rs"), format!("tests/cli/{file}/mod.rs")]
        .iter()
        .filter_map(|path| source(path))
        .any(is_test)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(rows: &str) -> Vec<String> {
        let text = format!("{SECTION}\n\n| fault | what | by |\n|---|---|---|\n{rows}\n## Next\n| a | b | none |\n");
        let source = |name: &str| (name == "tests/cli/a.rs").then(|| "#[test]\nfn one() {\n}\nfn two() {\n".to_owned());
        check(&text, source)
    }

    #[test]
    fn a_row_names_tests_that_exist() {
        assert!(problems("| it `breaks` | so | `a::one` |").is_empty());
        assert_eq!(problems("| x | y | `a::one`, `a::two` |"), [format!("{FILE}:5: no test 'a::two'")]);
        assert_eq!(problems("| x | y | `b::one` |"), [format!("{FILE}:5: no test 'b::one'")]);
        assert_eq!(problems("| x | y | somebody |"), [format!("{FILE}:5: a fault that no test plays")]);
        assert_eq!(problems("").len(), 1, "no table");
    }
}
