//! Putting a server's packets together.

use std::sync::Arc;
use std::time::{Duration, Instant};

use layer_crypto::message::Sender;
use layer_tl_types::types;

use super::{Pending, ServerSession, Unacked};
use crate::session::msg_id::MsgKind;
use crate::session::packet::{self, Envelope, MAX_CONTAINER, MAX_MESSAGES, Message};
use crate::tl;

/// A message that goes with the packet being made.
struct Outgoing {
    msg_id: i64,
    seqno: i32,
    body: Arc<Vec<u8>>,
}

impl Outgoing {
    fn message(&self) -> Message<'_> {
        Message {
            msg_id: self.msg_id,
            seqno: self.seqno,
            body: &self.body,
        }
    }
}

impl ServerSession {
    /// Appends the packet that is to be sent now to `out`, if there is one. Ask again until there is none. `unix`
    /// is the time since 1970.
    pub fn poll_transmit(&mut self, now: Instant, unix: Duration, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let any = self.compose(now, unix, out);
        if any {
            packet::seal(&self.key, Sender::Server, &mut out[start..]);
        }
        any
    }

    /// As [`poll_transmit`](Self::poll_transmit), but for several packets, which are sealed all at a time: many times as
    /// fast where they are large. `out` holds nothing but these packets then, and `ends` where each of them ends. None is
    /// begun once there are `enough` bytes.
    pub fn poll_transmit_many(
        &mut self,
        now: Instant,
        unix: Duration,
        enough: usize,
        out: &mut Vec<u8>,
        ends: &mut Vec<usize>,
    ) {
        packet::compose_many(enough, out, ends, |out| self.compose(now, unix, out));
        packet::seal_many(&self.key, Sender::Server, out, ends);
    }

    /// Appends a packet to `out` that is yet to be sealed.
    fn compose(&mut self, now: Instant, unix: Duration, out: &mut Vec<u8>) -> bool {
        let acks_due = self
            .acks
            .deadline(self.config.ack_delay)
            .is_some_and(|deadline| deadline <= now);
        if self.pending.is_empty() && self.again.is_empty() && !acks_due {
            return false;
        }
        let mut messages = Vec::new();
        let mut size = 0;
        if acks_due {
            let body = tl::boxed(&types::MsgsAck {
                msg_ids: self.acks.take(),
            });
            size += body.len();
            let msg_id = self.ids.next(unix, MsgKind::Notification);
            messages.push(Outgoing {
                msg_id,
                seqno: self.seqno.next(false),
                body: Arc::new(body),
            });
        }
        let mut in_container = false;
        while let Some(msg_id) = self.again.first().copied() {
            let Some(unacked) = self.unacked.get_mut(&msg_id) else {
                self.again.pop_first();
                continue;
            };
            size += unacked.body.len() + 16;
            if !messages.is_empty() && (size > MAX_CONTAINER || messages.len() >= MAX_MESSAGES) {
                return self.put_together(&messages, in_container, unix, out);
            }
            self.again.pop_first();
            unacked.sent_at = now;
            let (seqno, body) = (unacked.seqno, unacked.body.clone());
            self.expect_ack(now);
            messages.push(Outgoing {
                msg_id,
                seqno,
                body,
            });
            in_container = true;
        }
        while let Some(pending) = self.pending.front() {
            size += pending.body.len() + 16;
            if !messages.is_empty() && (size > MAX_CONTAINER || messages.len() >= MAX_MESSAGES) {
                break;
            }
            let Some(pending) = self.pending.pop_front() else {
                break;
            };
            messages.push(self.name(pending, now, unix));
        }
        if messages.is_empty() {
            return false;
        }
        self.put_together(&messages, in_container, unix, out)
    }

    /// Gives a message its msg_id and seqno, and keeps it if it has to be acknowledged.
    fn name(&mut self, pending: Pending, now: Instant, unix: Duration) -> Outgoing {
        let Pending {
            kind,
            body,
            content_related,
            answers,
            push,
        } = pending;
        let msg_id = self.ids.next(unix, kind);
        let seqno = self.seqno.next(content_related);
        let body = Arc::new(body);
        if content_related {
            let body = body.clone();
            let unacked = Unacked {
                seqno,
                body,
                answers,
                push,
                sent_at: now,
                resends: 0,
            };
            let (most, bytes) = (self.config.max_unacked, self.config.max_unacked_bytes);
            self.unacked.insert(msg_id, unacked, most, bytes);
            self.expect_ack(now);
        }
        Outgoing {
            msg_id,
            seqno,
            body,
        }
    }

    /// Makes a packet of the messages, in a container if need be.
    fn put_together(
        &mut self,
        messages: &[Outgoing],
        in_container: bool,
        unix: Duration,
        out: &mut Vec<u8>,
    ) -> bool {
        let envelope = Envelope {
            salt: self.salts.current(unix),
            session_id: self.session_id,
        };
        if let [single] = messages
            && !in_container
        {
            envelope.hold(single.message(), &mut *self.rng, out);
            return true;
        }
        let msg_id = self.ids.next(unix, MsgKind::Notification);
        let container = Message {
            msg_id,
            seqno: self.seqno.next(false),
            body: &[],
        };
        envelope.hold_all(
            container,
            messages.iter().map(Outgoing::message),
            &mut *self.rng,
            out,
        );
        true
    }
}
