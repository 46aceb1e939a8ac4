//! Values to bytes.

use crate::rt;

/// What has an id of its own: constructors and methods.
pub trait Identifiable {
    /// The id, as it goes over the wire in front of a boxed value or a call.
    const CONSTRUCTOR_ID: u32;
}

/// What can be written.
pub trait Serializable {
    /// Appends the value's bytes.
    fn serialize(&self, buf: &mut Vec<u8>);

    /// The value's bytes.
    fn to_bytes(&self) -> Vec<u8> {
        let mut buf = Vec::new();
        self.serialize(&mut buf);
        buf
    }
}

/// What can be called on the other side.
pub trait RemoteCall: Serializable {
    /// What the other side answers.
    type Return: crate::Deserializable;
}

impl Serializable for bool {
    fn serialize(&self, buf: &mut Vec<u8>) {
        rt::put_bool(buf, *self);
    }
}

impl Serializable for i32 {
    fn serialize(&self, buf: &mut Vec<u8>) {
        rt::put_i32(buf, *self);
    }
}

impl Serializable for u32 {
    fn serialize(&self, buf: &mut Vec<u8>) {
        rt::put_u32(buf, *self);
    }
}

impl Serializable for i64 {
    fn serialize(&self, buf: &mut Vec<u8>) {
        rt::put_i64(buf, *self);
    }
}

impl Serializable for f64 {
    fn serialize(&self, buf: &mut Vec<u8>) {
        rt::put_f64(buf, *self);
    }
}

impl Serializable for [u8; 16] {
    fn serialize(&self, buf: &mut Vec<u8>) {
        buf.extend_from_slice(self);
    }
}

impl Serializable for [u8; 32] {
    fn serialize(&self, buf: &mut Vec<u8>) {
        buf.extend_from_slice(self);
    }
}

impl Serializable for str {
    fn serialize(&self, buf: &mut Vec<u8>) {
        rt::put_bytes(buf, self.as_bytes());
    }
}

impl Serializable for String {
    fn serialize(&self, buf: &mut Vec<u8>) {
        rt::put_bytes(buf, self.as_bytes());
    }
}

/// `bytes`
impl Serializable for [u8] {
    fn serialize(&self, buf: &mut Vec<u8>) {
        rt::put_bytes(buf, self);
    }
}

/// `bytes`
impl Serializable for Vec<u8> {
    fn serialize(&self, buf: &mut Vec<u8>) {
        rt::put_bytes(buf, self);
    }
}

/// `Vector<T>`
impl<T: Serializable> Serializable for Vec<T> {
    fn serialize(&self, buf: &mut Vec<u8>) {
        rt::put_items(buf, true, self);
    }
}

impl<T: Serializable> Serializable for Box<T> {
    fn serialize(&self, buf: &mut Vec<u8>) {
        T::serialize(self, buf);
    }
}
