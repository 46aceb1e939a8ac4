//! Private keys: the server's side.

use std::fmt;

use num_bigint::BigUint;
use pkcs1::der::Decode;
use pkcs1::der::asn1::OctetStringRef;
use pkcs1::{EncodeRsaPrivateKey, LineEnding, RsaPrivateKeyRef, UintRef};
use pkcs8::PrivateKeyInfoRef;
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

use super::public::decode_pem;
use super::{MAX_LEGACY_DATA, PublicKey, RsaError};
use crate::aes::ige_decrypt;
use crate::constant_time_eq;
use crate::modulus::{Limbs, Modulus, Residue, add_carry, from_be, multiply_add, to_be};
use crate::number::{limbs, pad};
use crate::sha::sha256;

/// A 2048-bit RSA private key of two primes of 1024 bits each. Wiped on drop, and printed by its fingerprint alone.
#[derive(Clone)]
pub struct PrivateKey {
    public: PublicKey,
    numbers: Numbers,
}

/// Big-endian, as in PKCS#1.
#[derive(Clone)]
struct Numbers {
    d: Zeroizing<Vec<u8>>,
    p: Zeroizing<Vec<u8>>,
    q: Zeroizing<Vec<u8>>,
    d_p: Zeroizing<Vec<u8>>,
    d_q: Zeroizing<Vec<u8>>,
    q_inverse: Zeroizing<Vec<u8>>,
}

/// How a client packed its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `RSA_PAD`.
    Pad,
    /// The older one: SHA-1, data, random bytes.
    Legacy,
}

/// What came out of a ciphertext.
#[derive(Clone, PartialEq, Eq)]
pub struct Decrypted {
    /// The scheme that the client used.
    pub scheme: Scheme,
    /// The data; after [`Scheme::Pad`] it is 192 bytes long and ends in padding, whose length only
    /// the data itself can tell.
    pub data: Zeroizing<Vec<u8>>,
}

impl PrivateKey {
    /// Reads PEM: PKCS#1 (`RSA PRIVATE KEY`) or PKCS#8 (`PRIVATE KEY`), not encrypted.
    ///
    /// # Errors
    /// When the text is something else, or the numbers in it do not make a 2048-bit key.
    pub fn from_pem(pem: &str) -> Result<Self, RsaError> {
        let (label, der) = decode_pem(pem)?;
        let bad = |e: &dyn fmt::Display| RsaError::Pem {
            reason: e.to_string(),
        };
        let key = match label.as_str() {
            "RSA PRIVATE KEY" => RsaPrivateKeyRef::from_der(&der).map_err(|e| bad(&e))?,
            "PRIVATE KEY" => {
                let info = PrivateKeyInfoRef::from_der(&der).map_err(|e| bad(&e))?;
                if info.algorithm.oid != pkcs1::ALGORITHM_OID {
                    return Err(bad(&"the key is not an RSA key"));
                }
                let inner: &OctetStringRef = info.private_key;
                RsaPrivateKeyRef::from_der(inner.as_bytes()).map_err(|e| bad(&e))?
            }
            other => {
                return Err(bad(&format_args!(
                    "expected `RSA PRIVATE KEY` or `PRIVATE KEY`, found `{other}`"
                )));
            }
        };
        if key.other_prime_infos.is_some() {
            return Err(bad(&"the key has more than two primes"));
        }
        let public =
            PublicKey::from_components(key.modulus.as_bytes(), key.public_exponent.as_bytes())?;
        Self::from_primes(public, key.prime1.as_bytes(), key.prime2.as_bytes())
    }

