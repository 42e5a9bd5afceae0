//! Temporary files of processes that were killed.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

/// The folders that this process has looked through.
static SEEN: LazyLock<Mutex<HashSet<PathBuf>>> = LazyLock::new(Mutex::default);

/// Locks a new temporary file, so that no other process takes it for a leftover.
/// Returns whether it is still there. On a file system without locks nothing is ever
/// taken for a leftover.
pub(super) fn keep(file: &File) -> bool {
    !matches!(file.try_lock(), Err(TryLockError::WouldBlock)) && file.metadata().is_ok_and(|about| about.nlink() > 0)
}

/// Removes the leftovers in a folder, if this process has not done that before.
pub(super) fn remove_once(folder: &Path) {
    let is_new = || SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned());
    if is_new() {
        remove(folder);
    }
}

/// Removes the leftovers in a folder. Errors are ignored: a leftover does no harm.
fn remove(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_temporary) && is_left(&entry.path()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a name is one that `AtomicFile` gives: `.procession-<pid>-<n>.new`.
fn is_temporary(name: &str) -> bool {
    let numbers = name.strip_prefix(".procession-").and_then(|name| name.strip_suffix(".new"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.and_then(|numbers| numbers.split_once('-')).is_some_and(|(pid, count)| is_number(pid) && is_number(count))
}

/// Whether this is a regular file of this user that nobody writes.
fn is_left(path: &Path) -> bool {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let Ok(file) = OpenOptions::new().write(true).custom_flags(flags).open(path) else { return false };
    let is_ours = |about: fs::Metadata| about.is_file() && about.uid() == nix::unistd::geteuid().as_raw();
    file.metadata().is_ok_and(is_ours) && file.try_lock().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AtomicFile;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_files_that_nobody_writes_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let written = AtomicFile::new(&path("out")).unwrap();
        fs::write(path(".procession-1-0.new"), "half").unwrap();
        for other in [".procession-1-x.new", ".procession-1.new", "procession-1-0.new", ".procession-1-0.new.old"] {
            fs::write(path(other), "other").unwrap();
        }
        symlink(path(".procession-1-x.new"), path(".procession-2-0.new")).unwrap();
        remove(folder.path());
        assert!(!path(".procession-1-0.new").exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 6, "the written one, four others and the link");
        drop(written);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5);
    }

    #[test]
    fn a_folder_is_looked_through_once() {
        let folder = tempfile::tempdir().unwrap();
        let leftover = folder.path().join(".procession-1-0.new");
        for is_removed in [true, false] {
            fs::write(&leftover, "half").unwrap();
            drop(AtomicFile::new(&folder.path().join("out")).unwrap());
            assert_eq!(leftover.exists(), !is_removed);
        }
    }

    #[test]
    fn a_file_that_was_taken_for_a_leftover_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let file = File::create(&path).unwrap();
        let other = File::create(&path).unwrap();
        other.try_lock().unwrap();
        assert!(!keep(&file), "locked");
        fs::remove_file(&path).unwrap();
        drop(other);
        assert!(!keep(&file), "removed");
        assert!(keep(&File::create(&path).unwrap()));
    }
}
