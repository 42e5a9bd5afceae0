//! The messages of both directions.
//!
//! A worker's first frame is its [`Hello`]; its last is its [`Farewell`], the only
//! proof of a regular end. Between them the coordinator sends jobs and chunks, and
//! the worker answers in parts. Each variant's blocks follow the header in the
//! order of its `…_len` fields.

use crate::codec;
use crate::error::WireError;
use crate::frame::{self, Direction};
use procession_task::{FailureAt, JobSpec, SlowestItem, TaskInfo, Times};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Version of everything in this crate; a test compares the encoded bytes.
pub const PROTOCOL: u32 = 10;

/// The exit status of a worker whose allocation beyond its memory limit was
/// refused, whether or not it could name the item.
pub const OUT_OF_MEMORY_STATUS: i32 = 197;

/// The exit status of a worker that ended because an item ran for too long.
pub const TIMED_OUT_STATUS: i32 = 198;

/// From the coordinator to a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToWorker {
    /// The job of chunks that follow; its arguments follow.
    Job(Box<JobMessage>),
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
    /// What to do. Its arguments are not in the header.
    pub spec: JobSpec,
    /// Lengths of the job's arguments, in bytes. The arguments follow, one after the
    /// other.
    pub argument_lens: Vec<u32>,
}

impl JobMessage {
    /// The message of a job, without its arguments, and the block of arguments that
    /// follows it. The job passed [`check_job`].
    #[must_use]
    pub fn new(job: u64, epoch_ns: u64, mut spec: JobSpec) -> (Self, Vec<u8>) {
        let mut arguments = std::mem::take(&mut spec.arguments);
        let length = |argument: &Vec<u8>| u32::try_from(argument.len()).unwrap_or(u32::MAX);
        let argument_lens = arguments.iter().map(length).collect();
        let block = if arguments.len() == 1 { arguments.swap_remove(0) } else { arguments.concat() };
        (Self { job, epoch_ns, spec, argument_lens }, block)
    }
}

/// Checks that a job can be sent to a worker.
///
/// # Errors
/// Its arguments together, or its other settings, are longer than a worker accepts.
pub fn check_job(spec: &JobSpec) -> Result<(), WireError> {
    let mut header = Vec::new();
    codec::encode(spec, &mut header)?;
    // The message's other fields are integers, and one length for each argument.
    let header = header.len() as u64 + 64 + 4 * spec.arguments.len() as u64;
    let arguments: u64 = spec.arguments.iter().map(|argument| argument.len() as u64).sum();
    for (length, limit) in [(header, codec::HEADER_LIMIT as u64), (header + arguments, u64::from(frame::PAYLOAD_LIMIT))]
    {
        if length > limit {
            return Err(WireError::TooMuch { length, limit });
        }
    }
    Ok(())
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
    /// A note about something that will hardly end by itself.
    Warning {
        /// One or two sentences.
        text: String,
    },
    /// The last lines that the program of the running item wrote. Comes right before
    /// [`FromWorker::Aborting`].
    LastLines {
        /// They stand in the item's failure.
        text: String,
    },
    /// An item has this type for the code of the user.
    ItemType {
        /// The type's name: `int`, for example.
        name: String,
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
    /// Index of the first of these items in the input: where the attempt's last answer
    /// ended. An answer that was lost or overtaken is noticed by it.
    pub first: u64,
    /// How many items.
    pub items: u32,
    /// Time spent on the items, in nanoseconds.
    pub busy_ns: u64,
    /// The slowest of the items, if they have log lines.
    pub slowest: SlowestItem,
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
    /// The first block: a job's arguments, a chunk's items or an answer's records.
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

/// Reads a payload that came from the coordinator. A job has its arguments.
///
/// # Errors
/// The payload is not exactly one message and its blocks.
pub fn decode_to_worker(payload: &[u8]) -> Result<(ToWorker, Tails), WireError> {
    let (mut message, used) = codec::decode_front::<ToWorker>(payload)?;
    let main = match &message {
        ToWorker::Job(job) => job.argument_lens.iter().map(|&length| u64::from(length)).sum(),
        ToWorker::Chunk(head) => u64::from(head.block_len),
        _ => 0,
    };
    let tails = tails(payload, used, [main, 0, 0])?;
    if let ToWorker::Job(job) = &mut message {
        let JobMessage { spec, argument_lens, .. } = job.as_mut();
        let mut rest = &payload[tails.main.clone()];
        for &length in &*argument_lens {
            let (argument, others) = rest.split_at(length as usize);
            spec.arguments.push(argument.to_vec());
            rest = others;
        }
    }
    Ok((message, tails))
}

/// Reads a payload that came from a worker.
///
/// # Errors
/// The payload is not exactly one message and its blocks.
pub fn decode_from_worker(payload: &[u8]) -> Result<(FromWorker, Tails), WireError> {
    let (message, used) = codec::decode_front::<FromWorker>(payload)?;
    let lengths = match &message {
        FromWorker::Answer(head) => [head.outputs_len, head.log_len, head.shown_len].map(u64::from),
        _ => [0; 3],
    };
    Ok((message, tails(payload, used, lengths)?))
}

fn tails(payload: &[u8], used: usize, lengths: [u64; 3]) -> Result<Tails, WireError> {
    let announced: u64 = lengths.iter().sum();
    let found = (payload.len() - used) as u64;
    if announced != found {
        return Err(WireError::Tails { announced, found });
    }
    let mut at = used;
    // The sum is the length of a slice, so each of them fits.
    let mut next = |length: u64| {
        let from = at;
        at += length as usize;
        from..at
    };
    Ok(Tails { main: next(lengths[0]), log: next(lengths[1]), shown: next(lengths[2]) })
}
