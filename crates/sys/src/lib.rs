//! What only the operating system can do: clocks, pipes, spawning, groups,
//! death, limits, descriptors.
//!
//! The one crate of the project that may hold `unsafe` code, so that all others
//! can forbid it. It decides nothing; it offers safe functions whose subtle
//! points are written down here, once. Linux only.

mod atomic_file;
mod child;
mod clock;
mod image;
mod limits;
mod pause;
mod pipe;
mod poll;
mod program;
mod stdout;
mod wake;
mod worker;

pub use atomic_file::{AtomicFile, remove_unfinished_files};
pub use child::{Ended, Place, Spawn, SpawnError, Spawned, Usage, thread_usage};
pub use clock::{Moment, coarse_ns, coarse_running_ns, monotonic_ns, running_moment, running_ns};
pub use image::{Address, Entry, ImageError, conjure};
pub use limits::{LimitError, Memory, begin_the_end, end_by, end_now, limit_memory, on_out_of_memory};
pub use pause::stop_self;
pub use pipe::unread_bytes;
pub use poll::{PollSet, Ready};
pub use program::{Input, Launcher, Program};
pub use stdout::{check_stdout, divert_stdout};
pub use wake::WakeUp;
pub use worker::{Protocol, SetupError, enter_worker, hostname, peak_memory, show_own_name};

pub use nix::sys::signal::Signal;

/// Sets back what this process may have inherited and what would change how a
/// pool behaves: blocked signals, and an ignored SIGCHLD (with which no exit
/// status could ever be had). A write beyond the file size limit becomes an
/// error like that of a full disk, where SIGXFSZ would kill. For programs that own their process; a library
/// leaves such things alone.
///
/// # Errors
/// What the system says.
pub fn reset_inherited_signals() -> std::io::Result<()> {
    use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, sigaction};
    SigSet::empty().thread_set_mask()?;
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: the default action runs no code of ours.
    unsafe { sigaction(Signal::SIGCHLD, &default) }?;
    survive_file_size_limit()
}

/// Makes a write beyond the file size limit (`ulimit -f`) fail, not kill. By a
/// handler that does nothing: what is ignored would stay ignored in programs
/// that this process starts, a handler does not.
pub(crate) fn survive_file_size_limit() -> std::io::Result<()> {
    use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, sigaction};
    extern "C" fn nothing(_: i32) {}
    let survive =
        SigAction::new(SigHandler::Handler(nothing), SaFlags::SA_RESTART | SaFlags::SA_ONSTACK, SigSet::empty());
    // SAFETY: the handler does nothing, which is safe at any moment.
    unsafe { sigaction(Signal::SIGXFSZ, &survive) }?;
    Ok(())
}

/// Whether this process ignores the signal: SIGHUP, when it was started by
/// `nohup`; SIGTSTP, when nobody is there who could let it go on.
#[must_use]
pub fn ignores(signal: Signal) -> bool {
    use nix::libc;
    // SAFETY: sigaction is plain data for which all zeroes is a value.
    let mut current: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: without a new action the call only writes the current one to a local.
    let asked = unsafe { libc::sigaction(signal as i32, std::ptr::null(), &raw mut current) };
    asked == 0 && current.sa_sigaction == libc::SIG_IGN
}
