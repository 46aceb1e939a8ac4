//! The checks on groups and public numbers, and the agreement itself.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "other test files use the rest")]
mod common;

use common::{Recorded, Seeded, hex};
use layer_crypto::dh::{DhError, Secret, TELEGRAM_PRIME, check_group, check_public};

/// RFC 3526, group 14: a safe prime of 2048 bits that is not in our table. `p mod 24 = 23`.
fn group_14() -> Vec<u8> {
    hex(include_str!("vectors/rfc3526_group_14.txt"))
}

#[test]
fn the_known_prime_passes_with_each_generator_that_is_a_residue() {
    // By Python, `pow(g, (p - 1) // 2, p) == 1` for these alone.
    for g in -3..=10 {
        let expected = match g {
            3 | 4 | 7 => Ok(()),
            2..=7 => Err(DhError::GeneratorResidue { g }),
            _ => Err(DhError::GeneratorRange { g }),
        };
        assert_eq!(check_group(&TELEGRAM_PRIME, g), expected);
    }
    let longer = [&[0; 5][..], &TELEGRAM_PRIME].concat();
    assert_eq!(
        check_group(&longer, 3),
        Ok(()),
        "leading zeros change no number"
    );
}

#[test]
fn a_foreign_safe_prime_passes() {
    // By Python, all six of them.
    for g in 2..=7 {
        assert_eq!(check_group(&group_14(), g), Ok(()));
    }
}

