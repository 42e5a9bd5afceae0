//! What the cases share.

use procession::{Pool, Task, TaskError};
use serde::{Deserialize, Serialize};

/// A case and its name.
pub(crate) type Case = (&'static str, fn());

pub(crate) fn procs(count: u32) -> Pool {
    Pool::builder().procs(count).build().unwrap()
}

/// A pool of each kind.
pub(crate) fn all() -> [Pool; 3] {
    [procs(2), Pool::builder().threads(2).build().unwrap(), Pool::builder().serial().build().unwrap()]
}

/// A task with a setting.
#[derive(Serialize, Deserialize)]
pub(crate) struct Add(pub(crate) u64);

impl Task for Add {
    type Input = u64;
    type Output = u64;

    fn name(&self) -> &str {
        "add"
    }

    fn run(&self, input: u64) -> Result<u64, TaskError> {
        if input == 13 {
            return Err(TaskError::new("unlucky"));
        }
        Ok(input + self.0)
    }
}

/// What `/proc` says of a process; nothing if it is gone.
pub(crate) fn is_alive(pid: u32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}
