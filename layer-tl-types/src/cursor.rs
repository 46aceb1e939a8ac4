//! The place up to which a slice has been read, and the first thing that was wrong with it.

use crate::rt::{BOOL_FALSE, BOOL_TRUE, Decode, VECTOR};
use crate::{DeserializeError, Result};

/// How deep values of recursive types may be nested in each other; deeper input is an error.
///
/// Instant View pages nest deepest of what Telegram sends, and stay well below.
pub const MAX_DEPTH: u8 = 64;

/// Reads a slice from its beginning to its end.
///
/// The first error stays: whatever is read after it fails with the same one.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    // Cut off at `pos` by the first error, so that nothing more is found there.
    data: &'a [u8],
    pos: usize,
    depth: u8,
    error: Option<DeserializeError>,
}

impl<'a> Cursor<'a> {
    /// Begins at the beginning.
    #[must_use]
    pub fn new(data: &'a [u8]) -> Self {
        Self {
            data,
            pos: 0,
            depth: 0,
            error: None,
        }
    }

    /// How many bytes have been read.
    #[must_use]
    pub fn pos(&self) -> usize {
        self.pos
    }

    /// The bytes that have not been read; none after an error.
    #[must_use]
    pub fn remaining(&self) -> &'a [u8] {
        self.data.get(self.pos..).unwrap_or_default()
    }

    /// Whether everything has been read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.remaining().is_empty()
    }

    /// Takes the next `len` bytes.
    ///
    /// # Errors
    /// There are fewer.
    pub fn read_slice(&mut self, len: usize) -> Result<&'a [u8]> {
        let slice = self.slice(len);
        self.checked(slice)
    }

    /// Reads `#`, or an id.
    ///
    /// # Errors
    /// Fewer than 4 bytes are left.
    pub fn read_u32(&mut self) -> Result<u32> {
        let x = self.u32();
        self.checked(x)
    }

    /// Reads `int`.
    ///
    /// # Errors
    /// Fewer than 4 bytes are left.
    pub fn read_i32(&mut self) -> Result<i32> {
        let x = self.i32();
        self.checked(x)
    }

    /// Reads `long`.
    ///
    /// # Errors
    /// Fewer than 8 bytes are left.
    pub fn read_i64(&mut self) -> Result<i64> {
        let x = self.i64();
        self.checked(x)
    }

    /// Reads `double`.
    ///
    /// # Errors
    /// Fewer than 8 bytes are left.
    pub fn read_f64(&mut self) -> Result<f64> {
        let x = self.f64();
        self.checked(x)
    }

    /// Reads `int128`.
    ///
    /// # Errors
    /// Fewer than 16 bytes are left.
    pub fn read_int128(&mut self) -> Result<[u8; 16]> {
        let x = self.int128();
        self.checked(x)
    }

    /// Reads `int256`.
    ///
    /// # Errors
    /// Fewer than 32 bytes are left.
    pub fn read_int256(&mut self) -> Result<[u8; 32]> {
        let x = self.int256();
        self.checked(x)
    }

    /// Reads `Bool`.
    ///
    /// # Errors
    /// What comes is neither `boolTrue` nor `boolFalse`.
    pub fn read_bool(&mut self) -> Result<bool> {
        let x = self.bool();
        self.checked(x)
    }

    /// Reads `bytes` without copying them.
    ///
    /// # Errors
    /// Fewer bytes are left than the length says, the padding included.
    pub fn read_bytes_ref(&mut self) -> Result<&'a [u8]> {
        let x = self.bytes_ref();
        self.checked(x)
    }

    /// Reads `bytes`.
    ///
    /// # Errors
    /// Fewer bytes are left than the length says, the padding included.
    pub fn read_bytes(&mut self) -> Result<Vec<u8>> {
        let x = self.bytes();
        self.checked(x)
    }

    /// Reads `string`.
    ///
    /// Telegram sends UTF-8. Should something else come, each wrong part becomes U+FFFD: an error would lose the whole
    /// answer or update, with everything in it that is right.
    ///
    /// # Errors
    /// Fewer bytes are left than the length says, the padding included.
    pub fn read_string(&mut self) -> Result<String> {
        let x = self.string();
        self.checked(x)
    }

    fn checked<T>(&self, value: T) -> Result<T> {
        self.status().map(|()| value)
    }
}

/// For generated code: reading that always gives a value, and remembers when it is not one from the bytes. Without a
/// branch and a way out after every field, the code is a fraction as large and the build a fraction as long.
///
/// After an error, numbers are zero, strings and vectors empty, options `None` and enums their shallowest variant.
///
/// What is long stays out of line, or each field would be a copy of it: that took a third of a release build's time,
/// and reading is as fast without.
// Which of these are called depends on the schema and the features.
#[allow(dead_code)]
impl<'a> Cursor<'a> {
    #[cold]
    #[inline(never)]
    pub(crate) fn fail(&mut self, error: DeserializeError) {
        self.error.get_or_insert(error);
        self.data = self.data.get(..self.pos).unwrap_or_default();
    }

    pub(crate) fn status(&self) -> Result<()> {
        match &self.error {
            None => Ok(()),
            Some(error) => Err(error.clone()),
        }
    }

