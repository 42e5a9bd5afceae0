//! `cargo xtask freeze`: jobs with a time limit that are stopped as a whole at a random
//! moment, for longer than the limit, and continued. No item may be timed out by that.
//!
//! Either every process gets SIGSTOP and later, in any order, SIGCONT, or their cgroup
//! is frozen, as `docker pause` does, where this user may make one.

use crate::cargo;
use crate::process::{all_pids, parent_of};
use crate::random::Random;
use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::Duration;

/// An item runs for 12 times 50 ms, and may take twice as long.
const STEPS: &str = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 0.05; done";
const TIMEOUT: &str = "1.2";
const ITEMS: u64 = 4;
/// When the processes are stopped after the start, and for how long, in milliseconds.
const MOMENT_MS: u64 = 1600;
const STOP_MS: (u64, u64) = (300, 4000);
/// Processes are continued within this time, in milliseconds.
const CONTINUE_MS: u64 = 300;
const TASKS: [&str; 5] = ["command", "filter", "pipe", "python", "misbehave"];
const PYTHON: &str = "import time\ndef f(x):\n    for _ in range(12):\n        time.sleep(0.05)\n    return x\n";

/// How often, and how.
#[derive(clap::Args)]
pub(crate) struct FreezeArgs {
    /// How many jobs are stopped, half of them by each means
    #[arg(long, default_value_t = 200, value_name = "N")]
    tries: u64,
    /// The seed that everything is chosen from
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
    /// Jobs at a time
    #[arg(long, default_value_t = 4, value_name = "J")]
    jobs: u64,
    /// This coordinator, with the worker beside it, instead of a new build
    #[arg(long, value_name = "PATH")]
    coordinator: Option<PathBuf>,
}

/// How the processes of a job are stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Means {
    Signals,
    Cgroup,
}

/// The folder of a cgroup, and whether it is one of the second version.
struct Cgroup {
    folder: PathBuf,
    is_second: bool,
}

/// One job and what is done to it.
struct Try<'a> {
    coordinator: &'a Path,
    folder: &'a Path,
    number: u64,
    random: Random,
}

/// Runs all jobs; fails if any did not end as it should.
pub(crate) fn run(args: &FreezeArgs) -> Result<()> {
    let coordinator = match &args.coordinator {
        Some(path) => path.canonicalize().with_context(|| format!("can't find {}", path.display()))?,
        None => cargo::build("procession-cli", &["coordinator", "worker"])?.swap_remove(0),
    };
    let folder = cargo::root().join(format!("target/freeze/seed-{}", args.seed));
    fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    fs::write(folder.join("f.py"), PYTHON)?;
    let next = AtomicU64::new(0);
    let run_some = || -> Result<[u64; 2]> {
        let mut done = [0; 2];
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= args.tries {
                return Ok(done);
            }
            let random = Random::new(args.seed ^ number.wrapping_mul(0xd134_2543_de82_ef95));
            let attempt = Try { coordinator: &coordinator, folder: &folder, number, random };
            done[attempt.run().with_context(|| format!("try {number} of seed {}", args.seed))? as usize] += 1;
        }
    };
    let results: Vec<Result<[u64; 2]>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..args.jobs).map(|_| scope.spawn(run_some)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let mut total = [0; 2];
    for result in results {
        let [by_signals, by_cgroup] = result?;
        total = [total[0] + by_signals, total[1] + by_cgroup];
    }
    ensure!(total[0] + total[1] == args.tries, "a thread has panicked");
    fs::remove_dir_all(&folder).with_context(|| format!("can't clear {}", folder.display()))?;
    println!("seed {}, no false time-out: {} stopped by signals, {} frozen", args.seed, total[0], total[1]);
    Ok(())
}

