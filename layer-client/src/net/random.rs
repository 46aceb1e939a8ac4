//! Randomness from the operating system, handed to the crates below, which have none of their own.

use std::io;
use std::sync::Arc;

use layer_crypto::SecureRandom;

use crate::error::Error;

/// The operating system's source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OsRandom;

impl OsRandom {
    /// Whether the source works at all.
    pub(crate) fn check() -> Result<(), Error> {
        getrandom::fill(&mut [0; 1]).map_err(|error| {
            Error::Io(Arc::new(io::Error::other(format!(
                "the operating system gives no random bytes, and nothing secure can be done without: {error}"
            ))))
        })
    }

    /// Boxed, as sessions want it.
    pub(crate) fn boxed() -> Box<dyn SecureRandom + Send> {
        Box::new(Self)
    }

    /// One random number, for jitter.
    pub(crate) fn number() -> u32 {
        let mut bytes = [0; 4];
        Self.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }
}

impl SecureRandom for OsRandom {
    /// # Panics
    /// When the operating system has no randomness to give: nothing secure can be done without.
    /// [`Client::connect`](crate::Client::connect) tries once and gives an error instead.
    fn fill(&mut self, dest: &mut [u8]) {
        getrandom::fill(dest).expect("the operating system gives no random bytes");
    }
}
