//! Transports: how packets are told apart in a stream of bytes.
//!
//! Four framings (`mtproto/mtproto-transports` of the documentation), each plain or obfuscated. A [`Codec`]
//! serves one connection; a server finds out with an [`Acceptor`] which codec the first bytes ask for. What a
//! packet means is left to the handshake and the session.

#[cfg(feature = "server")]
mod acceptor;
mod codec;
mod error;
mod framing;
mod obfuscation;
mod secret;

#[cfg(feature = "server")]
pub use acceptor::{Accepted, Acceptor};
pub use codec::Codec;
pub use error::TransportError;
pub use obfuscation::ObfuscationParams;
pub use secret::{MAX_DOMAIN, ProxySecret, ProxySecretError};

use std::fmt;
use std::str::FromStr;

use bytes::BytesMut;

/// The largest packet in bytes that a codec takes unless told otherwise: 16 MiB.
pub const MAX_PACKET: usize = 16 * 1024 * 1024;

/// The framing of packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum TransportKind {
    /// One or four bytes of length, counted in words of four bytes.
    Abridged,
    /// Four bytes of length.
    #[default]
    Intermediate,
    /// Intermediate with up to 15 random bytes after each packet, so that lengths tell less.
    PaddedIntermediate,
    /// Length, sequence number and CRC-32.
    Full,
}

impl TransportKind {
    /// Every kind there is.
    pub const ALL: [Self; 4] = [
        Self::Abridged,
        Self::Intermediate,
        Self::PaddedIntermediate,
        Self::Full,
    ];

    /// The identifier that a client sends first, repeated to four bytes; the full transport has none.
    pub(crate) fn tag(self) -> Option<[u8; 4]> {
        match self {
            Self::Abridged => Some([0xef; 4]),
            Self::Intermediate => Some([0xee; 4]),
            Self::PaddedIntermediate => Some([0xdd; 4]),
            Self::Full => None,
        }
    }

    pub(crate) fn from_tag(tag: [u8; 4]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.tag() == Some(tag))
    }
}

impl fmt::Display for TransportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Abridged => "abridged",
            Self::Intermediate => "intermediate",
            Self::PaddedIntermediate => "padded",
            Self::Full => "full",
        })
    }
}

/// A name that is none of `abridged`, `intermediate`, `padded`, `full`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownTransportKind(String);

impl fmt::Display for UnknownTransportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no transport is called {:?}: abridged, intermediate, padded or full",
            self.0
        )
    }
}

impl std::error::Error for UnknownTransportKind {}

impl FromStr for TransportKind {
    type Err = UnknownTransportKind;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.to_string() == name)
            .ok_or_else(|| UnknownTransportKind(name.to_owned()))
    }
}

/// What one frame carries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame {
    /// A packet, plain or encrypted, without the transport's padding. A long one (64 KiB) lies where it was read to, and
    /// keeps what was read with it in memory; a short one has its own.
    Packet(BytesMut),
    /// A transport error, as negative as it came: -404 no such auth key, -429 flood, -444 no such DC.
    Error(i32),
    /// A quick acknowledgement: the token with its highest bit set.
    QuickAck(u32),
}
