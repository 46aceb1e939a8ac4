//! Powers modulo an odd number of up to 2048 bits, by the instructions that multiply eight limbs of 52 bits at a time
//! (AVX-512 IFMA).
//!
//! Montgomery's product as Gueron and Krasnov have it ("Accelerating big integer arithmetic using Intel IFMA
//! extensions", 2016): 40 limbs have 32 bits more than the modulus, so that products need not be reduced to the last;
//! the power is at its end. Time and memory accesses depend on the length of the exponent alone.

use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_alignr_epi64, _mm512_and_si512, _mm512_broadcastq_epi64,
    _mm512_castsi512_si128, _mm512_cmpeq_epi64_mask, _mm512_cmpgt_epu64_mask, _mm512_loadu_si512,
    _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_add_epi64, _mm512_maskz_srli_epi64,
    _mm512_or_si512, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_srli_epi64,
    _mm512_storeu_si512,
};

use zeroize::{Zeroize, Zeroizing};

use crate::modulus::{COMB_STEP, TEETH, comb_index};

/// Limbs of 64 bits of the numbers that come and go.
const OUTER: usize = 32;
/// Limbs of 52 bits, and registers of eight of them.
const LIMBS: usize = 40;
const REGISTERS: usize = LIMBS / 8;
const BITS: usize = 52;
const SHIFT: u32 = 52;
const MASK: u64 = (1 << BITS) - 1;
/// Bits of the exponent that are taken at a time.
const WINDOW: usize = 5;

/// A number in limbs of 52 bits, the least significant first.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Number([u64; LIMBS]);

impl Zeroize for Number {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl Number {
    const ZERO: Self = Self([0; LIMBS]);

    fn from_outer(limbs: &[u64; OUTER]) -> Self {
        let mut number = Self::ZERO;
        for (at, limb) in number.0.iter_mut().enumerate() {
            let (word, shift) = (at * BITS / 64, at * BITS % 64);
            let low = limbs.get(word).map_or(0, |word| word >> shift);
            let high = match limbs.get(word + 1) {
                Some(word) if shift > 0 => word << (64 - shift),
                _ => 0,
            };
            *limb = (low | high) & MASK;
        }
        number
    }

