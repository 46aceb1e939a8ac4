//! Uploading, by the rules of the documentation's page "Uploading and Downloading Files": parts of
//! 512 KiB, small files by `upload.saveFilePart`, those above 10 MiB by `upload.saveBigFilePart`.

use std::path::Path;
use std::sync::Arc;

use layer_tl_types as tl;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::JoinSet;

use super::outgoing::Sample;
use super::{IN_FLIGHT, Progress, mime_of};
use crate::client::{BoxFuture, Client};
use crate::error::{Error, Result};
use crate::messages::{InputMessage, Message, random_id};
use crate::peers::PeerRef;

/// Bytes of a part; the last may be shorter.
const PART: usize = 512 * 1024;
/// Above this size a file is a big one.
const BIG: u64 = 10 * 1024 * 1024;
/// What the server takes at most, of accounts with Premium.
const MAX_PARTS: u64 = 8000;

/// Where an upload's bytes come from.
pub struct Upload<'a> {
    source: Source<'a>,
    name: String,
    progress: Option<Progress<'a>>,
}

enum Source<'a> {
    Path(&'a Path),
    Bytes(&'a [u8]),
    // Boxed, so that an upload may be used where a shorter-lived one is wanted.
    Reader(Box<dyn AsyncRead + Send + Unpin + 'a>, u64),
}

impl<'a> Upload<'a> {
    /// A file of this machine, under its own name.
    pub fn path<P: AsRef<Path> + ?Sized>(path: &'a P) -> Self {
        let path = path.as_ref();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        Self {
            source: Source::Path(path),
            name,
            progress: None,
        }
    }

    /// Bytes in memory.
    pub fn bytes(name: impl Into<String>, bytes: &'a [u8]) -> Self {
        Self {
            source: Source::Bytes(bytes),
            name: name.into(),
            progress: None,
        }
    }

    /// A reader that gives exactly `size` bytes.
    pub fn reader(
        name: impl Into<String>,
        reader: &'a mut (dyn AsyncRead + Send + Unpin),
        size: u64,
    ) -> Self {
        Self {
            source: Source::Reader(Box::new(reader), size),
            name: name.into(),
            progress: None,
        }
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
}

impl Upload<'_> {
    pub(super) fn file_name(&self) -> &str {
        &self.name
    }

    /// What can be looked at before it is uploaded; a reader gives its bytes only once.
    #[cfg(feature = "media-info")]
    pub(super) fn sample(&self) -> Option<Sample> {
        match &self.source {
            Source::Path(path) => Some(Sample::Path((*path).to_owned())),
            Source::Bytes(bytes) => Some(Sample::of(bytes)),
            Source::Reader(..) => None,
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

impl<'a> From<&'a std::path::PathBuf> for Upload<'a> {
    fn from(path: &'a std::path::PathBuf) -> Self {
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
    /// When the file cannot be read or is empty or too large, and what Telegram answers
    /// (`upload.saveFilePart`, `upload.saveBigFilePart`).
    pub async fn upload_file<'a>(&'a self, upload: impl Into<Upload<'a>>) -> Result<UploadedFile> {
        self.upload(upload.into()).await
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
        let file = self.upload(upload.into()).await?;
        self.send(peer.into(), caption.into().media(file.as_document()))
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
        let file = self.upload(upload.into()).await?;
        self.send(peer.into(), caption.into().media(file.as_photo()))
            .await
    }

    fn upload<'a>(&'a self, upload: Upload<'a>) -> BoxFuture<'a, Result<UploadedFile>> {
        Box::pin(async move {
            let Upload {
                source,
                name,
                progress,
            } = upload;
            match source {
                Source::Path(path) => {
                    let mut file = tokio::fs::File::open(path).await?;
                    let size = file.metadata().await?.len();
                    self.upload_parts(&mut file, size, name, progress).await
                }
                Source::Bytes(mut bytes) => {
                    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                    self.upload_parts(&mut bytes, size, name, progress).await
                }
                Source::Reader(mut reader, size) => {
                    self.upload_parts(&mut *reader, size, name, progress).await
                }
            }
        })
    }

    async fn upload_parts(
        &self,
        reader: &mut (dyn AsyncRead + Send + Unpin),
        size: u64,
        name: String,
        progress: Option<Progress<'_>>,
    ) -> Result<UploadedFile> {
        let parts = size.div_ceil(u64::try_from(PART).unwrap_or(1));
        if size == 0 {
            return Err(Error::input(
                "the file is empty; Telegram takes files of at least one byte",
            ));
        }
        if parts > MAX_PARTS {
            return Err(Error::input(
                "the file is too large; Telegram takes at most 4 GB",
            ));
        }
        let total = i32::try_from(parts).unwrap_or(i32::MAX);
        let file_id = random_id()?;
        let big = size > BIG;

        let mut calls: JoinSet<Result<u64>> = JoinSet::new();
        let mut done = 0;
        for part in 0..total {
            let left = size - u64::try_from(part).unwrap_or(0) * u64::try_from(PART).unwrap_or(1);
            let mut bytes = vec![0; PART.min(usize::try_from(left).unwrap_or(PART))];
            reader.read_exact(&mut bytes).await?;
            if calls.len() >= IN_FLIGHT {
                finish(&mut calls, &mut done, size, progress).await?;
            }
            let client = self.clone();
            calls.spawn(save_part(
                client,
                file_id,
                part,
                big.then_some(total),
                bytes,
            ));
        }
        while !calls.is_empty() {
            finish(&mut calls, &mut done, size, progress).await?;
        }
        let input = if big {
            tl::types::InputFileBig {
                id: file_id,
                parts: total,
                name: name.clone(),
            }
            .into()
        } else {
            // The checksum is optional: the transport has its own.
            let md5_checksum = String::new();
            tl::types::InputFile {
                id: file_id,
                parts: total,
                name: name.clone(),
                md5_checksum,
            }
            .into()
        };
        Ok(UploadedFile { input, name, size })
    }
}

async fn finish(
    calls: &mut JoinSet<Result<u64>>,
    done: &mut u64,
    size: u64,
    progress: Option<Progress<'_>>,
) -> Result<()> {
    if let Some(saved) = calls.join_next().await {
        *done += saved.map_err(|error| Error::Io(Arc::new(error.into())))??;
        if let Some(progress) = progress {
            progress(*done, size);
        }
    }
    Ok(())
}

async fn save_part(
    client: Client,
    file_id: i64,
    file_part: i32,
    total: Option<i32>,
    bytes: Vec<u8>,
) -> Result<u64> {
    let len = u64::try_from(bytes.len()).unwrap_or(0);
    let turn = usize::try_from(file_part).unwrap_or_default();
    let saved = if let Some(file_total_parts) = total {
        let request = tl::functions::upload::SaveBigFilePart {
            file_id,
            file_part,
            file_total_parts,
            bytes,
        };
        client.invoke_for_files(None, turn, &request).await?
    } else {
        let request = tl::functions::upload::SaveFilePart {
            file_id,
            file_part,
            bytes,
        };
        client.invoke_for_files(None, turn, &request).await?
    };
    if saved {
        Ok(len)
    } else {
        Err(crate::messages::unexpected(
            "upload.saveFilePart",
            "the server did not keep the part",
        ))
    }
}
