//! Downloading: in parts, a few at a time, from the data centre that has the file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use layer_tl_types as tl;
use tokio::io::{AsyncSeekExt, AsyncWriteExt};
use tokio::task::JoinSet;

use super::{Downloadable, FileLocation, IN_FLIGHT, Progress};
use crate::client::{BoxFuture, Client};
use crate::error::{Error, Result};
use crate::messages::{Message, unexpected};

/// Bytes of a part. It divides a MiB, as the server demands.
const PART: u64 = 512 * 1024;
/// The most that is taken into memory at once.
const MEMORY_LIMIT: u64 = 2 << 30;

/// Where the parts go.
enum Sink {
    Memory(Vec<u8>),
    File(tokio::fs::File),
}

impl Sink {
    async fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Memory(all) => {
                let end = offset + u64::try_from(bytes.len()).unwrap_or(0);
                if end > MEMORY_LIMIT {
                    return Err(Error::input(
                        "the file is too large for memory; download to a path",
                    ));
                }
                let (from, end) = (usize(offset), usize(end));
                if all.len() < end {
                    all.resize(end, 0);
                }
                all[from..end].copy_from_slice(bytes);
                Ok(())
            }
            Self::File(file) => {
                file.seek(std::io::SeekFrom::Start(offset)).await?;
                file.write_all(bytes).await?;
                Ok(())
            }
        }
    }
}

fn usize(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// A download that was not begun yet: [`Client::download`].
#[must_use = "nothing is downloaded until a place for it is named"]
pub struct Download<'a> {
    client: &'a Client,
    file: Option<FileLocation>,
    progress: Option<Progress<'a>>,
}

impl<'a> Download<'a> {
    /// Is told how far it has come.
    pub fn progress(mut self, progress: Progress<'a>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Downloads it to a file. The bytes are written beside the path and moved there when they are
    /// complete.
    ///
    /// # Errors
    /// When there is no file to download, when it cannot be written, and what Telegram answers
    /// (`upload.getFile`).
    pub async fn to_path(self, path: impl AsRef<Path>) -> Result<()> {
        self.write(path.as_ref().to_owned()).await
    }

    /// Downloads it into memory.
    ///
    /// # Errors
    /// As [`to_path`](Self::to_path).
    pub async fn bytes(self) -> Result<Vec<u8>> {
        self.collect().await
    }

    fn write(self, path: PathBuf) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let beside = beside(&path);
            let result = async {
                let file = tokio::fs::File::create(&beside).await?;
                let mut sink = Sink::File(file);
                self.run(&mut sink).await?;
                if let Sink::File(mut file) = sink {
                    file.flush().await?;
                    file.sync_all().await?;
                }
                tokio::fs::rename(&beside, &path).await?;
                Ok(())
            }
            .await;
            if result.is_err() {
                // Nothing better can be done about a rest that cannot be removed.
                drop(tokio::fs::remove_file(&beside).await);
            }
            result
        })
    }

    fn collect(self) -> BoxFuture<'a, Result<Vec<u8>>> {
        Box::pin(async move {
            let mut sink = Sink::Memory(Vec::new());
            self.run(&mut sink).await?;
            match sink {
                Sink::Memory(bytes) => Ok(bytes),
                Sink::File(_) => Ok(Vec::new()),
            }
        })
    }

    async fn run(self, sink: &mut Sink) -> Result<()> {
        let file = self
            .file
            .ok_or_else(|| Error::input("there is no photo or file to download"))?;
        let (client, progress) = (self.client, self.progress);
        match client.download_location(&file, sink, progress).await {
            // The right to fetch a file runs out; where it came from there is a new one.
            Err(error) if error.is("FILE_REFERENCE_*") => {
                let fresh = file.refresh(client).await?;
                client.download_location(&fresh, sink, progress).await
            }
            result => result,
        }
    }
}

