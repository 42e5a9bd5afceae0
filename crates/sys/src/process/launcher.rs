//! Starts programs of the user: one for each item, or one that serves a worker
//! for its whole life. A start is as cheap as the system allows (see `exec.rs`).
//!
//! The program stays in the caller's process group, so that it ends with its
//! worker. It is killed when the *thread* that started it ends, unless the
//! program changes its user (set-uid): the kernel then drops the parent-death
//! signal.
//!
//! It has no controlling terminal: an attempt to open one fails at once.

use super::containment::before_program;
use super::exec::{ExecPlan, STACK_WORDS, clone_with};
use super::exit::{Ended, reap, reap_program};
use super::spawn_error::SpawnError;
use super::stop_detector::StopDetector;
use crate::terminal::controlling_terminal;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc::{c_char, c_int};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::unistd::{Pid, pipe2};
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

/// The search path when PATH is not set, as for `execvp`.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// Starts the same program again and again.
#[derive(Debug)]
pub struct Launcher {
    /// The paths to try, in this order.
    paths: Vec<CString>,
    /// The part of the program's environment that is the same at every start.
    inherited: Vec<CString>,
    /// The null device, as an empty input, once it was needed.
    null: Option<File>,
    /// The terminal that the program has to give up; a worker has none.
    terminal: Option<File>,
    stack: Vec<u128>,
}

/// What a program's standard input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramInput {
    /// Empty.
    Empty,
    /// A pipe from [`LaunchedProgram::stdin`].
    Piped,
}

/// A running program and the parent's ends of its pipes, all non-blocking.
///
/// The outputs reach end of file only after [`Self::let_outputs_end`]. So a
/// caller that waits for the exit is not woken by the outputs' end just before.
#[derive(Debug)]
pub struct LaunchedProgram {
    pid: Pid,
    /// Readable once the program has ended.
    exit: OwnedFd,
    /// Writes to the program's standard input; drop it to end that input.
    pub stdin: Option<File>,
    /// Reads the program's standard output.
    pub stdout: File,
    /// Reads the program's standard error.
    pub stderr: File,
    /// Copies of the write ends of both outputs; dropped by `let_outputs_end`.
    held: Option<[OwnedFd; 2]>,
    reaped: bool,
    stops: StopDetector,
}

impl Launcher {
    /// For a program that is searched as `execvp` does: in PATH, unless its name
    /// has a slash. `inherited` (`NAME=VALUE`) is the program's environment,
    /// in addition to the variables of each start.
    ///
    /// # Errors
    /// The name holds a NUL byte.
    pub fn new(program: &[u8], inherited: Vec<CString>) -> io::Result<Self> {
        let path = std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
        Ok(Self {
            paths: candidates(program, path.as_bytes())?,
            inherited,
            null: None,
            terminal: controlling_terminal(),
            stack: vec![0; STACK_WORDS],
        })
    }

    /// Starts the program with these arguments, the program's name first, and
    /// these additional environment variables (`NAME=VALUE`).
    ///
    /// # Errors
    /// The program could not be started. Nothing is left behind.
    pub fn start(
        &mut self,
        args: &[CString],
        variables: &[CString],
        input: ProgramInput,
    ) -> Result<LaunchedProgram, SpawnError> {
        before_program().map_err(|source| SpawnError::new("cannot be ended with its worker", source))?;
        let (child_in, stdin) = match input {
            ProgramInput::Empty => (None, None),
            ProgramInput::Piped => {
                let (read, write) = pipe("no pipe for its standard input")?;
                (Some(read), Some(nonblocking(write)?))
            }
        };
        let (stdout, child_out) = pipe("no pipe for its standard output")?;
        let (stderr, child_err) = pipe("no pipe for its standard error")?;
        let (stdout, stderr) = (nonblocking(stdout)?, nonblocking(stderr)?);
        let input = match &child_in {
            Some(end) => end.as_raw_fd(),
            None => self.null()?,
        };
        let standard = [input, child_out.as_raw_fd(), child_err.as_raw_fd()];
        let (pid, exit) = self.launch(args, variables, standard)?;
        let (held, stops) = (Some([child_out, child_err]), StopDetector::default());
        Ok(LaunchedProgram { pid, exit, stdin, stdout, stderr, held, reaped: false, stops })
    }

    fn null(&mut self) -> Result<c_int, SpawnError> {
        let null = match self.null.take() {
            Some(null) => null,
            None => File::open("/dev/null").map_err(|source| SpawnError::new("no empty input", source))?,
        };
        Ok(self.null.insert(null).as_raw_fd())
    }

