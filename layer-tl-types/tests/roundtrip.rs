//! Every definition: random bytes, written from the schema by `support` and not by the crate's serialiser, are decoded
//! and encode to the same bytes; and no cut or changed bytes make it panic.
#![cfg(any(feature = "tl-api", feature = "tl-mtproto"))]
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

#[allow(unreachable_pub)] // shared by several tests
mod support;

use fastrand::Rng;
use layer_tl_parser::Category;
use layer_tl_types::{Deserializable, DeserializeError, Serializable};
use support::Schema;

include!(concat!(env!("OUT_DIR"), "/roundtrip.rs"));

type Outcome = Result<Vec<u8>, DeserializeError>;

fn roundtrip<T: Deserializable + Serializable>(bytes: &[u8]) -> Outcome {
    T::from_bytes(bytes).map(|value| value.to_bytes())
}

/// Decodes and encodes by the definition; `None` if the schema's features leave it out.
fn by_definition(schema: &Schema, index: usize, bytes: &[u8]) -> Option<Outcome> {
    let def = &schema.definitions[index];
    match def.category {
        Category::Type => roundtrip_type(&def.ty.full_name(), bytes),
        #[cfg(feature = "deserializable-functions")]
        Category::Function => roundtrip_function(&def.full_name(), bytes),
        #[cfg(not(feature = "deserializable-functions"))]
        Category::Function => None,
    }
}

fn seed() -> u64 {
    let seed = std::env::var("SEED")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or_else(|| fastrand::u64(..));
    println!("SEED={seed}");
    seed
}

#[test]
fn every_definition_encodes_to_the_bytes_that_it_was_decoded_from() {
    let schema = Schema::load();
    let mut rng = Rng::with_seed(seed());
    let mut tried = 0;
    for index in 0..schema.definitions.len() {
        if schema.is_core(index) {
            continue;
        }
        for round in 0..8 {
            let bytes = schema.random(&mut rng, index);
            let Some(outcome) = by_definition(&schema, index, &bytes) else {
                break;
            };
            let name = schema.definitions[index].full_name();
            assert_eq!(outcome.as_ref(), Ok(&bytes), "{name}, round {round}");
            tried += usize::from(round == 0);
        }
    }
    let mut expected = 0;
    if cfg!(feature = "tl-api") {
        expected += 1546 - 3; // Bool's two and vector are the runtime's
        if cfg!(feature = "deserializable-functions") {
            expected += 757;
        }
    }
    if cfg!(feature = "tl-mtproto") {
        expected += 56 - 7; // the builtin types
        if cfg!(feature = "deserializable-functions") {
            expected += 10;
        }
    }
    assert_eq!(tried, expected);
}

#[test]
fn bytes_cut_anywhere_are_an_error_and_changed_bytes_never_panic() {
    let schema = Schema::load();
    let mut rng = Rng::with_seed(seed());
    for index in 0..schema.definitions.len() {
        if schema.is_core(index) {
            continue;
        }
        let mut bytes = schema.random(&mut rng, index);
        while bytes.len() > 4096 {
            bytes = schema.random(&mut rng, index);
        }
        let name = schema.definitions[index].full_name();
        for len in 0..bytes.len() {
            let Some(outcome) = by_definition(&schema, index, &bytes[..len]) else {
                break;
            };
            // What a generic call carries is taken as it is.
            if !schema.is_generic(index) {
                assert!(outcome.is_err(), "{name} cut to {len} of {}", bytes.len());
            }
        }
        for _ in 0..16 {
            let mut changed = bytes.clone();
            for _ in 0..rng.usize(1..4) {
                let at = rng.usize(..changed.len());
                changed[at] = match rng.u8(..4) {
                    0 => rng.u8(..),
                    1 => 0xff,
                    2 => changed[at] ^ 1 << rng.u8(..8),
                    _ => changed[at].wrapping_add(1),
                };
            }
            // Whatever it is now, it is a value or an error; and a value encodes and decodes again.
            if let Some(Ok(again)) = by_definition(&schema, index, &changed) {
                let outcome = by_definition(&schema, index, &again);
                assert_eq!(outcome, Some(Ok(again)), "{name}");
            }
        }
    }
}
