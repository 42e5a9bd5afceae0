//! Prepares this process to run tasks itself (threads, the serial loop). As in a
//! worker, what tasks print goes to standard error, and the message of a panic
//! is shown as the item's failure only.

use crate::console;
use procession_task::{escape_terminal, is_running_item};
use std::sync::Once;

/// Prepares this process for tasks. The file descriptor for results must be
/// open already.
pub(super) fn divert_tasks() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if let Err(error) = procession_sys::divert_stdout() {
            console::say(format_args!("warning: output that tasks print is mixed with the results: {error}"));
        }
        std::panic::set_hook(Box::new(|panic| {
            if !is_running_item() {
                console::say(format_args!("internal error: {}", escape_terminal(panic.to_string().as_bytes())));
            }
        }));
    });
}
