//! A client's and a server's session joined by a network and a clock that the test owns.

use std::time::{Duration, Instant};

use layer_crypto::AuthKey;
use layer_crypto::message::{self, Sender};
use layer_mtproto::session::{
    ClientEvent, ClientSession, FutureSalt, Opened, RequestId, SaltBook, ServerSession,
    ServerSessionConfig, ServerSessionEvent, SessionParams, SubmitOptions, Violation, open_packet,
};

use super::{TestRng, UNIX};

pub(crate) fn key() -> AuthKey {
    AuthKey::from_bytes(std::array::from_fn(|i| u8::try_from(i).unwrap() ^ 0x5a))
}

/// What a call of the tests looks like: a constructor that no schema has, and something to tell it by.
pub(crate) fn call(text: &str) -> Vec<u8> {
    let mut body = 0x7e57_ca11_u32.to_le_bytes().to_vec();
    body.extend_from_slice(text.as_bytes());
    body.resize(body.len().next_multiple_of(4), b' ');
    body
}

/// What the server answers to [`call`].
pub(crate) fn result_of(body: &[u8]) -> Vec<u8> {
    let mut result = 0x7e57_0a75_u32.to_le_bytes().to_vec();
    result.extend_from_slice(&body[4..]);
    result
}

/// A client and a server, and what is on its way between them.
pub(crate) struct Pair {
    pub(crate) client: ClientSession,
    pub(crate) server: ServerSession,
    pub(crate) salts: SaltBook,
    pub(crate) start: Instant,
    pub(crate) now: Instant,
    /// How far the server's clock is ahead of the client's wall clock.
    pub(crate) skew: i64,
    /// Whether the server answers calls at once.
    pub(crate) answering: bool,
    /// Calls that the server handed out.
    pub(crate) calls: Vec<(i64, Vec<u8>)>,
    pub(crate) events: Vec<ClientEvent>,
    pub(crate) server_events: Vec<ServerSessionEvent>,
    /// Packets that the client sent and the server has opened.
    pub(crate) opened: Vec<(Opened, Vec<u8>)>,
    pub(crate) seed: u64,
    /// Packets that the client dropped.
    pub(crate) violations: Vec<Violation>,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self::with(|_| {}, |_| {})
    }

    pub(crate) fn with(
        client: impl FnOnce(&mut SessionParams),
        server: impl FnOnce(&mut ServerSessionConfig),
    ) -> Self {
        let now = Instant::now();
        let salts = SaltBook::new(&key(), None, UNIX);
        let mut params = SessionParams::new(key());
        params.salts = salts.future(UNIX, 10);
        client(&mut params);
        let client = ClientSession::new(params, TestRng::boxed(1), now, UNIX);
        let mut config = ServerSessionConfig::default();
        server(&mut config);
        let server = ServerSession::new(
            key(),
            client.session_id(),
            salts.clone(),
            TestRng::boxed(2),
            config,
        );
        Self {
            client,
            server,
            salts,
            start: now,
            now,
            skew: 0,
            answering: true,
            calls: Vec::new(),
            events: Vec::new(),
            server_events: Vec::new(),
            opened: Vec::new(),
            seed: 3,
            violations: Vec::new(),
        }
    }

    /// The server's time.
    pub(crate) fn unix(&self) -> Duration {
        let time = UNIX + (self.now - self.start);
        let skew = Duration::from_secs(self.skew.unsigned_abs());
        if self.skew < 0 {
            time - skew
        } else {
            time + skew
        }
    }

    pub(crate) fn submit(&mut self, text: &str) -> RequestId {
        self.submit_with(text, SubmitOptions::default())
    }

    pub(crate) fn submit_with(&mut self, text: &str, options: SubmitOptions) -> RequestId {
        self.client.submit(call(text), options, self.now)
    }

    /// Everything the client has to send now.
    pub(crate) fn client_packets(&mut self) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        loop {
            let mut out = Vec::new();
            if !self.client.poll_transmit(self.now, &mut out) {
                return packets;
            }
            packets.push(out);
            assert!(packets.len() < 1000, "the client does not stop sending");
        }
    }

    /// Everything the server has to send now.
    pub(crate) fn server_packets(&mut self) -> Vec<Vec<u8>> {
        let unix = self.unix();
        let mut packets = Vec::new();
        loop {
            let mut out = Vec::new();
            if !self.server.poll_transmit(self.now, unix, &mut out) {
                return packets;
            }
            packets.push(out);
            assert!(packets.len() < 1000, "the server does not stop sending");
        }
    }

    pub(crate) fn deliver_to_server(&mut self, mut packet: Vec<u8>) {
        let opened = open_packet(&key(), &mut packet).unwrap();
        if opened.session_id != self.server.session_id() {
            // The client began anew, and so do we.
            self.seed += 1;
            self.server = ServerSession::new(
                key(),
                opened.session_id,
                self.salts.clone(),
                TestRng::boxed(self.seed),
                ServerSessionConfig::default(),
            );
        }
        self.opened.push((opened.clone(), packet.clone()));
        let unix = self.unix();
        self.server
            .handle_opened(&opened, &packet.into(), self.now, unix)
            .unwrap();
        while let Some(event) = self.server.poll_event() {
            if let ServerSessionEvent::Request { msg_id, body, .. } = &event {
                self.calls.push((*msg_id, body.to_vec()));
                if self.answering {
                    self.server.respond(*msg_id, result_of(body));
                }
            }
            self.server_events.push(event);
        }
    }

    pub(crate) fn deliver_to_client(&mut self, mut packet: Vec<u8>) -> Result<(), Violation> {
        let result = self.client.handle_packet(&mut packet, self.now);
        while let Some(event) = self.client.poll_event() {
            self.events.push(event);
        }
        result
    }

    /// Lets both talk until neither has anything to say now.
    pub(crate) fn talk(&mut self) {
        for _ in 0..200 {
            let packets = self.client_packets();
            let answers_due = packets.is_empty();
            packets
                .into_iter()
                .for_each(|packet| self.deliver_to_server(packet));
            let packets = self.server_packets();
            if packets.is_empty() && answers_due {
                while let Some(event) = self.client.poll_event() {
                    self.events.push(event);
                }
                return;
            }
            for packet in packets {
                if let Err(violation) = self.deliver_to_client(packet) {
                    assert!(!violation.is_fatal(), "{violation}");
                    self.violations.push(violation);
                }
            }
        }
        panic!("they never stop talking");
    }

    /// Lets time pass, and both do what is due, in steps as they ask for them.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..10_000 {
            let next = [self.client.poll_timeout(), self.server.poll_timeout()];
            let next = next.into_iter().flatten().min().filter(|next| *next <= end);
            let Some(next) = next else {
                self.now = end;
                return;
            };
            self.now = self.now.max(next);
            self.client.handle_timeout(self.now);
            self.server.handle_timeout(self.now);
            self.talk();
        }
        panic!("a timer that is never satisfied");
    }

    /// A packet with this one message from the server, with everything as the test wants it.
    pub(crate) fn forged(&self, msg_id: i64, seqno: i32, body: &[u8]) -> Vec<u8> {
        forge(self.client.session_id(), msg_id, seqno, body)
    }

    /// A msg_id of a server, `ahead` seconds from now.
    pub(crate) fn server_id(&self, ahead: i64) -> i64 {
        let now = i64::try_from(self.unix().as_secs()).unwrap();
        (now + ahead) << 32 | 0x1234_5671
    }

    /// The outcome of a request, which there must be exactly one of or none.
    pub(crate) fn outcome(&self, id: RequestId) -> Option<ClientEvent> {
        let mut outcomes = self.events.iter().filter(|event| match event {
            ClientEvent::Response { id: of, .. }
            | ClientEvent::RpcError { id: of, .. }
            | ClientEvent::Failed { id: of, .. } => *of == id,
            _ => false,
        });
        let outcome = outcomes.next().cloned();
        assert!(outcomes.next().is_none(), "a second outcome of {id:?}");
        outcome
    }

    /// Asserts that a request was answered with what belongs to it.
    pub(crate) fn assert_answered(&self, id: RequestId, text: &str) {
        let body = result_of(&call(text)).into();
        assert_eq!(
            self.outcome(id),
            Some(ClientEvent::Response { id, body }),
            "{text}"
        );
    }

    pub(crate) fn updates(&self) -> Vec<Vec<u8>> {
        self.events
            .iter()
            .filter_map(|event| match event {
                ClientEvent::Updates(body) => Some(body.clone()),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn fresh_salts(&self) -> Vec<FutureSalt> {
        self.salts.future(self.unix(), 10)
    }
}

/// A packet from the server with one message.
pub(crate) fn forge(session_id: i64, msg_id: i64, seqno: i32, body: &[u8]) -> Vec<u8> {
    let length = i32::try_from(body.len()).unwrap();
    let mut packet = vec![0; message::HEADER + 8];
    packet.extend_from_slice(&session_id.to_le_bytes());
    packet.extend_from_slice(&msg_id.to_le_bytes());
    packet.extend_from_slice(&seqno.to_le_bytes());
    packet.extend_from_slice(&length.to_le_bytes());
    packet.extend_from_slice(body);
    let padded = (packet.len() - 24 + 12).next_multiple_of(16) + 24;
    packet.resize(padded, 7);
    message::seal(&key(), Sender::Server, &mut packet).unwrap();
    packet
}

/// The body of a container.
pub(crate) fn container(messages: &[(i64, i32, Vec<u8>)]) -> Vec<u8> {
    let mut body = 0x73f1_f8dc_u32.to_le_bytes().to_vec();
    body.extend_from_slice(&u32::try_from(messages.len()).unwrap().to_le_bytes());
    for (msg_id, seqno, inner) in messages {
        body.extend_from_slice(&msg_id.to_le_bytes());
        body.extend_from_slice(&seqno.to_le_bytes());
        body.extend_from_slice(&i32::try_from(inner.len()).unwrap().to_le_bytes());
        body.extend_from_slice(inner);
    }
    body
}

/// The bytes of a boxed object.
pub(crate) fn boxed<T: layer_tl_types::Identifiable + layer_tl_types::Serializable>(
    value: &T,
) -> Vec<u8> {
    let mut body = T::CONSTRUCTOR_ID.to_le_bytes().to_vec();
    value.serialize(&mut body);
    body
}

/// A packet from a client with one message, sealed as the test wants it.
pub(crate) fn forge_client(
    session_id: i64,
    salt: i64,
    msg_id: i64,
    seqno: i32,
    body: &[u8],
) -> Vec<u8> {
    let mut packet = vec![0; message::HEADER];
    packet.extend_from_slice(&salt.to_le_bytes());
    packet.extend_from_slice(&session_id.to_le_bytes());
    packet.extend_from_slice(&msg_id.to_le_bytes());
    packet.extend_from_slice(&seqno.to_le_bytes());
    packet.extend_from_slice(&i32::try_from(body.len()).unwrap().to_le_bytes());
    packet.extend_from_slice(body);
    let padded = (packet.len() - 24 + 12).next_multiple_of(16) + 24;
    packet.resize(padded, 7);
    message::seal(&key(), Sender::Client, &mut packet).unwrap();
    packet
}

/// The messages of a packet's body: those in the container, or the one.
pub(crate) fn messages(opened: &Opened, packet: &[u8]) -> Vec<(i64, i32, Vec<u8>)> {
    let body = &packet[opened.body.clone()];
    let int = |at: usize| u32::from_le_bytes(body[at..at + 4].try_into().unwrap());
    if int(0) != 0x73f1_f8dc {
        return vec![(opened.msg_id, opened.seqno, body.to_vec())];
    }
    let mut at = 8;
    (0..int(4))
        .map(|_| {
            let msg_id = i64::from_le_bytes(body[at..at + 8].try_into().unwrap());
            let seqno = i32::from_le_bytes(body[at + 8..at + 12].try_into().unwrap());
            let length = usize::try_from(int(at + 12)).unwrap();
            let inner = body[at + 16..at + 16 + length].to_vec();
            at += 16 + length;
            (msg_id, seqno, inner)
        })
        .collect()
}

/// The constructor's id of a body.
pub(crate) fn id_of(body: &[u8]) -> u32 {
    u32::from_le_bytes(body[..4].try_into().unwrap())
}

impl Pair {
    /// Opens the client's next packets without letting the server see them.
    pub(crate) fn intercept(&mut self) -> Vec<(Opened, Vec<u8>)> {
        self.client_packets()
            .into_iter()
            .map(|mut packet| (open_packet(&key(), &mut packet).unwrap(), packet))
            .collect()
    }

    /// Refuses everything that the client has to send now with `code`, and gives how many packets that was.
    pub(crate) fn refuse_all(&mut self, code: i32) -> usize {
        let packets = self.intercept();
        for (opened, _) in &packets {
            if code == 48 {
                let unix = self.unix();
                self.server.reject_salt(opened.msg_id, opened.seqno, unix);
            } else {
                self.server.reject(opened.msg_id, opened.seqno, code);
            }
        }
        // The server answers in whatever session the client is in.
        for mut packet in self.server_packets() {
            let opened = message::open(&key(), Sender::Server, &mut packet).unwrap();
            let (msg_id, seqno, length) = (
                i64::from_le_bytes(opened[16..24].try_into().unwrap()),
                i32::from_le_bytes(opened[24..28].try_into().unwrap()),
                usize::try_from(i32::from_le_bytes(opened[28..32].try_into().unwrap())).unwrap(),
            );
            let body = opened[32..32 + length].to_vec();
            let packet = self.forged(msg_id, seqno, &body);
            self.deliver_to_client(packet).unwrap();
        }
        packets.len()
    }
}
