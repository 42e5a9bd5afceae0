//! An output that was complete before this call.

use crate::error::InputError;
use crate::input::{Input, InputSlice};
use crate::resume::record::OutputProgress;
use crate::text::display_path;
use std::path::Path;

/// An output that was complete before this call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlreadyComplete {
    /// The output, safe for a terminal.
    pub name: String,
    /// How many items it has.
    pub items: u64,
    /// How many of them failed.
    pub failures: u64,
    /// Whether the input has more items by now.
    pub input_has_grown: bool,
    /// Whether failed items were to be run again.
    pub to_retry: bool,
}

/// Verifies that a complete output belongs to this input. An input that can be
/// read only once is not read.
pub(crate) fn check_complete(
    path: &Path,
    progress: &OutputProgress,
    input: &Input,
    slice: &InputSlice,
) -> Result<AlreadyComplete, InputError> {
    let has_more = !input.is_stream() && input.has_more_after(slice, progress.consumed())?;
    let has_size = slice.size.is_some_and(|size| size <= progress.items);
    Ok(AlreadyComplete {
        name: display_path(path),
        items: progress.items,
        failures: progress.failures(),
        input_has_grown: has_more && !has_size,
        to_retry: false,
    })
}
