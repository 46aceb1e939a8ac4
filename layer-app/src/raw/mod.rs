//! Any method of the API, typed by hand: `messages.getHistory peer:inputPeerSelf limit:5`.
//!
//! The schema itself says how a call is written and how its result is read, so this knows no method
//! by name. Values: `12`, `1.5`, `"text"`, `0xdeadbeef` (bytes), `true`, `[a, b]`, a constructor
//! without parameters by its name, and one with parameters in parentheses.

mod encode;
mod show;
#[cfg(test)]
mod tests;
mod text;

use std::collections::HashMap;

use layer_tl_parser::{Category, Definition, ParamKind, Type};

/// The schema that layer-tl-types is generated from.
const API: &str = include_str!("../../../layer-tl-types/tl/api.tl");
const VECTOR: u32 = 0x1cb5_c415;
const BOOL_TRUE: u32 = 0x9972_75b5;
const BOOL_FALSE: u32 = 0xbc79_9737;
const MAX_DEPTH: usize = 32;

type Result<T> = std::result::Result<T, String>;

/// Definitions by name and by id.
pub(crate) struct Schema {
    definitions: Vec<Definition>,
    by_id: HashMap<u32, usize>,
    functions: HashMap<String, usize>,
    constructors: HashMap<String, usize>,
}

/// A call ready to be sent, and what its answer is to be read as.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) body: Vec<u8>,
    pub(crate) returns: Type,
}

impl Schema {
    /// Parses the vendored schema.
    pub(crate) fn load() -> Result<Self> {
        let definitions = layer_tl_parser::parse(API).map_err(|error| format!("api.tl:{error}"))?;
        let mut schema = Self {
            by_id: HashMap::new(),
            functions: HashMap::new(),
            constructors: HashMap::new(),
            definitions,
        };
        for (index, definition) in schema.definitions.iter().enumerate() {
            schema.by_id.insert(definition.id, index);
            let names = match definition.category {
                Category::Type => &mut schema.constructors,
                Category::Function => &mut schema.functions,
            };
            names.insert(definition.full_name(), index);
        }
        Ok(schema)
    }

    /// Methods whose name begins with `prefix`, for completion.
    pub(crate) fn methods(&self, prefix: &str) -> Vec<String> {
        let mut names: Vec<String> = self
            .functions
            .keys()
            .filter(|name| name.starts_with(prefix))
            .cloned()
            .collect();
        names.sort_unstable();
        names
    }

    /// What a method may be given, by name, as far as a person has to.
    pub(crate) fn parameters(&self, method: &str) -> Vec<&str> {
        let definition = self.functions.get(method);
        let parameters = definition.map(|index| &self.definitions[*index].params);
        parameters
            .into_iter()
            .flatten()
            .filter(|param| matches!(param.kind, ParamKind::Value { .. }))
            .filter_map(|param| param.name.as_deref())
            .collect()
    }
}

fn is_true(ty: &Type) -> bool {
    ty.name == "true" && ty.namespace.is_empty()
}
