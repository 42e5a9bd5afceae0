//! Stops or pauses the current run and those that would follow. The thread that
//! handles signals holds it.

use crate::mutex::lock;
use procession::raw::{Control, Request};
use std::fmt;
use std::sync::{Arc, Mutex};

/// Stops a study from another thread; cheap to clone.
#[derive(Clone, Default)]
pub struct Stopper(Arc<Mutex<StopperState>>);

#[derive(Default)]
struct StopperState {
    /// The last request that also applies to a run that is about to begin.
    asked: Option<Request>,
    current: Option<Control>,
}

impl Stopper {
    /// Passes the request on to the current run; returns when the run has answered
    /// it as [`Control::ask`] does. After a stop or a kill no other run begins.
    pub fn ask(&self, request: Request) {
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
            current.ask(request);
        }
    }

    /// Whether a stop or kill was requested.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        matches!(lock(&self.0).asked, Some(Request::Stop | Request::Kill))
    }

    /// From now on, requests go to `current`, until the guard is dropped. A
    /// request made before applies at once.
    pub(crate) fn hold(&self, current: Control) -> StopGuard {
        let mut state = lock(&self.0);
        state.current = Some(current.clone());
        let asked = state.asked;
        drop(state);
        if let Some(request) = asked {
            current.ask(request);
        }
        StopGuard(self.clone())
    }
}

impl fmt::Debug for Stopper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stopper").field("asked", &lock(&self.0).asked).finish_non_exhaustive()
    }
}

/// Ends the registration with a [`Stopper`].
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
    fn requests_apply_to_the_current_run_and_to_later_ones() {
        let stopper = Stopper::default();
        let (sender, receiver) = mpsc::channel();
        let hold = |name: &'static str| {
            let sender = sender.clone();
            stopper.hold(Control::new(move |request| sender.send((name, request)).unwrap()))
        };
        drop(hold("past"));
        stopper.ask(Request::Pause);
        let current = hold("current");
        stopper.ask(Request::Resume);
        assert!(!stopper.is_stopped());
        stopper.ask(Request::Stop);
        stopper.ask(Request::Kill);
        drop(current);
        stopper.ask(Request::Pause);
        let _next = hold("next");
        assert!(stopper.is_stopped());
        let all: Vec<_> = receiver.try_iter().collect();
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
