//! The sessions that the server remembers, by the key and the id that their clients gave them.
//!
//! A session outlives its connections: it keeps what was not acknowledged, and speaks through the connection that it
//! was last heard on.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use layer_crypto::AuthKey;
use layer_mtproto::session::{
    Opened, ServerSession, ServerSessionConfig, ServerSessionEvent, Violation,
};
use layer_tl_types::{Serializable, enums, types};
use tokio::sync::Notify;

use super::detour::Detour;
use super::lock;
use super::order::Order;
use super::twist::{Twists, boxed};
use crate::faults::KeyKind;
use crate::random;
use crate::world::auth::Known;

/// Updates that wait to be written at most. What comes after is dropped, and the client told to ask.
const MAX_WAITING: usize = 1_000;
/// Messages of one session that are kept until they are acknowledged at most.
const MAX_UNACKED: usize = 1_024;
/// Updates that wait for a session without a connection at most.
const MAX_OFFLINE: usize = 100;

/// The connection that a session speaks through.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) connection: u64,
    pub(crate) wake: Arc<Notify>,
}

/// What a packet asks of the server beyond the session itself.
#[derive(Debug)]
pub(crate) enum Received {
    Call {
        msg_id: i64,
        seqno: i32,
        body: Bytes,
    },
    DestroySession {
        session_id: i64,
    },
    DestroyAuthKey,
    CutAfter(Duration),
}

/// A session and how to reach it.
pub(crate) struct Slot {
    /// The key that it runs under, temporary or permanent.
    pub(crate) auth_key_id: i64,
    pub(crate) session_id: i64,
    pub(crate) key_kind: KeyKind,
    pub(crate) state: Mutex<SlotState>,
}

impl Slot {
    pub(crate) fn is_connected(&self) -> bool {
        lock(&self.state).link.is_some()
    }
}

/// What changes about a session.
pub(crate) struct SlotState {
    pub(crate) order: Order,
    /// Whether a call came that was not wrapped in `invokeWithoutUpdates`.
    pub(crate) wants_updates: bool,
    /// What is to become of calls that are under way.
    pub(crate) twists: Twists,
    /// Updates that faults keep from it for a while.
    pub(super) detour: Detour,
    /// Packets that are sealed already, and when they may go.
    staged: VecDeque<(Instant, Vec<u8>)>,
    session: ServerSession,
    link: Option<Link>,
    /// Updates handed to the session since it last had nothing to write.
    waiting: usize,
    /// Updates were dropped that the client has yet to be told of.
    missed: bool,
    closed: bool,
    used: Instant,
}

impl SlotState {
    fn new(session: ServerSession, now: Instant) -> Self {
        Self {
            order: Order::default(),
            wants_updates: false,
            twists: Twists::default(),
            detour: Detour::default(),
            staged: VecDeque::new(),
            session,
            link: None,
            waiting: 0,
            missed: false,
            closed: false,
            used: now,
        }
    }

    // -- connections --------------------------------------------------------------------------------------

    /// Speaks through this connection from now on.
    pub(crate) fn link(&mut self, link: Link) {
        if self.is_linked_to(link.connection) {
            return;
        }
        if let Some(before) = self.link.replace(link) {
            before.wake.notify_one();
        }
        self.session.connected();
    }

    /// Has no connection any more, unless another took over.
    pub(crate) fn unlink(&mut self, connection: u64) {
        if self.is_linked_to(connection) {
            self.link = None;
        }
    }

    pub(crate) fn is_linked_to(&self, connection: u64) -> bool {
        self.link
            .as_ref()
            .is_some_and(|link| link.connection == connection)
    }

