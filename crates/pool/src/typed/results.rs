//! Decodes the results of batches, one by one.

use super::feed::JobFeed;
use super::outcome::{ItemError, Outcome};
use crate::jobs::{Batch, Credit, Delivery, ItemFailure, JobEnd, JobHandle, PoolError};
use procession_task::{FRAME_BYTES, NO_RESULT};
use procession_wire::codec;
use serde::de::DeserializeOwned;
use std::any::type_name;
use std::marker::PhantomData;
use std::sync::Arc;

/// The results of a job that was started. Dropping them cancels the rest of the
/// job.
pub(crate) struct Results<O> {
    pub(crate) feed: Arc<JobFeed>,
    running: Option<JobHandle>,
    batch: std::vec::IntoIter<Delivery>,
    current: DeliveryReader,
    /// The batch's memory, given back when the batch has been read.
    credit: Option<Credit>,
    output: PhantomData<fn() -> O>,
}

/// A delivery that is being read.
#[derive(Default)]
struct DeliveryReader {
    outputs: bytes::Bytes,
    at: usize,
    next: u64,
    left: u32,
    failures: std::vec::IntoIter<ItemFailure>,
}

impl<O: DeserializeOwned> Results<O> {
    pub(crate) fn new(feed: Arc<JobFeed>, running: JobHandle) -> Self {
        let (batch, current) = (Vec::new().into_iter(), DeliveryReader::default());
        Self { feed, running: Some(running), batch, current, credit: None, output: PhantomData }
    }

    /// The index of the next result, if there is one in this batch.
    #[inline]
    pub(crate) fn next_index(&mut self) -> Option<u64> {
        while self.current.left == 0 {
            self.current = self.batch.next().map(DeliveryReader::from)?;
        }
        Some(self.current.next)
    }

    /// Takes the result at [`Self::next_index`].
    #[inline]
    pub(crate) fn take(&mut self) -> Outcome<O> {
        let outcome = self.current.read();
        if self.current.left == 0 && self.batch.as_slice().is_empty() {
            self.credit = None;
        }
        outcome
    }

    pub(crate) fn put(&mut self, batch: Batch) {
        self.batch = batch.deliveries.into_iter();
        self.credit = Some(batch.credit);
    }

    /// Waits for the job's end after all results; an error if the job did not
    /// complete.
    pub(crate) fn end(&mut self) -> Result<(), PoolError> {
        match self.running.take().map(JobHandle::wait) {
            None | Some(Ok(JobEnd::Complete)) => Ok(()),
            Some(Ok(JobEnd::Stopped)) => Err(PoolError::Ended),
            Some(Err(error)) => Err(error),
        }
    }

    /// Lets the job run to its end after a drop.
    pub(crate) fn detach(&mut self) {
        self.running = None;
    }
}

impl<O> Drop for Results<O> {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            self.feed.cancel();
            running.cancel();
        }
    }
}

impl From<Delivery> for DeliveryReader {
    fn from(delivery: Delivery) -> Self {
        let Delivery { first, items, outputs, failures } = delivery;
        Self { outputs, at: 0, next: first, left: items, failures: failures.into_iter() }
    }
}

impl DeliveryReader {
    #[inline]
    fn read<O: DeserializeOwned>(&mut self) -> Outcome<O> {
        let index = self.next;
        self.next += 1;
        self.left -= 1;
        let rest = &self.outputs[self.at..];
        let Some((head, rest)) = rest.split_first_chunk::<FRAME_BYTES>() else { return Err(torn(index)) };
        self.at += FRAME_BYTES;
        let length = u32::from_le_bytes(*head);
        if length == NO_RESULT {
            return Err(self.failures.next().map_or_else(|| torn(index), ItemError::from));
        }
        let Some(result) = rest.get(..length as usize) else { return Err(torn(index)) };
        self.at += result.len();
        codec::decode(result).map_err(|error| {
            let message = format!("the result of type {}: {}", type_name::<O>(), error.into_words());
            ItemError::NotDecodable { index, message }
        })
    }
}

#[cold]
fn torn(index: u64) -> ItemError {
    ItemError::NotDecodable { index, message: "the worker's answer has no result for it".to_owned() }
}
