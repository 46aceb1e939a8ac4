//! Encrypted messages: `auth_key_id` (8 bytes), `msg_key` (16 bytes), then AES-256-IGE.
//!
//! [`seal`] and [`open`] are MTProto 2.0 (page `mtproto/description`) and work in place on one
//! buffer; [`seal_many`] and [`open_many`] do several packets of a key at a time, which is many times as
//! fast where they are large. [`seal_v1`] and [`open_v1`] are the MTProto 1.0 form (page `mtproto/description_v1`),
//! which lives on inside `auth.bindTempAuthKey` only. What the plaintext says (salt, session,
//! lengths, padding) is for the session to check.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use crate::aes::{
    BLOCK, IgeJob, ige_decrypt, ige_decrypt_hashed, ige_decrypt_many, ige_encrypt, ige_encrypt_many,
};
use crate::sha::{sha1, sha256, sha256_of_two};
use crate::{AuthKey, SecureRandom, constant_time_eq};

/// Who sends the message. Each direction has its own keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sender {
    /// From the client to the server (`x = 0`).
    Client,
    /// From the server to the client (`x = 8`).
    Server,
}

impl Sender {
    fn x(self) -> usize {
        match self {
            Self::Client => 0,
            Self::Server => 8,
        }
    }
}

/// The bytes before the ciphertext: `auth_key_id` and `msg_key`.
pub const HEADER: usize = 24;

/// The MTProto 1.0 plaintext's own header: 16 bytes (salt and session, or random ones when binding a
/// key), `msg_id`, `seqno`, and the length of the body.
const HEADER_V1: usize = 32;

/// A packet that cannot be sealed or must not be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageError {
    /// Shorter than its header and one block.
    TooShort {
        /// The packet's length in bytes.
        len: usize,
        /// The least that it can be.
        min: usize,
    },
    /// What follows the header is not a whole number of AES blocks.
    NotBlocks {
        /// The length after the header, in bytes.
        len: usize,
    },
    /// Encrypted with another key.
    WrongAuthKey {
        /// The id of the key that was tried.
        expected: i64,
        /// The id that the packet names.
        got: i64,
    },
    /// The `msg_key` does not belong to the plaintext: forged, damaged, or from the other side.
    WrongMsgKey,
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { len, min } => {
                write!(
                    f,
                    "an encrypted message has at least {min} bytes, but {len} came"
                )
            }
            Self::NotBlocks { len } => write!(
                f,
                "the encrypted part must be a multiple of {BLOCK} bytes, but {len} came"
            ),
            Self::WrongAuthKey { expected, got } => write!(
                f,
                "the message names the auth key {got:016x}, but this session has {expected:016x}"
            ),
            Self::WrongMsgKey => f.write_str(
                "the message's msg_key does not match what was decrypted: it was damaged or forged",
            ),
        }
    }
}

impl std::error::Error for MessageError {}

/// Encrypts `packet` in place. `packet[24..]` is the plaintext with its padding (a multiple of 16
/// bytes in all, 12 to 1024 of them random padding, which is the caller's to add); the first 24 bytes
/// are written over with `auth_key_id` and `msg_key`.
///
/// # Errors
/// When the lengths do not fit; the packet is then left as it was.
pub fn seal(key: &AuthKey, from: Sender, packet: &mut [u8]) -> Result<(), MessageError> {
    let (header, data) = split(packet)?;
    let msg_key = msg_key(key, from, data);
    let (aes_key, aes_iv) = derive(key, from, &msg_key);
    encrypt(&aes_key, &aes_iv, data)?;
    header[..8].copy_from_slice(&key.id().to_le_bytes());
    header[8..].copy_from_slice(&msg_key);
    Ok(())
}

