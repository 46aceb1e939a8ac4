//! What of the configuration connections need.

use std::time::Duration;

use super::Role;
#[cfg(feature = "websocket")]
use super::websocket::Tls;
use crate::client::{Config, IpVersions, RsaPublicKey, Transport};
use crate::proxy::Proxy;
use crate::tl::{self, Identifiable};

/// Nobody is pinged more often.
const OFTEN_ENOUGH: Duration = Duration::from_secs(1);
/// A temporary key that ended sooner would be renewed all the time.
const SHORTEST_LIFE: Duration = Duration::from_secs(60);
/// The server forgets temporary keys after a day.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// What of the configuration connections need.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(super) transport: Transport,
    pub(super) proxy: Option<Proxy>,
    pub(super) versions: IpVersions,
    /// For WebSockets that have it.
    #[cfg(feature = "websocket")]
    pub(super) tls: Option<Tls>,
    pub(super) keys: Vec<RsaPublicKey>,
    pub(super) test_mode: bool,
    pub(super) timeout: Duration,
    pub(super) ping_interval: Duration,
    pub(super) max_reconnect_delay: Duration,
    /// Whether connections speak under temporary keys.
    pub(super) pfs: bool,
    /// How long a temporary key lives.
    pub(super) temporary_life: Duration,
    /// `invokeWithLayer` and `initConnection`, to be put before a request.
    init: Vec<u8>,
    /// The same for CDNs, which are not to learn who we are.
    cdn_init: Vec<u8>,
}

impl Plan {
    pub(crate) fn new(config: &Config, init: Vec<u8>, cdn_init: Vec<u8>) -> Self {
        let keys = if config.rsa_keys.is_empty() {
            layer_crypto::rsa::telegram_keys()
        } else {
            config.rsa_keys.clone()
        };
        Self {
            #[cfg(feature = "websocket")]
            tls: match &config.transport {
                Transport::WebSocket(socket) if socket.is_secure() => Some(Tls::new(socket)),
                _ => None,
            },
            transport: config.transport.clone(),
            proxy: config.proxy.clone(),
            versions: config.ip_versions,
            keys,
            test_mode: config.test_mode,
            timeout: config.connect_timeout,
            ping_interval: config.ping_interval.max(OFTEN_ENOUGH),
            max_reconnect_delay: config.max_reconnect_delay,
            pfs: config.pfs,
            temporary_life: config.temporary_key_life.clamp(SHORTEST_LIFE, LONGEST_LIFE),
            init,
            cdn_init,
        }
    }

    /// How a CDN with these keys is spoken to. Its auth key lives no longer than a connection's
    /// task, as a temporary one would.
    pub(super) fn for_cdn(&self, keys: Vec<RsaPublicKey>) -> Self {
        Self {
            keys,
            pfs: false,
            ..self.clone()
        }
    }

    /// What introduces us on a connection. Updates do not come on those for files.
    pub(super) fn preamble(&self, role: Role) -> Vec<u8> {
        if role.is_cdn() {
            return self.cdn_init.clone();
        }
        let mut preamble = self.init.clone();
        if role != Role::Main {
            let without = tl::functions::InvokeWithoutUpdates::<tl::Blob>::CONSTRUCTOR_ID;
            preamble.extend_from_slice(&without.to_le_bytes());
        }
        preamble
    }
}
