//! What the fuzz targets check, as plain functions of any bytes: the targets in
//! `fuzz/` and the replay of their seeds in the ordinary tests call the same.
//! A check fails by a panic.

#![forbid(unsafe_code)]

mod cutter;
mod frame;
mod log;
mod message;
mod resume;

pub use cutter::{csv, cutter, heading, jsonl};
pub use frame::frame;
pub use log::log;
pub use message::message;
pub use resume::resume;

/// A check of any bytes.
pub type Body = fn(&[u8]);

/// Every target: its name in `fuzz/`, and what it checks.
pub const ALL: &[(&str, Body)] = &[
    ("frame", frame),
    ("message", message),
    ("cutter", cutter),
    ("heading", heading),
    ("csv", csv),
    ("jsonl", jsonl),
    ("log", log),
    ("resume", resume),
];
