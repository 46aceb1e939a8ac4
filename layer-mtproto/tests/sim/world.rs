//! The server: keys, sessions and what calls do, behind one connection at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use layer_crypto::AuthKey;
use layer_crypto::message::{Sender, open_v1};
use layer_crypto::rsa::PrivateKey;
use layer_mtproto::handshake::{Server as Exchange, ServerEvent};
use layer_mtproto::session::{
    SaltBook, ServerSession, ServerSessionConfig, ServerSessionEvent, inflate_packed, open_packet,
};
use layer_mtproto::transport::{Acceptor, Codec, Frame};
use layer_tl_types::{Cursor, Deserializable, Identifiable, types};

use super::clock::{Clock, Time};
use super::fates::{Fates, name};
use super::nonsense::nonsense;
use super::order::{Call, Order, Verdict};
use super::trace::{self, trace};
use super::weather::Weather;
use super::{BIND, Dice, PREAMBLE};
use crate::util::TestRng;
use crate::util::pair::{id_of, result_of};

/// Everything that belongs to a key.
struct Key {
    key: AuthKey,
    salts: SaltBook,
    /// When it ends, for a temporary one.
    expires_at: Option<Duration>,
    bound: bool,
    introduced: bool,
    sessions: BTreeMap<i64, Session>,
    /// Sessions that the client gave up: what comes for them late would be done again.
    destroyed: BTreeSet<i64>,
}

struct Session {
    inner: ServerSession,
    order: Order,
    /// Packets that were taken.
    taken: BTreeSet<i64>,
    /// Packets that were refused, and why.
    refused: BTreeMap<i64, i32>,
    /// The connection that it came by last.
    connection: u64,
}

/// A call that is being done, until then.
struct Job {
    due: Time,
    key: i64,
    session: i64,
    msg_id: i64,
    body: Vec<u8>,
}

/// The connection that is open.
struct Connection {
    number: u64,
    acceptor: Acceptor,
    codec: Option<Codec>,
    exchange: Exchange,
    /// The session that it carries.
    session: Option<(i64, i64)>,
    closes_at: Option<Time>,
}

pub(crate) struct World {
    rsa: Arc<[PrivateKey]>,
    keys: BTreeMap<i64, Key>,
    connection: Option<Connection>,
    connections: u64,
    jobs: Vec<Job>,
    /// What waits to be written.
    pub(crate) outgoing: Vec<u8>,
    /// Pushed texts, and how often the client was shown each.
    pub(crate) pushes: BTreeMap<Vec<u8>, u32>,
}

impl World {
    pub(crate) fn new(rsa: Arc<[PrivateKey]>) -> Self {
        Self {
            rsa,
            keys: BTreeMap::new(),
            connection: None,
            connections: 0,
            jobs: Vec::new(),
            outgoing: Vec::new(),
            pushes: BTreeMap::new(),
        }
    }

    // -- keys ---------------------------------------------------------------------------------------------

    pub(crate) fn add_key(
        &mut self,
        key: AuthKey,
        salt: i64,
        life: Option<Duration>,
        clock: &Clock,
    ) {
        let unix = clock.server_unix();
        let salts = SaltBook::new(&key, Some(salt), unix);
        let known = Key {
            key: key.clone(),
            salts,
            expires_at: life.map(|life| unix + life),
            bound: life.is_none(),
            introduced: false,
            sessions: BTreeMap::new(),
            destroyed: BTreeSet::new(),
        };
        self.keys.insert(key.id(), known);
    }

    pub(crate) fn salts(&self, key: i64) -> Option<&SaltBook> {
        Some(&self.keys.get(&key)?.salts)
    }

    /// Forgets one key: says whether that lost anything.
    pub(crate) fn forget_key(&mut self, dice: &mut Dice) -> bool {
        let ids: Vec<_> = self.keys.keys().copied().collect();
        let Some(id) = ids.get(dice.below(ids.len().max(1))) else {
            return false;
        };
        self.keys.remove(id);
        self.jobs.retain(|job| job.key != *id);
        true
    }

