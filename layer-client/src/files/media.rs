//! `Media`: the photo or file in a message, and where its bytes lie.

use layer_tl_types as tl;

use super::FileLocation;
use crate::messages::Message;

/// The medium in a message.
#[derive(Clone, Copy, Debug)]
pub struct Media<'a> {
    raw: &'a tl::enums::MessageMedia,
    message: &'a Message,
}

impl<'a> Media<'a> {
    pub(crate) fn new(raw: &'a tl::enums::MessageMedia, message: &'a Message) -> Self {
        Self { raw, message }
    }

    /// As the raw API has it.
    #[must_use]
    pub fn raw(self) -> &'a tl::enums::MessageMedia {
        self.raw
    }

    /// The photo, if it is one.
    #[must_use]
    pub fn photo(self) -> Option<&'a tl::types::Photo> {
        match self.raw {
            tl::enums::MessageMedia::Photo(media) => match media.photo.as_ref()? {
                tl::enums::Photo::Photo(photo) => Some(photo),
                tl::enums::Photo::Empty(_) => None,
            },
            _ => None,
        }
    }

    /// The file, if it is one: documents, videos, voice messages, stickers.
    #[must_use]
    pub fn document(self) -> Option<&'a tl::types::Document> {
        match self.raw {
            tl::enums::MessageMedia::Document(media) => match media.document.as_ref()? {
                tl::enums::Document::Document(document) => Some(document),
                tl::enums::Document::Empty(_) => None,
            },
            _ => None,
        }
    }

    /// The file's name.
    #[must_use]
    pub fn file_name(self) -> Option<&'a str> {
        self.document()?
            .attributes
            .iter()
            .find_map(|attribute| match attribute {
                tl::enums::DocumentAttribute::Filename(name) => Some(name.file_name.as_str()),
                _ => None,
            })
    }

    /// The file's MIME type.
    #[must_use]
    pub fn mime_type(self) -> Option<&'a str> {
        if self.photo().is_some() {
            return Some("image/jpeg");
        }
        self.document().map(|document| document.mime_type.as_str())
    }

    /// The size in bytes; of a photo, that of its largest form.
    #[must_use]
    pub fn size(self) -> Option<u64> {
        self.location()?.size()
    }

    /// The medium for sending it again without uploading it.
    #[must_use]
    pub fn to_input(self) -> Option<tl::enums::InputMedia> {
        if let Some(photo) = self.photo() {
            let id = tl::types::InputPhoto {
                id: photo.id,
                access_hash: photo.access_hash,
                file_reference: photo.file_reference.clone(),
            };
            let media = tl::types::InputMediaPhoto {
                spoiler: false,
                id: id.into(),
                ttl_seconds: None,
            };
            return Some(media.into());
        }
        let document = self.document()?;
        let id = tl::types::InputDocument {
            id: document.id,
            access_hash: document.access_hash,
            file_reference: document.file_reference.clone(),
        };
        Some(
            tl::types::InputMediaDocument {
                spoiler: false,
                id: id.into(),
                video_cover: None,
                video_timestamp: None,
                ttl_seconds: None,
                query: None,
            }
            .into(),
        )
    }

    pub(crate) fn location(self) -> Option<FileLocation> {
        if let Some(photo) = self.photo() {
            let (thumb_size, size) = largest(&photo.sizes)?;
            let location = tl::types::InputPhotoFileLocation {
                id: photo.id,
                access_hash: photo.access_hash,
                file_reference: photo.file_reference.clone(),
                thumb_size,
            };
            let location = FileLocation::new(location.into(), photo.dc_id, size);
            return Some(location.of_message(self.message));
        }
        let document = self.document()?;
        let location = tl::types::InputDocumentFileLocation {
            id: document.id,
            access_hash: document.access_hash,
            file_reference: document.file_reference.clone(),
            thumb_size: String::new(),
        };
        let size = u64::try_from(document.size).ok();
        let location = FileLocation::new(location.into(), document.dc_id, size);
        Some(location.of_message(self.message))
    }
}

/// The name and the bytes of a photo's largest form.
fn largest(sizes: &[tl::enums::PhotoSize]) -> Option<(String, Option<u64>)> {
    let sizes = sizes.iter().filter_map(|size| {
        let (name, w, h, bytes) = match size {
            tl::enums::PhotoSize::Size(size) => (&size.r#type, size.w, size.h, size.size),
            tl::enums::PhotoSize::Progressive(size) => {
                let bytes = size.sizes.iter().copied().max().unwrap_or(0);
                (&size.r#type, size.w, size.h, bytes)
            }
            _ => return None,
        };
        let area = i64::from(w) * i64::from(h);
        Some((area, name.clone(), u64::try_from(bytes).ok()))
    });
    sizes
        .max_by_key(|(area, _, _)| *area)
        .map(|(_, name, bytes)| (name, bytes))
}
