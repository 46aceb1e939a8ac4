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

/// SHA-256 block by block, for who has something else to do between two blocks.
#[cfg(target_arch = "x86_64")]
pub(crate) struct Sha256Blocks([u32; 8]);

#[cfg(target_arch = "x86_64")]
impl Sha256Blocks {
    /// FIPS 180-4, 5.3.3.
    pub(crate) fn new() -> Self {
        Self([
            0x6a09_e667,
            0xbb67_ae85,
            0x3c6e_f372,
            0xa54f_f53a,
            0x510e_527f,
            0x9b05_688c,
            0x1f83_d9ab,
            0x5be0_cd19,
        ])
    }

    pub(crate) fn update(&mut self, block: &[u8; 64]) {
        sha2::block_api::compress256(&mut self.0, std::slice::from_ref(block));
    }

    /// The hash, after the last bytes, fewer than a block; `len` counts all that there were.
    pub(crate) fn finish(mut self, tail: &[u8], len: usize) -> [u8; 32] {
        let mut end = Zeroizing::new([[0; 64]; 2]);
        let bits = u64::try_from(len).unwrap_or(u64::MAX).wrapping_mul(8);
        let blocks = if tail.len() < 56 { 1 } else { 2 };
        let bytes = end[..blocks].as_flattened_mut();
        bytes[..tail.len()].copy_from_slice(tail);
        bytes[tail.len()] = 0x80;
        let place = bytes.len() - 8;
        bytes[place..].copy_from_slice(&bits.to_be_bytes());
        sha2::block_api::compress256(&mut self.0, &end[..blocks]);
        let mut hash = [0; 32];
        for (bytes, word) in hash.chunks_mut(4).zip(self.0) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        hash
    }
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
    use super::hmac_sha256;

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
