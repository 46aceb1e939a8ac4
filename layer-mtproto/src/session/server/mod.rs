//! The server's side of a session: named by auth key and session id, it lives longer than a connection.
//!
//! It checks what the client sends as Telegram's servers do, hands out each call once, and keeps what it sent
//! until the client has acknowledged it. `incoming` takes packets apart, `outgoing` puts them together.

mod config;
mod incoming;
mod outgoing;
mod unacked;

pub use config::{PushId, ServerSessionConfig, ServerSessionEvent};

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use layer_crypto::{AuthKey, SecureRandom};
use layer_tl_types::types;

use self::unacked::{Unacked, Unacknowledged};
use super::acks::Acks;
use super::gzip;
use super::msg_id::{MsgIds, MsgKind};
use super::salts::SaltBook;
use super::seqno::Seqno;
use super::window::Window;
use super::wire::rpc_result;
use crate::tl;

/// How far a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Running,
    /// Running, but the answer is not wanted any more.
    Dropped,
    Answered,
}

/// A message that has no msg_id yet.
struct Pending {
    kind: MsgKind,
    body: Vec<u8>,
    content_related: bool,
    /// The call that it answers.
    answers: Option<i64>,
    push: Option<PushId>,
}

/// Calls that are remembered after their answer, to know them again.
const MAX_CALLS: usize = 4096;

/// A server's session.
pub struct ServerSession {
    key: AuthKey,
    session_id: i64,
    salts: SaltBook,
    rng: Box<dyn SecureRandom + Send>,
    config: ServerSessionConfig,
    ids: MsgIds,
    seqno: Seqno,
    window: Window,
    /// The seqnos of the messages that came last.
    seqnos: BTreeMap<i64, i32>,
    acks: Acks,
    /// Set by the first message.
    unique_id: Option<i64>,
    calls: BTreeMap<i64, Progress>,
    pending: VecDeque<Pending>,
    unacked: Unacknowledged,
    /// Those to be sent again.
    again: BTreeSet<i64>,
    /// Before this none has to be sent again by the timer. It may be too early, never too late.
    no_resend_before: Option<Instant>,
    next_push: u64,
    events: VecDeque<ServerSessionEvent>,
}

impl ServerSession {
    /// A session that nothing has come for yet. `salts` is the book of the key, which its sessions share.
    #[must_use]
    pub fn new(
        auth_key: AuthKey,
        session_id: i64,
        salts: SaltBook,
        rng: Box<dyn SecureRandom + Send>,
        config: ServerSessionConfig,
    ) -> Self {
        Self {
            key: auth_key,
            session_id,
            salts,
            rng,
            config,
            ids: MsgIds::default(),
            seqno: Seqno::default(),
            window: Window::default(),
            seqnos: BTreeMap::new(),
            acks: Acks::default(),
            unique_id: None,
            calls: BTreeMap::new(),
            pending: VecDeque::new(),
            unacked: Unacknowledged::default(),
            again: BTreeSet::new(),
            no_resend_before: None,
            next_push: 0,
            events: VecDeque::new(),
        }
    }

    /// The session's name.
    #[must_use]
    pub fn session_id(&self) -> i64 {
        self.session_id
    }

    /// The auth key.
    #[must_use]
    pub fn auth_key(&self) -> &AuthKey {
        &self.key
    }

    /// The salts of the key.
    #[must_use]
    pub fn salts(&self) -> &SaltBook {
        &self.salts
    }

    /// How many messages the client has not acknowledged, sent or not.
    #[must_use]
    pub fn unacknowledged(&self) -> usize {
        self.pending.len() + self.unacked.len()
    }

    /// A new connection carries the session from now on: what was not acknowledged is sent again.
    pub fn connected(&mut self) {
        self.again.extend(self.unacked.keys());
        // What was sent again to a dead connection does not count.
        self.unacked
            .values_mut()
            .for_each(|unacked| unacked.resends = 0);
        // The client knows better by now what it wants to hear.
        self.pending.retain(|pending| pending.content_related);
    }

    /// Answers a call with the bytes of its result. Calls that are not known, or were answered, are left alone.
    pub fn respond(&mut self, req_msg_id: i64, result: Vec<u8>) {
        let Some(progress) = self.calls.get_mut(&req_msg_id) else {
            return;
        };
        let result = match *progress {
            Progress::Answered => return,
            Progress::Dropped => tl::boxed(&types::RpcAnswerDroppedRunning {}),
            Progress::Running => self
                .config
                .gzip_threshold
                .and_then(|threshold| gzip::deflate_if_smaller(&result, threshold))
                .unwrap_or(result),
        };
        *progress = Progress::Answered;
        self.answer(req_msg_id, &result);
    }