/// Decrypts `packet` in place and gives back the plaintext with its padding, after `auth_key_id` and
/// (in constant time) `msg_key` were found right. `from` is who sent it.
///
/// A transport that pads at the end (padded intermediate) must take the padding off first: what
/// follows the header has to be whole blocks.
///
/// # Errors
/// When the packet is not one of this key in this direction, to the bit. What was decrypted is then
/// wiped, so that nobody reads it by mistake.
pub fn open<'a>(
    key: &AuthKey,
    from: Sender,
    packet: &'a mut [u8],
) -> Result<&'a mut [u8], MessageError> {
    let (header, data) = split(packet)?;
    let claimed = read_header(key, header)?;
    let (aes_key, aes_iv) = derive(key, from, &claimed);
    let large = ige_decrypt_hashed(&aes_key, &aes_iv, msg_key_prefix(key, from), data)
        .map_err(|e| MessageError::NotBlocks { len: e.len })?;
    if constant_time_eq(&middle(&large), &claimed) {
        Ok(data)
    } else {
        data.zeroize();
        Err(MessageError::WrongMsgKey)
    }
}

/// Packets that are sealed or opened at a time.
const TOGETHER: usize = 16;

/// [`seal`] of several packets at a time. They may differ in length.
///
/// # Errors
/// When the length of one does not fit; all are then left as they were.
pub fn seal_many(
    key: &AuthKey,
    from: Sender,
    packets: &mut [&mut [u8]],
) -> Result<(), MessageError> {
    for packet in &mut *packets {
        split(packet)?;
    }
    for packets in packets.chunks_mut(TOGETHER) {
        if let [packet] = packets {
            return seal(key, from, packet);
        }
        let msg_keys = msg_keys(key, from, packets);
        let mut keys: [KeyIv; TOGETHER] = Default::default();
        let mut jobs = no_jobs();
        for (((packet, msg_key), keys), job) in (packets.iter_mut().zip(&msg_keys))
            .zip(&mut keys)
            .zip(&mut jobs)
        {
            let (header, data) = split(packet)?;
            header[..8].copy_from_slice(&key.id().to_le_bytes());
            header[8..].copy_from_slice(msg_key);
            *keys = derive(key, from, msg_key);
            *job = IgeJob {
                key: &keys.0,
                iv: &keys.1,
                data,
            };
        }
        ige_encrypt_many(&mut jobs[..]).map_err(|e| MessageError::NotBlocks { len: e.len })?;
    }
    Ok(())
}

/// [`open`] of several packets at a time, which may differ in length and stand each for itself: what is wrong with one is
/// no matter to the others. `each` is given what came of them, in their order.
pub fn open_many<'a>(
    key: &AuthKey,
    from: Sender,
    packets: &'a mut [&'a mut [u8]],
    mut each: impl FnMut(Result<&'a mut [u8], MessageError>),
) {
    for packets in packets.chunks_mut(TOGETHER) {
        if let [packet] = packets {
            return each(open(key, from, packet));
        }
        let mut claims = [(); TOGETHER].map(|()| Err(MessageError::WrongMsgKey));
        let mut keys: [KeyIv; TOGETHER] = Default::default();
        let mut jobs = no_jobs();
        for (((packet, claim), keys), job) in (packets.iter_mut().zip(&mut claims))
            .zip(&mut keys)
            .zip(&mut jobs)
        {
            let Ok((header, data)) = split(packet).inspect_err(|e| *claim = Err(e.clone())) else {
                continue;
            };
            *claim = read_header(key, header);
            if let Ok(msg_key) = claim {
                *keys = derive(key, from, msg_key);
                *job = IgeJob {
                    key: &keys.0,
                    iv: &keys.1,
                    data,
                };
            }
        }
        // Whole blocks: `split` found them so.
        let _ = ige_decrypt_many(&mut jobs);
        let msg_keys = msg_keys(key, from, packets);
        for ((packet, claim), msg_key) in packets.iter_mut().zip(claims).zip(&msg_keys) {
            each(claim.and_then(|claimed| {
                let (_, data) = split(packet)?;
                if constant_time_eq(msg_key, &claimed) {
                    Ok(data)
                } else {
                    data.zeroize();
                    Err(MessageError::WrongMsgKey)
                }
            }));
        }
    }
}

