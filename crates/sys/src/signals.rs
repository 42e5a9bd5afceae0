//! The signal settings that a process inherits from the process that started it.

use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use std::io;

/// Resets inherited settings that would change how a pool behaves: blocked
/// signals, and an ignored SIGCHLD (the kernel would then discard every exit
/// status). A write beyond the file size limit becomes an error like that of a
/// full disk; SIGXFSZ would kill the process.
///
/// For programs that own their process. A library must not change these.
///
/// # Errors
/// The system refused a change.
pub fn reset_inherited_signals() -> io::Result<()> {
    SigSet::empty().thread_set_mask()?;
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: the default action runs no code of ours.
    unsafe { sigaction(Signal::SIGCHLD, &default) }?;
    survive_file_size_limit()
}

/// Makes a write beyond the file size limit (`ulimit -f`) fail instead of
/// killing the process. A handler that does nothing is used because an ignored
/// signal would stay ignored in programs that this process starts; a handler
/// does not.
pub(crate) fn survive_file_size_limit() -> io::Result<()> {
    extern "C" fn nothing(_: i32) {}
    let survive =
        SigAction::new(SigHandler::Handler(nothing), SaFlags::SA_RESTART | SaFlags::SA_ONSTACK, SigSet::empty());
    // SAFETY: the handler does nothing, which is safe at any moment.
    unsafe { sigaction(Signal::SIGXFSZ, &survive) }?;
    Ok(())
}

/// Whether this process ignores the signal: SIGHUP if `nohup` started it,
/// SIGTSTP if no shell could resume it.
#[must_use]
pub fn ignores(signal: Signal) -> bool {
    // SAFETY: sigaction is plain data for which all zeroes is a value.
    let mut current: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: without a new action the call only writes the current one to a local.
    let asked = unsafe { libc::sigaction(signal as i32, std::ptr::null(), &raw mut current) };
    asked == 0 && current.sa_sigaction == libc::SIG_IGN
}
