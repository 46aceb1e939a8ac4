//! Acknowledgements that wait to be sent.

use std::time::{Duration, Instant};

use super::ascending::Ascending;

/// The most msg_ids that one `msgs_ack`, and the other messages that list msg_ids, may name.
pub(crate) const MAX_IDS: usize = 8192;
/// So many wait no longer.
const ENOUGH: usize = 16;

/// msg_ids to acknowledge, with other traffic or on a short timer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Acks {
    ids: Ascending<i64>,
    since: Option<Instant>,
}

impl Acks {
    /// Adds a msg_id that came.
    pub(crate) fn push(&mut self, msg_id: i64, now: Instant) {
        // What does not fit will come again, and be acknowledged then.
        if self.ids.len() < MAX_IDS {
            self.ids.insert(msg_id);
            self.since.get_or_insert(now);
        }
    }

    /// Takes one out that was acknowledged in another way.
    pub(crate) fn remove(&mut self, msg_id: i64) {
        self.ids.remove(msg_id);
        if self.ids.is_empty() {
            self.since = None;
        }
    }

    /// When they must be sent, if nothing else is before.
    pub(crate) fn deadline(&self, delay: Duration) -> Option<Instant> {
        let since = self.since?;
        Some(if self.ids.len() >= ENOUGH {
            since
        } else {
            since + delay
        })
    }

    /// All of them, to be sent now.
    pub(crate) fn take(&mut self) -> Vec<i64> {
        self.since = None;
        self.ids.take()
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acks_wait_for_company_but_not_long_and_not_many() {
        let mut acks = Acks::default();
        let now = Instant::now();
        let delay = Duration::from_millis(500);
        assert_eq!(acks.deadline(delay), None);
        acks.push(1, now);
        acks.push(3, now + Duration::from_millis(400));
        assert_eq!(acks.deadline(delay), Some(now + delay));
        for id in 5..25 {
            acks.push(id, now);
        }
        assert_eq!(acks.deadline(delay), Some(now));
        assert_eq!(acks.take().len(), 22);
        assert!(acks.is_empty() && acks.deadline(delay).is_none());
    }

    #[test]
    fn acks_are_bounded() {
        let mut acks = Acks::default();
        for id in 0..20_000 {
            acks.push(id, Instant::now());
        }
        assert_eq!(acks.take().len(), MAX_IDS);
    }
}
