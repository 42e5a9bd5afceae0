//! Parses lists of counts and sizes on the command line: `1,2,4..=8`,
//! `2..=40:2`, `1..=auto`.

use crate::error::InputError;
use crate::input::IntegerRange;

/// The limit of a count; a larger one is a typing error.
const MOST_PROCESSES: u64 = 100_000;

/// Parses a list of worker counts: positive, at most 100 000 each. `auto`
/// stands for the given number. Repeated counts are dropped.
///
/// # Errors
/// What is wrong with the text, and what to write instead.
pub fn parse_counts(text: &str, auto: u64) -> Result<Vec<u64>, InputError> {
    let counts = parse_list(text, Some(auto))?;
    match counts.iter().find(|&&count| count > MOST_PROCESSES) {
        Some(count) => Err(InputError::Counts(format!(
            "{count} is more than {MOST_PROCESSES}: give about as many as there are processors, or 'auto' ({auto})"
        ))),
        None => Ok(counts),
    }
}

/// Parses a list of sizes: positive numbers, in the same grammar but without
/// `auto`.
///
/// # Errors
/// What is wrong with the text, and what to write instead.
pub fn parse_sizes(text: &str) -> Result<Vec<u64>, InputError> {
    parse_list(text, None)
}

fn parse_list(text: &str, auto: Option<u64>) -> Result<Vec<u64>, InputError> {
    let mut all = Vec::new();
    for part in text.split(',') {
        for count in parse_part(part.trim(), auto)? {
            if count == 0 {
                return Err(InputError::Counts(format!("0 in '{text}': give 1 or more")));
            }
            if !all.contains(&count) {
                all.push(count);
            }
        }
    }
    Ok(all)
}

fn parse_part(part: &str, auto: Option<u64>) -> Result<Vec<u64>, InputError> {
    if !part.contains("..") {
        return number(part, auto).map(|count| vec![count]);
    }
    let whole = auto.map_or_else(|| part.to_owned(), |auto| part.replace("auto", &auto.to_string()));
    let range = IntegerRange::parse(&whole)?;
    if range.count() == 0 {
        return Err(InputError::Counts(format!("'{part}' is empty")));
    }
    if range.count() > MOST_VALUES {
        return Err(InputError::Counts(format!(
            "'{part}' is {} values: give a step, as in 100..=1000:100",
            range.count()
        )));
    }
    let value = |i: u64| u64::try_from(range.at(i));
    let values: Result<Vec<u64>, _> = (0..range.count()).map(value).collect();
    values.map_err(|_| InputError::Counts(format!("'{part}' goes below 0: give 1 or more")))
}

/// The limit of values in a range: each value is a run.
const MOST_VALUES: u64 = 10_000;

fn number(text: &str, auto: Option<u64>) -> Result<u64, InputError> {
    match auto {
        Some(auto) if text == "auto" => return Ok(auto),
        _ => {}
    }
    let or_auto =
        if auto.is_some() { ", a range such as 1..=8 or 'auto'" } else { " or a range such as 100..=500:100" };
    let digits = text.replace('_', "");
    digits.parse().map_err(|_| InputError::Counts(format!("'{text}' is not a count: write a number{or_auto}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar() {
        assert_eq!(parse_counts("1,2,4..=8", 9).unwrap(), [1, 2, 4, 5, 6, 7, 8]);
        assert_eq!(parse_counts("2..=10:4", 9).unwrap(), [2, 6, 10]);
        assert_eq!(parse_counts("1..=auto", 3).unwrap(), [1, 2, 3]);
        assert_eq!(parse_counts("auto", 3).unwrap(), [3]);
        assert_eq!(parse_counts("1, 2,auto,2", 2).unwrap(), [1, 2]);
        assert_eq!(parse_counts("8,1..3", 2).unwrap(), [8, 1, 2]);
        assert_eq!(parse_sizes("1_000_000").unwrap(), [1_000_000]);
    }

    #[test]
    fn errors_say_what_to_write() {
        for (text, says) in [
            ("0", "1 or more"),
            ("0..=3", "1 or more"),
            ("-2..=3", "1 or more"),
            ("200000", "auto"),
            ("1..=200000", "step"),
            ("", "write a number"),
            ("1,,2", "write a number"),
            ("x", "write a number"),
            ("-1", "write a number"),
            ("5..=2", "empty"),
            ("99999999999999999999999", "write a number"),
        ] {
            let error = parse_counts(text, 4).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
        assert!(parse_sizes("auto").is_err());
    }
}
