//! Reads the input and cuts it into items.
//!
//! Bottom-up: what to read (`options`, `range`); the files and streams
//! (`file`, `held_bytes`), unpacked (`peek`, `unpack`), lists of numbers as plain words
//! (`numbers`); cut into items (`cutter`, `measure`), shuffled or made into blocks; one pass
//! over an input (`reader`), or what follows an earlier run (`prefix`) or failed in it
//! (`retry`); and to the pool through a queue (`source`).

pub(crate) mod blocks;
pub(crate) mod cutter;
pub(crate) mod file;
pub(crate) mod held_bytes;
pub(crate) mod measure;
pub(crate) mod notes;
pub(crate) mod numbers;
pub(crate) mod open;
pub(crate) mod options;
pub(crate) mod peek;
pub(crate) mod prefix;
pub(crate) mod queue;
pub(crate) mod range;
pub(crate) mod reader;
mod retry;
pub(crate) mod segment;
pub(crate) mod shuffle;
pub(crate) mod slice;
pub(crate) mod source;
mod spool;
pub(crate) mod status;
pub(crate) mod table;
pub(crate) mod unit;
pub(crate) mod unpack;

pub use cutter::cut_all;
pub use notes::InputNote;
pub use numbers::rest_after_heading;
pub use open::Input;
pub use options::{Content, InputOptions, ItemSource, MAX_ITEM, TableOptions};
pub use range::IntegerRange;
pub(crate) use slice::InputSlice;
pub use status::InputNames;
pub use unit::Unit;
