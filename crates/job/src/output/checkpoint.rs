//! Up to which item everything is written, with the hashes that a checkpoint
//! there needs.

use super::buffer::OutputBuffer;
use crate::resume::journal::{Journal, JournalEnd};
use crate::resume::record::{Digest, OutputProgress};
use procession_task::FailureKind;
use std::collections::BTreeMap;
use std::io;
use std::time::Instant;

/// Makes checkpoints in the journal.
#[derive(Debug)]
pub(crate) struct CheckpointWriter {
    pub(crate) journal: Journal,
    /// The last progress whose hashes are known. Its bytes may still be in the
    /// buffer.
    noted: OutputProgress,
    /// The last noted progress whose bytes are written.
    written: OutputProgress,
    /// Whether the input's hash is ahead of the output. Then a checkpoint is
    /// possible only at the end of a block.
    pub(crate) is_behind: bool,
}

impl CheckpointWriter {
    pub(crate) fn new(journal: Journal) -> Self {
        let before = journal.before.clone();
        Self { journal, noted: before.clone(), written: before, is_behind: false }
    }

    /// Reports that all results up to here were put: `items` in all, of which
    /// `failed` failed.
    pub(crate) fn note(&mut self, items: u64, buffer: &OutputBuffer, failed: BTreeMap<FailureKind, u64>) {
        if items <= self.noted.items {
            return;
        }
        let reached = self.journal.tracker().reach(items);
        self.is_behind = reached.is_none();
        if let (Some(input), Some(output)) = (reached, buffer.digest()) {
            self.noted =
                OutputProgress { items, bytes: buffer.bytes, input: Digest(input), output: Digest(output), failed };
        }
    }

    /// Ends the output. If it has no items, it has only a header.
    pub(crate) fn finish(&mut self, items: u64, buffer: &OutputBuffer) {
        if items == 0 {
            let output = Digest(buffer.digest().unwrap_or_default());
            self.written = OutputProgress { bytes: buffer.bytes, output, ..OutputProgress::default() };
        }
    }

    /// Reports that the output was replaced, and is written as far as the journal says.
    pub(crate) fn replaced(&mut self) {
        (self.noted, self.written) = (self.journal.before.clone(), self.journal.before.clone());
    }

    /// Reports that everything noted is written.
    pub(crate) fn confirm(&mut self) {
        if self.written.items < self.noted.items {
            self.written = self.noted.clone();
        }
    }

    /// The earliest time of the next checkpoint; `None` if there is no progress
    /// to record.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.journal.due(&self.written)
    }

    /// Makes a checkpoint if it is due.
    pub(crate) fn checkpoint(&mut self) {
        if self.due().is_some_and(|due| due <= Instant::now()) {
            self.journal.checkpoint(&self.written);
        }
    }

    /// Ends the run.
    pub(crate) fn end(self, is_complete: bool) -> io::Result<JournalEnd> {
        self.journal.end(&self.written, is_complete)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resume::journal::{JournalFiles, RecordKeeping};
    use crate::resume::record::{ConsumedInput, JobSettings};
    use crate::resume::tracker::ResumeTracker;
    use bytes::Bytes;
    use procession_task::Items;

    #[test]
    fn checkpoints_need_written_bytes_and_a_known_hash() {
        let folder = tempfile::tempdir().unwrap();
        let output = std::fs::File::create(folder.path().join("out")).unwrap();
        let (record_path, output_path) = (folder.path().join("out.resume"), folder.path().join("out"));
        let files = JournalFiles { record_path, output_path, output };
        let tracker = ResumeTracker::new(Items::Lines, ConsumedInput { items: 0, hash: 0 });
        let journal = Journal::new(
            files,
            JobSettings::new(),
            RecordKeeping::Checkpoints { complete: false },
            tracker,
            OutputProgress::default(),
            Box::default(),
        );
        let mut checkpoints = CheckpointWriter::new(journal);
        let mut buffer = OutputBuffer::resume(None, 0, Box::default());
        let block = Bytes::from(format!("{}\nb\n", "a".repeat(20 << 20)));
        for _ in 0..2 {
            checkpoints.journal.tracker().push(block.clone(), 2);
        }
        let mut stands = |items: u64| {
            buffer.put(b"x\n").unwrap();
            checkpoints.note(items, &buffer, BTreeMap::new());
            let before = checkpoints.written.items;
            checkpoints.confirm();
            (before, checkpoints.written.items, checkpoints.is_behind)
        };
        // The first block was hashed before its results came; the second is
        // kept.
        assert_eq!(stands(1), (0, 0, true));
        assert_eq!(stands(2), (0, 2, false));
        assert_eq!(stands(3), (2, 3, false));
        assert_eq!(stands(4), (3, 4, false));
        assert_eq!((checkpoints.written.items, checkpoints.written.bytes), (4, 8));
    }
}
