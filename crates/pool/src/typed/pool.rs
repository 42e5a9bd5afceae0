//! The pool that people use: functions over values.

use super::entries::Entries;
use super::feed::{FeedSink, FeedSource, JobFeed};
use super::handle::Handle;
use super::map::{Map, MapUnordered, OutcomeStream, single};
use super::observers::LivePids;
use super::outcome::ItemError;
use super::results::Results;
use super::work::Work;
use crate::jobs::{Backend, Control, Job, PoolError};
use procession_task::{Format, Items, JobSpec, ResultOrder};
use std::any::type_name;
use std::borrow::Borrow;
use std::sync::Arc;
use std::time::Duration;

/// How items are run, on every backend.
#[derive(Clone)]
pub(crate) struct PoolSettings {
    /// The part of the specification that every job shares.
    pub(crate) spec: JobSpec,
    pub(crate) window: u64,
}

/// Worker processes that run functions over values; see the [crate]'s
/// documentation for a tour.
///
/// It can be shared: several threads may use one `&Pool` at once, and all calls use
/// the same workers. Dropping the pool kills and reaps its workers; [`Pool::close`]
/// lets them finish.
pub struct Pool {
    backend: Box<dyn Backend>,
    workers: u32,
    settings: PoolSettings,
    live_pids: LivePids,
}

impl Pool {
    pub(crate) fn of(backend: Box<dyn Backend>, workers: u32, settings: PoolSettings, live_pids: LivePids) -> Self {
        Self { backend, workers, settings, live_pids }
    }

    /// Runs work over inputs, by value or by reference, and returns the outcomes in
    /// the order of the inputs.
    ///
    /// The inputs are pulled while the outcomes are iterated over, on the same
    /// thread, and only as far ahead as keeps the workers busy: they may be
    /// endless. Dropping the iterator cancels the rest.
    ///
    /// ```
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     procession::init();
    ///     let pool = procession::Pool::builder().procs(2).build()?;
    ///     let words = vec!["to".to_owned(), "be".to_owned()];
    ///     let lengths = pool.map(|word: String| word.len(), &words);
    ///     assert_eq!(lengths.sum::<Result<usize, _>>()?, 4);
    ///
    ///     let mut squares = pool.map(|n: u64| n * n, 1..);
    ///     assert_eq!(squares.find_map(|square| square.ok().filter(|n| *n > 1000)), Some(1024));
    ///     Ok(())
    /// }
    /// ```
    pub fn map<W, M, I>(&self, work: W, inputs: I) -> Map<'_, W, M, I::IntoIter>
    where
        W: Work<M>,
        M: 'static,
        I: IntoIterator<Item: Borrow<W::Input>>,
    {
        Map::new(self.stream(&work, ResultOrder::Input, inputs.into_iter()))
    }

    /// As [`Pool::map`], but with the outcomes in the order in which they come,
    /// each with the index of its input.
    ///
    /// ```
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     procession::init();
    ///     let pool = procession::Pool::builder().procs(2).build()?;
    ///     let mut found = vec![0; 3];
    ///     for (index, outcome) in pool.map_unordered(|n: u64| n + 1, 10..13) {
    ///         found[index as usize] = outcome?;
    ///     }
    ///     assert_eq!(found, [11, 12, 13]);
    ///     Ok(())
    /// }
    /// ```
    pub fn map_unordered<W, M, I>(&self, work: W, inputs: I) -> MapUnordered<'_, W, M, I::IntoIter>
    where
        W: Work<M>,
        M: 'static,
        I: IntoIterator<Item: Borrow<W::Input>>,
    {
        MapUnordered::new(self.stream(&work, ResultOrder::Completion, inputs.into_iter()))
    }

    /// Runs work over inputs and folds the results on the caller's thread, in
    /// order, from `init`. The first item without a result ends it.
    ///
    /// ```
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     procession::init();
    ///     let pool = procession::Pool::builder().procs(2).build()?;
    ///     let sum = pool.map_reduce(|n: u64| n * n, 1..=10, 0, |sum, square| sum + square)?;
    ///     assert_eq!(sum, 385);
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// Why an item has no result.
    pub fn map_reduce<W, M, I, A>(
        &self,
        work: W,
        inputs: I,
        init: A,
        mut fold: impl FnMut(A, W::Output) -> A,
    ) -> Result<A, ItemError>
    where
        W: Work<M>,
        M: 'static,
        I: IntoIterator<Item: Borrow<W::Input>>,
    {
        self.map(work, inputs).try_fold(init, |folded, outcome| Ok(fold(folded, outcome?)))
    }

