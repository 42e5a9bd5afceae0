//! `cargo xtask primes`: lists of primes of any length, in the table format of
//! the lists that people download, so that no download is needed.

use crate::random::Random;
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// Columns of a table.
const COLUMNS: usize = 8;
/// Numbers that are sieved at once: a segment stays in the nearest cache.
const SEGMENT: u64 = 1 << 18;
/// Above it the small primes alone would not fit.
const LARGEST: u64 = 1 << 48;

/// What is written.
#[derive(clap::Args)]
pub(crate) struct PrimesArgs {
    /// How many numbers
    #[arg(long)]
    count: usize,
    /// No number is smaller
    #[arg(long, default_value_t = 10_000_000)]
    start: u64,
    /// Where to
    #[arg(long)]
    out: PathBuf,
    /// The share of odd composites among the numbers, from 0 to 1
    #[arg(long, default_value_t = 0.0)]
    composites: f64,
    /// Which composites are taken, and where they stand
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Writes the list.
pub(crate) fn run(args: &PrimesArgs) -> Result<()> {
    ensure!((0.0..=1.0).contains(&args.composites), "--composites is a share from 0 to 1");
    write(&args.out, &list(args)?, &title(args))?;
    println!("{} numbers in {}", args.count, args.out.display());
    Ok(())
}

/// Writes `count` primes from `start` on, where there is no such file yet.
pub(crate) fn provide(out: &Path, start: u64, count: usize) -> Result<()> {
    if out.exists() {
        return Ok(());
    }
    let args = PrimesArgs { count, start, out: out.to_owned(), composites: 0.0, seed: 1 };
    write(out, &list(&args)?, &title(&args))
}

fn write(out: &Path, numbers: &[u64], title: &str) -> Result<()> {
    // Under another name until it is whole, so that an interrupted call leaves no short list.
    let partial = out.with_extension("part");
    let written = fs::write(&partial, table(title, numbers)).and_then(|()| fs::rename(&partial, out));
    written.with_context(|| format!("can't write {}", out.display()))
}

fn title(args: &PrimesArgs) -> String {
    let what = if args.composites > 0.0 { "Primes and Composites" } else { "Primes" };
    format!("The {} {what} from {} on", grouped(args.count as u64), grouped(args.start))
}

/// The numbers, ascending: primes, or primes with composites among them.
fn list(args: &PrimesArgs) -> Result<Vec<u64>> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
    let composites = (args.count as f64 * args.composites).round() as usize;
    let mut numbers = primes_from(args.start, args.count - composites)?;
    if composites > 0 {
        let last = numbers.last().copied().unwrap_or(args.start + 2 * args.count as u64);
        numbers.extend(composites_between(args.start, last, composites, &numbers, args.seed)?);
        numbers.sort_unstable();
    }
    Ok(numbers)
}

/// Odd composites, spread evenly at random, none twice.
fn composites_between(from: u64, to: u64, count: usize, primes: &[u64], seed: u64) -> Result<Vec<u64>> {
    let odd: Vec<u64> = (from | 1..to).step_by(2).filter(|n| primes.binary_search(n).is_err()).collect();
    // Without primes to go by, what is left may still be prime; the interval then says so.
    ensure!(!primes.is_empty(), "a list of composites alone can't be made: leave some primes in it");
    ensure!(odd.len() >= count, "there are only {} odd composites up to {to}: ask for fewer", odd.len());
    let mut random = Random::new(seed);
    let mut taken = Vec::with_capacity(count);
    // Goes through all candidates once, each with the chance that makes `count` of them.
    for (at, &number) in odd.iter().enumerate() {
        let left = (odd.len() - at) as u64;
        if random.below(left) < (count - taken.len()) as u64 {
            taken.push(number);
        }
    }
    Ok(taken)
}

/// The first `count` primes that are at least `start`.
fn primes_from(start: u64, count: usize) -> Result<Vec<u64>> {
    let mut found = Vec::with_capacity(count);
    let mut from = start.max(2);
    let mut small = Vec::new();
    while found.len() < count {
        ensure!(from < LARGEST, "lists above {LARGEST} are not made here");
        small = small_primes_for(from + SEGMENT, small);
        let is_composite = sieve(from, &small);
        let fresh = is_composite.iter().zip(from..).filter(|(composite, _)| !**composite).map(|(_, n)| n);
        found.extend(fresh.take(count - found.len()));
        from += SEGMENT;
    }
    Ok(found)
}

