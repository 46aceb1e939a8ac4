//! Keys of a connection: the permanent one, made once and kept in the session file, and with
//! perfect forward secrecy a temporary one over it (page `api/pfs`), which is kept in memory only.
//!
//! Each connection has a temporary key of its own, as the documentation wants it of sessions side by
//! side (page `api/datacenter`, "Parallel sessions"). A new key is a new session, to which requests
//! without an answer are handed over.

use std::time::Duration;

use layer_crypto::AuthKey;
use layer_mtproto::handshake::{Outcome, Purpose};
use layer_mtproto::session::{BindFailure, Binding, ClientSession, FutureSalt, SessionParams};
use tokio::time::Instant;

use super::Role;
use super::exchange::{exchange_keys, unix_now};
use super::random::OsRandom;
use super::state::ConnectionState;
use super::wire::Wire;
use super::worker::Worker;
use crate::error::{ConnectCause, ConnectError, Error, Terminal};
use crate::session::{SavedKey, SavedSalt};

/// A permanent key counts as lost when it is refused this often with nothing accepted in between:
/// one refusal may be a mistake, and a lost key is a lost login.
const REFUSALS: u32 = 2;
/// The same for bindings that are refused as `ENCRYPTED_MESSAGE_INVALID`, which is what a server
/// says that does not know the permanent key. Each try is made with another temporary key.
const REFUSED_BINDINGS: u32 = 5;
/// How long before its end a temporary key is renewed, or a quarter of its life if that is less.
const RENEW_AHEAD: Duration = Duration::from_secs(600);

/// What a task knows of its keys.
#[derive(Default)]
pub(super) struct Keys {
    /// The session cannot go on under the key that it has.
    outlived: bool,
    /// The temporary key is not bound yet.
    pub(super) binding: bool,
    /// Since when the temporary key is about to end.
    pub(super) expiring: Option<Instant>,
    refusals: u32,
    refused_bindings: u32,
}

/// Whether the temporary key is to be renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renewal {
    /// Not yet.
    Later,
    /// As soon as the requests under way are answered; no more are sent until then.
    Soon,
    /// Now.
    Now,
}

impl Keys {
    /// Another key is needed.
    pub(super) fn outlive(&mut self) {
        self.outlived = true;
    }

    /// The server takes what is sealed with the key.
    pub(super) fn accepted(&mut self) {
        self.refusals = 0;
        self.refused_bindings = 0;
    }

    /// When to renew a temporary key of which we heard that it is about to end, so that nothing is
    /// done twice: when nothing is under way; if that does not come by itself, it is waited for with
    /// new requests held back; and before the key ends in any case.
    pub(super) fn renewal(&self, pending: bool, life: Duration, now: Instant) -> Renewal {
        let Some(since) = self.expiring else {
            return Renewal::Later;
        };
        let ahead = RENEW_AHEAD.min(life / 4);
        if !pending || now >= since + ahead * 3 / 4 {
            Renewal::Now
        } else if now >= since + ahead / 2 {
            Renewal::Soon
        } else {
            Renewal::Later
        }
    }

    /// When that may change by itself.
    pub(super) fn next_look(&self, life: Duration, now: Instant) -> Option<Instant> {
        let ahead = RENEW_AHEAD.min(life / 4);
        let since = self.expiring?;
        [since + ahead / 2, since + ahead * 3 / 4]
            .into_iter()
            .find(|at| *at > now)
    }
}

impl Worker {
    /// Sees that there is a session for the connection. `None` when the task is to end.
    pub(super) async fn establish(&mut self, wire: Wire) -> Option<Result<Wire, ConnectError>> {
        if self.session.is_some() && !self.keys.outlived {
            return Some(Ok(wire));
        }
        let (wire, permanent) = match self.permanent_key(wire).await? {
            Ok(established) => established,
            Err(error) => return Some(Err(error)),
        };
        if !self.plan.pfs {
            self.begin(permanent);
            return Some(Ok(wire));
        }
        let purpose = Purpose::Temporary {
            expires_in: self.plan.temporary_life,
        };
        let (wire, outcome) = match self.exchange(wire, purpose).await? {
            Ok(done) => done,
            Err(error) => return Some(Err(error)),
        };
        let mut params = SessionParams::after_handshake(&outcome);
        let expires_at = outcome.expires_at.unwrap_or(outcome.server_time);
        params.binding = Some(Binding::new(permanent.auth_key, expires_at));
        self.begin(params);
        Some(Ok(wire))
    }

