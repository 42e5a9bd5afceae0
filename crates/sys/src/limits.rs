//! What a process may have: the limit on its memory, and what is done when an
//! allocation is refused because of it.
//!
//! The limit is `RLIMIT_DATA`: it counts what a process may write to and has for
//! itself, mapped memory too (since Linux 4.7), and not the programs and
//! libraries that are mapped as well. Programs that the process starts inherit
//! it, each for itself.

use nix::libc;
use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is free below a limit at least: without it nothing could begin.
const ROOM: u64 = 2 << 20;

/// Why memory can't be limited.
#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    /// The limit was set, and more was given all the same.
    #[error("this system does not enforce it (RLIMIT_DATA)")]
    NotEnforced,
    /// The process has about as much already.
    #[error("it is too small: a worker needs some {} MiB for itself", .0.div_ceil(1 << 20))]
    TooSmall(u64),
    /// The system refused it.
    #[error("the system refused it: {0}")]
    System(#[from] io::Error),
}

/// Whether this process has a limit that we set.
static LIMITED: AtomicBool = AtomicBool::new(false);

/// Limits this process's memory to so many bytes, what it has already included,
/// or lifts the limit. Where a stricter one is in force that can't be lifted,
/// that one stays.
///
/// # Errors
/// A limit that the system does not enforce, or that leaves nothing to work
/// with; then none was set.
pub fn limit_memory(bytes: Option<u64>) -> Result<(), LimitError> {
    let (_, hard) = getrlimit(Resource::RLIMIT_DATA).map_err(io::Error::from)?;
    let Some(bytes) = bytes else {
        LIMITED.store(false, Ordering::Relaxed);
        return Ok(setrlimit(Resource::RLIMIT_DATA, hard, hard).map_err(io::Error::from)?);
    };
    if bytes == 0 {
        // The system takes it for none at all.
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

/// Takes the limit of its own away from this process, as far as it may.
fn lift() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_DATA) {
        // Whoever calls this is about to end, or to say that it failed.
        let _ = setrlimit(Resource::RLIMIT_DATA, hard, hard);
    }
}

/// Whether the system gives so much memory. None of it is touched.
fn is_given(bytes: u64) -> bool {
    let Ok(length) = usize::try_from(bytes) else { return false };
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping, wherever there is room: it replaces nothing.
    let mapped = unsafe { libc::mmap(ptr::null_mut(), length, protection, flags, -1, 0) };
    if mapped == libc::MAP_FAILED {
        return false;
    }
    // SAFETY: exactly what was just mapped, which nobody else knows.
    unsafe { libc::munmap(mapped, length) };
    true
}

/// What counts against the limit now, in bytes; 0 without `/proc`.
fn in_use() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:"));
    line.and_then(|rest| rest.trim().strip_suffix(" kB")).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// Ends this process at once: nothing is run, written or released on the way.
pub fn end_now(status: i32) -> ! {
    // SAFETY: the call does not return, and touches nothing of ours.
    unsafe { libc::_exit(status) }
}

/// Ends this process at once by this signal, as if it had come from elsewhere,
/// without a core file: what has died and is to be told of is somebody else.
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
    // A signal that ends nobody, or that this system does not know.
    end_now(128 + signal)
}

/// The system's allocator, but for this: in a process with a limit of its own
/// ([`limit_memory`]), an allocation that is refused is its end. The last words
/// that were prepared ([`on_out_of_memory`]) are said first.
///
/// That holds for allocations that may fail, too (`try_reserve`): a limit means
/// that an item which wants more ends there, the same in whatever way its task
/// asks. Without a limit all is as the system's allocator has it. What a C
/// library allocates by itself does not pass here.
///
/// ```
/// #[global_allocator]
/// static MEMORY: procession_sys::WorkerAllocator = procession_sys::WorkerAllocator;
/// # fn main() {}
/// ```
#[derive(Clone, Copy, Debug)]
pub struct WorkerAllocator;

