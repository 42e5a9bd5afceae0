//! The values of flags that are more than a number or a name.

use crate::args::units;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use procession::ChunkSize;
use procession_task::{FailureKind, Format, Items};
use std::num::NonZero;

/// The values of `--chunk`, each once, in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChunkList(pub(crate) Vec<ChunkSize>);

pub(super) fn chunks(text: &str) -> Result<ChunkList, String> {
    let mut chunks = Vec::new();
    let mut push = |chunk| {
        if !chunks.contains(&chunk) {
            chunks.push(chunk);
        }
    };
    for part in text.split(',').map(str::trim) {
        if part == "auto" {
            push(ChunkSize::Auto);
            continue;
        }
        for number in procession_job::parse_sizes(part).map_err(|error| error.to_string())? {
            let items = u32::try_from(number).ok().and_then(NonZero::new);
            let items = items.ok_or_else(|| format!("a message cannot hold {number} items"))?;
            push(ChunkSize::Fixed(items));
        }
    }
    Ok(ChunkList(chunks))
}

/// The value of `--retries`; `None` is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RetryCount(pub(crate) Option<u32>);

pub(super) fn retries(text: &str) -> Result<RetryCount, String> {
    if text == "unlimited" {
        return Ok(RetryCount(None));
    }
    units::whole::<0, u32>(text)
        .map(|times| RetryCount(Some(times)))
        .map_err(|error| format!("{error}, or 'unlimited'"))
}

/// The value of `--retry-on`, each kind once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RetryKinds(pub(crate) Vec<FailureKind>);

pub(super) fn retry_on(text: &str) -> Result<RetryKinds, String> {
    let mut kinds = Vec::new();
    for name in text.split(',').map(str::trim) {
        let known = FailureKind::ALL.into_iter().find(|kind| kind.as_str() == name);
        match known {
            Some(FailureKind::Invalid) => {
                return Err("an invalid item stays invalid: it can't be retried".to_owned());
            }
            Some(kind) if !kinds.contains(&kind) => kinds.push(kind),
            Some(_) => {}
            None => {
                let hint = "write one or more of crashed, out-of-memory, timed-out, failed, separated by commas";
                return Err(format!("'{name}' is not an outcome that can be retried: {hint}"));
            }
        }
    }
    Ok(RetryKinds(kinds))
}

pub(super) fn window(text: &str) -> Result<u64, String> {
    let bytes = units::size(text)?;
    if bytes < procession::raw::LEAST_WINDOW_BYTES {
        return Err("with less than 1M workers would wait for items: write 1M or more".to_owned());
    }
    Ok(bytes)
}

pub(super) fn max_item(text: &str) -> Result<usize, String> {
    let bytes = units::size(text)?;
    usize::try_from(bytes).map_err(|_| "the size is more than this machine can address".to_owned())
}

pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, as in method=naive".to_owned()),
    }
}

/// The value of `--arg`.
pub(super) fn constant(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((name, _)) if is_identifier(name) => Ok(text.to_owned()),
        _ => Err("write NAME=VALUE, where NAME is a parameter of the function, as in n=3".to_owned()),
    }
}

/// Whether Python can have a variable of this name.
pub(crate) fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && chars.all(|char| char.is_alphanumeric() || char == '_')
}

/// The values of `--items`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemRule {
    /// Items that are cut by this rule, and nothing else.
    Cut(Items),
    /// Numbers as people write them.
    Numbers,
    /// Records of comma-separated values.
    Csv,
    /// JSON values, a line each.
    Jsonl,
}

pub(super) fn items_parser() -> impl TypedValueParser<Value = ItemRule> {
    PossibleValuesParser::new(["words", "lines", "nul", "numbers", "csv", "jsonl"]).map(|name| match name.as_str() {
        "words" => ItemRule::Cut(Items::Words),
        "lines" => ItemRule::Cut(Items::Lines),
        "nul" => ItemRule::Cut(Items::Nul),
        "csv" => ItemRule::Csv,
        "jsonl" => ItemRule::Jsonl,
        _ => ItemRule::Numbers,
    })
}

/// The value of `--delimiter`: one character, or a name for it.
pub(super) fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | 0) => Ok(*byte),
        _ => Err("write one ASCII character, or tab".to_owned()),
    }
}

pub(super) fn format_parser() -> impl TypedValueParser<Value = Format> {
    let names = Format::ALL.map(|(name, _)| name);
    PossibleValuesParser::new(names).map(|name| Format::from_name(&name).unwrap_or(Format::Tsv))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_numbers_or_auto() {
        assert_eq!(chunks("auto").unwrap().0, [ChunkSize::Auto]);
        assert_eq!(chunks("1,auto,10..=30:10").unwrap().0.len(), 5);
        assert_eq!(chunks("4,4").unwrap().0, [ChunkSize::Fixed(NonZero::new(4).unwrap())]);
        for text in ["0", "", "1..=auto", "4294967296"] {
            assert!(chunks(text).is_err(), "{text}");
        }
    }

    #[test]
    fn retries_are_a_number_or_unlimited() {
        assert_eq!(retries("0"), Ok(RetryCount(Some(0))));
        assert_eq!(retries("unlimited"), Ok(RetryCount(None)));
        for text in ["-1", "", "never", "1.5"] {
            assert!(retries(text).unwrap_err().contains("'unlimited'"), "{text}");
        }
    }

    #[test]
    fn each_outcome_to_retry_is_kept_once() {
        let kinds = |text: &str| retry_on(text).map(|RetryKinds(kinds)| kinds);
        assert_eq!(kinds("crashed,out-of-memory"), Ok(procession::RETRY_ON.to_vec()));
        assert_eq!(kinds("timed-out, failed,timed-out"), Ok(vec![FailureKind::TimedOut, FailureKind::Failed]));
        assert!(kinds("crashed,invalid").unwrap_err().contains("stays invalid"));
        for text in ["", "all", "crashed,", "Crashed"] {
            assert!(kinds(text).unwrap_err().contains("timed-out"), "{text}");
        }
    }

    #[test]
    fn a_delimiter_is_a_character() {
        for (text, byte) in [(";", b';'), ("tab", b'\t'), ("\\t", b'\t'), (" ", b' '), ("|", b'|')] {
            assert_eq!(delimiter(text), Ok(byte));
        }
        for text in ["", ";;", "\"", "\n", "é"] {
            assert!(delimiter(text).is_err(), "{text}");
        }
    }

    #[test]
    fn parameters_are_pairs() {
        assert_eq!(key_value("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(key_value("a="), Ok(("a".to_owned(), String::new())));
        assert!(key_value("a").is_err() && key_value("=b").is_err());
    }
}
