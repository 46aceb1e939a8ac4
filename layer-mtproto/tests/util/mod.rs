//! What the tests share: seeded randomness, and a client and a server joined by a made-up network and clock.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test binary uses a part")]

use layer_crypto::SecureRandom;

/// Seeded randomness.
pub(crate) struct TestRng(fastrand::Rng);

impl TestRng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    pub(crate) fn boxed(seed: u64) -> Box<dyn SecureRandom + Send> {
        Box::new(Self::new(seed))
    }
}

impl SecureRandom for TestRng {
    fn fill(&mut self, dest: &mut [u8]) {
        self.0.fill(dest);
    }
}
