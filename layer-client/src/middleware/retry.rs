//! How often and when a request is made again after the server failed.

use std::time::Duration;

/// For errors that are the server's own (code 500 and above, `RPC_CALL_FAIL`).
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// How often a request is made again; 0 gives every error to the caller.
    pub attempts: u32,
    /// How long to wait before the first of them; each further wait is twice as long.
    pub first_delay: Duration,
    /// The longest of the waits.
    pub max_delay: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 3,
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(10),
        }
    }
}

impl RetryPolicy {
    /// How long to wait before the `attempt`th repetition (from 0), or `None` when it is enough.
    pub(crate) fn delay(&self, attempt: u32) -> Option<Duration> {
        (attempt < self.attempts).then(|| {
            let factor = 1u32.checked_shl(attempt).unwrap_or(u32::MAX);
            self.first_delay.saturating_mul(factor).min(self.max_delay)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_come_to_an_end() {
        let policy = RetryPolicy {
            attempts: 40,
            first_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(5),
        };
        let seconds = |attempt| policy.delay(attempt).map(|delay| delay.as_secs());
        assert_eq!(
            [seconds(0), seconds(1), seconds(2), seconds(3)].map(Option::unwrap),
            [1, 2, 4, 5]
        );
        assert_eq!((seconds(39), seconds(40)), (Some(5), None));
    }
}
