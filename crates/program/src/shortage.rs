//! Starting a program while the system is short of processes, memory or file
//! descriptors. Whoever holds them may be about to give them back, so the start is
//! tried again: a shortage for a moment is no failure of any item.

use procession_sys::{SpawnError, retry_while_short};
use std::fmt::Display;

/// Starts a program, again and again while the refusal is temporary, but only for
/// 30 s. `on_shortage` is called before each pause.
///
/// # Errors
/// The last refusal.
pub(crate) fn start_patiently<T>(
    start: impl FnMut() -> Result<T, SpawnError>,
    on_shortage: impl FnMut(&SpawnError),
) -> Result<T, SpawnError> {
    retry_while_short(start, SpawnError::is_temporary, on_shortage)
}

/// The note for the user.
pub(crate) fn shortage_note(program: impl Display, error: &SpawnError) -> String {
    format!("{program} {error}; it is tried again for 30 s")
}
