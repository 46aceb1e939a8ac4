//! gzip_packed: messages that were compressed, and a bound on what becomes of them.

use std::fmt;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::{GzDecoder, ZlibDecoder};
use flate2::write::GzEncoder;
use layer_tl_types::{Cursor, Serializable};

use super::wire::GZIP_PACKED;

/// A compressed message that is not unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GzipError {
    /// It is neither gzip nor zlib, or damaged.
    Malformed,
    /// It would become larger than allowed.
    TooLarge {
        /// The most bytes allowed.
        limit: usize,
    },
    /// There is a compressed message in it.
    Nested,
}

impl fmt::Display for GzipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("a compressed message that is damaged"),
            Self::TooLarge { limit } => {
                write!(
                    f,
                    "a compressed message that unpacks to more than {limit} bytes"
                )
            }
            Self::Nested => f.write_str("a compressed message in a compressed message"),
        }
    }
}

impl std::error::Error for GzipError {}

/// Unpacks `gzip_packed`, constructor's id and all, to at most `limit` bytes. Both gzip and zlib are taken, for
/// clients in use send either.
///
/// # Errors
/// If it is damaged, becomes too large, or holds another `gzip_packed`.
pub fn inflate_packed(body: &[u8], limit: usize) -> Result<Vec<u8>, GzipError> {
    let data = match body.split_first_chunk() {
        Some((id, rest)) if u32::from_le_bytes(*id) == GZIP_PACKED => rest,
        _ => return Err(GzipError::Malformed),
    };
    let data = Cursor::new(data)
        .read_bytes_ref()
        .map_err(|_| GzipError::Malformed)?;
    let unpacked = match data {
        [0x1f, 0x8b, ..] => read_bounded(GzDecoder::new(data), limit),
        _ => read_bounded(ZlibDecoder::new(data), limit),
    }?;
    if unpacked.starts_with(&GZIP_PACKED.to_le_bytes()) {
        return Err(GzipError::Nested);
    }
    Ok(unpacked)
}

fn read_bounded(reader: impl Read, limit: usize) -> Result<Vec<u8>, GzipError> {
    let mut unpacked = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    reader
        .take(most)
        .read_to_end(&mut unpacked)
        .map_err(|_| GzipError::Malformed)?;
    if unpacked.len() > limit {
        return Err(GzipError::TooLarge { limit });
    }
    Ok(unpacked)
}

/// `gzip_packed` of the body, if it has at least `threshold` bytes and becomes smaller by it.
pub(crate) fn deflate_if_smaller(body: &[u8], threshold: usize) -> Option<Vec<u8>> {
    if body.len() < threshold {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 2), Compression::fast());
    encoder.write_all(body).ok()?;
    let data = encoder.finish().ok()?;
    if data.len() + 8 >= body.len() {
        return None;
    }
    let mut packed = GZIP_PACKED.to_le_bytes().to_vec();
    data.serialize(&mut packed);
    (packed.len() < body.len()).then_some(packed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::write::ZlibEncoder;

    fn packed(data: &[u8]) -> Vec<u8> {
        let mut body = GZIP_PACKED.to_le_bytes().to_vec();
        data.to_vec().serialize(&mut body);
        body
    }

    #[test]
    fn gzip_and_zlib_are_both_taken() {
        let text = b"one and one and one and one and one and one and one".repeat(10);
        let gzip = deflate_if_smaller(&text, 100).unwrap();
        assert!(gzip.len() < text.len() && gzip.len().is_multiple_of(4));
        assert_eq!(inflate_packed(&gzip, text.len()).unwrap(), text);

        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(&text).unwrap();
        let zlib = zlib.finish().unwrap();
        assert_eq!(zlib[..2], [0x78, 0x9c]);
        assert_eq!(inflate_packed(&packed(&zlib), text.len()).unwrap(), text);
    }

    #[test]
    fn only_what_becomes_smaller_is_packed() {
        assert_eq!(deflate_if_smaller(&[0; 99], 100), None);
        let mut rng = fastrand::Rng::with_seed(1);
        let noise: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(8000).collect();
        assert_eq!(deflate_if_smaller(&noise, 100), None);
        assert!(deflate_if_smaller(&[0; 1000], 100).is_some());
    }

    #[test]
    fn a_bomb_is_an_error() {
        let bomb = deflate_if_smaller(&vec![0; 50_000_000], 0).unwrap();
        assert!(bomb.len() < 500_000);
        let limit = 1 << 20;
        assert_eq!(
            inflate_packed(&bomb, limit),
            Err(GzipError::TooLarge { limit })
        );
    }

    #[test]
    fn a_bomb_in_a_bomb_is_an_error() {
        let inner = deflate_if_smaller(&[0; 10_000], 0).unwrap();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&inner).unwrap();
        let outer = packed(&encoder.finish().unwrap());
        assert_eq!(inflate_packed(&outer, 1 << 20), Err(GzipError::Nested));
    }

    #[test]
    fn damage_is_an_error() {
        let whole = deflate_if_smaller(&[7; 5_000], 0).unwrap();
        for cut in 0..whole.len() {
            assert!(inflate_packed(&whole[..cut], 1 << 20).is_err(), "{cut}");
        }
        assert_eq!(
            inflate_packed(&packed(b"no gzip"), 100),
            Err(GzipError::Malformed)
        );
    }
}