    pub(crate) fn forget_sessions(&mut self) {
        for key in self.keys.values_mut() {
            key.sessions.clear();
            key.introduced = false;
        }
        self.jobs.clear();
        if let Some(connection) = &mut self.connection {
            connection.session = None;
        }
    }

    pub(crate) fn rotate_salts(&mut self) {
        self.keys.values().for_each(|key| key.salts.rotate());
    }

    // -- connections --------------------------------------------------------------------------------------

    pub(crate) fn accept(&mut self, weather: &Weather, dice: &mut Dice) {
        self.connections += 1;
        let mut exchange = Exchange::new(self.rsa.clone(), 2, dice.rng());
        if dice.chance(weather.retry_keys) {
            exchange.refuse_keys(u8::try_from(dice.below(6)).unwrap());
        }
        self.outgoing.clear();
        self.connection = Some(Connection {
            number: self.connections,
            acceptor: Acceptor::new(vec![super::SECRET], dice.rng()),
            codec: None,
            exchange,
            session: None,
            closes_at: None,
        });
    }

    pub(crate) fn hang_up(&mut self) {
        self.connection = None;
        self.outgoing.clear();
    }

    /// The packets in what came; `None`: the connection is to be closed.
    pub(crate) fn unframe(&mut self, bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
        let connection = self.connection.as_mut()?;
        match &mut connection.codec {
            Some(codec) => codec.feed(bytes),
            none => {
                *none = connection
                    .acceptor
                    .feed(bytes)
                    .ok()?
                    .map(|found| found.codec)
            }
        }
        let mut packets = Vec::new();
        while let Some(codec) = &mut connection.codec
            && let Some(frame) = codec.next_frame().ok()?
        {
            if let Frame::Packet(packet) = frame {
                packets.push(packet.into());
            }
        }
        Some(packets)
    }

    fn write(&mut self, packet: &[u8]) {
        if let Some(codec) = self
            .connection
            .as_mut()
            .and_then(|open| open.codec.as_mut())
        {
            codec.pack(packet, &mut self.outgoing).unwrap();
        }
    }

    fn write_error(&mut self, code: i32) {
        if let Some(codec) = self
            .connection
            .as_mut()
            .and_then(|open| open.codec.as_mut())
        {
            codec.pack_error(code, &mut self.outgoing);
        }
    }

    // -- packets ------------------------------------------------------------------------------------------

    /// Takes a packet. `false`: the connection is to be closed.
    pub(crate) fn on_packet(
        &mut self,
        mut packet: Vec<u8>,
        clock: &Clock,
        weather: &Weather,
        dice: &mut Dice,
        fates: &mut Fates,
    ) -> bool {
        let unix = clock.server_unix();
        let Some(id) = packet.first_chunk().map(|id| i64::from_le_bytes(*id)) else {
            return false;
        };
        if id == 0 {
            return self.exchange(&packet, clock);
        }
        if self
            .keys
            .get(&id)
            .is_some_and(|key| key.expires_at.is_some_and(|end| end <= unix))
        {
            self.keys.remove(&id);
        }
        let Some(key) = self.keys.get_mut(&id) else {
            self.write_error(-404);
            return true;
        };
        let sealed = packet.clone();
        let Ok(opened) = open_packet(&key.key, &mut packet) else {
            return false;
        };
        trace(clock, Sender::Client, &key.key, &sealed);
        let Some(connection) = &mut self.connection else {
            return false;
        };
        if key.destroyed.contains(&opened.session_id) {
            return true;
        }
        let session = key.sessions.entry(opened.session_id).or_insert_with(|| {
            let mut config = ServerSessionConfig::default();
            config.gzip_threshold = (dice.below(2) == 0).then_some(64);
            let (key, salts) = (key.key.clone(), key.salts.clone());
            Session {
                inner: ServerSession::new(key, opened.session_id, salts, dice.rng(), config),
                order: Order::default(),
                taken: BTreeSet::new(),
                refused: BTreeMap::new(),
                connection: connection.number,
            }
        });
        connection.session = Some((id, opened.session_id));
        if session.connection != connection.number {
            session.connection = connection.number;
            session.inner.connected();
        }
        // What was taken once is not refused when it comes again, nor the other way round.
        let msg_id = opened.msg_id;
        let refusal = match session.refused.get(&msg_id) {
            Some(code) => Some(*code),
            None if session.taken.contains(&msg_id) => None,
            None => dice
                .chance(weather.refuse)
                .then(|| [16, 17, 18, 19, 20, 32, 33, 34, 35, 48, 64][dice.below(11)]),
        };
        if let Some(code) = refusal {
            session.refused.insert(msg_id, code);
            trace::note(clock, &format!("refused {:x}: {code}", opened.msg_id));
            match code {
                48 => session.inner.reject_salt(opened.msg_id, opened.seqno, unix),
                _ => session.inner.reject(opened.msg_id, opened.seqno, code),
            }
            return true;
        }
        session.taken.insert(opened.msg_id);
        session
            .inner
            .handle_opened(&opened, &packet.into(), clock.server(), unix)
            .expect("the client keeps the rules");
        let events: Vec<_> = std::iter::from_fn(|| session.inner.poll_event()).collect();
        for event in events {
            match event {
                ServerSessionEvent::Request { msg_id, body, .. } => {
                    let at = (id, opened.session_id);
                    self.on_call(at, msg_id, &body, clock);
                }
                ServerSessionEvent::DestroySession { session_id } => {
                    self.destroy(id, opened.session_id, session_id);
                }
                ServerSessionEvent::DisconnectAfter(delay) => {
                    if let Some(connection) = &mut self.connection {
                        connection.closes_at = Some(clock.now + delay);
                    }
                }
                _ => {}
            }
        }
        self.settle_orders(clock, weather, dice, fates);
        true
    }

