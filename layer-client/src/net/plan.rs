//! What of the configuration connections need.

use std::time::Duration;

use layer_mtproto::transport::TransportKind;

use super::Role;
use crate::client::{Config, MtProxy, RsaPublicKey};
use crate::tl::{self, Identifiable};

/// A temporary key that ended sooner would be renewed all the time.
const SHORTEST_LIFE: Duration = Duration::from_secs(60);
/// The server forgets temporary keys after a day.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// What of the configuration connections need.
pub(crate) struct Plan {
    pub(super) transport: TransportKind,
    pub(super) obfuscated: bool,
    pub(super) proxy: Option<MtProxy>,
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
}

impl Plan {
    pub(crate) fn new(config: &Config, init: Vec<u8>) -> Self {
        let keys = if config.rsa_keys.is_empty() {
            layer_crypto::rsa::telegram_keys()
        } else {
            config.rsa_keys.clone()
        };
        Self {
            transport: match config.mtproxy {
                Some(proxy) if proxy.padded => TransportKind::PaddedIntermediate,
                _ => config.transport,
            },
            obfuscated: config.obfuscated,
            proxy: config.mtproxy,
            keys,
            test_mode: config.test_mode,
            timeout: config.connect_timeout,
            ping_interval: config.ping_interval,
            max_reconnect_delay: config.max_reconnect_delay,
            pfs: config.pfs,
            temporary_life: config.temporary_key_life.clamp(SHORTEST_LIFE, LONGEST_LIFE),
            init,
        }
    }

    /// What introduces us on a connection. Updates do not come on those for files.
    pub(super) fn preamble(&self, role: Role) -> Vec<u8> {
        let mut preamble = self.init.clone();
        if role != Role::Main {
            let without = tl::functions::InvokeWithoutUpdates::<tl::Blob>::CONSTRUCTOR_ID;
            preamble.extend_from_slice(&without.to_le_bytes());
        }
        preamble
    }
}
