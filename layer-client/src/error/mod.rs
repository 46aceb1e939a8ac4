//! Everything that can go wrong, as types: [`Error`] for any call, [`RpcError`] for what Telegram
//! answered, [`Terminal`] for the ends of a login. Messages are sentences that say what to do.

mod connect;
mod files;
mod info;
pub mod names;
mod request;
mod rpc;
#[rustfmt::skip]
mod table;
mod terminal;

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::session::SessionError;

pub use connect::{ConnectCause, ConnectError};
pub use files::FileTooLarge;
pub use info::{ErrorInfo, error_info, known_errors};
pub use request::{DeserializeError, RequestError, TimeoutError};
pub use rpc::RpcError;
pub use terminal::{Terminal, TerminalReason};

/// The result of most calls of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call did not succeed. Cheap to clone.
///
/// Match on it, or ask it: [`is`](Error::is) looks for the name of an error of Telegram,
/// [`is_timeout`](Error::is_timeout), [`is_connect`](Error::is_connect) and
/// [`is_terminal`](Error::is_terminal) for what most programs tell apart.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// Telegram answered the request with an error.
    Rpc(RpcError),
    /// The login is over; nothing that needs it will succeed until someone signs in again.
    Terminal(Terminal),
    /// No connection to a data centre could be made.
    Connect(ConnectError),
    /// No answer came in time.
    Timeout(TimeoutError),
    /// The request could not be delivered or was given up by the session.
    Request(RequestError),
    /// The session file could not be read, locked or written.
    Session(Arc<SessionError>),
    /// What the server sent as a result is not what its schema says.
    Deserialize(DeserializeError),
    /// An argument cannot be used; the sentence says which and why. Nothing was sent.
    Input(String),
    /// A chat, user or channel is not known here: its access hash was never seen, or the name
    /// belongs to nobody.
    PeerNotFound(String),
    /// Reading or writing a file of the caller's failed.
    Io(Arc<io::Error>),
    /// A file is larger than Telegram takes.
    FileTooLarge(FileTooLarge),
    /// A file of the web that Telegram does not fetch for us: it is to be had from its address, over
    /// HTTP ([`Client::download_web_file`](crate::Client::download_web_file)).
    FetchDirectly {
        /// The address.
        url: String,
    },
    /// A transfer was ended by [`TransferControl::cancel`](crate::files::TransferControl::cancel).
    Cancelled,
    /// The client was disconnected, or its last clone dropped.
    Closed,
}

impl Error {
    /// Says that an argument cannot be used.
    pub(crate) fn input(sentence: impl Into<String>) -> Self {
        Self::Input(sentence.into())
    }

    /// Says that the answer to `method` is not what the schema says.
    pub(crate) fn unreadable(method: &'static str, error: &dyn fmt::Display) -> Self {
        Self::Deserialize(DeserializeError {
            method: Some(method),
            reason: error.to_string(),
        })
    }

    /// Whether Telegram answered with an error of this name. A trailing `*` stands for any end:
    /// `error.is("FLOOD_*")`.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.rpc().is_some_and(|error| error.is(name))
    }

    /// What Telegram answered, when it is Telegram that said no.
    #[must_use]
    pub fn rpc(&self) -> Option<&RpcError> {
        match self {
            Self::Rpc(error) => Some(error),
            Self::Terminal(Terminal::Rpc { error, .. }) => Some(error),
            _ => None,
        }
    }

    /// Whether a deadline passed.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Timeout(_) => true,
            Self::Connect(error) => error.cause.is_timeout(),
            _ => false,
        }
    }

    /// Whether no connection could be made.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(self, Self::Connect(_))
    }

    /// Whether the login is over and someone has to sign in again.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Terminal(_))
    }

    /// Whether the client itself was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rpc(error) => error.fmt(f),
            Self::Terminal(reason) => reason.fmt(f),
            Self::Connect(error) => error.fmt(f),
            Self::Timeout(error) => error.fmt(f),
            Self::Request(error) => error.fmt(f),
            Self::Session(error) => error.fmt(f),
            Self::Deserialize(error) => error.fmt(f),
            Self::Input(sentence) | Self::PeerNotFound(sentence) => f.write_str(sentence),
            Self::Io(error) => error.fmt(f),
            Self::FileTooLarge(error) => error.fmt(f),
            Self::FetchDirectly { url } => write!(
                f,
                "Telegram does not fetch this file of the web; fetch it from {url} directly"
            ),
            Self::Cancelled => f.write_str("the transfer was cancelled"),
            Self::Closed => {
                f.write_str("the client is disconnected; connect a new one with Client::connect")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connect(error) => error.source(),
            Self::Session(error) => error.source(),
            Self::Io(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<RpcError> for Error {
    fn from(error: RpcError) -> Self {
        Self::Rpc(error)
    }
}

impl From<SessionError> for Error {
    fn from(error: SessionError) -> Self {
        Self::Session(Arc::new(error))
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_can_travel_between_threads_and_stay_small() {
        fn travels<T: Send + Sync + Clone + 'static>() {}
        travels::<Error>();
        assert!(size_of::<Error>() <= 96, "{}", size_of::<Error>());
    }
}
