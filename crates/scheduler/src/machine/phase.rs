//! How far the life of the pool has got.

/// How far the life of the pool has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PoolPhase {
    /// Jobs may come.
    Open,
    /// No more will come; those that are open are being done.
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

    /// Whether work is given out.
    pub(crate) fn is_running(self) -> bool {
        matches!(self, Self::Open | Self::Closing)
    }
}
