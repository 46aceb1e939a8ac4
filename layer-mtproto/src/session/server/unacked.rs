//! What a client has not acknowledged, bounded in messages and in bytes.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use super::PushId;

/// A message that the client has not acknowledged.
pub(super) struct Unacked {
    pub(super) seqno: i32,
    pub(super) body: Arc<Vec<u8>>,
    pub(super) answers: Option<i64>,
    pub(super) push: Option<PushId>,
    pub(super) sent_at: Instant,
    /// How often it was sent again by the timer.
    pub(super) resends: u32,
}

/// All of them, by msg_id.
#[derive(Default)]
pub(super) struct Unacknowledged {
    messages: BTreeMap<i64, Unacked>,
    /// Which of them answers which call: a client may ask about many at a time.
    answers: BTreeMap<i64, i64>,
    bytes: usize,
}

impl Unacknowledged {
    /// Keeps a message. The oldest go when there are more than `most`, or more than `most_bytes` of
    /// them; the newest is kept in any case.
    pub(super) fn insert(&mut self, msg_id: i64, message: Unacked, most: usize, most_bytes: usize) {
        self.remove(&msg_id);
        self.bytes += message.body.len();
        if let Some(call) = message.answers {
            self.answers.insert(call, msg_id);
        }
        self.messages.insert(msg_id, message);
        while self.messages.len() > 1 && (self.messages.len() > most || self.bytes > most_bytes) {
            if let Some((id, oldest)) = self.messages.pop_first() {
                self.is_gone(id, &oldest);
            }
        }
    }

    pub(super) fn remove(&mut self, msg_id: &i64) -> Option<Unacked> {
        let removed = self.messages.remove(msg_id)?;
        self.is_gone(*msg_id, &removed);
        Some(removed)
    }

    fn is_gone(&mut self, msg_id: i64, message: &Unacked) {
        self.bytes -= message.body.len();
        if let Some(call) = message.answers
            && self.answers.get(&call) == Some(&msg_id)
        {
            self.answers.remove(&call);
        }
    }

    /// The message that answers a call, the last one if there were several.
    pub(super) fn answer_to(&self, call: i64) -> Option<i64> {
        self.answers.get(&call).copied()
    }

    /// Its body must stay as long as it is.
    pub(super) fn get_mut(&mut self, msg_id: &i64) -> Option<&mut Unacked> {
        self.messages.get_mut(msg_id)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Unacked> {
        self.messages.values_mut()
    }
}

impl Deref for Unacknowledged {
    type Target = BTreeMap<i64, Unacked>;

    fn deref(&self) -> &Self::Target {
        &self.messages
    }
}