    /// The number, which has to be below `2^2048`.
    fn to_outer(self) -> [u64; OUTER] {
        let mut limbs = [0; OUTER];
        for (at, limb) in self.0.iter().enumerate() {
            let (word, shift) = (at * BITS / 64, at * BITS % 64);
            if let Some(place) = limbs.get_mut(word) {
                *place |= limb << shift;
            }
            if shift > 64 - BITS
                && let Some(place) = limbs.get_mut(word + 1)
            {
                *place |= limb >> (64 - shift);
            }
        }
        limbs
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(&self) -> Wide {
        let (chunks, _) = self.0.as_chunks::<8>();
        // SAFETY: 64 bytes that may be read, each; the instruction asks for no alignment.
        std::array::from_fn(|at| unsafe { _mm512_loadu_si512(chunks[at].as_ptr().cast()) })
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn store(&mut self, registers: Wide) {
        let (chunks, _) = self.0.as_chunks_mut::<8>();
        for (chunk, register) in chunks.iter_mut().zip(registers) {
            // SAFETY: 64 bytes that may be written; the instruction asks for no alignment.
            unsafe { _mm512_storeu_si512(chunk.as_mut_ptr().cast(), register) }
        }
    }
}

/// Proof that the processor has the instructions.
#[derive(Clone, Copy)]
pub(crate) struct Power(());

impl Power {
    pub(crate) fn new() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512ifma") && is_x86_feature_detected!("avx512f");
        found.then_some(Self(()))
    }

    /// `base ^ exponent`, up to a multiple of `n`: what comes is below `2^2048`. The exponent is big-endian.
    pub(crate) fn pow(
        self,
        start: &Start,
        base: &[u64; OUTER],
        exponent: &[u8],
    ) -> Zeroizing<[u64; OUTER]> {
        let base = Zeroizing::new(Number::from_outer(base));
        // SAFETY: `Self` is only made where the instructions are.
        let power = unsafe { pow(&Modulus::new(start), &base, exponent) };
        Zeroizing::new(power.to_outer())
    }

    /// The same by a comb.
    pub(crate) fn comb(
        self,
        start: &Start,
        bases: &[[u64; OUTER]; TEETH],
        exponent: &[u8; 256],
    ) -> Zeroizing<[u64; OUTER]> {
        let bases = bases.each_ref().map(Number::from_outer);
        // SAFETY: as above.
        let power = unsafe { comb(&Modulus::new(start), &bases, exponent) };
        Zeroizing::new(power.to_outer())
    }
}

/// What is known of a modulus.
pub(crate) struct Start {
    /// The modulus, which is odd.
    pub(crate) n: [u64; OUTER],
    /// `-1 / n mod 2^64`
    pub(crate) inverse: u64,
    /// `2^2080 mod n`
    pub(crate) one: [u64; OUTER],
    /// `2^4160 mod n`
    pub(crate) square: [u64; OUTER],
}

/// The registers that a number fills.
type Wide = [__m512i; REGISTERS];

struct Modulus {
    n: Number,
    inverse: u64,
    one: Number,
    square: Number,
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn pow(modulus: &Modulus, base: &Number, exponent: &[u8]) -> Zeroizing<Number> {
    let mut table = Zeroizing::new([modulus.one; 1 << WINDOW]);
    let base = modulus.mul(modulus.square.load(), base);
    for at in 1..table.len() {
        let next = modulus.mul(base, &table[at - 1]);
        table[at].store(next);
    }
    let mut result = Zeroizing::new(modulus.one);
    for window in (0..(exponent.len() * 8).div_ceil(WINDOW)).rev() {
        for _ in 0..WINDOW {
            modulus.square(&mut result);
        }
        let entry = select(&table, bits(exponent, window * WINDOW));
        let product = modulus.mul(entry, &result);
        result.store(product);
    }
    modulus.leave(result)
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn comb(modulus: &Modulus, bases: &[Number; TEETH], exponent: &[u8; 256]) -> Zeroizing<Number> {
    let mut table = [modulus.one; 1 << TEETH];
    let bases = bases
        .each_ref()
        .map(|base| modulus.mul(modulus.square.load(), base));
    for at in 1..table.len() {
        let (rest, tooth) = (at & (at - 1), at.trailing_zeros() as usize);
        let next = modulus.mul(bases[tooth], &table[rest]);
        table[at].store(next);
    }
    let mut result = Zeroizing::new(modulus.one);
    for column in (0..COMB_STEP).rev() {
        modulus.square(&mut result);
        let entry = select(&table, comb_index(exponent, column));
        let product = modulus.mul(entry, &result);
        result.store(product);
    }
    modulus.leave(result)
}

/// The bits of a big-endian number from this one on, as many as a window has.
fn bits(number: &[u8], from: usize) -> u8 {
    let byte = |at: usize| number.iter().rev().nth(at).copied().unwrap_or(0);
    let two = u16::from_le_bytes([byte(from / 8), byte(from / 8 + 1)]);
    (two >> (from % 8)).to_le_bytes()[0] & ((1 << WINDOW) - 1)
}

/// An entry of the table, all of which is read.
#[target_feature(enable = "avx512f")]
fn select(table: &[Number; 1 << WINDOW], index: u8) -> Wide {
    let mut found = [_mm512_setzero_si512(); REGISTERS];
    for (entry, at) in table.iter().zip(0u8..) {
        let difference = std::hint::black_box(u64::from(at ^ index));
        let mask = (difference.wrapping_sub(1) >> 63).wrapping_neg();
        let mask = _mm512_set1_epi64(mask.cast_signed());
        for (found, entry) in found.iter_mut().zip(entry.load()) {
            *found = _mm512_or_si512(*found, _mm512_and_si512(entry, mask));
        }
    }
    found
}

impl Modulus {
    fn new(start: &Start) -> Self {
        Self {
            n: Number::from_outer(&start.n),
            inverse: start.inverse & MASK,
            one: Number::from_outer(&start.one),
            square: Number::from_outer(&start.square),
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn square(&self, number: &mut Number) {
        let squared = self.mul(number.load(), number);
        number.store(squared);
    }

    /// The number that stands for another one, up to a multiple of `n`: below `2^2048`, for it is at most `n`.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn leave(&self, mut number: Zeroizing<Number>) -> Zeroizing<Number> {
        let mut one = Number::ZERO;
        one.0[0] = 1;
        let left = self.mul(number.load(), &one);
        number.store(left);
        number
    }

    /// `a * b / 2^2080` up to a multiple of `n`, below `2^2049` when `a` and `b` are.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn mul(&self, a: Wide, b: &Number) -> Wide {
        let zero = _mm512_setzero_si512();
        let inverse = _mm512_set1_epi64(self.inverse.cast_signed());
        let n = self.n.load();
        let mut limb = _mm512_set1_epi64(b.0[0].cast_signed());
        let mut sum = a.map(|a| _mm512_madd52lo_epu64(zero, a, limb));
        for turn in 0..LIMBS {
            let next = b.0.get(turn + 1).copied().unwrap_or(0);
            let next = _mm512_set1_epi64(next.cast_signed());
            // The lowest limb is all that the next turn waits for: what is added to it without `m` is made beside.
            let early = _mm512_madd52hi_epu64(zero, a[0], limb);
            let early = _mm512_madd52lo_epu64(early, a[0], next);
            let m = _mm512_madd52lo_epu64(zero, sum[0], inverse);
            let m = _mm512_broadcastq_epi64(_mm512_castsi512_si128(m));
            for at in 0..REGISTERS {
                sum[at] = _mm512_madd52lo_epu64(sum[at], n[at], m);
            }
            // The lowest limb is a multiple of 2^52 now: it is carried, and everything moves down by one.
            let carry = _mm512_maskz_srli_epi64::<SHIFT>(1, sum[0]);
            let early = _mm512_madd52hi_epu64(early, n[0], m);
            let early = _mm512_add_epi64(early, carry);
            sum[0] = _mm512_add_epi64(_mm512_alignr_epi64::<1>(sum[1], sum[0]), early);
            for at in 1..REGISTERS {
                let above = if at + 1 < REGISTERS {
                    sum[at + 1]
                } else {
                    zero
                };
                let moved = _mm512_alignr_epi64::<1>(above, sum[at]);
                let moved = _mm512_madd52hi_epu64(moved, a[at], limb);
                let moved = _mm512_madd52lo_epu64(moved, a[at], next);
                sum[at] = _mm512_madd52hi_epu64(moved, n[at], m);
            }
            limb = next;
        }
        carried(sum)
    }
}

/// The same number with limbs of 52 bits each.
#[inline]
#[target_feature(enable = "avx512f")]
fn carried(sum: Wide) -> Wide {
    let (zero, one) = (_mm512_setzero_si512(), _mm512_set1_epi64(1));
    let mask = _mm512_set1_epi64(MASK.cast_signed());
    let carries = sum.map(|sum| _mm512_srli_epi64::<SHIFT>(sum));
    let mut limbs = sum.map(|sum| _mm512_and_si512(sum, mask));
    // Each limb takes what the one below has too much. Then one more at most is left to be carried: by those that are
    // too large again, and on by those that are as large as may be.
    let (mut too_large, mut full) = (0u64, 0u64);
    for at in 0..REGISTERS {
        let below = if at == 0 { zero } else { carries[at - 1] };
        limbs[at] = _mm512_add_epi64(limbs[at], _mm512_alignr_epi64::<7>(carries[at], below));
        too_large |= u64::from(_mm512_cmpgt_epu64_mask(limbs[at], mask)) << (8 * at);
        full |= u64::from(_mm512_cmpeq_epi64_mask(limbs[at], mask)) << (8 * at);
    }
    let take_one = full.wrapping_add(too_large << 1) ^ full;
    let parts = take_one.to_le_bytes();
    for at in 0..REGISTERS {
        let limb = _mm512_mask_add_epi64(limbs[at], parts[at], limbs[at], one);
        limbs[at] = _mm512_and_si512(limb, mask);
    }
    limbs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_in_and_come_out() {
        let limbs = std::array::from_fn(|at| 0x9e37_79b9_7f4a_7c15u64.wrapping_mul(at as u64 + 1));
        let number = Number::from_outer(&limbs);
        assert!(number.0.iter().all(|limb| *limb <= MASK));
        assert_eq!(number.to_outer(), limbs);
        assert_eq!(
            Number::from_outer(&[u64::MAX; OUTER]).to_outer(),
            [u64::MAX; OUTER]
        );
    }

    #[test]
    fn carries_run_through_full_limbs_to_the_end() {
        if Power::new().is_none() {
            return;
        }
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..500 {
            let mut number = Number(std::array::from_fn(|_| match rng.u8(0..4) {
                0 => MASK,
                1 => MASK - 1,
                2 => rng.u64(..1 << 60),
                _ => 0,
            }));
            number.0[LIMBS - 1] &= MASK >> 20;
            let mut expected = number;
            let mut carry = 0;
            for limb in &mut expected.0 {
                carry += *limb;
                *limb = carry & MASK;
                carry >>= BITS;
            }
            number.store_carried();
            assert_eq!(number.0, expected.0);
        }
    }

    impl Number {
        fn store_carried(&mut self) {
            // SAFETY: called where `Power` was made, so the instructions are there.
            unsafe {
                let limbs = carried(self.load());
                self.store(limbs);
            }
        }
    }
}
