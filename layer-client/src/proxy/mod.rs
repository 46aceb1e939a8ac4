//! Proxies to go through, and the links that name them. How they are spoken to is in `net`.

mod address;
mod error;
mod link;

use std::fmt;

use zeroize::Zeroizing;

pub use address::Address;
pub use error::{ProxyError, ProxyFailure, ProxyLinkError};
pub use layer_mtproto::faketls::FakeTlsError;
pub use layer_mtproto::transport::{ProxySecret, ProxySecretError};

/// A proxy that all connections go through.
///
/// ```
/// use layer_client::proxy::{Address, Proxy};
///
/// // Any link that Telegram's own apps take, and what other programs write.
/// let proxy: Proxy = "https://t.me/proxy?server=proxy.example.com&port=443&secret=dd00112233445566778899aabbccddeeff".parse()?;
/// assert_eq!(proxy.to_string(), "MTProxy proxy.example.com:443");
/// let proxy: Proxy = "socks5://ada:lovelace@127.0.0.1:1080".parse()?;
/// let same = Proxy::socks5(Address::new("127.0.0.1", 1080)?).with_credentials("ada", "lovelace");
/// assert_eq!(proxy, same);
/// # Ok::<(), layer_client::proxy::ProxyLinkError>(())
/// ```
///
/// Neither `Debug` nor `Display` prints a secret or a password; [`Proxy::to_link`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proxy {
    /// A proxy of Telegram's own kind. It takes one to the data centre that is asked for, so that
    /// the data centres' addresses are not used.
    #[non_exhaustive]
    MtProxy {
        /// Where it listens.
        server: Address,
        /// Its secret, which also says how the connection is disguised.
        secret: ProxySecret,
    },
    /// A SOCKS5 proxy (RFC 1928).
    #[non_exhaustive]
    Socks5 {
        /// Where it listens.
        server: Address,
        /// What it wants to be told (RFC 1929).
        credentials: Option<Credentials>,
    },
    /// An HTTP proxy that takes the method `CONNECT`.
    #[non_exhaustive]
    Http {
        /// Where it listens.
        server: Address,
        /// What it wants to be told (`Basic`, RFC 7617).
        credentials: Option<Credentials>,
    },
}

impl Proxy {
    /// An MTProxy.
    #[must_use]
    pub fn mtproxy(server: Address, secret: ProxySecret) -> Self {
        Self::MtProxy { server, secret }
    }

    /// A SOCKS5 proxy that wants no password.
    #[must_use]
    pub fn socks5(server: Address) -> Self {
        Self::Socks5 {
            server,
            credentials: None,
        }
    }

    /// An HTTP proxy that wants no password.
    #[must_use]
    pub fn http(server: Address) -> Self {
        Self::Http {
            server,
            credentials: None,
        }
    }

    /// The same with a user's name and password. An MTProxy has no use for them.
    #[must_use]
    pub fn with_credentials(mut self, user: &str, password: &str) -> Self {
        if let Self::Socks5 { credentials, .. } | Self::Http { credentials, .. } = &mut self {
            *credentials = Some(Credentials::new(user, password));
        }
        self
    }

    /// Where it listens.
    #[must_use]
    pub fn server(&self) -> &Address {
        match self {
            Self::MtProxy { server, .. }
            | Self::Socks5 { server, .. }
            | Self::Http { server, .. } => server,
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::MtProxy { .. } => "MTProxy",
            Self::Socks5 { .. } => "SOCKS5 proxy",
            Self::Http { .. } => "HTTP proxy",
        };
        write!(f, "{kind} {}", self.server())
    }
}

/// A user's name and password for a proxy. The password is wiped when it is dropped, and not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: Zeroizing<String>,
}

impl Credentials {
    /// From the name and the password.
    #[must_use]
    pub fn new(user: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
            password: Zeroizing::new(password.to_owned()),
        }
    }

    /// The user's name.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}
