//! `cargo xtask chaos`: jobs whose processes are killed and stopped at random,
//! as fast as the machine allows, and whose output must be right all the same.
//!
//! Everything is chosen from the seed: the task, its items, where they come
//! from, the count of workers, the times of signals. The outcome also depends on
//! the timing of the machine. A seed gives the same rounds, but not the same
//! moments: it may take several attempts to reproduce a failure.

mod call;
mod hunt;
mod journal;
mod orphans;
mod plan;
mod program;
mod round;
mod story;
mod tally;
mod work;

use crate::cargo;
use crate::random::Random;
use anyhow::{Context as _, Result, bail};
use call::Stage;
use flate2::Compression;
use flate2::write::GzEncoder;
use nix::sys::resource::{Resource, setrlimit};
use plan::{Feed, RoundPlan};
use program::Program;
use round::Round;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};
use tally::Tally;

/// Time between two lines of progress.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// One of so many rounds is a story with failed items.
const STORY_EVERY: u64 = 4;

/// How long, and what.
#[derive(clap::Args)]
pub(crate) struct ChaosArgs {
    /// Rounds are begun for so many minutes
    #[arg(long, default_value_t = 1.0, value_name = "M")]
    minutes: f64,
    /// The seed that everything is chosen from
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
    /// No more rounds than this
    #[arg(long, value_name = "R")]
    rounds: Option<u64>,
    /// Only this round of the seed, as a failure names it
    #[arg(long, value_name = "K", conflicts_with = "rounds")]
    only: Option<u64>,
}

/// Runs rounds until the time is over or one fails.
pub(crate) fn run(args: &ChaosArgs) -> Result<()> {
    let binaries = cargo::build("procession-cli", &["coordinator", "worker"])?;
    let [coordinator, _worker] = &binaries[..] else { bail!("two binaries were to be built") };
    let program = Program::at(coordinator)?;
    orphans::adopt()?;
    // Workers are to die of SEGV and ABRT without leaving their memory on the disk.
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    let begin = Instant::now();
    let end = begin + Duration::try_from_secs_f64(args.minutes * 60.0).context("--minutes is a time")?;
    let mut total = Tally::default();
    let mut told = begin;
    let numbers = args.only.map_or(0..args.rounds.unwrap_or(u64::MAX), |only| only..only + 1);
    for number in numbers.take_while(|_| Instant::now() < end) {
        total.add(&one(&program, args.seed, number)?);
        if told.elapsed() >= TELL_EVERY {
            println!("{}", total.shown(begin.elapsed()));
            told = Instant::now();
        }
    }
    println!("seed {}, all is well: {}", args.seed, total.shown(begin.elapsed()));
    Ok(())
}

/// Runs one round of a seed; says all that is needed to look into a failure.
fn one(program: &Program, seed: u64, number: u64) -> Result<Tally> {
    if program.resume && number % STORY_EVERY == STORY_EVERY - 1 {
        return one_story(program, seed, number);
    }
    let plan = RoundPlan::of(Random::new(seed ^ number.wrapping_mul(0xd134_2543_de82_ef95)).number(), program.resume);
    let folder = cargo::root().join(format!("target/chaos/seed-{seed}-round-{number}"));
    let stage = set(program, &plan, &folder)?;
    let mut round = Round::new(plan.clone(), &stage);
    let ran = round.run();
    if ran.is_ok() {
        fs::remove_dir_all(&folder).with_context(|| format!("can't clear {}", folder.display()))?;
        return Ok(round.tally);
    }
    fs::write(stage.file("expected"), plan.work.expected(plan.format))?;
    let (folder, command) = (folder.display(), &round.command);
    ran.with_context(|| {
        format!(
            "round {number} of seed {seed} failed\n  plan: {plan:?}\n  so far: {}\n  last command: {command}\n  \
             kept: {folder}\n  again: cargo xtask chaos --seed {seed} --only {number}\n",
            round.tally
        )
    })?;
    Ok(round.tally)
}

/// Plays the story of a round.
fn one_story(program: &Program, seed: u64, number: u64) -> Result<Tally> {
    let folder = cargo::root().join(format!("target/chaos/seed-{seed}-round-{number}"));
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    let played = story::run(program, &folder, seed ^ number.wrapping_mul(0xd134_2543_de82_ef95));
    let tally = played.with_context(|| {
        format!(
            "story {number} of seed {seed}, kept in {}: cargo xtask chaos --seed {seed} --only {number}",
            folder.display()
        )
    })?;
    fs::remove_dir_all(&folder).with_context(|| format!("can't clear {}", folder.display()))?;
    Ok(tally)
}

/// Prepares the folder of a round.
fn set(program: &Program, plan: &RoundPlan, folder: &Path) -> Result<Stage> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
    fs::write(folder.join(work::FUNCTION_FILE), work::FUNCTION)?;
    let input = plan.work.input();
    if plan.feed == Feed::Gzip {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&input)?;
        fs::write(folder.join("input"), encoder.finish()?)?;
    } else {
        fs::write(folder.join("input"), &input)?;
    }
    let (coordinator, folder, retries) = (program.path.clone(), folder.to_owned(), program.retries);
    Ok(Stage { coordinator, folder, retries, input })
}
