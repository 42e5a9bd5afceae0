//! How much memory a job may take, on every backend.

/// Largest automatic chunk, in bytes: a few of these fill a pipe.
pub(crate) const MAX_CHUNK_BYTES: u64 = 128 << 10;
/// Bytes of blocks and results that a job may hold by default.
pub const WINDOW_BYTES: u64 = 16 << 20;
/// The smallest window, in bytes: with less, workers would have no chunks to run.
pub const LEAST_WINDOW_BYTES: u64 = 1 << 20;