impl Client {
    /// Downloads a file: that of a message, a [`FileLocation`] or another [`Downloadable`].
    ///
    /// ```no_run
    /// # async fn example(
    /// #     client: layer_client::Client,
    /// #     message: layer_client::Message,
    /// # ) -> Result<(), layer_client::Error> {
    /// client.download(&message).to_path("holiday.mp4").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn download(&self, file: impl Downloadable) -> Download<'_> {
        Download {
            client: self,
            file: file.file_location(),
            progress: None,
        }
    }

    /// Downloads the photo or file of a message. The bytes are written beside the path and moved
    /// there when they are complete.
    ///
    /// # Errors
    /// When the message has no file, when it cannot be written, and what Telegram answers
    /// (`upload.getFile`).
    pub async fn download_media(&self, message: &Message, path: impl AsRef<Path>) -> Result<()> {
        self.download(message).to_path(path).await
    }

    /// As [`download_media`](Self::download_media), and tells how far it has come.
    ///
    /// # Errors
    /// As [`download_media`](Self::download_media).
    pub async fn download_media_with(
        &self,
        message: &Message,
        path: impl AsRef<Path>,
        progress: Progress<'_>,
    ) -> Result<()> {
        let download = self.download(message).progress(progress);
        download.to_path(path).await
    }

    /// Downloads the photo or file of a message into memory.
    ///
    /// # Errors
    /// As [`download_media`](Self::download_media).
    pub async fn download_bytes(&self, message: &Message) -> Result<Vec<u8>> {
        self.download(message).bytes().await
    }

    async fn download_location(
        &self,
        file: &FileLocation,
        sink: &mut Sink,
        progress: Option<Progress<'_>>,
    ) -> Result<()> {
        let size = file.size.unwrap_or(0);
        // The first part tells where the file really is, and whether there is more.
        let (first, dc_id) = get_part(self, &file.location, file.dc_id, 0).await?;
        let mut done = u64::try_from(first.len()).unwrap_or(0);
        sink.write(0, &first).await?;
        let report = |done: u64| {
            if let Some(progress) = progress {
                progress(done, size.max(done));
            }
        };
        report(done);
        if done < PART {
            return whole(done, size);
        }
        let mut calls: JoinSet<Result<(u64, Vec<u8>)>> = JoinSet::new();
        let mut next = PART;
        let mut end = if size == 0 { u64::MAX } else { size };
        loop {
            // Of a file whose size nobody told, one part at a time until a short one.
            let at_once = if size == 0 { 1 } else { IN_FLIGHT };
            while calls.len() < at_once && next < end {
                let (client, location, offset) = (self.clone(), file.location.clone(), next);
                calls.spawn(async move {
                    let (bytes, _) = get_part(&client, &location, dc_id, offset).await?;
                    Ok((offset, bytes))
                });
                next += PART;
            }
            let Some(part) = calls.join_next().await else {
                return whole(done, size);
            };
            let (offset, bytes) = part.map_err(|error| Error::Io(Arc::new(error.into())))??;
            let len = u64::try_from(bytes.len()).unwrap_or(0);
            if len < PART {
                end = end.min(offset + len);
            }
            sink.write(offset, &bytes).await?;
            done += len;
            report(done);
        }
    }
}

/// Whether what came is all that was announced.
fn whole(done: u64, size: u64) -> Result<()> {
    if size == 0 || done == size {
        Ok(())
    } else {
        Err(unexpected(
            "upload.getFile",
            "the file is not as long as the message says",
        ))
    }
}

/// A name beside the path, so that the move at the end stays within one file system.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    path.with_file_name(name)
}

/// One part, and the data centre that gave it.
async fn get_part(
    client: &Client,
    location: &tl::enums::InputFileLocation,
    dc_id: i32,
    offset: u64,
) -> Result<(Vec<u8>, i32)> {
    let turn = usize::try_from(offset / PART).unwrap_or_default();
    let request = tl::functions::upload::GetFile {
        precise: false,
        cdn_supported: false,
        location: location.clone(),
        offset: i64::try_from(offset).unwrap_or(i64::MAX),
        limit: i32::try_from(PART).unwrap_or(i32::MAX),
    };
    let mut dc_id = dc_id;
    // Files move; but not twice while we look.
    for _ in 0..3 {
        match client.invoke_for_files(Some(dc_id), turn, &request).await {
            Ok(tl::enums::upload::File::File(file)) => return Ok((file.bytes, dc_id)),
            Ok(tl::enums::upload::File::CdnRedirect(_)) => {
                return Err(unexpected(
                    "upload.getFile",
                    "it lies on a CDN, which was not asked for",
                ));
            }
            Err(error) => match error.rpc().and_then(crate::RpcError::migrate_to) {
                Some(other) if other != dc_id => dc_id = other,
                _ => return Err(error),
            },
        }
    }
    Err(unexpected(
        "upload.getFile",
        "the data centres send us from one to the other",
    ))
}
