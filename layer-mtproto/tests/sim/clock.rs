//! One true time, and what client and server make of it.

use std::time::{Duration, Instant};

use crate::util::UNIX;

/// Time since the beginning of the run.
pub(crate) type Time = Duration;

pub(crate) struct Clock {
    start: Instant,
    pub(crate) now: Time,
    /// For how long the client's computer slept: its monotonic clock stood still.
    slept: Duration,
    /// How many seconds the server's clock is off.
    pub(crate) server_skew: i64,
    /// How often it was set. No two clocks agree to the microsecond, so the ids of a session that one machine lost are
    /// not those that the next one gives out.
    pub(crate) server_jumps: u32,
    /// How many seconds the client's wall clock is off.
    pub(crate) client_skew: i64,
}

impl Clock {
    pub(crate) fn new(client_skew: i64) -> Self {
        Self {
            start: Instant::now(),
            now: Time::ZERO,
            slept: Duration::ZERO,
            server_skew: 0,
            server_jumps: 0,
            client_skew,
        }
    }

    pub(crate) fn client(&self) -> Instant {
        self.start + (self.now - self.slept)
    }

    pub(crate) fn server(&self) -> Instant {
        self.start + self.now
    }

    /// When the client's clock will show this.
    pub(crate) fn when_client(&self, at: Instant) -> Time {
        at.saturating_duration_since(self.start) + self.slept
    }

    /// When the server's clock will show this.
    pub(crate) fn when_server(&self, at: Instant) -> Time {
        at.saturating_duration_since(self.start)
    }

    pub(crate) fn client_unix(&self) -> Duration {
        shift(UNIX + self.now, self.client_skew)
    }

    pub(crate) fn server_unix(&self) -> Duration {
        let between = Duration::from_micros(self.server_jumps.into());
        shift(UNIX + self.now + between, self.server_skew)
    }

    pub(crate) fn sleep(&mut self, time: Duration) {
        self.now += time;
        self.slept += time;
    }
}

fn shift(time: Duration, seconds: i64) -> Duration {
    let by = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { time - by } else { time + by }
}
