//! Keys as PEM, both packing schemes in both directions, and Telegram's public keys.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "other test files use the rest")]
mod common;

use common::{Recorded, Seeded};
use layer_crypto::SecureRandom;
use layer_crypto::rsa::{
    MAX_LEGACY_DATA, MAX_PAD_DATA, PrivateKey, PublicKey, RsaError, Scheme, telegram_keys,
};

const PKCS1: &str = include_str!("vectors/keys/rsa2048-pkcs1.pem");
const PKCS8: &str = include_str!("vectors/keys/rsa2048-pkcs8.pem");
const PUBLIC_PKCS1: &str = include_str!("vectors/keys/rsa2048-public-pkcs1.pem");
const PUBLIC_SPKI: &str = include_str!("vectors/keys/rsa2048-public-spki.pem");

/// Computed with Python's `hashlib` from the numbers that OpenSSL prints.
const FINGERPRINT: i64 = 7_352_642_475_360_092_175;

fn key() -> PrivateKey {
    PrivateKey::from_pem(PKCS1).unwrap()
}

#[test]
fn telegram_keys_have_the_fingerprints_that_the_servers_name() {
    let fingerprints: Vec<i64> = telegram_keys().iter().map(PublicKey::fingerprint).collect();
    assert_eq!(
        fingerprints,
        [-3_414_540_481_677_951_611, -5_595_554_452_916_591_101]
    );
    assert_eq!(
        fingerprints[0].to_be_bytes(),
        0xd09d_1d85_de64_fd85_u64.to_be_bytes()
    );
    assert_eq!(
        fingerprints[1].to_be_bytes(),
        0xb258_98df_208d_2603_u64.to_be_bytes()
    );
}

#[test]
fn all_four_pem_forms_give_the_same_key() {
    for public in [
        PublicKey::from_pem(PUBLIC_PKCS1).unwrap(),
        PublicKey::from_pem(PUBLIC_SPKI).unwrap(),
        key().public().clone(),
        PrivateKey::from_pem(PKCS8).unwrap().public().clone(),
    ] {
        assert_eq!(public.fingerprint(), FINGERPRINT);
        assert_eq!(public, *key().public());
        assert_eq!(public.e(), [1, 0, 1]);
    }
}

/// TDLib's library carries such texts, and a test replaces them in place: every byte counts.
#[test]
fn a_public_key_is_written_as_openssl_writes_it() {
    assert_eq!(key().public().to_pem(), PUBLIC_PKCS1);
    assert_eq!(key().public().to_pem().len(), 426);
    for key in telegram_keys() {
        let pem = key.to_pem();
        assert_eq!(pem.trim_end().len(), 425);
        assert!(pem.starts_with("-----BEGIN RSA PUBLIC KEY-----\n"));
        assert!(pem.ends_with("\n-----END RSA PUBLIC KEY-----\n"));
        assert!(pem.lines().all(|line| line.len() <= 64));
        assert_eq!(PublicKey::from_pem(&pem).unwrap(), key);
    }
}

