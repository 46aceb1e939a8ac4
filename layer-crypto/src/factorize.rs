//! The proof of work of the handshake: the factors of `pq` (page `mtproto/auth_key`, step 3), by elliptic curves
//! ([`ecm`]), and where a handful of them do not help by Brent's variant of Pollard's rho, both on Montgomery
//! arithmetic. The number is public; nothing here is secret or needs to be constant time.

mod ecm;

use std::mem::swap;

/// Splits `pq` into `(p, q)` with `p * q == pq` and `1 < p <= q`. `None` when there is nothing to
/// split: 0, 1 and primes.
///
/// For a product of two primes (all that a server sends) these are the primes, `p < q` unless `pq`
/// is a square. Ends for every `u64`; a few hundredths of a millisecond for two 31-bit primes.
#[must_use]
pub fn factorize(pq: u64) -> Option<(u64, u64)> {
    if pq < 4 {
        return None;
    }
    for small in SMALL_PRIMES {
        if pq.is_multiple_of(small) {
            return (pq != small).then(|| ordered(small, pq / small));
        }
    }
    let root = pq.isqrt();
    if root * root == pq {
        return Some((root, root));
    }
    let field = Montgomery::new(pq);
    if field.is_prime() {
        return None;
    }
    // Of a small number every curve finds both factors at a time, and the walk is short.
    let curves = pq >> 40 != 0;
    curves
        .then(|| ecm::factor(&field))
        .flatten()
        .or_else(|| (1..=16).find_map(|c| field.brent(c)))
        .or_else(|| trial_division(pq, root))
        .map(|p| ordered(p, pq / p))
}

const SMALL_PRIMES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];

fn ordered(p: u64, q: u64) -> (u64, u64) {
    (p.min(q), p.max(q))
}

/// What is left if sixteen walks all failed, which no number is known to do: slow, but it ends.
fn trial_division(n: u64, root: u64) -> Option<u64> {
    (3..=root).step_by(2).find(|d| n.is_multiple_of(*d))
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        a %= b;
        swap(&mut a, &mut b);
    }
    a
}

/// Arithmetic modulo an odd `n`, on numbers kept as `x * 2^64 mod n`.
#[derive(Clone, Copy)]
struct Montgomery {
    n: u64,
    /// The inverse of `n` modulo `2^64`.
    inverse: u64,
    /// `2^64 mod n`, which stands for 1.
    one: u64,
}

impl Montgomery {
    fn new(n: u64) -> Self {
        // Each step of Newton's iteration doubles the number of right bits; n is its own inverse to 3 bits.
        let mut inverse = n;
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(n.wrapping_mul(inverse)));
        }
        Self {
            n,
            inverse,
            one: (u64::MAX % n + 1) % n,
        }
    }

    /// `a * b / 2^64 mod n`
    #[inline(always)]
    fn mul(&self, a: u64, b: u64) -> u64 {
        let (high, low) = wide(a, b);
        let (carry, _) = wide(low.wrapping_mul(self.inverse), self.n);
        self.sub(high, carry)
    }

    #[inline(always)]
    fn add(&self, a: u64, b: u64) -> u64 {
        // a - (n - b), which needs no carry beyond the limb.
        self.sub(a, self.n - b)
    }

    #[inline(always)]
    fn sub(&self, a: u64, b: u64) -> u64 {
        // Not a branch, which could not be foretold.
        let (difference, borrowed) = a.overflowing_sub(b);
        difference.wrapping_add(self.n & u64::from(borrowed).wrapping_neg())
    }

    /// The number that stands for `x`, which is less than `n` and small.
    fn enter(&self, x: u64) -> u64 {
        let (high, low) = wide(x, self.one);
        // x < n and one < n, so the product is less than n^2: reduce it the long way.
        let product = (u128::from(high) << 64) | u128::from(low);
        let [a, b, c, d, e, f, g, h, ..] = (product % u128::from(self.n)).to_le_bytes();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    fn pow(&self, mut base: u64, mut exponent: u64) -> u64 {
        let mut result = self.one;
        while exponent != 0 {
            if exponent & 1 == 1 {
                result = self.mul(result, base);
            }
            base = self.mul(base, base);
            exponent >>= 1;
        }
        result
    }

    /// Miller-Rabin with the first twelve primes as bases, which is a proof for every number below 2^64
    /// (Sorenson and Webster, 2015). `n` is odd and has no factor among them.
    fn is_prime(&self) -> bool {
        let minus_one = self.n - self.one;
        let twos = (self.n - 1).trailing_zeros();
        let odd = (self.n - 1) >> twos;
        SMALL_PRIMES.iter().all(|&base| {
            let mut x = self.pow(self.enter(base), odd);
            if x == self.one || x == minus_one {
                return true;
            }
            for _ in 1..twos {
                x = self.mul(x, x);
                if x == minus_one {
                    return true;
                }
            }
            false
        })
    }

    /// One walk `x -> x^2 + c`. The greatest common divisors are taken of products of 128 differences;
    /// when a product swallowed all of `n` at once, the last 128 steps are taken again one by one.
    /// `None` when this walk closed on both factors at the same time.
    fn brent(&self, c: u64) -> Option<u64> {
        const BATCH: u64 = 128;
        let c = self.enter(c);
        let step = |x| self.add(self.mul(x, x), c);

        let mut y = self.enter(2);
        let mut product = self.one;
        let mut power = 1;
        loop {
            let x = y;
            for _ in 0..power {
                y = step(y);
            }
            let mut done = 0;
            while done < power {
                let start = y;
                for _ in 0..BATCH.min(power - done) {
                    y = step(y);
                    product = self.mul(product, x.abs_diff(y));
                }
                done += BATCH;
                match gcd(product, self.n) {
                    1 => {}
                    found if found != self.n && found != 0 => return Some(found),
                    _ => {
                        let mut y = start;
                        loop {
                            y = step(y);
                            match gcd(x.abs_diff(y), self.n) {
                                1 => {}
                                found => return (found != self.n).then_some(found),
                            }
                        }
                    }
                }
            }
            power *= 2;
        }
    }
}