    /// Computes what follows from the primes, and checks that they belong to the public key.
    pub(super) fn from_primes(
        public: PublicKey,
        p_be: &[u8],
        q_be: &[u8],
    ) -> Result<Self, RsaError> {
        let one = BigUint::from(1u32);
        let p = BigUint::from_bytes_be(p_be);
        let q = BigUint::from_bytes_be(q_be);
        if p.bits() != 1024
            || q.bits() != 1024
            || p == q
            || &p * &q != BigUint::from_bytes_be(public.n())
        {
            return Err(RsaError::Inconsistent);
        }
        let e = BigUint::from_bytes_be(public.e());
        let inverse = |a: &BigUint, m: &BigUint| a.modinv(m).ok_or(RsaError::Inconsistent);
        let (p1, q1) = (&p - &one, &q - &one);
        let d = inverse(&e, &(&p1 * &q1))?;
        Ok(Self {
            numbers: Numbers {
                d_p: Zeroizing::new((&d % &p1).to_bytes_be()),
                d_q: Zeroizing::new((&d % &q1).to_bytes_be()),
                q_inverse: Zeroizing::new(inverse(&q, &p)?.to_bytes_be()),
                d: Zeroizing::new(d.to_bytes_be()),
                p: Zeroizing::new(p.to_bytes_be()),
                q: Zeroizing::new(q.to_bytes_be()),
            },
            public,
        })
    }

    /// The key as PKCS#1 PEM, 64 columns wide; wiped when dropped.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        let numbers = &self.numbers;
        let pem = || {
            RsaPrivateKeyRef {
                modulus: UintRef::new(self.public.n()).ok()?,
                public_exponent: UintRef::new(self.public.e()).ok()?,
                private_exponent: UintRef::new(&numbers.d).ok()?,
                prime1: UintRef::new(&numbers.p).ok()?,
                prime2: UintRef::new(&numbers.q).ok()?,
                exponent1: UintRef::new(&numbers.d_p).ok()?,
                exponent2: UintRef::new(&numbers.d_q).ok()?,
                coefficient: UintRef::new(&numbers.q_inverse).ok()?,
                other_prime_infos: None,
            }
            .to_pkcs1_pem(LineEnding::LF)
            .ok()
        };
        // Numbers of bounded length can always be encoded.
        pem().unwrap_or_default()
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Opens what either scheme packed: `RSA_PAD` is tried first, then the older one.
    ///
    /// # Errors
    /// When neither fits.
    pub fn decrypt(&self, ciphertext: &[u8]) -> Result<Decrypted, RsaError> {
        let number = self.raw(ciphertext)?;
        if let Ok(data) = unpad(&number) {
            return Ok(Decrypted {
                scheme: Scheme::Pad,
                data: Zeroizing::new(data),
            });
        }
        Ok(Decrypted {
            scheme: Scheme::Legacy,
            data: Zeroizing::new(unpad_legacy(&number)?),
        })
    }

    /// Opens `RSA_PAD`: the data with its padding, 192 bytes.
    ///
    /// # Errors
    /// When the ciphertext is not one of this key and scheme.
    pub fn decrypt_pad(&self, ciphertext: &[u8]) -> Result<Vec<u8>, RsaError> {
        unpad(&*self.raw(ciphertext)?)
    }

    /// Opens the older scheme: the data, without padding.
    ///
    /// # Errors
    /// When the ciphertext is not one of this key and scheme.
    pub fn decrypt_legacy(&self, ciphertext: &[u8]) -> Result<Vec<u8>, RsaError> {
        unpad_legacy(&*self.raw(ciphertext)?)
    }

    /// `ciphertext ^ d mod n` by the Chinese remainder theorem. A ciphertext shorter than 256 bytes is
    /// a number like any other. The result is checked against the public key, so that a faulty
    /// computation never leaves.
    fn raw(&self, ciphertext: &[u8]) -> Result<Zeroizing<[u8; 256]>, RsaError> {
        let refused = RsaError::Ciphertext {
            len: ciphertext.len(),
        };
        let padded = pad(ciphertext).ok_or_else(|| refused.clone())?;
        if padded >= *self.public.n() {
            return Err(refused);
        }
        let c = limbs(&padded);
        let numbers = &self.numbers;
        let prime = |bytes: &[u8]| Modulus::<16>::from_be(bytes).ok_or(RsaError::Inconsistent);
        let (p, q) = (prime(&numbers.p)?, prime(&numbers.q)?);
        let m_p = p.pow(&reduce(&p, &c), &numbers.d_p);
        let m_q = q.leave(&q.pow(&reduce(&q, &c), &numbers.d_q));
        // m = m_q + q ((m_p - m_q) / q mod p)
        let q_inverse = Zeroizing::new(from_be(&numbers.q_inverse).ok_or(RsaError::Inconsistent)?);
        let difference = Zeroizing::new(p.sub(&m_p, &p.enter(&m_q)));
        let h = p.leave(&p.mul(&difference, &p.enter(&q_inverse)));
        let mut number = Zeroizing::new([0; 256]);
        to_be(&*multiply_and_add(q.n(), &h, &m_q), &mut *number);
        if self.public.raw(&number) == padded {
            Ok(number)
        } else {
            Err(RsaError::Inconsistent)
        }
    }
}

