//! Why a key exchange failed, and at which step.

use std::fmt;

use layer_crypto::dh::DhError;
use layer_crypto::rsa::RsaError;

use crate::plain::PlainError;

/// The three round trips of a key exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stage {
    /// `req_pq_multi`, answered by `resPQ`.
    Pq,
    /// `req_DH_params`, answered by `server_DH_params_ok`.
    DhParams,
    /// `set_client_DH_params`, answered by `dh_gen_ok`.
    DhGen,
    /// After the end.
    Finished,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pq => "asking for pq",
            Self::DhParams => "asking for the Diffie-Hellman parameters",
            Self::DhGen => "making the key",
            Self::Finished => "after its end",
        })
    }
}

/// A key exchange that cannot go on. It has to be begun anew, on a new connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandshakeError {
    /// At which step it failed.
    pub stage: Stage,
    /// Why.
    pub kind: HandshakeErrorKind,
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the key exchange failed while {}: {}",
            self.stage, self.kind
        )
    }
}

impl std::error::Error for HandshakeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            HandshakeErrorKind::Plain(error) => Some(error),
            HandshakeErrorKind::Rsa(error) => Some(error),
            HandshakeErrorKind::Group(error) | HandshakeErrorKind::Public(error) => Some(error),
            _ => None,
        }
    }
}

/// Why a key exchange failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeErrorKind {
    /// The packet is no plain message.
    Plain(PlainError),
    /// The message is not the one that is due at this step, or cut short.
    Malformed {
        /// The name of what was expected.
        expected: &'static str,
        /// The constructor's id that came, if as much as that came.
        got: Option<u32>,
    },
    /// The nonce is not the client's.
    Nonce,
    /// The server_nonce is not the server's.
    ServerNonce,
    /// The hash of new_nonce is wrong: whoever answered does not know what we sent encrypted.
    NewNonceHash,
    /// pq is longer than 8 bytes or not the product of two different primes.
    Pq {
        /// pq as it came.
        pq: Vec<u8>,
    },
    /// p or q are not the factors of pq.
    Factors,
    /// The server has no RSA key that we trust.
    UnknownFingerprints {
        /// The fingerprints that it offered.
        offered: Vec<i64>,
    },
    /// The server was asked for an RSA key that it does not have.
    UnknownFingerprint(i64),
    /// RSA did not work out.
    Rsa(RsaError),
    /// `server_DH_params_fail`: the server rejects what we sent.
    DhParamsFail,
    /// The encrypted part is not a whole number of blocks, or too short.
    EncryptedLength {
        /// Its length in bytes.
        length: usize,
    },
    /// The encrypted part does not have the SHA-1 it gives, or more than 15 bytes of padding.
    EncryptedHash,
    /// The group of the Diffie-Hellman exchange is not safe.
    Group(DhError),
    /// The other side's public number is not in the safe range.
    Public(DhError),
    /// The retry_id is not the auth_key_aux_hash of the key that was refused.
    RetryId {
        /// The hash expected, 0 at the first attempt.
        expected: i64,
        /// The retry_id that came.
        got: i64,
    },
    /// The server answered `dh_gen_retry` to this many keys.
    TooManyRetries(u8),
    /// `dh_gen_fail`: the server refuses to make a key.
    DhGenFail,
    /// The client wants another DC.
    WrongDc {
        /// The DC that this server is.
        expected: i32,
        /// The DC that the client named.
        got: i32,
    },
    /// No answer came in time.
    Timeout,
    /// The exchange is over.
    Finished,
}

impl fmt::Display for HandshakeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(error) => error.fmt(f),
            Self::Malformed {
                expected,
                got: Some(got),
            } => {
                write!(
                    f,
                    "expected {expected}, got a message that begins with {got:08x}"
                )
            }
            Self::Malformed {
                expected,
                got: None,
            } => {
                write!(f, "expected {expected}, got a message that is cut short")
            }
            Self::Nonce => f.write_str("the answer's nonce is not the one that was sent"),
            Self::ServerNonce => f.write_str("the server_nonce changed during the exchange"),
            Self::NewNonceHash => f.write_str("the hash of new_nonce is wrong"),
            Self::Pq { pq } => {
                write!(
                    f,
                    "pq ({} bytes) is not the product of two primes",
                    pq.len()
                )
            }
            Self::Factors => f.write_str("p and q are not the factors of pq"),
            Self::UnknownFingerprints { offered } => {
                f.write_str("none of the server's RSA keys is trusted; it offers")?;
                offered
                    .iter()
                    .take(8)
                    .try_for_each(|key| write!(f, " {key:016x}"))?;
                f.write_str("; give its public key if the server is your own")
            }
            Self::UnknownFingerprint(key) => write!(f, "no RSA key {key:016x} here"),
            Self::Rsa(error) => error.fmt(f),
            Self::DhParamsFail => f.write_str("the server rejects the parameters"),
            Self::EncryptedLength { length } => {
                write!(
                    f,
                    "an encrypted part of {length} bytes, expected whole blocks of 16"
                )
            }
            Self::EncryptedHash => f.write_str("the SHA-1 of the encrypted part is wrong"),
            Self::Group(error) | Self::Public(error) => error.fmt(f),
            Self::RetryId { expected, got } => {
                write!(f, "retry_id {got:016x}, expected {expected:016x}")
            }
            Self::TooManyRetries(count) => {
                write!(f, "the server asked for another key {count} times")
            }
            Self::DhGenFail => f.write_str("the server refuses to make a key"),
            Self::WrongDc { expected, got } => write!(f, "this is DC {expected}, not {got}"),
            Self::Timeout => f.write_str("no answer in time"),
            Self::Finished => f.write_str("no message was expected"),
        }
    }
}
