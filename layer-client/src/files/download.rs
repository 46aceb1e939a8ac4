//! Downloading: [`Client::download`], and where the bytes may go.

mod calls;
mod driver;
mod path;
mod reader;
mod stream;

use std::ops::{Bound, RangeBounds};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};

use self::driver::Driver;
use self::path::Target;
pub(in crate::files) use self::path::replace;
pub use self::reader::FileReader;
pub use self::stream::DownloadStream;
use super::control::Hooks;
use super::remote::Remote;
use super::transfer::download::Settings;
use super::transfer::set::PartSet;
use super::{Downloadable, Progress, TransferControl, window};
use crate::client::{BoxFuture, Client};
use crate::error::{Error, Result};
use crate::messages::Message;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
/// Parts that are under way over each connection: those that wait there are sealed and decrypted together.
const EACH: usize = 8;
/// Bytes of a part, unless others are wanted. Larger ones are fewer that wait together.
const PART: u64 = 512 * KIB;
/// The most that is taken into memory at once.
const MEMORY_LIMIT: u64 = 2 << 30;

/// A download that was not begun yet: [`Client::download`].
///
/// Parts are fetched side by side over several connections
/// ([`Config::file_connections`](crate::Config::file_connections)). Whatever can be mended on the way
/// is: waits that the server wants, lost connections, files that lie elsewhere, file references that
/// ran out, and files on CDNs, whose bytes are compared with their hashes before anybody sees them.
#[must_use = "nothing is downloaded until a place for it is named"]
pub struct Download<'a> {
    client: Client,
    /// Or why there is none.
    file: Result<Remote>,
    from: u64,
    to: Option<u64>,
    progress: Option<Progress<'a>>,
    control: Option<TransferControl>,
    part: Option<u64>,
    window: Option<usize>,
    cdn: bool,
    verify: bool,
    resume: bool,
    every: Duration,
}

impl<'a> Download<'a> {
    pub(in crate::files) fn of(client: &Client, file: Result<Remote>) -> Self {
        Self {
            client: client.clone(),
            file,
            from: 0,
            to: None,
            progress: None,
            control: None,
            part: None,
            window: None,
            cdn: true,
            verify: false,
            resume: true,
            every: Duration::from_secs(1),
        }
    }

    /// Is told how far it has come.
    pub fn progress(mut self, progress: Progress<'a>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Is steered and looked at through this handle.
    pub fn control(mut self, control: &TransferControl) -> Self {
        self.control = Some(control.clone());
        self
    }

    /// Only these bytes of the file. What lies beyond its end is left out.
    pub fn range(mut self, range: impl RangeBounds<u64>) -> Self {
        self.from = match range.start_bound() {
            Bound::Included(from) => *from,
            Bound::Excluded(before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        self.to = match range.end_bound() {
            Bound::Included(last) => last.checked_add(1),
            Bound::Excluded(to) => Some(*to),
            Bound::Unbounded => None,
        };
        self
    }

    /// Only the bytes from this one on.
    pub fn from(self, offset: u64) -> Self {
        self.range(offset..)
    }

    /// How many parts are under way or in memory at a time at most: eight for each connection
    /// ([`Config::file_connections`](crate::Config::file_connections)) by default, of half a MiB each,
    /// and fewer where the line is slow.
    pub fn window(mut self, parts: usize) -> Self {
        self.window = Some(parts);
        self
    }

    /// Bytes of a part: a power of two from 4 KiB to a MiB; other sizes are rounded down to one. Half a
    /// MiB by default.
    pub fn part_size(mut self, bytes: u64) -> Self {
        let bytes = bytes.clamp(4 * KIB, MIB);
        self.part = Some(1 << bytes.ilog2());
        self
    }

    /// Whether the file may be fetched from a CDN, where there is one (page `cdn`). It may by default.
    pub fn cdn(mut self, allowed: bool) -> Self {
        self.cdn = allowed;
        self
    }

    /// Compares what Telegram's own data centres send with the hashes that they give
    /// (`upload.getFileHashes`), if they have any that fit. What comes from a CDN is always compared.
    pub fn verify(mut self, verify: bool) -> Self {
        self.verify = verify;
        self
    }

    /// Whether [`to_path`](Self::to_path) goes on with what an earlier download to the same path
    /// left, and leaves something for a later one. It does by default. What is downloaded of a file of the
    /// web is compared with what was there before, so that all of it is of one version.
    pub fn resume(mut self, resume: bool) -> Self {
        self.resume = resume;
        self
    }

    /// How often [`to_path`](Self::to_path) syncs and writes down what it has: every second by
    /// default. So much at most is fetched again after a crash.
    pub fn checkpoint_every(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }

    /// Downloads it to a file.
    ///
    /// The bytes are written to `NAME.part` beside the path, and the file gets its name when they are
    /// complete. Beside it `NAME.part.state` says which of them are on the disk, so that a download of
    /// the same file to the same path goes on from there: after a crash at any moment, a lost network,
    /// [`TransferControl::cancel`], or when the future was dropped. When Telegram refuses the file,
    /// nothing is left.
    ///
    /// # Errors
    /// When there is no file to download, when it cannot be written or another download is writing it,
    /// and what Telegram answers (`upload.getFile`).
    pub async fn to_path(self, path: impl AsRef<Path>) -> Result<()> {
        self.write_to(path.as_ref().to_owned()).await
    }

    /// Downloads it into a writer, in order.
    ///
    /// # Errors
    /// As [`to_path`](Self::to_path), and what the writer says.
    pub async fn to_writer(self, writer: &mut (dyn AsyncWrite + Send + Unpin)) -> Result<()> {
        self.pour_into(writer).await
    }

    /// Downloads it into memory: 2 GiB at most.
    ///
    /// # Errors
    /// As [`to_path`](Self::to_path).
    pub async fn bytes(self) -> Result<Vec<u8>> {
        self.collect().await
    }

    /// The bytes as they come, in order.
    ///
    /// ```no_run
    /// # async fn example(
    /// #     client: layer_client::Client,
    /// #     message: layer_client::Message,
    /// # ) -> Result<(), layer_client::Error> {
    /// let mut chunks = client.download(&message).from(1 << 20).stream()?;
    /// while let Some(chunk) = chunks.next().await {
    ///     println!("{} bytes more", chunk?.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When there is no file to download.
    pub fn stream(self) -> Result<DownloadStream<'a>> {
        Ok(DownloadStream::new(self.begin()?))
    }

    /// The file to be read from, and to be jumped about in.
    ///
    /// # Errors
    /// When there is no file to download.
    pub fn reader(self) -> Result<FileReader<'a>> {
        let (client, file, settings, hooks, _) = self.settle()?;
        // Whoever jumps about wants little from each place.
        let settings = Settings {
            first: 1,
            ..settings
        };
        Ok(FileReader::new(client, file, settings, hooks))
    }

    fn begin(self) -> Result<Driver<'a>> {
        let (client, file, settings, hooks, _) = self.settle()?;
        Ok(Driver::new(
            client,
            file,
            settings,
            PartSet::default(),
            hooks,
        ))
    }

