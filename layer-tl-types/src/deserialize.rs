//! Bytes to values.

use crate::rt::Decode;
use crate::{Cursor, Result};

/// What can be read.
///
/// Generated types, numbers, strings and vectors of them can be. Implement it for a type of your own by calling the
/// `deserialize` of its parts.
pub trait Deserializable: Sized {
    /// Reads a value from where the cursor stands, and moves it behind the value.
    ///
    /// # Errors
    /// The bytes are not such a value.
    fn deserialize(buf: &mut Cursor<'_>) -> Result<Self>;

    /// Reads a value from the beginning of a slice. What comes after it is ignored.
    ///
    /// # Errors
    /// The bytes are not such a value.
    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::deserialize(&mut Cursor::new(bytes))
    }
}

impl<T: Decode> Deserializable for T {
    fn deserialize(buf: &mut Cursor<'_>) -> Result<Self> {
        let value = T::decode(buf);
        buf.status().map(|()| value)
    }
}

impl Decode for bool {
    fn decode(buf: &mut Cursor<'_>) -> Self {
        buf.bool()
    }
}

impl Decode for i32 {
    fn decode(buf: &mut Cursor<'_>) -> Self {
        buf.i32()
    }
}

impl Decode for u32 {
    fn decode(buf: &mut Cursor<'_>) -> Self {
        buf.u32()
    }
}

impl Decode for i64 {
    fn decode(buf: &mut Cursor<'_>) -> Self {
        buf.i64()
    }
}

impl Decode for f64 {
    fn decode(buf: &mut Cursor<'_>) -> Self {
        buf.f64()
    }
}

impl Decode for [u8; 16] {
    fn decode(buf: &mut Cursor<'_>) -> Self {
        buf.int128()
    }
}

impl Decode for [u8; 32] {
    fn decode(buf: &mut Cursor<'_>) -> Self {
        buf.int256()
    }
}

impl Decode for String {
    fn decode(buf: &mut Cursor<'_>) -> Self {
        buf.string()
    }
}

/// `bytes`
impl Decode for Vec<u8> {
    fn decode(buf: &mut Cursor<'_>) -> Self {
        buf.bytes()
    }
}

/// `Vector<T>`
impl<T: Decode> Decode for Vec<T> {
    fn decode(buf: &mut Cursor<'_>) -> Self {
        buf.items(true)
    }
}

impl<T: Decode> Decode for Box<T> {
    fn decode(buf: &mut Cursor<'_>) -> Self {
        Self::new(T::decode(buf))
    }
}
