//! [`Config`]: what a client is made from.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use layer_crypto::rsa::PublicKey as RsaPublicKey;
pub use layer_mtproto::transport::TransportKind;

use super::{IpVersions, Transport};
use crate::middleware::{FloodPolicy, Middleware, RateLimits, RetryPolicy, SleepUpTo};
use crate::proxy::Proxy;
use crate::session::{Passphrase, SessionStorage};

/// Where a data centre can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DcAddress {
    /// The data centre's number.
    pub id: i32,
    /// Its address.
    pub addr: SocketAddr,
}

impl DcAddress {
    /// Data centre `id` listens at `addr`.
    #[must_use]
    pub fn new(id: i32, addr: SocketAddr) -> Self {
        Self { id, addr }
    }
}

/// What a client is made from. Fill in the first three and leave the rest to
/// `..Default::default()`.
#[derive(Clone)]
pub struct Config {
    /// The file that keeps the session; made when it does not exist. An empty path keeps it in
    /// memory.
    pub session_path: PathBuf,
    /// From <https://my.telegram.org>.
    pub api_id: i32,
    /// From <https://my.telegram.org>.
    pub api_hash: String,

    /// Keeps the session somewhere else than in a file; `session_path` is then not used.
    pub session_storage: Option<Arc<dyn SessionStorage>>,
    /// Encrypts the session, wherever it is kept. A session that was kept without is encrypted with
    /// [`change_passphrase`](crate::session::change_passphrase).
    pub session_passphrase: Option<Passphrase>,
    /// A session as text, to begin with where none is kept yet: what
    /// [`Client::export_session`](crate::Client::export_session) gave, or a session string of
    /// Telethon, GramJS or Pyrogram (see [`Session::import`](crate::session::Session::import)).
    pub session_string: Option<String>,
    /// Addresses of data centres. Those named here replace the built-in ones altogether, and are
    /// not replaced by what the server's configuration says.
    pub dc_addresses: Vec<DcAddress>,
    /// The data centre to begin with when the session knows none.
    pub dc_id: i32,
    /// Talk to Telegram's test servers.
    pub test_mode: bool,
    /// The RSA keys to trust in the key exchange. When there are any, Telegram's own are not
    /// trusted.
    pub rsa_keys: Vec<RsaPublicKey>,
    /// The proxy that all connections go through; a link is read by `"…".parse()?`.
    pub proxy: Option<Proxy>,
    /// How packets travel: framing, obfuscation, TCP or WebSocket.
    pub transport: Transport,
    /// Which versions of the Internet protocol are used, and which is tried first.
    pub ip_versions: IpVersions,

    /// Shown to the user in the list of sessions.
    pub device_model: String,
    /// Shown to the user in the list of sessions.
    pub system_version: String,
    /// Shown to the user in the list of sessions.
    pub app_version: String,
    /// The language of the system, as IETF has it (`en`).
    pub system_lang_code: String,
    /// The language of the program, as IETF has it (`en`).
    pub lang_code: String,

