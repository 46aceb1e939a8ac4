//! From what is to be uploaded to what was: sizes, checkpoints, and parts that the server lost.

use std::fs::{self, File};
use std::future::Future;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use layer_tl_types as tl;
use tokio::task::{JoinSet, spawn_blocking};

use super::driver::{Checkpoint, Driver, Shape, save_again};
use super::source::{Parts, Source};
use super::{Upload, UploadedFile, empty};
use crate::alarm::Alarm;
use crate::client::{BoxFuture, Client};
use crate::error::{Error, Result};
use crate::files::control::Hooks;
use crate::files::limits;
use crate::files::saver::Saver;
use crate::files::transfer::checkpoint::{self, UploadState};
use crate::files::transfer::set::PartSet;
use crate::files::transfer::upload::Upload as Plan;
use crate::files::window;
use crate::messages::random_id;
use crate::net::Way;

/// Above this size a file is a big one.
const BIG: u64 = 10 * 1024 * 1024;
/// Older checkpoints are of parts that the server has no more: it keeps them for some hours at most.
const OLD: u64 = 6 * 60 * 60;

/// How parts of a file that was uploaded from a path are read once more.
#[derive(Debug)]
pub(super) struct Again {
    path: PathBuf,
    size: u64,
    changed: (u64, u32),
    /// What is removed when the upload is of no more use.
    checkpoint: Option<PathBuf>,
}

/// Bytes of a part.
const PART: usize = 512 * 1024;
/// Parts that are in memory for each connection: they are sealed together.
const EACH: usize = 8;

impl Client {
    pub(super) fn upload<'a>(&'a self, upload: Upload<'a>) -> BoxFuture<'a, Result<UploadedFile>> {
        Box::pin(async move {
            let Upload {
                source,
                name,
                progress,
                control,
                window: wanted,
                checkpoint,
                every,
            } = upload;
            let mut again = None;
            let mut state = None;
            let (parts, total) = match source {
                Source::Path(path) => {
                    let (file, size, changed) = open(path).await?;
                    again = Some(Again {
                        path: path.to_owned(),
                        size,
                        changed,
                        checkpoint: checkpoint.clone(),
                    });
                    if let Some(at) = &checkpoint {
                        let fresh = UploadState {
                            user: self.my_id(),
                            path: fs::canonicalize(path)?.to_string_lossy().into_owned(),
                            size,
                            changed,
                            part: limits::PART,
                            file_id: random_id()?,
                            begun: unix_seconds(SystemTime::now()).0,
                            saved: PartSet::default(),
                        };
                        state = Some(earlier(at.clone(), fresh).await?);
                    }
                    (Parts::of_file(file, size, PART), Some(size))
                }
                _ if checkpoint.is_some() => {
                    return Err(Error::input(
                        "only an upload of a path can go on from a checkpoint",
                    ));
                }
                Source::Bytes(bytes) => {
                    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                    (Parts::of_bytes(bytes, PART), Some(size))
                }
                Source::Reader(reader, size) => (Parts::of_reader(reader, size, PART), size),
                Source::Stream(chunks) => (Parts::of_stream(chunks, PART), None),
            };
            let shape = match total {
                None => Shape::Unknown,
                Some(0) => return Err(empty()),
                Some(size) => {
                    let parts = size.div_ceil(limits::PART);
                    // Before anything is sent.
                    self.parts_allowed(parts, Some(size)).await?;
                    if size > BIG {
                        Shape::Big(i32::try_from(parts).unwrap_or(i32::MAX))
                    } else {
                        Shape::Small
                    }
                }
            };
            let (first, most) = window(self, wanted, EACH);
            let saved = state.as_ref().map(|state| state.saved.clone());
            let saved = saved.unwrap_or_default();
            let saved_bytes = saved.iter().map(|number| {
                let (size, part) = state.as_ref().map_or((0, 0), |s| (s.size, s.part));
                size.saturating_sub(number.saturating_mul(part)).min(part)
            });
            let saved_bytes = saved_bytes.sum();
            let file_id = match &state {
                Some(state) => state.file_id,
                None => random_id()?,
            };
            let mut driver = Driver {
                client: self.clone(),
                plan: Plan::new(first, most, saved, saved_bytes),
                parts,
                file_id,
                shape,
                total,
                calls: JoinSet::new(),
                alarm: Alarm::default(),
                turn: self.inner.files.turns.of_upload(),
                begun: false,
                next: None,
                way: Way::default(),
                sure: match shape {
                    Shape::Unknown => limits::SURE,
                    Shape::Small | Shape::Big(_) => u64::MAX,
                },
                beyond: None,
                hooks: Hooks::new(progress, control),
                checkpoint: checkpoint.zip(state).map(|(path, state)| Checkpoint {
                    path,
                    state,
                    saver: Saver::new(every),
                }),
            };
            let done = driver.run().await?;
            let input = if done.big {
                tl::types::InputFileBig {
                    id: file_id,
                    parts: done.parts,
                    name: name.clone(),
                }
                .into()
            } else {
                tl::types::InputFile {
                    id: file_id,
                    parts: done.parts,
                    name: name.clone(),
                    // It is optional: the transport has its own.
                    md5_checksum: String::new(),
                }
                .into()
            };
            Ok(UploadedFile {
                input,
                name,
                size: done.bytes,
                again: again.map(Arc::new),
            })
        })
    }
}

