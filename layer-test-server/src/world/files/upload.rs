//! Parts as they come in, and what they become.
//!
//! The rules of part sizes and numbers are those of Telegram's page on files. Parts are of one data centre and one account,
//! and those of `upload.saveBigFilePart` are others than those of `upload.saveFilePart`. They are kept for a while, and the
//! uploads longest untouched go when there is no room.

use std::collections::BTreeMap;
use std::sync::Arc;

use layer_tl_types::enums;
use md5::{Digest, Md5};

use super::World;
use super::content::{Content, Depot, Piece};
use crate::rpc::RpcError;

/// The largest part.
const PART_LIMIT: usize = 512 * 1024;
/// The largest file that comes by `upload.saveFilePart`.
const SMALL_LIMIT: u64 = 10 * 1024 * 1024;

/// Which upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    user_id: i64,
    dc_id: i32,
    big: bool,
    file_id: i64,
}

#[derive(Debug, Default)]
pub(super) struct Upload {
    parts: BTreeMap<i32, Piece>,
    /// What was made of the parts, which can be used again. A part that comes now begins another file.
    made: Option<Arc<Content>>,
    /// Of all parts but the last, once one of them came.
    size: Option<usize>,
    /// How many parts there will be, once it is said.
    total: Option<i32>,
    used: u64,
    /// Unix time.
    touched: i32,
}

/// A part as it came.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    pub(crate) file_id: i64,
    pub(crate) number: i32,
    /// How many there will be, or -1; nothing for small files.
    pub(crate) total: Option<i32>,
    pub(crate) bytes: &'a [u8],
}

impl Upload {
    /// Whether a part can be one of these: all but the last are of one size, which divides half a mebibyte.
    fn check(&self, number: i32, length: usize) -> Result<Option<usize>, RpcError> {
        let invalid = || RpcError::bad("FILE_PART_SIZE_INVALID");
        let changed = || RpcError::bad("FILE_PART_SIZE_CHANGED");
        let highest = self.parts.last_key_value();
        let mut size = self.size;
        // What is not the last for certain.
        if let Some((_, part)) = highest.filter(|(highest, _)| **highest < number) {
            let before = part.len();
            if !good_part(before) || size.is_some_and(|size| size != before) {
                return Err(changed());
            }
            size = Some(before);
        }
        let more_before = highest.is_some_and(|(highest, _)| *highest > number);
        let more_said = self.total.is_some_and(|total| number + 1 < total);
        if more_before || more_said {
            if !good_part(length) {
                return Err(invalid());
            }
            if size.is_some_and(|size| size != length) {
                return Err(changed());
            }
            return Ok(Some(length));
        }
        if size.is_some_and(|size| length > size) {
            return Err(changed());
        }
        Ok(size)
    }
}

impl Upload {
    fn save(
        &mut self,
        number: i32,
        total: Option<i32>,
        bytes: &[u8],
        lost: bool,
        depot: &Depot,
    ) -> Result<(), RpcError> {
        if let Some(total) = total.filter(|total| *total > 0) {
            self.total = Some(total);
        }
        self.size = self.check(number, bytes.len())?;
        if !lost {
            let piece = depot.keep(bytes).map_err(storage)?;
            self.parts.insert(number, piece);
        }
        Ok(())
    }
}

impl World {
    /// How many parts a file of this account may have.
    fn parts_limit(&self, user_id: i64) -> i32 {
        if self.users.get(&user_id).is_some_and(|user| user.premium) {
            self.config.file_parts_premium
        } else {
            self.config.file_parts
        }
    }

    /// `upload.saveFilePart` and `upload.saveBigFilePart` on the data centre `dc_id`.
    pub(crate) fn save_part(
        &mut self,
        user_id: i64,
        dc_id: i32,
        part: Part<'_>,
    ) -> Result<(), RpcError> {
        let Part {
            file_id,
            number,
            total,
            bytes,
        } = part;
        let limit = self.parts_limit(user_id);
        if !(0..limit).contains(&number) {
            return Err(RpcError::bad("FILE_PART_INVALID"));
        }
        if bytes.is_empty() {
            return Err(RpcError::bad("FILE_PART_EMPTY"));
        }
        if bytes.len() > PART_LIMIT {
            return Err(RpcError::bad("FILE_PART_TOO_BIG"));
        }
        if let Some(total) = total
            && (total == 0 || !(-1..=limit).contains(&total) || (total > 0 && number >= total))
        {
            return Err(RpcError::bad("FILE_PARTS_INVALID"));
        }
        let key = Key {
            user_id,
            dc_id,
            big: total.is_some(),
            file_id,
        };
        self.count_moved(user_id, bytes.len())?;
        self.forget_old_uploads();
        self.make_room(bytes.len(), Some(key))?;
        let (bend, now) = (self.bend.file, self.now);
        let files = &mut self.files;
        files.clock += 1;
        let upload = files.uploads.entry(key).or_default();
        if upload.made.is_some() {
            *upload = Upload::default();
        }
        (upload.used, upload.touched) = (files.clock, now);
        let saved = upload.save(number, total, bytes, bend.loses_part, &files.depot);
        // What holds nothing is not kept, or it would be kept for nothing.
        if upload.parts.is_empty() {
            files.uploads.remove(&key);
        }
        saved
    }

