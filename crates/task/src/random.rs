//! The one pseudo-random generator of the project: the same seed gives the same
//! numbers on every machine and in every version.

/// SplitMix64 (Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// Starts with this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from all of 64 bits.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `0..bound`, each with the same probability: Lemire's
    /// multiplication, the upper half of a 64-bit number times `bound`, drawn again
    /// when the lower half is below `2⁶⁴ mod bound`. `bound` is at least 1.
    pub fn below(&mut self, bound: u64) -> u64 {
        loop {
            let product = u128::from(self.number()) * u128::from(bound);
            #[expect(clippy::cast_possible_truncation, reason = "the two halves are meant")]
            let (upper, lower) = ((product >> 64) as u64, product as u64);
            if lower >= bound.wrapping_neg() % bound {
                return upper;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_published_numbers() {
        let mut random = SplitMix64::new(1_234_567);
        let drawn = [random.number(), random.number(), random.number()];
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn numbers_are_below_their_bound_and_reach_it() {
        let mut random = SplitMix64::new(1);
        let drawn: Vec<u64> = (0..1000).map(|_| random.below(3)).collect();
        assert!((0..3).all(|number| drawn.contains(&number)) && drawn.iter().all(|&number| number < 3));
        assert_eq!(random.below(1), 0);
    }
}