    fn exchange(&mut self, packet: &[u8], clock: &Clock) -> bool {
        let Some(connection) = &mut self.connection else {
            return false;
        };
        let unix = clock.server_unix();
        if connection.exchange.handle_packet(packet, unix).is_err() {
            self.write_error(-404);
            return true;
        }
        let mut answers = Vec::new();
        loop {
            let mut out = Vec::new();
            if !connection.exchange.poll_transmit(&mut out) {
                break;
            }
            answers.push(out);
        }
        while let Some(ServerEvent::Done(done)) = connection.exchange.poll_event() {
            let (key, salts) = (done.auth_key.clone(), done.first_salt);
            let fresh = Key {
                salts: SaltBook::new(&key, Some(salts), unix),
                expires_at: done.temporary.map(|life| unix + life),
                bound: done.temporary.is_none(),
                introduced: false,
                sessions: BTreeMap::new(),
                destroyed: BTreeSet::new(),
                key,
            };
            self.keys.insert(done.auth_key.id(), fresh);
        }
        answers.into_iter().for_each(|answer| self.write(&answer));
        true
    }

    fn destroy(&mut self, key: i64, by: i64, session_id: i64) {
        let Some(key) = self.keys.get_mut(&key) else {
            return;
        };
        let existed = session_id != by && key.sessions.remove(&session_id).is_some();
        if existed {
            key.destroyed.insert(session_id);
        }
        if let Some(session) = key.sessions.get_mut(&by) {
            session.inner.respond_destroy_session(session_id, existed);
        }
        self.jobs
            .retain(|job| !existed || job.session != session_id);
    }

    // -- calls --------------------------------------------------------------------------------------------

    fn session(&mut self, (key, session): (i64, i64)) -> Option<&mut Session> {
        self.keys.get_mut(&key)?.sessions.get_mut(&session)
    }

    fn on_call(&mut self, at: (i64, i64), msg_id: i64, body: &[u8], clock: &Clock) {
        if id_of(body) == BIND {
            let bound = self.bind(at, msg_id, body);
            if let Some(key) = self.keys.get_mut(&at.0) {
                key.bound |= bound;
            }
            let Some(session) = self.session(at) else {
                return;
            };
            if bound {
                let done = 0x9972_75b5_u32.to_le_bytes().to_vec();
                session.inner.respond(msg_id, done);
            } else {
                session
                    .inner
                    .respond_error(msg_id, 400, "ENCRYPTED_MESSAGE_INVALID");
            }
            return;
        }
        let (after, introduced, body) = unwrap(body);
        let Some(key) = self.keys.get_mut(&at.0) else {
            return;
        };
        assert!(
            key.bound,
            "{} was sent before the key was bound",
            name(&body)
        );
        key.introduced |= introduced;
        let known = key.introduced;
        let now = clock.now;
        let Some(session) = self.session(at) else {
            return;
        };
        if known {
            let call = Call {
                msg_id,
                after,
                body,
            };
            session.order.take(call, now);
        } else {
            session.order.ended(msg_id, false);
            session
                .inner
                .respond_error(msg_id, 400, "CONNECTION_NOT_INITED");
        }
    }

