//! Whether a program that says nothing keeps its answers in a buffer: it has
//! read all that it was sent, sleeps, and does not wait for time to pass or for
//! somebody else. It is told once, as a guess.

use procession_sys::running_ns;
use std::time::Duration;

/// So long a program says nothing before it is looked at.
const SILENCE_NS: u64 = 1_000_000_000;

/// What is known of a program's silence.
#[derive(Debug)]
pub(super) enum BufferingDetector {
    /// Nothing was said since then, on this process's clock.
    Silent { since_ns: u64 },
    /// It was told of, or there is nothing to suspect.
    Over,
}

impl BufferingDetector {
    pub(super) fn new(suspects: bool) -> Self {
        if suspects { Self::Silent { since_ns: running_ns() } } else { Self::Over }
    }

    /// The program has spoken, or was asked something.
    pub(super) fn calm(&mut self) {
        if let Self::Silent { since_ns } = self {
            *since_ns = running_ns();
        }
    }

    /// How long to wait for the program before looking at it.
    pub(super) fn patience(&self) -> Option<Duration> {
        match self {
            Self::Silent { since_ns } => {
                let silent = running_ns().saturating_sub(*since_ns);
                Some(Duration::from_nanos(SILENCE_NS.saturating_sub(silent)))
            }
            Self::Over => None,
        }
    }

    /// Whether it is time to say that this process probably keeps its answers
    /// in a buffer; then never again.
    pub(super) fn is_ripe(&mut self, pid: u32, unread: impl FnOnce() -> usize) -> bool {
        let Self::Silent { since_ns } = self else { return false };
        if running_ns().saturating_sub(*since_ns) < SILENCE_NS {
            return false;
        }
        let is_ripe = unread() == 0 && waits_for_input(pid);
        if is_ripe {
            *self = Self::Over;
        } else {
            self.calm();
        }
        is_ripe
    }
}

/// What is said of it.
pub(super) fn hint(name: &str, lines: usize) -> String {
    let lines = if lines == 1 { "1 line".to_owned() } else { format!("{lines} lines") };
    format!(
        "{name} has read {lines}, sleeps and answers nothing: it probably keeps its output in a buffer. Let it flush \
         after each line (python3 -u, stdbuf -oL, grep --line-buffered, sed -u, mawk -W interactive, \
         fflush), or use --task pipe"
    )
}

/// What can be seen of a process: its state, and where in the kernel it waits.
struct Sight {
    state: Option<char>,
    place: String,
}

impl Sight {
    fn of(pid: u32) -> Self {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
        Self { state, place: std::fs::read_to_string(format!("/proc/{pid}/wchan")).unwrap_or_default() }
    }

    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.place.contains(place))
    }
}

/// Whether a process sleeps, and for all that can be seen not for a while of its
/// own choice, for another process or for the network.
pub(super) fn waits_for_input(pid: u32) -> bool {
    let sight = Sight::of(pid);
    sight.state == Some('S') && (sight.is_in(&["pipe"]) || !sight.is_in(&["sleep", "wait"]))
}

/// Whether a process computes, sleeps for a while of its own choice, or waits for a
/// process of its own: then it is not done with what it was asked last.
pub(super) fn is_occupied(pid: u32) -> bool {
    let sight = Sight::of(pid);
    matches!(sight.state, Some('R' | 'D')) || sight.is_in(&["nanosleep", "do_wait"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    /// Waits until the kernel says that the process waits there.
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
    fn who_waits_for_input_is_told_from_who_waits_for_time() {
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
    fn it_is_told_once_and_only_after_a_silence() {
        let mut detector = BufferingDetector::new(true);
        assert!(detector.patience().unwrap() > Duration::from_millis(500));
        assert!(!detector.is_ripe(0, || 0), "too early to look");
        let mut cat = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        until_in(cat.id(), "pipe");
        detector = BufferingDetector::Silent { since_ns: running_ns() - SILENCE_NS };
        assert!(!detector.is_ripe(cat.id(), || 7), "it has still to read");
        detector = BufferingDetector::Silent { since_ns: running_ns() - SILENCE_NS };
        assert!(detector.is_ripe(cat.id(), || 0));
        assert!(!detector.is_ripe(cat.id(), || 0) && detector.patience().is_none());
        assert!(BufferingDetector::new(false).patience().is_none());
        cat.kill().unwrap();
        cat.wait().unwrap();
        assert!(hint("tr", 1).starts_with("tr has read 1 line, sleeps"));
        assert!(hint("tr", 2).contains(" 2 lines,"));
    }
}
