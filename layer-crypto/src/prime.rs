//! Primality, for the groups that a server proposes and for new RSA keys. The numbers tested in
//! earnest are public or are thrown away, but the arithmetic is constant time all the same.
//!
//! The test is Baillie-PSW (Miller-Rabin to base 2, then strong Lucas, with Selfridge's parameters),
//! to which no composite number is known to be an exception and none is known how to construct,
//! followed by Miller-Rabin rounds to bases that come from a hash of the number: whoever makes up a
//! number cannot choose it for bases known beforehand.

use zeroize::Zeroizing;

use crate::modulus::{Limbs, Modulus, Residue, add_carry, bits, to_be};
use crate::sha::sha256;

/// The odd primes below 1000, to sort out most candidates cheaply.
const SMALL_PRIMES: [u64; 167] = small_primes();

const fn small_primes() -> [u64; 167] {
    let mut primes = [0; 167];
    let mut found = 0;
    let mut candidate = 3;
    while found < primes.len() {
        let mut i = 0;
        let mut prime = true;
        while i < found {
            if candidate % primes[i] == 0 {
                prime = false;
            }
            i += 1;
        }
        if prime {
            primes[found] = candidate;
            found += 1;
        }
        candidate += 2;
    }
    primes
}

/// `n mod small`, where `small` is not zero and below 2^32.
pub(crate) fn remainder(n: &[u64], small: u64) -> u64 {
    n.iter().rev().fold(0, |rest, limb| {
        let rest = (rest << 32 | limb >> 32) % small;
        (rest << 32 | limb & 0xffff_ffff) % small
    })
}

/// Whether `n` is divisible by 2 or by an odd prime below 1000, `n` itself not counted.
pub(crate) fn has_small_factor(n: &[u64]) -> bool {
    let is = |small| n[0] == small && bits(n) <= 10;
    (n[0] & 1 == 0 && !is(2)) || SMALL_PRIMES.iter().any(|&p| remainder(n, p) == 0 && !is(p))
}

/// Baillie-PSW and `rounds` further rounds of Miller-Rabin. Numbers below 5 are not asked about.
pub(crate) fn is_prime<const N: usize>(n: &Limbs<N>, rounds: u32) -> bool {
    if has_small_factor(n) {
        return false;
    }
    Modulus::new(*n).is_some_and(|modulus| {
        strong_probable_prime(&modulus, &modulus.small(2))
            && strong_lucas(&modulus)
            && (0..rounds)
                .all(|round| strong_probable_prime(&modulus, &hashed_base(&modulus, round)))
    })
}

/// Whether `2^(n-1) = 1 mod n`. When `(n-1)/2` is prime and greater than 3 this proves `n` prime
/// (Pocklington's criterion: the prime factor `(n-1)/2` exceeds the square root of `n`, and
/// `2^2 - 1 = 3` does not divide `n`, which [`has_small_factor`] has seen to).
pub(crate) fn fermat_base_2<const N: usize>(modulus: &Modulus<N>) -> bool {
    let (odd, twos) = odd_part(&minus_one(modulus.n()));
    let mut x = modulus.pow(&modulus.small(2), &exponent(&odd));
    for _ in 0..twos {
        x = modulus.square(&x);
    }
    *x == *modulus.one()
}

fn hashed_base<const N: usize>(modulus: &Modulus<N>, round: u32) -> Residue<N> {
    let n = exponent(modulus.n());
    let hash = sha256(&[b"base", &*n, &round.to_be_bytes()]);
    // A residue of 256 pseudorandom bits: 0, 1 and n - 1 do not come up above 2^256, and to a small n
    // they only make the round worthless.
    let mut base = [0; N];
    for (limb, bytes) in base.iter_mut().zip(hash.as_chunks::<8>().0) {
        *limb = u64::from_be_bytes(*bytes);
    }
    modulus.enter(&base)
}

