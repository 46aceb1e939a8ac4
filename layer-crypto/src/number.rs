//! Big-endian numbers as they travel: stripped of leading zeros, or padded to 256 bytes.

use num_bigint::BigUint;
use zeroize::Zeroize;

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

/// `base ^ exponent mod modulus`, 256 bytes; `None` when the modulus is zero or longer than 2048 bits.
pub(crate) fn modpow(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Option<[u8; 256]> {
    if strip(modulus).is_empty() {
        return None;
    }
    let result = BigUint::from_bytes_be(base).modpow(
        &BigUint::from_bytes_be(exponent),
        &BigUint::from_bytes_be(modulus),
    );
    let mut bytes = result.to_bytes_be();
    let padded = pad(&bytes);
    bytes.zeroize();
    padded
}
