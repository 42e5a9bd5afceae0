//! Ids as types of their own, so that a worker's number cannot be used as a job's.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A place in the pool for a worker, numbered from 0. A replacement takes the same
    /// slot.
    Slot(u32)
}
id! {
    /// One worker, from its spawn to its end. An id is never used again.
    ///
    /// The first workers have the numbers of their slots. A later id modulo the number
    /// of slots is the worker's slot, so a worker is found without a map.
    WorkerId(u64)
}
id! {
    /// A job, numbered by the driver. An older job has a lower number: the scheduler
    /// serves the lowest number that has work.
    JobId(u64)
}
id! {
    /// A chunk, unique within its job. Chunks are numbered from 0 in the order in which
    /// they are cut, which is the order of their items.
    ChunkId(u64)
}
id! {
    /// One sending of a range of a chunk to a worker, unique in the pool.
    AttemptId(u64)
}
