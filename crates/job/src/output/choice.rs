//! Which output was asked for.

use super::picture::PictureFile;
use std::path::PathBuf;

/// What to open once it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputChoice {
    /// The standard output.
    Stdout,
    /// This file.
    File(PathBuf),
    /// A picture made of the results; with several sizes, one for each.
    Picture(PictureFile),
}

impl OutputChoice {
    /// Whether it is a picture: what is written is not what was computed, and
    /// can't be gone on with.
    #[must_use]
    pub fn is_picture(&self) -> bool {
        matches!(self, Self::Picture(_))
    }
}
