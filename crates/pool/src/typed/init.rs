//! `init`: turns a process that was started as a worker into one.

use super::initializer::set_up_worker;
use crate::jobs::{entry_at, prepare};
use crate::worker::{Role, become_program, become_worker, serve_role};
use procession_task::{BlockTask, Identity, JobSpec};
use std::io::Write as _;

/// Turns this process into a worker if a pool has started it as one. To be called
/// first thing in `main`, before any thread is started.
///
/// A pool starts this program again for each worker. In such a process `init`
/// serves the pool and never returns. In any other process it only notes that pools
/// of processes may be built.
///
/// ```
/// fn main() -> Result<(), procession::PoolError> {
///     procession::init();
///     let pool = procession::Pool::builder().procs(2).build()?;
///     assert_eq!(pool.map(f64::sqrt, [4.0]).next(), Some(Ok(2.0)));
///     Ok(())
/// }
/// ```
pub fn init() {
    let mut args = std::env::args_os().skip(1);
    let Some(role) = Role::from_args(&mut args) else {
        return become_program();
    };
    // Only for users who list processes: an error is ignored.
    let _ = procession_sys::show_own_name();
    become_worker();
    let set_up = args.collect::<Vec<_>>();
    let served = serve_role(role, Vec::new(), &make, || set_up_worker(&set_up));
    if let Err(error) = &served {
        // A full disk under standard error is no reason to panic.
        let _ = writeln!(std::io::stderr(), "{error}");
    }
    std::process::exit(i32::from(served.is_err()));
}

fn make(job: &JobSpec, _: Identity) -> Result<Box<dyn BlockTask>, String> {
    let [address, packed] = &job.arguments[..] else {
        return Err(no_task(&job.task));
    };
    prepare(entry_at(address)?, packed)
}

pub(crate) fn no_task(name: &str) -> String {
    format!("this program runs functions of its own, and has no task '{name}'")
}
