//! The one place that knows bincode.
//!
//! Fixed-width little-endian integers: with variable ones the limit would
//! charge eight bytes for each. The limit holds while decoding, before
//! anything is allocated, and every byte of the slice must be used.

use crate::WireError;
use serde::{Deserialize, Serialize};

/// Longest header, in bytes: failures with their messages are the largest part.
pub const HEADER_LIMIT: usize = 64 << 20;

fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_little_endian().with_fixed_int_encoding().with_limit::<HEADER_LIMIT>()
}

/// Appends `value` to `out`; says how many bytes it took.
///
/// # Errors
/// A value that serde can't serialize (a map of unknown length, say).
pub fn encode<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<usize, WireError> {
    bincode::serde::encode_into_std_write(value, out, config()).map_err(|e| WireError::Codec(e.to_string()))
}

/// Reads a value from the front of `bytes`; says how many bytes it took.
///
/// # Errors
/// Anything that is no such value, or is larger than [`HEADER_LIMIT`].
pub fn decode_front<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<(T, usize), WireError> {
    bincode::serde::borrow_decode_from_slice(bytes, config()).map_err(|e| WireError::Codec(e.to_string()))
}

/// Reads a value that takes up all of `bytes`.
///
/// # Errors
/// As [`decode_front`], and if bytes are left over.
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, WireError> {
    let (value, used) = decode_front(bytes)?;
    if used == bytes.len() {
        Ok(value)
    } else {
        Err(WireError::Codec(format!("{} bytes follow the value", bytes.len() - used)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_take_all_their_bytes() {
        let mut bytes = Vec::new();
        assert_eq!(encode(&(7u32, "ab"), &mut bytes), Ok(14));
        assert_eq!(decode::<(u32, String)>(&bytes), Ok((7, "ab".to_owned())));
        bytes.push(0);
        assert!(decode::<(u32, String)>(&bytes).is_err());
        assert_eq!(decode_front::<(u32, &str)>(&bytes), Ok(((7, "ab"), 14)));
    }

    #[test]
    fn inner_lengths_do_not_allocate() {
        let mut bytes = Vec::new();
        encode(&(1u64 << 60), &mut bytes).unwrap();
        assert!(decode::<Vec<u8>>(&bytes).is_err());
        assert!(decode::<String>(&bytes).is_err());
    }
}
