//! An output that was complete before this call.

use crate::error::InputError;
use crate::input::{Input, Portion};
use crate::resume::record::Mark;
use crate::text::shown;
use std::path::Path;

/// An output that was complete before this call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlreadyComplete {
    /// Which, safe for a terminal.
    pub name: String,
    /// How many items it has.
    pub items: u64,
    /// How many of them failed.
    pub failures: u64,
    /// Whether the input has more by now.
    pub input_has_grown: bool,
}

/// Whether a complete output is still that of this input; one that can be read
/// only once is not asked.
pub(crate) fn check_complete(
    path: &Path,
    mark: &Mark,
    input: &Input,
    portion: &Portion,
) -> Result<AlreadyComplete, InputError> {
    let has_more = !input.is_stream() && input.goes_on_after(portion, mark.consumed())?;
    let has_size = portion.size.is_some_and(|size| size <= mark.items);
    Ok(AlreadyComplete {
        name: shown(path),
        items: mark.items,
        failures: mark.failures(),
        input_has_grown: has_more && !has_size,
    })
}