/// Which numbers of the segment from `from` on have a divisor among `small`.
fn sieve(from: u64, small: &[u64]) -> Vec<bool> {
    let mut is_composite = vec![false; usize::try_from(SEGMENT).unwrap_or(0)];
    for &prime in small {
        let first = (prime * prime).max(from.next_multiple_of(prime));
        let stride = usize::try_from(prime).unwrap_or(usize::MAX);
        let Ok(offset) = usize::try_from(first - from) else { continue };
        is_composite.iter_mut().skip(offset).step_by(stride).for_each(|flag| *flag = true);
    }
    is_composite
}

/// All primes whose square is at most `limit`; `known` if it holds them already.
fn small_primes_for(limit: u64, known: Vec<u64>) -> Vec<u64> {
    let root = limit.isqrt();
    if known.last().is_some_and(|&last| last >= root) {
        return known;
    }
    // Twice as far as needed, so that the next segments need nothing new.
    let end = usize::try_from(2 * root).unwrap_or(usize::MAX).max(16);
    let mut is_composite = vec![false; end + 1];
    let mut primes = Vec::new();
    for n in 2..=end {
        if !is_composite[n] {
            primes.push(n as u64);
            (n * n..=end).step_by(n).for_each(|multiple| is_composite[multiple] = true);
        }
    }
    primes
}

/// A title, a blank line, right-aligned columns, a blank at each line's end, CR LF.
fn table(title: &str, numbers: &[u64]) -> String {
    let width = numbers.last().map_or(0, |last| last.to_string().len()) + 1;
    let margin = (COLUMNS * width).saturating_sub(title.len()) / 2;
    let mut text = format!("{:margin$}{title}\r\n\r\n", "");
    for row in numbers.chunks(COLUMNS) {
        row.iter().for_each(|number| text.push_str(&format!("{number:>width$}")));
        text.push_str(" \r\n");
    }
    text
}

/// A number with commas between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession_task::builtin::prime::is_prime_by_miller_rabin;

    fn args(count: usize, start: u64, composites: f64) -> PrimesArgs {
        PrimesArgs { count, start, out: PathBuf::new(), composites, seed: 7 }
    }

    #[test]
    fn the_sieve_agrees_with_miller_rabin() {
        for start in [0, 2, 3, 10, 10_000_000, SEGMENT * 40 - 5, 1 << 33] {
            let expected: Vec<u64> = (start..).filter(|&n| is_prime_by_miller_rabin(n)).take(200).collect();
            assert_eq!(primes_from(start, 200).unwrap(), expected, "{start}");
        }
    }

    #[test]
    fn segments_join_without_a_gap() {
        let primes = primes_from(0, 30_000).unwrap();
        assert_eq!(primes.last(), Some(&350_377), "the 30,000th prime, beyond the first segment");
    }

    #[test]
    fn composites_stand_among_the_primes() {
        let numbers = list(&args(4000, 10_000_000, 0.25)).unwrap();
        assert!(numbers.is_sorted_by(|a, b| a < b));
        assert_eq!(numbers.len(), 4000);
        assert_eq!(numbers.iter().filter(|&&n| is_prime_by_miller_rabin(n)).count(), 3000);
        assert_eq!(numbers, list(&args(4000, 10_000_000, 0.25)).unwrap(), "the same for the same seed");
        assert!(list(&args(10, 10_000_000, 1.0)).is_err());
    }

    #[test]
    fn tables_look_as_the_published_ones() {
        let text = table("The 9 Primes", &[2, 3, 5, 7, 11, 13, 17, 19, 10_000_019]);
        let mut lines = text.split("\r\n");
        assert_eq!(lines.next().map(str::trim), Some("The 9 Primes"));
        assert_eq!(lines.next(), Some(""));
        assert_eq!(lines.next(), Some("        2        3        5        7       11       13       17       19 "));
        assert_eq!(lines.next(), Some(" 10000019 "));
        assert_eq!((lines.next(), lines.next()), (Some(""), None));
        assert_eq!(table("Empty list", &[]), "Empty list\r\n\r\n");
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([7, 999, 1000, 10_000_000].map(grouped), ["7", "999", "1,000", "10,000,000"]);
    }
}
