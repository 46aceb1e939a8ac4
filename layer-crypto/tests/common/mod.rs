//! What the test files share: hex, and two sources of "randomness".

use layer_crypto::SecureRandom;

/// Bytes from hex; white space is ignored.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|c| c.to_digit(16).map(|d| u8::try_from(d).unwrap()))
        .collect();
    assert_eq!(digits.len() % 2, 0, "odd number of hex digits");
    digits.chunks(2).map(|d| d[0] << 4 | d[1]).collect()
}

/// An array from hex.
pub(crate) fn hex_array<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().unwrap()
}

/// Hands out recorded bytes in their order, and fails the test when they run out.
pub(crate) struct Recorded(pub(crate) Vec<u8>);

impl SecureRandom for Recorded {
    fn fill(&mut self, dest: &mut [u8]) {
        assert!(
            self.0.len() >= dest.len(),
            "more randomness was drawn than was recorded"
        );
        let rest = self.0.split_off(dest.len());
        dest.copy_from_slice(&self.0);
        self.0 = rest;
    }
}

/// Reproducible bytes for property tests.
pub(crate) struct Seeded(pub(crate) fastrand::Rng);

impl Seeded {
    /// A generator whose seed is printed, and shown when the test fails. `LAYER_SEED` replays one.
    pub(crate) fn new() -> Self {
        let seed = match std::env::var("LAYER_SEED") {
            Ok(seed) => seed.parse().unwrap(),
            Err(_) => fastrand::u64(..),
        };
        println!("LAYER_SEED={seed}");
        Self(fastrand::Rng::with_seed(seed))
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.0.fill(&mut bytes);
        bytes
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes);
        bytes
    }
}

impl SecureRandom for Seeded {
    fn fill(&mut self, dest: &mut [u8]) {
        self.0.fill(dest);
    }
}
