//! A pool of buffers for encoded inputs.
//!
//! The caller's thread fills a buffer; the driver's thread drops it when all its
//! items have outcomes. If buffers were freed there and allocated here, the system
//! would clear their pages each time.

use bytes::Bytes;
use std::sync::{Arc, Mutex, PoisonError};

/// Buffers with less capacity are not kept, in bytes.
const LEAST_BYTES: usize = 16 << 10;
/// Buffers with more capacity are not kept, in bytes: a single item may have been
/// that large.
const MOST_BYTES: usize = 256 << 10;
/// The number of buffers that are kept, at most.
const KEPT: usize = 16;

/// Buffers that are not in use.
#[derive(Clone, Default)]
pub(crate) struct BufferPool(Arc<Mutex<Vec<Vec<u8>>>>);

/// A buffer that returns to its pool when its last part is dropped.
struct LentBuffer {
    bytes: Vec<u8>,
    home: BufferPool,
}

impl BufferPool {
    /// An empty buffer.
    pub(crate) fn take(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// The contents of a buffer, which returns to this pool afterwards.
    pub(crate) fn lend(&self, bytes: Vec<u8>) -> Bytes {
        if (LEAST_BYTES..=MOST_BYTES).contains(&bytes.capacity()) {
            Bytes::from_owner(LentBuffer { bytes, home: self.clone() })
        } else {
            bytes.into()
        }
    }
}

impl AsRef<[u8]> for LentBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for LentBuffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let mut kept = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_when_its_last_part_is_let_go() {
        let buffers = BufferPool::default();
        let mut buffer = buffers.take();
        buffer.extend_from_slice(&[7; LEAST_BYTES]);
        let place = buffer.as_ptr();
        let mut whole = buffers.lend(buffer);
        let part = whole.split_to(100);
        drop(whole);
        assert_eq!(buffers.take().capacity(), 0);
        assert_eq!(part[..], [7; 100]);
        drop(part);
        let again = buffers.take();
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
    }

    #[test]
    fn what_is_small_or_huge_or_too_many_is_not_kept() {
        let buffers = BufferPool::default();
        drop([buffers.lend(vec![0; LEAST_BYTES - 1]), buffers.lend(vec![0; MOST_BYTES + 1])]);
        assert!(buffers.0.lock().unwrap().is_empty());
        let many: Vec<Bytes> = (0..KEPT + 1).map(|_| buffers.lend(vec![0; LEAST_BYTES])).collect();
        drop(many);
        assert_eq!(buffers.0.lock().unwrap().len(), KEPT);
    }
}
