//! New keys, for those who run their own server.

use num_bigint::BigUint;
use zeroize::Zeroizing;

use super::{PrivateKey, PublicKey, RsaError};
use crate::SecureRandom;
use crate::modulus::from_be;
use crate::prime::is_prime;

/// The rounds of Miller-Rabin besides Baillie-PSW, for a random candidate of 1024 bits: more than the
/// five that FIPS 186-5 (table B.1) asks for an error below 2^-100.
const ROUNDS: u32 = 8;

impl PrivateKey {
    /// Makes a key of 2048 bits with the public exponent 65537. Takes a second or so, and draws 128
    /// bytes from `rng` for each prime tried.
    ///
    /// # Errors
    /// When `rng` is so broken that no two different primes come of it.
    pub fn generate(rng: &mut dyn SecureRandom) -> Result<Self, RsaError> {
        for _ in 0..16 {
            let p = prime(rng)?;
            let q = prime(rng)?;
            let n = BigUint::from_bytes_be(&*p) * BigUint::from_bytes_be(&*q);
            let public = PublicKey::from_components(&n.to_bytes_be(), &[0x01, 0x00, 0x01])?;
            if let Ok(key) = Self::from_primes(public, &*p, &*q) {
                return Ok(key);
            }
        }
        Err(RsaError::Random)
    }
}

/// A prime of 1024 bits, its two highest bits set, that leaves room for the exponent 65537.
fn prime(rng: &mut dyn SecureRandom) -> Result<Zeroizing<[u8; 128]>, RsaError> {
    let e = BigUint::from(65_537u32);
    let one = BigUint::from(1u32);
    // One odd number in 355 is a prime here; a hundred times that many failures are no bad luck.
    for _ in 0..40_000 {
        let mut bytes = Zeroizing::new([0; 128]);
        rng.fill(&mut *bytes);
        bytes[0] |= 0xc0;
        bytes[127] |= 1;
        let prime = from_be(&*bytes).is_some_and(|limbs| is_prime::<16>(&limbs, ROUNDS));
        if prime && (BigUint::from_bytes_be(&*bytes) % &e) != one {
            return Ok(bytes);
        }
    }
    Err(RsaError::Random)
}
