//! The logs of a round's calls: each item has its line, and only one.

use super::call::log_folder;
use super::plan::{Log, Plan};
use anyhow::{Context as _, Result, bail, ensure};
use std::fs;
use std::path::Path;

/// What the logs of a round's calls told.
pub(crate) struct Journal {
    log: Log,
    /// How often each item was logged, in all calls together.
    lines: Vec<u32>,
}

/// Whether a call's log was written to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    /// The call ended by itself.
    Whole,
    /// It was killed: a file's last line may be torn.
    Torn,
}

impl Journal {
    pub(crate) fn new(plan: &Plan) -> Self {
        let items = usize::try_from(plan.work.items).unwrap_or(usize::MAX);
        Self { log: plan.log, lines: vec![0; items] }
    }

    /// Reads a call's log.
    pub(crate) fn read(&mut self, folder: &Path, nth: usize, close: Close) -> Result<()> {
        let run = log_folder(folder, nth).join("run-1");
        if self.log == Log::Off || (close == Close::Torn && !run.exists()) {
            return Ok(());
        }
        let mut seen = vec![false; self.lines.len()];
        for entry in fs::read_dir(&run).with_context(|| format!("no log in {}", run.display()))? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let bytes = fs::read(&path)?;
            if name.ends_with(".stderr") {
                let said = String::from_utf8_lossy(&bytes);
                ensure!(!said.contains("panicked at"), "a worker panicked: {said}");
            } else if self.log == Log::Task && name.starts_with("worker-") {
                mark(&bytes, close, &mut seen).with_context(|| format!("in {}", path.display()))?;
            }
        }
        for (lines, seen) in self.lines.iter_mut().zip(seen) {
            *lines += u32::from(seen);
        }
        Ok(())
    }

    /// Whether every item was logged by one call or another.
    pub(crate) fn check(&self) -> Result<()> {
        match self.lines.iter().position(|&lines| lines == 0) {
            Some(item) if self.log == Log::Task => bail!("item {item} is in no log"),
            _ => Ok(()),
        }
    }
}

/// Marks the items that have a line, none of which may be marked already.
fn mark(bytes: &[u8], close: Close, seen: &mut [bool]) -> Result<()> {
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        if !line.ends_with(b"}\n") {
            ensure!(close == Close::Torn, "a torn line: {}", String::from_utf8_lossy(line));
            continue;
        }
        let Some(item) = item_of(line) else { continue };
        let mark = seen.get_mut(item).with_context(|| format!("there is no item {item}"))?;
        ensure!(!*mark, "item {item} was logged twice in a run");
        *mark = true;
    }
    Ok(())
}

/// The item of an item's line.
fn item_of(line: &[u8]) -> Option<usize> {
    let rest = line.strip_prefix(b"{\"item\":")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(bytes: &[u8], close: Close) -> Result<Vec<bool>> {
        let mut seen = vec![false; 3];
        mark(bytes, close, &mut seen).map(|()| seen)
    }

    #[test]
    fn each_item_may_have_one_line() {
        let lines = b"{\"item\":2,\"input\":\"x\"}\n{\"item\":0}\n";
        assert_eq!(marked(lines, Close::Whole).unwrap(), [true, false, true]);
        assert!(marked(b"{\"item\":1}\n{\"item\":1}\n", Close::Whole).is_err());
        assert!(marked(b"{\"item\":3}\n", Close::Whole).is_err());
    }

    #[test]
    fn only_a_killed_call_may_leave_a_torn_line() {
        assert_eq!(marked(b"{\"item\":1}\n{\"item\":2", Close::Torn).unwrap(), [false, true, false]);
        assert!(marked(b"{\"item\":1}\n{\"item\":2", Close::Whole).is_err());
    }
}
