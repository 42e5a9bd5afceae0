//! The contents of `study.json` and `run.json`: the command, the machine, the
//! configurations and the result of each run.
//!
//! The log writes these types and reads them back. Tables are made from them,
//! whether they come from a run that just ended or from a log folder.

pub use procession_task::{Configuration, Executor};

use procession_task::{CoordinatorTimes, SlowestItem};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the log's layout, written into every `study.json`.
pub const LOG_VERSION: u32 = 1;

/// The machine that runs the coordinator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Host name.
    pub host: String,
    /// Operating system, as in `Debian GNU/Linux 12`.
    pub os: String,
    /// Kernel release.
    pub kernel: String,
    /// Processor model.
    pub cpu: String,
    /// Number of logical CPUs that are installed.
    pub logical_cores: u32,
    /// Number of cores, which are fewer than CPUs if a core runs several threads; `None`:
    /// unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_cores: Option<u32>,
    /// Number of logical CPUs that this call may use (affinity, quota).
    pub usable_cores: u32,
    /// Memory in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// The CPU quota of the control group in percent of one CPU, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_quota_percent: Option<u32>,
}

/// What `study.json` holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudyRecord {
    /// [`LOG_VERSION`] of the writer.
    pub log_version: u32,
    /// The command line, program first.
    pub command: Vec<String>,
    /// When the call began, RFC 3339 in UTC.
    pub started_at: String,
    /// The coordinator's process id.
    pub pid: u32,
    /// The machine.
    pub machine: Machine,
    /// Versions of `coordinator`, `protocol` and so on.
    pub versions: BTreeMap<String, String>,
    /// The task's name.
    pub task: String,
    /// The task's parameters.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// The configurations, in the order of their first runs.
    pub configurations: Vec<Configuration>,
    /// The log folder of the call that this one goes on with: it resumes its output, or
    /// runs its failed items again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<String>,
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

/// What is known of a run when it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStart {
    /// Its configuration.
    pub configuration: Configuration,
    /// Which run of its configuration it is, from 1.
    pub repeat: u32,
    /// Whether it is a warm-up, which is not measured.
    #[serde(default)]
    pub warmup: bool,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunStatus {
    /// Each item has an outcome; items may have failed.
    Completed,
    /// A failed item or the pool itself ended it early.
    Failed,
    /// A signal or a closed output ended it early.
    Interrupted,
}

impl RunStatus {
    /// The status in a word, as in `completed`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// How it ended.
    pub status: RunStatus,
    /// Seconds from the pool's creation to the last worker's exit.
    pub wall_s: f64,
    /// Number of items with an outcome.
    pub items: u64,
    /// Number of those items that failed.
    pub failures: u64,
    /// Digest of the output, if it was computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Why it ended early, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// CPU seconds that other programs used during the run, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_cpu_s: Option<f64>,
    /// How the coordinator's own threads spent their time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordinator: Option<CoordinatorTimes>,
    /// The longest time that a worker was busy for one reply, in seconds. This is
    /// about the time of the longest item, if that item took longer than a worker
    /// gathers results before it replies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_s: Option<f64>,
    /// The slowest item, if items have log lines: its index, and its time in
    /// nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slowest: Option<SlowestItem>,
}

/// What `run.json` holds. Without a result the run is in progress, or its
/// coordinator was killed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The run's number in the call, from 1.
    pub run: u32,
    /// Its configuration and repeat.
    #[serde(flatten)]
    pub start: RunStart,
    /// The level of the log.
    pub log: LogLevel,
    /// When the run began, RFC 3339 in UTC.
    pub started_at: String,
    /// The result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<RunResult>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_older_logs_lack_are_none() {
        let result = r#"{"status":"completed","wall_s":1.0,"items":1,"failures":0}"#;
        let result: RunResult = serde_json::from_str(result).unwrap();
        assert_eq!((result.coordinator, result.longest_s), (None, None));
    }
}
