//! What a client's session is made of, and what can be told it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use layer_crypto::AuthKey;

use super::RequestId;
use super::binding::{BindFailure, Binding};
use crate::handshake::Outcome;
use crate::session::error::{RequestFailure, Terminal};
use crate::session::salts::FutureSalt;

/// How a session behaves. The defaults are meant to be right.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionConfig {
    /// How long an acknowledgement waits for other traffic to go with.
    pub ack_delay: Duration,
    /// Requests of at least this many bytes are compressed if that makes them smaller; `None`: never.
    pub gzip_threshold: Option<usize>,
    /// The most bytes that all compressed messages of one packet may become together.
    pub max_inflated: usize,
    /// How often the server is pinged; `None`: never.
    pub ping_interval: Option<Duration>,
    /// After how long without another ping the server is to close the connection.
    pub disconnect_delay: Duration,
    /// After how long without any answer to a ping the connection counts as dead.
    pub pong_timeout: Duration,
    /// After how long without an answer or acknowledgement the server is asked what became of a request.
    pub state_check: Duration,
    /// How often a request is sent again because the server refused its message.
    pub max_attempts: u8,
    /// How often a request is sent again because the connection was lost.
    pub max_losses: u8,
    /// How long the answer to `auth.bindTempAuthKey` may take, each time it is sent.
    pub bind_timeout: Duration,
    /// How long before the end of a temporary key [`ClientEvent::KeyExpiring`] comes, or a quarter of its life if
    /// that is less.
    pub renew_ahead: Duration,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            ack_delay: Duration::from_millis(500),
            gzip_threshold: Some(512),
            max_inflated: 32 << 20,
            ping_interval: Some(Duration::from_secs(60)),
            disconnect_delay: Duration::from_secs(75),
            pong_timeout: Duration::from_secs(20),
            state_check: Duration::from_secs(20),
            max_attempts: 8,
            max_losses: 16,
            bind_timeout: Duration::from_secs(30),
            renew_ahead: Duration::from_secs(600),
        }
    }
}

/// What a session begins with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SessionParams {
    /// The auth key.
    pub auth_key: AuthKey,
    /// The server salts that are known.
    pub salts: Vec<FutureSalt>,
    /// How many seconds the server is ahead of our wall time. The first packet from the server corrects it.
    pub time_offset_secs: i64,
    /// If the auth key is a temporary one: what it has to be bound to before any request is sent.
    pub binding: Option<Binding>,
    /// What introduces the client: the bytes of `invokeWithLayer` and `initConnection` up to their query. They go
    /// before each request until the server has answered one of them, and again after a binding, with a new
    /// connection, and when the server made a new session. Empty: nothing.
    pub preamble: Vec<u8>,
    /// How the session behaves.
    pub config: SessionConfig,
}

impl SessionParams {
    /// A session with a key of which nothing else is known.
    #[must_use]
    pub fn new(auth_key: AuthKey) -> Self {
        Self {
            auth_key,
            salts: Vec::new(),
            time_offset_secs: 0,
            binding: None,
            preamble: Vec::new(),
            config: SessionConfig::default(),
        }
    }

    /// A session right after a key exchange.
    #[must_use]
    pub fn after_handshake(outcome: &Outcome) -> Self {
        let salt = FutureSalt::from(i64::from(outcome.server_time), outcome.first_salt);
        Self {
            salts: vec![salt],
            time_offset_secs: outcome.time_offset_secs,
            ..Self::new(outcome.auth_key.clone())
        }
    }
}

/// How a request is treated.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubmitOptions {
    /// Whether it may be sent again after the connection was lost. The server knows a message that it had
    /// already, but a server that lost its sessions would do again what was asked.
    pub resend_on_reconnect: bool,
    /// Whether the server is asked if it has it (`msgs_state_req`) after the connection was lost, so that only what
    /// it certainly never had is sent again. Where the server cannot tell, for it lost its sessions, it fails with
    /// [`RequestFailure::ConnectionLost`](super::super::RequestFailure::ConnectionLost).
    pub ask_before_resend: bool,
    /// When to give up.
    pub deadline: Option<Instant>,
    /// The requests that the server has to be done with before it begins this one (`invokeAfterMsg`,
    /// `invokeAfterMsgs`). Only the order is meant: it goes also if they fail.
    pub after: Vec<RequestId>,
}

impl SubmitOptions {
    /// Whether it may go to a server that does not know whether it has done it already.
    pub(super) fn may_be_done_twice(&self) -> bool {
        self.resend_on_reconnect && !self.ask_before_resend
    }
}

impl Default for SubmitOptions {
    fn default() -> Self {
        Self {
            resend_on_reconnect: true,
            ask_before_resend: false,
            deadline: None,
            after: Vec::new(),
        }
    }
}

/// What happened in a client's session. Each request ends in exactly one of `Response`, `RpcError` and `Failed`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// The answer to a request: the bytes of the result, not compressed.
    Response {
        /// The request.
        id: RequestId,
        /// The result, as it is in `rpc_result`.
        body: Bytes,
    },
    /// The server answered with an error.
    RpcError {
        /// The request.
        id: RequestId,
        /// The code, such as 420.
        code: i32,
        /// The message, such as `FLOOD_WAIT_3`.
        message: String,
    },
    /// No answer will come.
    Failed {
        /// The request.
        id: RequestId,
        /// Why.
        reason: RequestFailure,
    },
    /// Something that the server sent of its own accord: the bytes of an `Updates`.
    Updates(Vec<u8>),
    /// The server made a new session for us: updates may have been lost, and need a difference.
    NewSession {
        /// The first message that the server has of it.
        first_msg_id: i64,
        /// The server's name for it.
        unique_id: i64,
    },
    /// Other salts are known, worth saving.
    SaltsChanged,
    /// The server's time turned out to be different.
    TimeSynced {
        /// How many seconds the server is ahead of our wall time.
        offset_secs: i64,
    },
    /// A ping was answered.
    Pong {
        /// Which one.
        ping_id: i64,
        /// How long it took.
        round_trip: Duration,
    },
    /// The server does not answer pings: the connection is dead, whatever the operating system thinks.
    Silent,
    /// A session that we asked to be destroyed is gone.
    SessionDestroyed {
        /// Which one.
        session_id: i64,
        /// Whether the server knew it.
        existed: bool,
    },
    /// The temporary key is bound: requests go out from now on.
    Bound,
    /// The temporary key could not be bound. Requests wait for the end of their deadlines, or for another key:
    /// see [`ClientSession::into_successor`](super::ClientSession::into_successor).
    BindFailed {
        /// Why.
        reason: BindFailure,
    },
    /// The temporary key is about to end: make another one. Comes once, when the server's time is known by a
    /// message of this session.
    KeyExpiring {
        /// When it ends, in the server's time since 1970.
        expires_at: i32,
    },
    /// The session is over, and so is every request. A new one may be begun with the same key.
    Terminal(Terminal),
}
