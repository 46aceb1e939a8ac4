//! The form of a session at rest: magic, version, checksum, data.
//!
//! ```text
//! "LAYERSES" | version: u16 LE | reserved: u16 | length: u32 LE | crc32: u32 LE | record
//! ```
//! The checksum covers the data. A file that is too short, too long, or does not add up is refused
//! as a whole; there is no such thing as a session read in part.

use zeroize::Zeroizing;

use super::old::{Session1, Session2};
use super::{Session, SessionError, sealed};
use crate::record::{self, Decode};

const MAGIC: &[u8; 8] = b"LAYERSES";
/// 2: data centres with the flags of their addresses. 3: peers that are known in part. What was before is read by [`old`](super::old).
const VERSION: u16 = 3;
const HEADER: usize = 20;

/// Writes a session as bytes. They hold keys, and are wiped when dropped.
pub(super) fn encode(session: &Session) -> Zeroizing<Vec<u8>> {
    seal(VERSION, &record::to_bytes(session))
}

fn seal(version: u16, data: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER + data.len()));
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&version.to_le_bytes());
    bytes.extend_from_slice(&[0; 2]);
    bytes.extend_from_slice(&u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(data).to_le_bytes());
    bytes.extend_from_slice(data);
    bytes
}

/// Whether these bytes are a session without a passphrase.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Reads a session; `place` is what to call where it came from.
pub(super) fn decode(bytes: &[u8], place: &str) -> Result<Session, SessionError> {
    let corrupt = |reason| SessionError::Corrupt {
        place: place.to_owned(),
        reason,
    };
    if sealed::is_sealed(bytes) {
        return Err(SessionError::PassphraseRequired {
            place: place.to_owned(),
        });
    }
    let (header, data) = bytes
        .split_first_chunk::<HEADER>()
        .ok_or_else(|| corrupt("it is too short"))?;
    let (magic, rest) = header.split_at(8);
    if magic != MAGIC {
        return Err(corrupt("it is not a session file of this crate"));
    }
    let number = |at: usize, len: usize| {
        rest[at..at + len]
            .iter()
            .rev()
            .fold(0u32, |n, byte| n << 8 | u32::from(*byte))
    };
    let version = u16::try_from(number(0, 2)).unwrap_or(u16::MAX);
    if version > VERSION {
        return Err(SessionError::TooNew {
            place: place.to_owned(),
            version,
        });
    }
    if version == 0 {
        return Err(corrupt("its version is 0"));
    }
    if usize::try_from(number(4, 4)).ok() != Some(data.len()) {
        return Err(corrupt("it was cut short or has something behind its end"));
    }
    if number(8, 4) != crc32fast::hash(data) {
        return Err(corrupt("its checksum is wrong"));
    }
    let session = match version {
        1 => whole::<Session1>(data).map(Session::from),
        2 => whole::<Session2>(data).map(Session::from),
        _ => whole::<Session>(data),
    };
    session.map_err(corrupt)
}

/// The value that is all of `data`.
fn whole<T: Decode>(mut data: &[u8]) -> Result<T, &'static str> {
    let value = T::decode(&mut data).ok_or("its data is not what its version says")?;
    if data.is_empty() {
        Ok(value)
    } else {
        Err("it has something behind its data")
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DcOption, DcState, PeerKind, SavedKey, SavedPeer, SavedSalt, SelfUser};
    use super::*;

    fn sample() -> Session {
        let mut session = Session {
            home_dc: 2,
            user: Some(SelfUser::new(7, true)),
            ..Session::default()
        };
        session.dcs.insert(
            2,
            DcState {
                options: vec![
                    DcOption::new("127.0.0.1:443".parse().unwrap()),
                    DcOption {
                        media_only: true,
                        secret: Some(vec![1, 2]),
                        ..DcOption::new("[::1]:80".parse().unwrap())
                    },
                ],
                auth_key: Some(SavedKey::new([9; 256])),
                salts: vec![SavedSalt::new(-5, 1, 2)],
                time_offset: -3,
                authorized: true,
            },
        );
        session.updates.pts = 12;
        session.updates.channels.insert(77, 5);
        session.peers.push(SavedPeer::new(PeerKind::User, 1));
        session
    }

    #[test]
    fn what_was_written_is_read_back() {
        assert_eq!(decode(&encode(&sample()), "x").unwrap(), sample());
        assert_eq!(
            decode(&encode(&Session::default()), "x").unwrap(),
            Session::default()
        );
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_noticed() {
        let good = encode(&sample());
        for cut in 0..good.len() {
            assert!(decode(&good[..cut], "x").is_err(), "cut at {cut}");
        }
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            // The two reserved bytes carry nothing.
            assert!(
                (10..12).contains(&(bit / 8)) || decode(&bad, "x").is_err(),
                "bit {bit}"
            );
        }
        let mut long = good.clone();
        long.push(0);
        assert!(decode(&long, "x").is_err());
    }

    #[test]
    fn a_newer_format_is_told_apart_from_damage() {
        let mut bytes = encode(&sample());
        bytes[8] = 9;
        let error = decode(&bytes, "my.session").unwrap_err();
        assert!(
            matches!(error, SessionError::TooNew { version: 9, .. }),
            "{error}"
        );
        assert!(error.to_string().contains("my.session"));
    }

    #[test]
    fn keys_are_not_printed() {
        assert!(!format!("{:?}", sample()).contains("9, 9"));
    }
}
