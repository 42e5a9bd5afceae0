//! Faults with the first chunk, after an honest hello.

use crate::fault::{AtChunk, Outside};
use crate::process::stay;
use crate::speech::{Chunk, frame, framed, hello, next_chunk, say};
use crate::start::{close_pipes, flood};
use nix::sys::signal::{SigSet, Signal};
use procession_task::{Failure, FailureAt, FailureKind, Items, ParamInfo, TaskInfo};
use procession_wire::frame::{self, Direction};
use procession_wire::{AnswerHead, Farewell, FromWorker, Hello, codec};
use std::io::Read as _;
use std::process::{Command, Stdio};

const GARBAGE: &[u8] = b"Segfault\x1b[31m at 0x0\n";

pub(crate) fn commit(fault: &AtChunk) -> ! {
    let mut held = Vec::new();
    if matches!(fault, AtChunk::Stubborn) {
        // Blocked is as good as ignored, and needs no handler.
        let mut term = SigSet::empty();
        term.add(Signal::SIGTERM);
        term.thread_block().expect("SIGTERM is blocked");
    }
    let tasks = if matches!(fault, AtChunk::Own) { vec![echo()] } else { hello().tasks };
    let greeting = frame(&FromWorker::Hello(Hello { tasks, ..hello() }));
    if matches!(fault, AtChunk::Drip) {
        drip(&greeting)
    } else {
        say(&greeting)
    }
    loop {
        let chunk = next_chunk(&mut held);
        if !answer_unusually(fault, &chunk) {
            break_down(fault, &chunk);
            stay();
        }
    }
}

/// A task of its own.
fn echo() -> TaskInfo {
    let param = |name: &str, default: &str, values: &[&str]| ParamInfo {
        name: name.to_owned(),
        default: default.to_owned(),
        values: values.iter().map(|&value| value.to_owned()).collect(),
        help: "does nothing".to_owned(),
    };
    TaskInfo {
        name: "echo".to_owned(),
        summary: "each line as it is".to_owned(),
        items: Items::Lines,
        numbers: false,
        params: vec![param("volume", "low", &["low", "high"]), param("times", "1", &[])],
    }
}

fn drip(bytes: &[u8]) {
    bytes.chunks(1).for_each(say);
}

/// What is unusual but right; `false` if this fault is none of that kind.
fn answer_unusually(fault: &AtChunk, chunk: &Chunk) -> bool {
    match fault {
        AtChunk::Own => say(&chunk.answer()),
        AtChunk::Drip => drip(&chunk.answer()),
        AtChunk::Twice => say(&chunk.answer().repeat(2)),
        AtChunk::NothingFirst => {
            say(&nothing(chunk));
            say(&chunk.answer());
        }
        AtChunk::Message(bytes) => {
            let failures = vec![failure(chunk, &"m".repeat(*bytes))];
            say(&chunk.answer_with(AnswerHead { failures, ..chunk.head() }));
        }
        AtChunk::Condemns => {
            let attempt = chunk.head.attempt;
            say(&frame(&FromWorker::Aborting { attempt, offset: u32::MAX, kind: FailureKind::TimedOut }));
            say(&chunk.answer());
        }
        AtChunk::LastFlood(times) => {
            say(&[nothing(chunk).repeat(*times), chunk.answer()].concat());
            std::process::exit(0)
        }
        AtChunk::LastWord => {
            say(&chunk.answer());
            std::process::exit(0)
        }
        _ => return false,
    }
    true
}

/// An answer about no items.
fn nothing(chunk: &Chunk) -> Vec<u8> {
    frame(&FromWorker::Answer(AnswerHead { items: 0, outputs_len: 0, ..chunk.head() }))
}

