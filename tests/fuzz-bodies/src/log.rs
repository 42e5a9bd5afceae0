//! Lines of a log: any bytes are either read line by line or refused, and what is
//! shown of them holds no terminal control sequences.

use procession_report::LogError;
use procession_report::read::{LogLine, item_index, visit_lines_of};
use std::path::Path;

/// Reads the bytes as a file of lines.
pub fn log(bytes: &[u8]) {
    let path = Path::new("f");
    let mut visited = 0;
    let ended = visit_lines_of(bytes, path, |line| {
        assert!(!line.contains(&b'\n'));
        visited += 1;
        look_at(line, path);
        Ok::<_, LogError>(())
    });
    ended.expect("short lines, and nothing to fail");
    let whole = bytes.iter().filter(|&&byte| byte == b'\n').count();
    assert!(visited == whole || visited == whole + 1);
}

fn look_at(line: &[u8], path: &Path) {
    match LogLine::parse(line, path) {
        Ok(LogLine::Item(item)) => {
            assert!(item_index(line).is_none_or(|index| index == item.item), "two indices");
            let _ = item.whole_input();
            for shown in [item.shown_input(), item.shown_outcome()] {
                assert!(!shown.contains(char::is_control), "{shown:?}");
            }
        }
        Ok(LogLine::Chunk(_) | LogLine::Attempt(_) | LogLine::Note(_)) => {}
        Err(error) => assert!(!error.to_string().contains(char::is_control), "{error:?}"),
    }
}
