//! How items are parsed and results are written as text.

/// An input that can be parsed from an item's bytes.
pub trait FromItem<'a>: Sized {
    /// Parses an item.
    ///
    /// # Errors
    /// What is wrong with the item, as a phrase: `not a whole number`.
    fn from_item(item: &'a [u8]) -> Result<Self, String>;
}

/// A result that can be written as text.
pub trait ToText {
    /// Whether its text is a JSON value as it is (a finite number, a boolean) and not a
    /// string.
    fn is_json(&self) -> bool;
    /// Appends the text.
    fn write_text(&self, out: &mut Vec<u8>);
}

impl<'a> FromItem<'a> for &'a [u8] {
    fn from_item(item: &'a [u8]) -> Result<Self, String> {
        Ok(item)
    }
}

impl FromItem<'_> for String {
    fn from_item(item: &[u8]) -> Result<Self, String> {
        std::str::from_utf8(item).map(str::to_owned).map_err(|_| "not UTF-8".to_owned())
    }
}

impl FromItem<'_> for u64 {
    /// Digits only: `007` is 7. A fraction of zeros is none: `7.0` is 7. A sign,
    /// another fraction, an exponent, hexadecimal digits or a value above 2⁶⁴ − 1 are
    /// refused.
    fn from_item(item: &[u8]) -> Result<Self, String> {
        let item = without_zero_fraction(item);
        let mut value: u64 = 0;
        let (runs, rest) = item.as_chunks::<8>();
        for &run in runs {
            let eight = eight_digits(run).ok_or_else(|| not_whole(item))?;
            let next = value.checked_mul(100_000_000).and_then(|v| v.checked_add(eight));
            value = next.ok_or_else(|| too_large(item))?;
        }
        for &byte in rest {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return Err(not_whole(item));
            }
            let next = value.checked_mul(10).and_then(|v| v.checked_add(u64::from(digit)));
            value = next.ok_or_else(|| too_large(item))?;
        }
        if item.is_empty() { Err("empty: a whole number is needed".to_owned()) } else { Ok(value) }
    }
}

/// The item without a point and only zeros behind it: as spreadsheets and pandas
/// write whole numbers.
#[inline]
fn without_zero_fraction(item: &[u8]) -> &[u8] {
    if item.last() != Some(&b'0') {
        return item;
    }
    match item.iter().rposition(|&byte| byte != b'0') {
        Some(at) if at > 0 && item[at] == b'.' => &item[..at],
        _ => item,
    }
}

/// The number that eight digits represent: combines neighboring digits, then pairs,
/// then groups of four.
#[inline]
fn eight_digits(digits: [u8; 8]) -> Option<u64> {
    const TENS: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let text = u64::from_le_bytes(digits);
    // The bytes of 0 to 9 have the high half 3, and keep it when 6 is added.
    if text & TENS != ZEROS || text.wrapping_add(0x0606_0606_0606_0606) & TENS != ZEROS {
        return None;
    }
    let ones = text - ZEROS;
    let pairs = (ones.wrapping_mul(10) + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100) + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours.wrapping_mul(10_000) + (fours >> 32)) & 0xffff_ffff)
}

/// A number is too large only if it is a number: checks the rest of the item, too.
fn too_large(item: &[u8]) -> String {
    if item.iter().all(u8::is_ascii_digit) {
        format!("too large: a whole number up to {} is needed", u64::MAX)
    } else {
        not_whole(item)
    }
}

fn not_whole(item: &[u8]) -> String {
    if let Some(what) = strange_bytes(item) {
        what.to_owned()
    } else if item.first() == Some(&b'-') && item.len() > 1 && item[1..].iter().all(u8::is_ascii_digit) {
        "negative: a whole number of 0 or more is needed".to_owned()
    } else {
        "not a whole number (digits only)".to_owned()
    }
}

/// What stands in the item that nobody sees.
fn strange_bytes(item: &[u8]) -> Option<&'static str> {
    if memchr::memchr(0, item).is_some() {
        Some("not a number: it holds a NUL byte")
    } else if memchr::memmem::find(item, b"\xef\xbb\xbf").is_some() {
        Some("not a number: it holds a byte-order mark (U+FEFF)")
    } else {
        None
    }
}

impl FromItem<'_> for f64 {
    /// A finite decimal number: sign, digits, fraction and exponent as usual. `nan`,
    /// `inf`, hexadecimal digits and an overflow are refused.
    fn from_item(item: &[u8]) -> Result<Self, String> {
        if let Some(small) = small_integer(item) {
            return Ok(small);
        }
        let decimal = |b: &u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E');
        let text = std::str::from_utf8(item).ok().filter(|_| item.iter().all(decimal));
        let Some(value) = text.and_then(|t| t.parse::<Self>().ok()) else {
            return Err(strange_bytes(item).unwrap_or("not a decimal number").to_owned());
        };
        if value.is_finite() { Ok(value) } else { Err("too large for a double-precision number".to_owned()) }
    }
}

