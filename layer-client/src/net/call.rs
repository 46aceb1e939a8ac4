//! One request on its way through a data centre's task, as both ends of the channel see it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, oneshot};

use crate::error::Error;

/// What the task is asked to do.
pub(super) struct Request {
    pub(super) body: Vec<u8>,
    pub(super) ticket: Arc<Ticket>,
    pub(super) reply: oneshot::Sender<Result<Vec<u8>, Error>>,
}

/// Names a request on both ends, and tells the caller how far it got.
pub(super) struct Ticket {
    pub(super) id: u64,
    sent: AtomicBool,
}

impl Ticket {
    pub(super) fn new(id: u64) -> Self {
        Self {
            id,
            sent: AtomicBool::new(false),
        }
    }

    pub(super) fn mark_sent(&self) {
        self.sent.store(true, Ordering::Release);
    }

    pub(super) fn was_sent(&self) -> bool {
        self.sent.load(Ordering::Acquire)
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
    /// A request and its caller's end.
    pub(super) fn new(
        body: Vec<u8>,
        ticket: Arc<Ticket>,
        cancels: Arc<Cancels>,
    ) -> (Request, Self) {
        let (reply, answer) = oneshot::channel();
        let request = Request {
            body,
            ticket: ticket.clone(),
            reply,
        };
        (
            request,
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
            // In this order: a task that has not yet seen the request finds its reply closed.
            self.answer.close();
            self.cancels.add(self.ticket.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> (Request, Waiting, Arc<Cancels>) {
        let cancels = Arc::new(Cancels::default());
        let (request, waiting) = Waiting::new(vec![1], Arc::new(Ticket::new(7)), cancels.clone());
        (request, waiting, cancels)
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_cancels_its_request() {
        let (request, waiting, cancels) = call();
        drop(waiting);
        assert!(request.reply.is_closed());
        cancels.notified().await;
        assert_eq!(cancels.take(), [7]);
    }

    #[tokio::test]
    async fn an_answered_request_is_not_cancelled() {
        let (request, mut waiting, cancels) = call();
        request.reply.send(Ok(vec![2])).unwrap();
        assert_eq!(waiting.answer().await.unwrap().unwrap(), [2]);
        drop(waiting);
        assert!(cancels.take().is_empty());
    }
}
