//! Starting a program while the system is short of processes, memory or file
//! descriptors. Whoever holds them may be about to give them back, so the start is
//! tried again: a shortage for a moment is no failure of any item.

use procession_sys::SpawnError;
use std::fmt::Display;
use std::thread::sleep;
use std::time::Duration;

/// The first and the longest pause between two tries; each is twice the one before.
const PAUSES: [Duration; 2] = [Duration::from_millis(10), Duration::from_secs(1)];
/// The sum of all pauses, at least.
const IN_ALL: Duration = Duration::from_secs(30);

/// Starts a program, again and again while the refusal is temporary, but only for
/// 30 s. `on_shortage` is called before each pause. A time in which this process
/// does not run does not count.
///
/// # Errors
/// The last refusal.
pub(crate) fn start_patiently<T>(
    mut start: impl FnMut() -> Result<T, SpawnError>,
    mut on_shortage: impl FnMut(&SpawnError),
) -> Result<T, SpawnError> {
    for pause in pauses() {
        match start() {
            Err(error) if error.is_temporary() => on_shortage(&error),
            outcome => return outcome,
        }
        // Nothing reports that a process or a descriptor is free again.
        sleep(pause);
    }
    start()
}

/// The note for the user.
pub(crate) fn shortage_note(program: impl Display, error: &SpawnError) -> String {
    format!("{program} {error}; it is tried again for 30 s")
}

fn pauses() -> impl Iterator<Item = Duration> {
    let [first, longest] = PAUSES;
    let all = std::iter::successors(Some(first), move |pause| Some((*pause * 2).min(longest)));
    all.scan(Duration::ZERO, |sum, pause| {
        let is_over = *sum >= IN_ALL;
        *sum += pause;
        (!is_over).then_some(pause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn pauses_grow_to_a_second_and_last_for_30_seconds() {
        let pauses: Vec<u128> = pauses().map(|pause| pause.as_millis()).collect();
        assert_eq!(pauses[..9], [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        let sum: u128 = pauses.iter().sum();
        assert!((30_000..31_000).contains(&sum), "{sum}");
    }

    #[test]
    fn a_temporary_refusal_is_tried_again_and_another_is_not() {
        // EAGAIN, EMFILE, ENFILE, ENOMEM; then a success or ENOENT.
        for last in [None, Some(2)] {
            let mut refusals = [11, 24, 23, 12].into_iter().chain(last);
            let mut told = 0;
            let started = start_patiently(
                || {
                    refusals
                        .next()
                        .map_or(Ok(()), |errno| Err(SpawnError::new("fails", io::Error::from_raw_os_error(errno))))
                },
                |_| told += 1,
            );
            assert_eq!((started.is_ok(), told), (last.is_none(), 4));
        }
    }
}
