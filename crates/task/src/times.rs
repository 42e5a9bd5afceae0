//! How a worker spends its time: one list of phases, for tables, logs and
//! documentation.
//!
//! The time of an item is divided into parsing, running and writing by reading the
//! clock in between. For cheap items that would cost more than the items. So only
//! some items are sampled, and the time of a block is divided in the same
//! proportions.

use serde::{Deserialize, Serialize};

/// The cost limit of sampling: one sampled item (four reads of the clock) for this
/// much work, in nanoseconds.
const SAMPLED_EVERY_NS: u64 = 100_000;
/// However cheap items are, one of this many is sampled.
const MAX_GAP: u64 = 256;

/// Time by phase, in nanoseconds. A worker is in exactly one phase at any time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// Waiting for a chunk.
    pub waiting_ns: u64,
    /// Reading, checking and framing messages.
    pub transport_ns: u64,
    /// Parsing items.
    pub decoding_ns: u64,
    /// Running the task.
    pub running_ns: u64,
    /// Writing records and log lines.
    pub encoding_ns: u64,
    /// Handing over results: a process writes to its pipe.
    pub writing_ns: u64,
}

/// The item that took longest, of some items whose times are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlowestItem {
    /// Index of the item in the input.
    pub index: u64,
    /// Its time in nanoseconds; 0: no time is known.
    pub ns: u64,
}

impl SlowestItem {
    /// Takes the other one if it took longer.
    #[inline]
    pub fn consider(&mut self, other: Self) {
        if other.ns > self.ns {
            *self = other;
        }
    }
}

impl Times {
    /// The time spent on items, in all phases.
    #[must_use]
    pub fn busy_ns(&self) -> u64 {
        self.decoding_ns + self.running_ns + self.encoding_ns
    }

    /// The total.
    #[must_use]
    pub fn total_ns(&self) -> u64 {
        self.waiting_ns + self.transport_ns + self.busy_ns() + self.writing_ns
    }

    /// The sum of both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            waiting_ns: self.waiting_ns + other.waiting_ns,
            transport_ns: self.transport_ns + other.transport_ns,
            decoding_ns: self.decoding_ns + other.decoding_ns,
            running_ns: self.running_ns + other.running_ns,
            encoding_ns: self.encoding_ns + other.encoding_ns,
            writing_ns: self.writing_ns + other.writing_ns,
        }
    }

    /// Divides `busy_ns` in the proportions of the samples. Without samples all of it
    /// counts as running.
    pub fn add_busy(&mut self, busy_ns: u64, samples: &Samples) {
        let total = u128::from(samples.decoding_ns + samples.running_ns + samples.encoding_ns);
        let share = |part: u64| {
            let shared = (u128::from(busy_ns) * u128::from(part)).checked_div(total);
            shared.map_or(0, |ns| u64::try_from(ns).unwrap_or(busy_ns))
        };
        let (decoding, encoding) = (share(samples.decoding_ns), share(samples.encoding_ns));
        self.decoding_ns += decoding;
        self.encoding_ns += encoding;
        self.running_ns += busy_ns - decoding - encoding;
    }
}

/// The times of the sampled items, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Samples {
    /// Parsing items.
    pub decoding_ns: u64,
    /// Running the task.
    pub running_ns: u64,
    /// Writing records and log lines.
    pub encoding_ns: u64,
}

impl Samples {
    /// Adds an item by the times at which it was started, parsed, run, and written.
    #[inline]
    pub fn add(&mut self, at_ns: &[u64; 4]) {
        self.decoding_ns += at_ns[1].saturating_sub(at_ns[0]);
        self.running_ns += at_ns[2].saturating_sub(at_ns[1]);
        self.encoding_ns += at_ns[3].saturating_sub(at_ns[2]);
    }
}

/// Chooses the items to sample.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sampler {
    gap: u64,
}

impl Sampler {
    /// Whether to sample the next item.
    #[inline]
    pub fn is_due(&mut self) -> bool {
        match self.gap.checked_sub(1) {
            None => true,
            Some(gap) => {
                self.gap = gap;
                false
            }
        }
    }

    /// A sampled item took this long: the cheaper it was, the more items follow without
    /// a sample.
    pub fn took(&mut self, item_ns: u64) {
        self.gap = (SAMPLED_EVERY_NS / item_ns.max(1)).min(MAX_GAP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divided_times_add_up() {
        let mut times = Times::default();
        times.add_busy(1000, &Samples { decoding_ns: 1, running_ns: 5, encoding_ns: 1 });
        assert_eq!((times.decoding_ns, times.running_ns, times.encoding_ns), (142, 716, 142));
        times.add_busy(7, &Samples::default());
        assert_eq!((times.busy_ns(), times.running_ns), (1007, 723));
        let huge = Samples { decoding_ns: u64::MAX / 8, running_ns: 0, encoding_ns: u64::MAX / 8 };
        times.add_busy(u64::MAX / 4, &huge);
        assert_eq!(times.busy_ns(), u64::MAX / 4 + 1007);
        assert_eq!(times.and(&times).total_ns(), 2 * times.total_ns());
    }

    #[test]
    fn expensive_items_are_all_sampled_and_cheap_ones_rarely() {
        let looked = |item_ns: u64| {
            let mut sampler = Sampler::default();
            let is_due = |_: &usize| {
                let due = sampler.is_due();
                if due {
                    sampler.took(item_ns);
                }
                due
            };
            (0..10_000).filter(is_due).count()
        };
        assert_eq!(looked(1_000_000), 10_000);
        assert_eq!(looked(1_000), 100);
        assert_eq!(looked(10), 39);
    }
}
