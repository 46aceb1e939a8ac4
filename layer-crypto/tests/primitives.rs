//! AES, SHA and the comparison against published vectors, and what must hold for all inputs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "other test files use the rest")]
mod common;

use common::{Seeded, hex, hex_array};
use layer_crypto::aes::{AesCtr, LengthError, ige_decrypt, ige_encrypt};
use layer_crypto::constant_time_eq;
use layer_crypto::sha::{sha1, sha256};

/// FIPS 197, C.3. One block of IGE with a zero vector is the bare block cipher.
#[test]
fn aes_256_matches_fips_197() {
    let key = hex_array("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    let plain = hex("00112233445566778899aabbccddeeff");
    let mut data = plain.clone();
    ige_encrypt(&key, &[0; 32], &mut data).unwrap();
    assert_eq!(data, hex("8ea2b7ca516745bfeafc49904b496089"));
    ige_decrypt(&key, &[0; 32], &mut data).unwrap();
    assert_eq!(data, plain);
}

/// The OpenSSL vector as it stands in npm `@mtcute/test`, `crypto.js` (MIT).
#[test]
fn ige_matches_the_published_vector() {
    let key = hex_array("5468697320697320616E20696D706C655468697320697320616E20696D706C65");
    let iv = hex_array("6D656E746174696F6E206F6620494745206D6F646520666F72204F70656E5353");
    let plain = hex("99706487a1cde613bc6de0b6f24b1c7aa448c8b9c3403e3467a8cad89340f53b");
    let mut data = plain.clone();
    ige_encrypt(&key, &iv, &mut data).unwrap();
    assert_eq!(
        data,
        hex("792ea8ae577b1a66cb3bd92679b8030ca54ee631976bd3a04547fdcb4639fa69")
    );
    ige_decrypt(&key, &iv, &mut data).unwrap();
    assert_eq!(data, plain);
}

#[test]
fn ige_takes_whole_blocks_only_and_leaves_other_data_alone() {
    for len in 0..100 {
        let mut data = vec![7; len];
        let expected = (len % 16 != 0).then_some(LengthError { len });
        assert_eq!(ige_encrypt(&[1; 32], &[2; 32], &mut data).err(), expected);
        if expected.is_some() {
            assert_eq!(data, vec![7; len]);
            assert_eq!(ige_decrypt(&[1; 32], &[2; 32], &mut data).err(), expected);
            assert_eq!(data, vec![7; len]);
        }
    }
    let text = LengthError { len: 17 }.to_string();
    assert!(text.contains("16") && text.contains("17"), "{text}");
}

#[test]
fn ige_in_pieces_is_ige_in_one_when_the_vectors_are_carried_over() {
    let mut rng = Seeded::new();
    for _ in 0..200 {
        let key: [u8; 32] = rng.array();
        let iv: [u8; 32] = rng.array();
        let blocks = rng.0.usize(2..40);
        let plain = rng.bytes(blocks * 16);
        let cut = rng.0.usize(1..blocks) * 16;

        let mut whole = plain.clone();
        ige_encrypt(&key, &iv, &mut whole).unwrap();
        let mut pieces = plain.clone();
        let (first, second) = pieces.split_at_mut(cut);
        ige_encrypt(&key, &iv, first).unwrap();
        let carried = [&first[cut - 16..], &plain[cut - 16..cut]].concat();
        ige_encrypt(&key, &carried.try_into().unwrap(), second).unwrap();
        assert_eq!(whole, pieces);

        ige_decrypt(&key, &iv, &mut whole).unwrap();
        assert_eq!(whole, plain);
    }
}

#[test]
fn a_changed_bit_garbles_everything_behind_it_in_ige() {
    let mut rng = Seeded::new();
    let key: [u8; 32] = rng.array();
    let iv: [u8; 32] = rng.array();
    let plain = rng.bytes(160);
    let mut sealed = plain.clone();
    ige_encrypt(&key, &iv, &mut sealed).unwrap();
    sealed[35] ^= 1;
    ige_decrypt(&key, &iv, &mut sealed).unwrap();
    assert_eq!(sealed[..32], plain[..32]);
    for (got, expected) in sealed[32..].chunks(16).zip(plain[32..].chunks(16)) {
        assert_ne!(got, expected);
    }
}

/// NIST SP 800-38A, F.5.5 and F.5.6.
#[test]
fn ctr_matches_sp_800_38a() {
    let key = hex_array("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
    let counter = hex_array("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    let plain = hex(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51
         30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
    );
    let mut data = plain.clone();
    AesCtr::new(&key, &counter).apply(&mut data);
    assert_eq!(
        data,
        hex(
            "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5
             2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6"
        )
    );
    AesCtr::new(&key, &counter).apply(&mut data);
    assert_eq!(data, plain);
}

/// npm `@mtcute/test`, `crypto.js` (MIT): the same block six times through one stream.
#[test]
fn ctr_keeps_its_place_from_call_to_call() {
    let mut stream = AesCtr::new(
        &hex_array("d450aae0bf0060a4af1044886b42a13f7c506b35255d134a7e87ab3f23a9493b"),
        &hex_array("0182de2bd789c295c3c6c875c5e9e190"),
    );
    for expected in [
        "df5647dbb70bc393f2fb05b72f42286f",
        "3917147082672516b3177150129bc579",
        "2a7a9089270a5de45d5e3dd399cac725",
        "56d085217771398ac13583de4d677dd8",
        "cc639b488126cf36e79c4515e8012b92",
        "01384d100646cd562cc5586ec3f8f8c4",
    ] {
        let mut block = hex("7baae571e4c2f4cfadb1931d5923aca7");
        stream.apply(&mut block);
        assert_eq!(block, hex(expected));
    }
}

#[test]
fn ctr_gives_the_same_at_any_split() {
    let mut rng = Seeded::new();
    for _ in 0..200 {
        let key: [u8; 32] = rng.array();
        // All ones: the counter runs over within the first blocks.
        let iv: [u8; 16] = if rng.0.bool() {
            [0xff; 16]
        } else {
            rng.array()
        };
        let len = rng.0.usize(0..500);
        let plain = rng.bytes(len);
        let mut whole = plain.clone();
        AesCtr::new(&key, &iv).apply(&mut whole);

        let mut pieces = plain.clone();
        let mut stream = AesCtr::new(&key, &iv);
        let mut rest = &mut pieces[..];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at_mut(rng.0.usize(0..=rest.len()));
            stream.apply(piece);
            rest = after;
        }
        assert_eq!(whole, pieces);
    }
}

/// FIPS 180 examples ("abc", the 448-bit message, a million letters) and npm `@mtcute/test`.
#[test]
fn sha_1_and_sha_256_match_published_vectors() {
    let two_blocks: &[u8] = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    let million = vec![b'a'; 1_000_000];
    for (message, one, two) in [
        (
            &b""[..],
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (
            b"abc",
            "a9993e364706816aba3e25717850c26c9cd0d89d",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            two_blocks,
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
        (
            &million,
            "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
        ),
        (
            b"\xae\xbb\x1f",
            "62849d15c5dea495916c5eea8dba5f9551288850",
            "2d29658aba48f2b286fe8bbddb931b7ad297e5adb5b9a6fc3aab67ef7fbf4e80",
        ),
    ] {
        assert_eq!(sha1(&[message])[..], hex(one));
        assert_eq!(sha256(&[message])[..], hex(two));
        // Parts are the same as the whole.
        let (a, b) = message.split_at(message.len() / 3);
        assert_eq!(sha1(&[a, &[], b])[..], hex(one));
        assert_eq!(sha256(&[a, &[], b])[..], hex(two));
    }
}

#[test]
fn comparison_finds_every_difference() {
    let a = [9; 20];
    assert!(constant_time_eq(&a, &[9; 20]));
    assert!(constant_time_eq(&[], &[]));
    assert!(!constant_time_eq(&a, &[9; 19]));
    for i in 0..20 {
        for bit in 0..8 {
            let mut b = a;
            b[i] ^= 1 << bit;
            assert!(!constant_time_eq(&a, &b));
        }
    }
}
