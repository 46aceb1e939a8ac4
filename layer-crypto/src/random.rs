//! The one door through which randomness enters this crate.

/// A cryptographically secure source of random bytes, owned by the caller.
///
/// Every function that needs randomness takes one of these and says how many bytes it draws, and in
/// which order: a test that hands in recorded bytes gets the recorded result.
pub trait SecureRandom {
    /// Fills all of `dest` with random bytes. There is no way to fail: an implementation over the
    /// operating system's source should abort when that source is broken, since nothing secure can be done without it.
    fn fill(&mut self, dest: &mut [u8]);
}

impl<R: SecureRandom + ?Sized> SecureRandom for &mut R {
    fn fill(&mut self, dest: &mut [u8]) {
        (**self).fill(dest);
    }
}

impl<R: SecureRandom + ?Sized> SecureRandom for Box<R> {
    fn fill(&mut self, dest: &mut [u8]) {
        (**self).fill(dest);
    }
}
