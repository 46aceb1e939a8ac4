//! A client of a few lines over layer-mtproto's state machines, to see what the server puts on the wire.

#![allow(dead_code)] // Each test file uses its own part.
#![allow(clippy::unwrap_used, unreachable_pub)] // Helpers of tests, outside of #[test] functions.

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use layer_crypto::rsa::PublicKey;
use layer_crypto::{AuthKey, SecureRandom, message};
use layer_mtproto::faketls::Records;
use layer_mtproto::handshake::{self, Purpose};
use layer_mtproto::session::{ClientEvent, ClientSession, RequestId, SessionParams, SubmitOptions};
use layer_mtproto::transport::{Codec, Frame, ObfuscationParams, TransportKind};
use layer_test_server::Server;
use layer_test_server::tl::{
    self, Deserializable, Identifiable, RemoteCall, Serializable, enums, functions as f, types,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// No test waits longer for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Os;

impl SecureRandom for Os {
    fn fill(&mut self, dest: &mut [u8]) {
        getrandom::fill(dest).unwrap();
    }
}

pub fn rng() -> Box<dyn SecureRandom + Send> {
    Box::new(Os)
}

pub fn unix() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// How to speak to the server.
pub struct Way {
    pub kind: TransportKind,
    pub obfuscation: Option<ObfuscationParams>,
}

impl Default for Way {
    fn default() -> Self {
        Self {
            kind: TransportKind::Intermediate,
            obfuscation: None,
        }
    }
}

/// Why the connection is over.
#[derive(Debug, PartialEq, Eq)]
pub enum Gone {
    Closed,
    Transport(i32),
}

/// Why a key exchange came to no end.
#[derive(Debug)]
pub enum Broken {
    Gone(Gone),
    Rules(handshake::HandshakeError),
}

/// A connection that carries packets.
pub struct Wire {
    pub stream: Box<dyn Duplex>,
    codec: Codec,
}

/// Whatever carries a transport.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl Wire {
    pub async fn open(address: SocketAddr, way: Way) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        // What is sent one byte at a time comes so.
        stream.set_nodelay(true).unwrap();
        Self::over(stream, way)
    }

    pub fn over(stream: impl Duplex + 'static, way: Way) -> Self {
        Self {
            stream: Box::new(stream),
            codec: Codec::client(way.kind, way.obfuscation, rng()),
        }
    }

    /// Puts everything into the records of FakeTLS.
    pub fn within(mut self, records: Records) -> Self {
        self.codec = self.codec.within(records);
        self
    }

    /// Takes bytes that were read from the stream.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.codec.feed(bytes);
    }

    pub async fn send(&mut self, packet: &[u8]) {
        self.send_together(&[packet]).await;
    }

    /// Sends packets in one piece, so that they are read as one.
    pub async fn send_together(&mut self, packets: &[&[u8]]) {
        let mut bytes = Vec::new();
        for packet in packets {
            self.codec.pack(packet, &mut bytes).unwrap();
        }
        // A server that has hung up shows when we read.
        let _ = self.stream.write_all(&bytes).await;
    }

    /// Sends a packet one byte at a time.
    pub async fn send_in_bytes(&mut self, packet: &[u8]) {
        let mut bytes = Vec::new();
        self.codec.pack(packet, &mut bytes).unwrap();
        for byte in bytes {
            self.stream.write_all(&[byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
    }

    pub async fn receive(&mut self) -> Result<Vec<u8>, Gone> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match self.codec.next_frame().expect("a well-formed stream") {
                Some(Frame::Packet(packet)) => return Ok(packet.into()),
                Some(Frame::Error(code)) => return Err(Gone::Transport(code)),
                Some(_) => continue,
                None => {}
            }
            match self.stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return Err(Gone::Closed),
                Ok(count) => self.codec.feed(&buffer[..count]),
            }
        }
    }

    /// Makes an auth key with a server that keeps to the rules.
    pub async fn handshake(
        &mut self,
        pem: &str,
        dc_id: i32,
        purpose: Purpose,
    ) -> Result<handshake::Outcome, Gone> {
        match self.exchange(pem, dc_id, purpose).await {
            Ok((outcome, _)) => Ok(outcome),
            Err(Broken::Gone(gone)) => Err(gone),
            Err(Broken::Rules(error)) => panic!("{error}"),
        }
    }

    /// Makes an auth key with whoever is there, and tells each step.
    pub async fn exchange(
        &mut self,
        pem: &str,
        dc_id: i32,
        purpose: Purpose,
    ) -> Result<(handshake::Outcome, Vec<handshake::Step>), Broken> {
        let keys = vec![PublicKey::from_pem(pem).unwrap()];
        let config = handshake::ClientConfig::new(keys, dc_id, purpose);
        let mut client = handshake::Client::new(config, rng(), Instant::now(), unix());
        let mut steps = Vec::new();
        loop {
            let mut packet = Vec::new();
            while client.poll_transmit(Instant::now(), &mut packet) {
                self.send(&packet).await;
                packet.clear();
            }
            while let Some(event) = client.poll_event() {
                match event {
                    handshake::Event::Done(outcome) => return Ok((*outcome, steps)),
                    handshake::Event::Step(step) => steps.push(step),
                    _ => {}
                }
            }
            let packet = self.receive().await.map_err(Broken::Gone)?;
            client
                .handle_packet(&packet, Instant::now())
                .map_err(Broken::Rules)?;
        }
    }
}

