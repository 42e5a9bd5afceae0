//! A process pool: functions over values in many processes, results in order, and
//! every failure catch_panic to its item.
//!
//! ```
//! use procession::Pool;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     procession::init();
//!     let pool = Pool::builder().procs(2).build()?;
//!     let squares: Result<Vec<u64>, _> = pool.map(|n: u64| n * n, 0..5).collect();
//!     assert_eq!(squares?, [0, 1, 4, 9, 16]);
//!     Ok(())
//! }
//! ```
//!
//! # How it works
//!
//! A pool starts the program that it is in again for each worker. In such a process
//! [`init`], first thing in `main`, serves the pool and never returns. Functions
//! need no registration: a function is at the same address in the same file, and
//! only its address travels. Items and results travel as bytes, encoded by `serde`,
//! over pipes, many in one message. (`serde` encodes a `Vec<u8>` byte by byte:
//! large ones travel faster as a `String`, or with `serde_bytes`.) Workers are not
//! forked: a worker shares none of this process's memory, threads or locks, and
//! code that runs before `init` runs in every worker, too.
//!
//! # What can run
//!
//! A [`Work`] is a function or a closure that captures nothing, from one item to
//! its result; it may return `Result<_, TaskError>` to reject an item. If the work
//! has settings, it is a value of a type that implements [`Task`]:
//!
//! ```
//! use procession::{ItemError, Pool, Task, TaskError};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Divide { by: u64 }
//!
//! impl Task for Divide {
//!     type Input = u64;
//!     type Output = u64;
//!
//!     fn name(&self) -> &str {
//!         "divide"
//!     }
//!
//!     fn run(&self, n: u64) -> Result<u64, TaskError> {
//!         n.checked_div(self.by).ok_or_else(|| TaskError::new("nothing divides by zero"))
//!     }
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     procession::init();
//!     let pool = Pool::builder().procs(2).build()?;
//!     assert_eq!(pool.submit(Divide { by: 3 }, 12).wait()?, 4);
//!     let error = pool.submit(Divide { by: 0 }, 12).wait().unwrap_err();
//!     assert_eq!(error.to_string(), "item 0 failed: nothing divides by zero");
//!     Ok(())
//! }
//! ```
//!
//! Data that all items need and that is too large to travel with each item belongs
//! in a `static` that [`PoolBuilder::initializer`] fills, once in each worker.
//!
//! # What can go wrong
//!
//! Each item has one [`Outcome`]: its result, or an [`ItemError`]. A panic is
//! caught, and its worker goes on. A worker that dies is replaced; the item that it
//! died of is tried again ([`PoolBuilder::retries`]) and then given up; the other
//! items of the worker are not affected. With [`PoolBuilder::timeout`] and
//! [`PoolBuilder::memory_limit`] an item that takes too long or too much memory is
//! ended alone.
//!
//! ```
//! use procession::{Exit, ItemError, Pool};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     procession::init();
//!     let pool = Pool::builder().procs(2).retries(1).build()?;
//!     let risky = |n: u32| if n == 7 { std::process::abort() } else { n };
//!     let outcomes: Vec<_> = pool.map(risky, 0..10).collect();
//!     assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 9);
//!     let Err(ItemError::Crashed { index, exit, attempts, .. }) = &outcomes[7] else { panic!() };
//!     assert_eq!((*index, *exit, *attempts), (7, Some(Exit::Signal(6)), 2));
//!     Ok(())
//! }
//! ```
//!
//! # What the library leaves alone
//!
//! The library does not change the program's signal handlers, signal masks, limits
//! or SIGCHLD. A handler for Ctrl-C uses [`Pool::control`] to end the work.
//! Whatever ends the program, including `kill -9`, ends its workers. What tasks
//! print, on standard output or standard error, appears on the program's standard
//! error.
//!
//! Without a `main` of one's own, as in `cargo test`, there can be no pool of
//! processes; [`PoolBuilder::threads`] and [`PoolBuilder::serial`] run the same
//! code on the same blocks. (Or give a test target `harness = false` and a `main`.)
//!
//! # From Python's `multiprocessing.Pool`
//!
//! | there | here |
//! |---|---|
//! | `if __name__ == "__main__":` | [`procession::init()`](init), first in `main` |
//! | `Pool()`, `Pool(4)` | [`Pool::new`], `Pool::builder().procs(4).build()` |
//! | `Pool(initializer=f, initargs=(a,))` | [`PoolBuilder::initializer`]`(f, &a)` |
//! | `Pool(maxtasksperchild=n)` | [`PoolBuilder::max_tasks_per_worker`]`(n)` |
//! | `pool.map(f, xs)` | `pool.map(f, xs).collect::<Result<Vec<_>, _>>()` |
//! | `pool.map(f, xs, chunksize=n)` | [`PoolBuilder::chunk`]`(n)`; by itself it adapts |
//! | `pool.imap(f, xs)` | [`Pool::map`], which is lazy and bounded |
//! | `pool.imap_unordered(f, xs)` | [`Pool::map_unordered`], with indexes |
//! | `pool.starmap(f, pairs)` | `pool.map(\|(a, b): (A, B)\| f(a, b), pairs)` |
//! | `pool.apply_async(f, (x,))`, `.get()` | [`Pool::submit`]`(f, x)`, [`Handle::wait`] |
//! | `.get(timeout=s)`, `.ready()` | [`Handle::wait_timeout`], [`Handle::is_done`] |
//! | `pool.close(); pool.join()` | [`Pool::close`] |
//! | `pool.terminate()`, leaving `with` | [`Pool::terminate`], dropping it |
//! | `ThreadPool(4).map` | `Pool::builder().threads(4).build()`, `map`; each call has its own four threads |
//! | an exception of the first bad item | an [`Outcome`] for every item |
//! | a worker dies: it waits for ever | that item is [`ItemError::Crashed`] |
//!
//! # From Rayon
//!
//! | there | here |
//! |---|---|
//! | `xs.par_iter().map(f).collect()` | `pool.map(f, &xs).collect()` |
//! | `xs.par_iter().map(f).reduce(…)` | [`Pool::map_reduce`], which folds on the caller's thread |
//! | `rayon::spawn`, `join` | [`Pool::submit`] |
//! | closures that borrow | functions that capture nothing, or a [`Task`]'s value |
//! | `Send` items | `Serialize + DeserializeOwned` items |
//! | `ThreadPoolBuilder` | [`Pool::builder`] |
//! | a panic ends the call | a panic is that item's [`ItemError::Panicked`] |
//! | a crash ends the program | a crash is that item's [`ItemError::Crashed`] |
//!
//! If the work never crashes, Rayon is faster: threads share memory, and nothing
//! has to be copied. For comparison: an item of eight bytes costs about 40 ns of
//! processor time here, and a call to an idle pool about as much as a message to
//! another process and back.
//!
//! # The layers below
//!
//! [`raw`] is what the typed pool is made of: jobs of opaque blocks, and programs
//! of one's own as workers. [`worker`] is for such programs: [`worker::serve`]
//! turns a list of tasks into a worker for the command line. [`Observer`]s receive
//! events, whichever way a pool is used.

#![forbid(unsafe_code)]

// The rooms, each of which uses only those before it:
// what observers receive, and stopwatches;
mod observe;

// a job, its source and sink, and the trait for what runs it;
mod jobs;

// the worker's side;
pub mod worker;

// what runs jobs: the pool of processes, and threads or a loop of this process;
mod driver;
mod in_process;

// all of this for programs that have bytes;
pub mod raw;

// and the pool of functions over values.
mod typed;

pub use jobs::{Control, PoolError};
pub use observe::{Accepted, DriverTimes, Event, Exit, Observer, Stopwatch, WatchPhase, WorkerExit, WorkerRef};
pub use procession_scheduler::ChunkSize;
pub use procession_task::{FailureKind, JobLimits, RETRY_ON, Task, TaskError};
pub use typed::{
    Fallible, Function, Handle, ItemError, Map, MapUnordered, Outcome, Pool, PoolBuilder, Value, Work, init,
};

/// Where a worker's time goes.
pub use procession_task::Times;
