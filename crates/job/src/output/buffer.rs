//! Buffers the output: many small pieces become one write, large pieces are
//! written directly. All bytes are counted and, if asked for, hashed.

use std::io::{self, Write};
use xxhash_rust::xxh3::Xxh3;

/// The size of the buffer in bytes.
pub(crate) const BUFFERED_BYTES: usize = 64 * 1024;
/// Pieces of at least this many bytes are written without being copied.
const LARGE: usize = 16 * 1024;

/// Buffers, counts, hashes and writes.
pub(crate) struct OutputBuffer {
    writer: Option<Box<dyn Write + Send>>,
    pending: Vec<u8>,
    /// How many bytes were put.
    pub(crate) bytes: u64,
    digest: Option<Box<Xxh3>>,
}

impl OutputBuffer {
    /// Writes to `writer`, if there is one.
    pub(crate) fn new(writer: Option<Box<dyn Write + Send>>, digest: bool) -> Self {
        let digest = digest.then(|| Box::new(Xxh3::new()));
        Self { writer, pending: Vec::new(), bytes: 0, digest }
    }

    /// Continues an output that has this many bytes with this hash state.
    pub(crate) fn resume(writer: Option<Box<dyn Write + Send>>, bytes: u64, digest: Box<Xxh3>) -> Self {
        Self { writer, pending: Vec::new(), bytes, digest: Some(digest) }
    }

    /// Adds a piece. Small pieces may stay in the buffer until [`Self::flush`].
    pub(crate) fn put(&mut self, piece: &[u8]) -> io::Result<()> {
        self.bytes += piece.len() as u64;
        if let Some(digest) = &mut self.digest {
            digest.update(piece);
        }
        if self.writer.is_none() {
            return Ok(());
        }
        if piece.len() >= LARGE || self.pending.len() + piece.len() > BUFFERED_BYTES {
            self.flush()?;
        }
        if piece.len() < LARGE {
            self.pending.extend_from_slice(piece);
            return Ok(());
        }
        self.writer.as_mut().map_or(Ok(()), |writer| write_all(writer, piece))
    }

    /// Whether the buffer has bytes that are not written.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Writes the buffer.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let result = write_all(writer, &self.pending);
        self.pending.clear();
        result
    }

    /// From now on nothing is written; bytes are still counted and hashed.
    pub(crate) fn stop_writing(&mut self) {
        self.writer = None;
        self.pending.clear();
    }

    /// Writes the buffer, then flushes and drops the writer.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.flush()?;
        self.writer.take().map_or(Ok(()), |mut writer| writer.flush())
    }

    /// The XXH3-128 hash of all bytes so far, if it was asked for.
    pub(crate) fn digest(&self) -> Option<u128> {
        self.digest.as_ref().map(|digest| digest.digest128())
    }
}

fn write_all(writer: &mut Box<dyn Write + Send>, bytes: &[u8]) -> io::Result<()> {
    // Continues after short writes and interruptions.
    if bytes.is_empty() { Ok(()) } else { writer.write_all(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Records each write. Every third takes at most seven bytes, every fifth
    /// is interrupted.
    #[derive(Clone, Default)]
    struct Fussy(Arc<Mutex<Vec<Vec<u8>>>>, u32);

    impl Write for Fussy {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1 += 1;
            if self.1.is_multiple_of(5) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let length = if self.1.is_multiple_of(3) { bytes.len().min(7) } else { bytes.len() };
            self.0.lock().unwrap().push(bytes[..length].to_vec());
            Ok(length)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_byte_is_written_once_and_in_few_writes() {
        let fussy = Fussy::default();
        let mut buffer = OutputBuffer::new(Some(Box::new(fussy.clone())), true);
        let mut expected = Vec::new();
        for n in 0..3000u32 {
            let piece = vec![n as u8; if n % 500 == 0 { 50_000 } else { 10 }];
            expected.extend_from_slice(&piece);
            buffer.put(&piece).unwrap();
        }
        buffer.finish().unwrap();
        let writes = fussy.0.lock().unwrap();
        assert_eq!(writes.concat(), expected);
        assert!(writes.len() < 30, "{}", writes.len());
        assert_eq!(buffer.bytes, expected.len() as u64);
        assert_eq!(buffer.digest(), Some(xxhash_rust::xxh3::xxh3_128(&expected)));
    }
}