/// A signed-in or not signed-in client.
pub struct Client {
    pub wire: Wire,
    pub session: ClientSession,
    pub updates: Vec<enums::Updates>,
    pub events: Vec<ClientEvent>,
}

/// An error of the API.
pub type ApiResult<T> = Result<T, (i32, String)>;

impl Client {
    /// Connects to a data centre, makes a key and says hello.
    pub async fn connect(server: &Server, dc_id: i32) -> Self {
        Self::connect_by(server, dc_id, Way::default()).await
    }

    pub async fn connect_by(server: &Server, dc_id: i32, way: Way) -> Self {
        let mut wire = Wire::open(server.address(dc_id).unwrap(), way).await;
        let outcome = wire
            .handshake(server.public_key_pem(), dc_id, Purpose::Permanent)
            .await
            .unwrap();
        let mut client = Self::with(wire, SessionParams::after_handshake(&outcome));
        client.hello().await.unwrap();
        client
    }

    pub fn with(wire: Wire, params: SessionParams) -> Self {
        let session = ClientSession::new(params, rng(), Instant::now(), unix());
        Self {
            wire,
            session,
            updates: Vec::new(),
            events: Vec::new(),
        }
    }

    /// The same session over a new connection.
    pub async fn reconnect(&mut self, address: SocketAddr) {
        self.wire = Wire::open(address, Way::default()).await;
        self.session.connection_lost(Instant::now());
    }

    /// Another session of the same key.
    pub async fn sibling(&self, address: SocketAddr) -> Self {
        let wire = Wire::open(address, Way::default()).await;
        let mut params = SessionParams::new(self.key());
        params.salts = self.session.salts().to_vec();
        Self::with(wire, params)
    }

    pub fn key(&self) -> AuthKey {
        self.session.auth_key().clone()
    }

    pub async fn hello(&mut self) -> ApiResult<enums::Config> {
        self.invoke(&f::InvokeWithLayer {
            layer: tl::LAYER,
            query: f::InitConnection {
                api_id: 1,
                device_model: "Test".into(),
                system_version: "1".into(),
                app_version: "1".into(),
                system_lang_code: "en".into(),
                lang_pack: String::new(),
                lang_code: "en".into(),
                proxy: None,
                params: None,
                query: f::help::GetConfig {},
            },
        })
        .await
    }

    pub fn submit<F: RemoteCall>(&mut self, request: &F) -> RequestId {
        self.session
            .submit(request.to_bytes(), SubmitOptions::default(), Instant::now())
    }

    /// Calls a method and waits for the answer.
    pub async fn invoke<F: RemoteCall>(&mut self, request: &F) -> ApiResult<F::Return> {
        let id = self.submit(request);
        self.answer(id)
            .await
            .map(|body| F::Return::from_bytes(&body).expect("a readable answer"))
    }

