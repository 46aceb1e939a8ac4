//! Every type and method of the schemas: any bytes are a value or an error, and a value that was encoded is decoded to
//! the same bytes.

use layer_tl_types::{Deserializable, DeserializeError, Serializable};

use crate::input::Input;

include!(concat!(env!("OUT_DIR"), "/definitions.rs"));
include!(concat!(env!("OUT_DIR"), "/roundtrip.rs"));

type Outcome = Result<Vec<u8>, DeserializeError>;

fn roundtrip<T: Deserializable + Serializable>(bytes: &[u8]) -> Outcome {
    T::from_bytes(bytes).map(|value| value.to_bytes())
}

fn decode((_, function, name): (u32, bool, &str), bytes: &[u8]) -> Outcome {
    let outcome = if function {
        roundtrip_function(name, bytes)
    } else {
        roundtrip_type(name, bytes)
    };
    match outcome {
        Some(outcome) => outcome,
        None => panic!("nothing is generated for {name}"),
    }
}

/// How the input begins that means this id.
pub(crate) fn index_of(id: u32) -> Option<[u8; 2]> {
    let at = DEFINITIONS.iter().position(|(other, ..)| *other == id)?;
    u16::try_from(at).ok().map(u16::to_le_bytes)
}

pub(crate) fn run(input: &[u8]) {
    let mut input = Input::new(input);
    let definition = DEFINITIONS[usize::from(input.short()) % DEFINITIONS.len()];
    let mut bytes = definition.0.to_le_bytes().to_vec();
    bytes.extend_from_slice(input.rest());
    match decode(definition, &bytes) {
        Ok(encoded) => assert_eq!(decode(definition, &encoded), Ok(encoded), "{definition:?}"),
        Err(error) => _ = error.to_string(),
    }
}
