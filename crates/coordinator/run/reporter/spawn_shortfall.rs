//! Detects that a pool runs with fewer workers than were asked for. The user must
//! know: every measurement of the run is of fewer workers.

use procession::{Event, Observer};
use std::sync::{Arc, Mutex, PoisonError};

/// The observer that counts the slots in which a worker was ready.
pub(super) struct ShortfallObserver(Arc<Mutex<Slots>>);

/// What the observer has seen.
#[derive(Clone, Debug, Default)]
pub(super) struct SpawnShortfall(Arc<Mutex<Slots>>);

#[derive(Debug, Default)]
struct Slots {
    /// For each slot, whether a worker was ever ready in it.
    ready: Vec<bool>,
    /// The last reason why a worker could not be started.
    why: Option<String>,
}

impl Observer for ShortfallObserver {
    fn on_event(&mut self, event: &Event) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::RunStarted { slots: count } => slots.ready = vec![false; *count as usize],
            Event::WorkerReady { worker, .. } => {
                if let Some(place) = slots.ready.get_mut(worker.slot as usize) {
                    *place = true;
                }
            }
            Event::SpawnFailed { message, .. } => slots.why = Some(message.clone()),
            _ => {}
        }
    }
}

impl SpawnShortfall {
    /// The observer of a run, and what it has seen.
    pub(super) fn observe() -> (ShortfallObserver, Self) {
        let shortfall = Self::default();
        (ShortfallObserver(Arc::clone(&shortfall.0)), shortfall)
    }

    /// The warning, if fewer workers ran because no more could be started.
    pub(super) fn complaint(&self) -> Option<String> {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = slots.ready.iter().filter(|ready| **ready).count();
        let why = slots.why.as_ref().filter(|_| 0 < ready && ready < slots.ready.len())?;
        Some(format!("only {ready} of {} workers could be started: {why}", slots.ready.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession::WorkerRef;
    use std::time::Duration;

    #[test]
    fn the_warning_has_the_number_of_workers_and_the_reason() {
        let (mut observer, shortfall) = SpawnShortfall::observe();
        let at = Duration::ZERO;
        observer.on_event(&Event::RunStarted { slots: 3 });
        let worker = WorkerRef { slot: 1, nth: 0, pid: 7 };
        observer.on_event(&Event::WorkerReady { worker, host: "h".into(), at });
        assert_eq!(shortfall.complaint(), None, "a run that ends early has no shortfall");
        observer.on_event(&Event::SpawnFailed { slot: 2, message: "no more".into(), is_temporary: true, at });
        assert_eq!(shortfall.complaint().as_deref(), Some("only 1 of 3 workers could be started: no more"));
    }
}
