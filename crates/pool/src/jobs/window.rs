//! What a job may take of memory, whatever it runs on.

/// Largest automatic chunk, in bytes: a few of these fill a pipe.
pub(crate) const MAX_CHUNK_BYTES: u64 = 128 << 10;
/// What a job may hold of blocks and results, in bytes, when nothing else is said.
pub const WINDOW_BYTES: u64 = 16 << 20;
/// With less no worker would have anything to do.
pub const LEAST_WINDOW_BYTES: u64 = 1 << 20;
