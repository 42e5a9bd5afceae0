//! The run's clock. It excludes pauses of the run, so that no deadline passes
//! during a pause and no table counts it.
//!
//! The clock for deadlines also excludes time in which this process was ready to
//! run but did not: stopped by SIGSTOP, frozen with its container, or on an
//! overloaded machine. In such a time the driver could read nothing, and workers
//! that were frozen as well could send nothing.

use procession_sys::monotonic_ns;
use std::time::Duration;

/// A driver whose sleep ends later than this did not run. Well above the delays of
/// a busy machine.
const OVERSLEPT: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// The run's start on the host's clock, moved forward by the pauses.
    epoch_ns: u64,
    state: ClockState,
    /// How long this process was ready to run but did not.
    lost: Duration,
    /// When this process last ran for certain, on the host's clock.
    awake_ns: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClockState {
    Running,
    /// Since this time on the host's clock.
    Paused(u64),
}

impl Clock {
    /// A clock that starts now.
    pub(crate) fn start() -> Self {
        Self::start_at(monotonic_ns())
    }

    /// A clock that started at this time on the host's clock.
    pub(crate) fn start_at(ns: u64) -> Self {
        Self { epoch_ns: ns, state: ClockState::Running, lost: Duration::ZERO, awake_ns: ns }
    }

    /// The run's start on the host's clock, as if there had been no pause.
    pub(crate) fn epoch_ns(&self) -> u64 {
        self.epoch_ns
    }

    /// Time since the run's start.
    pub(crate) fn now(&self) -> Duration {
        self.at(monotonic_ns())
    }

    /// The time by which deadlines are set and evaluated.
    pub(crate) fn deadline_now(&self) -> Duration {
        self.now().saturating_sub(self.lost)
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.state != ClockState::Running
    }

    pub(crate) fn pause(&mut self) {
        self.pause_at(monotonic_ns());
    }

    pub(crate) fn resume(&mut self) {
        self.resume_at(monotonic_ns());
    }

    /// Notes that this process is about to sleep. The time until now was its own
    /// work, however long that took, and is not lost time.
    pub(crate) fn note_asleep(&mut self) {
        self.awake_ns = monotonic_ns();
    }

    /// Notes that this process runs again after a sleep of at most `asleep`;
    /// `None`: without limit.
    pub(crate) fn note_awake(&mut self, asleep: Option<Duration>) {
        self.note_awake_at(monotonic_ns(), asleep);
    }

    fn at(&self, ns: u64) -> Duration {
        let now = match self.state {
            ClockState::Running => ns,
            ClockState::Paused(since) => since,
        };
        Duration::from_nanos(now.saturating_sub(self.epoch_ns))
    }

    fn pause_at(&mut self, ns: u64) {
        if self.state == ClockState::Running {
            self.state = ClockState::Paused(ns);
        }
    }

    fn resume_at(&mut self, ns: u64) {
        if let ClockState::Paused(since) = self.state {
            self.epoch_ns += ns.saturating_sub(since);
            self.awake_ns = ns;
            self.state = ClockState::Running;
        }
    }

    fn note_awake_at(&mut self, ns: u64, asleep: Option<Duration>) {
        let away = Duration::from_nanos(ns.saturating_sub(self.awake_ns));
        self.awake_ns = ns;
        let (ClockState::Running, Some(asleep)) = (self.state, asleep) else { return };
        if away > asleep + OVERSLEPT {
            self.lost += away - asleep;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn secs(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    #[test]
    fn a_pause_is_no_time() {
        let mut clock = Clock::start_at(5 * SECOND);
        clock.pause_at(7 * SECOND);
        clock.pause_at(8 * SECOND);
        assert!(clock.is_paused());
        assert_eq!(clock.at(100 * SECOND), secs(2));
        clock.resume_at(107 * SECOND);
        clock.resume_at(108 * SECOND);
        assert_eq!((clock.at(107 * SECOND), clock.epoch_ns()), (secs(2), 105 * SECOND));
        clock.note_awake_at(107 * SECOND, Some(Duration::ZERO));
        assert_eq!(clock.lost, Duration::ZERO, "the pause is told once");
    }

    #[test]
    fn who_did_not_run_lost_time_and_who_slept_did_not() {
        let mut clock = Clock::start_at(0);
        clock.note_awake_at(4 * SECOND, Some(secs(4)));
        clock.note_awake_at(9 * SECOND, None);
        clock.note_awake_at(9 * SECOND + SECOND / 4, Some(Duration::ZERO));
        assert_eq!(clock.lost, Duration::ZERO);
        clock.note_awake_at(70 * SECOND, Some(secs(1)));
        assert_eq!(clock.lost, Duration::from_millis(59_750));
        assert_eq!(clock.at(70 * SECOND), secs(70), "the run's time goes on");
    }

    #[test]
    fn own_work_is_no_lost_time() {
        let mut clock = Clock::start_at(0);
        // An hour of work, as far as this clock can tell, then a short sleep.
        clock.note_asleep();
        clock.note_awake(Some(Duration::ZERO));
        assert_eq!(clock.lost, Duration::ZERO);
    }
}
