//! The model as text, in the shapes that rustfmt would give it.

mod enums;
mod structs;
mod tables;

use std::fmt::Write as _;

use layer_tl_parser::{Category, Definition};

use crate::error::GenError;
use crate::layout::Layout;
use crate::model::{Model, Ty};

/// What to generate. The default is the least: types, functions and how to send and read them.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Config {
    /// The value of the constant `LAYER`.
    pub layer: i32,
    /// `Debug` for everything.
    pub impl_debug: bool,
    /// `From<types::T>` for the enum that holds it.
    pub impl_from_type: bool,
    /// `TryFrom` (or `From`, where there is one constructor) of an enum for `types::T`.
    pub impl_from_enum: bool,
    /// serde's `Serialize` and `Deserialize` for everything but generic functions.
    pub impl_serde: bool,
    /// The table from id to TL name.
    pub name_for_id: bool,
    /// `Deserializable` for functions.
    pub deserializable_functions: bool,
}

/// The generated files, to be included by modules of the same names at the crate's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// A struct for each constructor.
    pub types: String,
    /// An enum for each type.
    pub enums: String,
    /// A struct for each method.
    pub functions: String,
    /// The constant `LAYER`, and the table of names if asked for.
    pub common: String,
    /// For `Debug`: what every id's value consists of. Empty if not asked for.
    pub debug: String,
    /// For tests: a function that decodes and encodes again, by id.
    pub roundtrip: String,
}

/// Generates the files.
///
/// # Errors
/// A definition that uses what is not defined, that has the id or the name of another one, or whose shape has no
/// counterpart.
pub fn generate(definitions: &[Definition], config: &Config) -> Result<Files, GenError> {
    let model = Model::new(definitions)?;
    let layout = Layout::new(&model)?;
    let writer = Writer {
        model: &model,
        layout: &layout,
        config,
    };
    Ok(Files {
        types: writer.modules(
            &model.structs,
            |s| (&s.namespace, &s.name),
            |out, s| writer.constructor(out, s),
        ),
        enums: writer.modules(
            &model.enums,
            |e| (&e.namespace, &e.name),
            |out, e| writer.an_enum(out, e),
        ),
        functions: writer.modules(
            &model.functions,
            |s| (&s.namespace, &s.name),
            |out, s| writer.function(out, s),
        ),
        common: tables::common(definitions, config),
        debug: writer.debug_table(),
        roundtrip: writer.roundtrip(),
    })
}

pub(crate) struct Writer<'a> {
    model: &'a Model<'a>,
    layout: &'a Layout,
    config: &'a Config,
}

/// Lines with an indentation.
pub(crate) struct Out {
    text: String,
    indent: usize,
}

/// What rustfmt allows a line, and the inside of a struct literal on one line.
const MAX_WIDTH: usize = 100;
const MAX_LITERAL: usize = 18;
/// The same for the arguments of a call, and for the inside of an array.
const MAX_ARGUMENTS: usize = 60;
const MAX_ARRAY: usize = 60;

