//! What a server is to be: [`ServerConfig`] and the steps of [`ServerBuilder`], and why it cannot be.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use layer_crypto::rsa::RsaError;
use layer_mtproto::transport::ProxySecret;

use crate::faults::{Fault, RuleError};
use crate::server::Server;
use crate::world::files::CdnFiles;

/// What a [`Server`] is to be. The default listens on free loopback ports with two data centres.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where DC 1 listens; port 0 takes a free one. The other data centres listen on the next free ports of
    /// the same address.
    pub listen: SocketAddr,
    /// Where the data centres listen besides, in the same way: on IPv6, for example.
    pub also_listen: Vec<SocketAddr>,
    /// Where the data centres listen besides for clients that fetch and store files: `help.getConfig` names these
    /// addresses with `media_only`.
    pub media_listen: Vec<SocketAddr>,
    /// Makes one more data centre, a CDN's, and says which files it serves. It has the id 203 and listens on the
    /// next free port behind the others.
    pub cdn: Option<CdnFiles>,
    /// How many data centres there are, 1 to 50. Their ids count from 1.
    pub dc_count: u8,
    /// The data centre of accounts that do not say otherwise; 1 unless set.
    pub home_dc: i32,
    /// The private RSA key as PEM (PKCS#1 or PKCS#8); the crate's own test key when absent.
    pub rsa_key: Option<String>,
    /// Makes every login code this one; random codes of five digits when absent.
    pub login_code: Option<String>,
    /// The only `api_id` and `api_hash` that are taken; any that could be ones when absent.
    pub application: Option<(i32, String)>,
    /// Secrets by which MTProxy clients may come. They reach every data centre through any of the ports; by one with
    /// a domain (`ee`) only in what looks like TLS.
    pub mtproxy_secrets: Vec<ProxySecret>,
    /// The certificate of WebSockets over TLS; one that its own key has signed, made at the start, when absent.
    #[cfg(feature = "web")]
    pub tls: Option<TlsIdentity>,
    /// Bounds on what clients can take.
    pub limits: Limits,
    /// What goes wrong from the start; see [`Server::faults`].
    pub faults: Vec<Fault>,
    /// Decides which ones of many a fault with a chance hits; random when absent.
    pub fault_seed: Option<u64>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            also_listen: Vec::new(),
            media_listen: Vec::new(),
            cdn: None,
            dc_count: 2,
            home_dc: 1,
            rsa_key: None,
            login_code: None,
            application: None,
            mtproxy_secrets: Vec::new(),
            #[cfg(feature = "web")]
            tls: None,
            limits: Limits::default(),
            faults: Vec::new(),
            fault_seed: None,
        }
    }
}

/// A certificate for TLS, and its private key.
#[cfg(feature = "web")]
#[derive(Clone)]
pub struct TlsIdentity {
    /// The certificate, and those that lead to one that clients know, as PEM.
    pub certificate: String,
    /// The private key as PEM.
    pub private_key: String,
}

#[cfg(feature = "web")]
impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsIdentity").finish_non_exhaustive()
    }
}

/// Bounds on what clients can take of the server, and on how much of the past it knows.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections over all data centres; further ones are closed at once.
    pub connections: usize,
    /// Sessions of one auth key; beyond it the one longest unused is forgotten.
    pub sessions_per_key: usize,
    /// Sessions in all.
    pub sessions: usize,
    /// Temporary keys that are bound to one permanent key; a further one replaces the one longest unused. The page
    /// `api/pfs` speaks of one, but clients that open several connections bind one for each.
    pub temporary_keys: usize,
    /// The largest packet in bytes.
    pub packet: usize,
    /// How long a connection may take to show an auth key.
    pub handshake: Duration,
    /// How long a connection may be silent.
    pub idle: Duration,
    /// How long a client may refuse to read what it is sent.
    pub stall: Duration,
    /// Bytes of files and of parts of files kept in all; what does not fit is refused with `500 STORAGE_FULL`, but
    /// for parts that nobody made into a file: those longest untouched go.
    pub file_bytes: u64,
    /// Of these, how many are kept in memory. What comes beyond lies in a temporary file without a name.
    pub file_memory: u64,
    /// How many parts a file may have (`upload_max_fileparts_default`).
    pub file_parts: i32,
    /// How many it may have of accounts with Telegram Premium (`upload_max_fileparts_premium`).
    pub file_parts_premium: i32,
    /// How long parts are kept that nobody made into a file.
    pub upload_life: Duration,
    /// Messages kept in each account and each channel; the oldest go first, without a word.
    pub message_limit: usize,
    /// Changes kept for each account and each channel; whoever is further behind is told that it is too long.
    pub log_limit: usize,
    /// Changes in one answer to `updates.getDifference`; more come as slices.
    pub difference_limit: usize,
    /// Changes that `updates.getChannelDifference` bridges; whoever is further behind is told that it is too long.
    pub channel_difference_limit: usize,
    /// The `timeout` that a channel's difference names, in whole seconds.
    pub channel_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            sessions_per_key: 64,
            sessions: 20_000,
            temporary_keys: 32,
            packet: 2 * 1024 * 1024,
            handshake: Duration::from_secs(60),
            idle: Duration::from_secs(600),
            stall: Duration::from_secs(30),
            file_bytes: 8 << 30,
            file_memory: 256 << 20,
            file_parts: 4_000,
            file_parts_premium: 8_000,
            upload_life: Duration::from_secs(3600),
            message_limit: 200_000,
            log_limit: 20_000,
            difference_limit: 500,
            channel_difference_limit: 1_000,
            channel_timeout: Duration::from_secs(30),
        }
    }
}

