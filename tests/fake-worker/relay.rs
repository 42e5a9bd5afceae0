//! A relay before the true worker that loses, swaps or repeats one of the worker's
//! frames. Each frame that arrives is valid.

use crate::process::setting;
use crate::speech::say;
use procession_wire::frame::{HEAD_BYTES, PAYLOAD_LIMIT};
use std::io::Read as _;
use std::process::{Command, Stdio};

/// What the relay does with one frame.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum RelayFault {
    /// It is lost.
    Lose,
    /// The next one overtakes it.
    Swap,
    /// It arrives twice.
    Repeat,
}

/// Passes the true worker's frames on, with this fault at the frame with this number;
/// the hello is frame 0.
pub(crate) fn relay(fault: RelayFault, at: usize) -> ! {
    let mut args: Vec<_> = std::env::args_os().skip(1).collect();
    if let Some(parent) = args.get_mut(1) {
        *parent = std::process::id().to_string().into();
    }
    let program = setting("FAKE_WORKER").expect("FAKE_WORKER");
    let mut worker = Command::new(program).args(args).stdout(Stdio::piped()).spawn().expect("the true worker starts");
    let mut pipe = worker.stdout.take().expect("its output");
    let mut next = || {
        let mut frame = vec![0; HEAD_BYTES];
        pipe.read_exact(&mut frame).ok()?;
        let length = u32::from_le_bytes([frame[4], frame[5], frame[6], frame[7]]);
        assert!(length <= PAYLOAD_LIMIT, "no frame of a worker");
        frame.resize(HEAD_BYTES + length as usize, 0);
        pipe.read_exact(&mut frame[HEAD_BYTES..]).ok()?;
        Some(frame)
    };
    for number in 0.. {
        let Some(frame) = next() else { break };
        match fault {
            RelayFault::Lose if number == at => {}
            RelayFault::Swap if number == at => {
                next().iter().for_each(|overtaking| say(overtaking));
                say(&frame);
            }
            RelayFault::Repeat if number == at => say(&frame.repeat(2)),
            _ => say(&frame),
        }
    }
    std::process::exit(worker.wait().expect("its status").code().unwrap_or(1))
}
