//! A call's log folder, written and read, and the job log of `--joblog`.

pub(crate) mod error;
pub(crate) mod joblog;
pub(crate) mod private_file;
pub mod read;
pub(crate) mod write;
