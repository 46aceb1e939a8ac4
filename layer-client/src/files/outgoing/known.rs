//! [`KnownFiles`]: what a medium refers to that Telegram has already, and how its file references are got
//! anew.

use layer_tl_types as tl;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::files::FileLocation;

/// The photos and documents that a medium names by reference, each to be got anew once.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownFiles(Vec<FileLocation>);

impl KnownFiles {
    pub(super) fn push(&mut self, file: FileLocation) {
        self.0.push(file);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts the file references into `media` that its files have now, if `error` says that one has run out
    /// and there is a place to get one.
    pub(crate) async fn renew(
        &mut self,
        client: &Client,
        media: &mut tl::enums::InputMedia,
        error: Error,
    ) -> Result<()> {
        if self.0.is_empty() || !error.is("FILE_REFERENCE_*") {
            return Err(error);
        }
        // Nothing tells which of them it is about, and one that can be got nowhere may be good still.
        let (mut any, mut failure) = (false, None);
        for file in std::mem::take(&mut self.0) {
            match file.refresh(client).await {
                Ok(fresh) => any |= renewed(media, &fresh),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        if any {
            return Ok(());
        }
        Err(failure.unwrap_or(error))
    }
}

/// Puts the reference that a file has now wherever `media` names it.
fn renewed(media: &mut tl::enums::InputMedia, file: &FileLocation) -> bool {
    use tl::enums::InputFileLocation as L;
    match file.raw() {
        L::InputPhotoFileLocation(at) => {
            let photo = match media {
                tl::enums::InputMedia::Photo(media) => Some(&mut media.id),
                other => cover_mut(other).and_then(|(cover, _)| cover.as_mut()),
            };
            match photo {
                Some(tl::enums::InputPhoto::Photo(photo)) if photo.id == at.id => {
                    photo.file_reference.clone_from(&at.file_reference);
                    true
                }
                _ => false,
            }
        }
        L::InputDocumentFileLocation(at) => match media {
            tl::enums::InputMedia::Document(media) => match &mut media.id {
                tl::enums::InputDocument::Document(document) if document.id == at.id => {
                    document.file_reference.clone_from(&at.file_reference);
                    true
                }
                _ => false,
            },
            _ => false,
        },
        _ => false,
    }
}

/// What a video shows before it is played, and the second at which it begins.
pub(super) type Cover = (Option<tl::enums::InputPhoto>, Option<i32>);

/// The places for them, of what can be a video.
fn cover_mut(
    media: &mut tl::enums::InputMedia,
) -> Option<(&mut Option<tl::enums::InputPhoto>, &mut Option<i32>)> {
    match media {
        tl::enums::InputMedia::UploadedDocument(media) => {
            let media = &mut **media;
            Some((&mut media.video_cover, &mut media.video_timestamp))
        }
        tl::enums::InputMedia::Document(media) => {
            let media = &mut **media;
            Some((&mut media.video_cover, &mut media.video_timestamp))
        }
        tl::enums::InputMedia::DocumentExternal(media) => {
            let media = &mut **media;
            Some((&mut media.video_cover, &mut media.video_timestamp))
        }
        _ => None,
    }
}

pub(super) fn set_cover(media: &mut tl::enums::InputMedia, (photo, second): Cover) {
    if let Some((cover, timestamp)) = cover_mut(media) {
        *cover = photo;
        *timestamp = second;
    }
}

pub(super) fn cover_of(media: &mut tl::enums::InputMedia) -> Cover {
    match cover_mut(media) {
        Some((cover, timestamp)) => (cover.clone(), *timestamp),
        None => Cover::default(),
    }
}

/// The id of the photo or document that is sent again.
pub(crate) fn file_id(media: &tl::enums::InputMedia) -> Option<i64> {
    match media {
        tl::enums::InputMedia::Photo(media) => match &media.id {
            tl::enums::InputPhoto::Photo(photo) => Some(photo.id),
            tl::enums::InputPhoto::Empty => None,
        },
        tl::enums::InputMedia::Document(media) => match &media.id {
            tl::enums::InputDocument::Document(document) => Some(document.id),
            tl::enums::InputDocument::Empty => None,
        },
        _ => None,
    }
}