    /// Waits for the answer to a call.
    pub async fn answer(&mut self, wanted: RequestId) -> ApiResult<Vec<u8>> {
        loop {
            let ends = |event: &ClientEvent| match event {
                ClientEvent::Response { id, .. }
                | ClientEvent::RpcError { id, .. }
                | ClientEvent::Failed { id, .. } => *id == wanted,
                _ => false,
            };
            if let Some(position) = self.events.iter().position(ends) {
                return match self.events.remove(position) {
                    ClientEvent::Response { body, .. } => Ok(body.to_vec()),
                    ClientEvent::RpcError { code, message, .. } => Err((code, message)),
                    other => Err((0, format!("{other:?}"))),
                };
            }
            if let Err(gone) = self.turn().await {
                return Err((-1, format!("{gone:?}")));
            }
        }
    }

    /// Takes one packet, and gives the bytes of the updates in it, sound or not.
    pub async fn turn_with(&mut self, mut updates: impl FnMut(Vec<u8>)) {
        self.flush().await;
        let mut packet = self.wire.receive().await.unwrap();
        self.session
            .handle_packet(&mut packet, Instant::now())
            .unwrap();
        while let Some(event) = self.session.poll_event() {
            match event {
                ClientEvent::Updates(bytes) => updates(bytes),
                other => self.events.push(other),
            }
        }
    }

    /// Sends what there is to send, and takes one packet.
    pub async fn turn(&mut self) -> Result<(), Gone> {
        self.flush().await;
        let due = self
            .session
            .poll_timeout()
            .unwrap_or_else(|| Instant::now() + PATIENCE);
        tokio::select! {
            packet = self.wire.receive() => {
                let mut packet = packet?;
                self.session.handle_packet(&mut packet, Instant::now()).unwrap();
            }
            () = tokio::time::sleep_until(due.into()) => self.session.handle_timeout(Instant::now()),
        }
        while let Some(event) = self.session.poll_event() {
            match event {
                ClientEvent::Updates(bytes) => {
                    self.updates
                        .push(enums::Updates::from_bytes(&bytes).expect("updates"));
                }
                other => self.events.push(other),
            }
        }
        Ok(())
    }

    pub async fn flush(&mut self) {
        let mut packet = Vec::new();
        while self.session.poll_transmit(Instant::now(), &mut packet) {
            self.wire.send(&packet).await;
            packet.clear();
        }
    }

    /// Waits until an event of the session or an update fits.
    pub async fn until<T>(&mut self, mut found: impl FnMut(&mut Self) -> Option<T>) -> T {
        loop {
            if let Some(value) = found(self) {
                return value;
            }
            self.turn().await.unwrap();
        }
    }

    // -- signing in ---------------------------------------------------------------------------------------

    pub async fn send_code(&mut self, phone: &str) -> ApiResult<types::auth::SentCode> {
        let settings = types::CodeSettings {
            allow_flashcall: false,
            current_number: false,
            allow_app_hash: false,
            allow_missed_call: false,
            allow_firebase: false,
            unknown_number: false,
            logout_tokens: None,
            token: None,
            app_sandbox: None,
        };
        let sent = self
            .invoke(&f::auth::SendCode {
                phone_number: phone.into(),
                api_id: 1,
                api_hash: "hash".into(),
                settings: settings.into(),
            })
            .await?;
        Ok(types::auth::SentCode::try_from(sent).unwrap())
    }

    pub async fn sign_in(
        &mut self,
        phone: &str,
        hash: &str,
        code: &str,
    ) -> ApiResult<enums::auth::Authorization> {
        self.invoke(&f::auth::SignIn {
            phone_number: phone.into(),
            phone_code_hash: hash.into(),
            phone_code: Some(code.into()),
            email_verification: None,
        })
        .await
    }

    /// Signs in to an account that exists and has no password.
    pub async fn enter(&mut self, server: &Server, phone: &str) {
        let sent = self.send_code(phone).await.unwrap();
        let code = server.login_code(phone).unwrap();
        let answer = self
            .sign_in(phone, &sent.phone_code_hash, &code)
            .await
            .unwrap();
        assert!(
            matches!(answer, enums::auth::Authorization::Authorization(_)),
            "{answer:?}"
        );
    }
}

