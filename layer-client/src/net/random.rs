//! Randomness from the operating system, handed to the crates below, which have none of their own.

use std::io;
use std::sync::Arc;

use layer_crypto::SecureRandom;
use zeroize::{Zeroize, Zeroizing};

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

    /// Boxed, as sessions want it, which take a little at a time.
    pub(crate) fn boxed() -> Box<dyn SecureRandom + Send> {
        Box::new(Drawn {
            bytes: Zeroizing::new([0; STOCK]),
            left: 0,
        })
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

/// So much is drawn at a time: enough for several packets.
const STOCK: usize = 512;

/// The same source, which is asked once for many small numbers, for each question is a call of the system. What was
/// given out is not kept.
struct Drawn {
    bytes: Zeroizing<[u8; STOCK]>,
    /// How many of them, the first ones, were not given out yet.
    left: usize,
}

impl SecureRandom for Drawn {
    fn fill(&mut self, dest: &mut [u8]) {
        if dest.len() > STOCK / 4 {
            return OsRandom.fill(dest);
        }
        if dest.len() > self.left {
            OsRandom.fill(&mut *self.bytes);
            self.left = STOCK;
        }
        let begin = self.left - dest.len();
        let given = &mut self.bytes[begin..self.left];
        dest.copy_from_slice(given);
        given.zeroize();
        self.left = begin;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_byte_of_the_stock_is_given_out_twice_and_none_stays() {
        let mut drawn = Drawn {
            bytes: Zeroizing::new([0; STOCK]),
            left: 0,
        };
        let mut seen = std::collections::HashSet::new();
        for length in (8..=128).cycle().take(500) {
            let mut bytes = vec![0; length];
            drawn.fill(&mut bytes);
            for word in bytes.chunks_exact(8) {
                assert!(seen.insert(word.to_vec()), "the same eight bytes twice");
            }
            assert!(drawn.bytes[drawn.left..].iter().all(|byte| *byte == 0));
        }
        // More than is drawn at a time.
        let mut large = vec![0; 4 * STOCK];
        drawn.fill(&mut large);
        assert!(large.chunks_exact(8).all(|word| seen.insert(word.to_vec())));
    }
}
