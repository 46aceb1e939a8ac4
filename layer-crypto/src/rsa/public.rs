//! Public keys and encryption to them.

use std::fmt;

use pkcs1::der::Decode;
use pkcs1::{EncodeRsaPublicKey, LineEnding, RsaPublicKeyRef, UintRef};
use pkcs8::SubjectPublicKeyInfoRef;
use zeroize::Zeroizing;

use super::{MAX_LEGACY_DATA, MAX_PAD_DATA, MAX_PEM, RsaError};
use crate::SecureRandom;
use crate::aes::ige_encrypt;
use crate::modulus::Modulus;
use crate::number::{bit_length, bytes, limbs, pad, strip};
use crate::sha::{sha1, sha256};

/// A 2048-bit RSA public key: the identity of a data centre.
#[derive(Clone)]
pub struct PublicKey {
    modulus: Modulus<32>,
    /// Big-endian.
    n_bytes: [u8; 256],
    /// Big-endian, without leading zeros.
    e_bytes: Vec<u8>,
    fingerprint: i64,
}

impl PublicKey {
    /// A key from its two numbers, big-endian.
    ///
    /// # Errors
    /// When the modulus is not an odd number of 2048 bits, or the exponent is not odd, more than 1 and at most 64 bits long.
    pub fn from_components(n_be: &[u8], e_be: &[u8]) -> Result<Self, RsaError> {
        let refused = || RsaError::Modulus {
            bits: bit_length(n_be),
        };
        let n = pad(n_be).filter(|n| n[0] & 0x80 != 0).ok_or_else(refused)?;
        let modulus = Modulus::from_be(&n).ok_or_else(refused)?;
        let e = strip(e_be);
        let odd = e.last().is_some_and(|byte| byte & 1 == 1);
        if !odd || e == [1] || e.len() > 8 {
            return Err(RsaError::Exponent);
        }
        Ok(Self {
            fingerprint: fingerprint(&n, e),
            modulus,
            n_bytes: n,
            e_bytes: e.to_vec(),
        })
    }

    /// Reads PEM: PKCS#1 (`RSA PUBLIC KEY`) or SPKI (`PUBLIC KEY`).
    ///
    /// # Errors
    /// When the text is something else, or the key in it is not usable.
    pub fn from_pem(pem: &str) -> Result<Self, RsaError> {
        let (label, der) = decode_pem(pem)?;
        let bad = |e: &dyn fmt::Display| RsaError::Pem {
            reason: e.to_string(),
        };
        let key = match label.as_str() {
            "RSA PUBLIC KEY" => RsaPublicKeyRef::from_der(&der).map_err(|e| bad(&e))?,
            "PUBLIC KEY" => {
                let info = SubjectPublicKeyInfoRef::from_der(&der).map_err(|e| bad(&e))?;
                if info.algorithm.oid != pkcs1::ALGORITHM_OID {
                    return Err(bad(&"the key is not an RSA key"));
                }
                let bits = info.subject_public_key.as_bytes().unwrap_or_default();
                RsaPublicKeyRef::from_der(bits).map_err(|e| bad(&e))?
            }
            other => {
                return Err(bad(&format_args!(
                    "expected `RSA PUBLIC KEY` or `PUBLIC KEY`, found `{other}`"
                )));
            }
        };
        Self::from_components(key.modulus.as_bytes(), key.public_exponent.as_bytes())
    }

