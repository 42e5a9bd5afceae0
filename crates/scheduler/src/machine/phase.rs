//! The phases of the pool's life.

/// The phases of the pool's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PoolPhase {
    /// Jobs may come.
    Open,
    /// No more jobs may come; the open ones are being finished.
    Closing,
    /// Every worker is being ended.
    Ending,
    /// Every worker has ended.
    Closed,
}

impl PoolPhase {
    pub(crate) fn takes_jobs(self) -> bool {
        self == Self::Open
    }

    /// Whether work is sent.
    pub(crate) fn is_running(self) -> bool {
        matches!(self, Self::Open | Self::Closing)
    }
}
