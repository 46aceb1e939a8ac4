//! The tokio side of an upload: reads parts where there is room for them, and sends what the plan
//! wants sent.

use std::future::poll_fn;
use std::io;
use std::path::PathBuf;
use std::task::{Context, Poll, ready};

use layer_tl_types::Deserializable;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep_until};

use super::source::Parts;
use crate::alarm::Alarm;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::files::control::Hooks;
use crate::files::download::replace;
use crate::files::saver::{Saver, Saving};
use crate::files::transfer::checkpoint::{self, UploadState};
use crate::files::transfer::upload::{Send, Upload};
use crate::net::Over;

/// What is written down of an upload, and where.
pub(super) struct Checkpoint {
    pub(super) path: PathBuf,
    pub(super) state: UploadState,
    pub(super) saver: Saver,
}

impl Checkpoint {
    fn begin(path: &std::path::Path, state: &UploadState) -> Saving {
        let (path, bytes) = (path.to_owned(), checkpoint::encode(state));
        spawn_blocking(move || replace(&path, &bytes))
    }
}

/// An upload under way. Dropping it ends all that it sent.
pub(super) struct Driver<'a> {
    pub(super) client: Client,
    pub(super) plan: Upload,
    pub(super) parts: Parts<'a>,
    pub(super) file_id: i64,
    /// How the parts are saved, if that is known; otherwise the first one decides.
    pub(super) shape: Shape,
    /// Bytes in all, if that is known.
    pub(super) total: Option<u64>,
    pub(super) calls: JoinSet<(u64, Result<bool>)>,
    pub(super) alarm: Alarm,
    pub(super) hooks: Hooks<'a>,
    pub(super) checkpoint: Option<Checkpoint>,
}

/// How many parts there are, and which method saves them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `upload.saveFilePart`.
    Small,
    /// `upload.saveBigFilePart`, and so many parts.
    Big(i32),
    /// `upload.saveBigFilePart` if there is more than one part; how many, the last one says.
    Unknown,
}

/// What was uploaded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Uploaded {
    pub(super) parts: i32,
    pub(super) big: bool,
    pub(super) bytes: u64,
}

/// So many parts a file may have: of accounts with Premium.
pub(super) const MAX_PARTS: u64 = 8000;

impl Driver<'_> {
    pub(super) async fn run(&mut self) -> Result<Uploaded> {
        let outcome = poll_fn(|cx| self.poll(cx)).await;
        if let Some(Checkpoint { path, state, saver }) = &mut self.checkpoint {
            state.saved = self.plan.saved().clone();
            let saved = saver.finish(|| Some(Checkpoint::begin(path, state))).await;
            if let Err(error) = saved {
                log::warn!("how far the upload came was not written down: {error}");
            }
        }
        outcome?;
        let bytes = self.plan.saved_bytes();
        if bytes == 0 {
            return Err(super::empty());
        }
        let (parts, big) = match self.shape {
            Shape::Big(parts) => (parts, true),
            Shape::Small | Shape::Unknown => {
                let parts = i32::try_from(self.plan.saved().count()).unwrap_or(i32::MAX);
                (parts, false)
            }
        };
        Ok(Uploaded { parts, big, bytes })
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        loop {
            match self.hooks.poll(cx) {
                Ok(paused) => self.plan.pause(paused),
                Err(error) => return Poll::Ready(Err(error)),
            }
            if let Some(Checkpoint { path, state, saver }) = &mut self.checkpoint {
                let saved = self.plan.saved();
                saver.poll(cx, || {
                    state.saved.clone_from(saved);
                    Some(Checkpoint::begin(path, state))
                })?;
            }
            let now = Instant::now();
            while let Some(send) = self.plan.poll(now.into_std()) {
                let client = self.client.clone();
                self.calls.spawn(save(client, send));
            }
            self.tell(now.into_std());
            match self.plan.outcome() {
                Some(Ok(())) => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(error.clone())),
                None => {}
            }
            if self.plan.wants()
                && let Poll::Ready(part) = self.parts.poll_next(cx, self.plan.saved())
            {
                match part? {
                    Some(part) => self.add(part)?,
                    None => self.plan.end(),
                }
                continue;
            }
            match self.calls.poll_join_next(cx) {
                Poll::Ready(Some(Ok((id, answer)))) => {
                    self.plan.answered(id, answer, Instant::now().into_std());
                    if let Some(checkpoint) = &mut self.checkpoint {
                        checkpoint.saver.changed();
                    }
                    continue;
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Err(io::Error::other(error).into()));
                }
                Poll::Ready(None) | Poll::Pending => {}
            }
            let Some(deadline) = self.plan.poll_timeout(now.into_std()) else {
                return Poll::Pending;
            };
            ready!(self.alarm.poll(Instant::from_std(deadline), cx));
        }
    }

    fn add(&mut self, part: super::source::Part) -> Result<()> {
        let (number, len) = (part.number, part.len());
        let count = number.saturating_add(1);
        if count > MAX_PARTS {
            return Err(super::too_large());
        }
        let total = match self.shape {
            Shape::Small => None,
            Shape::Big(total) => Some(total),
            Shape::Unknown if part.last && number == 0 => None,
            Shape::Unknown if part.last => {
                let total = i32::try_from(count).unwrap_or(i32::MAX);
                self.shape = Shape::Big(total);
                Some(total)
            }
            Shape::Unknown => Some(-1),
        };
        let len = u64::try_from(len).unwrap_or(0);
        let body = part.into_request(self.file_id, total);
        self.plan.add(number, body, len);
        Ok(())
    }

    fn tell(&mut self, now: std::time::Instant) {
        let held = self.plan.held_for(now);
        let done = self.plan.saved_bytes();
        self.hooks.tell((done, self.total), held, now);
    }
}

/// Sends a part; whether the server has it.
async fn save(client: Client, send: Send) -> (u64, Result<bool>) {
    let answer = client.invoke_for_files(None, Over::Files, send.body).await;
    let kept = answer.and_then(|answer| {
        bool::from_bytes(&answer).map_err(|error| Error::unreadable("upload.saveFilePart", &error))
    });
    (send.id, kept)
}

/// Saves one part again, of which the server says that it has it no more.
pub(super) async fn save_again(client: &Client, body: bytes::Bytes) -> Result<()> {
    let mut plan = Upload::new(1, 1, Default::default(), 0);
    plan.add(0, body, 1);
    plan.end();
    loop {
        let now = Instant::now().into_std();
        if let Some(send) = plan.poll(now) {
            let (id, answer) = save(client.clone(), send).await;
            plan.answered(id, answer, Instant::now().into_std());
        } else if let Some(outcome) = plan.outcome() {
            return outcome.clone();
        } else if let Some(then) = plan.poll_timeout(now) {
            sleep_until(Instant::from_std(then)).await;
        }
    }
}
