//! What the tests share: seeded randomness, and a client and a server joined by a made-up network and clock.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test binary uses a part")]

pub(crate) mod pair;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use layer_crypto::SecureRandom;
use layer_crypto::rsa::PrivateKey;

/// The wall clock at the start of every test.
pub(crate) const UNIX: Duration = Duration::from_secs(1_700_000_000);

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

/// Draws that were recorded, in the order in which they are asked for.
pub(crate) struct Recorded(pub(crate) VecDeque<Vec<u8>>);

impl SecureRandom for Recorded {
    fn fill(&mut self, dest: &mut [u8]) {
        let draw = self
            .0
            .pop_front()
            .expect("more randomness was drawn than recorded");
        dest.copy_from_slice(&draw[..dest.len()]);
    }
}

/// A key that the whole world knows.
pub(crate) fn server_keys() -> Arc<[PrivateKey]> {
    Arc::from([PrivateKey::from_pem(include_str!("test_key.pem")).unwrap()])
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
