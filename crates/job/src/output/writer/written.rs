//! What was written, until it is known whether the work is complete.

use crate::output::buffer::OutputBuffer;
use crate::output::checkpoint::CheckpointWriter;
use crate::output::report::{OutputEnd, OutputError, OutputReport};
use crate::resume::journal::JournalEnd;
use crate::times::OutputStopwatch;
use std::io;

/// What was written, before it is known whether that is all.
pub(crate) struct WrittenOutput {
    pub(crate) report: OutputReport,
    pub(super) checkpoints: Option<CheckpointWriter>,
    pub(super) name: String,
    /// Where nothing has been written to, and what a whole output begins with.
    pub(super) untouched: Option<(OutputBuffer, &'static [u8])>,
    /// What the thread did until everything was written.
    pub(crate) watch: OutputStopwatch,
}

impl WrittenOutput {
    /// Keeps or removes the record that says how far the output is good. Where
    /// nothing was written, only a complete run makes an empty output: any other
    /// leaves what there was.
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

    /// Everything is complete, and nothing of it was there to be written.
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

/// Before the first byte: what the output had before is given up, and a new one
/// has its header.
pub(super) fn begin(
    buffer: &mut OutputBuffer,
    checkpoints: Option<&mut CheckpointWriter>,
    header: &[u8],
) -> io::Result<()> {
    let before = checkpoints
        .map_or(Ok(0), |checkpoints| checkpoints.journal.begin().map(|()| checkpoints.journal.before.items))?;
    if before == 0 { buffer.put(header) } else { Ok(()) }
}