#[test]
fn moduli_that_are_no_safe_primes_are_refused() {
    // The prime and the half-prime have no factor below 1000 in either half: it takes the real tests.
    for (name, modulus) in [
        ("a neighbour", {
            let mut p = TELEGRAM_PRIME.to_vec();
            p[255] ^= 4;
            p
        }),
        ("an even number", {
            let mut p = TELEGRAM_PRIME.to_vec();
            p[255] -= 1;
            p
        }),
        ("a prime that is not safe", hex("eb550a55fb467789307abaf69b9eca86ef94e7a65be6408837e1b338e5a33f0d553b87500af8d1220fdc99f2cefb6ba9
         4fa50acf0079c37b93153a449d5c29f0595178f5b20045bb787a8fb786a63713ac533e4fbcc58939e153a8a1c74cf05f
         02f4723b555fe7b877da0a9b6b52ef78065171d63a79b1c5cd58cbf458082670e6d728f08ef9327c3b82f60ece65d36e
         ed1d81100a00cb6beabd0ed6a6b1ccb53dbae015056e59c12581a163947622b2e4059f7c32bc719b01ed3acab956d1f9
         8deeb1a4120416349685d40c8c71982fcaace5621c61942ce26ff4e430d53d064777e89a82cb83c5763744e0e5731d50
         5beacddbbddc8cafe25e6799540cc40b")),
        ("twice a prime and one, not prime itself", hex("f41def41d2e36c21475670d5e0429ebae254282f1404593e3fa2786592df3ce27eaaebe90152822780c8a4dcb45ddb64
         e1a5366d3c655fb9a0342c25401bbd4d2d8b4c42cb23f5917dce41b5ab5031f4dfc2391263d6e57cbff422f3c638d201
         37b1f88d91aa15dc1c4ac556284027cd3c68c74db7ace4a7da3b1d90431177936ebde2e7b2cc98c0949952ec41240c4a
         2a98b1d76b4fc1e7c23cd13e1da6ba446f3c9f193d001b8f02141b407d5af72e348b528d6b0889958a45e8c7a5350e0f
         c21f28bfe4320fcb37e59745ff81397132cec1b877f97438315e2faab0371e766c1a26e74afcb208e3173426485596de
         9e0be6af9d80433b8f7eee09b8c9efaf")),
        ("a product of two primes of 1024 bits", hex("b21e57f861cbb0bcb2057ebaf39dac75bc7999a902ddc51d69dfb9c94c397c493dd8b35f6bb3b92ffd84ee40946b9d9b
         69826c1def12ccbf79cfc97de317864943eb0f9eb114a27df58126fc830f4af8861997b1ff76e3da4de2785626d06cec
         c24d45ad69cd10bc384034fcea0df25fc10517f0663f0340825c34b997d02775776c2ef76b7d494b783f90c67b2788dc
         154952eb5e4dc41dd5904623e05ae2742960181721e60b8caa57c7cb573bfd25ec1a56d054b8b85ee875a1df912ff440
         a70269d8bde32fa529bcb8d544be28bba30b70cad34b29b8567f1203387b9838a0fe5bc309faff8d79face8157c3bb7e
         560ff78271453c9546982f5044b15719")),
        ("all ones", vec![0xff; 256]),
    ] {
        assert_eq!(check_group(&modulus, 4), Err(DhError::NotSafePrime), "{name}");
    }
}

#[test]
fn moduli_of_another_size_are_refused_unseen() {
    for (modulus, bits) in [
        (vec![], 0),
        (vec![0; 256], 0),
        (vec![5], 3),
        (TELEGRAM_PRIME[..255].to_vec(), 2040),
        ([&[1][..], &TELEGRAM_PRIME].concat(), 2049),
        ([&[0x7f][..], &TELEGRAM_PRIME[1..]].concat(), 2047),
        (vec![0xff; 1 << 20], 8 << 20),
    ] {
        assert_eq!(check_group(&modulus, 3), Err(DhError::PrimeSize { bits }));
    }
}

/// `p - 2^1984 + difference`
fn near_the_top(difference: i8) -> Vec<u8> {
    let mut number = TELEGRAM_PRIME.to_vec();
    number[7] -= 1;
    number[255] = number[255].checked_add_signed(difference).unwrap();
    number
}

#[test]
fn public_numbers_are_bounded_to_the_last_bit() {
    let mut least = vec![0; 256];
    least[7] = 1;
    let mut p_minus_one = TELEGRAM_PRIME.to_vec();
    p_minus_one[255] -= 1;

    for good in [
        least.clone(),
        least[7..].to_vec(),
        vec![0x55; 256],
        vec![0x55; 250],
        near_the_top(0),
        near_the_top(-1),
        [&[0; 40][..], &[0x55; 256]].concat(),
    ] {
        assert_eq!(check_public(&good, &TELEGRAM_PRIME), Ok(()), "{good:x?}");
    }
    for bad in [
        vec![],
        vec![0; 256],
        vec![1],
        vec![2],
        vec![0xff; 248],
        near_the_top(1),
        p_minus_one,
        TELEGRAM_PRIME.to_vec(),
        vec![0xff; 256],
        vec![0x55; 257],
        vec![0xff; 100_000],
    ] {
        let error = check_public(&bad, &TELEGRAM_PRIME).unwrap_err();
        assert!(matches!(error, DhError::PublicRange { .. }));
        // Nothing is computed with such a number either.
        let secret = Secret::generate(&mut Seeded::new());
        assert_eq!(secret.agree(&bad, &TELEGRAM_PRIME).err(), Some(error));
    }
    // A prime that is none does not make a check pass or panic.
    for prime in [&[][..], &[0; 256], &[1], &[0xff; 300]] {
        assert!(check_public(&[0x55; 256], prime).is_err());
    }
}

#[test]
fn both_sides_agree_on_one_key() {
    let mut rng = Seeded::new();
    let prime = group_14();
    for (prime, g) in [(&TELEGRAM_PRIME[..], 3), (&prime, 2)] {
        for _ in 0..3 {
            let (a, b) = (Secret::generate(&mut rng), Secret::generate(&mut rng));
            let (g_a, g_b) = (a.public(g, prime).unwrap(), b.public(g, prime).unwrap());
            let key = a.agree(&g_b, prime).unwrap();
            assert_eq!(key, b.agree(&g_a, prime).unwrap());
            assert_ne!(key, a.agree(&g_a, prime).unwrap());
        }
    }
}

/// Found by searching with Python for an exponent whose key begins with a zero byte.
#[test]
fn a_key_keeps_its_leading_zero_bytes_and_short_numbers_are_taken() {
    let secret = |last: u64| {
        let mut bytes = vec![0; 256];
        bytes[0] = 1;
        bytes[248..].copy_from_slice(&last.to_be_bytes());
        Secret::generate(&mut Recorded(bytes))
    };
    // g^(2^2040 + i) for i = 259 begins with a zero byte,
    let g_a = secret(259).public(3, &TELEGRAM_PRIME).unwrap();
    assert_eq!(g_a[0], 0);
    // and that to the power of (2^2040 + 19) does too.
    let key = secret(19).agree(&g_a[1..], &TELEGRAM_PRIME).unwrap();
    assert_eq!(key.as_bytes()[0], 0);
    assert_eq!(
        key.as_bytes()[1..9],
        [223, 145, 174, 253, 185, 74, 114, 231]
    );
    assert_eq!(key, secret(19).agree(&g_a, &TELEGRAM_PRIME).unwrap());
    assert_eq!(key.id(), -2_929_012_851_385_216_695);
}

#[test]
fn groups_that_were_never_checked_are_errors_and_not_panics() {
    let secret = Secret::generate(&mut Seeded::new());
    for prime in [
        vec![],
        vec![0; 256],
        vec![2],
        vec![0xfe; 256],
        vec![0xff; 1000],
    ] {
        let error = secret.public(3, &prime).unwrap_err();
        assert!(
            matches!(
                error,
                DhError::PrimeSize { .. } | DhError::PublicRange { .. }
            ),
            "{error:?}"
        );
        assert!(secret.agree(&[0x55; 256], &prime).is_err());
    }
    for g in [i32::MIN, -1, 0, 1, 8, i32::MAX] {
        assert_eq!(
            secret.public(g, &TELEGRAM_PRIME),
            Err(DhError::GeneratorRange { g })
        );
    }
}

#[test]
fn a_secret_whose_public_number_is_out_of_bounds_is_not_used() {
    // g^1 = 3
    let mut one = vec![0; 256];
    one[255] = 1;
    let secret = Secret::generate(&mut Recorded(one));
    assert_eq!(
        secret.public(3, &TELEGRAM_PRIME),
        Err(DhError::PublicRange { bits: 2 })
    );
}
