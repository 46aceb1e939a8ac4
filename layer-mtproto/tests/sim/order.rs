//! A server's order of calls: those that come after others wait half a second for them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::clock::Time;

const PATIENCE: Duration = Duration::from_millis(500);

/// A call that waits, or may go.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) msg_id: i64,
    pub(crate) after: Vec<i64>,
    pub(crate) body: Vec<u8>,
}

#[derive(Default)]
pub(crate) struct Order {
    /// How calls ended: whether without an error.
    ends: BTreeMap<i64, bool>,
    parked: Vec<(Time, Call)>,
}

/// What is to be done with a call.
pub(crate) enum Verdict {
    Go(Call),
    Refuse(i64, &'static str),
}

impl Order {
    pub(crate) fn take(&mut self, call: Call, now: Time) {
        self.parked.push((now + PATIENCE, call));
    }

    pub(crate) fn ended(&mut self, msg_id: i64, well: bool) {
        self.ends.insert(msg_id, well);
    }

    pub(crate) fn next(&self) -> Option<Time> {
        self.parked.iter().map(|(deadline, _)| *deadline).min()
    }

    /// The calls that need not or cannot wait any longer.
    pub(crate) fn verdicts(&mut self, now: Time) -> Vec<Verdict> {
        let mut out = Vec::new();
        self.parked.retain(|(deadline, call)| {
            let end = |id: &i64| self.ends.get(id);
            let verdict = if call.after.iter().any(|id| end(id) == Some(&false)) {
                Verdict::Refuse(call.msg_id, "MSG_WAIT_FAILED")
            } else if call.after.iter().all(|id| end(id).is_some()) {
                Verdict::Go(call.clone())
            } else if *deadline <= now {
                Verdict::Refuse(call.msg_id, "MSG_WAIT_TIMEOUT")
            } else {
                return true;
            };
            out.push(verdict);
            false
        });
        for verdict in &out {
            if let Verdict::Refuse(msg_id, _) = verdict {
                self.ends.insert(*msg_id, false);
            }
        }
        out
    }
}
