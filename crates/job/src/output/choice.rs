//! Which output was asked for.

use super::picture::PictureFile;
use std::path::PathBuf;

/// The output, to be opened later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputChoice {
    /// Standard output.
    Stdout,
    /// This file.
    File(PathBuf),
    /// A picture of the results; with several sizes, one for each.
    Picture(PictureFile),
}

impl OutputChoice {
    /// Whether it is a picture. The file is not the computed text then, so it
    /// can't be resumed.
    #[must_use]
    pub fn is_picture(&self) -> bool {
        matches!(self, Self::Picture(_))
    }
}
