//! Which msg_ids came already.

use super::ascending::Ascending;

/// How many msg_ids are remembered. The documentation leaves the number open; the least to expect is 1000.
pub(crate) const CAPACITY: usize = 4096;

/// What is known of a msg_id that comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It is new.
    New,
    /// It came before.
    Duplicate,
    /// It is older than the oldest that is remembered.
    Forgotten,
}

/// The msg_ids that came last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Window {
    ids: Ascending<i64>,
}

impl Window {
    /// What [`insert`](Self::insert) would say.
    pub(crate) fn look(&self, msg_id: i64) -> Seen {
        if self.ids.contains(msg_id) {
            Seen::Duplicate
        } else if self.ids.len() >= CAPACITY && self.ids.first().is_some_and(|low| msg_id < low) {
            Seen::Forgotten
        } else {
            Seen::New
        }
    }

    /// How many are remembered.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Remembers a msg_id if it is new.
    pub(crate) fn insert(&mut self, msg_id: i64) -> Seen {
        let seen = self.look(msg_id);
        if seen == Seen::New {
            // First, so that there is never room for one more than that.
            if self.ids.len() >= CAPACITY {
                self.ids.pop_first();
            }
            self.ids.insert(msg_id);
        }
        seen
    }

    /// Forgets that a msg_id came.
    pub(crate) fn forget(&mut self, msg_id: i64) {
        self.ids.remove(msg_id);
    }

    /// The status of a message as `msgs_state_info` gives it.
    pub(crate) fn status(&self, msg_id: i64) -> u8 {
        let (Some(low), Some(high)) = (self.ids.first(), self.ids.last()) else {
            return 3;
        };
        match self.look(msg_id) {
            Seen::Duplicate => 4,
            _ if msg_id > high => 3,
            _ if msg_id < low => 1,
            _ => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_and_forgotten_ids_are_told() {
        let mut window = Window::default();
        let low = 1_000_i64;
        let count = i64::try_from(CAPACITY).unwrap();
        const { assert!(CAPACITY >= 1000) };
        for id in 0..count {
            assert_eq!(window.insert(low + id * 2), Seen::New);
        }
        assert_eq!(window.insert(low), Seen::Duplicate);
        // In between is fine, older than the oldest is not.
        assert_eq!(window.insert(low + 1), Seen::New);
        assert_eq!(window.insert(low), Seen::Forgotten);
        assert_eq!(window.insert(low - 5), Seen::Forgotten);
        assert!(window.ids.len() <= CAPACITY);
    }

    #[test]
    fn the_status_of_messages_is_told() {
        let mut window = Window::default();
        assert_eq!(window.status(5), 3);
        window.insert(10);
        window.insert(20);
        assert_eq!(
            [5, 10, 15, 20, 25].map(|id| window.status(id)),
            [1, 4, 2, 4, 3]
        );
    }
}
