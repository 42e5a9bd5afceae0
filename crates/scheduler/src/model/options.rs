//! What the user may set: for the pool as a whole, and for one job.

use std::num::NonZeroU32;
use std::time::Duration;

/// How the pool keeps its workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    /// How many workers live at a time; 0 is taken as 1.
    pub slots: u32,
    /// How long a worker may take from its spawn to [`WorkerReady`].
    ///
    /// [`WorkerReady`]: crate::SchedulerEvent::WorkerReady
    pub start_timeout: Duration,
    /// How long a worker may take from `Retire` or `Terminate` to its end
    /// before it is killed.
    pub grace: Duration,
    /// A worker that has been given so many items is retired when it has
    /// answered them, and replaced; 0 is taken as 1.
    pub max_tasks_per_worker: Option<u64>,
    /// So many start failures in a row, with no worker ready in between, end
    /// the run; 0 is taken as 1.
    pub start_failures: u32,
    /// How many chunks a worker may hold at a time, the running one included;
    /// 0 is taken as 1. For a worker at the end of a slow line.
    pub max_depth: usize,
}

impl PoolOptions {
    /// The defaults for so many slots.
    ///
    /// `start_failures` is then the number of slots, at least 3: every slot is
    /// spawned at once, so on a machine that is short of something for a moment
    /// all of the first workers may fail together, and that should not end the
    /// run before any was tried again, unless none comes up at all.
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
    /// One at first, then as many as take a few milliseconds, and fewer again
    /// near the end.
    #[default]
    Auto,
    /// Always so many.
    Fixed(NonZeroU32),
}

impl ChunkSize {
    /// Whether the size is automatic.
    #[must_use]
    pub fn is_auto(&self) -> bool {
        *self == Self::Auto
    }

    /// How many items, if that is always the same number.
    #[must_use]
    pub fn fixed(self) -> Option<u32> {
        match self {
            Self::Auto => None,
            Self::Fixed(items) => Some(items.get()),
        }
    }
}

/// How one job is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobOptions {
    /// How many items go into a chunk.
    pub chunk: ChunkSize,
    /// How many bytes an automatic chunk has at most (one item may have more).
    pub max_chunk_bytes: u64,
    /// No chunk is cut while the job holds so many bytes or more: blocks that
    /// may be needed again, and results that are not released.
    pub window_bytes: u64,
    /// Whether results are delivered in input order, or as they come.
    pub ordered: bool,
    /// How often an item is tried again after an attempt was charged to it;
    /// `None`: for ever.
    pub retries: Option<u32>,
    /// Whether an item that timed out is tried again at all.
    pub retry_timed_out: bool,
    /// Whether an item that crashed its worker is tried again at all.
    pub retry_crashed: bool,
    /// Whether an item that ran out of memory is tried again at all.
    pub retry_out_of_memory: bool,
    /// How long one item may run. The worker's own watchdog keeps it exactly;
    /// the scheduler kills a worker that has said nothing for this long and
    /// [`SILENCE_GRACE`](crate::SILENCE_GRACE) more.
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
