//! The two messages of the exchange that are encrypted with new_nonce: `SHA1(data) + data + padding`.

use layer_crypto::aes::{ige_decrypt, ige_encrypt};
use layer_crypto::sha::sha1;
use layer_crypto::{SecureRandom, constant_time_eq, nonce_key_iv};

use super::HandshakeErrorKind;

const HASH: usize = 20;
const BLOCK: usize = 16;

/// Encrypts `data`; the padding is 0 to 15 random bytes.
pub(super) fn seal(
    data: &[u8],
    server_nonce: &[u8; 16],
    new_nonce: &[u8; 32],
    rng: &mut dyn SecureRandom,
) -> Vec<u8> {
    let mut sealed = sha1(&[data]).to_vec();
    sealed.extend_from_slice(data);
    let unpadded = sealed.len();
    sealed.resize(unpadded.next_multiple_of(BLOCK), 0);
    rng.fill(&mut sealed[unpadded..]);
    let (key, iv) = nonce_key_iv(server_nonce, new_nonce);
    // Whole blocks, by the line above.
    let _ = ige_encrypt(&key, &iv, &mut sealed);
    sealed
}

/// Decrypts and verifies; what is returned is exactly the data that was hashed.
pub(super) fn open(
    sealed: &[u8],
    server_nonce: &[u8; 16],
    new_nonce: &[u8; 32],
) -> Result<Vec<u8>, HandshakeErrorKind> {
    let length = sealed.len();
    let wrong_length = HandshakeErrorKind::EncryptedLength { length };
    // The longest of them has about 600 bytes.
    if !(HASH + 4..=4096).contains(&length) || !length.is_multiple_of(BLOCK) {
        return Err(wrong_length);
    }
    let mut data = sealed.to_vec();
    let (key, iv) = nonce_key_iv(server_nonce, new_nonce);
    ige_decrypt(&key, &iv, &mut data).map_err(|_| wrong_length)?;
    let body = data.split_off(HASH);
    // Nothing says how long the padding is but the hash, and nothing is parsed before the hash is right.
    let found = (0..BLOCK)
        .filter_map(|padding| body.len().checked_sub(padding))
        .find(|end| constant_time_eq(&sha1(&[&body[..*end]]), &data));
    match found {
        Some(end) => Ok(body[..end].to_vec()),
        None => Err(HandshakeErrorKind::EncryptedHash),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Zero;
    impl SecureRandom for Zero {
        fn fill(&mut self, dest: &mut [u8]) {
            dest.fill(0);
        }
    }

    #[test]
    fn every_length_comes_back() {
        for length in 4..100 {
            let data: Vec<u8> = (0..length).collect();
            let sealed = seal(&data, &[1; 16], &[2; 32], &mut Zero);
            assert_eq!(open(&sealed, &[1; 16], &[2; 32]), Ok(data));
        }
    }

    #[test]
    fn short_and_malformed_answers_are_errors() {
        let open = |sealed: &[u8]| open(sealed, &[1; 16], &[2; 32]);
        for length in (0..24).chain([33, 4097, 5008]) {
            let expected = HandshakeErrorKind::EncryptedLength { length };
            assert_eq!(open(&vec![0; length]), Err(expected));
        }
        assert_eq!(open(&[0; 32]), Err(HandshakeErrorKind::EncryptedHash));
    }

    #[test]
    fn more_than_fifteen_bytes_of_padding_are_refused() {
        let mut sealed = sha1(&[b"data"]).to_vec();
        sealed.extend_from_slice(b"data");
        sealed.resize(48, 0);
        let (key, iv) = nonce_key_iv(&[1; 16], &[2; 32]);
        ige_encrypt(&key, &iv, &mut sealed).unwrap();
        let result = open(&sealed, &[1; 16], &[2; 32]);
        assert_eq!(result, Err(HandshakeErrorKind::EncryptedHash));
    }
}
