//! The worker's side: how a program is started as one, its serving loop, and
//! lists of tasks for workers of one's own.

mod process_role;
mod role;

mod frame_reader;
mod frame_writer;
mod watchdog_state;

mod host;
mod watchdog;

mod serving;

mod tasks;

pub use role::{ARGUMENT, Role};
pub use tasks::{Tasks, listed, serve};

/// An allocator with which a worker can name the item that wants more memory than
/// `--memory-limit` allows. A worker's program installs it as its
/// `#[global_allocator]`. Without it such an item counts as crashed.
pub use procession_sys::WorkerAllocator;
pub use procession_task::{Items, ParamSpec, Params};

pub(crate) use process_role::{become_program, become_worker, check};
pub(crate) use role::arguments;
pub(crate) use serving::serve_role;
