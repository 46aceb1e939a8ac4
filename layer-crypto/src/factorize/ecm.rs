//! Lenstra's elliptic curve method, made for numbers of one limb.
//!
//! Curves `b y² = x³ + a x² + x` in Montgomery's form, points without their `y` (Montgomery, "Speeding the Pollard and
//! elliptic curve methods of factorization", 1987), made by Suyama's rule, which gives orders divisible by 12. A curve
//! finds a factor `p` when its order modulo `p` is a product of small prime powers, but for one prime that may be larger:
//! of the size that occurs here every few do.

use std::array::from_fn;

use super::{Montgomery, gcd};

/// No prime power above this in the order, but for one prime.
const FIRST_BOUND: u64 = 120;
/// That prime is below this.
const SECOND_BOUND: u64 = 3_600;
/// The second stage goes in steps of this, of which every prime above 5 is a multiple plus or minus one of [`RESIDUES`].
const STEP: u64 = 60;
const RESIDUES: [usize; 8] = [1, 7, 11, 13, 17, 19, 23, 29];
/// Curves that are tried. A product of two primes of 31 bits takes about six.
const CURVES: u64 = 120;

/// The prime powers up to the first bound, multiplied together as far as they fit.
const SCALARS: [u64; 3] = scalars();

const fn scalars() -> [u64; 3] {
    let mut scalars = [1; 3];
    let mut at = 0;
    let mut prime = 2;
    while prime <= FIRST_BOUND {
        let mut divisor = 2;
        while divisor * divisor <= prime && prime % divisor != 0 {
            divisor += 1;
        }
        if divisor * divisor > prime {
            // The powers of 2 and 3 go further, for they divide all orders.
            let bound = if prime < 4 {
                4 * FIRST_BOUND
            } else {
                FIRST_BOUND
            };
            let mut power = prime;
            while power <= bound {
                if scalars[at] > u64::MAX / prime {
                    at += 1;
                }
                scalars[at] *= prime;
                power *= prime;
            }
        }
        prime += 1;
    }
    assert!(scalars[2] > 1, "as many as are needed and no more");
    scalars
}

/// How many curves go at a time: one multiplication does not wait for that of another curve.
const LANES: usize = 2;

/// A number of each curve.
type Wide = [u64; LANES];

