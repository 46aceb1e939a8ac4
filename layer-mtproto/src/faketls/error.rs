//! What can go wrong with a FakeTLS connection.

use std::fmt;

/// Why a FakeTLS connection cannot be begun or continued.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FakeTlsError {
    /// The other side does not speak TLS.
    NotTls {
        /// The first byte that was not as expected.
        got: u8,
    },
    /// A record that is none of those expected here.
    Record {
        /// Its type: 23 is application data.
        kind: u8,
        /// Its version as it stands there: 0x0303 is expected.
        version: u16,
        /// Its length in bytes.
        length: usize,
    },
    /// The other side ended the connection in TLS's own way.
    Alert {
        /// The reason by the number that TLS gives it (RFC 8446, section 6).
        description: u8,
    },
    /// The answer to our hello is not of someone who knows the secret.
    WrongSecret,
    /// A client's hello breaks the rules of TLS; the words say where.
    Hello(&'static str),
    /// A client's hello was made with no secret of ours.
    UnknownSecret,
    /// A client's hello was made with a secret of ours, for another domain than the secret's.
    Domain,
    /// A client's hello was made at a time too far from ours.
    Clock {
        /// By how many seconds the client's clock is ahead of ours, or behind if negative.
        ahead: i64,
    },
    /// A client's hello came before: somebody repeats what they have overheard.
    Replayed,
    /// The hellos were exchanged already.
    Finished,
}

impl fmt::Display for FakeTlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotTls { got } => write!(
                f,
                "the other side does not speak TLS (byte {got:#04x}), as an MTProxy does with an ee secret; check address and port"
            ),
            Self::Record {
                kind,
                version,
                length,
            } => write!(
                f,
                "a TLS record of type {kind}, version {version:#06x} and {length} bytes, expected application data (type 23, version 0x0303, at most 16640 bytes)"
            ),
            Self::Alert { description } => write!(
                f,
                "the other side ended the connection with TLS alert {description}; a web server and no MTProxy? Check address and secret"
            ),
            Self::WrongSecret => f.write_str(
                "the answer is that of a web server and not of an MTProxy that knows the secret; check the secret, and this machine's clock",
            ),
            Self::Hello(what) => write!(f, "the client's TLS hello is malformed: {what}"),
            Self::UnknownSecret => {
                f.write_str("the client's TLS hello was made with none of the secrets expected")
            }
            Self::Domain => f.write_str("the client's TLS hello is for another domain than the secret's"),
            Self::Clock { ahead: ahead @ 0.. } => write!(
                f,
                "the client's clock is {ahead} s ahead of ours, which is too far for a TLS hello to be taken"
            ),
            Self::Clock { ahead } => write!(
                f,
                "the client's clock, or its TLS hello, is {} s behind ours, which is too far",
                ahead.unsigned_abs()
            ),
            Self::Replayed => f.write_str("the client's TLS hello is one that came before"),
            Self::Finished => f.write_str("the TLS hellos were exchanged: feed the codec instead"),
        }
    }
}

impl std::error::Error for FakeTlsError {}
