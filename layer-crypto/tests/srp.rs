//! Passwords: a published exchange of a real account, an independent computation of both sides, and
//! every check that one side makes of the other.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "other test files use the rest")]
mod common;

use common::{Recorded, Seeded, hex};
use layer_crypto::dh::{DhError, TELEGRAM_PRIME};
use layer_crypto::srp::{Challenge, PasswordKdf, SrpError, prove, verifier};

/// From mtcute's tests (MIT), `packages/core/src/utils/crypto/password.test.ts`: the parameters of a
/// real account whose password was "qwe123", the client's randomness as in npm `@mtcute/test`.
#[test]
fn a_published_proof_is_recomputed() {
    let kdf = PasswordKdf {
        salt1: hex(
            "9b3accc457c0d5288e8cff31eb21094048bc11902f6614dbb9afb839ee7641c37619537d8ebe749e",
        ),
        salt2: hex("6c619bb0786dc4ed1bf211d23f6e4065"),
        g: 3,
        p: TELEGRAM_PRIME.to_vec(),
    };
    let srp_b = hex(
        "1476a7b5991d7f028bbee33b3455cad3f2cd0eb3737409fcce92fa7d4cd5c733
         ec6d2cb3454e587d4c17eda2fd7ef9a57327215f38292cc8bd5dc77d3e1d31cd
         dae2652f8347c4b0093f7c78242f70e6cc13137ee7acc257a49855a63113db8f
         163992b9101551f3b6f7eb5d196cee3647c359553b1bcbe82ba8933c0fb1ac35
         0243c535b8e634613e1f626ba8a6d141ef957c859e71a117b557c0298bfbb107
         c91f71f5b4275fded58289aa1e87c612f44b7aa0b5e0de7def4458f58db80019
         d2e7b181eb66dc270374af2d160dd0c53edd677b2701694d71ea8718c49df6a9
         dbe2cbae051ffc1986336cd26f11a8ab426dfe0813d7b3f4eedf4e34182ccc3a",
    );
    let entropy = hex(
        "29afd26df40fb8ed10b6b4ad6d56ef5df9453f88e6ee6adb6e0544ba635dc6a8a990c9b8b980c343936b33fa7f97bae025102532233abb269c489920ef99021b
         259ce3a2c964c5c8972b4a84ff96f3375a94b535a9468f2896e2080ac7a32ed58e910474a4b02415e07671cbb5bdd58a5dd26fd137c4c98b8c346571fae6ead3
         9dfd612bd6b480b6723433f5218e9d6e271591153fb3ffefc089f7e848d3f4633459fff66b33cf939e5655813149fa34be8625f9bc4814d1ee6cf40e4d0de229
         1aa22e68c8ad8cc698103734f9aaf79f2bdc052a787a7a9b3629d1ed38750f88cb0481c0ba30a9c611672f9a4d1dc02637abb4e98913ee810a3b152d3d75f25d",
    );
    // That file sets a new password first, which makes salt1 longer by 32 random bytes for good, and
    // then proves the old password with the longer salt.
    let renewed = kdf.renew(&mut Recorded(entropy[..32].to_vec()));
    assert_eq!(renewed.salt1.len(), kdf.salt1.len() + 32);
    let proof = prove(b"qwe123", &renewed, &srp_b, &mut Recorded(entropy.clone())).unwrap();
    assert_eq!(
        proof.a[..],
        hex(
            "363976f55edb57cc5cc0c4aaca9b7539eff98a43a93fa84be34860d18ac3a80f
             ffd57c4617896ff667677d0552a079eb189d25d147ec96edd4495c946a18652d
             31d78eede40a8b29da340c19b32ccac78f8482406e392102c03d850d1db87223
             2c144bfacadb58856971aafb70ca3aac4efa7f73977ddc50dfc0a2c76c0ac950
             728d58b8480fa89c701703855148fadd885aaf1ca313ae3a3b2942de58a9a6fb
             9e3e65c7ac7a1b7f4e6aa4742b957f81927bd8cc761b76f90229dec34d6f15d3
             4fa454aa69d9219d9c5fa3625f5c6f1ac03892a70aa17269c76cd9bf2949a961
             fad2a71e5fa961824b32db037130c7e9aad4c1e9f02ebc5b832622f98b59597e"
        )
    );
    assert_eq!(
        proof.m1[..],
        hex("25a91b21c634ad670a144165a9829192d152e131a716f676abc48cd817f508c6")
    );

    assert_eq!(
        verifier(b"123qwe", &renewed).unwrap()[..],
        hex(
            "2540539ceeffd4543cd845bf319b8392e6b17bf7cf26bafcf6282ce9ae795368
             4ff49469c2863b17e6d65ddb16ae6f60bc07cc254c00e5ba389292f6cea0b3aa
             c459d1d08984d65319df8c5d124042169bbe2ab8c0c93bc7178827f2ea84e7c3
             a4f2660099fb6a4c38984c914283d3015278369521a4b81ecf927669b8c89746
             ef49ec7b019af7f3addc746362f298d96409bef4677b9c3d8e5b5afe7a44c0bc
             130ebc7a79b5d5980966d88d3d9eba511b101b0703abd86df7410cd120edad12
             2a7a3ccad92d906dbf6f43bba13555bafb626b45551275f3626a4ae26a14908d
             38d640680e501f52bd08a0e3ff9d9185eebdae890c167459449b2c205b3ecde4"
        )
    );
}

