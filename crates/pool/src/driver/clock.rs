//! The run's clock. It excludes pauses of the run, so that no deadline passes
//! during a pause and no table counts it.
//!
//! The clock for deadlines also excludes time in which this process was ready to
//! run but did not: stopped by SIGSTOP, frozen with its container, or on an
//! overloaded machine. In such a time the driver could read nothing, and workers
//! that were frozen as well could send nothing. After it, the clock for deadlines
//! stands still for [`THAW_GRACE`]: workers may be continued later than this process,
//! and need time to send what they have.

use procession_sys::monotonic_ns;
use std::time::Duration;

/// A driver that did not run for this long was stopped or frozen. Well above the
/// delays of a busy machine.
const FROZEN: Duration = Duration::from_millis(200);
/// How long no deadline passes after this process was frozen.
const THAW_GRACE: Duration = Duration::from_secs(1);
/// The longest sleep while a deadline is set: at most this much of a time in which
/// this process was frozen counts.
pub(crate) const LONGEST_SLEEP: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// The run's start on the host's clock, moved forward by the pauses.
    epoch_ns: u64,
    state: ClockState,
    /// How long the clock for deadlines stood still in all, up to `thawed`.
    lost: Duration,
    /// When this process was last found to run again after it was frozen.
    thawed: Option<Duration>,
    /// Whether this process was frozen when it was last checked.
    was_frozen: bool,
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
        let (state, lost) = (ClockState::Running, Duration::ZERO);
        Self { epoch_ns: ns, state, lost, thawed: None, was_frozen: false, awake_ns: ns }
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
        self.deadline_at(self.now())
    }

    /// How long to sleep until this deadline, at most.
    pub(crate) fn sleep_until(&self, deadline: Duration) -> Duration {
        let now = self.now();
        let stands = self.thawed.map_or(Duration::ZERO, |_| THAW_GRACE - self.stood(now));
        (deadline.saturating_sub(self.deadline_at(now)) + stands).min(LONGEST_SLEEP)
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
    /// work, unless that took impossibly long.
    pub(crate) fn note_asleep(&mut self) {
        self.note_awake_at(monotonic_ns(), Some(Duration::ZERO));
    }

    /// Notes that this process runs again after a sleep of at most `asleep`;
    /// `None`: without limit.
    pub(crate) fn note_awake(&mut self, asleep: Option<Duration>) {
        self.note_awake_at(monotonic_ns(), asleep);
    }

    fn deadline_at(&self, now: Duration) -> Duration {
        now.saturating_sub(self.lost).saturating_sub(self.stood(now))
    }

    /// For how much of the grace period after it was frozen the clock for deadlines
    /// has stood still.
    fn stood(&self, now: Duration) -> Duration {
        self.thawed.map_or(Duration::ZERO, |thawed| now.saturating_sub(thawed).min(THAW_GRACE))
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
        let excess = away.saturating_sub(asleep);
        let was_frozen = std::mem::replace(&mut self.was_frozen, excess > FROZEN);
        if !self.was_frozen {
            // Work, which is a sleep of no time, has no excess.
            self.lost += if asleep.is_zero() { Duration::ZERO } else { excess };
            return;
        }
        let now = self.at(ns);
        self.lost += self.stood(now.saturating_sub(away));
        self.thawed = None;
        if was_frozen {
            // On a machine where this happens all the time, deadlines must still
            // pass.
            self.lost += excess - FROZEN;
        } else {
            self.lost += away;
            self.thawed = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const MS: u64 = 1_000_000;

    fn secs(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    fn millis(ms: u64) -> Duration {
        Duration::from_millis(ms)
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
        assert_eq!(clock.deadline_at(secs(2)), secs(2), "the pause is told once");
    }

    #[test]
    fn who_slept_and_worked_lost_no_time() {
        let mut clock = Clock::start_at(0);
        clock.note_awake_at(4 * SECOND, Some(secs(4)));
        clock.note_awake_at(9 * SECOND, None);
        clock.note_awake_at(9 * SECOND + 150 * MS, Some(Duration::ZERO));
        assert_eq!(clock.deadline_at(secs(10)), secs(10));
        // A sleep that ended a little late.
        clock.note_awake_at(9 * SECOND + 350 * MS, Some(millis(100)));
        assert_eq!(clock.deadline_at(secs(10)), millis(9_900));
    }

    #[test]
    fn no_deadline_passes_while_frozen_nor_in_the_second_after() {
        for asleep in [Duration::ZERO, millis(100)] {
            let mut clock = Clock::start_at(0);
            clock.note_awake_at(4 * SECOND, Some(secs(4)));
            clock.note_awake_at(70 * SECOND, Some(asleep));
            assert_eq!(clock.at(70 * SECOND), secs(70), "the run's time goes on");
            assert_eq!([70, 71, 72].map(|s| clock.deadline_at(secs(s))), [secs(4), secs(4), secs(5)]);
            // Frozen again within that second.
            let mut again = clock;
            again.note_awake_at(70 * SECOND + 600 * MS, Some(millis(600)));
            again.note_awake_at(80 * SECOND, Some(millis(100)));
            assert_eq!([80, 81, 82].map(|s| again.deadline_at(secs(s))), [secs(4), secs(4), secs(5)]);
            // And after it.
            clock.note_awake_at(73 * SECOND, Some(secs(3)));
            clock.note_awake_at(90 * SECOND, Some(millis(100)));
            assert_eq!([90, 91, 92].map(|s| clock.deadline_at(secs(s))), [secs(6), secs(6), secs(7)]);
        }
    }

    #[test]
    fn deadlines_pass_even_if_every_sleep_ends_late() {
        let mut clock = Clock::start_at(0);
        let mut before = Duration::ZERO;
        for turn in 1..100 {
            clock.note_awake_at(turn * SECOND, Some(millis(100)));
            let now = clock.deadline_at(secs(turn));
            assert!(now >= before, "{before:?} {now:?}");
            before = now;
        }
        assert!(before > secs(20), "{before:?}");
    }
}
