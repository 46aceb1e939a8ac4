//! Arithmetic modulo an odd number of fixed width, in Montgomery form. It is here because the
//! exponents of DH, SRP and RSA are secrets: time and memory accesses depend on the width and on the
//! length of an exponent, never on the value of a base or an exponent, and tables and results are
//! wiped. What the compiler spills to the stack while it multiplies is out of reach of safe code and
//! is not wiped. The modulus itself is treated as public while it is set up.

use std::array::from_fn;

use zeroize::Zeroizing;

#[cfg(target_arch = "x86_64")]
use crate::x86_64::{Power, Start};

/// `N` limbs of 64 bits, the least significant first.
pub(crate) type Limbs<const N: usize> = [u64; N];

/// The widest that [`Modulus::square`] has room for.
const WIDEST: usize = 32;

/// A number kept as `x * R mod n` with `R = 2^(64 N)`; wiped on drop.
pub(crate) type Residue<const N: usize> = Zeroizing<Limbs<N>>;

/// Limbs from big-endian bytes; `None` when the number does not fit.
pub(crate) fn from_be<const N: usize>(bytes: &[u8]) -> Option<Limbs<N>> {
    let mut limbs = [0; N];
    for (i, byte) in bytes.iter().rev().enumerate() {
        match limbs.get_mut(i / 8) {
            Some(limb) => *limb |= u64::from(*byte) << (i % 8 * 8),
            None if *byte == 0 => {}
            None => return None,
        }
    }
    Some(limbs)
}

/// `dest` becomes the number, big-endian; what does not fit is cut off at the front.
pub(crate) fn to_be(limbs: &[u64], dest: &mut [u8]) {
    dest.fill(0);
    for (chunk, limb) in dest.rchunks_mut(8).zip(limbs) {
        let bytes = limb.to_be_bytes();
        chunk.copy_from_slice(&bytes[8 - chunk.len()..]);
    }
}

/// How many bits the number has.
pub(crate) fn bits(limbs: &[u64]) -> u32 {
    let mut below = 0;
    let mut bits = 0;
    for limb in limbs {
        if *limb != 0 {
            bits = below + 64 - limb.leading_zeros();
        }
        below += 64;
    }
    bits
}

/// An odd modulus above 1 and what is computed from it beforehand.
#[derive(Clone)]
pub(crate) struct Modulus<const N: usize> {
    n: Limbs<N>,
    /// `-1 / n mod 2^64`
    inverse: u64,
    /// `R mod n`, which stands for 1.
    one: Limbs<N>,
    /// `R^2 mod n`
    r_squared: Limbs<N>,
}

impl Modulus<4> {
    /// `2^255 - 19`, which is known beforehand.
    pub(crate) const CURVE_25519: Self = Self {
        n: [u64::MAX - 18, u64::MAX, u64::MAX, u64::MAX >> 1],
        inverse: 0x86bc_a1af_286b_ca1b,
        one: [2 * 19, 0, 0, 0],
        r_squared: [4 * 19 * 19, 0, 0, 0],
    };
}

