//! Where the time of a worker goes: one list of phases, for tables, logs and
//! documentation.
//!
//! Parsing, running and writing an item are told apart by looking at the clock
//! between them. For cheap items that would cost more than they do, so only
//! some are looked at, and what a block took is shared out as they did.

use serde::{Deserialize, Serialize};

/// What sampling may cost: one sampled item (four looks at the clock) for so
/// much work, in nanoseconds.
const SAMPLED_EVERY_NS: u64 = 100_000;
/// However cheap items are, one of so many is looked at.
const MAX_GAP: u64 = 256;

/// Time by phase, in nanoseconds. What a worker does is always in one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// Waiting for a chunk.
    pub waiting_ns: u64,
    /// Reading, checking and framing messages.
    pub transport_ns: u64,
    /// Reading items from their text.
    pub decoding_ns: u64,
    /// The task itself.
    pub running_ns: u64,
    /// Writing records and log lines.
    pub encoding_ns: u64,
    /// Handing results over: a process writes to its pipe.
    pub writing_ns: u64,
}

impl Times {
    /// Spent on items, whatever part of it.
    #[must_use]
    pub fn busy_ns(&self) -> u64 {
        self.decoding_ns + self.running_ns + self.encoding_ns
    }

    /// All of it.
    #[must_use]
    pub fn total_ns(&self) -> u64 {
        self.waiting_ns + self.transport_ns + self.busy_ns() + self.writing_ns
    }

    /// Both together.
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

    /// Shares `busy_ns` out as the samples say; without any it was all running.
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

/// What the items that were looked at took, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Samples {
    /// Reading them from their text.
    pub decoding_ns: u64,
    /// The task itself.
    pub running_ns: u64,
    /// Writing their records and log lines.
    pub encoding_ns: u64,
}

impl Samples {
    /// Another item: when it began, when it was read, run, and written.
    #[inline]
    pub fn add(&mut self, at_ns: &[u64; 4]) {
        self.decoding_ns += at_ns[1].saturating_sub(at_ns[0]);
        self.running_ns += at_ns[2].saturating_sub(at_ns[1]);
        self.encoding_ns += at_ns[3].saturating_sub(at_ns[2]);
    }
}

/// Chooses the items that are looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sampler {
    gap: u64,
}

impl Sampler {
    /// Whether the next item is to be looked at.
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

    /// An item took so long: the cheaper it was, the more follow that are not
    /// looked at.
    pub fn took(&mut self, item_ns: u64) {
        self.gap = (SAMPLED_EVERY_NS / item_ns.max(1)).min(MAX_GAP);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_out_adds_up() {
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
    fn dear_items_are_all_looked_at_and_cheap_ones_seldom() {
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
