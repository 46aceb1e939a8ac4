//! What a WebSocket is made from.

use std::fmt;
use std::sync::Arc;

use layer_mtproto::transport::TransportKind;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};

use crate::error::Error;

/// A WebSocket to a data centre (page `mtproto/transports#websocket` of the documentation), with TLS
/// unless it is [`insecure`](Self::insecure).
///
/// Telegram's own are found by the data centre's number. When [`Config::dc_addresses`](crate::Config)
/// names others, those are used.
#[derive(Clone)]
pub struct WebSocket {
    framing: TransportKind,
    secure: bool,
    host: Option<String>,
    roots: Arc<RootCertStore>,
}

impl WebSocket {
    /// With TLS (`wss://`, port 443), and the padded framing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            framing: TransportKind::PaddedIntermediate,
            secure: true,
            host: None,
            roots: Arc::new(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()),
        }
    }

    /// Without TLS (`ws://`, port 80). What travels is encrypted by MTProto all the same.
    #[must_use]
    pub fn insecure() -> Self {
        Self {
            secure: false,
            ..Self::new()
        }
    }

    /// The same with another framing.
    #[must_use]
    pub fn with_framing(mut self, framing: TransportKind) -> Self {
        self.framing = framing;
        self
    }

    /// The same for servers of one's own that have this name: what they are asked for, and what their
    /// certificate must say. Without it that is their address.
    ///
    /// # Errors
    /// [`Error::Input`] when it is no name of a host.
    pub fn with_host(mut self, host: &str) -> Result<Self, Error> {
        if ServerName::try_from(host).is_err() {
            return Err(Error::input(format!("{host:?} is no name of a host")));
        }
        self.host = Some(host.to_owned());
        Ok(self)
    }

    /// The same, and certificates are trusted that are signed by one of these (PEM, one or more), as a
    /// server of one's own has them.
    ///
    /// # Errors
    /// [`Error::Input`] when there is no certificate in it, or one that cannot be read.
    pub fn with_root_certificates(mut self, pem: &str) -> Result<Self, Error> {
        let roots = Arc::make_mut(&mut self.roots);
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            certificate
                .map_err(|error| error.to_string())
                .and_then(|certificate| roots.add(certificate).map_err(|error| error.to_string()))
                .map_err(|error| {
                    Error::input(format!("a root certificate is unreadable: {error}"))
                })?;
        }
        if roots.len() == before {
            return Err(Error::input(
                "no root certificate was found: expected PEM, -----BEGIN CERTIFICATE-----",
            ));
        }
        Ok(self)
    }

    /// The framing of packets.
    #[must_use]
    pub fn framing(&self) -> TransportKind {
        self.framing
    }

    /// Whether TLS is around it.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    pub(crate) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    pub(crate) fn roots(&self) -> Arc<RootCertStore> {
        self.roots.clone()
    }
}

impl Default for WebSocket {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket")
            .field("framing", &self.framing)
            .field("secure", &self.secure)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

impl PartialEq for WebSocket {
    fn eq(&self, other: &Self) -> bool {
        self.framing == other.framing
            && self.secure == other.secure
            && self.host == other.host
            && self.roots.roots == other.roots.roots
    }
}

impl Eq for WebSocket {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_root_certificate_is_refused() {
        for (pem, word) in [
            ("", "expected PEM"),
            (
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                "expected PEM",
            ),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "unreadable",
            ),
        ] {
            let error = WebSocket::new().with_root_certificates(pem).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
        }
        assert!(WebSocket::new().with_host("a b").is_err());
        assert!(WebSocket::new().with_host("127.0.0.1").is_ok());
    }
}
