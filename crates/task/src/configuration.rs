//! On what a job runs: one point of a study, as the command line asks for it and
//! as `study.json` and `run.json` hold it.

use crate::chunk_size;
use procession_scheduler::ChunkSize;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What the items run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Executor {
    /// A plain loop, no pool.
    Serial,
    /// Threads of the coordinator.
    Threads,
    /// Worker processes.
    Procs,
}

impl Executor {
    /// The word for it in tables and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::Threads => "threads",
            Self::Procs => "procs",
        }
    }

    /// As in `1 process` or `4 threads`.
    #[must_use]
    pub fn counted(self, count: u32) -> String {
        let noun = match self {
            Self::Serial => return "the serial loop".to_owned(),
            Self::Threads if count == 1 => "thread",
            Self::Threads => "threads",
            Self::Procs if count == 1 => "process",
            Self::Procs => "processes",
        };
        format!("{count} {noun}")
    }
}

impl fmt::Display for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One way to run the work: a point of a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Configuration {
    /// What runs it.
    pub executor: Executor,
    /// How many workers, at least one.
    pub count: u32,
    /// The size of the work, whose meaning depends on the task; `None`: as large
    /// as the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// How many items go into a chunk.
    #[serde(default, with = "chunk_size", skip_serializing_if = "ChunkSize::is_auto")]
    pub chunk: ChunkSize,
}