/// Places for jobs, each of nothing yet.
fn no_jobs<'a>() -> [IgeJob<'a>; TOGETHER] {
    std::array::from_fn(|_| IgeJob {
        key: &[0; 32],
        iv: &[0; 32],
        data: &mut [],
    })
}

/// The header and the blocks behind it.
fn split(packet: &mut [u8]) -> Result<(&mut [u8; HEADER], &mut [u8]), MessageError> {
    let len = packet.len();
    match packet.split_first_chunk_mut::<HEADER>() {
        Some((header, data)) if data.len() >= BLOCK => {
            if data.len().is_multiple_of(BLOCK) {
                Ok((header, data))
            } else {
                Err(MessageError::NotBlocks { len: data.len() })
            }
        }
        _ => Err(MessageError::TooShort {
            len,
            min: HEADER + BLOCK,
        }),
    }
}

/// The `msg_key` that a packet claims, once its `auth_key_id` is found to be ours.
fn read_header(key: &AuthKey, header: &[u8; HEADER]) -> Result<[u8; 16], MessageError> {
    let mut id = [0; 8];
    id.copy_from_slice(&header[..8]);
    let got = i64::from_le_bytes(id);
    if got != key.id() {
        return Err(MessageError::WrongAuthKey {
            expected: key.id(),
            got,
        });
    }
    let mut msg_key = [0; 16];
    msg_key.copy_from_slice(&header[8..]);
    Ok(msg_key)
}

fn encrypt(key: &[u8; 32], iv: &[u8; 32], data: &mut [u8]) -> Result<(), MessageError> {
    ige_encrypt(key, iv, data).map_err(|e| MessageError::NotBlocks { len: e.len })
}

fn decrypt(key: &[u8; 32], iv: &[u8; 32], data: &mut [u8]) -> Result<(), MessageError> {
    ige_decrypt(key, iv, data).map_err(|e| MessageError::NotBlocks { len: e.len })
}

type KeyIv = (Zeroizing<[u8; 32]>, Zeroizing<[u8; 32]>);

/// `msg_key`: the middle 128 bits of `SHA256(substr(auth_key, 88+x, 32) + plaintext + padding)`.
fn msg_key(key: &AuthKey, from: Sender, plaintext: &[u8]) -> [u8; 16] {
    middle(&sha256(&[msg_key_prefix(key, from), plaintext]))
}

/// The `msg_key` of each of these packets, by what is in them now.
fn msg_keys(key: &AuthKey, from: Sender, packets: &[&mut [u8]]) -> [[u8; 16]; TOGETHER] {
    fn plaintext(packet: &[u8]) -> &[u8] {
        packet.get(HEADER..).unwrap_or_default()
    }
    let mut msg_keys = [[0; 16]; TOGETHER];
    for (packets, msg_keys) in packets.chunks(2).zip(msg_keys.chunks_mut(2)) {
        match (packets, msg_keys) {
            ([one, other], [first, second]) => {
                let messages = [plaintext(one), plaintext(other)];
                let hashes = sha256_of_two(msg_key_prefix(key, from), messages);
                [*first, *second] = [middle(&hashes[0]), middle(&hashes[1])];
            }
            ([packet], [msg_key, ..]) => *msg_key = self::msg_key(key, from, plaintext(packet)),
            _ => {}
        }
    }
    msg_keys
}

/// `substr(auth_key, 88+x, 32)`
fn msg_key_prefix(key: &AuthKey, from: Sender) -> &[u8; 32] {
    let (prefix, _) = key.as_bytes()[88 + from.x()..]
        .split_first_chunk()
        .expect("88 + 8 + 32 bytes are within 256");
    prefix
}

