//! Bytes that were read and not yet passed on.

use std::io::{self, Read};

/// Reads up to `most` bytes more behind those that are held; returns how many came, 0
/// at the end. A read that a signal interrupts is repeated.
pub(crate) fn read_more(reader: &mut (impl Read + ?Sized), held: &mut Vec<u8>, most: usize) -> io::Result<usize> {
    let before = held.len();
    held.resize(before + most, 0);
    loop {
        match reader.read(&mut held[before..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => {
                held.truncate(before + *result.as_ref().unwrap_or(&0));
                return result;
            }
        }
    }
}

/// Bytes that wait to be read.
#[derive(Debug, Default)]
pub(crate) struct ReadyBytes {
    pub(crate) bytes: Vec<u8>,
    /// How many of them were given.
    given: usize,
}

impl From<Vec<u8>> for ReadyBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, given: 0 }
    }
}

impl ReadyBytes {
    /// Whether all of them were given.
    pub(crate) fn is_empty(&self) -> bool {
        self.given == self.bytes.len()
    }

    /// Gives as many as fit; returns their number.
    pub(crate) fn give(&mut self, into: &mut [u8]) -> usize {
        let length = (self.bytes.len() - self.given).min(into.len());
        into[..length].copy_from_slice(&self.bytes[self.given..self.given + length]);
        self.given += length;
        length
    }
}

/// Gives its bytes in pieces of this length, for tests.
#[cfg(test)]
pub(crate) struct Pieces<'a>(pub(crate) &'a [u8], pub(crate) usize);

#[cfg(test)]
impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.1.min(into.len()).min(self.0.len());
        into[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        Ok(length)
    }
}
