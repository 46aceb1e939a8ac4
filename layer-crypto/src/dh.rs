//! The Diffie-Hellman exchange of the handshake, with every check that the pages `mtproto/auth_key`
//! and `mtproto/security_guidelines` demand of both sides.
//!
//! Call [`check_group`] on what the server proposed, then [`Secret::public`] and [`Secret::agree`];
//! the latter checks the other side's number itself.

use std::fmt;

use zeroize::Zeroizing;

use crate::modulus::{Modulus, TEETH};
use crate::number::{Number, bit_length, bytes, limbs, pad, strip};
use crate::prime::{fermat_base_2, has_small_factor, is_prime, remainder};
use crate::{AuthKey, SecureRandom};

/// The safe prime that Telegram's servers have used for years (page `mtproto/auth_key`).
#[rustfmt::skip]
pub const TELEGRAM_PRIME: [u8; 256] = [
    0xc7, 0x1c, 0xae, 0xb9, 0xc6, 0xb1, 0xc9, 0x04, 0x8e, 0x6c, 0x52, 0x2f, 0x70, 0xf1, 0x3f, 0x73,
    0x98, 0x0d, 0x40, 0x23, 0x8e, 0x3e, 0x21, 0xc1, 0x49, 0x34, 0xd0, 0x37, 0x56, 0x3d, 0x93, 0x0f,
    0x48, 0x19, 0x8a, 0x0a, 0xa7, 0xc1, 0x40, 0x58, 0x22, 0x94, 0x93, 0xd2, 0x25, 0x30, 0xf4, 0xdb,
    0xfa, 0x33, 0x6f, 0x6e, 0x0a, 0xc9, 0x25, 0x13, 0x95, 0x43, 0xae, 0xd4, 0x4c, 0xce, 0x7c, 0x37,
    0x20, 0xfd, 0x51, 0xf6, 0x94, 0x58, 0x70, 0x5a, 0xc6, 0x8c, 0xd4, 0xfe, 0x6b, 0x6b, 0x13, 0xab,
    0xdc, 0x97, 0x46, 0x51, 0x29, 0x69, 0x32, 0x84, 0x54, 0xf1, 0x8f, 0xaf, 0x8c, 0x59, 0x5f, 0x64,
    0x24, 0x77, 0xfe, 0x96, 0xbb, 0x2a, 0x94, 0x1d, 0x5b, 0xcd, 0x1d, 0x4a, 0xc8, 0xcc, 0x49, 0x88,
    0x07, 0x08, 0xfa, 0x9b, 0x37, 0x8e, 0x3c, 0x4f, 0x3a, 0x90, 0x60, 0xbe, 0xe6, 0x7c, 0xf9, 0xa4,
    0xa4, 0xa6, 0x95, 0x81, 0x10, 0x51, 0x90, 0x7e, 0x16, 0x27, 0x53, 0xb5, 0x6b, 0x0f, 0x6b, 0x41,
    0x0d, 0xba, 0x74, 0xd8, 0xa8, 0x4b, 0x2a, 0x14, 0xb3, 0x14, 0x4e, 0x0e, 0xf1, 0x28, 0x47, 0x54,
    0xfd, 0x17, 0xed, 0x95, 0x0d, 0x59, 0x65, 0xb4, 0xb9, 0xdd, 0x46, 0x58, 0x2d, 0xb1, 0x17, 0x8d,
    0x16, 0x9c, 0x6b, 0xc4, 0x65, 0xb0, 0xd6, 0xff, 0x9c, 0xa3, 0x92, 0x8f, 0xef, 0x5b, 0x9a, 0xe4,
    0xe4, 0x18, 0xfc, 0x15, 0xe8, 0x3e, 0xbe, 0xa0, 0xf8, 0x7f, 0xa9, 0xff, 0x5e, 0xed, 0x70, 0x05,
    0x0d, 0xed, 0x28, 0x49, 0xf4, 0x7b, 0xf9, 0x59, 0xd9, 0x56, 0x85, 0x0c, 0xe9, 0x29, 0x85, 0x1f,
    0x0d, 0x81, 0x15, 0xf6, 0x35, 0xb1, 0x05, 0xee, 0x2e, 0x4e, 0x15, 0xd0, 0x4b, 0x24, 0x54, 0xbf,
    0x6f, 0x4f, 0xad, 0xf0, 0x34, 0xb1, 0x04, 0x03, 0x11, 0x9c, 0xd8, 0xe3, 0xb9, 0x2f, 0xcc, 0x5b,
];

/// What Telegram's generator is to the power of 2^410, 2^820, 2^1230 and 2^1640 modulo [`TELEGRAM_PRIME`], 256 bytes each,
/// big-endian: the way to any other power is a third as long from there.
const POWERS_OF_THREE: &[u8; 4 * 256] = include_bytes!("dh/three.bin");

