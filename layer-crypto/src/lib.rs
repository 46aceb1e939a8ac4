//! The cryptography of MTProto 2.0 and of Telegram's two-factor authentication: pure functions over
//! bytes. No sockets, no clocks, no TL, and no randomness but what the caller hands in as a
//! [`SecureRandom`]. Nothing here panics on input, whoever sent it.
//!
//! # Where to look
//!
//! | module | what | page of Telegram's documentation |
//! |---|---|---|
//! | [`message`] | sealing and opening encrypted messages, MTProto 2.0 and the 1.0 form | `mtproto/description`, `mtproto/description_v1` |
//! | [`AuthKey`], [`nonce_key_iv`] | key ids, `new_nonce_hash1..3`, the temporary key of the handshake | `mtproto/auth_key` |
//! | [`dh`] | the Diffie-Hellman exchange and every check it demands | `mtproto/auth_key`, `mtproto/security_guidelines` |
//! | [`rsa`] | `RSA_PAD`, the older scheme, PEM, Telegram's public keys | `mtproto/auth_key` |
//! | [`srp`] | passwords, both sides | `api/srp` |
//! | [`factorize`] | the proof of work of the handshake | `mtproto/auth_key` |
//! | [`aes`], [`sha`] | AES-256-IGE, AES-256-CTR, SHA-1, SHA-256 | `mtproto/description`, `mtproto/mtproto-transports` |

pub mod aes;
mod auth_key;
mod compare;
pub mod dh;
mod factorize;
pub mod message;
mod modulus;
mod number;
mod prime;
mod random;
pub mod rsa;
pub mod sha;
pub mod srp;

pub use auth_key::{AuthKey, nonce_key_iv};
pub use compare::constant_time_eq;
pub use factorize::factorize;
pub use random::SecureRandom;
