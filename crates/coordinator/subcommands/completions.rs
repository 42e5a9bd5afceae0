//! `coordinator completions`: the completion script for a shell.

use crate::args;
use clap_complete::Shell;

/// Makes the script.
pub(super) fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "coordinator", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_have_flags_and_subcommands() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = String::from_utf8(script(shell)).unwrap();
            assert!(script.contains("start-timeout") && script.contains("inspect"), "{shell}");
        }
    }
}
