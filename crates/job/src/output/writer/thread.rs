//! The output thread: applies the failure policy, writes results, makes
//! checkpoints.

use super::options::{OutputOptions, Stop};
use super::written::{WrittenOutput, begin};
use crate::output::buffer::OutputBuffer;
use crate::output::checkpoint::CheckpointWriter;
use crate::output::failures::{FailedItems, FailureAction, FailureJudge};
use crate::output::report::{OutputEnd, OutputError, OutputReport, RetriedRows};
use crate::output::retry::RetryOutput;
use crate::output::target::{OutputTarget, TargetParts};
use crate::resume::record::PriorProgress;
use crate::times::{OutputPhase, OutputStopwatch};
use procession::raw::{Batch, Credit, Delivery, ItemFailure};
use procession_sys::{LazyQueue, Taken};
use std::io;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// After a write, the thread waits this long for more results: a write for
/// every answer would take processor time from the workers. Results that arrive
/// later than that are written at once.
const PAUSE: Duration = Duration::from_millis(10);

/// The output is written after this many batches even if more have arrived, so
/// that their memory is released.
pub(super) const BUFFERED_BATCHES: usize = 64;

/// The state of the output thread.
pub(super) struct WriterThread {
    name: String,
    buffer: OutputBuffer,
    judge: FailureJudge,
    options: OutputOptions,
    items: u64,
    end: OutputEnd,
    stop: Option<Stop>,
    before: PriorProgress,
    checkpoints: Option<CheckpointWriter>,
    /// The output whose failed rows are replaced, until that is done.
    retry: Option<RetryOutput>,
    retried: Option<RetriedRows>,
    /// Whether the output was changed.
    has_begun: bool,
    watch: OutputStopwatch,
}

impl WriterThread {
    pub(super) fn new(target: OutputTarget, options: OutputOptions, stop: Stop) -> Self {
        let before = target.before();
        let TargetParts { name, writer, mut journal, retry } = target.into_parts();
        let (buffer, failures) = match &mut journal {
            // The output is written when all new rows are there.
            Some(_) if retry.is_some() => (OutputBuffer::new(None, false), FailedItems::default()),
            Some(journal) => (
                OutputBuffer::resume(writer, journal.before.bytes, journal.take_digest()),
                FailedItems::counted(&journal.before.failed),
            ),
            None => (OutputBuffer::new(writer, options.digest), FailedItems::default()),
        };
        Self {
            name,
            buffer,
            judge: FailureJudge::after(options.policy, failures),
            options,
            items: before.items,
            end: OutputEnd::Complete,
            stop: Some(stop),
            before,
            checkpoints: journal.map(CheckpointWriter::new),
            retry,
            retried: None,
            has_begun: false,
            watch: OutputStopwatch::start(OutputPhase::Writing),
        }
    }

    pub(super) fn run(mut self, shared: &LazyQueue<Batch>) -> WrittenOutput {
        let mut pause = Instant::now();
        loop {
            self.watch.switch(OutputPhase::Waiting);
            let arrived = shared.take(pause, self.checkpoints.as_ref().and_then(CheckpointWriter::due));
            self.watch.switch(OutputPhase::Writing);
            match arrived {
                Taken::Items(batches) => {
                    self.write_all(shared, batches);
                    pause = Instant::now() + PAUSE;
                }
                Taken::Due => {}
                Taken::Closed => return self.report(),
            }
            if let Some(checkpoints) = &mut self.checkpoints {
                checkpoints.checkpoint();
            }
        }
    }

    /// Writes these batches and those that arrive meanwhile.
    fn write_all(&mut self, shared: &LazyQueue<Batch>, mut batches: Vec<Batch>) {
        // The credits are returned only after the bytes are written.
        let mut credits: Vec<Credit> = Vec::new();
        while !batches.is_empty() {
            for batch in batches {
                if self.stop.is_some() {
                    self.write(&batch.deliveries);
                }
                credits.push(batch.credit);
            }
            let goes_on = self.buffer.is_waiting() && credits.len() < BUFFERED_BATCHES;
            batches = if goes_on { shared.take_now() } else { Vec::new() };
        }
        // Nothing more has arrived: flush, so that readers see the results.
        let flushed = self.buffer.flush();
        if self.noted(flushed).is_continue() {
            self.is_out();
        }
    }

    /// Reports to the checkpoints that everything put is written.
    fn is_out(&mut self) {
        if let Some(checkpoints) = &mut self.checkpoints
            && self.stop.is_some()
        {
            checkpoints.note(self.items, &self.buffer, self.judge.failures.by_kind());
            checkpoints.confirm();
        }
    }

    fn write(&mut self, deliveries: &[Delivery]) {
        for delivery in deliveries {
            if self.write_delivery(delivery).is_break() {
                return;
            }
        }
    }

