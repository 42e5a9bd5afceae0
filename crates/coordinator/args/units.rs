//! Parses quantities: whole numbers, durations, and sizes in bytes.

use std::time::Duration;

/// Parses a whole number of at least `LEAST`.
///
/// # Errors
/// What to write instead.
pub(crate) fn whole<const LEAST: u32, N>(text: &str) -> Result<N, String>
where
    N: std::str::FromStr + From<u32> + PartialOrd,
{
    let number = text.parse().ok().filter(|number| *number >= N::from(LEAST));
    number.ok_or_else(|| format!("write a whole number, {LEAST} or more"))
}

/// Parses a duration: `500ms`, `2s`, `1.5m`, `1h`; a bare number is seconds.
///
/// # Errors
/// What is wrong with it, and what it should look like.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    const HINT: &str = "write a number with ms, s, m or h, as in 500ms or 2s; a bare number is seconds";
    let (number, unit) = split(text);
    let seconds = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("'{unit}' is not a unit of time: {HINT}")),
    };
    let number = decimal(number).ok_or_else(|| format!("not a duration: {HINT}"))?;
    let duration = Duration::try_from_secs_f64(number * seconds).map_err(|_| "the duration is too long".to_owned())?;
    if duration.is_zero() {
        return Err("the duration must be more than 0".to_owned());
    }
    Ok(duration)
}

/// Parses a size in bytes: `4096`, `512M`, `2G`, `16MiB`. Units are powers of 1024.
///
/// # Errors
/// What is wrong with it, and what it should look like.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    const HINT: &str = "write a number of bytes, or one with K, M, G or T, as in 512M or 16MiB (powers of 1024)";
    let (number, unit) = split(text);
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(format!("'{unit}' is not a unit of size: {HINT}")),
    };
    let bytes = decimal(number).ok_or_else(|| format!("not a size: {HINT}"))? * 2f64.powi(shift);
    // 2^53: above it a double does not hold every whole number.
    if !(1.0..=9_007_199_254_740_992.0).contains(&bytes) {
        return Err(format!("the size must be from 1 byte to 8192T: {HINT}"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just above")]
    Ok(bytes.round() as u64)
}

/// Splits a quantity into its number and its unit.
fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

/// Digits with at most one point; no sign, no exponent, no infinity.
fn decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && text.bytes().any(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_a_least_one() {
        assert_eq!(whole::<0, u32>("0"), Ok(0));
        assert_eq!(whole::<1, u64>("7"), Ok(7));
        for text in ["", "x", "-1", "0", "1.5", "99999999999"] {
            assert!(whole::<1, u32>(text).unwrap_err().contains("1 or more"), "{text}");
        }
    }

    #[test]
    fn durations_have_units() {
        for (text, millis) in
            [("500ms", 500), ("2s", 2000), ("1m", 60_000), ("1.5", 1500), ("4", 4000), ("2 s", 2000), ("1h", 3_600_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn refused_durations_say_what_to_write() {
        for text in ["", "s", "-1s", "2 years", "1e3", "inf", "1.2.3", "ms500"] {
            assert!(duration(text).unwrap_err().contains("500ms"), "{text}");
        }
        assert!(duration("0").unwrap_err().contains("more than 0"));
        assert!(duration("99999999999999999999h").is_err());
    }

    #[test]
    fn sizes_are_powers_of_1024() {
        for (text, bytes) in
            [("1", 1), ("512M", 512 << 20), ("2G", 2 << 30), ("16MiB", 16 << 20), ("1.5k", 1536), ("1tb", 1 << 40)]
        {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "M", "-1M", "12X", "0", "9000T", "1e9"] {
            assert!(size(text).unwrap_err().contains("512M"), "{text}");
        }
    }
}
