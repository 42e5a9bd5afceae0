//! `coordinator man DIR`: the man pages, made from the definition of the flags.
//! Packagers call it; it is not listed.

use crate::args;
use crate::exit::{self, Refusal, Status};
use procession_task::escape_terminal;
use std::fs;
use std::io;
use std::path::Path;

/// Writes a page for the program and one for each subcommand.
///
/// # Errors
/// The folder can't be written.
pub(super) fn write(dir: &Path) -> Result<Status, Refusal> {
    match pages(dir) {
        Ok(()) => Ok(exit::SUCCESS),
        Err(error) => Err(Refusal::output(format!("{}: {error}", escape_terminal(dir.as_os_str().as_encoded_bytes())))),
    }
}

fn pages(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    clap_mangen::generate_to(args::command_of_manual(), dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_page_for_the_program_and_each_listed_subcommand() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("man");
        assert_eq!(write(&dir).unwrap(), exit::SUCCESS);
        let mut names: Vec<_> =
            fs::read_dir(&dir).unwrap().map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        let expected = ["-completions", "-cpus", "-demo", "-inspect", "-tasks", ""];
        assert_eq!(names, expected.map(|name| format!("coordinator{name}.1")));
        let page = fs::read_to_string(dir.join("coordinator.1")).unwrap();
        for word in ["start\\-timeout", "SH WORK", "SH FAULTS", "coordinator \\-\\-procs 4"] {
            assert!(page.contains(word), "{word}: {page}");
        }
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(write(&folder.path().join("file")).is_err());
    }
}
