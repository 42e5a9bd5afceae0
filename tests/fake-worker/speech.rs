//! Correct messages of the protocol, which faults start from.

use procession_task::{Items, SlowestItem, builtin};
use procession_wire::frame::{Direction, PAYLOAD_LIMIT, Parsed, parse};
use procession_wire::{
    AnswerHead, ChunkHead, FromWorker, Hello, PROTOCOL, ToWorker, decode_to_worker, encode_from_worker,
};
use std::io::{Read as _, Write as _};

/// A chunk as it was given: its head, and its block.
pub(crate) struct Chunk {
    pub(crate) head: ChunkHead,
    pub(crate) block: Vec<u8>,
}

/// An honest hello.
pub(crate) fn hello() -> Hello {
    let (version, host) = ("fake".to_owned(), "localhost".to_owned());
    Hello { protocol: PROTOCOL, version, pid: std::process::id(), host, tasks: vec![builtin::null::ENTRY.info()] }
}

/// The frame of a message without blocks.
pub(crate) fn frame(message: &FromWorker) -> Vec<u8> {
    framed(message, &[])
}

/// The frame of a message with a first block.
pub(crate) fn framed(message: &FromWorker, block: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_from_worker(&mut out, message, &[block]).expect("a message that fits a frame");
    out.extend_from_slice(block);
    out
}

/// Writes all of it; nobody there to read it is the end.
pub(crate) fn say(bytes: &[u8]) {
    let mut out = std::io::stdout();
    if out.write_all(bytes).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// The next chunk; jobs are passed over, and a farewell given when it is asked for.
pub(crate) fn next_chunk(held: &mut Vec<u8>) -> Chunk {
    loop {
        match parse(held, Direction::ToWorker, PAYLOAD_LIMIT).expect("a frame of the coordinator") {
            Parsed::Needs(_) => read_more(held),
            Parsed::Frame(range) => {
                let payload = held[range.clone()].to_vec();
                held.drain(..range.end);
                let (message, tails) = decode_to_worker(&payload).expect("a message of the coordinator");
                match message {
                    ToWorker::Chunk(head) => return Chunk { head, block: payload[tails.main].to_vec() },
                    ToWorker::Job(_) | ToWorker::Forget { .. } => {}
                    ToWorker::Ping => say(&frame(&FromWorker::Alive)),
                    ToWorker::Finish => {
                        say(&frame(&FromWorker::Farewell(procession_wire::Farewell::default())));
                        std::process::exit(0);
                    }
                }
            }
        }
    }
}

fn read_more(held: &mut Vec<u8>) {
    let mut buffer = [0; 4096];
    match std::io::stdin().read(&mut buffer) {
        Ok(0) | Err(_) => std::process::exit(0),
        Ok(read) => held.extend_from_slice(&buffer[..read]),
    }
}

impl Chunk {
    /// What the task `null` makes of it: each line, as it is.
    pub(crate) fn records(&self) -> Vec<u8> {
        let lines = Items::Lines.split(&self.block);
        lines.flat_map(|(_, item)| item.iter().copied().chain([b'\n'])).collect()
    }

    /// The head of the right answer.
    pub(crate) fn head(&self) -> AnswerHead {
        AnswerHead {
            attempt: self.head.attempt,
            first: self.head.first,
            items: self.head.items,
            busy_ns: 1,
            slowest: SlowestItem::default(),
            failures: Vec::new(),
            outputs_len: u32::try_from(self.records().len()).expect("records that fit"),
            log_len: 0,
            shown_len: 0,
        }
    }

    /// The frame of an answer with these records.
    pub(crate) fn answer_with(&self, head: AnswerHead) -> Vec<u8> {
        framed(&FromWorker::Answer(head), &self.records())
    }

    /// The frame of the right answer.
    pub(crate) fn answer(&self) -> Vec<u8> {
        self.answer_with(self.head())
    }
}
