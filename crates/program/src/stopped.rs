//! The note about a program that is stopped: nothing else distinguishes it from one
//! that works.

use procession_sys::Signal;
use std::fmt::Display;

/// The note for the user about the program of this process id.
pub(crate) fn stopped_note(program: impl Display, pid: u32, signal: Signal) -> String {
    format!(
        "{program} (PID {pid}) is stopped by {}; 'kill -CONT {pid}' continues it, 'kill -KILL {pid}' ends it",
        signal.as_str()
    )
}

/// The note about the program that runs an item.
pub(crate) fn stopped_item_note(item: u64, pid: u32, signal: Signal) -> String {
    stopped_note(format_args!("item {item}: its program"), pid, signal)
}
