//! The one place that knows bincode.
//!
//! Integers have a fixed width, little-endian: bincode's limit counts eight bytes
//! for each variable-width integer. The limit is checked while decoding, before
//! anything is allocated. Decoding returns the number of bytes that it consumed;
//! the caller checks that no byte is left over.

use crate::error::WireError;
use serde::{Deserialize, Serialize};

/// Longest header, in bytes: failures with their messages are the largest part.
pub const HEADER_LIMIT: usize = 64 << 20;

fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_little_endian().with_fixed_int_encoding().with_limit::<HEADER_LIMIT>()
}

/// Appends `value` to `out`; returns the number of bytes appended.
///
/// # Errors
/// A value that serde can't serialize, such as a map of unknown length.
pub fn encode<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<usize, WireError> {
    bincode::serde::encode_into_std_write(value, out, config()).map_err(|e| WireError::Codec(e.to_string()))
}

/// Reads a value from the beginning of `bytes`; returns the number of bytes read.
///
/// # Errors
/// The bytes are no such value, or the value is larger than [`HEADER_LIMIT`].
pub fn decode_front<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<(T, usize), WireError> {
    bincode::serde::borrow_decode_from_slice(bytes, config()).map_err(|e| WireError::Codec(e.to_string()))
}

/// Reads a value that takes up all of these bytes.
///
/// # Errors
/// The bytes are no such value, or bytes are left over.
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, WireError> {
    match decode_front(bytes)? {
        (value, used) if used == bytes.len() => Ok(value),
        (_, used) => Err(WireError::Codec(format!("{} bytes were left over", bytes.len() - used))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_say_how_many_bytes_they_take() {
        let mut bytes = Vec::new();
        assert_eq!(encode(&(7u32, "ab"), &mut bytes), Ok(14));
        bytes.push(0);
        assert_eq!(decode_front::<(u32, &str)>(&bytes), Ok(((7, "ab"), 14)));
        assert!(decode_front::<(u32, &str)>(&bytes[..13]).is_err());
        assert_eq!(decode::<(u32, &str)>(&bytes[..14]), Ok((7, "ab")));
        assert!(decode::<(u32, &str)>(&bytes).is_err());
    }

    #[test]
    fn inner_lengths_do_not_allocate() {
        let mut bytes = Vec::new();
        encode(&(1u64 << 60), &mut bytes).unwrap();
        assert!(decode_front::<Vec<u8>>(&bytes).is_err());
        assert!(decode_front::<String>(&bytes).is_err());
    }
}
