//! The coordinator's messages, read in large pieces and taken one by one.

use procession_wire::frame::{Direction, HEAD_BYTES, PAYLOAD_LIMIT, Parsed, parse};
use procession_wire::{ToWorker, WireError, decode_to_worker};
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;

/// Bytes that are read at a time: several chunks, within a processor's cache.
const ROOM: usize = 384 << 10;
/// Bytes that are read at first: a worker with little to do starts faster with a
/// small buffer.
const FIRST_ROOM: usize = 16 << 10;

pub(super) struct FrameReader {
    pipe: File,
    buffer: Vec<u8>,
    /// Bytes that are read at a time.
    room: usize,
    /// The part of the buffer that was read and not yet taken.
    held: Range<usize>,
    /// The payload of the next message, once it is there.
    next: Option<Range<usize>>,
}

impl FrameReader {
    pub(super) fn new(pipe: File) -> Self {
        Self { pipe, buffer: Vec::new(), room: FIRST_ROOM, held: 0..0, next: None }
    }

    /// Whether a whole message is there.
    pub(super) fn has_message(&mut self) -> Result<bool, WireError> {
        if self.next.is_none() {
            let start = self.held.start;
            match parse(&self.buffer[self.held.clone()], Direction::ToWorker, PAYLOAD_LIMIT)? {
                Parsed::Frame(payload) => self.next = Some(start + payload.start..start + payload.end),
                Parsed::Needs(bytes) => self.make_room(bytes),
            }
        }
        Ok(self.next.is_some())
    }

    /// Reads more; `false` at the end.
    pub(super) fn read(&mut self) -> io::Result<bool> {
        loop {
            match self.pipe.read(&mut self.buffer[self.held.end..]) {
                Ok(count) => {
                    self.held.end += count;
                    if self.held.end == self.buffer.len() {
                        self.room = ROOM;
                    }
                    return Ok(count > 0);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Takes the message that is there, with the range of its block (see
    /// [`Self::bytes`]).
    pub(super) fn take(&mut self) -> Result<(ToWorker, Range<usize>), WireError> {
        let payload = self.next.take().unwrap_or_default();
        let (message, tails) = decode_to_worker(&self.buffer[payload.clone()])?;
        self.held.start = payload.end;
        Ok((message, payload.start + tails.main.start..payload.start + tails.main.end))
    }

    /// A block of the message that was taken last.
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.buffer[range]
    }

    /// Makes room for a frame of `needs` bytes from the first byte held on. The
    /// buffer grows as bytes arrive, never because of an announced length alone.
    fn make_room(&mut self, needs: usize) {
        let held = self.held.len();
        if self.held.start > 0 {
            self.buffer.copy_within(self.held.clone(), 0);
            self.held = 0..held;
        }
        let wanted = needs.max(HEAD_BYTES).min(held * 2 + ROOM).max(self.room);
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        } else if self.buffer.len() > 4 * ROOM && wanted == ROOM {
            // The memory of one huge item is given back.
            self.buffer.truncate(held.max(ROOM));
            self.buffer.shrink_to_fit();
        }
    }
}