    /// Answers a call with an error, such as 400 `PEER_ID_INVALID`.
    pub fn respond_error(&mut self, req_msg_id: i64, code: i32, message: &str) {
        let error = types::RpcError {
            error_code: code,
            error_message: message.to_owned(),
        };
        self.respond(req_msg_id, tl::boxed(&error));
    }

    /// Answers `destroy_session`.
    pub fn respond_destroy_session(&mut self, session_id: i64, existed: bool) {
        let body = if existed {
            tl::boxed(&types::DestroySessionOk { session_id })
        } else {
            tl::boxed(&types::DestroySessionNone { session_id })
        };
        self.send_bare(body, true);
    }

    /// Sends an object of the server's own accord: the bytes of an `Updates`.
    pub fn push(&mut self, body: Vec<u8>) -> PushId {
        let push = PushId(self.next_push);
        self.next_push += 1;
        self.put(Pending {
            kind: MsgKind::Notification,
            body,
            content_related: true,
            answers: None,
            push: Some(push),
        });
        push
    }

    /// Sends any object in answer to something, without `rpc_result` around it. Content-related ones are kept
    /// until they are acknowledged. Service messages go this way, and what a test wants a client to see.
    pub fn send_bare(&mut self, body: Vec<u8>, content_related: bool) {
        self.put(Pending {
            kind: MsgKind::Response,
            body,
            content_related,
            answers: None,
            push: None,
        });
    }

    /// Tells the client that its message was ignored, with any of the codes of `bad_msg_notification`. An
    /// embedding server may do so in place of [`handle_opened`](Self::handle_opened), to see how a client takes it.
    pub fn reject(&mut self, bad_msg_id: i64, bad_msg_seqno: i32, code: i32) {
        let notice = types::BadMsgNotification {
            bad_msg_id,
            bad_msg_seqno,
            error_code: code,
        };
        self.send_bare(tl::boxed(&notice), false);
    }

    /// Forgets a call that was handed out, as a server does that lost it: it is acknowledged no more, and when it
    /// comes again it is handed out again. An answer to it is ignored.
    pub fn forget(&mut self, msg_id: i64) {
        self.acks.remove(msg_id);
        self.calls.remove(&msg_id);
        self.seqnos.remove(&msg_id);
        self.window.forget(msg_id);
    }

    fn answer(&mut self, req_msg_id: i64, result: &[u8]) {
        // The answer says that the call was received.
        self.acks.remove(req_msg_id);
        self.put(Pending {
            kind: MsgKind::Response,
            body: rpc_result(req_msg_id, result),
            content_related: true,
            answers: Some(req_msg_id),
            push: None,
        });
    }

    fn put(&mut self, pending: Pending) {
        self.pending.push_back(pending);
        let room = self.config.max_unacked.max(1);
        while self.pending.len() > room {
            self.pending.pop_front();
        }
    }

    /// What happened since the last call.
    pub fn poll_event(&mut self) -> Option<ServerSessionEvent> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called, and
    /// [`poll_transmit`](Self::poll_transmit) after it.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let resend = self.no_resend_before.filter(|_| !self.unacked.is_empty());
        let acks = self.acks.deadline(self.config.ack_delay);
        acks.into_iter().chain(resend).min()
    }

    /// A message was sent that will be sent again if it is not acknowledged.
    fn expect_ack(&mut self, now: Instant) {
        let first = now + self.config.resend_after;
        self.no_resend_before.get_or_insert(first);
    }

    fn resend_at(&self, msg_id: i64, unacked: &Unacked) -> Option<Instant> {
        let waits = unacked.resends < self.config.max_resends && !self.again.contains(&msg_id);
        waits.then(|| unacked.sent_at + self.config.resend_after * (unacked.resends + 1))
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.no_resend_before.is_none_or(|before| before > now) {
            return;
        }
        let due: Vec<_> = self
            .unacked
            .iter()
            .filter(|(id, unacked)| self.resend_at(**id, unacked).is_some_and(|at| at <= now))
            .map(|(id, _)| *id)
            .collect();
        // Only these count: what the client asks for again must not use up what it does not know to ask for.
        for id in &due {
            if let Some(unacked) = self.unacked.get_mut(id) {
                unacked.resends += 1;
            }
        }
        self.again.extend(due);
        let resends = self.unacked.iter();
        self.no_resend_before = resends
            .filter_map(|(id, unacked)| self.resend_at(*id, unacked))
            .min();
    }
}