    /// The key as PKCS#1 PEM, 64 columns wide, with a newline at its end.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let pem = || {
            RsaPublicKeyRef {
                modulus: UintRef::new(&self.n_bytes).ok()?,
                public_exponent: UintRef::new(&self.e_bytes).ok()?,
            }
            .to_pkcs1_pem(LineEnding::LF)
            .ok()
        };
        // Two numbers of bounded length can always be encoded.
        pem().unwrap_or_default()
    }

    /// The modulus, big-endian.
    #[must_use]
    pub fn n(&self) -> &[u8; 256] {
        &self.n_bytes
    }

    /// The public exponent, big-endian, without leading zeros.
    #[must_use]
    pub fn e(&self) -> &[u8] {
        &self.e_bytes
    }

    /// What names the key in `resPQ`: the last 8 bytes, little-endian, of the SHA-1 of the key as a bare `rsa_public_key`.
    #[must_use]
    pub fn fingerprint(&self) -> i64 {
        self.fingerprint
    }

    /// `RSA_PAD(data, key)`. Draws from `rng`, in this order: `192 - data.len()` bytes of padding, then
    /// 32 bytes of `temp_key`, and 32 more each time the number comes out not below the modulus
    /// (on average less than once).
    ///
    /// # Errors
    /// When `data` is longer than 144 bytes.
    pub fn encrypt_pad(
        &self,
        data: &[u8],
        rng: &mut dyn SecureRandom,
    ) -> Result<[u8; 256], RsaError> {
        if data.len() > MAX_PAD_DATA {
            return Err(RsaError::DataTooLong {
                len: data.len(),
                max: MAX_PAD_DATA,
            });
        }
        let mut data_with_padding = Zeroizing::new([0; 192]);
        data_with_padding[..data.len()].copy_from_slice(data);
        rng.fill(&mut data_with_padding[data.len()..]);

        // Half of all tries succeed at the very least: 200 failures mean a broken random source.
        for _ in 0..200 {
            let mut temp_key = Zeroizing::new([0; 32]);
            rng.fill(&mut *temp_key);

            let mut number = Zeroizing::new([0; 256]);
            let (key_part, aes_part) = number.split_at_mut(32);
            aes_part[..192].copy_from_slice(&*data_with_padding);
            aes_part[..192].reverse();
            aes_part[192..].copy_from_slice(&sha256(&[&*temp_key, &*data_with_padding]));
            let whole = ige_encrypt(&temp_key, &[0; 32], aes_part);
            debug_assert!(whole.is_ok(), "224 bytes are whole blocks");
            for ((out, key), hash) in key_part.iter_mut().zip(&*temp_key).zip(sha256(&[aes_part])) {
                *out = key ^ hash;
            }

            if *number < self.n_bytes {
                return Ok(self.raw(&number));
            }
        }
        Err(RsaError::Random)
    }

    /// The scheme before `RSA_PAD`: `SHA1(data) + data + random bytes` up to 255 bytes. Draws the
    /// `235 - data.len()` bytes of padding from `rng`.
    ///
    /// # Errors
    /// When `data` is longer than 235 bytes.
    pub fn encrypt_legacy(
        &self,
        data: &[u8],
        rng: &mut dyn SecureRandom,
    ) -> Result<[u8; 256], RsaError> {
        if data.len() > MAX_LEGACY_DATA {
            return Err(RsaError::DataTooLong {
                len: data.len(),
                max: MAX_LEGACY_DATA,
            });
        }
        // The first byte stays zero, so the number is below every 2048-bit modulus.
        let mut number = Zeroizing::new([0; 256]);
        number[1..21].copy_from_slice(&sha1(&[data]));
        number[21..21 + data.len()].copy_from_slice(data);
        rng.fill(&mut number[21 + data.len()..]);
        Ok(self.raw(&number))
    }

    /// `number ^ e mod n`
    pub(super) fn raw(&self, number: &[u8; 256]) -> [u8; 256] {
        let base = self.modulus.enter(&limbs(number));
        bytes(&self.modulus, &self.modulus.pow(&base, &self.e_bytes))
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.n_bytes == other.n_bytes && self.e_bytes == other.e_bytes
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("fingerprint", &format_args!("{:016x}", self.fingerprint))
            .finish_non_exhaustive()
    }
}

/// The label of a PEM text, and the bytes in it.
pub(super) fn decode_pem(pem: &str) -> Result<(String, Zeroizing<Vec<u8>>), RsaError> {
    let bad = |reason: String| RsaError::Pem { reason };
    if pem.len() > MAX_PEM {
        return Err(bad(format!(
            "expected at most {MAX_PEM} bytes of text, found {}",
            pem.len()
        )));
    }
    let mut decoder = pkcs1::pem::Decoder::new_detect_wrap(pem.trim().as_bytes())
        .map_err(|e| bad(e.to_string()))?;
    let label = decoder.type_label().to_owned();
    let mut der = Zeroizing::new(Vec::with_capacity(decoder.remaining_len()));
    decoder
        .decode_to_end(&mut der)
        .map_err(|e| bad(e.to_string()))?;
    Ok((label, der))
}

/// SHA-1 over the two numbers as TL `bytes`.
fn fingerprint(n: &[u8], e: &[u8]) -> i64 {
    let mut serialized = Vec::with_capacity(272);
    for number in [n, e] {
        match u8::try_from(number.len()) {
            Ok(len @ 0..254) => serialized.push(len),
            _ => {
                serialized.push(254);
                serialized.extend_from_slice(
                    &u32::try_from(number.len()).unwrap_or(0).to_le_bytes()[..3],
                );
            }
        }
        serialized.extend_from_slice(number);
        serialized.resize(serialized.len().next_multiple_of(4), 0);
    }
    let [_, _, _, _, _, _, _, _, _, _, _, _, id @ ..] = sha1(&[&serialized]);
    i64::from_le_bytes(id)
}