/// `c` modulo a prime of half its width, as a residue.
fn reduce(prime: &Modulus<16>, c: &Limbs<32>) -> Residue<16> {
    // c = high R + low
    let mut low = Zeroizing::new([0; 16]);
    let mut high = Zeroizing::new([0; 16]);
    low.copy_from_slice(&c[..16]);
    high.copy_from_slice(&c[16..]);
    let high = prime.enter(&prime.enter(&high));
    Zeroizing::new(prime.add(&prime.enter(&low), &high))
}

/// `a * b + c`
fn multiply_and_add(a: &Limbs<16>, b: &Limbs<16>, c: &Limbs<16>) -> Zeroizing<Limbs<32>> {
    let mut result = Zeroizing::new([0; 32]);
    result[..16].copy_from_slice(c);
    for (i, &b) in b.iter().enumerate() {
        let mut carry = 0;
        for (j, &a) in a.iter().enumerate() {
            (result[i + j], carry) = multiply_add(result[i + j], a, b, carry);
        }
        for limb in &mut result[i + 16..] {
            (*limb, carry) = add_carry(*limb, 0, carry);
        }
    }
    result
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field(
                "fingerprint",
                &format_args!("{:016x}", self.public.fingerprint()),
            )
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Decrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decrypted")
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

/// `RSA_PAD` backwards.
fn unpad(number: &[u8; 256]) -> Result<Vec<u8>, RsaError> {
    let (temp_key_xor, aes_encrypted) = number.split_at(32);
    let mut temp_key = Zeroizing::new(sha256(&[aes_encrypted]));
    for (key, xor) in temp_key.iter_mut().zip(temp_key_xor) {
        *key ^= xor;
    }
    let mut data_with_hash = Zeroizing::new([0; 224]);
    data_with_hash.copy_from_slice(aes_encrypted);
    ige_decrypt(&temp_key, &[0; 32], &mut *data_with_hash).map_err(|_| RsaError::Padding)?;
    let (data, hash) = data_with_hash.split_at_mut(192);
    data.reverse();
    if constant_time_eq(&sha256(&[&*temp_key, data]), hash) {
        Ok(data.to_vec())
    } else {
        Err(RsaError::Padding)
    }
}

/// The older scheme backwards. It does not say how long the data is, but the hash does: every length is
/// tried, always all of them.
fn unpad_legacy(number: &[u8; 256]) -> Result<Vec<u8>, RsaError> {
    let (zero, rest) = number.split_at(1);
    let (hash, data) = rest.split_at(20);
    let mut hasher = Sha1::new();
    let mut found = None;
    for len in 0..=MAX_LEGACY_DATA {
        let digest: [u8; 20] = hasher.clone().finalize().into();
        if constant_time_eq(&digest, hash) {
            found = Some(len);
        }
        if let Some(byte) = data.get(len) {
            hasher.update([*byte]);
        }
    }
    match (zero, found.and_then(|len| data.get(..len))) {
        ([0], Some(data)) => Ok(data.to_vec()),
        _ => Err(RsaError::Padding),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sha::sha1;

    #[test]
    fn the_older_scheme_begins_with_a_zero_byte() {
        let mut number = [7; 256];
        number[0] = 0;
        number[1..21].copy_from_slice(&sha1(&[&[7; 50]]));
        assert_eq!(unpad_legacy(&number).unwrap(), [7; 50]);
        number[0] = 1;
        assert_eq!(unpad_legacy(&number), Err(RsaError::Padding));
    }
}
