//! What was written, until it is known whether the work is complete.

use crate::output::buffer::OutputBuffer;
use crate::output::checkpoint::CheckpointWriter;
use crate::output::report::{OutputEnd, OutputError, OutputReport};
use crate::resume::journal::JournalEnd;
use crate::times::OutputStopwatch;
use std::io;

/// What was written, until it is known whether that is everything.
pub(crate) struct WrittenOutput {
    pub(crate) report: OutputReport,
    pub(super) checkpoints: Option<CheckpointWriter>,
    pub(super) name: String,
    /// The buffer and the header of an output that was not changed yet.
    pub(super) untouched: Option<(OutputBuffer, &'static [u8])>,
    /// The times of the output thread.
    pub(crate) watch: OutputStopwatch,
}

impl WrittenOutput {
    /// Ends the output: updates or removes the resume record. If nothing was
    /// written, a complete run makes an empty output, and an incomplete run
    /// leaves the file unchanged.
    pub(crate) fn end(mut self, is_complete: bool) -> OutputReport {
        if let Some((buffer, header)) = self.untouched.take().filter(|_| is_complete) {
            let result = self.end_empty(buffer, header);
            match result {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.report.end = OutputEnd::Closed,
                Err(error) => self.report.end = OutputEnd::Failed(OutputError { name: self.name.clone(), error }),
            }
        }
        let is_complete = is_complete && matches!(self.report.end, OutputEnd::Complete);
        let Self { mut report, checkpoints, name, .. } = self;
        match checkpoints.map(|checkpoints| checkpoints.end(is_complete)) {
            None => {}
            Some(Ok(JournalEnd::Interrupted(items))) => report.resumable = Some(items),
            Some(Ok(JournalEnd::Complete | JournalEnd::Nothing)) => {}
            Some(Err(error)) => report.record_error = Some(OutputError { name: format!("{name}.resume"), error }),
        }
        report
    }

    /// Writes the output of a complete run without items.
    fn end_empty(&mut self, mut buffer: OutputBuffer, header: &[u8]) -> io::Result<()> {
        let result = begin(&mut buffer, self.checkpoints.as_mut(), header).and_then(|()| buffer.finish());
        let report = &mut self.report;
        (report.bytes, report.digest) = (buffer.bytes, buffer.digest().filter(|_| report.digest.is_some()));
        if let Some(checkpoints) = &mut self.checkpoints {
            checkpoints.finish(report.items, &buffer);
        }
        result
    }
}

/// Called before the first byte: truncates the old output, and writes the
/// header of a new one.
pub(super) fn begin(
    buffer: &mut OutputBuffer,
    checkpoints: Option<&mut CheckpointWriter>,
    header: &[u8],
) -> io::Result<()> {
    let before = checkpoints
        .map_or(Ok(0), |checkpoints| checkpoints.journal.begin().map(|()| checkpoints.journal.before.items))?;
    if before == 0 { buffer.put(header) } else { Ok(()) }
}