/// Why a server did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The address could not be listened on.
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The RSA key is none that MTProto can use.
    Key(RsaError),
    /// The number of data centres is not in 1..=50, or the home data centre is none of them.
    DataCentres,
    /// The certificate for TLS, or its key, cannot be used.
    #[cfg(feature = "web")]
    Tls(String),
    /// A fault that makes no sense.
    Fault(RuleError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { address, error } => {
                write!(
                    f,
                    "cannot listen on {address}: {error}; choose another port, or 0 for any"
                )
            }
            Self::Key(error) => {
                write!(
                    f,
                    "the RSA key cannot be used: {error}; MTProto wants 2048 bits in PEM"
                )
            }
            #[cfg(feature = "web")]
            Self::Tls(error) => write!(f, "TLS cannot be served: {error}"),
            Self::Fault(error) => write!(f, "a fault that cannot be: {error}"),
            Self::DataCentres => {
                f.write_str("expected 1 to 50 data centres, and a home data centre among them")
            }
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen { error, .. } => Some(error),
            Self::Key(error) => Some(error),
            Self::Fault(error) => Some(error),
            #[cfg(feature = "web")]
            Self::Tls(_) => None,
            Self::DataCentres => None,
        }
    }
}

/// Chooses what a [`Server`] is to be, step by step; see [`ServerConfig`] for what each step means.
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until it is started"]
pub struct ServerBuilder {
    config: ServerConfig,
}

impl ServerBuilder {
    /// Where DC 1 listens.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.config.listen = address;
        self
    }

    /// Where the data centres listen besides.
    pub fn also_listen(mut self, address: SocketAddr) -> Self {
        self.config.also_listen.push(address);
        self
    }

    /// Where the data centres listen besides for files only.
    pub fn media_listen(mut self, address: SocketAddr) -> Self {
        self.config.media_listen.push(address);
        self
    }

    /// Makes one more data centre, a CDN's, which serves these files.
    pub fn cdn(mut self, files: CdnFiles) -> Self {
        self.config.cdn = Some(files);
        self
    }

    /// How many data centres there are.
    pub fn data_centres(mut self, count: u8) -> Self {
        self.config.dc_count = count;
        self
    }

    /// The data centre of accounts that do not say otherwise.
    pub fn home_dc(mut self, dc_id: i32) -> Self {
        self.config.home_dc = dc_id;
        self
    }

    /// The private RSA key as PEM.
    pub fn rsa_key(mut self, pem: impl Into<String>) -> Self {
        self.config.rsa_key = Some(pem.into());
        self
    }

    /// Makes every login code this one.
    pub fn login_code(mut self, code: impl Into<String>) -> Self {
        self.config.login_code = Some(code.into());
        self
    }

    /// Adds a secret by which MTProxy clients may come.
    pub fn mtproxy_secret(mut self, secret: impl Into<ProxySecret>) -> Self {
        self.config.mtproxy_secrets.push(secret.into());
        self
    }

    /// The certificate of WebSockets over TLS.
    #[cfg(feature = "web")]
    pub fn tls(mut self, identity: TlsIdentity) -> Self {
        self.config.tls = Some(identity);
        self
    }

    /// Bounds on what clients can take.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.config.limits = limits;
        self
    }

    /// Adds something that goes wrong from the start.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.config.faults.push(fault);
        self
    }

    /// Decides which ones of many a fault with a chance hits.
    pub fn fault_seed(mut self, seed: u64) -> Self {
        self.config.fault_seed = Some(seed);
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start(self) -> Result<Server, StartError> {
        Server::start(self.config).await
    }
}
