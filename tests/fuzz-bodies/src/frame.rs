//! Frames: the result of a parse does not depend on how many bytes have arrived,
//! and a frame that was written is read back.

use procession_wire::frame::{Direction, HEAD_BYTES, Parsed, begin, end, parse};

/// The longest payload that is accepted here.
const LIMIT: u32 = 1 << 20;

/// Looks for a frame in the bytes and in their beginnings, and frames them.
pub fn frame(bytes: &[u8]) {
    for direction in [Direction::ToWorker, Direction::FromWorker] {
        let whole = parse(bytes, direction, LIMIT);
        for held in 0..bytes.len().min(64) {
            match parse(&bytes[..held], direction, LIMIT) {
                Ok(Parsed::Needs(needs)) => assert!(needs > held && needs <= HEAD_BYTES + LIMIT as usize),
                Ok(Parsed::Frame(payload)) => {
                    assert!(payload.end <= held);
                    assert_eq!(whole, Ok(Parsed::Frame(payload)), "a frame became another");
                }
                Err(_) => assert!(whole.is_err(), "what was wrong became right"),
            }
        }
        found_again(bytes, direction);
    }
}

fn found_again(payload: &[u8], direction: Direction) {
    let (head, tail) = payload.split_at(payload.len() / 2);
    let mut out = Vec::new();
    let at = begin(&mut out, direction);
    out.extend_from_slice(head);
    end(&mut out, at, &[tail]).expect("it is short");
    out.extend_from_slice(tail);
    let found = parse(&out, direction, LIMIT.max(u32::try_from(payload.len()).expect("it is short")));
    assert_eq!(found, Ok(Parsed::Frame(HEAD_BYTES..out.len())));
    assert_eq!(&out[HEAD_BYTES..], payload);
}
