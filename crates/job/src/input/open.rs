//! An input that was looked at and can be read: as often as one likes if it is
//! a file, a range or a list, once if it is a stream (or after [`Input::spool`]).

use super::notes::OnNote;
use super::options::{InputOptions, ItemSource, check_list};
use super::origin::Origin;
use super::prefix::Prefix;
use super::queue::Queue;
use super::reader::Inner;
use super::segment::Segment;
use super::slice::Portion;
use super::source::QueueSource;
use super::status::{InputNames, InputStatus};
use crate::error::InputError;
use crate::file_id::FileId;
use crate::resume::record::Consumed;
use crate::resume::tracker::Trail;
use crate::times::InputPhase;
use procession::raw::Place;
use procession_task::Items;
use std::fmt;
use std::fs::Metadata;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};

/// An input that was looked at.
pub struct Input {
    pub(super) inner: Arc<Inner>,
}

impl Input {
    /// Looks at an input: everything that can be refused without reading it is
    /// refused here.
    ///
    /// # Errors
    /// A file that is missing, a folder or not readable; options that
    /// contradict each other; an item of a list that would be cut apart.
    pub fn open(source: ItemSource, options: InputOptions, on_note: OnNote) -> Result<Self, InputError> {
        if options.cycle && options.size.is_none() {
            return Err(InputError::CycleWithoutSize);
        }
        let origins = match &source {
            ItemSource::Files(paths) => paths.iter().map(|path| Origin::look(path)).collect::<Result<_, _>>()?,
            ItemSource::List(list) => check_list(list, options.items, options.max_item).map(|()| Vec::new())?,
            ItemSource::Range(_) => Vec::new(),
        };
        if origins.iter().filter(|origin: &&Origin| origin.is_stdin()).count() > 1 {
            return Err(InputError::StdinTwice);
        }
        let (held, names, noted) = (OnceLock::new(), InputNames::default(), Mutex::default());
        Ok(Self { inner: Arc::new(Inner { source, origins, options, held, names, noted, on_note }) })
    }

    /// Whether it can be read only once.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.inner.held.get().is_none() && self.inner.origins.iter().any(Origin::is_stream)
    }

    /// Refuses a size that the input can't fill, if that can be found out
    /// before the work begins: by counting, at memory speed, no further than
    /// needed. Streams are not touched.
    ///
    /// # Errors
    /// Too few items, or whatever reading the input can end with.
    pub fn check_size(&self, size: Option<u64>) -> Result<(), InputError> {
        let size = size.or(self.inner.options.size).filter(|_| !self.is_stream());
        let Some(size) = size else { return Ok(()) };
        let needed = if self.inner.options.cycle { size.min(1) } else { size };
        let mut items = 0u64;
        if let Some(known) = self.inner.generated() {
            items = known;
        } else if needed > 0 {
            self.inner.feed(&Arc::default(), &mut |segment| {
                items = items.saturating_add(segment.items);
                if items >= needed { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
        }
        match items {
            0 if self.inner.options.cycle && size > 0 => Err(InputError::NothingToCycle),
            _ if items < needed => Err(InputError::TooFew { size, items }),
            _ => Ok(()),
        }
    }

    /// A source of the items, read by a thread of its own that begins when the
    /// pool asks for the first block, and what is known of it. `size` is that
    /// many items instead of the options' own size.
    #[must_use]
    pub fn source(&self, size: Option<u64>) -> (QueueSource, InputStatus) {
        self.source_on(&Portion { size, block: None }, None)
    }

    /// A source of this portion; what it cuts is told to a trail, and what an
    /// earlier run has consumed by that trail is left out, if the input still
    /// begins with it.
    pub(crate) fn source_on(&self, portion: &Portion, trail: Option<Arc<Trail>>) -> (QueueSource, InputStatus) {
        let inner = Arc::clone(&self.inner);
        let portion = Portion { size: portion.size.or(inner.options.size), ..*portion };
        let before = trail.as_ref().map_or(0, |trail| trail.before());
        let items = portion.units(portion.size.or(inner.generated()));
        let status = InputStatus { bytes: inner.bytes(), items, before, ..InputStatus::default() };
        let queue = Arc::new(Queue::default());
        let (theirs, read, found) = (Arc::clone(&queue), Arc::clone(&status.read), Arc::clone(&status.found));
        let (on, watch) = (trail.clone(), status.watch.clone());
        let begin = Box::new(move || {
            watch.switch(InputPhase::Reading);
            let push = &mut |segment: Segment| {
                found.fetch_add(segment.items, Ordering::Relaxed);
                // The clock is looked at only where there is something to wait for.
                if !theirs.is_full() {
                    return theirs.push(segment);
                }
                watch.switch(InputPhase::Waiting);
                let flow = theirs.push(segment);
                watch.switch(InputPhase::Reading);
                flow
            };
            let result = match on {
                Some(trail) if before > 0 => {
                    found.store(before, Ordering::Relaxed);
                    inner.feed_after(&portion, &trail, &read, &theirs, push)
                }
                _ => inner.supply(&portion, &read, push),
            };
            watch.switch(InputPhase::Idle);
            theirs.end(result.err());
        });
        let (options, size) = match portion.block {
            None => (self.inner.options.clone(), portion.size),
            // Blocks count from the first that is made, which is made of what is taken.
            Some(_) => (InputOptions::new(Items::Whole), None),
        };
        let source = QueueSource::new(queue, &options, size, status.clone(), begin).on(trail);
        (source, status)
    }

    /// Whether the input has more than what was consumed of it.
    ///
    /// # Errors
    /// It no longer begins with that, or whatever reading it can end with.
    pub(crate) fn goes_on_after(&self, portion: &Portion, consumed: Consumed) -> Result<bool, InputError> {
        let mut prefix = Prefix::new(portion.rule(self.inner.options.items), consumed);
        let (mut goes_on, mut refused) = (consumed.items == 0, None);
        if !goes_on {
            self.inner.supply(portion, &Arc::default(), &mut |segment| match prefix.pass(segment) {
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

    /// The name of the input that is this very file, if one is: to write to that
    /// would destroy it, or never end.
    #[must_use]
    pub fn name_of(&self, about: &Metadata) -> Option<&str> {
        FileId::of(about).and_then(|id| self.name_of_file(id))
    }

    pub(crate) fn name_of_file(&self, id: FileId) -> Option<&str> {
        self.inner.origins.iter().find(|origin| origin.id == Some(id)).map(|origin| &origin.name[..])
    }

    /// The names of its inputs.
    #[must_use]
    pub fn names(&self) -> InputNames {
        self.inner.names.clone()
    }

    /// Where an item of a shuffled input stands; others know their place themselves.
    #[must_use]
    pub fn locate(&self, index: u64) -> Option<Place> {
        self.inner.held.get()?.place(index)
    }

    /// How it is cut and what is taken of it.
    #[must_use]
    pub fn options(&self) -> &InputOptions {
        &self.inner.options
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("source", &self.inner.source).field("options", &self.inner.options).finish()
    }
}
