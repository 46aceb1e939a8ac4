//! Why bytes are not a value.

use std::fmt::{self, Display, Formatter};

/// The result of reading.
pub type Result<T> = std::result::Result<T, DeserializeError>;

/// Why bytes could not be read as the value that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeserializeError {
    /// The bytes ended inside a value.
    UnexpectedEnd {
        /// Bytes that the next part needs.
        needed: usize,
        /// Bytes that there are.
        left: usize,
    },
    /// An id came that no constructor of the expected type has.
    UnexpectedConstructor {
        /// The TL name of the type, or of the constructor or method if only one could have stood there.
        expected: &'static str,
        /// The id that came.
        id: u32,
    },
    /// A vector claims more items than the rest of the bytes can hold.
    VectorTooLong {
        /// The items that it claims.
        count: u32,
        /// Bytes that there are.
        left: usize,
    },
    /// Values are nested in each other more deeply than [`MAX_DEPTH`](crate::MAX_DEPTH).
    TooDeep,
}

impl Display for DeserializeError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnexpectedEnd { needed, left } => {
                write!(f, "expected {needed} more bytes of a value, found {left}")
            }
            Self::UnexpectedConstructor { expected, id } => {
                write!(f, "expected a constructor of {expected}, found ")?;
                #[cfg(feature = "name-for-id")]
                if let Some(name) = crate::name_for_id(*id) {
                    return write!(f, "{name}#{id:08x}");
                }
                write!(
                    f,
                    "the id #{id:08x}, which this schema (layer {}) may not know",
                    crate::LAYER
                )
            }
            Self::VectorTooLong { count, left } => {
                write!(
                    f,
                    "expected a vector that fits into {left} bytes, found one of {count} items"
                )
            }
            Self::TooDeep => {
                write!(
                    f,
                    "expected values nested at most {} deep, found deeper ones",
                    crate::MAX_DEPTH
                )
            }
        }
    }
}

impl std::error::Error for DeserializeError {}

/// The enum held another variant than the type that it was converted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongVariant {
    expected: u32,
}

impl WrongVariant {
    #[cfg(feature = "impl-from-enum")]
    #[allow(dead_code)] // not called if every type of the schema has one constructor
    pub(crate) fn new(expected: u32) -> Self {
        Self { expected }
    }

    /// The id of the constructor that was asked for.
    #[must_use]
    pub fn expected_id(&self) -> u32 {
        self.expected
    }
}

impl Display for WrongVariant {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("expected the constructor ")?;
        #[cfg(feature = "name-for-id")]
        if let Some(name) = crate::name_for_id(self.expected) {
            f.write_str(name)?;
        }
        write!(f, "#{:08x}, found another one of its type", self.expected)
    }
}

impl std::error::Error for WrongVariant {}
