//! The state machine: [`Scheduler`] and the handlers of its events.

mod answer;
mod death;
mod dispatch;
mod ending;
mod invariants;
mod job_events;
mod phase;
mod scheduler;
mod start;
#[cfg(test)]
mod test_rig;

pub use scheduler::Scheduler;
