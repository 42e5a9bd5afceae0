//! Resuming an interrupted output. Results are written in order, so an
//! interrupted run leaves a prefix of its output. `OUTPUT.resume`, the record
//! beside it, says which job the output belongs to and how far it is complete.
//!
//! An output in which items failed keeps its record when it is complete: these items
//! can be run again (`output_rows`: which they are, and whose the other rows are).
//!
//! If the output was given by a symbolic link, the record lies beside the file
//! that the link points to, so it is found whichever name is used.

pub(crate) mod decision;
pub(crate) mod hash;
pub(crate) mod item_set;
pub(crate) mod journal;
pub(crate) mod output_rows;
pub(crate) mod record;
pub(crate) mod record_file;
pub(crate) mod tracker;

pub use decision::{Intent, ResumeOptions};
pub use record::{PriorProgress, ResumeRecord, ResumeRecordError};