    /// Starts a single item, and returns at once.
    ///
    /// For few items: the cost of each grows with the number of items under way,
    /// and on threads each item has threads of its own. For thousands of items use
    /// [`Pool::map`].
    ///
    /// ```
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     procession::init();
    ///     let pool = procession::Pool::builder().procs(2).build()?;
    ///     let (a, b) = (pool.submit(f64::sqrt, &4.0), pool.submit(f64::exp, &0.0));
    ///     assert_eq!(a.wait()? + b.wait()?, 3.0);
    ///     Ok(())
    /// }
    /// ```
    pub fn submit<W, M>(&self, work: W, input: impl Borrow<W::Input>) -> Handle<W::Output>
    where
        W: Work<M>,
        M: 'static,
    {
        let feed: Arc<JobFeed> = Arc::default();
        let queued = single(input.borrow(), self.max_message()).map(|segment| {
            if let Some(segment) = segment {
                feed.push(segment, Some(0), self.workers);
            }
            feed.end();
        });
        Handle::new(queued.and_then(|()| Ok(self.start(&work, feed, ResultOrder::Completion)?)))
    }

    fn stream<W, M, I>(&self, work: &W, order: ResultOrder, inputs: I) -> OutcomeStream<'_, W, M, I>
    where
        W: Work<M>,
        M: 'static,
        I: Iterator,
    {
        let started = self.start(work, Arc::default(), order);
        OutcomeStream::new(self.workers, self.max_message(), started, inputs, order == ResultOrder::Input)
    }

    fn start<W, M>(&self, work: &W, feed: Arc<JobFeed>, order: ResultOrder) -> Result<Results<W::Output>, PoolError>
    where
        W: Work<M>,
        M: 'static,
    {
        let spec = JobSpec {
            task: type_name::<W>().to_owned(),
            arguments: vec![work.pack().map_err(PoolError::NotSendable)?],
            items: Items::Framed,
            format: Format::Framed,
            order,
            ..self.settings.spec.clone()
        };
        let (source, sink) = (Box::new(FeedSource(Arc::clone(&feed))), Box::new(FeedSink(Arc::clone(&feed))));
        let job = Job { entry: Some(Entries::<W, M>::PREPARE), ..Job::new(spec, source, sink) };
        let running = self.backend.start(job)?;
        Ok(Results::new(feed, running))
    }

    /// The number of workers.
    #[must_use]
    pub fn workers(&self) -> u32 {
        self.workers
    }

    /// The process ids of the workers by slot; `None` for a slot without a living
    /// worker. Threads all have this process's id.
    ///
    /// ```
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     procession::init();
    ///     let pool = procession::Pool::builder().procs(1).build()?;
    ///     let pid = pool.submit(|()| std::process::id(), ()).wait()?;
    ///     assert_eq!(pool.pids(), [Some(pid)]);
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn pids(&self) -> Vec<Option<u32>> {
        self.live_pids.pids()
    }

    pub(crate) fn max_message(&self) -> usize {
        self.settings.spec.max_result
    }

    /// A control that ends the work from elsewhere, for example on Ctrl-C: the pool
    /// itself installs no signal handler. With the `ctrlc` crate, in `main`:
    ///
    /// ```text
    /// let control = pool.control();
    /// ctrlc::set_handler(move || control.stop())?;
    /// ```
    ///
    /// Iterators then end with [`PoolError::Ended`], and the program goes on.
    /// Workers have process groups of their own: the terminal's Ctrl-C does not
    /// reach them.
    ///
    /// ```
    /// use procession::{ItemError, PoolError};
    ///
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     procession::init();
    ///     let pool = procession::Pool::builder().procs(2).build()?;
    ///     let mut endless = pool.map(|n: u64| n, 0..);
    ///     assert_eq!(endless.next(), Some(Ok(0)));
    ///     pool.control().stop();
    ///     let end = endless.find_map(Result::err);
    ///     assert_eq!(end, Some(ItemError::Pool(PoolError::Ended)));
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn control(&self) -> Control {
        self.backend.control()
    }

    /// Waits for submitted items, lets the workers end, and waits for the last of
    /// them. Returns how long the pool lived.
    ///
    /// ```
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     procession::init();
    ///     let pool = procession::Pool::builder().procs(2).build()?;
    ///     assert!(pool.map(u64::count_ones, 0..100u64).all(|outcome| outcome.is_ok()));
    ///     println!("done in {:?}", pool.close()?);
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// The error that the pool failed with.
    pub fn close(self) -> Result<Duration, PoolError> {
        self.backend.close()
    }

    /// Kills and reaps all workers at once; threads are waited for. Dropping the
    /// pool does the same.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     procession::init();
    ///     let pool = procession::Pool::builder().procs(2).build()?;
    ///     let night = pool.submit(std::thread::sleep, Duration::from_secs(8 * 3600));
    ///     pool.terminate();
    ///     assert!(night.wait().is_err());
    ///     Ok(())
    /// }
    /// ```
    pub fn terminate(self) {
        drop(self);
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("workers", &self.workers).field("pids", &self.pids()).finish_non_exhaustive()
    }
}
