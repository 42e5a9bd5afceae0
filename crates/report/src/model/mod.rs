//! The data of a study: its call, its runs, their processes, and when these
//! worked. Nothing here reads a file, draws or computes statistics.

pub(crate) mod chunk_line;
pub(crate) mod failure;
pub(crate) mod item_times;
pub(crate) mod process;
pub(crate) mod run_summary;
pub(crate) mod skipped_lines;
pub(crate) mod slot_sum;
pub(crate) mod spans;
pub(crate) mod study;
pub(crate) mod study_data;
pub(crate) mod worker;
pub(crate) mod worker_lines;
