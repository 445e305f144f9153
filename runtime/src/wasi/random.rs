//! Random bytes: from a seed by default, so that a run repeats.

/// Where random bytes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RandomSource {
    /// A generator with this seed; the same seed gives the same bytes. Not for secrets.
    Seeded(u64),
    /// The host's generator.
    Real,
}

impl Default for RandomSource {
    fn default() -> Self {
        Self::Seeded(0)
    }
}

/// The generator of a run.
#[derive(Debug)]
pub(crate) enum Random {
    Seeded(SplitMix),
    Real,
}

impl Random {
    pub(crate) const fn new(source: RandomSource) -> Self {
        match source {
            RandomSource::Seeded(seed) => Self::Seeded(SplitMix(seed)),
            RandomSource::Real => Self::Real,
        }
    }

    /// Fills `bytes`; returns whether the host had that many.
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) -> bool {
        match self {
            Self::Seeded(generator) => {
                generator.fill(bytes);
                true
            }
            Self::Real => getrandom::fill(bytes).is_ok(),
        }
    }
}

/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
#[derive(Debug)]
pub(crate) struct SplitMix(u64);

impl SplitMix {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ x >> 31
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_bytes() {
        let fill = |seed| {
            let mut bytes = [0; 21];
            assert!(Random::new(RandomSource::Seeded(seed)).fill(&mut bytes));
            bytes
        };
        assert_eq!(fill(1), fill(1));
        assert_ne!(fill(1), fill(2));
        // From the authors' own implementation.
        assert_eq!(SplitMix(1_234_567).next(), 6_457_827_717_110_365_317);
    }
}
