//! What was written, until it is known whether the work is complete.

use crate::output::gather::Gather;
use crate::output::position::Position;
use crate::output::report::{OutputEnd, OutputError, OutputReport};
use crate::resume::journal::Left;
use crate::times::OutputWatch;
use std::io;

/// What was written, before it is known whether that is all.
pub(crate) struct Written {
    pub(crate) report: OutputReport,
    pub(super) position: Option<Position>,
    pub(super) name: String,
    /// Where nothing has been written to, and what a whole output begins with.
    pub(super) untouched: Option<(Gather, &'static [u8])>,
    /// What the thread did until everything was written.
    pub(crate) watch: OutputWatch,
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
pub(super) fn begin(gather: &mut Gather, position: Option<&mut Position>, header: &[u8]) -> io::Result<()> {
    let before = position.map_or(Ok(0), |position| position.journal.begin().map(|()| position.journal.before.items))?;
    if before == 0 { gather.put(header) } else { Ok(()) }
}
