//! Bytes to values.

use crate::{Cursor, Result};

/// What can be read.
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

impl Deserializable for bool {
    fn deserialize(buf: &mut Cursor<'_>) -> Result<Self> {
        buf.read_bool()
    }
}

impl Deserializable for i32 {
    fn deserialize(buf: &mut Cursor<'_>) -> Result<Self> {
        buf.read_i32()
    }
}

impl Deserializable for u32 {
    fn deserialize(buf: &mut Cursor<'_>) -> Result<Self> {
        buf.read_u32()
    }
}

impl Deserializable for i64 {
    fn deserialize(buf: &mut Cursor<'_>) -> Result<Self> {
        buf.read_i64()
    }
}

impl Deserializable for f64 {
    fn deserialize(buf: &mut Cursor<'_>) -> Result<Self> {
        buf.read_f64()
    }
}

impl Deserializable for [u8; 16] {
    fn deserialize(buf: &mut Cursor<'_>) -> Result<Self> {
        buf.read_int128()
    }
}

impl Deserializable for [u8; 32] {
    fn deserialize(buf: &mut Cursor<'_>) -> Result<Self> {
        buf.read_int256()
    }
}

impl Deserializable for String {
    fn deserialize(buf: &mut Cursor<'_>) -> Result<Self> {
        buf.read_string()
    }
}

/// `bytes`
impl Deserializable for Vec<u8> {
    fn deserialize(buf: &mut Cursor<'_>) -> Result<Self> {
        buf.read_bytes()
    }
}

/// `Vector<T>`
impl<T: Deserializable> Deserializable for Vec<T> {
    fn deserialize(buf: &mut Cursor<'_>) -> Result<Self> {
        buf.read_vec()
    }
}

impl<T: Deserializable> Deserializable for Box<T> {
    fn deserialize(buf: &mut Cursor<'_>) -> Result<Self> {
        buf.read_boxed()
    }
}
