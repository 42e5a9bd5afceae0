//! A worker process: its identity, how it ended, and the resources it used.

use procession::WorkerRef;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Identifies a worker process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProcessName {
    /// Its slot in the pool, from 0.
    pub worker: u32,
    /// Which process of the slot it is, from 0.
    pub nth: u32,
    /// Its process id.
    pub pid: u32,
}

impl From<WorkerRef> for ProcessName {
    fn from(worker: WorkerRef) -> Self {
        Self { worker: worker.slot, nth: worker.nth, pid: worker.pid }
    }
}

/// How a process ended, and the resources it used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkerEnd {
    /// Exit status; `None` if a signal ended the process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<i32>,
    /// The signal that ended the process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// Whether the pool asked the process to exit.
    pub asked: bool,
    /// Processor seconds in user mode.
    pub cpu_user_s: f64,
    /// Processor seconds in the kernel.
    pub cpu_system_s: f64,
    /// Peak resident memory in bytes.
    #[serde(default)]
    pub peak_memory_bytes: Option<u64>,
    /// Seconds spent waiting for work.
    #[serde(default)]
    pub waiting_s: Option<f64>,
    /// Seconds spent reading, checking and framing messages.
    #[serde(default)]
    pub transport_s: Option<f64>,
    /// Seconds spent parsing items.
    #[serde(default)]
    pub decoding_s: Option<f64>,
    /// Seconds spent running the task.
    #[serde(default)]
    pub running_s: Option<f64>,
    /// Seconds spent formatting records and log lines.
    #[serde(default)]
    pub encoding_s: Option<f64>,
    /// Seconds spent writing results to the pipe.
    #[serde(default)]
    pub writing_s: Option<f64>,
    /// Seconds from the run's start until the process sent these times, its last message.
    #[serde(default)]
    pub told_s: Option<f64>,
    /// Items whose results were accepted from it.
    pub items: u64,
    /// Chunks whose results were accepted from it.
    pub chunks: u64,
}

impl WorkerEnd {
    /// Processor seconds in user mode and in the kernel.
    #[must_use]
    pub(crate) fn cpu_s(&self) -> f64 {
        self.cpu_user_s + self.cpu_system_s
    }

    /// Seconds spent on items: parsing, running and formatting.
    #[must_use]
    pub(crate) fn busy_s(&self) -> Option<f64> {
        Some(self.decoding_s? + self.running_s? + self.encoding_s?)
    }

    /// Seconds of all phases together; `None` if the process did not report its times.
    #[must_use]
    pub(crate) fn reported_total_s(&self) -> Option<f64> {
        Some(self.waiting_s? + self.transport_s? + self.busy_s()? + self.writing_s?)
    }

    /// Whether the exit was normal: the pool asked for it, and the exit status is 0.
    #[must_use]
    pub(crate) fn is_normal(&self) -> bool {
        self.asked && self.signal.is_none() && self.status.unwrap_or(0) == 0
    }
}

impl fmt::Display for WorkerEnd {
    /// Writes `exit 3`, `SIGKILL` or `signal 42`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.signal, self.status) {
            (Some(signal), _) => match signal_name(signal) {
                Some(name) => write!(f, "{name}"),
                None => write!(f, "signal {signal}"),
            },
            (None, Some(status)) => write!(f, "exit {status}"),
            (None, None) => f.write_str("unknown"),
        }
    }
}

/// Names of the signals that usually end processes.
fn signal_name(signal: i32) -> Option<&'static str> {
    const NAMES: [(i32, &str); 12] = [
        (libc::SIGHUP, "SIGHUP"),
        (libc::SIGINT, "SIGINT"),
        (libc::SIGQUIT, "SIGQUIT"),
        (libc::SIGILL, "SIGILL"),
        (libc::SIGTRAP, "SIGTRAP"),
        (libc::SIGABRT, "SIGABRT"),
        (libc::SIGBUS, "SIGBUS"),
        (libc::SIGFPE, "SIGFPE"),
        (libc::SIGKILL, "SIGKILL"),
        (libc::SIGSEGV, "SIGSEGV"),
        (libc::SIGPIPE, "SIGPIPE"),
        (libc::SIGTERM, "SIGTERM"),
    ];
    NAMES.iter().find(|(number, _)| *number == signal).map(|(_, name)| *name)
}
