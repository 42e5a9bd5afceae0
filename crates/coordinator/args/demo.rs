//! `coordinator demo`: a command line like any other. Its input is in the
//! program, so that no file is needed.

use super::subcommands::DemoFlags;
use std::ffi::OsString;

/// Consecutive primes of eight digits. With the naive method each takes about
/// 10 ms, and all of them take the same time.
const PRIMES: [u32; 34] = [
    15488801, 15488807, 15488827, 15488833, 15488881, 15488899, 15488917, 15488923, 15488951, 15488953, 15488981,
    15488983, 15489013, 15489029, 15489031, 15489043, 15489053, 15489077, 15489079, 15489107, 15489113, 15489121,
    15489151, 15489191, 15489203, 15489223, 15489233, 15489247, 15489263, 15489269, 15489283, 15489307, 15489317,
    15489319,
];

/// With more CPUs than this the counts of workers double (1, 2, 4 …), so that
/// the demonstration takes seconds on large machines too.
const MOST_COUNTED: usize = 8;

/// The command line of the demonstration on a machine with `cpus` CPUs.
pub(super) fn line(flags: &DemoFlags, cpus: usize) -> Vec<OsString> {
    let list: Vec<String> = PRIMES.iter().map(u32::to_string).collect();
    let words = ["coordinator", "--task", "prime", "--param", "method=naive", "--list"];
    let mut line: Vec<OsString> = words.map(OsString::from).to_vec();
    line.push(list.join(",").into());
    line.extend(["--size", "10,17,34", "--procs", &counts(cpus), "--repeat"].map(OsString::from));
    line.push(flags.repeat.to_string().into());
    let mut report = OsString::from("--report=");
    report.push(&flags.report);
    line.push(report);
    line
}

fn counts(cpus: usize) -> String {
    if cpus <= MOST_COUNTED {
        return "1..=auto".to_owned();
    }
    let doubled = std::iter::successors(Some(1), |count| Some(2 * count)).take_while(|&count| count < cpus);
    doubled.map(|count: usize| format!("{count},")).collect::<String>() + "auto"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_go_up_to_all_processors() {
        assert_eq!(
            [2, 8, 9, 12, 64].map(counts),
            ["1..=auto", "1..=auto", "1,2,4,8,auto", "1,2,4,8,auto", "1,2,4,8,16,32,auto"]
        );
    }

    #[test]
    fn the_numbers_are_primes_of_eight_digits() {
        for prime in PRIMES {
            assert!((10_000_000..100_000_000).contains(&prime));
            assert!((2..).take_while(|d| d * d <= prime).all(|d| prime % d != 0), "{prime}");
        }
    }
}
