//! What a part is compared with before anybody sees it, and how one from a CDN is read (page `cdn`,
//! "Verifying files", "Decrypting files").

use std::collections::BTreeMap;
use std::fmt;

use layer_crypto::aes::AesCtr;
use layer_crypto::sha;
use layer_tl_types as tl;
use zeroize::Zeroizing;

/// So many hashes are kept at most; those of parts further on are asked for when it is their turn.
const MOST: usize = 4096;
/// No hash is of more bytes than a part may have.
const LONGEST: u64 = 1024 * 1024;

/// The SHA-256 of some bytes of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::files) struct Hash {
    pub(super) offset: u64,
    pub(super) len: u64,
    sha256: [u8; 32],
}

impl Hash {
    /// As the server sends it; `None` if it is none.
    pub(in crate::files) fn read(hash: &tl::enums::FileHash) -> Option<Self> {
        let tl::enums::FileHash::Hash(hash) = hash;
        let len = u64::try_from(hash.limit).ok()?;
        (1..=LONGEST).contains(&len).then_some(Self {
            offset: u64::try_from(hash.offset).ok()?,
            len,
            sha256: hash.hash.as_slice().try_into().ok()?,
        })
    }

    #[cfg(test)]
    pub(super) fn of(offset: u64, bytes: &[u8]) -> Self {
        Self {
            offset,
            len: u64::try_from(bytes.len()).unwrap(),
            sha256: sha::sha256(&[bytes]),
        }
    }

    fn end(&self) -> u64 {
        self.offset.saturating_add(self.len)
    }
}

/// The hashes that are known of a file.
#[derive(Debug, Default)]
pub(super) struct Hashes {
    known: BTreeMap<u64, Hash>,
}

/// How the hashes lie over a piece of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cover {
    /// End to end, from the piece's first byte to its last.
    Whole(Vec<Hash>),
    /// Not yet: those from here on are missing.
    Missing(u64),
    /// Across its ends: they are of no use for it.
    Across,
}

impl Hashes {
    pub(super) fn learn(&mut self, hashes: impl IntoIterator<Item = Hash>) {
        for hash in hashes {
            self.known.insert(hash.offset, hash);
        }
    }

    /// Those of bytes before this are not needed any more.
    pub(super) fn forget_before(&mut self, offset: u64) {
        if self.known.len() > MOST / 2 {
            self.known = self.known.split_off(&offset);
        }
        while self.known.len() > MOST {
            self.known.pop_last();
        }
    }

    /// The hashes of the bytes from `from` up to `to`, or up to the file's end if that is before.
    pub(super) fn cover(&self, from: u64, to: u64, size: Option<u64>) -> Cover {
        let end = size.map_or(to, |size| to.min(size));
        let mut at = from;
        let mut cover = Vec::new();
        while at < end {
            let Some((_, hash)) = self.known.range(..=at).next_back() else {
                return Cover::Missing(at);
            };
            if hash.end() <= at {
                return Cover::Missing(at);
            }
            if hash.offset != at || hash.end() > to {
                return Cover::Across;
            }
            cover.push(*hash);
            at = hash.end();
        }
        Cover::Whole(cover)
    }
}

/// Whether the bytes, which begin at `offset` of the file, are what the hashes say, and all of them.
pub(in crate::files) fn verify(offset: u64, bytes: &[u8], hashes: &[Hash]) -> bool {
    let mut rest = bytes;
    let mut at = offset;
    for hash in hashes {
        let Ok(len) = usize::try_from(hash.len) else {
            return false;
        };
        let Some((piece, after)) = rest.split_at_checked(len) else {
            return false;
        };
        if hash.offset != at || sha::sha256(&[piece]) != hash.sha256 {
            return false;
        }
        rest = after;
        at = hash.end();
    }
    rest.is_empty()
}

/// The key of a file on a CDN.
#[derive(Clone)]
pub(in crate::files) struct Cipher {
    key: Zeroizing<[u8; 32]>,
    iv: Zeroizing<[u8; 16]>,
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher")
    }
}

impl Cipher {
    /// `None` if these are not of the right length.
    pub(in crate::files) fn new(key: &[u8], iv: &[u8]) -> Option<Self> {
        Some(Self {
            key: Zeroizing::new(key.try_into().ok()?),
            iv: Zeroizing::new(iv.try_into().ok()?),
        })
    }

