//! The client's shell: connections, keys and sessions, as a program around the core would keep them.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use layer_crypto::AuthKey;
use layer_crypto::rsa::PrivateKey;
use layer_mtproto::handshake::{Client as Exchange, ClientConfig, Event, Outcome, Purpose};
use layer_mtproto::session::{
    BindFailure, Binding, ClientEvent, ClientSession, FutureSalt, RequestId, SessionParams,
    SubmitOptions,
};
use layer_mtproto::transport::{Codec, Frame, ObfuscationParams, TransportKind};

use super::clock::{Clock, Time};
use super::fates::{End, Fates};
use super::trace;
use super::weather::Weather;
use super::world::{World, made_up_key};
use super::{Dice, PREAMBLE, SECRET};

/// Bytes of packets that are sealed at a time.
const ENOUGH: usize = 2000;
/// A connection on which nothing was heard for so long after it was made is given up.
const PATIENCE: Duration = Duration::from_secs(15);

struct Open {
    codec: Codec,
    exchange: Option<Exchange>,
    /// Since when, and whether anything was heard.
    since: Time,
    heard: bool,
}

pub(crate) struct Shell {
    rsa: Arc<[PrivateKey]>,
    permanent: Option<AuthKey>,
    /// The temporary key, and when it ends.
    temporary: Option<(AuthKey, i32)>,
    /// What is known of the present key's salts and of the time.
    salts: Vec<FutureSalt>,
    offset: i64,
    pub(crate) session: Option<ClientSession>,
    open: Option<Open>,
    pub(crate) connect_at: Option<Time>,
    failures: u32,
    /// Whether another session has to begin when there is a connection.
    renew: bool,
    pub(crate) outgoing: Vec<u8>,
    pub(crate) packets: usize,
    pub(crate) terminals: u32,
}

