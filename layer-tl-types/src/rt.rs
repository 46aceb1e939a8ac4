//! What generated code calls: one concrete function for each thing that is written, so that it is compiled once.

pub(crate) use crate::cursor::has;
use crate::{Cursor, Serializable};

/// What generated code implements in place of [`Deserializable`](crate::Deserializable), which follows from it: gives a
/// value in any case, and leaves the error in the cursor. See the end of `cursor.rs`.
#[doc(hidden)]
pub trait Decode: Sized {
    fn decode(buf: &mut Cursor<'_>) -> Self;
}

/// The id of a boxed vector.
pub(crate) const VECTOR: u32 = 0x1cb5_c415;
pub(crate) const BOOL_TRUE: u32 = 0x9972_75b5;
pub(crate) const BOOL_FALSE: u32 = 0xbc79_9737;

pub(crate) fn put_u32(buf: &mut Vec<u8>, x: u32) {
    buf.extend_from_slice(&x.to_le_bytes());
}

pub(crate) fn put_i32(buf: &mut Vec<u8>, x: i32) {
    buf.extend_from_slice(&x.to_le_bytes());
}

pub(crate) fn put_i64(buf: &mut Vec<u8>, x: i64) {
    buf.extend_from_slice(&x.to_le_bytes());
}

pub(crate) fn put_f64(buf: &mut Vec<u8>, x: f64) {
    buf.extend_from_slice(&x.to_le_bytes());
}

pub(crate) fn put_bool(buf: &mut Vec<u8>, x: bool) {
    put_u32(buf, if x { BOOL_TRUE } else { BOOL_FALSE });
}

pub(crate) fn put_str(buf: &mut Vec<u8>, x: &str) {
    put_bytes(buf, x.as_bytes());
}

/// The length in one byte, or in three after 254; the bytes; zeroes up to a multiple of 4.
///
/// A length that three bytes cannot say (16 MiB) is cut there: Telegram takes no such value anywhere.
pub(crate) fn put_bytes(buf: &mut Vec<u8>, x: &[u8]) {
    const MAX: usize = 0xff_ffff;
    let x = x.get(..MAX).unwrap_or(x);
    let [a, b, c, ..] = x.len().to_le_bytes();
    // Room for all of it at once: what is appended then is a matter of a few instructions.
    buf.reserve(x.len() + 8);
    if x.len() < 254 {
        buf.push(a);
        buf.extend_from_slice(x);
        match x.len() % 4 {
            0 => buf.extend_from_slice(&[0; 3]),
            1 => buf.extend_from_slice(&[0; 2]),
            2 => buf.push(0),
            _ => {}
        }
    } else {
        buf.extend_from_slice(&[254, a, b, c]);
        buf.extend_from_slice(x);
        buf.resize(buf.len() + x.len().wrapping_neg() % 4, 0);
    }
}

pub(crate) fn put_raw(buf: &mut Vec<u8>, x: &[u8]) {
    buf.extend_from_slice(x);
}

/// The head of a vector. One of more than 2^32 - 1 items would take more memory than there is.
fn put_head(buf: &mut Vec<u8>, boxed: bool, len: usize) {
    if boxed {
        put_u32(buf, VECTOR);
    }
    put_u32(buf, u32::try_from(len).unwrap_or(u32::MAX));
}

/// `Vector<T>`, or without its id `vector<T>`. By patterns, as an iterator is several functions more for each type.
pub(crate) fn put_items<T: Serializable>(buf: &mut Vec<u8>, boxed: bool, mut items: &[T]) {
    put_head(buf, boxed, items.len());
    while let [item, rest @ ..] = items {
        item.serialize(buf);
        items = rest;
    }
}

pub(crate) fn put_opt_i32(buf: &mut Vec<u8>, x: &Option<i32>) {
    if let Some(x) = x {
        put_i32(buf, *x);
    }
}

pub(crate) fn put_opt_i64(buf: &mut Vec<u8>, x: &Option<i64>) {
    if let Some(x) = x {
        put_i64(buf, *x);
    }
}

pub(crate) fn put_opt_f64(buf: &mut Vec<u8>, x: &Option<f64>) {
    if let Some(x) = x {
        put_f64(buf, *x);
    }
}

pub(crate) fn put_opt_bool(buf: &mut Vec<u8>, x: &Option<bool>) {
    if let Some(x) = x {
        put_bool(buf, *x);
    }
}

pub(crate) fn put_opt_str(buf: &mut Vec<u8>, x: &Option<String>) {
    if let Some(x) = x {
        put_str(buf, x);
    }
}

pub(crate) fn put_opt_bytes(buf: &mut Vec<u8>, x: &Option<Vec<u8>>) {
    if let Some(x) = x {
        put_bytes(buf, x);
    }
}

pub(crate) fn put_opt_items<T: Serializable>(buf: &mut Vec<u8>, boxed: bool, x: &Option<Vec<T>>) {
    if let Some(x) = x {
        put_items(buf, boxed, x);
    }
}

pub(crate) fn put_opt<T: Serializable>(buf: &mut Vec<u8>, x: &Option<T>) {
    if let Some(x) = x {
        x.serialize(buf);
    }
}

/// For a field that shares its bit with others: sent when they are, empty if it is missing.
pub(crate) fn put_or_empty<T: Serializable + Default>(
    buf: &mut Vec<u8>,
    sent: bool,
    x: &Option<T>,
) {
    match x {
        Some(x) if sent => x.serialize(buf),
        None if sent => T::default().serialize(buf),
        _ => {}
    }
}

/// The same for what has no empty form.
pub(crate) fn put_if<T: Serializable>(buf: &mut Vec<u8>, sent: bool, x: &Option<T>) {
    if let Some(x) = x
        && sent
    {
        x.serialize(buf);
    }
}

pub(crate) fn any(there: &[bool]) -> bool {
    there.contains(&true)
}

pub(crate) fn all(there: &[bool]) -> bool {
    !there.contains(&false)
}

/// A flag word from its bits.
pub(crate) fn put_flags(buf: &mut Vec<u8>, bits: &[(bool, u32)]) {
    put_u32(
        buf,
        bits.iter()
            .fold(0, |word, (set, bit)| word | u32::from(*set) << bit),
    );
}

/// Whether two values have the same bytes.
pub(crate) fn same(a: &dyn Serializable, b: &dyn Serializable) -> bool {
    a.to_bytes() == b.to_bytes()
}
