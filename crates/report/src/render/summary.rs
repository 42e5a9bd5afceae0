//! The summary on standard error after the runs: the study, how time was spent, the
//! processes, the failed items, the log.

use crate::analysis::break_even;
use crate::analysis::measured;
use crate::analysis::verdict;
use crate::model::failure::FailureRow;
use crate::model::run_summary::RunSummary;
use crate::model::study::StudyRecord;
use crate::render::coordinator_line;
use crate::render::run_line::run_line;
use crate::render::run_title::title;
use crate::render::study_table;
use crate::render::style::Style;
use crate::render::worker_table;
use crate::text::shorten::excerpt;
use crate::text::units;
use crate::text::wrap::wrapped;
use procession_task::{FailureKind, escape_terminal};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Most failed items that are shown.
const MAX_FAILURES: usize = 10;

/// How much a summary tells of a single run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SummaryDetail {
    /// Only its failed items.
    Failures,
    /// One or two lines.
    Line,
    /// Tables of its time and its processes, too.
    Full,
}

/// The data of a call's summary.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a> {
    /// The runs, including warm-ups.
    pub runs: &'a [RunSummary],
    /// The command and the machine.
    pub study: &'a StudyRecord,
    /// The first failed items.
    pub failures: &'a [FailureRow],
    /// Total number of failed items.
    pub failed: u64,
    /// The call's log.
    pub log: Option<&'a Path>,
    /// Lines that follow the figures.
    pub hints: &'a [String],
    /// How much is told. A study always has its verdict and its table.
    pub detail: SummaryDetail,
}

impl Summary<'_> {
    /// The summary as text, escaped for a terminal.
    #[must_use]
    pub fn to_text(&self, style: Style) -> String {
        let hints: String = self.hints.iter().map(|hint| format!("{hint}\n")).collect();
        let failures = self.failures(style);
        let mut parts = match (self.runs, self.detail) {
            ([], _) | ([_], SummaryDetail::Failures) => return failures,
            ([run], SummaryDetail::Line) => return failures + &hints + &run_line(run, self.log.is_some()),
            ([run], SummaryDetail::Full) => vec![self.verdict(), run_line(run, self.log.is_some())],
            _ => vec![self.verdict()],
        };
        parts.extend(self.study(style));
        if self.detail == SummaryDetail::Full {
            parts.extend(self.workers(style));
        }
        parts.extend([failures, hints, self.log_line()]);
        parts.retain(|part| !part.is_empty());
        parts.join("\n")
    }

    /// What the runs show, a sentence for each size.
    fn verdict(&self) -> String {
        verdict::wording::lines(self.study, self.runs).iter().map(|line| wrapped(line)).collect()
    }

    /// What the measured runs show together.
    fn study(&self, style: Style) -> Vec<String> {
        let usable_cores = self.study.machine.usable_cores.max(1);
        let measured = measured::measure(self.runs, usable_cores);
        let break_evens = break_even::break_evens(&measured, self.runs, usable_cores);
        let mut parts = vec![study_table::table(&measured, style), break_even::wording::lines(&break_evens)];
        if self.detail == SummaryDetail::Full {
            parts.push(study_table::shares_table(&measured, style) + &coordinator_line::line(&measured));
        }
        parts
    }

    fn log_line(&self) -> String {
        self.log.map_or_else(String::new, |log| format!("log: {}\n", escape_terminal(log.as_os_str().as_bytes())))
    }

    fn workers(&self, style: Style) -> Vec<String> {
        workers(self.runs, style)
    }

    fn failures(&self, style: Style) -> String {
        if self.failed == 0 {
            return String::new();
        }
        let mut text = style.red(&format!("{} failed:", units::counted(self.failed, "item"))) + "\n";
        for failure in self.failures.iter().take(MAX_FAILURES) {
            text += &failure.to_line();
        }
        let shown = self.failures.len().min(MAX_FAILURES) as u64;
        if self.failed > shown {
            let _ = write!(text, "  … and {} more", self.failed - shown);
            text += if self.log.is_some() { ": coordinator inspect --failures\n" } else { "\n" };
        }
        text
    }
}

