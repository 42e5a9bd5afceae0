//! Tasks whose program is a coprocess: started once per worker, asked one line
//! for each item, and ended with its task.

mod buffering_detector;
mod codec;
mod command;
mod line_buffer;
mod program;
mod stderr_forwarder;
mod task;
mod walk;

#[cfg(test)]
mod tests;

pub(crate) use codec::{Asked, Codec, Said};
pub(crate) use command::{CoprocessCommand, c_strings};
pub(crate) use task::CoprocessTask;
