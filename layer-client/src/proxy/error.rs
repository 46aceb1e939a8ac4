//! What can be wrong with a proxy's link, and with a proxy.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use layer_mtproto::transport::ProxySecretError;

/// Why a text is no link to a proxy. Secrets and passwords are not repeated in the message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyLinkError {
    /// It begins like none of the links that are known.
    Kind,
    /// A part is missing from it.
    Missing(&'static str),
    /// What stands for the host is neither a name nor an IP address.
    Host(String),
    /// What stands for the port is no number from 1 to 65535.
    Port(String),
    /// There is no port after the host.
    NoPort,
    /// The secret of an MTProxy is none.
    Secret(ProxySecretError),
    /// A percent sign is not followed by what makes UTF-8.
    Encoding,
}

impl fmt::Display for ProxyLinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind => f.write_str(
                "not a link to a proxy: expected https://t.me/proxy?…, https://t.me/socks?…, tg://proxy?…, tg://socks?…, socks5://host:port or http://host:port",
            ),
            Self::Missing(part) => write!(f, "the link to a proxy has no {part}=…; copy it again"),
            Self::Host(host) => write!(
                f,
                "{host:?} is no host: expected a name such as proxy.example.com, or an IP address"
            ),
            Self::Port(port) => write!(f, "{port:?} is no port: expected a number from 1 to 65535"),
            Self::NoPort => {
                f.write_str("no port: expected host:port, with brackets around an IPv6 address")
            }
            Self::Secret(error) => error.fmt(f),
            Self::Encoding => {
                f.write_str("the link to a proxy has a percent sign that encodes no UTF-8")
            }
        }
    }
}

impl std::error::Error for ProxyLinkError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Secret(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ProxySecretError> for ProxyLinkError {
    fn from(error: ProxySecretError) -> Self {
        Self::Secret(error)
    }
}

/// Why a proxy did not take us further.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ProxyError {
    /// Its name could not be looked up.
    Resolve(Arc<io::Error>),
    /// It could not be reached, or the connection to it broke.
    Io(Arc<io::Error>),
    /// It did not answer in this time.
    Timeout(Duration),
    /// It hung up in the middle of its answer, or before.
    HungUp,
    /// It wants a user's name and password, and we have none.
    CredentialsRequired,
    /// It does not accept the user's name and password.
    CredentialsRefused,
    /// It does not take us to where we want to go; the sentence says what it said.
    Refused(String),
    /// It answered something that such a proxy does not answer; the sentence says what.
    Protocol(String),
}

impl ProxyError {
    /// What became of the connection to the proxy.
    pub(crate) fn of_connection(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::HungUp,
            _ => Self::Io(Arc::new(error)),
        }
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolve(error) => write!(
                f,
                "its name could not be looked up ({error}); check the name and the network"
            ),
            Self::Io(error) => {
                write!(f, "{error}; check that it runs there, and the network")
            }
            Self::Timeout(after) => write!(
                f,
                "no answer within {} s; check that it is a proxy of this kind, and that it can reach Telegram",
                after.as_secs_f32()
            ),
            Self::HungUp => f.write_str(
                "it hung up in the middle; check that it is a proxy of this kind, and that it lets this machine in",
            ),
            Self::CredentialsRequired => f.write_str(
                "it wants a user name and a password; put them into Config::proxy (user:password@ in the link)",
            ),
            Self::CredentialsRefused => {
                f.write_str("it does not accept the user name and password; check them")
            }
            Self::Refused(what) => write!(
                f,
                "it does not take us further: {what}; check that it may reach Telegram, or take another one"
            ),
            Self::Protocol(what) => write!(
                f,
                "it answers {what}; check that it is a proxy of this kind"
            ),
        }
    }
}

impl std::error::Error for ProxyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Resolve(error) | Self::Io(error) => Some(&**error),
            _ => None,
        }
    }
}

/// A proxy that did not take us further, and why.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProxyFailure {
    /// Which proxy it is, without its secret or password.
    pub proxy: String,
    /// What it said, or what happened on the way to it.
    pub error: ProxyError,
}

impl fmt::Display for ProxyFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.proxy, self.error)
    }
}

impl std::error::Error for ProxyFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}
