//! Notices when a pool goes on with fewer workers than were asked for: people
//! must hear of it, as every figure of the run is about fewer.

use procession::{Event, Observer};
use std::sync::{Arc, Mutex, PoisonError};

/// An observer that counts the places that were ever filled.
pub(crate) struct Shortage(Arc<Mutex<Seen>>);

/// What was seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    /// For each place, whether a worker in it was ever ready.
    ready: Vec<bool>,
    /// Why a worker could not be started, the last time.
    why: Option<String>,
}

impl Shortage {
    /// The observer of a run, and what it has seen.
    pub(crate) fn new() -> (Self, Places) {
        let places = Places::default();
        (Self(Arc::clone(&places.0)), places)
    }
}

impl Observer for Shortage {
    fn on_event(&mut self, event: &Event) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::RunStarted { slots } => seen.ready = vec![false; *slots as usize],
            Event::WorkerReady { worker, .. } => {
                if let Some(place) = seen.ready.get_mut(worker.slot as usize) {
                    *place = true;
                }
            }
            Event::SpawnFailed { message, .. } => seen.why = Some(message.clone()),
            _ => {}
        }
    }
}

impl Places {
    /// What to tell people, if fewer workers ran because the system gave no more.
    pub(crate) fn complaint(&self) -> Option<String> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = seen.ready.iter().filter(|ready| **ready).count();
        let why = seen.why.as_ref().filter(|_| 0 < ready && ready < seen.ready.len())?;
        Some(format!("only {ready} of {} workers could be started: {why}", seen.ready.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession::WorkerRef;
    use std::time::Duration;

    #[test]
    fn fewer_workers_than_asked_for_are_told_with_the_reason() {
        let (mut shortage, places) = Shortage::new();
        let at = Duration::ZERO;
        shortage.on_event(&Event::RunStarted { slots: 3 });
        let worker = WorkerRef { slot: 1, nth: 0, pid: 7 };
        shortage.on_event(&Event::WorkerReady { worker, host: "h".into(), at });
        assert_eq!(places.complaint(), None, "a run that ends early is no shortage");
        shortage.on_event(&Event::SpawnFailed { slot: 2, message: "no more".into(), at });
        assert_eq!(places.complaint().as_deref(), Some("only 1 of 3 workers could be started: no more"));
    }
}
