//! A download to a path, which goes on after a crash where it was.
//!
//! The bytes go to `NAME.part` beside the path, each part in its place as it comes. Every second or so
//! what was written is synced, and only then `NAME.part.state` is replaced by one that counts it: a
//! part that is counted is on the disk, whatever happens. At the end the file gets its name.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::task::{JoinHandle, spawn_blocking};

use super::driver::Driver;
use crate::client::Client;
use crate::disk::{beside, sync_directory};
use crate::error::{Error, Result};
use crate::files::control::Hooks;
use crate::files::remote::Remote;
use crate::files::saver::{Saver, Saving};
use crate::files::transfer::checkpoint::{self, DownloadOf, DownloadState};
use crate::files::transfer::download::{Chunk, Settings};
use crate::files::transfer::set::PartSet;

/// How a download to a path is done.
pub(super) struct Target {
    pub(super) path: PathBuf,
    /// Whether to go on with what an earlier one left, and to leave something for a later one.
    pub(super) resume: bool,
    /// How often what is done is written down.
    pub(super) every: Duration,
}

/// The files beside the path. What is no use to anybody goes with this.
struct Beside {
    part: PathBuf,
    state: PathBuf,
    keep: bool,
}

impl Beside {
    fn of(path: &Path) -> Self {
        Self {
            part: beside(path, ".part"),
            state: beside(path, ".part.state"),
            keep: false,
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if !self.keep {
            // Nothing better can be done about what cannot be removed.
            drop(fs::remove_file(&self.part));
            drop(fs::remove_file(&self.state));
        }
        // Of a checkpoint that was cut short.
        drop(fs::remove_file(unfinished(&self.state)));
    }
}

pub(super) async fn download(
    client: Client,
    file: Remote,
    mut settings: Settings,
    hooks: Hooks<'_>,
    target: Target,
) -> Result<()> {
    settings.in_order = false;
    let of = settings
        .size
        .filter(|_| target.resume)
        .map(|size| DownloadOf {
            file: file.identity(),
            dc_id: file.dc_id(),
            size,
            from: settings.from,
            to: settings.to.unwrap_or(size),
            part: settings.part,
        });
    let path = target.path.clone();
    let wanted = of.clone();
    let opened = blocking(move || open(&path, wanted.as_ref())).await?;
    let (out, mut beside, done) = opened;
    beside.keep = done.count() > 0;
    let mut writer = Writer {
        base: settings.from,
        driver: Driver::new(client, file, settings, done, hooks),
        out: Arc::new(out),
        batch: Vec::new(),
        writing: None,
        of,
        saver: Saver::new(target.every),
        beside,
    };
    let outcome = std::future::poll_fn(|cx| writer.poll(cx)).await;
    match outcome {
        Ok(()) => writer.finish(target.path).await,
        Err(error) => {
            writer.give_up(&error).await;
            Err(error)
        }
    }
}

/// Opens the file for the parts, with those that are in it already. Nobody else may have it.
fn open(path: &Path, of: Option<&DownloadOf>) -> io::Result<(File, Beside, PartSet)> {
    let mut beside = Beside::of(path);
    // Until we have it, it is another's.
    beside.keep = true;
    let file = loop {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&beside.part)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let name = beside.part.display();
                let message = format!("{name} is being written by another download");
                return Err(io::Error::new(io::ErrorKind::ResourceBusy, message));
            }
            // Not every file system has locks.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Another download may have given it its name before we had it.
        if beside.part.try_exists()? {
            break file;
        }
    };
    beside.keep = false;
    let done = of.and_then(|of| {
        let mut bytes = Vec::new();
        let state = File::open(&beside.state).ok()?;
        state
            .take(checkpoint::LONGEST)
            .read_to_end(&mut bytes)
            .ok()?;
        let state: DownloadState =
            checkpoint::decode(&bytes).filter(|s: &DownloadState| s.fits(of))?;
        // What is counted is there, unless somebody else shortened the file.
        let last = state.done.iter().last()?;
        let end = last
            .saturating_add(1)
            .saturating_mul(of.part)
            .min(of.to)
            .saturating_sub(of.from);
        (file.metadata().ok()?.len() >= end).then_some(state.done)
    });
    if done.is_none() {
        file.set_len(0)?;
        match fs::remove_file(&beside.state) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok((file, beside, done.unwrap_or_default()))
}

