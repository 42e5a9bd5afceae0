//! An input that was checked and can be read: as often as needed if it is a
//! file, a range or a list; once if it is a stream, unless [`Input::spool`] was
//! called.

use super::file::InputFile;
use super::notes::OnNote;
use super::options::{InputOptions, ItemSource, check_list};
use super::prefix::Prefix;
use super::queue::SegmentQueue;
use super::reader::InputReader;
use super::segment::InputSegment;
use super::slice::InputSlice;
use super::source::QueueSource;
use super::status::{InputNames, InputStatus};
use super::table::TableCell;
use crate::error::InputError;
use crate::file_id::FileId;
use crate::resume::record::ConsumedInput;
use crate::resume::tracker::ResumeTracker;
use crate::times::InputPhase;
use procession::raw::Place;
use procession_task::{Items, TableSpec};
use std::fmt;
use std::fs::Metadata;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};

/// An input that was checked.
pub struct Input {
    pub(super) inner: Arc<InputReader>,
}

impl Input {
    /// Checks an input. Everything that can be refused without reading it is
    /// refused here.
    ///
    /// # Errors
    /// A file is missing, unreadable or a folder; options contradict each
    /// other; an item of a list contains a separator.
    pub fn open(source: ItemSource, options: InputOptions, on_note: OnNote) -> Result<Self, InputError> {
        if options.cycle && options.size.is_none() {
            return Err(InputError::CycleWithoutSize);
        }
        let source = source.cleaned(options.content)?;
        let files = match &source {
            ItemSource::Files(paths) => paths.iter().map(|path| InputFile::check(path)).collect::<Result<_, _>>()?,
            ItemSource::List(list) => check_list(list, options.items, options.max_item).map(|()| Vec::new())?,
            ItemSource::Range(_) => Vec::new(),
        };
        if files.iter().filter(|input_file: &&InputFile| input_file.is_stdin()).count() > 1 {
            return Err(InputError::StdinTwice);
        }
        let (shuffled, names, noted) = (OnceLock::new(), InputNames::default(), Mutex::default());
        let (table, skipped) = (TableCell::default(), Arc::default());
        let reader = InputReader { source, files, options, shuffled, names, skipped, table, noted, on_note };
        Ok(Self { inner: Arc::new(reader) })
    }

