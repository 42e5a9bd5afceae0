//! The demonstration: a command line like any other, with everything that it
//! needs in the program.

use super::verbs::DemoFlags;
use std::ffi::OsString;

/// Primes of eight digits, from the one that the naive method is often shown
/// with: each takes some ten milliseconds, all of them the same.
const PRIMES: [u32; 34] = [
    15488801, 15488807, 15488827, 15488833, 15488881, 15488899, 15488917, 15488923, 15488951, 15488953, 15488981,
    15488983, 15489013, 15489029, 15489031, 15489043, 15489053, 15489077, 15489079, 15489107, 15489113, 15489121,
    15489151, 15489191, 15489203, 15489223, 15489233, 15489247, 15489263, 15489269, 15489283, 15489307, 15489317,
    15489319,
];

/// The demonstration as somebody would type it.
pub(super) fn line(flags: &DemoFlags) -> Vec<OsString> {
    let list: Vec<String> = PRIMES.iter().map(u32::to_string).collect();
    let words = ["coordinator", "--task", "prime", "--param", "method=naive", "--list"];
    let mut line: Vec<OsString> = words.map(OsString::from).to_vec();
    line.push(list.join(",").into());
    line.extend(["--size", "10,17,34", "--procs", "1..=auto", "--repeat"].map(OsString::from));
    line.push(flags.repeat.to_string().into());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_primes_of_eight_digits() {
        for prime in PRIMES {
            assert!((10_000_000..100_000_000).contains(&prime));
            assert!((2..).take_while(|d| d * d <= prime).all(|d| prime % d != 0), "{prime}");
        }
    }
}
