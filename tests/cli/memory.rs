//! What is held back, and that it takes no memory: readers that don't read,
//! items that hold up all others, and the largest that may be.

use crate::support::{Place, is_running, state, until, workers_of};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::process::{ChildStdin, Stdio};

/// What a coordinator may hold of memory of its own, in KiB; see `hostile`.
const DATA_KIB: u32 = 100 << 10;

/// The process in a slot.
fn worker_in(coordinator: u32, slot: &str) -> u32 {
    let is_it = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|&byte| byte == 0).nth(3) == Some(slot.as_bytes())
    };
    workers_of(coordinator).into_iter().find(is_it).expect("a worker in this slot")
}

/// Writes until the pipe takes nothing more for half a second: then nobody
/// reads any more, or is so slow that it makes no difference. Says how much it took.
fn write_until_full(stdin: &mut ChildStdin, bytes: &[u8]) -> usize {
    fcntl(&*stdin, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect("the pipe does not block");
    let mut written = 0;
    while written < bytes.len() {
        match stdin.write(&bytes[written..]) {
            Ok(taken) => written += taken,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let mut pipe = [PollFd::new(stdin.as_fd(), PollFlags::POLLOUT)];
                if poll(&mut pipe, PollTimeout::from(500u16)).expect("a poll") == 0 {
                    break;
                }
            }
            Err(error) => panic!("{error}"),
        }
    }
    fcntl(&*stdin, FcntlArg::F_SETFL(OFlag::empty())).expect("the pipe blocks");
    written
}

/// The first of many items holds up all results until nothing more is dealt;
/// then the process that runs it dies. It must run again, though nothing has
/// room, and what waits must wait in little memory.
#[test]
fn the_first_item_s_worker_dies_while_everything_waits_for_it() {
    let place = Place::new();
    mkfifo(&place.path("gate"), Mode::S_IRWXU).expect("a named pipe");
    let rest = (0..300_000).map(|i| format!("{i:0100}\n")).collect::<String>();
    let input = format!("reads gate\n{rest}");
    let args = ["-t", "misbehave", "-j2", "--format", "lines", "--log", "off", "-q"];
    let mut child = place.limited("-d", DATA_KIB, &args).stdin(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("its input");
    let mut stdout = child.stdout.take().expect("its output");
    let reader = std::thread::spawn(move || {
        let mut out = String::new();
        stdout.read_to_string(&mut out).expect("its results");
        out
    });
    let written = write_until_full(&mut stdin, input.as_bytes());
    assert!(written < input.len(), "it took everything in");
    let first = worker_in(child.id(), "0");
    kill(Pid::from_raw(first.cast_signed()), Signal::SIGKILL).expect("it is killed");
    until("it has ended", || !is_running(first));
    // Opens once another one runs the item.
    drop(std::fs::File::options().write(true).open(place.path("gate")).expect("the gate"));
    stdin.write_all(&input.as_bytes()[written..]).expect("the rest");
    drop(stdin);
    assert!(reader.join().expect("the reader") == input, "not the same");
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_paused_reader_costs_no_memory() {
    let place = Place::new();
    let args = ["-t", "null", "--range", "0..25000000", "-j2", "--format", "lines", "--log", "off", "-q"];
    let mut child = place.limited("-d", DATA_KIB, &args).spawn().expect("it starts");
    let mut stdout = child.stdout.take().expect("its output");
    let mut out = vec![0; 8];
    stdout.read_exact(&mut out).expect("first results");
    // Nobody has anything to do, whenever one looks.
    let mut times = 0;
    until("all wait for the reader", || {
        let waits = workers_of(child.id()).into_iter().all(|worker| state(worker) == 'S');
        times = if waits { times + 1 } else { 0 };
        times == 100
    });
    stdout.read_to_end(&mut out).expect("all results");
    let expected: u64 = (0..25_000_000u64).map(|i| i.to_string().len() as u64 + 1).sum();
    assert_eq!(out.len() as u64, expected);
    assert!(out.ends_with(b"\n24999999\n"));
    assert!(child.wait().expect("it ends").success());
}

/// As JSON every byte of it is six, of the input as of the result, and all of
/// that is one message.
#[test]
fn the_longest_item_of_control_characters_fits_a_frame() {
    let place = Place::new();
    let item = "\u{1}".repeat(16 << 20);
    let args = ["-t", "null", "-j1", "--format", "jsonl", "-v", "--log", "off"];
    let ended = place.run_on(&args, format!("{item}\nok\n"));
    assert_eq!(ended.status, 0, "{}", &ended.err[..ended.err.len().min(1000)]);
    assert_eq!(ended.out.matches("\\u0001").count(), 2 * item.len());
    assert!(ended.out.ends_with("{\"index\":1,\"input\":\"ok\",\"output\":\"ok\"}\n"));
    assert!(ended.err.len() < 20_000 && !ended.err.contains('\u{1}'), "{} bytes", ended.err.len());
}

/// The true worker's own panic, with all that the library and the panic hook
/// make of it.
#[test]
fn a_panic_s_message_is_cut_to_its_length() {
    let place = Place::new();
    let words = "p".repeat(10 << 20);
    let args = ["-t", "misbehave", "-j1", "-k", "--format", "lines"];
    let ended = place.run_on(&args, format!("panic {words}\nok\n")).fails(1, "failed: panicked: ppp");
    assert_eq!(ended.out, "\nok\n");
    assert!(ended.err.len() < 20_000, "{} bytes", ended.err.len());
}
