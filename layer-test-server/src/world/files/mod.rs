//! Files: parts as they come in, what they become, and how they are read again.
//!
//! The rules of part sizes, offsets and limits are those of Telegram's page on files. What is stored is bounded in all;
//! abandoned uploads go first.

mod cdn;

use std::collections::BTreeMap;
use std::sync::Arc;

use layer_tl_types::{enums, functions, types};

use super::World;
use super::blank;
use super::ids;
use super::image;
use crate::rpc::RpcError;
pub use cdn::CdnFiles;
pub(crate) use cdn::{Cdn, CdnDc};

const PART_LIMIT: usize = 512 * 1024;
const PARTS_LIMIT: i32 = 8_000;
const SMALL_PARTS_LIMIT: i32 = 4_000;
const CHUNK_LIMIT: i64 = 1024 * 1024;

/// All files and uploads.
#[derive(Debug, Default)]
pub(crate) struct Files {
    uploads: BTreeMap<(i64, i64), Upload>,
    stored: BTreeMap<i64, Stored>,
    bytes: usize,
    clock: u64,
    /// References of an older epoch have expired.
    epoch: i32,
    pub(crate) cdn: Cdn,
}

/// Which of a file's contents is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// The document itself.
    Main,
    /// The photo or thumbnail of this size.
    Size(u8),
}

impl Variant {
    /// What `thumb_size` of a location names.
    fn named(thumb_size: &str) -> Option<Self> {
        match thumb_size.as_bytes() {
            [] => Some(Self::Main),
            [letter] => Self::of_letter(*letter),
            _ => None,
        }
    }

    fn of_letter(letter: u8) -> Option<Self> {
        match letter {
            0 => Some(Self::Main),
            b'a'..=b'z' => Some(Self::Size(letter)),
            _ => None,
        }
    }

    const fn letter(self) -> u8 {
        match self {
            Self::Main => 0,
            Self::Size(letter) => letter,
        }
    }
}

/// What a fault makes of a file's transfer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileBend {
    /// The bytes are others than those that are stored.
    pub(crate) wrong_bytes: bool,
    /// The hashes are others than those of the bytes.
    pub(crate) wrong_hashes: bool,
    /// The CDN has lost its files.
    pub(crate) forgets: bool,
}

impl FileBend {
    fn spoil(self, bytes: &mut [u8]) {
        if self.wrong_bytes
            && let Some(last) = bytes.last_mut()
        {
            *last ^= 1;
        }
    }
}

#[derive(Debug, Default)]
struct Upload {
    parts: BTreeMap<i32, Vec<u8>>,
    /// How many parts there will be; -1 until the last one is known, `None` for small files.
    total: Option<i32>,
    used: u64,
}

/// A photo or document.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) data: Arc<[u8]>,
    pub(crate) thumb: Option<(Arc<[u8]>, image::Image)>,
    pub(crate) dc_id: i32,
    pub(crate) date: i32,
    pub(crate) photo: Option<image::Image>,
    pub(crate) mime_type: String,
    pub(crate) attributes: Vec<enums::DocumentAttribute>,
}

impl Stored {
    /// What is stored for one of its sizes.
    fn content(&self, variant: Variant) -> Option<&[u8]> {
        match (variant, self.photo) {
            (Variant::Main, None) => Some(&self.data),
            (Variant::Size(_), None) => self.thumb.as_ref().map(|(thumb, _)| &**thumb),
            (Variant::Size(letter), Some(size)) if size_name(size).as_bytes() == [letter] => {
                Some(&self.data)
            }
            (_, Some(_)) => None,
        }
    }
}

/// What a document is, by its attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) video: bool,
    pub(crate) round: bool,
    pub(crate) voice: bool,
    pub(crate) audio: bool,
    pub(crate) animated: bool,
    pub(crate) sticker: bool,
}

impl Kind {
    /// Neither video, sound, animation nor sticker.
    pub(crate) fn is_plain(self) -> bool {
        self == Self::default()
    }

    /// Marked as unread until it is played.
    pub(crate) const fn is_played(self) -> bool {
        self.voice || self.round
    }

    fn of(attributes: &[enums::DocumentAttribute]) -> Self {
        let mut kind = Self::default();
        for attribute in attributes {
            match attribute {
                enums::DocumentAttribute::Video(video) => {
                    kind.video = !video.round_message;
                    kind.round = video.round_message;
                }
                enums::DocumentAttribute::Audio(audio) => {
                    kind.voice = audio.voice;
                    kind.audio = !audio.voice;
                }
                enums::DocumentAttribute::Animated => kind.animated = true,
                enums::DocumentAttribute::Sticker(_) => kind.sticker = true,
                _ => {}
            }
        }
        kind
    }
}