/// The rounds of Miller-Rabin, besides Baillie-PSW, for the half of a foreign safe prime. The whole
/// check costs about eight exponentiations of 2048 bits, half of them in the Lucas test: some 30 ms of a
/// processor of 2 GHz. A composite that passes would have to be an exception to Baillie-PSW (none is known,
/// and none how to make one) and be lucky with two bases that its maker could not choose. The
/// documentation's 15 rounds of Miller-Rabin on both numbers cost 30 exponentiations.
const ROUNDS: u32 = 2;

/// Parameters or a public number that must not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DhError {
    /// The modulus has not exactly 2048 bits, or is even.
    PrimeSize {
        /// How many bits it has.
        bits: u64,
    },
    /// The modulus is not a safe prime (`p` and `(p - 1) / 2` both prime).
    NotSafePrime,
    /// The generator is not 2, 3, 4, 5, 6 or 7.
    GeneratorRange {
        /// The generator that came.
        g: i32,
    },
    /// The generator is not a quadratic residue, so it does not generate the subgroup of prime order.
    GeneratorResidue {
        /// The generator that came.
        g: i32,
    },
    /// A public number is not in `2^(2048-64) ..= p - 2^(2048-64)` (which is inside `1 < x < p - 1`).
    PublicRange {
        /// How many bits it has.
        bits: u64,
    },
}

impl fmt::Display for DhError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PrimeSize { bits } => {
                write!(
                    f,
                    "the DH prime must be odd and have exactly 2048 bits, but one of {bits} bits came"
                )
            }
            Self::NotSafePrime => {
                f.write_str("the DH modulus must be a safe prime, but it or its half is not prime")
            }
            Self::GeneratorRange { g } => {
                write!(f, "the DH generator must be one of 2 to 7, but is {g}")
            }
            Self::GeneratorResidue { g } => write!(
                f,
                "the DH generator {g} must be a quadratic residue modulo the prime, but is not"
            ),
            Self::PublicRange { bits } => write!(
                f,
                "a public DH number must be at least 2^1984 away from 0 and from the prime, \
                 but one of {bits} bits is not"
            ),
        }
    }
}

impl std::error::Error for DhError {}

/// Checks a prime and a generator that the other side proposed: exactly 2048 bits, a safe prime, and
/// `g` in 2..=7 a quadratic residue. [`TELEGRAM_PRIME`] is known and costs nothing; any other takes
/// some 30 ms of a processor (the documentation suggests to remember the result).
///
/// # Errors
/// When the group must not be used.
pub fn check_group(prime_be: &[u8], g: i32) -> Result<(), DhError> {
    let prime_be = strip(prime_be);
    // A number of a megabyte is refused by its length, before anything is computed from it.
    let size = DhError::PrimeSize {
        bits: bit_length(prime_be),
    };
    let padded = pad(prime_be).ok_or_else(|| size.clone())?;
    if padded[0] & 0x80 == 0 {
        return Err(size);
    }
    let prime = limbs(&padded);
    let modulo = |small| remainder(&*prime, small);
    let residue = match g {
        2 => modulo(8) == 7,
        3 => modulo(3) == 2,
        4 => true,
        5 => matches!(modulo(5), 1 | 4),
        6 => matches!(modulo(24), 19 | 23),
        7 => matches!(modulo(7), 3 | 5 | 6),
        _ => return Err(DhError::GeneratorRange { g }),
    };
    if !residue {
        return Err(DhError::GeneratorResidue { g });
    }
    if padded == TELEGRAM_PRIME || is_safe_prime(&prime) {
        Ok(())
    } else {
        Err(DhError::NotSafePrime)
    }
}

/// Whether `p` and `(p - 1) / 2` are prime: the cheap tests on both first, then the half in earnest;
/// once that is prime, one Fermat test proves `p`.
fn is_safe_prime(p: &Number) -> bool {
    let half: Number =
        std::array::from_fn(|i| p[i] >> 1 | p.get(i + 1).copied().unwrap_or(0) << 63);
    !has_small_factor(p)
        && !has_small_factor(&half)
        && Modulus::new(*p).is_some_and(|p| fermat_base_2(&p))
        && is_prime(&half, ROUNDS)
}

