//! Lists of counts, as in `--procs 1,2,4..=auto`: numbers, ranges with a step,
//! and the word `auto`, whose meaning is filled in later.

use std::fmt;

/// Longest list that is made of a range: more configurations than these are a slip of the pen.
const MOST: usize = 10_000;

/// A parsed list, with every `auto` still open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counts(Vec<Part>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    One(Bound),
    Range { from: Bound, to: Bound, inclusive: bool, step: u64 },
}

/// A number, or the one that `auto` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Auto,
    Number(u64),
}

impl Counts {
    /// A list of one number.
    #[cfg(test)]
    pub(crate) fn one(number: u64) -> Self {
        Self(vec![Part::One(Bound::Number(number))])
    }

    /// Whether `auto` stands somewhere in the list.
    pub(crate) fn has_auto(&self) -> bool {
        self.0.iter().any(|part| match *part {
            Part::One(bound) => bound == Bound::Auto,
            Part::Range { from, to, .. } => from == Bound::Auto || to == Bound::Auto,
        })
    }

    /// The numbers, in the order given and each once, with `auto` filled in.
    ///
    /// # Errors
    /// A range that holds nothing, or more than anybody wants.
    pub(crate) fn resolve(&self, auto: u64) -> Result<Vec<u64>, String> {
        let mut numbers = Vec::new();
        for part in &self.0 {
            match *part {
                Part::One(bound) => push_new(&mut numbers, bound.number(auto)),
                Part::Range { from, to, inclusive, step } => {
                    let (from, to) = (from.number(auto), to.number(auto));
                    let end = if inclusive { to.saturating_add(1) } else { to };
                    if from >= end {
                        return Err(format!("the range '{part}' holds nothing here: it goes from {from} to {to}"));
                    }
                    if (end - from).div_ceil(step) > MOST as u64 {
                        return Err(format!("the range '{part}' holds more than {MOST} numbers"));
                    }
                    let stride = usize::try_from(step).unwrap_or(usize::MAX);
                    (from..end).step_by(stride).for_each(|number| push_new(&mut numbers, number));
                }
            }
        }
        Ok(numbers)
    }
}

fn push_new(numbers: &mut Vec<u64>, number: u64) {
    if !numbers.contains(&number) {
        numbers.push(number);
    }
}

impl Bound {
    fn number(self, auto: u64) -> u64 {
        match self {
            Self::Auto => auto,
            Self::Number(number) => number,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Number(number) => number.fmt(f),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(bound) => bound.fmt(f),
            Self::Range { from, to, inclusive, step } => {
                write!(f, "{from}..{}{to}", if *inclusive { "=" } else { "" })?;
                if *step == 1 { Ok(()) } else { write!(f, ":{step}") }
            }
        }
    }
}

/// Reads `N[,N…]`, where each may be a range `A..B[:STEP]` or `A..=B[:STEP]`,
/// and `auto` may stand for a number.
///
/// # Errors
/// What is wrong with which part, and what it should look like.
pub(crate) fn parse(text: &str) -> Result<Counts, String> {
    text.split(',').map(|part| parse_part(part.trim())).collect::<Result<_, _>>().map(Counts)
}

/// As [`parse`], for lists in which `auto` means nothing.
///
/// # Errors
/// As for [`parse`].
pub(crate) fn parse_numbers(text: &str) -> Result<Counts, String> {
    let counts = parse(text)?;
    if counts.has_auto() { Err("'auto' has no meaning here: write a number".to_owned()) } else { Ok(counts) }
}

fn parse_part(part: &str) -> Result<Part, String> {
    let Some((from, rest)) = part.split_once("..") else {
        return bound(part).map(Part::One);
    };
    let (rest, inclusive) = rest.strip_prefix('=').map_or((rest, false), |rest| (rest, true));
    let (to, step) = match rest.split_once(':') {
        Some((to, step)) => (to, positive(step)?),
        None => (rest, 1),
    };
    Ok(Part::Range { from: bound(from)?, to: bound(to)?, inclusive, step })
}

fn bound(text: &str) -> Result<Bound, String> {
    if text == "auto" { Ok(Bound::Auto) } else { positive(text).map(Bound::Number) }
}

fn positive(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) => Err("a count here is at least 1".to_owned()),
        Ok(number) if !text.starts_with('+') => Ok(number),
        _ => Err(format!("'{text}' is no count: write numbers or ranges, as in 4 or 1,2,4 or 1..=8 or 2..=40:2")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str, auto: u64) -> Result<Vec<u64>, String> {
        parse(text).and_then(|counts| counts.resolve(auto))
    }

    #[test]
    fn lists_ranges_and_auto() {
        for (text, expected) in [
            ("4", &[4][..]),
            ("1,2,4", &[1, 2, 4]),
            ("auto", &[6]),
            ("1..=auto", &[1, 2, 3, 4, 5, 6]),
            ("1..4", &[1, 2, 3]),
            ("2..=10:4", &[2, 6, 10]),
            ("4,2,4,1..=3", &[4, 2, 1, 3]),
            ("8..=8", &[8]),
            ("auto,1", &[6, 1]),
        ] {
            assert_eq!(numbers(text, 6).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn refusals_say_what_to_write() {
        for text in ["", "x", "-1", "+1", "1,", "1..", "..4", "1..=4:x", "1.5"] {
            assert!(numbers(text, 6).unwrap_err().contains("1..=8"), "{text}");
        }
        for text in ["0", "0..4", "1..=4:0"] {
            assert!(numbers(text, 6).unwrap_err().contains("at least 1"), "{text}");
        }
        assert!(numbers("4..=auto", 2).unwrap_err().contains("from 4 to 2"));
        assert!(numbers("5..5", 2).unwrap_err().contains("'5..5' holds nothing"));
        assert!(numbers("1..=99999999999:2", 2).unwrap_err().contains("more than"));
        assert!(numbers("1..=18446744073709551615", 2).is_err());
    }

    #[test]
    fn sizes_know_no_auto() {
        assert!(parse_numbers("1..=auto").unwrap_err().contains("no meaning"));
        assert_eq!(parse_numbers("7").unwrap(), Counts::one(7));
    }
}
