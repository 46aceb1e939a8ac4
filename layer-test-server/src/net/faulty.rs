//! Where a connection asks what is to go wrong, and does it.
//!
//! What happens, and how often, is for [`faults`](crate::faults) to say. Here is the doing: at each point the
//! actions of the rule that fired are taken in their order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use layer_crypto::AuthKey;
use layer_crypto::dh::TELEGRAM_PRIME;
use layer_mtproto::handshake;
use layer_mtproto::plain;
use layer_tl_types::{Identifiable, functions as f, name_for_id, types};

use super::connection::{AUTH_KEY_NOT_FOUND, Close, Connection, Incoming};
use super::registry::Slot;
use super::twist::{Twist, boxed};
use super::{Hub, Live, forge, lock};
use crate::faults::{
    Action, Decision, Event, KeyKind, MAX_REPLAY, Point, Scene, Step, Where, matches,
};
use crate::random;
use crate::rpc::RpcError;
use crate::rpc::wrap::Unwrapped;

/// How long a packet waits for another one to change places with.
const SWAP_PATIENCE: Duration = Duration::from_millis(500);

/// The generator and safe prime of RFC 3526's group 14, which is not Telegram's.
const FOREIGN_GROUP: (i32, [u8; 256]) = (2, FOREIGN_PRIME);
#[rustfmt::skip]
const FOREIGN_PRIME: [u8; 256] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc9, 0x0f, 0xda, 0xa2, 0x21, 0x68, 0xc2, 0x34,
    0xc4, 0xc6, 0x62, 0x8b, 0x80, 0xdc, 0x1c, 0xd1, 0x29, 0x02, 0x4e, 0x08, 0x8a, 0x67, 0xcc, 0x74,
    0x02, 0x0b, 0xbe, 0xa6, 0x3b, 0x13, 0x9b, 0x22, 0x51, 0x4a, 0x08, 0x79, 0x8e, 0x34, 0x04, 0xdd,
    0xef, 0x95, 0x19, 0xb3, 0xcd, 0x3a, 0x43, 0x1b, 0x30, 0x2b, 0x0a, 0x6d, 0xf2, 0x5f, 0x14, 0x37,
    0x4f, 0xe1, 0x35, 0x6d, 0x6d, 0x51, 0xc2, 0x45, 0xe4, 0x85, 0xb5, 0x76, 0x62, 0x5e, 0x7e, 0xc6,
    0xf4, 0x4c, 0x42, 0xe9, 0xa6, 0x37, 0xed, 0x6b, 0x0b, 0xff, 0x5c, 0xb6, 0xf4, 0x06, 0xb7, 0xed,
    0xee, 0x38, 0x6b, 0xfb, 0x5a, 0x89, 0x9f, 0xa5, 0xae, 0x9f, 0x24, 0x11, 0x7c, 0x4b, 0x1f, 0xe6,
    0x49, 0x28, 0x66, 0x51, 0xec, 0xe4, 0x5b, 0x3d, 0xc2, 0x00, 0x7c, 0xb8, 0xa1, 0x63, 0xbf, 0x05,
    0x98, 0xda, 0x48, 0x36, 0x1c, 0x55, 0xd3, 0x9a, 0x69, 0x16, 0x3f, 0xa8, 0xfd, 0x24, 0xcf, 0x5f,
    0x83, 0x65, 0x5d, 0x23, 0xdc, 0xa3, 0xad, 0x96, 0x1c, 0x62, 0xf3, 0x56, 0x20, 0x85, 0x52, 0xbb,
    0x9e, 0xd5, 0x29, 0x07, 0x70, 0x96, 0x96, 0x6d, 0x67, 0x0c, 0x35, 0x4e, 0x4a, 0xbc, 0x98, 0x04,
    0xf1, 0x74, 0x6c, 0x08, 0xca, 0x18, 0x21, 0x7c, 0x32, 0x90, 0x5e, 0x46, 0x2e, 0x36, 0xce, 0x3b,
    0xe3, 0x9e, 0x77, 0x2c, 0x18, 0x0e, 0x86, 0x03, 0x9b, 0x27, 0x83, 0xa2, 0xec, 0x07, 0xa2, 0x8f,
    0xb5, 0xc5, 0x5d, 0xf0, 0x6f, 0x4c, 0x52, 0xc9, 0xde, 0x2b, 0xcb, 0xf6, 0x95, 0x58, 0x17, 0x18,
    0x39, 0x95, 0x49, 0x7c, 0xea, 0x95, 0x6a, 0xe5, 0x15, 0xd2, 0x26, 0x18, 0x98, 0xfa, 0x05, 0x10,
    0x15, 0x72, 0x8e, 0x5a, 0x8a, 0xac, 0xaa, 0x68, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
];

