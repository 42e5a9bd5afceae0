//! The verbs that are complete in themselves: each makes a text from what it
//! finds, so that it can be tested without a terminal.

pub(crate) mod cpus;
pub(crate) mod inspect;
pub(crate) mod tasks;

use crate::exit::{self, Status};
use std::io::{self, ErrorKind, Write as _};

/// Prints a verb's answer. A reader that has seen enough (`| head -1`) is no error.
pub(crate) fn print(answer: &[u8]) -> Status {
    let mut out = io::stdout().lock();
    let printed = procession_sys::check_stdout().and_then(|()| out.write_all(answer)).and_then(|()| out.flush());
    printed.map_or_else(|error| unprinted(&error), |()| exit::SUCCESS)
}

/// An answer that could not be printed, or not to its end.
fn unprinted(error: &io::Error) -> Status {
    if error.kind() == ErrorKind::BrokenPipe {
        return exit::SUCCESS;
    }
    exit::say(format_args!("error: can't write to standard output: {error}"));
    exit::OUTPUT_FAILED
}

/// Lines of two columns or more, the first ones padded to the same width.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |cells: &[&str]| cells.iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>();
        let text = aligned(&[row(&["a", "bb", "c"]), row(&["äää", "b"])]);
        assert_eq!(text, "a    bb  c\näää  b\n");
    }
}