#[test]
fn a_private_key_is_written_as_it_was_read() {
    let written = key().to_pem();
    assert_eq!(
        PrivateKey::from_pem(&written).unwrap().public(),
        key().public()
    );
    // OpenSSL computes d modulo lcm(p - 1, q - 1), we do modulo (p - 1)(q - 1): both are right, so only
    // what does not depend on that is compared.
    assert_eq!(PrivateKey::from_pem(&written).unwrap().to_pem(), written);
    assert!(written.starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
}

#[test]
fn pem_is_read_with_carriage_returns_and_space_around_it() {
    let windows = format!("\r\n{}\r\n\r\n", PUBLIC_SPKI.replace('\n', "\r\n"));
    assert_eq!(
        PublicKey::from_pem(&windows).unwrap().fingerprint(),
        FINGERPRINT
    );
}

#[test]
fn what_is_not_a_usable_key_is_refused_with_a_reason() {
    let reason = |error: RsaError| match error {
        RsaError::Pem { reason } => reason,
        other => panic!("{other:?}"),
    };
    let public = |pem: &str| PublicKey::from_pem(pem).unwrap_err();
    let private = |pem: &str| PrivateKey::from_pem(pem).unwrap_err();

    assert!(reason(public(PKCS1)).contains("`RSA PRIVATE KEY`"));
    assert!(reason(private(PUBLIC_SPKI)).contains("`PUBLIC KEY`"));
    assert!(reason(public(include_str!("vectors/keys/ec-public.pem"))).contains("not an RSA key"));
    assert!(reason(private(include_str!("vectors/keys/ec-pkcs8.pem"))).contains("not an RSA key"));
    assert!(
        reason(private(include_str!(
            "vectors/keys/rsa2048-three-primes.pem"
        )))
        .contains("more than two primes")
    );
    assert!(reason(public(&"A".repeat(1 << 20))).contains("at most"));
    for text in [
        "",
        "hello",
        "-----BEGIN",
        "-----BEGIN RSA PUBLIC KEY-----\nAAAA",
    ] {
        assert!(matches!(public(text), RsaError::Pem { .. }), "{text}");
        assert!(matches!(private(text), RsaError::Pem { .. }), "{text}");
    }
    assert_eq!(
        public(include_str!("vectors/keys/rsa1024-public-pkcs1.pem")),
        RsaError::Modulus { bits: 1024 }
    );
    assert_eq!(
        private(include_str!("vectors/keys/rsa1024-pkcs1.pem")),
        RsaError::Modulus { bits: 1024 }
    );
}

#[test]
fn damaged_pem_never_panics() {
    let mut rng = Seeded::new();
    for original in [PKCS1, PKCS8, PUBLIC_PKCS1, PUBLIC_SPKI] {
        for _ in 0..400 {
            let mut text: Vec<char> = original.chars().collect();
            for _ in 0..rng.0.usize(1..4) {
                let at = rng.0.usize(0..text.len());
                text[at] = char::from(*rng.0.choice(b"ABCxyz019+/=-\n ").unwrap());
            }
            text.truncate(rng.0.usize(text.len() / 2..=text.len()));
            let text: String = text.into_iter().collect();
            if let Ok(key) = PrivateKey::from_pem(&text) {
                // Damage to d or the exponents is mended, since they are computed from the primes.
                assert_eq!(key.public().fingerprint(), FINGERPRINT);
            }
            let _ = PublicKey::from_pem(&text);
        }
    }
}

#[test]
fn components_are_checked() {
    let n = *key().public().n();
    let e = [1, 0, 1];
    assert!(PublicKey::from_components(&[&[0; 9][..], &n].concat(), &[0, 0, 1, 0, 1]).is_ok());
    for (n, bits) in [
        (vec![], 0),
        (vec![0; 256], 0),
        (n[1..].to_vec(), 2040 - u64::from(n[1].leading_zeros())),
        ([&[1][..], &n].concat(), 2049),
        (vec![0xff; 1000], 8000),
        // even
        ([&n[..255], &[0]].concat(), 2048),
    ] {
        assert_eq!(
            PublicKey::from_components(&n, &e),
            Err(RsaError::Modulus { bits })
        );
    }
    for e in [&[][..], &[0], &[1], &[2], &[1, 0, 0], &[1; 9]] {
        assert_eq!(
            PublicKey::from_components(&n, e),
            Err(RsaError::Exponent),
            "{e:?}"
        );
    }
}

#[test]
fn both_schemes_open_again_at_every_length() {
    let key = key();
    let mut rng = Seeded::new();
    for len in (0..=MAX_LEGACY_DATA).step_by(5).chain([MAX_PAD_DATA]) {
        let data = rng.bytes(len);
        let sealed = key.public().encrypt_legacy(&data, &mut rng).unwrap();
        assert_eq!(key.decrypt_legacy(&sealed).unwrap(), data);
        assert_eq!(key.decrypt_pad(&sealed), Err(RsaError::Padding));
        let either = key.decrypt(&sealed).unwrap();
        assert_eq!((either.scheme, &*either.data), (Scheme::Legacy, &data));

        if len <= MAX_PAD_DATA {
            let sealed = key.public().encrypt_pad(&data, &mut rng).unwrap();
            let opened = key.decrypt_pad(&sealed).unwrap();
            assert_eq!(opened.len(), 192);
            assert_eq!(opened[..len], data);
            assert_eq!(key.decrypt_legacy(&sealed), Err(RsaError::Padding));
            let either = key.decrypt(&sealed).unwrap();
            assert_eq!((either.scheme, &*either.data), (Scheme::Pad, &opened));
        }
    }
}

#[test]
fn too_much_data_is_refused() {
    let mut rng = Seeded::new();
    assert_eq!(
        key().public().encrypt_pad(&[0; 145], &mut rng),
        Err(RsaError::DataTooLong { len: 145, max: 144 })
    );
    assert_eq!(
        key().public().encrypt_legacy(&[0; 236], &mut rng),
        Err(RsaError::DataTooLong { len: 236, max: 235 })
    );
}

/// A modulus just above 2^2047 refuses about half of all temporary keys.
#[test]
fn rsa_pad_draws_another_temporary_key_when_the_number_is_not_below_the_modulus() {
    struct Counting(Seeded, Vec<usize>);
    impl SecureRandom for Counting {
        fn fill(&mut self, dest: &mut [u8]) {
            self.1.push(dest.len());
            self.0.fill(dest);
        }
    }
    let mut n = [0; 256];
    n[0] = 0x80;
    n[255] = 1;
    let public = PublicKey::from_components(&n, &[3]).unwrap();
    let mut rng = Counting(Seeded::new(), Vec::new());
    let mut retries = 0;
    for _ in 0..100 {
        rng.1.clear();
        public.encrypt_pad(&[5; 100], &mut rng).unwrap();
        // The padding is drawn once, then one temporary key a try.
        assert_eq!(rng.1[0], 92);
        assert!(rng.1[1..].iter().all(|len| *len == 32));
        retries += rng.1.len() - 2;
    }
    // 100 on average; fewer than 30 or more than 300 come once in far more than 10^9 runs.
    assert!((30..300).contains(&retries), "{retries}");

    // The same temporary key for ever: an error, and not an endless loop.
    struct Stuck;
    impl SecureRandom for Stuck {
        fn fill(&mut self, dest: &mut [u8]) {
            dest.fill(0xff);
        }
    }
    let results: Vec<_> = (0..=255u8)
        .map(|byte| public.encrypt_pad(&[byte; 144], &mut Stuck))
        .collect();
    assert!(results.contains(&Err(RsaError::Random)));
    assert!(results.iter().any(Result::is_ok));
}

#[test]
fn rsa_pad_takes_its_padding_as_documented() {
    let key = key();
    let padding = vec![0xaa; 92];
    let drawn = [&padding[..], &[0; 32]].concat();
    // Whether this temporary key is refused depends on the test key alone; it is not.
    let sealed = key
        .public()
        .encrypt_pad(&[5; 100], &mut Recorded(drawn))
        .unwrap();
    assert_eq!(
        key.decrypt_pad(&sealed).unwrap(),
        [&[5; 100][..], &padding].concat()
    );
}

#[test]
fn damaged_ciphertexts_are_refused() {
    let key = key();
    let mut rng = Seeded::new();
    let padded = key.public().encrypt_pad(b"data", &mut rng).unwrap();
    let legacy = key.public().encrypt_legacy(b"data", &mut rng).unwrap();
    for sealed in [padded, legacy] {
        for _ in 0..40 {
            let mut damaged = sealed;
            damaged[rng.0.usize(1..256)] ^= 1 << rng.0.u8(0..8);
            assert_eq!(key.decrypt(&damaged), Err(RsaError::Padding));
        }
    }
}

#[test]
fn numbers_that_are_no_ciphertexts_are_refused() {
    let key = key();
    let n = *key.public().n();
    for bad in [n.to_vec(), vec![0xff; 256], vec![1; 257], vec![7; 100_000]] {
        let len = bad.len();
        assert_eq!(key.decrypt(&bad), Err(RsaError::Ciphertext { len }));
    }
    // These are numbers, but nothing was packed in them.
    for empty in [&[][..], &[0], &[1], &[0; 256], &[0; 1000]] {
        assert_eq!(key.decrypt(empty), Err(RsaError::Padding));
    }
}

#[test]
fn a_ciphertext_without_its_leading_zeros_opens() {
    let key = key();
    let mut rng = Seeded::new();
    let short = (0..5000)
        .map(|_| key.public().encrypt_legacy(b"short", &mut rng).unwrap())
        .find(|sealed| sealed[0] == 0)
        .unwrap();
    assert_eq!(key.decrypt_legacy(&short[1..]).unwrap(), b"short");
}

#[test]
fn generated_keys_work_and_differ() {
    let mut rng = Seeded::new();
    let key = PrivateKey::generate(&mut rng).unwrap();
    let other = PrivateKey::generate(&mut rng).unwrap();
    assert_ne!(key.public().fingerprint(), other.public().fingerprint());
    assert_eq!(key.public().to_pem().len(), 426);
    let read = PrivateKey::from_pem(&key.to_pem()).unwrap();
    let sealed = key.public().encrypt_pad(b"hello", &mut rng).unwrap();
    assert_eq!(read.decrypt(&sealed).unwrap().data[..5], *b"hello");
    assert!(other.decrypt(&sealed).is_err());
}

#[test]
fn a_stuck_random_source_makes_no_key() {
    struct Stuck;
    impl SecureRandom for Stuck {
        fn fill(&mut self, dest: &mut [u8]) {
            dest.fill(0x11);
        }
    }
    assert_eq!(
        PrivateKey::generate(&mut Stuck).err(),
        Some(RsaError::Random)
    );
}