impl Files {
    /// What the document is.
    pub(crate) fn kind(&self, id: i64) -> Kind {
        self.stored
            .get(&id)
            .map(|file| Kind::of(&file.attributes))
            .unwrap_or_default()
    }

    /// What is stored under this id.
    pub(crate) fn get(&self, id: i64) -> Option<&Stored> {
        self.stored.get(&id)
    }

    /// Bytes held in all.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Makes every file reference given out so far an expired one.
    pub(crate) const fn expire_references(&mut self) {
        self.epoch = self.epoch.saturating_add(1);
    }

    fn drop_upload(&mut self, key: (i64, i64)) -> Option<Upload> {
        let upload = self.uploads.remove(&key)?;
        let freed: usize = upload.parts.values().map(Vec::len).sum();
        self.bytes = self.bytes.saturating_sub(freed);
        Some(upload)
    }

    /// Makes room for `more` bytes by dropping the uploads that were not touched for longest.
    fn make_room(&mut self, more: usize, limit: usize, keep: (i64, i64)) -> Result<(), RpcError> {
        while self.bytes.saturating_add(more) > limit {
            let oldest = self
                .uploads
                .iter()
                .filter(|(key, _)| **key != keep)
                .min_by_key(|(_, upload)| upload.used)
                .map(|(key, _)| *key);
            let Some(oldest) = oldest else {
                return Err(RpcError::new(500, "STORAGE_FULL"));
            };
            self.drop_upload(oldest);
        }
        Ok(())
    }
}

impl World {
    /// `upload.saveFilePart` (`total` is `None`) and `upload.saveBigFilePart`.
    pub(crate) fn save_part(
        &mut self,
        user_id: i64,
        file_id: i64,
        part: i32,
        total: Option<i32>,
        bytes: Vec<u8>,
    ) -> Result<(), RpcError> {
        let parts_limit = if total.is_some() {
            PARTS_LIMIT
        } else {
            SMALL_PARTS_LIMIT
        };
        if !(0..parts_limit).contains(&part) {
            return Err(RpcError::bad("FILE_PART_INVALID"));
        }
        if bytes.is_empty() {
            return Err(RpcError::bad("FILE_PART_EMPTY"));
        }
        if bytes.len() > PART_LIMIT {
            return Err(RpcError::bad("FILE_PART_TOO_BIG"));
        }
        if let Some(total) = total
            && (total == 0 || !(-1..=PARTS_LIMIT).contains(&total) || (total > 0 && part >= total))
        {
            return Err(RpcError::bad("FILE_PARTS_INVALID"));
        }
        // All parts but the last are of one size, which divides 512 KiB.
        let last = total.is_some_and(|total| total == part + 1);
        if total.is_some_and(|total| total > 0) && !last && !good_part(bytes.len()) {
            return Err(RpcError::bad("FILE_PART_SIZE_INVALID"));
        }
        let limit = self.config.file_bytes_limit;
        let files = &mut self.files;
        let key = (user_id, file_id);
        files.make_room(bytes.len(), limit, key)?;
        files.clock += 1;
        let upload = files.uploads.entry(key).or_default();
        upload.used = files.clock;
        if total.is_some_and(|total| total > 0) || upload.total.is_none() {
            upload.total = total;
        }
        files.bytes += bytes.len();
        if let Some(replaced) = upload.parts.insert(part, bytes) {
            files.bytes = files.bytes.saturating_sub(replaced.len());
        }
        Ok(())
    }

    /// Joins the parts of an upload that an `InputFile` names. The upload is used up.
    pub(super) fn take_upload(
        &mut self,
        user_id: i64,
        file: &enums::InputFile,
    ) -> Result<Vec<u8>, RpcError> {
        let (id, parts, checksum) = match file {
            enums::InputFile::File(file) => (file.id, file.parts, file.md5_checksum.as_str()),
            enums::InputFile::Big(file) => (file.id, file.parts, ""),
            enums::InputFile::StoryDocument(_) => return Err(RpcError::bad("MEDIA_INVALID")),
        };
        if !(1..=PARTS_LIMIT).contains(&parts) {
            return Err(RpcError::bad("FILE_PARTS_INVALID"));
        }
        let upload = self
            .files
            .uploads
            .get(&(user_id, id))
            .ok_or_else(|| RpcError::bad("FILE_PARTS_INVALID"))?;
        let mut size = None;
        for part in 0..parts {
            let Some(bytes) = upload.parts.get(&part) else {
                return Err(RpcError::bad(format!("FILE_PART_{part}_MISSING")));
            };
            let last = part + 1 == parts;
            if !last && !good_part(bytes.len()) {
                return Err(RpcError::bad("FILE_PART_LENGTH_INVALID"));
            }
            let whole = *size.get_or_insert(bytes.len());
            if (last && bytes.len() > whole) || (!last && bytes.len() != whole) {
                return Err(RpcError::bad("FILE_PART_SIZE_CHANGED"));
            }
        }
        let upload = self
            .files
            .drop_upload((user_id, id))
            .ok_or_else(|| RpcError::bad("FILE_PARTS_INVALID"))?;
        let data: Vec<u8> = upload
            .parts
            .into_iter()
            .filter(|(part, _)| *part < parts)
            .flat_map(|(_, bytes)| bytes)
            .collect();
        if !checksum.is_empty() && !checksum.eq_ignore_ascii_case(&md5_hex(&data)) {
            return Err(RpcError::bad("MD5_CHECKSUM_INVALID"));
        }
        Ok(data)
    }

