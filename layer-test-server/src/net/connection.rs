//! One TCP connection: bytes to packets, the key exchange, packets to sessions, and all of it back.
//!
//! The work is done by [`Connection`], which touches no socket; [`run`] moves its bytes and keeps its deadlines.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use layer_crypto::message::HEADER;
use layer_crypto::{AuthKey, sha};
use layer_mtproto::faketls::Records;
use layer_mtproto::handshake::{self, HandshakeErrorKind};
use layer_mtproto::transport::{Acceptor, Codec};
use layer_tl_types::{Identifiable, Serializable, types};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::entrance::{self, Duplex};
use super::faulty::{self, Trouble};
use super::outflow::Outflow;
use super::packets::Incoming;
use super::registry::{Link, Received, Slot};
use super::{Hub, lock, now};
use crate::faults::{Carrier, Point, TransportKind};
use crate::random;

/// A transport error: no such auth key.
pub(super) const AUTH_KEY_NOT_FOUND: i32 = -404;
/// A transport error: no such data centre.
const INVALID_DC: i32 = -444;
/// Bytes read from the socket at once.
const READ_CHUNK: usize = 64 * 1024;
/// Nothing is read while so many bytes wait to be written.
const HIGH_WATER: usize = 2 * 1024 * 1024;
/// Sessions that one connection serves at most; the one longest silent is let go.
const MAX_ATTACHED: usize = 32;

/// By so much the clocks of the sessions of a connection differ: a thousand msg_ids.
const APART: Duration = Duration::from_micros(1);

/// Why a connection is over: the other side broke the rules in a way that leaves nothing to say.
pub(crate) struct Close(String);

impl Close {
    pub(super) fn because(reason: impl ToString) -> Self {
        Self(reason.to_string())
    }
}

/// The state of one connection.
pub(crate) struct Connection {
    pub(super) hub: Arc<Hub>,
    /// Its number among all that were accepted, from 1.
    pub(super) id: u64,
    /// The data centre that is spoken to: that of the port, until an MTProxy header names another.
    pub(super) dc_id: i32,
    /// What carries the transport.
    pub(super) carrier: Carrier,
    /// What goes wrong on purpose.
    pub(super) trouble: Trouble,
    pub(super) peer: SocketAddr,
    pub(super) stage: Stage,
    handshake: Option<handshake::Server>,
    attached: Vec<Arc<Slot>>,
    pub(super) wake: Arc<Notify>,
    /// Bytes to be written.
    pub(crate) out: Outflow,
    /// Nothing more is read, and the connection ends when `out` is written.
    pub(crate) closing: bool,
    /// A packet came that an auth key opened.
    pub(super) proven: bool,
    /// When `ping_delay_disconnect` wants the connection cut.
    cut_at: Option<Instant>,
    pub(super) last_heard: Instant,
    /// Bytes that came and in which nobody has looked for packets.
    pub(super) gathered: usize,
}

/// Whether the transport is known yet.
pub(super) enum Stage {
    Accepting(Acceptor),
    Speaking(Box<Codec>),
}

impl Stage {
    /// Where what comes may be read to without being received, unless nobody looks at it.
    fn buffer(&mut self, silent: bool) -> Option<&mut BytesMut> {
        match self {
            Self::Speaking(codec) if !silent => codec.buffer(READ_CHUNK),
            _ => None,
        }
    }
}

impl Connection {
    /// A connection that was just accepted.
    pub(crate) fn accept(hub: Arc<Hub>, dc_id: i32, peer: SocketAddr, now: Instant) -> Self {
        let mut connection = Self::new(hub, dc_id, peer, now);
        connection.on_connect(now);
        connection
    }

