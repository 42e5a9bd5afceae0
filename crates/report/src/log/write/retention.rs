//! Removes old default log folders. The newest ones are kept up to a number and a
//! total size, and so are all that are in use.

use crate::log::private_file::{create_folders, open_file, replace_file};
use crate::text::utc;
use std::ffi::OsString;
use std::fs::{self, TryLockError};
use std::io::{self, Read as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Name of the file that is locked while a folder is in use.
pub(super) const LOCK: &str = "lock";
/// Most default log folders that are kept.
pub(crate) const KEEP_FOLDERS: usize = 20;
/// Most bytes that these folders may have together.
pub(crate) const KEEP_BYTES: u64 = 2 << 30;
/// Most bytes of the record of a given folder: more than any path has.
const MOST_GIVEN: u64 = 16 << 10;

/// The log folders in `root`, newest first. Other entries are ignored.
pub(crate) fn folders(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_dir() && name.to_str().is_some_and(is_ours) {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names.into_iter().rev().map(|name| root.join(name)).collect())
}

/// The record of the last given folder: the time of its call, formatted as in the
/// names of default folders, and in the next line its path.
const GIVEN: &str = "given.txt";

/// Records the folder of a log that begins now and is not in `root`.
pub(crate) fn remember(root: &Path, folder: &Path) -> io::Result<()> {
    create_folders(root)?;
    let mut text = utc::folder_stamp(SystemTime::now()).into_bytes();
    text.push(b'\n');
    text.extend_from_slice(folder.canonicalize()?.as_os_str().as_bytes());
    replace_file(&root.join(GIVEN), &text)
}

/// Reads that record: time and path.
pub(crate) fn remembered(root: &Path) -> Option<(String, PathBuf)> {
    let mut text = Vec::new();
    open_file(&root.join(GIVEN)).ok()?.take(MOST_GIVEN).read_to_end(&mut text).ok()?;
    let end = text.iter().position(|&byte| byte == b'\n')?;
    let stamp = String::from_utf8(text[..end].to_vec()).ok()?;
    Some((stamp, PathBuf::from(OsString::from_vec(text.split_off(end + 1)))))
}

/// Whether a name has the form `20260301T120000.250Z-4242`.
fn is_ours(name: &str) -> bool {
    let Some((stamp, pid)) = name.split_once('-') else { return false };
    let pattern = b"ddddddddTdddddd.dddZ";
    let fits = |(&byte, &wanted): (&u8, &u8)| if wanted == b'd' { byte.is_ascii_digit() } else { byte == wanted };
    stamp.len() == pattern.len()
        && stamp.as_bytes().iter().zip(pattern).all(fits)
        && !pid.is_empty()
        && pid.bytes().all(|byte| byte.is_ascii_digit())
}

/// Removes old folders until at most `keep` are left with at most `max_bytes`. The
/// newest folder and those in use are kept. A folder that can't be removed is left
/// to the next call.
pub(crate) fn prune(root: &Path, keep: usize, max_bytes: u64) {
    let Ok(folders) = folders(root) else { return };
    let (mut kept, mut total) = (0, 0_u64);
    for folder in folders {
        let bytes = if kept < keep { size(&folder) } else { 0 };
        let fits = kept == 0 || (kept < keep && total.saturating_add(bytes) <= max_bytes);
        if fits || !remove(&folder) {
            kept += 1;
            total = total.saturating_add(bytes);
        }
    }
}

/// Removes a folder that is not in use.
fn remove(folder: &Path) -> bool {
    let lock = match open_file(&folder.join(LOCK)) {
        Ok(lock) => Some(lock),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(_) => return false,
    };
    if let Some(lock) = &lock
        && matches!(lock.try_lock(), Err(TryLockError::WouldBlock))
    {
        return false;
    }
    fs::remove_dir_all(folder).is_ok()
}

/// Whether a process holds this folder's lock.
pub(crate) fn is_in_use(folder: &Path) -> bool {
    open_file(&folder.join(LOCK)).is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Bytes of a call's folder: its files and those of its runs.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let of = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.flatten().map(of).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    fn make(root: &Path, at: usize, bytes: usize) -> PathBuf {
        let folder = root.join(format!("20260101T0000{at:02}.000Z-7"));
        fs::create_dir_all(folder.join("run-1")).unwrap();
        fs::write(folder.join("run-1/run.json"), vec![b' '; bytes]).unwrap();
        fs::write(folder.join(LOCK), "").unwrap();
        folder
    }

    fn left(root: &Path) -> Vec<usize> {
        let of = |folder: PathBuf| folder.file_name().unwrap().to_str().unwrap()[13..15].parse().unwrap();
        folders(root).unwrap().into_iter().map(of).collect()
    }

    #[test]
    fn the_newest_folders_are_kept() {
        let root = tempfile::tempdir().unwrap();
        for at in 0..21 {
            make(root.path(), at, 1);
        }
        prune(root.path(), KEEP_FOLDERS, KEEP_BYTES);
        assert_eq!(left(root.path()), (1..21).rev().collect::<Vec<_>>());
    }

    #[test]
    fn a_folder_in_use_is_kept_and_counted() {
        let root = tempfile::tempdir().unwrap();
        let oldest = make(root.path(), 0, 1);
        let lock = File::open(oldest.join(LOCK)).unwrap();
        lock.try_lock().unwrap();
        for at in 1..23 {
            make(root.path(), at, 1);
        }
        assert!(is_in_use(&oldest));
        prune(root.path(), 20, KEEP_BYTES);
        assert_eq!(left(root.path()), (3..23).rev().chain([0]).collect::<Vec<_>>());
        drop(lock);
        assert!(!is_in_use(&oldest));
        prune(root.path(), 20, KEEP_BYTES);
        assert_eq!(left(root.path()), (3..23).rev().collect::<Vec<_>>());
    }

    #[test]
    fn large_folders_are_removed_but_never_the_newest() {
        let root = tempfile::tempdir().unwrap();
        for (at, bytes) in [10, 10, 95, 10, 300].into_iter().enumerate() {
            make(root.path(), at, bytes);
        }
        prune(root.path(), 20, 400);
        assert_eq!(left(root.path()), [4, 3, 1, 0]);
        prune(root.path(), 20, 100);
        assert_eq!(left(root.path()), [4]);
    }

    #[test]
    fn other_entries_are_not_removed() {
        let root = tempfile::tempdir().unwrap();
        make(root.path(), 0, 1);
        for name in ["notes", "20260101T000000.000Z", "20260101T000000.000Z-x", "20260101T000000.000Zé-1"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        prune(root.path(), 0, 0);
        prune(root.path(), 1, 0);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 5);
    }

    #[test]
    fn symbolic_links_are_not_followed() {
        let (root, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(elsewhere.path().join("precious"), "x").unwrap();
        let old = make(root.path(), 0, 1);
        make(root.path(), 1, 1);
        std::os::unix::fs::symlink(elsewhere.path(), old.join("link")).unwrap();
        let link = root.path().join("20250101T000000.000Z-1");
        std::os::unix::fs::symlink(elsewhere.path(), &link).unwrap();
        prune(root.path(), 1, KEEP_BYTES);
        assert_eq!(left(root.path()), [1]);
        assert!(link.is_symlink());
        assert!(elsewhere.path().join("precious").exists());
    }
}
