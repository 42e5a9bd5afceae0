//! What a task still has to say if its process has to end in the middle of an item.

/// What a task knows of the running item.
pub trait LastLines: Send + Sync {
    /// The last lines that the item's program wrote, for the message of the item's
    /// failure; may be empty. Passes everything else that is known to the log.
    fn take(&self) -> String;
}
