//! Finds how many whole items of a piece fit into a block, at memory speed.

use procession_task::{Items, Measure};

/// The smallest part that is examined, in bytes.
const LEAST_WINDOW: usize = 256;

/// The longest beginning of a piece of `items` items with at most `max_items`
/// items and at most `max_bytes` bytes; a first item larger than that is taken
/// alone. Examines little more than the result, however large the piece is, if
/// an item takes about `bytes_per_item` bytes.
pub(crate) fn longest_fit(
    rule: Items,
    bytes: &[u8],
    items: u64,
    max_items: u64,
    max_bytes: usize,
    bytes_per_item: usize,
) -> Measure {
    // A single item is taken without examining its bytes.
    if items == 1 || (items <= max_items && bytes.len() <= max_bytes) {
        return Measure { items, bytes: bytes.len() };
    }
    let max_items = max_items.min(items);
    if rule.are_records() {
        return rule.measure_by_walking(bytes, max_items, max_bytes);
    }
    let guess = usize::try_from(max_items).unwrap_or(usize::MAX).saturating_mul(bytes_per_item);
    let mut window = guess.saturating_add(guess / 4).max(LEAST_WINDOW);
    loop {
        let end = last_end(rule, bytes, window.min(max_bytes));
        let measure = rule.measure(&bytes[..end], max_items);
        let is_full = measure.items == max_items || window >= max_bytes || end == bytes.len();
        if is_full && measure.items > 0 {
            return measure;
        }
        // The window has only separators, the beginning of a long item, or too
        // few items.
        if is_full {
            return first_item(rule, bytes);
        }
        window = window.saturating_mul(2);
    }
}

/// The end of the last item within the window.
fn last_end(rule: Items, bytes: &[u8], window: usize) -> usize {
    if window >= bytes.len() {
        return bytes.len();
    }
    let is_end = |&byte: &u8| rule.is_separator(byte);
    bytes[..window].iter().rposition(is_end).map_or(0, |at| at + 1)
}

/// The first item alone, however long it is.
fn first_item(rule: Items, bytes: &[u8]) -> Measure {
    let length = bytes.iter().position(|&byte| rule.is_separator(byte));
    Measure { items: 1, bytes: length.map_or(bytes.len(), |length| length + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(rule: Items, text: &str, max_items: u64, max_bytes: usize) -> (u64, usize) {
        let items = rule.count(text.as_bytes());
        let found = longest_fit(rule, text.as_bytes(), items, max_items, max_bytes, 3);
        (found.items, found.bytes)
    }

    #[test]
    fn as_many_whole_items_as_fit() {
        for (max_items, max_bytes, expected) in
            [(9, 99, (4, 9)), (2, 99, (2, 4)), (9, 4, (2, 4)), (9, 6, (2, 4)), (9, 7, (3, 7)), (1, 1, (1, 2))]
        {
            assert_eq!(
                measured(Items::Lines, "a\nb\ncc\nd\n", max_items, max_bytes),
                expected,
                "{max_items} {max_bytes}"
            );
        }
    }

    #[test]
    fn a_long_first_item_is_taken_alone_and_a_single_one_whole() {
        assert_eq!(measured(Items::Lines, "aaaa\nb\n", 9, 2), (1, 5));
        assert_eq!(longest_fit(Items::Whole, b"a\nb\n", 1, 1, 2, 3), Measure { items: 1, bytes: 4 });
    }
}
