//! Why no connection to a data centre could be made.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use layer_mtproto::faketls::FakeTlsError;

use super::Error;
use crate::net;
use crate::proxy::{Address, ProxyError, ProxyFailure};

/// Why no connection to a data centre could be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectError {
    /// The data centre.
    pub dc_id: i32,
    /// The address that was tried last, if there was any to try: the data centre's, or an MTProxy's.
    pub address: Option<Address>,
    /// What happened there.
    pub cause: ConnectCause,
}

/// What happened when a connection was tried.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ConnectCause {
    /// No address of this data centre is known.
    NoAddress,
    /// The operating system said no.
    Io(Arc<io::Error>),
    /// The other side did not answer in this time.
    Timeout(Duration),
    /// The other side hung up before it had said anything of use.
    HungUp,
    /// The key exchange failed; the sentence says where.
    Handshake(String),
    /// The other side does not speak the transport that was chosen; the sentence says what came.
    Transport(String),
    /// The other side refused with a transport error (-404, -429, -444).
    Refused(i32),
    /// The name of the server could not be looked up.
    Resolve(Arc<io::Error>),
    /// The proxy did not take us there.
    Proxy(Arc<ProxyFailure>),
    /// A connection was there, and then nothing came for so long.
    #[non_exhaustive]
    Stalled {
        /// What was under way.
        during: &'static str,
        /// How long it was waited for.
        after: Duration,
    },
    /// The other side is no MTProxy that knows the `ee` secret.
    FakeTls(FakeTlsError),
    /// TLS could not be agreed on; the sentence says why.
    Tls(String),
    /// The other side did not open a WebSocket; the sentence says what it said.
    WebSocket(String),
}

impl ConnectCause {
    /// Whether nobody answered in time.
    pub(super) fn is_timeout(&self) -> bool {
        match self {
            Self::Timeout(_) | Self::Stalled { .. } => true,
            Self::Proxy(failure) => matches!(failure.error, ProxyError::Timeout(_)),
            _ => false,
        }
    }

    /// Whether this machine has no network for the address, which is nothing to tell of when there
    /// were others.
    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(self, Self::Io(error) if net::is_unreachable(error))
    }
}

impl ConnectError {
    /// Whether trying again cannot help: nothing about the network would have to change for it.
    pub(crate) fn is_permanent(&self) -> bool {
        match &self.cause {
            ConnectCause::NoAddress | ConnectCause::Refused(-444) => true,
            ConnectCause::Proxy(failure) => matches!(
                failure.error,
                ProxyError::CredentialsRequired | ProxyError::CredentialsRefused
            ),
            _ => false,
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not connect to data centre {}", self.dc_id)?;
        if let Some(address) = &self.address {
            write!(f, " at {address}")?;
        }
        match &self.cause {
            ConnectCause::NoAddress => {
                f.write_str(": no address of it is known; put one into Config::dc_addresses")
            }
            ConnectCause::Io(error) => {
                write!(f, ": {error}; check the network and the address")
            }
            ConnectCause::Timeout(after) => write!(
                f,
                ": no answer within {} s; check that a server listens there and that no firewall is in between",
                after.as_secs_f32()
            ),
            ConnectCause::HungUp => f.write_str(
                ": the other side hung up without a word; check that it is a Telegram server, the transport and the proxy secret",
            ),
            ConnectCause::Handshake(what) => write!(f, ": the key exchange failed: {what}"),
            ConnectCause::Transport(what) => write!(
                f,
                ": {what}; check that it is a Telegram server and that the transport is right"
            ),
            ConnectCause::Refused(-404) => f.write_str(
                ": it refuses the auth key (transport error -404); try again later",
            ),
            ConnectCause::Refused(-429) => f.write_str(
                ": too many connections from this address (transport error -429); wait before you try again",
            ),
            ConnectCause::Refused(-444) => f.write_str(
                ": it does not serve this data centre (transport error -444); check the data centre's number and the test mode",
            ),
            ConnectCause::Refused(code) => write!(f, ": it refuses with transport error {code}"),
            ConnectCause::Resolve(error) => write!(
                f,
                ": the name could not be looked up ({error}); check the name and the network"
            ),
            ConnectCause::Proxy(failure) => write!(f, ": {failure}"),
            ConnectCause::Stalled { during, after } => write!(
                f,
                ": no answer within {} s during {during}; check that such a server listens there",
                after.as_secs_f32()
            ),
            ConnectCause::FakeTls(error) => write!(f, ": {error}"),
            ConnectCause::Tls(what) => write!(
                f,
                ": TLS: {what}; a server of your own needs WebSocket::with_root_certificates, and its name with_host"
            ),
            ConnectCause::WebSocket(what) => write!(
                f,
                ": it opens no WebSocket ({what}); check that it is a Telegram server that has them on this port"
            ),
        }
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            ConnectCause::Io(error) | ConnectCause::Resolve(error) => Some(&**error),
            ConnectCause::Proxy(failure) => Some(&**failure),
            ConnectCause::FakeTls(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        Self::Connect(error)
    }
}
