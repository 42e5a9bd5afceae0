//! Measures how the coordinator's threads spend a run: the input thread, the
//! driver and the output thread. Each is always in exactly one phase.

use crate::mutex::lock;
use procession::{DriverTimes, Event, Observer, Stopwatch, WatchPhase};
use procession_task::CoordinatorTimes;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the input thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InputPhase {
    /// It has not begun, or has read everything.
    Idle,
    /// Reading and cutting.
    Reading,
    /// Waiting for room in the queue.
    Waiting,
}

impl WatchPhase for InputPhase {
    fn number(self) -> usize {
        self as usize
    }
}

/// The stopwatch of the input thread. That thread may still wait for input when
/// the run has ended.
#[derive(Clone, Debug)]
pub(crate) struct InputStopwatch(Arc<Mutex<Stopwatch<InputPhase, 3>>>);

impl Default for InputStopwatch {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Stopwatch::start(InputPhase::Idle))))
    }
}

impl InputStopwatch {
    pub(crate) fn switch(&self, phase: InputPhase) {
        lock(&self.0).switch(phase);
    }

    /// The times spent reading and waiting for room until now.
    fn spent(&self) -> (Duration, Duration) {
        let mut watch = lock(&self.0);
        let phase = watch.phase();
        watch.switch(phase);
        (watch.spent(InputPhase::Reading), watch.spent(InputPhase::Waiting))
    }
}

/// What the output thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputPhase {
    /// Waiting for results.
    Waiting,
    /// Hashing, buffering and writing.
    Writing,
}

impl WatchPhase for OutputPhase {
    fn number(self) -> usize {
        self as usize
    }
}

/// The stopwatch of the output thread.
pub(crate) type OutputStopwatch = Stopwatch<OutputPhase, 2>;

/// Receives the driver's times at the end of the run.
#[derive(Debug, Default)]
pub(crate) struct DriverTimesObserver(Arc<Mutex<Option<DriverTimes>>>);

/// The times that a [`DriverTimesObserver`] has received.
pub(crate) type SharedDriverTimes = Arc<Mutex<Option<DriverTimes>>>;

impl DriverTimesObserver {
    pub(crate) fn new() -> (Self, SharedDriverTimes) {
        let times_received = SharedDriverTimes::default();
        (Self(Arc::clone(&times_received)), times_received)
    }
}

impl Observer for DriverTimesObserver {
    fn on_event(&mut self, event: &Event) {
        if let Event::RunEnded { driver, .. } = event {
            *lock(&self.0) = *driver;
        }
    }
}

/// How the coordinator's threads spent a run, read from their stopwatches.
pub(crate) fn coordinator_times(
    input: &InputStopwatch,
    driver: &SharedDriverTimes,
    output: &mut OutputStopwatch,
) -> CoordinatorTimes {
    let (reading, input_waiting) = input.spent();
    let phase = output.phase();
    output.switch(phase);
    let driver: Option<DriverTimes> = *lock(driver);
    let of_driver = |part: fn(&DriverTimes) -> Duration| driver.as_ref().map(|times| part(times).as_secs_f64());
    CoordinatorTimes {
        reading_s: reading.as_secs_f64(),
        input_waiting_s: input_waiting.as_secs_f64(),
        spawning_s: of_driver(|times| times.spawning),
        transport_s: of_driver(|times| times.transport),
        order_s: of_driver(|times| times.order),
        driver_waiting_s: of_driver(|times| times.waiting),
        writing_s: output.spent(OutputPhase::Writing).as_secs_f64(),
        output_waiting_s: output.spent(OutputPhase::Waiting).as_secs_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_each_thread_are_reported() {
        let (mut observer, times_received) = DriverTimesObserver::new();
        let sent = DriverTimes { order: Duration::from_secs(1), ..DriverTimes::default() };
        observer.on_event(&Event::RunEnded { at: Duration::ZERO, driver: Some(sent) });
        let (input, mut output) = (InputStopwatch::default(), OutputStopwatch::start(OutputPhase::Waiting));
        input.switch(InputPhase::Reading);
        input.switch(InputPhase::Waiting);
        output.switch(OutputPhase::Writing);
        let times = coordinator_times(&input, &times_received, &mut output);
        let of_driver = [times.spawning_s, times.transport_s, times.order_s, times.driver_waiting_s];
        assert_eq!(of_driver, [Some(0.0), Some(0.0), Some(1.0), Some(0.0)]);
        let parts = [times.reading_s, times.input_waiting_s, times.writing_s, times.output_waiting_s];
        assert!(parts.iter().all(|part| *part > 0.0), "{times:?}");
        // The time of a thread that still reads is counted until now.
        assert!(coordinator_times(&input, &times_received, &mut output).input_waiting_s > times.input_waiting_s);
    }
}
