//! Reading a program's pipes after its exit. A process that the program started may
//! still write to them (`tee` in a process substitution, the last part of a
//! pipeline), and its output is part of the program's output.
//!
//! The pipes are read until end of file, but only for a limited time: a daemon that
//! holds a pipe must not delay the run. A process that is silent only because it
//! waits for a processor gets more time, within the same total.

use crate::holders;
use procession_sys::{PollSet, running_ns};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::time::Duration;

/// Draining ends after this long without a byte.
const SILENCE: Duration = Duration::from_millis(300);
/// The wait is extended by this, repeatedly, while a process that holds a pipe
/// waits for a processor.
const PATIENCE: Duration = Duration::from_millis(50);
/// Draining ends after this long in total.
const IN_ALL: Duration = Duration::from_secs(2);
/// Draining ends after this many bytes of standard error, which would otherwise
/// fill logs and terminals.
const MOST_ERRORS: usize = 16 << 20;
/// How often a pipe is read before the other pipe and the clock are checked. With
/// reads of 64 KiB this is more than a pipe holds, unless the administrator has
/// raised the limit.
const READS: usize = 17;

/// The outcome of one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadOutcome {
    /// There were bytes.
    Some,
    /// There are no bytes now.
    Nothing,
    /// End of file.
    End,
}

impl ReadOutcome {
    /// Reads once from a pipe; also returns the number of bytes.
    ///
    /// # Errors
    /// The pipe can't be read.
    pub(crate) fn of(mut pipe: impl Read, buffer: &mut [u8]) -> io::Result<(Self, usize)> {
        loop {
            return match pipe.read(buffer) {
                Ok(0) => Ok((Self::End, 0)),
                Ok(bytes) => Ok((Self::Some, bytes)),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok((Self::Nothing, 0)),
                Err(error) => Err(error),
            };
        }
    }
}

/// One of a program's two outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputStream {
    Output,
    Errors,
}

impl OutputStream {
    const BOTH: [Self; 2] = [Self::Output, Self::Errors];
}

/// The state of a pipe since its program's exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PipeActivity {
    /// No process holds it.
    Ended,
    /// A process holds it and has written nothing since.
    Silent,
    /// A process holds it and has written since.
    Written,
}

/// The excess of a wait over its longest time that is no ordinary delay, in
/// nanoseconds: this process was stopped or frozen.
const FROZEN_NS: u64 = 50_000_000;

/// For how long this process was frozen during a wait of at most `planned`.
pub(crate) fn frozen_ns(begun_ns: u64, planned: Duration) -> u64 {
    let excess_ns = running_ns().saturating_sub(begun_ns + nanos(planned));
    if excess_ns > FROZEN_NS { excess_ns } else { 0 }
}

/// The progress of a drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DrainProgress {
    /// There may be more bytes.
    Open,
    /// The drain is finished.
    Over {
        /// A process that had written after the exit still held a pipe when the time was
        /// over: the output may be incomplete.
        is_cut: bool,
    },
}

/// A drain in progress.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drain {
    pipes: [PipeActivity; 2],
    is_first: bool,
    /// The end of the drain if no byte arrives before, on this process's clock.
    silence_ends_ns: u64,
    /// No process was found that waits for a processor.
    is_last_look: bool,
    /// The latest end of the drain.
    ends_ns: u64,
    /// The number of bytes passed on to standard error.
    passed_on: usize,
}

impl Drain {
    /// For a program that has just ended.
    pub(crate) fn begin() -> Self {
        let now_ns = running_ns();
        let (silence_ends_ns, ends_ns) = (now_ns + nanos(SILENCE), now_ns + nanos(IN_ALL));
        Self {
            pipes: [PipeActivity::Silent; 2],
            is_first: true,
            silence_ends_ns,
            is_last_look: false,
            ends_ns,
            passed_on: 0,
        }
    }

