//! How an [`OutgoingMedia`] becomes what the raw API takes, and sending it.

use layer_tl_types as tl;

use super::attributes::attributes;
use super::info::{self, FileInfo};
use super::known::{KnownFiles, set_cover};
use super::source::{Again, Source, by_reference, input_photo};
use super::{Kind, MediaSource, Options, OutgoingMedia, What};
use crate::client::{BoxFuture, Client};
use crate::error::{Error, Result};
use crate::files::{FileLocation, UploadedFile};
use crate::messages::{InputMessage, Message, unexpected};
use crate::peers::{PeerRef, unusable};

/// What can be sent now.
pub(super) struct Prepared {
    pub(super) media: tl::enums::InputMedia,
    /// Where the file references in it are got anew.
    pub(super) known: KnownFiles,
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
    /// (`upload.saveFilePart`, `messages.uploadMedia` of a cover, `messages.sendMedia`).
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
    /// When a file cannot be read, and what Telegram answers (`upload.saveFilePart`,
    /// `messages.uploadMedia` of a cover).
    pub async fn input_media<'a>(
        &'a self,
        media: OutgoingMedia<'a>,
    ) -> Result<tl::enums::InputMedia> {
        let peer = tl::enums::InputPeer::PeerSelf;
        Ok(media.prepare(self, peer).await?.media)
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
            let input = peer.to_input().ok_or_else(|| unusable(peer.key()))?;
            let prepared = media.prepare(self, input).await?;
            let message = message.or_caption(prepared.caption).media(prepared.media);
            let send =
                || self.send_file_of((&peer).into(), message.clone(), prepared.known.clone());
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
            let input = peer.to_input().ok_or_else(|| unusable(peer.key()))?;
            let prepared = media.prepare(self, input).await?;
            let message = message.or_caption(prepared.caption).media(prepared.media);
            let edit = || {
                let known = prepared.known.clone();
                self.edit_file_of((&peer).into(), msg_id, message.clone(), known)
            };
            UploadedFile::mended(prepared.uploaded.as_ref(), self, edit).await
        })
    }
}

impl<'a> OutgoingMedia<'a> {
    /// Uploads what is not uploaded yet, for this peer to see.
    pub(super) fn prepare(
        self,
        client: &'a Client,
        peer: tl::enums::InputPeer,
    ) -> BoxFuture<'a, Result<Prepared>> {
        Box::pin(async move {
            let Self {
                what,
                mut options,
                caption,
            } = self;
            let may_be_video = match &what {
                What::File(kind, _) => *kind != Kind::Photo,
                What::DocumentUrl(_) => true,
                What::PhotoUrl(_) | What::Raw(_) | What::Nothing => false,
            };
            let (cover, starts_at) = (options.cover.take(), options.starts_at.take());
            if !may_be_video && (cover.is_some() || starts_at.is_some()) {
                return Err(Error::input(
                    "only a video has a cover and a moment at which it begins",
                ));
            }
            let cover = cover.map(Cover::of).transpose()?;
            let (spoiler, ttl_seconds) = (options.spoiler, options.ttl_seconds);
            let (mut known, mut kept) = (KnownFiles::default(), None);
            let mut media = match what {
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
                    known.push(file);
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
            let photo = match cover {
                None => None,
                Some(Cover::Known(photo, file)) => {
                    known.push(file);
                    Some(photo)
                }
                // After the video, which may take its time: nothing but this message has the photo.
                Some(Cover::New(picture)) => Some(client.kept_photo(peer, picture).await?),
            };
            let second = starts_at.map(|at| i32::try_from(at.as_secs()).unwrap_or(i32::MAX));
            if photo.is_some() || second.is_some() {
                set_cover(&mut media, (photo, second));
            }
            Ok(Prepared {
                media,
                known,
                uploaded: kept,
                caption,
            })
        })
    }
}

/// What a video shows until it is played.
enum Cover<'a> {
    Known(tl::enums::InputPhoto, FileLocation),
    New(Source<'a>),
}

impl<'a> Cover<'a> {
    fn of(MediaSource(source): MediaSource<'a>) -> Result<Self> {
        let Source::Received(file) = source else {
            return Ok(Self::New(source));
        };
        let photo = file.as_ref().and_then(|file| match file.raw() {
            tl::enums::InputFileLocation::InputPhotoFileLocation(at) => Some(input_photo(at)),
            _ => None,
        });
        match (photo, file) {
            (Some(photo), Some(file)) => Ok(Self::Known(photo, file)),
            _ => Err(Error::input(
                "only a photo can be the cover of a video without uploading it",
            )),
        }
    }
}

impl Client {
    /// Uploads a picture, and has the server keep it as a photo that nothing shows yet.
    async fn kept_photo<'a>(
        &'a self,
        peer: tl::enums::InputPeer,
        picture: Source<'a>,
    ) -> Result<tl::enums::InputPhoto> {
        let picture = picture.uploaded(self, "the cover of a video").await?;
        let keep = || self.keep(peer.clone(), picture.as_photo());
        match UploadedFile::mended(Some(&picture), self, keep).await? {
            tl::enums::InputMedia::Photo(photo) => Ok(photo.id),
            _ => Err(unexpected("messages.uploadMedia", "it became no photo")),
        }
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
