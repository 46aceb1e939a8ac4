//! What the generated types leave to us: telling a message by its constructor, and never trusting what follows.

use layer_tl_types::{Cursor, Deserializable, Identifiable, Serializable};

/// The constructor's id that `bytes` begin with.
pub(crate) fn constructor_id(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|id| u32::from_le_bytes(*id))
}

/// The bare `T` after its constructor's id, if `bytes` begin with that id. What follows it is ignored: some
/// clients pad.
pub(crate) fn read<T: Identifiable + Deserializable>(bytes: &[u8]) -> Option<T> {
    let (id, rest) = bytes.split_first_chunk()?;
    if u32::from_le_bytes(*id) != T::CONSTRUCTOR_ID {
        return None;
    }
    T::deserialize(&mut Cursor::new(rest)).ok()
}

/// As [`read`], for functions, whose id belongs to them.
pub(crate) fn read_function<F: Identifiable + Deserializable>(bytes: &[u8]) -> Option<F> {
    if constructor_id(bytes)? != F::CONSTRUCTOR_ID {
        return None;
    }
    F::deserialize(&mut Cursor::new(bytes)).ok()
}

/// The bytes of a `T` with its constructor's id.
pub(crate) fn boxed<T: Identifiable + Serializable>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    bytes.extend_from_slice(&T::CONSTRUCTOR_ID.to_le_bytes());
    value.serialize(&mut bytes);
    bytes
}