    fn slice(&mut self, len: usize) -> &'a [u8] {
        let rest = self.remaining();
        match rest.get(..len) {
            Some(slice) => {
                self.pos += len;
                slice
            }
            None => {
                self.fail(DeserializeError::UnexpectedEnd {
                    needed: len,
                    left: rest.len(),
                });
                &[]
            }
        }
    }

    /// Takes all that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        self.slice(self.remaining().len())
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        match self.slice(N).first_chunk() {
            Some(array) => *array,
            None => [0; N],
        }
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    pub(crate) fn i32(&mut self) -> i32 {
        i32::from_le_bytes(self.array())
    }

    pub(crate) fn i64(&mut self) -> i64 {
        i64::from_le_bytes(self.array())
    }

    pub(crate) fn f64(&mut self) -> f64 {
        f64::from_le_bytes(self.array())
    }

    pub(crate) fn int128(&mut self) -> [u8; 16] {
        self.array()
    }

    pub(crate) fn int256(&mut self) -> [u8; 32] {
        self.array()
    }

    pub(crate) fn bool(&mut self) -> bool {
        let id = self.u32();
        match id {
            BOOL_TRUE => true,
            BOOL_FALSE => false,
            id => {
                self.fail(DeserializeError::UnexpectedConstructor {
                    expected: "Bool",
                    id,
                });
                false
            }
        }
    }

    fn bytes_ref(&mut self) -> &'a [u8] {
        let [first] = self.array();
        let (head, len) = if first == 254 {
            let [a, b, c] = self.array();
            (
                4,
                usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16,
            )
        } else {
            (1, usize::from(first))
        };
        let bytes = self.slice(len);
        self.slice((head + len).wrapping_neg() % 4);
        bytes
    }

    #[inline(never)]
    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        self.bytes_ref().to_vec()
    }

    #[inline(never)]
    pub(crate) fn string(&mut self) -> String {
        let bytes = self.bytes_ref();
        // The lossy way looks at one byte after the other, also where nothing is wrong with them.
        match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => String::from_utf8_lossy(bytes).into_owned(),
        }
    }

    /// The length of a vector, checked against what is left: an item takes at least 4 bytes.
    #[inline(never)]
    fn len(&mut self, boxed: bool) -> usize {
        if boxed {
            let id = self.u32();
            self.expect_id(id, VECTOR, "Vector");
        }
        let count = self.u32();
        let left = self.remaining().len();
        match usize::try_from(count) {
            Ok(len) if len <= left / 4 => len,
            _ => {
                self.fail(DeserializeError::VectorTooLong { count, left });
                0
            }
        }
    }

    /// `Vector<T>`, or without its id `vector<T>`.
    #[inline(never)]
    pub(crate) fn items<T: Decode>(&mut self, boxed: bool) -> Vec<T> {
        let mut left = self.len(boxed);
        let mut items = Vec::with_capacity(left);
        while left > 0 && self.error.is_none() {
            items.push(T::decode(self));
            left -= 1;
        }
        items
    }

    pub(crate) fn opt_i32(&mut self, flags: u32, bit: u32) -> Option<i32> {
        if has(flags, bit) {
            Some(self.i32())
        } else {
            None
        }
    }

    pub(crate) fn opt_i64(&mut self, flags: u32, bit: u32) -> Option<i64> {
        if has(flags, bit) {
            Some(self.i64())
        } else {
            None
        }
    }

    pub(crate) fn opt_f64(&mut self, flags: u32, bit: u32) -> Option<f64> {
        if has(flags, bit) {
            Some(self.f64())
        } else {
            None
        }
    }

    pub(crate) fn opt_bool(&mut self, flags: u32, bit: u32) -> Option<bool> {
        if has(flags, bit) {
            Some(self.bool())
        } else {
            None
        }
    }

    #[inline(never)]
    pub(crate) fn opt_string(&mut self, flags: u32, bit: u32) -> Option<String> {
        if has(flags, bit) {
            Some(self.string())
        } else {
            None
        }
    }

    #[inline(never)]
    pub(crate) fn opt_bytes(&mut self, flags: u32, bit: u32) -> Option<Vec<u8>> {
        if has(flags, bit) {
            Some(self.bytes())
        } else {
            None
        }
    }

    pub(crate) fn opt_int128(&mut self, flags: u32, bit: u32) -> Option<[u8; 16]> {
        if has(flags, bit) {
            Some(self.int128())
        } else {
            None
        }
    }

    pub(crate) fn opt_int256(&mut self, flags: u32, bit: u32) -> Option<[u8; 32]> {
        if has(flags, bit) {
            Some(self.int256())
        } else {
            None
        }
    }

    pub(crate) fn opt_items<T: Decode>(
        &mut self,
        flags: u32,
        bit: u32,
        boxed: bool,
    ) -> Option<Vec<T>> {
        if has(flags, bit) {
            Some(self.items(boxed))
        } else {
            None
        }
    }

    pub(crate) fn opt_value<T: Decode>(&mut self, flags: u32, bit: u32) -> Option<T> {
        if has(flags, bit) {
            Some(T::decode(self))
        } else {
            None
        }
    }

    /// Fails unless the id is the one that is expected.
    pub(crate) fn expect_id(&mut self, id: u32, wanted: u32, expected: &'static str) {
        if id != wanted {
            self.fail(DeserializeError::UnexpectedConstructor { expected, id });
        }
    }

    /// Steps over the flag words of a constructor that has no other fields.
    pub(crate) fn skip_words(&mut self, words: usize) {
        self.slice(words * 4);
    }

    /// Goes into a value of a recursive type.
    pub(crate) fn enter(&mut self) {
        if self.depth >= MAX_DEPTH {
            self.fail(DeserializeError::TooDeep);
        }
        // Once failed, the way down is short: the shallowest variants, which end soon.
        self.depth = self.depth.saturating_add(1);
    }

    /// Comes back from it.
    pub(crate) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }
}

/// Whether a flag word has a bit.
pub(crate) fn has(flags: u32, bit: u32) -> bool {
    flags >> bit & 1 != 0
}
