//! Makes the lines of `workers.jsonl` from the events of a run.

use super::process::{ProcessName, WorkerEnd};
use super::worker::WorkerLine;
use procession::{Event, Exit, Times, WorkerExit};
use std::collections::HashMap;
use std::time::Duration;

/// Makes lines from events, and remembers the host of each process.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    local: String,
    hosts: HashMap<ProcessName, String>,
}

impl Lines {
    /// A process that never reports its host is taken to run on `local`.
    pub(crate) fn new(local: impl Into<String>) -> Self {
        Self { local: local.into(), hosts: HashMap::new() }
    }

    pub(crate) fn host(&self, process: ProcessName) -> &str {
        self.hosts.get(&process).unwrap_or(&self.local)
    }

    /// The line of an event; `None` if the event is not about processes.
    pub(crate) fn line(&mut self, event: &Event) -> Option<WorkerLine> {
        match event {
            Event::WorkerSpawned { worker, at } => {
                Some(WorkerLine::Spawned { process: (*worker).into(), at_us: microseconds(*at) })
            }
            Event::SpawnFailed { slot, message, at, .. } => {
                let message = message.clone();
                Some(WorkerLine::SpawnFailed { worker: *slot, message, at_us: microseconds(*at) })
            }
            Event::WorkerReady { worker, host, at } => {
                let process = (*worker).into();
                if *host != self.local {
                    self.hosts.insert(process, host.clone());
                }
                Some(WorkerLine::Ready { process, host: host.clone(), at_us: microseconds(*at) })
            }
            Event::WorkerExited(exit) => {
                let process = exit.worker.into();
                let host = self.host(process).to_owned();
                Some(WorkerLine::Exited { process, host, end: worker_end(exit), at_us: microseconds(exit.at) })
            }
            _ => None,
        }
    }
}

fn worker_end(exit: &WorkerExit) -> WorkerEnd {
    let (status, signal) = match exit.exit {
        Exit::Status(status) => (Some(status), None),
        Exit::Signal(signal) => (None, Some(signal)),
    };
    let seconds = |phase: fn(&Times) -> u64| exit.times.map(|times| Duration::from_nanos(phase(&times)).as_secs_f64());
    WorkerEnd {
        status,
        signal,
        asked: exit.asked,
        cpu_user_s: exit.cpu_user.as_secs_f64(),
        cpu_system_s: exit.cpu_system.as_secs_f64(),
        peak_memory_bytes: exit.peak_memory,
        waiting_s: seconds(|times| times.waiting_ns),
        transport_s: seconds(|times| times.transport_ns),
        decoding_s: seconds(|times| times.decoding_ns),
        running_s: seconds(|times| times.running_ns),
        encoding_s: seconds(|times| times.encoding_ns),
        writing_s: seconds(|times| times.writing_ns),
        told_s: exit.told_at.map(|at| at.as_secs_f64()),
        items: exit.items,
        chunks: exit.chunks,
    }
}

/// Microseconds with three decimals: nothing of the clock's nanoseconds is lost.
#[expect(clippy::cast_precision_loss, reason = "a run of 104 days is exact to the nanosecond")]
pub(crate) fn microseconds(at: Duration) -> f64 {
    at.as_nanos() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::worker::WorkerRows;
    use crate::samples;

    #[test]
    fn lines_read_back_as_they_were_written() {
        let mut lines = Lines::new("here");
        for event in samples::life(0, 0, 4242) {
            let Some(line) = lines.line(&event) else { continue };
            let json = serde_json::to_string(&line).unwrap();
            assert_eq!(serde_json::from_str::<WorkerLine>(&json).unwrap(), line, "{json}");
        }
    }

    #[test]
    fn a_line_has_the_documented_fields() {
        let mut lines = Lines::new("here");
        let exit = samples::exit(1, 2, 77, Exit::Signal(9));
        let line = lines.line(&Event::WorkerExited(exit)).unwrap();
        let expected = serde_json::json!({
            "event": "exited", "worker": 1, "nth": 2, "pid": 77, "host": "here", "signal": 9, "asked": false,
            "cpu_user_s": 0.5, "cpu_system_s": 0.25, "peak_memory_bytes": 1_048_576, "waiting_s": 0.125,
            "transport_s": 0.03125, "decoding_s": 0.125, "running_s": 0.5, "encoding_s": 0.125, "writing_s": 0.0625,
            "told_s": 0.998, "items": 10, "chunks": 3, "at_us": 1_000_000.0
        });
        assert_eq!(serde_json::to_value(&line).unwrap(), expected);
    }

    #[test]
    fn rows_add_up() {
        let mut lines = Lines::new("here");
        let mut rows = WorkerRows::default();
        let replaced = samples::life(0, 0, 10).into_iter().chain(samples::life(0, 1, 11));
        for line in replaced.filter_map(|event| lines.line(&event)) {
            rows.take(line);
        }
        rows.take(WorkerLine::SpawnFailed { worker: 1, message: "no".into(), at_us: 1.0 });
        let failures = rows.spawn_failures;
        let (rows, _) = rows.into_parts();
        let pids: Vec<_> = rows.iter().map(|row| (row.worker, row.nth, row.pid)).collect();
        assert_eq!(pids, [(0, 0, 10), (0, 1, 11)]);
        assert_eq!((failures, rows[0].replaced_s), (1, Some(0.001)));
        let row = &rows[0];
        assert_eq!((row.spawned_s, row.ready_s, row.exited_s), (0.001, Some(0.003), Some(1.0)));
        assert_eq!(row.host, "elsewhere");
    }

    #[test]
    fn ends_in_words() {
        let of = |exit| worker_end(&samples::exit(0, 0, 1, exit));
        assert_eq!(of(Exit::Signal(9)).to_string(), "SIGKILL");
        assert_eq!(of(Exit::Signal(42)).to_string(), "signal 42");
        assert_eq!(of(Exit::Status(3)).to_string(), "exit 3");
        assert!(!of(Exit::Status(0)).is_normal(), "not asked");
    }
}
