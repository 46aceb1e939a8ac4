//! `Debug` for everything generated, from a value's bytes and one table of what they consist of.
//!
//! Prints what `#[derive(Debug)]` would. A derived implementation for each of some three thousand types took the compiler
//! longer than all that reads and writes them.

use std::cell::RefCell;
use std::fmt::{Debug, Formatter, Result};

use crate::{Cursor, Serializable};

include!(concat!(env!("OUT_DIR"), "/debug.rs"));

/// A boxed value: `Variant(Struct { field: … })`.
pub(crate) fn boxed(f: &mut Formatter<'_>, value: &dyn Serializable) -> Result {
    let bytes = value.to_bytes();
    Value {
        code: "E",
        bytes: &RefCell::new(Cursor::new(&bytes)),
    }
    .fmt(f)
}

/// A bare value: `Struct { field: … }`.
pub(crate) fn bare(f: &mut Formatter<'_>, value: &dyn Serializable, id: u32) -> Result {
    let bytes = value.to_bytes();
    structure(f, &RefCell::new(Cursor::new(&bytes)), id)
}

/// A call, whose bytes begin with its id.
pub(crate) fn call(f: &mut Formatter<'_>, value: &dyn Serializable) -> Result {
    let bytes = value.to_bytes();
    let bytes = RefCell::new(Cursor::new(&bytes));
    let id = bytes.borrow_mut().u32();
    structure(f, &bytes, id)
}

type Shape = (u32, &'static str, &'static str, &'static str);

fn shape(id: u32) -> Option<&'static Shape> {
    SHAPES
        .binary_search_by_key(&id, |shape| shape.0)
        .ok()
        .and_then(|index| SHAPES.get(index))
}

fn structure(f: &mut Formatter<'_>, bytes: &RefCell<Cursor<'_>>, id: u32) -> Result {
    let Some((_, _, name, parts)) = shape(id) else {
        return write!(f, "#{id:08x}");
    };
    if !parts.contains(':') {
        for _ in parts.matches('#') {
            bytes.borrow_mut().u32();
        }
        return f.write_str(name);
    }
    let mut out = f.debug_struct(name);
    let mut words = Vec::new();
    for part in parts.split(' ') {
        let Some((field, code)) = part.split_once(':') else {
            words.push(bytes.borrow_mut().u32());
            continue;
        };
        match code.split_once('?') {
            None => out.field(field, &Value { code, bytes }),
            Some((flag, code)) => {
                let there = flag.split_once('.').is_some_and(|(word, bit)| {
                    let word = word.parse().ok().and_then(|n: usize| words.get(n)).copied();
                    let bit = bit.parse().ok().filter(|bit| *bit < 32);
                    word.zip(bit)
                        .is_some_and(|(word, bit)| crate::rt::has(word, bit))
                });
                match (code, there) {
                    ("t", _) => out.field(field, &there),
                    (_, true) => out.field(field, &Some(Value { code, bytes })),
                    (_, false) => out.field(field, &None::<()>),
                }
            }
        };
    }
    out.finish()
}

/// The next value of the bytes, of the type that `code` stands for. To be printed once.
struct Value<'a, 'b> {
    code: &'static str,
    bytes: &'a RefCell<Cursor<'b>>,
}

impl Debug for Value<'_, '_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let bytes = self.bytes;
        match self.code.as_bytes().first() {
            Some(b'i') => read(bytes, Cursor::i32).fmt(f),
            Some(b'l') => read(bytes, Cursor::i64).fmt(f),
            Some(b'd') => read(bytes, Cursor::f64).fmt(f),
            Some(b's') => read(bytes, Cursor::string).fmt(f),
            Some(b'b') => read(bytes, Cursor::bytes).fmt(f),
            Some(b'h') => read(bytes, Cursor::int128).fmt(f),
            Some(b'H') => read(bytes, Cursor::int256).fmt(f),
            Some(b'B') => read(bytes, Cursor::bool).fmt(f),
            Some(b'V') => {
                bytes.borrow_mut().u32();
                self.items(f)
            }
            Some(b'v') => self.items(f),
            Some(b'S') => {
                let id = self
                    .code
                    .get(1..)
                    .and_then(|id| u32::from_str_radix(id, 16).ok());
                structure(f, bytes, id.unwrap_or_default())
            }
            _ => {
                let id = bytes.borrow_mut().u32();
                match shape(id) {
                    Some((_, variant, _, "")) => f.write_str(variant),
                    Some((_, variant, _, parts)) if !parts.contains(':') => {
                        for _ in parts.matches('#') {
                            bytes.borrow_mut().u32();
                        }
                        f.write_str(variant)
                    }
                    Some((_, variant, ..)) => f
                        .debug_tuple(variant)
                        .field(&Structure { id, bytes })
                        .finish(),
                    None => write!(f, "#{id:08x}"),
                }
            }
        }
    }
}

impl Value<'_, '_> {
    fn items(&self, f: &mut Formatter<'_>) -> Result {
        let count = self.bytes.borrow_mut().u32();
        let code = self.code.get(1..).unwrap_or_default();
        let mut list = f.debug_list();
        for _ in 0..count {
            list.entry(&Value {
                code,
                bytes: self.bytes,
            });
        }
        list.finish()
    }
}

struct Structure<'a, 'b> {
    id: u32,
    bytes: &'a RefCell<Cursor<'b>>,
}

impl Debug for Structure<'_, '_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        structure(f, self.bytes, self.id)
    }
}

/// Borrows for the reading only, not for the printing.
fn read<'b, T>(bytes: &RefCell<Cursor<'b>>, read: impl Fn(&mut Cursor<'b>) -> T) -> T {
    read(&mut bytes.borrow_mut())
}