    /// Writes a delivery, or the part of it before the end of the run.
    fn write_delivery(&mut self, delivery: &Delivery) -> ControlFlow<()> {
        if self.retry.is_some() {
            return self.take_new_rows(delivery);
        }
        for failure in &delivery.failures {
            let before = failure.item.saturating_sub(delivery.first);
            let ends_with = match self.judge.judge(failure, self.items + before) {
                FailureAction::GoOn => continue,
                FailureAction::EndBefore => false,
                FailureAction::EndWith => true,
            };
            return self.write_last(delivery, failure, ends_with);
        }
        self.put(&delivery.outputs, u64::from(delivery.items))?;
        if let Some(checkpoints) = &mut self.checkpoints
            && checkpoints.is_behind
        {
            checkpoints.note(self.items, &self.buffer, self.judge.failures.by_kind());
        }
        ControlFlow::Continue(())
    }

    /// Takes new rows of failed items that were run again; replaces the output when
    /// all are there.
    fn take_new_rows(&mut self, delivery: &Delivery) -> ControlFlow<()> {
        let (Some(mut retry), Some(checkpoints)) = (self.retry.take(), &mut self.checkpoints) else {
            return ControlFlow::Continue(());
        };
        delivery.failures.iter().for_each(|failure| self.judge.failures.add(failure));
        let put = retry.put(&delivery.outputs);
        if put.is_err() || !retry.is_complete() {
            self.retry = Some(retry);
            return self.noted(put);
        }
        let (count, goes_on, failed) = (retry.count(), retry.goes_on(), self.judge.failures.by_kind());
        match retry.merge(&mut checkpoints.journal, failed) {
            Err(error) => return self.noted(Err(error)),
            Ok(buffer) => self.buffer = buffer,
        }
        checkpoints.replaced();
        self.has_begun = true;
        let failed = self.judge.failures.total;
        self.retried = Some(RetriedRows { count, failed });
        if goes_on && self.options.policy.ends_by(failed, self.items) {
            self.end_with(OutputEnd::Failures);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// Writes the results before a failed item, and its record if `ends_with`,
    /// and ends the run. A resumed run begins with that item.
    fn write_last(&mut self, delivery: &Delivery, failure: &ItemFailure, ends_with: bool) -> ControlFlow<()> {
        let start = failure.record.start.min(delivery.outputs.len());
        let end = failure.record.end.clamp(start, delivery.outputs.len());
        self.put(&delivery.outputs[..start], failure.item.saturating_sub(delivery.first))?;
        let flushed = self.buffer.flush();
        self.noted(flushed)?;
        if let Some(checkpoints) = &mut self.checkpoints {
            checkpoints.note(self.items, &self.buffer, self.judge.failures.by_kind_before(failure.failure.kind));
            checkpoints.confirm();
        }
        if ends_with {
            self.put(&delivery.outputs[start..end], 1)?;
            let flushed = self.buffer.flush();
            self.noted(flushed)?;
        }
        self.end_with(OutputEnd::Failures);
        ControlFlow::Break(())
    }

    fn put(&mut self, bytes: &[u8], items: u64) -> ControlFlow<()> {
        if !self.has_begun && items > 0 {
            self.has_begun = true;
            let begun = begin(&mut self.buffer, self.checkpoints.as_mut(), self.options.format.header());
            self.noted(begun)?;
        }
        let result = self.buffer.put(bytes);
        self.items += items;
        self.noted(result)
    }

    /// Handles the result of a write.
    fn noted(&mut self, result: io::Result<()>) -> ControlFlow<()> {
        let Err(error) = result else { return ControlFlow::Continue(()) };
        self.buffer.stop_writing();
        if error.kind() != io::ErrorKind::BrokenPipe {
            self.end_with(OutputEnd::Failed(OutputError { name: self.name.clone(), error }));
        } else if self.options.stop_when_closed {
            self.end_with(OutputEnd::Closed);
        } else {
            self.end = OutputEnd::Closed;
            return ControlFlow::Continue(());
        }
        ControlFlow::Break(())
    }

    /// Ends the work; only the first reason counts.
    fn end_with(&mut self, end: OutputEnd) {
        if let Some(stop) = self.stop.take() {
            self.end = end;
            stop();
        }
    }

    fn report(mut self) -> WrittenOutput {
        if self.has_begun {
            let finished = self.buffer.finish();
            let _ = self.noted(finished);
        }
        let report = OutputReport {
            items: self.items,
            bytes: self.buffer.bytes,
            digest: self.buffer.digest().filter(|_| self.options.digest),
            exceeded: self.judge.is_exceeded(self.items),
            failures: self.judge.failures,
            end: self.end,
            before: self.before,
            retried: self.retried,
            resumable: None,
            record_error: None,
        };
        // Without all of its new rows, an output stays as it was.
        let is_left = self.before.retried > 0 && self.retried.is_none();
        let untouched = (!self.has_begun && !is_left).then(|| (self.buffer, self.options.format.header()));
        let checkpoints = self.checkpoints.filter(|_| !is_left);
        WrittenOutput { report, checkpoints, name: self.name, untouched, watch: self.watch }
    }
}
