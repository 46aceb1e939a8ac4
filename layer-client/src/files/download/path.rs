//! A download to a path, which goes on after a crash where it was.
//!
//! The bytes go to `NAME.part` beside the path, each part in its place as it comes. Every second or so
//! what was written is synced, and only then `NAME.part.state` is replaced by one that counts it: a
//! part that is counted is on the disk, whatever happens. At the end the file gets its name.
//!
//! A file of Telegram's never changes. One of the web may: its checkpoint says of which version the parts
//! are, and as soon as the server tells of another one, the download begins anew.

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
use crate::files::remote::{Remote, Stamp, Version};
use crate::files::saver::{Saver, Saving};
use crate::files::transfer::checkpoint::{self, DownloadOf, DownloadState};
use crate::files::transfer::download::{Chunk, Settings};
use crate::files::transfer::set::PartSet;
use crate::messages::unexpected;

/// How a download to a path is done.
pub(super) struct Target {
    pub(super) path: PathBuf,
    /// Whether to go on with what an earlier one left, and to leave something for a later one.
    pub(super) resume: bool,
    /// How often what is done is written down.
    pub(super) every: Duration,
}

/// What a checkpoint has to be of.
#[derive(Clone)]
struct Sought {
    /// What tells the file from others, without its version.
    file: Vec<u8>,
    dc_id: i32,
    /// Of a file of the web, which has versions, nobody knows it before the server tells.
    size: Option<u64>,
    from: u64,
    to: Option<u64>,
    part: u64,
}

impl Sought {
    /// Nothing if nobody knows where the file ends.
    fn new(file: &Remote, settings: &Settings) -> Option<Self> {
        (settings.size.is_some() || file.is_web()).then(|| Self {
            file: file.identity(),
            dc_id: file.dc_id(),
            size: settings.size,
            from: settings.from,
            to: settings.to,
            part: settings.part,
        })
    }

    /// This very file, of this size and version.
    fn exactly(&self, size: u64, version: &[u8]) -> DownloadOf {
        DownloadOf {
            file: [&self.file, version].concat(),
            dc_id: self.dc_id,
            size,
            from: self.from,
            to: self.to.unwrap_or(size),
            part: self.part,
        }
    }

    /// Of which version the checkpoint is, if there are any.
    fn stamp(&self, of: &DownloadOf) -> Option<Stamp> {
        let version = of.file.strip_prefix(&*self.file)?;
        Stamp::from_bytes(of.size, version).filter(|_| self.size.is_none())
    }

    /// Whether a checkpoint is of this, in some version.
    fn is_that_of(&self, state: &DownloadState) -> bool {
        match (self.size, self.stamp(&state.of)) {
            (Some(size), _) => state.fits(&self.exactly(size, &[])),
            (None, Some(stamp)) => state.fits(&self.exactly(stamp.size, &stamp.to_bytes())),
            (None, None) => false,
        }
    }

    /// As it is now, as soon as that is known.
    fn now(&self, version: Option<&Arc<Version>>) -> Option<DownloadOf> {
        match self.size {
            Some(size) => Some(self.exactly(size, &[])),
            None => {
                let stamp = version?.stamp()?;
                Some(self.exactly(stamp.size, &stamp.to_bytes()))
            }
        }
    }
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
    let anew = settings.clone();
    let sought = Sought::new(&file, &settings).filter(|_| target.resume);
    let path = target.path.clone();
    let wanted = sought.clone();
    let opened = blocking(move || open(&path, wanted.as_ref())).await?;
    let (out, mut beside, left) = opened;
    let file = match &sought {
        Some(sought) if file.is_web() => {
            let stamp = left.as_ref().and_then(|left| sought.stamp(&left.of));
            settings.size = stamp.map(|stamp| stamp.size);
            file.of_version(Version::new(stamp))
        }
        _ => file,
    };
    let done = left.map(|left| left.done).unwrap_or_default();
    let resumed = done.count() > 0;
    beside.keep = resumed;
    let mut writer = Writer {
        base: settings.from,
        version: file.version().cloned(),
        driver: Driver::new(client, file, settings, done, hooks),
        out: Arc::new(out),
        batch: Vec::new(),
        writing: None,
        sought,
        saver: Saver::new(target.every),
        beside,
    };
    let mut outcome = std::future::poll_fn(|cx| writer.poll(cx)).await;
    if resumed && (writer.met_another(&outcome) || writer.is_shorter(&outcome)) {
        log::info!("the file of the web is another by now: its download begins anew");
        writer = writer.begin_anew(anew).await?;
        outcome = std::future::poll_fn(|cx| writer.poll(cx)).await;
    }
    if writer.met_another(&outcome) {
        outcome = Err(unexpected(
            "upload.getWebFile",
            "the file became another one while it was downloaded; download it again",
        ));
    }
    match outcome {
        Ok(()) => writer.finish(target.path).await,
        Err(error) => {
            writer.give_up(&error).await;
            Err(error)
        }
    }
}

