//! How an [`OutgoingMedia`] becomes what the raw API takes, and sending it.

use layer_tl_types as tl;

use super::attributes::attributes;
use super::info::{self, FileInfo};
use super::source::{Again, Source, by_reference};
use super::{Kind, MediaSource, Options, OutgoingMedia, What};
use crate::client::{BoxFuture, Client};
use crate::error::{Error, Result};
use crate::files::{FileLocation, UploadedFile};
use crate::messages::{InputMessage, Message};
use crate::peers::PeerRef;

/// What can be sent now.
pub(super) struct Prepared {
    pub(super) media: tl::enums::InputMedia,
    /// Where the file reference in it is got anew, if there is one.
    pub(super) file: Option<FileLocation>,
    /// What was uploaded for it, some of which the server may have lost by the time it is sent.
    pub(super) uploaded: Option<UploadedFile>,
    pub(super) caption: InputMessage,
}

impl Client {
    /// Uploads what has to be uploaded, and sends it with a caption. What else the
    /// [`InputMessage`] says goes for it too.
    ///
    /// ```no_run
    /// # async fn example(client: layer_client::Client) -> layer_client::Result<()> {
    /// use layer_client::InputMessage;
    /// use layer_client::files::OutgoingMedia;
    ///
    /// let caption = InputMessage::markdown("**Look!**").reply_to(17).silent(true);
    /// let photo = OutgoingMedia::photo("cat.jpg").spoiler(true);
    /// client.send_media("me", photo, caption).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When a file cannot be read or the peer cannot be found, and what Telegram answers
    /// (`upload.saveFilePart`, `messages.sendMedia`).
    pub async fn send_media<'a>(
        &'a self,
        peer: impl Into<PeerRef>,
        media: OutgoingMedia<'a>,
        caption: impl Into<InputMessage>,
    ) -> Result<Message> {
        self.send_outgoing(peer.into(), media, caption.into()).await
    }

    /// Puts another medium, and another caption unless that is empty, in the place of those of a
    /// message.
    ///
    /// # Errors
    /// As [`send_media`](Self::send_media) and [`edit_message`](Self::edit_message).
    pub async fn edit_media<'a>(
        &'a self,
        peer: impl Into<PeerRef>,
        msg_id: i32,
        media: OutgoingMedia<'a>,
        caption: impl Into<InputMessage>,
    ) -> Result<Message> {
        self.edit_outgoing(peer.into(), msg_id, media, caption.into())
            .await
    }

    /// Uploads what has to be uploaded, and makes of it what
    /// [`InputMessage::media`] and the raw API take.
    ///
    /// # Errors
    /// When a file cannot be read, and what Telegram answers (`upload.saveFilePart`).
    pub async fn input_media<'a>(
        &'a self,
        media: OutgoingMedia<'a>,
    ) -> Result<tl::enums::InputMedia> {
        Ok(media.prepare(self).await?.media)
    }

    fn send_outgoing<'a>(
        &'a self,
        peer: PeerRef,
        media: OutgoingMedia<'a>,
        message: InputMessage,
    ) -> BoxFuture<'a, Result<Message>> {
        Box::pin(async move {
            // Before the upload, which may take its time.
            let peer = self.resolve(peer).await?;
            let prepared = media.prepare(self).await?;
            let message = message.or_caption(prepared.caption).media(prepared.media);
            let send = || self.send_file_of((&peer).into(), message.clone(), prepared.file.clone());
            UploadedFile::mended(prepared.uploaded.as_ref(), self, send).await
        })
    }

    fn edit_outgoing<'a>(
        &'a self,
        peer: PeerRef,
        msg_id: i32,
        media: OutgoingMedia<'a>,
        message: InputMessage,
    ) -> BoxFuture<'a, Result<Message>> {
        Box::pin(async move {
            let peer = self.resolve(peer).await?;
            let prepared = media.prepare(self).await?;
            let message = message.or_caption(prepared.caption).media(prepared.media);
            let edit = || {
                let file = prepared.file.clone();
                self.edit_file_of((&peer).into(), msg_id, message.clone(), file)
            };
            UploadedFile::mended(prepared.uploaded.as_ref(), self, edit).await
        })
    }
}

