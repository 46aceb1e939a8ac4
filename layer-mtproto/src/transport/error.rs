//! What can go wrong between the bytes of a stream and its packets.

use std::fmt;

use crate::faketls::FakeTlsError;

/// A stream that breaks the rules of its transport. The connection cannot be continued.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportError {
    /// A packet's length is outside what is allowed; nothing was allocated for it.
    Length {
        /// The length in bytes that the other side announced, or that we were asked to send.
        length: usize,
        /// The largest length allowed on this connection.
        limit: usize,
    },
    /// A packet to be sent is not a multiple of four bytes, as MTProto's packets are.
    Unaligned {
        /// Its length in bytes.
        length: usize,
    },
    /// Full transport: the packets' numbers are not consecutive.
    Sequence {
        /// The number that was due.
        expected: u32,
        /// The number that came.
        got: u32,
    },
    /// Full transport: the CRC-32 does not match the packet.
    Checksum {
        /// The CRC-32 computed over what came.
        expected: u32,
        /// The CRC-32 that came.
        got: u32,
    },
    /// The first bytes are no transport of MTProto, obfuscated or not.
    UnknownTransport,
    /// The first bytes are an HTTP request.
    Http,
    /// The first bytes are a TLS handshake.
    Tls,
    /// The connection is obfuscated without the secret that this server demands.
    SecretRequired,
    /// The transport was recognised already: the codec takes the bytes from there on.
    AlreadyAccepted,
    /// The records around the transport break their rules.
    FakeTls(FakeTlsError),
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { length, limit } => {
                write!(f, "a packet of {length} bytes, expected 4 to {limit}")
            }
            Self::Unaligned { length } => {
                write!(f, "a packet of {length} bytes, expected a multiple of 4")
            }
            Self::Sequence { expected, got } => {
                write!(
                    f,
                    "packet number {got}, expected {expected}: a packet was lost or repeated"
                )
            }
            Self::Checksum { expected, got } => {
                write!(
                    f,
                    "CRC-32 {got:08x}, expected {expected:08x}: the packet was damaged"
                )
            }
            Self::UnknownTransport => f.write_str("the first bytes are no MTProto transport"),
            Self::Http => f.write_str("the other side speaks HTTP, expected an MTProto transport"),
            Self::Tls => f.write_str("the other side speaks TLS, expected an MTProto transport"),
            Self::SecretRequired => f.write_str("the connection does not know the proxy's secret"),
            Self::AlreadyAccepted => f.write_str("the transport is known: feed its codec instead"),
            Self::FakeTls(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TransportError {}

impl From<FakeTlsError> for TransportError {
    fn from(error: FakeTlsError) -> Self {
        Self::FakeTls(error)
    }
}
