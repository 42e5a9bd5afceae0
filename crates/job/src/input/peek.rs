//! Examines the first bytes of a stream, no more than are needed to identify
//! it: a stream that pauses after its first line is not waited for.

use std::io::{self, Read};

/// The longest beginning that is examined, in bytes.
const LONGEST: usize = 4;

/// A reader whose first bytes can be examined.
pub(crate) struct PeekReader<R> {
    head: [u8; LONGEST],
    /// The part of `head` that was read from the stream but not yet returned.
    from: usize,
    to: usize,
    inner: R,
}

impl<R: Read> PeekReader<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { head: [0; LONGEST], from: 0, to: 0, inner }
    }

    /// Which of these beginnings the stream has, if any. Must be called before
    /// anything is read.
    pub(crate) fn begins_with(&mut self, beginnings: &[&[u8]]) -> io::Result<Option<usize>> {
        loop {
            let head = &self.head[self.from..self.to];
            if let Some(found) = beginnings.iter().position(|beginning| head.starts_with(beginning)) {
                return Ok(Some(found));
            }
            let needed = beginnings.iter().filter(|beginning| beginning.starts_with(head)).map(|b| b.len()).min();
            let Some(needed) = needed else { return Ok(None) };
            match self.inner.read(&mut self.head[self.to..needed]) {
                Ok(0) => return Ok(None),
                Ok(read) => self.to += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Skips bytes that were examined.
    pub(crate) fn pass(&mut self, bytes: usize) {
        self.from = (self.from + bytes).min(self.to);
    }
}

impl<R: Read> Read for PeekReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.from == self.to {
            return self.inner.read(into);
        }
        let length = into.len().min(self.to - self.from);
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
        let mut peek = PeekReader::new(&b"\xef\xbb\xbf2"[..]);
        assert_eq!(peek.begins_with(&[b"\xef\xbb\xbf"]).unwrap(), Some(0));
        peek.pass(3);
        let mut all = Vec::new();
        peek.read_to_end(&mut all).unwrap();
        assert_eq!(all, b"2");
    }
}
