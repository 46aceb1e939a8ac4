//! A data centre that does what a test tells it to, on a port of this machine. It makes keys and
//! keeps sessions by the rules; what it answers, and whether, is the test's. It runs on tokio's
//! clock, so that hours pass at once in a test that stops the clock, and remembers all it was sent.

#![allow(dead_code, unreachable_pub)] // each test binary uses a part of it

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use layer_client::{Config, DcAddress, RsaPublicKey, TransportKind, tl};
use layer_crypto::rsa::PrivateKey;
use layer_crypto::{AuthKey, SecureRandom};
use layer_mtproto::handshake::{self, ServerEvent};
use layer_mtproto::session::{
    SaltBook, ServerSession, ServerSessionConfig, ServerSessionEvent, open_packet,
};
use layer_mtproto::transport::{Acceptor, Codec, Frame};
use tl::{Identifiable, Serializable};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// The test key of layer-test-server, secret to nobody.
const KEY: &str = include_str!("../../../layer-test-server/src/test_key.pem");

/// A call as it came.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which connection it came over, from 0.
    pub connection: usize,
    /// The constructor of the innermost method.
    pub method: u32,
    /// The innermost method, serialised.
    pub body: Vec<u8>,
    pub msg_id: i64,
    /// What `invokeAfterMsg` named.
    pub after: Option<i64>,
    /// Whether it came with who the client is.
    pub introduced: bool,
    /// Whether it came under a temporary key.
    pub temporary: bool,
    /// Whether it came to the port for files only.
    pub files: bool,
    pub at: Instant,
}

impl Call {
    pub fn is<M: Identifiable>(&self) -> bool {
        self.method == M::CONSTRUCTOR_ID
    }
}

/// What becomes of a call.
pub enum Reply {
    /// Its result, serialised.
    Result(Vec<u8>),
    Error(i32, &'static str),
    /// None; the test may give one later.
    Silence,
    /// None, and the connection is cut.
    Cut,
    /// None: from now on the connection says nothing and hears nothing.
    Vanish,
}

/// A message as it came, before anything was done about it.
#[derive(Clone, Debug)]
pub struct Message {
    pub connection: usize,
    pub key_id: i64,
    pub msg_id: i64,
    pub constructor: u32,
    pub body: Vec<u8>,
    pub at: Instant,
}

type Answer = Box<dyn Fn(&Call) -> Reply + Send + Sync>;

struct Known {
    key: AuthKey,
    salts: SaltBook,
    temporary: bool,
    /// The data centre that the client meant it for.
    dc_id: Option<i32>,
}

struct Shared {
    dc_id: i32,
    began: (Instant, Duration),
    keys: Mutex<HashMap<i64, Known>>,
    sessions: Mutex<HashMap<(i64, i64), ServerSession>>,
    answer: Mutex<Answer>,
    messages: Mutex<Vec<Message>>,
    calls: Mutex<Vec<Call>>,
    opened: Mutex<Vec<Instant>>,
    open: AtomicUsize,
    /// Whether new connections are taken at all.
    refusing: AtomicBool,
    /// Whether nothing is heard and nothing said, on any connection.
    dead: AtomicBool,
    /// The transport error that every packet is answered with, if there is one.
    error: AtomicI32,
    cuts: watch::Sender<u64>,
    wake: Notify,
}

/// A data centre.
pub struct Peer {
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Random(fastrand::Rng);

impl SecureRandom for Random {
    fn fill(&mut self, dest: &mut [u8]) {
        self.0.fill(dest);
    }
}

fn random() -> Box<dyn SecureRandom + Send> {
    Box::new(Random(fastrand::Rng::new()))
}

impl Peer {
    /// Data centre 1, which answers `help.getConfig` and binds keys, and leaves the rest to `answer`.
    pub async fn new(answer: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        Self::numbered(1, answer).await
    }

