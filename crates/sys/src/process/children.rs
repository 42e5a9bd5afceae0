//! The children of this process, and how they are ended with all their descendants.
//!
//! A child subreaper inherits the children of its descendants that end. So killing
//! its children again and again, until none is left, ends everything below it,
//! whatever process group or session it is in.
//!
//! A signal handler may call everything here: it makes system calls, and uses no
//! memory but the stack.
//!
//! The children are read from `/proc/self/task/TID/children`. A kernel without that
//! file (`CONFIG_PROC_CHILDREN`) shows none.

use crate::clock::monotonic_ns;
use nix::libc::{self, c_int, pid_t};
use nix::unistd::Pid;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// Bytes that are read at a time.
const PIECE: usize = 1024;
/// The longest name of a thread in `/proc`, `/children` and the end of a string included.
const LONGEST_NAME: usize = 32;
/// Where a directory entry has its length and its name.
const ENTRY_LENGTH: usize = 16;
const ENTRY_NAME: usize = 19;

/// A buffer that is aligned as the kernel's directory entries are.
#[repr(align(8))]
struct Piece([u8; PIECE]);

/// Opens a file or folder for reading.
fn open(folder: &impl AsRawFd, name: &CStr, flags: c_int) -> Option<OwnedFd> {
    // SAFETY: the name ends in NUL.
    let fd = unsafe { libc::openat(folder.as_raw_fd(), name.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC | flags) };
    // SAFETY: the call has just created this descriptor, and nothing else owns it.
    (fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A descriptor that is readable once the process has ended.
pub(super) fn pidfd_open(pid: Pid) -> io::Result<OwnedFd> {
    // SAFETY: the call takes a process id and flags and touches no memory of ours.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
    let Some(fd) = i32::try_from(fd).ok().filter(|&fd| fd >= 0) else {
        return Err(io::Error::last_os_error());
    };
    // SAFETY: the call has just created this descriptor (close-on-exec), and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Reads bytes, or directory entries; none at the end.
fn read<'a>(file: &OwnedFd, piece: &'a mut Piece, are_entries: bool) -> &'a [u8] {
    let Piece(bytes) = piece;
    // SAFETY: both calls write at most as many bytes as the buffer has.
    let read = unsafe {
        if are_entries {
            libc::syscall(libc::SYS_getdents64, file.as_raw_fd(), bytes.as_mut_ptr(), PIECE)
        } else {
            libc::read(file.as_raw_fd(), bytes.as_mut_ptr().cast(), PIECE) as i64
        }
    };
    &bytes[..usize::try_from(read).unwrap_or(0)]
}

/// Waits at most this long for the end of the process of this descriptor; returns
/// whether it has ended.
fn has_ended_within(process: &OwnedFd, wait: Duration) -> bool {
    let mut poll = libc::pollfd { fd: process.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let ms = c_int::try_from(wait.as_millis()).unwrap_or(c_int::MAX);
    // SAFETY: one descriptor, in a local.
    unsafe { libc::poll(&raw mut poll, 1, ms) > 0 }
}

fn send_kill(process: &OwnedFd) -> bool {
    let info = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: the call takes plain values; without information the kernel makes its own.
    unsafe { libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), libc::SIGKILL, info, 0) == 0 }
}

/// Calls `each` with the id of every child, also of those that have ended and are not
/// reaped. While other threads reap children, one may be passed over.
pub(super) fn each_child(mut each: impl FnMut(pid_t)) {
    let Some(tasks) = open(&libc::AT_FDCWD, c"/proc/self/task", libc::O_DIRECTORY) else { return };
    let mut piece = Piece([0; PIECE]);
    loop {
        let mut entries = read(&tasks, &mut piece, true);
        if entries.is_empty() {
            return;
        }
        while let Some((name, rest)) = first_entry(entries) {
            entries = rest;
            if name.first().is_some_and(u8::is_ascii_digit) {
                children_of_thread(&tasks, name, &mut each);
            }
        }
    }
}

/// The name of the first directory entry, and the entries after it.
fn first_entry(entries: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = entries.get(ENTRY_LENGTH..)?.first_chunk().copied().map(u16::from_ne_bytes)?;
    let (entry, rest) = entries.split_at_checked(usize::from(length))?;
    let name = CStr::from_bytes_until_nul(entry.get(ENTRY_NAME..)?).ok()?;
    Some((name.to_bytes(), rest))
}