struct Vector(serde_json::Value);

impl Vector {
    fn load() -> Self {
        let all: serde_json::Value =
            serde_json::from_str(include_str!("vectors/computed.json")).unwrap();
        Self(all["password"].clone())
    }

    fn hex(&self, name: &str) -> Vec<u8> {
        hex(self.0[name].as_str().unwrap())
    }

    fn kdf(&self) -> PasswordKdf {
        PasswordKdf {
            salt1: self.hex("salt1"),
            salt2: self.hex("salt2"),
            g: i32::try_from(self.0["g"].as_i64().unwrap()).unwrap(),
            p: self.hex("p"),
        }
    }

    fn challenge(&self) -> Challenge {
        let mut rng = Recorded(self.hex("b"));
        Challenge::new(&self.kdf(), &self.hex("verifier"), &mut rng).unwrap()
    }
}

#[test]
fn both_sides_match_an_independent_computation() {
    let vector = Vector::load();
    let password = vector.hex("password");
    assert_eq!(
        verifier(&password, &vector.kdf()).unwrap()[..],
        vector.hex("verifier")
    );

    let challenge = vector.challenge();
    assert_eq!(challenge.b()[..], vector.hex("g_b"));

    let mut rng = Recorded(vector.hex("a"));
    let proof = prove(&password, &vector.kdf(), challenge.b(), &mut rng).unwrap();
    assert_eq!(proof.a[..], vector.hex("g_a"));
    assert_eq!(proof.m1[..], vector.hex("m1"));
    challenge.check(&proof.a, &proof.m1).unwrap();
}

#[test]
fn another_password_another_challenge_or_a_changed_proof_is_refused() {
    let vector = Vector::load();
    let mut rng = Seeded::new();
    let challenge = vector.challenge();
    let wrong = prove(b"wrong", &vector.kdf(), challenge.b(), &mut rng).unwrap();
    assert_eq!(
        challenge.check(&wrong.a, &wrong.m1),
        Err(SrpError::WrongProof)
    );

    let (a, m1) = (vector.hex("g_a"), vector.hex("m1"));
    let other = Challenge::new(&vector.kdf(), &vector.hex("verifier"), &mut rng).unwrap();
    assert_ne!(other.b(), challenge.b());
    assert_eq!(other.check(&a, &m1), Err(SrpError::WrongProof));

    for byte in 0..m1.len() {
        let mut changed = m1.clone();
        changed[byte] ^= 0x40;
        assert_eq!(challenge.check(&a, &changed), Err(SrpError::WrongProof));
    }
    assert_eq!(challenge.check(&a, &m1[..31]), Err(SrpError::WrongProof));
    assert_eq!(challenge.check(&a, &[]), Err(SrpError::WrongProof));
    challenge.check(&a, &m1).unwrap();
}

