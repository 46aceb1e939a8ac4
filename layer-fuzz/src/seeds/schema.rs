//! Seeds from the vendored schemas: their text in pieces, and a value of each definition.

use std::collections::HashMap;

use layer_tl_parser::{Category, Definition, IdCheck, ParamKind, Type, parse_with};

use crate::values::index_of;
use crate::wire::Tl;

const API: &str = include_str!("../../../layer-tl-types/tl/api.tl");
const MTPROTO: &str = include_str!("../../../layer-tl-types/tl/mtproto.tl");

/// The schemas' text, some lines at a time.
pub(super) fn texts() -> Vec<Vec<u8>> {
    let lines: Vec<&str> = MTPROTO.lines().chain(API.lines().step_by(7)).collect();
    lines
        .chunks(6)
        .map(|lines| lines.join("\n").into_bytes())
        .collect()
}

fn definitions() -> Vec<Definition> {
    [API, MTPROTO]
        .iter()
        .flat_map(|text| parse_with(text, IdCheck::AsWritten).unwrap_or_default())
        .collect()
}

/// Every id there is, sorted.
pub(super) fn ids() -> Vec<u32> {
    let mut ids: Vec<u32> = definitions()
        .iter()
        .map(|definition| definition.id)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Two values of each definition: with no flag set, and with all of them.
pub(super) fn values() -> Vec<Vec<u8>> {
    let definitions = definitions();
    let schema = Schema::new(&definitions);
    let mut values = Vec::new();
    for definition in &definitions {
        let Some(index) = index_of(definition.id) else {
            continue;
        };
        for all in [false, true] {
            let mut value = Tl(index.to_vec());
            schema.params(definition, all, 0, &mut value);
            values.push(value.0);
        }
    }
    values.sort();
    values.dedup();
    values
}

/// Scripts of two calls of a method each, with no flag set and with all of them; peers are those of the target's world.
pub(super) fn calls() -> Vec<Vec<u8>> {
    let definitions = definitions();
    let mut schema = Schema::new(&definitions);
    schema.long = [b'B'; 8];
    schema.peer = Tl::new(0xdde8_a54c).raw(&[b'A'; 8]).raw(&[b'B'; 8]).0;
    let methods = definitions
        .iter()
        .filter(|d| d.category == Category::Function);
    let scripts = methods.filter_map(|definition| {
        let mut script = Vec::new();
        for all in [false, true] {
            let mut value = Tl(Vec::new());
            schema.params(definition, all, 0, &mut value);
            script.push(0);
            script.extend_from_slice(&index_of(definition.id)?);
            let len = u16::try_from(value.0.len()).ok()?;
            script.push(255);
            script.extend_from_slice(&len.to_le_bytes());
            script.extend_from_slice(&value.0);
        }
        Some(script)
    });
    scripts.collect()
}

struct Schema<'a> {
    /// What a `long` is.
    long: [u8; 8],
    /// What an `InputPeer` is, if not the shortest there is.
    peer: Vec<u8>,
    by_type: HashMap<String, Vec<&'a Definition>>,
    by_name: HashMap<String, &'a Definition>,
}

impl<'a> Schema<'a> {
    fn new(definitions: &'a [Definition]) -> Self {
        let mut schema = Self {
            long: [4; 8],
            peer: Vec::new(),
            by_type: HashMap::new(),
            by_name: HashMap::new(),
        };
        for definition in definitions.iter().filter(|d| d.category == Category::Type) {
            let of_type = schema.by_type.entry(definition.ty.full_name()).or_default();
            of_type.push(definition);
            schema.by_name.insert(definition.full_name(), definition);
        }
        schema
    }

    fn params(&self, definition: &Definition, all: bool, depth: u8, out: &mut Tl) {
        for param in &definition.params {
            match &param.kind {
                ParamKind::Flags => {
                    let bits = definition
                        .params
                        .iter()
                        .filter_map(|other| match &other.kind {
                            ParamKind::Value {
                                flag: Some(flag), ..
                            } if all && Some(&flag.name) == param.name.as_ref() => {
                                Some(1_u32 << flag.bit)
                            }
                            _ => None,
                        });
                    let word = bits.fold(0, |word, bit| word | bit);
                    out.0.extend_from_slice(&word.to_le_bytes());
                }
                ParamKind::Value { flag, ty } => {
                    if flag.is_none() || all && ty.name != "true" {
                        self.value(ty, depth, out);
                    }
                }
                ParamKind::Repeat { .. } => {}
            }
        }
    }

    fn value(&self, ty: &Type, depth: u8, out: &mut Tl) {
        let name = ty.full_name();
        let fixed: &[u8] = match name.as_str() {
            _ if ty.call => &[1; 8],
            "int" => &[3; 4],
            "long" | "double" => &self.long,
            "InputPeer" => &self.peer,
            "int128" => &[5; 16],
            "int256" => &[6; 32],
            "Bool" => &0x9972_75b5_u32.to_le_bytes(),
            "string" | "bytes" => &[3, b'a', b'b', b'c'],
            _ => &[],
        };
        if !fixed.is_empty() {
            out.0.extend_from_slice(fixed);
        } else if name.eq_ignore_ascii_case("vector") {
            if name == "Vector" {
                out.0.extend_from_slice(&0x1cb5_c415_u32.to_le_bytes());
            }
            let count = u32::from(depth < 2);
            out.0.extend_from_slice(&count.to_le_bytes());
            if let (1, Some(item)) = (count, ty.args.first()) {
                self.value(item, depth + 1, out);
            }
        } else if depth > 12 {
            // Nothing of the kind is shallow enough: let the fuzzer find another.
        } else if ty.bare {
            if let Some(definition) = self.by_name.get(&name) {
                self.params(definition, false, depth + 1, out);
            }
        } else if let Some(shortest) = self.by_type.get(&name).and_then(|all| {
            let long = |d: &&&Definition| d.params.len();
            all.iter().min_by_key(long)
        }) {
            out.0.extend_from_slice(&shortest.id.to_le_bytes());
            self.params(shortest, false, depth + 1, out);
        }
    }
}
