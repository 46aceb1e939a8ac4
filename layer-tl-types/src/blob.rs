//! Vectors without an id, and bytes that are a value already.

use crate::rt::{self, Decode};
use crate::{Cursor, RemoteCall, Serializable};

/// `vector<T>`: a vector without its id.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "impl-serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RawVec<T>(pub Vec<T>);

impl<T: Serializable> Serializable for RawVec<T> {
    fn serialize(&self, buf: &mut Vec<u8>) {
        rt::put_items(buf, false, &self.0);
    }
}

impl<T: Decode> Decode for RawVec<T> {
    fn decode(buf: &mut Cursor<'_>) -> Self {
        Self(buf.items(false))
    }
}

/// A value as its bytes: written as they are, read as all that is left.
///
/// In place of the call inside a generic method, or of a result that nobody wants to look into.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "impl-serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Blob(pub Vec<u8>);

impl Serializable for Blob {
    fn serialize(&self, buf: &mut Vec<u8>) {
        rt::put_raw(buf, &self.0);
    }
}

impl Decode for Blob {
    fn decode(buf: &mut Cursor<'_>) -> Self {
        Self(buf.rest().to_vec())
    }
}

impl RemoteCall for Blob {
    type Return = Self;
}
