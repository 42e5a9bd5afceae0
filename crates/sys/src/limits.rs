//! The memory limit of a process, and what happens when an allocation is refused
//! because of it.
//!
//! The limit is `RLIMIT_DATA`. It counts the private writable memory of a process,
//! including mapped memory (since Linux 4.7), but not mapped programs and
//! libraries. Each program that the process starts inherits the limit for itself.

use nix::libc;
use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The memory that must be free below a limit, in bytes: a worker cannot begin with
/// less.
const ROOM: u64 = 2 << 20;

/// Why memory can't be limited.
#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    /// The limit was set, but the system still gave more memory.
    #[error("this system does not enforce it (RLIMIT_DATA)")]
    NotEnforced,
    /// The process uses about this much memory already.
    #[error("it is too small: a worker needs some {} MiB for itself", .0.div_ceil(1 << 20))]
    TooSmall(u64),
    /// The system refused it.
    #[error("the system refused it: {0}")]
    System(#[from] io::Error),
}

/// Whether this process has a limit that `limit_memory` set.
static LIMITED: AtomicBool = AtomicBool::new(false);

/// Limits this process's memory to this many bytes, including what it uses already,
/// or removes the limit. A stricter hard limit stays in force.
///
/// # Errors
/// The system does not enforce the limit, or the limit leaves no memory to work
/// with. Then no limit is set.
pub fn limit_memory(bytes: Option<u64>) -> Result<(), LimitError> {
    let (_, hard) = getrlimit(Resource::RLIMIT_DATA).map_err(io::Error::from)?;
    let Some(bytes) = bytes else {
        LIMITED.store(false, Ordering::Relaxed);
        return Ok(setrlimit(Resource::RLIMIT_DATA, hard, hard).map_err(io::Error::from)?);
    };
    if bytes == 0 {
        // The system treats 0 as no limit.
        return Err(LimitError::TooSmall(ROOM + in_use()));
    }
    let soft = hard.min(rlim_t::from(bytes));
    setrlimit(Resource::RLIMIT_DATA, soft, hard).map_err(io::Error::from)?;
    let tried = if is_given(soft) {
        Err(LimitError::NotEnforced)
    } else if is_given(ROOM) {
        Ok(())
    } else {
        Err(LimitError::TooSmall(ROOM + in_use()))
    };
    match tried {
        Ok(()) => LIMITED.store(true, Ordering::Relaxed),
        Err(_) => lift(),
    }
    tried
}

/// Removes this process's own limit, as far as the system permits.
fn lift() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_DATA) {
        // On failure nothing can be done: every caller is about to end or to report an
        // error.
        let _ = setrlimit(Resource::RLIMIT_DATA, hard, hard);
    }
}

/// Whether the system gives this much memory. No page of it is touched.
fn is_given(bytes: u64) -> bool {
    let Ok(length) = usize::try_from(bytes) else { return false };
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping at any free place: it replaces nothing.
    let mapped = unsafe { libc::mmap(ptr::null_mut(), length, protection, flags, -1, 0) };
    if mapped == libc::MAP_FAILED {
        return false;
    }
    // SAFETY: exactly the range that was just mapped; nothing else uses it.
    unsafe { libc::munmap(mapped, length) };
    true
}

/// The memory that counts against the limit, in bytes; 0 without `/proc`.
fn in_use() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:"));
    line.and_then(|rest| rest.trim().strip_suffix(" kB")).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// Ends this process at once: no code runs, nothing is written or released.
pub fn end_now(status: i32) -> ! {
    // SAFETY: the call does not return, and touches nothing of ours.
    unsafe { libc::_exit(status) }
}

/// Ends this process at once with this signal, as if another process had sent it.
/// No core file is written: the signal stands for the death of another process.
pub fn end_by(signal: i32) -> ! {
    use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction};
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    if let Ok(signal) = Signal::try_from(signal) {
        let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
        // SAFETY: the default action runs no code of ours.
        let _ = unsafe { sigaction(signal, &default) };
        let _ = SigSet::from(signal).thread_unblock();
        let _ = raise(signal);
    }
    // The signal does not end a process, or this system does not know it.
    end_now(128 + signal)
}

/// The system's allocator with one difference: in a process with a limit
/// ([`limit_memory`]), a refused allocation ends the process. The handler of
/// [`on_out_of_memory`] runs first.
///
/// This includes fallible allocations (`try_reserve`): an item that exceeds the
/// limit always ends there, however its task allocates. Without a limit the
/// behavior is that of the system's allocator. Allocations of C libraries do not
/// pass through here.
///
/// ```
/// #[global_allocator]
/// static MEMORY: procession_sys::WorkerAllocator =
/// procession_sys::WorkerAllocator;
/// # fn main() {}
/// ```
#[derive(Clone, Copy, Debug)]
pub struct WorkerAllocator;

/// Called when an allocation is refused.
type RefusalHandler = Box<dyn Fn() + Send + Sync>;

static HANDLER: OnceLock<(RefusalHandler, i32)> = OnceLock::new();

/// Sets the handler that runs when a process with a limit is refused memory, and
/// the status with which the process then exits. The handler may allocate: the
/// limit is removed before. Only the first call counts.
pub fn on_out_of_memory(handler: RefusalHandler, status: i32) {
    // Set already: the first handler stays.
    let _ = HANDLER.set((handler, status));
}

