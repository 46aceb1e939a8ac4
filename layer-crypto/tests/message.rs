//! Sealed messages: known answers in both directions and both versions, and the promise that nothing
//! but an intact packet of the right key and direction is opened.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "other test files use the rest")]
mod common;

use common::{Recorded, Seeded, hex};
use layer_crypto::AuthKey;
use layer_crypto::message::{HEADER, MessageError, Sender, open, open_v1, seal, seal_v1};

fn vector(name: &str) -> Vec<u8> {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("vectors/computed.json")).unwrap();
    hex(vectors["messages"][name].as_str().unwrap())
}

fn vector_key() -> AuthKey {
    AuthKey::from_bytes(vector("auth_key").try_into().unwrap())
}

fn packet(plaintext: &[u8]) -> Vec<u8> {
    [&[0; HEADER], plaintext].concat()
}

#[test]
fn key_ids_are_the_two_ends_of_the_sha_1() {
    let key = vector_key();
    assert_eq!(key.id().to_le_bytes()[..], vector("auth_key_id"));
    assert_eq!(
        key.aux_hash().to_le_bytes()[..],
        vector("auth_key_aux_hash")
    );
}

#[test]
fn both_directions_match_an_independent_computation() {
    for (from, name) in [
        (Sender::Client, "sealed_by_client"),
        (Sender::Server, "sealed_by_server"),
    ] {
        let mut sealed = packet(&vector("plaintext"));
        seal(&vector_key(), from, &mut sealed).unwrap();
        assert_eq!(sealed, vector(name), "{from:?}");
        assert_eq!(
            open(&vector_key(), from, &mut sealed).unwrap(),
            vector("plaintext")
        );
    }
}

#[test]
fn the_first_version_matches_an_independent_computation() {
    let sealed = seal_v1(
        &vector_key(),
        &vector("plaintext_v1"),
        &mut Recorded(vector("padding_v1")),
    );
    assert_eq!(sealed, vector("sealed_v1"));
    assert_eq!(
        open_v1(&vector_key(), &sealed).unwrap(),
        vector("plaintext_v1")
    );
}

#[test]
fn what_is_sealed_opens_for_the_other_side_and_for_nobody_else() {
    let mut rng = Seeded::new();
    for _ in 0..100 {
        let key = AuthKey::from_bytes(rng.array());
        let other = AuthKey::from_bytes(rng.array());
        let len = rng.0.usize(1..80) * 16;
        let plaintext = rng.bytes(len);
        let (from, back) = if rng.0.bool() {
            (Sender::Client, Sender::Server)
        } else {
            (Sender::Server, Sender::Client)
        };
        let mut sealed = packet(&plaintext);
        seal(&key, from, &mut sealed).unwrap();

        assert_eq!(open(&key, from, &mut sealed.clone()).unwrap(), plaintext);
        assert_eq!(
            open(&other, from, &mut sealed.clone()),
            Err(MessageError::WrongAuthKey {
                expected: other.id(),
                got: key.id()
            })
        );
        assert_eq!(
            open(&key, back, &mut sealed),
            Err(MessageError::WrongMsgKey)
        );
    }
}

#[test]
fn any_flipped_bit_is_refused_and_what_was_decrypted_is_wiped() {
    let mut rng = Seeded::new();
    let key = AuthKey::from_bytes(rng.array());
    let mut sealed = packet(&rng.bytes(112));
    seal(&key, Sender::Server, &mut sealed).unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut damaged = sealed.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let error = open(&key, Sender::Server, &mut damaged).unwrap_err();
        if bit < 64 {
            assert!(
                matches!(error, MessageError::WrongAuthKey { .. }),
                "bit {bit}"
            );
        } else {
            assert_eq!(error, MessageError::WrongMsgKey, "bit {bit}");
            assert!(damaged[HEADER..].iter().all(|byte| *byte == 0));
        }
    }
}

