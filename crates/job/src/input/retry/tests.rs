//! Of an input whose failed items are run again, those alone reach the pool, with
//! their own indices and places; and none if it is another input.

use crate::input::source::tests::{Woken, open};
use crate::input::{InputOptions, InputSlice, ItemSource, TableOptions};
use crate::resume::output_rows::{OutputRows, RowLayout};
use crate::resume::record::ConsumedInput;
use crate::resume::tracker::{ResumeTracker, RetriedItems};
use procession_task::{Format, Items};
use std::io::Write as _;
use std::sync::Arc;

/// An output as tsv, where the item of an index is its input.
fn rows(text: &str, layout: RowLayout) -> Arc<OutputRows> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    Arc::new(OutputRows::of(&file, text.len() as u64, layout).unwrap().unwrap())
}

/// The first index, the bytes and the line of a block.
type Cut = (u64, String, u64);

struct Retried {
    blocks: Vec<Cut>,
    error: String,
    tracker: Arc<ResumeTracker>,
}

fn retried(source: ItemSource, options: InputOptions, output: &str, goes_on: bool) -> Retried {
    let layout = RowLayout { format: Format::Tsv, first: options.first_index(), is_ordered: true };
    let rows = rows(output, layout);
    let before = ConsumedInput { items: rows.count, hash: 0 };
    let retry = RetriedItems { rows, goes_on };
    let tracker = Arc::new(ResumeTracker::new(options.items, before).with_retry(Some(retry)));
    let input = open(source, &options).unwrap();
    let slice = InputSlice { size: options.size, block: None };
    let (source, status) = input.source_on(&slice, Some(Arc::clone(&tracker)));
    assert_eq!(status.before, before.items - tracker.retry().unwrap().rows.failed.count());
    let cut = |block: &procession::raw::InputBlock| {
        (block.first, String::from_utf8(block.bytes.to_vec()).unwrap(), block.place.map_or(0, |place| place.line))
    };
    let blocks = Woken::new(source).all(2, 100).iter().map(cut).collect();
    let error = status.take_error().map(|error| error.to_string()).unwrap_or_default();
    Retried { blocks, error, tracker }
}

fn cut(all: &[(u64, &str, u64)]) -> Vec<Cut> {
    all.iter().map(|&(first, text, line)| (first, text.to_owned(), line)).collect()
}

const OUTPUT: &str = "a\t\tfailed: no\nb\t1\nb\t\tfailed: no\nd\t\tfailed: no\ne\t\tfailed: no\nf\t1\n";

#[test]
fn failed_items_come_first_with_their_indices_and_places() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items");
    std::fs::write(&path, "a\nb\nb\nd\ne\nf\ng\nh\ni\n").unwrap();
    let files = || ItemSource::Files(vec![path.clone()]);
    let plain = || InputOptions::new(Items::Lines);
    let failed = [(0, "a\n", 1), (2, "b\nd\n", 3), (4, "e\n", 5)];
    let alone = retried(files(), plain(), OUTPUT, false);
    assert_eq!((alone.blocks, &alone.error[..]), (cut(&failed), ""));
    let hash = xxhash_rust::xxh3::xxh3_128(b"a\nb\nb\nd\ne\nf\n");
    assert_eq!(alone.tracker.confirmed(), Some(hash));
    let all = [&failed[..], &[(6, "g\nh\n", 7), (8, "i\n", 9)]].concat();
    let on = retried(files(), plain(), OUTPUT, true);
    assert_eq!((on.blocks, &on.error[..]), (cut(&all), ""));
    assert_eq!(on.tracker.reach(8), Some(xxhash_rust::xxh3::xxh3_128(b"a\nb\nb\nd\ne\nf\ng\nh\n")));
    let sized = InputOptions { size: Some(7), ..plain() };
    let all = [&failed[..], &[(6, "g\n", 7)]].concat();
    assert_eq!(retried(files(), sized, OUTPUT, true).blocks, cut(&all));
    let sized = InputOptions { size: Some(6), ..plain() };
    assert_eq!(retried(files(), sized, OUTPUT, false).blocks, cut(&failed));
    let skipped = InputOptions { skip: 2, ..plain() };
    let rest = retried(files(), skipped, "b\t\tfailed: no\nd\t1\n", false);
    assert_eq!((rest.blocks, &rest.error[..]), (cut(&[(2, "b\n", 3)]), ""));
    let cycled = InputOptions { cycle: true, size: Some(11), ..plain() };
    let ten = "a\t1\nb\t1\nb\t1\nd\t1\ne\t1\nf\t1\ng\t1\nh\t1\ni\t1\na\t\tfailed: no\n";
    assert_eq!(retried(files(), cycled, ten, true).blocks, cut(&[(9, "a\n", 1), (10, "b\n", 2)]));
}

#[test]
fn an_item_that_failed_may_be_another_now_and_those_that_are_kept_may_not() {
    let of = |list: &str| retried(ItemSource::parse_list(list), InputOptions::new(Items::Lines), OUTPUT, true);
    assert_eq!(of("x,b,b,y,z,f").blocks, cut(&[(0, "x\n", 0), (2, "b\ny\n", 0), (4, "z\n", 0)]));
    for (list, says) in [
        ("a,x,b,d,e,f,g", "the rows of the output are not those of this input"),
        ("b,a,b,d,e,f", "not those of this input"),
        ("a,a,b,b,d,e,f", "not those of this input"),
        ("a,b,b,d,e", "has 6 rows, and the input has only 5 now"),
        ("", "only 0 now"),
    ] {
        let retried = of(list);
        assert!(retried.blocks.is_empty() && retried.error.contains(says), "{list}: {}", retried.error);
        assert!(!retried.tracker.is_confirmed());
    }
}

#[test]
fn fields_are_compared_with_their_texts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table");
    std::fs::write(&path, "name,n\na,1\nb,\"2\n3\"\nc,4\n").unwrap();
    let table = TableOptions {
        column: Some("n".to_owned()),
        delimiter: Some(b','),
        has_heading: true,
        refused_names: Vec::new(),
        needed_names: Vec::new(),
    };
    let options = InputOptions { table: Some(table), ..InputOptions::new(Items::Csv(None)) };
    let of = |output| retried(ItemSource::Files(vec![path.clone()]), options.clone(), output, false);
    let found = of("1\t5\n2\\n3\t5\n4\t\tfailed: no\n");
    assert_eq!((found.blocks, &found.error[..]), (cut(&[(2, "c,4\n", 5)]), ""));
    assert!(of("1\t5\n2 3\t5\n4\t\tfailed: no\n").error.contains("not those of this input"));
}
