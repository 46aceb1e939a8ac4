//! Server time, from a monotonic clock and what is known of the difference.

use std::time::{Duration, Instant};

/// Tells the server's time without asking the system's clock twice: wall time is read once by the caller, and
/// goes on with the monotonic clock. A jump of the system's clock changes nothing.
#[derive(Debug, Clone)]
pub struct Clock {
    /// When wall time was read.
    base: Instant,
    /// Wall time at `base`, corrected by what the server told.
    unix: Duration,
    /// Wall time at `base` as our own clock had it.
    ours: Duration,
}

impl Clock {
    /// A clock that trusts our own wall time: at `now` it was `unix` since 1970.
    #[must_use]
    pub fn new(now: Instant, unix: Duration) -> Self {
        Self {
            base: now,
            unix,
            ours: unix,
        }
    }

    /// The server's time, since 1970.
    #[must_use]
    pub fn server_time(&self, now: Instant) -> Duration {
        self.unix
            .saturating_add(now.saturating_duration_since(self.base))
    }

    /// The server's time in whole seconds, since 1970.
    #[must_use]
    pub fn server_seconds(&self, now: Instant) -> i64 {
        i64::try_from(self.server_time(now).as_secs()).unwrap_or(i64::MAX)
    }

    /// When the server's time is so many seconds since 1970: a moment before it, if it is past.
    pub(crate) fn instant_of(&self, server_seconds: i64) -> Option<Instant> {
        let at = Duration::from_secs(u64::try_from(server_seconds).unwrap_or(0));
        self.base.checked_add(at.saturating_sub(self.unix))
    }

    /// Sets the difference between the server's time and our wall time, in seconds.
    pub fn set_offset_secs(&mut self, offset: i64) {
        let distance = Duration::from_secs(offset.unsigned_abs());
        self.unix = if offset < 0 {
            self.ours.saturating_sub(distance)
        } else {
            self.ours.saturating_add(distance)
        };
    }

    /// Sets the server's time as it is `now`.
    pub fn synchronise(&mut self, now: Instant, server: Duration) {
        self.unix = server.saturating_sub(now.saturating_duration_since(self.base));
    }

    /// How many seconds the server is ahead of our wall time.
    #[must_use]
    pub fn offset_secs(&self) -> i64 {
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        if self.unix < self.ours {
            -seconds(self.ours - self.unix)
        } else {
            seconds(self.unix - self.ours)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_time_follows_the_monotonic_clock_and_the_offset() {
        let now = Instant::now();
        let mut clock = Clock::new(now, Duration::from_secs(1_000));
        let later = now + Duration::from_secs(5);
        assert_eq!(clock.server_time(later), Duration::from_secs(1_005));
        clock.set_offset_secs(-100);
        assert_eq!(clock.server_seconds(later), 905);
        assert_eq!(clock.offset_secs(), -100);
        clock.synchronise(later, Duration::from_secs(2_005));
        assert_eq!(clock.server_seconds(now), 2_000);
        assert_eq!(clock.instant_of(2_005), Some(later));
        assert_eq!(clock.offset_secs(), 1_000);
    }

    #[test]
    fn absurd_offsets_saturate() {
        let now = Instant::now();
        let mut clock = Clock::new(now, Duration::from_secs(1_000));
        clock.set_offset_secs(i64::MIN);
        assert_eq!(clock.server_seconds(now), 0);
        clock.set_offset_secs(i64::MAX);
        assert!(clock.server_seconds(now) > 0);
    }
}
