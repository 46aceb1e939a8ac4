//! How many parts may be under way. It begins with a few, doubles with each round that goes well, is
//! halved when the server wants us to wait or when parts take long, and grows slowly from then on: what is
//! on its way together takes the longer the more it is, and what takes too long is given up. A wait holds
//! all parts back and never ends a transfer.

use std::time::{Duration, Instant};

/// Longer than this nobody waits in one go.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// A server that says 0 for ever is not asked at full speed.
const SHORTEST: Duration = Duration::from_millis(100);

/// There may be more under way while a part takes no longer than this,
const PROMPT: Duration = Duration::from_secs(4);
/// and there should be less when one takes longer than this.
const SLOW: Duration = Duration::from_secs(12);

/// When a part was asked for.
#[derive(Clone, Copy, Debug)]
pub(in crate::files) struct Begun {
    epoch: u64,
    at: Instant,
}

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
    /// Counts how often there was too much. Parts that were asked for before tell nothing new about it.
    epoch: u64,
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
            epoch: 0,
        }
    }

    /// How many parts may be under way.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// A part is asked for now.
    pub(super) fn begin(&self, now: Instant) -> Begun {
        Begun {
            epoch: self.epoch,
            at: now,
        }
    }

    /// When parts may be asked for again, if not now.
    pub(in crate::files) fn held_until(&self, now: Instant) -> Option<Instant> {
        self.hold.filter(|hold| *hold > now)
    }

    /// A part went well.
    pub(super) fn well(&mut self, begun: Begun, now: Instant) {
        let took = now.saturating_duration_since(begun.at);
        if took > SLOW {
            self.too_much(begun);
        }
        if took > PROMPT {
            return;
        }
        self.well += 1;
        let round = if self.fast { 1 } else { self.limit };
        if self.well >= round {
            self.well = 0;
            self.limit = self.limit.saturating_add(1).min(self.most);
        }
    }

    /// A part is to wait.
    pub(super) fn wait(&mut self, begun: Begun, wait: Duration, now: Instant) {
        let until = now + wait.clamp(SHORTEST, LONGEST);
        self.hold = Some(self.hold.map_or(until, |hold| hold.max(until)));
        self.too_much(begun);
    }

    /// There was too much under way with this part.
    pub(super) fn too_much(&mut self, begun: Begun) {
        if begun.epoch == self.epoch {
            self.epoch += 1;
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
                let now = Instant::now();
                pace.well(pace.begin(now), now);
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
        let begun = pace.begin(now);
        pace.wait(begun, Duration::from_secs(3), now);
        // Those that were asked for at the same time hear the same.
        pace.wait(begun, Duration::from_secs(4), now);
        pace.wait(begun, Duration::from_secs(2), now);
        assert_eq!(pace.limit(), 4);
        let until = now + Duration::from_secs(4);
        assert_eq!(pace.held_until(now), Some(until));
        assert_eq!(pace.held_until(until), None);
        assert_eq!(rounds(&mut pace, 1), 5);
        assert_eq!(rounds(&mut pace, 1), 6);
        for _ in 0..9 {
            pace.wait(pace.begin(now), Duration::ZERO, until);
        }
        assert_eq!(pace.limit(), 1);
        // A server that says nothing is not asked at full speed.
        assert!(pace.held_until(until).is_some());
        assert_eq!(rounds(&mut pace, 99), 8);
    }

    /// Of a line that carries one part a second there are as many under way as come through in a while, and none takes
    /// as long as nobody would wait.
    #[test]
    fn a_slow_line_is_not_filled_with_more_than_it_carries() {
        let start = Instant::now();
        let mut pace = Pace::new(4, 32);
        let mut under_way = std::collections::VecDeque::<Begun>::new();
        let mut longest = Duration::ZERO;
        for second in 0..200 {
            let now = start + Duration::from_secs(second);
            if let Some(begun) = under_way.pop_front() {
                longest = longest.max(now - begun.at);
                pace.well(begun, now);
            }
            while under_way.len() < pace.limit() {
                under_way.push_back(pace.begin(now));
            }
        }
        assert!((4..=12).contains(&pace.limit()), "{}", pace.limit());
        assert!(longest <= SLOW, "{longest:?}");
        // It becomes a tenth as fast: less is sent before anybody gives up.
        let mut now = start + Duration::from_secs(200);
        for _ in 0..20 {
            now += Duration::from_secs(10);
            let begun = under_way.pop_front().unwrap();
            pace.well(begun, now);
            while under_way.len() < pace.limit() {
                under_way.push_back(pace.begin(now));
            }
        }
        assert_eq!(pace.limit(), 1);
    }
}