/// What faults make of a connection.
#[derive(Default)]
pub(super) struct Trouble {
    /// It is to end without another word.
    pub(super) lost: bool,
    /// It says nothing any more.
    pub(super) silent: bool,
    /// Nothing is looked at before.
    pub(super) asleep_until: Option<Instant>,
    /// The transport error that it is to be refused with, once its transport is known.
    pub(super) refusal: Option<i32>,
    /// What was put off, and until when.
    delayed: Vec<(Instant, Delayed)>,
    /// What waits for another packet to change places with, and until when at most.
    swapped_in: Option<(Instant, Incoming)>,
    swapped_out: Option<(Instant, Vec<u8>)>,
    /// What went out last, as long as there are rules for it.
    earlier: Vec<Vec<u8>>,
    incoming: u64,
    outgoing: u64,
    exchanged: u64,
}

enum Delayed {
    In(Box<Incoming>),
    /// A packet that is ready to go out.
    Out(Vec<u8>),
}

/// How a packet goes out.
#[derive(Default)]
struct Manner {
    noise: Option<u32>,
    split: bool,
    cut: Option<u64>,
    twice: bool,
    delay: Option<Duration>,
}

impl Manner {
    /// Takes an action of this kind; false when it is another.
    fn take(&mut self, action: &Action) -> bool {
        match action {
            Action::Noise(bytes) => self.noise = Some(*bytes),
            Action::Split => self.split = true,
            Action::Cut(bytes) => self.cut = Some(*bytes),
            Action::Duplicate => self.twice = true,
            Action::Delay(time) => self.delay = Some(*time),
            _ => return false,
        }
        true
    }
}

impl Trouble {
    /// When something is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let delayed = self.delayed.iter().map(|(due, _)| *due);
        delayed
            .chain(self.asleep_until)
            .chain(self.swapped_in.as_ref().map(|(due, _)| *due))
            .chain(self.swapped_out.as_ref().map(|(due, _)| *due))
            .min()
    }

    pub(super) fn is_asleep(&self, now: Instant) -> bool {
        self.asleep_until.is_some_and(|until| until > now)
    }
}

impl Connection {
    fn scene(&self) -> Scene {
        Scene {
            dc: self.dc_id,
            connection: self.id,
            transport: self.kind(),
            over: self.kind().is_some().then_some(self.carrier),
        }
    }

    fn decide(&self, event: &Event<'_>, now: Instant) -> Decision {
        let decision = self.hub.faults().decide(&self.scene(), event, now);
        if !decision.actions.is_empty() {
            self.hub.changed.notify_waiters();
        }
        decision
    }

    fn watches(&self, point: Point) -> bool {
        self.hub.faults().watches(point)
    }

    // -- the connection as a whole ------------------------------------------------------------------------

    /// The connection is there, or its transport is known now.
    pub(super) fn on_connect(&mut self, now: Instant) {
        let scene = self.scene();
        self.hub
            .live()
            .entry(self.id)
            .or_insert_with(|| Live {
                scene,
                orders: Vec::new(),
                wake: Arc::clone(&self.wake),
            })
            .scene = scene;
        for action in self.decide(&Event::Connect, now).actions {
            match action {
                Action::Delay(time) => self.trouble.asleep_until = Some(now + time),
                Action::Split => self.out.split_until(u64::MAX),
                Action::Cut(bytes) => self.out.cut_at(self.out.end() + bytes),
                Action::Noise(bytes) => self.make_noise(bytes),
                other => {
                    self.upset(&other);
                }
            }
        }
    }

    /// Does what was ordered for this connection from outside.
    pub(super) fn take_orders(&mut self) {
        let orders = match self.hub.live().get_mut(&self.id) {
            Some(live) => std::mem::take(&mut live.orders),
            None => return,
        };
        orders.iter().for_each(|order| {
            self.upset(order);
        });
    }