/// The high and the low half of a product.
#[inline(always)]
#[allow(
    clippy::cast_possible_truncation,
    reason = "the two halves are what is wanted"
)]
fn wide(a: u64, b: u64) -> (u64, u64) {
    let product = u128::from(a) * u128::from(b);
    ((product >> 64) as u64, product as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every divisor tried.
    fn least_factor(n: u64) -> Option<u64> {
        (2..=n.isqrt()).find(|d| n.is_multiple_of(*d))
    }

    fn assert_split(n: u64) {
        let (p, q) = factorize(n).unwrap_or_else(|| panic!("{n} was not split"));
        assert!(1 < p && p <= q && p * q == n, "{n} = {p} * {q}");
    }

    #[test]
    fn published_products_fall_apart() {
        // npm @mtcute/test, the tests of @mtcute/core, the page mtproto/samples-auth_key, the recorded exchange.
        for (pq, p, q) in [
            (0x17ed_4894_1a08_f981, 0x494c_553b, 0x5391_1073),
            (0x14fc_ab4d_fc86_1f45, 0x494c_5c99, 0x494c_778d),
            (2_090_522_174_869_285_481, 1_112_973_847, 1_878_321_023),
            (1_470_626_929_934_143_021, 1_206_429_347, 1_218_991_343),
            (2_804_275_833_720_261_793, 1_555_252_417, 1_803_100_129),
            (1_468_428_376_148_703_121, 1_008_949_199, 1_455_403_679),
            (1825206431143503757, 1152574733, 1583590529),
        ] {
            assert_eq!(factorize(pq), Some((p, q)));
        }
    }

    #[test]
    fn all_small_numbers_are_split_unless_they_are_prime() {
        assert_eq!(factorize(0), None);
        assert_eq!(factorize(1), None);
        for n in 2..30_000 {
            match least_factor(n) {
                None => assert_eq!(factorize(n), None, "{n}"),
                Some(_) => assert_split(n),
            }
        }
    }

    #[test]
    fn the_ends_of_the_range_terminate() {
        // The largest primes below 2^64, 2^63 and 2^32 (and 2^61 - 1, a Mersenne prime).
        for prime in [
            18_446_744_073_709_551_557,
            9_223_372_036_854_775_783,
            4_294_967_291,
            2_305_843_009_213_693_951,
        ] {
            assert_eq!(factorize(prime), None, "{prime}");
        }
        for n in (u64::MAX - 600)..=u64::MAX {
            match factorize(n) {
                Some((p, q)) => assert!(1 < p && p <= q && p * q == n, "{n}"),
                None => assert!(Montgomery::new(n).is_prime(), "{n}"),
            }
        }
    }

    #[test]
    fn squares_cubes_and_powers_are_split() {
        for p in [3, 41, 43, 65_537, 4_294_967_291] {
            assert_eq!(factorize(p * p), Some((p, p)));
        }
        for p in [41u64, 43, 1_009, 2_097_143] {
            assert_split(p * p * p);
        }
        for exponent in 2..64 {
            assert_split(1 << exponent);
        }
        for exponent in 2..=11 {
            assert_split(41u64.pow(exponent));
        }
    }

    #[test]
    fn random_products_of_two_primes_come_back() {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut prime = |bits: u32| loop {
            let candidate = rng.u64(1 << (bits - 1)..1 << bits) | 1;
            if candidate > 40
                && SMALL_PRIMES.iter().all(|p| !candidate.is_multiple_of(*p))
                && Montgomery::new(candidate).is_prime()
            {
                return candidate;
            }
        };
        for bits in (8..=32).chain([31; 40]) {
            let (p, q) = (prime(bits), prime(bits));
            assert_eq!(factorize(p * q), Some(ordered(p, q)), "{p} * {q}");
        }
    }

    #[test]
    fn a_batch_that_swallowed_both_factors_is_walked_again() {
        // Walks, found by an independent program, whose batch closes on both factors.
        for (p, q, c, factor) in [
            (41, 43, 1, 43),
            (41, 47, 2, 41),
            (41, 53, 1, 53),
            (41, 61, 3, 61),
        ] {
            assert_eq!(Montgomery::new(p * q).brent(c), Some(factor), "{p} * {q}");
        }
    }

    #[test]
    fn the_way_out_of_last_resort_works() {
        assert_eq!(trial_division(65_537 * 65_539, 65_538), Some(65_537));
        assert_eq!(trial_division(65_537, 256), None);
    }

    #[test]
    fn montgomery_products_agree_with_128_bit_division() {
        let mut rng = fastrand::Rng::with_seed(3);
        for _ in 0..2000 {
            let n = rng.u64(1 << 40..) | 1;
            let field = Montgomery::new(n);
            let (a, b) = (rng.u64(..n), rng.u64(..n));
            let product = field.mul(field.enter(a), b);
            assert_eq!(
                u128::from(product),
                u128::from(a) * u128::from(b) % u128::from(n)
            );
            assert_eq!(
                u128::from(field.add(a, b)),
                (u128::from(a) + u128::from(b)) % u128::from(n)
            );
        }
    }
}