/// One round of Miller-Rabin.
fn strong_probable_prime<const N: usize>(modulus: &Modulus<N>, base: &Residue<N>) -> bool {
    let one = modulus.one();
    let minus_one_residue = modulus.sub(&[0; N], &one);
    if **base == [0; N] {
        return true;
    }
    let (odd, twos) = odd_part(&minus_one(modulus.n()));
    let mut x = modulus.pow(base, &exponent(&odd));
    if *x == *one || *x == minus_one_residue {
        return true;
    }
    for _ in 1..twos {
        x = modulus.square(&x);
        if *x == minus_one_residue {
            return true;
        }
    }
    false
}

/// The strong Lucas test with Selfridge's parameters: `D` the first of 5, -7, 9, -11, … with
/// `(D/n) = -1`, `P = 1`, `Q = (1 - D) / 4`.
fn strong_lucas<const N: usize>(modulus: &Modulus<N>) -> bool {
    let n = modulus.n();
    // A square has no such D. Of the other numbers one in 2^64 has none among the first 64, and is
    // refused without proof, which does no harm.
    let Some((magnitude, negative)) = (0..64u64)
        .map(|i| (5 + 2 * i, i % 2 == 1))
        .find(|&(d, negative)| jacobi(d, negative, n) == -1)
    else {
        return false;
    };
    let signed = |magnitude, negative| {
        let residue = modulus.small(magnitude);
        if negative {
            Zeroizing::new(modulus.sub(&[0; N], &residue))
        } else {
            residue
        }
    };
    let d = signed(magnitude, negative);
    // D = 5, 9, 13, … gives a negative Q, D = -7, -11, … a positive one.
    let q = if negative {
        signed(magnitude.div_ceil(4), false)
    } else {
        signed((magnitude - 1) / 4, true)
    };

    let mut plus_one = *n;
    let mut carry = 1;
    for limb in &mut plus_one {
        (*limb, carry) = add_carry(*limb, 0, carry);
    }
    if carry != 0 {
        // n + 1 is a power of two, 2^(64 N): such an n has the small factor 3 or is not of this width.
        return false;
    }
    let (odd, twos) = odd_part(&plus_one);

    // U_1 = 1, V_1 = P = 1, Q^1
    let (mut u, mut v, mut q_k) = (*modulus.one(), *modulus.one(), *q);
    let double_v = |v: &Limbs<N>, q_k: &Limbs<N>| {
        let squared = modulus.square(v);
        modulus.sub(&modulus.sub(&squared, q_k), q_k)
    };
    for bit in (0..bits(&odd).saturating_sub(1)).rev() {
        u = *modulus.mul(&u, &v);
        v = double_v(&v, &q_k);
        q_k = *modulus.square(&q_k);
        let limb = usize::try_from(bit / 64).ok().and_then(|i| odd.get(i));
        if limb.is_some_and(|limb| limb >> (bit % 64) & 1 == 1) {
            let next_u = modulus.half(&modulus.add(&u, &v));
            v = modulus.half(&modulus.add(&modulus.mul(&d, &u), &v));
            u = next_u;
            q_k = *modulus.mul(&q_k, &q);
        }
    }
    if u == [0; N] {
        return true;
    }
    for _ in 0..twos {
        if v == [0; N] {
            return true;
        }
        v = double_v(&v, &q_k);
        q_k = *modulus.square(&q_k);
    }
    false
}

/// The Jacobi symbol `(±d / n)` for a small odd `d` and an odd `n`.
fn jacobi(d: u64, negative: bool, n: &[u64]) -> i32 {
    let n_is_3_mod_4 = n[0] & 3 == 3;
    let mut sign = if negative && n_is_3_mod_4 { -1 } else { 1 };
    if d & 3 == 3 && n_is_3_mod_4 {
        sign = -sign;
    }
    let (mut a, mut m) = (remainder(n, d), d);
    while a != 0 {
        while a & 1 == 0 {
            a >>= 1;
            if matches!(m & 7, 3 | 5) {
                sign = -sign;
            }
        }
        if a & 3 == 3 && m & 3 == 3 {
            sign = -sign;
        }
        (a, m) = (m % a, a);
    }
    if m == 1 { sign } else { 0 }
}

