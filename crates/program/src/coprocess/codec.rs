//! How items become lines for a coprocess, and how its lines become results.

use procession_task::Failure;
use std::borrow::Cow;

/// Translates items into request lines, and answer lines into results.
pub(crate) trait Codec: Send {
    /// Whether the program sends a first line before any request, and flushes its
    /// answers. A program of the user does neither.
    const HAS_GREETING: bool;

    /// Appends the request line for an item, including its line feed. With `at_once`,
    /// the answer must not wait for other answers.
    ///
    /// # Errors
    /// No line can hold this item.
    fn ask(&self, asked: &Asked<'_>, at_once: bool, line: &mut Vec<u8>) -> Result<(), Failure>;

    /// The maximum length of an answer line for results of up to `max_result` bytes.
    fn longest_answer(&self, max_result: usize) -> usize;

    /// Parses an answer; appends the result to `text`.
    ///
    /// # Errors
    /// The item has failed.
    fn read(&self, line: &[u8], text: &mut Vec<u8>) -> Result<Said, Failure>;

    /// The type of the next item for the user, if this line tells it and is no answer.
    fn item_type<'l>(&self, _line: &'l [u8]) -> Option<Cow<'l, str>> {
        None
    }

    /// Parses the first line.
    ///
    /// # Errors
    /// Why the program can't answer requests, as a sentence.
    fn greeting(&self, _line: &[u8]) -> Result<(), String> {
        Ok(())
    }
}

/// An item to ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'b> {
    /// The item.
    pub(crate) item: &'b [u8],
    /// The item as it stands in its block: a field may be in quotes there.
    pub(crate) raw: &'b [u8],
}

/// The type of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// Whether the text is a JSON value as it is.
    pub(crate) is_json: bool,
}
