//! The rules for the words after `--`: what other tools would understand, and is
//! something else here, is refused with the command that does it.

mod safe_form;
mod shell_code;

use procession_program::find_placeholders;
use procession_task::builtin::ItemRunner;
use procession_task::{TableFormat, TableSpec, escape_terminal, shell_quote};
use shell_code::ShellCode;

/// What the words are for.
#[derive(Clone, Copy)]
pub(super) struct ProgramContext<'a> {
    /// What runs the items.
    pub(super) runner: ItemRunner,
    /// The table that items are records of, as far as it is known: without its
    /// heading.
    pub(super) table: Option<&'a TableSpec>,
    /// Whether an item may be a part of code (`--trust-items`).
    pub(super) trusts_items: bool,
}

/// Checks the words after `--` of a task that runs a program.
///
/// # Errors
/// What is understood in another way than it is probably meant, and what to write.
pub(super) fn check(words: &[Vec<u8>], context: ProgramContext<'_>) -> Result<(), String> {
    let ProgramContext { runner, table, trusts_items } = context;
    check_sources(words, table)?;
    if runner != ItemRunner::Program {
        return match trusts_items {
            true => Err("--trust-items is about the arguments of the program of command: leave it out".to_owned()),
            false => Ok(()),
        };
    }
    if let Some(line) = words.first().filter(|line| !find_placeholders(line, table).is_empty())
        && let Some(answer) = of_shell_line(words, table)
    {
        return Err(format!("'{}' is no program: {answer}", escape_terminal(line)));
    }
    check_unknown(words, table)?;
    if trusts_items { Ok(()) } else { check_code(words, table) }
}

/// The answer to a line of shell that is given as one word.
pub(crate) fn of_shell_line(words: &[Vec<u8>], table: Option<&TableSpec>) -> Option<String> {
    let [line] = words else { return None };
    let is_line = line.trim_ascii().iter().any(u8::is_ascii_whitespace);
    let command = is_line.then(|| shell_quote::line(&safe_form::of_line(line, table)))?;
    Some(format!("no shell runs between the coordinator and the program; write -- {command}"))
}

/// Refuses `:::` of GNU parallel, which would be arguments of the program.
fn check_sources(words: &[Vec<u8>], table: Option<&TableSpec>) -> Result<(), String> {
    let is_source = |word: &Vec<u8>| matches!(&word[..], b":::" | b":::+" | b"::::" | b"::::+");
    let Some(at) = words.iter().position(is_source) else { return Ok(()) };
    let (program, rest) = (&words[..at], &words[at + 1..]);
    let program = match program {
        [line] if line.trim_ascii().iter().any(u8::is_ascii_whitespace) => safe_form::of_line(line, table),
        words => words.to_vec(),
    };
    let (flag, separator) = if words[at].starts_with(b"::::") { ("--input", b' ') } else { ("--list", b',') };
    let is_plain = |word: &Vec<u8>| !word.iter().any(|byte| *byte == separator || *byte == b'\n') && !is_source(word);
    let source = match rest {
        [_, ..] if rest.iter().all(is_plain) && separator == b',' => shell_quote::word(&rest.join(&separator)),
        [_, ..] if rest.iter().all(is_plain) => shell_quote::line(rest),
        _ if separator == b',' => "X,Y,… (or --input FILE)".to_owned(),
        _ => "FILE".to_owned(),
    };
    let more = if rest.iter().any(is_source) { "; there are no combinations of several lists" } else { "" };
    Err(format!(
        "'{}' is not known here: items stand before --, as in {flag} {source} -- {}{more}",
        escape_terminal(&words[at]),
        shell_quote::line(&program)
    ))
}

/// Refuses an argument that is a placeholder of GNU parallel and not known here.
fn check_unknown(words: &[Vec<u8>], table: Option<&TableSpec>) -> Result<(), String> {
    const KNOWN: &str = "the placeholders are {} {#} {%} {/} {//} {.} {/.}";
    let is_known = |word: &[u8]| find_placeholders(word, table).iter().any(|place| place.range == (0..word.len()));
    let unknown = |word: &&Vec<u8>| kind_of(word).is_some() && !is_known(word);
    let Some(word) = words.iter().skip(1).find(unknown) else { return Ok(()) };
    let shown = escape_terminal(word);
    Err(match (kind_of(word), table) {
        (Some(UnknownPlace::Field), None) => format!(
            "'{shown}' is not known here, because items are not records: with --items csv or --items jsonl, and without \
             --column, {{1}} is the first field"
        ),
        (Some(UnknownPlace::Expression), _) => format!(
            "'{shown}' is not known here: {KNOWN}; a shell can compute others, as in sh -c '… \"${{1%.*}}\" …' _ {{}}"
        ),
        (_, None) => format!("'{shown}' is not known here: {KNOWN}"),
        (_, Some(_)) => format!("'{shown}' is not known here: {KNOWN}, and for fields {{1}} and {{NAME}}"),
    })
}

