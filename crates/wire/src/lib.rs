//! What travels between the coordinator and a worker: messages, their codec,
//! and the frames around them.
//!
//! A frame is a marker, a length, a checksum and a payload; a payload is a small
//! header encoded with bincode, followed by raw blocks of bytes whose lengths are
//! in the header. Blocks are neither encoded item by item nor copied for decoding.
//!
//! Everything here is sans-IO: bytes in, bytes out.

#![forbid(unsafe_code)]

mod error;
pub mod codec;
pub mod frame;
mod message;

pub use error::WireError;
pub use message::{
    AnswerHead, ChunkHead, Farewell, FromWorker, Hello, JobMessage, OUT_OF_MEMORY_STATUS, PROTOCOL, TIMED_OUT_STATUS,
    Tails, ToWorker, check_job, decode_from_worker, decode_to_worker, encode_from_worker, encode_to_worker,
};
