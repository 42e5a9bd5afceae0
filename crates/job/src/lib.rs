//! A whole job: what is read and how it is cut, what is written and when a
//! failure ends it, and the study of one job over several configurations.

#![forbid(unsafe_code)]

mod counts;
mod cutter;
mod decode;
mod error;
mod heading;
mod origin;
mod peek;
mod queue;
mod range;
mod segment;
mod spec;

pub use counts::{parse_counts, parse_sizes};
pub use error::InputError;
pub use range::IntegerRange;
pub use spec::{InputOptions, ItemSource, MAX_ITEM};
