//! Tasks that start a process of the user's program for each item, or for each
//! block of lines.

mod runner;
mod stderr_tail;
mod task;

pub(crate) use runner::ProgramCall;
pub(crate) use task::{PerItem, PerItemRules};
