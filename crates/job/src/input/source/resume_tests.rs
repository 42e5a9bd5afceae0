//! The source of a resumed run leaves out what an earlier run has done, and
//! verifies that the input still begins with it.

use super::tests::{Woken, open};
use super::*;
use crate::input::{InputSlice, ItemSource};
use crate::resume::record::ConsumedInput;
use procession::ChunkSize;
use std::num::NonZero;

#[test]
fn the_consumed_prefix_is_verified_and_left_out() {
    let hash = xxhash_rust::xxh3::xxh3_128(b"1\n2\n3\n");
    let resumed = |list: &str, options: InputOptions, size| {
        let tracker = Arc::new(ResumeTracker::new(options.items, ConsumedInput { items: 3, hash }));
        let input = open(ItemSource::parse_list(list), &options).unwrap();
        let (source, status) = input.source_on(&InputSlice { size, block: None }, Some(tracker));
        let blocks = Woken::new(source).all(2, 100);
        let items: Vec<_> = blocks.iter().map(|block| (block.first, block.bytes.to_vec())).collect();
        (items, status.take_error().map(|error| error.to_string()).unwrap_or_default())
    };
    let plain = || InputOptions::new(Items::Words);
    let rest = vec![(3, b"4\n5\n".to_vec()), (5, b"6\n".to_vec())];
    assert_eq!(resumed("1,2,3,4,5,6", plain(), None), (rest, String::new()));
    let skipped = InputOptions { skip: 1, ..plain() };
    assert_eq!(resumed("0,1,2,3,4", skipped, None), (vec![(4, b"4\n".to_vec())], String::new()));
    let cycled = InputOptions { cycle: true, size: Some(4), ..plain() };
    assert_eq!(resumed("1,2,3", cycled, Some(4)), (vec![(3, b"1\n".to_vec())], String::new()));
    for size in [None, Some(3)] {
        assert_eq!(resumed("1,2,3", plain(), size), (vec![], String::new()), "{size:?}");
        let (items, error) = resumed("1,2,4", plain(), size);
        assert!(items.is_empty() && error.contains("first 3 items"), "{size:?}: {error}");
        let (items, error) = resumed("1,2", plain(), size);
        assert!(items.is_empty() && error.contains("has only 2"), "{size:?}: {error}");
    }
}

#[test]
fn consumed_blocks_are_cut_again_and_left_out() {
    let hash = xxhash_rust::xxh3::xxh3_128(b"1\n2\n3\n4\n");
    let resumed = |list: &str, of: u32, size| {
        let tracker = Arc::new(ResumeTracker::new(Items::Whole, ConsumedInput { items: 2, hash }));
        let input = open(ItemSource::parse_list(list), &InputOptions::new(Items::Lines)).unwrap();
        let slice = InputSlice { size, block: NonZero::new(of).map(ChunkSize::Fixed) };
        let (source, status) = input.source_on(&slice, Some(Arc::clone(&tracker)));
        let blocks = Woken::new(source).all(1, 100);
        let last = 2 + blocks.len() as u64;
        let blocks: Vec<_> = blocks.iter().map(|block| (block.first, block.items, block.bytes.to_vec())).collect();
        let error = status.take_error().map(|error| error.to_string()).unwrap_or_default();
        (blocks, error, tracker.reach(last).is_some())
    };
    let rest = vec![(2, 1, b"5\n6\n".to_vec()), (3, 1, b"7\n".to_vec())];
    assert_eq!(resumed("1,2,3,4,5,6,7", 2, None), (rest.clone(), String::new(), true));
    assert_eq!(resumed("1,2,3,4,5,6,7,8,9", 2, Some(7)), (rest, String::new(), true));
    assert_eq!(resumed("1,2,3,4", 2, Some(4)), (vec![], String::new(), true));
    let (blocks, error, _) = resumed("1,2,3,4,5,6", 3, None);
    assert!(blocks.is_empty() && error.contains("not made of the first 2 items"), "{error}");
    let (blocks, error, _) = resumed("1,2", 2, None);
    assert!(blocks.is_empty() && error.contains("has only 1"), "{error}");
}