    /// Whether the binding is right in every particular.
    fn bind(&self, (temporary, session_id): (i64, i64), msg_id: i64, body: &[u8]) -> bool {
        let mut body = Cursor::new(&body[4..]);
        let permanent = i64::deserialize(&mut body).unwrap();
        let nonce = i64::deserialize(&mut body).unwrap();
        let expires_at = i32::deserialize(&mut body).unwrap();
        let sealed = Vec::<u8>::deserialize(&mut body).unwrap();
        let Some(known) = self.keys.get(&permanent) else {
            return false;
        };
        let plain = open_v1(&known.key, &sealed).expect("sealed with the permanent key");
        let mut rest = Cursor::new(&plain[16..]);
        assert_eq!(i64::deserialize(&mut rest).unwrap(), msg_id);
        assert_eq!(i32::deserialize(&mut rest).unwrap(), 0);
        assert_eq!(i32::deserialize(&mut rest).unwrap(), 40);
        assert_eq!(
            u32::deserialize(&mut rest).unwrap(),
            types::BindAuthKeyInner::CONSTRUCTOR_ID
        );
        let inner = types::BindAuthKeyInner::deserialize(&mut rest).unwrap();
        let expected = types::BindAuthKeyInner {
            nonce,
            temp_auth_key_id: temporary,
            perm_auth_key_id: permanent,
            temp_session_id: session_id,
            expires_at,
        };
        assert_eq!(inner, expected);
        true
    }

    /// Begins the calls that need not wait for others, and refuses those that waited too long.
    fn settle_orders(
        &mut self,
        clock: &Clock,
        weather: &Weather,
        dice: &mut Dice,
        fates: &mut Fates,
    ) {
        for (key_id, key) in &mut self.keys {
            for (session_id, session) in &mut key.sessions {
                for verdict in session.order.verdicts(clock.now) {
                    match verdict {
                        Verdict::Go(call) => {
                            trace::note(clock, &format!("{} begins", name(&call.body)));
                            fates.executed(&call.body, (*key_id, *session_id));
                            let delay = match dice.chance(weather.slow) {
                                true => dice.millis(1000, 30_000),
                                false => dice.millis(0, 400),
                            };
                            self.jobs.push(Job {
                                due: clock.now + delay,
                                key: *key_id,
                                session: *session_id,
                                msg_id: call.msg_id,
                                body: call.body,
                            });
                        }
                        Verdict::Refuse(msg_id, error) => {
                            session.inner.respond_error(msg_id, 400, error);
                        }
                    }
                }
            }
        }
    }

    fn finish_jobs(&mut self, clock: &Clock, dice: &mut Dice, fates: &mut Fates) {
        let (due, later) = std::mem::take(&mut self.jobs)
            .into_iter()
            .partition(|job| job.due <= clock.now);
        self.jobs = later;
        let due: Vec<Job> = due;
        for job in due {
            fates.done(&job.body, (job.key, job.session));
            let well = dice.below(12) != 0;
            if let Some(session) = self.session((job.key, job.session)) {
                session.order.ended(job.msg_id, well);
                if well {
                    session.inner.respond(job.msg_id, result_of(&job.body));
                } else {
                    session.inner.respond_error(job.msg_id, 420, "FLOOD_WAIT_3");
                }
            }
        }
    }

    // -- time ---------------------------------------------------------------------------------------------

    fn carried(&mut self) -> Option<&mut Session> {
        let at = self.connection.as_ref()?.session?;
        self.session(at)
    }