    pub(super) fn store(&mut self, file: Stored) -> i64 {
        let id = self.dice.positive();
        self.files.bytes +=
            file.data.len() + file.thumb.as_ref().map_or(0, |(thumb, _)| thumb.len());
        self.files.stored.insert(id, file);
        id
    }

    fn file_hash(&self, id: i64) -> i64 {
        ids::keyed(self.config.secret, &[4, id])
    }

    fn file_reference(&self, id: i64) -> Vec<u8> {
        let mut reference = vec![1];
        reference.extend(self.files.epoch.to_be_bytes());
        reference.extend(
            ids::keyed(self.config.secret, &[5, id, i64::from(self.files.epoch)]).to_be_bytes(),
        );
        reference
    }

    /// The file of this id, if hash and reference are right.
    pub(crate) fn locate(
        &self,
        id: i64,
        access_hash: i64,
        reference: &[u8],
    ) -> Result<&Stored, RpcError> {
        let file = self
            .files
            .stored
            .get(&id)
            .ok_or_else(|| RpcError::bad("FILE_ID_INVALID"))?;
        if access_hash != self.file_hash(id) {
            return Err(RpcError::bad("FILE_ID_INVALID"));
        }
        if reference.is_empty() {
            return Err(RpcError::bad("FILE_REFERENCE_EMPTY"));
        }
        if reference == self.file_reference(id) {
            return Ok(file);
        }
        let expired = reference.len() == 13 && reference[0] == 1;
        Err(RpcError::bad(if expired {
            "FILE_REFERENCE_EXPIRED"
        } else {
            "FILE_REFERENCE_INVALID"
        }))
    }

    /// The file and the content that a location names, and the ids of both, on the data centre `dc_id`.
    fn find(
        &self,
        dc_id: i32,
        location: &enums::InputFileLocation,
    ) -> Result<(i64, Variant, &Stored, &[u8]), RpcError> {
        let invalid = || RpcError::bad("LOCATION_INVALID");
        let (id, access_hash, reference, thumb_size) = match location {
            enums::InputFileLocation::InputDocumentFileLocation(at) => {
                (at.id, at.access_hash, &at.file_reference, &at.thumb_size)
            }
            enums::InputFileLocation::InputPhotoFileLocation(at) => {
                (at.id, at.access_hash, &at.file_reference, &at.thumb_size)
            }
            _ => return Err(invalid()),
        };
        let file = self.locate(id, access_hash, reference)?;
        if file.dc_id != dc_id {
            return Err(RpcError::new(303, format!("FILE_MIGRATE_{}", file.dc_id)));
        }
        let variant = Variant::named(thumb_size).ok_or_else(invalid)?;
        let content = file.content(variant).ok_or_else(invalid)?;
        Ok((id, variant, file, content))
    }

