//! What a call is made of, as `study.json` and `run.json` hold it: the command,
//! the machine, the configurations and the result of each run.
//!
//! The log writes these, its reader reads them back, and the tables are made of
//! them, whether they come from a run that just ended or from a folder.

pub use procession_task::{Configuration, Executor};

use procession_task::CoordinatorTimes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the log's layout, written into every `study.json`.
pub const LOG_VERSION: u32 = 1;

/// The machine that the coordinator runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Its name.
    pub host: String,
    /// Operating system, as in `Debian GNU/Linux 12`.
    pub os: String,
    /// Kernel release.
    pub kernel: String,
    /// Processor model.
    pub cpu: String,
    /// Logical processors that are installed.
    pub logical_cores: u32,
    /// Logical processors that this call may use (affinity, quota).
    pub usable_cores: u32,
    /// Memory in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// The control group's quota, in percent of one processor, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_quota_percent: Option<u32>,
}

/// What `study.json` holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Study {
    /// [`LOG_VERSION`] of the writer.
    pub log_version: u32,
    /// The command line, program first.
    pub command: Vec<String>,
    /// When the call began, RFC 3339 in UTC.
    pub started_at: String,
    /// The coordinator's process id.
    pub pid: u32,
    /// Where it ran.
    pub machine: Machine,
    /// What ran: `coordinator`, `protocol` and so on, with their versions.
    pub versions: BTreeMap<String, String>,
    /// The task's name.
    pub task: String,
    /// The task's settings.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// What is to be measured, in the order of its first runs.
    pub configurations: Vec<Configuration>,
}

/// How much the log tells of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// A line for every item.
    Task,
    /// A line for every part of a chunk whose results were accepted, and one
    /// for every item whose process died.
    Chunk,
}

/// What a run is, known when it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStart {
    /// Its configuration.
    pub configuration: Configuration,
    /// Which repeat of its configuration it is, from 1.
    pub repeat: u32,
    /// Whether it only warms up and is not measured.
    #[serde(default)]
    pub warmup: bool,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunStatus {
    /// All items have an outcome, failed ones perhaps among them.
    Completed,
    /// A failed item or the pool itself ended it early.
    Failed,
    /// A signal or a closed output ended it early.
    Interrupted,
}

impl RunStatus {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// How it ended.
    pub status: RunStatus,
    /// Seconds from the pool's creation to the last worker's exit.
    pub wall_s: f64,
    /// Items that got an outcome.
    pub items: u64,
    /// Items that failed, of those.
    pub failures: u64,
    /// Digest of its output, if one was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What ended it early, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Processor seconds that other programs took meanwhile, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_cpu_s: Option<f64>,
    /// Where the coordinator's own time went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordinator: Option<CoordinatorTimes>,
    /// The most seconds between two answers of a worker that it was busy: about
    /// those of the longest item, if that took longer than an answer waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_s: Option<f64>,
}

/// What `run.json` holds. Without a result the run is under way, or its
/// coordinator was killed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Its number in the call, from 1.
    pub run: u32,
    /// What was run.
    #[serde(flatten)]
    pub start: RunStart,
    /// How much was logged of items.
    pub log: LogLevel,
    /// When it began, RFC 3339 in UTC.
    pub started_at: String,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<RunResult>,
}
