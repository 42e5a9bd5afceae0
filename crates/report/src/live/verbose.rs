//! `--verbose`: a live line per item, `Task <pid 4242, worker 1> 2 1.41…`, and if
//! asked for one per line that a worker prints, `Printed <pid 4242, worker 1> text`.
//!
//! Workers format the lines. The observer passes them to a thread that prints
//! whole lines. A standard error that nobody reads delays a run for at most 5 s.

use crate::background::budget::Budget;
use crate::background::queue::{Consume, Weigh, WriterQueue};
use crate::live::terminal::Terminal;
use bytes::Bytes;
use procession::{Event, Observer, WorkerRef};
use procession_sys::start_thread;
use procession_task::{Failure, LOGGED_BYTES, escape_terminal};
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// After this time without a successful write to standard error live lines end.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much of a printed line is shown, in bytes.
const PRINTED_BYTES: usize = 4096;

/// The observer that prints a line for each item.
///
/// It blocks the driver only if more than 16 MiB are queued, here and in other queues. It then waits as long
/// as standard error accepts data. If standard error accepts nothing for 5 s, live
/// lines end and the run continues.
pub struct Verbose {
    queue: Arc<WriterQueue<Bytes>>,
    batch: Vec<Bytes>,
    /// For each process the beginning of the line that has not ended; `None` if
    /// printed lines are not shown.
    printed: Option<HashMap<WorkerRef, Vec<u8>>>,
}

/// The printing side of a [`Verbose`].
pub struct VerboseLines {
    queue: Arc<WriterQueue<Bytes>>,
    terminal: Terminal,
}

impl Weigh for Bytes {
    fn weight(&self) -> usize {
        size_of::<Self>() + self.len()
    }
}

struct Printer {
    terminal: Terminal,
    /// Lines that are printed together.
    lines: Vec<u8>,
}

impl Consume<Bytes> for Printer {
    fn take(&mut self, lines: Bytes) {
        self.lines.extend_from_slice(&lines);
        if self.lines.len() >= 64 << 10 {
            self.idle();
        }
    }

    fn idle(&mut self) {
        if !self.lines.is_empty() {
            self.terminal.print_lines(&self.lines);
            self.lines.clear();
        }
    }
}

impl Verbose {
    /// Starts printing for a run: returns the observer for the pool, and a handle that
    /// waits for the last line. `shows_printed`: also the lines that workers print.
    ///
    /// # Errors
    /// The thread that prints can't be started.
    pub fn start(terminal: &Terminal, shows_printed: bool) -> io::Result<(Self, VerboseLines)> {
        let queue = Arc::new(WriterQueue::new(Budget::of_process(), PATIENCE));
        let mut printer = Printer { terminal: terminal.clone(), lines: Vec::new() };
        let lines = Arc::clone(&queue);
        start_thread("verbose", None, move || lines.consume(&mut printer))?;
        let waiting = VerboseLines { queue: Arc::clone(&queue), terminal: terminal.clone() };
        Ok((Self { queue, batch: Vec::new(), printed: shows_printed.then(HashMap::new) }, waiting))
    }
}

impl Observer for Verbose {
    fn on_event(&mut self, event: &Event) {
        match event {
            Event::Accepted(part) if !part.shown.is_empty() => self.batch.push(self.queue.own(&part.shown)),
            Event::ItemLost { worker, input, failure, .. } => {
                self.batch.push(lost_line(*worker, input, failure).into_bytes().into());
            }
            Event::Stderr { worker, bytes } => self.push_printed(*worker, bytes),
            Event::WorkerExited(exit) => {
                let rest = self.printed.as_mut().and_then(|printed| printed.remove(&exit.worker));
                if let Some(line) = rest.filter(|line| !line.is_empty()) {
                    self.batch.push(printed_line(exit.worker, &line));
                }
            }
            _ => {}
        }
    }

    fn flush(&mut self) {
        if !self.batch.is_empty() {
            self.queue.push(&mut self.batch);
        }
    }
}

