//! What stderr shows after the runs: the study, where time went, the
//! processes, the failed items, the log.

use crate::collector::RunSummary;
use crate::columns::{Style, shortened};
use crate::study::Configuration;
use crate::{study_table, units, worker_table};
use procession_task::{Kind, escape_terminal};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Failed items that are shown.
const MAX_FAILURES: usize = 10;
/// Columns of an input and of a message that are shown.
const SHOWN_COLUMNS: usize = 120;

/// A failed item, as the caller knows it. The texts need not be safe for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureRow {
    /// Its index in the input, from 0.
    pub item: u64,
    /// Where it stands, as in `primes.txt:3:7`.
    pub place: Option<String>,
    /// The item.
    pub input: Vec<u8>,
    /// What happened.
    pub kind: Kind,
    /// What was said about it.
    pub message: String,
    /// The process that ran it last.
    pub pid: u32,
    /// How many times it was tried.
    pub attempts: u32,
}

/// What is to be shown of a call.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a> {
    /// Its runs, warm-ups included.
    pub runs: &'a [RunSummary],
    /// Processors that the call may use.
    pub usable_cores: u32,
    /// Failed items, the first ones at least.
    pub failures: &'a [FailureRow],
    /// How many failed in all.
    pub failed: u64,
    /// The call's log.
    pub log: Option<&'a Path>,
}

impl Summary<'_> {
    /// The tables as text, safe for a terminal, each line ended.
    #[must_use]
    pub fn to_text(&self, style: Style) -> String {
        let measured = study_table::measure(self.runs, self.usable_cores);
        let mut parts = vec![study_table::table(&measured, style), study_table::shares_table(&measured, style)];
        parts.extend(self.workers(style));
        parts.push(self.failures(style));
        parts.push(
            self.log.map_or_else(String::new, |log| format!("log: {}\n", escape_terminal(log.as_os_str().as_bytes()))),
        );
        parts.retain(|part| !part.is_empty());
        parts.join("\n")
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

/// The tables of the processes: one per measured run, or their sums when there
/// are more processes than anybody reads.
pub(crate) fn workers(runs: &[RunSummary], style: Style) -> Vec<String> {
    let measured: Vec<_> = runs.iter().filter(|run| !run.start.warmup && !run.workers.is_empty()).collect();
    let rows: usize = measured.iter().map(|run| run.workers.len()).sum();
    if rows > worker_table::MAX_ROWS {
        let hint = "(a row per PID: coordinator inspect --run K)\n";
        return vec![worker_table::sums(&measured, style) + hint];
    }
    let many = runs.len() > 1;
    let of =
        |run: &&RunSummary| if many { title(run) + "\n" } else { String::new() } + &worker_table::table(run, style);
    measured.iter().map(of).collect()
}

/// As in `run 3: procs 4, size 1000, 1.43 s`.
pub(crate) fn title(run: &RunSummary) -> String {
    let Configuration { executor, count, size, chunk } = run.configuration();
    let mut title = format!("run {}: {executor} {count}", run.run);
    if let Some(size) = size {
        let _ = write!(title, ", size {size}");
    }
    if let Some(chunk) = chunk {
        let _ = write!(title, ", chunk {chunk}");
    }
    if let Some(wall_s) = run.wall_s() {
        let _ = write!(title, ", {}", units::seconds(wall_s));
    }
    if run.status != "completed" {
        let _ = write!(title, ", {}", run.status);
    }
    title
}

impl FailureRow {
    /// One line, safe for a terminal.
    fn to_line(&self) -> String {
        let place = self.place.as_ref().map_or_else(String::new, |place| format!(" at {}", safe(place.as_bytes())));
        let attempts = if self.attempts > 1 { format!(", {} attempts", self.attempts) } else { String::new() };
        let (input, message) = (safe(&self.input), safe(self.message.as_bytes()));
        format!("  item {}{place}: {input}: {}: {message} (pid {}{attempts})\n", self.item, self.kind, self.pid)
    }
}

fn safe(bytes: &[u8]) -> String {
    // Escapes make it longer, never shorter: no need to escape all of a huge item.
    let head = &bytes[..bytes.len().min(4 * SHOWN_COLUMNS)];
    shortened(&escape_terminal(head), SHOWN_COLUMNS)
}
