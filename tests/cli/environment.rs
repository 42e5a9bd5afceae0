//! The environment of a call: programs that can't be run, resource limits,
//! folders without permissions, unusual names.

use crate::hostile::fake_worker;
use crate::support::{Ended, Place, busy, lines, nothing_is_left, roots, workers_of};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A file that may be executed. It is written by another process: one of the
/// test's own threads may be about to start a process, and a file that is open
/// for writing anywhere can't be run.
fn program(place: &Place, name: &str, bytes: &[u8]) -> PathBuf {
    let draft = place.file("draft", bytes);
    let path = place.path(name);
    let copied = Command::new("cp").arg(&draft).arg(&path).status().expect("cp");
    assert!(copied.success());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("permissions");
    path
}

/// The worker's own file with some bytes replaced by as many others.
fn worker_with(from: &[u8], to: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = std::fs::read(env!("CARGO_BIN_EXE_worker")).expect("the worker's file");
    let at = bytes.windows(from.len()).position(|window| window == from)?;
    bytes[at..at + from.len()].copy_from_slice(to);
    Some(bytes)
}

#[test]
fn programs_that_cannot_run_are_named_at_once() {
    let place = Place::new();
    let mut foreign = std::fs::read(env!("CARGO_BIN_EXE_worker")).expect("the worker's file");
    // The machine's number stands at 18: this one was never made.
    foreign[18..20].copy_from_slice(&[0xf3, 0xf2]);
    program(&place, "foreign", &foreign);
    program(&place, "no-interpreter", b"#!/no/such/interpreter\n");
    program(&place, "no-program", b"just text\n");
    program(&place, "empty", b"");
    let mut cases = vec![
        ("./foreign", "Exec format error"),
        ("./no-interpreter", "cannot be started"),
        ("./no-program", "cannot be started"),
        ("./empty", "cannot be started"),
        ("/bin/echo", "no frame begins here: \"procession-wo"),
        ("/bin/false", "exited with status 1"),
        ("/bin/sleep", "invalid time interval"),
        (".", "a directory"),
        ("/dev/null", "not a regular file"),
        ("", "worker"),
    ];
    match worker_with(b"libgcc_s.so", b"libnot_there"[..11].try_into().expect("as long")) {
        Some(bytes) => {
            program(&place, "no-library", &bytes);
            cases.push(("./no-library", "libnot_ther"));
        }
        None => eprintln!("skipped: the worker needs no library that could be missing"),
    }
    for (worker, says) in cases {
        let begun = Instant::now();
        let ended = place.run(&["-t", "sqrt", "--list", "4", "--worker", worker]);
        let ended = if worker.is_empty() { ended } else { ended.fails(3, says) };
        assert!(ended.status == 3 || ended.status == 2, "'{worker}': {}", ended.err);
        assert!(begun.elapsed() < Duration::from_secs(5), "'{worker}' took {:?}", begun.elapsed());
        assert!(ended.err.contains(worker.trim_start_matches("./")), "'{worker}': {}", ended.err);
    }
    nothing_is_left(&place);
}

#[test]
fn names_of_folders_may_be_anything() {
    let place = Place::new();
    let folder = place.path("white space").join(OsStr::from_bytes(b"not \xff UTF-8\x1b[31m"));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::copy(env!("CARGO_BIN_EXE_worker"), folder.join("my worker")).expect("a copy");
    std::fs::write(folder.join("in"), "4\n9\n").expect("a file");
    let relative = folder.strip_prefix(place.path("")).expect("it stands there").to_owned();
    let words = |flags: &[(&str, PathBuf)]| -> Vec<OsString> {
        let fixed = ["-t", "sqrt", "-j2"].map(OsString::from);
        let given = flags.iter().flat_map(|(flag, path)| [OsString::from(flag), path.clone().into_os_string()]);
        fixed.into_iter().chain(given).collect()
    };
    for at in [&folder, &relative] {
        let args = words(&[
            ("--worker", at.join("my worker")),
            ("--input", at.join("in")),
            ("--log-dir", at.join("log")),
            ("--output", at.join("out.tsv")),
        ]);
        place.run(&args).ok();
        assert_eq!(std::fs::read_to_string(folder.join("out.tsv")).expect("the output"), "4\t2.0\n9\t3.0\n");
        std::fs::remove_file(folder.join("out.tsv")).expect("it is there");
        std::fs::remove_dir_all(folder.join("log")).expect("it is there");
    }
    std::fs::write(folder.join("bad"), "4\n9 x\n").expect("a file");
    let ended = place.run(&words(&[("--input", folder.join("bad"))])).fails(1, ":2:3");
    assert!(!ended.err.contains('\x1b'), "{}", ended.err);
    let ended = place.run(&words(&[("--input", folder.join("missing"))])).fails(2, "missing");
    assert!(!ended.err.contains('\x1b'), "{}", ended.err);
}

#[test]
fn few_descriptors_are_an_error_or_fewer_workers() {
    let place = Place::new();
    for limit in [3, 4, 6, 8, 16, 30] {
        let mut command = place.limited("-n", limit, &["-t", "sqrt", "--list", "4,9", "-j16"]);
        let ended = Ended::of(command.spawn().expect("a shell"));
        match ended.status {
            0 => assert_eq!(ended.out, "4\t2.0\n9\t3.0\n", "{limit}"),
            // The loader's own: it can't even open the libraries.
            127 if limit < 5 => continue,
            3 | 4 => assert!(ended.err.contains("error: "), "{limit}: {}", ended.err),
            status => panic!("{limit}: {status}: {}", ended.err),
        }
        assert!(limit < 16 || ended.status == 0, "{limit}: {}", ended.err);
    }
}

