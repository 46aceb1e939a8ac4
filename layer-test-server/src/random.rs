//! The operating system's random numbers, in the form that the protocol core takes them.

use layer_crypto::SecureRandom;

/// Randomness from the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OsRandom;

impl SecureRandom for OsRandom {
    fn fill(&mut self, dest: &mut [u8]) {
        if let Err(error) = getrandom::fill(dest) {
            // Keys from anything but randomness would be worse than none.
            log::error!("the operating system has no random numbers: {error}");
            std::process::abort();
        }
    }
}

/// A source of its own for whoever wants one.
pub(crate) fn source() -> Box<dyn SecureRandom + Send> {
    Box::new(OsRandom)
}