impl UploadedFile {
    /// Sends what was uploaded. Parts that the server lost meanwhile (`FILE_PART_X_MISSING`) are saved
    /// again, if they came from a path that did not change since, or if the caller has the bytes.
    pub(super) async fn sent_by<T, F>(
        &self,
        client: &Client,
        bytes: Option<&[u8]>,
        send: impl Fn() -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let mut mended = PartSet::default();
        loop {
            let error = match send().await {
                Ok(sent) => {
                    self.settle().await;
                    return Ok(sent);
                }
                Err(error) => error,
            };
            // One that is lost again and again is lost.
            let Some(part) = missing_part(&error).filter(|part| mended.insert(*part)) else {
                return Err(error);
            };
            let parts = match (&self.again, bytes) {
                (Some(again), _) => again.parts().await?,
                (None, Some(bytes)) => Parts::of_bytes(bytes, PART),
                (None, None) => return Err(error),
            };
            log::info!("part {part} of the upload is missing; sending it again");
            self.save_again(client, parts, part).await?;
        }
    }

    /// Sends something that may have been uploaded, as [`sent_by`](Self::sent_by).
    pub(in crate::files) async fn mended<T, F>(
        uploaded: Option<&Self>,
        client: &Client,
        send: impl Fn() -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        match uploaded {
            Some(uploaded) => uploaded.sent_by(client, None, send).await,
            None => send().await,
        }
    }

    /// Saves one part once more.
    async fn save_again(&self, client: &Client, mut parts: Parts<'_>, number: u64) -> Result<()> {
        let (file_id, parts_of_it, total) = match &self.input {
            tl::enums::InputFile::File(file) => (file.id, file.parts, None),
            tl::enums::InputFile::Big(file) => (file.id, file.parts, Some(file.parts)),
            tl::enums::InputFile::StoryDocument(_) => (0, 0, None),
        };
        let mut others = PartSet::default();
        let parts_of_it = u64::try_from(parts_of_it).unwrap_or(0);
        (0..number.min(parts_of_it)).for_each(|other| {
            others.insert(other);
        });
        let part = std::future::poll_fn(|cx| parts.poll_next(cx, &others)).await?;
        match part.filter(|part| part.number == number) {
            Some(part) => save_again(client, part.into_request(file_id, total)).await,
            None => Err(Error::input(
                "the server misses a part that there never was",
            )),
        }
    }

    /// Nobody needs the checkpoint any more.
    pub(super) async fn settle(&self) {
        if let Some(path) = self
            .again
            .as_ref()
            .and_then(|again| again.checkpoint.clone())
            && let Err(error) = tokio::fs::remove_file(&path).await
            && error.kind() != io::ErrorKind::NotFound
        {
            log::warn!("{} was not removed: {error}", path.display());
        }
    }
}

/// The part that the server says it does not have.
fn missing_part(error: &Error) -> Option<u64> {
    let error = error.rpc().filter(|error| error.is("FILE_PART_MISSING"))?;
    error.value.map(u64::from)
}

impl Again {
    /// The parts, if they are still the same.
    async fn parts(&self) -> Result<Parts<'static>> {
        let (file, size, changed) = open(&self.path).await?;
        if (size, changed) != (self.size, self.changed) {
            return Err(Error::input(
                "the file was changed since it was uploaded; upload it again",
            ));
        }
        Ok(Parts::of_file(file, size, PART))
    }
}

/// The file, its size and when it was changed last.
async fn open(path: &Path) -> Result<(File, u64, (u64, u32))> {
    let path = path.to_owned();
    let open = spawn_blocking(move || {
        let file = File::open(path)?;
        let about = file.metadata()?;
        let changed = about.modified().map_or((0, 0), unix_seconds);
        Ok((file, about.len(), changed))
    });
    Ok(open.await.map_err(io::Error::other).flatten()?)
}

/// What an earlier upload of the same left, or a fresh beginning.
async fn earlier(at: PathBuf, fresh: UploadState) -> Result<UploadState> {
    let read = spawn_blocking(move || {
        let mut bytes = Vec::new();
        match File::open(at) {
            Ok(file) => file.take(checkpoint::LONGEST).read_to_end(&mut bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(fresh),
            Err(error) => return Err(error),
        };
        let earlier = checkpoint::decode(&bytes).filter(|earlier: &UploadState| {
            earlier.fits(&fresh) && fresh.begun.saturating_sub(earlier.begun) < OLD
        });
        Ok(earlier.unwrap_or(fresh))
    });
    Ok(read.await.map_err(io::Error::other).flatten()?)
}

fn unix_seconds(time: SystemTime) -> (u64, u32) {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    (since.as_secs(), since.subsec_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::RpcError;

    #[test]
    fn the_missing_part_is_named() {
        let of = |message| missing_part(&RpcError::parse(400, message).into());
        assert_eq!(of("FILE_PART_7_MISSING"), Some(7));
        assert_eq!(of("FILE_PARTS_INVALID"), None);
        assert_eq!(of("FILE_PART_INVALID"), None);
    }
}
