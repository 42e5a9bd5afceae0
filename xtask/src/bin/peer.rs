//! The peers that are written in Rust: the same work without a process pool,
//! with the same function, which is never inlined.
//!
//! `rayon FILE THREADS`, `loop FILE`, `list FILE THREADS` (the naive method, each
//! item to the thread that is free first) and `spawn N PROGRAM` (which starts and
//! reaps N processes) print the seconds that the work alone took; `lines BYTES`
//! writes lines without end, until there are so many bytes.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "the figure goes to standard output")]

use anyhow::{Context as _, Result, bail, ensure};
use procession_task::Items;
use procession_task::builtin::prime::{is_prime_by_trial, is_prime_naively};
use rayon::prelude::*;
use std::hint::black_box;
use std::io::{ErrorKind, Read as _, Write as _, stdout};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match &args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["rayon", file, threads] => on_threads(&numbers(file)?, threads.parse()?),
        ["loop", file] => in_a_loop(&numbers(file)?),
        ["list", file, threads] => one_by_one(&numbers(file)?, threads.parse()?),
        ["spawn", count, program] => spawn(count.parse()?, program),
        ["lines", bytes] => lines(bytes.parse()?),
        ["round-trips", count] => round_trips(count.parse()?),
        ["echo"] => echo(),
        _ => bail!(
            "usage: peer rayon FILE THREADS | loop FILE | list FILE THREADS | spawn N PROGRAM | lines BYTES | round-trips N"
        ),
    }
}

/// The numbers of a list, its title left out.
fn numbers(file: &str) -> Result<Vec<u64>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("can't read {file}"))?;
    let body = text.split_once("\r\n\r\n").map_or(text.as_str(), |(_, body)| body);
    let number = |(_, item): (usize, &[u8])| Ok(std::str::from_utf8(item)?.parse()?);
    Items::Words.split(body.as_bytes()).map(number).collect()
}

fn on_threads(numbers: &[u64], threads: usize) -> Result<()> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    timed(|| pool.install(|| numbers.par_iter().map(|&n| is_prime_by_trial(n)).collect()));
    Ok(())
}

fn in_a_loop(numbers: &[u64]) -> Result<()> {
    timed(|| numbers.iter().map(|&n| is_prime_by_trial(n)).collect());
    Ok(())
}

fn one_by_one(numbers: &[u64], threads: usize) -> Result<()> {
    let next = AtomicUsize::new(0);
    let take = || {
        let index = next.fetch_add(1, Ordering::Relaxed);
        numbers.get(index).copied()
    };
    let one = || std::iter::from_fn(take).map(is_prime_naively).collect::<Vec<_>>();
    timed(|| {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
        })
    });
    Ok(())
}

fn timed(work: impl FnOnce() -> Vec<bool>) {
    let start = Instant::now();
    black_box(work());
    println!("{}", start.elapsed().as_secs_f64());
}

fn spawn(count: usize, program: &str) -> Result<()> {
    let start = || Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let begin = Instant::now();
    let mut processes: Vec<_> = (0..count).map(|_| start()).collect::<Result<_, _>>().context("can't spawn")?;
    for process in &mut processes {
        ensure!(process.wait()?.success(), "a process failed");
    }
    println!("{}", begin.elapsed().as_secs_f64());
    Ok(())
}

/// As many bytes as go to and fro.
const TRIP: usize = 32;

/// What two processes can do at best that speak over two pipes.
fn round_trips(count: usize) -> Result<()> {
    let own = std::env::current_exe()?;
    let mut other = Command::new(own).arg("echo").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (mut there, mut back) = (other.stdin.take().context("no pipe")?, other.stdout.take().context("no pipe")?);
    let mut message = [7; TRIP];
    let mut trip = || there.write_all(&message).and_then(|()| back.read_exact(&mut message));
    // The first ones find the other process still starting.
    (0..100).try_for_each(|_| trip())?;
    let begin = Instant::now();
    (0..count).try_for_each(|_| trip())?;
    println!("{}", begin.elapsed().as_secs_f64());
    drop(there);
    ensure!(other.wait()?.success(), "the other process failed");
    Ok(())
}

/// Gives back what comes in, until nothing more does.
fn echo() -> Result<()> {
    let (mut input, mut output) = (std::io::stdin().lock(), stdout().lock());
    let mut message = [0; TRIP];
    while input.read_exact(&mut message).is_ok() {
        output.write_all(&message)?;
        output.flush()?;
    }
    Ok(())
}

fn lines(bytes: usize) -> Result<()> {
    let block = b"1234567\n".repeat(1 << 17);
    let mut out = stdout().lock();
    let mut left = bytes;
    while left > 0 {
        let part = &block[..left.min(block.len())];
        match out.write_all(part) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            other => other?,
        }
        left -= part.len();
    }
    Ok(())
}
