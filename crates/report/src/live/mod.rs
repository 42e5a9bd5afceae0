//! Observers of a run in progress: they collect data for later, or show it.

pub(crate) mod collector;
pub(crate) mod machine_load;
pub(crate) mod progress;
pub(crate) mod progress_line;
pub(crate) mod span_collector;
pub(crate) mod terminal;
pub(crate) mod verbose;
