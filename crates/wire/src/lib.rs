//! What travels between the coordinator and a worker: messages, their codec,
//! and the frames around them.
//!
//! A frame is a marker, a length, a checksum and a payload; a payload is a
//! small header encoded with bincode and, behind it, raw blocks of bytes whose
//! lengths the header names. Blocks are never encoded item by item and never
//! copied to be decoded.
//!
//! Everything here is sans-IO: bytes in, bytes out.

#![forbid(unsafe_code)]

pub mod codec;
pub mod frame;

mod message;

pub use message::{
    AnswerHead, ChunkHead, Farewell, FromWorker, Hello, JobMessage, OUT_OF_MEMORY_STATUS, PROTOCOL, TIMED_OUT_STATUS,
    Tails, ToWorker, decode_from_worker, decode_to_worker, encode_from_worker, encode_to_worker,
};

/// Why bytes that arrived are no message. Always fatal for the worker at the
/// other end: a pipe neither loses nor reorders, so there is nothing to skip to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes do not begin as a frame of the expected direction.
    #[error("no frame begins here: {0}")]
    Marker(String),
    /// The frame is longer than may be.
    #[error("a frame of {length} bytes is longer than the {limit} bytes allowed")]
    TooLong {
        /// What the frame says.
        length: u64,
        /// What is allowed.
        limit: u64,
    },
    /// The payload is not what was sent.
    #[error("the checksum of a frame does not match its payload")]
    Checksum,
    /// The payload is not a message.
    #[error("a frame holds no message: {0}")]
    Codec(String),
    /// The header names more or fewer bytes than follow it.
    #[error("a message of {found} bytes of blocks announces {announced}")]
    Tails {
        /// What the header says.
        announced: u64,
        /// What follows it.
        found: u64,
    },
}

impl WireError {
    /// What the codec says of a value, without the words about frames.
    #[must_use]
    pub fn into_words(self) -> String {
        match self {
            Self::Codec(words) => words,
            other => other.to_string(),
        }
    }
}