    fn launch(
        &mut self,
        args: &[CString],
        variables: &[CString],
        standard: [c_int; 3],
    ) -> Result<(Pid, OwnedFd), SpawnError> {
        let (args, env) = (pointers(args.iter()), pointers(self.inherited.iter().chain(variables)));
        let plan = ExecPlan {
            paths: &self.paths,
            args: &args,
            env: &env,
            standard,
            terminal: self.terminal.as_ref().map(AsRawFd::as_raw_fd),
            parent: std::process::id().cast_signed(),
            errno: AtomicI32::new(0),
        };
        let before = SigSet::all()
            .thread_swap_mask(SigmaskHow::SIG_SETMASK)
            .map_err(|errno| SpawnError::new("signals cannot be blocked", errno.into()))?;
        let cloned = clone_with(&plan, &mut self.stack);
        // Cannot fail: this was the mask before.
        let _ = before.thread_set_mask();
        let (pid, exit) = cloned.map_err(|source| SpawnError::new("cannot be started", source))?;
        match plan.errno.load(Ordering::Relaxed) {
            0 => Ok((pid, exit)),
            errno => {
                let _ = reap(pid, 0);
                Err(exec_error(errno))
            }
        }
    }
}

/// The paths at which a program may be found.
fn candidates(program: &[u8], path: &[u8]) -> io::Result<Vec<CString>> {
    if program.contains(&b'/') || program.is_empty() {
        return Ok(vec![CString::new(program)?]);
    }
    let in_folder = |folder: &[u8]| {
        let slash: &[u8] = if folder.is_empty() { b"" } else { b"/" };
        Ok(CString::new([folder, slash, program].concat())?)
    };
    path.split(|&byte| byte == b':').map(in_folder).collect()
}

fn pipe(what: &'static str) -> Result<(OwnedFd, OwnedFd), SpawnError> {
    pipe2(OFlag::O_CLOEXEC).map_err(|errno| SpawnError::new(what, errno.into()))
}

/// For a pipe that was just created: it has no other flags.
fn nonblocking(end: OwnedFd) -> Result<File, SpawnError> {
    fcntl(&end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
        .map_err(|errno| SpawnError::new("no non-blocking pipe", errno.into()))?;
    Ok(end.into())
}

fn pointers<'a>(strings: impl Iterator<Item = &'a CString>) -> Vec<*const c_char> {
    strings.map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

/// Why the system did not execute the program, and what to do about it.
fn exec_error(errno: i32) -> SpawnError {
    let what = match Errno::from_raw(errno) {
        Errno::ENOENT => "cannot be found, or the interpreter in its first line cannot",
        Errno::EACCES => "may not be executed",
        Errno::ENOEXEC => "is not executable on this system; a script begins with a line like #!/bin/sh",
        Errno::E2BIG => "cannot be started with arguments this long",
        _ => "cannot be started",
    };
    SpawnError::new(what, io::Error::from_raw_os_error(errno))
}

impl LaunchedProgram {
    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }

    /// A descriptor that is readable once the program has ended.
    #[must_use]
    pub fn exit_fd(&self) -> BorrowedFd<'_> {
        self.exit.as_fd()
    }

    /// The signal that stopped the program, once it has been stopped for 1 s in which
    /// the caller was running. Each stop is reported once. Call this at least every
    /// [`StopDetector::LOOK_EVERY`].
    pub fn reports_stop(&mut self) -> Option<Signal> {
        if self.reaped { None } else { self.stops.look(self.pid) }
    }

    /// From now on the outputs reach end of file once no process holds them.
    pub fn let_outputs_end(&mut self) {
        self.held = None;
    }

    /// Kills the program. Does nothing after it was reaped.
    pub fn kill(&self) {
        if !self.reaped {
            // An error means that the program has ended already.
            let _ = kill(self.pid, Signal::SIGKILL);
        }
    }

    /// Waits for the program's end and reaps it. Call it once; later calls
    /// return [`Ended::Unknown`].
    pub fn reap(&mut self) -> Ended {
        if std::mem::replace(&mut self.reaped, true) {
            return Ended::Unknown;
        }
        reap_program(self.pid)
    }
}

impl Drop for LaunchedProgram {
    /// Kills and reaps a program that is still running.
    fn drop(&mut self) {
        self.kill();
        self.reap();
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
        Launcher::new(program.as_bytes(), strings(&["HOME=/"])).unwrap()
    }

    fn strings(words: &[&str]) -> Vec<CString> {
        words.iter().map(|word| CString::new(*word).unwrap()).collect()
    }

    fn start(args: &[&str], variables: &[&str], input: ProgramInput) -> LaunchedProgram {
        launcher(args[0]).start(&strings(args), &strings(variables), input).unwrap()
    }

