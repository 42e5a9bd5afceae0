//! The writing thread: judges failed items, writes results, makes checkpoints.

use super::options::{OutputOptions, Stop};
use super::queue::{Arrived, GATHERED_BATCHES, Shared};
use super::written::{Written, begin};
use crate::output::failures::{Failures, Judge, Verdict};
use crate::output::gather::Gather;
use crate::output::position::Position;
use crate::output::report::{OutputEnd, OutputError, OutputReport};
use crate::output::target::Target;
use crate::resume::record::Before;
use crate::times::{OutputPhase, OutputWatch};
use procession::raw::{Batch, Credit, Delivery, ItemFailure};
use std::io;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// After a write, what little comes waits this long for more to come: a write
/// for every answer would take the processor from the workers too often. What
/// comes later than that is written at once.
const PAUSE: Duration = Duration::from_millis(10);

/// The state of the writing thread.
pub(super) struct Writing {
    name: String,
    gather: Gather,
    judge: Judge,
    options: OutputOptions,
    items: u64,
    end: OutputEnd,
    stop: Option<Stop>,
    before: Before,
    position: Option<Position>,
    /// Whether the output was touched.
    has_begun: bool,
    watch: OutputWatch,
}

impl Writing {
    pub(super) fn new(target: Target, options: OutputOptions, stop: Stop) -> Self {
        let before = target.before();
        let (name, writer, mut journal) = target.into_parts();
        let (gather, failures) = match &mut journal {
            Some(journal) => (
                Gather::go_on(writer, journal.before.bytes, journal.take_digest()),
                Failures::counted(&journal.before.failed),
            ),
            None => (Gather::new(writer, options.digest), Failures::default()),
        };
        Self {
            name,
            gather,
            judge: Judge::after(options.policy, failures),
            options,
            items: before.items,
            end: OutputEnd::Complete,
            stop: Some(stop),
            before,
            position: journal.map(Position::new),
            has_begun: false,
            watch: OutputWatch::start(OutputPhase::Writing),
        }
    }

    pub(super) fn run(mut self, shared: &Shared) -> Written {
        let mut pause = Instant::now();
        loop {
            self.watch.switch(OutputPhase::Waiting);
            let arrived = shared.take(pause, self.position.as_ref().and_then(Position::due));
            self.watch.switch(OutputPhase::Writing);
            match arrived {
                Arrived::Batches(batches) => {
                    self.write_all(shared, batches);
                    pause = Instant::now() + PAUSE;
                }
                Arrived::Due => {}
                Arrived::End => return self.report(),
            }
            if let Some(position) = &mut self.position {
                position.checkpoint();
            }
        }
    }

    /// Writes these batches and what arrives meanwhile.
    fn write_all(&mut self, shared: &Shared, mut batches: Vec<Batch>) {
        // Memory is given back only after the bytes that it stands for are out.
        let mut credits: Vec<Credit> = Vec::new();
        while !batches.is_empty() {
            for batch in batches {
                if self.stop.is_some() {
                    self.write(&batch.deliveries);
                }
                credits.push(batch.credit);
            }
            let goes_on = self.gather.is_waiting() && credits.len() < GATHERED_BATCHES;
            batches = if goes_on { shared.take_now() } else { Vec::new() };
        }
        // Nothing more at the moment: whoever reads is to see what there is.
        let flushed = self.gather.flush();
        if self.noted(flushed).is_continue() {
            self.is_out();
        }
    }

    /// All that was put is written.
    fn is_out(&mut self) {
        if let Some(position) = &mut self.position
            && self.stop.is_some()
        {
            position.note(self.items, &self.gather, self.judge.failures.by_kind());
            position.confirm();
        }
    }

    fn write(&mut self, deliveries: &[Delivery]) {
        for delivery in deliveries {
            if self.write_delivery(delivery).is_break() {
                return;
            }
        }
    }

    /// Writes a delivery, or what of it comes before the end of the run.
    fn write_delivery(&mut self, delivery: &Delivery) -> ControlFlow<()> {
        for failure in &delivery.failures {
            let before = failure.item.saturating_sub(delivery.first);
            let ends_with = match self.judge.judge(failure, self.items + before) {
                Verdict::GoOn => continue,
                Verdict::EndBefore => false,
                Verdict::EndWith => true,
            };
            return self.write_last(delivery, failure, ends_with);
        }
        self.put(&delivery.outputs, u64::from(delivery.items))?;
        if let Some(position) = &mut self.position
            && position.is_behind
        {
            position.note(self.items, &self.gather, self.judge.failures.by_kind());
        }
        ControlFlow::Continue(())
    }

    /// Writes what comes before a failed item, and perhaps its record, and ends
    /// the run. Whoever resumes it begins again with that item.
    fn write_last(&mut self, delivery: &Delivery, failure: &ItemFailure, ends_with: bool) -> ControlFlow<()> {
        let start = failure.record.start.min(delivery.outputs.len());
        let end = failure.record.end.clamp(start, delivery.outputs.len());
        self.put(&delivery.outputs[..start], failure.item.saturating_sub(delivery.first))?;
        let flushed = self.gather.flush();
        self.noted(flushed)?;
        if let Some(position) = &mut self.position {
            position.note(self.items, &self.gather, self.judge.failures.by_kind_before(failure.failure.kind));
            position.confirm();
        }
        if ends_with {
            self.put(&delivery.outputs[start..end], 1)?;
            let flushed = self.gather.flush();
            self.noted(flushed)?;
        }
        self.end_with(OutputEnd::Failures);
        ControlFlow::Break(())
    }

    fn put(&mut self, bytes: &[u8], items: u64) -> ControlFlow<()> {
        if !self.has_begun && items > 0 {
            self.has_begun = true;
            let begun = begin(&mut self.gather, self.position.as_mut(), self.options.format.header());
            self.noted(begun)?;
        }
        let result = self.gather.put(bytes);
        self.items += items;
        self.noted(result)
    }

    /// Draws the consequences of a write.
    fn noted(&mut self, result: io::Result<()>) -> ControlFlow<()> {
        let Err(error) = result else { return ControlFlow::Continue(()) };
        self.gather.mute();
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

    fn report(mut self) -> Written {
        if self.has_begun {
            let finished = self.gather.finish();
            let _ = self.noted(finished);
        }
        let report = OutputReport {
            items: self.items,
            bytes: self.gather.bytes,
            digest: self.gather.digest().filter(|_| self.options.digest),
            exceeded: self.judge.is_exceeded(self.items),
            failures: self.judge.failures,
            end: self.end,
            before: self.before,
            resumable: None,
            record_error: None,
        };
        let untouched = (!self.has_begun).then(|| (self.gather, self.options.format.header()));
        Written { report, position: self.position, name: self.name, untouched, watch: self.watch }
    }
}
