//! Stops or pauses the current run and those that would follow. The thread that
//! handles signals holds it.

use crate::mutex::lock;
use procession::raw::Request;
use std::fmt;
use std::sync::{Arc, Mutex};

type OnRequest = Arc<dyn Fn(Request) + Send + Sync>;

/// Stops a study from another thread; cheap to clone.
#[derive(Clone, Default)]
pub struct Stopper(Arc<Mutex<StopperState>>);

#[derive(Default)]
struct StopperState {
    /// The last request that also applies to a run that is about to begin.
    asked: Option<Request>,
    current: Option<OnRequest>,
}

impl Stopper {
    /// Stops the current run: workers are asked to end and killed after a grace
    /// period. No other run begins.
    pub fn stop(&self) {
        self.ask(Request::Stop);
    }

    /// Kills the current run's workers. No other run begins.
    pub fn kill(&self) {
        self.ask(Request::Kill);
    }

    /// Suspends the current run's workers and its clock; returns when they are
    /// suspended.
    pub fn pause(&self) {
        self.ask(Request::Pause);
    }

    /// Resumes them.
    pub fn resume(&self) {
        self.ask(Request::Resume);
    }

    /// Whether a stop or kill was requested.
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

    /// From now on, requests go to `current`, until the guard is dropped. A
    /// request made before applies at once.
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
            stopper.hold(move |request| sender.send((name, request)).unwrap())
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