impl<const N: usize> Modulus<N> {
    /// `None` when `n` is even or 1.
    pub(crate) fn new(n: Limbs<N>) -> Option<Self> {
        const { assert!(N > 1 && N.is_power_of_two()) };
        let bits = bits(&n);
        if n[0] & 1 == 0 || bits < 2 {
            return None;
        }
        let mut inverse = n[0];
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(n[0].wrapping_mul(inverse)));
        }
        let mut modulus = Self {
            n,
            inverse: inverse.wrapping_neg(),
            one: [0; N],
            r_squared: [0; N],
        };
        // 2^(bits-1) < n, doubled until it is 2^(64 N) mod n.
        let width = u32::try_from(N * 64).ok()?;
        let top = usize::try_from((bits - 1) / 64).ok()?;
        modulus.one[top] = 1 << ((bits - 1) % 64);
        for _ in 0..=width - bits {
            modulus.one = modulus.add(&modulus.one, &modulus.one);
        }
        // 2 stands for 2^1; squared log2(64 N) times it is 2^(64 N), which as a residue is R^2.
        modulus.r_squared = modulus.add(&modulus.one, &modulus.one);
        for _ in 0..width.trailing_zeros() {
            modulus.r_squared = *modulus.square(&modulus.r_squared);
        }
        Some(modulus)
    }

    /// From big-endian bytes; `None` also when they do not fit.
    pub(crate) fn from_be(bytes: &[u8]) -> Option<Self> {
        Self::new(from_be(bytes)?)
    }

    pub(crate) fn n(&self) -> &Limbs<N> {
        &self.n
    }

    /// The residue that stands for 1.
    pub(crate) fn one(&self) -> Residue<N> {
        Zeroizing::new(self.one)
    }

    /// The residue of any number that fits in the width, reduced if need be.
    pub(crate) fn enter(&self, x: &Limbs<N>) -> Residue<N> {
        self.mul(x, &self.r_squared)
    }

    /// The residue of a small number.
    pub(crate) fn small(&self, x: u64) -> Residue<N> {
        self.enter(&from_fn(|i| if i == 0 { x } else { 0 }))
    }

    /// The number, below `n`, that a residue stands for.
    pub(crate) fn leave(&self, x: &Limbs<N>) -> Residue<N> {
        self.mul(x, &from_fn(|i| u64::from(i == 0)))
    }

    /// `a * b / R mod n`, below `n` when at least one of `a` and `b` is.
    ///
    /// Two limbs of `b` at a time: what they add to a column, and what `m` times `n` adds so that the lowest columns
    /// become zero, are four chains of carries beside each other, which keeps the multiplier busy.
    pub(crate) fn mul(&self, a: &Limbs<N>, b: &Limbs<N>) -> Residue<N> {
        let n = &self.n;
        let mut t = Zeroizing::new([0; N]);
        let mut top = 0;
        for pair in b.chunks_exact(2) {
            let (b0, b1) = (pair[0], pair[1]);
            let (sum, mut a0) = multiply_add(t[0], a[0], b0, 0);
            let m0 = sum.wrapping_mul(self.inverse);
            let (_, mut n0) = multiply_add(sum, m0, n[0], 0);
            let mut sum;
            (sum, a0) = multiply_add(t[1], a[1], b0, a0);
            (sum, n0) = multiply_add(sum, m0, n[1], n0);
            let mut a1;
            (sum, a1) = multiply_add(sum, a[0], b1, 0);
            let m1 = sum.wrapping_mul(self.inverse);
            let (_, mut n1) = multiply_add(sum, m1, n[0], 0);
            for column in 2..N {
                (sum, a0) = multiply_add(t[column], a[column], b0, a0);
                (sum, n0) = multiply_add(sum, m0, n[column], n0);
                (sum, a1) = multiply_add(sum, a[column - 1], b1, a1);
                (t[column - 2], n1) = multiply_add(sum, m1, n[column - 1], n1);
            }
            // The two columns above the width.
            let (over, over_n);
            (sum, over) = add_carry(top, a0, 0);
            (sum, over_n) = add_carry(sum, n0, 0);
            (sum, a1) = multiply_add(sum, a[N - 1], b1, a1);
            (t[N - 2], n1) = multiply_add(sum, m1, n[N - 1], n1);
            (t[N - 1], top) = add_carry(over + over_n, a1, 0);
            let carry;
            (t[N - 1], carry) = add_carry(t[N - 1], n1, 0);
            top += carry;
        }
        self.reduce(&mut t, top);
        t
    }

    /// `a * a / R mod n` of a residue: a quarter less work than [`Self::mul`].
    pub(crate) fn square(&self, a: &Limbs<N>) -> Residue<N> {
        const { assert!(N <= WIDEST) };
        let mut buffer = Zeroizing::new([0; 2 * WIDEST]);
        let t = &mut buffer[..2 * N];
        // Each product of two different limbs once, two limbs at a time with their own product first,
        for i in (0..N).step_by(2) {
            let (a0, a1) = (a[i], a[i + 1]);
            let (mut carry0, mut carry1);
            (t[2 * i + 1], carry0) = multiply_add(t[2 * i + 1], a0, a1, 0);
            carry1 = 0;
            let (_, rest) = t.split_at_mut(2 * i + 2);
            let above = &a[i + 2..];
            let mut before = 0;
            for (t, &b) in rest.iter_mut().zip(above) {
                let sum;
                (sum, carry0) = multiply_add(*t, a0, b, carry0);
                (*t, carry1) = multiply_add(sum, a1, before, carry1);
                before = b;
            }
            let length = above.len();
            let (sum, over) = add_carry(rest[length], carry0, 0);
            let high;
            (rest[length], high) = multiply_add(sum, a1, before, carry1);
            rest[length + 1] = over + high;
        }
        // all of them doubled, and the squares of the limbs added.
        let mut carry = 0;
        let mut shifted_out = 0;
        for i in 0..N {
            let (low, high) = (t[2 * i], t[2 * i + 1]);
            let (square, above) = multiply_add(low << 1 | shifted_out, a[i], a[i], carry);
            t[2 * i] = square;
            (t[2 * i + 1], carry) = add_carry(high << 1 | low >> 63, above, 0);
            shifted_out = high >> 63;
        }
        // Then n is added, times what makes each low limb zero in turn, two at a time.
        let n = &self.n;
        let mut top = 0;
        for i in (0..N).step_by(2) {
            let row = &mut t[i..i + N + 2];
            let m0 = row[0].wrapping_mul(self.inverse);
            let (_, mut carry0) = multiply_add(row[0], m0, n[0], 0);
            let sum;
            (sum, carry0) = multiply_add(row[1], m0, n[1], carry0);
            let m1 = sum.wrapping_mul(self.inverse);
            let (_, mut carry1) = multiply_add(sum, m1, n[0], 0);
            for column in 2..N {
                let sum;
                (sum, carry0) = multiply_add(row[column], m0, n[column], carry0);
                (row[column], carry1) = multiply_add(sum, m1, n[column - 1], carry1);
            }
            let (sum, over) = add_carry(row[N], carry0, top);
            let above;
            (row[N], above) = multiply_add(sum, m1, n[N - 1], carry1);
            (row[N + 1], top) = add_carry(row[N + 1], above, over);
        }
        let mut result = Zeroizing::new([0; N]);
        result.copy_from_slice(&t[N..]);
        self.reduce(&mut result, top);
        result
    }

    /// `a + b mod n` of two residues.
    pub(crate) fn add(&self, a: &Limbs<N>, b: &Limbs<N>) -> Limbs<N> {
        let mut sum = [0; N];
        let mut carry = 0;
        for i in 0..N {
            (sum[i], carry) = add_carry(a[i], b[i], carry);
        }
        self.reduce(&mut sum, carry);
        sum
    }

    /// `a - b mod n` of two residues.
    pub(crate) fn sub(&self, a: &Limbs<N>, b: &Limbs<N>) -> Limbs<N> {
        let mut difference = [0; N];
        let mut borrow = 0;
        for i in 0..N {
            (difference[i], borrow) = sub_borrow(a[i], b[i], borrow);
        }
        let mask = borrow.wrapping_neg();
        let mut carry = 0;
        for (digit, &n) in difference.iter_mut().zip(&self.n) {
            (*digit, carry) = add_carry(*digit, n & mask, carry);
        }
        difference
    }

    /// `x / 2 mod n` of a residue.
    pub(crate) fn half(&self, x: &Limbs<N>) -> Limbs<N> {
        let mask = (x[0] & 1).wrapping_neg();
        let mut sum = [0; N];
        let mut carry = 0;
        for i in 0..N {
            (sum[i], carry) = add_carry(x[i], self.n[i] & mask, carry);
        }
        from_fn(|i| {
            let above = sum.get(i + 1).copied().unwrap_or(carry);
            sum[i] >> 1 | above << 63
        })
    }

    /// `base ^ exponent` of a residue; the exponent is big-endian. Every four bits cost four squarings
    /// and a product with an entry of a table, all of which is read each time.
    pub(crate) fn pow(&self, base: &Limbs<N>, exponent: &[u8]) -> Residue<N> {
        #[cfg(target_arch = "x86_64")]
        if let Some(power) = self.pow_by_instructions(base, exponent) {
            return power;
        }
        self.pow_portable(base, exponent)
    }

    /// `None` where the processor or the width is another one.
    #[cfg(target_arch = "x86_64")]
    fn pow_by_instructions(&self, base: &Limbs<N>, exponent: &[u8]) -> Option<Residue<N>> {
        let (processor, start) = self.by_instructions()?;
        let power = processor.pow(&start, self.leave(base).first_chunk()?, exponent);
        Some(self.enter(power.first_chunk()?))
    }

    #[cfg(target_arch = "x86_64")]
    fn by_instructions(&self) -> Option<(Power, Start)> {
        let processor = Power::new().filter(|_| N == 32)?;
        // There, 1 is 2^2080: 32 times the double of what it is here.
        let one = (0..32).fold(self.one, |one, _| self.add(&one, &one));
        let square = self.mul(&self.enter(&one), &one);
        let start = Start {
            n: *self.n.first_chunk()?,
            inverse: self.inverse,
            one: *one.first_chunk()?,
            square: *square.first_chunk()?,
        };
        Some((processor, start))
    }

    fn pow_portable(&self, base: &Limbs<N>, exponent: &[u8]) -> Residue<N> {
        let mut table = Zeroizing::new([self.one; 16]);
        for i in 1..16 {
            table[i] = *self.mul(&table[i - 1], base);
        }
        let mut result = self.one();
        for byte in exponent {
            for nibble in [byte >> 4, byte & 15] {
                for _ in 0..4 {
                    result = self.square(&result);
                }
                result = self.mul(&result, &select(&*table, nibble));
            }
        }
        result
    }

    /// `base ^ exponent` where it is known what `base ^ 2^d`, `base ^ 2^2d` and so on are, with `d` = [`COMB_STEP`]: the
    /// first of them is the base itself. A third of the work: each squaring serves five bits that far apart.
    pub(crate) fn pow_comb(&self, bases: &[Limbs<N>; TEETH], exponent: &[u8; 256]) -> Residue<N> {
        #[cfg(target_arch = "x86_64")]
        if let Some(power) = self.comb_by_instructions(bases, exponent) {
            return power;
        }
        self.comb_portable(bases, exponent)
    }

    #[cfg(target_arch = "x86_64")]
    fn comb_by_instructions(
        &self,
        bases: &[Limbs<N>; TEETH],
        exponent: &[u8; 256],
    ) -> Option<Residue<N>> {
        let (processor, start) = self.by_instructions()?;
        let mut outer = [[0; 32]; TEETH];
        for (outer, base) in outer.iter_mut().zip(bases) {
            *outer = *self.leave(base).first_chunk()?;
        }
        let power = processor.comb(&start, &outer, exponent);
        Some(self.enter(power.first_chunk()?))
    }

    fn comb_portable(&self, bases: &[Limbs<N>; TEETH], exponent: &[u8; 256]) -> Residue<N> {
        let mut table = [self.one; 1 << TEETH];
        for at in 1..table.len() {
            let (rest, tooth) = (at & (at - 1), at.trailing_zeros() as usize);
            table[at] = *self.mul(&table[rest], &bases[tooth]);
        }
        let mut result = self.one();
        for column in (0..COMB_STEP).rev() {
            result = self.square(&result);
            result = self.mul(&result, &select(&table, comb_index(exponent, column)));
        }
        result
    }

    /// Takes `n` off once if `top * R + x` is not below it.
    fn reduce(&self, x: &mut Limbs<N>, top: u64) {
        let mut reduced = Zeroizing::new([0; N]);
        let mut borrow = 0;
        for i in 0..N {
            (reduced[i], borrow) = sub_borrow(x[i], self.n[i], borrow);
        }
        // Nothing was borrowed, or `top` pays for it: take the reduced number.
        let mask = (top | (borrow ^ 1)).wrapping_neg();
        for (x, r) in x.iter_mut().zip(&*reduced) {
            *x = (*x & !mask) | (r & mask);
        }
    }
}

