//! Copies an input that can be read only once, if it is needed more than once.

use super::run::Ending;
use super::stopper::Stopper;
use crate::error::InputError;
use crate::input::Input;
use procession::raw::{Control, Request};
use procession_sys::start_thread;
use std::sync::mpsc;

/// Copies on a separate thread, so that a stop takes effect while the stream
/// pauses.
pub(super) fn spooled(mut input: Input, size: Option<u64>, stopper: &Stopper) -> Result<Input, Ending> {
    let (sender, receiver) = mpsc::channel();
    let stop = sender.clone();
    let _held = stopper.hold(Control::new(move |request| {
        if matches!(request, Request::Stop | Request::Kill) {
            let _ = stop.send(Err(Ending::Stopped));
        }
    }));
    let work = move || {
        let result = input.spool(size).map_err(Ending::Input);
        let _ = sender.send(result.map(|()| input));
    };
    let thread = start_thread("spool", None, work);
    thread.map_err(|error| Ending::Input(InputError::Thread(error)))?;
    receiver.recv().unwrap_or(Err(Ending::Stopped))
}
