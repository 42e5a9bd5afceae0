//! How many primes there are below a number, block by block on all processors:
//!
//!     cargo run --release -p procession --example primes 10000000

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a program for people")]

use procession::Pool;
use std::error::Error;

/// So many numbers are looked at in one item.
const BLOCK: u64 = 10_000;

/// How many primes there are among the numbers from here to there.
fn primes_in((from, to): (u64, u64)) -> usize {
    (from..to).filter(|&n| is_prime(n)).count()
}

fn is_prime(n: u64) -> bool {
    n >= 2 && (2..).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d))
}

fn main() -> Result<(), Box<dyn Error>> {
    procession::init();
    let end: u64 = std::env::args().nth(1).map_or(Ok(1_000_000), |text| text.parse())?;
    let pool = Pool::new()?;
    let blocks = (0..end).step_by(BLOCK as usize).map(|from| (from, end.min(from + BLOCK)));
    let mut found = 0;
    for (block, count) in pool.map(primes_in, blocks).enumerate() {
        found += count?;
        if (block + 1).is_power_of_two() {
            println!("{found} primes below {}", end.min((block as u64 + 1) * BLOCK));
        }
    }
    println!("{found} primes below {end}, in {:?}", pool.close()?);
    Ok(())
}
