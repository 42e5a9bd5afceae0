//! The observers of a backend without processes, shared by its threads.

use crate::observe::{Event, Observer};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Observers that several threads send events to.
pub(super) struct Observers(pub(super) Mutex<Vec<Box<dyn Observer>>>);

impl Observers {
    pub(super) fn tell(&self, event: &Event) {
        let mut observers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for observer in observers.iter_mut() {
            observer.on_event(event);
            observer.flush();
        }
    }
}

/// Time since the backend's creation.
pub(super) fn since(epoch_ns: u64) -> Duration {
    Duration::from_nanos(procession_sys::running_ns().saturating_sub(epoch_ns))
}
