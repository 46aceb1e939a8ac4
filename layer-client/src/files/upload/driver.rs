//! The tokio side of an upload: reads parts where there is room for them, and sends what the plan
//! wants sent.

use std::future::poll_fn;
use std::io;
use std::path::PathBuf;
use std::task::{Context, Poll, Waker, ready};

use layer_tl_types::Deserializable;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep_until};

use super::source::{Part, Parts};
use crate::alarm::Alarm;
use crate::client::{BoxFuture, Client};
use crate::error::{Error, Result};
use crate::files::control::Hooks;
use crate::files::download::replace;
use crate::files::saver::{Saver, Saving};
use crate::files::transfer::checkpoint::{self, UploadState};
use crate::files::transfer::upload::{Send, Upload};
use crate::files::turns::Turn;
use crate::net::{Over, Way};

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
    pub(super) calls: JoinSet<(u64, Result<bool>, Instant)>,
    pub(super) alarm: Alarm,
    pub(super) hooks: Hooks<'a>,
    pub(super) checkpoint: Option<Checkpoint>,
    pub(super) turn: Turn,
    /// Whether it had its turn. Nothing is read before.
    pub(super) begun: bool,
    /// What is to be sent when it is the file's turn.
    pub(super) next: Option<Send>,
    /// The way of what was sent last.
    pub(super) way: Way,
    /// So many parts it may have for certain.
    pub(super) sure: u64,
    /// A part beyond that, and the question whether there may be one.
    pub(super) beyond: Option<(Part, BoxFuture<'static, Result<u64>>)>,
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
            let paused = match self.hooks.poll(cx) {
                Ok(paused) => paused,
                Err(error) => return Poll::Ready(Err(error)),
            };
            self.plan.pause(paused);
            if let Some(Checkpoint { path, state, saver }) = &mut self.checkpoint {
                let saved = self.plan.saved();
                saver.poll(cx, || {
                    state.saved.clone_from(saved);
                    Some(Checkpoint::begin(path, state))
                })?;
            }
            let now = Instant::now();
            if !paused {
                self.send(cx, now);
            } else if self.calls.is_empty() {
                self.turn.give_up();
            }
            self.tell(now.into_std());
            match self.plan.outcome() {
                Some(Ok(())) => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(error.clone())),
                None => {}
            }
            if self.plan.wants() && !self.begun {
                self.begun = self.turn.poll(cx).is_ready();
            }
            if self.plan.wants() && self.begun && self.poll_source(cx)?.is_ready() {
                continue;
            }
            let waits_for_it = self.plan.wants() && self.begun && !self.parts.is_ours();
            if waits_for_it && self.calls.is_empty() && self.next.is_none() {
                self.turn.rest();
            }
            match self.calls.poll_join_next(cx) {
                Poll::Ready(Some(Ok((id, answer, at)))) => {
                    if let Some(request) = self.plan.answered(id, answer, at.into_std()) {
                        self.parts.reuse(request);
                    }
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

    /// Sends what the plan wants sent, once it is the file's turn.
    fn send(&mut self, cx: &mut Context<'_>, now: Instant) {
        while let Some(send) = self.next.take().or_else(|| self.plan.poll(now.into_std())) {
            let Poll::Ready(place) = self.turn.poll(cx) else {
                self.next = Some(send);
                return;
            };
            self.plan.sent(send.id, now.into_std());
            if !send.same_way {
                self.way = Way::default();
            }
            let call = save(self.client.clone(), send, self.way.clone());
            let mut call = Box::pin(call);
            // Begun here: parts of a group are on their way together, whichever thread takes the calls over.
            let begun = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            self.calls.spawn(async move {
                let (id, saved) = match begun {
                    Poll::Ready(saved) => saved,
                    Poll::Pending => call.await,
                };
                drop(place);
                (id, saved, Instant::now())
            });
        }
    }

    /// Takes the next part from the source, if there may be one more.
    fn poll_source(&mut self, cx: &mut Context<'_>) -> Result<Poll<()>> {
        if let Some((_, allowed)) = &mut self.beyond {
            let Poll::Ready(allowed) = allowed.as_mut().poll(cx) else {
                return Ok(Poll::Pending);
            };
            self.sure = allowed?;
        } else {
            let Poll::Ready(part) = self.parts.poll_next(cx, self.plan.saved()) else {
                return Ok(Poll::Pending);
            };
            match part? {
                Some(part) if part.number >= self.sure => {
                    let (client, count) = (self.client.clone(), part.number.saturating_add(1));
                    let allowed = async move { client.parts_allowed(count, None).await };
                    self.beyond = Some((part, Box::pin(allowed)));
                }
                Some(part) => self.add(part),
                None => self.plan.end(),
            }
            return Ok(Poll::Ready(()));
        }
        if let Some((part, _)) = self.beyond.take() {
            self.add(part);
        }
        Ok(Poll::Ready(()))
    }

    fn add(&mut self, part: Part) {
        let (number, len) = (part.number, part.len());
        let count = number.saturating_add(1);
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
    }

    fn tell(&mut self, now: std::time::Instant) {
        let held = self.plan.held_for(now);
        let done = self.plan.saved_bytes();
        self.hooks.tell((done, self.total), held, now);
    }
}

/// Sends a part; whether the server has it.
async fn save(client: Client, send: Send, way: Way) -> (u64, Result<bool>) {
    let answer = client.invoke_for_files(None, Over::Files, Some(way), send.body);
    let answer = answer.await;
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
            let (id, answer) = save(client.clone(), send, Way::default()).await;
            plan.answered(id, answer, Instant::now().into_std());
        } else if let Some(outcome) = plan.outcome() {
            return outcome.clone();
        } else if let Some(then) = plan.poll_timeout(now) {
            sleep_until(Instant::from_std(then)).await;
        }
    }
}