    /// `upload.getFile` on the data centre `dc_id`.
    pub(crate) fn read_file(
        &self,
        dc_id: i32,
        request: &functions::upload::GetFile,
    ) -> Result<enums::upload::File, RpcError> {
        let (id, variant, file, data) = self.find(dc_id, &request.location)?;
        check_range(request.offset, request.limit, request.precise)?;
        if request.cdn_supported
            && let Some(redirect) = self.cdn_redirect(id, variant, request.offset)
        {
            return Ok(redirect.into());
        }
        let r#type = match image::measure(data) {
            Some(_) if image::is_jpeg(data) => enums::storage::FileType::FileJpeg,
            Some(_) if data.starts_with(b"\x89PNG") => enums::storage::FileType::FilePng,
            Some(_) if data.starts_with(b"GIF") => enums::storage::FileType::FileGif,
            Some(_) => enums::storage::FileType::FileWebp,
            None if data.starts_with(b"%PDF") => enums::storage::FileType::FilePdf,
            None => enums::storage::FileType::FilePartial,
        };
        let mut bytes = piece(data, request.offset, request.limit).to_vec();
        self.bend.file.spoil(&mut bytes);
        Ok(types::upload::File {
            r#type,
            mtime: file.date,
            bytes,
        }
        .into())
    }

    /// `upload.getFileHashes` on the data centre `dc_id`.
    pub(crate) fn file_hashes(
        &self,
        dc_id: i32,
        location: &enums::InputFileLocation,
        offset: i64,
    ) -> Result<Vec<enums::FileHash>, RpcError> {
        let (_, _, _, content) = self.find(dc_id, location)?;
        if offset < 0 {
            return Err(RpcError::bad("OFFSET_INVALID"));
        }
        Ok(self.hashes(content, offset))
    }

    /// A photo as TL.
    pub(crate) fn tl_photo(&self, id: i64) -> enums::Photo {
        let Some((file, size)) = self
            .files
            .stored
            .get(&id)
            .and_then(|file| Some((file, file.photo?)))
        else {
            return types::PhotoEmpty { id }.into();
        };
        types::Photo {
            has_stickers: false,
            id,
            access_hash: self.file_hash(id),
            file_reference: self.file_reference(id),
            date: file.date,
            sizes: vec![
                types::PhotoSize {
                    r#type: size_name(size).to_owned(),
                    w: size.width,
                    h: size.height,
                    size: i32::try_from(file.data.len()).unwrap_or(i32::MAX),
                }
                .into(),
            ],
            video_sizes: None,
            dc_id: file.dc_id,
        }
        .into()
    }

    /// A document as TL.
    pub(crate) fn tl_document(&self, id: i64) -> enums::Document {
        let Some(file) = self.files.stored.get(&id) else {
            return types::DocumentEmpty { id }.into();
        };
        let thumbs = file.thumb.as_ref().map(|(data, size)| {
            vec![
                types::PhotoSize {
                    r#type: "m".to_owned(),
                    w: size.width,
                    h: size.height,
                    size: i32::try_from(data.len()).unwrap_or(i32::MAX),
                }
                .into(),
            ]
        });
        types::Document {
            thumbs,
            ..blank::document(
                id,
                self.file_hash(id),
                self.file_reference(id),
                file.date,
                file.mime_type.clone(),
                i64::try_from(file.data.len()).unwrap_or(i64::MAX),
                file.dc_id,
                file.attributes.clone(),
            )
        }
        .into()
    }
}

/// The MD5 that clients send with a small file, in hex.
pub(crate) fn md5_hex(data: &[u8]) -> String {
    use md5::Digest as _;
    md5::Md5::digest(data)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// What is stored of a range.
fn piece(data: &[u8], offset: i64, limit: i32) -> &[u8] {
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let rest = data.get(start..).unwrap_or_default();
    let length = usize::try_from(limit).unwrap_or(0);
    rest.get(..length).unwrap_or(rest)
}

/// Whether a part that is not the last may have this size.
const fn good_part(size: usize) -> bool {
    size.is_multiple_of(1024) && PART_LIMIT.is_multiple_of(size)
}

/// The letter that Telegram gives a photo of this size.
fn size_name(size: image::Image) -> &'static str {
    match size.width.max(size.height) {
        ..=320 => "m",
        321..=800 => "x",
        801..=1280 => "y",
        _ => "w",
    }
}

/// The rules for a piece of a file: aligned to 4 KiB (1 KiB if `precise`), a divisor of 1 MiB (unless `precise`), and
/// within one megabyte of the file.
fn check_range(offset: i64, limit: i32, precise: bool) -> Result<(), RpcError> {
    let step = if precise { 1024 } else { 4096 };
    let limit = i64::from(limit);
    if limit <= 0
        || limit > CHUNK_LIMIT
        || limit % step != 0
        || (!precise && CHUNK_LIMIT % limit != 0)
    {
        return Err(RpcError::bad("LIMIT_INVALID"));
    }
    if offset < 0 || offset % step != 0 {
        return Err(RpcError::bad("OFFSET_INVALID"));
    }
    let last = offset
        .checked_add(limit - 1)
        .ok_or_else(|| RpcError::bad("OFFSET_INVALID"))?;
    if offset / CHUNK_LIMIT != last / CHUNK_LIMIT {
        return Err(RpcError::bad("OFFSET_INVALID"));
    }
    Ok(())
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

    #[test]
    fn parts_divide_half_a_mebibyte() {
        assert!(good_part(512 * 1024) && good_part(1024) && good_part(128 * 1024));
        assert!(!good_part(3 * 1024) && !good_part(1000));
    }
}
