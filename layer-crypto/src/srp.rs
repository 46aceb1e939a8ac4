//! Two-factor passwords by SRP 6a, client and server (page `api/srp`). Names are that page's.

use std::fmt;

use hmac::Hmac;
use sha2::Sha512;
use zeroize::Zeroizing;

use crate::dh::{DhError, check_group};
use crate::modulus::{Modulus, Residue};
use crate::number::{bytes, is_between, limbs, pad};
use crate::sha::sha256;
use crate::{SecureRandom, constant_time_eq};

/// The parameters of `passwordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordKdf {
    /// The first salt. A new password needs 32 more random bytes at its end ([`PasswordKdf::renew`]).
    pub salt1: Vec<u8>,
    /// The second salt.
    pub salt2: Vec<u8>,
    /// The generator, 2 to 7.
    pub g: i32,
    /// The safe prime, big-endian.
    pub p: Vec<u8>,
}

/// What `inputCheckPasswordSRP` carries besides `srp_id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// `A`: the client's public number `g_a`, 256 bytes.
    pub a: [u8; 256],
    /// `M1`: the proof that the client knows the password.
    pub m1: [u8; 32],
}

/// Why a password was not proven, or parameters were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SrpError {
    /// The prime or the generator is no good.
    Group(DhError),
    /// The other side's public number (`A` or `B`) is not in `1 < x < p - 1`.
    PublicRange,
    /// The verifier (`new_password_hash`) is not in `1 < v < p - 1`, or not 256 bytes long.
    Verifier,
    /// `u` came out as zero, which would make the password count for nothing.
    ZeroU,
    /// The proof is wrong: another password, or another challenge.
    WrongProof,
    /// The random source gave nothing usable a hundred times in a row.
    Random,
}

impl fmt::Display for SrpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(e) => write!(f, "the password parameters are refused: {e}"),
            Self::PublicRange => f.write_str(
                "the other side's SRP number must be more than 1 and less than p - 1, but is not",
            ),
            Self::Verifier => f.write_str(
                "a password verifier must be 256 bytes long and between 1 and p - 1, but is not",
            ),
            Self::ZeroU => f.write_str("the SRP scrambling number u must not be zero, but is"),
            Self::WrongProof => f.write_str("the password's proof does not match: wrong password"),
            Self::Random => f.write_str("the random source gives no usable numbers"),
        }
    }
}

impl std::error::Error for SrpError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Group(e) => Some(e),
            _ => None,
        }
    }
}

impl PasswordKdf {
    /// The same parameters for a new password: `salt1` with 32 bytes more, drawn from `rng`.
    #[must_use]
    pub fn renew(&self, rng: &mut dyn SecureRandom) -> Self {
        let mut renewed = self.clone();
        let mut random = [0; 32];
        rng.fill(&mut random);
        renewed.salt1.extend_from_slice(&random);
        renewed
    }

    fn check(&self) -> Result<Group, SrpError> {
        check_group(&self.p, self.g).map_err(SrpError::Group)?;
        let refused = || SrpError::Group(DhError::GeneratorRange { g: self.g });
        let p = pad(&self.p).ok_or_else(refused)?;
        let mut g = [0; 256];
        g[255] = u8::try_from(self.g).map_err(|_| refused())?;
        Ok(Group {
            modulus: Modulus::from_be(&p).ok_or_else(refused)?,
            k: sha256(&[&p, &g]),
            p,
            g,
        })
    }

    /// `x = PH2(password, salt1, salt2)`
    fn x(&self, password: &[u8]) -> Zeroizing<[u8; 32]> {
        let salted = |data: &[u8], salt: &[u8]| Zeroizing::new(sha256(&[salt, data, salt]));
        let ph1 = salted(&*salted(password, &self.salt1), &self.salt2);
        let mut stretched = Zeroizing::new([0; 64]);
        // The only error is a password longer than HMAC takes, and HMAC takes any.
        let done = pbkdf2::pbkdf2::<Hmac<Sha512>>(&*ph1, &self.salt1, 100_000, &mut *stretched);
        debug_assert!(done.is_ok());
        salted(&*stretched, &self.salt2)
    }
}

/// A checked group, numbers padded to 256 bytes, and the multiplier `k = H(p | g)`.
#[derive(Clone)]
struct Group {
    modulus: Modulus<32>,
    p: [u8; 256],
    g: [u8; 256],
    k: [u8; 32],
}

impl Group {
    fn enter(&self, number: &[u8; 256]) -> Residue<32> {
        self.modulus.enter(&limbs(number))
    }

    fn leave(&self, residue: &Residue<32>) -> [u8; 256] {
        bytes(&self.modulus, residue)
    }

    /// `g ^ exponent`
    fn power(&self, exponent: &[u8]) -> Residue<32> {
        self.modulus.pow(&self.enter(&self.g), exponent)
    }

    /// `1 < x < p - 1`
    fn holds(&self, x: &[u8; 256]) -> bool {
        is_between(x, &self.p)
    }

    /// `k * v`
    fn kv(&self, v: &Residue<32>) -> Residue<32> {
        let k = pad(&self.k).unwrap_or([0; 256]);
        self.modulus.mul(&self.enter(&k), v)
    }

