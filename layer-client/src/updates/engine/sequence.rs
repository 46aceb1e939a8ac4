//! One counter, and what waits for the hole before it to be filled.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::{Delivery, backoff};

/// How long a hole may stay open before we ask for the difference.
pub(super) const GAP_WAIT: Duration = Duration::from_millis(500);
/// Differences in a row that may fail to fill a hole, until what we have is delivered without it.
pub(super) const FUTILE_LIMIT: u32 = 5;
/// What may wait in all sequences together, as [`Delivery::cost`] counts. Beyond, a difference fetches it.
pub(super) const HELD_LIMIT: usize = 4 << 20;

/// Where deliveries go when their turn has come, and what all that still wait cost.
#[derive(Debug, Default)]
pub(super) struct Outlet {
    pub(super) ready: VecDeque<Delivery>,
    pub(super) held: usize,
}

impl Outlet {
    pub(super) fn push(&mut self, delivery: Delivery) {
        self.ready.push_back(delivery);
    }
}

/// What became of an update that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offered {
    /// It was the next one: applied, with whatever it had been holding up.
    Applied,
    /// The state already covers it.
    Already,
    /// It waits for what comes before it.
    Held,
    /// There is no room to hold it. Only a difference can bring it back.
    Full,
}

/// A counter (`pts`, `qts` or `seq`) with its waiting updates, ordered by the state that they start from.
#[derive(Debug)]
pub(super) struct Sequence {
    value: i32,
    /// The farthest state that the server has spoken of and that nothing was taken for.
    named: i32,
    /// How many may wait.
    room: u32,
    waiting: BTreeMap<(i64, i64, u32), Vec<Delivery>>,
    arrivals: u32,
    /// Differences in a row that left the hole open.
    rounds: u32,
    /// When the oldest hole was noticed, plus [`GAP_WAIT`]. Later arrivals do not put it off.
    deadline: Option<Instant>,
}

impl Sequence {
    pub(super) fn new(value: i32, room: u32) -> Self {
        Self {
            value,
            named: 0,
            room,
            waiting: BTreeMap::new(),
            arrivals: 0,
            rounds: 0,
            deadline: None,
        }
    }

    pub(super) fn value(&self) -> i32 {
        self.value
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// How many updates wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// An update that leads there was turned away.
    pub(super) fn turn_away(&mut self, end: i32) {
        self.named = self.named.max(end);
    }

    /// Whether the counter has not come to where an update led that was turned away.
    pub(super) fn is_short(&self) -> bool {
        self.named > self.value
    }

    /// What was turned away is not waited for any more.
    pub(super) fn let_go(&mut self) {
        self.named = 0;
    }

    /// Takes the server's word for where the counter stands.
    pub(super) fn set(&mut self, value: i32) {
        if self.value != value {
            self.rounds = 0;
        }
        self.value = value;
    }

    /// The timer has done its work: a difference is on its way.
    pub(super) fn stop_timer(&mut self) {
        self.deadline = None;
    }

    /// Offers an update that leads to the state `end` and holds `count` events. `locked` while a difference runs:
    /// then everything waits, so that nothing is delivered before what the difference brings.
    pub(super) fn offer(
        &mut self,
        end: i32,
        count: i32,
        deliveries: Vec<Delivery>,
        locked: bool,
        now: Instant,
        outlet: &mut Outlet,
    ) -> Offered {
        let (start, end64) = (start(end, count), i64::from(end));
        let value = i64::from(self.value);
        if start < value {
            return Offered::Already;
        }
        if start == value && !locked {
            self.set(end);
            outlet.ready.extend(deliveries);
            self.drain(outlet);
            return Offered::Applied;
        }
        // The same events twice need no second place.
        let same = (start, end64, 0)..=(start, end64, u32::MAX);
        if count > 0 && self.waiting.range(same).next().is_some() {
            return Offered::Held;
        }
        let cost = cost(&deliveries);
        let room = usize::try_from(self.room).unwrap_or(usize::MAX);
        if self.waiting.len() >= room || outlet.held.saturating_add(cost) > HELD_LIMIT {
            return Offered::Full;
        }
        outlet.held += cost;
        self.arrivals = self.arrivals.wrapping_add(1);
        self.waiting
            .insert((start, end64, self.arrivals), deliveries);
        if !locked && self.deadline.is_none() {
            self.deadline = Some(now + GAP_WAIT);
        }
        Offered::Held
    }

    fn pop(&mut self, outlet: &mut Outlet) -> Option<(i64, i64, Vec<Delivery>)> {
        let ((start, end, _), deliveries) = self.waiting.pop_first()?;
        outlet.held = outlet.held.saturating_sub(cost(&deliveries));
        Some((start, end, deliveries))
    }

    fn first(&self) -> Option<(i64, i64)> {
        let (&(start, end, _), _) = self.waiting.first_key_value()?;
        Some((start, end))
    }

    /// Lets go of everything that the counter has come to.
    fn drain(&mut self, outlet: &mut Outlet) {
        while let Some((start, _)) = self.first() {
            if start > i64::from(self.value) {
                return;
            }
            self.apply_first(outlet);
        }
        self.deadline = None;
    }

    /// Takes the first that waits out: delivered, unless the counter is past its beginning.
    fn apply_first(&mut self, outlet: &mut Outlet) {
        let Some((start, end, deliveries)) = self.pop(outlet) else {
            return;
        };
        if start >= i64::from(self.value) {
            self.set(i32::try_from(end).unwrap_or(self.value));
            outlet.ready.extend(deliveries);
        }
    }

    /// Delivers, in its order, what waits and lies within the state `last`, holes or not.
    pub(super) fn release(&mut self, last: i32, outlet: &mut Outlet) {
        while self.first().is_some_and(|(_, end)| end <= i64::from(last)) {
            self.apply_first(outlet);
        }
    }

    /// Gives up on the holes: delivers what waits in its order and takes the last state.
    pub(super) fn jump(&mut self, outlet: &mut Outlet) {
        while self.is_waiting() {
            self.apply_first(outlet);
        }
        self.deadline = None;
        self.rounds = 0;
    }

    /// Whether something is missing before the last that waits.
    pub(super) fn has_hole(&self) -> bool {
        let mut end = i64::from(self.value);
        self.waiting.keys().any(|&(start, to, _)| {
            let hole = start > end;
            end = end.max(to);
            hole
        })
    }

    /// Whether something waits behind a hole that no difference has filled, often enough.
    pub(super) fn is_hopeless(&self) -> bool {
        self.rounds >= FUTILE_LIMIT
            && self
                .first()
                .is_some_and(|(start, _)| start > i64::from(self.value))
    }

    /// After a difference: what it covered goes, what follows is delivered, and what still waits gets a timer of
    /// its own.
    pub(super) fn settle(&mut self, now: Instant, outlet: &mut Outlet) {
        self.deadline = None;
        self.drain(outlet);
        if self.is_waiting() {
            self.deadline = Some(now + backoff(self.rounds));
            self.rounds = self.rounds.saturating_add(1);
        }
    }
}

/// The state that an update starts from.
pub(super) fn start(end: i32, count: i32) -> i64 {
    i64::from(end) - i64::from(count.max(0))
}

fn cost(deliveries: &[Delivery]) -> usize {
    deliveries.iter().map(|delivery| delivery.cost).sum()
}
