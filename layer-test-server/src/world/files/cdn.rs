//! Files on a CDN: what the main data centre says of them, and what the CDN itself has (documentation page `cdn`).
//!
//! Tokens, keys and hashes are computed from the file and the world's secret, so nothing grows with the clients that ask
//! for them. What is kept is which files the CDN has in its memory: few, and the one longest unused goes first.

use std::collections::{BTreeSet, VecDeque};

use layer_crypto::aes::AesCtr;
use layer_crypto::sha;
use layer_tl_types::{enums, types};

use super::read::check_range;
use super::upload::storage;
use super::{Variant, World};
use crate::rpc::RpcError;

/// Files that the CDN has in its memory at most.
const MEMORY: usize = 256;
/// Of a token: what it is, epoch, file, size, its number, and the proof that we made it.
const TOKEN: usize = 1 + 4 + 8 + 1 + 8 + 8;

const FILE: u8 = 1;
const REQUEST: u8 = 2;

/// Which files a CDN serves; see [`Cdn::serve`](crate::Cdn::serve).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CdnFiles {
    /// None: clients are sent nowhere.
    #[default]
    Nothing,
    /// All.
    Everything,
    /// Those of at least so many bytes.
    AtLeast(u64),
    /// The photos and documents with these ids.
    These(BTreeSet<i64>),
}

impl CdnFiles {
    fn has(&self, id: i64, bytes: u64) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::AtLeast(least) => bytes >= *least,
            Self::These(ids) => ids.contains(&id),
        }
    }
}

/// A CDN's data centre.
#[derive(Clone, Debug)]
pub(crate) struct CdnDc {
    pub(crate) dc_id: i32,
    /// As `help.getCdnConfig` names it.
    pub(crate) public_key: String,
}

/// What a CDN has, and what the main data centre sends there.
#[derive(Debug, Default)]
pub(crate) struct Cdn {
    /// The CDN that there is.
    pub(crate) dc: Option<CdnDc>,
    /// Which files clients are sent there for.
    pub(crate) files: CdnFiles,
    /// The files in the CDN's memory, the one longest unused first.
    stored: VecDeque<(i64, Variant)>,
    /// Tokens of an older epoch have expired.
    epoch: i32,
    /// Counts the tokens that were given out. No two are the same: a client may take one that it had before for no
    /// news (TDLib would ask for ever).
    given: u64,
}

impl Cdn {
    /// Whether the data centre is a CDN.
    pub(crate) fn is(&self, dc_id: i32) -> bool {
        self.dc.as_ref().is_some_and(|dc| dc.dc_id == dc_id)
    }

    /// The CDN loses what it has: it comes again by `upload.reuploadCdnFile`.
    pub(crate) fn forget(&mut self) {
        self.stored.clear();
    }

    /// Makes all tokens expired ones.
    pub(crate) fn expire_tokens(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
    }

    /// How many files are in the CDN's memory.
    pub(crate) fn len(&self) -> usize {
        self.stored.len()
    }

    fn store(&mut self, file: (i64, Variant)) {
        self.stored.retain(|stored| *stored != file);
        if self.stored.len() >= MEMORY {
            self.stored.pop_front();
        }
        self.stored.push_back(file);
    }

    /// Whether the CDN has a file, which was used just now.
    fn uses(&mut self, file: (i64, Variant)) -> bool {
        let has = self.stored.contains(&file);
        if has {
            self.store(file);
        }
        has
    }
}

/// What a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Token {
    id: i64,
    variant: Variant,
    number: u64,
}

impl Token {
    const fn file(self) -> (i64, Variant) {
        (self.id, self.variant)
    }
}

impl World {
    /// A file's key on the CDN, or what proves that a token is ours: nobody else can compute it.
    fn cdn_secret(&self, what: &[u8]) -> [u8; 32] {
        sha::sha256(&[b"cdn", &self.config.secret.to_le_bytes(), what])
    }

    fn cdn_token(&self, kind: u8, token: Token) -> Vec<u8> {
        let mut bytes = vec![kind];
        bytes.extend(self.files.cdn.epoch.to_be_bytes());
        bytes.extend(token.id.to_be_bytes());
        bytes.push(token.variant.letter());
        bytes.extend(token.number.to_be_bytes());
        let proof = self.cdn_secret(&bytes);
        bytes.extend(proof.first_chunk::<8>().unwrap_or(&[0; 8]));
        bytes
    }

    /// What a token stands for, if it is of this kind, ours, and not expired.
    fn cdn_named(&self, kind: u8, bytes: &[u8]) -> Option<Token> {
        let bytes: &[u8; TOKEN] = bytes.try_into().ok()?;
        let token = Token {
            id: i64::from_be_bytes(*bytes.get(5..)?.first_chunk()?),
            variant: Variant::of_letter(bytes[13])?,
            number: u64::from_be_bytes(*bytes.get(14..)?.first_chunk()?),
        };
        (self.cdn_token(kind, token) == bytes).then_some(token)
    }

    /// The key and the IV of a file on the CDN.
    fn cdn_key(&self, (id, variant): (i64, Variant)) -> ([u8; 32], [u8; 16]) {
        let named = [&id.to_be_bytes()[..], &[variant.letter()]].concat();
        let key = self.cdn_secret(&[b"key", &*named].concat());
        let iv = self.cdn_secret(&[b"iv", &*named].concat());
        (key, *iv.first_chunk().unwrap_or(&[0; 16]))
    }

