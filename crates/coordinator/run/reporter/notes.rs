//! Prints warnings, the notes that workers send, and a note of a lack of processes.

use procession::{Event, Observer};
use procession_report::{Terminal, Warn};
use procession_task::escape_terminal;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The maximum number of notes of a run.
const MAX_NOTES: usize = 10;

/// The notes and warnings that a call has printed.
#[derive(Clone, Debug, Default)]
pub(super) struct PrintedNotes(Arc<Mutex<BTreeSet<String>>>);

impl PrintedNotes {
    /// Whether this text was not told before; from now on it was.
    pub(super) fn is_news(&self, text: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned())
    }
}

/// Prints each note of workers once in a call, even if several workers of several runs
/// send it. With --quiet it prints only those that are warnings.
pub(super) struct NotesObserver {
    terminal: Terminal,
    quiet: bool,
    told: PrintedNotes,
    /// The notes of this run.
    count: usize,
    /// The lines that are not printed yet.
    waiting: Vec<String>,
    told_lack: bool,
}

impl NotesObserver {
    pub(super) fn new(terminal: &Terminal, told: &PrintedNotes, quiet: bool) -> Self {
        let (terminal, told) = (terminal.clone(), told.clone());
        Self { terminal, quiet, told, count: 0, waiting: Vec::new(), told_lack: false }
    }

    /// Prints the lines that wait, on a thread: the terminal may block, and the run
    /// must not. If no thread can be started, they wait for the next event: a note may
    /// be about that very shortage.
    fn print(&mut self) {
        let (terminal, lines) = (self.terminal.clone(), self.waiting.clone());
        let print = move || lines.iter().for_each(|line| terminal.println(line));
        if thread::Builder::new().name("note".to_owned()).spawn(print).is_ok() {
            self.waiting.clear();
        }
    }

    /// Whether the note is printed.
    fn is_news(&mut self, text: &str) -> bool {
        let is_news = self.count < MAX_NOTES && self.told.is_news(text);
        self.count += usize::from(is_news);
        is_news
    }
}

impl Observer for NotesObserver {
    fn on_event(&mut self, event: &Event) {
        match event {
            Event::Note { text, is_warning: true, .. } if self.is_news(text) => {
                self.waiting.push(format!("warning: {text}"));
            }
            Event::Note { text, is_warning: false, .. } if !self.quiet && self.is_news(text) => {
                self.waiting.push(format!("note: {text}"));
            }
            Event::SpawnFailed { message, is_temporary: true, .. } if !self.quiet && !self.told_lack => {
                let why = escape_terminal(message.as_bytes());
                self.waiting.push(format!("note: a worker cannot be started now, and is tried again: {why}"));
                self.told_lack = true;
            }
            _ => {}
        }
        if !self.waiting.is_empty() {
            self.print();
        }
    }
}

/// Prints warnings, unless `quiet`.
pub(super) fn warner(terminal: &Terminal, quiet: bool) -> Warn {
    let terminal = terminal.clone();
    Arc::new(move |text| {
        if !quiet {
            terminal.println(&format!("warning: {text}"));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_note_is_printed_once_and_their_number_is_limited() {
        let mut notes = NotesObserver::new(&Terminal::stderr(), &PrintedNotes::default(), false);
        assert!(notes.is_news("a") && !notes.is_news("a"));
        let shown = (0..100).filter(|n| notes.is_news(&n.to_string())).count();
        assert_eq!(shown, MAX_NOTES - 1);
    }
}