/// The children that a thread has started or inherited.
fn children_of_thread(tasks: &OwnedFd, thread: &[u8], each: &mut impl FnMut(pid_t)) {
    const FILE: &[u8] = b"/children\0";
    let mut name = [0; LONGEST_NAME];
    let Some(path) = name.get_mut(..thread.len() + FILE.len()) else { return };
    path[..thread.len()].copy_from_slice(thread);
    path[thread.len()..].copy_from_slice(FILE);
    let Ok(path) = CStr::from_bytes_with_nul(path) else { return };
    let Some(file) = open(tasks, path, 0) else { return };
    let (mut piece, mut pid) = (Piece([0; PIECE]), 0);
    loop {
        let bytes = read(&file, &mut piece, false);
        if bytes.is_empty() {
            return;
        }
        for &byte in bytes {
            if byte.is_ascii_digit() {
                pid = pid * 10 + pid_t::from(byte - b'0');
            } else if pid != 0 {
                each(std::mem::take(&mut pid));
            }
        }
    }
}

/// Kills all children but those that are spared, and what was below them, until none
/// is left; gives up after `most`. A process that may not be killed stays.
///
/// This process must be a child subreaper, and must start no process meanwhile.
pub(super) fn end_children(is_spared: &dyn Fn(pid_t) -> bool, most: Duration) {
    let each_other = |end: &mut dyn FnMut(pid_t)| {
        each_child(|pid| {
            if !is_spared(pid) {
                end(pid);
            }
        });
    };
    kill_until_none(each_other, most);
}

/// Kills those whom `each` finds, again and again until it finds none that lives; gives
/// up after `most`.
pub(super) fn kill_until_none(each: impl Fn(&mut dyn FnMut(pid_t)), most: Duration) {
    let begun_ns = monotonic_ns();
    let left = || most.saturating_sub(Duration::from_nanos(monotonic_ns() - begun_ns));
    // One look may pass over a process whose neighbour is reaped at that moment.
    let mut empty_looks = 0;
    while empty_looks < 2 && !left().is_zero() {
        let mut killed = 0;
        each(&mut |pid| killed += u32::from(kill_living(pid)));
        if killed == 0 {
            empty_looks += 1;
            continue;
        }
        empty_looks = 0;
        // Who has been found only now is killed, too: it would be waited for in vain.
        each(&mut |pid| {
            if kill_living(pid) {
                await_end(pid, left());
            }
        });
    }
}

/// Kills a process unless it has ended; returns whether it was killed.
fn kill_living(pid: pid_t) -> bool {
    living(pid).is_some_and(|process| send_kill(&process))
}

/// Waits at most this long for the end of a process.
pub(super) fn await_end(pid: pid_t, most: Duration) {
    if let Some(process) = living(pid) {
        has_ended_within(&process, most);
    }
}

/// Whether a process lives. One that has ended and is not reaped does not.
pub(super) fn is_living(pid: pid_t) -> bool {
    living(pid).is_some()
}

fn living(pid: pid_t) -> Option<OwnedFd> {
    pidfd_open(Pid::from_raw(pid)).ok().filter(|process| !has_ended_within(process, Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn children_are_listed_whichever_thread_started_them() {
        let start = || Command::new("sleep").arg("1000").spawn().unwrap();
        let mut both = [start(), std::thread::spawn(start).join().unwrap()];
        let mut found = Vec::new();
        each_child(|pid| found.push(pid.unsigned_abs()));
        for child in &both {
            assert!(found.contains(&child.id()), "{found:?}");
            assert!(is_living(child.id().cast_signed()));
        }
        for child in &mut both {
            child.kill().unwrap();
            await_end(child.id().cast_signed(), Duration::from_secs(30));
            assert!(!is_living(child.id().cast_signed()), "it has ended and is not reaped");
            child.wait().unwrap();
        }
    }

    /// The process of the test below: starts a chain of processes in sessions of their
    /// own, and ends all of them but its spared child.
    #[test]
    #[ignore = "the process of the test below"]
    fn ends_what_it_started() {
        nix::sys::prctl::set_child_subreaper(true).unwrap();
        let mut spared = Command::new("sleep").arg("1000").spawn().unwrap();
        let script = "for n in 1 2 3; do setsid sh -c 'setsid sleep 1000 & sleep 1000; :' & done; echo; wait";
        let mut shell = Command::new("sh").args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
        io::Read::read_exact(&mut shell.stdout.take().unwrap(), &mut [0]).unwrap();
        end_children(&|pid| pid.unsigned_abs() == spared.id(), Duration::from_secs(30));
        let mut living = Vec::new();
        each_child(|pid| living.extend(is_living(pid).then_some(pid.unsigned_abs())));
        assert_eq!(living, [spared.id()]);
        end_children(&|_| false, Duration::from_secs(30));
        assert!(!is_living(spared.id().cast_signed()));
        spared.wait().unwrap();
        shell.wait().unwrap();
    }

    #[test]
    fn descendants_end_whatever_session_they_are_in() {
        let args = ["--exact", "process::children::tests::ends_what_it_started", "--ignored", "--nocapture"];
        let output = Command::new(std::env::current_exe().unwrap()).args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