/// The tables of the processes: one per measured run, or one with their sums if there
/// are more than 32 processes.
pub(crate) fn workers(runs: &[RunSummary], style: Style) -> Vec<String> {
    let measured: Vec<_> = runs.iter().filter(|run| !run.start.warmup && !run.workers.is_empty()).collect();
    let rows: u64 = measured.iter().map(|run| run.processes()).sum();
    if rows > worker_table::MAX_ROWS {
        let hint = "(a row per PID: coordinator inspect --run K)\n";
        return vec![worker_table::sums(&measured, style) + hint];
    }
    let many = runs.len() > 1;
    let of =
        |run: &&RunSummary| if many { title(run) + "\n" } else { String::new() } + &worker_table::table(run, style);
    measured.iter().map(of).collect()
}

impl FailureRow {
    /// Formats one line, escaped for a terminal.
    fn to_line(&self) -> String {
        let place = match &self.place {
            Some(place) => excerpt(place.as_bytes()),
            None => format!("item {}", self.item),
        };
        let attempts = if self.attempts > 1 { format!(", {} attempts", self.attempts) } else { String::new() };
        let file = self.file.as_ref().map(|file| format!(", see {}", escape_terminal(file.as_os_str().as_bytes())));
        let (input, file) = (excerpt(&self.input), file.unwrap_or_default());
        format!("  {place}: \"{input}\": {} (PID {}{attempts}{file})\n", self.cause(), self.pid)
    }

    /// What became of the item, in a sentence.
    fn cause(&self) -> String {
        let message = excerpt(self.message.as_bytes());
        match self.kind {
            FailureKind::TimedOut => match self.message.strip_prefix("ran longer than ") {
                Some(limit) => format!("timed out after {}", with_space(limit)),
                None => format!("timed out: {message}"),
            },
            FailureKind::OutOfMemory => format!("out of memory: {message}"),
            FailureKind::Invalid => message,
            FailureKind::Failed | FailureKind::Crashed => format!("{}: {message}", self.kind),
        }
    }
}

