//! Replaces a file in one step: the new content is written to a file beside it,
//! which is then renamed, so that readers always see a complete file.

use procession_sys::{AtomicFile, refuse_foreign_links};
use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A file that can be written.
#[derive(Debug)]
pub(super) struct FileTarget {
    /// The path as it was given.
    given: PathBuf,
    /// The path with links resolved.
    file: PathBuf,
    /// Whether it is not a regular file (a device, a pipe): it is written directly.
    is_special: bool,
}

impl FileTarget {
    /// Checks that this file can be replaced. Links of other users are refused.
    pub(super) fn check(given: &Path) -> io::Result<Self> {
        refuse_foreign_links(given)?;
        let file = given.canonicalize().unwrap_or_else(|_| given.to_owned());
        let is_special = match fs::metadata(&file) {
            Ok(there) if there.is_dir() => return Err(ErrorKind::IsADirectory.into()),
            Ok(there) => !there.is_file(),
            Err(_) => false,
        };
        let target = Self { given: given.to_owned(), file, is_special };
        if !is_special {
            if target.file.exists() {
                // Only who may change the file may replace it.
                OpenOptions::new().write(true).open(&target.file)?;
            }
            drop(AtomicFile::new(&target.file)?);
        }
        Ok(target)
    }

    /// The path as it was given.
    pub(super) fn path(&self) -> &Path {
        &self.given
    }

    /// Replaces the content of the file.
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
    fn a_file_is_replaced_completely_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        symlink(&file, &link).unwrap();
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let target = FileTarget::check(&link).unwrap();
        let failed = target.replace(|out| {
            out.write_all(b"half")?;
            Err("no more".into())
        });
        assert_eq!(failed.unwrap_err().to_string(), "no more");
        assert_eq!(
            (fs::read(&file).unwrap(), names(dir.path())),
            (b"old".to_vec(), vec!["file".into(), "link".into()])
        );
        target.replace(|out| Ok(out.write_all(b"new")?)).unwrap();
        assert_eq!((fs::read(&file).unwrap(), names(dir.path()).len()), (b"new".to_vec(), 2));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn checking_a_file_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        FileTarget::check(&dir.path().join("new")).unwrap();
        assert_eq!(names(dir.path()), [""; 0]);
        assert_eq!(FileTarget::check(dir.path()).unwrap_err().kind(), ErrorKind::IsADirectory);
        assert!(FileTarget::check(&dir.path().join("none/new")).is_err());
        assert!(FileTarget::check(Path::new("/dev/null")).unwrap().is_special);
    }
}
