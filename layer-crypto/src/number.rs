//! Big-endian numbers as they travel: stripped of leading zeros, or padded to 256 bytes.

use zeroize::Zeroizing;

use crate::modulus::{Limbs, Modulus, from_be, to_be};

/// A number of up to 2048 bits.
pub(crate) type Number = Limbs<32>;

/// `bytes` without its leading zero bytes.
pub(crate) fn strip(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|b| **b == 0).count();
    &bytes[zeros..]
}

/// `bytes` as 256 big-endian bytes; `None` when the number is longer than that.
pub(crate) fn pad(bytes: &[u8]) -> Option<[u8; 256]> {
    let bytes = strip(bytes);
    let start = 256usize.checked_sub(bytes.len())?;
    let mut padded = [0; 256];
    padded[start..].copy_from_slice(bytes);
    Some(padded)
}

/// How many bits a big-endian number has.
pub(crate) fn bit_length(bytes: &[u8]) -> u64 {
    match strip(bytes) {
        [] => 0,
        [first, rest @ ..] => u64::try_from(rest.len())
            .unwrap_or(u64::MAX)
            .saturating_mul(8)
            .saturating_add(u64::from(8 - first.leading_zeros())),
    }
}

/// The limbs of 256 big-endian bytes.
pub(crate) fn limbs(bytes: &[u8; 256]) -> Zeroizing<Number> {
    // 256 bytes always fit in 32 limbs.
    Zeroizing::new(from_be(bytes).unwrap_or([0; 32]))
}

/// 256 big-endian bytes of the number that a residue stands for.
pub(crate) fn bytes(modulus: &Modulus<32>, residue: &Number) -> [u8; 256] {
    let mut bytes = [0; 256];
    to_be(&*modulus.leave(residue), &mut bytes);
    bytes
}

/// Whether `1 < x < p - 1`, for an odd `p`. Neither is secret.
pub(crate) fn is_between(x: &[u8; 256], p: &[u8; 256]) -> bool {
    let mut one = [0; 256];
    one[255] = 1;
    let mut p_minus_one = *p;
    p_minus_one[255] &= 0xfe;
    one < *x && *x < p_minus_one
}
