//! [`MediaSource`]: where the bytes of what is sent come from.

use std::path::{Path, PathBuf};

use layer_tl_types as tl;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::files::{
    Document, Downloadable, FileLocation, Media, Photo, ProfilePhoto, Upload, UploadedFile,
};

/// Where the bytes of what is sent come from: a path, an [`Upload`], an [`UploadedFile`], or a file
/// that Telegram has already ([`Media`], [`Photo`], [`Document`], [`ProfilePhoto`]).
pub struct MediaSource<'a>(pub(in crate::files) Source<'a>);

pub(in crate::files) enum Source<'a> {
    Upload(Upload<'a>),
    Uploaded(UploadedFile),
    /// `None` when the medium is no file.
    Received(Option<FileLocation>),
}

impl<'a> Source<'a> {
    /// The uploaded file; `what` cannot be one that Telegram has already.
    pub(in crate::files) async fn uploaded(
        self,
        client: &'a Client,
        what: &str,
    ) -> Result<UploadedFile> {
        match self {
            Self::Uploaded(file) => Ok(file),
            Self::Upload(upload) => client.upload_file(upload).await,
            Self::Received(_) => Err(not_received(what)),
        }
    }
}

impl<'a> From<Upload<'a>> for MediaSource<'a> {
    fn from(upload: Upload<'a>) -> Self {
        Self(Source::Upload(upload))
    }
}

impl<'a> From<&'a str> for MediaSource<'a> {
    fn from(path: &'a str) -> Self {
        Upload::path(path).into()
    }
}

impl<'a> From<&'a Path> for MediaSource<'a> {
    fn from(path: &'a Path) -> Self {
        Upload::path(path).into()
    }
}

impl<'a> From<&'a PathBuf> for MediaSource<'a> {
    fn from(path: &'a PathBuf) -> Self {
        Upload::path(path).into()
    }
}

impl From<UploadedFile> for MediaSource<'_> {
    fn from(file: UploadedFile) -> Self {
        Self(Source::Uploaded(file))
    }
}

impl From<&UploadedFile> for MediaSource<'_> {
    fn from(file: &UploadedFile) -> Self {
        file.clone().into()
    }
}

impl From<Media<'_>> for MediaSource<'_> {
    fn from(media: Media<'_>) -> Self {
        Self(Source::Received(media.file_location()))
    }
}

impl From<Photo<'_>> for MediaSource<'_> {
    fn from(photo: Photo<'_>) -> Self {
        Self(Source::Received(photo.file_location()))
    }
}

impl From<&ProfilePhoto> for MediaSource<'_> {
    fn from(photo: &ProfilePhoto) -> Self {
        Self(Source::Received(photo.file_location()))
    }
}

impl From<Document<'_>> for MediaSource<'_> {
    fn from(document: Document<'_>) -> Self {
        Self(Source::Received(document.file_location()))
    }
}

/// Options of files that Telegram has already.
#[derive(Clone, Copy, Default)]
pub(super) struct Again {
    pub(super) spoiler: bool,
    pub(super) ttl_seconds: Option<i32>,
}

/// A file that Telegram has already, as it is sent again.
pub(super) fn by_reference(file: &FileLocation, options: Again) -> Result<tl::enums::InputMedia> {
    use tl::enums::InputFileLocation as L;
    let Again {
        spoiler,
        ttl_seconds,
    } = options;
    match file.raw() {
        L::InputPhotoFileLocation(at) => Ok(tl::types::InputMediaPhoto {
            spoiler,
            id: input_photo(at),
            ttl_seconds,
        }
        .into()),
        L::InputDocumentFileLocation(at) => {
            let id = tl::types::InputDocument {
                id: at.id,
                access_hash: at.access_hash,
                file_reference: at.file_reference.clone(),
            };
            Ok(tl::types::InputMediaDocument {
                spoiler,
                id: id.into(),
                video_cover: None,
                video_timestamp: None,
                ttl_seconds,
                query: None,
            }
            .into())
        }
        _ => Err(Error::input("only photos and documents can be sent again")),
    }
}

/// Only a file of one's own will do for this.
pub(in crate::files) fn not_received(what: &str) -> Error {
    Error::input(format!(
        "{what} has to be uploaded; download the received one first"
    ))
}

/// A photo that Telegram has already, as it is named in calls.
pub(in crate::files) fn input_photo(
    at: &tl::types::InputPhotoFileLocation,
) -> tl::enums::InputPhoto {
    tl::types::InputPhoto {
        id: at.id,
        access_hash: at.access_hash,
        file_reference: at.file_reference.clone(),
    }
    .into()
}
