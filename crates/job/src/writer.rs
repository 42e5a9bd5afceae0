//! The sink that writes results in order, on a thread of its own: the pool's
//! driver never waits for a disk or a reader. What waits to be written is
//! bounded by the credits that the batches carry.

use crate::failures::{FailurePolicy, Failures, Judge, Verdict};
use crate::gather::{GATHERED, Gather};
use crate::input::lock;
use crate::output::{Before, OutputEnd, OutputError, OutputReport, Target};
use crate::resume::journal::Left;
use crate::resume::position::Position;
use crate::times::{OutputPhase, OutputWatch};
use procession::raw::{Batch, Credit, Delivery, ItemFailure, Sink};
use procession_task::Format;
use std::io;
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// After this many batches what waits is written, though more has arrived: the
/// memory that they stand for is wanted back.
const GATHERED_BATCHES: usize = 64;

/// After a write, what little comes waits this long for more to come: a write
/// for every answer would take the processor from the workers too often. What
/// comes later than that is written at once.
const PAUSE: Duration = Duration::from_millis(10);

/// Ends the work whose results are written; called at most once, on the
/// writing thread.
pub type Stop = Box<dyn FnOnce() + Send>;

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutputOptions {
    /// The format, for its header.
    pub format: Format,
    /// What failed items do.
    pub policy: FailurePolicy,
    /// Whether to digest what is written; of use only if it is ordered.
    pub digest: bool,
    /// Whether a reader that goes away ends the work; else only the writing ends.
    pub stop_when_closed: bool,
}

impl OutputOptions {
    /// Written in this format; the first failed item ends it, as does a reader that goes away.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self { format, policy: FailurePolicy::default(), digest: false, stop_when_closed: true }
    }
}

/// The sink: takes results and never blocks.
#[derive(Debug)]
pub struct OrderedWriter(Arc<Shared>);

/// The other end of an [`OrderedWriter`]: waits for the writing to end.
#[derive(Debug)]
pub struct OutputHandle {
    shared: Arc<Shared>,
    thread: JoinHandle<Written>,
}

/// What was written, before it is known whether that is all.
pub(crate) struct Written {
    pub(crate) report: OutputReport,
    position: Option<Position>,
    name: String,
    /// Where nothing has been written to, and what a whole output begins with.
    untouched: Option<(Gather, &'static [u8])>,
    /// What the thread did until everything was written.
    pub(crate) watch: OutputWatch,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    batches: Vec<Batch>,
    /// How many bytes of results they hold.
    bytes: usize,
    /// The thread pauses: a little is not worth waking it for.
    pausing: bool,
    finished: bool,
}

impl OrderedWriter {
    /// Starts the thread that writes to `target`. `stop` is called when the
    /// results so far have ended the work: a failed item, a reader that went
    /// away, an output that can't be written.
    ///
    /// # Errors
    /// The thread can't be started.
    pub fn spawn(target: Target, options: OutputOptions, stop: Stop) -> io::Result<(Self, OutputHandle)> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let work = move || Writing::new(target, options, stop).run(&theirs);
        let thread = std::thread::Builder::new().name("output".to_owned()).spawn(work)?;
        Ok((Self(Arc::clone(&shared)), OutputHandle { shared, thread }))
    }
}

impl Sink for OrderedWriter {
    fn deliver(&mut self, batch: Batch) {
        let mut queue = lock(&self.0.queue);
        // After the end nobody would take it: dropped, its credit is given back.
        if !queue.finished {
            let before = queue.bytes;
            queue.bytes += batch.deliveries.iter().map(|delivery| delivery.outputs.len()).sum::<usize>();
            let was_enough = before >= GATHERED || queue.batches.len() >= GATHERED_BATCHES;
            queue.batches.push(batch);
            let is_enough = queue.bytes >= GATHERED || queue.batches.len() >= GATHERED_BATCHES;
            if (queue.batches.len() == 1 && !queue.pausing) || (is_enough && !was_enough) {
                self.0.arrived.notify_one();
            }
        }
    }
}

impl OutputHandle {
    /// Waits until everything that was delivered is written, and says what
    /// became of it. What is delivered after this call is dropped.
    #[must_use]
    pub fn finish(self) -> OutputReport {
        let written = self.written();
        let is_complete = matches!(written.report.end, OutputEnd::Complete);
        written.end(is_complete)
    }

