//! Prepares an input before a run: copies one that can be read only once, if it is
//! needed more than once, and waits for the heading of a table.

use super::run::Ending;
use super::stopper::Stopper;
use crate::error::InputError;
use crate::input::Input;
use crate::input::source::QueueSource;
use procession::raw::{Control, Request};
use procession_sys::start_thread;
use procession_task::TableSpec;
use std::sync::mpsc::{self, Sender};

/// Copies on a separate thread, so that a stop takes effect while the stream
/// pauses.
pub(super) fn spooled(mut input: Input, size: Option<u64>, stopper: &Stopper) -> Result<Input, Ending> {
    let (sender, receiver) = mpsc::channel();
    let _held = stopper.hold(sends_stop(sender.clone()));
    let work = move || {
        let result = input.spool(size).map_err(Ending::Input);
        let _ = sender.send(result.map(|()| input));
    };
    let thread = start_thread("spool", None, work);
    thread.map_err(|error| Ending::Input(InputError::Thread(error)))?;
    receiver.recv().unwrap_or(Err(Ending::Stopped))
}

/// Sends that the study was stopped.
fn sends_stop<T: Send + 'static>(to: Sender<Result<T, Ending>>) -> Control {
    Control::new(move |request| {
        if matches!(request, Request::Stop | Request::Kill) {
            let _ = to.send(Err(Ending::Stopped));
        }
    })
}

/// The table that the items come from, if they do. The source begins to read; a
/// stop takes effect while a stream pauses before its first record.
pub(super) fn table(input: &Input, source: &mut QueueSource, stopper: &Stopper) -> Result<Option<TableSpec>, Ending> {
    if input.options().table.is_none() {
        return Ok(None);
    }
    if let Some(table) = input.table() {
        return Ok(Some(table));
    }
    let (sender, receiver) = mpsc::channel();
    let _held = stopper.hold(sends_stop(sender.clone()));
    input.when_table_is_known(Box::new(move || {
        let _ = sender.send(Ok(()));
    }));
    source.start();
    receiver.recv().unwrap_or(Err(Ending::Stopped))?;
    Ok(input.table())
}
