//! What a job is, whoever asks for it: the command line and the library fill a
//! [`JobSpec`], the pool takes it, the coordinator sends it to its workers, and
//! a worker reads from it what to do.

use crate::{Again, FailureKind, Format, Items, TableSpec};
use procession_scheduler::ChunkSize;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The outcomes that are tried again unless something else is said: those that
/// may lie with the process as much as with the item.
pub const RETRY_ON: [FailureKind; 2] = [FailureKind::Crashed, FailureKind::OutOfMemory];

/// Longest result of an item unless something else is said, in bytes.
const MAX_RESULT: usize = 16 << 20;

/// A job: which task, how items come in and results go out, and what is done
/// about items that fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSpec {
    /// The task's name; the worker must know it.
    pub task: String,
    /// The task's settings.
    pub params: Vec<(String, String)>,
    /// What else the task is made of: a program and its arguments, for example. They
    /// travel as raw bytes behind the message, because they may be long.
    #[serde(skip)]
    pub arguments: Vec<Vec<u8>>,
    /// How blocks are cut into items.
    pub items: Items,
    /// How records are read, if the items come from a table.
    pub table: Option<TableSpec>,
    /// How records are written.
    pub format: Format,
    /// How many items go into a chunk.
    #[serde(with = "chunk_size")]
    pub chunk: ChunkSize,
    /// In which order results are delivered.
    pub order: ResultOrder,
    /// Whether every item has a line to be shown at once.
    pub show: bool,
    /// Longest result of an item, in bytes; a longer one is that item's failure.
    pub max_result: usize,
    /// Which items are tried again.
    pub retry: RetryPolicy,
    /// What an item may use.
    pub limits: JobLimits,
}

/// In which order results are delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResultOrder {
    /// In the order of the input.
    #[default]
    Input,
    /// In the order in which items end.
    Completion,
}

/// Which items are tried again, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// How often an item is tried again at most; `None`: until it succeeds.
    pub retries: Option<u32>,
    /// Which outcomes are tried again. The worker runs an item that `failed`
    /// again at once; the others are run by another process. An invalid item is
    /// invalid every time and never tried again.
    pub retry_on: Vec<FailureKind>,
}

/// What an item may use. Only processes can enforce a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobLimits {
    /// How long one item may run, from its own start; `None`: for ever.
    pub timeout: Option<Duration>,
    /// How much memory each worker may have, in bytes; `None`: no limit.
    pub memory_limit: Option<u64>,
}

impl JobSpec {
    /// A job of this task over lines, everything else by default: results as
    /// lines in the order of the input, chunks of an automatic size, two retries
    /// of items that crashed or ran out of memory, no limits, and results of at
    /// most 16 MiB.
    #[must_use]
    pub fn new(task: impl Into<String>) -> Self {
        Self {
            task: task.into(),
            params: Vec::new(),
            arguments: Vec::new(),
            items: Items::Lines,
            table: None,
            format: Format::Lines,
            chunk: ChunkSize::Auto,
            order: ResultOrder::Input,
            show: false,
            max_result: MAX_RESULT,
            retry: RetryPolicy::default(),
            limits: JobLimits::default(),
        }
    }

    /// Which items the worker that has just run them runs again at once. An item
    /// that crashes leaves its worker alive only where a program runs the item.
    #[must_use]
    pub fn again(&self) -> Again {
        let RetryPolicy { retries, retry_on } = &self.retry;
        let failed = retry_on.contains(&FailureKind::Failed);
        let crashed = retry_on.contains(&FailureKind::Crashed) && !self.arguments.is_empty();
        Again { times: *retries, failed, crashed }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { retries: Some(2), retry_on: RETRY_ON.to_vec() }
    }
}

impl JobLimits {
    /// Whether anything is limited.
    #[must_use]
    pub fn are_any(&self) -> bool {
        *self != Self::default()
    }

    /// These limits and, where these have none, the others'.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self { timeout: self.timeout.or(others.timeout), memory_limit: self.memory_limit.or(others.memory_limit) }
    }

    /// The message of an item that ended in this way because of a limit; `None`
    /// if no limit ends items in this way.
    #[must_use]
    pub fn exceeded(&self, kind: FailureKind) -> Option<String> {
        match kind {
            FailureKind::TimedOut => self.timeout.map(|timeout| format!("ran longer than {timeout:?}")),
            FailureKind::OutOfMemory => {
                self.memory_limit.map(|limit| format!("wanted more memory than {}", binary_size(limit)))
            }
            FailureKind::Invalid | FailureKind::Failed | FailureKind::Crashed => None,
        }
    }
}

/// A size in the largest unit of which it is a whole number.
fn binary_size(bytes: u64) -> String {
    let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
    let whole = units.iter().find(|(shift, _)| bytes.trailing_zeros() >= *shift && bytes > 0);
    whole.map_or_else(|| format!("{bytes} bytes"), |(shift, unit)| format!("{} {unit}", bytes >> shift))
}

/// The serialized form of a [`ChunkSize`]: the number of items, or nothing for
/// an automatic size. (The scheduler, which defines the type, depends on the
/// standard library alone.)
pub mod chunk_size {
    use procession_scheduler::ChunkSize;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::num::NonZeroU32;

    /// Writes the size.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(chunk: &ChunkSize, serializer: S) -> Result<S::Ok, S::Error> {
        chunk.fixed().serialize(serializer)
    }

    /// Reads the size.
    ///
    /// # Errors
    /// Anything but a number of at least 1, or nothing.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ChunkSize, D::Error> {
        Ok(Option::<NonZeroU32>::deserialize(deserializer)?.map_or(ChunkSize::Auto, ChunkSize::Fixed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_in_the_largest_unit_that_fits() {
        for (bytes, text) in [
            (1000, "1000 bytes"),
            (1536, "1536 bytes"),
            (64 << 10, "64 KiB"),
            (512 << 20, "512 MiB"),
            (2 << 30, "2 GiB"),
            (3 << 40, "3 TiB"),
        ] {
            assert_eq!(binary_size(bytes), text);
        }
    }

    #[test]
    fn only_programs_crash_without_their_worker() {
        let mut spec = JobSpec::new("command");
        assert_eq!(spec.again(), Again { times: Some(2), failed: false, crashed: false });
        spec.arguments.push(b"sed".to_vec());
        spec.retry = RetryPolicy { retries: None, retry_on: vec![FailureKind::Crashed, FailureKind::Failed] };
        assert_eq!(spec.again(), Again { times: None, failed: true, crashed: true });
    }
}
