//! Uploading, by the rules of the documentation's page "Uploading and Downloading Files": small files
//! by `upload.saveFilePart`, those above 10 MiB and those whose size nobody knows by
//! `upload.saveBigFilePart`.

mod begin;
mod driver;
mod source;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use layer_tl_types as tl;
use tokio::io::AsyncRead;

use self::begin::Again;
use self::source::Source;
use super::outgoing::Sample;
use super::{Progress, TransferControl, mime_of};
use crate::client::{BoxFuture, Client};
use crate::error::{Error, Result};
use crate::messages::{InputMessage, Message};
use crate::peers::PeerRef;

/// What is to be uploaded: where its bytes come from, and how.
///
/// Parts are sent side by side over several connections, and stay in memory until the server has
/// them: as many as [`window`](Self::window) says, and one more of a source whose size is not known.
/// Waits that the server wants, lost connections and failures of the server do not end an upload.
pub struct Upload<'a> {
    source: Source<'a>,
    name: String,
    progress: Option<Progress<'a>>,
    control: Option<TransferControl>,
    window: Option<usize>,
    checkpoint: Option<PathBuf>,
    every: Duration,
}

impl<'a> Upload<'a> {
    /// A file of this machine, under its own name.
    pub fn path<P: AsRef<Path> + ?Sized>(path: &'a P) -> Self {
        let path = path.as_ref();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        Self::of(name.unwrap_or_default(), Source::Path(path))
    }

    fn of(name: String, source: Source<'a>) -> Self {
        Self {
            source,
            name,
            progress: None,
            control: None,
            window: None,
            checkpoint: None,
            every: Duration::from_secs(1),
        }
    }

    /// Bytes in memory.
    pub fn bytes(name: impl Into<String>, bytes: &'a [u8]) -> Self {
        Self::of(name.into(), Source::Bytes(bytes))
    }

    /// A reader that gives exactly `size` bytes.
    pub fn reader(
        name: impl Into<String>,
        reader: &'a mut (dyn AsyncRead + Send + Unpin),
        size: u64,
    ) -> Self {
        Self::of(name.into(), Source::Reader(Box::new(reader), Some(size)))
    }

    /// A reader that gives bytes until it ends, nobody knows how many. (Telegram takes photos of
    /// more than half a MiB only if their size was said.)
    pub fn reader_to_end(
        name: impl Into<String>,
        reader: &'a mut (dyn AsyncRead + Send + Unpin),
    ) -> Self {
        Self::of(name.into(), Source::Reader(Box::new(reader), None))
    }

    /// Chunks of bytes, of any length, until there are no more. An error among them ends the upload.
    ///
    /// ```no_run
    /// # async fn example(
    /// #     client: layer_client::Client,
    /// #     body: impl futures_core::Stream<Item = std::io::Result<bytes::Bytes>> + Send,
    /// # ) -> Result<(), layer_client::Error> {
    /// use layer_client::files::Upload;
    ///
    /// client.send_file("me", Upload::stream("page.html", body), "").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream(
        name: impl Into<String>,
        chunks: impl Stream<Item = io::Result<Bytes>> + Send + 'a,
    ) -> Self {
        Self::of(name.into(), Source::Stream(Box::pin(chunks)))
    }

    /// Gives it another name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Is told how far it has come.
    #[must_use]
    pub fn progress(mut self, progress: Progress<'a>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Is steered and looked at through this handle.
    #[must_use]
    pub fn control(mut self, control: &TransferControl) -> Self {
        self.control = Some(control.clone());
        self
    }

    /// How many parts are in memory at a time at most: eight for each connection
    /// ([`Config::file_connections`](crate::Config::file_connections)) by default, and fewer where the line
    /// is slow. A part is up to half a MiB.
    #[must_use]
    pub fn window(mut self, parts: usize) -> Self {
        self.window = Some(parts);
        self
    }

    /// Writes down in this file which parts the server has, so that an upload of the same path by the
    /// same account goes on from there, after a crash or a lost network. It is for uploads of a
    /// [path](Self::path) that does not change; the server keeps parts for some hours. The file is
    /// removed when the upload is complete, or was sent by [`Client::send_file`] and its like.
    #[must_use]
    pub fn checkpoint(mut self, path: impl Into<PathBuf>) -> Self {
        self.checkpoint = Some(path.into());
        self
    }

    /// How often the [checkpoint](Self::checkpoint) is written: every second by default.
    #[must_use]
    pub fn checkpoint_every(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }
}

