//! What a schema consists of. `Display` gives each part back in TL.

use std::fmt::{self, Display, Formatter};

/// Whether a definition makes a value or a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// Stands in a `---types---` section (where a file begins): a constructor.
    Type,
    /// Stands in a `---functions---` section: a method.
    Function,
}

/// One combinator: `namespace.name#id {X:Type} param:type … = Type;`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The parts before the last dot of the name, outermost first.
    pub namespace: Vec<String>,
    /// The name without its namespace.
    pub name: String,
    /// The id that goes over the wire: as written, or else [`computed_id`](Self::computed_id).
    pub id: u32,
    /// Whether the text gave the id.
    pub id_written: bool,
    /// What stands in braces: `{X:Type}`.
    pub type_params: Vec<TypeParam>,
    /// The parameters in wire order, flag words included. Empty when [`builtin`](Self::builtin).
    pub params: Vec<Param>,
    /// What comes after the equals sign.
    pub ty: Type,
    /// The section in which it stands.
    pub category: Category,
    /// `name ? = Type`: its representation is known to the reader and not described by TL.
    pub builtin: bool,
    /// The line of its first character, from 1.
    pub line: usize,
    /// The column of its first character, from 1, in characters.
    pub column: usize,
}

/// `{X:Type}`: a type or a number that the definition is generic over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeParam {
    /// `X`
    pub name: String,
    /// `Type` or `#`
    pub kind: String,
}

/// One parameter of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// The name before the colon; `None` for `#` or `t` standing alone.
    pub name: Option<String>,
    /// What is sent.
    pub kind: ParamKind,
}

/// What a parameter sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// `#`: a 32-bit number, in practice a word of flags.
    Flags,
    /// A value, always there or guarded by a flag.
    Value {
        /// `flags.3?` before the type.
        flag: Option<Flag>,
        /// The type of the value.
        ty: Type,
    },
    /// `4*[ int ]` or `[ t ]`: parameters repeated.
    Repeat {
        /// How many times; `None` means as often as the last number before it says.
        count: Option<u32>,
        /// What is repeated.
        params: Vec<Param>,
    },
}

/// `flags.3?`: the value is sent when bit 3 of `flags` is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The parameter that holds the bits.
    pub name: String,
    /// Which bit, 0 to 31.
    pub bit: u8,
}

/// A type expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    /// The parts before the last dot of the name, outermost first.
    pub namespace: Vec<String>,
    /// The name without its namespace.
    pub name: String,
    /// Sent without a constructor id: the name begins with a small letter, or `%` stands before it.
    pub bare: bool,
    /// Written with `%`.
    pub percent: bool,
    /// Written with `!`: any call whose result is this type.
    pub call: bool,
    /// `int` of `Vector<int>` or `Vector int`.
    pub args: Vec<Type>,
}

impl Definition {
    /// The name with its namespace, as TL writes it.
    #[must_use]
    pub fn full_name(&self) -> String {
        full_name(&self.namespace, &self.name)
    }

    /// The CRC-32 of the normalised definition.
    ///
    /// Normalised means: one space between the parts; no id, braces, angle brackets or semicolon; `string` in place of
    /// `bytes`; and no parameter of the bare type `true`, as it takes no room.
    #[must_use]
    pub fn computed_id(&self) -> u32 {
        crate::id::compute(self)
    }

    /// Whether `name` is one of the definition's own type parameters.
    #[must_use]
    pub fn is_type_param(&self, name: &str) -> bool {
        self.type_params.iter().any(|p| p.name == name)
    }
}

impl Type {
    /// The name with its namespace, as TL writes it, without arguments.
    #[must_use]
    pub fn full_name(&self) -> String {
        full_name(&self.namespace, &self.name)
    }
}

fn full_name(namespace: &[String], name: &str) -> String {
    let mut full = String::new();
    for part in namespace {
        full.push_str(part);
        full.push('.');
    }
    full.push_str(name);
    full
}

impl Display for Definition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{:08x}", self.full_name(), self.id)?;
        for p in &self.type_params {
            write!(f, " {{{}:{}}}", p.name, p.kind)?;
        }
        if self.builtin {
            f.write_str(" ?")?;
        }
        for p in &self.params {
            write!(f, " {p}")?;
        }
        write!(f, " = {}", self.ty)
    }
}

impl Display for Param {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name}:")?;
        }
        match &self.kind {
            ParamKind::Flags => f.write_str("#"),
            ParamKind::Value { flag, ty } => {
                if let Some(flag) = flag {
                    write!(f, "{}.{}?", flag.name, flag.bit)?;
                }
                write!(f, "{ty}")
            }
            ParamKind::Repeat { count, params } => {
                if let Some(count) = count {
                    write!(f, "{count}*")?;
                }
                f.write_str("[")?;
                for p in params {
                    write!(f, " {p}")?;
                }
                f.write_str(" ]")
            }
        }
    }
}

impl Display for Type {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.call {
            f.write_str("!")?;
        }
        if self.percent {
            f.write_str("%")?;
        }
        f.write_str(&self.full_name())?;
        for (i, arg) in self.args.iter().enumerate() {
            write!(f, "{}{arg}", if i == 0 { "<" } else { ", " })?;
        }
        if !self.args.is_empty() {
            f.write_str(">")?;
        }
        Ok(())
    }
}