    /// The permanent key and what is known of it: as the session file has it, or made now.
    async fn permanent_key(
        &mut self,
        wire: Wire,
    ) -> Option<Result<(Wire, SessionParams), ConnectError>> {
        if self.role.is_cdn() {
            return Some(match self.exchange(wire, Purpose::Permanent).await? {
                Ok((wire, outcome)) => Ok((wire, SessionParams::after_handshake(&outcome))),
                Err(error) => Err(error),
            });
        }
        if let Some(params) = self.saved_key()? {
            return Some(Ok((wire, params)));
        }
        if self.role != Role::Main {
            // Making it is the main connection's, which is asked for what needs it.
            return Some(Err(ConnectError {
                dc_id: self.dc_id,
                address: Some(wire.address),
                cause: ConnectCause::Refused(-404),
            }));
        }
        log::info!("data centre {}: making an auth key", self.dc_id);
        let (wire, outcome) = match self.exchange(wire, Purpose::Permanent).await? {
            Ok(done) => done,
            Err(error) => return Some(Err(error)),
        };
        self.client()?.inner.session.update(|session| {
            let dc = session.dcs.entry(self.dc_id).or_default();
            dc.auth_key = Some(SavedKey::new(*outcome.auth_key.as_bytes()));
            dc.salts.clear();
            dc.time_offset = outcome.time_offset_secs;
            dc.authorized = false;
        });
        Some(Ok((wire, SessionParams::after_handshake(&outcome))))
    }

    fn saved_key(&self) -> Option<Option<SessionParams>> {
        let client = self.client()?;
        Some(client.inner.session.read(|session| {
            let dc = session.dcs.get(&self.dc_id)?;
            let key = AuthKey::from_bytes(*dc.auth_key.as_ref()?.as_bytes());
            let mut params = SessionParams::new(key);
            params.time_offset_secs = dc.time_offset;
            params.salts = dc.salts.iter().copied().map(Into::into).collect();
            Some(params)
        }))
    }

    async fn exchange(
        &mut self,
        wire: Wire,
        purpose: Purpose,
    ) -> Option<Result<(Wire, Outcome), ConnectError>> {
        self.set_state(ConnectionState::ExchangingKeys);
        let exchange = exchange_keys(wire, self.plan.clone(), self.dc_id, purpose);
        self.meanwhile(exchange).await
    }

    /// Begins a session, with what the one before it leaves unanswered.
    fn begin(&mut self, mut params: SessionParams) {
        params.preamble = self.plan.preamble(self.role);
        params.config.ping_interval = Some(self.plan.ping_interval);
        // The server hangs up when two pings in a row did not reach it.
        params.config.disconnect_delay =
            self.plan.ping_interval.saturating_mul(2) + params.config.pong_timeout;
        params.config.renew_ahead = RENEW_AHEAD;
        if self.role != Role::Main {
            // What goes there is either short or the bytes of a file, which seldom become fewer.
            params.config.gzip_threshold = None;
        }
        self.keys.binding = params.binding.is_some();
        self.keys.outlived = false;
        self.keys.expiring = None;
        let now = Instant::now().into_std();
        self.session = Some(match self.session.take() {
            Some(before) => before.into_successor(params),
            None => ClientSession::new(params, OsRandom::boxed(), now, unix_now()),
        });
    }

    /// The server does not know the key of a connection (transport error -404).
    pub(super) fn key_refused(&mut self, error: &ConnectError) -> Option<()> {
        if self.role.is_cdn() {
            // It forgets keys whenever it likes.
            self.keys.outlive();
            return Some(());
        }
        if self.role != Role::Main && self.saved_key()?.is_none() {
            return self.give_back(error);
        }
        if self.session.is_none() {
            // It was the key exchange that was refused.
            return Some(());
        }
        if self.plan.pfs {
            // Servers keep temporary keys in memory, and forget them before their time.
            self.keys.outlive();
            return Some(());
        }
        self.keys.refusals += 1;
        if self.keys.refusals < REFUSALS {
            return Some(());
        }
        self.keys.refusals = 0;
        self.permanent_key_lost(error)
    }

    /// The temporary key was not bound; what to call that.
    pub(super) fn not_bound(&mut self, reason: &BindFailure) -> Option<ConnectCause> {
        self.keys.outlive();
        let unknown = matches!(
            reason,
            BindFailure::Rpc { message, .. } if message == "ENCRYPTED_MESSAGE_INVALID"
        );
        let cause = ConnectCause::Handshake(reason.to_string());
        if unknown {
            self.keys.refused_bindings += 1;
            if self.keys.refused_bindings >= REFUSED_BINDINGS {
                self.keys.refused_bindings = 0;
                let error = ConnectError {
                    dc_id: self.dc_id,
                    address: None,
                    cause: ConnectCause::Refused(-404),
                };
                self.permanent_key_lost(&error)?;
            }
        }
        Some(cause)
    }