    /// Does what an action does to a whole connection or server; true when that ends what was under way.
    fn upset(&mut self, action: &Action) -> bool {
        match action {
            Action::Close => self.trouble.lost = true,
            Action::TransportError(code) => match self.kind() {
                Some(_) => self.refuse(*code),
                None => self.trouble.refusal = Some(*code),
            },
            Action::Silence => {
                self.trouble.silent = true;
                self.detach();
                self.out.discard();
            }
            Action::SkewClock(seconds) => {
                self.hub.clock.set_skew(*seconds);
                return false;
            }
            _ => return false,
        }
        true
    }

    fn make_noise(&mut self, bytes: u32) {
        let noise = self.hub.faults().noise(bytes);
        self.out.buffer().extend_from_slice(&noise);
    }

    /// Does what was put off and is due.
    pub(super) fn run_delayed(&mut self, now: Instant) -> Result<(), Close> {
        if let Some((due, _)) = &self.trouble.swapped_out
            && *due <= now
        {
            self.send_swapped()?;
        }
        if let Some((due, _)) = &self.trouble.swapped_in
            && *due <= now
        {
            self.take_swapped(now)?;
        }
        while let Some(at) = self.trouble.delayed.iter().position(|(due, _)| *due <= now) {
            match self.trouble.delayed.remove(at).1 {
                Delayed::In(incoming) => self.take(*incoming, now)?,
                Delayed::Out(packet) => self.frame(packet)?,
            }
        }
        Ok(())
    }

    // -- packets that come --------------------------------------------------------------------------------

    /// Takes a packet, unless something else is to happen to it.
    pub(super) fn take_or_fail(&mut self, incoming: Incoming, now: Instant) -> Result<(), Close> {
        self.trouble.incoming += 1;
        if self.watches(Point::In) {
            let body = incoming.body();
            let holds = |pattern: &str| {
                let fits = |body: &[u8]| matches(pattern, &method(body));
                if forge::is_container(body) {
                    forge::contained(body).any(|(_, body)| fits(body))
                } else {
                    fits(body)
                }
            };
            let event = Event::In {
                number: self.trouble.incoming,
                key: incoming.known.kind,
                container: forge::is_container(body),
                holds: &holds,
            };
            let decision = self.decide(&event, now);
            if !decision.actions.is_empty() {
                return self.fail_incoming(incoming, &decision.actions, now);
            }
        }
        self.take(incoming, now)?;
        self.take_swapped(now)
    }

    fn take_swapped(&mut self, now: Instant) -> Result<(), Close> {
        match self.trouble.swapped_in.take() {
            Some((_, incoming)) => self.take(incoming, now),
            None => Ok(()),
        }
    }

    fn fail_incoming(
        &mut self,
        incoming: Incoming,
        actions: &[Action],
        now: Instant,
    ) -> Result<(), Close> {
        let (id, session_id) = (incoming.known.key.id(), incoming.opened.session_id);
        let (msg_id, seqno) = (incoming.opened.msg_id, incoming.opened.seqno);
        let mut manner = Manner::default();
        for action in actions {
            if manner.take(action) {
                continue;
            }
            match action {
                Action::Drop => return Ok(()),
                Action::Reorder => {
                    self.take_swapped(now)?;
                    self.trouble.swapped_in = Some((now + SWAP_PATIENCE, incoming));
                    return Ok(());
                }
                Action::BadMsg(code) => {
                    let slot = self.slot(&incoming, now);
                    lock(&slot.state).reject(msg_id, seqno, *code);
                    return Ok(());
                }
                Action::BadServerSalt => {
                    let slot = self.slot(&incoming, now);
                    let unix = self.hub.clock.unix(now);
                    lock(&slot.state).reject_salt(msg_id, seqno, unix);
                    return Ok(());
                }
                Action::ResendRequest => {
                    let slot = self.slot(&incoming, now);
                    let msg_ids = vec![msg_id];
                    lock(&slot.state).send(boxed(&types::MsgResendReq { msg_ids }));
                    return Ok(());
                }
                Action::NewSession => {
                    self.hub.registry().remove(id, session_id);
                }
                Action::RotateSalts => incoming.known.salts.rotate(),
                Action::ForgetKey(kind) => {
                    self.forget_key(id, *kind);
                    return Ok(());
                }
                other => {
                    if self.upset(other) {
                        return Ok(());
                    }
                }
            }
        }
        if let Some(delay) = manner.delay {
            let twice = manner.twice.then(|| incoming.clone());
            for incoming in [Some(incoming), twice].into_iter().flatten() {
                self.trouble
                    .delayed
                    .push((now + delay, Delayed::In(Box::new(incoming))));
            }
            return Ok(());
        }
        if manner.twice {
            self.take(incoming.clone(), now)?;
        }
        self.take(incoming, now)?;
        self.take_swapped(now)
    }

