//! What of the configuration connections need.

use std::time::Duration;

use layer_mtproto::transport::TransportKind;

use crate::client::{Config, MtProxy, RsaPublicKey};

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
    /// `invokeWithLayer` and `initConnection`, to be put before a request.
    pub(super) init: Vec<u8>,
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
            init,
        }
    }
}
