//! The sum of a slot's processes that have no row of their own, because the run
//! had too many processes.

use super::worker::WorkerRow;
use serde::Serialize;

/// Processes of one slot, summed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SlotSum {
    /// The slot in the pool, from 0.
    pub worker: u32,
    /// Number of processes.
    pub processes: u32,
    /// Number of those whose end was not normal.
    pub died: u32,
    /// Seconds from the spawns until the processes were ready.
    pub start_up_s: f64,
    /// Seconds from the processes' last messages until the slot had its next process.
    pub ending_s: f64,
    /// Processor seconds in user mode.
    pub cpu_user_s: f64,
    /// Processor seconds in the kernel.
    pub cpu_system_s: f64,
    /// Highest peak of resident memory, in bytes.
    pub peak_memory_bytes: Option<u64>,
    /// Seconds spent waiting for work. This and the phases below are of those
    /// processes that reported their times.
    pub waiting_s: f64,
    /// Seconds spent reading, checking and framing messages.
    pub transport_s: f64,
    /// Seconds spent parsing items.
    pub decoding_s: f64,
    /// Seconds spent running the task.
    pub running_s: f64,
    /// Seconds spent formatting records and log lines.
    pub encoding_s: f64,
    /// Seconds spent writing results to the pipe.
    pub writing_s: f64,
    /// Items whose results were accepted.
    pub items: u64,
    /// Chunks whose results were accepted.
    pub chunks: u64,
}

impl SlotSum {
    /// Seconds spent on items: parsing, running and formatting.
    pub(crate) fn busy_s(&self) -> f64 {
        self.decoding_s + self.running_s + self.encoding_s
    }

    /// Processor seconds in user mode and in the kernel.
    pub(crate) fn cpu_s(&self) -> f64 {
        self.cpu_user_s + self.cpu_system_s
    }

    /// No processes of this slot.
    pub(crate) fn new(worker: u32) -> Self {
        Self { worker, ..Self::default() }
    }

    /// Adds a process whose slot had no next process before `until` seconds of the run.
    pub(crate) fn add(&mut self, row: &WorkerRow, until: f64) {
        let (start_up_s, ending_s) = row.start_up_and_ending_s(until);
        self.processes += 1;
        self.start_up_s += start_up_s;
        self.ending_s += ending_s;
        let Some(end) = &row.end else { return };
        self.died += u32::from(!end.is_normal());
        self.cpu_user_s += end.cpu_user_s;
        self.cpu_system_s += end.cpu_system_s;
        self.peak_memory_bytes = self.peak_memory_bytes.max(end.peak_memory_bytes);
        self.items += end.items;
        self.chunks += end.chunks;
        if end.reported_total_s().is_none() {
            return;
        }
        let phases = [
            (&mut self.waiting_s, end.waiting_s),
            (&mut self.transport_s, end.transport_s),
            (&mut self.decoding_s, end.decoding_s),
            (&mut self.running_s, end.running_s),
            (&mut self.encoding_s, end.encoding_s),
            (&mut self.writing_s, end.writing_s),
        ];
        for (sum, seconds) in phases {
            *sum += seconds.unwrap_or(0.0);
        }
    }
}