fn middle(large: &[u8; 32]) -> [u8; 16] {
    std::array::from_fn(|at| large[8 + at])
}

/// `aes_key` and `aes_iv` of MTProto 2.0.
fn derive(key: &AuthKey, from: Sender, msg_key: &[u8; 16]) -> KeyIv {
    let x = from.x();
    let auth_key = key.as_bytes();
    let a = Zeroizing::new(sha256(&[msg_key, &auth_key[x..36 + x]]));
    let b = Zeroizing::new(sha256(&[&auth_key[40 + x..76 + x], msg_key]));

    let mut aes_key = Zeroizing::new([0; 32]);
    aes_key[..8].copy_from_slice(&a[..8]);
    aes_key[8..24].copy_from_slice(&b[8..24]);
    aes_key[24..].copy_from_slice(&a[24..]);

    let mut aes_iv = Zeroizing::new([0; 32]);
    aes_iv[..8].copy_from_slice(&b[..8]);
    aes_iv[8..24].copy_from_slice(&a[8..24]);
    aes_iv[24..].copy_from_slice(&b[24..]);
    (aes_key, aes_iv)
}

/// Seals `plaintext` in the MTProto 1.0 form, as from a client: the `encrypted_message` of
/// `auth.bindTempAuthKey`, with the permanent key. Draws 0 to 15 bytes of padding from `rng`.
///
/// `plaintext` is 16 random bytes, `msg_id`, `seqno`, the body's length (4 bytes, little-endian) and
/// the body; [`open_v1`] finds the end of it by that length.
#[must_use]
pub fn seal_v1(key: &AuthKey, plaintext: &[u8], rng: &mut dyn SecureRandom) -> Vec<u8> {
    let msg_key = msg_key_v1(plaintext);
    let (aes_key, aes_iv) = derive_v1(key, &msg_key);

    let padded = plaintext.len().next_multiple_of(BLOCK);
    let mut packet = Vec::with_capacity(HEADER + padded);
    packet.extend_from_slice(&key.id().to_le_bytes());
    packet.extend_from_slice(&msg_key);
    packet.extend_from_slice(plaintext);
    packet.resize(HEADER + padded, 0);
    rng.fill(&mut packet[HEADER + plaintext.len()..]);
    let sealed = ige_encrypt(&aes_key, &aes_iv, &mut packet[HEADER..]);
    debug_assert!(sealed.is_ok(), "the length was rounded up to whole blocks");
    packet
}

/// Opens a packet of the MTProto 1.0 form, sent by a client, and gives back the plaintext without its padding.
///
/// In this form `msg_key` does not cover the padding, so the length inside has to be believed before
/// it is proven; it is bounded by the packet, and every failure behind the header is the same error.
///
/// # Errors
/// When the packet is not one of this key.
pub fn open_v1(key: &AuthKey, packet: &[u8]) -> Result<Vec<u8>, MessageError> {
    let mut packet = Zeroizing::new(packet.to_vec());
    let (header, data) = split(&mut packet)?;
    let claimed = read_header(key, header)?;
    let (aes_key, aes_iv) = derive_v1(key, &claimed);
    decrypt(&aes_key, &aes_iv, data)?;

    let body = data
        .get(HEADER_V1 - 4..HEADER_V1)
        .and_then(|bytes| bytes.try_into().ok())
        .map(u32::from_le_bytes)
        .and_then(|len| usize::try_from(len).ok());
    let plaintext = body
        .and_then(|body| body.checked_add(HEADER_V1))
        .filter(|len| data.len().checked_sub(*len).is_some_and(|pad| pad < BLOCK))
        .and_then(|len| data.get(..len))
        .ok_or(MessageError::WrongMsgKey)?;
    if constant_time_eq(&msg_key_v1(plaintext), &claimed) {
        Ok(plaintext.to_vec())
    } else {
        Err(MessageError::WrongMsgKey)
    }
}

