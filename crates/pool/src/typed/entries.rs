//! Work in the form in which another process receives it: the address of a function
//! in the program's file, and bytes; and how that function runs a block of items.
//!
//! For every type of work the compiler makes an [`FunctionEntry`], a constant of the
//! program. Threads and the loop call the same entries on the same blocks.

use super::work::Work;
use crate::jobs::{PrepareCall, SetUpCall};
use procession_sys::FunctionEntry;
use procession_task::{Block, BlockTask, Cause, FRAME_BYTES, Failure, FailureAt, FailureKind, Items, NO_RESULT, Reply};
use procession_task::{Sampler, catch_panic};
use procession_wire::{WireError, codec};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::type_name;
use std::marker::PhantomData;

/// The entries of one type of work.
pub(crate) struct Entries<W, M>(PhantomData<fn() -> (W, M)>);

impl<W: Work<M>, M: 'static> Entries<W, M> {
    /// Makes the task of a job; called with a [`PrepareCall`].
    pub(crate) const PREPARE: &'static FunctionEntry = &FunctionEntry::new::<(W, M)>(|with| {
        if let Some(prepare) = with.downcast_mut::<PrepareCall>() {
            prepare.task = Some(Box::new(WorkTask::<W, M>::unpacked(&prepare.packed)));
        }
    });

    /// Runs a single item, to set up a worker; called with a [`SetUpCall`].
    pub(crate) const SET_UP: &'static FunctionEntry = &FunctionEntry::new::<(SetUpCall, W, M)>(|with| {
        if let Some(setup) = with.downcast_mut::<SetUpCall>() {
            setup.done = set_up::<W, M>(&setup.packed, &setup.input);
        }
    });
}

fn set_up<W: Work<M>, M>(packed: &[u8], input: &[u8]) -> Result<(), String> {
    let ran = catch_panic(|| {
        let input = codec::decode(input).map_err(WireError::into_words)?;
        W::unpack(packed)?.call(input).map_err(|e| e.to_string())
    });
    ran.map_err(|failure| failure.message).flatten().map(drop)
}

/// Runs work over blocks of framed values.
struct WorkTask<W, M> {
    /// The work, or the failure of unpacking it, which is then every item's.
    work: Result<W, Failure>,
    /// The current item's result.
    result: Vec<u8>,
    sampler: Sampler,
    /// Whether the last timed item was cheap.
    is_cheap: bool,
    marker: PhantomData<fn() -> M>,
}

/// Items that take less than this, in nanoseconds, are cheap: reading a clock after
/// each would cost a noticeable part of their time.
const CHEAP_NS: u64 = 500;
/// The clock is read after this many cheap items.
const CHEAP_ITEMS: u32 = 8;

/// When a sampled item was decoded and run, in nanoseconds.
struct ItemMoments {
    is_on: bool,
    read_ns: u64,
    ran_ns: u64,
}

impl<W: Work<M>, M> WorkTask<W, M> {
    fn unpacked(packed: &[u8]) -> Self {
        let unpacked = catch_panic(|| W::unpack(packed).map_err(invalid)).flatten();
        Self { work: unpacked, result: Vec::new(), sampler: Sampler::default(), is_cheap: false, marker: PhantomData }
    }

    /// Runs an item and encodes its result into `result`.
    #[inline]
    fn run_item(&mut self, item: &[u8], moments: &mut ItemMoments, reply: &mut Reply<'_>) -> Result<(), Failure> {
        let Self { work, result, .. } = self;
        let work = work.as_ref().map_err(Clone::clone)?;
        let max = reply.max_result();
        let mut now = |is_on: bool| if is_on { reply.host().now_ns() } else { 0 };
        let ran = catch_panic(|| {
            let input = decode::<W::Input>(item)?;
            moments.read_ns = now(moments.is_on);
            let output = work.call(input).map_err(Failure::from)?;
            moments.ran_ns = now(moments.is_on);
            result.clear();
            encode(&output, result)
        });
        ran??;
        if result.len() > max { Err(too_long(result.len(), max)) } else { Ok(()) }
    }

