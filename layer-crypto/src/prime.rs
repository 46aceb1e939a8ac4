//! Primality, for the groups that a server proposes and for new RSA keys.

use num_bigint::BigUint;

use crate::sha::sha256;

/// The odd primes below 1000, to sort out most candidates cheaply.
const SMALL_PRIMES: [u32; 167] = small_primes();

const fn small_primes() -> [u32; 167] {
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

/// Whether a prime below 1000 divides `n`, `n` itself not counted.
pub(crate) fn has_small_factor(n: &BigUint) -> bool {
    if !n.bit(0) {
        return *n != BigUint::from(2u32);
    }
    SMALL_PRIMES
        .iter()
        .any(|&p| remainder(n, p) == 0 && *n != BigUint::from(p))
}

/// `n mod small`.
pub(crate) fn remainder(n: &BigUint, small: u32) -> u32 {
    (n % small).iter_u32_digits().next().unwrap_or(0)
}

/// `rounds` of the Miller-Rabin test on an odd `n > 4`. The bases come from a hash of `n` and the
/// number of the round: nobody can choose `n` for known bases, short of searching through as many
/// candidates as the rounds are worth (a factor of at least 4 each).
pub(crate) fn miller_rabin(n: &BigUint, rounds: u32) -> bool {
    let one = BigUint::from(1u32);
    let minus_one = n - &one;
    let twos = minus_one.trailing_zeros().unwrap_or(0);
    let odd = &minus_one >> twos;
    let seed = sha256(&[&n.to_bytes_be()]);
    (0..rounds).all(|round| {
        let base = sha256(&[&seed, &round.to_be_bytes()]);
        // 2 <= base <= n - 2
        let base = BigUint::from_bytes_be(&base) % (n - 3u32) + 2u32;
        let mut x = base.modpow(&odd, n);
        if x == one || x == minus_one {
            return true;
        }
        for _ in 1..twos {
            x = &x * &x % n;
            if x == minus_one {
                return true;
            }
        }
        false
    })
}
