//! Live output on standard error: whole lines, and a progress bar below them.
//!
//! All writers use one [`Terminal`] while a bar is drawn, so that lines and bar
//! never mix.

use crate::text::wrap;
use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Width that is used if the terminal reports none, in columns.
const COLUMNS: usize = 80;
/// Moves to the beginning of the line and clears it.
const CLEAR: &[u8] = b"\r\x1b[K";

/// A shared handle to standard error. Cheap to clone.
#[derive(Clone)]
pub struct Terminal(Arc<Mutex<Screen>>);

struct Screen {
    out: Box<dyn Write + Send>,
    /// Whether longer lines are broken at the width of the terminal.
    is_terminal: bool,
    /// The bar that is drawn, without a line feed; empty if there is none.
    bar: String,
    /// Buffer for one write, reused.
    buffer: Vec<u8>,
}

impl Terminal {
    /// Standard error.
    #[must_use]
    pub fn stderr() -> Self {
        Self::on(Box::new(io::stderr()), io::stderr().is_terminal())
    }

    /// Another writer, for tests.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self::on(out, false)
    }

    fn on(out: Box<dyn Write + Send>, is_terminal: bool) -> Self {
        Self(Arc::new(Mutex::new(Screen { out, is_terminal, bar: String::new(), buffer: Vec::new() })))
    }

    /// Prints a line above the bar. The text must be safe for a terminal. Errors of
    /// standard error are ignored.
    pub fn println(&self, text: &str) {
        let mut line = text.as_bytes().to_vec();
        line.push(b'\n');
        self.print_lines(&line);
    }

    /// Prints whole lines above the bar, each ended by a line feed.
    pub fn print_lines(&self, lines: &[u8]) {
        self.screen().draw(lines, None);
    }

    /// Draws this bar; an empty text removes the bar.
    pub(crate) fn set_bar(&self, bar: &str) {
        let mut screen = self.screen();
        if screen.bar != bar {
            screen.draw(b"", Some(bar));
        }
    }

    fn screen(&self) -> MutexGuard<'_, Screen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Screen {
    /// Uses a single write, so that a reader never sees half of a line.
    fn draw(&mut self, lines: &[u8], bar: Option<&str>) {
        self.buffer.clear();
        if !self.bar.is_empty() {
            self.buffer.extend_from_slice(CLEAR);
        }
        if self.is_terminal {
            self.buffer.extend_from_slice(&broken(lines, columns()));
        } else {
            self.buffer.extend_from_slice(lines);
        }
        if let Some(bar) = bar {
            bar.clone_into(&mut self.bar);
        }
        self.buffer.extend_from_slice(self.bar.as_bytes());
        // An error of standard error can't be reported anywhere.
        let _ = self.out.write_all(&self.buffer).and_then(|()| self.out.flush());
    }
}

/// The width of standard error's terminal.
pub(crate) fn columns() -> usize {
    terminal_size::terminal_size_of(io::stderr()).map_or(COLUMNS, |(width, _)| usize::from(width.0))
}

/// Lines with breaks between words, where the terminal would break them within a word.
fn broken(lines: &[u8], columns: usize) -> Vec<u8> {
    let text = String::from_utf8_lossy(lines);
    let lines: Vec<String> = text.split('\n').map(|line| wrap::broken(line, columns)).collect();
    lines.join("\n").into_bytes()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_between_words_on_a_terminal() {
        assert_eq!(broken(b"note: one two\n  three\n", 9), b"note: one\n  two\n  three\n");
    }

    /// Keeps what is written.
    #[derive(Clone, Default)]
    pub(crate) struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Paper {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_are_printed_above_the_bar() {
        let paper = Paper::default();
        let terminal = Terminal::new(Box::new(paper.clone()));
        terminal.println("before");
        terminal.set_bar("12 %");
        terminal.print_lines(b"a\nb\n");
        terminal.set_bar("12 %");
        terminal.set_bar("");
        terminal.println("after");
        assert_eq!(paper.text(), "before\n12 %\r\x1b[Ka\nb\n12 %\r\x1b[Kafter\n");
    }

    #[test]
    fn a_closed_stderr_is_ignored() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        Terminal::new(Box::new(Closed)).println("x");
    }
}
