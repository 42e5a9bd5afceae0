//! The messages of both directions.
//!
//! A worker's first frame is its [`Hello`]; its last is its [`Farewell`], the only
//! proof of a regular end. Between them the coordinator sends jobs and chunks, and
//! the worker answers in parts. Each variant's blocks follow the header in the
//! order of its `…_len` fields.

use crate::codec;
use crate::error::WireError;
use crate::frame::{self, Direction};
use procession_task::{FailureAt, JobSpec, TaskInfo, Times};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Version of everything in this crate; a test compares the encoded bytes.
pub const PROTOCOL: u32 = 7;

/// The exit status of a worker whose allocation beyond its memory limit was
/// refused, whether or not it could name the item.
pub const OUT_OF_MEMORY_STATUS: i32 = 197;

/// The exit status of a worker that ended because an item ran for too long.
pub const TIMED_OUT_STATUS: i32 = 198;

/// From the coordinator to a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToWorker {
    /// The job of chunks that follow.
    Job(JobMessage),
    /// Items to run; their block follows.
    Chunk(ChunkHead),
    /// No more chunks of this job will come: the worker may drop it.
    Forget {
        /// The job.
        job: u64,
    },
    /// No more messages will come: the worker sends its farewell and ends.
    Finish,
    /// Asks whether the worker is alive; answered by [`FromWorker::Alive`]. Meant
    /// for pipes across a network: the driver does not send it yet, and takes an
    /// answer for a protocol violation.
    Ping,
}

/// A job, as it is sent to a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobMessage {
    /// Its id within the pool.
    pub job: u64,
    /// The run's start on the host's monotonic clock, in nanoseconds, as of the
    /// worker's spawn. Signals tell the worker by how much later pauses move it.
    pub epoch_ns: u64,
    /// What to do.
    pub spec: JobSpec,
}

/// A chunk, or a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkHead {
    /// The job it belongs to.
    pub job: u64,
    /// Its id within the pool.
    pub chunk: u64,
    /// Id of this attempt; answers name it.
    pub attempt: u64,
    /// How many times these items have been sent, this time included.
    pub tries: u32,
    /// Index of the first item in the input.
    pub first: u64,
    /// How many items.
    pub items: u32,
    /// Whether the worker answers after every item.
    pub each: bool,
    /// Whether every item gets a log line.
    pub log: bool,
    /// Length of the block.
    pub block_len: u32,
}

/// From a worker to the coordinator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromWorker {
    /// Its first message.
    Hello(Hello),
    /// The worker can't run this job.
    Refused {
        /// The job.
        job: u64,
        /// Why.
        message: String,
    },
    /// Results of the next items of a chunk; the blocks follow.
    Answer(AnswerHead),
    /// The worker is about to end because of this item.
    Aborting {
        /// The attempt.
        attempt: u64,
        /// The item, counted from the attempt's first.
        offset: u32,
        /// The item's outcome.
        kind: procession_task::FailureKind,
    },
    /// The answer to [`ToWorker::Ping`].
    Alive,
    /// Its last message.
    Farewell(Farewell),
    /// The current item has failed, and the worker runs it again at once, with its
    /// whole time limit. Only allowed by [`JobSpec::again`].
    Again {
        /// The attempt.
        attempt: u64,
    },
    /// A note for the user.
    Note {
        /// One or two sentences.
        text: String,
    },
    /// The output of this item may be incomplete: a process that its program left
    /// behind was still writing when the worker stopped reading. Comes before the
    /// item's answer.
    OutputCut {
        /// The attempt.
        attempt: u64,
        /// Index of the item in the input.
        item: u64,
    },
}

/// Who a worker is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The worker's [`PROTOCOL`].
    pub protocol: u32,
    /// The version of its program.
    pub version: String,
    /// Its process id on its host.
    pub pid: u32,
    /// Its host's name.
    pub host: String,
    /// The tasks it knows.
    pub tasks: Vec<TaskInfo>,
}

/// Results of consecutive items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerHead {
    /// The attempt that is answered.
    pub attempt: u64,
    /// How many of the attempt's items, from where the last answer ended.
    pub items: u32,
    /// Time spent on the items, in nanoseconds.
    pub busy_ns: u64,
    /// The failed ones.
    pub failures: Vec<FailureAt>,
    /// Length of the block of records.
    pub outputs_len: u32,
    /// Length of the block of log lines.
    pub log_len: u32,
    /// Length of the block of lines to be shown.
    pub shown_len: u32,
}

/// What a worker used, as it measured it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Farewell {
    /// The process's peak memory, in bytes.
    pub peak_memory: u64,
    /// Where its time went.
    pub times: Times,
}

/// The ranges of a message's blocks in its payload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tails {
    /// The first block: a chunk's items or an answer's records.
    pub main: Range<usize>,
    /// An answer's log lines.
    pub log: Range<usize>,
    /// An answer's lines to be shown.
    pub shown: Range<usize>,
}

/// Appends the frame of `message` without its blocks. The caller sends the blocks
/// directly after it, uncopied, in the order of [`Tails`].
///
/// # Errors
/// The message is too long for a frame; `out` is unchanged.
pub fn encode_to_worker(out: &mut Vec<u8>, message: &ToWorker, block: &[u8]) -> Result<(), WireError> {
    encode(out, Direction::ToWorker, message, &[block])
}

/// As [`encode_to_worker`], in the other direction.
///
/// # Errors
/// The message is too long for a frame; `out` is unchanged.
pub fn encode_from_worker(out: &mut Vec<u8>, message: &FromWorker, blocks: &[&[u8]]) -> Result<(), WireError> {
    encode(out, Direction::FromWorker, message, blocks)
}

fn encode(out: &mut Vec<u8>, to: Direction, message: &impl Serialize, blocks: &[&[u8]]) -> Result<(), WireError> {
    let at = frame::begin(out, to);
    let encoded = codec::encode(message, out);
    encoded.and_then(|_| frame::end(out, at, blocks)).inspect_err(|_| out.truncate(at))
}

/// Reads a payload that came from the coordinator.
///
/// # Errors
/// The payload is not exactly one message and its blocks.
pub fn decode_to_worker(payload: &[u8]) -> Result<(ToWorker, Tails), WireError> {
    let (message, used) = codec::decode_front::<ToWorker>(payload)?;
    let lengths = match &message {
        ToWorker::Chunk(head) => [head.block_len, 0, 0],
        _ => [0; 3],
    };
    Ok((message, tails(payload, used, lengths)?))
}

/// Reads a payload that came from a worker.
///
/// # Errors
/// The payload is not exactly one message and its blocks.
pub fn decode_from_worker(payload: &[u8]) -> Result<(FromWorker, Tails), WireError> {
    let (message, used) = codec::decode_front::<FromWorker>(payload)?;
    let lengths = match &message {
        FromWorker::Answer(head) => [head.outputs_len, head.log_len, head.shown_len],
        _ => [0; 3],
    };
    Ok((message, tails(payload, used, lengths)?))
}

fn tails(payload: &[u8], used: usize, lengths: [u32; 3]) -> Result<Tails, WireError> {
    let announced: u64 = lengths.iter().map(|&l| u64::from(l)).sum();
    let found = (payload.len() - used) as u64;
    if announced != found {
        return Err(WireError::Tails { announced, found });
    }
    let mut at = used;
    let mut next = |length: u32| {
        let from = at;
        at += length as usize;
        from..at
    };
    Ok(Tails { main: next(lengths[0]), log: next(lengths[1]), shown: next(lengths[2]) })
}
