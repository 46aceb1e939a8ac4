//! `invokeAfterMsg`: calls that wait until others are answered (documentation page `api/invoking`).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Outcomes remembered; older ones count as unknown.
const MAX_OUTCOMES: usize = 2_000;
/// Calls of one session that wait at most.
const MAX_PARKED: usize = 256;
/// Bytes of calls of one session that wait at most.
const MAX_PARKED_BYTES: usize = 8 * 1024 * 1024;
/// How long a call waits.
const PATIENCE: Duration = Duration::from_millis(500);

const FAILED: &str = "MSG_WAIT_FAILED";
const TIMEOUT: &str = "MSG_WAIT_TIMEOUT";

/// What becomes of a call that names others.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It can be served.
    Now,
    /// It was kept until they are answered.
    Parked,
    /// It is answered with this error.
    Refused(&'static str),
}

/// A call that waits.
#[derive(Debug)]
struct Parked {
    msg_id: i64,
    after: Vec<i64>,
    dc_id: i32,
    body: Vec<u8>,
    deadline: Instant,
}

/// What becomes of a call that waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Go,
    Refused(&'static str),
}

/// A call that waits no longer.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) msg_id: i64,
    pub(crate) dc_id: i32,
    pub(crate) body: Vec<u8>,
    pub(crate) verdict: Verdict,
}

/// How the calls of one session ended, and those that wait for it.
#[derive(Debug, Default)]
pub(crate) struct Order {
    outcomes: VecDeque<(i64, bool)>,
    parked: VecDeque<Parked>,
    parked_bytes: usize,
}

impl Order {
    /// Whether a call may be served, given those that must be answered before it.
    pub(crate) fn admit(
        &mut self,
        msg_id: i64,
        after: &[i64],
        dc_id: i32,
        body: &[u8],
        now: Instant,
    ) -> Admission {
        match self.verdict(after) {
            Some(Verdict::Go) => Admission::Now,
            Some(Verdict::Refused(error)) => Admission::Refused(error),
            None if self.parked.len() >= MAX_PARKED
                || self.parked_bytes + body.len() > MAX_PARKED_BYTES =>
            {
                Admission::Refused(TIMEOUT)
            }
            None => {
                self.parked_bytes += body.len();
                self.parked.push_back(Parked {
                    msg_id,
                    after: after.to_vec(),
                    dc_id,
                    body: body.to_vec(),
                    deadline: now + PATIENCE,
                });
                Admission::Parked
            }
        }
    }

    /// Notes how a call was answered.
    pub(crate) fn done(&mut self, msg_id: i64, ok: bool) {
        if self.outcomes.len() >= MAX_OUTCOMES {
            self.outcomes.pop_front();
        }
        self.outcomes.push_back((msg_id, ok));
    }

    /// The next call that waits no longer.
    pub(crate) fn next_ready(&mut self, now: Instant) -> Option<Ready> {
        let (position, verdict) =
            self.parked
                .iter()
                .enumerate()
                .find_map(|(position, parked)| {
                    let late = (parked.deadline <= now).then_some(Verdict::Refused(TIMEOUT));
                    self.verdict(&parked.after)
                        .or(late)
                        .map(|verdict| (position, verdict))
                })?;
        let parked = self.parked.remove(position)?;
        self.parked_bytes = self.parked_bytes.saturating_sub(parked.body.len());
        Some(Ready {
            msg_id: parked.msg_id,
            dc_id: parked.dc_id,
            body: parked.body,
            verdict,
        })
    }

    /// When the next call will have waited too long.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.parked.iter().map(|parked| parked.deadline).min()
    }

    /// Nothing while one of them is not answered.
    fn verdict(&self, after: &[i64]) -> Option<Verdict> {
        let outcome = |id: &i64| {
            self.outcomes
                .iter()
                .rev()
                .find(|(done, _)| done == id)
                .map(|(_, ok)| *ok)
        };
        let mut all_done = true;
        for id in after {
            match outcome(id) {
                Some(true) => {}
                Some(false) => return Some(Verdict::Refused(FAILED)),
                None => all_done = false,
            }
        }
        all_done.then_some(Verdict::Go)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_waits_for_those_it_names() {
        let (mut order, now) = (Order::default(), Instant::now());
        assert_eq!(order.admit(4, &[], 1, b"a", now), Admission::Now);
        assert_eq!(order.admit(8, &[4], 1, b"b", now), Admission::Parked);
        assert_eq!(order.admit(12, &[4, 8], 1, b"c", now), Admission::Parked);
        assert!(order.next_ready(now).is_none());
        order.done(4, true);
        let ready = order.next_ready(now).unwrap();
        assert_eq!(
            (ready.msg_id, ready.verdict, &*ready.body),
            (8, Verdict::Go, &b"b"[..])
        );
        assert!(order.next_ready(now).is_none());
        order.done(8, true);
        assert_eq!(order.next_ready(now).unwrap().msg_id, 12);
        assert_eq!(order.admit(16, &[8], 1, b"d", now), Admission::Now);
    }

    #[test]
    fn a_failure_fails_what_waits_for_it() {
        let (mut order, now) = (Order::default(), Instant::now());
        assert_eq!(order.admit(8, &[4], 1, b"b", now), Admission::Parked);
        order.done(4, false);
        assert_eq!(
            order.next_ready(now).unwrap().verdict,
            Verdict::Refused(FAILED)
        );
        assert_eq!(
            order.admit(12, &[4], 1, b"", now),
            Admission::Refused(FAILED)
        );
    }

    #[test]
    fn waiting_has_an_end_and_a_bound() {
        let (mut order, now) = (Order::default(), Instant::now());
        for n in 0..MAX_PARKED {
            let id = i64::try_from(n).unwrap() * 4 + 8;
            assert_eq!(order.admit(id, &[4], 1, b"b", now), Admission::Parked);
        }
        assert_eq!(
            order.admit(4000, &[4], 1, b"b", now),
            Admission::Refused(TIMEOUT)
        );
        assert_eq!(order.deadline(), Some(now + PATIENCE));
        let late = order.next_ready(now + PATIENCE).unwrap();
        assert_eq!(late.verdict, Verdict::Refused(TIMEOUT));
    }
}
