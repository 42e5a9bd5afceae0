//! The typed pool's own speed, for the benchmarks: each call prints the seconds
//! that the work took in a pool whose workers are there already.
//!
//! `roots ITEMS PROCS` takes the square roots of numbers; `primes FILE PROCS`
//! tells the primes of a list by trial division; `roundtrip CALLS` submits items
//! to an idle pool of one worker, one after the other, and prints the median.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "the figure goes to standard output")]

use anyhow::{Result, bail};
use procession::Pool;
use procession_task::Items;
use procession_task::builtin::prime::is_prime_by_trial;
use std::time::Instant;

fn main() -> Result<()> {
    procession::init();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let seconds = match &args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["roots", items, procs] => roots(items.parse()?, procs.parse()?)?,
        ["primes", file, procs] => primes(file, procs.parse()?)?,
        ["roundtrip", calls] => roundtrip(calls.parse()?)?,
        _ => bail!("usage: library roots ITEMS PROCS | primes FILE PROCS | roundtrip CALLS"),
    };
    println!("{seconds}");
    Ok(())
}

/// A pool whose workers are at work already.
fn warm(procs: u32) -> Result<Pool> {
    let pool = Pool::builder().procs(procs).build()?;
    for outcome in pool.map(|(): ()| (), vec![(); 2 * procs as usize]) {
        outcome?;
    }
    Ok(pool)
}

fn roots(items: u32, procs: u32) -> Result<f64> {
    let pool = warm(procs)?;
    let begun = Instant::now();
    let mut sum = 0.0;
    for root in pool.map(f64::sqrt, (0..items).map(f64::from)) {
        sum += root?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    assert!((sum / f64::from(items).powf(1.5) - 2.0 / 3.0).abs() < 0.01, "wrong roots");
    Ok(seconds)
}

fn primes(file: &str, procs: u32) -> Result<f64> {
    let text = std::fs::read_to_string(file)?;
    let body = text.split_once("\r\n\r\n").map_or(text.as_str(), |(_, body)| body);
    let number = |(_, item): (usize, &[u8])| Ok(std::str::from_utf8(item)?.parse()?);
    let numbers: Vec<u64> = Items::Words.split(body.as_bytes()).map(number).collect::<Result<_>>()?;
    let pool = warm(procs)?;
    let begun = Instant::now();
    let found: Vec<bool> = pool.map(is_prime_by_trial, &numbers).collect::<Result<_, _>>()?;
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(found.len(), numbers.len());
    Ok(seconds)
}

fn roundtrip(calls: usize) -> Result<f64> {
    let pool = warm(1)?;
    let mut times = Vec::with_capacity(calls);
    for call in 0..calls.max(1) as u64 {
        let begun = Instant::now();
        assert_eq!(pool.submit(|n: u64| n, call).wait()?, call);
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2].as_secs_f64())
}
