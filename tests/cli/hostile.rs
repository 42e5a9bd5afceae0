//! Workers that break the protocol. Whatever comes through the pipes, the call
//! ends with its documented status, reports what happened, leaves no process
//! behind and stays within its memory. If a correct worker follows, no item is
//! lost.
//!
//! The faults are committed by `tests/fake-worker`, which the coordinator takes
//! for its worker; its first items run under the fault, and what it loses runs
//! in the true worker.

use crate::support::{Ended, Place, in_time, lines, nothing_is_left};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use procession_wire::frame::{Direction, HEAD_BYTES, HELLO_LIMIT, PAYLOAD_LIMIT};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The items of a call, which are its results, too.
const ITEMS: u64 = 40;
/// What a coordinator may hold of memory of its own, its threads' stacks
/// included: it needs about 30 MiB.
const DATA_KIB: u32 = 100 << 10;
/// Most time for a start that fails.
const START_TIME: Duration = Duration::from_secs(5);

/// A call with workers that commit faults.
pub(crate) struct Call<'a> {
    faults: &'a str,
    /// Each fault is committed by one process, then all is well; else by each.
    once: bool,
    args: &'a [&'a str],
    data_kib: u32,
}

/// Where cargo puts the fake worker: beside what it tests, as an example.
pub(crate) fn fake_worker() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_coordinator")).with_file_name("examples").join("fake-worker");
    let how = "cargo test -p procession-cli, or cargo build --example fake-worker before naming a single test target";
    assert!(path.exists(), "{} is not built: {how}", path.display());
    path
}

impl<'a> Call<'a> {
    /// Every process commits this fault.
    fn always(faults: &'a str) -> Self {
        Self { faults, once: false, args: &[], data_kib: DATA_KIB }
    }

    /// One process after the other commits one of these faults.
    pub(crate) fn once(faults: &'a str) -> Self {
        Self { once: true, ..Self::always(faults) }
    }

    pub(crate) fn with(self, args: &'a [&'a str]) -> Self {
        Self { args, ..self }
    }

    /// The coordinator in this folder, with its memory bounded.
    fn command(&self, place: &Place) -> Command {
        let worker = fake_worker();
        let worker = worker.to_str().expect("a path in UTF-8");
        let mut fixed = vec!["-t", "null", "--worker", worker];
        for (flag, value) in [("--format", "lines"), ("--procs", "1"), ("--chunk", "1")] {
            if !self.args.contains(&flag) {
                fixed.extend([flag, value]);
            }
        }
        let mut command = place.limited("-d", self.data_kib, &[&fixed[..], self.args].concat());
        // Asked for its tasks the first process is honest.
        let faults = if self.once { format!("true-worker,{}", self.faults) } else { self.faults.to_owned() };
        command.env("FAKE_FAULTS", faults).env("FAKE_WORKER", env!("CARGO_BIN_EXE_worker"));
        if self.once {
            let starts = place.path("starts");
            std::fs::create_dir(&starts).expect("a folder");
            command.env("FAKE_STARTS", starts);
        }
        command.stdin(Stdio::piped());
        command
    }

    pub(crate) fn run(&self) -> Ended {
        self.run_on(&lines(ITEMS))
    }

    fn run_on(&self, input: &str) -> Ended {
        self.run_in(&Place::new(), input)
    }

    pub(crate) fn run_in(&self, place: &Place, input: &str) -> Ended {
        let mut child = self.command(place).spawn().expect("the coordinator starts");
        let mut stdin = child.stdin.take().expect("its input");
        // A coordinator that refuses its worker reads nothing.
        drop(stdin.write_all(input.as_bytes()));
        drop(stdin);
        let ended = Ended::of(child);
        nothing_is_left(place);
        ended
    }
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The head of a frame from a worker.
fn head(length: u32) -> Vec<u8> {
    [&Direction::FromWorker.marker()[..], &length.to_le_bytes(), &[0; 4]].concat()
}

#[test]
fn output_of_a_program_that_is_no_worker_is_shown() {
    let cases = [
        (format!("raw:{}", hex("Hello\x1b[31m")), "no frame begins here: \"Hello\\x1b[31m\""),
        (format!("raw-end:{}", hex("H")), "no frame begins here: \"H\""),
        (format!("raw-flood:{}", hex("y\n")), "no frame begins here: \"y\\ny\\n"),
        (format!("raw:{}", hex(Direction::ToWorker.marker())), "no frame begins here: \"\\xa9pw>\""),
        (
            format!("raw-end:{}", hex(&head(9)[..7])),
            "in the middle of a message before it was ready; it wrote: \"\\xa9pw<",
        ),
        ("raw-end:".to_owned(), "status 0 before it was ready, without a word"),
        (format!("raw:{}", hex(head(0))), "a frame holds no message"),
        (
            format!("raw:{}", hex(head(HELLO_LIMIT + 1))),
            "a frame of 65537 bytes is longer than the 65536 bytes allowed",
        ),
        (format!("raw-flood:{}", hex(head(HELLO_LIMIT))), "the checksum of a frame does not match"),
        (format!("raw:{}", hex(head(u32::MAX))), "a frame of 4294967295 bytes"),
        ("version:99".to_owned(), "its program speaks protocol 99 (version fake), this one speaks protocol"),
        ("version-changes:99".to_owned(), "its program speaks protocol 99 (version fake), this one speaks protocol"),
        ("version-long:99".to_owned(), "is longer than the 65536 bytes allowed"),
        ("host-long".to_owned(), "is longer than the 65536 bytes allowed"),
        ("close".to_owned(), "closed its pipes and did not end"),
    ];
    for (fault, says) in cases {
        let begun = Instant::now();
        let ended = Call::always(&fault).run().fails(3, says);
        let took = begun.elapsed();
        assert!(in_time(took, START_TIME), "{fault} took {took:?}");
        assert!(ended.out.is_empty() && ended.err.len() < 2000, "{fault}: {}", ended.err);
        assert!(ended.err.contains("fake-worker was started"), "{fault}: {}", ended.err);
    }
}