impl<'a> OutgoingMedia<'a> {
    /// Uploads what is not uploaded yet.
    pub(super) fn prepare(self, client: &'a Client) -> BoxFuture<'a, Result<Prepared>> {
        Box::pin(async move {
            let Self {
                what,
                options,
                caption,
            } = self;
            let (spoiler, ttl_seconds) = (options.spoiler, options.ttl_seconds);
            let (mut origin, mut kept) = (None, None);
            let media = match what {
                What::Raw(media) => *media,
                What::Nothing => {
                    return Err(Error::input("a medium of this kind cannot be sent again"));
                }
                What::PhotoUrl(url) => tl::types::InputMediaPhotoExternal {
                    spoiler,
                    url,
                    ttl_seconds,
                }
                .into(),
                What::DocumentUrl(url) => tl::types::InputMediaDocumentExternal {
                    spoiler,
                    url,
                    ttl_seconds,
                    video_cover: None,
                    video_timestamp: None,
                }
                .into(),
                What::File(kind, Source::Received(file)) => {
                    let file = file.ok_or_else(|| {
                        Error::input("this medium is no photo or file; send a copy of it")
                    })?;
                    check_shape(kind, &file)?;
                    let media = by_reference(
                        &file,
                        Again {
                            spoiler,
                            ttl_seconds,
                        },
                    )?;
                    origin = Some(file);
                    media
                }
                What::File(kind, Source::Uploaded(file)) => {
                    kept = Some(file.clone());
                    uploaded(client, kind, file, options, FileInfo::default()).await?
                }
                What::File(kind, Source::Upload(upload)) => {
                    let name = options.file_name.as_deref();
                    let mime_type = options.mime_type.clone();
                    let mime_type = mime_type
                        .unwrap_or_else(|| kind.mime_type(name.unwrap_or(upload.file_name())));
                    let info = match kind.look(&options, &mime_type) {
                        Some(look) => match upload.sample() {
                            Some(sample) => info::read(sample, look).await,
                            None => FileInfo::default(),
                        },
                        None => FileInfo::default(),
                    };
                    let file = client.upload_file(upload).await?;
                    kept = Some(file.clone());
                    uploaded(client, kind, file, options, info).await?
                }
            };
            Ok(Prepared {
                media,
                file: origin,
                uploaded: kept,
                caption,
            })
        })
    }
}

/// A photo is no document, nor the other way round; the server would say so less plainly.
fn check_shape(kind: Kind, file: &FileLocation) -> Result<()> {
    let photo = matches!(
        file.raw(),
        tl::enums::InputFileLocation::InputPhotoFileLocation(_)
    );
    match (kind, photo) {
        (Kind::Photo, false) => Err(Error::input(
            "a received file cannot be sent as a photo without uploading it; send it as a document",
        )),
        (Kind::Photo, true) | (_, false) => Ok(()),
        (_, true) => Err(Error::input(
            "a received photo cannot be sent as a file without uploading it; send it as a photo",
        )),
    }
}

/// A file that was uploaded, as what it shall be.
async fn uploaded<'a>(
    client: &'a Client,
    kind: Kind,
    file: UploadedFile,
    mut options: Options<'a>,
    info: FileInfo,
) -> Result<tl::enums::InputMedia> {
    if kind == Kind::Photo {
        return Ok(tl::types::InputMediaUploadedPhoto {
            spoiler: options.spoiler,
            file: file.input().clone(),
            stickers: None,
            ttl_seconds: options.ttl_seconds,
        }
        .into());
    }
    let thumb = match options.thumbnail.take() {
        None => None,
        Some(MediaSource(thumb)) => {
            let thumb = thumb.uploaded(client, "a thumbnail").await?;
            Some(thumb.input().clone())
        }
    };
    let name = options.file_name.as_deref().unwrap_or(file.name());
    let mime_type = options.mime_type.clone();
    let mime_type = mime_type.unwrap_or_else(|| kind.mime_type(name));
    let attributes = attributes(kind, &options, info, name, &mime_type);
    Ok(tl::types::InputMediaUploadedDocument {
        // A video without sound would become an animation otherwise.
        nosound_video: kind == Kind::Video && options.ttl_seconds.is_none(),
        force_file: options.force_file.unwrap_or(kind == Kind::Document),
        spoiler: options.spoiler,
        file: file.input().clone(),
        thumb,
        mime_type,
        attributes,
        stickers: None,
        video_cover: None,
        video_timestamp: None,
        ttl_seconds: options.ttl_seconds,
    }
    .into())
}
