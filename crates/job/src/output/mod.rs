//! Writes the results, in order or as they come, as text or as a picture.

pub(crate) mod buffer;
pub(crate) mod checkpoint;
pub(crate) mod choice;
pub(crate) mod descriptor;
pub(crate) mod failures;
mod file_lock;
pub(crate) mod new_file;
pub(crate) mod open;
pub(crate) mod picture;
pub(crate) mod report;
pub(crate) mod retry;
pub(crate) mod target;
pub(crate) mod writer;

pub use choice::OutputChoice;
pub use picture::PictureFile;
pub use report::RetriedRows;