    fn new(hub: Arc<Hub>, dc_id: i32, peer: SocketAddr, now: Instant) -> Self {
        let acceptor = Acceptor::new(hub.open_secrets(), random::source());
        let id = hub.faults().connection();
        Self {
            id,
            dc_id,
            carrier: Carrier::Tcp,
            trouble: Trouble::default(),
            peer,
            // No smaller limit before a key was shown: clients come back with their key to upload, and their first
            // packet is full of parts of a file.
            stage: Stage::Accepting(acceptor.with_limit(hub.limits.packet)),
            handshake: None,
            attached: Vec::new(),
            wake: Arc::new(Notify::new()),
            out: Outflow::default(),
            closing: false,
            proven: false,
            cut_at: None,
            last_heard: now,
            gathered: 0,
            hub,
        }
    }

    /// The transport's bytes come this way.
    fn enter(&mut self, carrier: Carrier, fake_tls: Option<(Records, [u8; 16])>) {
        self.carrier = carrier;
        if let Some((records, secret)) = fake_tls {
            let acceptor = Acceptor::new(vec![secret], random::source())
                .require_secret()
                .with_limit(self.hub.limits.packet)
                .within(records);
            self.stage = Stage::Accepting(acceptor);
        }
    }

    /// Takes bytes that came, in which packets may be whole then.
    fn receive(&mut self, bytes: &[u8], now: Instant) -> Result<(), Close> {
        if self.trouble.silent {
            return Ok(());
        }
        match &mut self.stage {
            Stage::Speaking(codec) => codec.feed(bytes),
            Stage::Accepting(acceptor) => {
                let Some(accepted) = acceptor.feed(bytes).map_err(Close::because)? else {
                    return Ok(());
                };
                let is_web = matches!(self.carrier, Carrier::WebSocket | Carrier::SecureWebSocket);
                if is_web && !accepted.obfuscated {
                    return Err(Close::because("a WebSocket without obfuscation"));
                }
                self.stage = Stage::Speaking(Box::new(accepted.codec));
                if let Some(named) = accepted.dc_id
                    && !self.route(named)
                {
                    self.refuse(INVALID_DC);
                    return Ok(());
                }
                self.on_connect(now);
                if let Some(code) = self.trouble.refusal {
                    self.refuse(code);
                }
            }
        }
        Ok(())
    }

    /// Whether it looks at what comes.
    pub(super) fn listens(&self, now: Instant) -> bool {
        let trouble = &self.trouble;
        !self.closing && !trouble.lost && !trouble.silent && !trouble.is_asleep(now)
    }

    /// The framing, once it is known.
    pub(super) fn kind(&self) -> Option<TransportKind> {
        match &self.stage {
            Stage::Speaking(codec) => Some(codec.kind()),
            Stage::Accepting(_) => None,
        }
    }

    /// Goes to the data centre that an MTProxy header names: media data centres are negative, test data
    /// centres are 10000 higher, and both are the data centre of that number here.
    fn route(&mut self, named: i16) -> bool {
        let dc_id = i32::from(named).abs() % 10_000;
        if !self.hub.dcs.contains(&dc_id) {
            return false;
        }
        self.dc_id = dc_id;
        true
    }

    /// Answers with a transport error and ends.
    pub(super) fn refuse(&mut self, code: i32) {
        if let Stage::Speaking(codec) = &mut self.stage {
            codec.pack_error(code, self.out.buffer());
        }
        self.closing = true;
    }

    /// Frames a packet.
    pub(super) fn frame(&mut self, packet: &[u8]) -> Result<(), Close> {
        let Stage::Speaking(codec) = &mut self.stage else {
            return Ok(());
        };
        codec
            .pack(packet, self.out.buffer())
            .map_err(Close::because)
    }

    // -- the key exchange ---------------------------------------------------------------------------------