#[test]
fn a_silent_program_is_waited_for_once() {
    let begun = Instant::now();
    Call::always("silent").with(&["--procs", "4", "--start-timeout", "1"]).run().fails(3, "fake-worker");
    let took = begun.elapsed();
    assert!(in_time(took, 3 * Duration::from_secs(1)), "{took:?}");
}

/// What comes of items that are always lost, and that another process finishes
/// what one of this kind began.
#[test]
fn a_protocol_violation_is_named_and_loses_no_item() {
    let marker = "broke the protocol: no frame begins here: \"Segfault\\x1b[31m at 0x0\\n";
    let frame = "\\xa9pw<";
    for (fault, says) in [
        ("garbage-before", marker),
        ("garbage-after", marker),
        ("flood", marker),
        ("length:0", "a frame holds no message"),
        ("length:268435457", "a frame of 268435457 bytes is longer than the 268435456 bytes allowed: \"\\xa9pw<"),
        ("length:4294967295", "a frame of 4294967295 bytes is longer"),
        ("trailing", "bytes of blocks but has"),
        ("inner", frame),
        ("blocks", "bytes of blocks but has"),
        ("not-text", "a frame holds no message"),
        ("flip:80", "the checksum of a frame does not match its payload: \"\\xa9pw<"),
        ("truncate:30", "its process exited with status 0 in the middle of a message"),
        ("unknown", "broke the protocol: it answered what it was not asked"),
        ("more", "broke the protocol: it answered what it was not asked"),
        ("gap", "broke the protocol: an answer is missing, or overtook another"),
        ("failure:item", "a failure of an item that was not asked for"),
        ("failure:input", "a failure lies outside of its answer"),
        ("failure:record", "a failure lies outside of its answer"),
        ("farewell", "broke the protocol: it spoke out of turn"),
        ("hello", "broke the protocol: it spoke out of turn"),
        ("alive", "broke the protocol: it spoke out of turn"),
        ("grandchild", "its process exited with status 7"),
    ] {
        let args = ["-k", "-q", "--retries", "0", "--format", "jsonl"];
        let ended = Call::always(fault).with(&args).run();
        // All but one item of three may have been answered before.
        let ended = if fault == "garbage-after" { ended } else { ended.fails(1, "40 items failed") };
        let failed: Vec<&str> = ended.out.lines().filter(|line| line.contains("\"crashed\"")).collect();
        let says = says.replace('\\', "\\\\").replace('"', "\\\"");
        assert!(!failed.is_empty() || fault == "garbage-after", "{fault}: {}", ended.out);
        assert!(failed.iter().all(|line| line.contains(&says)), "{fault}: '{says}' is not in {}", ended.out);
        assert_eq!(Call::once(fault).run().ok(), lines(ITEMS), "{fault}");
    }
}

/// One process after the other, each with a wrong answer of its own.
#[test]
fn torn_frames_and_wrong_bits_lose_no_item() {
    let frame = HEAD_BYTES + 50;
    let torn: Vec<String> = (0..frame).map(|at| format!("truncate:{at}")).collect();
    let flipped: Vec<String> = (0..frame * 8).step_by(7).map(|bit| format!("flip:{bit}")).collect();
    for faults in [torn, flipped] {
        let call = Call::once(&faults.join(",")).with(&["--retries", "1000", "-q"]).run();
        assert_eq!(call.ok(), lines(ITEMS));
    }
}

/// Frames that are valid, each for itself. One after the other, because what is lost
/// decides which frames follow.
#[test]
fn lost_overtaken_and_repeated_frames_change_no_result() {
    for fault in ["lose", "swap", "repeat"] {
        for at in 1..8 {
            let fault = format!("{fault}:{at}");
            // Each answer holds one item, or a few of the next chunks. A time limit ends
            // the wait for an answer that was lost after all others had arrived.
            let args = ["-q", "--chunk", "5", "--timeout", "2s", "--retry-on", "crashed,timed-out"];
            assert_eq!(Call::once(&fault).with(&args).run().ok(), lines(ITEMS), "{fault}");
        }
    }
}

