//! Whatever the input contains and however it is cut, the items, their indexes
//! and their places are those of a simple walk over the text.

use super::*;
use crate::input::{Content, Input, InputNote, IntegerRange, ItemSource};
use procession_task::Items;
use std::io::{PipeReader, PipeWriter, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};

/// A source, and the channel that receives its wake-ups.
pub(crate) struct Woken {
    source: QueueSource,
    wakes: Receiver<()>,
}

impl Woken {
    pub(crate) fn new(mut source: QueueSource) -> Self {
        let (wake, wakes) = mpsc::channel();
        source.wake_with(Waker::new(move || {
            let _ = wake.send(());
        }));
        Self { source, wakes }
    }

    fn next(&mut self, max_items: u32, max_bytes: usize) -> Option<InputBlock> {
        loop {
            match self.source.cut(max_items, max_bytes) {
                Cut::Block(block) => return Some(block),
                Cut::End => return None,
                Cut::Pending => self.wakes.recv().unwrap(),
            }
        }
    }

    pub(crate) fn all(mut self, max_items: u32, max_bytes: usize) -> Vec<InputBlock> {
        std::iter::from_fn(|| self.next(max_items, max_bytes)).collect()
    }
}

pub(crate) fn open(source: ItemSource, options: &InputOptions) -> Result<Input, InputError> {
    Input::open(source, options.clone(), Box::new(|_| ()))
}

/// Temporary files with these contents.
struct Files {
    _folder: tempfile::TempDir,
    paths: Vec<PathBuf>,
}

