//! A queue between the driver and a thread that writes.

pub(crate) mod budget;
pub(crate) mod queue;
pub(crate) mod until_error;
