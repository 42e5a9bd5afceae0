//! One side of a comparison: a command, and how its time is taken.

use anyhow::{Context as _, Result, ensure};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// A command to be measured.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    /// What to call it.
    pub(crate) name: String,
    program: OsString,
    args: Vec<OsString>,
    timing: Timing,
    cleared: Vec<PathBuf>,
}

/// Which seconds count.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Timing {
    /// From the command's start to its end.
    Wall,
    /// Those that it prints, as its last line.
    Printed,
    /// Those until the last of this number of workers was ready, by the log in this
    /// folder.
    Ready { log: PathBuf, workers: usize },
}

impl Side {
    /// A command whose whole wall time counts.
    pub(crate) fn wall(name: &str, program: impl Into<OsString>) -> Self {
        let (program, args, cleared) = (program.into(), Vec::new(), Vec::new());
        Self { name: name.to_owned(), program, args, timing: Timing::Wall, cleared }
    }

    /// A command that prints the seconds that count, as its last line.
    pub(crate) fn reported(name: &str, program: impl Into<OsString>) -> Self {
        Self { timing: Timing::Printed, ..Self::wall(name, program) }
    }

    /// A coordinator that logs to this folder, and whose seconds count until
    /// the last of this number of workers is ready.
    pub(crate) fn ready(name: &str, program: impl Into<OsString>, log: &Path, workers: u32) -> Self {
        let timing = Timing::Ready { log: log.to_owned(), workers: workers as usize };
        let timed = Self { timing, ..Self::wall(name, program) };
        timed.clearing(log).words("--log chunk --log-dir").arg(log)
    }

    /// The same under another name.
    pub(crate) fn called(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// Its arguments, cut at blanks.
    pub(crate) fn words(mut self, line: &str) -> Self {
        self.args.extend(line.split_whitespace().map(OsString::from));
        self
    }

    /// One more argument.
    pub(crate) fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// A file or folder that is removed before every run, outside the time taken.
    pub(crate) fn clearing(mut self, path: &Path) -> Self {
        self.cleared.push(path.to_owned());
        self
    }

    /// The command, with its files cleared away; nothing is read or shown.
    pub(crate) fn prepared(&self) -> Result<Command> {
        for path in &self.cleared {
            clear(path).with_context(|| format!("can't remove {}", path.display()))?;
        }
        let mut command = Command::new(&self.program);
        command.args(&self.args).stdin(Stdio::null()).stdout(Stdio::null());
        Ok(command)
    }

    /// Runs it once; the seconds it took.
    pub(crate) fn measure(&self, messages: &Path) -> Result<f64> {
        let mut command = self.prepared()?;
        if self.timing == Timing::Printed {
            command.stdout(Stdio::piped());
        }
        command.stderr(File::create(messages).context("can't keep a command's messages")?);
        let start = Instant::now();
        let output = command.spawn().and_then(std::process::Child::wait_with_output);
        let wall = start.elapsed().as_secs_f64();
        let output = output.with_context(|| format!("can't run {}", self.name))?;
        let said = fs::read_to_string(messages).unwrap_or_default();
        ensure!(output.status.success(), "{} ended with {}: {}", self.name, output.status, last_lines(&said, 3));
        match &self.timing {
            Timing::Wall => Ok(wall),
            Timing::Ready { log, workers } => last_ready(log, *workers),
            Timing::Printed => {
                let printed = String::from_utf8_lossy(&output.stdout);
                let figure = printed.lines().last().unwrap_or_default().trim();
                figure.parse().with_context(|| format!("{} printed '{figure}', not a number of seconds", self.name))
            }
        }
    }
}

/// Seconds from a run's start until the last of its workers was ready.
fn last_ready(log: &Path, workers: usize) -> Result<f64> {
    let lines = fs::read_to_string(log.join("run-1/workers.jsonl")).context("no log of the workers")?;
    let events = lines.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let ready = events.filter(|event| event["event"] == "ready").filter_map(|event| event["at_us"].as_f64());
    let ready: Vec<f64> = ready.collect();
    ensure!(ready.len() == workers, "{} of {workers} workers were ready before the run ended", ready.len());
    Ok(ready.into_iter().fold(0.0, f64::max) / 1e6)
}

fn clear(path: &Path) -> io::Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join(" / ")
}

/// Measures two sides in turn, A B A B …, after one unmeasured run of each, so
/// that both have the same load of the machine.
pub(crate) fn interleave(
    pairs: usize,
    mut first: impl FnMut() -> Result<f64>,
    mut second: impl FnMut() -> Result<f64>,
) -> Result<Vec<(f64, f64)>> {
    first()?;
    second()?;
    (0..pairs).map(|_| Ok((first()?, second()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use tempfile::TempDir;

    fn measure(side: &Side) -> Result<f64> {
        let folder = TempDir::new().unwrap();
        side.measure(&folder.path().join("messages"))
    }

    #[test]
    fn pairs_take_turns_after_a_run_that_does_not_count() {
        let order = RefCell::new(String::new());
        let side = |letter: char, figure: f64| {
            let order = &order;
            move || {
                order.borrow_mut().push(letter);
                Ok(figure)
            }
        };
        let pairs = interleave(3, side('a', 1.0), side('b', 2.0)).unwrap();
        assert_eq!(pairs, [(1.0, 2.0); 3]);
        assert_eq!(order.into_inner(), "abababab");
    }

    #[test]
    fn wall_time_is_that_of_the_whole_command() {
        let seconds = measure(&Side::wall("nap", "sleep").arg("0.05")).unwrap();
        assert!((0.05..5.0).contains(&seconds), "{seconds}");
    }

    #[test]
    fn reported_time_is_the_last_line() {
        let side = Side::reported("said", "printf").arg("starting\\n1.25\\n");
        assert_eq!(measure(&side).unwrap(), 1.25);
        let error = measure(&Side::reported("mumbled", "printf").arg("soon")).unwrap_err();
        assert!(error.to_string().contains("not a number"), "{error}");
    }

    #[test]
    fn a_failing_command_is_an_error_with_its_last_words() {
        let error = measure(&Side::wall("bad", "sh").arg("-c").arg("echo sorry >&2; exit 3")).unwrap_err();
        assert!(error.to_string().contains("3") && error.to_string().contains("sorry"), "{error}");
        assert!(measure(&Side::wall("none", "no-such-program")).is_err());
    }

    #[test]
    fn leftovers_are_cleared_before_a_run() {
        let folder = TempDir::new().unwrap();
        let (file, log) = (folder.path().join("out"), folder.path().join("log"));
        fs::write(&file, "old").unwrap();
        fs::create_dir_all(log.join("run-1")).unwrap();
        measure(&Side::wall("true", "true").clearing(&file).clearing(&log)).unwrap();
        assert!(!file.exists() && !log.exists());
        measure(&Side::wall("true", "true").clearing(&file)).unwrap();
    }
}
