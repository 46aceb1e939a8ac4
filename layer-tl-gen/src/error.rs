//! What makes definitions impossible to generate from, and where it stands.

use std::fmt::{self, Display, Formatter};

use layer_tl_parser::Definition;

/// Why the definitions cannot become Rust. Prints as `line:column: what is wrong`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenError {
    /// The line of the definition, from 1.
    pub line: usize,
    /// The column of the definition, from 1.
    pub column: usize,
    /// The definition's full name.
    pub definition: String,
    /// What is wrong with it.
    pub problem: String,
}

impl GenError {
    pub(crate) fn new(def: &Definition, problem: String) -> Self {
        Self {
            line: def.line,
            column: def.column,
            definition: def.full_name(),
            problem,
        }
    }
}

impl Display for GenError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: `{}`: {}",
            self.line, self.column, self.definition, self.problem
        )
    }
}

impl std::error::Error for GenError {}
