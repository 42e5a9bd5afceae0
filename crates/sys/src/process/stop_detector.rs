//! Detects that a child is stopped: by SIGSTOP, or because it wanted to use a
//! terminal. Its parent receives no event that a poll could wait for, so the child is
//! looked at now and then.

use super::exit::stopped_by;
use crate::clock::running_ns;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::time::Duration;

/// A child counts as stopped after this much time, in nanoseconds, in which the caller
/// itself was running. Whoever stops all processes of a run needs some time to
/// continue all of them.
const STOPPED_NS: u64 = 1_000_000_000;

/// The state of a child, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    Running,
    /// It has been stopped for this many nanoseconds.
    Stopped(u64),
    Reported,
}

/// Detects that a child is stopped. Reports each stop once.
#[derive(Debug)]
pub struct StopDetector {
    sight: Sight,
    looked_ns: u64,
}

impl Default for StopDetector {
    fn default() -> Self {
        Self { sight: Sight::Running, looked_ns: running_ns() }
    }
}

impl StopDetector {
    /// The longest wait between two calls of the functions that look at a child.
    pub const LOOK_EVERY: Duration = Duration::from_millis(250);
    const LOOK_NS: u64 = 250_000_000;

    /// Looks at the child, if it is time to. Returns the signal that stopped it once
    /// the child has been stopped for 1 s in which this process was running.
    pub(super) fn look(&mut self, pid: Pid) -> Option<Signal> {
        let now_ns = running_ns();
        if now_ns.saturating_sub(self.looked_ns) < Self::LOOK_NS {
            return None;
        }
        self.note(stopped_by(pid), now_ns)
    }

    /// Notes what was seen at this time.
    fn note(&mut self, signal: Option<Signal>, now_ns: u64) -> Option<Signal> {
        // A longer time means that this process did not run.
        let passed_ns = now_ns.saturating_sub(self.looked_ns).min(Self::LOOK_NS);
        self.looked_ns = now_ns;
        let Some(signal) = signal else {
            self.sight = Sight::Running;
            return None;
        };
        let stopped_ns = match self.sight {
            Sight::Running => 0,
            Sight::Stopped(ns) => ns + passed_ns,
            Sight::Reported => return None,
        };
        let is_news = stopped_ns >= STOPPED_NS;
        self.sight = if is_news { Sight::Reported } else { Sight::Stopped(stopped_ns) };
        is_news.then_some(signal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn detector() -> StopDetector {
        StopDetector { sight: Sight::Running, looked_ns: 0 }
    }

    #[test]
    fn each_stop_is_reported_once_after_a_second() {
        let mut detector = detector();
        let stop = Some(Signal::SIGTTIN);
        for second in [0_u64, 10] {
            let at = |ms| (second * 1000 + ms) * MS;
            for ms in [250, 500, 750, 1000] {
                assert_eq!(detector.note(stop, at(ms)), None, "{ms}");
            }
            assert_eq!(detector.note(stop, at(1250)), stop);
            assert_eq!(detector.note(stop, at(1500)), None);
            assert_eq!(detector.note(None, at(1750)), None);
        }
    }

    #[test]
    fn time_in_which_this_process_did_not_run_does_not_count() {
        let mut detector = detector();
        let stop = Some(Signal::SIGSTOP);
        for second in [1_u64, 10, 100, 1000] {
            assert_eq!(detector.note(stop, second * 1000 * MS), None, "{second}");
        }
        assert_eq!(detector.note(stop, 10_000_000 * MS), stop);
    }
}