    pub async fn numbered(
        dc_id: i32,
        answer: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let shared = Arc::new(Shared {
            dc_id,
            began: (Instant::now(), wall),
            keys: Mutex::default(),
            sessions: Mutex::default(),
            answer: Mutex::new(Box::new(answer)),
            messages: Mutex::default(),
            calls: Mutex::default(),
            opened: Mutex::default(),
            open: AtomicUsize::new(0),
            refusing: AtomicBool::new(false),
            dead: AtomicBool::new(false),
            error: AtomicI32::new(0),
            cuts: watch::Sender::new(0),
            wake: Notify::new(),
        });
        let task = tokio::spawn(accept(listener, shared.clone(), false));
        Self { addr, shared, task }
    }

    /// Listens on another port too, for files only.
    pub async fn listen_for_files(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(accept(listener, self.shared.clone(), true));
        addr
    }

    /// A client's configuration for it.
    pub fn config(&self) -> Config {
        let pem = PrivateKey::from_pem(KEY).unwrap().public().to_pem();
        Config {
            api_id: 1,
            api_hash: "hash".to_owned(),
            dc_id: self.shared.dc_id,
            dc_addresses: vec![DcAddress::new(self.shared.dc_id, self.addr)],
            rsa_keys: vec![RsaPublicKey::from_pem(&pem).unwrap()],
            transport: TransportKind::Intermediate.into(),
            ..Config::default()
        }
    }

    /// Answers otherwise from now on.
    pub fn answer(&self, answer: impl Fn(&Call) -> Reply + Send + Sync + 'static) {
        *lock(&self.shared.answer) = Box::new(answer);
    }

    /// The calls of a method that came so far.
    pub fn calls<M: Identifiable>(&self) -> Vec<Call> {
        let calls = lock(&self.shared.calls);
        calls
            .iter()
            .filter(|call| call.is::<M>())
            .cloned()
            .collect()
    }

    /// All calls that came so far.
    pub fn all_calls(&self) -> Vec<Call> {
        lock(&self.shared.calls).clone()
    }

    /// All messages that came so far, also those that were no calls.
    pub fn messages(&self) -> Vec<Message> {
        lock(&self.shared.messages).clone()
    }

    pub fn messages_of(&self, constructor: u32) -> Vec<Message> {
        let mut messages = self.messages();
        messages.retain(|message| message.constructor == constructor);
        messages
    }

    /// When each connection was opened.
    pub fn connections(&self) -> Vec<Instant> {
        lock(&self.shared.opened).clone()
    }

    /// How many are open.
    pub fn open_connections(&self) -> usize {
        self.shared.open.load(Ordering::Acquire)
    }

    /// Ids of the permanent and the temporary keys that were made and not forgotten.
    pub fn keys(&self) -> (Vec<i64>, Vec<i64>) {
        let keys = lock(&self.shared.keys);
        let of = |temporary: bool| {
            let of = keys.iter().filter(|(_, key)| key.temporary == temporary);
            of.map(|(id, _)| *id).collect()
        };
        (of(false), of(true))
    }

    /// Which data centres the clients meant the keys for.
    pub fn key_dcs(&self) -> Vec<i32> {
        let keys = lock(&self.shared.keys);
        let mut dcs: Vec<_> = keys.values().filter_map(|key| key.dc_id).collect();
        dcs.sort_unstable();
        dcs
    }

    /// Forgets the permanent or the temporary keys.
    pub fn forget_keys(&self, temporary: bool) {
        lock(&self.shared.keys).retain(|_, key| key.temporary != temporary);
    }

    /// Forgets the sessions, and what was asked in them.
    pub fn forget_sessions(&self) {
        lock(&self.shared.sessions).clear();
    }

