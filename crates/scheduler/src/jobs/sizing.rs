//! How many items make a chunk, learned from what items cost.
//!
//! A chunk costs the coordinator and the pipe some microseconds whatever is in
//! it; a chunk of a few milliseconds makes that a thousandth, and is still
//! short enough that workers finish together and a death costs little.

use std::time::Duration;

use crate::model::{ChunkSize, JobOptions};

/// What an automatic chunk should take. Long against the cost of a message
/// (some ten microseconds of the processors that the workers want, for each of
/// two wake-ups), short against a human's patience and a worker's answer
/// interval (ten milliseconds).
pub(crate) const CHUNK_TIME: Duration = Duration::from_millis(8);

/// An item that costs more than this waits behind no other: what a worker
/// saves by having it at hand is nothing against what it loses by not running
/// in an idle one.
pub(crate) const EXPENSIVE_ITEM: Duration = Duration::from_millis(5);

/// No automatic chunk has more items than this, whatever they cost: where
/// items cost nothing that can be measured, a chunk must end somewhere.
pub(crate) const MAX_CHUNK_ITEMS: u32 = 1 << 17;

/// How much larger than the largest that was answered a chunk may be. One
/// measurement says little about items that are not alike; a factor of four
/// reaches a thousand items in five steps.
const GROWTH: u32 = 4;

/// Weights of a new measurement in the running cost. Recent ones count, and bad
/// news counts more than good: a chunk that turns out too short costs
/// microseconds, one that is too long keeps everyone waiting.
const COSTLIER: f64 = 0.5;
const CHEAPER: f64 = 0.125;

/// ChunkTable a worker should still get before the input ends, so that the last
/// ones are small and workers finish together.
const LAST_ROUNDS: u64 = 2;

/// An answer is a surprise if its items cost so many times what was expected,
/// and the difference is more than a processor's hiccup.
const SURPRISE: f64 = 4.0;
const HICCUP: Duration = Duration::from_micros(500);

/// The size of a job's chunks, for whoever hands them out.
#[derive(Debug)]
pub struct Sizing {
    rule: ChunkSize,
    /// Nanoseconds an item, once one was answered.
    cost: Option<f64>,
    /// The most items of an attempt that was answered whole.
    largest: u32,
    /// How many items were answered since the last surprise: so many may lie
    /// with a worker, and a few. A few cheap items prove little, and what lies
    /// with one worker no other can take, however dear it turns out to be.
    trust: u64,
    /// About how many items are left to cut, if the driver said so.
    remaining: Option<u64>,
    max_bytes: u64,
}

impl Sizing {
    /// For a job with these options; `slots` share the window: a chunk takes so little of it that each can
    /// have one running and one waiting, with results as large as their items.
    #[must_use]
    pub fn new(options: &JobOptions, slots: u32) -> Self {
        let share = options.window_bytes / (4 * u64::from(slots));
        let max_bytes = match options.chunk {
            ChunkSize::Auto => options.max_chunk_bytes.min(share).max(1),
            ChunkSize::Fixed(_) => u64::MAX,
        };
        Self { rule: options.chunk, cost: None, largest: 0, trust: 0, remaining: None, max_bytes }
    }

    /// How many items a worker that holds so many is sent at a time; one that is
    /// not `familiar` with the job has answered none of it yet.
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

    /// How many items a worker that holds so many may be given beside them.
    pub(crate) fn beside(&self, holds: u64, workers: u32) -> u32 {
        let most = self.trust.max(u64::from(GROWTH)).min(u64::from(self.near_end(workers)));
        u32::try_from(most.saturating_sub(holds)).unwrap_or(u32::MAX)
    }

    /// How many bytes an automatic chunk has at most.
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

    /// What so many items will take, in nanoseconds; unknown is 0, and then
    /// nothing is sent that would have to wait.
    pub(crate) fn estimate(&self, items: u32) -> u64 {
        (self.cost.unwrap_or(0.0) * f64::from(items)) as u64
    }

    pub(crate) fn is_expensive(&self) -> bool {
        self.cost.is_none_or(|cost| cost > EXPENSIVE_ITEM.as_nanos() as f64)
    }

    /// Learns from an answer.
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

    /// An attempt of so many items was answered whole.
    pub fn on_completed(&mut self, items: u32) {
        self.largest = self.largest.max(items);
    }

    /// About so many items are left to cut, those of the next chunk included.
    pub fn on_remaining(&mut self, items: u64) {
        self.remaining = Some(items).filter(|&items| items > 0);
    }

    /// So many items were cut. A hint that is used up was too low: forgotten,
    /// so that a wrong one does not leave chunks of one item for ever.
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
    fn grows_by_four_until_a_chunk_takes_long_enough() {
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
    fn who_knows_nothing_of_a_job_gets_one_item() {
        let mut sizing = auto();
        answer(&mut sizing, 64, Duration::from_micros(1));
        assert_eq!(sizing.items(false, 0, 2), 1);
        assert_eq!(sizing.items(true, 0, 2), 256);
    }

    #[test]
    fn items_that_cost_nothing_still_end_a_chunk() {
        let mut sizing = auto();
        for _ in 0..20 {
            let items = sizing.items(true, 0, 2);
            answer(&mut sizing, items, Duration::ZERO);
        }
        assert_eq!(sizing.items(true, 0, 2), MAX_CHUNK_ITEMS);
    }

    #[test]
    fn bad_news_counts_at_once_and_good_news_slowly() {
        let mut sizing = auto();
        answer(&mut sizing, 1000, Duration::from_micros(8));
        assert_eq!(sizing.items(true, 0, 2), 1000);
        answer(&mut sizing, 1000, Duration::from_micros(808));
        assert_eq!(sizing.items(true, 0, 2), 19);
        answer(&mut sizing, 19, Duration::from_micros(8));
        assert_eq!(sizing.items(true, 0, 2), 22);
    }

    #[test]
    fn shrinks_near_the_end_and_forgets_a_hint_that_was_too_low() {
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
    fn a_few_cheap_items_prove_little() {
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
    fn near_the_end_nobody_holds_more_than_a_fair_share() {
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
    fn unknown_and_slow_items_are_dear() {
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
