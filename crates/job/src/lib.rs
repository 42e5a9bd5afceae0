//! A whole job: what is read and how it is cut, what is written and when a
//! failure ends it, and the study of one job over several configurations.

#![forbid(unsafe_code)]

mod counts;
mod cutter;
mod decode;
mod error;
mod failures;
mod gather;
mod heading;
mod input;
mod origin;
mod output;
mod pass;
mod peek;
mod queue;
mod range;
mod segment;
mod shuffle;
mod source;
mod spec;
mod writer;

pub use counts::{parse_counts, parse_sizes};
pub use error::InputError;
pub use failures::{FailurePolicy, Failures, MaxFailures, MaxFailuresError};
pub use input::{HeadingNote, Input, InputStatus, OnNote};
pub use output::{OutputChoice, OutputEnd, OutputError, OutputReport, Target};
pub use range::IntegerRange;
pub use source::QueueSource;
pub use spec::{InputOptions, ItemSource, MAX_ITEM};
pub use writer::{OrderedWriter, OutputHandle, OutputOptions, Stop};
