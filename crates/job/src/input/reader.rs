//! Reads an input: all items that are taken, from the first to the last, in
//! segments.

use super::blocks::BlockMaker;
use super::cutter::{Cutter, Emit};
use super::file::InputFile;
use super::notes::{InputNote, OnNote};
use super::numbers::{EndLineReader, NumberReader, skip_heading};
use super::options::{Content, InputOptions, ItemSource, TableOptions};
use super::prefix::Prefix;
use super::queue::SegmentQueue;
use super::range::IntegerRange;
use super::segment::InputSegment;
use super::shuffle::{ShuffleCollector, ShuffledInput};
use super::slice::InputSlice;
use super::status::InputNames;
use super::table::{TableCell, agree, read_head};
use super::unpack::visit;
use crate::error::{InputError, SkipCount};
use crate::mutex::lock;
use crate::resume::tracker::ResumeTracker;
use bytes::BytesMut;
use procession::raw::Place;
use procession_task::Items;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Cursor, Read};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// Generated items are written in pieces of this many bytes.
const PIECE: usize = 256 * 1024;

pub(crate) struct InputReader {
    pub(crate) source: ItemSource,
    pub(crate) files: Vec<InputFile>,
    pub(crate) options: InputOptions,
    pub(crate) shuffled: OnceLock<ShuffledInput>,
    pub(crate) names: InputNames,
    /// How many items were left out by the last pass.
    pub(crate) skipped: Arc<AtomicU64>,
    /// What is known of the table, if the input is one.
    pub(crate) table: TableCell,
    pub(crate) noted: Mutex<BTreeSet<String>>,
    pub(crate) on_note: OnNote,
}

impl InputReader {
    /// How many items a range or a list has, without the skipped ones.
    pub(crate) fn generated(&self) -> Option<u64> {
        let all = match &self.source {
            ItemSource::Files(_) => return None,
            ItemSource::Range(range) => range.count(),
            ItemSource::List(list) => list.len() as u64,
        };
        Some(all.saturating_sub(self.options.skip))
    }

    /// What is known of the items that were left out.
    pub(crate) fn skipped_items(&self) -> SkipCount {
        let wanted = self.options.skip;
        let found = match &self.source {
            ItemSource::Files(_) => self.skipped.load(Ordering::Relaxed),
            ItemSource::Range(range) => range.count().min(wanted),
            ItemSource::List(list) => (list.len() as u64).min(wanted),
        };
        SkipCount { wanted, found }
    }

    pub(crate) fn bytes(&self) -> Option<u64> {
        if self.files.is_empty() || self.options.cycle {
            return None;
        }
        self.files.iter().map(|input_file| input_file.bytes).sum()
    }

    pub(crate) fn name_stream(&self, input: u32, name: &str) {
        let mut names = lock(&self.names.0);
        if names.len() <= input as usize {
            names.push(name.to_owned());
        }
    }

    pub(crate) fn note(&self, note: &InputNote) {
        if lock(&self.noted).insert(note.to_string()) {
            (self.on_note)(note);
        }
    }
}

impl InputReader {
    /// Emits every item that is taken, repeatedly if the input cycles, until
    /// the end or until the receiver wants no more.
    pub(crate) fn read_items(&self, read: &Arc<AtomicU64>, emit: &mut Emit<'_>) -> Result<(), InputError> {
        loop {
            let mut is_empty = true;
            let mut noting = |segment| {
                is_empty = false;
                emit(segment)
            };
            let flow = match self.options.shuffle {
                Some(seed) => self.shuffled(seed, read)?.pass(&mut noting)?,
                None => self.read_once(read, &mut noting)?,
            };
            if flow.is_break() || !self.options.cycle {
                return Ok(());
            }
            if is_empty {
                return Err(InputError::NothingToCycle);
            }
        }
    }

