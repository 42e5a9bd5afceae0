//! Running an item so that its panic is its own failure and nothing else's.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is running an item: for panic hooks, as such a panic is
/// caught and becomes the item's failure.
#[must_use]
pub fn is_running_item() -> bool {
    RUNNING.get()
}

/// Runs an item; a panic comes back as what it said.
#[inline]
pub(crate) fn confined<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    RUNNING.set(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    RUNNING.set(false);
    result.map_err(|panic| format!("panicked: {}", panic_message(&*panic)))
}

/// What a panic said, when it said it in words.
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
    fn a_panic_comes_back_in_words_and_the_thread_knows_where_it_is() {
        assert_eq!(confined(is_running_item), Ok(true));
        assert!(!is_running_item());
        let said: Result<(), _> = confined(|| panic!("{}", 14));
        assert_eq!(said, Err("panicked: 14".to_owned()));
        assert!(!is_running_item());
        let said: Result<(), _> = confined(|| std::panic::panic_any(1));
        assert_eq!(said, Err("panicked: (no message)".to_owned()));
    }
}
