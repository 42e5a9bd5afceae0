//! The number of items in a chunk, learned from the items' measured cost.
//!
//! A chunk costs the coordinator and the pipe a few microseconds whatever its size.
//! In a chunk of a few milliseconds that is a thousandth. Such a chunk is still
//! short enough that all workers finish at nearly the same time, and that a
//! worker's death loses little work.

use std::time::Duration;

use crate::model::{ChunkSize, JobOptions};

/// The target run time of an automatic chunk. It is long compared with the cost of
/// a message (about 10 µs of processor time for each of two wake-ups), and short
/// compared with a user's patience and a worker's answer interval (10 ms).
pub(crate) const CHUNK_TIME: Duration = Duration::from_millis(8);

/// An item that takes longer than this is never queued behind another: sending it
/// ahead saves the worker little, and another worker may become idle meanwhile.
pub(crate) const EXPENSIVE_ITEM: Duration = Duration::from_millis(5);

/// The maximum number of items in an automatic chunk. It bounds chunks of items
/// whose cost cannot be measured.
pub(crate) const MAX_CHUNK_ITEMS: u32 = 1 << 17;

/// A chunk may be this many times as large as the largest chunk that was answered.
/// One measurement says little about items that differ. A factor of four reaches a
/// thousand items in five steps.
const GROWTH: u32 = 4;

/// The weight of a new measurement in the moving average of the cost. Recent
/// measurements count most, and an increase counts more than a decrease: a chunk
/// that is too short costs microseconds, one that is too long makes the other
/// workers wait.
const COSTLIER: f64 = 0.5;
const CHEAPER: f64 = 0.125;

/// The number of chunks that a worker should still get before the input ends, so
/// that the last chunks are small and all workers finish at nearly the same time.
const LAST_ROUNDS: u64 = 2;

/// An answer is a surprise if its items cost this many times the expected time, and
/// the difference is larger than a short interruption of the processor.
const SURPRISE: f64 = 4.0;
const HICCUP: Duration = Duration::from_micros(500);

/// The size of a job's chunks, for the scheduler and for executors without
/// processes.
#[derive(Debug)]
pub struct Sizing {
    rule: ChunkSize,
    /// The cost of an item in nanoseconds, once an item was answered.
    cost: Option<f64>,
    /// The largest number of items of an attempt that was completely answered.
    largest: u32,
    /// The number of items that were answered since the last surprise. A worker may
    /// hold about this many. A few cheap items prove little, and no other worker can
    /// take the items that one worker holds, however expensive they turn out to be.
    trust: u64,
    /// The approximate number of items to be cut, if the driver reported it.
    remaining: Option<u64>,
    max_bytes: u64,
}

impl Sizing {
    /// For a job with these options. The slots share the window: a chunk takes so
    /// little of it that each slot can have one running chunk and one waiting, with
    /// results as large as their items.
    #[must_use]
    pub fn new(options: &JobOptions, slots: u32) -> Self {
        let share = options.window_bytes / (4 * u64::from(slots));
        let max_bytes = match options.chunk {
            ChunkSize::Auto => options.max_chunk_bytes.min(share).max(1),
            ChunkSize::Fixed(_) => u64::MAX,
        };
        Self { rule: options.chunk, cost: None, largest: 0, trust: 0, remaining: None, max_bytes }
    }

    /// The number of items to send at a time to a worker that holds `holds` items. A
    /// worker that is not `familiar` with the job has answered none of its items yet.
    #[must_use]
    pub fn items(&self, familiar: bool, holds: u64, workers: u32) -> u32 {
        match (self.rule, self.cost) {
            (ChunkSize::Fixed(items), _) => items.get(),
            (ChunkSize::Auto, Some(cost)) if familiar => {
                let by_time = CHUNK_TIME.as_nanos() as f64 / cost.max(1.0);
                let by_growth = self.largest.max(1).saturating_mul(GROWTH);
                // A float that is too large becomes the largest integer.
                let by_shape = (by_time as u32).min(by_growth).min(self.near_end(workers));
                let by_trust = if holds == 0 { u32::MAX } else { self.beside(holds, workers) };
                by_shape.min(by_trust).clamp(1, MAX_CHUNK_ITEMS)
            }
            (ChunkSize::Auto, _) => 1,
        }
    }

    /// The number of items that a worker may get in addition to those it holds.
    pub(crate) fn beside(&self, holds: u64, workers: u32) -> u32 {
        let most = self.trust.max(u64::from(GROWTH)).min(u64::from(self.near_end(workers)));
        u32::try_from(most.saturating_sub(holds)).unwrap_or(u32::MAX)
    }

    /// The maximum size of an automatic chunk, in bytes.
    #[must_use]
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    fn near_end(&self, workers: u32) -> u32 {
        let Some(remaining) = self.remaining else {
            return u32::MAX;
        };
        let fair = remaining.div_ceil(LAST_ROUNDS * u64::from(workers.max(1)));
        u32::try_from(fair).unwrap_or(u32::MAX)
    }

    /// The estimated time of this many items, in nanoseconds. If the cost is unknown,
    /// this is 0, and nothing is sent that would have to wait.
    pub(crate) fn estimate(&self, items: u32) -> u64 {
        (self.cost.unwrap_or(0.0) * f64::from(items)) as u64
    }

    pub(crate) fn is_expensive(&self) -> bool {
        self.cost.is_none_or(|cost| cost > EXPENSIVE_ITEM.as_nanos() as f64)
    }

