//! `--verbose`: a live line per item, `Task <pid 4242, worker 1> 2 1.41…`.
//!
//! Workers format the lines; here they are only handed to a thread that prints
//! them, whole. A standard error that nobody reads can't hold up a run for
//! ever: see [`crate::Terminal`] and the queue's patience.

use crate::queue::{Consume, Queue, Weigh};
use crate::terminal::Terminal;
use bytes::Bytes;
use procession::{Event, Observer, WorkerRef};
use procession_task::{Failure, LOGGED_BYTES, escape_terminal};
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Lines that wait to be printed, in bytes, before the driver waits too.
const QUEUE_BYTES: usize = 16 << 20;
/// How long standard error may take nothing at all before live lines end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Prints each item's line: give it to the pool as an observer.
///
/// It blocks the driver in one case only: more than 16 MiB wait for standard
/// error. Then it waits while that takes anything; when it takes nothing for 5
/// seconds, the live lines end and the run goes on.
pub struct Verbose {
    queue: Arc<Queue<Bytes>>,
    batch: Vec<Bytes>,
}

/// The other end of a [`Verbose`].
pub struct VerboseLines {
    queue: Arc<Queue<Bytes>>,
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
    /// The observer of a run, and what waits for its last line.
    ///
    /// # Errors
    /// The thread that prints can't be started.
    pub fn start(terminal: &Terminal) -> io::Result<(Self, VerboseLines)> {
        Self::with_patience(terminal, PATIENCE)
    }

    fn with_patience(terminal: &Terminal, patience: Duration) -> io::Result<(Self, VerboseLines)> {
        let queue = Arc::new(Queue::new(QUEUE_BYTES, patience));
        let mut printer = Printer { terminal: terminal.clone(), lines: Vec::new() };
        let lines = Arc::clone(&queue);
        thread::Builder::new().name("verbose".to_owned()).spawn(move || lines.consume(&mut printer))?;
        let waiting = VerboseLines { queue: Arc::clone(&queue), terminal: terminal.clone() };
        Ok((Self { queue, batch: Vec::new() }, waiting))
    }
}

impl Observer for Verbose {
    fn on_event(&mut self, event: &Event) {
        match event {
            Event::Accepted(part) if !part.shown.is_empty() => self.batch.push(part.shown.clone()),
            Event::ItemLost { worker, input, failure, .. } => {
                self.batch.push(lost_line(*worker, input, failure).into_bytes().into());
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

impl Drop for Verbose {
    fn drop(&mut self) {
        self.flush();
    }
}

impl VerboseLines {
    /// Waits until every line is printed. Call it when the observer has seen
    /// the run's last event (and was flushed or dropped).
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

/// The line of an item whose process died, as a worker would have written it.
fn lost_line(worker: WorkerRef, input: &[u8], failure: &Failure) -> String {
    let input = escape_terminal(&input[..input.len().min(LOGGED_BYTES)]);
    let failure = escape_terminal(failure.to_string().as_bytes());
    format!("Task <pid {}, worker {}> {input} {failure}\n", worker.pid, worker.slot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{accepted, lost, who};
    use crate::terminal::tests::Paper;
    use procession::Accepted;
    use procession_task::FailureKind;

    #[test]
    fn every_line_is_printed_whole_and_in_order() {
        let paper = Paper::default();
        let (mut verbose, lines) = Verbose::start(&Terminal::new(Box::new(paper.clone()))).unwrap();
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
        drop(verbose);
        lines.finish();
        assert_eq!(paper.text(), expected);
    }
}
