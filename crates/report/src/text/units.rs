//! Formats times, sizes, rates and shares for people.

pub(crate) use procession_task::counted;

/// Formats seconds with at most three significant digits: `950 µs`, `12.0 ms`,
/// `1.43 s`, `2 min 05 s`. A negative or infinite time is `-`.
#[must_use]
pub fn seconds(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "-".to_owned();
    }
    // The sum of an empty iterator is -0.0.
    let seconds = seconds + 0.0;
    // Above these thresholds rounding would show four digits.
    if seconds < 0.999_5e-3 {
        return format!("{} µs", three_digits(seconds * 1e6));
    }
    if seconds < 0.999_5 {
        return format!("{} ms", three_digits(seconds * 1e3));
    }
    if seconds < 59.95 {
        return format!("{} s", three_digits(seconds));
    }
    let whole = whole(seconds);
    if whole < 3600 {
        return format!("{} min {:02} s", whole / 60, whole % 60);
    }
    format!("{} h {:02} min", whole / 3600, whole / 60 % 60)
}

/// Formats a count with separators: `180,000`.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|g| std::str::from_utf8(g).ok()).collect();
    groups.join(",")
}

/// Formats an estimate: whole seconds, minutes or hours, rounded up.
pub(crate) fn coarse(estimate: f64) -> String {
    let up = estimate.ceil();
    if up < 60.0 { format!("{up} s") } else { seconds(up) }
}

/// Formats a size: `512 B`, `8.1 MiB`.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let mut value = bytes as f64;
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    for unit in ["KiB", "MiB", "GiB"] {
        value /= 1024.0;
        if value < 1023.95 {
            return format!("{value:.1} {unit}");
        }
    }
    format!("{:.1} TiB", value / 1024.0)
}

/// Formats a rate: `12.3/s`, `4.56 k/s`, `1.20 M/s`.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second < 999.5 {
        return format!("{}/s", three_digits(per_second));
    }
    if per_second < 999.5e3 {
        return format!("{} k/s", three_digits(per_second / 1e3));
    }
    format!("{} M/s", three_digits(per_second / 1e6))
}

/// Formats a share of 1: `12.5 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn three_digits(value: f64) -> String {
    if value < 9.995 {
        format!("{value:.2}")
    } else if value < 99.95 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "times are small and positive")]
fn whole(seconds: f64) -> u64 {
    seconds.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let shown: Vec<_> =
            [0.0, 9.5e-7, 0.000_95, 0.000_999_6, 0.012, 0.9996, 1.4299, 59.94, 59.96, 125.0, 3599.9, 7500.0]
                .map(seconds)
                .to_vec();
        let expected = [
            "0.00 µs",
            "0.95 µs",
            "950 µs",
            "1.00 ms",
            "12.0 ms",
            "1.00 s",
            "1.43 s",
            "59.9 s",
            "1 min 00 s",
            "2 min 05 s",
            "1 h 00 min",
            "2 h 05 min",
        ];
        assert_eq!(shown, expected);
        assert_eq!(seconds(f64::NAN), "-");
        assert_eq!([0.2, 59.0, 59.1].map(coarse), ["1 s", "59 s", "1 min 00 s"]);
    }

    #[test]
    fn sizes_and_rates() {
        assert_eq!(
            [0, 1023, 1024, 8_493_466, 1 << 30, 1 << 40].map(bytes).join(" "),
            "0 B 1023 B 1.0 KiB 8.1 MiB 1.0 GiB 1.0 TiB"
        );
        assert_eq!([0.5, 999.9, 12_340.0, 1.2e6].map(rate).join(" "), "0.50/s 1.00 k/s 12.3 k/s 1.20 M/s");
        assert_eq!(percent(0.9512), "95.1 %");
        assert_eq!([counted(1, "item"), counted(0, "item")], ["1 item", "0 items"]);
    }
}
