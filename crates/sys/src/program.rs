//! A program that a worker runs for the user, once for each item: started as
//! cheaply as the system allows, and bound to the thread that starts it.
//!
//! Until it executes the program, the child shares its parent's memory while the
//! parent's thread stands still (vfork). So nothing is copied, however large the
//! parent is, and still the child can do for itself what nobody else can do for
//! it: ask for the parent-death signal. That follows the *thread* that starts the
//! program, and is lost if the program is one that changes its user (set-uid).
//!
//! What holds for the few lines that the child runs: they make system calls and
//! nothing else. No signal handler of the parent's runs in it, as all signals
//! are blocked until the handlers are gone.

use crate::child::{Ended, SpawnError, reap};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc::{self, c_char, c_int, c_void};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::unistd::{Pid, pipe2};
use std::ffi::{CString, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

/// Where programs are looked for when nobody says: as `execvp` does.
const DEFAULT_PATH: &str = "/bin:/usr/bin";
/// The child's stack, in words of 16 bytes. Its few lines need a fraction of it.
const STACK_WORDS: usize = 4096;
/// The highest signal of Linux.
const LAST_SIGNAL: c_int = 64;

/// Starts one and the same program again and again.
#[derive(Debug)]
pub struct Launcher {
    /// Where it may be, in the order in which these are tried.
    places: Vec<CString>,
    /// What it inherits of this process's environment.
    inherited: Vec<CString>,
    /// An input with nothing in it.
    nothing: File,
    stack: Vec<u128>,
}

/// What a program finds on its standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Nothing.
    Empty,
    /// What is written to [`Program::stdin`].
    Piped,
}

/// A program that was started, and this end of its pipes, all non-blocking.
///
/// Its outputs come to an end of file only after [`Self::let_outputs_end`], so
/// that nobody is woken by their end a moment before the program's own.
#[derive(Debug)]
pub struct Program {
    pid: Pid,
    /// Readable once it has ended.
    exit: OwnedFd,
    /// Writes to its standard input; to be dropped when there is no more.
    pub stdin: Option<File>,
    /// Reads its standard output.
    pub stdout: File,
    /// Reads its standard error.
    pub stderr: File,
    /// The other ends of its outputs, until these may end.
    held: Option<[OwnedFd; 2]>,
    reaped: bool,
}

impl Launcher {
    /// For a program that is looked for as `execvp` does: in PATH, unless its
    /// name has a slash. It inherits this process's environment but for these
    /// variables.
    ///
    /// # Errors
    /// A name that holds a NUL byte, or no descriptor for an empty input.
    pub fn new(program: &[u8], but: &[&str]) -> io::Result<Self> {
        let path = std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
        let kept = std::env::vars_os().filter(|(name, _)| but.iter().all(|but| name != but));
        Ok(Self {
            places: places(program, path.as_bytes())?,
            inherited: kept.filter_map(variable).collect(),
            nothing: File::open("/dev/null")?,
            stack: vec![0; STACK_WORDS],
        })
    }

    /// Starts it with these arguments, its own name among them, and these
    /// variables (`NAME=VALUE`) in its environment.
    ///
    /// # Errors
    /// Whatever kept it from starting; nothing is left behind.
    pub fn start(&mut self, args: &[CString], variables: &[CString], input: Input) -> Result<Program, SpawnError> {
        let (child_in, stdin) = match input {
            Input::Empty => (None, None),
            Input::Piped => {
                let (read, write) = pipe("no pipe for its input")?;
                (Some(read), Some(nonblocking(write)?))
            }
        };
        let (stdout, child_out) = pipe("no pipe for its output")?;
        let (stderr, child_err) = pipe("no pipe for its errors")?;
        let (stdout, stderr) = (nonblocking(stdout)?, nonblocking(stderr)?);
        let standard = [
            child_in.as_ref().map_or(self.nothing.as_raw_fd(), OwnedFd::as_raw_fd),
            child_out.as_raw_fd(),
            child_err.as_raw_fd(),
        ];
        let (pid, exit) = self.launch(args, variables, standard)?;
        Ok(Program { pid, exit, stdin, stdout, stderr, held: Some([child_out, child_err]), reaped: false })
    }

