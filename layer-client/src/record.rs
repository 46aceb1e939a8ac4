//! The bytes of what is kept on the disk: sessions, and checkpoints of transfers. They are those of
//! postcard's format, in which such files have been written from the first version on: the fields
//! one after the other without their names, whole numbers of seven bits a byte, low ones first.
//! `against_postcard` holds the two together; what a file says of itself around them (version,
//! checksum) is its owner's.
//!
//! What is read may be anybody's: it is refused or it is a value, and takes no more memory than the
//! values that really are there.

#[cfg(test)]
pub(crate) mod against_postcard;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use zeroize::Zeroizing;

/// What can be written.
pub(crate) trait Encode {
    /// Gives its bytes to `out` piece by piece: the same ones each time.
    fn encode(&self, out: &mut impl FnMut(&[u8]));
}

/// What can be read.
pub(crate) trait Decode: Sized {
    /// Takes a value from the front of `input`; `None` if there is none.
    fn decode(input: &mut &[u8]) -> Option<Self>;
}

/// A value's bytes, wiped when they are dropped. They are counted before they are written, for a
/// buffer that grows leaves behind what it held, and that may be an auth key.
pub(crate) fn to_bytes(value: &impl Encode) -> Zeroizing<Vec<u8>> {
    let mut len = 0;
    value.encode(&mut |piece| len += piece.len());
    let mut bytes = Zeroizing::new(Vec::with_capacity(len));
    value.encode(&mut |piece| bytes.extend_from_slice(piece));
    bytes
}

