//! What only the operating system can do: clocks, pipes, starting and ending
//! processes, limits, file descriptors.
//!
//! This is the only crate of the project with `unsafe` code, so that all others
//! can forbid it. It makes no decisions: it offers safe functions, and documents
//! their subtle points once. Linux only.
//!
//! From the bottom up:
//!
//! - `atomic_file`: replacing a file in one step
//! - `clock`: the monotonic clock, with and without pauses
//! - `shortage`: what the system refuses only for now
//! - `lazy_queue`: between two threads
//! - `pipe`, `poll`, `wake`: waiting for file descriptors
//! - `signals`, `stdout`: what this process inherited
//! - `own_program`: the path and the rights of this program
//! - `limits`: the memory limit and what happens at it
//! - `image`: functions that another process can call
//! - `terminal`: giving up the controlling terminal
//! - `process`: workers and programs as their parent sees them
//! - `pause`: suspending and resuming a worker, or this process
//! - `worker`: the setup of a worker process

mod atomic_file;
mod foreign_link;

mod clock;

mod lazy_queue;
mod shortage;

mod pipe;
mod poll;
mod wake;

mod signals;
mod stdout;

mod own_program;

mod limits;

mod image;

mod terminal;

mod process;

mod pause;

mod worker;

pub use atomic_file::{AtomicFile, remove_unfinished_files};
pub use clock::{ClockReading, coarse_ns, coarse_running_ns, monotonic_ns, read_running_clock, running_ns};
pub use foreign_link::refuse_foreign_links;
pub use image::{Address, FunctionEntry, ImageError, zero_sized_value};
pub use lazy_queue::{LazyQueue, Taken, WorthWaking};
pub use limits::{LimitError, WorkerAllocator, end_by, end_now, lift_limits_for_exit, limit_memory, on_out_of_memory};
pub use own_program::{has_more_rights_than_caller, own_program};
pub use pause::stop_self;
pub use pipe::unread_bytes;
pub use poll::{PollSet, Ready};
pub use process::{
    Ended, LaunchedProgram, Launcher, OwnChild, ProgramInput, SpawnError, Spawned, StopDetector, Usage, Watcher,
    contain_programs, end_programs, mark_for_workers, own_peak_memory, peak_memory, processes_left, program_mark,
    reap_ended_strangers, reap_strangers, thread_usage, watch_if_asked,
};
pub use shortage::{is_temporary, retry_while_short, start_thread};
pub use signals::{ignores, reset_inherited_signals};
pub use stdout::{check_stdout, divert_stdout};
pub use wake::WakeUp;
pub use worker::{Protocol, SetupError, enter_worker, hostname, show_own_name};

pub use nix::sys::signal::Signal;
