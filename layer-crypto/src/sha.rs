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