/// 0, 1, p - 1, p, p + 1 and a number too long, as 256 bytes where they fit.
fn bad_numbers() -> Vec<Vec<u8>> {
    let mut one = vec![0; 256];
    one[255] = 1;
    let p = TELEGRAM_PRIME.to_vec();
    let (mut less, mut more) = (p.clone(), p.clone());
    less[255] -= 1;
    more[255] += 1;
    vec![
        vec![],
        vec![0; 256],
        one,
        less,
        p,
        more,
        vec![0xff; 256],
        vec![1; 257],
        vec![1; 100_000],
    ]
}

#[test]
fn public_numbers_out_of_range_are_refused_by_both_sides() {
    let vector = Vector::load();
    let challenge = vector.challenge();
    for bad in bad_numbers() {
        assert_eq!(
            prove(b"x", &vector.kdf(), &bad, &mut Seeded::new()),
            Err(SrpError::PublicRange),
            "{bad:?}"
        );
        assert_eq!(
            challenge.check(&bad, &[0; 32]),
            Err(SrpError::PublicRange),
            "{bad:?}"
        );
        assert!(matches!(
            Challenge::new(&vector.kdf(), &bad, &mut Seeded::new()),
            Err(SrpError::Verifier)
        ));
    }
    // Leading zeros beyond 256 bytes do not make a number longer.
    let padded = [vec![0; 10], vector.hex("g_a")].concat();
    challenge.check(&padded, &vector.hex("m1")).unwrap();
}

#[test]
fn groups_are_checked_before_anything_is_computed() {
    let vector = Vector::load();
    let with = |g, p: Vec<u8>| PasswordKdf {
        g,
        p,
        ..vector.kdf()
    };
    let mut composite = TELEGRAM_PRIME.to_vec();
    composite[100] ^= 2;
    for (kdf, expected) in [
        (
            with(0, TELEGRAM_PRIME.to_vec()),
            DhError::GeneratorRange { g: 0 },
        ),
        (
            with(8, TELEGRAM_PRIME.to_vec()),
            DhError::GeneratorRange { g: 8 },
        ),
        (
            with(-3, TELEGRAM_PRIME.to_vec()),
            DhError::GeneratorRange { g: -3 },
        ),
        (
            with(2, TELEGRAM_PRIME.to_vec()),
            DhError::GeneratorResidue { g: 2 },
        ),
        (with(4, composite), DhError::NotSafePrime),
        (with(3, vec![]), DhError::PrimeSize { bits: 0 }),
        (with(3, vec![0xff; 300]), DhError::PrimeSize { bits: 2400 }),
    ] {
        let expected = SrpError::Group(expected);
        assert_eq!(verifier(b"x", &kdf), Err(expected.clone()));
        assert_eq!(
            prove(b"x", &kdf, &vector.hex("g_b"), &mut Seeded::new()),
            Err(expected.clone())
        );
        assert_eq!(
            Challenge::new(&kdf, &vector.hex("verifier"), &mut Seeded::new()).err(),
            Some(expected)
        );
    }
}

#[test]
fn passwords_of_any_length_and_alphabet_work() {
    let vector = Vector::load();
    let mut rng = Seeded::new();
    for password in ["", "x", &"long ".repeat(60), "пароль с пробелами"] {
        let kdf = vector.kdf().renew(&mut rng);
        let v = verifier(password.as_bytes(), &kdf).unwrap();
        let challenge = Challenge::new(&kdf, &v, &mut rng).unwrap();
        let proof = prove(password.as_bytes(), &kdf, challenge.b(), &mut rng).unwrap();
        challenge.check(&proof.a, &proof.m1).unwrap();
    }
}

#[test]
fn a_dead_random_source_is_an_error_and_not_an_endless_loop() {
    struct Zeros;
    impl layer_crypto::SecureRandom for Zeros {
        fn fill(&mut self, dest: &mut [u8]) {
            dest.fill(0);
        }
    }
    let vector = Vector::load();
    // g ^ 0 = 1 is no public number.
    assert_eq!(
        prove(b"x", &vector.kdf(), &vector.hex("g_b"), &mut Zeros),
        Err(SrpError::Random)
    );
}
