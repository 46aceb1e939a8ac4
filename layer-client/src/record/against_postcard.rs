//! The proof that our bytes are postcard's: values made up by a seed are written by both, and what
//! one wrote, whole, cut or damaged, is read by both, which must refuse it or find the same.
//! A failure prints its seed.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::SocketAddr;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Decode, Encode, to_bytes};

/// What can be made up.
pub(crate) trait Any {
    fn any(rng: &mut fastrand::Rng) -> Self;
}

/// Both write the same, and read the same.
pub(crate) fn agree<T>(seeds: u64)
where
    T: Any + Encode + Decode + Serialize + DeserializeOwned + PartialEq + Debug,
{
    for seed in 0..seeds {
        let value = T::any(&mut fastrand::Rng::with_seed(seed));
        let bytes = to_bytes(&value);
        assert_eq!(*bytes, postcard::to_stdvec(&value).unwrap(), "seed {seed}");
        // Sized before it was written: nothing was left behind by growing.
        assert_eq!(bytes.capacity(), bytes.len(), "seed {seed}");
    }
    agree_in_reading::<T>(seeds);
}

/// Both read the same.
pub(crate) fn agree_in_reading<T>(seeds: u64)
where
    T: Any + Decode + Serialize + DeserializeOwned + PartialEq + Debug,
{
    let mut damaged_but_read = 0;
    for seed in 0..seeds {
        let mut rng = fastrand::Rng::with_seed(seed);
        let value = T::any(&mut rng);
        let good = postcard::to_stdvec(&value).unwrap();
        assert_eq!(
            read::<T>(&good, seed),
            Some((value, &[][..])),
            "seed {seed}"
        );
        for _ in 0..20 {
            let bad = damaged(&good, &mut rng);
            damaged_but_read += u64::from(read::<T>(&bad, seed).is_some());
        }
    }
    // Damage that is always refused would not compare what is read.
    assert!(damaged_but_read > 0);
}

/// What both read at the front of `bytes`, and what is left.
fn read<T: Decode + DeserializeOwned + PartialEq + Debug>(
    bytes: &[u8],
    seed: u64,
) -> Option<(T, &[u8])> {
    let mut rest = bytes;
    let ours = T::decode(&mut rest).map(|value| (value, rest));
    let postcards = postcard::take_from_bytes::<T>(bytes).ok();
    assert_eq!(ours, postcards, "seed {seed}, bytes {bytes:02x?}");
    ours
}

fn damaged(good: &[u8], rng: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..rng.usize(1..3) {
        // What numbers, tags and lengths end or go on with.
        let byte = [0, 1, 2, 3, 4, 15, 16, 0x7f, 0x80, 0xff, rng.u8(..)][rng.usize(..11)];
        let at = rng.usize(..=bytes.len());
        match rng.u8(..5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, byte),
            2 if at < bytes.len() => _ = bytes.remove(at),
            // A number that goes on and on.
            3 => _ = bytes.splice(at..at, [byte | 0x80; 11].into_iter().take(rng.usize(1..12))),
            _ if at < bytes.len() => bytes[at] = byte,
            _ => bytes.push(byte),
        }
    }
    bytes
}

macro_rules! numbers {
    ($($type:ident)+) => {$(
        impl Any for $type {
            /// Of any length, so that each number of bytes is seen.
            fn any(rng: &mut fastrand::Rng) -> Self {
                rng.$type(..) >> rng.u32(..Self::BITS)
            }
        }
    )+};
}
numbers!(u8 u16 u32 u64 i32 i64);

impl Any for bool {
    fn any(rng: &mut fastrand::Rng) -> Self {
        rng.bool()
    }
}

impl Any for String {
    fn any(rng: &mut fastrand::Rng) -> Self {
        let len = rng.usize(..4);
        let mut char = || {
            if rng.bool() {
                rng.alphabetic()
            } else {
                rng.char(..)
            }
        };
        (0..len).map(|_| char()).collect()
    }
}

