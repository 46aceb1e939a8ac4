//! How long to wait between attempts at a connection: doubling, with jitter and a cap, so that a
//! server that comes back is not met by everyone at once. Holds no timer and no source of
//! randomness of its own.

use std::time::Duration;

/// Whatever is configured, a server that hangs up at once is not asked without a pause.
const SHORTEST: Duration = Duration::from_millis(100);

/// The waits between attempts.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    cap: Duration,
    failures: u32,
}

impl Backoff {
    /// From `first` on, and never longer than `cap`, which is no less than [`SHORTEST`].
    pub(crate) fn new(first: Duration, cap: Duration) -> Self {
        Self {
            first,
            cap: cap.max(SHORTEST),
            failures: 0,
        }
    }

    /// How many attempts have failed since the last that did not.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Counts a failure; how long to wait before the next attempt. `random` is any number; half
    /// of the wait is fixed and half is drawn by it.
    pub(crate) fn failed(&mut self, random: u32) -> Duration {
        let factor = 1u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        let full = self.first.saturating_mul(factor).min(self.cap);
        let half = full / 2;
        half + half.mul_f64(f64::from(random) / f64::from(u32::MAX))
    }

    /// The connection works: the next failure waits as little as the first one did.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff() -> Backoff {
        Backoff::new(Duration::from_secs(1), Duration::from_secs(30))
    }

    #[test]
    fn waits_double_up_to_the_cap() {
        let mut backoff = backoff();
        let waits: Vec<_> = (0..8).map(|_| backoff.failed(u32::MAX).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
        for _ in 0..100 {
            assert!(backoff.failed(u32::MAX) <= Duration::from_secs(30));
        }
    }

    #[test]
    fn jitter_takes_off_at_most_half() {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut rng = fastrand::Rng::with_seed(seed);
        for _ in 0..1000 {
            let wait = backoff().failed(rng.u32(..));
            assert!(wait >= Duration::from_millis(500) && wait <= Duration::from_secs(1));
        }
    }

    #[test]
    fn a_cap_of_nothing_is_no_leave_to_ask_at_full_speed() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::ZERO);
        for _ in 0..10 {
            assert!(backoff.failed(0) >= SHORTEST / 2);
        }
    }

    #[test]
    fn success_starts_over() {
        let mut backoff = backoff();
        backoff.failed(0);
        backoff.failed(0);
        assert_eq!(backoff.failures(), 2);
        backoff.reset();
        assert_eq!(backoff.failed(u32::MAX), Duration::from_secs(1));
    }
}
