//! A call's log folder, read back.
//!
//! Lines are streamed: a log may be larger than memory. A coordinator that was
//! killed leaves a torn last line and a run without a result; both are read as
//! what they are. A line that is none is passed over and counted.

pub(crate) mod line;
pub(crate) mod lines;
pub(crate) mod run_reader;
mod skipped;
pub(crate) mod study_log;

#[doc(hidden)]
pub use line::{Line, item_index};
#[doc(hidden)]
pub use lines::visit_lines_of;
pub use study_log::{RunLog, StudyLog};
