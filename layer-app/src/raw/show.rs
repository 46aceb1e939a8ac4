//! From the bytes of an answer to something to read.

use std::collections::HashMap;
use std::fmt::Write as _;

use layer_tl_parser::{Category, Definition, Flag, ParamKind, Type};

use super::{BOOL_FALSE, BOOL_TRUE, MAX_DEPTH, Result, Schema, VECTOR, is_true};

impl Schema {
    /// Reads the answer to a call and lays it out, a field a line.
    pub(crate) fn show(&self, bytes: &[u8], ty: &Type) -> Result<String> {
        let mut reader = Reader { bytes, position: 0 };
        let mut out = String::new();
        self.show_value(ty, &mut reader, &mut out, 0)?;
        if reader.position != bytes.len() {
            return Err(format!(
                "{} bytes are left over",
                bytes.len() - reader.position
            ));
        }
        Ok(out)
    }

    fn show_value(
        &self,
        ty: &Type,
        reader: &mut Reader<'_>,
        out: &mut String,
        depth: usize,
    ) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err("nested too deeply".into());
        }
        match ty.full_name().as_str() {
            "int" => drop(write!(out, "{}", reader.int()?.cast_signed())),
            "long" => drop(write!(out, "{}", reader.long()?.cast_signed())),
            "double" => drop(write!(out, "{}", f64::from_bits(reader.long()?))),
            "string" => drop(write!(
                out,
                "{:?}",
                String::from_utf8_lossy(reader.string()?)
            )),
            "bytes" => show_bytes(out, reader.string()?),
            "int128" => show_bytes(out, reader.take(16)?),
            "int256" => show_bytes(out, reader.take(32)?),
            "#" => drop(write!(out, "{:#b}", reader.int()?)),
            "Bool" => out.push_str(match reader.int()? {
                BOOL_TRUE => "true",
                BOOL_FALSE => "false",
                id => return Err(format!("expected a Bool, found {id:#010x}")),
            }),
            "Vector" | "vector" => {
                let [inner] = &ty.args[..] else {
                    return Err("a vector of unknown elements".into());
                };
                if !ty.bare {
                    let id = reader.int()?;
                    if id != VECTOR {
                        return Err(format!("expected a Vector, found {id:#010x}"));
                    }
                }
                let count = reader.int()?;
                if count == 0 {
                    out.push_str("[]");
                    return Ok(());
                }
                out.push_str("[\n");
                for _ in 0..count {
                    indent(out, depth + 1);
                    self.show_value(inner, reader, out, depth + 1)?;
                    out.push('\n');
                }
                indent(out, depth);
                out.push(']');
            }
            name => {
                let definition = if ty.bare {
                    self.constructors
                        .get(name)
                        .map(|index| &self.definitions[*index])
                } else {
                    let id = reader.int()?;
                    self.by_id
                        .get(&id)
                        .map(|index| &self.definitions[*index])
                        .filter(|d| d.category == Category::Type && d.ty.full_name() == name)
                };
                let definition = definition
                    .ok_or_else(|| format!("expected {name}, found no such constructor"))?;
                self.show_fields(definition, reader, out, depth)?;
            }
        }
        Ok(())
    }

    fn show_fields(
        &self,
        definition: &Definition,
        reader: &mut Reader<'_>,
        out: &mut String,
        depth: usize,
    ) -> Result<()> {
        out.push_str(&definition.full_name());
        let mut words: HashMap<&str, u32> = HashMap::new();
        for param in &definition.params {
            let name = param.name.as_deref().unwrap_or_default();
            match &param.kind {
                ParamKind::Flags => drop(words.insert(name, reader.int()?)),
                ParamKind::Value { flag, ty } => {
                    if !flag.as_ref().is_none_or(|flag| is_set(&words, flag)) {
                        continue;
                    }
                    out.push('\n');
                    indent(out, depth + 1);
                    let _ = write!(out, "{name}: ");
                    if is_true(ty) {
                        out.push_str("true");
                    } else {
                        self.show_value(ty, reader, out, depth + 1)?;
                    }
                }
                ParamKind::Repeat { .. } => return Err(format!("cannot be shown: {definition}")),
            }
        }
        Ok(())
    }
}

fn is_set(words: &HashMap<&str, u32>, flag: &Flag) -> bool {
    words
        .get(flag.name.as_str())
        .is_some_and(|word| word >> flag.bit & 1 == 1)
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

fn show_bytes(out: &mut String, bytes: &[u8]) {
    const SHOWN: usize = 32;
    out.push_str("0x");
    for byte in bytes.iter().take(SHOWN) {
        let _ = write!(out, "{byte:02x}");
    }
    if bytes.len() > SHOWN {
        let _ = write!(out, "… ({} bytes)", bytes.len());
    }
}

/// A place in the answer.
struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let end = self
            .position
            .checked_add(count)
            .filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| format!("the answer ends after {} bytes", self.bytes.len()))?;
        let taken = &self.bytes[self.position..end];
        self.position = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn int(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn long(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn string(&mut self) -> Result<&'a [u8]> {
        let [first] = self.array()?;
        let (header, length) = if first == 254 {
            let [a, b, c] = self.array()?;
            (
                4,
                usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16,
            )
        } else {
            (1, usize::from(first))
        };
        let value = self.take(length)?;
        self.take((header + length).next_multiple_of(4) - header - length)?;
        Ok(value)
    }
}