    pub(super) fn on_plain(&mut self, packet: &[u8], now: Instant) -> Result<(), Close> {
        let actions = self.decide_exchange(packet, now);
        for action in &actions {
            if self.fail_exchange(action) {
                return Ok(());
            }
        }
        let hub = &self.hub;
        let unix = hub.clock.unix(now);
        let handshake = self.handshake.get_or_insert_with(|| {
            handshake::Server::new(hub.keys(self.dc_id), self.dc_id, random::source()).checking_dc()
        });
        faulty::prepare(handshake, &actions);
        if let Err(error) = handshake.handle_packet(packet, unix) {
            log::debug!("{}: the key exchange failed: {error}", self.peer);
            self.refuse(match error.kind {
                HandshakeErrorKind::WrongDc { .. } => INVALID_DC,
                _ => AUTH_KEY_NOT_FOUND,
            });
            return Ok(());
        }
        while let Some(event) = handshake.poll_event() {
            if let handshake::ServerEvent::Done(outcome) = event {
                let id = outcome.auth_key.id();
                log::debug!("DC {}: {} made key {id:016x}", self.dc_id, self.peer);
                // The exchange refuses a key whose id is taken, so this one is new.
                hub.world().auth.add_key(
                    outcome.auth_key,
                    self.dc_id,
                    outcome.temporary,
                    outcome.first_salt,
                    unix,
                );
            }
        }
        let mut answers = Vec::new();
        let mut answer = Vec::new();
        while handshake.poll_transmit(&mut answer) {
            answers.push(std::mem::take(&mut answer));
        }
        for answer in answers {
            self.send_exchanged(answer, &actions, now)?;
        }
        Ok(())
    }

    // -- sessions -----------------------------------------------------------------------------------------

    /// The session that a packet is for, which speaks through this connection from now on.
    pub(super) fn slot(&mut self, incoming: &Incoming, now: Instant) -> Arc<Slot> {
        let session_id = incoming.opened.session_id;
        let slot = self
            .hub
            .registry()
            .session(&incoming.known, session_id, now);
        self.attach(&slot);
        slot
    }

    /// Takes a packet.
    pub(super) fn take(&mut self, incoming: Incoming, now: Instant) -> Result<(), Close> {
        let unix = self.hub.clock.unix(now);
        let slot = self.slot(&incoming, now);
        let received = lock(&slot.state).receive(&incoming.opened, &incoming.packet, now, unix);
        if incoming.wants_quick_ack {
            self.quick_ack(&incoming.known.key, &incoming.packet);
        }
        for event in received.map_err(Close::because)? {
            match event {
                Received::Call {
                    msg_id,
                    seqno,
                    body,
                } => self.call_or_fail(&slot, (msg_id, seqno), &body, now)?,
                Received::DestroySession { session_id } => {
                    let existed = self.hub.registry().remove(slot.auth_key_id, session_id);
                    lock(&slot.state).respond_destroyed(session_id, existed);
                }
                Received::DestroyAuthKey => {
                    lock(&slot.state).send(types::DestroyAuthKeyOk::CONSTRUCTOR_ID.to_bytes());
                    // Said before the key is gone, with which it could not be said.
                    self.work(now)?;
                    let id = slot.auth_key_id;
                    self.hub.act(|world| world.auth.forget_key(id));
                }
                Received::CutAfter(delay) => self.cut_at = Some(now + delay),
            }
        }
        Ok(())
    }

    /// Acknowledges a packet at once, by the first bytes of the hash that its msg_key was taken from (page
    /// `mtproto/mtproto-transports`).
    fn quick_ack(&mut self, key: &AuthKey, opened: &[u8]) {
        let (Some(part), Some(plain)) = (key.as_bytes().get(88..120), opened.get(HEADER..)) else {
            return;
        };
        let [a, b, c, d, ..] = sha::sha256(&[part, plain]);
        if let Stage::Speaking(codec) = &mut self.stage {
            codec.pack_quick_ack(u32::from_le_bytes([a, b, c, d]), self.out.buffer());
        }
    }

    /// Makes this connection the one through which a session speaks.
    fn attach(&mut self, slot: &Arc<Slot>) {
        let link = Link {
            connection: self.id,
            wake: Arc::clone(&self.wake),
        };
        lock(&slot.state).link(link);
        // The sessions heard from last stand last.
        if let Some(position) = self
            .attached
            .iter()
            .position(|known| Arc::ptr_eq(known, slot))
        {
            self.attached.remove(position);
        } else if self.attached.len() >= MAX_ATTACHED {
            let silent = self.attached.remove(0);
            lock(&silent.state).unlink(self.id);
        }
        self.attached.push(Arc::clone(slot));
    }

