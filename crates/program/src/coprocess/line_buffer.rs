//! Lines as they come out of a pipe, at flat memory: of a line that is longer
//! than it may be only the length is kept.

use crate::drain::ReadOutcome;
use std::io::Read;

/// What a read asks for: all that a pipe usually holds.
const READ_BYTES: usize = 64 * 1024;

/// What was read and not yet taken.
#[derive(Debug)]
pub(super) struct LineBuffer {
    buffer: Vec<u8>,
    /// What was not taken lies between these two.
    start: usize,
    end: usize,
    /// Up to here there is no line feed.
    searched: usize,
    /// Bytes of the line that is being read and is known to be too long.
    dropped: usize,
    longest: usize,
}

/// A line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OutputLine<'a> {
    /// As it came.
    Whole(&'a [u8]),
    /// It had so many bytes, more than it may have.
    TooLong(usize),
}

impl LineBuffer {
    pub(super) fn new(longest: usize) -> Self {
        Self { buffer: Vec::new(), start: 0, end: 0, searched: 0, dropped: 0, longest }
    }

    /// How long a line may be from now on.
    pub(super) fn limit(&mut self, longest: usize) {
        self.longest = longest;
    }

    /// Reads once what there is.
    pub(super) fn read(&mut self, mut from: impl Read) -> ReadOutcome {
        self.make_room();
        // Nothing can be read from a pipe that can't be read.
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

    /// Takes the next line that is complete.
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

    /// Whether there is anything that was not taken, be it only a part of a line.
    pub(super) fn has_rest(&self) -> bool {
        self.start < self.end || self.dropped > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;

    /// What is taken of these pieces, each read by itself.
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
    fn lines_come_whole_however_they_are_cut() {
        let (all, lines) = taken(9, &["one\n\ntw", "o\r\nth", "re", "e\nrest"]);
        assert_eq!(all, ["one", "", "two\r", "three"]);
        assert!(lines.has_rest());
        let (all, lines) = taken(9, &["one\n"]);
        assert_eq!((all.len(), lines.has_rest()), (1, false));
    }

    #[test]
    fn of_a_line_that_is_too_long_only_its_length_is_kept() {
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
    fn an_end_is_told_from_nothing_yet() {
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