impl Upload<'_> {
    pub(super) fn file_name(&self) -> &str {
        &self.name
    }

    /// What can be looked at before it is uploaded; readers and streams give their bytes only once.
    #[cfg(feature = "media-info")]
    pub(super) fn sample(&self) -> Option<Sample> {
        match &self.source {
            Source::Path(path) => Some(Sample::Path((*path).to_owned())),
            Source::Bytes(bytes) => Some(Sample::of(bytes)),
            Source::Reader(..) | Source::Stream(_) => None,
        }
    }

    #[cfg(not(feature = "media-info"))]
    pub(super) fn sample(&self) -> Option<Sample> {
        None
    }
}

impl<'a> From<&'a Path> for Upload<'a> {
    fn from(path: &'a Path) -> Self {
        Self::path(path)
    }
}

impl<'a> From<&'a PathBuf> for Upload<'a> {
    fn from(path: &'a PathBuf) -> Self {
        Self::path(path)
    }
}

impl<'a> From<&'a str> for Upload<'a> {
    fn from(path: &'a str) -> Self {
        Self::path(path)
    }
}

/// A file that the server has and nobody was shown yet. It can be sent for some hours.
#[derive(Clone, Debug)]
#[must_use]
pub struct UploadedFile {
    input: tl::enums::InputFile,
    name: String,
    size: u64,
    /// Where parts are read again that the server lost meanwhile.
    again: Option<Arc<Again>>,
}

impl UploadedFile {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// As the raw API has it.
    #[must_use]
    pub fn input(&self) -> &tl::enums::InputFile {
        &self.input
    }

    /// As a photo, which Telegram makes smaller if it is large.
    #[must_use]
    pub fn as_photo(&self) -> tl::enums::InputMedia {
        tl::types::InputMediaUploadedPhoto {
            spoiler: false,
            file: self.input.clone(),
            stickers: None,
            ttl_seconds: None,
        }
        .into()
    }

    /// As a file, byte for byte, of the type that its name tells.
    #[must_use]
    pub fn as_document(&self) -> tl::enums::InputMedia {
        let attribute = tl::types::DocumentAttributeFilename {
            file_name: self.name.clone(),
        };
        tl::types::InputMediaUploadedDocument {
            nosound_video: false,
            force_file: true,
            spoiler: false,
            file: self.input.clone(),
            thumb: None,
            mime_type: mime_of(&self.name).to_owned(),
            attributes: vec![attribute.into()],
            stickers: None,
            video_cover: None,
            video_timestamp: None,
            ttl_seconds: None,
        }
        .into()
    }
}

impl Client {
    /// Uploads a file: a path, or an [`Upload`] for bytes, readers and progress.
    ///
    /// # Errors
    /// When the file cannot be read or is empty, [`Error::FileTooLarge`] before anything of it is sent,
    /// and what Telegram answers (`upload.saveFilePart`, `upload.saveBigFilePart`).
    pub async fn upload_file<'a>(&'a self, upload: impl Into<Upload<'a>>) -> Result<UploadedFile> {
        let file = self.upload(upload.into()).await?;
        file.settle().await;
        Ok(file)
    }

    /// Uploads a file and sends it as a file, with a caption.
    ///
    /// # Errors
    /// As [`upload_file`](Self::upload_file) and [`send_message`](Self::send_message).
    pub async fn send_file<'a>(
        &'a self,
        peer: impl Into<PeerRef>,
        upload: impl Into<Upload<'a>>,
        caption: impl Into<InputMessage>,
    ) -> Result<Message> {
        self.upload_and_send(
            peer.into(),
            upload.into(),
            caption.into(),
            UploadedFile::as_document,
        )
        .await
    }

    /// Uploads a picture and sends it as a photo, with a caption.
    ///
    /// # Errors
    /// As [`upload_file`](Self::upload_file) and [`send_message`](Self::send_message).
    pub async fn send_photo<'a>(
        &'a self,
        peer: impl Into<PeerRef>,
        upload: impl Into<Upload<'a>>,
        caption: impl Into<InputMessage>,
    ) -> Result<Message> {
        self.upload_and_send(
            peer.into(),
            upload.into(),
            caption.into(),
            UploadedFile::as_photo,
        )
        .await
    }

    fn upload_and_send<'a>(
        &'a self,
        peer: PeerRef,
        upload: Upload<'a>,
        caption: InputMessage,
        media: fn(&UploadedFile) -> tl::enums::InputMedia,
    ) -> BoxFuture<'a, Result<Message>> {
        Box::pin(async move {
            let peer = self.resolve(peer).await?;
            let bytes = match upload.source {
                Source::Bytes(bytes) => Some(bytes),
                _ => None,
            };
            let file = self.upload(upload).await?;
            let message = caption.media(media(&file));
            file.sent_by(self, bytes, || self.send((&peer).into(), message.clone()))
                .await
        })
    }
}

fn empty() -> Error {
    Error::input("the file is empty; Telegram takes files of at least one byte")
}