/// `n - 1` of an odd `n`.
fn minus_one<const N: usize>(n: &Limbs<N>) -> Limbs<N> {
    let mut result = *n;
    result[0] &= !1;
    result
}

/// `x = odd * 2^twos`, for an `x` that is not zero.
fn odd_part<const N: usize>(x: &Limbs<N>) -> (Limbs<N>, u32) {
    let mut odd = *x;
    let mut twos = 0;
    while odd[0] & 1 == 0 && odd != [0; N] {
        for i in 0..N {
            let above = odd.get(i + 1).copied().unwrap_or(0);
            odd[i] = odd[i] >> 1 | above << 63;
        }
        twos += 1;
    }
    (odd, twos)
}

fn exponent<const N: usize>(x: &Limbs<N>) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(vec![0; N * 8]);
    to_be(x, &mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the definition.
    fn prime_by_division(n: u64) -> bool {
        n >= 2 && (2..=n.isqrt()).all(|d| !n.is_multiple_of(d))
    }

    #[test]
    fn the_whole_test_is_right_for_all_small_numbers() {
        for n in (5..200_000).step_by(2) {
            assert_eq!(is_prime(&[n, 0], 0), prime_by_division(n), "{n}");
            assert!(
                is_prime(&[n, 0], 3) == prime_by_division(n),
                "{n}, more rounds"
            );
        }
    }

    #[test]
    fn each_half_of_baillie_psw_has_its_known_exceptions_and_no_others() {
        // OEIS A001262 and A217255: strong pseudoprimes to base 2, strong Lucas pseudoprimes.
        let strong = [2047, 3277, 4033, 4681, 8321, 15841, 29341];
        let lucas = [5459, 5777, 10877, 16109, 18971, 22499, 24569, 25199, 40309];
        for n in (5..41_000u64).step_by(2) {
            let modulus = Modulus::new([n, 0]).unwrap();
            let prime = prime_by_division(n);
            if n < 31_000 {
                assert_eq!(
                    strong_probable_prime(&modulus, &modulus.small(2)),
                    prime || strong.contains(&n),
                    "base 2: {n}"
                );
            }
            // Selfridge's parameters need n prime to D and to Q.
            if n > 200 {
                assert_eq!(
                    strong_lucas(&modulus),
                    prime || lucas.contains(&n),
                    "Lucas: {n}"
                );
            }
        }
    }

    #[test]
    fn composites_made_to_fool_fixed_bases_are_found() {
        // OEIS A014233: the least strong pseudoprime to each of the first nine to eleven prime bases.
        let n = 3_825_123_056_546_413_051;
        let modulus = Modulus::new([n, 0]).unwrap();
        for base in [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31] {
            assert!(strong_probable_prime(&modulus, &modulus.small(base)));
        }
        assert!(!strong_lucas(&modulus));
        assert!(!is_prime(&[n, 0], 0));
        // Strong Lucas pseudoprimes without a factor below 1000, by an independent program: it takes the
        // other half to find them.
        for n in [2_263_127, 5_720_219, 3_694_079, 2_518_889] {
            assert!(strong_lucas(&Modulus::new([n, 0]).unwrap()), "{n}");
            assert!(!is_prime(&[n, 0], 0), "{n}");
        }
        // Carmichael numbers.
        for n in [561, 41_041, 825_265, 321_197_185, 9_746_347_772_161] {
            assert!(!is_prime(&[n, 0], 0), "{n}");
        }
    }

    #[test]
    fn remainders_agree_with_128_bit_division() {
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..1000 {
            let (low, high) = (rng.u64(..), rng.u64(..));
            let small = rng.u64(1..1 << 32);
            let n = u128::from(high) << 64 | u128::from(low);
            assert_eq!(
                u128::from(remainder(&[low, high], small)),
                n % u128::from(small)
            );
        }
    }
}
