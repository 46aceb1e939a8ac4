//! Why no connection to a data centre could be made.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::Error;

/// Why no connection to a data centre could be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectError {
    /// The data centre.
    pub dc_id: i32,
    /// The address that was tried last, if there was any to try.
    pub address: Option<SocketAddr>,
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
}

impl ConnectError {
    /// Whether trying again cannot help: nothing about the network would have to change for it.
    pub(crate) fn is_permanent(&self) -> bool {
        matches!(
            self.cause,
            ConnectCause::NoAddress | ConnectCause::Refused(-444)
        )
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not connect to data centre {}", self.dc_id)?;
        if let Some(address) = self.address {
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
        }
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            ConnectCause::Io(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        Self::Connect(error)
    }
}