    fn forget_key(&mut self, id: i64, kind: KeyKind) {
        self.hub.act(|world| {
            let id = match kind {
                KeyKind::Permanent => world.auth.permanent(id),
                KeyKind::Temporary => id,
            };
            world.auth.forget_key(id);
        });
        self.refuse(AUTH_KEY_NOT_FOUND);
    }

    // -- calls --------------------------------------------------------------------------------------------

    /// Serves a call, unless something else is to happen to it.
    pub(super) fn call_or_fail(
        &mut self,
        slot: &Arc<Slot>,
        (msg_id, seqno): (i64, i32),
        body: &[u8],
        now: Instant,
    ) -> Result<(), Close> {
        let id = slot.auth_key_id;
        let decision = if self.watches(Point::Call) {
            let user = {
                let world = self.hub.world();
                world.auth.user_of(world.auth.permanent(id))
            };
            let event = Event::Call {
                method: &method(body),
                user,
                key: slot.key_kind,
            };
            self.decide(&event, now)
        } else {
            Decision::default()
        };
        let mut twist = Twist::default();
        let mut delay = None;
        for action in decision.actions {
            if let Some((code, message)) = action.refusal(decision.left) {
                twist.refusal = Some(RpcError::new(code, message));
                continue;
            }
            match action {
                Action::Drop => return Ok(()),
                Action::Delay(time) => delay = Some(time),
                Action::CloseBeforeAck => self.trouble.lost = true,
                Action::CloseAfterAck => {
                    let msg_ids = vec![msg_id];
                    lock(&slot.state).send_service(boxed(&types::MsgsAck { msg_ids }));
                    self.work(now)?;
                    // What the session says from here on waits for its next connection.
                    self.detach();
                    self.closing = true;
                }
                Action::BadMsg(code) => {
                    lock(&slot.state).reject(msg_id, seqno, code);
                    return Ok(());
                }
                Action::BadServerSalt => {
                    let unix = self.hub.clock.unix(now);
                    lock(&slot.state).reject_salt(msg_id, seqno, unix);
                    return Ok(());
                }
                Action::NewSession => {
                    let unique_id = self.hub.world().auth.random_id();
                    let unix = self.hub.clock.unix(now);
                    lock(&slot.state).pretend_new(msg_id.saturating_add(4), unique_id, unix);
                    return Ok(());
                }
                Action::RotateSalts => lock(&slot.state).rotate_salts(),
                Action::ForgetKey(kind) => {
                    self.forget_key(id, kind);
                    return Ok(());
                }
                other => {
                    if self.upset(&other) {
                        return Ok(());
                    }
                    twist.answer.push(other);
                }
            }
        }
        if twist.refusal.is_some() || !twist.answer.is_empty() {
            lock(&slot.state).twists.put(msg_id, twist);
        }
        let (hub, dc_id) = (Arc::clone(&self.hub), self.dc_id);
        match delay {
            None => hub.call(slot, dc_id, msg_id, body),
            Some(delay) => {
                let (slot, body) = (Arc::clone(slot), body.to_vec());
                let hub = Arc::downgrade(&hub);
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    if let Some(hub) = hub.upgrade() {
                        hub.call(&slot, dc_id, msg_id, &body);
                    }
                });
            }
        }
        Ok(())
    }

    // -- packets that go ----------------------------------------------------------------------------------

    /// Sends a session's packet, unless something else is to happen to it.
    pub(super) fn send_or_fail(
        &mut self,
        slot: &Slot,
        key: &AuthKey,
        mut packet: Vec<u8>,
        now: Instant,
    ) -> Result<(), Close> {
        self.trouble.outgoing += 1;
        if !self.watches(Point::Out) {
            self.trouble.earlier.clear();
            self.frame(packet)?;
            return self.send_swapped();
        }
        let event = Event::Out {
            number: self.trouble.outgoing,
            key: slot.key_kind,
            kept: self.trouble.earlier.len(),
        };
        let actions = self.decide(&event, now).actions;
        let kept = packet.clone();
        let mut manner = Manner::default();
        for action in &actions {
            if manner.take(action) {
                continue;
            }
            let other = match action {
                Action::Drop => return Ok(()),
                Action::Reorder => {
                    self.send_swapped()?;
                    self.trouble.swapped_out = Some((now + SWAP_PATIENCE, packet));
                    return Ok(());
                }
                Action::Replay(back) => {
                    let earlier = &self.trouble.earlier;
                    let at = earlier.len().checked_sub(usize::from(*back));
                    if let Some(earlier) = at.and_then(|at| earlier.get(at)).cloned() {
                        self.frame(earlier)?;
                    }
                    None
                }
                Action::WrongSession => forge::wrong_session(key, &mut packet.clone()),
                Action::ShortPadding => forge::short_padding(key, &mut packet.clone()),
                Action::LongPadding => {
                    forge::long_padding(key, &mut packet.clone(), &mut *random::source())
                }
                Action::WrongMsgKey => Some(forge::wrong_msg_key(packet.clone())),
                Action::Garbage(bytes) => Some(self.hub.faults().noise(*bytes)),
                other => {
                    if self.upset(other) {
                        return Ok(());
                    }
                    None
                }
            };
            packet = other.unwrap_or(packet);
        }
        self.trouble.earlier.push(kept);
        if self.trouble.earlier.len() > usize::from(MAX_REPLAY) {
            self.trouble.earlier.remove(0);
        }
        self.send(packet, &manner, now)?;
        self.send_swapped()
    }

    fn send_swapped(&mut self) -> Result<(), Close> {
        match self.trouble.swapped_out.take() {
            Some((_, packet)) => self.frame(packet),
            None => Ok(()),
        }
    }

    /// Sends a packet in such a manner.
    fn send(&mut self, packet: Vec<u8>, manner: &Manner, now: Instant) -> Result<(), Close> {
        let again = manner.twice.then(|| packet.clone());
        for packet in [Some(packet), again].into_iter().flatten() {
            if let Some(delay) = manner.delay {
                self.trouble
                    .delayed
                    .push((now + delay, Delayed::Out(packet)));
                continue;
            }
            if let Some(bytes) = manner.noise {
                self.make_noise(bytes);
            }
            if let Some(bytes) = manner.cut {
                self.out.cut_at(self.out.end() + bytes);
            }
            self.frame(packet)?;
            if manner.split {
                self.out.split_until(self.out.end());
            }
        }
        Ok(())
    }

    // -- the key exchange ---------------------------------------------------------------------------------

    /// Asks what is to happen to a request of the key exchange.
    pub(super) fn decide_exchange(&mut self, packet: &[u8], now: Instant) -> Vec<Action> {
        self.trouble.exchanged += 1;
        let Some(step) = step(packet) else {
            return Vec::new();
        };
        let event = Event::Exchange {
            step,
            number: self.trouble.exchanged,
        };
        self.decide(&event, now).actions
    }

    /// Sends an answer of the key exchange, changed as the actions want it.
    pub(super) fn send_exchanged(
        &mut self,
        mut packet: Vec<u8>,
        actions: &[Action],
        now: Instant,
    ) -> Result<(), Close> {
        let mut manner = Manner::default();
        for action in actions {
            // The nonces stand behind the constructor's id, what is hashed behind them.
            let flip = match action {
                Action::WrongNonce => Some(plain::HEADER + 4),
                Action::WrongServerNonce => Some(plain::HEADER + 20),
                // Of an encrypted answer, some byte within it.
                Action::WrongHash => Some(plain::HEADER + 44),
                _ => None,
            };
            if let Some(byte) = flip.and_then(|at| packet.get_mut(at)) {
                *byte ^= 1;
            }
            match action {
                Action::Malformed => halve(&mut packet),
                Action::Garbage(bytes) => packet = self.hub.faults().noise(*bytes),
                other => {
                    manner.take(other);
                }
            }
        }
        self.send(packet, &manner, now)
    }

    /// Does what an action does to a request of the key exchange before it is answered; true when that is all.
    pub(super) fn fail_exchange(&mut self, action: &Action) -> bool {
        matches!(action, Action::Drop) || self.upset(action)
    }
}

