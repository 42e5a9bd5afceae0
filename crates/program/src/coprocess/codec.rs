//! How items become lines for a coprocess, and how its lines become results.

use procession_task::Failure;

/// How items become lines, and lines results.
pub(crate) trait Codec: Send {
    /// Whether the program greets with a line of its own, before it is asked
    /// anything, and flushes its answers. One of the user's own does neither.
    const GREETS: bool;

    /// Appends the line that asks for an item, its end included. `at_once`: the
    /// answer may not wait for others.
    ///
    /// # Errors
    /// No line can carry this item.
    fn ask(&self, item: &[u8], at_once: bool, line: &mut Vec<u8>) -> Result<(), Failure>;

    /// The longest answer, where a result may have so many bytes.
    fn longest_answer(&self, max_result: usize) -> usize;

    /// Reads an answer; the result is appended to `text`.
    ///
    /// # Errors
    /// The item has failed.
    fn read(&self, line: &[u8], text: &mut Vec<u8>) -> Result<Said, Failure>;

    /// Reads the greeting.
    ///
    /// # Errors
    /// Why nothing can be asked, in a sentence.
    fn greeting(&self, _line: &[u8]) -> Result<(), String> {
        Ok(())
    }
}

/// What a result is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// Whether it stands in JSON as it is.
    pub(crate) is_json: bool,
}