impl Any for SocketAddr {
    fn any(rng: &mut fastrand::Rng) -> Self {
        if rng.bool() {
            (rng.u32(..).to_be_bytes(), u16::any(rng)).into()
        } else {
            (rng.u128(..).to_be_bytes(), u16::any(rng)).into()
        }
    }
}

impl<T: Any> Any for Option<T> {
    fn any(rng: &mut fastrand::Rng) -> Self {
        rng.bool().then(|| T::any(rng))
    }
}

impl<A: Any, B: Any> Any for (A, B) {
    fn any(rng: &mut fastrand::Rng) -> Self {
        (A::any(rng), B::any(rng))
    }
}

impl<T: Any> Any for Vec<T> {
    fn any(rng: &mut fastrand::Rng) -> Self {
        // Now and then with a length of two bytes.
        let most = if rng.u8(..20) == 0 { 200 } else { 3 };
        let len = rng.usize(..=most);
        (0..len).map(|_| T::any(rng)).collect()
    }
}

impl<K: Any + Ord, V: Any> Any for BTreeMap<K, V> {
    fn any(rng: &mut fastrand::Rng) -> Self {
        (0..rng.usize(..4)).map(|_| Any::any(rng)).collect()
    }
}

#[test]
fn what_records_are_made_of_is_written_and_read_as_postcard_does() {
    agree::<bool>(2_000);
    agree::<u8>(2_000);
    agree::<u16>(2_000);
    agree::<u32>(2_000);
    agree::<u64>(2_000);
    agree::<i32>(2_000);
    agree::<i64>(2_000);
    agree::<String>(2_000);
    agree::<SocketAddr>(2_000);
    agree::<Option<u16>>(2_000);
    agree::<(u64, u32)>(2_000);
    agree::<Vec<u8>>(2_000);
    agree::<Vec<u64>>(2_000);
    agree::<BTreeMap<i32, String>>(2_000);
}

#[test]
fn the_ends_of_numbers_are_written_and_read_as_postcard_does() {
    fn ends<T: Encode + Decode + Serialize + DeserializeOwned + PartialEq + Debug>(ends: [T; 4]) {
        for end in ends {
            let bytes = to_bytes(&end);
            assert_eq!(*bytes, postcard::to_stdvec(&end).unwrap());
            assert_eq!(read(&bytes, 0), Some((end, &[][..])));
        }
    }
    ends([0, 0x7f, 0x80, u16::MAX]);
    ends([0, 0x7f, 0x80, u32::MAX]);
    ends([0, 0x7f, 0x80, u64::MAX]);
    ends([i32::MIN, -1, 0, i32::MAX]);
    ends([i64::MIN, -1, 0, i64::MAX]);
    // Of every number of bytes, with every last one.
    for len in 0..12 {
        for last in 0..=u8::MAX {
            let mut bytes = vec![0xff; len];
            bytes.push(last);
            read::<u16>(&bytes, 0);
            read::<u32>(&bytes, 0);
            read::<u64>(&bytes, 0);
            read::<i32>(&bytes, 0);
            read::<i64>(&bytes, 0);
        }
    }
}

/// Reserving what a length says would end the process.
#[test]
fn a_length_beyond_the_input_is_refused_and_reserves_nothing() {
    for len in [3, 1 << 20, 1 << 40, u64::MAX / 8, u64::MAX] {
        let bytes = [&to_bytes(&len)[..], &[1, 1]].concat();
        assert_eq!(read::<String>(&bytes, 0), None);
        assert_eq!(read::<Vec<u8>>(&bytes, 0), None);
        assert_eq!(read::<Vec<u64>>(&bytes, 0), None);
        assert_eq!(read::<Vec<String>>(&bytes, 0), None);
        assert_eq!(read::<BTreeMap<i32, i32>>(&bytes, 0), None);
    }
}
