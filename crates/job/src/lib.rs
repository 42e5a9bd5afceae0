//! A whole job: what is read and how it is cut, what is written and when a
//! failure ends it, and the study of one job over several configurations.

#![forbid(unsafe_code)]

mod counts;
mod cutter;
mod decode;
mod error;
mod heading;
mod input;
mod origin;
mod pass;
mod peek;
mod queue;
mod range;
mod segment;
mod shuffle;
mod source;
mod spec;

pub use counts::{parse_counts, parse_sizes};
pub use error::InputError;
pub use input::{HeadingNote, Input, InputStatus, OnNote};
pub use range::IntegerRange;
pub use source::QueueSource;
pub use spec::{InputOptions, ItemSource, MAX_ITEM};