/// The parts of a file of the web that are not asked for again: at least one is, and tells whether the file is
/// still the same. Nothing if there are no others.
fn but_the_last(done: &PartSet) -> Option<PartSet> {
    let last = done.iter().last()?;
    let mut others = PartSet::default();
    for part in done.iter().filter(|part| *part != last) {
        others.insert(part);
    }
    (others.count() > 0).then_some(others)
}

/// Opens the file for the parts, and says which are in it already. Nobody else may have it.
fn open(path: &Path, sought: Option<&Sought>) -> io::Result<(File, Beside, Option<DownloadState>)> {
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
    let left = sought.and_then(|sought| {
        let mut bytes = Vec::new();
        let state = File::open(&beside.state).ok()?;
        state
            .take(checkpoint::LONGEST)
            .read_to_end(&mut bytes)
            .ok()?;
        let state: DownloadState =
            checkpoint::decode(&bytes).filter(|state| sought.is_that_of(state))?;
        // What is counted is there, unless somebody else shortened the file.
        let last = state.done.iter().last()?;
        let end = last
            .saturating_add(1)
            .saturating_mul(state.of.part)
            .min(state.of.to)
            .saturating_sub(state.of.from);
        let whole = file.metadata().ok()?.len() >= end;
        let done = match sought.size {
            Some(_) => Some(state.done),
            None => but_the_last(&state.done),
        };
        let (of, done) = (state.of, done.filter(|_| whole)?);
        Some(DownloadState { of, done })
    });
    if left.is_none() {
        empty(&file, &beside.state)?;
    }
    Ok((file, beside, left))
}

/// What is there is no use: neither the bytes nor the checkpoint.
fn empty(file: &File, state: &Path) -> io::Result<()> {
    file.set_len(0)?;
    match fs::remove_file(state) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
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
    sought: Option<Sought>,
    /// Of a file of the web.
    version: Option<Arc<Version>>,
    saver: Saver,
    beside: Beside,
}

/// What is to be written down, if it is known of what.
fn state(of: Option<DownloadOf>, written: &PartSet) -> Option<DownloadState> {
    Some(DownloadState {
        of: of?,
        done: written.clone(),
    })
}