    /// What an `InputFile` names, which was uploaded to the data centre `dc_id`. It can be named again for a while.
    pub(crate) fn take_upload(
        &mut self,
        user_id: i64,
        dc_id: i32,
        file: &enums::InputFile,
    ) -> Result<Arc<Content>, RpcError> {
        let (file_id, parts, checksum) = match file {
            enums::InputFile::File(file) => (file.id, file.parts, file.md5_checksum.as_str()),
            enums::InputFile::Big(file) => (file.id, file.parts, ""),
            enums::InputFile::StoryDocument(_) => return Err(RpcError::bad("MEDIA_INVALID")),
        };
        let big = matches!(file, enums::InputFile::Big(_));
        if !(1..=self.parts_limit(user_id)).contains(&parts) {
            return Err(RpcError::bad("FILE_PARTS_INVALID"));
        }
        self.forget_old_uploads();
        let key = Key {
            user_id,
            dc_id,
            big,
            file_id,
        };
        let missing = |part: i32| RpcError::bad(format!("FILE_PART_{part}_MISSING"));
        let upload = self.files.uploads.get_mut(&key).ok_or_else(|| missing(0))?;
        if upload.total.is_some_and(|total| total != parts) {
            return Err(RpcError::bad("FILE_PARTS_INVALID"));
        }
        let content = match &upload.made {
            Some(content) => Arc::clone(content),
            None => {
                if let Some(part) = (0..parts).find(|part| !upload.parts.contains_key(part)) {
                    return Err(missing(part));
                }
                let pieces = std::mem::take(&mut upload.parts);
                let pieces = pieces
                    .into_values()
                    .take(usize::try_from(parts).unwrap_or(0));
                let content = Arc::new(Content::new(pieces.collect()).map_err(storage)?);
                upload.total = Some(parts);
                upload.made = Some(Arc::clone(&content));
                content
            }
        };
        if !big && content.len() > SMALL_LIMIT {
            return Err(RpcError::bad("FILE_PARTS_INVALID"));
        }
        if !checksum.is_empty() && !checksum.eq_ignore_ascii_case(&md5_hex(&content)?) {
            return Err(RpcError::bad("MD5_CHECKSUM_INVALID"));
        }
        Ok(content)
    }

    /// Forgets all parts of files that were not made into any, as Telegram does after some hours.
    pub(crate) fn forget_uploads(&mut self) {
        self.files.uploads.clear();
    }

    fn forget_old_uploads(&mut self) {
        // Not with each of many parts.
        if self.files.swept == self.now {
            return;
        }
        self.files.swept = self.now;
        let oldest = self.now.saturating_sub(self.config.upload_life);
        self.files
            .uploads
            .retain(|_, upload| upload.touched >= oldest);
    }

    /// Makes room for `more` bytes by dropping the uploads that were not touched for longest.
    pub(super) fn make_room(&mut self, more: usize, keep: Option<Key>) -> Result<(), RpcError> {
        let limit = self.config.file_bytes_limit;
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        while self.files.bytes().saturating_add(more) > limit {
            let others = self.files.uploads.iter();
            let oldest = others
                .filter(|(key, _)| Some(**key) != keep)
                .min_by_key(|(_, upload)| upload.used)
                .map(|(key, _)| *key);
            let Some(oldest) = oldest else {
                return Err(RpcError::new(500, "STORAGE_FULL"));
            };
            self.files.uploads.remove(&oldest);
        }
        Ok(())
    }
}

/// The disk would not take or give what lies there.
pub(super) fn storage(error: std::io::Error) -> RpcError {
    log::error!("the files that do not fit into memory: {error}");
    RpcError::new(500, "STORAGE_FAILED")
}

/// The MD5 that clients send with a small file, in hex.
fn md5_hex(content: &Content) -> Result<String, RpcError> {
    let mut md5 = Md5::new();
    for piece in content.pieces() {
        md5.update(piece.map_err(storage)?);
    }
    Ok(md5.finalize().iter().map(|b| format!("{b:02x}")).collect())
}

/// Whether a part that is not the last may have this size.
const fn good_part(size: usize) -> bool {
    size.is_multiple_of(1024) && PART_LIMIT.is_multiple_of(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_divide_half_a_mebibyte() {
        assert!(good_part(512 * 1024) && good_part(1024) && good_part(128 * 1024));
        assert!(!good_part(3 * 1024) && !good_part(1000));
    }
}
