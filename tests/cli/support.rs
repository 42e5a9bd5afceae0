//! How the tests run the binaries and look at what is left.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A folder of a test's own, where the default log goes too.
pub(crate) struct Place {
    dir: TempDir,
}

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file; returns its path.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("a file is written");
        path
    }

    /// Writes a program; returns its path.
    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.file(name, text);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it can be executed");
        path
    }

    /// The same for a program that is to be a worker: the first process of it,
    /// which is asked for its tasks, is the true one.
    pub(crate) fn worker_script(&self, name: &str, text: &str) -> PathBuf {
        let asked = self.path(&format!("{name}.asked"));
        let worker = env!("CARGO_BIN_EXE_worker");
        let first = format!("mkdir '{}' 2>/dev/null && exec '{worker}' \"$@\"", asked.display());
        self.script(name, &format!("#!/bin/sh\n{first}\n{text}"))
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("a file is read")
    }

    /// The coordinator with these arguments, in this folder.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("coordinator"));
        command.args(args);
        self.settle(command)
    }

    /// The same under a limit of the shell's `ulimit`: `-d` for its memory in
    /// KiB, `-n` for its descriptors.
    pub(crate) fn limited<S: AsRef<OsStr>>(&self, what: &str, limit: u32, args: &[S]) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit {what} {limit}; exec \"$@\""), "sh"]);
        command.arg(assert_cmd::cargo::cargo_bin!("coordinator")).args(args);
        self.settle(command)
    }

    /// A shell's script, as a user would type it: the programs are first in PATH.
    /// It stops at the first command that fails, and ends after so many seconds.
    pub(crate) fn shell(&self, most_seconds: u32, script: &str) -> Command {
        let programs = assert_cmd::cargo::cargo_bin!("coordinator").parent().expect("the programs' folder").to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(programs).chain(std::env::split_paths(&path));
        let mut command = Command::new("timeout");
        command.args([&most_seconds.to_string(), "sh", "-e", "-c", script]);
        command.env("PATH", std::env::join_paths(folders).expect("no folder with a colon")).env("HOME", self.path(""));
        self.settle(command)
    }

    fn settle(&self, mut command: Command) -> Command {
        command.current_dir(self.dir.path());
        command.env("XDG_STATE_HOME", self.path("state")).env_remove("NO_COLOR");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the coordinator to its end, without input.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Ended {
        self.run_with(args, b"", false)
    }

    /// Runs the coordinator to its end with this on its standard input.
    pub(crate) fn run_on<S: AsRef<OsStr>>(&self, args: &[S], input: impl AsRef<[u8]>) -> Ended {
        self.run_with(args, input.as_ref(), true)
    }

    fn run_with<S: AsRef<OsStr>>(&self, args: &[S], input: &[u8], piped: bool) -> Ended {
        let mut command = self.command(args);
        if piped {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn().expect("the coordinator starts");
        let writer = child.stdin.take().map(|mut stdin| {
            let input = input.to_vec();
            // The coordinator may end before it has read all of it.
            std::thread::spawn(move || drop(stdin.write_all(&input)))
        });
        let ended = Ended::of(child);
        if let Some(writer) = writer {
            writer.join().expect("the input's writer ends");
        }
        ended
    }
}

impl Ended {
    /// Waits for a child.
    pub(crate) fn of(child: Child) -> Self {
        let output = child.wait_with_output().expect("the coordinator ends");
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!err.contains("panicked at"), "{err}");
        Self {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err,
        }
    }

    /// Asserts success; returns standard output.
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.status, 0, "{}", self.err);
        self.out
    }

    /// Asserts this status and that the errors say this.
    pub(crate) fn fails(self, status: i32, says: &str) -> Self {
        assert_eq!(self.status, status, "out: {}\nerr: {}", self.out, self.err);
        assert!(self.err.contains(says), "'{says}' is not in: {}", self.err);
        self
    }
}

/// The numbers from 1 to `n`, a line each.
pub(crate) fn lines(n: u64) -> String {
    (1..=n).map(|i| format!("{i}\n")).collect()
}

/// What `sqrt` makes of the numbers from 1 to `n`, as tsv.
pub(crate) fn roots(n: u64) -> String {
    (1..=n).map(|i| format!("{i}\t{:?}\n", (i as f64).sqrt())).collect()
}

/// The run folders of a call's log, in order.
pub(crate) fn runs(log: &Path) -> Vec<PathBuf> {
    (1..).map(|k| log.join(format!("run-{k}"))).take_while(|run| run.is_dir()).collect()
}

/// Every item line of a run, from all its processes' files.
pub(crate) fn item_lines(run: &Path) -> Vec<serde_json::Value> {
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(run).expect("a run's folder") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name in UTF-8");
        if name.starts_with("worker-") && name.ends_with(".jsonl") {
            lines.extend(json_lines(&run.join(name)));
        }
    }
    lines
}

/// A file of JSON lines.
pub(crate) fn json_lines(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).expect("a file of lines");
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// Whether a process of this id exists.
pub(crate) fn exists(pid: u64) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// The worker processes that this coordinator left, by their command lines.
pub(crate) fn workers_of(coordinator: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = line.split(|&b| b == 0).collect();
        if words.get(1) == Some(&&b"procession-worker"[..]) && words.get(2) == Some(&coordinator.to_string().as_bytes())
        {
            found.push(pid);
        }
    }
    found
}

/// A coordinator whose workers are known to run: it has answered an item.
pub(crate) fn busy(place: &Place, args: &[&str]) -> (Child, ChildStdin) {
    let mut child = place.command(args).stdin(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("its input");
    writeln!(stdin, "first").expect("an item is written");
    let mut out = BufReader::new(child.stdout.take().expect("its output"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a result");
    assert_eq!(line, "first\n");
    child.stdout = Some(out.into_inner());
    (child, stdin)
}

/// Whether a process that is nobody's child here runs; whoever inherited it may
/// not have reaped it yet.
pub(crate) fn is_running(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// The state of a process as its kernel calls it: `R`, `S`, `T`, `Z`; `X` when it is gone.
pub(crate) fn state(pid: u32) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).unwrap_or('X')
}

/// Waits for something to become true; a test that waits for ever has failed.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::yield_now();
    }
}

/// Whether something that took so long took no longer than it may, on a quiet
/// machine: on one with much else to do it may take longer, as a call shows
/// that does next to nothing.
pub(crate) fn in_time(took: Duration, most: Duration) -> bool {
    let plain = || {
        let begun = Instant::now();
        Place::new().run(&["-t", "null", "--list", "1", "-j1", "-q", "--log", "off"]).ok();
        begun.elapsed()
    };
    took < most || took < most + 20 * plain()
}

/// Asserts that nothing that worked for a call in this place outlives it by two
/// seconds. Whatever it is, it carries the place's folder in its environment.
pub(crate) fn nothing_is_left(place: &Place) {
    let deadline = Instant::now() + Duration::from_secs(2);
    loop {
        let left = processes_with(place);
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "{left:?}");
        std::thread::yield_now();
    }
}

fn processes_with(place: &Place) -> Vec<String> {
    let mark = format!("XDG_STATE_HOME={}", place.path("state").display());
    let is_ours = |process: &Path| {
        let environment = std::fs::read(process.join("environ")).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|variable| variable == mark.as_bytes())
    };
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    let ours = entries.map(|entry| entry.path()).filter(|process| is_ours(process));
    ours.map(|process| {
        let line = std::fs::read(process.join("cmdline")).unwrap_or_default();
        format!("{} {}", process.display(), String::from_utf8_lossy(&line).replace('\0', " "))
    })
    .collect()
}
