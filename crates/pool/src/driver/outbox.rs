//! The bytes to be sent to a worker. Small frames are gathered, so that what is
//! ready is written in one system call; large blocks are passed on without a copy.

use bytes::Bytes;
use procession_wire::{ToWorker, WireError, encode_to_worker};
use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};

/// Blocks shorter than this are copied after their frame's head.
const COPIED_BYTES: usize = 4096;
/// Pieces that are written in one system call, at most.
const PIECES: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Outbox {
    pieces: VecDeque<Bytes>,
    /// Frames gathered since the last piece.
    gathered: Vec<u8>,
}

impl Outbox {
    pub(super) fn push(&mut self, message: &ToWorker, block: &Bytes) -> Result<(), WireError> {
        encode_to_worker(&mut self.gathered, message, block)?;
        if block.len() < COPIED_BYTES {
            self.gathered.extend_from_slice(block);
        } else {
            self.seal();
            self.pieces.push_back(block.clone());
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.gathered.is_empty()
    }

    /// Drops everything: nobody will read it any more.
    pub(super) fn clear(&mut self) {
        self.pieces.clear();
        self.gathered.clear();
    }

    /// Writes what the pipe takes, and keeps the rest.
    pub(super) fn write_to(&mut self, mut pipe: impl Write) -> io::Result<()> {
        self.seal();
        while !self.pieces.is_empty() {
            let slices: Vec<IoSlice<'_>> = self.pieces.iter().take(PIECES).map(|piece| IoSlice::new(piece)).collect();
            match pipe.write_vectored(&slices) {
                Ok(written) => self.advance(written),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn seal(&mut self) {
        if !self.gathered.is_empty() {
            self.pieces.push_back(Bytes::from(std::mem::take(&mut self.gathered)));
        }
    }

    fn advance(&mut self, mut written: usize) {
        while written > 0 {
            let Some(front) = self.pieces.front_mut() else { return };
            if written < front.len() {
                let _ = front.split_to(written);
                return;
            }
            written -= front.len();
            self.pieces.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession_wire::ChunkHead;

    /// A pipe that takes a few bytes at a time.
    struct Narrow(Vec<u8>, usize);

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let n = bytes.len().min(self.1);
            self.0.extend_from_slice(&bytes[..n]);
            Ok(n)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn frames_and_blocks_keep_their_order() {
        let mut expected = Vec::new();
        let mut outbox = Outbox::default();
        for (chunk, size) in [3usize, 5000, 0, 4096, 4095].into_iter().enumerate() {
            let block = Bytes::from(vec![b'a' + chunk as u8; size]);
            let head = ChunkHead {
                job: 0,
                chunk: chunk as u64,
                attempt: 0,
                tries: 1,
                first: 0,
                items: 1,
                each: false,
                log: false,
                block_len: size as u32,
            };
            encode_to_worker(&mut expected, &ToWorker::Chunk(head), &block).unwrap();
            expected.extend_from_slice(&block);
            outbox.push(&ToWorker::Chunk(head), &block).unwrap();
        }
        let mut narrow = Narrow(Vec::new(), 1000);
        outbox.write_to(&mut narrow).unwrap();
        assert!(outbox.is_empty());
        assert_eq!(narrow.0, expected);
    }
}