    /// The items in shuffled order; read when they are first needed.
    fn shuffled(&self, seed: u64, read: &Arc<AtomicU64>) -> Result<&ShuffledInput, InputError> {
        if let Some(shuffled) = self.shuffled.get() {
            return Ok(shuffled);
        }
        let mut collect = ShuffleCollector::default();
        let mut is_too_large = false;
        let _ = self.read_once(read, &mut |segment| {
            is_too_large = collect.add(segment, self.options.items).is_none();
            if is_too_large { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if is_too_large {
            return Err(InputError::TooLargeToShuffle);
        }
        Ok(self.shuffled.get_or_init(|| collect.shuffled(seed, self.options.items)))
    }

    /// Emits every item once, in the order of the input, without the skipped
    /// ones.
    fn read_once(&self, read: &Arc<AtomicU64>, emit: &mut Emit<'_>) -> Result<ControlFlow<()>, InputError> {
        let separator = self.options.items.separator();
        let mut skip = Skip { left: self.options.skip, items: self.options.items };
        if !matches!(self.source, ItemSource::Files(_)) {
            self.skipped.store(self.skipped_items().found, Ordering::Relaxed);
        }
        let note_skipped = |left: u64| self.skipped.store(self.options.skip - left, Ordering::Relaxed);
        match &self.source {
            ItemSource::Range(range) => Ok(generate(range.without_first(self.options.skip), separator, emit)),
            ItemSource::List(list) => {
                let from = usize::try_from(self.options.skip).unwrap_or(usize::MAX).min(list.len());
                Ok(emit_list(&list[from..], separator, emit))
            }
            ItemSource::Files(_) => {
                let mut skipping = |segment| {
                    let rest = skip.apply(segment);
                    note_skipped(skip.left);
                    rest.map_or(ControlFlow::Continue(()), &mut *emit)
                };
                let mut index = 0;
                for input_file in &self.files {
                    if self.read(input_file, &mut index, read, None, &mut skipping)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Ok(ControlFlow::Continue(()))
            }
        }
    }

    /// Reads one file or stream. `index` counts the streams of unpacked bytes.
    pub(crate) fn read(
        &self,
        input_file: &InputFile,
        index: &mut u32,
        read: &Arc<AtomicU64>,
        copy: Option<File>,
        emit: &mut Emit<'_>,
    ) -> Result<ControlFlow<()>, InputError> {
        let Some(opened) = input_file.open(read, copy)? else { return Ok(ControlFlow::Continue(())) };
        visit(&input_file.name, opened, self.options.items, &mut |name, reader| {
            let input = *index;
            *index += 1;
            self.name_stream(input, name);
            self.cut(name, input, reader, emit)
        })
    }

    fn cut(
        &self,
        name: &str,
        input: u32,
        reader: &mut dyn Read,
        emit: &mut Emit<'_>,
    ) -> Result<ControlFlow<()>, InputError> {
        let place = Place { input, line: 1, column: 1 };
        let cutter = Cutter { items: self.options.items, max_item: self.options.max_item, name, place };
        if let (Items::Csv(_), Some(table)) = (self.options.items, &self.options.table) {
            return self.cut_table(cutter, table, reader, emit);
        }
        match self.options.content {
            Content::Any if self.options.tells_blank_end => self.cut_lines(cutter, reader, emit),
            Content::Any => Ok(cutter.run(reader, emit)?.flow),
            Content::List | Content::Numbers => self.cut_numbers(cutter, reader, emit),
        }
    }

    /// Tells of blank lines at the end.
    fn cut_lines(
        &self,
        cutter: Cutter<'_>,
        reader: &mut dyn Read,
        emit: &mut Emit<'_>,
    ) -> Result<ControlFlow<()>, InputError> {
        let (name, mut lines) = (cutter.name.to_owned(), 0);
        let passed = cutter.run(reader, &mut |segment| {
            let blank = |line: &&[u8]| line.trim_ascii().is_empty();
            lines = segment.bytes.rsplit(|&byte| byte == b'\n').take_while(blank).skip(1).count();
            emit(segment)
        })?;
        if passed.flow.is_continue() && lines > 0 {
            self.note(&InputNote::BlankEnd { name, lines });
        }
        Ok(passed.flow)
    }

    fn cut_table(
        &self,
        cutter: Cutter<'_>,
        options: &TableOptions,
        reader: &mut dyn Read,
        emit: &mut Emit<'_>,
    ) -> Result<ControlFlow<()>, InputError> {
        let Some(head) = read_head(cutter.name, reader, options, cutter.max_item)? else {
            return Ok(ControlFlow::Continue(()));
        };
        if let Some(note) = &head.note {
            self.note(note);
        }
        agree(&self.table, cutter.name, head.table)?;
        let place = cutter.place.after(&head.passed);
        let mut rest = Cursor::new(head.rest).chain(reader);
        Ok(Cutter { place, ..cutter }.run(&mut rest, emit)?.flow)
    }

    fn cut_numbers(
        &self,
        cutter: Cutter<'_>,
        reader: &mut dyn Read,
        emit: &mut Emit<'_>,
    ) -> Result<ControlFlow<()>, InputError> {
        let name = cutter.name.to_owned();
        let is_judged = self.options.content == Content::Numbers;
        let failed = |error| InputError::Read { name: name.clone(), error };
        let (heading, rest) = skip_heading(reader, is_judged).map_err(failed)?;
        if let Some(suspicion) = heading.suspicion {
            return Err(InputError::Suspicious { name, suspicion: suspicion.to_string() });
        }
        let place = Place { line: 1 + heading.passed, ..cutter.place };
        let last = heading.last;
        let note = |first| InputNote::Heading { name: name.clone(), lines: heading.lines, first, last };
        let mut note = heading.first.clone().map(note);
        let mut noting = |segment| {
            // Reported only when the input has more than a heading.
            if let Some(note) = note.take() {
                self.note(&note);
            }
            emit(segment)
        };
        let (cutter, has_brackets) = (Cutter { place, ..cutter }, rest.trim_ascii_start().starts_with(b"["));
        let mut rest = Cursor::new(rest).chain(reader);
        let passed = if is_judged {
            let mut numbers = NumberReader::new(&mut rest, has_brackets);
            let mut reader = EndLineReader::new(&mut numbers, heading.is_title);
            let passed = cutter.run(&mut reader, &mut noting)?;
            if let Some(line) = reader.skipped() {
                self.note(&InputNote::EndLine { name: name.clone(), line });
            }
            passed
        } else {
            cutter.run(&mut rest, &mut noting)?
        };
        if passed.items == 0 && heading.any {
            return Err(InputError::NoNumber { name, first: heading.first });
        }
        Ok(passed.flow)
    }
}

impl InputReader {
    /// Emits the units for the pool: items, or blocks of them.
    pub(crate) fn read_units(
        &self,
        slice: &InputSlice,
        read: &Arc<AtomicU64>,
        emit: &mut Emit<'_>,
    ) -> Result<(), InputError> {
        let Some(block) = slice.block else { return self.read_items(read, emit) };
        let mut blocks = BlockMaker::new(block, &self.options, slice.size);
        // After a read error the items that are left do not become a block.
        self.read_items(read, &mut |segment| blocks.push(segment, emit))?;
        blocks.finish(emit).map_err(|error| match error {
            InputError::TooFew { size, items, .. } => InputError::TooFew { size, items, skip: self.skipped_items() },
            other => other,
        })
    }

    /// Emits what follows the items that an earlier run has consumed.
    pub(crate) fn read_rest(
        &self,
        slice: &InputSlice,
        tracker: &ResumeTracker,
        read: &Arc<AtomicU64>,
        queue: &SegmentQueue,
        push: &mut Emit<'_>,
    ) -> Result<(), InputError> {
        let (mut passing, mut refused) = (Some(Prefix::of(tracker)), None);
        let result = self.read_units(slice, read, &mut |segment| {
            let Some(mut prefix) = passing.take() else { return push(segment) };
            let rest = match prefix.pass(segment) {
                Ok(rest) => rest,
                Err(error) => {
                    refused = Some(error);
                    return ControlFlow::Break(());
                }
            };
            if !prefix.is_passed() {
                passing = Some(prefix);
                return queue.flow();
            }
            prefix.confirm(tracker);
            // If nothing more is wanted, no push will wake the source.
            queue.wake();
            match rest {
                Some(rest) => push(rest),
                None => ControlFlow::Continue(()),
            }
        });
        let missing = || passing.as_ref().and_then(Prefix::missing).filter(|_| queue.flow().is_continue());
        result.and(refused.or_else(missing).map_or(Ok(()), Err))
    }
}

/// Leaves out the first items.
struct Skip {
    left: u64,
    items: Items,
}

impl Skip {
    fn apply(&mut self, mut segment: InputSegment) -> Option<InputSegment> {
        if self.left == 0 {
            return Some(segment);
        }
        let skipped = self.left.min(segment.items);
        self.left -= skipped;
        if skipped == segment.items {
            return None;
        }
        let end = self.items.measure(&segment.bytes, skipped).bytes;
        let before = segment.bytes.split_to(end);
        let place = segment.place.map(|place| place.after(&before));
        Some(InputSegment { bytes: segment.bytes, items: segment.items - skipped, place, continues: false })
    }
}

fn generate(mut range: IntegerRange, separator: u8, emit: &mut Emit<'_>) -> ControlFlow<()> {
    while range.count() > 0 {
        // Room for the last number: the longest has 40 characters.
        let mut bytes = BytesMut::with_capacity(PIECE + 64);
        let items = range.write(&mut bytes, PIECE, separator);
        emit(InputSegment { bytes, items, place: None, continues: false })?;
    }
    ControlFlow::Continue(())
}

fn emit_list(list: &[String], separator: u8, emit: &mut Emit<'_>) -> ControlFlow<()> {
    let mut bytes = BytesMut::new();
    for item in list {
        bytes.extend_from_slice(item.as_bytes());
        bytes.extend_from_slice(&[separator]);
    }
    if list.is_empty() {
        return ControlFlow::Continue(());
    }
    emit(InputSegment { bytes, items: list.len() as u64, place: None, continues: false })
}
