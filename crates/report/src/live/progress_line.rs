//! Formats the progress bar's line from counts and times.

use crate::text::shorten::shortened;
use crate::text::units;
use std::collections::VecDeque;
use std::time::Duration;

/// Rates are averages over this time.
const WINDOW: Duration = Duration::from_secs(10);
/// No end is estimated before this time.
const ENOUGH_TIME: Duration = Duration::from_secs(1);
/// No end is estimated before this share of the input is done.
const ENOUGH_INPUT: f64 = 0.005;
/// Width of the bar itself in columns.
const BAR: usize = 20;

/// What is known of a run's end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ProgressTotal {
    /// The total number of items.
    Items(u64),
    /// The share of the input that was read so far, from 0 to 1.
    Fraction(f64),
    /// Nothing is known.
    Unknown,
}

/// The counts at one time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Time since the bar began.
    pub(crate) at: Duration,
    /// Items with an outcome.
    pub(crate) done: u64,
    /// Failed items.
    pub(crate) failed: u64,
    /// Workers that have items in hand.
    pub(crate) busy: u32,
    /// Workers that are ready.
    pub(crate) ready: u32,
    /// What is known of the end.
    pub(crate) total: ProgressTotal,
}

/// Keeps the counts of the last seconds, for the rate.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    past: VecDeque<(Duration, u64)>,
}

impl Gauge {
    /// The line for these counts, in fewer than `columns` columns.
    pub(crate) fn line(&mut self, label: &str, now: &Moment, columns: usize) -> String {
        let rate = self.rate(now);
        let mut parts = Vec::new();
        if !label.is_empty() {
            parts.push(label.to_owned());
        }
        parts.extend(share(now.total, now.done).map(bar));
        parts.push(match now.total {
            ProgressTotal::Items(total) => format!("{}/{total} items", now.done),
            _ => units::counted(now.done, "item"),
        });
        if now.failed > 0 {
            parts.push(format!("{} failed", now.failed));
        }
        parts.extend(rate.map(units::rate));
        parts.push(format!("{} of {} workers busy", now.busy.min(now.ready), now.ready));
        // The end is what people look for: what does not fit is left out before it.
        let end = eta(now, rate).map_or_else(String::new, |seconds| format!("  ETA {}", units::coarse(seconds)));
        let room = columns.saturating_sub(1).saturating_sub(end.chars().count());
        while parts.len() > 1 && parts.iter().map(|part| part.chars().count() + 2).sum::<usize>() > room + 2 {
            parts.pop();
        }
        shortened(&(shortened(&parts.join("  "), room) + &end), columns.saturating_sub(1))
    }

    /// Items per second over the last seconds; `None` before the first item.
    fn rate(&mut self, now: &Moment) -> Option<f64> {
        self.past.push_back((now.at, now.done));
        while self.past.get(1).is_some_and(|(at, _)| now.at.saturating_sub(*at) >= WINDOW) {
            self.past.pop_front();
        }
        let (from, before) = *self.past.front()?;
        let seconds = now.at.saturating_sub(from).as_secs_f64();
        let items = now.done.saturating_sub(before);
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        (seconds > 0.0 && now.done > 0).then(|| items as f64 / seconds)
    }
}