    /// Lets its sessions speak through no connection.
    pub(super) fn detach(&mut self) {
        for slot in self.attached.drain(..) {
            lock(&slot.state).unlink(self.id);
        }
    }

    /// Moves what the sessions have to say to `out`, and does what is due.
    pub(crate) fn work(&mut self, now: Instant) -> Result<(), Close> {
        self.take_orders();
        if self.trouble.lost || self.trouble.silent {
            return Ok(());
        }
        if !self.trouble.is_asleep(now) && self.trouble.asleep_until.take().is_some() {
            self.read_frames(now)?;
        }
        self.run_delayed(now)?;
        let mut gone = false;
        for (slot, apart) in std::mem::take(&mut self.attached).into_iter().zip(0..) {
            self.hub.run_parked(&slot);
            // A session that was forgotten says what it still had to say beside the one that began under its name: at the
            // same time to the nanosecond they would give out the same msg_ids.
            let unix = self.hub.clock.unix(now) + APART * apart;
            let mut state = lock(&slot.state);
            if state.is_closed() {
                gone = true;
                continue;
            }
            // Another connection may have taken the session over.
            if !state.is_linked_to(self.id) {
                continue;
            }
            state.handle_timeout(now);
            // Several parts of a file are sealed at a time.
            let (mut packets, mut ends) = (Vec::new(), Vec::new());
            while self.out.waiting() < HIGH_WATER && !self.trouble.lost {
                // One by one where something may happen to each.
                let room = if self.watches(Point::Out) {
                    1
                } else {
                    HIGH_WATER - self.out.waiting()
                };
                state.transmit_many(now, unix, room, &mut packets, &mut ends);
                let mut begun = 0;
                for end in &ends {
                    self.send_or_fail(&slot, state.key(), &packets[begun..*end], now)?;
                    begun = *end;
                }
                if ends.is_empty() {
                    break;
                }
            }
            drop(state);
            self.attached.push(slot);
        }
        if gone && self.attached.is_empty() {
            self.refuse(AUTH_KEY_NOT_FOUND);
        }
        Ok(())
    }

    /// When [`Connection::work`] or [`Connection::is_over`] is to be asked again at the latest.
    fn deadline(&self) -> Instant {
        let limits = &self.hub.limits;
        let patience = if self.proven {
            limits.idle
        } else {
            limits.handshake
        };
        let silence = self.last_heard + patience;
        let sessions = self
            .attached
            .iter()
            .filter_map(|slot| lock(&slot.state).deadline());
        sessions
            .chain(self.cut_at)
            .chain(self.trouble.deadline())
            .fold(silence, Instant::min)
    }

    /// Whether the connection was silent for too long.
    fn is_over(&self, now: Instant) -> bool {
        let limits = &self.hub.limits;
        let patience = if self.proven {
            limits.idle
        } else {
            limits.handshake
        };
        self.last_heard + patience <= now || self.cut_at.is_some_and(|cut_at| cut_at <= now)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.detach();
        self.hub.live().remove(&self.id);
    }
}

/// Serves a connection until either side ends it.
pub(crate) async fn run(mut connection: Connection, mut stream: TcpStream) {
    // Small answers should not wait for more; without the option they arrive all the same.
    let _ = stream.set_nodelay(true);
    let (hub, peer) = (Arc::clone(&connection.hub), connection.peer);
    let mut stopping = hub.stopping.subscribe();
    // What a fault says before anything else.
    while !connection.out.piece().is_empty() {
        match stream.write(connection.out.piece()).await {
            Ok(count @ 1..) => connection.out.wrote(count),
            _ => return,
        }
    }
    if connection.trouble.lost || connection.out.is_cut() {
        return;
    }
    if connection.trouble.silent {
        return carry(connection, Box::new(stream)).await;
    }
    let entering = async {
        if let Some(until) = connection.trouble.asleep_until {
            tokio::time::sleep_until(until.into()).await;
        }
        tokio::time::timeout(hub.limits.handshake, entrance::enter(&hub, stream)).await
    };
    let entered = tokio::select! {
        entered = entering => entered,
        _ = stopping.wait_for(|stopping| *stopping) => return,
    };
    match entered {
        Ok(Ok(entered)) => {
            connection.enter(entered.carrier, entered.fake_tls);
            carry(connection, entered.stream).await;
        }
        Ok(Err(error)) => log::debug!("{peer}: {error}"),
        Err(_) => log::debug!("{peer}: does not say how it wants to be served"),
    }
}