    /// The server does not know the permanent key any more. With a login that is the login's end;
    /// without, a new key is as good, and what was asked is asked under it.
    fn permanent_key_lost(&mut self, error: &ConnectError) -> Option<()> {
        if self.role != Role::Main {
            return self.give_back(error);
        }
        let client = self.client()?;
        let inner = &client.inner;
        if inner.home_dc() == self.dc_id && inner.terminate(&Terminal::AuthKeyLost) {
            return None;
        }
        log::warn!(
            "data centre {}: it does not know the auth key; making a new one",
            self.dc_id
        );
        inner.session.update(|session| {
            let dc = session.dcs.entry(self.dc_id).or_default();
            dc.auth_key = None;
            dc.salts.clear();
        });
        inner.pool.forget_authorization(inner, self.dc_id);
        self.keys.outlive();
        Some(())
    }

    /// A connection for files has no key that works. Those who asked are told; the next who asks
    /// goes by the main connection first, which finds out about the key and mends it.
    fn give_back(&mut self, error: &ConnectError) -> Option<()> {
        let client = self.client()?;
        client
            .inner
            .pool
            .forget_authorization(&client.inner, self.dc_id);
        self.session = None;
        self.keys = Keys::default();
        self.fail_all(&Error::Connect(error.clone()));
        Some(())
    }

    /// Keeps the salts of the permanent key. Those of a temporary one end with it.
    pub(super) fn keep_salts(&self) {
        if self.plan.pfs || self.role.is_cdn() {
            return;
        }
        let (Some(client), Some(session)) = (self.client(), &self.session) else {
            return;
        };
        let salts = session
            .salts()
            .iter()
            .copied()
            .map(SavedSalt::from)
            .collect();
        client.inner.session.update(|saved| {
            saved.dcs.entry(self.dc_id).or_default().salts = salts;
        });
    }

    pub(super) fn keep_offset(&self, seconds: i64) {
        if let Some(client) = self.client()
            && !self.role.is_cdn()
        {
            client.inner.session.update(|saved| {
                saved.dcs.entry(self.dc_id).or_default().time_offset = seconds;
            });
        }
    }
}

impl From<SavedSalt> for FutureSalt {
    fn from(saved: SavedSalt) -> Self {
        let SavedSalt {
            valid_since,
            valid_until,
            salt,
        } = saved;
        Self {
            valid_since,
            valid_until,
            salt,
        }
    }
}

impl From<FutureSalt> for SavedSalt {
    fn from(known: FutureSalt) -> Self {
        Self::new(known.salt, known.valid_since, known.valid_until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_key_is_renewed_when_nothing_is_under_way_and_before_its_end_in_any_case() {
        let (now, day) = (Instant::now(), Duration::from_secs(24 * 3600));
        let mut keys = Keys::default();
        assert_eq!(keys.renewal(false, day, now), Renewal::Later);
        keys.expiring = Some(now);
        assert_eq!(keys.renewal(false, day, now), Renewal::Now);
        let at = |seconds| keys.renewal(true, day, now + Duration::from_secs(seconds));
        assert_eq!(at(0), Renewal::Later);
        assert_eq!(at(299), Renewal::Later);
        assert_eq!(at(300), Renewal::Soon);
        assert_eq!(at(449), Renewal::Soon);
        // Two and a half minutes before the end.
        assert_eq!(at(450), Renewal::Now);
    }

    #[test]
    fn a_short_life_leaves_time_to_renew() {
        let (now, minute) = (Instant::now(), Duration::from_secs(60));
        let keys = Keys {
            expiring: Some(now),
            ..Keys::default()
        };
        // Its session tells fifteen seconds before the end.
        let at = |seconds| keys.renewal(true, minute, now + Duration::from_secs(seconds));
        assert_eq!(
            (at(7), at(8), at(12)),
            (Renewal::Later, Renewal::Soon, Renewal::Now)
        );
        let look = keys.next_look(minute, now).unwrap();
        assert_eq!(keys.renewal(true, minute, look), Renewal::Soon);
        let look = keys.next_look(minute, look).unwrap();
        assert_eq!(keys.renewal(true, minute, look), Renewal::Now);
        assert!(keys.next_look(minute, look).is_none());
    }
}
