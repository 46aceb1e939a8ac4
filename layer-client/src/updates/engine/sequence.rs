//! One counter, and what waits for the hole before it to be filled.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Delivery;

/// How long a hole may stay open before we ask for the difference.
pub(super) const GAP_WAIT: Duration = Duration::from_millis(500);

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
    waiting: BTreeMap<(i64, i64, u64), Vec<Delivery>>,
    arrivals: u64,
    room: usize,
    /// When the oldest hole was noticed, plus [`GAP_WAIT`]. Later arrivals do not put it off.
    deadline: Option<Instant>,
}

impl Sequence {
    pub(super) fn new(value: i32, room: usize) -> Self {
        Self {
            value,
            waiting: BTreeMap::new(),
            arrivals: 0,
            room,
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

    /// Takes the server's word for where the counter stands.
    pub(super) fn set(&mut self, value: i32) {
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
        out: &mut dyn FnMut(Vec<Delivery>),
    ) -> Offered {
        let end64 = i64::from(end);
        let start = end64 - i64::from(count.max(0));
        let value = i64::from(self.value);
        if start < value {
            return Offered::Already;
        }
        if start == value && !locked {
            self.value = end;
            out(deliveries);
            self.drain(out);
            return Offered::Applied;
        }
        if self.waiting.len() >= self.room {
            return Offered::Full;
        }
        self.arrivals += 1;
        self.waiting
            .insert((start, end64, self.arrivals), deliveries);
        if !locked && self.deadline.is_none() {
            self.deadline = Some(now + GAP_WAIT);
        }
        Offered::Held
    }

    /// Lets go of everything that the counter has come to.
    pub(super) fn drain(&mut self, out: &mut dyn FnMut(Vec<Delivery>)) {
        while let Some(entry) = self.waiting.first_entry() {
            let (start, end, _) = *entry.key();
            let value = i64::from(self.value);
            if start > value {
                return;
            }
            let deliveries = entry.remove();
            if start == value {
                self.value = i32::try_from(end).unwrap_or(self.value);
                out(deliveries);
            }
        }
        self.deadline = None;
    }

    /// Gives up on the holes: delivers what waits in its order and takes the last state.
    pub(super) fn jump(&mut self, out: &mut dyn FnMut(Vec<Delivery>)) {
        while let Some(((start, end, _), deliveries)) = self.waiting.pop_first() {
            if start >= i64::from(self.value) {
                self.value = i32::try_from(end).unwrap_or(self.value);
                out(deliveries);
            }
        }
        self.deadline = None;
    }

    /// After a difference: what still waits gets a timer of its own.
    pub(super) fn settle(
        &mut self,
        wait: Duration,
        now: Instant,
        out: &mut dyn FnMut(Vec<Delivery>),
    ) {
        self.deadline = None;
        self.drain(out);
        if self.is_waiting() {
            self.deadline = Some(now + wait);
        }
    }
}