    /// Decrypts what begins at `offset` of the file, or encrypts it: AES-256-CTR, with the number of
    /// the block in the last four bytes of the counter. Whether it could be done.
    pub(in crate::files) fn apply(&self, offset: u64, bytes: &mut [u8]) -> bool {
        let Ok(block) = u32::try_from(offset / 16) else {
            return false;
        };
        let mut iv = *self.iv;
        if let Some(counter) = iv.last_chunk_mut() {
            *counter = block.to_be_bytes();
        }
        AesCtr::new(&self.key, &iv).apply(bytes);
        offset.is_multiple_of(16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pieces: &[(u64, u64)]) -> Hashes {
        let mut hashes = Hashes::default();
        hashes.learn(pieces.iter().map(|&(offset, len)| Hash {
            offset,
            len,
            sha256: [0; 32],
        }));
        hashes
    }

    #[test]
    fn hashes_cover_a_piece_end_to_end_or_not_at_all() {
        let hashes = of(&[(0, 10), (10, 10), (30, 10), (40, 3)]);
        let whole = |from, to, size| match hashes.cover(from, to, size) {
            Cover::Whole(cover) => Ok(cover.len()),
            other => Err(other),
        };
        assert_eq!(whole(0, 20, None), Ok(2));
        assert_eq!(whole(0, 40, None), Err(Cover::Missing(20)));
        assert_eq!(whole(50, 60, None), Err(Cover::Missing(50)));
        assert_eq!(whole(5, 20, None), Err(Cover::Across));
        assert_eq!(whole(0, 15, None), Err(Cover::Across));
        // The last piece of a file is shorter.
        assert_eq!(whole(30, 50, Some(43)), Ok(2));
        assert_eq!(whole(30, 50, None), Err(Cover::Missing(43)));
    }

    #[test]
    fn a_piece_is_what_its_hashes_say_or_it_is_not() {
        let bytes: Vec<u8> = (0..100).collect();
        let hashes = [Hash::of(1000, &bytes[..64]), Hash::of(1064, &bytes[64..])];
        assert!(verify(1000, &bytes, &hashes));
        assert!(!verify(1001, &bytes, &hashes));
        assert!(!verify(1000, &bytes[..99], &hashes));
        assert!(!verify(1000, &bytes, &hashes[..1]));
        for at in 0..100 {
            let mut wrong = bytes.clone();
            wrong[at] ^= 1;
            assert!(!verify(1000, &wrong, &hashes), "{at}");
        }
    }

    #[test]
    fn a_file_is_decrypted_from_wherever_one_begins() {
        let cipher = Cipher::new(&[1; 32], &[0xff; 16]).unwrap();
        assert!(Cipher::new(&[1; 31], &[2; 16]).is_none());
        let plain: Vec<u8> = (0..=255).cycle().take(4096).collect();
        let mut whole = plain.clone();
        assert!(cipher.apply(0, &mut whole));
        assert_ne!(whole, plain);
        let mut tail = whole[1024..].to_vec();
        assert!(cipher.apply(1024, &mut tail));
        assert_eq!(tail, plain[1024..]);
        assert!(!cipher.apply(8, &mut tail) && !cipher.apply(1 << 40, &mut tail));
        // The counter's last four bytes are the block's number, whatever was in them.
        let mut block = [0; 16];
        let mut iv = [0xff; 16];
        iv[12..].copy_from_slice(&64_u32.to_be_bytes());
        AesCtr::new(&[1; 32], &iv).apply(&mut block);
        let encrypted: Vec<u8> = block
            .iter()
            .zip(&plain[1024..])
            .map(|(a, b)| a ^ b)
            .collect();
        assert_eq!(encrypted, whole[1024..1040]);
    }

    #[test]
    fn hashes_of_a_hostile_server_do_not_fill_the_memory() {
        let mut hashes = Hashes::default();
        for round in 0..100_u64 {
            hashes.learn((0..1000).map(|n| Hash {
                offset: round * 1000 + n,
                len: 1,
                sha256: [0; 32],
            }));
            hashes.forget_before(round * 10);
            assert!(hashes.known.len() <= MOST);
        }
        let hash = |offset, limit, hash| {
            let hash = tl::types::FileHash {
                offset,
                limit,
                hash,
            };
            Hash::read(&hash.into()).is_some()
        };
        assert!(hash(0, 1, vec![0; 32]) && hash(0, 1 << 20, vec![0; 32]));
        assert!(!hash(-1, 1, vec![0; 32]) && !hash(0, 0, vec![0; 32]));
        assert!(!hash(0, i32::MAX, vec![0; 32]) && !hash(0, 1, vec![0; 31]));
    }
}
