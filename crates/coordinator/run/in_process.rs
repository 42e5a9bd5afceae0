//! Tasks that run in this very process, on its threads or in its loop: what
//! they print goes where errors go, as in a worker, and what they panic with is
//! told as their item's failure alone.

use crate::console;
use procession_task::{escape_terminal, is_running_item};
use std::sync::Once;

/// Prepares this process for tasks; the results' descriptor has been opened.
pub(super) fn divert_tasks() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if let Err(error) = procession_sys::divert_stdout() {
            console::say(format_args!("warning: what tasks print goes among the results: {error}"));
        }
        std::panic::set_hook(Box::new(|panic| {
            if !is_running_item() {
                console::say(format_args!("internal error: {}", escape_terminal(panic.to_string().as_bytes())));
            }
        }));
    });
}