    /// Ends the session: its connection is to be refused.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        self.wake();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn wake(&self) {
        if let Some(link) = &self.link {
            link.wake.notify_one();
        }
    }

    // -- messages -----------------------------------------------------------------------------------------

    /// Takes a packet that was opened with the session's key.
    pub(crate) fn receive(
        &mut self,
        opened: &Opened,
        packet: &Bytes,
        now: Instant,
        unix: Duration,
    ) -> Result<Vec<Received>, Violation> {
        self.used = now;
        self.session.handle_opened(opened, packet, now, unix)?;
        let mut received = Vec::new();
        while let Some(event) = self.session.poll_event() {
            match event {
                ServerSessionEvent::Request {
                    msg_id,
                    seqno,
                    body,
                } => received.push(Received::Call {
                    msg_id,
                    seqno,
                    body,
                }),
                ServerSessionEvent::DestroySession { session_id } => {
                    received.push(Received::DestroySession { session_id });
                }
                ServerSessionEvent::DestroyAuthKey { .. } => {
                    received.push(Received::DestroyAuthKey);
                }
                ServerSessionEvent::DisconnectAfter(delay) => {
                    received.push(Received::CutAfter(delay));
                }
                // What is not wanted any more is answered all the same; what arrived needs no thanks.
                _ => {}
            }
        }
        Ok(received)
    }

    /// Queues the result of a call.
    pub(crate) fn respond(&mut self, msg_id: i64, result: Vec<u8>) {
        self.session.respond(msg_id, result);
        self.wake();
    }

    /// Queues the answer to `destroy_session`.
    pub(crate) fn respond_destroyed(&mut self, session_id: i64, existed: bool) {
        self.session.respond_destroy_session(session_id, existed);
    }

    /// Queues an object that is no result.
    pub(crate) fn send(&mut self, body: Vec<u8>) {
        self.session.send_bare(body, true);
        self.wake();
    }

    /// Queues an object that needs no acknowledgement.
    pub(crate) fn send_service(&mut self, body: Vec<u8>) {
        self.session.send_bare(body, false);
        self.wake();
    }

    /// Says that a message was ignored, by a code of `bad_msg_notification`.
    pub(crate) fn reject(&mut self, msg_id: i64, seqno: i32, code: i32) {
        self.session.reject(msg_id, seqno, code);
    }

    /// Says that a message's salt was not the right one.
    pub(crate) fn reject_salt(&mut self, msg_id: i64, seqno: i32, unix: Duration) {
        self.session.reject_salt(msg_id, seqno, unix);
    }

    /// Forgets a call that came, so that it is done when it comes again.
    pub(crate) fn forget_call(&mut self, msg_id: i64) {
        self.session.forget(msg_id);
    }

    /// Says that the session is new since `first_msg_id`, though it is not.
    pub(crate) fn pretend_new(&mut self, first_msg_id: i64, unique_id: i64, unix: Duration) {
        let notice = types::NewSessionCreated {
            first_msg_id,
            unique_id,
            server_salt: self.session.salts().current(unix),
        };
        self.session.push(boxed(&notice));
    }

    /// Throws the salts of its key away.
    pub(crate) fn rotate_salts(&self) {
        self.session.salts().rotate();
    }

    /// The key that the session runs under.
    pub(crate) fn key(&self) -> &AuthKey {
        self.session.auth_key()
    }

    /// Keeps a packet that is sealed, until it may go.
    pub(crate) fn stage(&mut self, due: Instant, packet: Vec<u8>) {
        self.staged.push_back((due, packet));
    }

    /// Queues updates. When too many wait they are dropped, and the client is told to ask for a difference; false then.
    pub(crate) fn push(&mut self, updates: Vec<u8>) -> bool {
        let most = if self.link.is_some() {
            MAX_WAITING
        } else {
            MAX_OFFLINE
        };
        if self.missed || self.waiting >= most {
            self.missed = true;
            return false;
        }
        self.waiting += 1;
        self.session.push(updates);
        self.wake();
        true
    }

    /// Appends the next packet to `out`; false when there is none.
    pub(crate) fn transmit(&mut self, now: Instant, unix: Duration, out: &mut Vec<u8>) -> bool {
        let due = self.staged.iter().position(|(due, _)| *due <= now);
        if let Some((_, packet)) = due.and_then(|due| self.staged.remove(due)) {
            out.extend_from_slice(&packet);
            return true;
        }
        self.transmit_session(now, unix, out)
    }

    /// As [`SlotState::transmit`], but for what is sealed already.
    pub(crate) fn transmit_session(
        &mut self,
        now: Instant,
        unix: Duration,
        out: &mut Vec<u8>,
    ) -> bool {
        if self.session.poll_transmit(now, unix, out) {
            return true;
        }
        self.waiting = 0;
        if !std::mem::take(&mut self.missed) {
            return false;
        }
        self.session.push(enums::Updates::TooLong.to_bytes());
        self.session.poll_transmit(now, unix, out)
    }

    /// As [`SlotState::transmit`], but for as many packets as there are until there are `enough` bytes of them; `ends` tells
    /// where in `out` each of them ends.
    pub(crate) fn transmit_many(
        &mut self,
        now: Instant,
        unix: Duration,
        enough: usize,
        out: &mut Vec<u8>,
        ends: &mut Vec<usize>,
    ) {
        out.clear();
        ends.clear();
        if self.staged.is_empty() {
            self.session
                .poll_transmit_many(now, unix, enough, out, ends);
        }
        // What is sealed already, and what comes when the session has nothing more.
        while out.len() < enough && self.transmit(now, unix, out) {
            ends.push(out.len());
        }
    }

    /// When something is due even if nothing comes.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.session
            .poll_timeout()
            .into_iter()
            .chain(self.order.deadline())
            .chain(self.detour.deadline())
            .chain(self.staged.iter().map(|(due, _)| *due))
            .min()
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.session.handle_timeout(now);
        self.end_detours(now);
    }
}

