//! What observers hear, and the stopwatches by which threads tell where their
//! time goes.

mod stopwatch;

mod phases;

mod events;

pub use events::{Accepted, Event, Exit, Observer, WorkerExit, WorkerRef};
pub use phases::DriverTimes;
pub use stopwatch::{Stopwatch, WatchPhase};

pub(crate) use phases::{DriverPhase, DriverWatch, WorkerPhase, WorkerWatch};
