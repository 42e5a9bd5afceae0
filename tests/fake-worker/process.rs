//! What the process turns into: the true worker, or one that says nothing more.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// What a test ordered.
pub(crate) fn setting(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The same process with another program: the coordinator can't tell.
pub(crate) fn become_true_worker() -> ! {
    let program = setting("FAKE_WORKER").expect("FAKE_WORKER");
    let error = Command::new(program).args(std::env::args_os().skip(1)).exec();
    panic!("the true worker can't be run: {error}");
}

/// Lives on and says nothing, until somebody ends it.
pub(crate) fn stay() -> ! {
    loop {
        std::thread::park();
    }
}