/// A kind of placeholders that other tools have.
enum UnknownPlace {
    /// `{1}`: a field.
    Field,
    /// `{= … =}`: an expression.
    Expression,
    /// `{..}`, `{+/}`, `{1/.}` and others of such characters.
    Signs,
}

/// The kind of this word, if it looks like a placeholder of another tool.
fn kind_of(word: &[u8]) -> Option<UnknownPlace> {
    match word.strip_prefix(b"{")?.strip_suffix(b"}")? {
        [b'=', _, .., b'='] | [b'=', b'='] => Some(UnknownPlace::Expression),
        [] => None,
        digits if digits.iter().all(u8::is_ascii_digit) => Some(UnknownPlace::Field),
        signs if signs.iter().all(|byte| byte.is_ascii_digit() || b"./+-:%#".contains(byte)) => {
            Some(UnknownPlace::Signs)
        }
        _ => None,
    }
}

/// Refuses items as a part of a shell's code.
fn check_code(words: &[Vec<u8>], table: Option<&TableSpec>) -> Result<(), String> {
    let has_item = |word: &Vec<u8>| find_placeholders(word, table).iter().any(|place| place.holds_item);
    let found = ShellCode::find(words).into_iter().find(|code| words[code.words()].iter().any(has_item));
    let Some(code) = found else { return Ok(()) };
    const TRUST: &str = "or --trust-items if no item can do harm";
    Err(match code {
        ShellCode::Text { shell, at }
            if find_placeholders(&words[at], table).iter().any(|place| place.range == (0..words[at].len())) =>
        {
            format!(
                "each item would be run as a line of {shell}: add --trust-items if that is meant, or pass items to a \
                 program, as in sh -c '… \"$1\" …' _ {{}}"
            )
        }
        ShellCode::Text { shell, at } => format!(
            "an item in the text of {shell} -c would be run as code: write -- {}, {TRUST}",
            shell_quote::line(&safe_form::of_shell(words, at, table))
        ),
        ShellCode::Ssh { words: command } => match safe_form::of_ssh(words, command.start, table) {
            Some(safe) => format!(
                "an item in the command of ssh would be run as code by its shell: let it be read, -- {}, {TRUST}",
                shell_quote::line(&safe)
            ),
            None => format!(
                "an item in the command of ssh would be run as code by its shell: let the command read the item from \
                 standard input, which it has without a placeholder, {TRUST}"
            ),
        },
        ShellCode::EnvLine { .. } => format!(
            "an item in the line of env -S would be split into words: write the program and its arguments as words of \
             their own, {TRUST}"
        ),
    })
}

/// The names of columns with which an item would be a part of a shell's code, each
/// with the reason. Only the input tells whether it has them.
pub(super) fn refused_columns(words: &[Vec<u8>]) -> Vec<(String, String)> {
    let code = ShellCode::find(words);
    let names = code.iter().flat_map(|code| &words[code.words()]).flat_map(|word| names_in_braces(word));
    let why = |name: &str| {
        let format = TableFormat::Csv(b',');
        check_code(words, Some(&TableSpec { format, names: vec![name.to_owned()], column: None })).err()
    };
    names.filter_map(|name| Some((name.clone(), why(&name)?))).collect()
}

/// The names that columns must have: each stands in braces as a whole argument.
pub(super) fn needed_columns(words: &[Vec<u8>]) -> Vec<String> {
    let names = words.iter().skip(1).filter_map(|word| {
        let name = std::str::from_utf8(word.strip_prefix(b"{")?.strip_suffix(b"}")?).ok()?;
        let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' '));
        (is_name && name != "size" && name != "procs").then(|| name.to_owned())
    });
    names.collect()
}

/// Every text between an opening and the next closing brace, without other braces.
fn names_in_braces(word: &[u8]) -> Vec<String> {
    let names = word.split(|&byte| byte == b'{').skip(1).filter_map(|rest| {
        let end = rest.iter().position(|&byte| byte == b'}')?;
        std::str::from_utf8(&rest[..end]).ok().map(str::to_owned)
    });
    names.filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests;
