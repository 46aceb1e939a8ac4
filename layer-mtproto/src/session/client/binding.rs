//! Perfect forward secrecy: binding a temporary key to a permanent one (`api/pfs`, `auth.bindTempAuthKey`).
//!
//! A session whose [`SessionParams`] have a [`Binding`] sends `auth.bindTempAuthKey` before any
//! request: the others wait for [`ClientEvent::Bound`], which is the only thing that lets them go. The message inside
//! names the msg_id of the request around it, so each time it is sent it is made anew, under a new msg_id.
//!
//! Making the keys is the key exchange's business, and when to is the embedder's: [`ClientEvent::KeyExpiring`] says
//! that it is time. A new key is a new session, which [`ClientSession::into_successor`] begins with all that is
//! unanswered in the old one.

use std::fmt;
use std::time::{Duration, Instant};

use bytes::Bytes;
use layer_crypto::{AuthKey, message};
use layer_tl_types::{Serializable, types};
use zeroize::Zeroizing;

use super::recovery::Again;
use super::{
    ClientEvent, ClientSession, RequestId, SessionParams, SubmitOptions, Turn, random_i64,
};
use crate::session::error::RequestFailure;
use crate::session::wire::{BIND_TEMP_AUTH_KEY, BOOL_TRUE};
use crate::tl;

/// The permanent key that a session's temporary key is to be bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Binding {
    /// The permanent key. It seals the binding message, and nothing else.
    pub permanent_key: AuthKey,
    /// When the temporary key ends, in the server's time, as its key exchange gave it
    /// ([`Outcome::expires_at`](crate::handshake::Outcome::expires_at)).
    pub expires_at: i32,
}

impl Binding {
    /// Binds to `permanent_key` until `expires_at`, in seconds since 1970 of the server's time.
    #[must_use]
    pub fn new(permanent_key: AuthKey, expires_at: i32) -> Self {
        Self {
            permanent_key,
            expires_at,
        }
    }
}

/// Why a temporary key could not be bound.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindFailure {
    /// The server answered with an error. `ENCRYPTED_MESSAGE_INVALID` may mean that it does not know the permanent
    /// key, `TEMP_AUTH_KEY_ALREADY_BOUND` and `TEMP_AUTH_KEY_EMPTY` that another temporary key is needed.
    Rpc {
        /// The code, such as 400.
        code: i32,
        /// The message, such as `ENCRYPTED_MESSAGE_INVALID`.
        message: String,
    },
    /// The server answered, but not with `boolTrue`.
    Unexpected,
    /// No answer came, or the server refused to take the message each time.
    Request(RequestFailure),
}

impl fmt::Display for BindFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the temporary key is not bound: ")?;
        match self {
            Self::Rpc { code, message } => write!(f, "the server answered {code} {message}"),
            Self::Unexpected => f.write_str("the server's answer was not true"),
            Self::Request(reason) => reason.fmt(f),
        }
    }
}

impl std::error::Error for BindFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Request(reason) => Some(reason),
            _ => None,
        }
    }
}

/// What the session's key is good for.
pub(super) enum KeyState {
    /// Every request.
    Ready,
    /// This request alone, which binds it.
    Binding { request: RequestId },
    /// Nothing: it was not bound.
    Unbound,
}

/// How long before its end a temporary key is to be replaced, in seconds: `most`, or a quarter of what is left of
/// its life if that is less.
fn margin(left: i64, most: Duration) -> i64 {
    let most = i64::try_from(most.as_secs()).unwrap_or(i64::MAX);
    most.min(left / 4).max(0)
}

impl ClientSession {
    /// Puts the binding at the head of a session that begins.
    pub(super) fn begin_binding(&mut self) {
        if self.binding.is_none() {
            return;
        }
        let request = self.enter(Bytes::new(), SubmitOptions::default());
        self.key_state = KeyState::Binding { request };
    }

    /// Whether this request is the one that binds the key.
    pub(super) fn binds(&self, id: RequestId) -> bool {
        matches!(self.key_state, KeyState::Binding { request } if request == id)
    }

    /// `auth.bindTempAuthKey` as it has to be under this msg_id.
    pub(super) fn bind_request(&mut self, msg_id: i64) -> Vec<u8> {
        let Some(binding) = &self.binding else {
            return Vec::new();
        };
        let nonce = random_i64(&mut *self.rng);
        let perm_auth_key_id = binding.permanent_key.id();
        let inner = tl::boxed(&types::BindAuthKeyInner {
            nonce,
            temp_auth_key_id: self.key.id(),
            perm_auth_key_id,
            temp_session_id: self.session_id,
            expires_at: binding.expires_at,
        });
        // Random bytes in the place of salt and session id; then msg_id, seqno 0 and the length, as in any message.
        let mut plaintext = Zeroizing::new(vec![0; 16]);
        self.rng.fill(&mut plaintext);
        plaintext.extend_from_slice(&msg_id.to_le_bytes());
        plaintext.extend_from_slice(&0_i32.to_le_bytes());
        plaintext.extend_from_slice(&i32::try_from(inner.len()).unwrap_or(0).to_le_bytes());
        plaintext.extend_from_slice(&inner);
        let sealed = message::seal_v1(&binding.permanent_key, &plaintext, &mut *self.rng);

        let mut body = BIND_TEMP_AUTH_KEY.to_le_bytes().to_vec();
        perm_auth_key_id.serialize(&mut body);
        nonce.serialize(&mut body);
        binding.expires_at.serialize(&mut body);
        sealed.serialize(&mut body);
        body
    }

