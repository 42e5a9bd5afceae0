//! `--range A..B[:STEP]`: the integers of a range as items, written as text
//! only when they are needed.

use crate::error::InputError;
use bytes::BytesMut;
use std::fmt;

/// The integers `from`, `from + step`, … below `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntegerRange {
    from: i128,
    /// Where it ends, and whether that is part of it: for messages.
    to: i128,
    inclusive: bool,
    step: i128,
    count: u64,
}

impl IntegerRange {
    /// The integers from `from` in steps of `step` (at least 1), up to `to`,
    /// with `to` itself if `inclusive`. The range may be empty.
    ///
    /// # Errors
    /// The step is below 1, or there are more integers than an index can count.
    pub fn new(from: i128, to: i128, step: i128, inclusive: bool) -> Result<Self, InputError> {
        if step < 1 {
            return Err(InputError::Range(format!("the step is {step}: it must be 1 or more")));
        }
        if from > to || (from == to && !inclusive) {
            return Ok(Self { from, to, inclusive, step, count: 0 });
        }
        let count = to
            .checked_sub(from)
            .and_then(|span| span.checked_sub(i128::from(!inclusive)))
            .map(|span| span / step + 1)
            .and_then(|count| u64::try_from(count).ok())
            .ok_or_else(|| InputError::Range(format!("{from}..{to} has more items than can be counted")))?;
        Ok(Self { from, to, inclusive, step, count })
    }

    /// Parses `A..B`, `A..=B`, `A..B:STEP` or `A..=B:STEP`.
    ///
    /// # Errors
    /// What is wrong with the text, and what is expected.
    pub fn parse(text: &str) -> Result<Self, InputError> {
        let shape = || InputError::Range(format!("'{text}' is not a range: write A..B, A..=B or A..B:STEP"));
        let (from, rest) = text.split_once("..").ok_or_else(shape)?;
        let (to, step) = rest.split_once(':').map_or((rest, None), |(to, step)| (to, Some(step)));
        let (to, inclusive) = to.strip_prefix('=').map_or((to, false), |to| (to, true));
        if from.trim().is_empty() || to.trim().is_empty() {
            return Err(shape());
        }
        let step = step.map_or(Ok(1), integer)?;
        Self::new(integer(from)?, integer(to)?, step, inclusive)
    }

    /// How many integers there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The integer at this position, which must be below the count.
    pub(crate) fn at(&self, place: u64) -> i128 {
        self.from + i128::from(place) * self.step
    }

    /// The range without its first `n` integers.
    pub(crate) fn without_first(self, n: u64) -> Self {
        let n = n.min(self.count);
        if n == self.count {
            return Self { count: 0, ..self };
        }
        // The result is within the range: no overflow.
        Self { from: self.from + i128::from(n) * self.step, count: self.count - n, ..self }
    }

    /// Removes integers from the front and writes them as items until `into`
    /// has about `bytes` bytes; returns how many were written.
    pub(crate) fn write(&mut self, into: &mut BytesMut, bytes: usize, separator: u8) -> u64 {
        let before = self.count;
        let mut digits = itoa::Buffer::new();
        while self.count > 0 && into.len() < bytes {
            let text = match u64::try_from(self.from) {
                Ok(small) => digits.format(small),
                Err(_) => digits.format(self.from),
            };
            into.extend_from_slice(text.as_bytes());
            into.extend_from_slice(&[separator]);
            self.count -= 1;
            self.from = self.from.saturating_add(self.step);
        }
        before - self.count
    }
}

impl fmt::Display for IntegerRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}{}", self.from, if self.inclusive { "=" } else { "" }, self.to)
    }
}

fn integer(text: &str) -> Result<i128, InputError> {
    let digits = text.trim().replace('_', "");
    digits.parse().map_err(|_| InputError::Range(format!("'{}' is not an integer", text.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut range = IntegerRange::parse(text).unwrap();
        let mut bytes = BytesMut::new();
        assert_eq!(range.write(&mut bytes, 1000, b' '), IntegerRange::parse(text).unwrap().count());
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn all_forms_of_ranges() {
        assert_eq!(written("2..5"), "2 3 4 ");
        assert_eq!(written("2..=5"), "2 3 4 5 ");
        assert_eq!(written("2..=40:19"), "2 21 40 ");
        assert_eq!(written("2..40:19"), "2 21 ");
        assert_eq!(written("-2..=1"), "-2 -1 0 1 ");
        assert_eq!(
            written("18446744073709551614..=18446744073709551616"),
            "18446744073709551614 18446744073709551615 18446744073709551616 "
        );
        assert_eq!(written("5..5"), "");
        assert_eq!(written("5..=4"), "");
        assert_eq!(written("5..=5"), "5 ");
        assert_eq!(written("1_000..1_002"), "1000 1001 ");
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let all = i128::MIN..=i128::MAX;
        assert!(IntegerRange::new(*all.start(), *all.end(), 1, true).is_err());
        let mut last = IntegerRange::new(i128::MAX - 1, i128::MAX, 5, true).unwrap();
        assert_eq!(last.count(), 1);
        last.write(&mut BytesMut::new(), 100, b'\n');
        assert_eq!(last.count(), 0);
        assert_eq!(IntegerRange::parse("0..10:3").unwrap().without_first(3).count(), 1);
        assert_eq!(IntegerRange::parse("0..10:3").unwrap().without_first(9).count(), 0);
    }

    #[test]
    fn errors_say_what_is_expected() {
        for (text, says) in [
            ("5", "A..B"),
            ("..5", "A..B"),
            ("5..", "A..B"),
            ("a..b", "'a' is not an integer"),
            ("1..5:0", "1 or more"),
            ("1..5:-1", "1 or more"),
            ("1..5:x", "'x' is not an integer"),
            ("1.5..2", "'1.5' is not an integer"),
        ] {
            let error = IntegerRange::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