/// A time such as `3s`, with a space before its unit.
fn with_space(time: &str) -> String {
    let (number, unit) = time.split_at(time.find(|c: char| c.is_alphabetic()).unwrap_or(time.len()));
    format!("{number} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::study::{Executor, Machine, RunStatus};
    use crate::samples::{row, run};

    fn study() -> Vec<RunSummary> {
        let mut runs = vec![
            run(1, 1, 9.0, vec![]),
            run(2, 1, 4.08, vec![row(0, 4240, 0.0021, (4.0, 0.01, 0.02))]),
            run(3, 2, 2.04, vec![row(0, 4241, 0.002, (2.0, 0.005, 0.01)), row(1, 4242, 0.003, (1.9, 0.1, 0.01))]),
            run(4, 1, 4.1, vec![row(0, 4243, 0.0021, (4.0, 0.01, 0.02))]),
            run(5, 2, 2.2, vec![row(0, 4244, 0.002, (2.0, 0.005, 0.01)), row(1, 4245, 0.003, (1.9, 0.1, 0.01))]),
        ];
        runs[0].start.warmup = true;
        runs
    }

    fn failure(item: u64) -> FailureRow {
        FailureRow {
            item,
            place: Some(format!("in\u{202e}.txt:{}:1", item + 1)),
            input: b"x\x1b[31m\n".to_vec(),
            kind: FailureKind::Invalid,
            message: "not a whole number\x07".into(),
            pid: 4242,
            attempts: 1,
            file: None,
        }
    }

    fn text(runs: &[RunSummary], failures: &[FailureRow], failed: u64) -> String {
        let log = Some(Path::new("/log\x1b"));
        let machine = Machine { usable_cores: 2, ..Machine::default() };
        let study = StudyRecord { machine, ..StudyRecord::default() };
        let detail = SummaryDetail::Full;
        Summary { runs, study: &study, failures, failed, log, hints: &[], detail }.to_text(Style::default())
    }

    #[test]
    fn a_study() {
        let text = text(&study(), &[], 0);
        assert_eq!(text, STUDY);
    }

    #[test]
    fn a_single_run_with_deaths_and_failures() {
        let mut workers = vec![row(0, 4240, 0.0021, (4.0, 0.01, 0.02)), row(1, 4241, 0.0021, (4.0, 0.01, 0.02))];
        let end = workers[1].end.as_mut().unwrap();
        (end.asked, end.signal, end.waiting_s, end.peak_memory_bytes) = (false, Some(9), None, None);
        workers.push(row(1, 4250, 2.0, (2.0, 0.01, 0.02)));
        (workers[2].nth, workers[2].spawned_s) = (1, 1.998);
        let mut runs = vec![run(1, 2, 4.08, workers)];
        runs[0].start.configuration.size = Some(100_000);
        let mut retried = failure(7);
        (retried.place, retried.kind, retried.attempts) = (None, FailureKind::Crashed, 3);
        retried.file = Some("/log\x1b/run-1/worker-0-0-4242.stderr".into());
        let text = text(&runs, &[failure(3), retried], 12);
        assert_eq!(text, DEATHS);
    }

    #[test]
    fn nothing_hostile_reaches_the_terminal() {
        let failures: Vec<_> = (0..20).map(failure).collect();
        let text = text(&study(), &failures, 20);
        assert!(!text.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
        assert_eq!(text.matches("(PID 4242)").count(), MAX_FAILURES);
        assert!(text.contains("… and 10 more: coordinator inspect --failures\n"));
    }

    #[test]
    fn many_processes_are_summed() {
        let workers = |count: u32| (0..count).map(|at| row(at, 4000 + at, 0.002, (1.0, 0.01, 0.02))).collect();
        let runs = vec![run(1, 32, 1.1, workers(32)), run(2, 64, 1.2, workers(64))];
        let text = text(&runs, &[], 0);
        assert!(text.contains(SUMS), "{text}");
    }

    #[test]
    fn usual_tables_fit_a_terminal() {
        // Ten million items in sizes, repeats, ceilings, and more processes than are shown one by one.
        let mut runs = Vec::new();
        for (count, wall_s) in [(1, 0.412), (2, 0.219), (2, 0.402), (4, 0.215)] {
            let workers = (0..12 * count).map(|at| row(at, 4000 + at, 0.002, (0.1, 0.01, 0.02))).collect();
            let mut run = run(u32::try_from(runs.len()).unwrap() + 1, count, wall_s, workers);
            run.start.configuration.size = Some(34);
            run.result.as_mut().unwrap().items = 34;
            runs.push(run);
        }
        let small = text(&runs, &[], 0);
        assert!(small.contains("±") && small.contains("items each"), "{small}");
        runs.iter_mut().for_each(|run| run.start.configuration.size = Some(10_000_000));
        runs.iter_mut().for_each(|run| run.result.as_mut().unwrap().items = 10_000_000);
        let large = text(&runs[..3], &[], 0);
        assert!(large.contains("10000000"), "{large}");
        let prose = ["coordinator", "log:"];
        for line in [small, large].concat().lines().filter(|line| !prose.iter().any(|word| line.starts_with(word))) {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }

    #[test]
    fn serial_is_the_base_when_it_was_measured() {
        let mut runs = study();
        runs[1].start.configuration.executor = Executor::Serial;
        runs[3].start.configuration.executor = Executor::Serial;
        let rows = measured::measure(&runs, 8);
        assert_eq!(rows[1].configuration.executor, Executor::Procs);
        assert_eq!((rows[0].speedup, rows[1].speedup), (Some(1.0), Some(4.09 / 2.12)));
    }

    #[test]
    fn runs_that_ended_early_are_not_measured() {
        let mut runs = study();
        (runs[4].status, runs[4].result.as_mut().unwrap().status) = ("interrupted", RunStatus::Interrupted);
        let rows = measured::measure(&runs, 2);
        assert_eq!((rows[1].wall_s, rows[1].max_s), (Some(2.04), Some(2.04)));
        assert_eq!((rows[1].runs.as_slice(), rows[1].completed), (&[3, 5][..], 1));
    }

    #[test]
    fn a_configuration_that_never_completed_is_listed_without_speedup() {
        let mut runs = study();
        for at in [2, 4] {
            runs[at].status = "failed";
        }
        let rows = measured::measure(&runs, 2);
        assert_eq!((rows[1].wall_s, rows[1].speedup, rows[0].speedup), (Some(2.12), None, None));
        assert!(text(&runs, &[], 0).contains("2.12 s  4 %        -           -  not completed\n"));
    }

    const STUDY: &str = r"2 processes: 1.93× as fast as 1 (2 CPUs, each 92 % busy).

executor  count  wall time    ±  speedup  efficiency
procs         1     4.09 s  0 %     1.00     100.0 %
procs         2     2.12 s  4 %     1.93      96.5 %
(speedup vs 1 process; ±: the run farthest from the median)

workers, %  start  wait  transport  decode   run  encode  write  end
procs 1       0.1   0.2        0.0     0.0  97.8     0.0    0.5  1.4
procs 2       0.1   2.5        0.0     0.0  92.0     0.0    0.5  5.0

run 2: procs 1, 4.08 s
worker   pid  items  chunks     CPU     idle  peak memory
     0  4240  25000      40  4.00 s  10.0 ms      8.1 MiB

run 3: procs 2, 2.04 s
worker   pid  items  chunks     CPU     idle  peak memory
     0  4241  25000      40  2.00 s  5.00 ms      8.1 MiB
     1  4242  25000      40  1.90 s   100 ms      8.1 MiB

run 4: procs 1, 4.10 s
worker   pid  items  chunks     CPU     idle  peak memory
     0  4243  25000      40  4.00 s  10.0 ms      8.1 MiB

run 5: procs 2, 2.20 s
worker   pid  items  chunks     CPU     idle  peak memory
     0  4244  25000      40  2.00 s  5.00 ms      8.1 MiB
     1  4245  25000      40  1.90 s   100 ms      8.1 MiB

log: /log\u{1b}
";

    const DEATHS: &str = r#"2 processes: 2 CPUs, each 100 % busy.

100,000 items in 4.08 s on 2 processes (PIDs 4240, 4241, 4250).
  Details: coordinator inspect

executor  count    size  wall time  speedup  efficiency
procs         2  100000     4.08 s        -           -

workers, %    size  start  wait  transport  decode   run  encode  write  end  other
procs 2     100000    0.1   0.2        0.0     0.0  73.5     0.0    0.5  1.2   24.5

worker   pid  items  chunks     CPU     idle  peak memory  ended
     0  4240  25000      40  4.00 s  10.0 ms      8.1 MiB
     1  4241  25000      40  4.00 s        -            -  SIGKILL
     1  4250  25000      40  2.00 s  10.0 ms      8.1 MiB

12 items failed:
  in\u{202e}.txt:4:1: "x\u{1b}[31m\n": not a whole number\u{7} (PID 4242)
  item 7: "x\u{1b}[31m\n": crashed: not a whole number\u{7} (PID 4242, 3 attempts, see /log\u{1b}/run-1/worker-0-0-4242.stderr)
  … and 10 more: coordinator inspect --failures

log: /log\u{1b}
"#;

    #[test]
    fn a_single_run_is_a_line_by_default() {
        let runs = vec![run(1, 2, 4.08, vec![row(0, 4240, 0.0021, (4.0, 0.01, 0.02))])];
        let study = StudyRecord::default();
        let text = |detail, failures: &[FailureRow]| {
            let (log, failed) = (Some(Path::new("/log")), failures.len() as u64);
            Summary { runs: &runs, study: &study, failures, failed, log, hints: &["hint: x".to_owned()], detail }
                .to_text(Style::default())
        };
        let line = "hint: x\n100,000 items in 4.08 s on 2 processes (PID 4240). Details: coordinator inspect\n";
        assert_eq!(text(SummaryDetail::Line, &[]), line);
        assert_eq!(text(SummaryDetail::Failures, &[]), "");
        let mut late = failure(99);
        (late.kind, late.message, late.input) = (FailureKind::TimedOut, "ran longer than 3s".into(), b"100".to_vec());
        late.place = Some("items.txt:100:1".into());
        let failed = "1 item failed:\n  items.txt:100:1: \"100\": timed out after 3 s (PID 4242)\n";
        assert_eq!(text(SummaryDetail::Failures, &[late]), failed);
    }

    const SUMS: &str = "\
run  executor  count  PIDs  items each         CPU    idle   memory
  1  procs        32    32       25000      32.0 s  320 ms  8.1 MiB
  2  procs        64    64       25000  1 min 04 s  640 ms  8.1 MiB
(a row per PID: coordinator inspect --run K)
";
}
