//! What can be wrong with a schema, and where.

use std::fmt::{self, Display, Formatter};

/// Why a text is not a schema, and where it stops being one.
///
/// Prints as `line:column: what was expected, what was found`, so that a file name and a colon before it make a
/// position that editors understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong at a place of a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The text breaks the grammar.
    Syntax {
        /// What would have been right, in words.
        expected: &'static str,
        /// What stands there, in words.
        found: String,
    },
    /// The written id is not the CRC-32 of the definition.
    WrongId {
        /// The definition's full name.
        name: String,
        /// The id in the text.
        written: u32,
        /// The id that the definition should have.
        computed: u32,
    },
    /// `flags.0?…` where no `flags:#` stands before.
    UnknownFlags {
        /// The name used.
        name: String,
    },
    /// `!X` or a result `X` without `{X:Type}`.
    UnknownTypeParam {
        /// The name used.
        name: String,
    },
}

impl Display for ParseError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.problem)
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Syntax { expected, found } => write!(f, "expected {expected}, found {found}"),
            Problem::WrongId {
                name,
                written,
                computed,
            } => write!(
                f,
                "expected the id #{computed:08x} of `{name}` (CRC-32 of its definition), found #{written:08x}; \
                 correct the id or the definition, or leave the id out"
            ),
            Problem::UnknownFlags { name } => {
                write!(
                    f,
                    "expected a parameter `{name}:#` before its first use, found none"
                )
            }
            Problem::UnknownTypeParam { name } => {
                write!(
                    f,
                    "expected `{{{name}:Type}}` before the use of `!{name}`, found none"
                )
            }
        }
    }
}

impl std::error::Error for ParseError {}
