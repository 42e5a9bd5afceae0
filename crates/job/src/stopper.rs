//! Stops whatever runs at the moment, and what would follow: the one thing
//! that a signal handler's thread has to hold.

use crate::input::lock;
use std::fmt;
use std::sync::{Arc, Mutex};

/// How hard to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Force {
    Polite,
    Kill,
}

type OnStop = Arc<dyn Fn(Force) + Send + Sync>;

/// Stops a study from elsewhere; cheap to clone.
#[derive(Clone, Default)]
pub struct Stopper(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    asked: Option<Force>,
    current: Option<OnStop>,
}

impl Stopper {
    /// Ends the current run's workers, politely and after a short grace by
    /// force; no other run begins.
    pub fn stop(&self) {
        self.ask(Force::Polite);
    }

    /// Ends the current run's workers by force; no other run begins.
    pub fn kill(&self) {
        self.ask(Force::Kill);
    }

    /// Whether it was used.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        lock(&self.0).asked.is_some()
    }

    fn ask(&self, force: Force) {
        let mut state = lock(&self.0);
        state.asked = state.asked.max(Some(force));
        let current = state.current.clone();
        drop(state);
        if let Some(current) = current {
            current(force);
        }
    }

    /// From now on this is what is stopped, until the guard is dropped; at once
    /// if it was asked for before.
    pub(crate) fn hold(&self, current: impl Fn(Force) + Send + Sync + 'static) -> Held {
        let current: OnStop = Arc::new(current);
        let mut state = lock(&self.0);
        state.current = Some(Arc::clone(&current));
        let asked = state.asked;
        drop(state);
        if let Some(force) = asked {
            current(force);
        }
        Held(self.clone())
    }
}

impl fmt::Debug for Stopper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stopper").field("asked", &lock(&self.0).asked).finish_non_exhaustive()
    }
}

/// Lets go of what a [`Stopper`] holds.
pub(crate) struct Held(Stopper);

impl Drop for Held {
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
            stopper.hold(move |force| tell.send((name, force)).unwrap())
        };
        drop(hold("past"));
        let current = hold("current");
        assert!(!stopper.is_stopped());
        stopper.stop();
        stopper.kill();
        drop(current);
        let _next = hold("next");
        let all: Vec<_> = told.try_iter().collect();
        assert_eq!(all, [("current", Force::Polite), ("current", Force::Kill), ("next", Force::Kill)]);
    }
}
