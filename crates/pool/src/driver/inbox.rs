//! The bytes received from a worker, cut into frames.
//!
//! A frame's blocks are slices of the buffer that they were read into: results are
//! not copied again until they are written to the output.

use bytes::{Buf as _, Bytes};
use procession_wire::frame::{Direction, Parsed, parse};
use procession_wire::{FromWorker, Tails, WireError, decode_from_worker};
use std::io::{self, Read};

/// Bytes that are read at a time, unless a longer frame has begun.
const ROOM: usize = 64 << 10;

#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// Bytes that are not a whole frame yet.
    buffer: Vec<u8>,
    /// Bytes that began with a whole frame at the last check.
    frames: Bytes,
    /// The length at which the buffer can contain a whole frame, in bytes.
    needs: usize,
    /// How many bytes were read in all.
    heard: u64,
}

/// The result of a read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// The read was full: there may be more.
    Full,
    /// The pipe is empty now.
    Rest,
    /// The other end has closed the pipe.
    End,
}

impl Inbox {
    /// Reads what there is, up to the end of the frame that has begun or, if that
    /// is near, some way beyond. To be called when [`Self::next`] has returned
    /// `None`.
    pub(super) fn read_from(&mut self, pipe: impl Read) -> io::Result<Arrival> {
        let held = self.buffer.len();
        let missing = self.needs.saturating_sub(held);
        let room = if missing > ROOM { missing } else { ROOM };
        // The buffer grows as bytes arrive, never because of an announced length
        // alone.
        self.buffer.reserve(room.min(held + 4 * ROOM));
        let result = pipe.take(room as u64).read_to_end(&mut self.buffer);
        self.heard += (self.buffer.len() - held) as u64;
        match result {
            Ok(_) if self.buffer.len() == held + room => Ok(Arrival::Full),
            Ok(_) => Ok(Arrival::End),
            // The bytes that were read before the pipe was empty are in the buffer.
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(Arrival::Rest),
            Err(e) => Err(e),
        }
    }

    /// The next whole message, with the payload that contains its blocks. A payload
    /// longer than `limit` bytes is an error.
    pub(super) fn next(&mut self, limit: u32) -> Result<Option<(FromWorker, Tails, Bytes)>, WireError> {
        let is_fresh = self.frames.is_empty();
        let bytes = if is_fresh { &self.buffer[..] } else { &self.frames[..] };
        let payload = match parse(bytes, Direction::FromWorker, limit)? {
            Parsed::Frame(payload) => payload,
            Parsed::Needs(bytes) => {
                self.needs = bytes;
                self.buffer.extend_from_slice(&self.frames);
                self.frames = Bytes::new();
                return Ok(None);
            }
        };
        if is_fresh {
            self.frames = self.take_buffer();
        }
        // The length of the next frame is not known yet.
        self.needs = 0;
        let end = payload.end;
        let payload = self.frames.slice(payload);
        let (message, tails) = decode_from_worker(&payload)?;
        self.frames.advance(end);
        Ok(Some((message, tails, payload)))
    }

    /// How many bytes were read in all.
    pub(super) fn heard(&self) -> u64 {
        self.heard
    }

    /// Received bytes that are no message yet, or never will be if the last attempt
    /// failed.
    pub(super) fn unread(&self) -> &[u8] {
        if self.frames.is_empty() { &self.buffer } else { &self.frames }
    }

