//! What workers have to say to the person who waits, shown as it comes.

use procession::{Event, Observer};
use procession_report::{Terminal, Warn};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;

/// So many are shown of a run: more would help nobody.
const MOST: usize = 10;

/// Shows each note once, whichever worker has it.
pub(super) struct NotesObserver {
    terminal: Terminal,
    shown: BTreeSet<String>,
}

impl NotesObserver {
    pub(super) fn new(terminal: &Terminal) -> Self {
        Self { terminal: terminal.clone(), shown: BTreeSet::new() }
    }

    /// Whether this is to be shown.
    fn is_news(&mut self, text: &str) -> bool {
        self.shown.len() < MOST && self.shown.insert(text.to_owned())
    }
}

impl Observer for NotesObserver {
    fn on_event(&mut self, event: &Event) {
        if let Event::Note { text, .. } = event
            && self.is_news(text)
        {
            let (terminal, line) = (self.terminal.clone(), format!("note: {text}"));
            // Aside: nobody may read it, and the run goes on all the same. Where
            // there is no thread to be had there is no note.
            let _ = thread::Builder::new().name("note".to_owned()).spawn(move || terminal.println(&line));
        }
    }
}

/// What writes warnings for people, unless they want none.
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
    fn each_is_shown_once_and_not_without_end() {
        let mut notes = NotesObserver::new(&Terminal::stderr());
        assert!(notes.is_news("a") && !notes.is_news("a"));
        let shown = (0..100).filter(|n| notes.is_news(&n.to_string())).count();
        assert_eq!(shown, MOST - 1);
    }
}
