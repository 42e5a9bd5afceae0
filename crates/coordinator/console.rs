//! Prints: answers to standard output, and everything for people to standard
//! error.

use crate::exit::{self, Status};
use procession_report::Style;
use procession_task::escape_terminal;
use std::io::{self, ErrorKind, Write as _};

/// Writes a line to standard error. If standard error is closed or full, the
/// exit status alone reports the failure: `eprintln!` would panic.
pub(crate) fn say(what: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{what}");
}

/// Writes an answer to standard output. A closed pipe (`| head -1`) is not an
/// error.
pub(crate) fn print(answer: &[u8]) -> Status {
    let mut out = io::stdout().lock();
    let printed = procession_sys::check_stdout().and_then(|()| out.write_all(answer)).and_then(|()| out.flush());
    printed.map_or_else(|error| unprinted(&error), |()| exit::SUCCESS)
}

/// Reports that standard output can't be written.
pub(crate) fn unprinted(error: &io::Error) -> Status {
    if error.kind() == ErrorKind::BrokenPipe {
        return exit::SUCCESS;
    }
    say(format_args!("error: can't write to standard output: {error}"));
    exit::OUTPUT_FAILED
}

/// Prints help, the version, or what is wrong with the command line. Control
/// characters in what was typed are escaped.
pub(crate) fn print_usage(error: &clap::Error) -> Status {
    // A closed pipe is not an error here either.
    if !error.use_stderr() {
        let _ = error.print();
        return exit::SUCCESS;
    }
    let plain = error.render().to_string();
    let lines: Vec<String> = plain.split('\n').map(|line| escape_terminal(line.as_bytes())).collect();
    let escaped = lines.join("\n");
    if escaped == plain {
        let _ = error.print();
    } else {
        say(format_args!("{}", escaped.trim_end()));
    }
    exit::USAGE
}

/// The style of text: coloured on a terminal, unless `NO_COLOR` is set.
pub(crate) fn style(is_terminal: bool) -> Style {
    Style { colour: is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) }
}