    /// What was said, and what follows from the file's size.
    #[allow(clippy::type_complexity)] // taken apart at once
    fn settle(self) -> Result<(Client, Remote, Settings, Hooks<'a>, Target)> {
        let file = self.file?;
        let (size, web) = (file.size(), file.is_web());
        let (first, most) = window(&self.client, self.window, EACH);
        let settings = Settings {
            size,
            from: self.from.min(size.unwrap_or(u64::MAX)),
            to: self.to,
            part: self.part.unwrap_or(PART),
            first,
            most,
            in_order: true,
            cdn: self.cdn,
            // There are no hashes of what lies in the web.
            verify: self.verify && !web,
        };
        let hooks = Hooks::new(self.progress, self.control);
        let target = Target {
            path: PathBuf::new(),
            resume: self.resume,
            every: self.every,
        };
        Ok((self.client, file, settings, hooks, target))
    }

    fn write_to(self, path: PathBuf) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (client, file, settings, hooks, target) = self.settle()?;
            let target = Target { path, ..target };
            path::download(client, file, settings, hooks, target).await
        })
    }

    fn pour_into<'b>(
        self,
        writer: &'b mut (dyn AsyncWrite + Send + Unpin),
    ) -> BoxFuture<'b, Result<()>>
    where
        'a: 'b,
    {
        Box::pin(async move {
            let mut driver = self.begin()?;
            while let Some(chunk) = driver.next().await {
                let chunk = chunk?;
                driver.rest();
                writer.write_all(&chunk.bytes).await?;
                driver.taken(chunk.part);
            }
            writer.flush().await?;
            Ok(())
        })
    }

    fn collect(self) -> BoxFuture<'a, Result<Vec<u8>>> {
        Box::pin(async move {
            let too_large = || Error::input("the file is too large for memory; download to a path");
            let mut driver = self.begin()?;
            let total = driver.plan().progress().1.unwrap_or(0);
            if total > MEMORY_LIMIT {
                return Err(too_large());
            }
            let mut all = Vec::new();
            while let Some(chunk) = driver.next().await {
                let chunk = chunk?;
                if all.is_empty() {
                    // Not before it is seen that there is such a file.
                    all.reserve_exact(usize::try_from(total).unwrap_or(0));
                }
                let len = all.len().saturating_add(chunk.bytes.len());
                if u64::try_from(len).is_ok_and(|len| len > MEMORY_LIMIT) {
                    return Err(too_large());
                }
                all.extend_from_slice(&chunk.bytes);
                driver.taken(chunk.part);
            }
            Ok(all)
        })
    }
}

impl Client {
    /// Downloads a file: that of a message, a [`FileLocation`](super::FileLocation) or another [`Downloadable`].
    ///
    /// ```no_run
    /// # async fn example(
    /// #     client: layer_client::Client,
    /// #     message: layer_client::Message,
    /// # ) -> Result<(), layer_client::Error> {
    /// client.download(&message).to_path("holiday.mp4").await?;
    /// let beginning = client.download(&message).range(..100).bytes().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn download<'a>(&self, file: impl Downloadable) -> Download<'a> {
        let file = file.file_location().map(Remote::File);
        let none = || Error::input("there is no photo or file to download");
        Download::of(self, file.ok_or_else(none))
    }

    /// Downloads the photo or file of a message to a path: see [`Download::to_path`].
    ///
    /// # Errors
    /// As [`Download::to_path`].
    pub async fn download_media(&self, message: &Message, path: impl AsRef<Path>) -> Result<()> {
        self.download(message).to_path(path).await
    }

    /// As [`download_media`](Self::download_media), and tells how far it has come.
    ///
    /// # Errors
    /// As [`Download::to_path`].
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
    /// As [`Download::bytes`].
    pub async fn download_bytes(&self, message: &Message) -> Result<Vec<u8>> {
        self.download(message).bytes().await
    }
}
