//! How many parts may be under way. It begins with a few, doubles with each round that goes well, is
//! halved when the server wants us to wait, and grows slowly from then on. A wait holds all parts
//! back and never ends a transfer.

use std::time::{Duration, Instant};

/// Longer than this nobody waits in one go.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// A server that says 0 for ever is not asked at full speed.
const SHORTEST: Duration = Duration::from_millis(100);

/// How many parts may be under way, and from when on.
#[derive(Debug)]
pub(in crate::files) struct Pace {
    limit: usize,
    most: usize,
    /// Parts that went well since the limit last grew.
    well: usize,
    /// Whether a round that goes well doubles the limit.
    fast: bool,
    hold: Option<Instant>,
    /// Counts the waits. Parts that were asked for before one tell nothing new about it.
    waits: u64,
}

impl Pace {
    /// Begins with `first` parts at a time, and never has more than `most`.
    pub(super) fn new(first: usize, most: usize) -> Self {
        let most = most.max(1);
        Self {
            limit: first.clamp(1, most),
            most,
            well: 0,
            fast: true,
            hold: None,
            waits: 0,
        }
    }

    /// How many parts may be under way.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Names the time between two waits.
    pub(super) fn epoch(&self) -> u64 {
        self.waits
    }

    /// When parts may be asked for again, if not now.
    pub(in crate::files) fn held_until(&self, now: Instant) -> Option<Instant> {
        self.hold.filter(|hold| *hold > now)
    }

    /// A part went well.
    pub(super) fn well(&mut self) {
        self.well += 1;
        let round = if self.fast { 1 } else { self.limit };
        if self.well >= round {
            self.well = 0;
            self.limit = self.limit.saturating_add(1).min(self.most);
        }
    }

    /// A part that was asked for in `epoch` is to wait.
    pub(super) fn wait(&mut self, epoch: u64, wait: Duration, now: Instant) {
        let until = now + wait.clamp(SHORTEST, LONGEST);
        self.hold = Some(self.hold.map_or(until, |hold| hold.max(until)));
        if epoch == self.waits {
            self.waits += 1;
            self.limit = (self.limit / 2).max(1);
            self.fast = false;
            self.well = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(pace: &mut Pace, rounds: usize) -> usize {
        for _ in 0..rounds {
            for _ in 0..pace.limit() {
                pace.well();
            }
        }
        pace.limit()
    }

    #[test]
    fn it_doubles_at_first_and_stops_at_the_most() {
        let mut pace = Pace::new(1, 12);
        assert_eq!(rounds(&mut pace, 1), 2);
        assert_eq!(rounds(&mut pace, 1), 4);
        assert_eq!(rounds(&mut pace, 9), 12);
        assert_eq!(Pace::new(9, 4).limit(), 4);
        assert_eq!(Pace::new(0, 0).limit(), 1);
    }

    #[test]
    fn a_wait_halves_it_once_holds_all_back_and_growth_is_slow_afterwards() {
        let now = Instant::now();
        let mut pace = Pace::new(8, 8);
        let epoch = pace.epoch();
        pace.wait(epoch, Duration::from_secs(3), now);
        // Those that were asked for at the same time hear the same.
        pace.wait(epoch, Duration::from_secs(4), now);
        pace.wait(epoch, Duration::from_secs(2), now);
        assert_eq!(pace.limit(), 4);
        let until = now + Duration::from_secs(4);
        assert_eq!(pace.held_until(now), Some(until));
        assert_eq!(pace.held_until(until), None);
        assert_eq!(rounds(&mut pace, 1), 5);
        assert_eq!(rounds(&mut pace, 1), 6);
        for _ in 0..9 {
            pace.wait(pace.epoch(), Duration::ZERO, until);
        }
        assert_eq!(pace.limit(), 1);
        // A server that says nothing is not asked at full speed.
        assert!(pace.held_until(until).is_some());
        assert_eq!(rounds(&mut pace, 99), 8);
    }
}