/// Fails a test that hangs.
pub async fn in_time<T>(test: impl Future<Output = T>) -> T {
    // `RUST_LOG=debug` shows what the server makes of a failing test.
    let _ = env_logger::builder().is_test(true).try_init();
    tokio::time::timeout(PATIENCE, test)
        .await
        .expect("the test hangs")
}

pub fn error<T: std::fmt::Debug>(result: ApiResult<T>) -> (i32, String) {
    result.unwrap_err()
}

pub fn is(code: i32, message: &str) -> (i32, String) {
    (code, message.to_owned())
}

/// A session written by hand, for what a well-behaved client would not do.
pub struct Raw {
    pub wire: Wire,
    pub session_id: i64,
    pub salt: i64,
    key: AuthKey,
    last_id: i64,
    seqno: i32,
}

/// A message of the server's.
#[derive(Debug, Clone)]
pub struct Message {
    pub msg_id: i64,
    pub seqno: i32,
    pub body: Vec<u8>,
}

impl Message {
    pub fn id(&self) -> u32 {
        u32::from_le_bytes(*self.body.first_chunk().unwrap())
    }

    /// Whether it is the result of a call.
    pub fn answers(&self, msg_id: i64) -> bool {
        let mut head = 0xf35c_6d01_u32.to_le_bytes().to_vec();
        head.extend_from_slice(&msg_id.to_le_bytes());
        self.body.starts_with(&head)
    }

    /// A number of 8 bytes in its body.
    pub fn long(&self, at: usize) -> i64 {
        i64::from_le_bytes(*self.body[at..].first_chunk().unwrap())
    }

    /// A number of 4 bytes in its body.
    pub fn int(&self, at: usize) -> i32 {
        i32::from_le_bytes(*self.body[at..].first_chunk().unwrap())
    }
}

impl Raw {
    pub fn new(wire: Wire, key: &AuthKey, salt: i64) -> Self {
        let mut session_id = [0; 8];
        rng().fill(&mut session_id);
        let session_id = i64::from_le_bytes(session_id);
        Self {
            wire,
            session_id,
            salt,
            key: key.clone(),
            last_id: 0,
            seqno: 0,
        }
    }

    /// Makes a key with a data centre, and a session under it.
    pub async fn connect(server: &Server, dc_id: i32) -> Self {
        Self::connect_for(server, dc_id, Purpose::Permanent).await
    }

    pub async fn connect_for(server: &Server, dc_id: i32, purpose: Purpose) -> Self {
        let mut wire = Wire::open(server.address(dc_id).unwrap(), Way::default()).await;
        let outcome = wire
            .handshake(server.public_key_pem(), dc_id, purpose)
            .await
            .unwrap();
        Self::new(wire, &outcome.auth_key, outcome.first_salt)
    }

    pub fn next_id(&mut self) -> i64 {
        let now = unix();
        let id = i64::try_from((now.as_nanos() << 32) / 1_000_000_000).unwrap() & !3;
        self.last_id = id.max(self.last_id + 4);
        self.last_id
    }

    /// Sends a message of which an acknowledgement is due, and gives its msg_id.
    pub async fn send(&mut self, body: &[u8]) -> i64 {
        let msg_id = self.next_id();
        let seqno = self.next_seqno();
        self.send_as(msg_id, seqno, body).await;
        msg_id
    }

    pub fn key(&self) -> &AuthKey {
        &self.key
    }

    /// How many messages were sent.
    pub fn seqno(&self) -> i32 {
        self.seqno
    }

    /// The seqno of a message of which an acknowledgement is due.
    pub fn next_seqno(&mut self) -> i32 {
        self.seqno += 1;
        self.seqno * 2 - 1
    }

    pub async fn send_as(&mut self, msg_id: i64, seqno: i32, body: &[u8]) {
        let packet = self.packet(msg_id, seqno, body);
        self.wire.send(&packet).await;
    }

    pub fn packet(&self, msg_id: i64, seqno: i32, body: &[u8]) -> Vec<u8> {
        let mut packet = vec![0; message::HEADER];
        packet.extend_from_slice(&self.salt.to_le_bytes());
        packet.extend_from_slice(&self.session_id.to_le_bytes());
        packet.extend_from_slice(&msg_id.to_le_bytes());
        packet.extend_from_slice(&seqno.to_le_bytes());
        packet.extend_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
        packet.extend_from_slice(body);
        let length = (packet.len() - message::HEADER + 12).next_multiple_of(16);
        packet.resize(message::HEADER + length, 7);
        message::seal(&self.key, message::Sender::Client, &mut packet).unwrap();
        packet
    }

