//! Finds the placeholders in a word.

use super::placeholder::Placeholder;
use procession_task::{Column, TableFormat, TableSpec};
use std::ops::Range;

/// The notation of the slot's number.
pub(super) const SLOT: &[u8] = b"{%}";

/// Placeholders of a run. They are replaced before a worker sees the arguments.
const OF_THE_RUN: [&str; 2] = ["size", "procs"];

/// A part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TemplatePart {
    Text(Vec<u8>),
    Placeholder(Placeholder),
    /// The number of the worker's slot.
    Slot,
    /// A field of the item, which is a record of a table.
    Field(Column),
}

/// A placeholder in a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPlaceholder {
    /// Its position in the word, braces included.
    pub range: Range<usize>,
    /// Whether text of the item takes its place, and not only a number.
    pub holds_item: bool,
}

/// The placeholders in a word. `table` is the table that items are records of, if
/// they are.
#[must_use]
pub fn find_placeholders(word: &[u8], table: Option<&TableSpec>) -> Vec<FoundPlaceholder> {
    let place = |(range, part)| match part {
        TemplatePart::Text(_) => None,
        TemplatePart::Slot | TemplatePart::Placeholder(Placeholder::Number) => {
            Some(FoundPlaceholder { range, holds_item: false })
        }
        TemplatePart::Placeholder(_) | TemplatePart::Field(_) => Some(FoundPlaceholder { range, holds_item: true }),
    };
    parts(word, table).into_iter().filter_map(place).collect()
}

/// A word as text and placeholders, each with its position. Two texts never follow
/// each other. A word without placeholders is one text, even if it is empty.
pub(super) fn parts(word: &[u8], table: Option<&TableSpec>) -> Vec<(Range<usize>, TemplatePart)> {
    let (mut parts, mut text, mut from, mut at) = (Vec::new(), Vec::new(), 0, 0);
    while at < word.len() {
        match at_start(&word[at..], table) {
            Some((length, TemplatePart::Text(literal))) => {
                text.extend(literal);
                at += length;
            }
            Some((length, part)) => {
                if !text.is_empty() {
                    parts.push((from..at, TemplatePart::Text(std::mem::take(&mut text))));
                }
                parts.push((at..at + length, part));
                at += length;
                from = at;
            }
            None => {
                text.push(word[at]);
                at += 1;
            }
        }
    }
    if !text.is_empty() || parts.is_empty() {
        parts.push((from..at, TemplatePart::Text(text)));
    }
    parts
}

/// The placeholder at the start of the text, and the length of its notation. In a
/// table `{{1}}` is the text `{1}`.
fn at_start(text: &[u8], table: Option<&TableSpec>) -> Option<(usize, TemplatePart)> {
    if let Some((length, place)) = Placeholder::at_start(text) {
        return Some((length, TemplatePart::Placeholder(place)));
    }
    if text.starts_with(SLOT) {
        return Some((SLOT.len(), TemplatePart::Slot));
    }
    let table = table?;
    if let Some(name) = name(text.strip_prefix(b"{")?)
        && (OF_THE_RUN.contains(&name) || column(name, table).is_some())
        && text[name.len() + 3..].starts_with(b"}")
    {
        return Some((name.len() + 4, TemplatePart::Text(text[1..name.len() + 3].to_vec())));
    }
    let name = name(text)?;
    Some((name.len() + 2, TemplatePart::Field(column(name, table)?)))
}

/// What stands between the braces at the start of the text.
fn name(text: &[u8]) -> Option<&str> {
    let text = text.strip_prefix(b"{")?;
    let end = text.iter().position(|&byte| byte == b'}' || byte == b'{')?;
    (text[end] == b'}').then(|| std::str::from_utf8(&text[..end]).ok()).flatten()
}

/// The column that stands between braces: its name, its number, or a key of JSON
/// objects.
fn column(name: &str, table: &TableSpec) -> Option<Column> {
    let position = |at: usize| u32::try_from(at).ok().map(Column::Position);
    if let Some(at) = table.names.iter().position(|known| known == name) {
        return position(at);
    }
    if let Ok(number) = name.parse::<usize>() {
        return position(number.checked_sub(1)?);
    }
    let is_key = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    (table.format == TableFormat::Jsonl && is_key).then(|| Column::Key(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv() -> TableSpec {
        TableSpec { format: TableFormat::Csv(b','), names: vec!["id".to_owned()], column: None }
    }

    #[test]
    fn placeholders_are_found_with_what_they_hold() {
        let table = csv();
        for (word, table, expected) in [
            ("a{}b{#}{%}{/.}{1}{x}", None, "{} {/.}; {#} {%}"),
            ("{1}{id}{no}{{2}}", Some(&table), "{1} {id}; "),
            ("", None, "; "),
        ] {
            let of = |holds_item| {
                let places = find_placeholders(word.as_bytes(), table)
                    .into_iter()
                    .filter(|place| place.holds_item == holds_item);
                places.map(|place| &word[place.range]).collect::<Vec<_>>().join(" ")
            };
            assert_eq!(format!("{}; {}", of(true), of(false)), expected);
        }
    }

    #[test]
    fn doubled_braces_are_text_in_tables() {
        let text = |word: &str| match &parts(word.as_bytes(), Some(&csv()))[..] {
            [(_, TemplatePart::Text(text))] => String::from_utf8(text.clone()).unwrap(),
            other => panic!("{word}: {other:?}"),
        };
        for (word, expected) in [
            ("x{{2}}", "x{2}"),
            ("{{id}}{{procs}}", "{id}{procs}"),
            ("{{no}}", "{{no}}"),
            ("{{{1}}}", "{{1}}"),
            ("{{", "{{"),
        ] {
            assert_eq!(text(word), expected, "{word}");
        }
        let half = parts(b"{{1}", Some(&csv()));
        assert_eq!(half[1], (1..4, TemplatePart::Field(Column::Position(0))));
    }
}