    fn launch(
        &mut self,
        args: &[CString],
        variables: &[CString],
        standard: [c_int; 3],
    ) -> Result<(Pid, OwnedFd), SpawnError> {
        let (args, env) = (pointers(args.iter()), pointers(self.inherited.iter().chain(variables)));
        let order = Order {
            places: &self.places,
            args: &args,
            env: &env,
            standard,
            parent: std::process::id().cast_signed(),
            refused: AtomicI32::new(0),
        };
        let before = SigSet::all()
            .thread_swap_mask(SigmaskHow::SIG_SETMASK)
            .map_err(|errno| SpawnError::new("signals cannot be blocked", errno.into()))?;
        let born = clone_with(&order, &mut self.stack);
        // It was a mask before, so it can be one again.
        let _ = before.thread_set_mask();
        let (pid, exit) = born.map_err(|source| SpawnError::new("cannot be started", source))?;
        match order.refused.load(Ordering::Relaxed) {
            0 => Ok((pid, exit)),
            errno => {
                let _ = reap(pid, 0);
                Err(refusal(errno))
            }
        }
    }
}

/// Where a program may be.
fn places(program: &[u8], path: &[u8]) -> io::Result<Vec<CString>> {
    if program.contains(&b'/') || program.is_empty() {
        return Ok(vec![CString::new(program)?]);
    }
    let in_folder = |folder: &[u8]| {
        let slash: &[u8] = if folder.is_empty() { b"" } else { b"/" };
        Ok(CString::new([folder, slash, program].concat())?)
    };
    path.split(|&byte| byte == b':').map(in_folder).collect()
}

fn variable((name, value): (OsString, OsString)) -> Option<CString> {
    let mut text = name.into_vec();
    text.push(b'=');
    text.extend(value.as_bytes());
    // The environment that a process has holds no NUL.
    CString::new(text).ok()
}

fn pipe(what: &'static str) -> Result<(OwnedFd, OwnedFd), SpawnError> {
    pipe2(OFlag::O_CLOEXEC).map_err(|errno| SpawnError::new(what, errno.into()))
}

/// Of a pipe that was just made: it has no other flags.
fn nonblocking(end: OwnedFd) -> Result<File, SpawnError> {
    fcntl(&end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
        .map_err(|errno| SpawnError::new("no non-blocking pipe", errno.into()))?;
    Ok(end.into())
}

fn pointers<'a>(strings: impl Iterator<Item = &'a CString>) -> Vec<*const c_char> {
    strings.map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

/// Why the system would not execute it, in words that say what to do.
fn refusal(errno: i32) -> SpawnError {
    let what = match Errno::from_raw(errno) {
        Errno::ENOENT => "cannot be found, or what its first line asks for cannot",
        Errno::EACCES => "may not be executed",
        Errno::ENOEXEC => "is nothing that this system can execute; a script begins with a line like #!/bin/sh",
        Errno::E2BIG => "cannot be given such long arguments",
        _ => "cannot be started",
    };
    SpawnError::new(what, io::Error::from_raw_os_error(errno))
}

/// What the child has to do; it reads this in its parent's memory.
struct Order<'a> {
    places: &'a [CString],
    args: &'a [*const c_char],
    env: &'a [*const c_char],
    /// What becomes its standard descriptors.
    standard: [c_int; 3],
    parent: libc::pid_t,
    /// Why it could not, as an error number of the system's; else 0.
    refused: AtomicI32,
}

