//! AES-256 in the two modes that MTProto uses: IGE for messages and for the handshake, CTR for the
//! obfuscation of transports.
//!
//! In IGE each block waits for the one before it, in both directions, so that one message can go no faster than
//! the processor's AES instructions take one after the other. Several messages can: [`ige_encrypt_many`] and
//! [`ige_decrypt_many`] do up to sixteen at a time.
//!
//! Which instructions there are is found out at run time. With none of those that are known here it is the `aes`
//! crate's block cipher (constant time as well: bit slicing, no tables). The IGE mode is ours in every case.

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) mod lanes;
mod portable;

use std::fmt;

#[cfg(target_arch = "aarch64")]
use crate::aarch64::Aes;
#[cfg(target_arch = "x86_64")]
use crate::x86_64::Aes;

use aes::Aes256;
use aes::cipher::{Array, KeyIvInit, StreamCipher};

/// The size of an AES block in bytes.
pub const BLOCK: usize = 16;

pub(crate) type Block = [u8; BLOCK];

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
    let blocks = whole_blocks(data)?;
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    if let Some(aes) = Aes::new() {
        aes.encrypt(key, iv, blocks);
        return Ok(());
    }
    portable::encrypt(key, iv, blocks);
    Ok(())
}

/// Decrypts `data` in place with AES-256-IGE; the inverse of [`ige_encrypt`].
///
/// IGE does not authenticate: whoever decrypts must compare a hash before believing a byte.
///
/// # Errors
/// When `data` is not a multiple of 16 bytes; it is then left as it was.
pub fn ige_decrypt(key: &[u8; 32], iv: &[u8; 32], data: &mut [u8]) -> Result<(), LengthError> {
    let blocks = whole_blocks(data)?;
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    if let Some(aes) = Aes::new() {
        aes.decrypt(key, iv, blocks);
        return Ok(());
    }
    portable::decrypt(key, iv, blocks);
    Ok(())
}

/// Data that is to be encrypted or decrypted in place, with its own key and vector, beside others.
pub struct IgeJob<'a> {
    /// The AES key.
    pub key: &'a [u8; 32],
    /// The vector, as [`ige_encrypt`] has it.
    pub iv: &'a [u8; 32],
    /// A whole number of blocks.
    pub data: &'a mut [u8],
}

impl fmt::Debug for IgeJob<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IgeJob")
            .field("len", &self.data.len())
            .finish_non_exhaustive()
    }
}

