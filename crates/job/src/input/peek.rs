//! Examines the first bytes of a stream. No more reads are made than are needed
//! to identify it: a stream that pauses after its first line is not waited for.
//! A read takes what there is, so that the first read of a stream brings the same
//! bytes whether it was examined or not.

use super::held_bytes::read_more;
use std::io::{self, Read};

/// How many bytes a read takes.
const PIECE: usize = 64 * 1024;

/// A reader whose first bytes can be examined.
pub(crate) struct PeekReader<R> {
    /// What was read from the stream, and how much of it was returned.
    head: Vec<u8>,
    from: usize,
    inner: R,
}

impl<R: Read> PeekReader<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { head: Vec::new(), from: 0, inner }
    }

    /// Which of these beginnings the stream has, if any. Must be called before
    /// anything is read.
    pub(crate) fn begins_with(&mut self, beginnings: &[&[u8]]) -> io::Result<Option<usize>> {
        loop {
            let head = self.head();
            if let Some(found) = beginnings.iter().position(|beginning| head.starts_with(beginning)) {
                return Ok(Some(found));
            }
            if !beginnings.iter().any(|beginning| beginning.starts_with(head))
                || read_more(&mut self.inner, &mut self.head, PIECE)? == 0
            {
                return Ok(None);
            }
        }
    }

    /// What was read and not yet returned.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head[self.from..]
    }
}

impl<R: Read> Read for PeekReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.from == self.head.len() {
            // The memory is not needed any more.
            (self.head, self.from) = (Vec::new(), 0);
            return self.inner.read(into);
        }
        let length = into.len().min(self.head.len() - self.from);
        into[..length].copy_from_slice(&self.head[self.from..self.from + length]);
        self.from += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGINNINGS: [&[u8]; 2] = [b"\x1f\x8b\x08", b"PK\x03\x04"];

    /// Returns one byte at a time and must not be read after its last byte.
    struct Drops<'a>(&'a [u8], bool);

    impl Read for Drops<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            assert!(self.1 || !self.0.is_empty(), "a pausing stream was waited for");
            let length = into.len().min(1).min(self.0.len());
            into[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    #[test]
    fn no_more_bytes_are_read_than_needed() {
        for (text, found) in [
            (&b"2"[..], None),
            (b"\x1f\x8b\x08", Some(0)),
            (b"PK\x03\x04", Some(1)),
            (b"PK2", None),
            (b"\x1f\x8b\x07", None),
        ] {
            assert_eq!(PeekReader::new(Drops(text, false)).begins_with(&BEGINNINGS).unwrap(), found, "{text:?}");
        }
    }

    #[test]
    fn nothing_is_lost() {
        for text in [&b""[..], b"P", b"PK\x03", b"PK\x03\x04abc", b"2\n3\n"] {
            let mut peek = PeekReader::new(Drops(text, true));
            peek.begins_with(&BEGINNINGS).unwrap();
            let mut all = Vec::new();
            peek.read_to_end(&mut all).unwrap();
            assert_eq!(all, text);
        }
    }
}