    /// The server answered the binding.
    pub(super) fn on_bind_answer(&mut self, id: RequestId, result: &[u8], now: Instant) {
        if let Some(error) = tl::read::<types::RpcError>(result) {
            // The server's own trouble, which passes.
            if error.error_code >= 500 || error.error_code < 0 {
                self.set_deadline(id, None);
                self.retry(id, error.error_code, Again::Never, now);
                return;
            }
            let failure = BindFailure::Rpc {
                code: error.error_code,
                message: error.error_message,
            };
            self.settle(id);
            self.binding_failed(failure);
        } else if tl::constructor_id(result) == Some(BOOL_TRUE) {
            self.settle(id);
            self.key_state = KeyState::Ready;
            self.events.push_back(ClientEvent::Bound);
        } else {
            self.settle(id);
            self.binding_failed(BindFailure::Unexpected);
        }
    }

    pub(super) fn binding_failed(&mut self, reason: BindFailure) {
        self.key_state = KeyState::Unbound;
        self.events.push_back(ClientEvent::BindFailed { reason });
    }

    /// The server's time is known for certain: from then on the end of the key can be told.
    pub(super) fn plan_renewal(&mut self, now: Instant) {
        if let Some(binding) = &self.binding {
            let end = i64::from(binding.expires_at);
            let left = end.saturating_sub(self.clock.server_seconds(now));
            self.renew_at = Some(end.saturating_sub(margin(left, self.config.renew_ahead)));
        }
    }

    /// Says once that the key is about to end.
    pub(super) fn check_expiry(&mut self, now: Instant) {
        if let (Some(at), Some(binding)) = (self.renew_at, &self.binding)
            && at <= self.clock.server_seconds(now)
        {
            self.renew_at = None;
            let expires_at = binding.expires_at;
            self.events
                .push_back(ClientEvent::KeyExpiring { expires_at });
        }
    }

    /// When [`check_expiry`](Self::check_expiry) will have something to say, by what is known of the server's time.
    pub(super) fn renewal_due(&self) -> Option<Instant> {
        self.clock.instant_of(self.renew_at?)
    }

    /// Ends this session and begins another one with another key: a temporary key that is renewed, or one that
    /// the server forgot (transport error -404).
    ///
    /// Requests keep their [`RequestId`], options, deadline, order and counts, so that each still has exactly one
    /// outcome; updates and outcomes that were not polled yet come first. What was not sent yet goes out in the new
    /// session. What was sent and not answered goes again, for the server knows nothing of it under the new key;
    /// unless [`resend_on_reconnect`](SubmitOptions::resend_on_reconnect) or
    /// [`ask_before_resend`](SubmitOptions::ask_before_resend) forbids that, or it was lost too often: then it fails
    /// with [`RequestFailure::ConnectionLost`]. To have nothing done twice, let a session that still works come to
    /// rest first: keep new requests back until [`pending`](Self::pending) is 0 or some seconds have passed.
    ///
    /// The clock goes on, so `params.time_offset_secs` is not looked at.
    #[must_use]
    pub fn into_successor(mut self, params: SessionParams) -> Self {
        if let KeyState::Binding { request } = self.key_state {
            self.settle(request);
        }
        let mut next = Self::assemble(params, self.rng, self.clock);
        next.next_request = self.next_request;
        next.deadlines = self.deadlines;
        next.events = self.events;
        next.events.retain(|event| {
            !matches!(
                event,
                ClientEvent::Bound
                    | ClientEvent::BindFailed { .. }
                    | ClientEvent::KeyExpiring { .. }
                    | ClientEvent::Silent
                    | ClientEvent::SaltsChanged
                    | ClientEvent::Terminal(_)
            )
        });
        next.begin_binding();
        next.requests.extend(self.requests.drain());
        next.successors = self.successors;
        next.forget_messages_waited_for();
        next.adopt();
        next
    }

    /// Takes over the requests of the session before.
    fn adopt(&mut self) {
        for id in self.in_order(|_| true) {
            let Some(request) = self.requests.get_mut(&id) else {
                continue;
            };
            let was_sent = request.turn != Turn::Fresh;
            request.ids.clear();
            request.uncertain = false;
            self.queue.insert(id);
            if was_sent {
                self.lost(id);
            }
        }
    }
}