/// Bits of an exponent that [`Modulus::pow_comb`] takes at a time.
pub(crate) const TEETH: usize = 5;
/// How far apart they are.
pub(crate) const COMB_STEP: usize = (256 * 8usize).div_ceil(TEETH);

/// The bits of a column: the lowest from there, the next from [`COMB_STEP`] further up, and so on.
pub(crate) fn comb_index(exponent: &[u8; 256], column: usize) -> u8 {
    let bit = |at: usize| match exponent.get(255usize.wrapping_sub(at / 8)) {
        Some(byte) => byte >> (at % 8) & 1,
        None => 0,
    };
    (0..TEETH).fold(0, |index, tooth| {
        index | bit(tooth * COMB_STEP + column) << tooth
    })
}

/// An entry of a table, all of which is read.
fn select<const N: usize>(table: &[Limbs<N>], index: u8) -> Residue<N> {
    let mut entry = Zeroizing::new([0; N]);
    for (candidate, at) in table.iter().zip(0u8..) {
        let mask = equal_mask(at, index);
        for (e, c) in entry.iter_mut().zip(candidate) {
            *e |= c & mask;
        }
    }
    entry
}

/// All ones when the two are equal, all zeros when not, without a branch.
#[inline(always)]
fn equal_mask(a: u8, b: u8) -> u64 {
    let difference = std::hint::black_box(u64::from(a ^ b));
    (difference.wrapping_sub(1) >> 63).wrapping_neg()
}