    /// Where a client that can use CDNs is sent for a file, if it is to be sent anywhere.
    pub(super) fn cdn_redirect(
        &mut self,
        file: (i64, Variant),
        offset: u64,
    ) -> Result<Option<types::upload::FileCdnRedirect>, RpcError> {
        let length = self.content(file)?.len();
        let (id, variant) = file;
        let cdn = &mut self.files.cdn;
        let there = cdn.files.has(id, length);
        let Some(dc_id) = cdn.dc.as_ref().filter(|_| there).map(|dc| dc.dc_id) else {
            return Ok(None);
        };
        cdn.given += 1;
        let token = Token {
            id,
            variant,
            number: cdn.given,
        };
        let (key, iv) = self.cdn_key(file);
        let offset = i64::try_from(offset).unwrap_or(i64::MAX);
        Ok(Some(types::upload::FileCdnRedirect {
            dc_id,
            file_token: self.cdn_token(FILE, token),
            encryption_key: key.to_vec(),
            encryption_iv: iv.to_vec(),
            file_hashes: self.hashes(self.content(file)?, offset)?,
        }))
    }

    /// `upload.getCdnFile` on the CDN: bytes as they lie there, which is encrypted.
    pub(crate) fn read_cdn_file(
        &mut self,
        dc_id: i32,
        file_token: &[u8],
        offset: i64,
        limit: i32,
    ) -> Result<enums::upload::CdnFile, RpcError> {
        let invalid = || RpcError::bad("FILE_TOKEN_INVALID");
        if !self.files.cdn.is(dc_id) {
            return Err(invalid());
        }
        let token = self.cdn_named(FILE, file_token).ok_or_else(invalid)?;
        let (start, limit) = check_range(offset, limit, false)?;
        if self.bend.file.forgets {
            self.files.cdn.forget();
        }
        if !self.files.cdn.uses(token.file()) {
            let request_token = self.cdn_token(REQUEST, token);
            return Ok(types::upload::CdnFileReuploadNeeded { request_token }.into());
        }
        let (key, mut iv) = self.cdn_key(token.file());
        let content = self.content(token.file()).map_err(|_| invalid())?;
        let mut bytes = content.read(start, limit).map_err(storage)?;
        // The last four bytes of the IV count the blocks of the file.
        let block = u32::try_from(start / 16).map_err(|_| RpcError::bad("OFFSET_INVALID"))?;
        if let Some(counter) = iv.last_chunk_mut() {
            *counter = block.to_be_bytes();
        }
        AesCtr::new(&key, &iv).apply(&mut bytes);
        self.bend.file.spoil(&mut bytes);
        Ok(types::upload::CdnFile { bytes }.into())
    }

    /// `upload.reuploadCdnFile` on the file's own data centre: the CDN has the file from now on.
    pub(crate) fn reupload_cdn_file(
        &mut self,
        dc_id: i32,
        file_token: &[u8],
        request_token: &[u8],
    ) -> Result<Vec<enums::FileHash>, RpcError> {
        let token = self.cdn_file(dc_id, file_token)?;
        let request = self.cdn_named(REQUEST, request_token).map(Token::file);
        if request != Some(token.file()) {
            return Err(RpcError::bad("REQUEST_TOKEN_INVALID"));
        }
        self.files.cdn.store(token.file());
        self.cdn_hashes(dc_id, file_token, 0)
    }

    /// `upload.getCdnFileHashes` on the file's own data centre.
    pub(crate) fn cdn_hashes(
        &self,
        dc_id: i32,
        file_token: &[u8],
        offset: i64,
    ) -> Result<Vec<enums::FileHash>, RpcError> {
        let token = self.cdn_file(dc_id, file_token)?;
        self.hashes(self.content(token.file())?, offset)
    }

    /// The file of a token on the data centre where its main copy is.
    fn cdn_file(&self, dc_id: i32, file_token: &[u8]) -> Result<Token, RpcError> {
        self.cdn_named(FILE, file_token)
            .filter(|token| {
                let file = self.files.get(token.id);
                file.is_some_and(|file| file.dc_id == dc_id)
            })
            .ok_or_else(|| RpcError::bad("FILE_TOKEN_INVALID"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cdn_has_few_files_in_its_memory_and_forgets_the_one_longest_unused() {
        let mut cdn = Cdn::default();
        for id in 0..i64::try_from(MEMORY).unwrap() {
            cdn.store((id, Variant::Main));
        }
        assert!(cdn.uses((0, Variant::Main)));
        cdn.store((9999, Variant::Main));
        assert_eq!(cdn.len(), MEMORY);
        assert!(cdn.uses((0, Variant::Main)) && !cdn.uses((1, Variant::Main)));
        assert!(!cdn.uses((0, Variant::Size(b'm'))));
    }

    #[test]
    fn a_token_is_of_one_kind_one_file_and_one_time() {
        let mut world = World::new(crate::world::Config::default());
        let token = Token {
            id: 77,
            variant: Variant::Size(b'y'),
            number: 5,
        };
        let bytes = world.cdn_token(FILE, token);
        assert_eq!(world.cdn_named(FILE, &bytes), Some(token));
        assert_eq!(world.cdn_named(REQUEST, &bytes), None);
        for at in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[at] ^= 1;
            assert_eq!(world.cdn_named(FILE, &wrong), None, "byte {at}");
            assert_eq!(world.cdn_named(FILE, &bytes[..at]), None);
        }
        world.files.cdn.expire_tokens();
        assert_eq!(world.cdn_named(FILE, &bytes), None);
    }
}
