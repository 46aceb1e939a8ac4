//! AES-256 in the two modes that MTProto uses: IGE for messages and for the handshake, CTR for the
//! obfuscation of transports. The block cipher is the `aes` crate's (constant time: processor
//! instructions where there are any, bit slicing elsewhere); the IGE mode is ours.

use std::fmt;

use aes::cipher::{
    Array, BlockCipherDecBackend, BlockCipherDecClosure, BlockCipherDecrypt, BlockCipherEncBackend,
    BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, KeyInit, KeyIvInit, StreamCipher,
    consts::U16,
};
use aes::{Aes256, Aes256Dec, Aes256Enc};

/// The size of an AES block in bytes.
pub const BLOCK: usize = 16;

/// The data given to [`ige_encrypt`] or [`ige_decrypt`] is not a whole number of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthError {
    /// The length that came, in bytes.
    pub len: usize,
}

impl fmt::Display for LengthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "AES-IGE works on whole blocks of {BLOCK} bytes, but {} bytes came",
            self.len
        )
    }
}

impl std::error::Error for LengthError {}

/// Encrypts `data` in place with AES-256-IGE.
///
/// The first half of `iv` stands for the ciphertext block before the first one, the second half for
/// the plaintext block before it (as in OpenSSL and in all of Telegram's documentation).
///
/// # Errors
/// When `data` is not a multiple of 16 bytes; it is then left as it was. No bytes at all are fine.
pub fn ige_encrypt(key: &[u8; 32], iv: &[u8; 32], data: &mut [u8]) -> Result<(), LengthError> {
    let (blocks, before) = split(iv, data)?;
    Aes256Enc::new(&Array(*key)).encrypt_with_backend(Encrypt { blocks, before });
    Ok(())
}

/// Decrypts `data` in place with AES-256-IGE; the inverse of [`ige_encrypt`].
///
/// IGE does not authenticate: whoever decrypts must compare a hash before believing a byte.
///
/// # Errors
/// When `data` is not a multiple of 16 bytes; it is then left as it was.
pub fn ige_decrypt(key: &[u8; 32], iv: &[u8; 32], data: &mut [u8]) -> Result<(), LengthError> {
    let (blocks, before) = split(iv, data)?;
    Aes256Dec::new(&Array(*key)).decrypt_with_backend(Decrypt { blocks, before });
    Ok(())
}

/// The blocks before the first: ciphertext and plaintext.
struct Before {
    cipher: [u8; BLOCK],
    plain: [u8; BLOCK],
}

#[inline]
fn split<'a>(
    iv: &[u8; 32],
    data: &'a mut [u8],
) -> Result<(&'a mut [[u8; BLOCK]], Before), LengthError> {
    let len = data.len();
    let (blocks, []) = data.as_chunks_mut::<BLOCK>() else {
        return Err(LengthError { len });
    };
    let mut before = Before {
        cipher: [0; BLOCK],
        plain: [0; BLOCK],
    };
    before.cipher.copy_from_slice(&iv[..BLOCK]);
    before.plain.copy_from_slice(&iv[BLOCK..]);
    Ok((blocks, before))
}

/// The loops run inside the cipher's backend, so that the choice of the backend is made once a call
/// and not once a block, and the round keys stay in registers.
struct Encrypt<'a> {
    blocks: &'a mut [[u8; BLOCK]],
    before: Before,
}

impl BlockSizeUser for Encrypt<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Encrypt<'_> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let mut cipher = u128::from_ne_bytes(self.before.cipher);
        let mut plain = u128::from_ne_bytes(self.before.plain);
        for block in self.blocks {
            let input = u128::from_ne_bytes(*block);
            let mut state = Array((input ^ cipher).to_ne_bytes());
            backend.encrypt_block_inplace(&mut state);
            cipher = u128::from_ne_bytes(state.0) ^ plain;
            plain = input;
            *block = cipher.to_ne_bytes();
        }
    }
}

struct Decrypt<'a> {
    blocks: &'a mut [[u8; BLOCK]],
    before: Before,
}

impl BlockSizeUser for Decrypt<'_> {
    type BlockSize = U16;
}

impl BlockCipherDecClosure for Decrypt<'_> {
    #[inline(always)]
    fn call<B: BlockCipherDecBackend<BlockSize = U16>>(self, backend: &B) {
        let mut cipher = u128::from_ne_bytes(self.before.cipher);
        let mut plain = u128::from_ne_bytes(self.before.plain);
        for block in self.blocks {
            let input = u128::from_ne_bytes(*block);
            let mut state = Array((input ^ plain).to_ne_bytes());
            backend.decrypt_block_inplace(&mut state);
            plain = u128::from_ne_bytes(state.0) ^ cipher;
            cipher = input;
            *block = plain.to_ne_bytes();
        }
    }
}

/// AES-256-CTR with a 128-bit big-endian counter. One value is one direction of one connection: it
/// keeps its place in the key stream from call to call, at any split. Encryption and decryption are
/// the same operation. The key is wiped on drop and never printed.
pub struct AesCtr(ctr::Ctr128BE<Aes256>);

impl AesCtr {
    /// Begins a key stream; `iv` is the counter's first value.
    #[must_use]
    pub fn new(key: &[u8; 32], iv: &[u8; 16]) -> Self {
        Self(ctr::Ctr128BE::new(&Array(*key), &Array(*iv)))
    }

    /// Encrypts or decrypts the next `data.len()` bytes of the stream in place.
    pub fn apply(&mut self, data: &mut [u8]) {
        self.0.apply_keystream(data);
    }
}

impl fmt::Debug for AesCtr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AesCtr").finish_non_exhaustive()
    }
}