#[test]
fn counts_of_workers_have_their_bounds() {
    let place = Place::new();
    for (count, says) in [("0", "1 or more"), ("100001", "100001"), ("-1", "-1"), ("18446744073709551616", "")] {
        let ended = place.run(&["-t", "sqrt", "--list", "4", &format!("--procs={count}")]).fails(2, says);
        assert!(ended.out.is_empty());
    }
    let mut command = place.limited("-n", 64, &["-t", "sqrt", "--list", "4", "--procs=100000"]);
    let ended = Ended::of(command.spawn().expect("a shell"));
    assert!(ended.err.contains("of 100000 workers can be started: at most 64 open files"), "{}", ended.err);
    assert_eq!(ended.ok(), "4\t2.0\n");
}

/// The program is replaced while it runs, and the one that is there now speaks
/// another protocol: it gets no work, and both versions are told.
#[test]
fn a_worker_s_file_is_replaced_by_another_version() {
    let place = Place::new();
    std::fs::copy(env!("CARGO_BIN_EXE_worker"), place.path("worker")).expect("a copy");
    let args = ["-t", "null", "-j1", "--format", "lines", "--log", "off", "--worker", "./worker"];
    let (child, mut stdin) = busy(&place, &args);
    let script = format!("#!/bin/sh\nFAKE_FAULTS=version:99 exec '{}' \"$@\"\n", fake_worker().display());
    std::fs::rename(program(&place, "newer", script.as_bytes()), place.path("worker")).expect("it is replaced");
    let [worker] = workers_of(child.id())[..] else { panic!("not one worker") };
    kill(Pid::from_raw(worker.cast_signed()), Signal::SIGKILL).expect("it is killed");
    writeln!(stdin, "second").expect("an item is written");
    let ended = Ended::of(child).fails(3, "its program speaks protocol 99 (version fake), this one speaks protocol ");
    assert_eq!(ended.out, "");
    nothing_is_left(&place);
}

/// Whether these arguments make `unshare` give us a world of its own.
fn can_unshare(how: &[&str]) -> bool {
    let tried = Command::new("unshare").args(how).args(["sh", "-c", "mount -t tmpfs none /proc"]).output();
    tried.is_ok_and(|output| output.status.success())
}

#[test]
fn without_proc_it_runs_all_the_same() {
    let how = ["--mount", "--map-root-user"];
    if !can_unshare(&how) {
        eprintln!("skipped: this system lets nobody take /proc away from a process");
        return;
    }
    let place = Place::new();
    place.file("in", lines(500));
    let program = Path::new(env!("CARGO_BIN_EXE_coordinator"));
    let run = |program: &Path, args: &[&str]| {
        let line = "mount -t tmpfs none /proc && test ! -e /proc/self && exec \"$@\"";
        let mut command = Command::new("unshare");
        command.args(how).args(["sh", "-c", line, "sh"]).arg(program).args(args).current_dir(place.path("."));
        let output = command.env("XDG_STATE_HOME", place.path("state")).output().expect("unshare");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let sqrt = ["-t", "sqrt", "-i", "in", "-j3"];
    assert_eq!(run(program, &[&sqrt[..], &["--worker", env!("CARGO_BIN_EXE_worker")]].concat()), roots(500));
    // The worker is found beside the program, also through a link and in PATH.
    assert_eq!(run(program, &sqrt), roots(500));
    std::os::unix::fs::symlink(program, place.path("link")).expect("a link");
    assert_eq!(run(Path::new("./link"), &sqrt), roots(500));
    let folder = program.parent().expect("a folder").display();
    let found = format!("PATH={folder}:$PATH; exec coordinator -t sqrt -i in -j3 --joblog jobs");
    assert_eq!(run(Path::new("sh"), &["-c", &found]), roots(500));
    for (task, program) in [("command", &["cat"][..]), ("pipe", &["cat"]), ("filter", &["cat"])] {
        let args = [&["-t", task, "-i", "in", "-j2", "--timeout", "20", "--"][..], program].concat();
        assert!(run(Path::new(env!("CARGO_BIN_EXE_coordinator")), &args).ends_with("500\n"), "{task}");
    }
}

#[test]
fn folders_that_may_not_be_written() {
    let place = Place::new();
    let locked = place.path("locked");
    std::fs::create_dir(&locked).expect("a folder");
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o555)).expect("permissions");
    // Who may do everything is stopped by nothing of that kind, but by /proc.
    let refuses = |folder: &Path| std::fs::File::create(folder.join("x")).is_err();
    let folder = if refuses(&locked) { locked } else { PathBuf::from("/proc/self/fdinfo") };
    let inside = |name: &str| folder.join(name).into_os_string();
    let args = |flag: &str, path: OsString| {
        [OsString::from("-t"), "sqrt".into(), "--list".into(), "4,9".into(), flag.into(), path]
    };
    let output = place.run(&args("--output", inside("out.tsv")));
    assert!(matches!(output.status, 2 | 4), "{}: {}", output.status, output.err);
    assert!(output.err.contains("out.tsv"), "{}", output.err);
    let log = place.run(&args("--log-dir", inside("log")));
    assert!(log.err.contains("log"), "{}", log.err);
    let mut command = place.command(&["-t", "sqrt", "--list", "4,9"]);
    let state = Ended::of(command.env("XDG_STATE_HOME", &folder).spawn().expect("it starts"));
    assert_eq!(state.out, "4\t2.0\n9\t3.0\n", "a log that can't be written only warns: {}", state.err);
    assert_eq!(state.status, 0, "{}", state.err);
}
