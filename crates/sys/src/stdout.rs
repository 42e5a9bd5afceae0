//! The standard output of a program: whether it was open at the start, and its
//! redirection.
//!
//! If a program is started without a standard output (`>&-` in a shell), Rust's
//! runtime opens `/dev/null` in its place before `main`, so that no other file
//! takes the descriptor 1. Results would then vanish without an error. Therefore
//! the descriptor is checked earlier: by a function that runs before Rust's
//! runtime.

use nix::libc;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether this program was started without a standard output.
static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

// SAFETY: the section holds pointers to functions that the program's start calls
// once each, in its only thread. This function needs nothing that is set up later.
#[unsafe(link_section = ".init_array")]
#[used]
static CHECK: extern "C" fn() = check_at_start;

extern "C" fn check_at_start() {
    // SAFETY: reading a descriptor's flags changes nothing.
    let flags = unsafe { libc::fcntl(1, libc::F_GETFD) };
    WAS_CLOSED.store(flags < 0, Ordering::Relaxed);
}

/// Fails if this program was started without a standard output.
///
/// # Errors
/// That of a write to a descriptor that is not open.
pub fn check_stdout() -> io::Result<()> {
    if WAS_CLOSED.load(Ordering::Relaxed) { Err(io::Error::from_raw_os_error(libc::EBADF)) } else { Ok(()) }
}

/// Redirects everything that this process prints to standard error. For programs
/// that keep another descriptor of their standard output.
///
/// # Errors
/// The system call failed.
pub fn divert_stdout() -> io::Result<()> {
    // SAFETY: dup2 replaces standard output; no object owns that descriptor.
    let result = unsafe { libc::dup2(2, 1) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// Tells the test's second process what to expect: see below.
    const ASKED: &str = "PROCESSION_SYS_CHECKS_STDOUT";

    #[test]
    fn a_closed_standard_output_is_distinguished_from_an_open_one() {
        if std::env::var_os(ASKED).is_some() {
            assert_eq!(check_stdout().is_err(), std::env::var_os(ASKED).is_some_and(|value| value == "closed"));
            return;
        }
        let name = "stdout::tests::a_closed_standard_output_is_distinguished_from_an_open_one";
        for (redirected, state) in [(">&-", "closed"), (">/dev/null", "open"), ("1<>/dev/null", "open")] {
            let program = std::env::current_exe().unwrap();
            let line = format!("exec \"$0\" --exact {name} {redirected}");
            let status = Command::new("sh").args(["-c", &line]).arg(program).env(ASKED, state).status().unwrap();
            assert!(status.success(), "{redirected}");
        }
    }
}
