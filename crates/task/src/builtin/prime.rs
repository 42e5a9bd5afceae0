//! `prime`: whether a number is prime, by one of three methods. The naive method is
//! slow on purpose, so that there is work to run in parallel.

use super::entry::{ItemRunner, TaskEntry, TaskShape};
use crate::{Items, ParamSpec, Params, Task, TaskError, TextTask};

/// Whether a number is prime.
pub struct Prime(Method);

/// The method. All three agree on every `u64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Divides by 2 and by the odd numbers up to the square root.
    Trial,
    /// Divides by every number from 2 to n − 1.
    Naive,
    /// Miller–Rabin with the twelve bases that make it exact for every `u64` (Sorenson
    /// and Webster, 2015).
    MillerRabin,
}

/// The task's entry in the list of tasks.
pub static ENTRY: TaskEntry = TaskEntry {
    name: "prime",
    summary: "whether an unsigned 64-bit whole number is prime: true or false",
    params: &[ParamSpec {
        name: "method",
        default: "trial",
        values: &["trial", "naive", "miller-rabin"],
        help: "trial: odd divisors up to the root; naive: every divisor from 2 to n-1; miller-rabin: exact for 64 bits",
    }],
    items: Items::Words,
    numbers: true,
    hidden: false,
    shape: TaskShape::List,
    runner: ItemRunner::Native,
    make: |params, _, options| Ok(Box::new(TextTask::new(Prime::new(params), options))),
};

impl Prime {
    fn new(params: &Params) -> Self {
        Self(match params.get("method") {
            "naive" => Method::Naive,
            "miller-rabin" => Method::MillerRabin,
            _ => Method::Trial,
        })
    }
}

impl Task for Prime {
    type Input = u64;
    type Output = bool;

    fn name(&self) -> &str {
        ENTRY.name
    }

    fn run(&self, n: u64) -> Result<bool, TaskError> {
        Ok(match self.0 {
            Method::Trial => is_prime_by_trial(n),
            Method::Naive => is_prime_naively(n),
            Method::MillerRabin => is_prime_by_miller_rabin(n),
        })
    }
}

/// Trial division by 2 and the odd numbers up to √n.
///
/// Never inlined, so that a comparison with a plain loop or with Rayon measures the
/// same machine code on both sides.
#[inline(never)]
#[must_use]
pub fn is_prime_by_trial(n: u64) -> bool {
    if n < 4 {
        return n >= 2;
    }
    if n.is_multiple_of(2) {
        return false;
    }
    // Below 2³² the square cannot overflow and 32-bit division is faster.
    if let Ok(small) = u32::try_from(n) {
        return has_no_odd_divisor(small);
    }
    let root = n.isqrt();
    let mut divisor = 3u64;
    while divisor <= root {
        if n.is_multiple_of(divisor) {
            return false;
        }
        divisor += 2;
    }
    true
}

fn has_no_odd_divisor(n: u32) -> bool {
    let root = n.isqrt();
    let mut divisor = 3u32;
    while divisor <= root {
        if n.is_multiple_of(divisor) {
            return false;
        }
        divisor += 2;
    }
    true
}

/// The naive method: tries every divisor from 2 to n − 1.
#[inline(never)]
#[must_use]
pub fn is_prime_naively(n: u64) -> bool {
    if n < 2 {
        return false;
    }
    let mut divisor = 2;
    while divisor < n {
        if n.is_multiple_of(divisor) {
            return false;
        }
        divisor += 1;
    }
    true
}

/// Miller–Rabin, exact for every `u64`.
#[inline(never)]
#[must_use]
pub fn is_prime_by_miller_rabin(n: u64) -> bool {
    const BASES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    if n < 2 {
        return false;
    }
    for base in BASES {
        if n.is_multiple_of(base) {
            return n == base;
        }
    }
    let twos = (n - 1).trailing_zeros();
    let odd = (n - 1) >> twos;
    BASES.iter().all(|&base| passes(n, base, odd, twos))
}

/// Whether `n` passes one round: base^odd is 1, or one of its squarings is −1.
fn passes(n: u64, base: u64, odd: u64, twos: u32) -> bool {
    let mut x = power(base, odd, n);
    if x == 1 || x == n - 1 {
        return true;
    }
    for _ in 1..twos {
        x = multiply(x, x, n);
        if x == n - 1 {
            return true;
        }
    }
    false
}

fn power(mut base: u64, mut exponent: u64, modulus: u64) -> u64 {
    let mut result = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = multiply(result, base, modulus);
        }
        base = multiply(base, base, modulus);
        exponent >>= 1;
    }
    result
}

#[expect(clippy::cast_possible_truncation, reason = "a remainder of a u64 modulus fits a u64")]
fn multiply(a: u64, b: u64, modulus: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(modulus)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_agree_up_to_ten_thousand() {
        let count = (0..10_000).filter(|&n| {
            let naive = is_prime_naively(n);
            assert_eq!(is_prime_by_trial(n), naive, "{n}");
            assert_eq!(is_prime_by_miller_rabin(n), naive, "{n}");
            naive
        });
        assert_eq!(count.count(), 1229);
    }

    #[test]
    fn known_numbers_by_every_method() {
        assert!(is_prime_by_trial(15_488_801));
        assert!(!is_prime_by_trial(15_488_803));
        assert_eq!(15_488_803, 11 * 1_408_073);
    }

    #[test]
    fn the_limits_of_the_number_range() {
        // The largest prime below 2^64, the largest below 2^32, their neighbours and squares.
        assert!(is_prime_by_miller_rabin(18_446_744_073_709_551_557));
        assert!(!is_prime_by_miller_rabin(u64::MAX));
        for (n, prime) in [(4_294_967_291, true), (4_294_967_295, false), (4_294_967_311, true), (4_294_836_225, false)]
        {
            assert_eq!(is_prime_by_trial(n), prime, "{n}");
            assert_eq!(is_prime_by_miller_rabin(n), prime, "{n}");
        }
        assert!(!is_prime_by_trial(65_537 * 65_537 * 65_537));
        assert!(!is_prime_by_miller_rabin(4_294_967_291 * 4_294_967_291));
        // A strong pseudoprime to the first nine prime bases.
        assert!(!is_prime_by_miller_rabin(3_825_123_056_546_413_051));
    }
}