    /// Sends several messages in a container, and gives the container's msg_id and theirs.
    pub async fn send_container(&mut self, bodies: &[Vec<u8>]) -> (i64, Vec<i64>) {
        let mut body = 0x73f1_f8dc_u32.to_le_bytes().to_vec();
        body.extend_from_slice(&u32::try_from(bodies.len()).unwrap().to_le_bytes());
        let mut ids = Vec::new();
        for inner in bodies {
            let id = self.next_id();
            body.extend_from_slice(&id.to_le_bytes());
            body.extend_from_slice(&self.next_seqno().to_le_bytes());
            body.extend_from_slice(&u32::try_from(inner.len()).unwrap().to_le_bytes());
            body.extend_from_slice(inner);
            ids.push(id);
        }
        let id = self.next_id();
        self.send_as(id, self.seqno * 2, &body).await;
        (id, ids)
    }

    /// Takes a packet and gives it as it is under the encryption, padding and all, if it is one of ours.
    pub async fn receive_plain(&mut self) -> Result<Option<Vec<u8>>, Gone> {
        let mut packet = self.wire.receive().await?;
        let plain = message::open(&self.key, message::Sender::Server, &mut packet);
        Ok(plain.ok().map(|plain| plain.to_vec()))
    }

    /// Takes a packet and gives the messages in it.
    pub async fn receive(&mut self) -> Result<Vec<Message>, Gone> {
        let plain = self.receive_plain().await?.expect("a sound packet");
        let outer = parse(&plain[16..]);
        if outer.id() != 0x73f1_f8dc {
            return Ok(vec![outer]);
        }
        let mut rest = &outer.body[8..];
        let mut messages = Vec::new();
        while !rest.is_empty() {
            let message = parse(rest);
            rest = &rest[16 + message.body.len()..];
            messages.push(message);
        }
        Ok(messages)
    }

    /// Waits for a message that fits.
    pub async fn find(&mut self, mut fits: impl FnMut(&Message) -> bool) -> Message {
        loop {
            if let Some(found) = self.receive().await.unwrap().into_iter().find(&mut fits) {
                return found;
            }
        }
    }

    /// Waits for the answer to a call; its bytes as they came.
    pub async fn result_of(&mut self, msg_id: i64) -> Vec<u8> {
        let found = self.find(|message| message.answers(msg_id)).await;
        found.body[12..].to_vec()
    }

    /// Waits until all of these calls are answered; the order in which they were.
    pub async fn order_of(&mut self, calls: &[i64]) -> Vec<i64> {
        let mut order = Vec::new();
        while order.len() < calls.len() {
            for message in self.receive().await.unwrap() {
                order.extend(calls.iter().filter(|call| message.answers(**call)));
            }
        }
        order
    }

    /// Goes on over a new connection, on which a ping makes the server find the session.
    pub async fn reconnect(&mut self, address: SocketAddr) {
        self.wire = Wire::open(address, Way::default()).await;
        self.ping().await;
    }

    pub async fn ping(&mut self) -> i64 {
        self.send(&f::Ping { ping_id: 1 }.to_bytes()).await
    }

    /// The messages that come until the answer to a ping that is sent now.
    pub async fn until_pong(&mut self) -> Vec<Message> {
        let ping = self.ping().await;
        let mut all = Vec::new();
        loop {
            for message in self.receive().await.unwrap() {
                let ends = message.id() == types::Pong::CONSTRUCTOR_ID
                    && message.body[4..12] == ping.to_le_bytes();
                if ends {
                    return all;
                }
                all.push(message);
            }
        }
    }
}

fn parse(bytes: &[u8]) -> Message {
    let int = |at: usize| u32::from_le_bytes(*bytes[at..].first_chunk().unwrap());
    let length = usize::try_from(int(12)).unwrap();
    Message {
        msg_id: i64::from_le_bytes(*bytes.first_chunk().unwrap()),
        seqno: int(8).cast_signed(),
        body: bytes[16..16 + length].to_vec(),
    }
}
