//! An input that was looked at and can be read: as often as one likes if it is
//! a file, a range or a list, once if it is a stream (or after [`Input::spool`]).

use crate::InputError;
use crate::cutter::Emit;
use crate::identity::FileId;
use crate::origin::{CopyFailed, Origin};
use crate::portion::Portion;
use crate::queue::Queue;
use crate::resume::trail::{Consumed, Prefix, Trail};
use crate::segment::Segment;
use crate::shuffle::Held;
use crate::source::QueueSource;
use crate::spec::{InputOptions, ItemSource, check_list};
use crate::times::{InputPhase, InputWatch};
use procession::raw::Place;
use procession_task::Items;
use std::collections::BTreeSet;
use std::fmt;
use std::fs::Metadata;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Leading lines with words that were passed over in a file of numbers. Its
/// text is `FILE: skipped 1 heading line: "…"`, safe for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadingNote {
    /// The input's name.
    pub name: String,
    /// How many lines.
    pub lines: u64,
    /// The first of them.
    pub first: String,
}

impl fmt::Display for HeadingNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.lines == 1 { "" } else { "s" };
        write!(f, "{}: skipped {} heading line{plural}: \"{}\"", self.name, self.lines, self.first)
    }
}

/// Hears of headings, once for each; called on the reading thread.
pub type OnNote = Box<dyn Fn(&HeadingNote) + Send + Sync>;

/// An input that was looked at.
pub struct Input {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) source: ItemSource,
    pub(crate) origins: Vec<Origin>,
    pub(crate) options: InputOptions,
    pub(crate) held: OnceLock<Held>,
    names: InputNames,
    noted: Mutex<BTreeSet<u32>>,
    on_note: OnNote,
}

/// What the inputs are called; clones share it.
#[derive(Clone, Debug, Default)]
pub struct InputNames(Arc<Mutex<Vec<String>>>);

impl InputNames {
    /// The name of an input of this number, as far as it was read: a file's, or
    /// an archive's with a file in it.
    #[must_use]
    pub fn get(&self, input: u32) -> String {
        lock(&self.0).get(input as usize).cloned().unwrap_or_default()
    }
}

/// What is known of an input while it is read and afterwards; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct InputStatus {
    pub(crate) error: Arc<Mutex<Option<InputError>>>,
    pub(crate) read: Arc<AtomicU64>,
    /// What the thread does that reads it.
    pub(crate) watch: InputWatch,
    /// How many items were found so far.
    pub(crate) found: Arc<AtomicU64>,
    /// How many bytes the files have, compressed as they are, if that is known.
    pub bytes: Option<u64>,
    /// How many items will come, if that is known from the start.
    pub items: Option<u64>,
    /// How many of them an earlier run has done, whose output is gone on with.
    pub before: u64,
}

impl InputStatus {
    /// How many bytes of the files were read so far, compressed as they are.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// About how many items there will be in all, those done before among them:
    /// exact where that is known from the start or all was read, else by the
    /// share of the bytes read.
    #[must_use]
    pub fn expected_items(&self) -> Option<u64> {
        if self.items.is_some() {
            return self.items;
        }
        let (bytes, read) = (self.bytes?, self.bytes_read());
        let found = self.found.load(Ordering::Relaxed);
        if read == 0 || found == 0 {
            return None;
        }
        let expected = u128::from(found) * u128::from(bytes.max(read)) / u128::from(read);
        u64::try_from(expected).ok()
    }

    /// Takes the error that ended the input, if one did.
    #[must_use]
    pub fn take_error(&self) -> Option<InputError> {
        lock(&self.error).take()
    }
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

    /// Keeps what streams give in temporary files without a name, so that the
    /// input can be read again; no further than `size` items (or the options'
    /// own size) reach. To be
    /// called before any source is made; reads until then.
    ///
    /// # Errors
    /// Whatever reading the input can end with, and a full disk.
    pub fn spool(&mut self, size: Option<u64>) -> Result<(), InputError> {
        let Some(inner) = Arc::get_mut(&mut self.inner) else { return Ok(()) };
        let limit = size.or(inner.options.size).filter(|_| inner.options.shuffle.is_none());
        let wanted = limit.map(|size| size.saturating_add(inner.options.skip));
        let (mut items, mut index) = (0u64, 0);
        let is_done = |items: u64| wanted.is_some_and(|wanted| items >= wanted);
        for at in 0..inner.origins.len() {
            if !inner.origins[at].is_stream() && wanted.is_none() {
                continue;
            }
            if is_done(items) {
                inner.origins[at].forget_stream();
                continue;
            }
            let file = tempfile::tempfile().map_err(InputError::Spool)?;
            let copy = Some(file.try_clone().map_err(InputError::Spool)?);
            let origin = &inner.origins[at];
            let mut count = |segment: Segment| {
                items += segment.items;
                if is_done(items) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let _ = inner.read(origin, &mut index, &Arc::default(), copy, &mut count).map_err(spool_error)?;
            if inner.origins[at].is_stream() {
                let bytes = file.metadata().map_err(InputError::Spool)?.len();
                inner.origins[at].replace(file, bytes);
            }
        }
        Ok(())
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

impl Inner {
    /// Gives on what comes after the items that an earlier run has consumed.
    fn feed_after(
        &self,
        portion: &Portion,
        trail: &Trail,
        read: &Arc<AtomicU64>,
        queue: &Queue,
        push: &mut Emit<'_>,
    ) -> Result<(), InputError> {
        let (mut passing, mut refused) = (Some(trail.prefix()), None);
        let result = self.supply(portion, read, &mut |segment| {
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
            trail.confirm(prefix);
            // If that was all that is wanted, nothing will come.
            queue.nudge();
            match rest {
                Some(rest) => push(rest),
                None => ControlFlow::Continue(()),
            }
        });
        let missing = || passing.as_ref().and_then(Prefix::missing).filter(|_| queue.flow().is_continue());
        result.and(refused.or_else(missing).map_or(Ok(()), Err))
    }

    /// How many items a range or a list has, without those that are skipped.
    fn generated(&self) -> Option<u64> {
        let all = match &self.source {
            ItemSource::Files(_) => return None,
            ItemSource::Range(range) => range.count(),
            ItemSource::List(list) => list.len() as u64,
        };
        Some(all.saturating_sub(self.options.skip))
    }

    fn bytes(&self) -> Option<u64> {
        if self.origins.is_empty() || self.options.cycle {
            return None;
        }
        self.origins.iter().map(|origin| origin.bytes).sum()
    }

    pub(crate) fn name_stream(&self, input: u32, name: &str) {
        let mut names = lock(&self.names.0);
        if names.len() <= input as usize {
            names.push(name.to_owned());
        }
    }

    pub(crate) fn note(&self, input: u32, note: HeadingNote) {
        if lock(&self.noted).insert(input) {
            (self.on_note)(&note);
        }
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("source", &self.inner.source).field("options", &self.inner.options).finish()
    }
}

fn spool_error(error: InputError) -> InputError {
    match error {
        InputError::Read { name, error } => match error.downcast::<CopyFailed>() {
            Ok(CopyFailed(error)) => InputError::Spool(error),
            Err(error) => InputError::Read { name, error },
        },
        other => other,
    }
}

/// Nothing that is locked here can be left half changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
