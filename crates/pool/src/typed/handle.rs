//! `submit`: a single item that runs while its caller does something else.

use super::feed::FeedNews;
use super::outcome::{ItemError, Outcome};
use super::results::Results;
use crate::jobs::PoolError;
use serde::de::DeserializeOwned;
use std::time::{Duration, Instant};

/// A submitted item, whose outcome can be waited for.
///
/// After a drop the item still runs, and its outcome is lost.
#[must_use = "to wait for the outcome; or `drop` it, and the item runs all the same"]
pub struct Handle<O: DeserializeOwned>(HandleState<O>);

enum HandleState<O: DeserializeOwned> {
    /// The item never ran.
    Failed(ItemError),
    Running(Box<Results<O>>),
}

impl<O: DeserializeOwned> Handle<O> {
    pub(crate) fn new(started: Result<Results<O>, ItemError>) -> Self {
        Self(started.map_or_else(HandleState::Failed, |results| HandleState::Running(Box::new(results))))
    }

    /// Waits for the outcome.
    ///
    /// ```
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     procession::init();
    ///     let pool = procession::Pool::builder().procs(2).build()?;
    ///     let root = pool.submit(f64::sqrt, 2.25);
    ///     assert_eq!(root.wait()?, 1.5);
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// Why the item has no result.
    pub fn wait(self) -> Outcome<O> {
        match self.wait_until(None) {
            Ok(outcome) => outcome,
            // Without a time limit the wait ends with an outcome.
            Err(_) => Err(PoolError::Ended.into()),
        }
    }

    /// Waits for the outcome, but not longer than this.
    ///
    /// ```
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     procession::init();
    ///     let pool = procession::Pool::builder().procs(2).build()?;
    ///     let nap = pool.submit(std::thread::sleep, std::time::Duration::from_millis(200));
    ///     let nap = nap.wait_timeout(std::time::Duration::from_millis(1)).expect_err("it sleeps");
    ///     nap.wait()?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// There is no outcome yet: the error is the handle itself.
    pub fn wait_timeout(self, timeout: Duration) -> Result<Outcome<O>, Self> {
        self.wait_until(Some(timeout))
    }

    fn wait_until(mut self, timeout: Option<Duration>) -> Result<Outcome<O>, Self> {
        let results = match &mut self.0 {
            HandleState::Failed(error) => return Ok(Err(error.clone())),
            HandleState::Running(results) => results,
        };
        let begun = Instant::now();
        loop {
            match results.feed.wait(None, timeout.map(|timeout| timeout.saturating_sub(begun.elapsed()))) {
                FeedNews::Results(batch) => {
                    results.put(batch);
                    if results.next_index().is_some() {
                        return Ok(results.take());
                    }
                }
                FeedNews::Room => {}
                FeedNews::Over => return Ok(Err(results.end().err().unwrap_or(PoolError::Ended).into())),
                FeedNews::Nothing => return Err(self),
            }
        }
    }

    /// Whether the outcome is there, so that [`Handle::wait`] returns at once.
    ///
    /// ```
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     procession::init();
    ///     let pool = procession::Pool::builder().procs(2).build()?;
    ///     let night = pool.submit(std::thread::sleep, std::time::Duration::from_secs(3600));
    ///     assert!(!night.is_done());
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn is_done(&self) -> bool {
        match &self.0 {
            HandleState::Failed(_) => true,
            HandleState::Running(results) => results.feed.is_ready(),
        }
    }

    /// Cancels the item: it does not run if it has not begun. An item that has
    /// begun runs to its end, and its result is dropped.
    ///
    /// ```
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     procession::init();
    ///     let pool = procession::Pool::builder().procs(2).build()?;
    ///     let night = pool.submit(std::thread::sleep, std::time::Duration::from_secs(3600));
    ///     night.cancel();
    ///     assert_eq!(pool.submit(u64::count_ones, 7).wait()?, 3, "the other worker is there");
    ///     Ok(())
    /// }
    /// ```
    pub fn cancel(mut self) {
        // Dropping the results cancels the job.
        self.0 = HandleState::Failed(PoolError::Ended.into());
    }
}

impl<O: DeserializeOwned> Drop for Handle<O> {
    fn drop(&mut self) {
        if let HandleState::Running(results) = &mut self.0 {
            results.detach();
        }
    }
}

impl<O: DeserializeOwned> std::fmt::Debug for Handle<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").field("is_done", &self.is_done()).finish_non_exhaustive()
    }
}