    /// `M1 = H(H(p) xor H(g) | H(salt1) | H(salt2) | g_a | g_b | k_a)`
    fn m1(&self, kdf: &PasswordKdf, a: &[u8; 256], b: &[u8; 256], s: &[u8; 256]) -> [u8; 32] {
        let mut mixed = sha256(&[&self.p]);
        for (byte, other) in mixed.iter_mut().zip(sha256(&[&self.g])) {
            *byte ^= other;
        }
        let key = Zeroizing::new(sha256(&[s]));
        sha256(&[
            &mixed,
            &sha256(&[&kdf.salt1]),
            &sha256(&[&kdf.salt2]),
            a,
            b,
            &*key,
        ])
    }
}

fn scramble(a: &[u8; 256], b: &[u8; 256]) -> Result<[u8; 32], SrpError> {
    let u = sha256(&[a, b]);
    if u == [0; 32] {
        Err(SrpError::ZeroU)
    } else {
        Ok(u)
    }
}

/// The verifier `v` of a password, 256 bytes: `new_password_hash`, and what a server keeps.
/// Takes about as long as 100,000 rounds of PBKDF2-HMAC-SHA512 do.
///
/// # Errors
/// When the group is refused.
pub fn verifier(password: &[u8], kdf: &PasswordKdf) -> Result<[u8; 256], SrpError> {
    let group = kdf.check()?;
    Ok(group.leave(&group.power(&*kdf.x(password))))
}

/// The client's answer to `account.password`: proves the password to a server that sent `srp_b`.
/// Draws 256 bytes from `rng` (the secret `a`), once more for each `a` that turns out unusable.
///
/// # Errors
/// When the server's parameters are refused.
pub fn prove(
    password: &[u8],
    kdf: &PasswordKdf,
    srp_b: &[u8],
    rng: &mut dyn SecureRandom,
) -> Result<Proof, SrpError> {
    let group = kdf.check()?;
    let b = pad(srp_b)
        .filter(|b| group.holds(b))
        .ok_or(SrpError::PublicRange)?;
    let x = kdf.x(password);
    // t = (g_b - k_v) mod p
    let kv = group.kv(&group.power(&*x));
    let t = Zeroizing::new(group.modulus.sub(&group.enter(&b), &kv));

    for _ in 0..100 {
        let mut secret = Zeroizing::new([0; 256]);
        rng.fill(&mut *secret);
        let a = group.leave(&group.power(&*secret));
        let (true, Ok(u)) = (group.holds(&a), scramble(&a, &b)) else {
            continue;
        };
        // s_a = t ^ (a + u x) = t^a (t^x)^u
        let modulus = &group.modulus;
        let t_ux = modulus.pow(&modulus.pow(&t, &*x), &u);
        let s = Zeroizing::new(group.leave(&modulus.mul(&modulus.pow(&t, &*secret), &t_ux)));
        let m1 = group.m1(kdf, &a, &b, &s);
        return Ok(Proof { a, m1 });
    }
    Err(SrpError::Random)
}

/// The server's side of one password check: made for one `account.password`, good for one answer.
pub struct Challenge {
    kdf: PasswordKdf,
    group: Group,
    v: Zeroizing<[u8; 256]>,
    secret: Zeroizing<[u8; 256]>,
    b: [u8; 256],
}

impl Challenge {
    /// Makes `B` for the account whose verifier is `verifier`. Draws 256 bytes from `rng` (the secret `b`),
    /// once more for each `b` that turns out unusable.
    ///
    /// # Errors
    /// When the parameters or the verifier are no good.
    pub fn new(
        kdf: &PasswordKdf,
        verifier: &[u8],
        rng: &mut dyn SecureRandom,
    ) -> Result<Self, SrpError> {
        let group = kdf.check()?;
        let v = <[u8; 256]>::try_from(verifier)
            .ok()
            .filter(|v| group.holds(v))
            .ok_or(SrpError::Verifier)?;
        let kv = group.kv(&group.enter(&v));
        let mut secret = Zeroizing::new([0; 256]);
        for _ in 0..100 {
            rng.fill(&mut *secret);
            // g_b = k_v + g^b
            let b = Zeroizing::new(group.modulus.add(&kv, &group.power(&*secret)));
            let b = group.leave(&b);
            if group.holds(&b) {
                return Ok(Self {
                    kdf: kdf.clone(),
                    group,
                    v: Zeroizing::new(v),
                    secret,
                    b,
                });
            }
        }
        Err(SrpError::Random)
    }

    /// `srp_B`, 256 bytes.
    #[must_use]
    pub fn b(&self) -> &[u8; 256] {
        &self.b
    }

    /// Checks the client's `A` and `M1`, the latter in constant time.
    ///
    /// # Errors
    /// [`SrpError::WrongProof`] when the password was another; other errors when `A` is not a number to compute with.
    pub fn check(&self, a: &[u8], m1: &[u8]) -> Result<(), SrpError> {
        let a = pad(a)
            .filter(|a| self.group.holds(a))
            .ok_or(SrpError::PublicRange)?;
        let u = scramble(&a, &self.b)?;
        // s_b = (g_a * v^u) ^ b
        let modulus = &self.group.modulus;
        let v_u = modulus.pow(&self.group.enter(&self.v), &u);
        let base = modulus.mul(&self.group.enter(&a), &v_u);
        let s = Zeroizing::new(self.group.leave(&modulus.pow(&base, &*self.secret)));
        let expected = self.group.m1(&self.kdf, &a, &self.b, &s);
        if constant_time_eq(&expected, m1) {
            Ok(())
        } else {
            Err(SrpError::WrongProof)
        }
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge").finish_non_exhaustive()
    }
}
