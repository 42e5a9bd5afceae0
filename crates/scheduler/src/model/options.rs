//! The settings of the pool and of one job.

use std::num::NonZeroU32;
use std::time::Duration;

/// The settings of the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    /// The number of workers; 0 counts as 1.
    pub slots: u32,
    /// The longest time from a worker's spawn to [`WorkerReady`].
    ///
    /// [`WorkerReady`]: crate::SchedulerEvent::WorkerReady
    pub start_timeout: Duration,
    /// The longest time from `Retire` or `Terminate` to a worker's end before it is
    /// killed.
    pub grace: Duration,
    /// A worker that has been given this many items is retired when it has answered
    /// them, and replaced; 0 counts as 1.
    pub max_tasks_per_worker: Option<u64>,
    /// This many consecutive start failures, while no worker works, end the run; 0
    /// counts as 1.
    pub start_failures: u32,
    /// The maximum number of chunks in a worker, including the running one; 0 counts as
    /// 1. For a worker at the end of a slow connection.
    pub max_depth: usize,
}

impl PoolOptions {
    /// The defaults for this number of slots.
    ///
    /// `start_failures` is the number of slots, but at least 3. Every slot is spawned
    /// at once. So on a machine that is short of a resource for a moment all first
    /// workers may fail together. That should end the run only if the retries fail,
    /// too.
    #[must_use]
    pub fn new(slots: u32) -> Self {
        Self {
            slots,
            start_timeout: Duration::from_secs(4),
            grace: Duration::from_secs(2),
            max_tasks_per_worker: None,
            start_failures: slots.max(3),
            max_depth: 128,
        }
    }
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self::new(1)
    }
}

/// How many items go into a chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChunkSize {
    /// One item at first, then as many as take a few milliseconds, and fewer again near
    /// the end of the input.
    #[default]
    Auto,
    /// Always this number.
    Fixed(NonZeroU32),
}

impl ChunkSize {
    /// Whether the size is automatic.
    #[must_use]
    pub fn is_auto(&self) -> bool {
        *self == Self::Auto
    }

    /// The number of items, if it is fixed.
    #[must_use]
    pub fn fixed(self) -> Option<u32> {
        match self {
            Self::Auto => None,
            Self::Fixed(items) => Some(items.get()),
        }
    }
}

/// The settings of one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobOptions {
    /// The number of items in a chunk.
    pub chunk: ChunkSize,
    /// The maximum size of an automatic chunk, in bytes. A single item may be larger.
    pub max_chunk_bytes: u64,
    /// No chunk is cut while the job holds this many bytes or more: blocks that may
    /// have to be sent again, and results that are not yet written.
    pub window_bytes: u64,
    /// Whether results are delivered in input order, or as they arrive.
    pub ordered: bool,
    /// How many times an item is retried after an attempt was charged to it; `None`:
    /// without limit.
    pub retries: Option<u32>,
    /// Whether an item that timed out is retried.
    pub retry_timed_out: bool,
    /// Whether an item that crashed its worker is retried.
    pub retry_crashed: bool,
    /// Whether an item that ran out of memory is retried.
    pub retry_out_of_memory: bool,
    /// How long one item may run. The worker's own watchdog enforces it exactly. The
    /// scheduler kills a worker that has sent nothing for this time plus
    /// [`SILENCE_GRACE`](crate::SILENCE_GRACE).
    pub timeout: Option<Duration>,
}

impl Default for JobOptions {
    fn default() -> Self {
        Self {
            chunk: ChunkSize::Auto,
            max_chunk_bytes: 256 << 10,
            window_bytes: 16 << 20,
            ordered: true,
            retries: Some(2),
            retry_timed_out: false,
            retry_crashed: true,
            retry_out_of_memory: true,
            timeout: None,
        }
    }
}
