//! The place up to which a slice has been read.

use crate::rt::{BOOL_FALSE, BOOL_TRUE, VECTOR};
use crate::{Deserializable, DeserializeError, Result};

/// How deep values of recursive types may be nested in each other; deeper input is an error.
///
/// Instant View pages nest deepest of what Telegram sends, and stay well below.
pub const MAX_DEPTH: u8 = 64;

/// Reads a slice from its beginning to its end.
///
/// After an error the position is somewhere inside the value that could not be read.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    data: &'a [u8],
    pos: usize,
    depth: u8,
}

impl<'a> Cursor<'a> {
    /// Begins at the beginning.
    #[must_use]
    pub fn new(data: &'a [u8]) -> Self {
        Self {
            data,
            pos: 0,
            depth: 0,
        }
    }

    /// How many bytes have been read.
    #[must_use]
    pub fn pos(&self) -> usize {
        self.pos
    }

    /// The bytes that have not been read.
    #[must_use]
    pub fn remaining(&self) -> &'a [u8] {
        self.data.get(self.pos..).unwrap_or_default()
    }

    /// Whether everything has been read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pos == self.data.len()
    }

    /// Takes the next `len` bytes.
    ///
    /// # Errors
    /// There are fewer.
    pub fn read_slice(&mut self, len: usize) -> Result<&'a [u8]> {
        let rest = self.remaining();
        match rest.get(..len) {
            Some(slice) => {
                self.pos += len;
                Ok(slice)
            }
            None => Err(DeserializeError::UnexpectedEnd {
                needed: len,
                left: rest.len(),
            }),
        }
    }

    fn read_array<const N: usize>(&mut self) -> Result<[u8; N]> {
        match self.remaining().first_chunk() {
            Some(array) => {
                self.pos += N;
                Ok(*array)
            }
            None => Err(DeserializeError::UnexpectedEnd {
                needed: N,
                left: self.remaining().len(),
            }),
        }
    }

    /// Reads `#`, or an id.
    ///
    /// # Errors
    /// Fewer than 4 bytes are left.
    pub fn read_u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.read_array()?))
    }

    /// Reads `int`.
    ///
    /// # Errors
    /// Fewer than 4 bytes are left.
    pub fn read_i32(&mut self) -> Result<i32> {
        Ok(i32::from_le_bytes(self.read_array()?))
    }

    /// Reads `long`.
    ///
    /// # Errors
    /// Fewer than 8 bytes are left.
    pub fn read_i64(&mut self) -> Result<i64> {
        Ok(i64::from_le_bytes(self.read_array()?))
    }

    /// Reads `double`.
    ///
    /// # Errors
    /// Fewer than 8 bytes are left.
    pub fn read_f64(&mut self) -> Result<f64> {
        Ok(f64::from_le_bytes(self.read_array()?))
    }

    /// Reads `int128`.
    ///
    /// # Errors
    /// Fewer than 16 bytes are left.
    pub fn read_int128(&mut self) -> Result<[u8; 16]> {
        self.read_array()
    }

    /// Reads `int256`.
    ///
    /// # Errors
    /// Fewer than 32 bytes are left.
    pub fn read_int256(&mut self) -> Result<[u8; 32]> {
        self.read_array()
    }

    /// Reads `Bool`.
    ///
    /// # Errors
    /// What comes is neither `boolTrue` nor `boolFalse`.
    pub fn read_bool(&mut self) -> Result<bool> {
        match self.read_u32()? {
            BOOL_TRUE => Ok(true),
            BOOL_FALSE => Ok(false),
            id => Err(crate::rt::unexpected("Bool", id)),
        }
    }

    /// Reads `bytes` without copying them.
    ///
    /// # Errors
    /// Fewer bytes are left than the length says, the padding included.
    pub fn read_bytes_ref(&mut self) -> Result<&'a [u8]> {
        let [first] = self.read_array()?;
        let (head, len) = if first == 254 {
            let [a, b, c] = self.read_array()?;
            (
                4,
                usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16,
            )
        } else {
            (1, usize::from(first))
        };
        let bytes = self.read_slice(len)?;
        self.read_slice((head + len).wrapping_neg() % 4)?;
        Ok(bytes)
    }

    /// Reads `bytes`.
    ///
    /// # Errors
    /// Fewer bytes are left than the length says, the padding included.
    pub fn read_bytes(&mut self) -> Result<Vec<u8>> {
        Ok(self.read_bytes_ref()?.to_vec())
    }

    /// Reads `string`.
    ///
    /// Telegram sends UTF-8. Should something else come, each wrong part becomes U+FFFD: an error would lose the whole
    /// answer or update, with everything in it that is right.
    ///
    /// # Errors
    /// Fewer bytes are left than the length says, the padding included.
    pub fn read_string(&mut self) -> Result<String> {
        Ok(String::from_utf8_lossy(self.read_bytes_ref()?).into_owned())
    }
}

