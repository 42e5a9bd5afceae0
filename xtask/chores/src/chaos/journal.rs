//! The logs of a round's calls: each item has its line, and only one.
//!
//! A coordinator that is killed takes with it what its log had not written yet,
//! also of items whose results are in the output: of a killed call only what is
//! there is checked. The call that completes the output must have logged all
//! items from where it began.

use super::call::log_folder;
use super::plan::{Log, RoundPlan};
use anyhow::{Context as _, Result, bail, ensure};
use std::fs;
use std::path::Path;

/// How a call ended, as far as its log is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    /// The output is complete.
    Complete,
    /// It ended by itself before that.
    Short,
    /// It was killed: a file's last line may be torn.
    Torn,
}

/// Checks a call's log.
pub(crate) fn check(plan: &RoundPlan, folder: &Path, nth: usize, close: Close) -> Result<()> {
    let run = log_folder(folder, nth).join("run-1");
    // A call may be killed before it has begun, or find that the one before was
    // killed when all was done, and do nothing.
    let may_lack = close == Close::Torn || nth > 0;
    if plan.log == Log::Off || (may_lack && !run.exists()) {
        return Ok(());
    }
    let mut seen = vec![false; usize::try_from(plan.work.items)?];
    for entry in fs::read_dir(&run).with_context(|| format!("no log in {}", run.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = fs::read(&path)?;
        if name.ends_with(".stderr") {
            let said = String::from_utf8_lossy(&bytes);
            ensure!(!said.contains("panicked at"), "a worker panicked: {said}");
        } else if plan.log == Log::Task && name.starts_with("worker-") {
            mark(&bytes, close, &mut seen).with_context(|| format!("in {}", path.display()))?;
        }
    }
    if plan.log == Log::Task && close == Close::Complete {
        check_complete(&seen, nth)?;
    }
    Ok(())
}

/// All items were logged, or, by a call that may have resumed, all from one on.
fn check_complete(seen: &[bool], nth: usize) -> Result<()> {
    let begin = if nth == 0 { 0 } else { seen.iter().position(|&seen| seen).unwrap_or(seen.len()) };
    match seen[begin..].iter().position(|&seen| !seen) {
        Some(missing) => bail!("item {} is not in the log", begin + missing),
        None => Ok(()),
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

    #[test]
    fn the_last_call_logs_all_from_where_it_began() {
        assert!(check_complete(&[false, true, true], 1).is_ok());
        assert!(check_complete(&[false, true, true], 0).is_err());
        assert!(check_complete(&[true, false, true], 1).is_err());
    }

    fn marked(bytes: &[u8], close: Close) -> Result<Vec<bool>> {
        let mut seen = vec![false; 3];
        mark(bytes, close, &mut seen).map(|()| seen)
    }

    #[test]
    fn each_item_may_have_one_line() {
        let lines = b"{\"item\":2,\"input\":\"x\"}\n{\"item\":0}\n";
        assert_eq!(marked(lines, Close::Short).unwrap(), [true, false, true]);
        assert!(marked(b"{\"item\":1}\n{\"item\":1}\n", Close::Short).is_err());
        assert!(marked(b"{\"item\":3}\n", Close::Short).is_err());
    }

    #[test]
    fn only_a_killed_call_may_leave_a_torn_line() {
        assert_eq!(marked(b"{\"item\":1}\n{\"item\":2", Close::Torn).unwrap(), [false, true, false]);
        assert!(marked(b"{\"item\":1}\n{\"item\":2", Close::Short).is_err());
    }
}
