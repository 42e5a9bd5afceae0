//! A process pool that people can trust: functions over values in many
//! processes, results in order, and every failure the one item's own.
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
//! A pool starts the program that it is in once more for each worker.
//! [`init`], first thing in `main`, is where such a process turns into a worker:
//! it never comes back from there. So there is nothing to register: a function is
//! at the same place in the same file, and its place is all that travels of it.
//! Items and results travel in bytes, by `serde`, over pipes, many to a message.
//! (Of a `Vec<u8>`, `serde` looks at each byte by itself: large ones travel faster
//! as a `String`, or with `serde_bytes`.)
//! Nothing is forked: a worker has none of this process's memory, threads or
//! locks, and what runs before `init` runs in every worker, too.
//!
//! # What can run
//!
//! A [`Work`] is a function or a closure that captures nothing, from one item to
//! its result; one that returns `Result<_, TaskError>`, to say no to an item; or,
//! if it has settings, a value of a type that implements [`Task`]:
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
//! What all items need and what is too large to travel with each belongs into a
//! `static` that [`PoolBuilder::initializer`] fills, once in each worker.
//!
//! # What can go wrong
//!
//! Each item has one [`Outcome`]: its result, or an [`ItemError`] that says what
//! became of it. A panic is caught, and its worker lives on. A worker that dies
//! is replaced, the item that it died of is tried again ([`PoolBuilder::retries`]) and
//! then given up, and its neighbours are none the worse. With
//! [`PoolBuilder::timeout`] and [`PoolBuilder::memory_limit`] an item that takes too long
//! or too much is ended alone.
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
//! # A guest in your program
//!
//! The library leaves signal handlers, masks, limits and SIGCHLD of the program
//! alone. [`Pool::control`] ends the work from elsewhere, which is all that a
//! handler for Ctrl-C needs. Whatever ends the program, `kill -9` among it, ends
//! its workers. What tasks print, on whichever stream, appears on the program's
//! standard error.
//!
//! Where there is no `main` of one's own, as in `cargo test`, processes can't be
//! had; [`PoolBuilder::threads`] and [`PoolBuilder::serial`] run the same code on the same
//! blocks. (Or give a test target `harness = false` and a `main`.)
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
//! If the work never crashes, Rayon is the faster choice: threads share memory,
//! and nothing has to be copied. As a measure: an item of eight bytes costs some
//! forty nanoseconds of processor time here, and calling a pool that has nothing
//! to do about as much as a message from process to process and back.
//!
//! # Beneath
//!
//! [`raw`] is what all this is made of: jobs of opaque blocks, and programs of
//! one's own as workers. [`worker`] is for such programs: [`worker::serve`] makes a
//! worker for the command line of a list of tasks. [`Observer`]s hear of what
//! happens, whichever way a pool is used.

#![forbid(unsafe_code)]

mod observe;

mod jobs;

pub mod worker;

mod driver;
mod in_process;

pub mod raw;

mod typed;

pub use jobs::{Control, PoolError};
pub use observe::{Accepted, DriverTimes, Event, Exit, Observer, Stopwatch, WatchPhase, WorkerExit, WorkerRef};
pub use procession_scheduler::ChunkSize;
pub use procession_task::{Kind, RETRY_ON, Task, TaskError};
pub use typed::{
    Fallible, Function, Handle, ItemError, Map, MapUnordered, Outcome, Pool, PoolBuilder, Value, Work, init,
};

/// Where a worker's time goes.
pub use procession_task::Times;
