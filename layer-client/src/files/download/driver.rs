//! The tokio side of a download: asks what the plan wants asked, and gives out what came.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::calls;
use crate::alarm::Alarm;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::files::control::Hooks;
use crate::files::remote::Remote;
use crate::files::transfer::download::{Answer, Ask, Chunk, Download, Settings};
use crate::files::transfer::set::PartSet;
use crate::files::turns::Turn;

/// A download under way. Dropping it ends all that it asked for.
pub(super) struct Driver<'a> {
    client: Client,
    plan: Download,
    calls: JoinSet<(u64, Result<Answer>, Instant)>,
    alarm: Alarm,
    hooks: Hooks<'a>,
    turn: Turn,
    /// What is to be asked when it is the file's turn.
    next: Option<Ask>,
}

impl<'a> Driver<'a> {
    pub(super) fn new(
        client: Client,
        file: Remote,
        settings: Settings,
        done: PartSet,
        hooks: Hooks<'a>,
    ) -> Self {
        Self {
            turn: client.inner.files.turns.of_download(),
            client,
            plan: Download::new(file, settings, done),
            calls: JoinSet::new(),
            alarm: Alarm::default(),
            hooks,
            next: None,
        }
    }

    pub(super) fn plan(&self) -> &Download {
        &self.plan
    }

    /// Another download of the same file in this one's place.
    pub(super) fn anew(self, settings: Settings) -> Self {
        let file = self.plan.file().clone();
        Self {
            plan: Download::new(file, settings, PartSet::default()),
            calls: JoinSet::new(),
            alarm: Alarm::default(),
            next: None,
            ..self
        }
    }

    /// Whoever has the bytes now comes for more in their own time.
    pub(super) fn rest(&mut self) {
        self.turn.rest();
    }

    /// Asks what the plan wants asked, once it is the file's turn.
    fn ask(&mut self, cx: &mut Context<'_>, now: Instant) {
        while let Some(ask) = self.next.take().or_else(|| self.plan.poll(now.into_std())) {
            let Poll::Ready(place) = self.turn.poll(cx) else {
                self.next = Some(ask);
                return;
            };
            self.plan.sent(ask.id, now.into_std());
            let client = self.client.clone();
            self.calls.spawn(async move {
                let answer = calls::ask(client, ask.what).await;
                drop(place);
                // Whoever takes what comes may be away for a while.
                (ask.id, answer, Instant::now())
            });
        }
    }

    /// The next bytes; `None` when all were taken. They count as in memory until they were
    /// [taken](Self::taken).
    pub(super) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Chunk>>> {
        loop {
            let paused = match self.hooks.poll(cx) {
                Ok(paused) => paused,
                Err(error) => return Poll::Ready(Some(Err(error))),
            };
            self.plan.pause(paused);
            let now = Instant::now();
            if !paused {
                self.ask(cx, now);
            } else if self.calls.is_empty() {
                self.turn.give_up();
            }
            if let Some(chunk) = self.plan.poll_chunk() {
                if chunk.bytes.is_empty() {
                    self.taken(chunk.part);
                    continue;
                }
                return Poll::Ready(Some(Ok(chunk)));
            }
            self.tell();
            match self.plan.outcome() {
                Some(Ok(())) => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error.clone()))),
                None => {}
            }
            match self.calls.poll_join_next(cx) {
                Poll::Ready(Some(Ok((id, answer, at)))) => {
                    self.plan.answered(id, answer, at.into_std());
                    continue;
                }
                // A part that panics is a mistake of ours, or the runtime ends.
                Poll::Ready(Some(Err(error))) => {
                    let error = std::io::Error::other(error);
                    return Poll::Ready(Some(Err(Error::from(error))));
                }
                Poll::Ready(None) | Poll::Pending => {}
            }
            let Some(deadline) = self.plan.poll_timeout(now.into_std()) else {
                return Poll::Pending;
            };
            ready!(self.alarm.poll(Instant::from_std(deadline), cx));
        }
    }

    /// The bytes of a part are out of our hands.
    pub(super) fn taken(&mut self, part: u64) {
        self.plan.taken(part);
        self.tell();
    }

    pub(super) async fn next(&mut self) -> Option<Result<Chunk>> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    fn tell(&mut self) {
        let now = std::time::Instant::now();
        let held = self.plan.held_for(now);
        self.hooks.tell(self.plan.progress(), held, now);
    }
}
