//! The attempts that a worker was sent and has not completely answered.
//!
//! A worker runs them in the order in which they were sent. So an answer can only
//! belong to the first, and all others wait.

use std::collections::VecDeque;

use crate::jobs::Attempt;

#[derive(Debug, Default)]
pub(crate) struct AttemptQueue {
    attempts: VecDeque<Attempt>,
    cost: u64,
    bytes: u64,
    items: u64,
}

impl AttemptQueue {
    pub(crate) fn len(&self) -> usize {
        self.attempts.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.attempts.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter()
    }

    pub(crate) fn front(&self) -> Option<&Attempt> {
        self.attempts.front()
    }

    /// The work that waits behind the first attempt, in nanoseconds. (The subtraction
    /// saturates because a sum that has saturated may be smaller than its parts.)
    pub(crate) fn waiting_cost(&self) -> u64 {
        self.cost.saturating_sub(self.front().map_or(0, |first| first.cost))
    }

    /// The bytes that wait behind the first attempt.
    pub(crate) fn waiting_bytes(&self) -> u64 {
        self.bytes.saturating_sub(self.front().map_or(0, |first| first.bytes))
    }

    /// Whether the worker holds an attempt that must be its only one.
    pub(crate) fn is_exclusive(&self) -> bool {
        self.front().is_some_and(|first| first.mode.is_exclusive())
    }

    /// The number of items without an answer.
    pub(crate) fn items(&self) -> u64 {
        self.items
    }

    pub(crate) fn push(&mut self, attempt: Attempt) {
        self.cost = self.cost.saturating_add(attempt.cost);
        self.bytes = self.bytes.saturating_add(attempt.bytes);
        self.items += u64::from(attempt.rest().items);
        self.attempts.push_back(attempt);
    }

    /// The next items of the first attempt are answered; returns the attempt if these
    /// were its last.
    pub(crate) fn advance(&mut self, items: u32) -> Option<Attempt> {
        let first = self.attempts.front_mut()?;
        first.answered += items;
        self.items = self.items.saturating_sub(u64::from(items));
        if first.answered < first.range.items {
            return None;
        }
        let done = self.attempts.pop_front()?;
        self.cost = self.cost.saturating_sub(done.cost);
        self.bytes = self.bytes.saturating_sub(done.bytes);
        Some(done)
    }

    pub(crate) fn into_attempts(self) -> VecDeque<Attempt> {
        self.attempts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::{AttemptMode, ItemRange};
    use crate::model::{AttemptId, ChunkId, JobId};

    fn attempt(id: u64, items: u32) -> Attempt {
        Attempt {
            id: AttemptId(id),
            job: JobId(0),
            range: ItemRange { chunk: ChunkId(id), from: 10, items },
            answered: 0,
            mode: AttemptMode::Plain,
            cost: 100 * id,
            bytes: 10 * id,
            silence: None,
        }
    }

    #[test]
    fn all_but_the_first_attempt_wait() {
        let mut queue = AttemptQueue::default();
        assert_eq!((queue.waiting_cost(), queue.waiting_bytes()), (0, 0));
        queue.push(attempt(1, 3));
        assert_eq!((queue.waiting_cost(), queue.waiting_bytes()), (0, 0));
        queue.push(attempt(2, 1));
        queue.push(attempt(3, 1));
        assert_eq!((queue.waiting_cost(), queue.waiting_bytes()), (500, 50));
        assert!(queue.advance(2).is_none());
        assert_eq!(queue.front().map(|first| (first.rest().from, first.rest().items)), Some((12, 1)));
        assert_eq!(queue.advance(1).map(|done| done.id), Some(AttemptId(1)));
        assert_eq!((queue.waiting_cost(), queue.waiting_bytes()), (300, 30));
        assert_eq!(queue.items(), 2);
    }
}
