//! A story: an output with failed rows, resumed and retried while its coordinators are
//! killed. At any moment the output is a beginning of the right one, the old one or the
//! new one, and `inspect` accounts for no item twice.

use super::orphans;
use super::program::Program;
use super::tally::Tally;
use crate::random::Random;
use anyhow::{Context as _, Result, bail, ensure};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

/// Fails for every seventh item until the file `mended` exists.
const SCRIPT: &str = "test -e mended || test $(($1 % 7)) != 0 && echo \"r$1\"";
/// A call that takes longer hangs.
const LONGEST_CALL: Duration = Duration::from_secs(60);

struct Story<'a> {
    program: &'a Program,
    folder: &'a Path,
    random: Random,
    items: u64,
    procs: u64,
    format: &'static str,
    /// Calls so far.
    calls: usize,
    tally: Tally,
}

/// Plays the story of a seed in this folder.
pub(super) fn run(program: &Program, folder: &Path, seed: u64) -> Result<Tally> {
    let mut random = Random::new(seed);
    let (items, procs) = (random.between(20, 300), random.between(1, 4));
    let format = random.pick(["tsv", "csv", "jsonl"]);
    let tally = Tally { rounds: 1, items, ..Tally::default() };
    Story { program, folder, random, items, procs, format, calls: 0, tally }.play()
}

impl Story<'_> {
    fn play(mut self) -> Result<Tally> {
        let input: String = (0..self.items).map(|item| format!("{item}\n")).collect();
        fs::write(self.folder.join("input"), input)?;
        let first_kills = self.random.pick([0, 1, 4]);
        let old = self.expected(false);
        self.until_done(first_kills, "--resume", 1, |output| old.starts_with(output))?;
        ensure!(self.output()? == old, "the output with failed rows is not what it must be");
        fs::write(self.folder.join("mended"), "")?;
        let new = self.expected(true);
        let kills = self.random.between(0, 12);
        self.until_done(kills, "--retry-failed", 0, |output| output == old || output == new)?;
        ensure!(self.output()? == new, "the mended output is not what it must be");
        self.check_logs(first_kills == 0)?;
        Ok(self.tally)
    }

    /// Calls until one ends with this status; as many coordinators are killed before.
    fn until_done(&mut self, kills: u64, flag: &str, status: i32, is_right: impl Fn(&[u8]) -> bool) -> Result<()> {
        let mut kills_left = kills;
        loop {
            let life = (kills_left > 0).then(|| Duration::from_micros(self.random.between(0, 120_000)));
            let ended = self.call(flag, life)?;
            ensure!(is_right(&self.output()?), "after a call that ended with {ended:?} the output is neither");
            match ended {
                None => {
                    self.tally.coordinator_kills += 1;
                    kills_left -= 1;
                }
                Some(ended) if ended == status => return Ok(()),
                Some(ended) => bail!("a call with {flag} ended with status {ended} instead of {status}"),
            }
            self.tally.resumes += 1;
        }
    }

    /// One call, killed after this time; its status, or nothing if it was killed.
    fn call(&mut self, flag: &str, life: Option<Duration>) -> Result<Option<i32>> {
        let mut command = Command::new(&self.program.path);
        command.current_dir(self.folder).args(["-t", "command", "-i", "input", "-q", "-k", "--retries", "0"]);
        command.args(["-o", "output", "--format", self.format, "--procs", &self.procs.to_string(), flag]);
        command.args(["--log-dir", &format!("log-{}", self.calls), "--", "sh", "-c", SCRIPT, "_", "{}"]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(File::create(self.folder.join(format!("stderr-{}", self.calls)))?);
        self.calls += 1;
        let mut child = command.spawn().context("the coordinator can't be started")?;
        let pid = nix::unistd::Pid::from_raw(child.id().cast_signed());
        let (sender, ended) = channel();
        let waiter = std::thread::spawn(move || {
            let status = child.wait();
            let _ = sender.send(());
            status
        });
        if ended.recv_timeout(life.unwrap_or(LONGEST_CALL)).is_err() {
            ensure!(life.is_some(), "a call with {flag} hangs");
            // It may have ended at this moment, but is then a zombie of the other thread's at most.
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        }
        let status = waiter.join().map_err(|_| anyhow::anyhow!("a thread panicked"))??;
        orphans::await_end(&[])?;
        ensure!(matches!(status.signal(), None | Some(9)), "the coordinator ended with {status}");
        Ok(status.code())
    }

    fn output(&self) -> Result<Vec<u8>> {
        match fs::read(self.folder.join("output")) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            read => Ok(read?),
        }
    }

    fn expected(&self, is_mended: bool) -> Vec<u8> {
        let head = if self.format == "csv" { "index,input,output,error\n" } else { "" };
        let row = |item: u64| match (self.format, is_mended || !item.is_multiple_of(7)) {
            ("tsv", true) => format!("{item}\tr{item}\n"),
            ("tsv", false) => format!("{item}\t\tfailed: exited with status 1\n"),
            ("csv", true) => format!("{item},{item},r{item},\n"),
            ("csv", false) => format!("{item},{item},,failed: exited with status 1\n"),
            (_, true) => format!("{{\"index\":{item},\"input\":\"{item}\",\"output\":\"r{item}\"}}\n"),
            (_, false) => format!(
                "{{\"index\":{item},\"input\":\"{item}\",\"error\":{{\"kind\":\"failed\",\"message\":\"exited with \
                 status 1\"}}}}\n"
            ),
        };
        (head.to_owned() + &(0..self.items).map(row).collect::<String>()).into_bytes()
    }

    /// The last log tells the whole story: no item twice, and all of them if no call was
    /// killed that may have taken lines of its log with it.
    fn check_logs(&self, is_whole: bool) -> Result<()> {
        let has_runs = |nth: &usize| self.folder.join(format!("log-{nth}")).exists();
        let last = (0..self.calls).rev().find(has_runs).context("there is no log")?;
        let mut inspect = Command::new(&self.program.path);
        inspect.current_dir(self.folder).args(["inspect", &format!("log-{last}"), "--inputs"]);
        let output = inspect.output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "inspect ended with {}: {said}", output.status);
        let items: Vec<u64> = String::from_utf8(output.stdout)?.lines().map(str::parse).collect::<Result<_, _>>()?;
        let distinct: BTreeSet<u64> = items.iter().copied().collect();
        ensure!(distinct.len() == items.len(), "inspect shows {} items of {}", items.len(), distinct.len());
        ensure!(!is_whole || distinct.len() as u64 == self.items, "inspect shows {} items only", distinct.len());
        Ok(())
    }
}
