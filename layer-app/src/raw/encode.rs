//! From what was typed to the bytes of a call.

use std::collections::HashMap;

use layer_tl_parser::{Category, Definition, Param, ParamKind, Type};

use super::text::Text;
use super::{BOOL_FALSE, BOOL_TRUE, Call, MAX_DEPTH, Result, Schema, VECTOR, is_true};

impl Schema {
    /// Turns `help.getConfig` or `method name:value …` into the bytes of the call.
    pub(crate) fn encode(&self, text: &str, random_id: i64) -> Result<Call> {
        let mut text = Text {
            rest: text,
            random_id,
        };
        let name = text.name()?;
        let definition = self
            .functions
            .get(name)
            .map(|index| &self.definitions[*index])
            .ok_or_else(|| self.no_such_method(name))?;
        let mut body = definition.id.to_le_bytes().to_vec();
        self.arguments(definition, &mut text, &mut body, 0)?;
        if !text.rest.trim().is_empty() {
            return Err(format!(
                "'{}' is left over after the call",
                text.rest.trim()
            ));
        }
        Ok(Call {
            body,
            returns: definition.ty.clone(),
        })
    }

    fn no_such_method(&self, name: &str) -> String {
        let wanted = name.to_lowercase();
        let mut near: Vec<&String> = self
            .functions
            .keys()
            .filter(|known| known.to_lowercase().contains(&wanted))
            .collect();
        near.sort_unstable();
        near.truncate(5);
        if near.is_empty() {
            return format!("the schema has no method '{name}'");
        }
        let near: Vec<&str> = near.into_iter().map(String::as_str).collect();
        format!(
            "the schema has no method '{name}'; it has {}",
            near.join(", ")
        )
    }

    fn arguments(
        &self,
        definition: &Definition,
        text: &mut Text<'_>,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result<()> {
        // First every `name:value` as it was typed, then in the order of the wire.
        let mut given: HashMap<&str, Vec<u8>> = HashMap::new();
        while let Some(name) = text.argument_name()? {
            let (key, ty) = definition
                .params
                .iter()
                .find_map(|param| match (&param.name, &param.kind) {
                    (Some(known), ParamKind::Value { ty, .. }) if known == name => {
                        Some((known.as_str(), ty))
                    }
                    _ => None,
                })
                .ok_or_else(|| format!("no parameter '{name}' in: {definition}"))?;
            let mut value = Vec::new();
            self.value(ty, text, &mut value, depth + 1)?;
            if given.insert(key, value).is_some() {
                return Err(format!("'{name}' is given twice"));
            }
        }
        let flag_of = |param: &Param, word: &str| match (&param.name, &param.kind) {
            (
                Some(name),
                ParamKind::Value {
                    flag: Some(flag),
                    ty,
                },
            ) if flag.name == word => {
                let set = match given.get(name.as_str()) {
                    Some(value) if is_true(ty) => value != &BOOL_FALSE.to_le_bytes(),
                    given => given.is_some(),
                };
                u32::from(set) << flag.bit
            }
            _ => 0,
        };
        for param in &definition.params {
            let name = param.name.as_deref().unwrap_or_default();
            match &param.kind {
                ParamKind::Flags => {
                    let flags = definition
                        .params
                        .iter()
                        .fold(0, |bits, other| bits | flag_of(other, name));
                    out.extend(flags.to_le_bytes());
                }
                ParamKind::Value { flag: Some(_), ty } => {
                    if let Some(value) = given.get(name).filter(|_| !is_true(ty)) {
                        out.extend(value);
                    }
                }
                ParamKind::Value { flag: None, .. } => match given.get(name) {
                    Some(value) => out.extend(value),
                    None if name == "random_id" => out.extend(text.random_id.to_le_bytes()),
                    None => return Err(format!("'{name}' is missing in: {definition}")),
                },
                ParamKind::Repeat { .. } => return Err(format!("cannot be typed: {definition}")),
            }
        }
        Ok(())
    }

    fn value(&self, ty: &Type, text: &mut Text<'_>, out: &mut Vec<u8>, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err("nested too deeply".into());
        }
        if ty.call {
            return Err("a call within a call cannot be typed here".into());
        }
        let name = ty.full_name();
        match name.as_str() {
            "int" => out.extend(text.number::<i32>("a 32-bit number")?.to_le_bytes()),
            "long" => out.extend(text.number::<i64>("a 64-bit number")?.to_le_bytes()),
            "double" => out.extend(text.number::<f64>("a number")?.to_le_bytes()),
            "string" | "bytes" => write_bytes(out, &text.bytes()?),
            "int128" | "int256" => {
                let size = if name == "int128" { 16 } else { 32 };
                let value = text.bytes()?;
                if value.len() != size {
                    return Err(format!(
                        "{name} takes {size} bytes, {} were given",
                        value.len()
                    ));
                }
                out.extend(value);
            }
            "true" | "Bool" => {
                let id = match text.name()? {
                    "true" => BOOL_TRUE,
                    "false" => BOOL_FALSE,
                    other => return Err(format!("'{other}' is neither true nor false")),
                };
                out.extend(id.to_le_bytes());
            }
            "Vector" | "vector" => {
                let [inner] = &ty.args[..] else {
                    return Err("a vector needs the type of its elements".into());
                };
                let mut items = Vec::new();
                let mut count = 0_u32;
                text.expect('[')?;
                while !text.take(']') {
                    self.value(inner, text, &mut items, depth + 1)?;
                    count += 1;
                    if !text.take(',') {
                        text.expect(']')?;
                        break;
                    }
                }
                if !ty.bare {
                    out.extend(VECTOR.to_le_bytes());
                }
                out.extend(count.to_le_bytes());
                out.extend(items);
            }
            _ => {
                let parenthesised = text.take('(');
                let constructor = text.name()?;
                let definition = self
                    .constructors
                    .get(constructor)
                    .map(|index| &self.definitions[*index])
                    .filter(|definition| definition.ty.full_name() == name || ty.bare)
                    .ok_or_else(|| self.no_such_constructor(constructor, &name))?;
                if !ty.bare {
                    out.extend(definition.id.to_le_bytes());
                }
                if parenthesised {
                    self.arguments(definition, text, out, depth + 1)?;
                    text.expect(')')?;
                } else if let Some(param) = definition
                    .params
                    .iter()
                    .find(|param| matches!(param.kind, ParamKind::Value { flag: None, .. }))
                {
                    return Err(format!(
                        "{constructor} has parameters: write it in parentheses, e.g. ({constructor} {}:…)",
                        param.name.as_deref().unwrap_or_default()
                    ));
                } else {
                    let mut nothing = Text {
                        rest: "",
                        random_id: 0,
                    };
                    self.arguments(definition, &mut nothing, out, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    fn no_such_constructor(&self, constructor: &str, ty: &str) -> String {
        let mut known: Vec<String> = self
            .definitions
            .iter()
            .filter(|d| d.category == Category::Type && d.ty.full_name() == ty)
            .map(Definition::full_name)
            .collect();
        known.truncate(6);
        format!(
            "'{constructor}' is no {ty}; one is, for example, {}",
            known.join(", ")
        )
    }
}

fn write_bytes(out: &mut Vec<u8>, value: &[u8]) {
    layer_client::tl::Serializable::serialize(value, out);
}
