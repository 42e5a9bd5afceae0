//! The events that observers receive, and the stopwatches with which threads
//! measure their phases.

mod stopwatch;

mod phases;

mod events;

pub use events::{Accepted, Event, Exit, Observer, WorkerExit, WorkerRef};
pub use phases::DriverTimes;
pub use stopwatch::{Stopwatch, WatchPhase};

pub(crate) use phases::{DriverPhase, DriverWatch, WorkerPhase, WorkerWatch};
