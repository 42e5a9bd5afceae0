//! Where the writer stands: up to which item everything is written, with the
//! hashes that a checkpoint there needs.

use super::gather::Gather;
use crate::resume::journal::{Journal, Left};
use crate::resume::record::{Digest, Mark};
use procession_task::FailureKind;
use std::collections::BTreeMap;
use std::io;
use std::time::Instant;

/// The writer's place in its journal.
#[derive(Debug)]
pub(crate) struct Position {
    pub(crate) journal: Journal,
    /// The last place whose hashes are known; its bytes may still wait.
    noted: Mark,
    /// The last of those whose bytes are written.
    written: Mark,
    /// Whether the hash of the input is ahead of the output: then a place is
    /// good only where a block ends.
    pub(crate) is_behind: bool,
}

impl Position {
    pub(crate) fn new(journal: Journal) -> Self {
        let before = journal.before.clone();
        Self { journal, noted: before.clone(), written: before, is_behind: false }
    }

    /// All results up to here were put: `items` in all, so many `failed` ones
    /// among them.
    pub(crate) fn note(&mut self, items: u64, gather: &Gather, failed: BTreeMap<FailureKind, u64>) {
        if items <= self.noted.items {
            return;
        }
        let reached = self.journal.trail().reach(items);
        self.is_behind = reached.is_none();
        if let (Some(input), Some(output)) = (reached, gather.digest()) {
            self.noted = Mark { items, bytes: gather.bytes, input: Digest(input), output: Digest(output), failed };
        }
    }

    /// Nothing more will be written: without any items the header is all there is.
    pub(crate) fn finish(&mut self, items: u64, gather: &Gather) {
        if items == 0 {
            let output = Digest(gather.digest().unwrap_or_default());
            self.written = Mark { bytes: gather.bytes, output, ..Mark::default() };
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
    pub(crate) fn end(self, is_complete: bool) -> io::Result<Left> {
        self.journal.end(&self.written, is_complete)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resume::journal::Files;
    use crate::resume::record::{Consumed, Identity};
    use crate::resume::tracker::Trail;
    use bytes::Bytes;
    use procession_task::Items;

    #[test]
    fn only_what_is_written_counts_and_where_the_hash_is_ahead_the_ends_of_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let output = std::fs::File::create(folder.path().join("out")).unwrap();
        let (path, place) = (folder.path().join("out.resume"), folder.path().join("out"));
        let files = Files { path, place, output };
        let trail = Trail::new(Items::Lines, Consumed { items: 0, hash: 0 });
        let journal = Journal::new(files, Identity::new(), false, trail, Mark::default(), Box::default());
        let mut position = Position::new(journal);
        let mut gather = Gather::go_on(None, 0, Box::default());
        let block = Bytes::from(format!("{}\nb\n", "a".repeat(20 << 20)));
        for _ in 0..2 {
            position.journal.trail().push(block.clone(), 2);
        }
        let mut stands = |items: u64| {
            gather.put(b"x\n").unwrap();
            position.note(items, &gather, BTreeMap::new());
            let before = position.written.items;
            position.confirm();
            (before, position.written.items, position.is_behind)
        };
        // The first block was hashed before its results came; the second is held.
        assert_eq!(stands(1), (0, 0, true));
        assert_eq!(stands(2), (0, 2, false));
        assert_eq!(stands(3), (2, 3, false));
        assert_eq!(stands(4), (3, 4, false));
        assert_eq!((position.written.items, position.written.bytes), (4, 8));
    }
}