/// The share that is done, and whether it is exact. An estimate is always below 1.
#[expect(clippy::cast_precision_loss, reason = "for people")]
fn share(total: ProgressTotal, done: u64) -> Option<(f64, bool)> {
    match total {
        ProgressTotal::Items(0) | ProgressTotal::Unknown => None,
        ProgressTotal::Items(total) => Some(((done as f64 / total as f64).min(1.0), true)),
        ProgressTotal::Fraction(fraction) => fraction.is_finite().then(|| (fraction.clamp(0.0, 0.99), false)),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100")]
fn bar((share, exact): (f64, bool)) -> String {
    let full = (share * BAR as f64) as usize;
    let about = if exact { "" } else { "~" };
    let percent = format!("{about}{}", (share * 100.0) as u32);
    format!("[{}{}] {percent:>3} %", "#".repeat(full), "-".repeat(BAR - full))
}

/// Estimated seconds to the end; `None` while there is too little data.
#[expect(clippy::cast_precision_loss, reason = "for people")]
fn eta(now: &Moment, rate: Option<f64>) -> Option<f64> {
    if now.at < ENOUGH_TIME || now.done == 0 {
        return None;
    }
    match now.total {
        ProgressTotal::Items(total) => {
            let left = total.saturating_sub(now.done) as f64;
            rate.filter(|rate| *rate > 0.0).map(|rate| left / rate)
        }
        ProgressTotal::Fraction(done) if (ENOUGH_INPUT..1.0).contains(&done) => {
            Some(now.at.as_secs_f64() * (1.0 - done) / done)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64, done: u64, total: ProgressTotal) -> Moment {
        Moment { at: Duration::from_millis(ms), done, failed: 0, busy: 3, ready: 4, total }
    }

    #[test]
    fn a_known_total() {
        let mut gauge = Gauge::default();
        let total = ProgressTotal::Items(1000);
        assert_eq!(
            gauge.line("", &at(100, 0, total), 80),
            "[--------------------]   0 %  0/1000 items  3 of 4 workers busy"
        );
        assert_eq!(
            gauge.line("", &at(600, 100, total), 80),
            "[##------------------]  10 %  100/1000 items  200/s  3 of 4 workers busy",
            "too early for an estimate"
        );
        assert_eq!(
            gauge.line("run 1", &at(1100, 200, total), 99),
            "run 1  [####----------------]  20 %  200/1000 items  200/s  3 of 4 workers busy  ETA 4 s"
        );
    }

    #[test]
    fn an_estimated_share_of_the_input() {
        let mut gauge = Gauge::default();
        let line = gauge.line("", &at(2000, 50, ProgressTotal::Fraction(0.25)), 80);
        assert_eq!(line, "[#####---------------] ~25 %  50 items  3 of 4 workers busy  ETA 6 s");
        let line = gauge.line("", &at(3000, 99, ProgressTotal::Fraction(1.0)), 80);
        assert!(line.starts_with("[###################-] ~99 %  99 items  49.0/s  3 of 4"), "{line}");
    }

    #[test]
    fn an_unknown_total_has_neither_percentage_nor_estimate() {
        let mut gauge = Gauge::default();
        gauge.line("", &at(0, 0, ProgressTotal::Unknown), 80);
        let now = Moment { failed: 2, ..at(20_000, 1, ProgressTotal::Unknown) };
        assert_eq!(gauge.line("", &now, 80), "1 item  2 failed  0.05/s  3 of 4 workers busy");
    }

    #[test]
    fn a_stall_has_no_estimate_and_old_seconds_do_not_count() {
        let mut gauge = Gauge::default();
        let total = ProgressTotal::Items(1000);
        for second in 0..30 {
            gauge.line("", &at(second * 1000, 500.min(second * 100), total), 80);
        }
        let line = gauge.line("", &at(30_000, 500, total), 80);
        assert_eq!(line, "[##########----------]  50 %  500/1000 items  0.00/s  3 of 4 workers busy");
        assert!(gauge.past.len() < 15);
    }

    #[test]
    fn narrow_terminals() {
        let mut gauge = Gauge::default();
        gauge.line("run 1 of 12: threads 16", &at(0, 0, ProgressTotal::Items(9_000_000)), 80);
        let now = at(2000, 4_000_000, ProgressTotal::Items(9_000_000));
        let line = gauge.line("run 1 of 12: threads 16", &now, 80);
        assert_eq!(line, "run 1 of 12: threads 16  [########------------]  44 %  ETA 3 s");
        let mut gauge = Gauge::default();
        let line = gauge.line("", &at(100, 0, ProgressTotal::Items(9)), 20);
        assert_eq!(line, "[-----------------…");
    }
}
