//! The cryptography of MTProto 2.0 and of Telegram's two-factor authentication: pure functions over
//! bytes. No sockets, no clocks, no TL, and no randomness but what the caller hands in as a
//! [`SecureRandom`]. Nothing here panics on input, whoever sent it, or allocates by what input claims.
//!
//! # Where to look
//!
//! | module | what | page of Telegram's documentation |
//! |---|---|---|
//! | [`message`] | sealing and opening messages, MTProto 2.0 and the 1.0 form of `auth.bindTempAuthKey` | `mtproto/description`, `mtproto/description_v1` |
//! | [`AuthKey`], [`nonce_key_iv`] | key ids, `new_nonce_hash1..3`, the temporary key of the handshake | `mtproto/auth_key` |
//! | [`dh`] | the Diffie-Hellman exchange and every check it demands | `mtproto/auth_key`, `mtproto/security_guidelines` |
//! | [`rsa`] | `RSA_PAD`, the older scheme, PEM, Telegram's public keys | `mtproto/auth_key` (4.1) |
//! | [`srp`] | passwords, both sides | `api/srp` |
//! | [`factorize`] | the proof of work of the handshake | `mtproto/auth_key` (3) |
//! | [`x25519`] | public keys such as TLS shows, for a connection that is to look like it | none (RFC 7748) |
//! | [`aes`], [`sha`] | AES-256-IGE, AES-256-CTR, SHA-1, SHA-256 | `mtproto/description`, `mtproto/mtproto-transports` |
//!
//! Private, and worth an auditor's time: `x86_64` and `aarch64` (all of the crate's `unsafe`), `modulus` (fixed-width Montgomery arithmetic: all secret
//! exponents go through it), `prime` (Baillie-PSW), `number` (padding and ranges).
//!
//! ```
//! use layer_crypto::AuthKey;
//! use layer_crypto::message::{HEADER, Sender, open, seal};
//!
//! let key = AuthKey::from_bytes([7; 256]);
//! let mut packet = vec![0; HEADER + 48];
//! packet[HEADER..].fill(42); // salt, session, message and padding in earnest
//! seal(&key, Sender::Client, &mut packet)?;
//! assert_eq!(open(&key, Sender::Client, &mut packet)?, [42; 48]);
//! # Ok::<(), layer_crypto::message::MessageError>(())
//! ```
//!
//! # Both sides of an exchange
//!
//! Everything exists for the client and for the server, so that a test server can be built of the same
//! parts. A server's parts are written with care but face no production traffic; where that matters it is said below.
//!
//! # Randomness
//!
//! Each function that draws randomness says how many bytes, and in which order: `RSA_PAD` first the
//! padding (`192 - len` bytes), then 32 bytes of `temp_key` a try; a DH secret 256 bytes, big-endian; an
//! SRP secret 256 bytes a try. Recorded exchanges can be replayed byte for byte.
//!
//! # What is promised about secrets, and what is not
//!
//! - Comparisons of hashes and keys that guard something are in constant time ([`constant_time_eq`]).
//! - AES goes by the processor's instructions where there are any (called here on x86-64 and AArch64) and by that crate's bit slicing elsewhere: no tables indexed by secrets.
//! - Secret exponents (DH, SRP, RSA decryption) and the secrets of X25519 go through fixed-width arithmetic whose branches and
//!   memory accesses do not depend on them; the window table is read whole each time. This is constant
//!   time in the source. No machine code was verified, and a compiler may do otherwise.
//! - RSA decryption is **not blinded**: it rests on that arithmetic alone. The keys it is meant for are those of
//!   test servers. Its result is checked against the public key, so a faulty one is never used.
//! - `num-bigint`, which is neither constant time nor wiped, is used in one place: to compute a private key's
//!   numbers from its primes when the key is made or read ([`rsa::PrivateKey::from_pem`], `generate`). Copies of the
//!   primes and of `d` stay behind in freed memory there.
//! - Which padding an RSA ciphertext had can be told by time ([`rsa::PrivateKey::decrypt`] tries two schemes); which
//!   scheme a client speaks is no secret.
//! - Keys, exponents, verifiers and intermediate numbers are wiped when dropped (`zeroize`). Registers, what the
//!   compiler spills to the stack, copies made by moving a value, and buffers that the hash functions' and PBKDF2's
//!   crates keep, are out of reach and are not wiped.
//! - `Debug` prints a key's id or fingerprint and nothing else of it.
//! - [`factorize`] and the tests of primes work on public numbers and take the time they take.

#[cfg(target_arch = "aarch64")]
mod aarch64;
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
pub mod x25519;
#[cfg(target_arch = "x86_64")]
mod x86_64;

pub use auth_key::{AuthKey, nonce_key_iv};
pub use compare::constant_time_eq;
pub use factorize::factorize;
pub use random::SecureRandom;
