//! Frames: marker (4 bytes), payload length (4), CRC-32 of the payload (4),
//! payload. Integers are little-endian.
//!
//! Each direction has its own marker, so that a program that only echoes its input
//! is detected at its first frame.

use crate::error::WireError;
use std::ops::Range;

/// Bytes before the payload.
pub const HEAD_BYTES: usize = 12;

/// Longest payload. A record may carry an item and its result, each up to
/// 16 MiB and each up to six times longer when escaped, and a log line.
pub const PAYLOAD_LIMIT: u32 = 256 << 20;

/// Longest block of a chunk, in bytes: a payload without room for the longest header
/// of a chunk.
pub const BLOCK_LIMIT: usize = PAYLOAD_LIMIT as usize - 1024;

/// Longest payload of a worker's first frame, its hello, in bytes: a program that
/// has not yet identified itself as a worker may not send more.
pub const HELLO_LIMIT: u32 = 64 << 10;

/// How many unexpected bytes an error message shows at most.
const SHOWN_BYTES: usize = 64;

/// The direction in which a frame travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The coordinator to a worker.
    ToWorker,
    /// A worker to the coordinator.
    FromWorker,
}

impl Direction {
    /// The marker that begins every frame of this direction.
    #[must_use]
    pub const fn marker(self) -> [u8; 4] {
        match self {
            Self::ToWorker => *b"\xA9pw>",
            Self::FromWorker => *b"\xA9pw<",
        }
    }
}

/// Begins a frame at the end of `out`. The caller appends the payload next, then
/// calls [`end`] with the returned offset.
pub fn begin(out: &mut Vec<u8>, direction: Direction) -> usize {
    let at = out.len();
    out.extend_from_slice(&direction.marker());
    out.extend_from_slice(&[0; 8]);
    at
}

/// Ends the frame that begins at `at`, whose payload is the rest of `out`
/// followed by `tails`, which are sent after `out` without being copied into it.
///
/// # Errors
/// A payload over [`PAYLOAD_LIMIT`]; `out` is cut back to `at`.
pub fn end(out: &mut Vec<u8>, at: usize, tails: &[&[u8]]) -> Result<(), WireError> {
    let payload = at + HEAD_BYTES;
    let length = (out.len() - payload + tails.iter().map(|t| t.len()).sum::<usize>()) as u64;
    let Some(short) = u32::try_from(length).ok().filter(|&l| l <= PAYLOAD_LIMIT) else {
        out.truncate(at);
        return Err(WireError::TooLong { length, limit: u64::from(PAYLOAD_LIMIT) });
    };
    let mut crc = crc32fast::Hasher::new();
    crc.update(&out[payload..]);
    for tail in tails {
        crc.update(tail);
    }
    out[at + 4..at + 8].copy_from_slice(&short.to_le_bytes());
    out[at + 8..at + 12].copy_from_slice(&crc.finalize().to_le_bytes());
    Ok(())
}

/// Whether some bytes are a whole frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// Not yet: at least this many bytes are needed in all.
    Needs(usize),
    /// A whole frame: the range of its payload. The next frame begins at the
    /// range's end.
    Frame(Range<usize>),
}

/// Looks for a frame at the beginning of `bytes`. The marker and the length are
/// checked as soon as their bytes are there, before anything is allocated for the
/// payload.
///
/// # Errors
/// The bytes are no frame of this direction, the payload is longer than `limit`
/// bytes, or the checksum does not match.
pub fn parse(bytes: &[u8], direction: Direction, limit: u32) -> Result<Parsed, WireError> {
    let marker = direction.marker();
    let known = bytes.len().min(marker.len());
    if bytes[..known] != marker[..known] {
        return Err(WireError::Marker(show(bytes)));
    }
    let Some(head) = bytes.first_chunk::<HEAD_BYTES>() else {
        return Ok(Parsed::Needs(HEAD_BYTES));
    };
    let field = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let length = field(4);
    if length > limit {
        return Err(WireError::TooLong { length: u64::from(length), limit: u64::from(limit) });
    }
    let end = HEAD_BYTES + length as usize;
    let Some(payload) = bytes.get(HEAD_BYTES..end) else {
        return Ok(Parsed::Needs(end));
    };
    if crc32fast::hash(payload) != field(8) {
        return Err(WireError::Checksum);
    }
    Ok(Parsed::Frame(HEAD_BYTES..end))
}

/// The first of these bytes, escaped for a terminal.
#[must_use]
pub fn show(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(SHOWN_BYTES)];
    format!("\"{}\"{}", head.escape_ascii(), if head.len() < bytes.len() { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(payload: &[u8], tail: &[u8]) -> Vec<u8> {
        let mut out = b"before".to_vec();
        let at = begin(&mut out, Direction::FromWorker);
        out.extend_from_slice(payload);
        end(&mut out, at, &[tail]).unwrap();
        out.extend_from_slice(tail);
        out.split_off(6)
    }

    fn parsed(bytes: &[u8]) -> Result<Parsed, WireError> {
        parse(bytes, Direction::FromWorker, 1000)
    }

    #[test]
    fn a_frame_is_found_once_it_is_whole() {
        let bytes = framed(b"pay", b"load");
        for end in 0..bytes.len() {
            let needs = if end < HEAD_BYTES { HEAD_BYTES } else { bytes.len() };
            assert_eq!(parsed(&bytes[..end]), Ok(Parsed::Needs(needs)), "{end}");
        }
        assert_eq!(parsed(&bytes), Ok(Parsed::Frame(12..19)));
        let mut more = bytes.clone();
        more.extend_from_slice(b"next");
        assert_eq!(parsed(&more), Ok(Parsed::Frame(12..19)));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let bytes = framed(b"payload", b"");
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(!matches!(parsed(&bad), Ok(Parsed::Frame(_))), "bit {bit}");
        }
    }

    #[test]
    fn an_echo_and_garbage_are_no_frames() {
        let echo = framed(b"x", b"");
        assert!(matches!(parse(&echo, Direction::ToWorker, 1000), Err(WireError::Marker(_))));
        let error = parsed(b"Hello\x1b[31m world").unwrap_err().to_string();
        assert_eq!(error, "no frame begins here: \"Hello\\x1b[31m world\"");
        assert!(matches!(parsed(b"y"), Err(WireError::Marker(_))));
    }

    #[test]
    fn a_length_is_checked_as_soon_as_the_head_is_there() {
        for (length, ok) in [(0u32, true), (1000, true), (1001, false), (u32::MAX, false)] {
            let mut head = Direction::FromWorker.marker().to_vec();
            head.extend_from_slice(&length.to_le_bytes());
            head.extend_from_slice(&[0; 4]);
            assert_eq!(parsed(&head).is_ok(), ok, "{length}");
        }
    }
}