    /// The same, to be ended when it is known whether the work is complete.
    pub(crate) fn written(self) -> Written {
        lock(&self.shared.queue).finished = true;
        self.shared.arrived.notify_one();
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Written {
    /// Keeps or removes the record that says how far the output is good. Where
    /// nothing was written, only a complete run makes an empty output: any other
    /// leaves what there was.
    pub(crate) fn end(mut self, is_complete: bool) -> OutputReport {
        if let Some((gather, header)) = self.untouched.take().filter(|_| is_complete) {
            let result = self.end_empty(gather, header);
            match result {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.report.end = OutputEnd::Closed,
                Err(error) => self.report.end = OutputEnd::Failed(OutputError { name: self.name.clone(), error }),
            }
        }
        let is_complete = is_complete && matches!(self.report.end, OutputEnd::Complete);
        let Self { mut report, position, name, .. } = self;
        match position.map(|position| position.end(is_complete)) {
            None => {}
            Some(Ok(Left::Interrupted(items))) => report.resumable = Some(items),
            Some(Ok(Left::Complete | Left::Nothing)) => {}
            Some(Err(error)) => report.record_error = Some(OutputError { name: format!("{name}.resume"), error }),
        }
        report
    }

    /// Everything is complete, and nothing of it was there to be written.
    fn end_empty(&mut self, mut gather: Gather, header: &[u8]) -> io::Result<()> {
        let result = begin(&mut gather, self.position.as_mut(), header).and_then(|()| gather.finish());
        let report = &mut self.report;
        (report.bytes, report.digest) = (gather.bytes, gather.digest().filter(|_| report.digest.is_some()));
        if let Some(position) = &mut self.position {
            position.finish(report.items, &gather);
        }
        result
    }
}

/// Before the first byte: what the output had before is given up, and a new one
/// has its header.
fn begin(gather: &mut Gather, position: Option<&mut Position>, header: &[u8]) -> io::Result<()> {
    let before = position.map_or(Ok(0), |position| position.journal.begin().map(|()| position.journal.before.items))?;
    if before == 0 { gather.put(header) } else { Ok(()) }
}

/// What the writing thread is woken by.
enum Arrived {
    Batches(Vec<Batch>),
    /// The time that was asked for has come first.
    Due,
    End,
}

impl Shared {
    /// The batches that have arrived, if any; does not wait.
    fn take_now(&self) -> Vec<Batch> {
        lock(&self.queue).take()
    }

    /// Waits for batches, or until something is `due`. Until `pause` is over it
    /// waits for enough of them to be worth a write.
    fn take(&self, pause: Instant, due: Option<Instant>) -> Arrived {
        let mut queue = lock(&self.queue);
        loop {
            let is_enough = queue.bytes >= GATHERED || queue.batches.len() >= GATHERED_BATCHES;
            let now = Instant::now();
            let left = pause.saturating_duration_since(now);
            if queue.finished || is_enough || (left.is_zero() && !queue.batches.is_empty()) {
                let batches = queue.take();
                return if batches.is_empty() { Arrived::End } else { Arrived::Batches(batches) };
            }
            let until_due = due.map(|due| due.saturating_duration_since(now));
            if until_due.is_some_and(|left| left.is_zero()) {
                return Arrived::Due;
            }
            queue.pausing = !left.is_zero();
            let left = if queue.pausing { Some(left) } else { None };
            queue = match left.into_iter().chain(until_due).min() {
                Some(left) => self.arrived.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner),
            };
            queue.pausing = false;
        }
    }
}

impl Queue {
    fn take(&mut self) -> Vec<Batch> {
        self.bytes = 0;
        std::mem::take(&mut self.batches)
    }
}

/// The state of the writing thread.
struct Writing {
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
    fn new(target: Target, options: OutputOptions, stop: Stop) -> Self {
        let before = target.before();
        let (name, writer, mut journal) = target.into_parts();
        let (gather, failures) = match &mut journal {
            Some(journal) => journal.go_on(writer),
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

    fn run(mut self, shared: &Shared) -> Written {
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

#[cfg(test)]
mod tests;
