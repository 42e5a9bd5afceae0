//! The subcommands that are complete in themselves: each makes a text from what
//! it finds, so that it can be tested without a terminal.

mod columns;
mod cpus;
mod inspect;
mod tasks;

use crate::args::{self, Subcommand};
use crate::console;
use crate::environment::machine::MachineInfo;
use crate::exit::{Refusal, Status};

/// Answers a subcommand.
///
/// # Errors
/// It can't be answered, and why.
pub(crate) fn answer(subcommand: Subcommand) -> Result<Status, Refusal> {
    let text = match subcommand {
        Subcommand::Inspect(flags) => return Ok(inspect::answer(&flags)),
        Subcommand::Tasks { worker, json } => return tasks::answer(worker.as_deref(), json),
        Subcommand::Cpus { json: true } => cpus::json(&MachineInfo::look()).into_bytes(),
        Subcommand::Cpus { json: false } => cpus::text(&MachineInfo::look()).into_bytes(),
        Subcommand::Completions { shell } => args::completions(shell),
    };
    Ok(console::print(&text))
}
