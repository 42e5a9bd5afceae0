//! Results as a picture: rows of integers arrive as text, in order, and a PNG
//! file is written row by row, so that memory stays bounded.
//!
//! The picture is made on the output thread: neither the workers nor the pool's
//! driver handle pictures.

mod palette;
mod raster;

use super::report::OutputError;
use super::target::{OutputTarget, TargetParts};
use procession_sys::AtomicFile;
use raster::Raster;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A picture file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureFile {
    /// The path.
    pub path: PathBuf,
    /// The largest number of a pixel; such pixels are black.
    pub most: u32,
    /// Whether the size is added to the name, because there are several sizes.
    pub named_by_size: bool,
}

impl PictureFile {
    /// A picture of this side in pixels, written to this target. A file is
    /// replaced in one step, when the picture is complete.
    pub(crate) fn paint(&self, target: OutputTarget, side: Option<u64>) -> Result<OutputTarget, OutputError> {
        let is_file = target.file_id().is_some();
        let TargetParts { name, writer: out, .. } = target.into_parts();
        let pixels = side.and_then(|side| u32::try_from(side).ok()).filter(|&side| side > 0);
        let painted = match (pixels, out) {
            (Some(pixels), Some(out)) if is_file => {
                Replacing::new(&self.path_for(side), out).map(|out| Raster::new(Box::new(out), pixels, self.most))
            }
            (Some(pixels), Some(out)) => Ok(Raster::new(out, pixels, self.most)),
            _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "a picture needs a size")),
        };
        match painted {
            Ok(raster) => Ok(OutputTarget::writer(name, Box::new(raster))),
            Err(error) => Err(OutputError { name, error }),
        }
    }

    /// `m.png`, or `m-400.png` if the size is added.
    pub(crate) fn path_for(&self, side: Option<u64>) -> PathBuf {
        match side.filter(|_| self.named_by_size) {
            Some(side) => with_size(&self.path, side),
            None => self.path.clone(),
        }
    }
}

/// Replaces an open and locked file. The flush at the end puts the new file in
/// its place.
struct Replacing {
    file: AtomicFile,
    /// The old file.
    old: Box<dyn Write + Send>,
}

impl Replacing {
    /// `path` must lead to the open file.
    fn new(path: &Path, old: Box<dyn Write + Send>) -> io::Result<Self> {
        Ok(Self { file: AtomicFile::new(&path.canonicalize()?)?, old })
    }
}

impl Write for Replacing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.replace()?;
        // What was to be done to the old file is done to the replaced one; its
        // resume record is removed and its lock released.
        self.old.flush()
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
    fn the_size_is_added_to_the_name_if_there_are_several() {
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
    fn a_file_is_replaced_when_its_picture_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("m.png"), folder.path().join("link.png"));
        std::fs::write(&path, "old").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let picture = PictureFile { path: link.clone(), most: 9, named_by_size: false };
        let painted =
            || picture.paint(OutputTarget::create(&link).unwrap(), Some(1)).unwrap().into_parts().writer.unwrap();
        let mut half = painted();
        half.write_all(b"1\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        drop(half);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        let mut whole = painted();
        whole.write_all(b"1\n").unwrap();
        whole.flush().unwrap();
        assert!(std::fs::read(&path).unwrap().starts_with(b"\x89PNG") && link.is_symlink());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_picture_needs_a_size() {
        let file = PictureFile { path: "m.png".into(), most: 9, named_by_size: true };
        assert!(file.paint(OutputTarget::nothing(), Some(3)).is_err(), "and somewhere to go");
        let target = || OutputTarget::writer("m.png", Box::new(io::sink()));
        let error = file.paint(target(), None).err().unwrap().to_string();
        assert!(error.contains("needs a size"), "{error}");
        assert!(file.paint(target(), Some(3)).is_ok());
    }
}
