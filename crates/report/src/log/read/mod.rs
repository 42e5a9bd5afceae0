//! Reads a call's log folder.
//!
//! Lines are streamed, because a log may be larger than memory. A coordinator that
//! was killed leaves an incomplete last line and a run without a result; both are
//! accepted. An invalid line is skipped and counted.

pub(crate) mod line;
pub(crate) mod lines;
pub(crate) mod run_reader;
mod skipped;
pub(crate) mod study_log;

#[doc(hidden)]
pub use line::{LogLine, item_index};
#[doc(hidden)]
pub use lines::visit_lines_of;
pub use study_log::{RunLog, StudyLog};
