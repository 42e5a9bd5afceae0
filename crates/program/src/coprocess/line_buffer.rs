//! Splits the bytes from a pipe into lines, in bounded memory: of a line that is
//! too long only the length is kept.

use crate::drain::ReadOutcome;
use std::io::Read;

/// The size of a read, in bytes: the usual capacity of a pipe.
const READ_BYTES: usize = 64 * 1024;

/// Bytes that were read and not yet taken.
#[derive(Debug)]
pub(super) struct LineBuffer {
    buffer: Vec<u8>,
    /// The bytes that were not taken are in `start..end`.
    start: usize,
    end: usize,
    /// There is no line feed before this position.
    searched: usize,
    /// The number of dropped bytes of a current line that is too long.
    dropped: usize,
    longest: usize,
}

/// A line without its line feed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OutputLine<'a> {
    /// The complete line.
    Whole(&'a [u8]),
    /// A line of this many bytes, which is longer than allowed.
    TooLong(usize),
}

impl LineBuffer {
    pub(super) fn new(longest: usize) -> Self {
        Self { buffer: Vec::new(), start: 0, end: 0, searched: 0, dropped: 0, longest }
    }

    /// Sets the maximum length of a line.
    pub(super) fn limit(&mut self, longest: usize) {
        self.longest = longest;
    }

    /// Reads once.
    pub(super) fn read(&mut self, mut from: impl Read) -> ReadOutcome {
        self.make_room();
        // An unreadable pipe counts as ended.
        let (end, bytes) = ReadOutcome::of(&mut from, &mut self.buffer[self.end..]).unwrap_or((ReadOutcome::End, 0));
        self.end += bytes;
        end
    }

    fn make_room(&mut self) {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.searched -= self.start;
            self.start = 0;
        }
        if self.buffer.len() < self.end + READ_BYTES {
            self.buffer.resize(self.end + READ_BYTES, 0);
        }
    }

    /// Takes the next complete line.
    pub(super) fn next(&mut self) -> Option<OutputLine<'_>> {
        let Some(found) = memchr::memchr(b'\n', &self.buffer[self.searched..self.end]) else {
            self.searched = self.end;
            if self.dropped > 0 || self.end - self.start > self.longest {
                self.dropped += self.end - self.start;
                self.start = self.end;
            }
            return None;
        };
        let (start, feed) = (self.start, self.searched + found);
        let length = std::mem::take(&mut self.dropped) + (feed - start);
        self.start = feed + 1;
        self.searched = self.start;
        Some(if length > self.longest {
            OutputLine::TooLong(length)
        } else {
            OutputLine::Whole(&self.buffer[start..feed])
        })
    }

    /// Whether there are bytes that were not taken, even an incomplete line.
    pub(super) fn has_rest(&self) -> bool {
        self.start < self.end || self.dropped > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;

    /// The lines of these pieces, each read separately.
    fn taken(longest: usize, pieces: &[&str]) -> (Vec<String>, LineBuffer) {
        let mut lines = LineBuffer::new(longest);
        let mut taken = Vec::new();
        for piece in pieces {
            assert_eq!(lines.read(piece.as_bytes()), ReadOutcome::Some);
            while let Some(line) = lines.next() {
                taken.push(match line {
                    OutputLine::Whole(line) => String::from_utf8(line.to_vec()).unwrap(),
                    OutputLine::TooLong(bytes) => format!("({bytes})"),
                });
            }
        }
        (taken, lines)
    }

    #[test]
    fn lines_are_complete_however_reads_split_them() {
        let (all, lines) = taken(9, &["one\n\ntw", "o\r\nth", "re", "e\nrest"]);
        assert_eq!(all, ["one", "", "two\r", "three"]);
        assert!(lines.has_rest());
        let (all, lines) = taken(9, &["one\n"]);
        assert_eq!((all.len(), lines.has_rest()), (1, false));
    }

    #[test]
    fn only_the_length_of_a_line_that_is_too_long_is_kept() {
        let (all, lines) = taken(3, &["abc\nabcd\nab", "cd", "efg\nx\nabcdefgh"]);
        assert_eq!(all, ["abc", "(4)", "(7)", "x"]);
        assert!(lines.has_rest(), "though nothing of it is held");
        let mut lines = LineBuffer::new(1000);
        let piece = [b'x'; 4096];
        for _ in 0..1000 {
            assert_eq!(lines.read(&piece[..]), ReadOutcome::Some);
            assert_eq!(lines.next(), None);
        }
        assert!(lines.buffer.len() <= 3 * READ_BYTES, "{}", lines.buffer.len());
        assert_eq!(lines.read(&b"\n"[..]), ReadOutcome::Some);
        assert_eq!(lines.next(), Some(OutputLine::TooLong(4_096_000)));
    }

    #[test]
    fn end_of_file_is_distinguished_from_no_bytes_yet() {
        assert_eq!(LineBuffer::new(1).read(&b""[..]), ReadOutcome::End);
        struct Empty;
        impl Read for Empty {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(ErrorKind::WouldBlock.into())
            }
        }
        assert_eq!(LineBuffer::new(1).read(Empty), ReadOutcome::Nothing);
    }
}
