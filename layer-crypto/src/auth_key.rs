//! The authorization key and what is computed from it and from the nonces of the handshake
//! (page `mtproto/auth_key`).

use std::fmt;

use zeroize::Zeroizing;

use crate::constant_time_eq;
use crate::sha::sha1;

/// A 2048-bit authorization key, permanent or temporary: big-endian, leading zero bytes kept.
///
/// Wiped on drop, compared in constant time, and printed (`Debug`) by its id alone.
#[derive(Clone)]
pub struct AuthKey {
    bytes: Zeroizing<[u8; 256]>,
    id: i64,
    aux_hash: i64,
}

impl AuthKey {
    /// Takes the key's 256 bytes as the exchange left them, or as a session file kept them.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 256]) -> Self {
        let bytes = Zeroizing::new(bytes);
        let [a @ .., _, _, _, _, _, _, _, _, _, _, _, _] = sha1(&[&*bytes]);
        let [_, _, _, _, _, _, _, _, _, _, _, _, b @ ..] = sha1(&[&*bytes]);
        Self {
            id: i64::from_le_bytes(b),
            aux_hash: i64::from_le_bytes(a),
            bytes,
        }
    }

    /// The key itself. Whoever copies it is in charge of wiping the copy.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 256] {
        &self.bytes
    }

    /// `auth_key_id` (also `auth_key_hash`): the last 8 bytes of the key's SHA-1, little-endian as they
    /// stand at the head of every encrypted message.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.id
    }

    /// `auth_key_aux_hash`: the first 8 bytes of the key's SHA-1, the `retry_id` after a `dh_gen_retry`.
    #[must_use]
    pub fn aux_hash(&self) -> i64 {
        self.aux_hash
    }

    /// `new_nonce_hash1`, `2` or `3` (by `n`), with which the server ends the exchange:
    /// the last 16 bytes of `SHA1(new_nonce + n + auth_key_aux_hash)`.
    #[must_use]
    pub fn new_nonce_hash(&self, new_nonce: &[u8; 32], n: u8) -> [u8; 16] {
        let [_, _, _, _, hash @ ..] = sha1(&[new_nonce, &[n], &self.aux_hash.to_le_bytes()]);
        hash
    }
}

impl PartialEq for AuthKey {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(&*self.bytes, &*other.bytes)
    }
}

impl Eq for AuthKey {}

impl fmt::Debug for AuthKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthKey")
            .field("id", &format_args!("{:016x}", self.id))
            .finish_non_exhaustive()
    }
}

/// `tmp_aes_key` and `tmp_aes_iv`, in this order: what encrypts the second half of the handshake.
#[must_use]
pub fn nonce_key_iv(server_nonce: &[u8; 16], new_nonce: &[u8; 32]) -> ([u8; 32], [u8; 32]) {
    let new_server = Zeroizing::new(sha1(&[new_nonce, server_nonce]));
    let server_new = Zeroizing::new(sha1(&[server_nonce, new_nonce]));
    let new_new = Zeroizing::new(sha1(&[new_nonce, new_nonce]));

    let mut key = [0; 32];
    key[..20].copy_from_slice(&*new_server);
    key[20..].copy_from_slice(&server_new[..12]);

    let mut iv = [0; 32];
    iv[..8].copy_from_slice(&server_new[12..]);
    iv[8..28].copy_from_slice(&*new_new);
    iv[28..].copy_from_slice(&new_nonce[..4]);
    (key, iv)
}
