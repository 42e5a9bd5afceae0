//! What a backend makes of an answer, whether a process or a thread ran the items:
//! its failures, checked against the block that was sent, and the memory that its
//! results count for.

use super::source_sink::{InputBlock, ItemFailure};
use bytes::Bytes;
use procession_task::FailureAt;

/// The memory that a result takes beyond its own bytes, in bytes.
const PIECE_OVERHEAD: u64 = 256;

/// The bytes that results count for in the job's window.
pub(crate) fn cost(outputs: &Bytes, failures: &[ItemFailure]) -> u64 {
    let messages: usize = failures.iter().map(|failed| failed.failure.message.len()).sum();
    (outputs.len() + messages) as u64 + PIECE_OVERHEAD * (1 + failures.len() as u64)
}

/// The failures of an answer, checked against the items that it answers: `items`
/// items from index `next` on, which begin at byte `at` of the block.
pub(crate) fn failures(
    failures: Vec<FailureAt>,
    next: u64,
    items: u32,
    block: &InputBlock,
    at: usize,
    outputs: usize,
    pid: u32,
) -> Result<Vec<ItemFailure>, &'static str> {
    let within = |(at, length): (u32, u32), offset: usize, end: usize| {
        let range = offset + at as usize..offset + at as usize + length as usize;
        if range.end <= end { Ok(range) } else { Err("a failure lies outside of its answer") }
    };
    let mut list = Vec::with_capacity(failures.len());
    let mut due = next..next + u64::from(items);
    // Places are counted on from failure to failure, not from the block's beginning
    // each time: the time stays linear in the block's length.
    let (mut place, mut counted) = (block.place, 0);
    for failed in failures {
        if !due.contains(&failed.item) {
            return Err("a failure of an item that was not asked for, or out of order");
        }
        due.start = failed.item + 1;
        let input = within(failed.input, at, block.bytes.len())?;
        let since = block.bytes.get(counted..input.start).ok_or("failures overlap in their block")?;
        place = place.map(|place| place.after(since));
        counted = input.start;
        list.push(ItemFailure {
            item: failed.item,
            place,
            input: block.bytes.slice(input),
            // Cut again: the worker may not have cut it.
            failure: failed.failure.cut(),
            record: within(failed.record, 0, outputs)?,
            pid,
            attempts: failed.attempts,
        });
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::super::source_sink::Place;
    use super::*;
    use procession_task::{Failure, FailureKind};
    use std::time::Duration;

    /// Lines of a bare `x`. The first one, of two bytes, is not part of the answer.
    fn block(items: u32) -> InputBlock {
        let place = Some(Place { input: 0, line: 1, column: 1 });
        InputBlock { bytes: "x\n".repeat(items as usize).into(), items, first: 0, place }
    }

    /// The first item that the answer is about, and where it begins in the block.
    const NEXT: u64 = 1;
    const AT: usize = 2;

    fn failed(item: u64, input: (u32, u32)) -> FailureAt {
        FailureAt { item, failure: Failure::new(FailureKind::Invalid, "no"), input, record: (0, 1), attempts: 1 }
    }

    #[test]
    fn places_of_a_block_full_of_failures_are_counted_once() {
        const ITEMS: u32 = 400_000;
        let block = block(ITEMS);
        let all = (1..ITEMS).map(|i| failed(u64::from(i), ((i - 1) * 2, 1))).collect();
        let begun = std::time::Instant::now();
        let list = failures(all, NEXT, ITEMS - 1, &block, AT, 1, 7).unwrap();
        // Half a second; counted from the block's beginning for each failure, minutes.
        assert!(begun.elapsed() < Duration::from_secs(60), "it takes the square of the failures");
        assert!(list.iter().all(|f| f.place == Some(Place { input: 0, line: f.item + 1, column: 1 })));
    }

    #[test]
    fn failures_that_fit_nothing_are_refused() {
        let block = block(4);
        let list = |all: &[FailureAt]| failures(all.to_vec(), NEXT, 2, &block, AT, 1, 7).map(|list| list.len());
        assert_eq!(list(&[failed(1, (0, 1)), failed(2, (2, 1))]), Ok(2));
        assert!(list(&[failed(0, (0, 1))]).is_err(), "not asked for");
        assert!(list(&[failed(3, (4, 1))]).is_err(), "not answered");
        assert!(list(&[failed(1, (0, 1)), failed(1, (0, 1))]).is_err(), "twice");
        assert!(list(&[failed(2, (2, 1)), failed(1, (0, 1))]).is_err(), "out of order");
        assert!(list(&[failed(1, (2, 1)), failed(2, (0, 1))]).is_err(), "backwards in the block");
        assert!(list(&[failed(1, (u32::MAX, u32::MAX))]).is_err(), "outside of the block");
        assert!(list(&[FailureAt { record: (1, 1), ..failed(1, (0, 1)) }]).is_err(), "outside of the outputs");
    }
}
