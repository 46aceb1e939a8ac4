//! One request on its way through a connection's task, as both ends of the channel see it.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};

use super::order::Place;
use crate::error::Error;

/// How a request is to be sent.
#[derive(Clone)]
pub(crate) struct Sending {
    /// How long it may take, the way to its data centre included.
    pub(crate) within: Duration,
    /// Whether it must not be sent again once it was sent.
    pub(crate) no_resend: bool,
    pub(crate) lane: Lane,
}

/// Beside and behind which others a request goes.
#[derive(Clone, Default)]
pub(crate) struct Lane {
    /// Over which connections.
    pub(crate) over: Over,
    /// Behind which other request.
    pub(crate) place: Option<Arc<Place>>,
}

/// The connections of a data centre that a request may go over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Over {
    /// The main one.
    #[default]
    Main,
    /// Those for files, the one with the least to do.
    Files,
    /// Those to a CDN, likewise.
    Cdn,
}

impl Sending {
    /// As most are.
    pub(crate) fn within(within: Duration) -> Self {
        Self {
            within,
            no_resend: false,
            lane: Lane::default(),
        }
    }
}

/// What the task is asked to do.
pub(super) struct Request {
    pub(super) body: Bytes,
    pub(super) no_resend: bool,
    /// The request that the server has to execute before.
    pub(super) after: Option<Arc<Ticket>>,
    pub(super) reply: Reply,
}

/// The way back to the caller.
pub(super) struct Reply {
    pub(super) ticket: Arc<Ticket>,
    /// The ticket of the request that goes before.
    pub(super) after: Option<u64>,
    sender: oneshot::Sender<Result<Vec<u8>, Error>>,
}

impl Reply {
    /// Tells the caller the outcome.
    pub(super) fn send(self, result: Result<Vec<u8>, Error>) {
        self.ticket.end(result.is_ok());
        // A caller that has gone needs no answer.
        let _ = self.sender.send(result);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}

/// How one attempt at a request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It is under way.
    Open,
    /// It was answered with a result.
    Done,
    /// It was refused, given up or cancelled.
    Failed,
}

/// Names an attempt at a request on both ends, and tells how far it got.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) id: u64,
    sent: AtomicBool,
    end: AtomicU8,
}

impl Ticket {
    pub(super) fn new() -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            sent: AtomicBool::new(false),
            end: AtomicU8::new(0),
        })
    }

    pub(super) fn mark_sent(&self) {
        self.sent.store(true, Ordering::Release);
    }

    pub(super) fn was_sent(&self) -> bool {
        self.sent.load(Ordering::Acquire)
    }

    /// Notes how it ended; the first end is the true one.
    fn end(&self, done: bool) {
        let end = if done { 1 } else { 2 };
        // Whoever lost the race finds it ended.
        let _ = self
            .end
            .compare_exchange(0, end, Ordering::AcqRel, Ordering::Acquire);
    }

    pub(super) fn how_it_ended(&self) -> End {
        match self.end.load(Ordering::Acquire) {
            0 => End::Open,
            1 => End::Done,
            _ => End::Failed,
        }
    }
}

/// Requests that nobody waits for any more. Never more than there are requests.
#[derive(Default)]
pub(super) struct Cancels {
    ids: Mutex<Vec<u64>>,
    wake: Notify,
}

impl Cancels {
    fn add(&self, id: u64) {
        self.ids
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(id);
        self.wake.notify_one();
    }

    pub(super) fn take(&self) -> Vec<u64> {
        std::mem::take(&mut *self.ids.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Resolves when something was cancelled since the last time.
    pub(super) async fn notified(&self) {
        self.wake.notified().await;
    }
}

/// The caller's end. Dropping it before the answer came cancels the request.
pub(super) struct Waiting {
    answer: oneshot::Receiver<Result<Vec<u8>, Error>>,
    ticket: Arc<Ticket>,
    cancels: Arc<Cancels>,
    answered: bool,
}

impl Waiting {
    /// A caller's end and the way to it.
    pub(super) fn new(
        ticket: Arc<Ticket>,
        after: Option<&Ticket>,
        cancels: Arc<Cancels>,
    ) -> (Reply, Self) {
        let (sender, answer) = oneshot::channel();
        let reply = Reply {
            ticket: ticket.clone(),
            after: after.map(|after| after.id),
            sender,
        };
        (
            reply,
            Self {
                answer,
                ticket,
                cancels,
                answered: false,
            },
        )
    }

    /// Waits for the answer; `None` when the task came to its end without one.
    pub(super) async fn answer(&mut self) -> Option<Result<Vec<u8>, Error>> {
        let answer = (&mut self.answer).await;
        self.answered = true;
        answer.ok()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.answered {
            self.ticket.end(false);
            // In this order: a task that has not yet seen the request finds its reply closed.
            self.answer.close();
            self.cancels.add(self.ticket.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> (Reply, Waiting, Arc<Cancels>, Arc<Ticket>) {
        let cancels = Arc::new(Cancels::default());
        let ticket = Ticket::new();
        let (reply, waiting) = Waiting::new(ticket.clone(), None, cancels.clone());
        (reply, waiting, cancels, ticket)
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_cancels_its_request() {
        let (reply, waiting, cancels, ticket) = call();
        assert_eq!(ticket.how_it_ended(), End::Open);
        drop(waiting);
        assert!(reply.is_closed());
        cancels.notified().await;
        assert_eq!(cancels.take(), [ticket.id]);
        // An answer that comes too late does not make it done.
        reply.send(Ok(Vec::new()));
        assert_eq!(ticket.how_it_ended(), End::Failed);
    }

    #[tokio::test]
    async fn an_answered_request_is_not_cancelled() {
        let (reply, mut waiting, cancels, ticket) = call();
        reply.send(Ok(vec![2]));
        assert_eq!(waiting.answer().await.unwrap().unwrap(), [2]);
        drop(waiting);
        assert!(cancels.take().is_empty());
        assert_eq!(ticket.how_it_ended(), End::Done);
    }
}