/// All sessions.
pub(crate) struct Registry {
    by_key: HashMap<i64, Vec<Arc<Slot>>>,
    count: usize,
    per_key: usize,
    most: usize,
}

impl Registry {
    pub(crate) fn new(per_key: usize, most: usize) -> Self {
        Self {
            by_key: HashMap::new(),
            count: 0,
            per_key: per_key.max(1),
            most: most.max(1),
        }
    }

    /// The session of that name, made if there is none.
    pub(crate) fn session(&mut self, known: &Known, session_id: i64, now: Instant) -> Arc<Slot> {
        let key = known.key.id();
        if let Some(slot) = self.find(key, session_id) {
            return Arc::clone(slot);
        }
        if self
            .by_key
            .get(&key)
            .is_some_and(|slots| slots.len() >= self.per_key)
        {
            self.forget_stalest(Some(key));
        }
        if self.count >= self.most {
            self.forget_stalest(None);
        }
        // Results are compressed before they come here, where it is known which are worth it.
        let mut config = ServerSessionConfig::default();
        config.gzip_threshold = None;
        config.max_unacked = MAX_UNACKED;
        let session = ServerSession::new(
            known.key.clone(),
            session_id,
            known.salts.clone(),
            random::source(),
            config,
        );
        let state = Mutex::new(SlotState::new(session, now));
        let slot = Arc::new(Slot {
            auth_key_id: key,
            session_id,
            key_kind: known.kind,
            state,
        });
        self.by_key.entry(key).or_default().push(Arc::clone(&slot));
        self.count += 1;
        slot
    }

    fn find(&self, key: i64, session_id: i64) -> Option<&Arc<Slot>> {
        self.by_key
            .get(&key)?
            .iter()
            .find(|slot| slot.session_id == session_id)
    }

    /// The sessions of a key.
    pub(crate) fn of_key(&self, key: i64) -> Vec<Arc<Slot>> {
        self.by_key.get(&key).cloned().unwrap_or_default()
    }

    /// All sessions.
    pub(crate) fn all(&self) -> Vec<Arc<Slot>> {
        self.by_key.values().flatten().cloned().collect()
    }

