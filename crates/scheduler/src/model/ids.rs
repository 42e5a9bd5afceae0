//! Names for things, as types: a worker's number cannot be taken for a job's.

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
    /// A worker's place in the pool, from 0; kept when the worker is replaced.
    Slot(u32)
}
id! {
    /// One worker, from its spawn to its end; never used again.
    ///
    /// The first workers are numbered like their slots; each later number
    /// leaves the slot as its remainder by the number of slots, which is how a
    /// worker is found without a map.
    WorkerId(u64)
}
id! {
    /// A job, numbered by the driver. An older job has the lower number: the
    /// scheduler serves the lowest number that has work.
    JobId(u64)
}
id! {
    /// A chunk, unique within its job: chunks are numbered from 0 in the order
    /// in which they are cut, which is the order of their items.
    ChunkId(u64)
}
id! {
    /// One dispatch of a range of a chunk to a worker, unique in the pool.
    AttemptId(u64)
}