#[test]
fn unusual_but_valid_behaviour_is_accepted() {
    for fault in
        ["drip", "twice", "nothing-first", "last-word", "condemns", "errors:10485760", "small-pipes", "true-worker"]
    {
        for args in [&["-q"][..], &["-q", "--procs", "3", "--chunk", "auto"]] {
            let ended = Call::always(fault).with(args).run();
            assert_eq!(ended.ok(), lines(ITEMS), "{fault}");
        }
    }
}

/// It has said hello, so it is no start that fails; nor does its process end.
#[test]
fn a_worker_that_falls_silent_is_found_by_its_timeout() {
    let ended = Call::once("mute").with(&["-k", "--timeout", "500ms"]).run().fails(1, "1 item failed");
    assert_eq!(ended.out, format!("\n{}", &lines(ITEMS)[2..]));
    assert!(ended.err.contains("timed out after 500 ms"), "{}", ended.err);
}

/// What it is sent from then on never reaches it.
#[test]
fn a_worker_that_closes_only_its_input_is_replaced() {
    assert_eq!(Call::once("close-input").with(&["-q"]).run().ok(), lines(ITEMS));
    let call = Call::always("close-input").with(&["-k", "--retries", "0"]);
    let ended = call.run_on("1\n2\n").fails(1, "1 item failed");
    assert_eq!(ended.out, "1\n\n");
    assert!(ended.err.contains("crashed: its process closed its pipes and did not end"), "{}", ended.err);
}

/// The pipe stays open for as long as the call lasts, and nobody waits for it.
#[test]
fn a_workers_death_is_noticed_while_another_process_holds_its_pipe() {
    let begun = Instant::now();
    let call = Call::once("grandchild,grandchild,grandchild").with(&["-q", "--retries", "9"]);
    assert_eq!(call.run().ok(), lines(ITEMS));
    let took = begun.elapsed();
    assert!(in_time(took, START_TIME), "{took:?}");
}

/// The last answer stands behind more than what is read of a worker in one
/// turn, and waits in its pipe when the worker has ended.
#[test]
fn the_output_of_a_dead_worker_is_read_to_its_end() {
    let ended = Call::always("last-flood:20000").with(&["-q"]).run_on("1\n2\n3\n");
    assert_eq!(ended.ok(), "1\n2\n3\n");
}

/// A failure that a worker reports is the item's, whatever its message is like.
#[test]
fn messages_are_cut_to_their_length() {
    let ended = Call::always("message:10485760").with(&["-k"]).run().fails(1, "40 items failed");
    assert!(ended.err.len() < 20_000 && ended.err.contains("failed: mmmm"), "{} bytes", ended.err.len());
    let ended = Call::always("refuse:10485760").run().fails(3, "error: \\u{1b}[2J");
    assert!(ended.err.len() < 20_000, "{} bytes", ended.err.len());
}

#[test]
fn the_longest_frame_takes_no_more_than_its_length() {
    let fault = format!("length:{PAYLOAD_LIMIT}");
    let call = Call { data_kib: DATA_KIB + 2 * (PAYLOAD_LIMIT >> 10), ..Call::once(&fault) };
    assert_eq!(call.run().ok(), lines(ITEMS));
}

#[test]
fn a_flood_of_standard_error_is_kept_in_the_log() {
    let place = Place::new();
    let call = Call::once("errors:10485760").with(&["--log-dir", "log"]);
    let mut child = call.command(&place).spawn().expect("the coordinator starts");
    child.stdin.take().expect("its input").write_all(b"1\n").expect("an item is written");
    assert_eq!(Ended::of(child).ok(), "1\n");
    let run = &crate::support::runs(&place.path("log"))[0];
    let kept = std::fs::read_dir(run).expect("the run's folder").flatten();
    let kept: Vec<u64> = kept
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "stderr"))
        .map(|entry| entry.metadata().expect("its length").len())
        .collect();
    assert_eq!(kept, [10_485_760]);
}

/// A worker that does not answer lasts no longer than the call: not if it
/// ignores SIGTERM, not if it closed its pipes.
#[test]
fn a_run_ends_whatever_its_workers_do() {
    for (fault, args) in [("mute", [].as_slice()), ("stubborn", &[]), ("stubborn", &["--procs", "3"])] {
        let place = Place::new();
        let mut child = Call::always(fault).with(args).command(&place).spawn().expect("the coordinator starts");
        let mut stdin = child.stdin.take().expect("its input");
        stdin.write_all(lines(ITEMS).as_bytes()).expect("items are written");
        // It lives and has its first item before the signal comes.
        let begun = Instant::now();
        while !place.path("begun").exists() {
            assert!(begun.elapsed() < 4 * START_TIME, "no worker begins");
            std::thread::yield_now();
        }
        let begun = Instant::now();
        kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).expect("the signal is sent");
        let ended = Ended::of(child);
        assert_eq!(ended.status, 143, "{fault}: {}", ended.err);
        let took = begun.elapsed();
        assert!(in_time(took, START_TIME), "{fault} took {took:?}");
        nothing_is_left(&place);
    }
}
