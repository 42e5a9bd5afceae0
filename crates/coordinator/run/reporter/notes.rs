//! Prints warnings, the notes that workers send, and a note of a lack of processes.

use procession::{Event, Observer};
use procession_report::{Terminal, Warn};
use procession_task::escape_terminal;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;

/// The maximum number of notes of a run.
const MAX_NOTES: usize = 10;

/// Prints each note once, even if several workers send it.
pub(super) struct NotesObserver {
    terminal: Terminal,
    shown: BTreeSet<String>,
    told_lack: bool,
}

impl NotesObserver {
    pub(super) fn new(terminal: &Terminal) -> Self {
        Self { terminal: terminal.clone(), shown: BTreeSet::new(), told_lack: false }
    }

    /// Whether the note is printed.
    fn is_news(&mut self, text: &str) -> bool {
        self.shown.len() < MAX_NOTES && self.shown.insert(text.to_owned())
    }

    /// Prints a note; returns whether it could. On a thread, as the terminal may block
    /// and the run must not.
    fn print(&self, text: &str) -> bool {
        let (terminal, line) = (self.terminal.clone(), format!("note: {text}"));
        thread::Builder::new().name("note".to_owned()).spawn(move || terminal.println(&line)).is_ok()
    }
}

impl Observer for NotesObserver {
    fn on_event(&mut self, event: &Event) {
        match event {
            Event::Note { text, .. } if self.is_news(text) => {
                // If no thread can be started, the note is dropped.
                let _ = self.print(text);
            }
            // Where no process can be started there may be no thread either: the next
            // such event tries again.
            Event::SpawnFailed { message, is_temporary: true, .. } if !self.told_lack => {
                let why = escape_terminal(message.as_bytes());
                self.told_lack = self.print(&format!("a worker cannot be started now, and is tried again: {why}"));
            }
            _ => {}
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
        let mut notes = NotesObserver::new(&Terminal::stderr());
        assert!(notes.is_news("a") && !notes.is_news("a"));
        let shown = (0..100).filter(|n| notes.is_news(&n.to_string())).count();
        assert_eq!(shown, MAX_NOTES - 1);
    }
}
