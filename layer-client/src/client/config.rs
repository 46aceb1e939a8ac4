//! [`Config`]: what a client is made from.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::middleware::{FloodPolicy, RetryPolicy, SleepUpTo};
use crate::session::SessionStorage;

/// How packets are framed on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TransportKind {
    /// One or four bytes of length.
    #[default]
    Abridged,
    /// Four bytes of length.
    Intermediate,
    /// Four bytes of length and random padding.
    PaddedIntermediate,
    /// Length, sequence number and CRC-32.
    Full,
}

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
    /// Addresses of data centres. Those named here replace the built-in ones altogether, and are
    /// not replaced by what the server's configuration says.
    pub dc_addresses: Vec<DcAddress>,
    /// The data centre to begin with when the session knows none.
    pub dc_id: i32,
    /// Talk to Telegram's test servers.
    pub test_mode: bool,

    /// How packets are framed.
    pub transport: TransportKind,
    /// Whether the connection is made to look like random bytes.
    pub obfuscated: bool,

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
    /// How long one attempt at a connection may take, key exchange included, and how long
    /// [`Client::connect`](crate::Client::connect) may take altogether.
    pub connect_timeout: Duration,
    /// How long to wait for the answer to a request, flood waits not counted.
    pub request_timeout: Duration,
    /// Whether updates that came while the program did not run are delivered.
    pub catch_up: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            session_path: PathBuf::new(),
            api_id: 0,
            api_hash: String::new(),
            session_storage: None,
            dc_addresses: Vec::new(),
            dc_id: 2,
            test_mode: false,
            transport: TransportKind::default(),
            obfuscated: false,
            device_model: "Desktop".to_owned(),
            system_version: std::env::consts::OS.to_owned(),
            app_version: env!("CARGO_PKG_VERSION").to_owned(),
            system_lang_code: "en".to_owned(),
            lang_code: "en".to_owned(),
            flood_policy: Arc::new(SleepUpTo(Duration::from_secs(60))),
            retry: RetryPolicy::default(),
            connect_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(60),
            catch_up: true,
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
            .field("transport", &self.transport)
            .field("obfuscated", &self.obfuscated)
            .finish_non_exhaustive()
    }
}