impl Verbose {
    /// Takes what a worker has printed. Of a very long line only the beginning is
    /// shown.
    fn push_printed(&mut self, worker: WorkerRef, bytes: &[u8]) {
        let Some(printed) = &mut self.printed else { return };
        let line = printed.entry(worker).or_default();
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            let text = part.strip_suffix(b"\n").unwrap_or(part);
            line.extend_from_slice(&text[..text.len().min(PRINTED_BYTES.saturating_sub(line.len()))]);
            if text.len() < part.len() {
                self.batch.push(printed_line(worker, line));
                line.clear();
            }
        }
    }
}

impl Drop for Verbose {
    fn drop(&mut self) {
        self.flush();
    }
}

impl VerboseLines {
    /// Waits until all lines are printed. Call it when the observer has received the
    /// run's last event and was flushed or dropped.
    pub fn finish(self) {
        self.queue.close();
        if !self.queue.wait_for_writer() {
            self.terminal.println("(live lines are missing: standard error was not read)");
        }
    }
}

impl Drop for VerboseLines {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// A line that a worker has printed.
fn printed_line(worker: WorkerRef, line: &[u8]) -> Bytes {
    format!("Printed <pid {}, worker {}> {}\n", worker.pid, worker.slot, escape_terminal(line)).into()
}

/// The line of an item whose process died, in the format of workers.
fn lost_line(worker: WorkerRef, input: &[u8], failure: &Failure) -> String {
    let input = escape_terminal(&input[..input.len().min(LOGGED_BYTES)]);
    let failure = escape_terminal(failure.to_string().as_bytes());
    format!("Task <pid {}, worker {}> {input} {failure}\n", worker.pid, worker.slot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::terminal::tests::Paper;
    use crate::samples::{accepted, exit, lost, who};
    use procession::{Accepted, Exit};
    use procession_task::FailureKind;

    #[test]
    fn every_line_is_printed_whole_and_in_order() {
        let paper = Paper::default();
        let (mut verbose, lines) = Verbose::start(&Terminal::new(Box::new(paper.clone())), false).unwrap();
        let mut expected = String::new();
        for at in 0..500_u64 {
            let shown = format!("Task <pid 1, worker 0> {at} {at}\nTask <pid 1, worker 0> b{at} x\n");
            expected += &shown;
            let part = Accepted { shown: shown.into(), ..accepted(who(0, 0, 1), at, at, 1) };
            verbose.on_event(&Event::Accepted(part));
            verbose.flush();
        }
        verbose.on_event(&lost(
            who(1, 0, 42),
            1,
            4,
            b"p\x1b[2J",
            Failure::new(FailureKind::Crashed, "by \u{202e}SIGKILL"),
        ));
        expected += "Task <pid 42, worker 1> p\\u{1b}[2J crashed: by \\u{202e}SIGKILL\n";
        verbose.on_event(&Event::Stderr { worker: who(0, 0, 1), bytes: "not shown\n".into() });
        drop(verbose);
        lines.finish();
        assert_eq!(paper.text(), expected);
    }

    #[test]
    fn printed_lines_are_whole_and_have_their_process() {
        let paper = Paper::default();
        let (mut verbose, lines) = Verbose::start(&Terminal::new(Box::new(paper.clone())), true).unwrap();
        let (one, other) = (who(0, 0, 4), who(1, 0, 5));
        for (worker, text) in [(one, "a\nlong "), (other, "\x1b[2J\n"), (one, "line\n\nrest")] {
            verbose.on_event(&Event::Stderr { worker, bytes: text.into() });
        }
        verbose.on_event(&Event::Stderr { worker: other, bytes: vec![b'x'; 5000].into() });
        verbose.on_event(&Event::WorkerExited(exit(0, 0, 4, Exit::Status(0))));
        verbose.on_event(&Event::WorkerExited(exit(1, 0, 5, Exit::Status(0))));
        drop(verbose);
        lines.finish();
        let expected = "Printed <pid 4, worker 0> a\nPrinted <pid 5, worker 1> \\u{1b}[2J\n\
                        Printed <pid 4, worker 0> long line\nPrinted <pid 4, worker 0> \n\
                        Printed <pid 4, worker 0> rest\n";
        assert_eq!(paper.text(), format!("{expected}Printed <pid 5, worker 1> {}\n", "x".repeat(4096)));
    }
}