    /// Waits for the program's end; returns how it ended, and what it wrote before.
    fn wait(mut program: LaunchedProgram) -> (Ended, String, String) {
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
        let (ended, out, err) = wait(start(args, &[], ProgramInput::Empty));
        assert_eq!((ended, err.as_str()), (Ended::Status(0), ""));
        out
    }

    #[test]
    fn arguments_variables_and_pipes_reach_the_program() {
        assert_eq!(says(&["printf", "%s|", "a b", "", "$x;"]), "a b||$x;|");
        let script = "cat; echo oops >&2; echo \"$KEY\"; exit 3";
        let mut program = start(&["/bin/sh", "-c", script], &["KEY=value"], ProgramInput::Piped);
        program.stdin.take().unwrap().write_all(b"hello ").unwrap();
        assert_eq!(wait(program), (Ended::Status(3), "hello value\n".into(), "oops\n".into()));
    }

    #[test]
    fn without_an_input_standard_input_is_empty() {
        assert_eq!(says(&["wc", "-c"]).trim(), "0");
    }

    #[test]
    fn only_wanted_variables_descriptors_and_signal_settings_are_inherited() {
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
    fn exit_statuses_and_signals_are_reported() {
        let ended = |script| wait(start(&["sh", "-c", script], &[], ProgramInput::Empty)).0;
        assert_eq!(ended("exit 0"), Ended::Status(0));
        assert_eq!(ended("exit 255"), Ended::Status(255));
        assert_eq!(ended("kill -SEGV $$"), Ended::Signal(11));
    }

    #[test]
    fn the_parent_keeps_its_signal_mask() {
        let mut mask = SigSet::empty();
        mask.add(Signal::SIGUSR1);
        mask.thread_block().unwrap();
        wait(start(&["true"], &[], ProgramInput::Empty));
        let after = SigSet::thread_get_mask().unwrap();
        assert!(after.contains(Signal::SIGUSR1) && !after.contains(Signal::SIGTERM));
    }

    #[test]
    fn a_program_stays_in_the_group_and_dies_with_the_thread() {
        use nix::unistd::{getpgid, getpgrp};
        // On a thread of its own, whose end is the end of the program.
        let program = std::thread::spawn(|| {
            let mut program = start(&["sh", "-c", "echo; exec sleep 1000"], &[], ProgramInput::Empty);
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
    fn dropping_a_program_ends_it() {
        let program = start(&["sleep", "1000"], &[], ProgramInput::Piped);
        let pid = program.pid;
        drop(program);
        assert_eq!(kill(pid, None), Err(Errno::ESRCH));
    }

    #[test]
    fn a_failed_start_says_why_and_leaves_nothing() {
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
            (&[&lost], "the interpreter in its first line"),
            (&[&plain], "may not be executed"),
            (&["/"], "may not be executed"),
            (&[&no_program], "#!/bin/sh"),
            (&["true", &long], "arguments this long"),
        ] {
            let refused = launcher(args[0]).start(&strings(args), &[], ProgramInput::Empty).unwrap_err();
            assert!(refused.to_string().starts_with(says) || refused.to_string().contains(says), "{args:?}: {refused}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(Launcher::new(b"a\0b", Vec::new()).is_err());
    }

    #[test]
    fn folders_in_path_are_tried_in_order() {
        let folder = std::env::temp_dir().join(format!("procession-path-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        // Something that may not be executed is passed over, and so is what is no folder.
        std::fs::write(folder.join("echo"), "").unwrap();
        let path = format!("/no/such/folder:/dev/null:{}:/usr/bin:/bin", folder.to_str().unwrap());
        let paths = candidates(b"echo", path.as_bytes()).unwrap();
        let mut launcher = Launcher { paths, ..launcher("echo") };
        let program = launcher.start(&strings(&["echo", "found"]), &[], ProgramInput::Empty).unwrap();
        assert_eq!(wait(program).1, "found\n");
        // Where nothing else is found, that is what is told.
        launcher.paths.truncate(3);
        let refused = launcher.start(&strings(&["echo"]), &[], ProgramInput::Empty).unwrap_err();
        assert!(refused.to_string().contains("may not be executed"), "{refused}");
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(candidates(b"x", b"a::b").unwrap(), strings(&["a/x", "x", "b/x"]));
    }

    #[test]
    fn many_starts_leave_no_descriptor() {
        let count = || std::fs::read_dir("/proc/self/fd").unwrap().count();
        let (mut right, mut wrong) = (launcher("true"), launcher("/no/such/program"));
        let before = count();
        for _ in 0..200 {
            wait(right.start(&strings(&["true"]), &[], ProgramInput::Piped).unwrap());
            wrong.start(&strings(&["x"]), &[], ProgramInput::Piped).unwrap_err();
        }
        // Other tests of this process hold some for a while.
        assert!(count() < before + 200, "{before} and now {}", count());
    }
}
