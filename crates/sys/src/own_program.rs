//! The path of this program's file, also where `/proc` is not mounted.

use nix::libc;
use std::ffi::{CStr, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// The path of this program's file. Without `/proc` it is the path by which the
/// program was executed: it may be a link, and it may be relative to the folder that
/// was current at the start.
///
/// # Errors
/// The system does not tell the path.
pub fn own_program() -> io::Result<PathBuf> {
    std::env::current_exe().or_else(|error| executed_path().ok_or(error))
}

/// The path that `execve` was given; the kernel notes it in each process.
fn executed_path() -> Option<PathBuf> {
    // SAFETY: the call reads a table that the kernel made for this process.
    let address = unsafe { libc::getauxval(libc::AT_EXECFN) };
    let path = std::ptr::with_exposed_provenance::<libc::c_char>(usize::try_from(address).ok()?);
    if path.is_null() {
        return None;
    }
    // SAFETY: the kernel placed a string there that ends in NUL; it is above the stack,
    // and nothing changes it.
    let path = unsafe { CStr::from_ptr(path) };
    Some(OsStr::from_bytes(path.to_bytes()).into())
}

/// Whether this program was started with more rights than its caller has: set-uid,
/// set-gid, or file capabilities (`AT_SECURE`).
#[must_use]
pub fn has_more_rights_than_caller() -> bool {
    // SAFETY: the call reads a number that the kernel has passed to this process.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sources_name_the_same_file() {
        let executed = executed_path().unwrap().canonicalize().unwrap();
        assert_eq!(executed, std::env::current_exe().unwrap().canonicalize().unwrap());
    }
}
