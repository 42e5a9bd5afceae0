//! Faults before or instead of the hello.

use crate::fault::AtStart;
use crate::process::{become_true_worker, stay};
use crate::relay::relay;
use crate::speech::{frame, hello, say};
use nix::fcntl::{FcntlArg, fcntl};
use procession_wire::{FromWorker, Hello};
use std::io::Write as _;

/// Longer than anything that is to be shown or kept.
const LONG: usize = 1 << 20;

pub(crate) fn commit(fault: &AtStart) -> ! {
    match fault {
        AtStart::Nothing => {}
        AtStart::Errors(bytes) => {
            let line = format!("{}\n", "e".repeat(79));
            let text = line.repeat(bytes.div_ceil(line.len()));
            std::io::stderr().write_all(text.as_bytes()).expect("standard error");
        }
        AtStart::SmallPipes => {
            for pipe in [std::io::stdin().lock().by_fd(), std::io::stdout().lock().by_fd()] {
                pipe.expect("a smaller pipe");
            }
        }
        AtStart::Late(ms) => std::thread::sleep(std::time::Duration::from_millis(*ms)),
        AtStart::Silent => stay(),
        AtStart::Raw(bytes) => {
            say(bytes);
            stay()
        }
        AtStart::RawEnd(bytes) => {
            say(bytes);
            std::process::exit(0)
        }
        AtStart::RawFlood(bytes) => flood(bytes),
        AtStart::Version(protocol) => greet(&Hello { protocol: *protocol, ..hello() }, &[]),
        AtStart::VersionChanges(protocol) => greet(&Hello { protocol: *protocol, ..hello() }, &[hello()]),
        AtStart::VersionLong(protocol) => {
            greet(&Hello { protocol: *protocol, version: "v".repeat(LONG), ..hello() }, &[]);
        }
        AtStart::HostLong => greet(&Hello { host: "h".repeat(LONG), ..hello() }, &[]),
        AtStart::Relay(fault, at) => relay(*fault, *at),
        AtStart::Close => {
            close_pipes();
            stay()
        }
    }
    become_true_worker()
}

/// Says these, and stays.
fn greet(first: &Hello, more: &[Hello]) -> ! {
    let all = std::iter::once(first).chain(more);
    say(&all.flat_map(|hello| frame(&FromWorker::Hello(hello.clone()))).collect::<Vec<u8>>());
    stay()
}

/// Writes this over and over.
pub(crate) fn flood(bytes: &[u8]) -> ! {
    let many = bytes.repeat(64 * 1024 / bytes.len().max(1) + 1);
    loop {
        say(&many);
    }
}

/// Nobody can reach it by its pipes any more, nor does it say anything.
pub(crate) fn close_pipes() {
    for fd in [0, 1] {
        nix::unistd::close(fd).expect("a pipe is closed");
    }
}

/// A standard stream whose pipe is to be small.
trait Small {
    fn by_fd(self) -> nix::Result<i32>;
}

impl<F: std::os::fd::AsFd> Small for F {
    fn by_fd(self) -> nix::Result<i32> {
        fcntl(self, FcntlArg::F_SETPIPE_SZ(4096))
    }
}