    /// Cuts all connections.
    pub fn cut(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Hangs up on whoever comes.
    pub fn refuse(&self, refuse: bool) {
        self.shared.refusing.store(refuse, Ordering::Release);
    }

    /// Answers everything with this transport error; 0 ends that.
    pub fn refuse_with(&self, error: i32) {
        self.shared.error.store(error, Ordering::Release);
    }

    /// Listens no more. Connections that are open stay.
    pub fn stop_listening(&self) {
        self.task.abort();
    }

    /// Hears nothing and says nothing any more, without hanging up.
    pub fn vanish(&self, dead: bool) {
        self.shared.dead.store(dead, Ordering::Release);
    }

    /// Gives a call that was met with silence its result.
    pub fn respond(&self, msg_id: i64, result: Vec<u8>) {
        for session in lock(&self.shared.sessions).values_mut() {
            session.respond(msg_id, result.clone());
        }
        self.shared.wake.notify_waiters();
    }

    /// Sends an `Updates` to every session.
    pub fn push(&self, updates: &tl::enums::Updates) {
        for session in lock(&self.shared.sessions).values_mut() {
            session.push(updates.to_bytes());
        }
        self.shared.wake.notify_waiters();
    }

    /// Waits, for a minute by the test's clock, until something is so.
    pub async fn until(&self, mut so: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !so(self) {
            assert!(Instant::now() < deadline, "it did not come to that");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, files: bool) {
    while let Ok((stream, _)) = listener.accept().await {
        let connection = {
            let mut opened = lock(&shared.opened);
            opened.push(Instant::now());
            opened.len() - 1
        };
        if shared.refusing.load(Ordering::Acquire) {
            continue;
        }
        let shared = shared.clone();
        tokio::spawn(async move {
            shared.open.fetch_add(1, Ordering::AcqRel);
            let mut cuts = shared.cuts.subscribe();
            let mut wire = Wire::new(shared.clone(), connection, files);
            tokio::select! {
                () = wire.serve(stream) => {}
                _ = cuts.changed() => {}
            }
            shared.open.fetch_sub(1, Ordering::AcqRel);
        });
    }
}

/// One connection.
struct Wire {
    shared: Arc<Shared>,
    connection: usize,
    files: bool,
    acceptor: Acceptor,
    codec: Option<Codec>,
    handshake: handshake::Server,
    sessions: Vec<(i64, i64)>,
    out: Vec<u8>,
    closing: bool,
    vanished: bool,
}

impl Wire {
    fn new(shared: Arc<Shared>, connection: usize, files: bool) -> Self {
        let keys: Arc<[PrivateKey]> = Arc::from([PrivateKey::from_pem(KEY).unwrap()]);
        Self {
            handshake: handshake::Server::new(keys, shared.dc_id, random()),
            shared,
            connection,
            files,
            acceptor: Acceptor::new(Vec::new(), random()),
            codec: None,
            sessions: Vec::new(),
            out: Vec::new(),
            closing: false,
            vanished: false,
        }
    }

    async fn serve(&mut self, mut stream: TcpStream) {
        let shared = self.shared.clone();
        let mut bytes = vec![0; 64 * 1024];
        while !self.closing {
            if self.vanished || shared.dead.load(Ordering::Acquire) {
                std::future::pending::<()>().await;
            }
            let read = tokio::select! {
                read = stream.read(&mut bytes) => read.unwrap_or(0),
                () = shared.wake.notified() => usize::MAX,
                () = tokio::time::sleep(Duration::from_millis(200)) => usize::MAX,
            };
            match read {
                0 => return,
                usize::MAX => {}
                read if !shared.dead.load(Ordering::Acquire) => self.take(&bytes[..read]),
                _ => {}
            }
            self.flush();
            if !self.vanished && !self.out.is_empty() {
                let out = std::mem::take(&mut self.out);
                if stream.write_all(&out).await.is_err() {
                    return;
                }
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        match &mut self.codec {
            Some(codec) => codec.feed(bytes),
            None => match self.acceptor.feed(bytes).unwrap() {
                Some(accepted) => self.codec = Some(accepted.codec),
                None => return,
            },
        }
        while let Some(codec) = &mut self.codec
            && let Some(frame) = codec.next_frame().unwrap()
        {
            let Frame::Packet(mut packet) = frame else {
                panic!("{frame:?}")
            };
            self.packet(&mut packet);
        }
    }

    fn unix(&self) -> Duration {
        let (began, wall) = self.shared.began;
        wall + began.elapsed()
    }

    fn packet(&mut self, packet: &mut [u8]) {
        let error = self.shared.error.load(Ordering::Acquire);
        if error != 0 {
            self.refuse(error);
            return;
        }
        let unix = self.unix();
        let key_id = i64::from_le_bytes(*packet.first_chunk().unwrap());
        if key_id == 0 {
            self.handshake.handle_packet(packet, unix).unwrap();
            let mut answer = Vec::new();
            while self.handshake.poll_transmit(&mut answer) {
                self.pack(&answer);
                answer.clear();
            }
            while let Some(event) = self.handshake.poll_event() {
                if let ServerEvent::Done(outcome) = event {
                    let salts = SaltBook::new(&outcome.auth_key, Some(outcome.first_salt), unix);
                    let known = Known {
                        salts,
                        temporary: outcome.temporary.is_some(),
                        dc_id: outcome.dc_id,
                        key: outcome.auth_key.clone(),
                    };
                    lock(&self.shared.keys).insert(outcome.auth_key.id(), known);
                }
            }
            return;
        }
        let known = lock(&self.shared.keys)
            .get(&key_id)
            .map(|known| (known.key.clone(), known.salts.clone(), known.temporary));
        let Some((key, salts, temporary)) = known else {
            self.refuse(-404);
            return;
        };
        let opened = open_packet(&key, packet).unwrap();
        let body = &packet[opened.body.clone()];
        self.note(key_id, opened.msg_id, body);
        let name = (key_id, opened.session_id);
        if !self.sessions.contains(&name) {
            self.sessions.push(name);
            if let Some(session) = lock(&self.shared.sessions).get_mut(&name) {
                session.connected();
            }
        }
        let now = Instant::now().into_std();
        let mut calls = Vec::new();
        {
            let mut sessions = lock(&self.shared.sessions);
            let session = sessions.entry(name).or_insert_with(|| {
                let config = ServerSessionConfig::default();
                ServerSession::new(key.clone(), name.1, salts, random(), config)
            });
            session
                .handle_opened(&opened, &packet.to_vec().into(), now, unix)
                .unwrap();
            while let Some(event) = session.poll_event() {
                if let ServerSessionEvent::Request { msg_id, body, .. } = event {
                    calls.push((msg_id, body));
                }
            }
        }
        for (msg_id, body) in calls {
            self.call(name, msg_id, &body, temporary);
        }
    }

    fn refuse(&mut self, error: i32) {
        if let Some(codec) = &mut self.codec {
            codec.pack_error(error, &mut self.out);
        }
        self.closing = true;
    }

    /// Notes all messages of a packet.
    fn note(&self, key_id: i64, msg_id: i64, body: &[u8]) {
        let word = |at: usize| u32::from_le_bytes(*body[at..].first_chunk().unwrap());
        if word(0) == 0x73f1_f8dc {
            let mut at = 8;
            for _ in 0..word(4) {
                let id = i64::from_le_bytes(*body[at..].first_chunk().unwrap());
                let length = usize::try_from(word(at + 12)).unwrap();
                self.note(key_id, id, &body[at + 16..at + 16 + length]);
                at += 16 + length;
            }
            return;
        }
        lock(&self.shared.messages).push(Message {
            connection: self.connection,
            key_id,
            msg_id,
            constructor: word(0),
            body: body.to_vec(),
            at: Instant::now(),
        });
    }

    fn call(&mut self, name: (i64, i64), msg_id: i64, body: &[u8], temporary: bool) {
        let mut call = unwrapped(self.connection, msg_id, body, temporary);
        call.files = self.files;
        lock(&self.shared.calls).push(call.clone());
        let reply = (lock(&self.shared.answer))(&call);
        let mut sessions = lock(&self.shared.sessions);
        let Some(session) = sessions.get_mut(&name) else {
            return;
        };
        match reply {
            Reply::Result(result) => session.respond(msg_id, result),
            Reply::Error(code, message) => session.respond_error(msg_id, code, message),
            Reply::Silence => {}
            Reply::Cut => self.closing = true,
            Reply::Vanish => self.vanished = true,
        }
    }

    fn flush(&mut self) {
        let unix = self.unix();
        let now = Instant::now().into_std();
        for name in self.sessions.clone() {
            loop {
                let mut packet = Vec::new();
                let more = lock(&self.shared.sessions)
                    .get_mut(&name)
                    .is_some_and(|session| session.poll_transmit(now, unix, &mut packet));
                if !more {
                    break;
                }
                self.pack(&packet);
            }
        }
    }

    fn pack(&mut self, packet: &[u8]) {
        if let Some(codec) = &mut self.codec {
            codec.pack(packet, &mut self.out).unwrap();
        }
    }
}

/// Takes off what a call is wrapped in.
fn unwrapped(connection: usize, msg_id: i64, body: &[u8], temporary: bool) -> Call {
    let (mut rest, mut after, mut introduced) = (body, None, false);
    loop {
        let word = u32::from_le_bytes(*rest.first_chunk().unwrap());
        match word {
            // invokeAfterMsg, invokeWithLayer, invokeWithoutUpdates
            0xcb9f_372d => {
                after = Some(i64::from_le_bytes(*rest[4..].first_chunk().unwrap()));
                rest = &rest[12..];
            }
            0xda9b_0d0d => rest = &rest[8..],
            0xbf94_59b7 => rest = &rest[4..],
            0xc1cd_5ea9 => {
                introduced = true;
                // flags, api_id, and six strings.
                rest = &rest[12..];
                for _ in 0..6 {
                    let length = usize::from(rest[0]);
                    rest = &rest[(1 + length).next_multiple_of(4)..];
                }
            }
            method => {
                return Call {
                    connection,
                    method,
                    body: rest.to_vec(),
                    msg_id,
                    after,
                    introduced,
                    temporary,
                    files: false,
                    at: Instant::now(),
                };
            }
        }
    }
}

/// The answers that any client needs: `help.getConfig`, and that a temporary key is bound.
pub fn basics(call: &Call) -> Reply {
    if call.is::<tl::functions::help::GetConfig>() {
        Reply::Result(server_config(1, 3600, Vec::new()).to_bytes())
    } else if call.is::<tl::functions::auth::BindTempAuthKey>() {
        Reply::Result(0x9972_75b5_u32.to_le_bytes().to_vec())
    } else if call.is::<tl::functions::help::GetNearestDc>() {
        Reply::Result(nearest(1))
    } else {
        Reply::Error(400, "METHOD_INVALID")
    }
}

pub fn nearest(dc: i32) -> Vec<u8> {
    let nearest = tl::types::NearestDc {
        country: "NL".to_owned(),
        this_dc: dc,
        nearest_dc: dc,
    };
    tl::enums::NearestDc::from(nearest).to_bytes()
}

/// A configuration that holds for `life` seconds.
pub fn server_config(
    this_dc: i32,
    life: i32,
    dc_options: Vec<tl::enums::DcOption>,
) -> tl::enums::Config {
    tl::types::Config {
        default_p2p_contacts: true,
        preload_featured_stickers: false,
        revoke_pm_inbox: true,
        blocked_mode: false,
        force_try_ipv6: false,
        date: 1_700_000_000,
        expires: 1_700_000_000 + life,
        test_mode: false,
        this_dc,
        dc_options,
        dc_txt_domain_name: String::new(),
        chat_size_max: 200,
        megagroup_size_max: 200_000,
        forwarded_count_max: 100,
        online_update_period_ms: 210_000,
        offline_blur_timeout_ms: 5_000,
        offline_idle_timeout_ms: 30_000,
        online_cloud_timeout_ms: 300_000,
        notify_cloud_delay_ms: 30_000,
        notify_default_delay_ms: 1_500,
        push_chat_period_ms: 60_000,
        push_chat_limit: 2,
        edit_time_limit: 172_800,
        revoke_time_limit: i32::MAX,
        revoke_pm_time_limit: i32::MAX,
        rating_e_decay: 2_419_200,
        stickers_recent_limit: 200,
        channels_read_media_period: 604_800,
        tmp_sessions: None,
        call_receive_timeout_ms: 20_000,
        call_ring_timeout_ms: 90_000,
        call_connect_timeout_ms: 30_000,
        call_packet_timeout_ms: 10_000,
        me_url_prefix: String::new(),
        autoupdate_url_prefix: None,
        gif_search_username: None,
        venue_search_username: None,
        img_search_username: None,
        static_maps_provider: None,
        caption_length_max: 1024,
        message_length_max: 4096,
        webfile_dc_id: this_dc,
        suggested_lang_code: None,
        lang_pack_version: None,
        base_lang_pack_version: None,
        reactions_default: None,
        autologin_token: None,
    }
    .into()
}