    /// Reads all bytes that have arrived; from the second call on it waits for some
    /// first. `read` reads once from the pipe of a stream, and returns how many bytes
    /// it has passed on to standard error. Both pipes are non-blocking; a missing pipe
    /// counts as ended.
    ///
    /// # Errors
    /// Those of `read`.
    pub(crate) fn step<E>(
        &mut self,
        set: &mut PollSet,
        files: [Option<&File>; 2],
        mut read: impl FnMut(OutputStream, &File) -> Result<(ReadOutcome, usize), E>,
    ) -> Result<DrainProgress, E> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        let left = self.left();
        if !is_first {
            let begun_ns = running_ns();
            if self.wait(set, files, left).is_err() {
                return Ok(self.over());
            }
            self.forgive(frozen_ns(begun_ns, left));
        }
        for (stream, file) in OutputStream::BOTH.into_iter().zip(files) {
            let at = stream as usize;
            let Some(file) = file else {
                self.pipes[at] = PipeActivity::Ended;
                continue;
            };
            let has_news = is_first || set.ready().any(|ready| ready.key == at as u64);
            if has_news && self.pipes[at] != PipeActivity::Ended {
                self.pipes[at] = self.read_all(self.pipes[at], is_first, || read(stream, file))?;
            }
        }
        let is_over = self.passed_on > MOST_ERRORS || self.pipes == [PipeActivity::Ended; 2];
        let is_over = is_over || (left.is_zero() && !self.goes_on(files));
        Ok(if is_over { self.over() } else { DrainProgress::Open })
    }

    /// This process was frozen for this long: whoever holds a pipe, too, could write
    /// nothing.
    fn forgive(&mut self, frozen_ns: u64) {
        if frozen_ns > 0 {
            self.silence_ends_ns = running_ns() + nanos(SILENCE);
            self.ends_ns += frozen_ns;
        }
    }

    /// How long to wait.
    fn left(&self) -> Duration {
        Duration::from_nanos(self.silence_ends_ns.min(self.ends_ns).saturating_sub(running_ns()))
    }

    /// Whether the drain goes on although its time seems to be over.
    fn goes_on(&mut self, files: [Option<&File>; 2]) -> bool {
        let now_ns = running_ns();
        if now_ns >= self.ends_ns {
            return false;
        }
        // The last read may have extended the time.
        if now_ns < self.silence_ends_ns {
            return true;
        }
        if self.is_last_look {
            return false;
        }
        let mut open = self.pipes.iter().zip(files).filter(|(pipe, _)| **pipe != PipeActivity::Ended);
        if open.any(|(_, file)| file.is_some_and(holders::wait_for_processor)) {
            self.silence_ends_ns = now_ns + nanos(PATIENCE);
            return true;
        }
        // A process may have written and ended during the search.
        self.is_last_look = true;
        true
    }

    fn wait(&self, set: &mut PollSet, files: [Option<&File>; 2], left: Duration) -> io::Result<()> {
        set.clear();
        for ((at, pipe), file) in (0..).zip(self.pipes).zip(files) {
            if let (PipeActivity::Silent | PipeActivity::Written, Some(file)) = (pipe, file) {
                set.add(file.as_fd(), at, false);
            }
        }
        set.wait(Some(left))
    }

    /// Bytes of the first round count as written before the exit, because nobody can
    /// tell.
    fn read_all<E>(
        &mut self,
        mut pipe: PipeActivity,
        is_first: bool,
        mut read: impl FnMut() -> Result<(ReadOutcome, usize), E>,
    ) -> Result<PipeActivity, E> {
        for _ in 0..READS {
            let (end, passed_on) = read()?;
            self.passed_on += passed_on;
            match end {
                ReadOutcome::Some => {
                    (self.silence_ends_ns, self.is_last_look) = (running_ns() + nanos(SILENCE), false);
                    if !is_first {
                        pipe = PipeActivity::Written;
                    }
                }
                ReadOutcome::Nothing => break,
                ReadOutcome::End => return Ok(PipeActivity::Ended),
            }
        }
        Ok(pipe)
    }

    fn over(&self) -> DrainProgress {
        DrainProgress::Over { is_cut: self.pipes.contains(&PipeActivity::Written) }
    }
}

