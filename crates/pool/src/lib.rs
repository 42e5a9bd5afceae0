//! A process pool that people can trust: ordered results from many processes.
//!
//! This crate holds the pool's driver, what workers run to serve it, and the
//! events that observers hear. The pool sees blocks of opaque bytes: where
//! they come from is a [`Source`], where results go is a [`Sink`].

#![forbid(unsafe_code)]

mod events;
mod flow;
mod waker;

pub use events::{Accepted, Event, Exit, Observer, WorkerExit, WorkerRef};
pub use flow::{Batch, Block, Credit, Cut, Delivery, ItemFailure, Place, Sink, Source};
pub use waker::Waker;