impl Shell {
    pub(crate) fn new(rsa: Arc<[PrivateKey]>) -> Self {
        Self {
            rsa,
            permanent: None,
            temporary: None,
            salts: Vec::new(),
            offset: 0,
            session: None,
            open: None,
            connect_at: Some(Time::ZERO),
            failures: 0,
            renew: true,
            outgoing: Vec::new(),
            packets: 0,
            terminals: 0,
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.open.is_some()
    }

    // -- connections --------------------------------------------------------------------------------------

    /// The connection is made.
    pub(crate) fn connected(
        &mut self,
        world: &mut World,
        clock: &Clock,
        weather: &Weather,
        dice: &mut Dice,
        fates: &mut Fates,
    ) {
        self.connect_at = None;
        let kind = TransportKind::ALL[dice.below(4)];
        let obfuscation = match dice.below(3) {
            0 => None,
            1 => Some(None),
            _ => Some(Some(SECRET)),
        };
        // The full transport is never obfuscated.
        let obfuscation = obfuscation.filter(|_| kind != TransportKind::Full);
        let obfuscation = obfuscation.map(|secret| ObfuscationParams { secret, dc_id: 2 });
        self.outgoing.clear();
        self.open = Some(Open {
            codec: Codec::client(kind, obfuscation, dice.rng()),
            exchange: None,
            since: clock.now,
            heard: false,
        });
        trace::note(clock, &format!("connected, {kind}"));
        self.keys(world, clock, weather, dice, fates);
    }

    pub(crate) fn lost(&mut self, clock: &Clock, dice: &mut Dice) {
        let Some(open) = self.open.take() else {
            return;
        };
        trace::note(clock, "connection lost");
        self.outgoing.clear();
        if let Some(session) = &mut self.session
            && open.exchange.is_none()
        {
            session.connection_lost(clock.client());
        }
        if open.heard {
            self.failures = 0;
        }
        self.failures = (self.failures + 1).min(6);
        self.connect_at = Some(clock.now + dice.millis(10, 100 << self.failures));
    }

    // -- keys ---------------------------------------------------------------------------------------------

    /// Begins what has to be done before requests can go: a key exchange, or a session.
    fn keys(
        &mut self,
        world: &mut World,
        clock: &Clock,
        weather: &Weather,
        dice: &mut Dice,
        fates: &mut Fates,
    ) {
        loop {
            let purpose = if self.permanent.is_none() {
                Purpose::Permanent
            } else if let Some(expires_in) = weather.temporary.filter(|_| self.temporary.is_none())
            {
                Purpose::Temporary { expires_in }
            } else {
                break;
            };
            if weather.exchange {
                let keys = self.rsa.iter().map(|key| key.public().clone()).collect();
                let config = ClientConfig::new(keys, 2, purpose);
                let exchange =
                    Exchange::new(config, dice.rng(), clock.client(), clock.client_unix());
                if let Some(open) = &mut self.open {
                    open.exchange = Some(exchange);
                }
                return;
            }
            let (key, salt) = (made_up_key(dice), i64::from(dice.bits()));
            let life = match purpose {
                Purpose::Temporary { expires_in } => Some(expires_in),
                _ => None,
            };
            world.add_key(key.clone(), salt, life, clock);
            let unix = clock.server_unix();
            let expires_at = life.map(|life| i32::try_from((unix + life).as_secs()).unwrap());
            self.offset = clock.server_skew - clock.client_skew;
            self.salts = world.salts(key.id()).unwrap().future(unix, 2);
            self.got_key(key, expires_at);
        }
        if self.renew || self.session.is_none() {
            self.renew = false;
            self.begin(clock, dice, fates);
        }
    }

    fn got_key(&mut self, key: AuthKey, expires_at: Option<i32>) {
        match expires_at {
            Some(expires_at) => self.temporary = Some((key, expires_at)),
            None => {
                self.permanent = Some(key);
                self.temporary = None;
            }
        }
        self.renew = true;
    }

    fn key_made(&mut self, outcome: &Outcome) {
        let salt = FutureSalt::from(i64::from(outcome.server_time), outcome.first_salt);
        self.salts = vec![salt];
        self.offset = outcome.time_offset_secs;
        self.got_key(outcome.auth_key.clone(), outcome.expires_at);
    }

    /// Begins the session of the present key, with what the one before leaves open.
    fn begin(&mut self, clock: &Clock, dice: &mut Dice, fates: &mut Fates) {
        let Some(permanent) = &self.permanent else {
            return;
        };
        let mut params = SessionParams::new(match &self.temporary {
            Some((key, _)) => key.clone(),
            None => permanent.clone(),
        });
        params.binding = self
            .temporary
            .as_ref()
            .map(|(_, expires_at)| Binding::new(permanent.clone(), *expires_at));
        params.salts = self.salts.clone();
        params.time_offset_secs = self.offset;
        params.preamble = PREAMBLE.to_vec();
        params.config.gzip_threshold = Some(128);
        let now = clock.client();
        self.session = Some(match self.session.take() {
            Some(before) => {
                fates.session_changed();
                before.into_successor(params)
            }
            None => ClientSession::new(params, dice.rng(), now, clock.client_unix()),
        });
        trace::note(clock, "a session begins");
    }

    /// The server does not know the key.
    fn key_unknown(&mut self) {
        if self.temporary.take().is_none() {
            self.permanent = None;
        }
        self.renew = true;
    }

    // -- bytes --------------------------------------------------------------------------------------------

    /// Packets in what came; `None`: the connection is of no use any more.
    pub(crate) fn unframe(&mut self, bytes: &[u8]) -> Option<Vec<BytesMut>> {
        let open = self.open.as_mut()?;
        open.codec.feed(bytes);
        let mut packets = Vec::new();
        while let Some(frame) = open.codec.next_frame().ok()? {
            match frame {
                Frame::Packet(packet) => packets.push(packet),
                Frame::Error(-404) if open.exchange.is_none() => {
                    self.key_unknown();
                    return None;
                }
                _ => return None,
            }
        }
        Some(packets)
    }

    /// Takes a packet. `false`: the connection is of no use any more.
    pub(crate) fn on_packet(
        &mut self,
        mut packet: Vec<u8>,
        world: &mut World,
        clock: &Clock,
        weather: &Weather,
        dice: &mut Dice,
        fates: &mut Fates,
    ) -> bool {
        let Some(open) = &mut self.open else {
            return true;
        };
        let now = clock.client();
        if let Some(exchange) = &mut open.exchange {
            open.heard = true;
            if exchange.handle_packet(&packet, now).is_err() {
                return false;
            }
            let mut done = None;
            while let Some(event) = exchange.poll_event() {
                if let Event::Done(outcome) = event {
                    done = Some(outcome);
                }
            }
            if let Some(outcome) = done {
                open.exchange = None;
                self.key_made(&outcome);
                self.keys(world, clock, weather, dice, fates);
            }
            return true;
        }
        let Some(session) = &mut self.session else {
            return true;
        };
        let session_id = session.session_id();
        let result = session.handle_packet(&mut packet, now);
        if session.session_id() != session_id {
            trace::note(clock, "the client begins another session");
            fates.session_changed();
        }
        match result {
            Ok(()) => open.heard = true,
            Err(violation) if violation.is_fatal() => return false,
            Err(violation) => trace::note(clock, &format!("dropped: {violation}")),
        }
        true
    }

    /// Does what is due, and says what there is to say. `false`: the connection is of no use any more.
    pub(crate) fn work(
        &mut self,
        clock: &Clock,
        dice: &mut Dice,
        fates: &mut Fates,
        pushes: &mut std::collections::BTreeMap<Vec<u8>, u32>,
    ) -> bool {
        let now = clock.client();
        let mut useful = true;
        if let Some(session) = &mut self.session {
            session.handle_timeout(now);
        }
        let exchanging = self
            .open
            .as_ref()
            .is_some_and(|open| open.exchange.is_some());
        if let Some(open) = &mut self.open {
            if !open.heard && open.since + PATIENCE <= clock.now {
                return false;
            }
            if let Some(exchange) = &mut open.exchange {
                if exchange.handle_timeout(now).is_err() {
                    return false;
                }
                let mut packet = Vec::new();
                while exchange.poll_transmit(now, &mut packet) {
                    open.codec.pack(&packet, &mut self.outgoing).unwrap();
                    packet.clear();
                    self.packets += 1;
                }
            }
        }
        useful &= self.take_events(clock, dice, fates, pushes);
        if let (Some(open), Some(session), false) = (&mut self.open, &mut self.session, exchanging)
            && useful
        {
            let (mut sealed, mut ends) = (Vec::new(), Vec::new());
            loop {
                session.poll_transmit_many(now, ENOUGH, &mut sealed, &mut ends);
                let mut begun = 0;
                for end in &ends {
                    let packet = &sealed[begun..*end];
                    open.codec.pack(packet, &mut self.outgoing).unwrap();
                    self.packets += 1;
                    begun = *end;
                }
                if ends.is_empty() {
                    break;
                }
            }
        }
        useful
    }

    fn take_events(
        &mut self,
        clock: &Clock,
        dice: &mut Dice,
        fates: &mut Fates,
        pushes: &mut std::collections::BTreeMap<Vec<u8>, u32>,
    ) -> bool {
        let mut useful = true;
        while let Some(event) = self.session.as_mut().and_then(ClientSession::poll_event) {
            match event {
                ClientEvent::Response { id, body } => {
                    let fate = fates.get(id);
                    let expected = crate::util::pair::result_of(&fate.body);
                    assert!(body == expected, "somebody else's answer");
                    assert!(fate.executions > 0, "an answer to what was never done");
                    fates.ended(id, End::Answered);
                }
                ClientEvent::RpcError { id, message, .. } => {
                    assert!(
                        !message.starts_with("MSG_WAIT"),
                        "that is the session's own"
                    );
                    fates.ended(id, End::Answered);
                }
                ClientEvent::Failed { id, reason } => {
                    trace::note(clock, &format!("{id:?} failed: {reason}"));
                    fates.ended(id, End::Failed);
                }
                ClientEvent::Updates(body) => {
                    if let Some(times) = pushes.get_mut(&body) {
                        *times += 1;
                        assert_eq!(*times, 1, "an update came twice");
                    }
                }
                ClientEvent::SaltsChanged => {
                    if let Some(session) = &self.session {
                        self.salts = session.salts().to_vec();
                    }
                }
                ClientEvent::TimeSynced { offset_secs } => self.offset = offset_secs,
                ClientEvent::Silent => useful = false,
                ClientEvent::BindFailed { reason } => {
                    trace::note(clock, &reason.to_string());
                    if matches!(&reason, BindFailure::Rpc { message, .. } if message == "ENCRYPTED_MESSAGE_INVALID")
                    {
                        self.permanent = None;
                    }
                    self.temporary = None;
                    self.renew = true;
                    useful = false;
                }
                ClientEvent::KeyExpiring { .. } => {
                    trace::note(clock, "the key expires");
                    self.temporary = None;
                    self.renew = true;
                    useful = false;
                }
                ClientEvent::Terminal(reason) => {
                    trace::note(clock, &format!("terminal: {reason}"));
                    self.terminals += 1;
                    self.renew = true;
                    self.begin(clock, dice, fates);
                    useful = false;
                }
                _ => {}
            }
        }
        useful
    }

    // -- requests -----------------------------------------------------------------------------------------

    pub(crate) fn submit(
        &mut self,
        body: Vec<u8>,
        options: SubmitOptions,
        clock: &Clock,
    ) -> Option<RequestId> {
        Some(self.session.as_mut()?.submit(body, options, clock.client()))
    }

    pub(crate) fn next(&self, clock: &Clock) -> Option<Time> {
        let session = self.session.as_ref().and_then(ClientSession::poll_timeout);
        let exchange = self.open.as_ref().and_then(|open| open.exchange.as_ref());
        let exchange = exchange.and_then(Exchange::poll_timeout);
        let timers = [session, exchange].into_iter().flatten();
        let timers = timers.map(|at| clock.when_client(at));
        let patience = self.open.as_ref().filter(|open| !open.heard);
        let patience = patience.map(|open| open.since + PATIENCE);
        timers.chain(self.connect_at).chain(patience).min()
    }
}
