//! Running an item in such a way that its panic becomes its own failure.

use crate::{Cause, Failure, FailureKind, outcome};
use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

thread_local! {
    static RUNNING: Cell<bool> = const { Cell::new(false) };
    /// What the panic hook recorded about this thread's last panic.
    static SEEN: RefCell<Option<Cause>> = const { RefCell::new(None) };
}

/// Whether this thread is running an item. For panic hooks: such a panic is caught
/// and becomes the item's failure.
#[must_use]
pub fn is_running_item() -> bool {
    RUNNING.get()
}

/// Records what only a panic hook can see, for the failure of the running item.
/// Call it in the panic hook of a program that serves as a worker.
pub fn note_panic(info: &PanicHookInfo<'_>) {
    if !is_running_item() {
        return;
    }
    let location = info.location().map(ToString::to_string);
    let backtrace = Backtrace::capture();
    let is_on = backtrace.status() == BacktraceStatus::Captured;
    let backtrace = is_on.then(|| outcome::cut(backtrace.to_string()));
    SEEN.set(Some(Cause::Panic { location, backtrace }));
}

/// Runs an item; a panic becomes its failure.
///
/// # Errors
/// The panic's message, and what the panic hook recorded (see [`note_panic`]).
#[inline]
pub fn catch_panic<T>(run: impl FnOnce() -> T) -> Result<T, Failure> {
    RUNNING.set(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    RUNNING.set(false);
    result.map_err(|panic| failure(&*panic))
}

#[cold]
fn failure(panic: &(dyn Any + Send)) -> Failure {
    let cause = SEEN.take().unwrap_or(Cause::Panic { location: None, backtrace: None });
    Failure::new(FailureKind::Failed, format!("panicked: {}", panic_message(panic))).because(Some(cause))
}

/// The message of a panic, if it is text.
fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_failure_and_the_thread_knows_whether_an_item_runs() {
        assert_eq!(catch_panic(is_running_item), Ok(true));
        assert!(!is_running_item());
        let said: Failure = catch_panic(|| panic!("{}", 14)).map(|_: ()| ()).unwrap_err();
        assert_eq!((said.kind, said.message.as_str()), (FailureKind::Failed, "panicked: 14"));
        assert!(!is_running_item());
        let said: Failure = catch_panic(|| std::panic::panic_any(1)).map(|_: ()| ()).unwrap_err();
        assert_eq!(said.message, "panicked: (no message)");
    }
}