/// What is done when memory is refused.
type LastWords = Box<dyn Fn() + Send + Sync>;

static LAST_WORDS: OnceLock<(LastWords, i32)> = OnceLock::new();

/// Prepares what is done when memory is refused to a process with a limit, and
/// the status it ends with then. They may allocate: the limit is lifted before.
/// Only the first call counts.
pub fn on_out_of_memory(last_words: LastWords, status: i32) {
    // Set already: the first ones stay.
    let _ = LAST_WORDS.set((last_words, status));
}

thread_local! {
    /// Whether this thread is saying the last words.
    static SPEAKING: Cell<bool> = const { Cell::new(false) };
}

/// An allocation was refused.
#[cold]
fn on_refused() {
    let Some((last_words, status)) = LAST_WORDS.get() else { return };
    // A thread that is saying the last words and is refused even now has to
    // fail as anything fails without memory.
    if !LIMITED.load(Ordering::Relaxed) || SPEAKING.get() {
        return;
    }
    lift_limits_for_exit();
    last_words();
    end_now(*status);
}

/// Makes the caller the thread that ends this process: from here on it may have
/// what memory it needs, and whoever else is refused some waits for the end
/// instead of saying the last words. Does not return if another thread is at it.
pub fn lift_limits_for_exit() {
    static BEGUN: AtomicBool = AtomicBool::new(false);
    if BEGUN.swap(true, Ordering::Relaxed) {
        // All will end with that one.
        loop {
            std::thread::park();
        }
    }
    SPEAKING.set(true);
    lift();
}

#[inline]
fn noticed(memory: *mut u8) -> *mut u8 {
    if memory.is_null() {
        on_refused();
    }
    memory
}

// SAFETY: every call is passed on to the system's allocator as it is, and what
// comes back is handed on; in between, nothing is allocated unless the process
// is about to end.
unsafe impl GlobalAlloc for WorkerAllocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        noticed(unsafe { System.alloc(layout) })
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        noticed(unsafe { System.alloc_zeroed(layout) })
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        noticed(unsafe { System.realloc(memory, layout, size) })
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

    /// Runs one of the tests below in a process of its own, where it can do as
    /// it likes; returns how it ended and what it wrote to its errors.
    fn alone(test: &str) -> (Ended, String) {
        let program = std::env::current_exe().unwrap();
        let args = ["--exact", &format!("limits::tests::{test}"), "--ignored", "--nocapture"].map(Into::into);
        let mut child = Spawned::start(&program, &args).unwrap();
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
    fn wants_more_than_it_may() {
        on_out_of_memory(Box::new(|| drop(writeln!(io::stderr(), "{}", "last words ".repeat(3)))), 97);
        limit_memory(Some(64 << 20)).unwrap();
        let little = vec![1u8; 1 << 20];
        let mut much: Vec<u8> = Vec::new();
        // Not even an allocation that may fail comes back.
        let given = much.try_reserve(128 << 20).is_ok();
        panic!("{given} {}", little.len());
    }

    #[test]
    fn a_refused_allocation_is_the_end_after_the_last_words() {
        let (ended, said) = alone("wants_more_than_it_may");
        assert_eq!(ended, Ended::Status(97), "{said}");
        assert!(said.contains("last words last words"), "{said}");
    }

    #[test]
    #[ignore = "the process of a test below"]
    fn lifts_its_limit() {
        on_out_of_memory(Box::new(|| ()), 97);
        limit_memory(Some(64 << 20)).unwrap();
        limit_memory(None).unwrap();
        assert_eq!(vec![1u8; 128 << 20].len(), 128 << 20);
        // Without a limit a refusal can be asked for.
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
                // More than there is, whatever the limit.
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
    fn who_ends_the_process_has_room_and_is_not_overtaken() {
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
    fn too_small_a_limit_is_refused() {
        assert_eq!(alone("has_too_small_a_limit").0, Ended::Status(0));
    }
}