/// What can't be put right.
fn break_down(fault: &AtChunk, chunk: &Chunk) {
    let right = chunk.answer();
    match fault {
        AtChunk::Truncate(bytes) => {
            say(&right[..*bytes.min(&right.len())]);
            std::process::exit(0)
        }
        AtChunk::Flip(bit) => {
            let mut wrong = right;
            let at = bit / 8 % wrong.len();
            wrong[at] ^= 1 << (bit % 8);
            // More behind it, so that a longer length is noticed too.
            say(&[wrong, chunk.answer().repeat(100)].concat());
            std::process::exit(0)
        }
        AtChunk::GarbageBefore => say(&[GARBAGE, &right].concat()),
        AtChunk::GarbageAfter => say(&[&right, GARBAGE].concat()),
        AtChunk::Flood => flood(GARBAGE),
        AtChunk::Length(length) => {
            say(&head(*length, 0));
            flood(GARBAGE)
        }
        AtChunk::Trailing => say(&with_payload(|payload| payload.push(0), &right)),
        AtChunk::Inner => {
            say(&with_payload(|payload| payload[48..56].copy_from_slice(&(1u64 << 60).to_le_bytes()), &right))
        }
        AtChunk::Blocks => say(&chunk.answer_with(AnswerHead { log_len: 1 << 30, ..chunk.head() })),
        AtChunk::NotText => say(&not_text(chunk)),
        AtChunk::Unknown => say(&chunk.answer_with(AnswerHead { attempt: 1 << 60, ..chunk.head() })),
        AtChunk::Gap => say(&chunk.answer_with(AnswerHead { first: chunk.head.first + 1, ..chunk.head() })),
        AtChunk::More => say(&chunk.answer_with(AnswerHead { items: chunk.head.items + 1, ..chunk.head() })),
        AtChunk::Failure(outside) => say(&failed(chunk, *outside)),
        AtChunk::Farewell => say(&frame(&FromWorker::Farewell(Farewell::default()))),
        AtChunk::Alive => say(&frame(&FromWorker::Alive)),
        AtChunk::Hello => say(&frame(&FromWorker::Hello(hello()))),
        AtChunk::Refuse(bytes) => {
            say(&frame(&FromWorker::Refused { job: chunk.head.job, message: "\x1b[2J".repeat(bytes / 4) }));
        }
        AtChunk::Close => close_pipes(),
        AtChunk::CloseInput => {
            nix::unistd::close(0).expect("its input is closed");
            say(&right);
        }
        AtChunk::Grandchild => leave_grandchild(),
        // So that who waits for it knows that it has come so far.
        AtChunk::Mute | AtChunk::Stubborn => drop(std::fs::File::create("begun")),
        _ => {}
    }
}

/// The head of a frame.
fn head(length: u32, crc: u32) -> Vec<u8> {
    [&Direction::FromWorker.marker()[..], &length.to_le_bytes(), &crc.to_le_bytes()].concat()
}

/// A frame like this one with another payload, and sound all the same.
fn with_payload(change: impl FnOnce(&mut Vec<u8>), like: &[u8]) -> Vec<u8> {
    let mut payload = like[frame::HEAD_BYTES..].to_vec();
    change(&mut payload);
    let mut out = Vec::new();
    let at = frame::begin(&mut out, Direction::FromWorker);
    out.extend_from_slice(&payload);
    frame::end(&mut out, at, &[]).expect("a payload that fits");
    out
}

/// A failure of the chunk's first item, honest as it stands here.
fn failure(chunk: &Chunk, message: &str) -> FailureAt {
    let failure = Failure { kind: FailureKind::Failed, message: message.to_owned(), cause: None };
    FailureAt { item: chunk.head.first, failure, attempts: 1, input: (0, 1), record: (0, 1) }
}

fn failed(chunk: &Chunk, outside: Outside) -> Vec<u8> {
    let honest = failure(chunk, "no");
    let failed = match outside {
        Outside::Item => FailureAt { item: u64::MAX, ..honest },
        Outside::Input => FailureAt { input: (u32::MAX, u32::MAX), ..honest },
        Outside::Record => FailureAt { record: (u32::MAX, 1), ..honest },
    };
    chunk.answer_with(AnswerHead { failures: vec![failed], ..chunk.head() })
}

/// An answer with a failure whose message's first byte is no UTF-8.
fn not_text(chunk: &Chunk) -> Vec<u8> {
    let head = AnswerHead { failures: vec![failure(chunk, "MMMM")], ..chunk.head() };
    let mut payload = Vec::new();
    codec::encode(&FromWorker::Answer(head.clone()), &mut payload).expect("a header");
    let at = payload.windows(4).position(|four| four == b"MMMM").expect("the message");
    with_payload(|payload| payload[at] = 0xff, &framed(&FromWorker::Answer(head), &chunk.records()))
}

/// Ends, and leaves a process of another session that holds its pipes. That
/// one ends when nobody holds the other end of its input any more.
fn leave_grandchild() -> ! {
    let mut setsid = Command::new("setsid");
    setsid.args(["sh", "-c", "echo >&2; while read -r _; do :; done"]).stderr(Stdio::piped());
    let child = setsid.spawn().expect("setsid starts");
    // It has left this session before this process ends.
    child.stderr.expect("its errors").read_exact(&mut [0]).expect("a word");
    std::process::exit(7)
}
