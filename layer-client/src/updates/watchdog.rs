//! Tells a server that pushes nothing from an account where nothing happens.
//!
//! That a connection is dead the pings find out. One may also answer everything and bring no
//! updates: the difference that is taken after a long silence shows it, by bringing some. Then it is
//! asked sooner, and when that brings some again the connection is made anew.

use std::time::{Duration, Instant};

/// After a silence that hid something it is asked so much sooner.
const SOONER: u32 = 15;
/// No more often than this in any case.
const SHORTEST: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Watchdog {
    interval: Duration,
    /// When the server last pushed something, or a connection to it was made.
    heard: Instant,
    /// The difference under way is there because nothing was heard.
    checking: bool,
    /// How often in a row it brought something.
    silent: u32,
}

impl Watchdog {
    pub(super) fn new(interval: Duration, now: Instant) -> Self {
        Self {
            interval: interval.max(SHORTEST),
            heard: now,
            checking: false,
            silent: 0,
        }
    }

    /// After how long a silence the server is asked.
    pub(super) fn patience(&self) -> Duration {
        if self.silent == 0 {
            self.interval
        } else {
            (self.interval / SOONER).max(SHORTEST)
        }
    }

    /// The server pushed something.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.silent = 0;
        self.checking = false;
    }

    /// What was pushed may not have reached us, for a reason that is known.
    pub(super) fn lost(&mut self, now: Instant) {
        self.heard = now;
        self.checking = false;
    }

    /// A difference is asked for.
    pub(super) fn asked(&mut self, now: Instant) {
        self.checking = now.saturating_duration_since(self.heard) >= self.patience();
    }

    /// The difference brought something, or nothing. Says whether the connection is to be made anew.
    pub(super) fn answered(&mut self, brought: bool, now: Instant) -> bool {
        if !std::mem::take(&mut self.checking) {
            return false;
        }
        self.heard = now;
        if !brought {
            self.silent = 0;
            return false;
        }
        self.silent = self.silent.saturating_add(1);
        log::warn!("the server answers, but did not push what happened");
        self.silent.is_multiple_of(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// Lets the silence last until the server is asked, and says how long it was and what came of it.
    fn ask(dog: &mut Watchdog, now: &mut Instant, brought: bool) -> (Duration, bool) {
        let silence = dog.patience();
        *now += silence;
        dog.asked(*now);
        (silence, dog.answered(brought, *now))
    }

    #[test]
    fn a_quiet_account_is_asked_about_every_quarter_of_an_hour_and_nothing_comes_of_it() {
        let mut now = Instant::now();
        let mut dog = Watchdog::new(15 * MINUTE, now);
        for _ in 0..100 {
            assert_eq!(ask(&mut dog, &mut now, false), (15 * MINUTE, false));
        }
    }

    #[test]
    fn a_server_that_pushes_nothing_is_asked_sooner_and_then_left() {
        let mut now = Instant::now();
        let mut dog = Watchdog::new(15 * MINUTE, now);
        assert_eq!(ask(&mut dog, &mut now, true), (15 * MINUTE, false));
        assert_eq!(ask(&mut dog, &mut now, true), (MINUTE, true));
        // The new connection is no better.
        dog.lost(now);
        assert_eq!(ask(&mut dog, &mut now, true), (MINUTE, false));
        assert_eq!(ask(&mut dog, &mut now, true), (MINUTE, true));
        // It pushes.
        dog.heard(now);
        assert_eq!(ask(&mut dog, &mut now, false), (15 * MINUTE, false));
    }

    #[test]
    fn a_difference_for_another_reason_proves_nothing() {
        let mut now = Instant::now();
        let mut dog = Watchdog::new(15 * MINUTE, now);
        for _ in 0..10 {
            now += MINUTE;
            dog.asked(now);
            assert!(!dog.answered(true, now));
        }
        // The connection broke while it was asked.
        now += 20 * MINUTE;
        dog.asked(now);
        dog.lost(now);
        assert!(!dog.answered(true, now));
        assert_eq!(dog.patience(), 15 * MINUTE);
        // A push crossed the answer.
        now += 15 * MINUTE;
        dog.asked(now);
        dog.heard(now);
        assert!(!dog.answered(true, now));
        assert_eq!(dog.patience(), 15 * MINUTE);
    }
}