/// Checks `g_a` or `g_b`: `1 < x < p - 1`, and further `2^(2048-64) <= x <= p - 2^(2048-64)`. A number
/// shorter than 256 bytes is a number like any other.
///
/// # Errors
/// When the number is out of these bounds.
pub fn check_public(value_be: &[u8], prime_be: &[u8]) -> Result<(), DhError> {
    let out_of_range = DhError::PublicRange {
        bits: bit_length(value_be),
    };
    let (Some(value), Some(prime)) = (pad(value_be), pad(prime_be)) else {
        return Err(out_of_range);
    };
    // 2^1984 is one in the 64 bits at the top; 2^1984 > 1 and p - 2^1984 < p - 1, so these narrower
    // bounds imply the wider ones.
    let (value_top, value_rest) = top(&value);
    let (prime_top, prime_rest) = top(&prime);
    let below = prime_top
        .checked_sub(1)
        .is_some_and(|highest| (value_top, value_rest) <= (highest, prime_rest));
    if value_top >= 1 && below {
        Ok(())
    } else {
        Err(out_of_range)
    }
}

/// The 64 highest of 2048 bits, and the rest.
fn top(number: &[u8; 256]) -> (u64, &[u8]) {
    let (top, rest) = number.split_at(8);
    (
        top.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)),
        rest,
    )
}

/// The arithmetic modulo a prime of exactly 2048 bits.
fn modulus(prime_be: &[u8]) -> Result<Modulus<32>, DhError> {
    pad(prime_be)
        .filter(|prime| prime[0] & 0x80 != 0)
        .and_then(|prime| Modulus::from_be(&prime))
        .ok_or_else(|| DhError::PrimeSize {
            bits: bit_length(prime_be),
        })
}

/// Our secret exponent: 2048 random bits, wiped on drop and never printed.
#[derive(Clone)]
pub struct Secret(Zeroizing<[u8; 256]>);

impl Secret {
    /// Draws exactly 256 bytes from `rng`; they are the exponent, big-endian.
    #[must_use]
    pub fn generate(rng: &mut dyn SecureRandom) -> Self {
        let mut secret = Self(Zeroizing::new([0; 256]));
        rng.fill(&mut *secret.0);
        secret
    }

    /// `g ^ secret mod prime`: what goes to the other side, 256 bytes.
    ///
    /// # Errors
    /// When the prime or `g` cannot be computed with, or the result is out of [`check_public`]'s
    /// bounds (once in about 2^63 secrets: draw another).
    pub fn public(&self, g: i32, prime_be: &[u8]) -> Result<[u8; 256], DhError> {
        let Ok(base @ 2..=7) = u64::try_from(g) else {
            return Err(DhError::GeneratorRange { g });
        };
        let modulus = modulus(prime_be)?;
        let base = modulus.small(base);
        let power = if g == 3 && pad(prime_be) == Some(TELEGRAM_PRIME) {
            let known = POWERS_OF_THREE.as_chunks::<256>().0.iter();
            let mut bases = [*base; TEETH];
            for (base, known) in bases[1..].iter_mut().zip(known) {
                *base = *modulus.enter(&limbs(known));
            }
            modulus.pow_comb(&bases, &self.0)
        } else {
            modulus.pow(&base, &*self.0)
        };
        let public = bytes(&modulus, &power);
        check_public(&public, prime_be)?;
        Ok(public)
    }

    /// `other_public ^ secret mod prime`: the auth key, all 256 bytes of it, leading zeros and all.
    ///
    /// # Errors
    /// When `other_public` does not pass [`check_public`].
    pub fn agree(&self, other_public: &[u8], prime_be: &[u8]) -> Result<AuthKey, DhError> {
        check_public(other_public, prime_be)?;
        let modulus = modulus(prime_be)?;
        // The check has seen that the number fits.
        let other = limbs(&pad(other_public).unwrap_or([0; 256]));
        let key = bytes(&modulus, &modulus.pow(&modulus.enter(&other), &*self.0));
        Ok(AuthKey::from_bytes(key))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modulus::COMB_STEP;

    #[test]
    fn the_known_powers_of_three_are_that() {
        let modulus = Modulus::<32>::from_be(&TELEGRAM_PRIME).unwrap();
        let mut power = modulus.small(3);
        for known in POWERS_OF_THREE.as_chunks::<256>().0 {
            for _ in 0..COMB_STEP {
                power = modulus.square(&power);
            }
            assert_eq!(bytes(&modulus, &power), *known);
        }
    }

    #[test]
    fn the_short_way_to_a_public_number_leads_to_the_same() {
        let modulus = Modulus::<32>::from_be(&TELEGRAM_PRIME).unwrap();
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..5 {
            let secret = Secret(Zeroizing::new(std::array::from_fn(|_| rng.u8(..))));
            let power = modulus.pow(&modulus.small(3), &*secret.0);
            assert_eq!(
                secret.public(3, &TELEGRAM_PRIME),
                Ok(bytes(&modulus, &power))
            );
        }
    }
}