// Which of these the generated code calls depends on the schema and the features.
#[allow(dead_code)]
impl Cursor<'_> {
    /// Reads the length of a vector, and checks it against what is left: an item takes at least 4 bytes.
    fn read_len(&mut self) -> Result<usize> {
        let count = self.read_u32()?;
        let left = self.remaining().len();
        match usize::try_from(count) {
            Ok(len) if len <= left / 4 => Ok(len),
            _ => Err(DeserializeError::VectorTooLong { count, left }),
        }
    }

    /// Reads `Vector<T>`.
    pub(crate) fn read_vec<T: Deserializable>(&mut self) -> Result<Vec<T>> {
        self.expect_id(VECTOR, "Vector")?;
        self.read_raw_vec()
    }

    /// Reads `vector<T>`, which has no id.
    pub(crate) fn read_raw_vec<T: Deserializable>(&mut self) -> Result<Vec<T>> {
        let len = self.read_len()?;
        let mut items = Vec::with_capacity(len);
        for _ in 0..len {
            items.push(T::deserialize(self)?);
        }
        Ok(items)
    }

    pub(crate) fn read_value<T: Deserializable>(&mut self) -> Result<T> {
        T::deserialize(self)
    }

    pub(crate) fn read_boxed<T: Deserializable>(&mut self) -> Result<Box<T>> {
        Ok(Box::new(T::deserialize(self)?))
    }

    pub(crate) fn opt_i32(&mut self, there: bool) -> Result<Option<i32>> {
        if there {
            self.read_i32().map(Some)
        } else {
            Ok(None)
        }
    }

    pub(crate) fn opt_i64(&mut self, there: bool) -> Result<Option<i64>> {
        if there {
            self.read_i64().map(Some)
        } else {
            Ok(None)
        }
    }

    pub(crate) fn opt_f64(&mut self, there: bool) -> Result<Option<f64>> {
        if there {
            self.read_f64().map(Some)
        } else {
            Ok(None)
        }
    }

    pub(crate) fn opt_bool(&mut self, there: bool) -> Result<Option<bool>> {
        if there {
            self.read_bool().map(Some)
        } else {
            Ok(None)
        }
    }

    pub(crate) fn opt_string(&mut self, there: bool) -> Result<Option<String>> {
        if there {
            self.read_string().map(Some)
        } else {
            Ok(None)
        }
    }

    pub(crate) fn opt_bytes(&mut self, there: bool) -> Result<Option<Vec<u8>>> {
        if there {
            self.read_bytes().map(Some)
        } else {
            Ok(None)
        }
    }

    pub(crate) fn opt_int128(&mut self, there: bool) -> Result<Option<[u8; 16]>> {
        if there {
            self.read_int128().map(Some)
        } else {
            Ok(None)
        }
    }

    pub(crate) fn opt_int256(&mut self, there: bool) -> Result<Option<[u8; 32]>> {
        if there {
            self.read_int256().map(Some)
        } else {
            Ok(None)
        }
    }

    pub(crate) fn opt_raw_vec<T: Deserializable>(&mut self, there: bool) -> Result<Option<Vec<T>>> {
        if there {
            self.read_raw_vec().map(Some)
        } else {
            Ok(None)
        }
    }

    pub(crate) fn opt_vec<T: Deserializable>(&mut self, there: bool) -> Result<Option<Vec<T>>> {
        if there {
            self.read_vec().map(Some)
        } else {
            Ok(None)
        }
    }

    pub(crate) fn opt_value<T: Deserializable>(&mut self, there: bool) -> Result<Option<T>> {
        if there {
            T::deserialize(self).map(Some)
        } else {
            Ok(None)
        }
    }

    pub(crate) fn expect_id(&mut self, expected: u32, name: &'static str) -> Result<()> {
        match self.read_u32()? {
            id if id == expected => Ok(()),
            id => Err(crate::rt::unexpected(name, id)),
        }
    }

    pub(crate) fn enter(&mut self) -> Result<()> {
        if self.depth >= MAX_DEPTH {
            return Err(DeserializeError::TooDeep);
        }
        self.depth += 1;
        Ok(())
    }

    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }
}
