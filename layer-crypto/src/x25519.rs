//! X25519 (RFC 7748): the public key that belongs to a secret one. MTProto has no use for it, but a
//! connection that is to look like TLS shows such keys, and who looks can tell them from random bytes.

use std::array::from_fn;
use std::hint::black_box;

use zeroize::Zeroizing;

use crate::modulus::{Limbs, Modulus, Residue, to_be};

/// `(486662 - 2) / 4`, where the curve is `v^2 = u^3 + 486662 u^2 + u`.
const A24: u64 = 121_665;

/// The `u` coordinate of the point that public keys are multiples of, little-endian.
const BASE: [u8; 32] = {
    let mut nine = [0; 32];
    nine[0] = 9;
    nine
};

/// The prime less 2, big-endian: what a number is raised to so that it is inverted.
const INVERSION: [u8; 32] = {
    let mut exponent = [0xff; 32];
    exponent[0] = 0x7f;
    exponent[31] = 0xeb;
    exponent
};

/// The public key of a secret one, which is any 32 bytes (RFC 7748, section 6.1): the `u` coordinate of a point on
/// the curve, little-endian.
///
/// The point is in the subgroup of prime order, as every public key's is. Time and memory accesses do not depend on
/// the secret.
#[must_use]
pub fn public_key(secret: &[u8; 32]) -> [u8; 32] {
    multiply(secret, &BASE)
}

/// The function X25519 of section 5: the ladder goes from bit to bit with two points that are the base apart.
fn multiply(scalar: &[u8; 32], u: &[u8; 32]) -> [u8; 32] {
    let field = &Modulus::CURVE_25519;
    let add = |a: &Limbs<4>, b: &Limbs<4>| Zeroizing::new(field.add(a, b));
    let sub = |a: &Limbs<4>, b: &Limbs<4>| Zeroizing::new(field.sub(a, b));
    let mut scalar = Zeroizing::new(*scalar);
    // A multiple of 8, so that the order is prime, and of 255 bits; the highest of the 256 is not looked at.
    scalar[0] &= 0xf8;
    scalar[31] |= 0x40;

    let a24 = field.small(A24);
    let base = field.enter(&coordinate(u));
    let (mut x2, mut z2) = (field.one(), Residue::default());
    let (mut x3, mut z3) = (base.clone(), field.one());
    let mut swapped = 0;
    for bit in (0..255).rev() {
        let bit = u64::from(scalar[bit / 8] >> (bit % 8) & 1);
        swap_if(swapped ^ bit, &mut x2, &mut x3);
        swap_if(swapped ^ bit, &mut z2, &mut z3);
        swapped = bit;
        let (sum, difference) = (add(&x2, &z2), sub(&x2, &z2));
        let across = field.mul(&sub(&x3, &z3), &sum);
        let back = field.mul(&add(&x3, &z3), &difference);
        x3 = field.square(&add(&across, &back));
        z3 = field.mul(&base, &field.square(&sub(&across, &back)));
        let (sum, difference) = (field.square(&sum), field.square(&difference));
        let between = sub(&sum, &difference);
        x2 = field.mul(&sum, &difference);
        z2 = field.mul(&between, &add(&sum, &field.mul(&a24, &between)));
    }
    // The lowest bits are zero: nothing is left to swap.
    let u = field.mul(&x2, &field.pow(&z2, &INVERSION));
    let mut bytes = [0; 32];
    to_be(&*field.leave(&u), &mut bytes);
    bytes.reverse();
    bytes
}

/// The number that 32 bytes are, little-endian and without their highest bit.
fn coordinate(bytes: &[u8; 32]) -> Limbs<4> {
    let (limbs, _) = bytes.as_chunks();
    from_fn(|at| match limbs.get(at) {
        Some(limb) if at == 3 => u64::from_le_bytes(*limb) & u64::MAX >> 1,
        Some(limb) => u64::from_le_bytes(*limb),
        None => 0,
    })
}

/// Swaps the two where `bit` is 1 and not where it is 0, without a branch.
fn swap_if(bit: u64, a: &mut Limbs<4>, b: &mut Limbs<4>) {
    let mask = black_box(bit).wrapping_neg();
    for (a, b) in a.iter_mut().zip(b) {
        let difference = (*a ^ *b) & mask;
        *a ^= difference;
        *b ^= difference;
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::MontgomeryPoint;

    use super::*;

    fn bytes(hex: &str) -> [u8; 32] {
        from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
    }

    /// RFC 7748, section 5.2.
    #[test]
    fn multiples_are_those_of_the_rfc() {
        for (scalar, u, product) in [
            (
                "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
                "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
            ),
            (
                "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
                "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
            ),
        ] {
            assert_eq!(multiply(&bytes(scalar), &bytes(u)), bytes(product));
        }
    }

    /// The same section: each product is the next scalar, each scalar the next coordinate.
    #[test]
    fn a_thousand_multiples_in_a_row_are_those_of_the_rfc() {
        let (mut scalar, mut u) = (BASE, BASE);
        for round in 1..=1000 {
            (scalar, u) = (multiply(&scalar, &u), scalar);
            if round == 1 {
                let once = "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079";
                assert_eq!(scalar, bytes(once));
            }
        }
        let last = "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51";
        assert_eq!(scalar, bytes(last));
    }

    /// Section 6.1, and what both make of each other's key.
    #[test]
    fn public_keys_are_those_of_the_rfc() {
        let alice = bytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
        let bob = bytes("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
        let of_alice = bytes("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
        let of_bob = bytes("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
        assert_eq!(public_key(&alice), of_alice);
        assert_eq!(public_key(&bob), of_bob);
        let shared = bytes("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
        assert_eq!(multiply(&alice, &of_bob), shared);
        assert_eq!(multiply(&bob, &of_alice), shared);
    }

    #[test]
    fn multiples_are_those_that_another_implementation_finds() {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut rng = fastrand::Rng::with_seed(seed);
        // Numbers at the ends, of which some are not below the prime and some are of points of small order.
        let near = |low: u8, rest: u8, high: u8| {
            let mut bytes = [rest; 32];
            bytes[0] = low;
            bytes[31] = high;
            bytes
        };
        let mut coordinates = vec![BASE];
        for low in [0, 1, 2] {
            coordinates.push(near(low, 0, 0));
        }
        for low in 0xea..=0xff {
            coordinates.extend([near(low, 0xff, 0x7f), near(low, 0xff, 0xff)]);
        }
        for _ in 0..50 {
            let mut random = || from_fn::<u8, 32, _>(|_| rng.u8(..));
            let secret = random();
            let theirs = MontgomeryPoint::mul_base_clamped(secret);
            assert_eq!(public_key(&secret), theirs.to_bytes(), "{secret:?}");
            coordinates.push(random());
        }
        for u in coordinates {
            let scalar = from_fn(|_| rng.u8(..));
            let theirs = MontgomeryPoint(u).mul_clamped(scalar);
            assert_eq!(multiply(&scalar, &u), theirs.to_bytes(), "{scalar:?} {u:?}");
        }
        for secret in [[0; 32], [0xff; 32]] {
            let theirs = MontgomeryPoint::mul_base_clamped(secret);
            assert_eq!(public_key(&secret), theirs.to_bytes());
        }
    }
}
