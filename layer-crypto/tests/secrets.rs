//! What must never be seen: `Debug` of anything that holds a secret shows no byte of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "other test files use the rest")]
mod common;

use std::fmt::Debug;

use common::Recorded;
use layer_crypto::AuthKey;
use layer_crypto::aes::AesCtr;
use layer_crypto::dh::{Secret, TELEGRAM_PRIME};
use layer_crypto::rsa::PrivateKey;
use layer_crypto::srp::{Challenge, PasswordKdf};

/// A secret made of one recognisable byte, which as a number reads 171, `ab` or `0xab`.
const BYTE: u8 = 0xab;

fn assert_hidden(what: &impl Debug) {
    for text in [
        format!("{what:?}"),
        format!("{what:#?}"),
        format!("{what:x?}"),
        format!("{what:X?}"),
    ] {
        let lower = text.to_lowercase();
        for trace in ["171", "abab", "ab, ab", "0xab", "\u{ab}"] {
            assert!(!lower.contains(trace), "{text}");
        }
        // A key's name and its id or fingerprint, and no more.
        assert!(text.len() < 100, "{text}");
    }
}

#[test]
fn auth_keys_print_their_id_alone() {
    let key = AuthKey::from_bytes([BYTE; 256]);
    assert_hidden(&key);
    assert!(format!("{key:?}").contains(&format!("{:016x}", key.id())));
    assert!(!format!("{key:?}").contains(&format!("{:016x}", key.aux_hash())));
}

#[test]
fn exponents_ciphers_and_challenges_print_nothing() {
    assert_hidden(&Secret::generate(&mut Recorded(vec![BYTE; 256])));
    assert_hidden(&AesCtr::new(&[BYTE; 32], &[BYTE; 16]));
    let kdf = PasswordKdf {
        salt1: vec![1; 8],
        salt2: vec![2; 16],
        g: 3,
        p: TELEGRAM_PRIME.to_vec(),
    };
    assert_hidden(&Challenge::new(&kdf, &[BYTE; 256], &mut Recorded(vec![BYTE; 256])).unwrap());
}

#[test]
fn private_keys_print_their_fingerprint_alone() {
    let key = PrivateKey::from_pem(include_str!("vectors/keys/rsa2048-pkcs1.pem")).unwrap();
    let text = format!("{key:?}");
    assert!(
        text.contains(&format!("{:016x}", key.public().fingerprint())),
        "{text}"
    );
    assert!(text.len() < 60, "{text}");

    let sealed = key
        .public()
        .encrypt_legacy(&[BYTE; 100], &mut Recorded(vec![BYTE; 135]))
        .unwrap();
    let opened = key.decrypt(&sealed).unwrap();
    assert_eq!(*opened.data, [BYTE; 100]);
    assert_hidden(&opened);
}