/// Up to 15 digits are exact in a double: most items do not need the general
/// parser.
fn small_integer(item: &[u8]) -> Option<f64> {
    if item.is_empty() || item.len() > 15 {
        return None;
    }
    let mut value: u64 = 0;
    for &byte in item {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 15 digits: exact")]
    Some(value as f64)
}

impl ToText for &[u8] {
    fn is_json(&self) -> bool {
        false
    }
    fn write_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl ToText for bool {
    fn is_json(&self) -> bool {
        true
    }
    fn write_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if *self { b"true" } else { b"false" });
    }
}

impl ToText for u64 {
    fn is_json(&self) -> bool {
        true
    }
    fn write_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(itoa::Buffer::new().format(*self).as_bytes());
    }
}

impl ToText for f64 {
    fn is_json(&self) -> bool {
        self.is_finite()
    }
    /// The shortest text that parses to the same number; whole numbers end in `.0`.
    fn write_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(zmij::Buffer::new().format(*self).as_bytes());
    }
}

impl ToText for String {
    fn is_json(&self) -> bool {
        false
    }
    fn write_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: impl ToText) -> String {
        let mut out = Vec::new();
        value.write_text(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn whole_numbers_are_digits_only() {
        assert_eq!(u64::from_item(b"18446744073709551615"), Ok(u64::MAX));
        assert_eq!(u64::from_item(b"007"), Ok(7));
        for (item, value) in [("7.0", 7), ("70.00", 70), ("0.0", 0), ("10", 10), ("0", 0), ("000", 0)] {
            assert_eq!(u64::from_item(item.as_bytes()), Ok(value), "{item}");
        }
        for (item, says) in [
            ("18446744073709551616", "too large"),
            ("99999999999999999999x", "not a whole"),
            ("-1", "negative"),
            ("-", "not a whole"),
            ("+7", "not a whole"),
            ("1e3", "not a whole"),
            ("0x10", "not a whole"),
            ("3.14", "not a whole"),
            ("3.10", "not a whole"),
            (".0", "not a whole"),
            ("7.", "not a whole"),
            ("7.0.0", "not a whole"),
            ("2\0", "NUL byte"),
            ("\u{feff}2", "byte-order mark"),
            ("NaN", "not a whole"),
            ("", "empty"),
        ] {
            let error = u64::from_item(item.as_bytes()).unwrap_err();
            assert!(error.contains(says), "{item}: {error}");
        }
        assert!(u64::from_item("9".repeat(1_000_000).as_bytes()).unwrap_err().contains("too large"));
    }

    #[test]
    fn eight_digits_at_a_time_are_the_same_as_one() {
        for number in [0, 1, 12_345_678, 99_999_999, 10_000_000, 90_817_263] {
            for text in [format!("{number:08}"), format!("{number:08}{number:08}"), format!("1{number:08}234")] {
                assert_eq!(u64::from_item(text.as_bytes()), Ok(text.parse().unwrap()), "{text}");
            }
        }
        for byte in (0..=u8::MAX).filter(|byte| !byte.is_ascii_digit()) {
            for at in 0..8 {
                let mut text = *b"12345678";
                text[at] = byte;
                assert!(u64::from_item(&text).is_err(), "{text:?}");
            }
        }
    }

    #[test]
    fn decimal_numbers_are_finite() {
        for (item, value) in [("2", 2.0), ("-0.5", -0.5), ("1e3", 1000.0), ("+7", 7.0), ("3.25", 3.25), ("007", 7.0)] {
            assert_eq!(f64::from_item(item.as_bytes()), Ok(value), "{item}");
        }
        assert_eq!(f64::from_item(b"999999999999999"), Ok(999_999_999_999_999.0));
        assert_eq!(f64::from_item(b"18446744073709551616"), Ok(18_446_744_073_709_551_616.0));
        for item in ["NaN", "inf", "0x10", "1e999", "", "-", ".", "e", "1_000", "1e", "\u{ff11}"] {
            assert!(f64::from_item(item.as_bytes()).is_err(), "{item}");
        }
    }

    #[test]
    fn doubles_print_to_round_trip() {
        assert_eq!(text(2f64.sqrt()), "1.4142135623730951");
        assert_eq!(text(2.0), "2.0");
        assert_eq!(text(0.1 + 0.2), "0.30000000000000004");
        assert_eq!(text(true), "true");
        assert_eq!(text(u64::MAX), "18446744073709551615");
    }
}
