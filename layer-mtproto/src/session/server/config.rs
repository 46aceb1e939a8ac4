//! What a server's session can be told, and what it tells.

use std::time::Duration;

use bytes::Bytes;

/// How a server's session behaves. The defaults are meant to be right.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerSessionConfig {
    /// How long an acknowledgement waits for an answer to go in its place.
    pub ack_delay: Duration,
    /// After how long a message that was not acknowledged is sent again, unasked. Clients in use take up to 30
    /// seconds for their acknowledgements.
    pub resend_after: Duration,
    /// How often a message is sent again by that timer. A new connection gets it in any case.
    pub max_resends: u32,
    /// Results of at least this many bytes are compressed if that makes them smaller; `None`: never.
    pub gzip_threshold: Option<usize>,
    /// The most bytes that all compressed messages of one packet may become together.
    pub max_inflated: usize,
    /// How many messages are kept for a client that does not acknowledge them; the oldest are dropped then.
    pub max_unacked: usize,
    /// How many bytes of them are kept; the newest is in any case.
    pub max_unacked_bytes: usize,
}

impl Default for ServerSessionConfig {
    fn default() -> Self {
        Self {
            ack_delay: Duration::from_millis(500),
            resend_after: Duration::from_secs(60),
            max_resends: 3,
            gzip_threshold: Some(512),
            max_inflated: 4 << 20,
            max_unacked: 4096,
            max_unacked_bytes: 32 << 20,
        }
    }
}

/// Names a message that the server sent of its own accord.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PushId(pub(super) u64);

/// What a client wants, and what became of what it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerSessionEvent {
    /// A call. It is handed out once, however often its message comes; answer it with
    /// [`respond`](super::ServerSession::respond).
    Request {
        /// The message; calls that must come after others name them by it.
        msg_id: i64,
        /// Its sequence number.
        seqno: i32,
        /// The call, not compressed.
        body: Bytes,
    },
    /// The client does not want the answer to a call that is still running. Answering it does no harm.
    Cancelled {
        /// The message of the call.
        msg_id: i64,
    },
    /// The client has a message that was pushed.
    Acked {
        /// Which one.
        push: PushId,
    },
    /// Another session of the same key is to be forgotten: see
    /// [`respond_destroy_session`](super::ServerSession::respond_destroy_session).
    DestroySession {
        /// Which one.
        session_id: i64,
    },
    /// The auth key is to be forgotten: answer `DestroyAuthKeyRes` with
    /// [`send_bare`](super::ServerSession::send_bare).
    DestroyAuthKey {
        /// The message that asks.
        msg_id: i64,
    },
    /// The connection is to be closed after this time, unless another of these events comes before.
    DisconnectAfter(Duration),
}