/// [`ige_encrypt`] of several messages at a time, many times as fast as one after the other where the
/// processor can. They may differ in length.
///
/// # Errors
/// When one of them is not a multiple of 16 bytes; all are then left as they were.
pub fn ige_encrypt_many(jobs: &mut [IgeJob<'_>]) -> Result<(), LengthError> {
    check(jobs)?;
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    if let Some(aes) = Aes::new() {
        aes.encrypt_many(jobs);
        return Ok(());
    }
    jobs.iter_mut()
        .try_for_each(|job| ige_encrypt(job.key, job.iv, job.data))
}

/// [`ige_decrypt`] of several messages at a time; see [`ige_encrypt_many`].
///
/// # Errors
/// When one of them is not a multiple of 16 bytes; all are then left as they were.
pub fn ige_decrypt_many(jobs: &mut [IgeJob<'_>]) -> Result<(), LengthError> {
    check(jobs)?;
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    if let Some(aes) = Aes::new() {
        aes.decrypt_many(jobs);
        return Ok(());
    }
    jobs.iter_mut()
        .try_for_each(|job| ige_decrypt(job.key, job.iv, job.data))
}

fn check(jobs: &[IgeJob<'_>]) -> Result<(), LengthError> {
    let mut lengths = jobs.iter().map(|job| job.data.len());
    match lengths.find(|len| !len.is_multiple_of(BLOCK)) {
        Some(len) => Err(LengthError { len }),
        None => Ok(()),
    }
}

/// [`ige_decrypt`], and SHA-256 of `prefix` and what was decrypted. Both at the same time where the processor can:
/// while a block of one waits for the one before it, there is time for the other.
pub(crate) fn ige_decrypt_hashed(
    key: &[u8; 32],
    iv: &[u8; 32],
    prefix: &[u8; 32],
    data: &mut [u8],
) -> Result<[u8; 32], LengthError> {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    if let Some(aes) = Aes::new()
        && let Some(hash) = aes.decrypt_hashed(key, iv, prefix, whole_blocks(data)?)
    {
        return Ok(hash);
    }
    ige_decrypt(key, iv, data)?;
    Ok(crate::sha::sha256(&[prefix, data]))
}

fn whole_blocks(data: &mut [u8]) -> Result<&mut [Block], LengthError> {
    let len = data.len();
    match data.as_chunks_mut::<BLOCK>() {
        (blocks, []) => Ok(blocks),
        _ => Err(LengthError { len }),
    }
}

/// What stands for the ciphertext and the plaintext before the first block.
pub(crate) fn halves(iv: &[u8; 32]) -> (Block, Block) {
    let (mut cipher, mut plain) = ([0; BLOCK], [0; BLOCK]);
    cipher.copy_from_slice(&iv[..BLOCK]);
    plain.copy_from_slice(&iv[BLOCK..]);
    (cipher, plain)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;
    use crate::sha::sha256;

    /// Every way that this processor has, by what it takes at a time.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    fn ways() -> Vec<Aes> {
        Aes::new().map_or_else(Vec::new, Aes::ways)
    }

    struct Message {
        key: [u8; 32],
        iv: [u8; 32],
        data: Vec<u8>,
    }

    impl Message {
        fn new(rng: &mut fastrand::Rng, blocks: usize) -> Self {
            Self {
                key: std::array::from_fn(|_| rng.u8(..)),
                iv: std::array::from_fn(|_| rng.u8(..)),
                data: (0..blocks * BLOCK).map(|_| rng.u8(..)).collect(),
            }
        }

        fn job(&mut self) -> IgeJob<'_> {
            IgeJob {
                key: &self.key,
                iv: &self.iv,
                data: &mut self.data,
            }
        }

        /// What the portable way makes of it.
        fn portable(&self, decrypt: bool) -> Vec<u8> {
            let mut data = self.data.clone();
            let blocks = whole_blocks(&mut data).unwrap();
            if decrypt {
                portable::decrypt(&self.key, &self.iv, blocks);
            } else {
                portable::encrypt(&self.key, &self.iv, blocks);
            }
            data
        }
    }

    fn rng() -> fastrand::Rng {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        fastrand::Rng::with_seed(seed)
    }

    /// Miri takes a second for what takes a millisecond elsewhere.
    const RUNS: usize = if cfg!(miri) { 2 } else { 300 };
    const MESSAGES: usize = if cfg!(miri) { 4 } else { 40 };
    const BLOCKS: usize = if cfg!(miri) { 10 } else { 60 };

    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    #[test]
    fn one_message_comes_out_the_same_by_every_way() {
        let mut rng = rng();
        for aes in ways() {
            for blocks in 0..RUNS.min(70) {
                let mut message = Message::new(&mut rng, blocks);
                let expected = message.portable(false);
                let blocks = whole_blocks(&mut message.data).unwrap();
                aes.encrypt(&message.key, &message.iv, blocks);
                assert_eq!(message.data, expected);
                let expected = message.portable(true);
                let blocks = whole_blocks(&mut message.data).unwrap();
                aes.decrypt(&message.key, &message.iv, blocks);
                assert_eq!(message.data, expected);
            }
        }
    }

    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    #[test]
    fn many_messages_come_out_the_same_by_every_way() {
        let mut rng = rng();
        for aes in ways() {
            for _ in 0..RUNS {
                let count = rng.usize(0..MESSAGES);
                let equal = rng.bool().then(|| rng.usize(0..BLOCKS));
                let mut messages: Vec<_> = (0..count)
                    .map(|_| {
                        let blocks = equal.unwrap_or_else(|| rng.usize(0..BLOCKS));
                        Message::new(&mut rng, blocks)
                    })
                    .collect();
                for decrypt in [false, true] {
                    let expected: Vec<_> = messages.iter().map(|m| m.portable(decrypt)).collect();
                    let mut jobs: Vec<_> = messages.iter_mut().map(Message::job).collect();
                    if decrypt {
                        aes.decrypt_many(&mut jobs);
                    } else {
                        aes.encrypt_many(&mut jobs);
                    }
                    for (message, expected) in messages.iter().zip(expected) {
                        assert_eq!(message.data, expected, "{count} of {equal:?}");
                    }
                }
            }
        }
    }

    /// So long that some of them are let go ahead of others.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    #[cfg_attr(miri, ignore = "it would take an hour")]
    #[test]
    fn many_long_messages_come_out_the_same_by_every_way() {
        let mut rng = rng();
        for aes in ways() {
            for count in [8, 9, 12, 13, 16, 20] {
                let mut messages: Vec<_> = (0..count)
                    .map(|n| Message::new(&mut rng, if n % 5 == 4 { 3001 } else { 2600 }))
                    .collect();
                let expected: Vec<_> = messages.iter().map(|m| m.portable(true)).collect();
                let mut jobs: Vec<_> = messages.iter_mut().map(Message::job).collect();
                aes.decrypt_many(&mut jobs);
                for (message, expected) in messages.iter().zip(expected) {
                    assert!(message.data == expected, "{count}");
                }
            }
        }
    }

    #[test]
    fn the_hash_is_that_of_the_prefix_and_of_what_was_decrypted() {
        let mut rng = rng();
        for blocks in 0..RUNS.min(40) {
            let mut message = Message::new(&mut rng, blocks);
            let prefix: [u8; 32] = std::array::from_fn(|_| rng.u8(..));
            let expected = message.portable(true);
            let hash = ige_decrypt_hashed(&message.key, &message.iv, &prefix, &mut message.data);
            assert_eq!(message.data, expected, "{blocks} blocks");
            assert_eq!(hash, Ok(sha256(&[&prefix, &expected])), "{blocks} blocks");
        }
    }

    #[test]
    fn one_message_that_is_not_whole_leaves_all_as_they_were() {
        let mut rng = rng();
        let mut messages = [3, 5, 7].map(|blocks| Message::new(&mut rng, blocks));
        messages[1].data.pop();
        let before: Vec<_> = messages.iter().map(|m| m.data.clone()).collect();
        let error = Err(LengthError { len: 79 });
        let mut jobs: Vec<_> = messages.iter_mut().map(Message::job).collect();
        assert_eq!(ige_encrypt_many(&mut jobs), error);
        assert_eq!(ige_decrypt_many(&mut jobs), error);
        let after: Vec<_> = messages.iter().map(|m| m.data.clone()).collect();
        assert_eq!(after, before);
    }

    #[test]
    fn many_messages_are_decrypted_to_what_was_encrypted() {
        let mut rng = rng();
        let mut messages: Vec<_> = (0..MESSAGES).map(|n| Message::new(&mut rng, n)).collect();
        let before: Vec<_> = messages.iter().map(|m| m.data.clone()).collect();
        let mut jobs: Vec<_> = messages.iter_mut().map(Message::job).collect();
        ige_encrypt_many(&mut jobs).unwrap();
        ige_decrypt_many(&mut jobs).unwrap();
        let after: Vec<_> = messages.iter().map(|m| m.data.clone()).collect();
        assert_eq!(after, before);
    }
}
