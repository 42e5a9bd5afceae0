//! Reads the lines of a file one at a time.

use crate::log::error::LogError;
use crate::log::private_file::open_file;
use procession_task::LOGGED_FAILED_BYTES;
use serde::de::IgnoredAny;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Bytes of the read buffer.
const BUFFER: usize = 256 << 10;
/// Longest line in bytes: the longest input of a failed item, of which each byte needs
/// six as JSON, with the other fields.
const MAX_LINE: u64 = 6 * LOGGED_FAILED_BYTES as u64 + (1 << 20);

/// Calls `visit` with each line of a file, without the line feed. An incomplete
/// last line is skipped: its writer was killed.
///
/// # Errors
/// The file can't be read, a line is too long, or `visit` returns an error.
pub(crate) fn visit_lines<E: From<LogError>>(path: &Path, visit: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    let file = open_file(path).map_err(LogError::io("reading", path))?;
    visit_lines_of(BufReader::with_capacity(BUFFER, file), path, visit)
}

/// Like [`visit_lines`], for a reader of the file at `path`.
///
/// # Errors
/// As for [`visit_lines`].
#[doc(hidden)]
pub fn visit_lines_of<E: From<LogError>>(
    mut reader: impl BufRead,
    path: &Path,
    mut visit: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut line = Vec::new();
    loop {
        line.clear();
        reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(LogError::io("reading", path))?;
        if line.pop_if(|last| *last == b'\n').is_some() {
            visit(&line)?;
            continue;
        }
        if line.len() as u64 == MAX_LINE {
            let problem = format!("a line of more than {MAX_LINE} bytes");
            return Err(LogError::Malformed { path: path.to_owned(), problem }.into());
        }
        // End of file. The rest is empty, an incomplete line, or a line without a line feed.
        if serde_json::from_slice::<IgnoredAny>(&line).is_ok() {
            visit(&line)?;
        }
        return Ok(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(contents: &[u8]) -> Vec<String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), contents).unwrap();
        let mut lines = Vec::new();
        let visited = visit_lines(file.path(), |line| {
            lines.push(String::from_utf8(line.to_vec()).unwrap());
            Ok::<_, LogError>(())
        });
        visited.unwrap();
        lines
    }

    #[test]
    fn incomplete_lines_are_skipped() {
        let whole = "{\"item\":1,\"input\":\"ä\"}";
        let two = format!("{whole}\n{whole}");
        for cut in 0..=two.len() {
            let expected = usize::from(cut > whole.len() || cut == whole.len()) + usize::from(cut == two.len());
            assert_eq!(lines(&two.as_bytes()[..cut]).len(), expected, "cut at {cut}");
        }
        assert!(lines(b"").is_empty());
    }
}