/// MTProto 1.0: the last 128 bits of the SHA-1 of the plaintext without padding.
fn msg_key_v1(plaintext: &[u8]) -> [u8; 16] {
    let [_, _, _, _, msg_key @ ..] = sha1(&[plaintext]);
    msg_key
}

/// `aes_key` and `aes_iv` of MTProto 1.0, client to server (`x = 0`).
fn derive_v1(key: &AuthKey, msg_key: &[u8; 16]) -> KeyIv {
    let auth_key = key.as_bytes();
    let a = Zeroizing::new(sha1(&[msg_key, &auth_key[..32]]));
    let b = Zeroizing::new(sha1(&[&auth_key[32..48], msg_key, &auth_key[48..64]]));
    let c = Zeroizing::new(sha1(&[&auth_key[64..96], msg_key]));
    let d = Zeroizing::new(sha1(&[msg_key, &auth_key[96..128]]));

    let mut aes_key = Zeroizing::new([0; 32]);
    aes_key[..8].copy_from_slice(&a[..8]);
    aes_key[8..20].copy_from_slice(&b[8..]);
    aes_key[20..].copy_from_slice(&c[4..16]);

    let mut aes_iv = Zeroizing::new([0; 32]);
    aes_iv[..12].copy_from_slice(&a[8..]);
    aes_iv[12..20].copy_from_slice(&b[..8]);
    aes_iv[20..24].copy_from_slice(&c[16..]);
    aes_iv[24..].copy_from_slice(&d[..8]);
    (aes_key, aes_iv)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        assert_eq!(hex.len(), 2 * N);
        std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
    }

    /// From mtcute's tests (MIT), `packages/core/src/utils/crypto/mtproto.test.ts`.
    #[test]
    fn keys_and_vectors_match_published_ones() {
        let chunk: [u8; 32] =
            bytes("98cb29c6ffa89e79da695a54f572e6cb101e81c688b63a4bf73c3622dec230e0");
        let key = AuthKey::from_bytes(std::array::from_fn(|i| chunk[i % 32]));
        let msg_key = bytes("25d701f2a29205526757825a99eb2d32");
        for ((aes_key, aes_iv), expected_key, expected_iv) in [
            (
                derive(&key, Sender::Client, &msg_key),
                "af3f8e1ffa75f4c981eec33a3e5bbaa2ea48f9bb93e91597627eb1f67960a0c9",
                "9874d77f95155b35221bff94b7df4594c6996e2a62e44fcb7d93c8c4e41b79ee",
            ),
            (
                derive(&key, Sender::Server, &msg_key),
                "d4b378e1e0525f10ff9d4c42807ccce5b30a033a8088c0b922b5259421751648",
                "4d7194f42f0135d2fd83050b403265b4c40ee3e9e9fba56f0f4d8ea6bcb121f5",
            ),
            (
                derive_v1(&key, &msg_key),
                "1fc7b40b1d9ffbdaf4d652525a748864259698f89214abf27c0d36cb9d4cd5db",
                "7251fbda39ec5e6e089f15ded5963b03d6d8d0f7078898431fc7b40b1d9ffbda",
            ),
        ] {
            assert_eq!(*aes_key, bytes(expected_key));
            assert_eq!(*aes_iv, bytes(expected_iv));
        }
    }

    /// Packets of these lengths of plaintext, sealed one by one.
    fn sealed(key: &AuthKey, lengths: &[usize]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let mut rng = fastrand::Rng::with_seed(11);
        let plain: Vec<Vec<u8>> = lengths
            .iter()
            .map(|len| (0..HEADER + len).map(|_| rng.u8(..)).collect())
            .collect();
        let sealed = plain.iter().cloned().map(|mut packet| {
            seal(key, Sender::Server, &mut packet).unwrap();
            packet
        });
        (plain.clone(), sealed.collect())
    }

    #[test]
    fn many_packets_are_what_they_are_one_by_one() {
        let key = AuthKey::from_bytes([5; 256]);
        for count in [0, 1, 2, 5, 16, 17, 40] {
            let lengths: Vec<usize> = (0..count).map(|n| 16 * (1 + n * n * 7 % 90)).collect();
            let (mut plain, mut one_by_one) = sealed(&key, &lengths);
            let wanted: Vec<Vec<u8>> = plain.iter().map(|p| p[HEADER..].to_vec()).collect();
            let mut packets: Vec<&mut [u8]> = plain.iter_mut().map(Vec::as_mut_slice).collect();
            seal_many(&key, Sender::Server, &mut packets).unwrap();
            assert_eq!(plain, one_by_one, "{count}");
            let mut packets: Vec<&mut [u8]> =
                one_by_one.iter_mut().map(Vec::as_mut_slice).collect();
            let mut opened = Vec::new();
            open_many(&key, Sender::Server, &mut packets, |result| {
                opened.push(result.unwrap().to_vec());
            });
            assert_eq!(opened, wanted, "{count}");
        }
    }

    #[test]
    fn a_bad_packet_among_many_is_no_matter_to_the_others() {
        let key = AuthKey::from_bytes([5; 256]);
        let (plain, mut packets) = sealed(&key, &[64, 512, 128, 4096, 96, 160, 256]);
        packets[1][HEADER + 100] ^= 1;
        packets[2].truncate(HEADER + 20);
        packets[4][0] ^= 1;
        packets[5].truncate(HEADER);
        let mut slices: Vec<&mut [u8]> = packets.iter_mut().map(Vec::as_mut_slice).collect();
        let mut results = Vec::new();
        open_many(&key, Sender::Server, &mut slices, |result| {
            results.push(result.map(|plain| plain.to_vec()));
        });
        let ok = |n: usize| Ok(plain[n][HEADER..].to_vec());
        assert_eq!(results[1], Err(MessageError::WrongMsgKey));
        assert_eq!(results[2], Err(MessageError::NotBlocks { len: 20 }));
        assert!(matches!(results[4], Err(MessageError::WrongAuthKey { .. })));
        assert!(matches!(results[5], Err(MessageError::TooShort { .. })));
        assert_eq!(
            [&results[0], &results[3], &results[6]],
            [&ok(0), &ok(3), &ok(6)]
        );
        assert!(
            packets[1][HEADER..].iter().all(|byte| *byte == 0),
            "what was forged is wiped"
        );

        // One that cannot be sealed leaves all as they were.
        let mut plain = [vec![1; HEADER + 32], vec![2; HEADER + 33]];
        let before = plain.clone();
        let mut slices: Vec<&mut [u8]> = plain.iter_mut().map(Vec::as_mut_slice).collect();
        let error = seal_many(&key, Sender::Client, &mut slices).unwrap_err();
        assert_eq!(error, MessageError::NotBlocks { len: 33 });
        assert_eq!(plain, before);
    }

    #[test]
    fn the_first_version_takes_less_than_a_block_of_padding_and_no_more() {
        let key = AuthKey::from_bytes([3; 256]);
        let mut plaintext = vec![9; HEADER_V1 + 40];
        plaintext[28..32].copy_from_slice(&40u32.to_le_bytes());
        let msg_key = msg_key_v1(&plaintext);
        let (aes_key, aes_iv) = derive_v1(&key, &msg_key);
        for (padding, opens) in [(8, true), (24, false), (8 + 16 * 100, false)] {
            let mut data = plaintext.clone();
            data.resize(plaintext.len() + padding, 0);
            encrypt(&aes_key, &aes_iv, &mut data).unwrap();
            let packet = [&key.id().to_le_bytes()[..], &msg_key, &data].concat();
            assert_eq!(open_v1(&key, &packet).is_ok(), opens, "{padding}");
        }
    }
}
