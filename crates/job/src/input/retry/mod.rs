//! The failed items of an earlier run, which are run again. The input is read twice:
//! first it is compared with the rows that are kept, then the failed items are cut out
//! of it. So no item is run, and no row replaced, if the input is another one.

use super::cutter::Emit;
use super::queue::SegmentQueue;
use super::reader::InputReader;
use super::segment::InputSegment;
use super::slice::InputSlice;
use crate::error::InputError;
use crate::resume::hash::InputHash;
use crate::resume::output_rows::{KeptRows, OutputRows};
use crate::resume::tracker::{ResumeTracker, RetriedItems};
use bytes::BytesMut;
use procession_task::{BlockItems, Column, Items, Measure, TableFormat, TableSpec};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

impl InputReader {
    /// Emits the failed items of an output, and then what follows behind it.
    pub(crate) fn read_retried(
        &self,
        slice: &InputSlice,
        (tracker, retried): (&ResumeTracker, &RetriedItems),
        read: &Arc<AtomicU64>,
        queue: &SegmentQueue,
        push: &mut Emit<'_>,
    ) -> Result<(), InputError> {
        let RetriedItems { rows, goes_on } = retried;
        match self.compare(slice, rows, tracker, queue)? {
            Compared::Equal(hash) => tracker.confirm(hash, rows.count),
            Compared::Abandoned => return Ok(()),
        }
        let mut item = rows.items().start;
        self.read_units(slice, read, &mut |mut segment| {
            let old = segment.items.min(rows.items().end - item);
            let rest = (old < segment.items).then(|| split_rest(&mut segment, old, self));
            self.cut_failed(segment, item, rows, push)?;
            item += old;
            match rest {
                _ if item < rows.items().end => queue.flow(),
                Some(rest) if *goes_on => push(rest),
                _ if *goes_on => queue.flow(),
                _ => ControlFlow::Break(()),
            }
        })
    }

    /// Compares the input with the rows that are kept, and hashes it as far as the
    /// output goes.
    fn compare(
        &self,
        slice: &InputSlice,
        rows: &OutputRows,
        tracker: &ResumeTracker,
        queue: &SegmentQueue,
    ) -> Result<Compared, InputError> {
        let mut hash = InputHash::new(tracker.expected().0);
        let (mut kept, mut item, mut head) = (KeptRows::default(), rows.items().start, Vec::new());
        self.read_units(slice, &Arc::default(), &mut |mut segment| {
            let old = segment.items.min(rows.items().end - item);
            if old < segment.items {
                split_rest(&mut segment, old, self);
            }
            hash.update(&segment.bytes, old);
            self.each_item(&segment.bytes, &mut |text| {
                if rows.failed.rank(item).is_none() {
                    head.clear();
                    rows.layout.format.write_head(&mut head, item, text);
                    kept.add(item, &head);
                }
                item += 1;
            });
            if item < rows.items().end { queue.flow() } else { ControlFlow::Break(()) }
        })?;
        if queue.flow().is_break() {
            return Ok(Compared::Abandoned);
        }
        let items = item - rows.items().start;
        if items < rows.count {
            return Err(InputError::FewerThanRows { rows: rows.count, items });
        }
        if kept == rows.kept { Ok(Compared::Equal(hash)) } else { Err(InputError::OtherThanRows) }
    }

    /// Calls `visit` with each item of a block, as a task receives it.
    fn each_item(&self, block: &[u8], visit: &mut dyn FnMut(&[u8])) {
        match self.table_spec() {
            Some(table) => {
                let items = BlockItems::of_table(&table, self.options.items, block);
                items.iter(block).for_each(|item| visit(item.item));
            }
            None => self.options.items.split(block).for_each(|(_, item)| visit(item)),
        }
    }

    /// Emits the failed ones of these items, copied: a few of them must not hold the
    /// memory of all.
    fn cut_failed(
        &self,
        mut segment: InputSegment,
        first: u64,
        rows: &OutputRows,
        push: &mut Emit<'_>,
    ) -> ControlFlow<()> {
        let mut item = first;
        for part in rows.failed.within(first..first + segment.items) {
            split(&mut segment, part.start - item, self);
            let failed = split(&mut segment, part.end - part.start, self);
            push(InputSegment { bytes: BytesMut::from(&failed.bytes[..]), continues: false, ..failed })?;
            item = part.end;
        }
        ControlFlow::Continue(())
    }

    /// The table that the items come from, if they do and it is known.
    pub(crate) fn table_spec(&self) -> Option<TableSpec> {
        let options = self.options.table.as_ref()?;
        if self.options.items != Items::Jsonl {
            return self.table.get();
        }
        let column = options.column.clone().map(Column::Key);
        Some(TableSpec { format: TableFormat::Jsonl, names: Vec::new(), column })
    }
}

/// The result of comparing an input with the rows of an output.
enum Compared {
    /// It is the input of the rows, with this hash.
    Equal(InputHash),
    /// The source wants no more.
    Abandoned,
}

/// Splits items off the front of a segment.
fn split(segment: &mut InputSegment, items: u64, reader: &InputReader) -> InputSegment {
    let measure = reader.options.items.measure(&segment.bytes, items);
    segment.split_to(if items == segment.items { Measure { bytes: segment.bytes.len(), ..measure } } else { measure })
}

/// Leaves the first items in a segment; returns the others, of which there is at least
/// one.
fn split_rest(segment: &mut InputSegment, first: u64, reader: &InputReader) -> InputSegment {
    let front = split(segment, first, reader);
    std::mem::replace(segment, front)
}

#[cfg(test)]
mod tests;
