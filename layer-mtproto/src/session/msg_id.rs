//! msg_id: the time of a message, and its name (`mtproto/description#message-identifier-msg-id`).

use std::time::Duration;

/// What the two lowest bits of a msg_id say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MsgKind {
    /// From a client.
    Client = 0,
    /// From a server, in answer to a message.
    Response = 1,
    /// From a server, of its own accord.
    Notification = 3,
}

/// Gives out msg_ids that grow, whatever the clock does.
#[derive(Debug, Clone, Default)]
pub(crate) struct MsgIds {
    last: i64,
}

impl MsgIds {
    /// The next msg_id. `time` is the server's, since 1970.
    pub(crate) fn next(&mut self, time: Duration, kind: MsgKind) -> i64 {
        let of_time = from_time(time) & !3;
        let next_free = (self.last & !3).saturating_add(4);
        let mut id = of_time.max(next_free);
        if id & 0xffff_ffff == 0 {
            // The lower half must not be empty.
            id += 4;
        }
        id |= kind as i64;
        self.last = id;
        id
    }

    /// The id that was given out last.
    pub(crate) fn last(&self) -> i64 {
        self.last
    }

    /// Whether the last id is further ahead of the server's time than it accepts.
    pub(crate) fn are_ahead(&self, time: Duration) -> bool {
        is_ahead(self.last, time)
    }
}

/// Whether an id is further ahead of the server's time than it accepts.
pub(crate) fn is_ahead(msg_id: i64, time: Duration) -> bool {
    seconds(msg_id) > seconds(from_time(time)) + 29
}

/// The msg_id of a moment: seconds in the upper half, their fraction in the lower.
pub(crate) fn from_time(time: Duration) -> i64 {
    let seconds = i64::try_from(time.as_secs())
        .unwrap_or(i64::MAX)
        .min(0x7fff_ffff);
    let fraction = (i64::from(time.subsec_nanos()) << 32) / 1_000_000_000;
    seconds << 32 | fraction
}

/// The second in which a msg_id was made, since 1970.
pub(crate) fn seconds(msg_id: i64) -> i64 {
    msg_id >> 32
}

/// The moment at which a msg_id was made, since 1970.
pub(crate) fn time(msg_id: i64) -> Duration {
    let msg_id = u64::try_from(msg_id).unwrap_or(0);
    let nanos = ((msg_id & 0xffff_ffff) * 1_000_000_000) >> 32;
    Duration::from_secs(msg_id >> 32) + Duration::from_nanos(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Duration = Duration::from_secs(1_700_000_000);

    #[test]
    fn msg_ids_strictly_grow_and_are_divisible_by_four() {
        let mut ids = MsgIds::default();
        let mut last = 0;
        for step in [0, 0, 5, 5, 3, 0, 1_000_000, 0] {
            let id = ids.next(T + Duration::from_micros(step), MsgKind::Client);
            assert!(id > last && id % 4 == 0, "{id:x} after {last:x}");
            assert_ne!(id & 0xffff_ffff, 0);
            last = id;
        }
    }

    #[test]
    fn msg_ids_are_tied_to_time() {
        let moment = T + Duration::from_millis(250);
        let id = MsgIds::default().next(moment, MsgKind::Client);
        assert_eq!(seconds(id), 1_700_000_000);
        assert!(moment.abs_diff(time(id)) < Duration::from_micros(1));
        assert_eq!(id & 0xffff_ffff, 0x4000_0000);
    }

    #[test]
    fn a_servers_ids_tell_answers_from_notifications() {
        let mut ids = MsgIds::default();
        let kinds = [MsgKind::Response, MsgKind::Notification, MsgKind::Response];
        let made = kinds.map(|kind| ids.next(T, kind));
        assert_eq!(made.map(|id| id & 3), [1, 3, 1]);
        assert!(made.is_sorted());
    }

    #[test]
    fn ids_that_are_ahead_of_time_are_told() {
        let mut ids = MsgIds::default();
        assert!(!ids.are_ahead(T));
        ids.next(T + Duration::from_secs(29), MsgKind::Client);
        assert!(!ids.are_ahead(T));
        ids.next(T + Duration::from_secs(31), MsgKind::Client);
        assert!(ids.are_ahead(T));
    }

    #[test]
    fn absurd_times_do_not_overflow() {
        let mut ids = MsgIds::default();
        let id = ids.next(Duration::MAX, MsgKind::Notification);
        assert!(id > 0);
        assert!(time(i64::MIN) == Duration::ZERO && time(i64::MAX) > T);
    }
}
