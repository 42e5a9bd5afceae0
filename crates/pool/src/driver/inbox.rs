//! Bytes that came from a worker, until they make up frames.
//!
//! A frame's blocks are handed out as slices of the buffer they were read
//! into: what a worker wrote is not copied again until it is written out.

use bytes::{Bytes, BytesMut};
use procession_wire::frame::{Direction, PAYLOAD_LIMIT, Parsed, parse};
use procession_wire::{FromWorker, Tails, WireError, decode_from_worker};
use std::io::{self, Read};

/// First room for what comes; most workers never need more.
const FIRST_ROOM: usize = 16 << 10;
/// Room once a read has filled what there was.
const ROOM: usize = 256 << 10;

#[derive(Debug, Default)]
pub(super) struct Inbox {
    buffer: BytesMut,
    /// What the next read has room for, at least.
    room: usize,
}

/// What a read brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// This many bytes; there may be more.
    Bytes(usize),
    /// Nothing at the moment.
    Nothing,
    /// The other end is closed.
    End,
}

impl Inbox {
    /// Reads once.
    pub(super) fn read_from(&mut self, mut pipe: impl Read) -> io::Result<Arrival> {
        let held = self.buffer.len();
        let room = self.room.max(FIRST_ROOM);
        self.buffer.resize(held + room, 0);
        let result = loop {
            match pipe.read(&mut self.buffer[held..]) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let count = *result.as_ref().unwrap_or(&0);
        self.buffer.truncate(held + count);
        if count == room {
            self.room = ROOM;
        }
        match result {
            Ok(0) => Ok(Arrival::End),
            Ok(n) => Ok(Arrival::Bytes(n)),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(Arrival::Nothing),
            Err(e) => Err(e),
        }
    }

    /// The next whole message, with the payload that its blocks stand in.
    pub(super) fn next(&mut self) -> Result<Option<(FromWorker, Tails, Bytes)>, WireError> {
        match parse(&self.buffer, Direction::FromWorker, PAYLOAD_LIMIT)? {
            Parsed::Needs(bytes) => {
                // A long frame is read in as few steps as its pipe allows.
                self.room = self.room.max(bytes.saturating_sub(self.buffer.len()).min(ROOM));
                Ok(None)
            }
            Parsed::Frame(payload) => {
                let frame = self.buffer.split_to(payload.end).freeze();
                let payload = frame.slice(payload);
                let (message, tails) = decode_from_worker(&payload)?;
                Ok(Some((message, tails, payload)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession_wire::encode_from_worker;

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
                assert_eq!(inbox.read_from(piece).unwrap(), Arrival::Bytes(piece.len()));
                while let Some((message, _, _)) = inbox.next().unwrap() {
                    let FromWorker::Refused { job, .. } = message else { panic!("{message:?}") };
                    jobs.push(job);
                }
            }
            assert_eq!(jobs, (0..50).collect::<Vec<_>>());
            assert_eq!(inbox.read_from(&b""[..]).unwrap(), Arrival::End);
        }
    }
}
