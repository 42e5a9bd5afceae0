//! Detects items whose output may be truncated. The user must know: nothing else
//! tells such a result from a complete one.

use procession::{Event, Observer};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The observer that remembers these items.
pub(super) struct CutOutputs(Arc<Mutex<BTreeSet<u64>>>);

/// The items of a run whose output may be truncated, by their indices.
#[derive(Clone, Debug, Default)]
pub(super) struct CutItems(Arc<Mutex<BTreeSet<u64>>>);

impl Observer for CutOutputs {
    fn on_event(&mut self, event: &Event) {
        if let Event::OutputCut { item, .. } = event {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(*item);
        }
    }
}

impl CutItems {
    /// The observer of a run, and what it has seen.
    pub(super) fn observe() -> (CutOutputs, Self) {
        let items = Self::default();
        (CutOutputs(Arc::clone(&items.0)), items)
    }

    /// The note for the user, if there are any.
    pub(super) fn note(&self) -> Option<String> {
        let items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = items.first()?;
        let more = if items.len() == 1 { String::new() } else { format!(" (and {} more)", items.len() - 1) };
        Some(format!(
            "item {first}{more}: a process that the program left behind was still writing after the program's exit. Reading \
             stopped after 300 ms without output, after 2 s, or after 16 MiB of standard error: the output may be truncated"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession::WorkerRef;
    use std::time::Duration;

    #[test]
    fn the_note_has_the_first_item_and_the_count() {
        let (mut outputs, items) = CutItems::observe();
        assert_eq!(items.note(), None);
        let worker = WorkerRef { slot: 1, nth: 0, pid: 7 };
        let mut tell = |item| outputs.on_event(&Event::OutputCut { worker, item, at: Duration::ZERO });
        tell(9);
        assert!(items.note().unwrap().starts_with("item 9: a process"));
        [3, 9, 7].into_iter().for_each(tell);
        assert!(items.note().unwrap().starts_with("item 3 (and 2 more): a process"));
    }
}
