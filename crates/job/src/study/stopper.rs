//! Stops or pauses whatever runs at the moment, and what would follow: the one
//! thing that a signal handler's thread has to hold.

use crate::mutex::lock;
use procession::raw::Request;
use std::fmt;
use std::sync::{Arc, Mutex};

type OnRequest = Arc<dyn Fn(Request) + Send + Sync>;

/// Stops a study from elsewhere; cheap to clone.
#[derive(Clone, Default)]
pub struct Stopper(Arc<Mutex<StopperState>>);

#[derive(Default)]
struct StopperState {
    /// What still holds for a run that is about to begin.
    asked: Option<Request>,
    current: Option<OnRequest>,
}

impl Stopper {
    /// Ends the current run's workers, politely and after a short grace by
    /// force; no other run begins.
    pub fn stop(&self) {
        self.ask(Request::Stop);
    }

    /// Ends the current run's workers by force; no other run begins.
    pub fn kill(&self) {
        self.ask(Request::Kill);
    }

    /// Holds the current run's workers and its clock; returns when they are held.
    pub fn pause(&self) {
        self.ask(Request::Pause);
    }

    /// Lets them go on.
    pub fn resume(&self) {
        self.ask(Request::Resume);
    }

    /// Whether it was used to end something.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        matches!(lock(&self.0).asked, Some(Request::Stop | Request::Kill))
    }

    fn ask(&self, request: Request) {
        let mut state = lock(&self.0);
        state.asked = match (state.asked, request) {
            (Some(Request::Kill), _) | (_, Request::Kill) => Some(Request::Kill),
            (Some(Request::Stop), _) | (_, Request::Stop) => Some(Request::Stop),
            (_, Request::Pause) => Some(Request::Pause),
            (_, Request::Resume) => None,
        };
        let current = state.current.clone();
        drop(state);
        if let Some(current) = current {
            current(request);
        }
    }

    /// From now on this is what is stopped, until the guard is dropped; at once
    /// if it was asked for before.
    pub(crate) fn hold(&self, current: impl Fn(Request) + Send + Sync + 'static) -> StopGuard {
        let current: OnRequest = Arc::new(current);
        let mut state = lock(&self.0);
        state.current = Some(Arc::clone(&current));
        let asked = state.asked;
        drop(state);
        if let Some(request) = asked {
            current(request);
        }
        StopGuard(self.clone())
    }
}

impl fmt::Debug for Stopper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stopper").field("asked", &lock(&self.0).asked).finish_non_exhaustive()
    }
}

/// Lets go of what a [`Stopper`] holds.
pub(crate) struct StopGuard(Stopper);

impl Drop for StopGuard {
    fn drop(&mut self) {
        lock(&self.0.0).current = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn it_stops_what_is_held_now_and_what_comes() {
        let stopper = Stopper::default();
        let (tell, told) = mpsc::channel();
        let hold = |name: &'static str| {
            let tell = tell.clone();
            stopper.hold(move |request| tell.send((name, request)).unwrap())
        };
        drop(hold("past"));
        stopper.pause();
        let current = hold("current");
        stopper.resume();
        assert!(!stopper.is_stopped());
        stopper.stop();
        stopper.kill();
        drop(current);
        stopper.pause();
        let _next = hold("next");
        assert!(stopper.is_stopped());
        let all: Vec<_> = told.try_iter().collect();
        let expected = [
            ("current", Request::Pause),
            ("current", Request::Resume),
            ("current", Request::Stop),
            ("current", Request::Kill),
            ("next", Request::Kill),
        ];
        assert_eq!(all, expected);
    }
}
