//! Tasks that start a process of the user's program for each item, or for each
//! block of lines.

mod ok_statuses;
mod output_tail;
mod program_text;
mod runner;
mod task;

pub(crate) use ok_statuses::OK_STATUS;
pub(crate) use runner::ProgramCall;
pub(crate) use task::{PerItem, PerItemRules};