/// A factor that is neither 1 nor the number itself; `None` when no curve found one.
pub(super) fn factor(field: &Montgomery) -> Option<u64> {
    let small = Small::new(field);
    let mut sigma = 6;
    while sigma < 6 + CURVES {
        let mut made = [(0, 0, 0); LANES];
        let mut count = 0;
        while count < LANES {
            match curve(field, &small, sigma) {
                Ok(curve) => {
                    made[count] = curve;
                    count += 1;
                }
                Err(found) if found != field.n => return Some(found),
                Err(_) => {}
            }
            sigma += 1;
        }
        let curves = Curves {
            field,
            a24: made.map(|(_, _, a24)| a24),
        };
        let start = Point {
            x: made.map(|(x, ..)| x),
            z: made.map(|(_, z, _)| z),
        };
        let found = curves.run(start);
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Numbers that every curve starts from.
struct Small {
    three: u64,
    four: u64,
    five: u64,
    /// `2^128 mod n`: multiplied with it, a number enters.
    enter: u64,
}

impl Small {
    fn new(field: &Montgomery) -> Self {
        let one = field.one;
        let two = field.add(one, one);
        let four = field.add(two, two);
        Self {
            three: field.add(two, one),
            four,
            five: field.add(four, one),
            enter: field.enter(one),
        }
    }
}

/// Suyama's curve: `x` and `z` of a point, and `(a + 2) / 4`. A number that divides `n` where there is no such curve.
fn curve(f: &Montgomery, small: &Small, sigma: u64) -> Result<(u64, u64, u64), u64> {
    let sigma = f.mul(sigma, small.enter);
    let u = f.sub(f.mul(sigma, sigma), small.five);
    let v = f.mul(small.four, sigma);
    let (u3, v3) = (f.mul(f.mul(u, u), u), f.mul(f.mul(v, v), v));
    // (a + 2) / 4 = (v - u)³ (3u + v) / (16 u³ v)
    let difference = f.sub(v, u);
    let cube = f.mul(f.mul(difference, difference), difference);
    let top = f.mul(cube, f.add(f.mul(small.three, u), v));
    let sixteen = f.mul(small.four, small.four);
    let bottom = f.mul(f.mul(sixteen, u3), v);
    let inverse = invert(f.mul(bottom, 1), f.n)?;
    Ok((u3, v3, f.mul(top, f.mul(inverse, small.enter))))
}

#[derive(Clone, Copy, Default)]
struct Point {
    x: Wide,
    z: Wide,
}

struct Curves<'a> {
    field: &'a Montgomery,
    a24: Wide,
}

impl Curves<'_> {
    /// Both stages.
    fn run(&self, start: Point) -> Option<u64> {
        let point = SCALARS
            .iter()
            .fold(start, |point, k| self.multiply(point, *k));
        self.common(point.z)
            .or_else(|| self.common(self.second_stage(point)))
    }

    /// What one of the numbers shares with `n`, unless it is all.
    fn common(&self, numbers: Wide) -> Option<u64> {
        let f = self.field;
        let proper = |found: u64| (found != 1 && found != f.n).then_some(found);
        let product = numbers
            .into_iter()
            .fold(f.one, |product, number| f.mul(product, number));
        match gcd(product, f.n) {
            1 => None,
            // Each may have found another.
            _ => numbers
                .into_iter()
                .find_map(|number| proper(gcd(number, f.n))),
        }
    }

    /// Numbers that share with `n` each factor modulo which a prime between the bounds takes the point to nothing.
    fn second_stage(&self, point: Point) -> Wide {
        // The multiples 1, 5, 7, 11, … up to 31, by steps of 6.
        let double = self.double(point);
        let triple = self.sum(double, point, point);
        let six = self.double(triple);
        let mut near = [Point::default(); 32];
        near[1] = point;
        near[5] = self.sum(triple, double, point);
        near[7] = self.sum(six, point, near[5]);
        near[11] = self.sum(near[5], six, point);
        let mut at = 13;
        while at < 32 {
            near[at] = self.sum(near[at - 6], six, near[at - 12]);
            at += if at % 6 == 1 { 4 } else { 2 };
        }
        // 60 is twice 30, the sum of 17 and 13, whose difference is 4.
        let thirty = self.sum(near[17], near[13], self.double(double));
        let near = RESIDUES.map(|residue| near[residue]);
        let products = near.map(|p| self.mul(p.x, p.z));
        let step = self.double(thirty);
        let (mut far, mut next) = (step, self.double(step));
        let mut all = [self.field.one; LANES];
        for _ in 0..SECOND_BOUND / STEP {
            let product = self.mul(far.x, far.z);
            for (near, near_product) in near.iter().zip(&products) {
                // x_far z_near - x_near z_far, with one product of its own.
                let cross = self.mul(self.sub(far.x, near.x), self.add(far.z, near.z));
                let cross = self.add(self.sub(cross, product), *near_product);
                all = self.mul(all, cross);
            }
            (far, next) = (next, self.sum(next, step, far));
        }
        all
    }

    #[inline(always)]
    fn mul(&self, a: Wide, b: Wide) -> Wide {
        from_fn(|lane| self.field.mul(a[lane], b[lane]))
    }

    #[inline(always)]
    fn add(&self, a: Wide, b: Wide) -> Wide {
        from_fn(|lane| self.field.add(a[lane], b[lane]))
    }

    #[inline(always)]
    fn sub(&self, a: Wide, b: Wide) -> Wide {
        from_fn(|lane| self.field.sub(a[lane], b[lane]))
    }

    #[inline(always)]
    fn double(&self, point: Point) -> Point {
        let (sum, difference) = (self.add(point.x, point.z), self.sub(point.x, point.z));
        let (sum, difference) = (self.mul(sum, sum), self.mul(difference, difference));
        let across = self.sub(sum, difference);
        Point {
            x: self.mul(sum, difference),
            z: self.mul(across, self.add(difference, self.mul(self.a24, across))),
        }
    }

    /// The sum of two points whose difference is known.
    #[inline(always)]
    fn sum(&self, a: Point, b: Point, difference: Point) -> Point {
        let one = self.mul(self.sub(a.x, a.z), self.add(b.x, b.z));
        let other = self.mul(self.add(a.x, a.z), self.sub(b.x, b.z));
        let (sum, across) = (self.add(one, other), self.sub(one, other));
        Point {
            x: self.mul(self.mul(sum, sum), difference.z),
            z: self.mul(self.mul(across, across), difference.x),
        }
    }

    /// Montgomery's ladder; `k` is at least 1.
    fn multiply(&self, point: Point, k: u64) -> Point {
        let (mut low, mut high) = (point, self.double(point));
        let bits = 63 - k.leading_zeros();
        for bit in (0..bits).rev() {
            let sum = self.sum(high, low, point);
            if k >> bit & 1 == 1 {
                (low, high) = (sum, self.double(high));
            } else {
                (low, high) = (self.double(low), sum);
            }
        }
        low
    }
}