/// Syncs what was written, and then counts it.
fn save(
    of: Option<DownloadOf>,
    written: &PartSet,
    out: &Arc<File>,
    beside: &Beside,
) -> Option<Saving> {
    let state = state(of, written)?;
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
                let sought = self.sought.as_ref();
                save(
                    sought.and_then(|sought| sought.now(self.version.as_ref())),
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

    /// Whether the server told of another version than the one that the parts here are of.
    fn has_changed(&self) -> bool {
        let version = self.version.as_ref();
        version.is_some_and(|version| version.has_changed())
    }

    /// Whether that is how it ended.
    fn met_another(&self, outcome: &Result<()>) -> bool {
        matches!(outcome, Err(Error::Deserialize(_))) && self.has_changed()
    }

    /// Whether it ended because the file of the web, whose size was known, has no such bytes any more.
    fn is_shorter(&self, outcome: &Result<()>) -> bool {
        let beyond = |error: &Error| error.is("OFFSET_INVALID") || error.is("LIMIT_INVALID");
        self.version.is_some() && outcome.as_ref().err().is_some_and(beyond)
    }

    /// Nothing that is here is of the file as it is now.
    async fn begin_anew(mut self, settings: Settings) -> Result<Self> {
        // Whatever comes of these, nothing may be written after it.
        if let Some(writing) = self.writing.take() {
            drop(writing.await);
        }
        drop(self.saver.finish(|| None).await);
        self.driver = self.driver.anew(settings);
        self.batch.clear();
        if let Some(version) = &self.version {
            version.forget();
        }
        self.beside.keep = false;
        let (out, state) = (self.out.clone(), self.beside.state.clone());
        blocking(move || empty(&out, &state)).await?;
        Ok(self)
    }

    /// All parts are there: the file gets its name.
    async fn finish(self, path: PathBuf) -> Result<()> {
        let of = self.sought.as_ref();
        let of = of.and_then(|sought| sought.now(self.version.as_ref()));
        let state = state(of, self.driver.plan().done());
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
            if let Err(error) = fs::rename(&beside.part, &path) {
                // What was written down may be behind, and nothing of it need be fetched again.
                if let Some(state) = state {
                    replace(&beside.state, &checkpoint::encode(&state))?;
                }
                return Err(error);
            }
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
        let of = self.sought.as_ref();
        let of = of.and_then(|sought| sought.now(self.version.as_ref()));
        let refused = refused || self.has_changed();
        if refused || of.is_none() {
            self.beside.keep = false;
        }
        let save = || save(of, self.driver.plan().done(), &self.out, &self.beside);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn set(parts: impl IntoIterator<Item = u64>) -> PartSet {
        let mut set = PartSet::default();
        for part in parts {
            set.insert(part);
        }
        set
    }

    #[test]
    fn a_part_at_least_is_left_to_say_whether_a_web_file_is_still_the_same() {
        // Also where all parts are there, and only the name is missing.
        assert_eq!(but_the_last(&set(0..40)), Some(set(0..39)));
        assert_eq!(but_the_last(&set([3, 70])), Some(set([3])));
        assert_eq!(but_the_last(&set([3])), None);
        assert_eq!(but_the_last(&set([])), None);
    }

    fn sought(size: Option<u64>) -> Sought {
        Sought {
            file: vec![1, 2, 3],
            dc_id: 2,
            size,
            from: 0,
            to: None,
            part: 1000,
        }
    }

    #[test]
    fn a_checkpoint_of_a_web_file_says_of_which_version_it_is() {
        let web = sought(None);
        let stamp = Stamp::new(2500, b"image/png, yesterday");
        let version = Version::new(None);
        assert_eq!(web.now(Some(&version)), None, "nobody knows it yet");
        assert!(version.takes(stamp));
        let of = web.now(Some(&version)).unwrap();
        assert_eq!(web.stamp(&of), Some(stamp));
        let left = DownloadState {
            of,
            done: set([0, 2]),
        };
        assert!(web.is_that_of(&left));
        // It is none of another file, of another range, or of a file of Telegram's.
        let others: [fn(&mut Sought); 5] = [
            |other| other.file.push(7),
            |other| other.dc_id = 3,
            |other| other.from = 1,
            |other| other.to = Some(2000),
            |other| other.size = Some(2500),
        ];
        for change in others {
            let mut other = sought(None);
            change(&mut other);
            assert!(!other.is_that_of(&left));
        }
        let mut beyond = left.clone();
        beyond.done.insert(3);
        assert!(!web.is_that_of(&beyond));
        // Nor is one of a file of Telegram's one of a version.
        let known = sought(Some(2500));
        let left = DownloadState {
            of: known.now(None).unwrap(),
            done: set([0]),
        };
        assert!(known.is_that_of(&left) && !web.is_that_of(&left));
        assert_eq!(known.stamp(&left.of), None);
    }

    #[test]
    fn a_part_of_another_version_is_seen_once_and_for_all() {
        let [one, other, later] =
            [b"one mon.", b"two mon.", b"one tue."].map(|said| Stamp::new(5, said));
        let version = Version::new(Some(one));
        assert!(version.takes(one) && !version.has_changed());
        assert!(!version.takes(other) && version.takes(one) && version.has_changed());
        assert!(!version.takes(Stamp::new(6, b"one mon.")));
        // A later time is another version of what was left earlier, and may be nothing but the server's clock after.
        let version = Version::new(Some(one));
        assert!(!version.takes(later) && version.has_changed());
        version.forget();
        assert!(version.takes(other) && !version.takes(one));
        let version = Version::new(None);
        assert!(version.takes(one) && version.takes(later) && !version.has_changed());
        assert!(!version.takes(other));
    }
}
