//! The environment of the user's programs: that of this process, without what is
//! meant for the coordinator and the worker.

use procession_task::library_threads;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Names that begin with this belong to the coordinator and the worker. A program
/// finds only those that the worker sets for it, such as `PROCESSION_ITEM`: others
/// would be of the call that started the coordinator.
const OWN_PREFIX: &[u8] = b"PROCESSION_";

/// The variables that a program inherits, as `NAME=VALUE`, without those that are set
/// for it in `replaced`, and with the number of threads for its libraries and the mark
/// of the call.
pub(crate) fn inherited(replaced: &[&str]) -> Vec<CString> {
    let threads = library_threads::for_programs().into_iter().map(|(name, value)| (name.into(), value.into()));
    let is_kept = |(name, _): &(OsString, OsString)| {
        !name.as_bytes().starts_with(OWN_PREFIX) && replaced.iter().all(|replaced| name != replaced)
    };
    let variables = std::env::vars_os().filter(is_kept).chain(threads).filter_map(variable);
    variables.chain(procession_sys::program_mark()).collect()
}

fn variable((name, value): (OsString, OsString)) -> Option<CString> {
    let mut text = name.into_vec();
    text.push(b'=');
    text.extend(value.as_bytes());
    // The environment of a process holds no NUL.
    CString::new(text).ok()
}
