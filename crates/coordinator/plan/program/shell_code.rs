//! Finds the words after `--` that a shell would run as code: the text behind the
//! `-c` of a shell, and the command of `ssh`.

use std::ops::Range;

/// Shells, by the names of their files.
const SHELLS: [&str; 9] = ["sh", "bash", "dash", "ksh", "zsh", "ash", "mksh", "rbash", "ksh93"];

/// Programs whose arguments are the name and the arguments of another program.
const LAUNCHERS: [&str; 36] = [
    "env",
    "timeout",
    "nice",
    "nohup",
    "setsid",
    "stdbuf",
    "time",
    "ionice",
    "chrt",
    "taskset",
    "numactl",
    "sudo",
    "doas",
    "su",
    "runuser",
    "setpriv",
    "chroot",
    "unshare",
    "nsenter",
    "flock",
    "busybox",
    "toybox",
    "sshpass",
    "docker",
    "podman",
    "kubectl",
    "apptainer",
    "singularity",
    "srun",
    "mpirun",
    "mpiexec",
    "xargs",
    "find",
    "strace",
    "systemd-run",
    "xvfb-run",
];

/// The options of `ssh` with a value.
const OF_SSH: &[u8] = b"BbcDEeFIiJLlmOopPQRSWw";

/// Words that become code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ShellCode {
    /// The word behind the `-c` of the shell of this name.
    Text { shell: String, at: usize },
    /// The words that `ssh` joins and has the shell of another machine run.
    Ssh { words: Range<usize> },
    /// A line that `env -S` splits into words.
    EnvLine { at: usize },
}

impl ShellCode {
    /// Everything in these words that becomes code.
    pub(super) fn find(words: &[Vec<u8>]) -> Vec<Self> {
        let Some(program) = words.first() else { return Vec::new() };
        let reach = if LAUNCHERS.contains(&file_name(program)) { words.len() } else { 1 };
        (0..reach).filter_map(|at| Self::of(words, at)).collect()
    }

    /// The code of the program whose name is at this position.
    fn of(words: &[Vec<u8>], at: usize) -> Option<Self> {
        let is_option_value = at > 0 && matches!(&words[at - 1][..], b"-e" | b"--rsh");
        match file_name(&words[at]) {
            shell if SHELLS.contains(&shell) => {
                Some(Self::Text { shell: shell.to_owned(), at: text_of_shell(words, at + 1)? })
            }
            "ssh" if !is_option_value => {
                let command = command_of_ssh(words, at + 1);
                (command < words.len()).then_some(Self::Ssh { words: command..words.len() })
            }
            "env" => {
                let is_line = |word: &Vec<u8>| word.starts_with(b"-S") || word.starts_with(b"--split-string");
                let option = at + 1 + words[at + 1..].iter().position(is_line)?;
                let is_alone = matches!(&words[option][..], b"-S" | b"--split-string");
                let line = option + usize::from(is_alone);
                (line < words.len()).then_some(Self::EnvLine { at: line })
            }
            _ => None,
        }
    }

    /// The positions of its words.
    pub(super) fn words(&self) -> Range<usize> {
        match self {
            Self::Text { at, .. } | Self::EnvLine { at } => *at..*at + 1,
            Self::Ssh { words } => words.clone(),
        }
    }
}

/// The part after the last slash; empty if it is not UTF-8.
fn file_name(path: &[u8]) -> &str {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    std::str::from_utf8(name).unwrap_or_default()
}

/// The position of the text behind `-c`, in the arguments of a shell from `at` on:
/// the first word that is no option.
fn text_of_shell(words: &[Vec<u8>], mut at: usize) -> Option<usize> {
    let mut has_text = false;
    while let Some(word) = words.get(at) {
        match &word[..] {
            b"-" | b"--" => {
                at += 1;
                break;
            }
            b"--rcfile" | b"--init-file" => at += 2,
            [b'-', b'-', ..] => at += 1,
            [sign @ (b'-' | b'+'), letters @ ..] if !letters.is_empty() => {
                has_text |= *sign == b'-' && letters.contains(&b'c');
                // The name of an option follows.
                at += if letters.iter().any(|letter| matches!(letter, b'o' | b'O')) { 2 } else { 1 };
            }
            _ => break,
        }
    }
    (has_text && at < words.len()).then_some(at)
}

/// The position of the command in the arguments of `ssh` from `at` on: behind the
/// host.
fn command_of_ssh(words: &[Vec<u8>], mut at: usize) -> usize {
    while let Some([b'-', letters @ ..]) = words.get(at).map(Vec::as_slice) {
        let with_value = letters.iter().position(|letter| OF_SSH.contains(letter));
        at += if with_value.is_some_and(|position| position + 1 == letters.len()) { 2 } else { 1 };
    }
    at + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Vec<u8>> {
        line.split_whitespace().map(|word| word.as_bytes().to_vec()).collect()
    }

    /// The words that are code, as one text.
    fn code(line: &str) -> Vec<String> {
        let words = words(line);
        let text = |code: &ShellCode| String::from_utf8(words[code.words()].join(&b' ')).unwrap();
        ShellCode::find(&words).iter().map(text).collect()
    }

    #[test]
    fn the_text_of_a_shell_is_found_behind_its_options() {
        for line in [
            "sh -c CODE",
            "/bin/sh -c CODE _ {}",
            "bash -lc CODE",
            "bash -ec CODE x",
            "bash --norc -x -c CODE",
            "bash --rcfile f -c -e CODE",
            "zsh -eo pipefail -c CODE",
            "dash -c -- CODE",
            "ksh +x -c CODE",
            "env sh -c CODE",
            "env -i A=1 B={} bash -c CODE",
            "timeout -k 5 10 /usr/bin/bash -c CODE",
            "nice -n 5 nohup sh -c CODE",
            "env timeout 5 nice bash -lc CODE",
            "sudo -u me docker exec box sh -c CODE",
            "env -S CODE",
            "env --split-string CODE",
            "ssh host CODE",
            "ssh -p 22 -i key -o BatchMode=yes me@host CODE",
            "ssh -tp22 host CODE",
            "timeout 9 ssh -n host CODE",
        ] {
            assert_eq!(code(line), ["CODE"], "{line}");
        }
        assert_eq!(code("ssh host wc -l {}"), ["wc -l {}"]);
    }

    #[test]
    fn other_words_are_no_code() {
        for line in [
            "sh script.sh -c {}",
            "sh {}",
            "bash -e script {}",
            "sh -c",
            "grep sh -c {}",
            "echo bash -c {}",
            "ssh {}",
            "ssh -p 22 host",
            "rsync -e ssh {} host:",
            "nice rsync -e ssh {} host:",
            "python3 -c {}",
            "env A={} wc {}",
            "",
        ] {
            assert_eq!(code(line), Vec::<String>::new(), "{line}");
        }
    }
}
