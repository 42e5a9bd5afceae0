//! Bytes on their way out: many small pieces become one write, large ones are
//! written as they are; all are counted and digested.

use std::io::{self, Write};
use xxhash_rust::xxh3::Xxh3;

/// Small pieces wait until there are this many bytes of them.
pub(crate) const BUFFERED_BYTES: usize = 64 * 1024;
/// Pieces of this size are written without being copied.
const LARGE: usize = 16 * 1024;

/// Gathers, counts, digests and writes.
pub(crate) struct OutputBuffer {
    writer: Option<Box<dyn Write + Send>>,
    pending: Vec<u8>,
    /// How many bytes were given to it.
    pub(crate) bytes: u64,
    digest: Option<Box<Xxh3>>,
}

impl OutputBuffer {
    /// Writes to `writer`, if there is one.
    pub(crate) fn new(writer: Option<Box<dyn Write + Send>>, digest: bool) -> Self {
        let digest = digest.then(|| Box::new(Xxh3::new()));
        Self { writer, pending: Vec::new(), bytes: 0, digest }
    }

    /// Goes on with an output that has so many bytes of this digest.
    pub(crate) fn resume(writer: Option<Box<dyn Write + Send>>, bytes: u64, digest: Box<Xxh3>) -> Self {
        Self { writer, pending: Vec::new(), bytes, digest: Some(digest) }
    }

    /// Takes a piece; what is small may wait for [`Self::flush`].
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

    /// Whether small pieces wait to be written.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Writes what waits.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let result = write_all(writer, &self.pending);
        self.pending.clear();
        result
    }

    /// Nothing more is written, whatever comes; it is still counted and digested.
    pub(crate) fn stop_writing(&mut self) {
        self.writer = None;
        self.pending.clear();
    }

    /// Writes what waits and lets the writer go.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.flush()?;
        self.writer.take().map_or(Ok(()), |mut writer| writer.flush())
    }

    /// XXH3-128 of everything so far, if it was asked for.
    pub(crate) fn digest(&self) -> Option<u128> {
        self.digest.as_ref().map(|digest| digest.digest128())
    }
}

fn write_all(writer: &mut Box<dyn Write + Send>, bytes: &[u8]) -> io::Result<()> {
    // Goes on after short writes and interruptions.
    if bytes.is_empty() { Ok(()) } else { writer.write_all(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Remembers each write, takes at most seven bytes of every third and is
    /// interrupted at every fifth.
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