thread_local! {
    /// Whether this thread runs the handler.
    static IN_HANDLER: Cell<bool> = const { Cell::new(false) };
}

/// An allocation was refused.
#[cold]
fn on_refused() {
    let Some((handler, status)) = HANDLER.get() else { return };
    // If the handler's own thread is refused memory, the allocation fails as usual.
    if !LIMITED.load(Ordering::Relaxed) || IN_HANDLER.get() {
        return;
    }
    lift_limits_for_exit();
    handler();
    end_now(*status);
}

/// Makes the caller the thread that ends this process: its allocations are no
/// longer limited. A refused allocation in another thread then waits for the
/// process's end instead of calling the handler. Does not return if another thread
/// was first.
pub fn lift_limits_for_exit() {
    static BEGUN: AtomicBool = AtomicBool::new(false);
    if BEGUN.swap(true, Ordering::Relaxed) {
        // That other thread ends the process.
        loop {
            std::thread::park();
        }
    }
    IN_HANDLER.set(true);
    lift();
}

#[inline]
fn checked(memory: *mut u8) -> *mut u8 {
    if memory.is_null() {
        on_refused();
    }
    memory
}

// SAFETY: every call is passed to the system's allocator unchanged, and its result
// is returned. In between, nothing is allocated unless the process is about to
// end.
unsafe impl GlobalAlloc for WorkerAllocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller guarantees what the system's allocator requires.
        checked(unsafe { System.alloc(layout) })
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        checked(unsafe { System.alloc_zeroed(layout) })
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        checked(unsafe { System.realloc(memory, layout, size) })
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ended, PollSet, Spawned};
    use std::io::{Read, Write};

    #[global_allocator]
    static MEMORY: WorkerAllocator = WorkerAllocator;

    /// Runs one of the tests below in a process of its own; returns how the process
    /// ended and its standard error.
    fn alone(test: &str) -> (Ended, String) {
        let program = std::env::current_exe().unwrap();
        let args = ["--exact", &format!("limits::tests::{test}"), "--ignored", "--nocapture"].map(Into::into);
        let mut child = Spawned::start(&program, &args, &[]).unwrap();
        let mut set = PollSet::default();
        set.add(child.exit_fd(), 0, false);
        set.wait(None).unwrap();
        let (ended, _) = child.try_reap().unwrap();
        let mut said = String::new();
        child.stderr.as_ref().unwrap().read_to_string(&mut said).unwrap();
        (ended, said)
    }

    #[test]
    #[ignore = "the process of a test below"]
    fn exceeds_its_limit() {
        on_out_of_memory(Box::new(|| drop(writeln!(io::stderr(), "{}", "out of memory ".repeat(3)))), 97);
        limit_memory(Some(64 << 20)).unwrap();
        let little = vec![1u8; 1 << 20];
        let mut much: Vec<u8> = Vec::new();
        // Not even a fallible allocation returns.
        let given = much.try_reserve(128 << 20).is_ok();
        panic!("{given} {}", little.len());
    }

    #[test]
    fn a_refused_allocation_ends_the_process_after_its_handler() {
        let (ended, said) = alone("exceeds_its_limit");
        assert_eq!(ended, Ended::Status(97), "{said}");
        assert!(said.contains("out of memory out of memory"), "{said}");
    }

    #[test]
    #[ignore = "the process of a test below"]
    fn lifts_its_limit() {
        on_out_of_memory(Box::new(|| ()), 97);
        limit_memory(Some(64 << 20)).unwrap();
        limit_memory(None).unwrap();
        assert_eq!(vec![1u8; 128 << 20].len(), 128 << 20);
        // Without a limit a fallible allocation reports the failure.
        assert!(Vec::<u8>::new().try_reserve_exact(isize::MAX as usize).is_err());
        end_now(0);
    }

    #[test]
    fn a_limit_can_be_lifted() {
        assert_eq!(alone("lifts_its_limit").0, Ended::Status(0));
    }

    #[test]
    #[ignore = "the process of a test below"]
    fn ends_for_another_reason() {
        let (begun, refused) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
        on_out_of_memory(Box::new(|| ()), 97);
        limit_memory(Some(64 << 20)).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                begun.wait();
                refused.wait();
                // More than any system has, whatever the limit.
                drop(Vec::<u8>::new().try_reserve_exact(isize::MAX as usize));
                end_now(98);
            });
            lift_limits_for_exit();
            begun.wait();
            refused.wait();
            assert_eq!(vec![1u8; 128 << 20].len(), 128 << 20);
            end_now(0);
        });
    }

    #[test]
    fn the_thread_that_ends_the_process_has_memory_and_is_not_overtaken() {
        let (ended, said) = alone("ends_for_another_reason");
        assert_eq!(ended, Ended::Status(0), "{said}");
    }

    #[test]
    #[ignore = "the process of a test below"]
    fn has_too_small_a_limit() {
        let refused = limit_memory(Some(4096)).unwrap_err();
        assert!(matches!(refused, LimitError::TooSmall(_)), "{refused}");
        assert!(refused.to_string().contains("MiB for itself"), "{refused}");
        assert_eq!(vec![1u8; 16 << 20].len(), 16 << 20, "it is not in force");
        end_now(0);
    }

    #[test]
    fn a_limit_that_is_too_small_is_refused() {
        assert_eq!(alone("has_too_small_a_limit").0, Ended::Status(0));
    }
}