    /// Whether it can be read only once.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.inner.shuffled.get().is_none() && self.inner.files.iter().any(InputFile::is_stream)
    }

    /// Refuses a size that the input can't fill, if this can be found out
    /// before the work begins: the items are counted, at memory speed and only
    /// up to the size. Streams are not read.
    ///
    /// # Errors
    /// The input has too few items, or can't be read.
    pub fn check_size(&self, size: Option<u64>) -> Result<(), InputError> {
        let size = size.or(self.inner.options.size).filter(|_| !self.is_stream());
        let Some(size) = size else { return Ok(()) };
        let needed = if self.inner.options.cycle { size.min(1) } else { size };
        let mut items = 0u64;
        if let Some(known) = self.inner.generated() {
            items = known;
        } else if needed > 0 {
            self.inner.read_items(&Arc::default(), &mut |segment| {
                items = items.saturating_add(segment.items);
                if items >= needed { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
        }
        match items {
            0 if self.inner.options.cycle && size > 0 => Err(InputError::NothingToCycle),
            _ if items < needed => Err(InputError::TooFew { size, items, skip: self.inner.skipped_items() }),
            _ => Ok(()),
        }
    }

    /// A source of the items, and the status of the input. The source is read
    /// by a thread that begins when the pool asks for the first block. `size`
    /// replaces the size of the options.
    #[must_use]
    pub fn source(&self, size: Option<u64>) -> (QueueSource, InputStatus) {
        self.source_on(&InputSlice { size, block: None }, None)
    }

    /// A source of this slice of the input. It reports each block to the
    /// tracker, and leaves out what an earlier run has consumed, if the input
    /// still begins with it.
    pub(crate) fn source_on(
        &self,
        slice: &InputSlice,
        tracker: Option<Arc<ResumeTracker>>,
    ) -> (QueueSource, InputStatus) {
        let inner = Arc::clone(&self.inner);
        let slice = InputSlice { size: slice.size.or(inner.options.size), ..*slice };
        let before = tracker.as_ref().map_or(0, |tracker| tracker.before());
        let retry = tracker.as_ref().and_then(|tracker| tracker.retry().cloned());
        let done = before - retry.as_ref().map_or(0, |retry| retry.rows.failed.count());
        let all = retry.as_ref().filter(|retry| !retry.goes_on).map(|_| before);
        let items = all.or_else(|| slice.units(slice.size.or(inner.generated())));
        let status = InputStatus {
            bytes: inner.bytes(),
            items,
            before: done,
            skipped: Arc::clone(&inner.skipped),
            ..InputStatus::default()
        };
        let queue = Arc::new(SegmentQueue::default());
        let (filled, read, found) = (Arc::clone(&queue), Arc::clone(&status.read), Arc::clone(&status.found));
        let (on, watch) = (tracker.clone(), status.watch.clone());
        let end = TableEnd(Arc::clone(&inner));
        let begin = Box::new(move || {
            // Also dropped if the thread can't be started.
            let end = end;
            watch.switch(InputPhase::Reading);
            let push = &mut |segment: InputSegment| {
                found.fetch_add(segment.items, Ordering::Relaxed);
                // The clock is read only if the thread has to wait.
                if !filled.is_full() {
                    return filled.push(segment);
                }
                watch.switch(InputPhase::Waiting);
                let flow = filled.push(segment);
                watch.switch(InputPhase::Reading);
                flow
            };
            found.store(done, Ordering::Relaxed);
            let result = match on {
                Some(tracker) if let Some(retry) = retry => {
                    inner.read_retried(&slice, (&tracker, &retry), &read, &filled, push)
                }
                Some(tracker) if before > 0 => inner.read_rest(&slice, &tracker, &read, &filled, push),
                _ => inner.read_units(&slice, &read, push),
            };
            watch.switch(InputPhase::Idle);
            filled.end(result.err());
            drop(end);
        });
        let (options, size) = match slice.block {
            None => (self.inner.options.clone(), slice.size),
            // The indexes of blocks begin at 0, with the first item that is
            // taken.
            Some(_) => (InputOptions::new(Items::Whole), None),
        };
        let source = QueueSource::new(queue, &options, size, status.clone(), begin).with_tracker(tracker);
        (source, status)
    }

    /// Whether the input has more items than were consumed.
    ///
    /// # Errors
    /// The input no longer begins with those items, or can't be read.
    pub(crate) fn has_more_after(&self, slice: &InputSlice, consumed: ConsumedInput) -> Result<bool, InputError> {
        let mut prefix = Prefix::new(slice.rule(self.inner.options.items), consumed);
        let (mut goes_on, mut refused) = (consumed.items == 0, None);
        if !goes_on {
            self.inner.read_units(slice, &Arc::default(), &mut |segment| match prefix.pass(segment) {
                Ok(None) if !prefix.is_passed() || !self.inner.options.cycle => ControlFlow::Continue(()),
                Ok(rest) => {
                    goes_on = rest.is_some();
                    ControlFlow::Break(())
                }
                Err(error) => {
                    refused = Some(error);
                    ControlFlow::Break(())
                }
            })?;
        }
        refused.or_else(|| prefix.missing()).map_or(Ok(goes_on), Err)
    }

    /// The table that the items come from, if they do and it is known.
    pub(crate) fn table(&self) -> Option<TableSpec> {
        self.inner.table_spec()
    }

    /// Calls this when the table is known, or the input has ended. A source must
    /// read it.
    pub(crate) fn when_table_is_known(&self, call: Box<dyn FnOnce() + Send>) {
        self.inner.table.when_known(call);
    }

    /// The name of the input that is this file, if one is. Writing to that file
    /// would destroy the input, or never end.
    #[must_use]
    pub fn name_of(&self, about: &Metadata) -> Option<&str> {
        FileId::of(about).and_then(|id| self.name_of_file(id))
    }

    pub(crate) fn name_of_file(&self, id: FileId) -> Option<&str> {
        self.inner.files.iter().find(|input_file| input_file.id == Some(id)).map(|input_file| &input_file.name[..])
    }

    /// The names of the files and streams.
    #[must_use]
    pub fn names(&self) -> InputNames {
        self.inner.names.clone()
    }

    /// The place of an item of a shuffled input. Otherwise the blocks have the
    /// places.
    #[must_use]
    pub fn locate(&self, index: u64) -> Option<Place> {
        self.inner.shuffled.get()?.place(index)
    }

    /// How the input is separated and which items are taken.
    #[must_use]
    pub fn options(&self) -> &InputOptions {
        &self.inner.options
    }
}

/// Tells those who wait for the table that the input has ended.
struct TableEnd(Arc<InputReader>);

impl Drop for TableEnd {
    fn drop(&mut self) {
        self.0.table.end();
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("source", &self.inner.source).field("options", &self.inner.options).finish()
    }
}
