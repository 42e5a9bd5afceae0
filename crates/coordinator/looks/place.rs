//! Where a file goes, and how it is replaced: beside it, then in its place, so
//! that whoever looks at it meanwhile sees one that is whole.

use procession_sys::AtomicFile;
use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A place that can be written.
#[derive(Debug)]
pub(super) struct Place {
    /// As it was given.
    given: PathBuf,
    /// The file that a link there leads to.
    file: PathBuf,
    /// Whether it is something else than a file: written as it is.
    is_special: bool,
}

impl Place {
    /// Tries out whether a file here could be replaced.
    pub(super) fn check(given: &Path) -> io::Result<Self> {
        let file = given.canonicalize().unwrap_or_else(|_| given.to_owned());
        let is_special = match fs::metadata(&file) {
            Ok(there) if there.is_dir() => return Err(ErrorKind::IsADirectory.into()),
            Ok(there) => !there.is_file(),
            Err(_) => false,
        };
        let place = Self { given: given.to_owned(), file, is_special };
        if !is_special {
            if place.file.exists() {
                // What is there is replaced only by who could have changed it.
                OpenOptions::new().write(true).open(&place.file)?;
            }
            drop(AtomicFile::new(&place.file)?);
        }
        Ok(place)
    }

    /// As it was given.
    pub(super) fn path(&self) -> &Path {
        &self.given
    }

    /// Writes the file anew.
    pub(super) fn replace(
        &self,
        write: impl FnOnce(&mut dyn Write) -> Result<(), Box<dyn Error>>,
    ) -> Result<(), Box<dyn Error>> {
        if self.is_special {
            return fill(&mut OpenOptions::new().write(true).open(&self.file)?, write);
        }
        let mut file = AtomicFile::new(&self.file)?;
        fill(&mut file, write)?;
        Ok(file.replace()?)
    }
}

fn fill(
    file: &mut dyn Write,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut out = BufWriter::with_capacity(256 << 10, file);
    write(&mut out)?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        symlink(&file, &link).unwrap();
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let place = Place::check(&link).unwrap();
        let failed = place.replace(|out| {
            out.write_all(b"half")?;
            Err("no more".into())
        });
        assert_eq!(failed.unwrap_err().to_string(), "no more");
        assert_eq!(
            (fs::read(&file).unwrap(), names(dir.path())),
            (b"old".to_vec(), vec!["file".into(), "link".into()])
        );
        place.replace(|out| Ok(out.write_all(b"new")?)).unwrap();
        assert_eq!((fs::read(&file).unwrap(), names(dir.path()).len()), (b"new".to_vec(), 2));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn a_place_is_tried_out_and_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        Place::check(&dir.path().join("new")).unwrap();
        assert_eq!(names(dir.path()), [""; 0]);
        assert_eq!(Place::check(dir.path()).unwrap_err().kind(), ErrorKind::IsADirectory);
        assert!(Place::check(&dir.path().join("none/new")).is_err());
        assert!(Place::check(Path::new("/dev/null")).unwrap().is_special);
    }
}
