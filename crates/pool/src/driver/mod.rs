//! The pool of processes: a handle, and behind it the driver, one thread with
//! one poll.
//!
//! The driver carries events from pipes, processes, clock and other threads to
//! the scheduler, and the scheduler's actions back to them. It decides nothing.
//! It blocks only in its poll: sources and sinks work on threads of their own,
//! pipes are nonblocking, observers hand over.

mod clock;
mod mailbox;

mod inbox;
mod job_buffers;
mod outbox;

mod process;

mod event_loop;

mod actions;
mod exits;
mod incoming;
mod pause;
mod pending_spawns;
mod pipes;
mod start_failure;

mod process_pool;
mod stopped;
mod worker_info;

#[cfg(test)]
mod tests;

pub use process_pool::{ProcessPool, ProcessPoolBuilder};
pub use worker_info::AskedWorker;
