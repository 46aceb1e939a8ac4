//! The key exchange, both sides: from nothing to an auth key (`mtproto/auth_key` of the documentation).
//!
//! [`Client`] and [`Server`] take packets as they come out of a transport's codec and hand back packets to be
//! framed by it. What a key is good for afterwards, and where it is kept, is left to others.

mod client;
mod envelope;
mod error;
#[cfg(feature = "server")]
mod server;
mod step;

pub use client::{Client, ClientConfig};
pub use error::{HandshakeError, HandshakeErrorKind, Stage};
#[cfg(feature = "server")]
pub use server::{Server, ServerEvent, ServerOutcome};
pub use step::{Event, Outcome, Step};

use std::time::Duration;

/// What the key is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// A key that an account is bound to, and that stays until it logs out.
    Permanent,
    /// A key that is bound to a permanent one and forgotten soon, for perfect forward secrecy.
    Temporary {
        /// After how long the server forgets it; whole seconds, and at most 24 hours.
        expires_in: Duration,
    },
}

/// How often a client makes a new key when the server answers that the last one will not do.
pub const MAX_RETRIES: u8 = 5;

/// `substr(new_nonce, 0, 8) XOR substr(server_nonce, 0, 8)`.
fn first_salt(new_nonce: &[u8; 32], server_nonce: &[u8; 16]) -> i64 {
    let mut salt = [0; 8];
    for ((salt, a), b) in salt.iter_mut().zip(new_nonce).zip(server_nonce) {
        *salt = a ^ b;
    }
    i64::from_le_bytes(salt)
}

/// A number's bytes, big-endian and without leading zeros.
fn short_bytes(number: u64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    bytes[usize::try_from(number.leading_zeros() / 8)
        .unwrap_or(0)
        .min(7)..]
        .to_vec()
}

/// The number of at most 8 bytes, big-endian.
fn small_number(bytes: &[u8]) -> Option<u64> {
    if bytes.len() > 8 {
        return None;
    }
    Some(
        bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)),
    )
}
