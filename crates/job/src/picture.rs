//! Results as a picture: rows of whole numbers come in as text, in order, and
//! a PNG file goes out, a row at a time, so that memory stays flat.
//!
//! This is done where results are written, on the writer's thread: neither the
//! workers nor the pool's driver know of pictures.

mod palette;
mod raster;

use crate::output::{OutputError, Target};
use raster::Raster;
use std::io;
use std::path::{Path, PathBuf};

/// A picture to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureFile {
    /// Where.
    pub path: PathBuf,
    /// The largest number that a pixel can have; such pixels are black.
    pub most: u32,
    /// Whether its name carries its size, as there are several sizes.
    pub named_by_size: bool,
}

impl PictureFile {
    /// The picture of this side, written to this target.
    pub(crate) fn paint(&self, target: Target, side: Option<u64>) -> Result<Target, OutputError> {
        let (name, file, _) = target.into_parts();
        let side = side.and_then(|side| u32::try_from(side).ok()).filter(|&side| side > 0);
        match (side, file) {
            (Some(side), Some(file)) => Ok(Target::writer(name, Box::new(Raster::new(file, side, self.most)))),
            _ => {
                Err(OutputError { name, error: io::Error::new(io::ErrorKind::InvalidInput, "a picture needs a size") })
            }
        }
    }

    /// `m.png`, or `m-400.png` if the name carries the size.
    pub(crate) fn path_for(&self, side: Option<u64>) -> PathBuf {
        match side.filter(|_| self.named_by_size) {
            Some(side) => with_size(&self.path, side),
            None => self.path.clone(),
        }
    }
}

fn with_size(path: &Path, side: u64) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{side}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_carries_its_size_if_there_are_several() {
        let file = |path: &str, named_by_size| PictureFile { path: path.into(), most: 9, named_by_size };
        for (path, expected) in [
            ("m.png", "m-400.png"),
            ("a.b/m.v2.PNG", "a.b/m.v2-400.PNG"),
            ("../m", "../m-400"),
            ("/x/.png", "/x/.png-400"),
        ] {
            assert_eq!(file(path, true).path_for(Some(400)), Path::new(expected));
            assert_eq!(file(path, false).path_for(Some(400)), Path::new(path));
        }
    }

    #[test]
    fn a_picture_needs_a_size() {
        let file = PictureFile { path: "m.png".into(), most: 9, named_by_size: true };
        assert!(file.paint(Target::nothing(), Some(3)).is_err(), "and somewhere to go");
        let target = || Target::writer("m.png", Box::new(io::sink()));
        let error = file.paint(target(), None).err().unwrap().to_string();
        assert!(error.contains("needs a size"), "{error}");
        assert!(file.paint(target(), Some(3)).is_ok());
    }
}