    /// What to do when the server wants us to wait.
    pub flood_policy: Arc<dyn FloodPolicy>,
    /// How often and when to ask again after the server failed.
    pub retry: RetryPolicy,
    /// How often methods may be called; none by default. A bot may want [`RateLimits::bot`].
    pub rate_limits: RateLimits,
    /// Layers of your own around each call, the outermost first; see [`crate::middleware`].
    pub layers: Vec<Arc<dyn Middleware>>,
    /// Layers of your own around each attempt of a call, the outermost first.
    pub attempt_layers: Vec<Arc<dyn Middleware>>,
    /// How long one attempt at a connection may take, key exchange included, and how long
    /// [`Client::connect`](crate::Client::connect) may take altogether.
    pub connect_timeout: Duration,
    /// How long to wait for the answer to a request, flood waits not counted.
    pub request_timeout: Duration,
    /// How long a change of the session may wait until it is written, above all how far the updates
    /// were handled: what was handled in this time before a crash is delivered again after it. An
    /// orderly end writes at once.
    ///
    /// One second by default. Each time the whole session is written and synced, some 50 bytes for
    /// each peer that was met: a megabyte when there are 20,000, the most that are kept.
    pub save_delay: Duration,
    /// Whether updates that came while the program did not run are delivered.
    pub catch_up: bool,
    /// How many channels what was missed is fetched of at the same time (`updates.getChannelDifference`),
    /// at least one. Four by default: that hides the round trips, and leaves the connection and the
    /// server's patience (`FLOOD_WAIT`) for what the program itself asks.
    pub channel_differences: usize,
    /// After how long without any update the server is asked whether there was one, at least a second.
    /// A quarter of an hour by default, as the documentation wants it (page `api/updates`). What is
    /// found that way shows that the server does not push: it is asked 15 times as often then, and the
    /// connection is made anew.
    pub update_check: Duration,
    /// How many connections to a data centre uploads and downloads share, at least one. They are
    /// opened as they are needed, and closed after a minute without use. Four by default; more help
    /// where the way is long and the server lets one connection have a part of the line only.
    pub file_connections: usize,
    /// How many files are downloaded at a time, and how many uploaded, at least one each. More wait for
    /// their turn in the order in which they were begun, and ask for nothing until then; one that is
    /// dropped gives its place up. Five by default, as Telegram asks its own programs for files of less
    /// than 20 MB (`small_queue_max_active_operations_count`, page `api/files`); for larger ones it asks
    /// for two.
    ///
    /// A transfer that is paused gives its place up when what was under way has come, and so does one
    /// whose reader or source lets it wait for more than ten seconds: it waits for another place when it
    /// goes on.
    pub files_at_once: usize,
    /// How often the connection is checked with a ping while nothing else is said; no more often
    /// than once a second.
    pub ping_interval: Duration,
    /// The longest wait between two attempts to get a lost connection back; no shorter than a tenth
    /// of a second. They begin at 0.3 s and double, with up to half taken off at random.
    pub max_reconnect_delay: Duration,
    /// Whether to speak under temporary keys, so that whoever records what is said and gets hold of
    /// the session file later cannot read it (perfect forward secrecy, page `api/pfs`).
    ///
    /// The key in the session file is then used for nothing but binding the temporary ones, of
    /// which each connection makes its own; they are kept in memory only.
    ///
    /// Off by default, as in TDLib and mtcute: without it a program that has a key already is
    /// connected after one round trip, and with it after five, each time it starts and for each
    /// connection that it opens for files. `examples/connect_time.rs` measures it.
    pub pfs: bool,
    /// How long a temporary key is used before another one takes its place: a minute to a day,
    /// which is the default. No request is lost or done twice for it.
    pub temporary_key_life: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            session_path: PathBuf::new(),
            api_id: 0,
            api_hash: String::new(),
            session_storage: None,
            session_passphrase: None,
            session_string: None,
            dc_addresses: Vec::new(),
            dc_id: 2,
            test_mode: false,
            rsa_keys: Vec::new(),
            proxy: None,
            transport: Transport::default(),
            ip_versions: IpVersions::default(),
            device_model: "Desktop".to_owned(),
            system_version: std::env::consts::OS.to_owned(),
            app_version: env!("CARGO_PKG_VERSION").to_owned(),
            system_lang_code: "en".to_owned(),
            lang_code: "en".to_owned(),
            flood_policy: Arc::new(SleepUpTo(Duration::from_secs(60))),
            retry: RetryPolicy::default(),
            rate_limits: RateLimits::none(),
            layers: Vec::new(),
            attempt_layers: Vec::new(),
            connect_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(60),
            save_delay: Duration::from_secs(1),
            catch_up: true,
            channel_differences: 4,
            update_check: Duration::from_secs(15 * 60),
            file_connections: 4,
            files_at_once: 5,
            ping_interval: Duration::from_secs(30),
            max_reconnect_delay: Duration::from_secs(30),
            pfs: false,
            temporary_key_life: Duration::from_secs(24 * 60 * 60),
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("session_path", &self.session_path)
            .field("api_id", &self.api_id)
            .field("dc_id", &self.dc_id)
            .field("dc_addresses", &self.dc_addresses)
            .field("proxy", &self.proxy)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let config = Config {
            api_hash: "abcdef".to_owned(),
            ..Config::default()
        };
        assert!(!format!("{config:?}").contains("abcdef"));
    }
}