/// Makes the server's side of the key exchange do what the actions want it to say.
pub(super) fn prepare(handshake: &mut handshake::Server, actions: &[Action]) {
    let wants = |action| actions.contains(&action);
    handshake.refuse_keys(if wants(Action::DhGenRetry) {
        u8::MAX
    } else {
        0
    });
    handshake.fail_keys(wants(Action::DhGenFail));
    handshake.use_group(wants(Action::ForeignPrime).then_some(FOREIGN_GROUP));
    let forgeries = actions.to_vec();
    handshake.forge_answer(move |answer| {
        for action in forgeries {
            match action {
                Action::BadPrime => {
                    let mut prime = TELEGRAM_PRIME;
                    // No prime, and the generator's residue is the same.
                    prime[255] -= 12;
                    answer.dh_prime = prime.to_vec();
                }
                // No quadratic residue modulo Telegram's prime.
                Action::BadGenerator => answer.g = 2,
                Action::BadPublic => answer.g_a = vec![1],
                Action::WrongInnerNonce => answer.nonce[0] ^= 1,
                _ => {}
            }
        }
    });
}

/// Cuts the body of a plain message in two and keeps the first half.
fn halve(packet: &mut Vec<u8>) {
    let half = packet.len().saturating_sub(plain::HEADER) / 8 * 4;
    packet.truncate(plain::HEADER + half);
    if let (Some(field), Ok(half)) = (packet.get_mut(16..plain::HEADER), u32::try_from(half)) {
        field.copy_from_slice(&half.to_le_bytes());
    }
}