    #[cold]
    fn run_again(
        &mut self,
        index: u64,
        item: &[u8],
        failed: Failure,
        reply: &mut Reply<'_>,
    ) -> (Result<(), Failure>, u32) {
        let (mut outcome, mut runs) = (Err(failed), 1);
        while outcome.as_ref().is_err_and(|failure: &Failure| reply.tries_again(failure.kind, runs)) {
            reply.item_starts_again(index, false);
            let mut unseen = ItemMoments { is_on: false, read_ns: 0, ran_ns: 0 };
            outcome = self.run_item(item, &mut unseen, reply);
            runs += 1;
        }
        (outcome, runs)
    }
}

impl<W: Work<M>, M> BlockTask for WorkTask<W, M> {
    fn run(&mut self, block: &Block<'_>, reply: &mut Reply<'_>) -> Result<(), String> {
        let mut done: u32 = 0;
        for (at, item) in Items::Framed.split(block.bytes) {
            let index = block.first + u64::from(done);
            let mut moments = ItemMoments { is_on: self.sampler.is_due(), read_ns: 0, ran_ns: 0 };
            let began_ns = reply.item_starts(index, moments.is_on);
            match self.run_item(item, &mut moments, reply) {
                Ok(()) => write(&mut reply.answer().outputs, &self.result),
                Err(failure) => {
                    let (outcome, runs) = self.run_again(index, item, failure, reply);
                    match outcome {
                        Ok(()) => write(&mut reply.answer().outputs, &self.result),
                        Err(failure) => note_failure(reply, index, (at, item.len()), failure, runs),
                    }
                }
            }
            if moments.is_on {
                let written_ns = reply.host().now_ns();
                if moments.ran_ns > 0 {
                    reply.answer().samples.add(&[began_ns, moments.read_ns, moments.ran_ns, written_ns]);
                }
                let took_ns = written_ns.saturating_sub(began_ns);
                self.sampler.took(took_ns);
                self.is_cheap = took_ns < CHEAP_NS;
            }
            done += 1;
            if self.is_cheap && !done.is_multiple_of(CHEAP_ITEMS) {
                reply.cheap_item_done();
            } else {
                reply.item_done(None);
            }
        }
        if done == block.items { Ok(()) } else { Err(format!("a block of {} items held {done}", block.items)) }
    }
}

/// Appends a result's record. (The result's length is bounded far below 4 GiB.)
#[inline]
fn write(outputs: &mut Vec<u8>, result: &[u8]) {
    let length = u32::try_from(result.len()).unwrap_or(NO_RESULT);
    outputs.reserve(FRAME_BYTES + result.len());
    outputs.extend_from_slice(&length.to_le_bytes());
    outputs.extend_from_slice(result);
}

#[cold]
fn note_failure(reply: &mut Reply<'_>, index: u64, input: (usize, usize), failure: Failure, attempts: u32) {
    // The frame's length limit bounds blocks and answers far below 4 GiB.
    let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let answer = reply.answer();
    let record = (place(answer.outputs.len()), place(FRAME_BYTES));
    answer.outputs.extend_from_slice(&NO_RESULT.to_le_bytes());
    answer.failures.push(FailureAt { item: index, failure, input: (place(input.0), place(input.1)), record, attempts });
}

#[inline]
fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    codec::decode(bytes).map_err(|e| invalid(format!("{}: {}", type_name::<T>(), e.into_words())))
}

#[inline]
fn encode<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), Failure> {
    match codec::encode(value, out) {
        Ok(_) => Ok(()),
        Err(e) => Err(not_encodable(format!("the result of type {}: {}", type_name::<T>(), e.into_words()))),
    }
}

fn invalid(message: String) -> Failure {
    Failure::new(FailureKind::Invalid, message).because(Some(Cause::Codec))
}

fn not_encodable(message: String) -> Failure {
    Failure::new(FailureKind::Failed, message).because(Some(Cause::Codec))
}

#[cold]
fn too_long(bytes: usize, max: usize) -> Failure {
    procession_task::too_long(bytes, max).because(Some(Cause::Codec))
}
