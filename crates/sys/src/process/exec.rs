//! The child's side of a program's start: from the clone to `execve`.
//!
//! Until it executes the program, the child shares its parent's memory while the
//! parent's thread is suspended (vfork). So nothing is copied, however large the
//! parent is, and the child can still request the parent-death signal, which
//! only the child itself can do.
//!
//! The few lines that the child runs make system calls and nothing else. No
//! signal handler of the parent runs in the child: all signals stay blocked
//! until the handlers are removed.

use super::exit::reap;
use super::strangers::starting;
use nix::errno::Errno;
use nix::libc::{self, c_char, c_int, c_void};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;
use std::ffi::CString;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

/// The child's stack, in words of 16 bytes. The child needs a fraction of it.
pub(super) const STACK_WORDS: usize = 4096;
/// The highest signal number of Linux.
const LAST_SIGNAL: c_int = 64;

/// What the child has to do; the child reads this in its parent's memory.
pub(super) struct ExecPlan<'a> {
    /// The paths to try, in this order.
    pub(super) paths: &'a [CString],
    pub(super) args: &'a [*const c_char],
    pub(super) env: &'a [*const c_char],
    /// The descriptors that become standard input, output and error.
    pub(super) standard: [c_int; 3],
    /// The parent's controlling terminal, which the program must not have.
    pub(super) terminal: Option<c_int>,
    pub(super) parent: libc::pid_t,
    /// The error number of the step that failed; 0 if none did.
    pub(super) errno: AtomicI32,
}

impl ExecPlan<'_> {
    /// Executes the program; returns only if that fails, with the reason.
    ///
    /// Runs in the child, in its parent's memory: no allocation, no lock, no panic.
    fn carry_out(&self) -> Errno {
        self.prepare().map_or_else(|errno| errno, |()| self.execute())
    }

    fn prepare(&self) -> Result<(), Errno> {
        // SAFETY: system calls that take and return plain numbers.
        unsafe {
            Errno::result(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))?;
            // A parent that died before the request causes no signal.
            if libc::getppid() != self.parent {
                return Err(Errno::ESRCH);
            }
            if let Some(terminal) = self.terminal {
                // An error means that the parent has lost the terminal meanwhile.
                libc::ioctl(terminal, libc::TIOCNOTTY);
            }
            for (from, to) in self.standard.into_iter().zip(0..) {
                // The source descriptors are above the standard ones.
                Errno::result(libc::dup2(from, to))?;
            }
            // Descriptors that this process has inherited are none of the program's. A
            // kernel that does not know the call leaves them open.
            libc::syscall(libc::SYS_close_range, self.standard.len(), libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
        }
        reset_signals();
        SigSet::empty().thread_set_mask()
    }

    /// Works like `execvp`: goes on to the next path if nothing is there, and
    /// remembers that a file was found that may not be executed.
    fn execute(&self) -> Errno {
        let mut reason = Errno::ENOENT;
        for path in self.paths {
            // SAFETY: strings that end in NUL, and lists of such strings that end in a null pointer.
            unsafe { libc::execve(path.as_ptr(), self.args.as_ptr(), self.env.as_ptr()) };
            match Errno::last() {
                Errno::EACCES => reason = Errno::EACCES,
                Errno::ENOENT | Errno::ENOTDIR => {}
                other => return other,
            }
        }
        reason
    }
}

/// Removes the parent's signal handlers before a signal can arrive. A signal
/// that is ignored stays ignored in the program, except SIGPIPE, which Rust
/// programs ignore for themselves.
fn reset_signals() {
    // SAFETY: sigaction is plain data for which all zeroes is a value: the default action.
    let default: libc::sigaction = unsafe { std::mem::zeroed() };
    for signal in 1..=LAST_SIGNAL {
        let mut current = default;
        // SAFETY: the call writes the current action to a local.
        let asked = unsafe { libc::sigaction(signal, ptr::null(), &raw mut current) };
        let is_ignored = current.sa_sigaction == libc::SIG_IGN && signal != libc::SIGPIPE;
        if asked == 0 && current.sa_sigaction != libc::SIG_DFL && !is_ignored {
            // SAFETY: the default action runs no code of ours; the table of actions is the child's own.
            unsafe { libc::sigaction(signal, &raw const default, ptr::null_mut()) };
        }
    }
}

extern "C" fn child(plan: *mut c_void) -> c_int {
    // SAFETY: the parent passes a pointer to its plan, and stays suspended until this process no longer uses it.
    let plan = unsafe { &*plan.cast_const().cast::<ExecPlan<'_>>() };
    let reason = plan.carry_out();
    plan.errno.store(reason as i32, Ordering::Relaxed);
    127
}

/// Starts a child that carries out the plan on this stack. Returns once the
/// child has executed the program, has failed to, or is dead.
pub(super) fn clone_with(plan: &ExecPlan<'_>, stack: &mut [u128]) -> io::Result<(Pid, OwnedFd)> {
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD;
    let mut exit: c_int = -1;
    let top = stack.as_mut_ptr_range().end.cast::<c_void>();
    let plan = ptr::from_ref(plan).cast_mut().cast::<c_void>();
    let starting = starting();
    // SAFETY: the stack belongs to this call alone, is aligned, and is far larger
    // than the child needs. The child only reads the plan, except for one atomic
    // number in it. Neither is touched here before the child has its own memory
    // or is gone, because the call returns only then. All signals are blocked, so
    // no handler runs in the shared memory.
    let pid = unsafe { libc::clone(child, top, flags, plan, &raw mut exit) };
    if pid < 0 {
        return Err(io::Error::last_os_error());
    }
    let pid = Pid::from_raw(pid);
    starting.started(pid);
    if exit < 0 {
        // A kernel that does not know the flag ignores it.
        let _ = kill(pid, Signal::SIGKILL);
        let _ = reap(pid, 0);
        return Err(io::Error::new(io::ErrorKind::Unsupported, "its end cannot be watched (CLONE_PIDFD)"));
    }
    // SAFETY: the call has just created this descriptor (close-on-exec), and nothing else owns it.
    Ok((pid, unsafe { OwnedFd::from_raw_fd(exit) }))
}