impl Try<'_> {
    fn run(mut self) -> Result<Means> {
        let task = self.random.pick(TASKS);
        let cgroup = if self.number.is_multiple_of(2) { Cgroup::make(self.number) } else { None };
        let mut child = self.start(task, cgroup.as_ref())?;
        sleep(Duration::from_millis(self.random.below(MOMENT_MS)));
        let stop = Duration::from_millis(self.random.between(STOP_MS.0, STOP_MS.1));
        match &cgroup {
            Some(cgroup) => {
                cgroup.freeze(true)?;
                sleep(stop);
                cgroup.freeze(false)?;
            }
            None => self.stop_all(child.id(), stop),
        }
        let status = child.wait()?;
        let means = if cgroup.is_some() { Means::Cgroup } else { Means::Signals };
        let (out, err) = (self.read("out")?, self.read("err")?);
        let expected: String = (1..=ITEMS).map(|item| line(task, item)).collect();
        if !status.success() || out != expected {
            bail!("{task}, {means:?} for {stop:?}: {status}\n--- output\n{out}\n--- errors\n{err}");
        }
        Ok(means)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}-{}", self.number))
    }

    fn read(&self, name: &str) -> Result<String> {
        let path = self.file(name);
        fs::read_to_string(&path).with_context(|| format!("can't read {}", path.display()))
    }

    fn start(&self, task: &str, cgroup: Option<&Cgroup>) -> Result<Child> {
        // The shell enters the cgroup, then becomes the coordinator.
        let mut command = Command::new("sh");
        command.args(["-c", "[ -z \"$0\" ] || echo $$ >\"$0\" || exit 9; exec \"$@\""]);
        command.arg(cgroup.map_or_else(PathBuf::new, |cgroup| cgroup.folder.join("cgroup.procs")));
        command.arg(self.coordinator).args(["-t", task, "-j2", "--timeout", TIMEOUT, "--log", "off", "--retries", "0"]);
        command.args(["--chunk", "1", "--list"]);
        command.arg((1..=ITEMS).map(|item| item_of(task, item)).collect::<Vec<_>>().join(","));
        let item = format!("read x; {STEPS}; echo $x");
        let filter = format!("while read x; do {STEPS}; echo $x; done");
        match task {
            "filter" => command.args(["--", "sh", "-c", &filter]),
            "python" => command.args(["--", "f.py:f"]),
            "misbehave" => &mut command,
            _ => command.args(["--", "sh", "-c", &item]),
        };
        let file = |name| fs::File::create(self.file(name));
        command.current_dir(self.folder).stdin(Stdio::null()).stdout(file("out")?).stderr(file("err")?);
        command.spawn().context("the coordinator can't be started")
    }

    /// Stops a process and all its descendants for this long, and continues them in
    /// any order.
    fn stop_all(&mut self, coordinator: u32, stop: Duration) {
        let mut stopped = vec![coordinator];
        send(coordinator, Signal::SIGSTOP);
        let mut next = 0;
        // Whoever is stopped starts nobody any more.
        while let Some(&parent) = stopped.get(next) {
            next += 1;
            for child in all_pids().filter(|&pid| parent_of(pid) == Some(parent)) {
                send(child, Signal::SIGSTOP);
                stopped.push(child);
            }
        }
        sleep(stop);
        while !stopped.is_empty() {
            let at = usize::try_from(self.random.below(stopped.len() as u64)).unwrap_or(0);
            send(stopped.swap_remove(at), Signal::SIGCONT);
            sleep(Duration::from_millis(self.random.below(CONTINUE_MS / 10)));
        }
    }
}

fn item_of(task: &str, item: u64) -> String {
    if task == "misbehave" { format!("sleep {}", 600 + item) } else { item.to_string() }
}

fn line(task: &str, item: u64) -> String {
    let item = item_of(task, item);
    match task {
        "pipe" => format!("{item}\n"),
        _ => format!("{item}\t{item}\n"),
    }
}

/// An error means that the process has ended.
fn send(pid: u32, signal: Signal) {
    let _ = kill(Pid::from_raw(pid.cast_signed()), signal);
}

impl Cgroup {
    /// A cgroup of its own, if this user may make one.
    fn make(number: u64) -> Option<Self> {
        let name = format!("procession-freeze-{}-{number}", std::process::id());
        [("/sys/fs/cgroup/freezer", false), ("/sys/fs/cgroup", true)].into_iter().find_map(|(root, is_second)| {
            let folder = Path::new(root).join(&name);
            fs::create_dir(&folder).ok()?;
            let cgroup = Self { folder, is_second };
            cgroup.switch().exists().then_some(cgroup)
        })
    }

    fn switch(&self) -> PathBuf {
        self.folder.join(if self.is_second { "cgroup.freeze" } else { "freezer.state" })
    }

    fn freeze(&self, is_frozen: bool) -> Result<()> {
        let text = match (self.is_second, is_frozen) {
            (true, true) => "1",
            (true, false) => "0",
            (false, true) => "FROZEN",
            (false, false) => "THAWED",
        };
        let switch = self.switch();
        fs::write(&switch, text).with_context(|| format!("can't write {}", switch.display()))
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // Nobody may be left frozen in it. It can't be removed before all have ended.
        let _ = self.freeze(false);
        let _ = fs::remove_dir(&self.folder);
    }
}
