//! Messages: a message that was read gives the same bytes when it is written.

use procession_wire::{decode_from_worker, decode_to_worker, encode_from_worker, encode_to_worker, frame::HEAD_BYTES};

/// Reads the bytes as a message of either direction.
pub fn message(bytes: &[u8]) {
    if let Ok((message, tails)) = decode_from_worker(bytes) {
        let blocks = [&bytes[tails.main], &bytes[tails.log], &bytes[tails.shown]];
        let mut again = Vec::new();
        encode_from_worker(&mut again, &message, &blocks).expect("it was a message");
        blocks.iter().for_each(|block| again.extend_from_slice(block));
        assert_eq!(&again[HEAD_BYTES..], bytes);
    }
    if let Ok((message, tails)) = decode_to_worker(bytes) {
        let block = &bytes[tails.main];
        let mut again = Vec::new();
        encode_to_worker(&mut again, &message, block).expect("it was a message");
        again.extend_from_slice(block);
        assert_eq!(&again[HEAD_BYTES..], bytes);
    }
}