fn files(contents: &[&[u8]]) -> Files {
    let folder = tempfile::tempdir().unwrap();
    let write = |(i, bytes): (usize, &&[u8])| {
        let path = folder.path().join(format!("f{i}"));
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let paths = contents.iter().enumerate().map(write).collect();
    Files { _folder: folder, paths }
}

impl Files {
    fn source(&self) -> ItemSource {
        ItemSource::Files(self.paths.clone())
    }
}

type FoundItem = (u64, String, Option<Place>);

fn walked(blocks: &[InputBlock], rule: Items) -> Vec<FoundItem> {
    let mut found = Vec::new();
    for block in blocks {
        let items: Vec<_> = rule.split(&block.bytes).collect();
        assert_eq!(items.len(), block.items as usize);
        let (mut place, mut from) = (block.place, 0);
        for (i, (at, item)) in items.iter().enumerate() {
            place = place.map(|place| place.after(&block.bytes[from..*at]));
            from = *at;
            found.push((block.first + i as u64, String::from_utf8_lossy(item).into_owned(), place));
        }
    }
    found
}

fn texts(blocks: &[InputBlock], rule: Items) -> Vec<String> {
    walked(blocks, rule).into_iter().map(|(_, text, _)| text).collect()
}

/// Every item of an input as text, or its error.
fn taken(source: ItemSource, options: &InputOptions) -> Result<Vec<String>, String> {
    let input = open(source, options).map_err(|error| error.to_string())?;
    let (source, status) = input.source(None);
    let blocks = Woken::new(source).all(7, 1 << 20);
    match status.take_error() {
        Some(error) => Err(error.to_string()),
        None => Ok(texts(&blocks, options.items)),
    }
}

fn numbers(range: std::ops::Range<u64>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

fn range(text: &str) -> ItemSource {
    ItemSource::Range(IntegerRange::parse(text).unwrap())
}

#[test]
fn items_indexes_and_places_of_several_files() {
    let contents: [&[u8]; 6] = [b"a  b\r\nc", b"", b"\xef\xbb\xbfd,,e\n\n f \n", b" \n", b"g", b"h\0\n"];
    let files = files(&contents);
    for rule in [Items::Words, Items::Lines, Items::Nul] {
        let mut expected = Vec::new();
        for (input, bytes) in contents.iter().enumerate() {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            let start = Place { input: input as u32, line: 1, column: 1 };
            for (at, item) in rule.split(bytes) {
                let text = String::from_utf8_lossy(item).into_owned();
                expected.push((expected.len() as u64, text, Some(start.after(&bytes[..at]))));
            }
        }
        for (max_items, max_bytes) in [(1, 1), (1, 1 << 20), (2, 1 << 20), (3, 4), (1000, 2), (1000, 1 << 20)] {
            let input = open(files.source(), &InputOptions::new(rule)).unwrap();
            let (source, status) = input.source(None);
            let blocks = Woken::new(source).all(max_items, max_bytes);
            assert!(status.take_error().is_none());
            assert_eq!(walked(&blocks, rule), expected, "{rule:?} {max_items} {max_bytes}");
            assert!(input.names().get(2).ends_with("/f2"), "{}", input.names().get(2));
        }
    }
}

/// Text with runs of separators and items of very different lengths.
fn varied(seed: u64, items: u64) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::new();
    for _ in 0..items {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let length = if state >> 60 == 0 { 3000 } else { (state >> 40) as usize % 12 };
        bytes.extend(std::iter::repeat_n(b'a' + (state >> 50) as u8 % 26, length));
        bytes.extend_from_slice(&b" \n,,\r\n    \n"[..1 + (state >> 33) as usize % 11]);
    }
    bytes
}

#[test]
fn blocks_are_as_large_as_allowed() {
    let whole = varied(7, 30_000);
    let files = files(&[&whole]);
    // A read is of a quarter of a buffer of 1 MiB, or of what is left of it.
    let reads = 5 * whole.len().div_ceil(1 << 20);
    for rule in [Items::Words, Items::Lines] {
        let expected: Vec<_> = rule.split(&whole).map(|(_, item)| String::from_utf8_lossy(item).into_owned()).collect();
        for (max_items, max_bytes) in [(1, 100), (10, 1 << 17), (5000, 2000), (100_000, 1 << 17), (300, 1 << 17)] {
            let input = open(files.source(), &InputOptions::new(rule)).unwrap();
            let blocks = Woken::new(input.source(None).0).all(max_items, max_bytes);
            assert_eq!(texts(&blocks, rule), expected);
            let is_small = |block: &&InputBlock| block.items < max_items && block.bytes.len() + 3020 < max_bytes;
            // Only the last block of what was read may be smaller than asked for: nothing
            // waits for the next read.
            assert!(blocks.iter().filter(is_small).count() <= reads);
            assert!(blocks.iter().all(|b| b.items <= max_items && (b.bytes.len() <= max_bytes || b.items == 1)));
        }
    }
}

#[test]
fn a_long_run_of_separators_belongs_to_no_item() {
    let files = files(&[&[&b"1"[..], &vec![b' '; 500_000], b"2 3"].concat()]);
    let input = open(files.source(), &InputOptions::new(Items::Words)).unwrap();
    let blocks = Woken::new(input.source(None).0).all(100, 1000);
    assert_eq!(texts(&blocks, Items::Words), ["1", "2", "3"]);
    assert!(blocks.iter().all(|block| block.bytes.len() <= 1000));
    assert_eq!(blocks[1].place, Some(Place { input: 0, line: 1, column: 500_002 }));
}

/// A pipe and the path by which it can be opened.
fn pipe() -> (PipeReader, PipeWriter, ItemSource) {
    let (reader, writer) = std::io::pipe().unwrap();
    let path = PathBuf::from(format!("/proc/self/fd/{}", reader.as_raw_fd()));
    (reader, writer, ItemSource::Files(vec![path]))
}

#[test]
fn items_arrive_while_a_pipe_pauses() {
    let (_reader, mut writer, source) = pipe();
    let input = open(source, &InputOptions { content: Content::Numbers, ..InputOptions::new(Items::Words) }).unwrap();
    assert!(input.is_stream());
    let mut source = Woken::new(input.source(None).0);
    writer.write_all(b"2\n3 5").unwrap();
    let mut found = Vec::new();
    // Nothing more is written until these two items have arrived.
    while found.len() < 2 {
        found.extend(texts(&[source.next(10, 1000).unwrap()], Items::Words));
    }
    assert_eq!(found, ["2", "3"]);
    writer.write_all(b"7 ").unwrap();
    assert_eq!(texts(&[source.next(10, 1000).unwrap()], Items::Words), ["57"]);
    drop(writer);
    assert!(source.next(10, 1000).is_none());
}

#[test]
fn small_pieces_in_the_queue_become_one_block() {
    let (_reader, mut writer, source) = pipe();
    let (source, status) = open(source, &InputOptions::new(Items::Lines)).unwrap().source(None);
    let source = Woken::new(source);
    for n in 0..100 {
        writeln!(writer, "{n}").unwrap();
        while status.bytes_read() < if n < 10 { 2 * (n + 1) } else { 3 * n - 7 } {
            std::thread::yield_now();
        }
    }
    drop(writer);
    while source.source.remaining() != Some(100) {
        std::thread::yield_now();
    }
    let blocks = source.all(1000, 1 << 20);
    assert_eq!(blocks.len(), 1);
    assert_eq!(texts(&blocks, Items::Lines), numbers(0..100));
}

#[test]
fn a_dropped_source_ends_its_thread() {
    for is_started in [false, true] {
        let (alive, ended) = mpsc::channel::<()>();
        let note = move |_: &InputNote| alive.send(()).unwrap();
        let options = InputOptions::new(Items::Lines);
        let input = Input::open(range("0..1000000000000"), options, Box::new(note)).unwrap();
        let mut source = Woken::new(input.source(None).0);
        drop(input);
        if is_started {
            source.next(1, 100).unwrap();
        }
        drop(source);
        // The thread held the last handle.
        assert!(ended.recv().is_err());
    }
}

#[test]
fn skip_shuffle_size_and_cycle_apply_in_this_order() {
    let plain = InputOptions::new(Items::Lines);
    let text: String = (0..100).map(|n| format!("{n}\n")).collect();
    let files = files(&[&text.as_bytes()[..95], &text.as_bytes()[95..]]);
    let list = ItemSource::List(numbers(0..100));
    for source in [files.source(), range("0..100"), list] {
        let take = |options: InputOptions| taken(source.clone(), &options);
        assert_eq!(take(plain.clone()).unwrap(), numbers(0..100));
        assert_eq!(take(InputOptions { skip: 90, ..plain.clone() }).unwrap(), numbers(90..100));
        assert_eq!(take(InputOptions { skip: 100, ..plain.clone() }).unwrap(), numbers(0..0));
        assert_eq!(take(InputOptions { skip: 1000, ..plain.clone() }).unwrap(), numbers(0..0));
        assert_eq!(take(InputOptions { size: Some(0), ..plain.clone() }).unwrap(), numbers(0..0));
        assert_eq!(take(InputOptions { skip: 3, size: Some(33), ..plain.clone() }).unwrap(), numbers(3..36));
        let short = take(InputOptions { skip: 58, size: Some(100), ..plain.clone() }).unwrap_err();
        assert_eq!(short, "--size 100: the input has 100 items, of which --skip 58 leaves 42");
        let cycled = InputOptions { skip: 98, size: Some(5), cycle: true, ..plain.clone() };
        assert_eq!(take(cycled).unwrap(), ["98", "99", "98", "99", "98"]);
        let shuffled = take(InputOptions { shuffle: Some(1), skip: 50, ..plain.clone() }).unwrap();
        assert_ne!(shuffled, numbers(50..100));
        let mut sorted = shuffled.clone();
        sorted.sort();
        assert_eq!(sorted, numbers(50..100));
        let some = InputOptions { shuffle: Some(1), skip: 50, size: Some(60), cycle: true, ..plain.clone() };
        assert_eq!(take(some).unwrap(), [&shuffled[..], &shuffled[..10]].concat());
    }
}

#[test]
fn indexes_and_places_after_skipping_and_shuffling() {
    let files = files(&[b"a\nb\nc\n", b"d\ne"]);
    let plain = InputOptions::new(Items::Lines);
    let input = open(files.source(), &InputOptions { skip: 2, ..plain.clone() }).unwrap();
    let found = walked(&Woken::new(input.source(None).0).all(9, 99), Items::Lines);
    let place = |input, line| Some(Place { input, line, column: 1 });
    let is = |index, text: &str, place| (index, text.to_owned(), place);
    assert_eq!(found, [is(2, "c", place(0, 3)), is(3, "d", place(1, 1)), is(4, "e", place(1, 2))]);

    let input = open(files.source(), &InputOptions { shuffle: Some(3), ..plain }).unwrap();
    let found = walked(&Woken::new(input.source(None).0).all(9, 99), Items::Lines);
    assert_eq!(found.iter().map(|(index, ..)| *index).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    for (index, text, _) in found {
        let expected = match text.as_str() {
            "a" => place(0, 1),
            "b" => place(0, 2),
            "c" => place(0, 3),
            "d" => place(1, 1),
            _ => place(1, 2),
        };
        assert_eq!(input.locate(index), expected);
    }
}

#[test]
fn sizes_are_checked_before_any_work() {
    let files = files(&[b"1\n2\n", b"3"]);
    let check = |cycle, size| {
        let options = InputOptions { size: Some(size), cycle, ..InputOptions::new(Items::Lines) };
        open(files.source(), &options).unwrap().check_size(Some(size)).map_err(|error| error.to_string())
    };
    assert_eq!(check(false, 3), Ok(()));
    assert!(check(false, 4).unwrap_err().contains("only 3 items"));
    assert_eq!(check(true, 4), Ok(()));
    let options = InputOptions { cycle: true, size: Some(1), ..InputOptions::new(Items::Lines) };
    let empty = open(ItemSource::List(Vec::new()), &options).unwrap();
    assert!(matches!(empty.check_size(Some(1)), Err(InputError::NothingToCycle)));
    assert!(taken(range("5..5"), &options).unwrap_err().contains("no items"));
    let endless = InputOptions { size: None, ..options };
    assert!(matches!(open(range("0..5"), &endless), Err(InputError::CycleWithoutSize)));
}

#[test]
fn errors_come_after_the_items_before_them() {
    let files = files(&[b"1\n2\n3\n", b"toolong\n"]);
    let options = InputOptions { max_item: 5, ..InputOptions::new(Items::Lines) };
    let input = open(files.source(), &options).unwrap();
    let (source, status) = input.source(None);
    assert_eq!(texts(&Woken::new(source).all(1, 1), Items::Lines), numbers(1..4));
    let error = status.take_error().unwrap().to_string();
    assert!(error.ends_with("f1:1: an item is longer than 5 bytes (see --max-item)"), "{error}");
    // What follows the last wanted item is not read.
    assert_eq!(taken(files.source(), &InputOptions { size: Some(3), ..options }), Ok(numbers(1..4)));
}

#[test]
fn headings_are_skipped_with_a_note() {
    let title = "     The First 1,000,000 Primes (from primes.utm.edu)\r\n\r\n       2       3 \r\n       5\r\n";
    let files = files(&[title.as_bytes(), b"", b"7,11", b"n\n1e3 13\nx\n"]);
    let options = InputOptions { content: Content::Numbers, ..InputOptions::new(Items::Words) };
    let (note, notes) = mpsc::channel();
    let hear = move |heard: &InputNote| note.send(heard.to_string()).unwrap();
    let input = Input::open(files.source(), options.clone(), Box::new(hear)).unwrap();
    for _ in 0..2 {
        let found = walked(&Woken::new(input.source(None).0).all(100, 1000), Items::Words);
        let items: Vec<_> = found.iter().map(|(_, text, _)| text.as_str()).collect();
        assert_eq!(items, ["2", "3", "5", "7", "11", "1e3", "13", "x"]);
        assert_eq!(found[0].2, Some(Place { input: 0, line: 3, column: 8 }));
        assert_eq!(found[7].2, Some(Place { input: 3, line: 3, column: 1 }));
    }
    drop(input);
    let notes: Vec<_> = notes.iter().collect();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].ends_with("f0: skipped 1 heading line: \"The First 1,000,000 Primes (from primes.utm.edu)\""));
    let lines = InputOptions { items: Items::Lines, content: Content::Any, ..options.clone() };
    assert_eq!(taken(ItemSource::Files(vec![files.paths[3].clone()]), &lines).unwrap(), ["n", "1e3 13", "x"]);
    for text in [&b"no number here\n"[..], b"\n", b"a"] {
        let files = self::files(&[text]);
        assert!(taken(files.source(), &options).unwrap_err().contains("no numbers"));
    }
}