    /// Forgets a session; false when there was none.
    pub(crate) fn remove(&mut self, key: i64, session_id: i64) -> bool {
        let Some(slots) = self.by_key.get_mut(&key) else {
            return false;
        };
        let Some(at) = slots.iter().position(|slot| slot.session_id == session_id) else {
            return false;
        };
        slots.swap_remove(at);
        if slots.is_empty() {
            self.by_key.remove(&key);
        }
        self.count -= 1;
        true
    }

    /// Forgets the sessions of a key.
    pub(crate) fn forget_key(&mut self, key: i64) -> Vec<Arc<Slot>> {
        let slots = self.by_key.remove(&key).unwrap_or_default();
        self.count -= slots.len();
        slots
    }

    /// Forgets the session longest unused, one without a connection if there is one.
    fn forget_stalest(&mut self, key: Option<i64>) {
        let stalest = self
            .by_key
            .iter()
            .filter(|(id, _)| key.is_none_or(|key| key == **id))
            .flat_map(|(_, slots)| slots)
            .min_by_key(|slot| {
                let state = lock(&slot.state);
                (state.link.is_some(), state.used)
            })
            .map(|slot| (slot.auth_key_id, slot.session_id));
        if let Some((key, session_id)) = stalest {
            self.remove(key, session_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use layer_crypto::AuthKey;
    use layer_mtproto::session::SaltBook;

    use super::*;

    fn known(byte: u8) -> Known {
        let key = AuthKey::from_bytes([byte; 256]);
        let salts = SaltBook::new(&key, None, Duration::from_secs(1_700_000_000));
        let kind = KeyKind::Permanent;
        Known { key, salts, kind }
    }

    fn link(connection: u64) -> Link {
        Link {
            connection,
            wake: Arc::new(Notify::new()),
        }
    }

    #[test]
    fn sessions_are_bounded_and_the_stalest_goes() {
        let (mut registry, now) = (Registry::new(2, 3), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        let first = registry.session(&known(1), 1, at(0));
        lock(&first.state).link(link(9));
        registry.session(&known(1), 2, at(1));
        registry.session(&known(1), 3, at(2));
        let ids = |registry: &Registry, byte| {
            let mut ids: Vec<_> = registry
                .of_key(known(byte).key.id())
                .iter()
                .map(|s| s.session_id)
                .collect();
            ids.sort_unstable();
            ids
        };
        assert_eq!(ids(&registry, 1), [1, 3], "the connected one stays");
        registry.session(&known(2), 4, at(3));
        registry.session(&known(2), 5, at(4));
        assert_eq!(
            (ids(&registry, 1), ids(&registry, 2)),
            (vec![1], vec![4, 5])
        );
        assert_eq!(registry.all().len(), 3);
    }

    #[test]
    fn a_session_without_a_connection_keeps_few_updates_and_asks_for_a_difference() {
        let (mut registry, now) = (Registry::new(2, 2), Instant::now());
        let slot = registry.session(&known(1), 1, now);
        let mut state = lock(&slot.state);
        for _ in 0..MAX_OFFLINE * 2 {
            state.push(vec![0; 4]);
        }
        assert!(state.missed);
        assert_eq!(state.session.unacknowledged(), MAX_OFFLINE);
        let (unix, mut packets) = (Duration::from_secs(1_700_000_000), 0);
        while state.transmit(now, unix, &mut Vec::new()) {
            packets += 1;
        }
        assert!(!state.missed && packets >= 2);
        assert_eq!(state.session.unacknowledged(), MAX_OFFLINE + 1);
    }

    #[test]
    fn the_connection_heard_last_carries_the_session() {
        let mut registry = Registry::new(2, 2);
        let slot = registry.session(&known(1), 1, Instant::now());
        let mut state = lock(&slot.state);
        state.link(link(1));
        state.link(link(2));
        state.unlink(1);
        assert!(state.is_linked_to(2));
        state.unlink(2);
        assert!(!state.is_linked_to(2));
    }
}