/// The inverse of `x` modulo `n`, or what they have in common.
fn invert(x: u64, n: u64) -> Result<u64, u64> {
    // `sign * coefficient * x = remainder` modulo n, with the sign changing at each step.
    let (mut before, mut now) = ((0u64, n), (1u64, x));
    let mut negative = false;
    while now.1 > 1 {
        let quotient = before.1 / now.1;
        // No coefficient grows beyond n.
        let next = (
            before.0.wrapping_add(quotient.wrapping_mul(now.0)),
            before.1 - quotient * now.1,
        );
        (before, now) = (now, next);
        negative = !negative;
    }
    match now.1 {
        0 => Err(before.1),
        _ if negative => Ok(n - now.0),
        _ => Ok(now.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverses_are_inverse() {
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..2000 {
            let n = rng.u64(3..) | 1;
            let x = rng.u64(1..n);
            match invert(x, n) {
                Ok(inverse) => assert_eq!(u128::from(x) * u128::from(inverse) % u128::from(n), 1),
                Err(common) => assert_eq!(common, gcd(x, n)),
            }
        }
        assert_eq!(invert(0, 15), Err(15));
        assert_eq!(invert(6, 15), Err(3));
    }

    /// The way of last resort behind it is not what finds the factors.
    #[test]
    fn products_of_two_primes_are_taken_apart_by_curves_alone() {
        let mut rng = fastrand::Rng::with_seed(2);
        let mut prime = |bits: u32| loop {
            let candidate = rng.u64(1 << (bits - 1)..1 << bits) | 1;
            if Montgomery::new(candidate).is_prime() {
                return candidate;
            }
        };
        for bits in (21..=32).chain([31; 40]) {
            let (p, q) = (prime(bits), prime(bits));
            if p != q {
                let found = factor(&Montgomery::new(p * q));
                assert!(found == Some(p) || found == Some(q), "{p} * {q}: {found:?}");
            }
        }
    }

    /// Curves that are the same in all lanes.
    fn curves(field: &Montgomery, sigma: u64) -> Option<(Curves<'_>, Point)> {
        let (x, z, a24) = curve(field, &Small::new(field), sigma).ok()?;
        let start = Point {
            x: [x; LANES],
            z: [z; LANES],
        };
        Some((
            Curves {
                field,
                a24: [a24; LANES],
            },
            start,
        ))
    }

    #[test]
    fn multiplication_is_repeated_addition() {
        let field = Montgomery::new(0x17ed_4894_1a08_f981);
        let (curves, point) = curves(&field, 7).unwrap();
        let same = |a: Point, b: Point| curves.mul(a.x, b.z) == curves.mul(b.x, a.z);
        let (mut before, mut sum) = (point, curves.double(point));
        for k in 2..200 {
            assert!(same(curves.multiply(point, k), sum), "{k}");
            (before, sum) = (sum, curves.sum(sum, point, before));
        }
        let (k, l) = (SCALARS[0], SCALARS[1]);
        let one = curves.multiply(curves.multiply(point, k), l);
        assert!(same(one, curves.multiply(curves.multiply(point, l), k)));
    }

    /// On a prime modulus, where the order of a point can be found.
    #[test]
    fn the_second_stage_finds_every_prime_between_the_bounds() {
        let field = Montgomery::new(1_112_973_847);
        let primes: Vec<u64> = (FIRST_BOUND + 1..SECOND_BOUND)
            .filter(|n| (2..=n.isqrt()).all(|d| n % d != 0))
            .collect();
        let mut met = std::collections::BTreeSet::<u64>::new();
        let mut missed = 0;
        for sigma in 6..1000 {
            let Some((curves, start)) = curves(&field, sigma) else {
                continue;
            };
            let point = SCALARS
                .iter()
                .fold(start, |point, k| curves.multiply(point, *k));
            if point.z[0] == 0 {
                continue;
            }
            let order = primes
                .iter()
                .find(|q| curves.multiply(point, **q).z[0] == 0);
            // Some composite orders are met as well.
            match order {
                Some(order) => {
                    assert_eq!(curves.second_stage(point)[0], 0, "{sigma} {order}");
                    met.insert(*order);
                }
                None => missed += u32::from(curves.second_stage(point)[0] != 0),
            }
        }
        assert!(met.len() > 40 && missed > 500, "{} {missed}", met.len());
    }
}