/// `t + a * b + carry` as (low, high); it cannot overflow.
#[inline(always)]
#[allow(
    clippy::cast_possible_truncation,
    reason = "the two halves are what is wanted"
)]
pub(crate) fn multiply_add(t: u64, a: u64, b: u64, carry: u64) -> (u64, u64) {
    let sum = u128::from(a) * u128::from(b) + u128::from(t) + u128::from(carry);
    (sum as u64, (sum >> 64) as u64)
}

#[inline(always)]
pub(crate) fn add_carry(a: u64, b: u64, carry: u64) -> (u64, u64) {
    multiply_add(a, b, 1, carry)
}

#[inline(always)]
fn sub_borrow(a: u64, b: u64, borrow: u64) -> (u64, u64) {
    let (difference, first) = a.overflowing_sub(b);
    let (difference, second) = difference.overflowing_sub(borrow);
    (difference, u64::from(first | second))
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;

    use super::*;

    fn big(limbs: &[u64]) -> BigUint {
        let mut bytes = vec![0; limbs.len() * 8];
        to_be(limbs, &mut bytes);
        BigUint::from_bytes_be(&bytes)
    }

    fn random<const N: usize>(rng: &mut fastrand::Rng) -> Limbs<N> {
        // All zeros and all ones are where carries go wrong.
        let mut limbs = from_fn(|_| match rng.u8(0..4) {
            0 => 0,
            1 => u64::MAX,
            _ => rng.u64(..),
        });
        if rng.bool() {
            // Shorter than its width.
            let from = rng.usize(0..N);
            limbs[from..].fill(0);
        }
        limbs
    }

    fn compare_with_num_bigint<const N: usize>(cases: usize) {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut rng = fastrand::Rng::with_seed(seed);
        for _ in 0..cases {
            let mut n = random::<N>(&mut rng);
            n[0] |= 1;
            let Some(modulus) = Modulus::new(n) else {
                assert_eq!(big(&n), BigUint::from(1u32));
                continue;
            };
            let (a, b) = (random::<N>(&mut rng), random::<N>(&mut rng));
            let (big_n, big_a, big_b) = (big(&n), big(&a), big(&b));
            let (ra, rb) = (modulus.enter(&a), modulus.enter(&b));
            assert_eq!(big(&*modulus.leave(&ra)), &big_a % &big_n);
            assert_eq!(big(&*modulus.leave(&modulus.one())), BigUint::from(1u32));

            let leave = |x: &Limbs<N>| big(&*modulus.leave(x));
            assert_eq!(leave(&modulus.mul(&ra, &rb)), &big_a * &big_b % &big_n);
            assert_eq!(leave(&modulus.square(&ra)), &big_a * &big_a % &big_n);
            assert_eq!(leave(&modulus.add(&ra, &rb)), (&big_a + &big_b) % &big_n);
            let difference = (&big_a % &big_n + &big_n - &big_b % &big_n) % &big_n;
            assert_eq!(leave(&modulus.sub(&ra, &rb)), difference);
            let half = modulus.half(&ra);
            assert_eq!(leave(&modulus.add(&half, &half)), &big_a % &big_n);

            let exponent: Vec<u8> = (0..rng.usize(0..12)).map(|_| rng.u8(..)).collect();
            assert_eq!(
                leave(&modulus.pow(&ra, &exponent)),
                big_a.modpow(&BigUint::from_bytes_be(&exponent), &big_n)
            );
        }
    }

    #[test]
    fn powers_come_out_the_same_by_every_way() {
        let mut rng = fastrand::Rng::with_seed(5);
        for round in 0..30 {
            let mut n = random::<32>(&mut rng);
            n[0] |= 1;
            n[31] |= u64::from(round % 3 == 0) << 63;
            let Some(modulus) = Modulus::new(n) else {
                continue;
            };
            let base = modulus.enter(&random(&mut rng));
            let exponent: Vec<u8> = (0..rng.usize(0..12)).map(|_| rng.u8(..)).collect();
            let expected = modulus.pow_portable(&base, &exponent);
            assert_eq!(*modulus.pow(&base, &exponent), *expected, "{n:?}");
            let shown =
                big(&*modulus.leave(&base)).modpow(&BigUint::from_bytes_be(&exponent), &big(&n));
            assert_eq!(big(&*modulus.leave(&expected)), shown);
        }
        // By the comb, of any base.
        for _ in 0..5 {
            let mut n = random::<32>(&mut rng);
            n[0] |= 1;
            let Some(modulus) = Modulus::new(n) else {
                continue;
            };
            let base = modulus.enter(&random(&mut rng));
            let mut bases = [*base; TEETH];
            for at in 1..TEETH {
                bases[at] = (0..COMB_STEP).fold(bases[at - 1], |power, _| *modulus.square(&power));
            }
            let exponent: [u8; 256] = from_fn(|_| rng.u8(..));
            let expected = modulus.pow_portable(&base, &exponent);
            assert_eq!(*modulus.pow_comb(&bases, &exponent), *expected);
            assert_eq!(*modulus.comb_portable(&bases, &exponent), *expected);
        }
        // The widest of everything.
        let modulus = Modulus::<32>::new([u64::MAX; 32]).unwrap();
        let base = modulus.enter(&from_fn(|at| u64::MAX - u64::from(at == 0)));
        let exponent = [u8::MAX; 256];
        assert_eq!(
            *modulus.pow(&base, &exponent),
            *modulus.pow_portable(&base, &exponent)
        );
    }

    #[test]
    fn arithmetic_agrees_with_num_bigint_at_every_width() {
        compare_with_num_bigint::<4>(1000);
        compare_with_num_bigint::<2>(2000);
        compare_with_num_bigint::<16>(500);
        compare_with_num_bigint::<32>(200);
    }

    #[test]
    fn what_is_known_beforehand_is_what_would_be_computed() {
        let known = Modulus::CURVE_25519;
        assert_eq!(big(&known.n), (BigUint::from(1u32) << 255u32) - 19u32);
        let computed = Modulus::new(known.n).unwrap();
        assert_eq!(known.inverse, computed.inverse);
        assert_eq!(known.one, computed.one);
        assert_eq!(known.r_squared, computed.r_squared);
    }

    #[test]
    fn even_numbers_zero_and_one_are_no_moduli() {
        assert!(Modulus::new([0, 0]).is_none());
        assert!(Modulus::new([1, 0]).is_none());
        assert!(Modulus::new([2, 0]).is_none());
        assert!(Modulus::new([0, 1]).is_none());
        assert!(Modulus::new([3, 0]).is_some());
        assert!(Modulus::new([1, 1]).is_some());
    }

    #[test]
    fn bytes_go_in_and_out() {
        let limbs: Limbs<2> = from_be(&[0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).unwrap();
        assert_eq!(limbs, [0x0203_0405_0607_0809, 0x01]);
        let mut bytes = [0xff; 11];
        to_be(&limbs, &mut bytes);
        assert_eq!(bytes, [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(from_be::<1>(&[1, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(from_be::<1>(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 9]), Some([9]));
        assert_eq!(bits(&[0, 0]), 0);
        assert_eq!(bits(&[1, 0]), 1);
        assert_eq!(bits(&[0, 1]), 65);
    }
}