    /// Learns the cost from an answer.
    pub fn on_answered(&mut self, items: u32, busy: Duration) {
        let sample = busy.as_nanos() as f64 / f64::from(items.max(1));
        let expected = self.cost.unwrap_or(sample);
        let excess = (sample - expected) * f64::from(items);
        let is_surprise = sample > SURPRISE * expected && excess > HICCUP.as_nanos() as f64;
        self.trust = if is_surprise { 0 } else { self.trust.saturating_add(u64::from(items)) };
        self.cost = Some(match self.cost {
            None => sample,
            Some(cost) => {
                let weight = if sample > cost { COSTLIER } else { CHEAPER };
                cost + weight * (sample - cost)
            }
        });
    }

    /// An attempt of this many items was completely answered.
    pub fn on_completed(&mut self, items: u32) {
        self.largest = self.largest.max(items);
    }

    /// About this many items are left to cut, including those of the next chunk.
    pub fn on_remaining(&mut self, items: u64) {
        self.remaining = Some(items).filter(|&items| items > 0);
    }

    /// This many items were cut. A hint that is used up was too low; it is dropped, so
    /// that a wrong hint does not leave chunks of one item for the rest of the run.
    pub fn on_cut(&mut self, items: u32) {
        self.remaining = self.remaining.and_then(|left| left.checked_sub(u64::from(items))).filter(|&left| left > 0);
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn auto() -> Sizing {
        Sizing::new(&JobOptions::default(), 2)
    }

    fn answer(sizing: &mut Sizing, items: u32, each: Duration) {
        sizing.on_answered(items, each * items);
        sizing.on_completed(items);
    }

    #[test]
    fn chunks_grow_by_four_until_they_take_long_enough() {
        let mut sizing = auto();
        let mut sizes = Vec::new();
        for _ in 0..8 {
            let items = sizing.items(true, 0, 2);
            sizes.push(items);
            answer(&mut sizing, items, Duration::from_micros(10));
        }
        assert_eq!(sizes, [1, 4, 16, 64, 256, 800, 800, 800]);
    }

    #[test]
    fn a_worker_that_is_new_to_a_job_gets_one_item() {
        let mut sizing = auto();
        answer(&mut sizing, 64, Duration::from_micros(1));
        assert_eq!(sizing.items(false, 0, 2), 1);
        assert_eq!(sizing.items(true, 0, 2), 256);
    }

    #[test]
    fn chunks_of_items_that_cost_nothing_are_bounded() {
        let mut sizing = auto();
        for _ in 0..20 {
            let items = sizing.items(true, 0, 2);
            answer(&mut sizing, items, Duration::ZERO);
        }
        assert_eq!(sizing.items(true, 0, 2), MAX_CHUNK_ITEMS);
    }

    #[test]
    fn a_rising_cost_counts_at_once_and_a_falling_one_slowly() {
        let mut sizing = auto();
        answer(&mut sizing, 1000, Duration::from_micros(8));
        assert_eq!(sizing.items(true, 0, 2), 1000);
        answer(&mut sizing, 1000, Duration::from_micros(808));
        assert_eq!(sizing.items(true, 0, 2), 19);
        answer(&mut sizing, 19, Duration::from_micros(8));
        assert_eq!(sizing.items(true, 0, 2), 22);
    }

    #[test]
    fn chunks_shrink_near_the_end_and_a_hint_that_was_too_low_is_dropped() {
        let mut sizing = auto();
        answer(&mut sizing, 1000, Duration::from_micros(8));
        sizing.on_remaining(100);
        assert_eq!(sizing.items(true, 0, 4), 13);
        sizing.on_cut(13);
        assert_eq!(sizing.items(true, 0, 4), 11);
        sizing.on_cut(87);
        assert_eq!(sizing.items(true, 0, 4), 1000);
    }

    #[test]
    fn a_few_cheap_items_allow_only_a_few_more() {
        let mut sizing = auto();
        assert_eq!((sizing.beside(1, 2), sizing.beside(4, 2)), (3, 0));
        for _ in 0..100 {
            answer(&mut sizing, 1, Duration::from_micros(1));
        }
        assert_eq!(sizing.beside(10, 2), 90);
        answer(&mut sizing, 1, Duration::from_millis(18));
        assert_eq!(sizing.beside(1, 2), 3);
    }

    #[test]
    fn near_the_end_no_worker_holds_more_than_a_fair_share() {
        let mut sizing = auto();
        answer(&mut sizing, 1000, Duration::from_micros(1));
        sizing.on_remaining(32);
        assert_eq!((sizing.beside(1, 2), sizing.beside(8, 2)), (7, 0));
    }

    #[test]
    fn a_fixed_size_is_fixed() {
        let five = NonZeroU32::new(5).expect("five");
        let options = JobOptions { chunk: ChunkSize::Fixed(five), ..JobOptions::default() };
        let mut sizing = Sizing::new(&options, 2);
        sizing.on_remaining(1);
        assert_eq!(sizing.items(false, 0, 2), 5);
        assert_eq!(sizing.max_bytes(), u64::MAX);
    }

    #[test]
    fn many_workers_share_the_window() {
        assert_eq!(Sizing::new(&JobOptions::default(), 2).max_bytes(), 256 << 10);
        assert_eq!(Sizing::new(&JobOptions::default(), 1024).max_bytes(), 4 << 10);
    }

    #[test]
    fn unknown_and_slow_items_are_expensive() {
        let mut sizing = auto();
        assert!(sizing.is_expensive());
        answer(&mut sizing, 1, Duration::from_millis(6));
        assert!(sizing.is_expensive());
        for _ in 0..3 {
            answer(&mut sizing, 1, Duration::from_millis(1));
        }
        assert!(!sizing.is_expensive());
    }
}