impl Order<'_> {
    /// Becomes the program; returns only the reason why it can't.
    ///
    /// Runs in the child, with its parent's memory: no allocation, no lock, no panic.
    fn carry_out(&self) -> Errno {
        self.prepare().map_or_else(|errno| errno, |()| self.execute())
    }

    fn prepare(&self) -> Result<(), Errno> {
        // SAFETY: system calls that take and give plain numbers.
        unsafe {
            Errno::result(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))?;
            // Who died before could not be the reason of a signal.
            if libc::getppid() != self.parent {
                return Err(Errno::ESRCH);
            }
            for (from, to) in self.standard.into_iter().zip(0..) {
                // Those that were made for it are above the standard ones.
                Errno::result(libc::dup2(from, to))?;
            }
        }
        reset_signals();
        SigSet::empty().thread_set_mask()
    }

    /// As `execvp`: goes on to the next place where there is nothing, and
    /// remembers that something was there that it may not execute.
    fn execute(&self) -> Errno {
        let mut reason = Errno::ENOENT;
        for place in self.places {
            // SAFETY: strings that end in NUL, and lists of such that end in a null pointer.
            unsafe { libc::execve(place.as_ptr(), self.args.as_ptr(), self.env.as_ptr()) };
            match Errno::last() {
                Errno::EACCES => reason = Errno::EACCES,
                Errno::ENOENT | Errno::ENOTDIR => {}
                other => return other,
            }
        }
        reason
    }
}

/// Takes away what handles signals in the parent, before any can arrive. What is
/// ignored stays ignored in the program, but for the broken pipe, which Rust's
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

extern "C" fn child(order: *mut c_void) -> c_int {
    // SAFETY: the parent passes a pointer to its order, and stands still until this process is done with it.
    let order = unsafe { &*order.cast_const().cast::<Order<'_>>() };
    let reason = order.carry_out();
    order.refused.store(reason as i32, Ordering::Relaxed);
    127
}

/// Has a child carry out the order, on this stack; returns when it has executed
/// the program, or could not, or is dead.
fn clone_with(order: &Order<'_>, stack: &mut [u128]) -> io::Result<(Pid, OwnedFd)> {
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD;
    let mut exit: c_int = -1;
    let top = stack.as_mut_ptr_range().end.cast::<c_void>();
    let order = ptr::from_ref(order).cast_mut().cast::<c_void>();
    // SAFETY: the stack is this call's alone, aligned, and far larger than the
    // child needs; the child only reads the order, but for an atomic number in
    // it; neither is touched here before the child has its own memory or is
    // gone, as the call returns only then. All signals are blocked, so that no
    // handler runs in the shared memory.
    let pid = unsafe { libc::clone(child, top, flags, order, &raw mut exit) };
    if pid < 0 {
        return Err(io::Error::last_os_error());
    }
    let pid = Pid::from_raw(pid);
    if exit < 0 {
        // A kernel that does not know the flag ignores it.
        let _ = kill(pid, Signal::SIGKILL);
        let _ = reap(pid, 0);
        return Err(io::Error::new(io::ErrorKind::Unsupported, "its end cannot be watched (CLONE_PIDFD)"));
    }
    // SAFETY: the call has just made this descriptor (close-on-exec) and nobody else knows it.
    Ok((pid, unsafe { OwnedFd::from_raw_fd(exit) }))
}

impl Program {
    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }

    /// A descriptor that is readable once it has ended.
    #[must_use]
    pub fn exit_fd(&self) -> BorrowedFd<'_> {
        self.exit.as_fd()
    }

    /// To be called when it has ended: from now on its outputs end where nobody
    /// else, whom it has started, holds them.
    pub fn let_outputs_end(&mut self) {
        self.held = None;
    }

    /// Waits for its end and reaps it.
    pub fn reap(mut self) -> Ended {
        self.reaped = true;
        reap(self.pid, 0).map_or(Ended::Unknown, |(ended, _)| ended)
    }
}