/// Makes records of structs and enums. A struct's fields and an enum's variants are listed in the
/// order of the bytes; one that is missing does not compile. `read` is for what is not written any
/// more.
macro_rules! record {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::record::Encode for $name {
            fn encode(&self, out: &mut impl FnMut(&[u8])) {
                let Self { $($field),+ } = self;
                $($crate::record::Encode::encode($field, out);)+
            }
        }

        $crate::record::record!(read $name { $($field),+ });
    };
    (read $name:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::record::Decode for $name {
            fn decode(input: &mut &[u8]) -> Option<Self> {
                // In this order, and not in that of the struct.
                Some(Self { $($field: $crate::record::Decode::decode(input)?),+ })
            }
        }

        #[cfg(test)]
        impl $crate::record::against_postcard::Any for $name {
            fn any(rng: &mut fastrand::Rng) -> Self {
                Self { $($field: $crate::record::against_postcard::Any::any(rng)),+ }
            }
        }
    };
    (enum $name:ident { $($number:literal => $variant:ident),+ $(,)? }) => {
        impl $crate::record::Encode for $name {
            fn encode(&self, out: &mut impl FnMut(&[u8])) {
                let number: u32 = match self { $(Self::$variant => $number),+ };
                number.encode(out);
            }
        }

        impl $crate::record::Decode for $name {
            fn decode(input: &mut &[u8]) -> Option<Self> {
                match <u32 as $crate::record::Decode>::decode(input)? {
                    $($number => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        #[cfg(test)]
        impl $crate::record::against_postcard::Any for $name {
            fn any(rng: &mut fastrand::Rng) -> Self {
                let all = [$(Self::$variant),+];
                all[rng.usize(..all.len())]
            }
        }
    };
}
pub(crate) use record;

/// The next `len` bytes.
pub(crate) fn take<'a>(input: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, rest) = input.split_at_checked(len)?;
    *input = rest;
    Some(taken)
}

/// How many items or bytes follow. It is what the input says, and nothing may be reserved by it.
pub(crate) fn length(input: &mut &[u8]) -> Option<usize> {
    u64::decode(input)?.try_into().ok()
}

fn write_varint(mut number: u64, out: &mut impl FnMut(&[u8])) {
    loop {
        let low = number.to_le_bytes()[0];
        number >>= 7;
        if number == 0 {
            return out(&[low]);
        }
        out(&[low | 0x80]);
    }
}

/// A number of at most `bits`. One that is longer than the longest such number needs to be, or that
/// has bits above, is none.
fn read_varint(input: &mut &[u8], bits: u32) -> Option<u64> {
    let mut number = 0;
    for shift in (0..bits).step_by(7) {
        let byte = u8::decode(input)?;
        let low = u64::from(byte & 0x7f);
        if bits - shift < 7 && low >> (bits - shift) != 0 {
            return None;
        }
        number |= low << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

macro_rules! unsigned {
    ($($type:ident)+) => {$(
        impl Encode for $type {
            fn encode(&self, out: &mut impl FnMut(&[u8])) {
                write_varint((*self).into(), out);
            }
        }

        impl Decode for $type {
            fn decode(input: &mut &[u8]) -> Option<Self> {
                read_varint(input, Self::BITS)?.try_into().ok()
            }
        }
    )+};
}
unsigned!(u16 u32 u64);

/// Signed numbers go as 0, -1, 1, -2, …, so that small ones are short.
macro_rules! signed {
    ($($type:ident as $unsigned:ident)+) => {$(
        impl Encode for $type {
            fn encode(&self, out: &mut impl FnMut(&[u8])) {
                ((self << 1) ^ (self >> (Self::BITS - 1))).cast_unsigned().encode(out);
            }
        }

        impl Decode for $type {
            fn decode(input: &mut &[u8]) -> Option<Self> {
                let number = $unsigned::decode(input)?;
                Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
            }
        }
    )+};
}
signed!(i32 as u32 i64 as u64);

/// One byte as it is, so that a list of them is the bytes behind their number.
impl Encode for u8 {
    fn encode(&self, out: &mut impl FnMut(&[u8])) {
        out(&[*self]);
    }
}

impl Decode for u8 {
    fn decode(input: &mut &[u8]) -> Option<Self> {
        let (byte, rest) = input.split_first()?;
        *input = rest;
        Some(*byte)
    }
}

impl Encode for bool {
    fn encode(&self, out: &mut impl FnMut(&[u8])) {
        out(&[u8::from(*self)]);
    }
}

impl Decode for bool {
    fn decode(input: &mut &[u8]) -> Option<Self> {
        match u8::decode(input)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

/// Bytes behind their number.
pub(crate) fn write_bytes(bytes: &[u8], out: &mut impl FnMut(&[u8])) {
    write_length(bytes.len(), out);
    out(bytes);
}

/// A `usize` has 64 bits at most.
fn write_length(len: usize, out: &mut impl FnMut(&[u8])) {
    write_varint(u64::try_from(len).unwrap_or(u64::MAX), out);
}

impl Encode for String {
    fn encode(&self, out: &mut impl FnMut(&[u8])) {
        write_bytes(self.as_bytes(), out);
    }
}

impl Decode for String {
    fn decode(input: &mut &[u8]) -> Option<Self> {
        let len = length(input)?;
        let text = str::from_utf8(take(input, len)?).ok()?;
        Some(text.to_owned())
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, out: &mut impl FnMut(&[u8])) {
        self.is_some().encode(out);
        if let Some(value) = self {
            value.encode(out);
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(input: &mut &[u8]) -> Option<Self> {
        Some(match bool::decode(input)? {
            true => Some(T::decode(input)?),
            false => None,
        })
    }
}

impl<A: Encode, B: Encode> Encode for (A, B) {
    fn encode(&self, out: &mut impl FnMut(&[u8])) {
        self.0.encode(out);
        self.1.encode(out);
    }
}

impl<A: Decode, B: Decode> Decode for (A, B) {
    fn decode(input: &mut &[u8]) -> Option<Self> {
        Some((A::decode(input)?, B::decode(input)?))
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, out: &mut impl FnMut(&[u8])) {
        write_length(self.len(), out);
        for item in self {
            item.encode(out);
        }
    }
}

/// Grows with the items that were read: that there will be as many as the input says is not believed.
impl<T: Decode> Decode for Vec<T> {
    fn decode(input: &mut &[u8]) -> Option<Self> {
        let mut items = Self::new();
        for _ in 0..length(input)? {
            items.push(T::decode(input)?);
        }
        Some(items)
    }
}

impl<K: Encode, V: Encode> Encode for BTreeMap<K, V> {
    fn encode(&self, out: &mut impl FnMut(&[u8])) {
        write_length(self.len(), out);
        for (key, value) in self {
            key.encode(out);
            value.encode(out);
        }
    }
}

impl<K: Decode + Ord, V: Decode> Decode for BTreeMap<K, V> {
    fn decode(input: &mut &[u8]) -> Option<Self> {
        let mut map = Self::new();
        for _ in 0..length(input)? {
            map.insert(K::decode(input)?, V::decode(input)?);
        }
        Some(map)
    }
}

/// 0 or 1 for the kind of the address, its bytes, the port.
impl Encode for SocketAddr {
    fn encode(&self, out: &mut impl FnMut(&[u8])) {
        match self {
            Self::V4(address) => {
                0u32.encode(out);
                out(&address.ip().octets());
            }
            Self::V6(address) => {
                1u32.encode(out);
                out(&address.ip().octets());
            }
        }
        self.port().encode(out);
    }
}

impl Decode for SocketAddr {
    fn decode(input: &mut &[u8]) -> Option<Self> {
        fn octets<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
            take(input, N)?.try_into().ok()
        }
        let ip = match u32::decode(input)? {
            0 => Ipv4Addr::from(octets::<4>(input)?).into(),
            1 => Ipv6Addr::from(octets::<16>(input)?).into(),
            _ => return None,
        };
        Some(Self::new(ip, u16::decode(input)?))
    }
}