/// Reads what comes to where it is looked at, if that is known already; whether it did.
async fn read(
    from: &mut (impl AsyncRead + Unpin),
    to: Option<&mut BytesMut>,
    or_else: &mut Vec<u8>,
) -> io::Result<(usize, bool)> {
    if let Some(to) = to {
        return Ok((from.read_buf(to).await?, true));
    }
    or_else.resize(READ_CHUNK, 0);
    Ok((from.read(or_else).await?, false))
}

/// Moves the bytes of a connection and keeps its deadlines.
async fn carry(mut connection: Connection, stream: Box<dyn Duplex>) {
    let (hub, peer) = (Arc::clone(&connection.hub), connection.peer);
    let mut stopping = hub.stopping.subscribe();
    let wake = Arc::clone(&connection.wake);
    let mut buffer = Vec::new();
    let (mut reader, mut writer) = tokio::io::split(stream);
    let stall = hub.limits.stall;
    // Counts from when there is something to read, and from each time some of it was read.
    let mut stalled_at = None;
    loop {
        if let Err(close) = connection.work(now()) {
            log::debug!("{peer}: {}", close.0);
            break;
        }
        if connection.trouble.lost || connection.out.is_cut() {
            break;
        }
        if *stopping.borrow() {
            connection.closing = true;
        }
        let waiting = connection.out.waiting();
        if waiting == 0 {
            if connection.closing {
                break;
            }
            stalled_at = None;
        } else if *stalled_at.get_or_insert_with(|| now() + stall) <= now() {
            log::debug!("{peer}: does not read");
            break;
        }
        if connection.is_over(now()) && waiting == 0 {
            break;
        }
        let mut deadline = connection.deadline().max(now() + Duration::from_millis(1));
        if let Some(stalled_at) = stalled_at {
            deadline = deadline.min(stalled_at);
        }
        let asleep = connection.trouble.is_asleep(now());
        let reads = !connection.closing && !asleep && waiting < HIGH_WATER;
        let done = tokio::select! {
            biased;
            _ = stopping.changed() => Ok(()),
            written = writer.write(connection.out.piece()), if waiting > 0 => match written {
                Ok(0) | Err(_) => break,
                Ok(count) => {
                    connection.out.wrote(count);
                    if connection.out.is_split() {
                        // So that the other side has a chance to see the pieces.
                        tokio::task::yield_now().await;
                    }
                    stalled_at = Some(now() + stall);
                    Ok(())
                }
            },
            read = read(
                &mut reader,
                connection.stage.buffer(connection.trouble.silent),
                &mut buffer,
            ), if reads => match read {
                Ok((0, _)) | Err(_) => break,
                Ok((count, is_fed)) => {
                    let received = if is_fed {
                        Ok(())
                    } else {
                        connection.receive(&buffer[..count], now())
                    };
                    received.and_then(|()| connection.gather(count, now()))
                }
            },
            // Others come first, and meanwhile more may come.
            () = tokio::task::yield_now(), if connection.has_gathered() => connection.read_frames(now()),
            () = wake.notified() => Ok(()),
            () = tokio::time::sleep_until(deadline.into()) => Ok(()),
        };
        if let Err(close) = done {
            log::debug!("{peer}: {}", close.0);
            connection.closing = true;
        }
    }
    // What came last counts as well.
    if connection.has_gathered() {
        let _ = connection.read_frames(now());
    }
    // The other side learns of the end; if it is gone already, there is nobody to tell.
    let _ = tokio::time::timeout(stall, writer.shutdown()).await;
}
