//! Every type and method of the schemas: any bytes are a value or an error, and a value that was encoded is decoded to
//! the same bytes.

use layer_tl_types::{Deserializable, DeserializeError, Serializable};

use crate::input::Input;

include!(concat!(env!("OUT_DIR"), "/definitions.rs"));
include!(concat!(env!("OUT_DIR"), "/roundtrip.rs"));

/// A row of [`DEFINITIONS`].
type Definition = (u32, bool, &'static str, &'static str);
type Outcome = Result<Vec<u8>, DeserializeError>;

fn roundtrip<T: Deserializable + Serializable>(bytes: &[u8]) -> Outcome {
    T::from_bytes(bytes).map(|value| value.to_bytes())
}

fn decode((_, function, name, _): Definition, bytes: &[u8]) -> Outcome {
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

/// The method that a number means: its id, its name, and the type that it returns.
pub(crate) fn method(number: u16) -> (u32, &'static str, &'static str) {
    let at = usize::from(number) % DEFINITIONS.len();
    // What is no method means the next one; the last of all is one.
    let (before, after) = DEFINITIONS.split_at(at);
    let found = after
        .iter()
        .chain(before)
        .find(|(_, function, ..)| *function);
    found.map_or((0, "", ""), |(id, _, name, returns)| (*id, *name, *returns))
}

/// Sees that these bytes are what the method returns, as far as that is a type of the schema.
pub(crate) fn returned(name: &str, returns: &str, bytes: &[u8]) {
    match roundtrip_type(returns, bytes) {
        Some(Ok(again)) => assert_eq!(again, bytes, "{name} answers more than a {returns}"),
        Some(Err(error)) => panic!("{name} answers no {returns}: {error}"),
        None => {}
    }
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