#[test]
fn blocks_cut_off_added_or_swapped_are_refused() {
    let mut rng = Seeded::new();
    let key = AuthKey::from_bytes(rng.array());
    let mut sealed = packet(&rng.bytes(96));
    seal(&key, Sender::Client, &mut sealed).unwrap();
    let mut shorter = sealed[..sealed.len() - 16].to_vec();
    let mut longer = [&sealed[..], &[0; 16]].concat();
    let mut swapped = sealed.clone();
    swapped[HEADER..HEADER + 32].rotate_left(16);
    for damaged in [&mut shorter, &mut longer, &mut swapped] {
        assert_eq!(
            open(&key, Sender::Client, damaged),
            Err(MessageError::WrongMsgKey)
        );
    }
}

#[test]
fn lengths_that_cannot_be_are_typed_errors() {
    let key = vector_key();
    for len in 0..HEADER + 16 {
        let expected = MessageError::TooShort {
            len,
            min: HEADER + 16,
        };
        assert_eq!(
            open(&key, Sender::Client, &mut vec![0; len]),
            Err(expected.clone())
        );
        assert_eq!(
            seal(&key, Sender::Client, &mut vec![0; len]),
            Err(expected.clone())
        );
        assert_eq!(open_v1(&key, &vec![0; len]), Err(expected));
    }
    for odd in 1..16 {
        let len = 32 + odd;
        let mut packet = vec![0; HEADER + len];
        assert_eq!(
            seal(&key, Sender::Client, &mut packet),
            Err(MessageError::NotBlocks { len })
        );
        assert!(packet.iter().all(|byte| *byte == 0), "left as it was");
        assert_eq!(
            open(&key, Sender::Client, &mut packet),
            Err(MessageError::NotBlocks { len })
        );
    }
}

#[test]
fn garbage_never_panics_and_never_opens() {
    let mut rng = Seeded::new();
    let key = AuthKey::from_bytes(rng.array());
    for _ in 0..3000 {
        let len = rng.0.usize(0..200);
        let mut garbage = rng.bytes(len);
        if let (true, Some(head)) = (rng.0.bool(), garbage.first_chunk_mut()) {
            *head = key.id().to_le_bytes();
        }
        assert!(open_v1(&key, &garbage).is_err());
        assert!(open(&key, Sender::Client, &mut garbage).is_err());
    }
}

#[test]
fn the_first_version_pads_with_less_than_a_block_and_finds_the_end_again() {
    let mut rng = Seeded::new();
    let key = AuthKey::from_bytes(rng.array());
    for body in 0..70u8 {
        let mut plaintext = rng.bytes(28);
        plaintext.extend_from_slice(&u32::from(body).to_le_bytes());
        plaintext.extend(rng.bytes(usize::from(body)));
        let sealed = seal_v1(&key, &plaintext, &mut rng);
        assert_eq!(sealed.len(), HEADER + plaintext.len().next_multiple_of(16));
        assert_eq!(open_v1(&key, &sealed).unwrap(), plaintext);
        // Of the last block only as many bytes are proven as are not padding.
        let proven = match plaintext.len() % 16 {
            0 => sealed.len(),
            _ => sealed.len() - 16,
        };
        for bit in 0..proven * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(open_v1(&key, &damaged).is_err());
        }
    }
}

#[test]
fn the_first_version_does_not_believe_a_wrong_length() {
    let mut rng = Seeded::new();
    let key = AuthKey::from_bytes(rng.array());
    for claimed in [0, 31, 49, 1 << 20, u32::MAX - 31, u32::MAX] {
        let mut plaintext = rng.bytes(28);
        plaintext.extend_from_slice(&claimed.to_le_bytes());
        plaintext.extend(rng.bytes(48));
        let sealed = seal_v1(&key, &plaintext, &mut rng);
        assert_eq!(
            open_v1(&key, &sealed),
            Err(MessageError::WrongMsgKey),
            "{claimed}"
        );
    }
}

#[test]
fn errors_say_what_was_expected_and_what_came() {
    let text = MessageError::WrongAuthKey {
        expected: 0x1234,
        got: -1,
    }
    .to_string();
    assert!(
        text.contains("0000000000001234") && text.contains("ffffffffffffffff"),
        "{text}"
    );
    let text = MessageError::TooShort { len: 3, min: 40 }.to_string();
    assert!(text.contains('3') && text.contains("40"), "{text}");
}
