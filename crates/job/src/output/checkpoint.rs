//! Where the writer stands: up to which item everything is written, with the
//! hashes that a checkpoint there needs.

use super::buffer::OutputBuffer;
use crate::resume::journal::{Journal, JournalEnd};
use crate::resume::record::{Digest, OutputProgress};
use procession_task::FailureKind;
use std::collections::BTreeMap;
use std::io;
use std::time::Instant;

/// The writer's place in its journal.
#[derive(Debug)]
pub(crate) struct CheckpointWriter {
    pub(crate) journal: Journal,
    /// The last place whose hashes are known; its bytes may still wait.
    noted: OutputProgress,
    /// The last of those whose bytes are written.
    written: OutputProgress,
    /// Whether the hash of the input is ahead of the output: then a place is
    /// good only where a block ends.
    pub(crate) is_behind: bool,
}

impl CheckpointWriter {
    pub(crate) fn new(journal: Journal) -> Self {
        let before = journal.before.clone();
        Self { journal, noted: before.clone(), written: before, is_behind: false }
    }

    /// All results up to here were put: `items` in all, so many `failed` ones
    /// among them.
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

    /// Nothing more will be written: without any items the header is all there is.
    pub(crate) fn finish(&mut self, items: u64, buffer: &OutputBuffer) {
        if items == 0 {
            let output = Digest(buffer.digest().unwrap_or_default());
            self.written = OutputProgress { bytes: buffer.bytes, output, ..OutputProgress::default() };
        }
    }

    /// What was noted is written.
    pub(crate) fn confirm(&mut self) {
        if self.written.items < self.noted.items {
            self.written = self.noted.clone();
        }
    }

    /// When a checkpoint is due, if there is something new to be said.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.journal.due(&self.written)
    }

    /// Makes a checkpoint, if one is due.
    pub(crate) fn checkpoint(&mut self) {
        if self.due().is_some_and(|due| due <= Instant::now()) {
            self.journal.checkpoint(&self.written);
        }
    }

    /// The run is at its end.
    pub(crate) fn end(self, is_complete: bool) -> io::Result<JournalEnd> {
        self.journal.end(&self.written, is_complete)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resume::journal::JournalFiles;
    use crate::resume::record::{ConsumedInput, JobSettings};
    use crate::resume::tracker::ResumeTracker;
    use bytes::Bytes;
    use procession_task::Items;

    #[test]
    fn only_what_is_written_counts_and_where_the_hash_is_ahead_the_ends_of_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let output = std::fs::File::create(folder.path().join("out")).unwrap();
        let (record_path, output_path) = (folder.path().join("out.resume"), folder.path().join("out"));
        let files = JournalFiles { record_path, output_path, output };
        let tracker = ResumeTracker::new(Items::Lines, ConsumedInput { items: 0, hash: 0 });
        let journal =
            Journal::new(files, JobSettings::new(), false, tracker, OutputProgress::default(), Box::default());
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
        // The first block was hashed before its results came; the second is held.
        assert_eq!(stands(1), (0, 0, true));
        assert_eq!(stands(2), (0, 2, false));
        assert_eq!(stands(3), (2, 3, false));
        assert_eq!(stands(4), (3, 4, false));
        assert_eq!((checkpoints.written.items, checkpoints.written.bytes), (4, 8));
    }
}
