//! The peers that are written in Rust: the same work without a process pool,
//! with the same function, which is never inlined.
//!
//! `rayon FILE THREADS`, `loop FILE`, `list FILE THREADS` (the naive method, each
//! item to the thread that is free first) and `spawn N PROGRAM` (which starts and
//! reaps N processes) print the seconds that the work alone took, `roundtrip CALLS`
//! the median time of eight bytes from process to process and back; `lines BYTES`
//! writes lines without end, until there are so many bytes, and `echo` what it reads.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "the figure goes to standard output")]

use anyhow::{Context as _, Result, bail, ensure};
use procession_task::Items;
use procession_task::builtin::prime::{is_prime_by_trial, is_prime_naively};
use rayon::prelude::*;
use std::fs::File;
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
        ["roundtrip", calls] => roundtrip(calls.parse()?),
        ["echo"] => echo(),
        _ => bail!(
            "usage: peer rayon FILE THREADS | loop FILE | list FILE THREADS | spawn N PROGRAM | lines BYTES | \
             roundtrip CALLS | echo"
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

fn roundtrip(calls: usize) -> Result<()> {
    let mut child = Command::new("/proc/self/exe");
    let mut child = child.arg("echo").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("can't spawn")?;
    let (Some(mut there), Some(mut back)) = (child.stdin.take(), child.stdout.take()) else { bail!("no pipes") };
    let mut times = Vec::with_capacity(calls);
    for call in 0..calls.max(1) as u64 {
        let begin = Instant::now();
        there.write_all(&call.to_le_bytes())?;
        let mut answer = [0; 8];
        back.read_exact(&mut answer)?;
        ensure!(answer == call.to_le_bytes(), "another answer");
        times.push(begin.elapsed());
    }
    drop(there);
    ensure!(child.wait()?.success(), "the other process failed");
    times.sort_unstable();
    println!("{}", times[times.len() / 2].as_secs_f64());
    Ok(())
}

/// Eight bytes at a time, unbuffered.
fn echo() -> Result<()> {
    let (mut input, mut output) = (File::open("/dev/stdin")?, File::options().write(true).open("/dev/stdout")?);
    let mut bytes = [0; 8];
    while input.read(&mut bytes)? > 0 {
        output.write_all(&bytes)?;
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