/// A duration in nanoseconds, as on this process's clock.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Passes a program's standard error on.
pub(crate) fn pass_on(errors: &[u8]) {
    // If standard error is closed, nothing can be done.
    let _ = io::stderr().write_all(errors);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::time::Instant;

    /// A pipe for each stream, and the ends of the process that was left behind.
    fn pipes() -> ([File; 2], [UnixStream; 2]) {
        let [out, errors] = [(), ()].map(|()| UnixStream::pair().unwrap());
        let ours = [out.0, errors.0].map(|end| {
            end.set_nonblocking(true).unwrap();
            File::from(OwnedFd::from(end))
        });
        (ours, [out.1, errors.1])
    }

    /// The bytes of each stream, whether they may be incomplete, and the time the drain
    /// took. `turn` runs after each step.
    fn drained(ours: &[File; 2], mut turn: impl FnMut()) -> ([Vec<u8>; 2], bool, Duration) {
        let (mut drain, mut set, begun) = (Drain::begin(), PollSet::default(), Instant::now());
        let mut said = [Vec::new(), Vec::new()];
        loop {
            let mut buffer = [0; 8];
            let progress = drain.step(&mut set, [Some(&ours[0]), Some(&ours[1])], |stream, pipe| {
                let (end, bytes) = ReadOutcome::of(pipe, &mut buffer)?;
                said[stream as usize].extend_from_slice(&buffer[..bytes]);
                Ok::<_, io::Error>((end, bytes))
            });
            if let DrainProgress::Over { is_cut } = progress.unwrap() {
                return (said, is_cut, begun.elapsed());
            }
            turn();
        }
    }

    #[test]
    fn closed_pipes_are_read_completely_without_a_wait() {
        let (ours, mut theirs) = pipes();
        theirs[0].write_all(b"said before").unwrap();
        theirs[1].write_all(b"why").unwrap();
        drop(theirs);
        let mut turns = 0;
        let (said, is_cut, _) = drained(&ours, || turns += 1);
        assert_eq!((said, is_cut, turns), ([b"said before".to_vec(), b"why".to_vec()], false, 0));
    }

    #[test]
    fn late_output_is_waited_for() {
        let (ours, theirs) = pipes();
        let mut theirs = Some(theirs);
        let (said, is_cut, _) = drained(&ours, || {
            if let Some([mut out, _]) = theirs.take() {
                out.write_all(b"late").unwrap();
            }
        });
        assert_eq!((said, is_cut), ([b"late".to_vec(), Vec::new()], false));
    }

    #[test]
    fn bytes_of_the_last_read_end_the_silence() {
        let (ours, mut theirs) = pipes();
        let (mut drain, mut set) = (Drain::begin(), PollSet::default());
        let mut step = |drain: &mut Drain| {
            let read = |_, pipe: &File| Ok::<_, io::Error>((ReadOutcome::of(pipe, &mut [0; 8])?.0, 0));
            drain.step(&mut set, [Some(&ours[0]), Some(&ours[1])], read).unwrap()
        };
        assert_eq!(step(&mut drain), DrainProgress::Open);
        theirs[0].write_all(b"late").unwrap();
        // As if this process had been suspended meanwhile.
        drain.silence_ends_ns = 0;
        assert_eq!(step(&mut drain), DrainProgress::Open);
        drain.silence_ends_ns = 0;
        assert_eq!(step(&mut drain), DrainProgress::Open, "who holds it is looked for");
        // Who writes meanwhile was not silent either.
        theirs[0].write_all(b"late").unwrap();
        assert_eq!(step(&mut drain), DrainProgress::Open);
        for progress in [DrainProgress::Open, DrainProgress::Over { is_cut: true }] {
            drain.silence_ends_ns = 0;
            assert_eq!(step(&mut drain), progress);
        }
    }

    #[test]
    fn a_silent_holder_of_a_pipe_leaves_the_output_complete() {
        let (ours, mut theirs) = pipes();
        theirs[0].write_all(b"said before").unwrap();
        let (said, is_cut, took) = drained(&ours, || {});
        assert_eq!((&said[0][..], is_cut), (&b"said before"[..], false));
        assert!((SILENCE..IN_ALL).contains(&took), "{took:?}");
    }

    #[test]
    fn a_holder_that_wrote_and_fell_silent_leaves_the_output_incomplete() {
        for stream in [0, 1] {
            let (ours, mut theirs) = pipes();
            let mut left = 1;
            let (said, is_cut, took) = drained(&ours, || {
                if left > 0 {
                    left -= 1;
                    theirs[stream].write_all(b"late").unwrap();
                }
            });
            assert_eq!((&said[stream][..], is_cut), (&b"late"[..], true));
            assert!(took >= SILENCE, "{took:?}");
            // A stream that has ended is complete, even if the other pipe is still held.
            let (ours, theirs) = pipes();
            let [first, second] = theirs;
            let (late, _held) = if stream == 0 { (first, second) } else { (second, first) };
            let mut late = Some(late);
            let (said, is_cut, _) = drained(&ours, || {
                if let Some(mut late) = late.take() {
                    late.write_all(b"late").unwrap();
                }
            });
            assert_eq!((&said[stream][..], is_cut), (&b"late"[..], false));
        }
    }

    #[test]
    fn a_flood_of_errors_is_read_up_to_its_limit() {
        let (ours, mut theirs) = pipes();
        let (mut drain, mut set) = (Drain::begin(), PollSet::default());
        let (mut steps, mut buffer) = (0, [0; 8]);
        let is_cut = loop {
            let progress = drain.step(&mut set, [Some(&ours[0]), Some(&ours[1])], |_, pipe| {
                let (end, _) = ReadOutcome::of(pipe, &mut buffer)?;
                Ok::<_, io::Error>((end, if end == ReadOutcome::Some { 1 << 20 } else { 0 }))
            });
            if let DrainProgress::Over { is_cut } = progress.unwrap() {
                break is_cut;
            }
            steps += 1;
            theirs[1].write_all(b"more").unwrap();
        };
        assert_eq!((is_cut, steps), (true, MOST_ERRORS >> 20 | 1));
    }

    #[test]
    fn endless_output_is_read_up_to_the_time_limit() {
        let (ours, mut theirs) = pipes();
        let (_, is_cut, took) = drained(&ours, || theirs[1].write_all(b"more").unwrap());
        assert!(is_cut && took >= IN_ALL, "{took:?}");
    }
}