    /// Takes the bytes that were read. Results may be kept for long: a few bytes
    /// are copied, so that they do not keep a large buffer alive.
    fn take_buffer(&mut self) -> Bytes {
        if self.buffer.len() >= self.buffer.capacity() / 2 {
            return Bytes::from(std::mem::take(&mut self.buffer));
        }
        let bytes = Bytes::copy_from_slice(&self.buffer);
        self.buffer.clear();
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession_wire::encode_from_worker;
    use procession_wire::frame::PAYLOAD_LIMIT;

    #[test]
    fn messages_are_found_whatever_the_reads_are() {
        let mut bytes = Vec::new();
        for job in 0..50 {
            let message = FromWorker::Refused { job, message: "x".repeat(job as usize * 7) };
            encode_from_worker(&mut bytes, &message, &[]).unwrap();
        }
        for step in [1, 7, 64, bytes.len()] {
            let mut inbox = Inbox::default();
            let mut jobs = Vec::new();
            for piece in bytes.chunks(step) {
                assert_eq!(inbox.read_from(Chunked(piece)).unwrap(), Arrival::Rest);
                while let Some((message, _, _)) = inbox.next(PAYLOAD_LIMIT).unwrap() {
                    let FromWorker::Refused { job, .. } = message else { panic!("{message:?}") };
                    jobs.push(job);
                }
            }
            assert_eq!(jobs, (0..50).collect::<Vec<_>>());
            assert_eq!(inbox.read_from(&b""[..]).unwrap(), Arrival::End);
        }
    }

    #[test]
    fn a_long_frame_is_read_to_its_end_and_no_further() {
        let mut bytes = Vec::new();
        let long = FromWorker::Refused { job: 1, message: "x".repeat(5 * ROOM) };
        encode_from_worker(&mut bytes, &long, &[]).unwrap();
        let end = bytes.len();
        encode_from_worker(&mut bytes, &FromWorker::Alive, &[]).unwrap();
        let (mut inbox, mut pipe) = (Inbox::default(), &bytes[..]);
        assert_eq!(inbox.read_from(&mut pipe).unwrap(), Arrival::Full);
        assert!(inbox.next(PAYLOAD_LIMIT).unwrap().is_none());
        assert_eq!(inbox.read_from(&mut pipe).unwrap(), Arrival::Full);
        assert_eq!(pipe.len(), bytes.len() - end);
        assert_eq!(inbox.next(PAYLOAD_LIMIT).unwrap().unwrap().0, long);
        assert_eq!(inbox.read_from(&mut pipe).unwrap(), Arrival::End);
        assert_eq!(inbox.next(PAYLOAD_LIMIT).unwrap().unwrap().0, FromWorker::Alive);
    }

    #[test]
    fn what_is_no_message_is_kept_to_be_shown() {
        let mut bytes = Vec::new();
        encode_from_worker(&mut bytes, &FromWorker::Alive, &[]).unwrap();
        let alive = bytes.clone();
        encode_from_worker(&mut bytes, &FromWorker::Alive, &[b"more than is announced"]).unwrap();
        bytes.extend_from_slice(b"more than is announced");
        let mut inbox = Inbox::default();
        inbox.read_from(Chunked(&bytes)).unwrap();
        assert_eq!(inbox.next(PAYLOAD_LIMIT).unwrap().unwrap().0, FromWorker::Alive);
        assert!(inbox.next(PAYLOAD_LIMIT).is_err());
        assert_eq!(inbox.unread(), &bytes[alive.len()..]);
        let mut torn = Inbox::default();
        torn.read_from(Chunked(&alive[..9])).unwrap();
        assert!(torn.next(PAYLOAD_LIMIT).unwrap().is_none());
        assert_eq!(torn.unread(), &alive[..9]);
        let mut long = Inbox::default();
        long.read_from(Chunked(&alive)).unwrap();
        assert!(matches!(long.next(3), Err(WireError::TooLong { length: 4, limit: 3 })));
    }

    #[test]
    fn a_small_message_does_not_keep_the_room_of_a_large_one() {
        let mut bytes = Vec::new();
        encode_from_worker(&mut bytes, &FromWorker::Alive, &[]).unwrap();
        let mut inbox = Inbox::default();
        assert_eq!(inbox.read_from(Chunked(&bytes)).unwrap(), Arrival::Rest);
        let (_, _, payload) = inbox.next(PAYLOAD_LIMIT).unwrap().unwrap();
        assert!(inbox.frames.is_empty() && !payload.is_empty());
        assert!(inbox.buffer.capacity() >= ROOM, "the room went with the message");
    }

    /// A pipe that contains these bytes and stays open.
    struct Chunked<'a>(&'a [u8]);

    impl Read for Chunked<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer) {
                Ok(0) => Err(io::ErrorKind::WouldBlock.into()),
                other => other,
            }
        }
    }
}
