//! `upload.getFile` and the hashes of what it gives.

use layer_crypto::sha;
use layer_tl_types::{enums, functions, types};

use super::content::Content;
use super::upload::storage;
use super::{Variant, World};
use crate::rpc::RpcError;

/// The most bytes of one answer, and what no answer crosses a multiple of.
const CHUNK: i64 = 1024 * 1024;
/// Bytes of a file that one hash is for.
pub(super) const HASHED: usize = 128 * 1024;
/// Hashes in one answer: those of one mebibyte. Who wants more asks again.
const HASHES_AT_ONCE: usize = 8;

impl World {
    /// The file and its content that a location names on the data centre `dc_id`.
    fn find(
        &mut self,
        viewer: i64,
        dc_id: i32,
        location: &enums::InputFileLocation,
    ) -> Result<(i64, Variant), RpcError> {
        use enums::InputFileLocation as Location;
        let invalid = || RpcError::bad("LOCATION_INVALID");
        let (id, variant) = match location {
            Location::InputDocumentFileLocation(at) => {
                let file = self.locate(at.id, at.access_hash, &at.file_reference)?;
                let named = Variant::named(&at.thumb_size).filter(|_| !file.is_photo());
                (at.id, named.ok_or_else(invalid)?)
            }
            Location::InputPhotoFileLocation(at) => {
                let file = self.locate(at.id, at.access_hash, &at.file_reference)?;
                let named = Variant::named(&at.thumb_size).filter(|_| file.is_photo());
                (at.id, named.ok_or_else(invalid)?)
            }
            Location::InputPeerPhotoFileLocation(at) => self.peer_photo_at(viewer, at)?,
            Location::InputStickerSetThumb(at) => {
                let first = self.set_preview(&at.stickerset).ok_or_else(invalid)?;
                (first, Variant::named("").ok_or_else(invalid)?)
            }
            _ => return Err(invalid()),
        };
        let file = self.files.get(id).ok_or_else(invalid)?;
        if file.dc_id != dc_id {
            return Err(RpcError::new(303, format!("FILE_MIGRATE_{}", file.dc_id)));
        }
        file.content(variant).ok_or_else(invalid)?;
        Ok((id, variant))
    }

    /// What a file has under a name.
    pub(super) fn content(&self, (id, variant): (i64, Variant)) -> Result<&Content, RpcError> {
        self.files
            .get(id)
            .and_then(|file| file.content(variant))
            .ok_or_else(|| RpcError::bad("LOCATION_INVALID"))
    }

    /// `upload.getFile` on the data centre `dc_id`.
    pub(crate) fn read_file(
        &mut self,
        viewer: i64,
        dc_id: i32,
        request: &functions::upload::GetFile,
    ) -> Result<enums::upload::File, RpcError> {
        let found = self.find(viewer, dc_id, &request.location)?;
        let (offset, limit) = check_range(request.offset, request.limit, request.precise)?;
        if request.cdn_supported
            && let Some(redirect) = self.cdn_redirect(found, offset)?
        {
            return Ok(redirect.into());
        }
        self.count_moved(viewer, limit)?;
        let content = self.content(found)?;
        let mut bytes = content.read(offset, limit).map_err(storage)?;
        self.bend.file.spoil(&mut bytes);
        Ok(types::upload::File {
            r#type: content.kind(),
            mtime: self.files.get(found.0).map_or(0, |file| file.date),
            bytes,
        }
        .into())
    }

    /// `upload.getFileHashes` on the data centre `dc_id`.
    pub(crate) fn file_hashes(
        &mut self,
        viewer: i64,
        dc_id: i32,
        location: &enums::InputFileLocation,
        offset: i64,
    ) -> Result<Vec<enums::FileHash>, RpcError> {
        let found = self.find(viewer, dc_id, location)?;
        self.hashes(self.content(found)?, offset)
    }

    /// The hashes of a mebibyte of a file, from the piece on that holds `offset`.
    pub(super) fn hashes(
        &self,
        content: &Content,
        offset: i64,
    ) -> Result<Vec<enums::FileHash>, RpcError> {
        let offset = u64::try_from(offset).map_err(|_| RpcError::bad("OFFSET_INVALID"))?;
        let step = u64::try_from(HASHED).unwrap_or(u64::MAX);
        let first = offset / step;
        let mut hashes = Vec::new();
        for number in (first..).take(HASHES_AT_ONCE) {
            let offset = number.saturating_mul(step);
            if offset >= content.len() {
                break;
            }
            let piece = content.read(offset, HASHED).map_err(storage)?;
            let mut hash = sha::sha256(&[&piece]);
            if self.bend.file.wrong_hashes {
                hash[0] ^= 1;
            }
            hashes.push(
                types::FileHash {
                    offset: i64::try_from(offset).unwrap_or(i64::MAX),
                    limit: i32::try_from(piece.len()).unwrap_or(i32::MAX),
                    hash: hash.to_vec(),
                }
                .into(),
            );
        }
        Ok(hashes)
    }
}

/// The rules for a piece of a file: aligned to 4 KiB (1 KiB if `precise`), a divisor of 1 MiB (unless `precise`), and
/// within one mebibyte of the file.
pub(super) fn check_range(
    offset: i64,
    limit: i32,
    precise: bool,
) -> Result<(u64, usize), RpcError> {
    let step = if precise { 1024 } else { 4096 };
    let wide = i64::from(limit);
    if wide <= 0 || wide > CHUNK || wide % step != 0 || (!precise && CHUNK % wide != 0) {
        return Err(RpcError::bad("LIMIT_INVALID"));
    }
    let invalid = || RpcError::bad("OFFSET_INVALID");
    if offset < 0 || offset % step != 0 {
        return Err(invalid());
    }
    let last = offset.checked_add(wide - 1).ok_or_else(invalid)?;
    if offset / CHUNK != last / CHUNK {
        return Err(invalid());
    }
    let start = u64::try_from(offset).map_err(|_| invalid())?;
    Ok((start, usize::try_from(limit).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_follow_the_documented_rules() {
        let message = |offset, limit, precise| {
            check_range(offset, limit, precise)
                .err()
                .map(|error| error.message)
        };
        assert_eq!(message(0, 4096, false), None);
        assert_eq!(message(1_048_576, 1_048_576, false), None);
        assert_eq!(message(4096, 4095, false).as_deref(), Some("LIMIT_INVALID"));
        assert_eq!(message(0, 12_288, false).as_deref(), Some("LIMIT_INVALID"));
        assert_eq!(message(0, 12_288, true), None);
        assert_eq!(message(0, 0, true).as_deref(), Some("LIMIT_INVALID"));
        assert_eq!(
            message(0, 2_097_152, true).as_deref(),
            Some("LIMIT_INVALID")
        );
        assert_eq!(
            message(1024, 4096, false).as_deref(),
            Some("OFFSET_INVALID")
        );
        assert_eq!(message(1024, 1024, true), None);
        assert_eq!(
            message(1_048_576 - 4096, 8192, false).as_deref(),
            Some("OFFSET_INVALID")
        );
        assert_eq!(
            message(-4096, 4096, false).as_deref(),
            Some("OFFSET_INVALID")
        );
        assert_eq!(
            message(i64::MAX - 4095, 8192, false).as_deref(),
            Some("OFFSET_INVALID")
        );
    }
}
