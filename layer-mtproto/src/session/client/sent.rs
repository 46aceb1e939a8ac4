//! What was sent under which msg_id, so that what the server says about a msg_id finds its object.

use std::collections::VecDeque;

use layer_tl_types::types;
use rustc_hash::FxHashMap;

use super::RequestId;

/// A service message of ours.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Service {
    Acks(types::MsgsAck),
    Ping {
        ping_id: i64,
        disconnect_delay: Option<i32>,
    },
    GetFutureSalts,
    StateReq(Vec<i64>),
    StateInfo {
        req_msg_id: i64,
        info: Vec<u8>,
    },
    ResendReq(Vec<i64>),
    DropAnswer(i64),
    DestroySession(i64),
}

/// The object of a msg_id.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sent {
    Request(RequestId),
    Service(Service),
    Container(Vec<i64>),
}

/// Service messages and containers beyond this many are forgotten.
const MAX_OTHERS: usize = 1024;

/// Everything sent in this session that an answer may still name.
#[derive(Debug, Default)]
pub(super) struct SentLog {
    by_id: FxHashMap<i64, Sent>,
    /// The ids that are no requests, oldest first.
    others: VecDeque<i64>,
}

impl SentLog {
    pub(super) fn insert(&mut self, msg_id: i64, sent: Sent) {
        if !matches!(sent, Sent::Request(_)) {
            self.others.push_back(msg_id);
        }
        self.by_id.insert(msg_id, sent);
        while self.others.len() > MAX_OTHERS {
            if let Some(oldest) = self.others.pop_front() {
                self.by_id.remove(&oldest);
            }
        }
    }

    pub(super) fn get(&self, msg_id: i64) -> Option<&Sent> {
        self.by_id.get(&msg_id)
    }

    /// The last container that a message went in.
    pub(super) fn carrier(&self, msg_id: i64) -> Option<i64> {
        let holds = |sent: &Sent| matches!(sent, Sent::Container(ids) if ids.contains(&msg_id));
        let latest_first = self.others.iter().rev().copied();
        latest_first
            .filter(|id| *id >= msg_id)
            .find(|id| self.get(*id).is_some_and(holds))
    }

    pub(super) fn remove(&mut self, msg_id: i64) -> Option<Sent> {
        self.by_id.remove(&msg_id)
    }

    /// Keeps no more room than what is there needs, and as much again.
    pub(super) fn give_room_back(&mut self) {
        self.by_id.shrink_to(self.by_id.len() * 2);
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn clear(&mut self) {
        self.by_id.clear();
        self.others.clear();
    }
}
