//! Copies streams to temporary files, so that the input can be read again.

use super::file::CopyFailed;
use super::open::Input;
use super::segment::InputSegment;
use crate::error::InputError;
use std::ops::ControlFlow;
use std::sync::Arc;

impl Input {
    /// Copies streams to unnamed temporary files, so that the input can be read
    /// again; only as many items as `size` (or the size of the options) needs.
    /// Must be called before any source is made. Returns when everything was
    /// copied.
    ///
    /// # Errors
    /// The input can't be read, or the temporary file can't be written.
    pub fn spool(&mut self, size: Option<u64>) -> Result<(), InputError> {
        let Some(inner) = Arc::get_mut(&mut self.inner) else { return Ok(()) };
        let limit = size.or(inner.options.size).filter(|_| inner.options.shuffle.is_none());
        let wanted = limit.map(|size| size.saturating_add(inner.options.skip));
        let (mut items, mut index) = (0u64, 0);
        let is_done = |items: u64| wanted.is_some_and(|wanted| items >= wanted);
        for at in 0..inner.files.len() {
            if !inner.files[at].is_stream() && wanted.is_none() {
                continue;
            }
            if is_done(items) {
                inner.files[at].forget_stream();
                continue;
            }
            let file = tempfile::tempfile().map_err(InputError::Spool)?;
            let copy = Some(file.try_clone().map_err(InputError::Spool)?);
            let input_file = &inner.files[at];
            let mut count = |segment: InputSegment| {
                items += segment.items;
                if is_done(items) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let _ = inner.read(input_file, &mut index, &Arc::default(), copy, &mut count).map_err(spool_error)?;
            if inner.files[at].is_stream() {
                let bytes = file.metadata().map_err(InputError::Spool)?.len();
                inner.files[at].replace(file, bytes);
            }
        }
        Ok(())
    }
}

fn spool_error(error: InputError) -> InputError {
    match error {
        InputError::Read { name, error } => match error.downcast::<CopyFailed>() {
            Ok(CopyFailed(error)) => InputError::Spool(error),
            Err(error) => InputError::Read { name, error },
        },
        other => other,
    }
}