impl Out {
    pub(crate) fn line(&mut self, line: &str) {
        if !line.is_empty() {
            for _ in 0..self.indent {
                self.text.push_str("    ");
            }
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    pub(crate) fn open(&mut self, line: &str) {
        self.line(line);
        self.indent += 1;
    }

    pub(crate) fn close(&mut self, line: &str) {
        self.indent -= 1;
        self.line(line);
    }

    /// `impl … for … {`, with the type on its own line if it must be.
    pub(crate) fn open_impl(&mut self, what: &str, of: &str) {
        let line = format!("{what} for {of} {{");
        if self.fits(line.len()) {
            self.open(&line);
        } else {
            self.line(what);
            self.line(&format!("    for {of}"));
            self.open("{");
        }
    }

    /// `fn name(parameter) -> result {`
    pub(crate) fn open_fn(&mut self, name: &str, parameter: &str, result: &str) {
        let line = format!("fn {name}({parameter}) -> {result} {{");
        if self.fits(line.len()) {
            self.open(&line);
        } else {
            self.line(&format!("fn {name}("));
            self.line(&format!("    {parameter},"));
            self.open(&format!(") -> {result} {{"));
        }
    }

    /// `pattern => value,`
    pub(crate) fn arm(&mut self, pattern: &str, value: &str) {
        let line = format!("{pattern} => {value},");
        if self.fits(line.len()) {
            self.line(&line);
        } else {
            self.open(&format!("{pattern} => {{"));
            self.line(value);
            self.close("}");
        }
    }

    /// `(a, b),`
    pub(crate) fn tuple(&mut self, parts: &[String]) {
        let inside = parts.join(", ");
        if inside.len() <= MAX_ARGUMENTS {
            self.line(&format!("({inside}),"));
        } else {
            self.open("(");
            for part in parts {
                self.line(&format!("{part},"));
            }
            self.close("),");
        }
    }

    /// Whether a line of this length stays within the width, here.
    pub(crate) fn fits(&self, len: usize) -> bool {
        self.indent * 4 + len <= MAX_WIDTH
    }
}

impl Writer<'_> {
    fn modules<T>(
        &self,
        list: &[T],
        key: impl Fn(&T) -> (&str, &str),
        write: impl Fn(&mut Out, &T),
    ) -> String {
        let mut out = Out {
            text: String::new(),
            indent: 0,
        };
        for (namespace, group) in Model::by_namespace(list, key) {
            let path: Vec<&str> = namespace
                .split("::")
                .filter(|part| !part.is_empty())
                .collect();
            for module in &path {
                if !out.text.is_empty() {
                    out.line("");
                }
                out.line("#[allow(missing_docs)]");
                out.open(&format!("pub mod {module} {{"));
            }
            for (n, index) in group.into_values().enumerate() {
                if n > 0 || (path.is_empty() && !out.text.is_empty()) {
                    out.line("");
                }
                write(&mut out, &list[index]);
            }
            for _ in &path {
                out.close("}");
            }
        }
        out.text
    }

    /// The attribute before a declaration. `Debug`, and `PartialEq` of what is large, are not derived: see
    /// [`by_bytes`](Self::by_bytes).
    fn derives(&self, out: &mut Out, generic: bool, large: bool) {
        let mut derives = vec!["Clone"];
        if self.config.impl_debug && generic {
            derives.push("Debug");
        }
        if generic || !large {
            derives.push("PartialEq");
        }
        if self.config.impl_serde && !generic {
            derives.extend(["serde::Serialize", "serde::Deserialize"]);
        }
        out.line(&format!("#[derive({})]", derives.join(", ")));
    }

    /// What the runtime does with the bytes of a value, so that the compiler has no code for each field to check.
    fn by_bytes(&self, out: &mut Out, name: &str, generic: bool, large: bool, debug: &str) {
        if generic {
            return;
        }
        if large {
            out.line("");
            out.open(&format!("impl PartialEq for {name} {{"));
            out.line("#[inline]");
            out.open("fn eq(&self, other: &Self) -> bool {");
            out.line("crate::rt::same(self, other)");
            out.close("}");
            out.close("}");
        }
        if self.config.impl_debug {
            out.line("");
            out.open(&format!("impl core::fmt::Debug for {name} {{"));
            out.line("#[inline]");
            out.open("fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {");
            out.line(&format!("crate::debug::{debug}"));
            out.close("}");
            out.close("}");
        }
    }

    fn struct_path(&self, index: usize) -> String {
        let s = &self.model.structs[index];
        path("types", &s.namespace, &s.name)
    }

    fn enum_path(&self, index: usize) -> String {
        let e = &self.model.enums[index];
        path("enums", &e.namespace, &e.name)
    }

    fn ty(&self, ty: &Ty) -> String {
        match ty {
            Ty::Int => "i32".to_owned(),
            Ty::Long => "i64".to_owned(),
            Ty::Double => "f64".to_owned(),
            Ty::Str => "String".to_owned(),
            Ty::Bytes => "Vec<u8>".to_owned(),
            Ty::Int128 => "[u8; 16]".to_owned(),
            Ty::Int256 => "[u8; 32]".to_owned(),
            Ty::Bool | Ty::True => "bool".to_owned(),
            Ty::Vector { item, .. } => format!("Vec<{}>", self.item(item)),
            Ty::Enum(e) => self.enum_path(*e),
            Ty::Struct(s) => self.struct_path(*s),
            Ty::Param(name) => name.clone(),
        }
    }

    /// A type as what it is read and written as: where fields say `Vec` for both vectors, here they differ, and bytes
    /// are not a vector of numbers.
    fn item(&self, ty: &Ty) -> String {
        match ty {
            Ty::Bytes => "Vec<u8>".to_owned(),
            Ty::Vector { boxed: false, item } => format!("crate::RawVec<{}>", self.item(item)),
            _ => self.ty(ty),
        }
    }
}

fn path(root: &str, namespace: &str, name: &str) -> String {
    let mut path = format!("crate::{root}::");
    if !namespace.is_empty() {
        path.push_str(namespace);
        path.push_str("::");
    }
    path + name
}

/// The definition as its documentation.
fn doc(out: &mut Out, def: &Definition) {
    let mut text = format!("/// `{}#{:08x}", def.full_name(), def.id);
    for p in &def.type_params {
        let _ = write!(text, " {{{}:{}}}", p.name, p.kind);
    }
    for p in &def.params {
        let _ = write!(text, " {p}");
    }
    let _ = write!(text, " = {}`", def.ty);
    out.line(&text);
}

fn is_function(def: &Definition) -> bool {
    def.category == Category::Function
}
