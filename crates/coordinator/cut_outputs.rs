//! Notices items whose output may be cut: people must hear of it, as nothing
//! else tells such a result from a whole one.

use procession::{Event, Observer};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// An observer that remembers those items.
pub(crate) struct CutOutputs(Arc<Mutex<BTreeSet<u64>>>);

/// The items of a run whose output may be cut, by their indices.
#[derive(Clone, Debug, Default)]
pub(crate) struct CutItems(Arc<Mutex<BTreeSet<u64>>>);

impl CutOutputs {
    /// The observer of a run, and what it has seen.
    pub(crate) fn new() -> (Self, CutItems) {
        let items = CutItems::default();
        (Self(Arc::clone(&items.0)), items)
    }
}

impl Observer for CutOutputs {
    fn on_event(&mut self, event: &Event) {
        if let Event::OutputCut { item, .. } = event {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(*item);
        }
    }
}

impl CutItems {
    /// What to tell people, if there are any.
    pub(crate) fn note(&self) -> Option<String> {
        let items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = items.first()?;
        let more = if items.len() == 1 { String::new() } else { format!(" (and {} more)", items.len() - 1) };
        Some(format!(
            "item {first}{more}: something that the program left behind was still writing after its exit, and was \
             heard no longer than until 300 ms of silence, or 2 s or 16 MiB of errors in all: the output may be cut"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession::WorkerRef;
    use std::time::Duration;

    #[test]
    fn the_first_is_named_and_each_is_counted_once() {
        let (mut outputs, items) = CutOutputs::new();
        assert_eq!(items.note(), None);
        let worker = WorkerRef { slot: 1, nth: 0, pid: 7 };
        let mut tell = |item| outputs.on_event(&Event::OutputCut { worker, item, at: Duration::ZERO });
        tell(9);
        assert!(items.note().unwrap().starts_with("item 9: something"));
        [3, 9, 7].into_iter().for_each(tell);
        assert!(items.note().unwrap().starts_with("item 3 (and 2 more): something"));
    }
}
