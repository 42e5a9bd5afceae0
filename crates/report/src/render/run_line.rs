//! What a single run says at its end, in one or two lines: items, time, processes
//! with their PIDs, the slowest item, and where the details are.

use crate::model::run_summary::RunSummary;
use crate::model::study::Executor;
use crate::text::units;
use crate::text::wrap::{FIXED_SPACE, wrapped};
use std::time::Duration;

/// Ranges of PIDs that are named at most.
const MOST_RANGES: usize = 4;
/// The status of a run that ended as it should.
const COMPLETED: &str = "completed";

/// The lines, without control characters, each of at most 80 columns.
pub(crate) fn run_line(run: &RunSummary, has_log: bool) -> String {
    let Some(result) = &run.result else { return String::new() };
    let mut text = format!("{} item{}", units::grouped(result.items), if result.items == 1 { "" } else { "s" });
    if result.failures > 0 {
        text += &format!(" ({} failed)", units::grouped(result.failures));
    }
    text += &format!(" in {} {}", fixed(&units::seconds(result.wall_s)), workers(run));
    if run.status != COMPLETED {
        text += "; not\u{a0}completed";
    }
    if let Some(slowest) = result.slowest {
        let seconds = Duration::from_nanos(slowest.ns).as_secs_f64();
        text += "; ";
        text += &fixed(&format!("slowest item {}: {}", slowest.index, units::seconds(seconds)));
    }
    text += ".";
    if has_log {
        text += " ";
        text += &fixed("Details: coordinator inspect");
    }
    wrapped(&text)
}

/// Words that stay on one line.
fn fixed(text: &str) -> String {
    text.replace(' ', FIXED_SPACE.encode_utf8(&mut [0; 4]))
}

/// The workers, and the PIDs of processes.
fn workers(run: &RunSummary) -> String {
    let configuration = run.configuration();
    let workers = configuration.executor.counted(configuration.count);
    if configuration.executor == Executor::Serial {
        return format!("in {workers}");
    }
    let pids: Vec<u32> = run.workers.iter().map(|row| row.pid).collect();
    let unnamed: u64 = run.summed.iter().map(|sum| u64::from(sum.processes)).sum();
    if configuration.executor == Executor::Threads || pids.is_empty() {
        return format!("on {workers}");
    }
    let noun = if pids.len() == 1 && unnamed == 0 { "PID" } else { "PIDs" };
    format!("on {workers} ({noun} {})", ranges(pids, unnamed))
}

/// `4240–4243, 4250`, and how many more there are.
fn ranges(mut pids: Vec<u32>, unnamed: u64) -> String {
    pids.sort_unstable();
    pids.dedup();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for pid in pids {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == pid => *last = pid,
            _ => ranges.push((pid, pid)),
        }
    }
    let more: u64 = ranges.iter().skip(MOST_RANGES).map(|(from, to)| u64::from(to - from + 1)).sum::<u64>() + unnamed;
    let mut named: Vec<String> = ranges.iter().take(MOST_RANGES).map(|&range| named(range)).collect();
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    named.join(", ")
}

fn named((from, to): (u32, u32)) -> String {
    match to - from {
        0 => from.to_string(),
        1 => format!("{from}, {to}"),
        _ => format!("{from}–{to}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{row, run};
    use procession_task::SlowestItem;

    fn sample() -> RunSummary {
        let rows = (0..4).map(|at| row(at, 18976 + at, 0.002, (1.0, 0.01, 0.02))).collect();
        let mut run = run(1, 4, 0.2204, rows);
        let result = run.result.as_mut().unwrap();
        (result.items, result.slowest) = (180_000, Some(SlowestItem { index: 77, ns: 32_000_000 }));
        run
    }

    #[test]
    fn a_run_on_processes() {
        let expected = "180,000 items in 220 ms on 4 processes (PIDs 18976–18979);\n  \
                        slowest item 77: 32.0 ms. Details: coordinator inspect\n";
        assert_eq!(run_line(&sample(), true), expected);
    }

    #[test]
    fn failures_and_an_early_end() {
        let mut run = sample();
        run.status = "interrupted";
        let result = run.result.as_mut().unwrap();
        (result.failures, result.slowest) = (12, None);
        let expected = "180,000 items (12 failed) in 220 ms on 4 processes (PIDs 18976–18979);\n  not completed.\n";
        assert_eq!(run_line(&run, false), expected);
    }

    #[test]
    fn threads_and_the_loop_have_no_pids() {
        let mut run = sample();
        run.result.as_mut().unwrap().slowest = None;
        run.start.configuration.executor = Executor::Threads;
        assert_eq!(run_line(&run, false), "180,000 items in 220 ms on 4 threads.\n");
        run.start.configuration.executor = Executor::Serial;
        run.result.as_mut().unwrap().items = 1;
        assert_eq!(run_line(&run, false), "1 item in 220 ms in the serial loop.\n");
    }

    #[test]
    fn pids_are_gathered() {
        assert_eq!(ranges(vec![7], 0), "7");
        assert_eq!(ranges(vec![9, 7, 8], 0), "7–9");
        assert_eq!(ranges(vec![7, 8, 10], 0), "7, 8, 10");
        assert_eq!(ranges(vec![1, 3, 5, 7, 9, 10], 3), "1, 3, 5, 7, and 5 more");
    }
}