#[test]
fn spooled_streams_can_be_read_again() {
    let (reader, mut writer, source) = pipe();
    writer.write_all(b"title x\n2\n3\n5\n").unwrap();
    drop(writer);
    let options = InputOptions { content: Content::Numbers, ..InputOptions::new(Items::Words) };
    let mut input = open(source, &options).unwrap();
    input.spool(None).unwrap();
    drop(reader);
    assert!(!input.is_stream());
    for _ in 0..2 {
        let found = walked(&Woken::new(input.source(None).0).all(10, 99), Items::Words);
        assert_eq!(found[2], (2, "5".to_owned(), Some(Place { input: 0, line: 4, column: 1 })));
    }
    assert!(matches!(input.check_size(Some(4)), Err(InputError::TooFew { items: 3, .. })));
}

#[test]
fn an_endless_stream_is_spooled_only_as_far_as_needed() {
    let (reader, mut writer, source) = pipe();
    let yes = std::thread::spawn(move || while writer.write_all(&b"y\n".repeat(1000)).is_ok() {});
    let options = InputOptions { skip: 10, ..InputOptions::new(Items::Lines) };
    let mut input = open(source, &options).unwrap();
    input.spool(Some(5000)).unwrap();
    drop(reader);
    yes.join().unwrap();
    for _ in 0..2 {
        let (source, status) = input.source(Some(5000));
        let blocks = Woken::new(source).all(700, 1 << 20);
        assert_eq!(blocks.iter().map(|block| block.items).sum::<u32>(), 5000);
        assert!(status.take_error().is_none());
    }
}

#[test]
fn the_remaining_items_are_exact_once_they_are_known() {
    let files = files(&[b"1\n2\n3\n4\n"]);
    let input = open(files.source(), &InputOptions::new(Items::Lines)).unwrap();
    let mut source = Woken::new(input.source(None).0);
    source.next(1, 100).unwrap();
    while source.source.remaining() != Some(3) {
        std::thread::yield_now();
    }
    let input = open(range("0..1000000"), &InputOptions::new(Items::Lines)).unwrap();
    let (source, status) = input.source(None);
    assert_eq!((source.remaining(), status.items), (Some(1_000_000), Some(1_000_000)));
}
