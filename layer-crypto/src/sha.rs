//! SHA-1, SHA-256 and HMAC-SHA256 over a list of parts, so that callers need not concatenate.

use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use zeroize::Zeroizing;

/// SHA-1 of all parts, one after the other.
#[must_use]
pub fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut hasher = Sha1::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// SHA-256 of all parts, one after the other.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// SHA-256 of two messages that begin with the same: at a time, where the processor can, which is up to twice as fast.
pub(crate) fn sha256_of_two(prefix: &[u8; 32], messages: [&[u8]; 2]) -> [[u8; 32]; 2] {
    #[cfg(target_arch = "x86_64")]
    if let Some(hashes) = crate::x86_64::of_two(prefix, messages) {
        return hashes;
    }
    messages.map(|message| sha256(&[prefix, message]))
}

/// FIPS 180-4, 5.3.3: what SHA-256 begins with.
#[cfg(target_arch = "x86_64")]
pub(crate) const BEGIN: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// FIPS 180-4, 4.2.2: the constants of the rounds, for four at a time.
#[cfg(target_arch = "x86_64")]
pub(crate) const ROUNDS: [[u32; 4]; 16] = [
    [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5],
    [0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5],
    [0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3],
    [0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
    [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc],
    [0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da],
    [0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7],
    [0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
    [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13],
    [0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85],
    [0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3],
    [0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
    [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5],
    [0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3],
    [0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208],
    [0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
];

/// One block of SHA-256.
#[cfg(target_arch = "x86_64")]
pub(crate) fn compress(mut state: [u32; 8], block: &[u8; 64]) -> [u32; 8] {
    sha2::block_api::compress256(&mut state, std::slice::from_ref(block));
    state
}

/// The hash, after the last bytes, at most a block; `len` counts all that there were.
#[cfg(target_arch = "x86_64")]
pub(crate) fn finish(mut state: [u32; 8], tail: &[u8], len: usize) -> [u8; 32] {
    let mut end = Zeroizing::new([[0; 64]; 2]);
    let bits = u64::try_from(len).unwrap_or(u64::MAX).wrapping_mul(8);
    let blocks = if tail.len() < 56 { 1 } else { 2 };
    let bytes = end[..blocks].as_flattened_mut();
    bytes[..tail.len()].copy_from_slice(tail);
    bytes[tail.len()] = 0x80;
    let place = bytes.len() - 8;
    bytes[place..].copy_from_slice(&bits.to_be_bytes());
    sha2::block_api::compress256(&mut state, &end[..blocks]);
    let mut hash = [0; 32];
    for (bytes, word) in hash.chunks_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    hash
}

/// HMAC-SHA256 of all parts, one after the other, with a key of 16 bytes: the form in which an MTProxy's secret
/// vouches for a TLS hello.
#[must_use]
pub fn hmac_sha256(key: &[u8; 16], parts: &[&[u8]]) -> [u8; 32] {
    // A key shorter than the hash's block is padded with zeros to the block (RFC 2104).
    let mut block = Zeroizing::new([0; 64]);
    block[..16].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::{hmac_sha256, sha256, sha256_of_two};

    #[test]
    fn two_at_a_time_have_the_hashes_that_each_has_alone() {
        let prefix = std::array::from_fn(|at| u8::try_from(at * 7).unwrap());
        let bytes: Vec<u8> = (0..1000_u32).map(|at| at.to_le_bytes()[0] ^ 0x5a).collect();
        let lengths = [0, 1, 31, 32, 33, 87, 88, 95, 96, 97, 160, 500, 1000];
        for first in lengths {
            for second in lengths {
                let messages = [&bytes[..first], &bytes[1000 - second..]];
                let alone = messages.map(|message| sha256(&[&prefix, message]));
                assert_eq!(sha256_of_two(&prefix, messages), alone, "{first}, {second}");
            }
        }
    }

    /// Of RFC 4231 the cases with keys of up to 16 bytes: a shorter key is the same as one padded with zeros.
    #[test]
    fn hmac_sha256_of_rfc_4231() {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let mut key = [0; 16];
        key[..4].copy_from_slice(b"Jefe");
        assert_eq!(
            hex(&hmac_sha256(&key, &[b"what do ya want ", b"for nothing?"])),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_ne!(
            hmac_sha256(&[1; 16], &[b"a"]),
            hmac_sha256(&[2; 16], &[b"a"])
        );
    }
}
