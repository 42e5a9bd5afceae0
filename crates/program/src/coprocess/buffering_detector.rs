//! Detects a program that keeps its answers in a buffer: it has read everything it
//! was sent, sleeps, and waits neither for time to pass nor for another process.
//! The detection is a guess; it is reported once.

use crate::process_stat::ProcessStat;
use procession_sys::running_ns;
use std::time::Duration;

/// A program is checked after it was silent for this long.
const SILENCE_NS: u64 = 1_000_000_000;

/// The maximum number of times that a process is looked at for one sight of it.
const SIGHTS: usize = 8;

/// What is known about a program's silence.
#[derive(Debug)]
pub(super) enum BufferingDetector {
    /// The program has written nothing since this time, on this process's clock.
    Silent { since_ns: u64 },
    /// The detection was reported, or the program need not be checked.
    Over,
}

impl BufferingDetector {
    pub(super) fn new(suspects: bool) -> Self {
        if suspects { Self::Silent { since_ns: running_ns() } } else { Self::Over }
    }

    /// The program has written something, or was asked something.
    pub(super) fn reset(&mut self) {
        if let Self::Silent { since_ns } = self {
            *since_ns = running_ns();
        }
    }

    /// The time until the program should be checked.
    pub(super) fn time_to_check(&self) -> Option<Duration> {
        match self {
            Self::Silent { since_ns } => {
                let silent = running_ns().saturating_sub(*since_ns);
                Some(Duration::from_nanos(SILENCE_NS.saturating_sub(silent)))
            }
            Self::Over => None,
        }
    }

    /// Checks whether this process probably keeps its answers in a buffer. Returns
    /// `true` at most once.
    pub(super) fn detects_buffering(&mut self, pid: u32, unread: impl FnOnce() -> usize) -> bool {
        let Self::Silent { since_ns } = self else { return false };
        if running_ns().saturating_sub(*since_ns) < SILENCE_NS {
            return false;
        }
        let detects_buffering = unread() == 0 && waits_for_input(pid);
        if detects_buffering {
            *self = Self::Over;
        } else {
            self.reset();
        }
        detects_buffering
    }
}

/// The message to the user.
pub(super) fn hint(name: &str, lines: usize) -> String {
    let lines = if lines == 1 { "1 line".to_owned() } else { format!("{lines} lines") };
    format!(
        "{name} has read {lines}, sleeps and answers nothing: it probably buffers its output. Make it flush \
         after each line (python3 -u, stdbuf -oL, grep --line-buffered, sed -u, mawk -W interactive, \
         fflush), or use --task pipe"
    )
}

/// What `/proc/PID/wchan` says of a process that runs, and of any process on
/// kernels that do not tell where processes wait.
const NOWHERE: &str = "0";

/// A process's state, and the kernel function in which it waits.
#[derive(Debug, PartialEq)]
struct ProcessSight {
    state: Option<char>,
    place: String,
}

impl ProcessSight {
    fn of(pid: u32) -> Self {
        Self::consistent(
            || ProcessStat::of(pid).map(|stat| stat.state),
            || std::fs::read_to_string(format!("/proc/{pid}/wchan")).unwrap_or_default(),
        )
    }

    /// The state and the place are two files. Between the two reads a process may wake:
    /// then it seems to sleep nowhere, and both are read again. A process that sleeps
    /// nowhere each time is on a kernel that does not tell the place.
    fn consistent(mut state: impl FnMut() -> Option<char>, mut place: impl FnMut() -> String) -> Self {
        let mut sight = Self { state: state(), place: place() };
        for _ in 1..SIGHTS {
            if sight.state != Some('S') || sight.place != NOWHERE {
                break;
            }
            sight = Self { state: state(), place: place() };
        }
        sight
    }

    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.place.contains(place))
    }
}

/// Whether a process sleeps, and apparently not for a chosen time, for another
/// process or for the network.
pub(super) fn waits_for_input(pid: u32) -> bool {
    let sight = ProcessSight::of(pid);
    sight.state == Some('S') && (sight.is_in(&["pipe"]) || !sight.is_in(&["sleep", "wait"]))
}

/// Whether a process computes, sleeps for a chosen time, or waits for a process of
/// its own: then it is still busy with its last request.
pub(super) fn is_occupied(pid: u32) -> bool {
    let sight = ProcessSight::of(pid);
    matches!(sight.state, Some('R' | 'D')) || sight.is_in(&["nanosleep", "do_wait"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_process_that_wakes_between_two_reads_is_looked_at_again() {
        let sight = |states: &str, places: &[&str]| {
            let mut states = states.chars().chain(std::iter::repeat(states.chars().last().unwrap()));
            let mut places = places.iter().chain(std::iter::repeat(places.last().unwrap()));
            ProcessSight::consistent(|| states.next(), || (*places.next().unwrap()).to_owned())
        };
        let seen = |state, place: &str| ProcessSight { state: Some(state), place: place.to_owned() };
        assert_eq!(sight("S", &["anon_pipe_read"]), seen('S', "anon_pipe_read"));
        assert_eq!(sight("R", &["0"]), seen('R', "0"));
        assert_eq!(sight("SR", &["0"]), seen('R', "0"), "it woke");
        assert_eq!(sight("S", &["0", "do_wait"]), seen('S', "do_wait"), "it woke and waits again");
        assert_eq!(sight("S", &["0"]), seen('S', "0"), "the kernel does not tell");
        assert_eq!(ProcessSight::consistent(|| None, String::new).state, None, "it is gone");
    }

    /// Waits until the kernel reports that the process waits in this function.
    fn until_in(pid: u32, place: &str) -> bool {
        let file = format!("/proc/{pid}/wchan");
        loop {
            let now = std::fs::read_to_string(&file).unwrap_or_default();
            if now.contains(place) {
                return true;
            }
            if now.is_empty() {
                return false;
            }
            std::thread::yield_now();
        }
    }

    #[test]
    fn waiting_for_input_is_distinguished_from_waiting_for_time() {
        for (program, args, place, waits) in [("cat", &[][..], "pipe", true), ("sleep", &["1000"], "nanosleep", false)]
        {
            let mut child = Command::new(program).args(args).stdin(Stdio::piped()).spawn().unwrap();
            if until_in(child.id(), place) {
                assert_eq!(waits_for_input(child.id()), waits, "{program}");
            }
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    #[test]
    fn buffering_is_reported_once_and_only_after_a_silence() {
        let mut detector = BufferingDetector::new(true);
        assert!(detector.time_to_check().unwrap() > Duration::from_millis(500));
        assert!(!detector.detects_buffering(0, || 0), "too early to look");
        let mut cat = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        until_in(cat.id(), "pipe");
        detector = BufferingDetector::Silent { since_ns: running_ns() - SILENCE_NS };
        assert!(!detector.detects_buffering(cat.id(), || 7), "it has still to read");
        detector = BufferingDetector::Silent { since_ns: running_ns() - SILENCE_NS };
        assert!(detector.detects_buffering(cat.id(), || 0));
        assert!(!detector.detects_buffering(cat.id(), || 0) && detector.time_to_check().is_none());
        assert!(BufferingDetector::new(false).time_to_check().is_none());
        cat.kill().unwrap();
        cat.wait().unwrap();
        assert!(hint("tr", 1).starts_with("tr has read 1 line, sleeps"));
        assert!(hint("tr", 2).contains(" 2 lines,"));
    }
}
