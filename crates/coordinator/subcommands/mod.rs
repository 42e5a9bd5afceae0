//! The subcommands that run no task. Each makes a text, so that it can be tested
//! without a terminal.

mod columns;
mod completions;
mod cpus;
mod inspect;
mod man;
mod tasks;

use crate::args::Subcommand;
use crate::console;
use crate::environment::machine::MachineInfo;
use crate::exit::{Refusal, Status};

/// Carries out a subcommand.
///
/// # Errors
/// Why it can't be carried out.
pub(crate) fn answer(subcommand: Subcommand) -> Result<Status, Refusal> {
    let text = match subcommand {
        Subcommand::Inspect(flags) => return Ok(inspect::answer(&flags)),
        Subcommand::Tasks { worker, json } => return tasks::answer(worker.as_deref(), json),
        Subcommand::Cpus { json: true } => cpus::json(&MachineInfo::look()).into_bytes(),
        Subcommand::Cpus { json: false } => cpus::text(&MachineInfo::look()).into_bytes(),
        Subcommand::Completions { shell } => completions::script(shell),
        Subcommand::Man { dir } => return man::write(&dir),
    };
    Ok(console::print(&text))
}