struct Writer<'a> {
    driver: Driver<'a>,
    out: Arc<File>,
    /// Where in the remote file ours begins.
    base: u64,
    /// What came while the last batch was being written.
    batch: Vec<Chunk>,
    writing: Option<JoinHandle<io::Result<Vec<u64>>>>,
    /// What the checkpoint is of; without it there is none.
    of: Option<DownloadOf>,
    saver: Saver,
    beside: Beside,
}

/// Syncs what was written, and then counts it.
fn save(
    of: Option<&DownloadOf>,
    written: &PartSet,
    out: &Arc<File>,
    beside: &Beside,
) -> Option<Saving> {
    let state = DownloadState {
        of: of?.clone(),
        done: written.clone(),
    };
    let (out, path) = (out.clone(), beside.state.clone());
    Some(spawn_blocking(move || {
        out.sync_data()?;
        replace(&path, &checkpoint::encode(&state))
    }))
}

impl Writer<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        loop {
            let save = || {
                save(
                    self.of.as_ref(),
                    self.driver.plan().done(),
                    &self.out,
                    &self.beside,
                )
            };
            if self.saver.poll(cx, save)? {
                self.beside.keep = true;
            }
            let ended = loop {
                match self.driver.poll_chunk(cx) {
                    Poll::Ready(Some(Ok(chunk))) => self.batch.push(chunk),
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                    Poll::Ready(None) => break true,
                    Poll::Pending => break false,
                }
            };
            if self.writing.is_none() && !self.batch.is_empty() {
                let batch = std::mem::take(&mut self.batch);
                let (out, base) = (self.out.clone(), self.base);
                self.writing = Some(spawn_blocking(move || write(&out, base, batch)));
            }
            let Some(writing) = &mut self.writing else {
                if ended && self.saver.is_idle() {
                    return Poll::Ready(Ok(()));
                }
                return Poll::Pending;
            };
            let written = ready!(Pin::new(writing).poll(cx));
            self.writing = None;
            for part in written.map_err(io::Error::other)?? {
                self.saver.changed();
                self.driver.taken(part);
            }
        }
    }

    /// All parts are there: the file gets its name.
    async fn finish(self, path: PathBuf) -> Result<()> {
        let Self {
            out,
            mut beside,
            driver,
            ..
        } = self;
        let size = driver.plan().progress().0;
        drop(driver);
        blocking(move || {
            out.set_len(size)?;
            out.sync_all()?;
            beside.keep = true;
            fs::rename(&beside.part, &path)?;
            // Not every file system can; where it cannot, there is no need to.
            drop(sync_directory(&path));
            match fs::remove_file(&beside.state) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        })
        .await
    }

    /// It failed: what is worth going on with is counted, and the rest goes.
    async fn give_up(mut self, error: &Error) {
        let refused = error.rpc().is_some_and(|error| !error.is_server_failure());
        if let Some(writing) = self.writing.take()
            && let Ok(Ok(parts)) = writing.await
        {
            for part in parts {
                self.driver.taken(part);
                self.saver.changed();
            }
        }
        if refused || self.of.is_none() {
            self.beside.keep = false;
        }
        let save = || {
            save(
                self.of.as_ref(),
                self.driver.plan().done(),
                &self.out,
                &self.beside,
            )
        };
        match self.saver.finish(save).await {
            Ok(saved) => self.beside.keep |= saved && !refused,
            Err(error) => log::warn!("how far the download came was not written down: {error}"),
        }
    }
}

/// Writes the parts to their places.
fn write(mut out: &File, base: u64, batch: Vec<Chunk>) -> io::Result<Vec<u64>> {
    let mut parts = Vec::with_capacity(batch.len());
    for chunk in batch {
        out.seek(SeekFrom::Start(chunk.offset.saturating_sub(base)))?;
        out.write_all(&chunk.bytes)?;
        parts.push(chunk.part);
    }
    Ok(parts)
}

/// Replaces a small file by another one, as a whole or not at all.
pub(in crate::files) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = unfinished(path);
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// Where a file is written that is to replace another one.
fn unfinished(path: &Path) -> PathBuf {
    beside(path, ".new")
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T> {
    let done = spawn_blocking(work).await.map_err(io::Error::other);
    Ok(done.flatten()?)
}
