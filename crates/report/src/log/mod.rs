//! A call's log: its files, written and read.

pub(crate) mod error;
pub(crate) mod joblog;
pub(crate) mod private_file;
pub mod read;
pub(crate) mod write;
