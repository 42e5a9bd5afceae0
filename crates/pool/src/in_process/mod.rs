//! The same work without processes: on threads of this process, or in a plain
//! loop on one thread.
//!
//! The blocks, the task's code, the order and the events are those of a pool of
//! processes, so that a comparison differs in the boundary between processes and
//! in nothing else. What needs that boundary is not available here: an item that
//! crashes ends the whole program, and no limit can be enforced.

mod notify;
mod observers;

mod job_control;
mod running_jobs;
mod work_queue;

mod thread_worker;

mod job_run;

mod backend;

#[cfg(test)]
mod tests;

pub use backend::InProcess;
pub use job_run::MakeThreadTask;
