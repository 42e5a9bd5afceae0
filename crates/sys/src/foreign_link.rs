//! Symbolic links of other users: a file that is written through one would be where
//! its owner wants it, in a shared folder such as `/tmp`.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Refuses a path that leads through a symbolic link of another user. Links of root
/// are followed: they belong to the system.
///
/// # Errors
/// Which link it is. What can't be looked at is not an error here.
pub fn refuse_foreign_links(path: &Path) -> io::Result<()> {
    refuse(path, nix::unistd::geteuid().as_raw())
}

fn refuse(path: &Path, own: u32) -> io::Result<()> {
    // A path without a root begins in the current folder, which is not looked at.
    for part in path.ancestors().filter(|part| !part.as_os_str().is_empty()) {
        let Ok(about) = fs::symlink_metadata(part) else { continue };
        if about.is_symlink() && ![0, own].contains(&about.uid()) {
            let text = format!("{} is a symbolic link of another user", part.display());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{lchown, symlink};

    #[test]
    fn links_of_other_users_are_refused_anywhere_in_a_path() {
        let folder = tempfile::tempdir().unwrap();
        let (link, real) = (folder.path().join("link"), folder.path().join("real"));
        fs::create_dir(&real).unwrap();
        symlink(&real, &link).unwrap();
        let own = fs::symlink_metadata(&link).unwrap().uid();
        assert!(refuse(&link, own).is_ok() && refuse(&link.join("new"), own).is_ok());
        if own == 0 {
            // Links of root are followed: here it needs one of somebody else.
            lchown(&link, Some(12345), None).unwrap();
        }
        for path in [link.clone(), link.join("new"), link.join("a/b")] {
            let error = refuse(&path, own + 1).unwrap_err();
            assert!(error.to_string().ends_with("link is a symbolic link of another user"), "{error}");
        }
        assert!(refuse(&real.join("new"), own + 1).is_ok() && refuse(Path::new("x"), own).is_ok());
    }
}
