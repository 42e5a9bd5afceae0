//! The memory that a job holds, and whether it may hold more.
//!
//! A job holds the blocks of chunks that may have to be sent again, the results
//! that were accepted and are not yet written, and a fixed amount for every chunk
//! that is not completely delivered. A job may take more as long as it holds less
//! than its limit. It may also take more if it holds nothing, so that an item
//! larger than the window still gets through, alone. So a job never holds more than
//! its limit, plus one chunk, plus the results of what was in flight when the limit
//! was reached.
//!
//! Nothing that is needed to *free* memory ever waits for memory: a retry is part
//! of a block that the job holds already.

/// The cost of a chunk in addition to its bytes, until it is completely delivered:
/// the bookkeeping here and in the driver. Without it, a million tiny chunks behind
/// one slow item would count as nothing.
pub const CHUNK_OVERHEAD: u64 = 256;

#[derive(Debug)]
pub(crate) struct Window {
    limit: u64,
    held: u64,
}

impl Window {
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, held: 0 }
    }

    pub(crate) fn has_room(&self) -> bool {
        self.held < self.limit || self.held == 0
    }

    pub(crate) fn held(&self) -> u64 {
        self.held
    }

    pub(crate) fn take(&mut self, bytes: u64) {
        self.held = self.held.saturating_add(bytes);
    }

    /// Saturates: a driver that releases more than it was given must not wrap the
    /// counter around and block the window for the rest of the run.
    pub(crate) fn give_back(&mut self, bytes: u64) {
        self.held = self.held.saturating_sub(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_has_room_until_the_limit_is_reached() {
        let mut window = Window::new(10);
        window.take(9);
        assert!(window.has_room());
        window.take(1);
        assert!(!window.has_room());
        window.give_back(1);
        assert!(window.has_room());
    }

    #[test]
    fn an_empty_window_always_has_room() {
        let mut window = Window::new(0);
        assert!(window.has_room());
        window.take(1);
        assert!(!window.has_room());
        window.give_back(u64::MAX);
        assert_eq!(window.held(), 0);
        assert!(window.has_room());
    }
}
