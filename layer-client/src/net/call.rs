//! One request on its way through a connection's task, as both ends of the channel see it.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use layer_mtproto::session::RequestId;
use tokio::sync::{Notify, oneshot};

use super::order::Place;
use crate::middleware::Outcome;
use crate::tl;

/// What is to be sent, and how.
#[derive(Clone, Copy)]
pub(crate) struct Sending<'a> {
    /// The serialised request.
    pub(crate) body: &'a Bytes,
    /// How long it may take, the way to its data centre included.
    pub(crate) within: Duration,
    pub(crate) resend: Resend,
    pub(crate) lane: &'a Lane,
}

/// Beside and behind which others a request goes.
#[derive(Clone, Default)]
pub(crate) struct Lane {
    /// Over which connections.
    pub(crate) over: Over,
    /// Behind which other request.
    pub(crate) place: Option<Arc<Place>>,
    /// Over the same of several connections as which others.
    pub(crate) way: Option<Way>,
}

/// Requests that go over the same of several connections: the one that has the least to do when the first of them goes.
/// Together they are sealed in less time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Way(Arc<OnceLock<usize>>);

impl Way {
    /// The number of their connection, which `choose` says to the first.
    pub(super) fn connection(&self, choose: impl FnOnce() -> usize) -> usize {
        *self.0.get_or_init(choose)
    }
}

/// Whether a request that was sent is sent again when its connection broke before the answer came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Resend {
    /// Always: the server knows it if it had it, unless it lost its sessions.
    #[default]
    Always,
    /// Only if the server says that it never had it.
    IfNotReceived,
    Never,
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

impl<'a> Sending<'a> {
    /// As most are.
    pub(super) fn new(body: &'a Bytes, within: Duration) -> Self {
        static MAIN: Lane = Lane {
            over: Over::Main,
            place: None,
            way: None,
        };
        Self {
            body,
            within,
            resend: Resend::default(),
            lane: &MAIN,
        }
    }

    /// What the schema calls the method.
    pub(super) fn method(&self) -> Option<&'static str> {
        let id = self.body.first_chunk::<4>().copied();
        tl::name_for_id(id.map(u32::from_le_bytes)?)
    }
}

/// What the task is asked to do.
pub(super) struct Request {
    pub(super) body: Bytes,
    pub(super) resend: Resend,
    pub(super) reply: Reply,
}

/// The way back to the caller.
pub(super) struct Reply {
    pub(super) ticket: Arc<Ticket>,
    /// The request that the server has to execute before.
    pub(super) after: Option<Arc<Ticket>>,
    sender: oneshot::Sender<Outcome>,
}

impl Reply {
    /// Tells the caller the outcome.
    pub(super) fn send(self, result: Outcome) {
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

/// Stands for an attempt at a request on both ends, and tells how far it got.
#[derive(Debug, Default)]
pub(super) struct Ticket {
    /// What the session calls it, once it was given to one.
    request: OnceLock<RequestId>,
    end: AtomicU8,
}

impl Ticket {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// It was given to a session, once.
    pub(super) fn mark_sent(&self, request: RequestId) {
        let _ = self.request.set(request);
    }

    pub(super) fn was_sent(&self) -> bool {
        self.request().is_some()
    }

    /// What its session calls it.
    pub(super) fn request(&self) -> Option<RequestId> {
        self.request.get().copied()
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
    tickets: Mutex<Vec<Arc<Ticket>>>,
    wake: Notify,
}

impl Cancels {
    fn add(&self, ticket: Arc<Ticket>) {
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        tickets.push(ticket);
        drop(tickets);
        self.wake.notify_one();
    }

    pub(super) fn take(&self) -> Vec<Arc<Ticket>> {
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *tickets)
    }

    /// Resolves when something was cancelled since the last time.
    pub(super) async fn notified(&self) {
        self.wake.notified().await;
    }
}

/// The caller's end. Dropping it before the answer came cancels the request.
pub(super) struct Waiting {
    answer: oneshot::Receiver<Outcome>,
    ticket: Arc<Ticket>,
    cancels: Arc<Cancels>,
    answered: bool,
}

impl Waiting {
    /// A caller's end and the way to it.
    pub(super) fn new(
        ticket: Arc<Ticket>,
        after: Option<Arc<Ticket>>,
        cancels: Arc<Cancels>,
    ) -> (Reply, Self) {
        let (sender, answer) = oneshot::channel();
        let reply = Reply {
            ticket: ticket.clone(),
            after,
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
    pub(super) async fn answer(&mut self) -> Option<Outcome> {
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
            self.cancels.add(self.ticket.clone());
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
        let cancelled = cancels.take();
        assert!(cancelled.len() == 1 && Arc::ptr_eq(&cancelled[0], &ticket));
        // An answer that comes too late does not make it done.
        reply.send(Ok(Bytes::new()));
        assert_eq!(ticket.how_it_ended(), End::Failed);
    }

    #[test]
    fn those_of_one_way_go_where_the_first_of_them_does() {
        let way = Way::default();
        assert_eq!(way.clone().connection(|| 2), 2);
        assert_eq!(way.connection(|| 3), 2);
        assert_eq!(Way::default().connection(|| 3), 3);
    }

    #[tokio::test]
    async fn an_answered_request_is_not_cancelled() {
        let (reply, mut waiting, cancels, ticket) = call();
        reply.send(Ok(Bytes::from_static(&[2])));
        assert_eq!(waiting.answer().await.unwrap().unwrap(), [2].as_slice());
        drop(waiting);
        assert!(cancels.take().is_empty());
        assert_eq!(ticket.how_it_ended(), End::Done);
    }
}