/// Which request of the key exchange a plain packet holds.
fn step(packet: &[u8]) -> Option<Step> {
    let (_, body) = plain::unpack(packet).ok()?;
    match u32::from_le_bytes(*body.first_chunk()?) {
        f::ReqPq::CONSTRUCTOR_ID | f::ReqPqMulti::CONSTRUCTOR_ID => Some(Step::Pq),
        f::ReqDhParams::CONSTRUCTOR_ID => Some(Step::DhParams),
        f::SetClientDhParams::CONSTRUCTOR_ID => Some(Step::DhGen),
        _ => None,
    }
}

/// The name of the method that a message calls, without its wrappers.
fn method(body: &[u8]) -> String {
    let id = Unwrapped::new(body).ok().and_then(|call| call.id());
    id.and_then(name_for_id).unwrap_or_default().to_owned()
}

impl Hub {
    /// Does something at once to all that a rule means.
    pub(crate) fn at_once(self: &Arc<Self>, place: &Where, actions: &[Action]) {
        for action in actions {
            match action {
                Action::SkewClock(seconds) => self.clock.set_skew(*seconds),
                Action::RotateSalts => self
                    .world()
                    .auth
                    .rotate_salts(|record| place.is_of(record.dc_id)),
                Action::ForgetKey(kind) => self.act(|world| {
                    world
                        .auth
                        .forget_keys(|record| place.is_of(record.dc_id) && record.kind() == *kind);
                }),
                Action::NewSession => self.forget_sessions(place),
                other => {
                    for live in self.live().values_mut() {
                        if place.covers(&live.scene) {
                            live.orders.push(other.clone());
                            live.wake.notify_one();
                        }
                    }
                }
            }
        }
    }

    /// Forgets sessions, which begin anew with their clients' next messages.
    fn forget_sessions(&self, place: &Where) {
        let world = self.world();
        let mut registry = self.registry();
        for slot in registry.all() {
            let record = world.auth.record(slot.auth_key_id);
            if record.is_none_or(|record| place.is_of(record.dc_id)) {
                registry.remove(slot.auth_key_id, slot.session_id);
            }
        }
    }
}