impl Drop for Program {
    /// It is never left behind: whoever lets go of a living one ends it.
    fn drop(&mut self) {
        if !self.reaped {
            let _ = kill(self.pid, Signal::SIGKILL);
            let _ = reap(self.pid, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PollSet;
    use std::io::{Read, Write};
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    fn launcher(program: &str) -> Launcher {
        Launcher::new(program.as_bytes(), &["SHELL"]).unwrap()
    }

    fn strings(words: &[&str]) -> Vec<CString> {
        words.iter().map(|word| CString::new(*word).unwrap()).collect()
    }

    fn start(args: &[&str], variables: &[&str], input: Input) -> Program {
        launcher(args[0]).start(&strings(args), &strings(variables), input).unwrap()
    }

    /// Waits for its end; returns how it ended and what it had said by then.
    fn wait(mut program: Program) -> (Ended, String, String) {
        let mut set = PollSet::default();
        set.add(program.exit_fd(), 0, false);
        set.wait(Some(Duration::from_secs(30))).unwrap();
        assert!(set.ready().next().is_some(), "it does not end");
        let rest = |pipe: &mut File| {
            let mut said = Vec::new();
            let end = pipe.read_to_end(&mut said).unwrap_err();
            assert_eq!(end.kind(), io::ErrorKind::WouldBlock, "an output has no end of file yet");
            String::from_utf8(said).unwrap()
        };
        let (out, err) = (rest(&mut program.stdout), rest(&mut program.stderr));
        program.let_outputs_end();
        // The programs of other tests may hold a copy, until they are executed.
        set.clear();
        set.add(program.stdout.as_fd(), 0, false);
        set.wait(Some(Duration::from_secs(30))).unwrap();
        assert_eq!(program.stdout.read(&mut [0]).unwrap(), 0, "now it has one");
        (program.reap(), out, err)
    }

    fn says(args: &[&str]) -> String {
        let (ended, out, err) = wait(start(args, &[], Input::Empty));
        assert_eq!((ended, err.as_str()), (Ended::Status(0), ""));
        out
    }

    #[test]
    fn it_has_its_arguments_its_variables_and_its_pipes() {
        assert_eq!(says(&["printf", "%s|", "a b", "", "$x;"]), "a b||$x;|");
        let script = "cat; echo oops >&2; echo \"$KEY\"; exit 3";
        let mut program = start(&["/bin/sh", "-c", script], &["KEY=value"], Input::Piped);
        program.stdin.take().unwrap().write_all(b"hello ").unwrap();
        assert_eq!(wait(program), (Ended::Status(3), "hello value\n".into(), "oops\n".into()));
    }

    #[test]
    fn without_an_input_it_finds_nothing_to_read() {
        assert_eq!(says(&["wc", "-c"]).trim(), "0");
    }

    #[test]
    fn it_inherits_what_it_should_and_no_more() {
        assert_eq!(says(&["sh", "-c", "echo ${PATH:+path} ${SHELL-none}"]), "path none\n");
        // Each looks at itself and starts nobody: a shell blocks signals while it forks.
        let said = says(&["ls", "/proc/self/fd"]);
        // Whoever runs the tests may leave open what has a higher number.
        let low: Vec<_> = said.lines().filter(|line| line.len() == 1).collect();
        assert_eq!(low, ["0", "1", "2", "3"], "the last is the folder that it reads");
        let said = says(&["grep", "-E", "^Sig(Blk|Ign):", "/proc/self/status"]);
        // This process, as all of Rust's, ignores SIGPIPE (13).
        let mask = |name: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            u64::from_str_radix(line.trim(), 16).unwrap()
        };
        assert_eq!((mask("SigBlk:"), mask("SigIgn:") & 1 << 12), (0, 0), "{said}");
    }

    #[test]
    fn how_it_ended_is_told() {
        let ended = |script| wait(start(&["sh", "-c", script], &[], Input::Empty)).0;
        assert_eq!(ended("exit 0"), Ended::Status(0));
        assert_eq!(ended("exit 255"), Ended::Status(255));
        assert_eq!(ended("kill -SEGV $$"), Ended::Signal(11));
    }

    #[test]
    fn the_mask_of_the_parent_is_as_before() {
        let mut mask = SigSet::empty();
        mask.add(Signal::SIGUSR1);
        mask.thread_block().unwrap();
        wait(start(&["true"], &[], Input::Empty));
        let after = SigSet::thread_get_mask().unwrap();
        assert!(after.contains(Signal::SIGUSR1) && !after.contains(Signal::SIGTERM));
    }

    #[test]
    fn it_stays_in_the_group_and_dies_with_the_thread() {
        use nix::unistd::{getpgid, getpgrp};
        // On a thread of its own, whose end is the end of the program.
        let program = std::thread::spawn(|| {
            let mut program = start(&["sh", "-c", "echo; exec sleep 1000"], &[], Input::Empty);
            let mut set = PollSet::default();
            set.add(program.stdout.as_fd(), 0, false);
            set.wait(None).unwrap();
            assert_eq!(program.stdout.read(&mut [0; 2]).unwrap(), 1);
            assert_eq!(getpgid(Some(program.pid)), Ok(getpgrp()));
            program
        })
        .join()
        .unwrap();
        assert_eq!(wait(program).0, Ended::Signal(9));
    }

    #[test]
    fn who_lets_go_of_it_ends_it() {
        let program = start(&["sleep", "1000"], &[], Input::Piped);
        let pid = program.pid;
        drop(program);
        assert_eq!(kill(pid, None), Err(Errno::ESRCH));
    }

    #[test]
    fn what_cannot_start_says_why_and_leaves_nothing() {
        let folder = std::env::temp_dir().join(format!("procession-program-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let file = |name: &str, text: &str, mode| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let plain = file("plain", "#!/bin/sh\n", 0o644);
        let no_program = file("no-program", "echo\n", 0o755);
        let lost = file("lost", "#!/no/such/shell\n", 0o755);
        let long = "x".repeat(1 << 20);
        for (args, says) in [
            (&["no-such-program-anywhere"][..], "cannot be found"),
            (&["/no/such/program"], "cannot be found"),
            (&[""], "cannot be found"),
            (&[&lost], "what its first line asks for"),
            (&[&plain], "may not be executed"),
            (&["/"], "may not be executed"),
            (&[&no_program], "#!/bin/sh"),
            (&["true", &long], "such long arguments"),
        ] {
            let refused = launcher(args[0]).start(&strings(args), &[], Input::Empty).unwrap_err();
            assert!(refused.to_string().starts_with(says) || refused.to_string().contains(says), "{args:?}: {refused}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(Launcher::new(b"a\0b", &[]).is_err());
    }

    #[test]
    fn folders_are_tried_in_their_order() {
        let folder = std::env::temp_dir().join(format!("procession-path-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        // Something that may not be executed is passed over, and so is what is no folder.
        std::fs::write(folder.join("echo"), "").unwrap();
        let path = format!("/no/such/folder:/dev/null:{}:/usr/bin:/bin", folder.to_str().unwrap());
        let places = places(b"echo", path.as_bytes()).unwrap();
        let mut launcher = Launcher { places, ..launcher("echo") };
        let program = launcher.start(&strings(&["echo", "found"]), &[], Input::Empty).unwrap();
        assert_eq!(wait(program).1, "found\n");
        // Where nothing else is found, that is what is told.
        launcher.places.truncate(3);
        let refused = launcher.start(&strings(&["echo"]), &[], Input::Empty).unwrap_err();
        assert!(refused.to_string().contains("may not be executed"), "{refused}");
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(super::places(b"x", b"a::b").unwrap(), strings(&["a/x", "x", "b/x"]));
    }

    #[test]
    fn a_thousand_leave_no_descriptor() {
        let count = || std::fs::read_dir("/proc/self/fd").unwrap().count();
        let (mut right, mut wrong) = (launcher("true"), launcher("/no/such/program"));
        let before = count();
        for _ in 0..200 {
            wait(right.start(&strings(&["true"]), &[], Input::Piped).unwrap());
            wrong.start(&strings(&["x"]), &[], Input::Piped).unwrap_err();
        }
        // Other tests of this process hold some for a while.
        assert!(count() < before + 200, "{before} and now {}", count());
    }
}