    pub(crate) fn next(&mut self, clock: &Clock) -> Option<Time> {
        let closes = self.connection.as_ref().and_then(|open| open.closes_at);
        let timer = self
            .carried()
            .and_then(|session| session.inner.poll_timeout())
            .map(|at| clock.when_server(at));
        let orders = self
            .keys
            .values()
            .flat_map(|key| key.sessions.values())
            .filter_map(|session| session.order.next())
            .min();
        let jobs = self.jobs.iter().map(|job| job.due).min();
        [closes, timer, orders, jobs].into_iter().flatten().min()
    }

    /// Does what is due, and says what there is to say. `false`: the connection is to be closed.
    pub(crate) fn work(
        &mut self,
        clock: &Clock,
        weather: &Weather,
        dice: &mut Dice,
        fates: &mut Fates,
    ) -> bool {
        self.finish_jobs(clock, dice, fates);
        self.settle_orders(clock, weather, dice, fates);
        let unix = clock.server_unix();
        let (now, now_unix) = (clock.server(), unix);
        let Some(at) = self.connection.as_ref().and_then(|open| open.session) else {
            return true;
        };
        let mut packets = Vec::new();
        if let Some(key) = self.keys.get_mut(&at.0)
            && let Some(session) = key.sessions.get_mut(&at.1)
        {
            session.inner.handle_timeout(now);
            loop {
                let mut out = Vec::new();
                if !session.inner.poll_transmit(now, now_unix, &mut out) {
                    break;
                }
                trace(clock, Sender::Server, &key.key, &out);
                packets.push(out);
            }
        }
        packets.into_iter().for_each(|packet| self.write(&packet));
        let closes = self.connection.as_ref().and_then(|open| open.closes_at);
        closes.is_none_or(|at| at > clock.now)
    }

    // -- what it does of its own accord -------------------------------------------------------------------

    pub(crate) fn push(&mut self) {
        let text = format!("push {}", self.pushes.len());
        let body = crate::util::pair::call(&text);
        if let Some(session) = self.carried() {
            session.inner.push(body.clone());
            self.pushes.insert(body, 0);
        }
    }

    pub(crate) fn say_nonsense(&mut self, clock: &Clock, dice: &mut Dice) {
        let unix = clock.server_unix();
        if let Some(session) = self.carried() {
            let salt = session.inner.salts().current(unix);
            let taken: Vec<i64> = session.taken.iter().rev().take(8).copied().collect();
            let (body, content) = nonsense(&taken, salt, clock, dice);
            session.inner.send_bare(body, content);
        }
    }

    /// How many messages the client has not acknowledged.
    pub(crate) fn unacknowledged(&mut self) -> usize {
        self.carried()
            .map_or(0, |session| session.inner.unacknowledged())
    }
}

/// Takes the wrappers off a call: what it comes after, whether it introduces the client, and the call.
fn unwrap(body: &[u8]) -> (Vec<i64>, bool, Vec<u8>) {
    let mut rest = body;
    let mut after = Vec::new();
    let mut introduced = false;
    match id_of(rest) {
        0xcb9f_372d => {
            after.push(i64::from_le_bytes(rest[4..12].try_into().unwrap()));
            rest = &rest[12..];
        }
        0x3dc4_b4f0 => {
            let mut cursor = Cursor::new(&rest[4..]);
            after = Vec::<i64>::deserialize(&mut cursor).unwrap();
            rest = &rest[rest.len() - cursor.remaining().len()..];
        }
        _ => {}
    }
    if let Some(inner) = rest.strip_prefix(&PREAMBLE) {
        introduced = true;
        rest = inner;
    }
    let body = match id_of(rest) {
        0x3072_cfa1 => inflate_packed(rest, 1 << 20).unwrap(),
        _ => rest.to_vec(),
    };
    (after, introduced, body)
}

/// A key that fell from the sky.
pub(crate) fn made_up_key(dice: &mut Dice) -> AuthKey {
    let mut bytes = [0; 256];
    layer_crypto::SecureRandom::fill(&mut *TestRng::boxed(dice.next()), &mut bytes);
    AuthKey::from_bytes(bytes)
}
