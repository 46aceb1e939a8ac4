//! The handle on one connection's task.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, OnceCell, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::call::{Cancels, Request, Sending, Ticket, Waiting};
use super::state::ConnectionState;
use crate::error::{ConnectError, Error, TimeoutError};
use crate::middleware::Outcome;

/// What the handle and the task share.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) cancels: Arc<Cancels>,
    /// The connection is to be made anew.
    pub(super) renew: Notify,
    /// Why the task came to its end, when it is not that the client was closed.
    ending: OnceLock<Error>,
}

impl Shared {
    pub(super) fn ending(&self) -> Error {
        self.ending.get().cloned().unwrap_or(Error::Closed)
    }
}

/// One connection's task, seen from outside.
pub(crate) struct Dc {
    requests: mpsc::Sender<Request>,
    shared: Arc<Shared>,
    state: watch::Receiver<ConnectionState>,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
    /// Whether the account's authorisation was brought here; whoever comes first brings it.
    authorized: Mutex<Arc<OnceCell<()>>>,
    /// How many requests are under way.
    load: AtomicUsize,
}

/// Counts a request for as long as somebody waits for it.
struct Busy<'a>(&'a AtomicUsize);

impl<'a> Busy<'a> {
    fn new(load: &'a AtomicUsize) -> Self {
        load.fetch_add(1, Ordering::Relaxed);
        Self(load)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Dc {
    pub(super) fn new(
        requests: mpsc::Sender<Request>,
        shared: Arc<Shared>,
        state: watch::Receiver<ConnectionState>,
        stop: watch::Sender<bool>,
        task: JoinHandle<()>,
    ) -> Self {
        Self {
            requests,
            shared,
            state,
            stop,
            task: Mutex::new(Some(task)),
            authorized: Mutex::default(),
            load: AtomicUsize::new(0),
        }
    }

    /// Sends a request and waits for its result, until `deadline`. Dropping the future cancels the
    /// request.
    pub(super) async fn call(&self, deadline: Instant, sending: &Sending<'_>) -> Outcome {
        let _busy = Busy::new(&self.load);
        let ticket = Ticket::new();
        let answer = timeout_at(deadline, self.ask(&ticket, sending));
        match answer.await {
            Ok(Some(answer)) => answer.map_err(|error| named(error, sending.method())),
            Ok(None) => Err(self.shared.ending()),
            Err(_) => Err(self.too_late(ticket.was_sent(), sending.method(), sending.within)),
        }
    }

    /// `None` when the task came to its end.
    async fn ask(&self, ticket: &Arc<Ticket>, sending: &Sending<'_>) -> Option<Outcome> {
        let after = match &sending.lane.place {
            Some(place) => Box::pin(place.turn()).await,
            None => None,
        };
        let cancels = self.shared.cancels.clone();
        let (reply, mut waiting) = Waiting::new(ticket.clone(), after, cancels);
        let request = Request {
            body: sending.body.clone(),
            resend: sending.resend,
            reply,
        };
        // Boxed, for there is mostly room, and a call that needs none of this is smaller.
        let later = match self.requests.try_send(request) {
            Ok(()) => None,
            Err(TrySendError::Full(request)) => Some(Box::pin(self.requests.send(request))),
            Err(TrySendError::Closed(_)) => return None,
        };
        if let Some(later) = later {
            later.await.ok()?;
        }
        if let Some(place) = &sending.lane.place {
            place.sent(ticket.clone());
        }
        waiting.answer().await
    }

    /// If there was no connection, that is what is wrong; otherwise nobody answered.
    pub(super) fn too_late(
        &self,
        sent: bool,
        method: Option<&'static str>,
        after: Duration,
    ) -> Error {
        match self.last_failure() {
            Some(failure) if !sent => Error::Connect(failure),
            _ => Error::Timeout(TimeoutError {
                method,
                after,
                sent,
            }),
        }
    }

    /// How many requests are under way.
    pub(super) fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    /// How the connection stands.
    pub(super) fn state(&self) -> ConnectionState {
        self.state.borrow().clone()
    }

    /// What the last attempt at a connection said, while there is none.
    pub(crate) fn last_failure(&self) -> Option<ConnectError> {
        self.state.borrow().error().cloned()
    }

    /// Resolves once so many attempts in a row have failed, or one failed for good.
    pub(crate) async fn gave_up(&self, attempts: u32) -> ConnectError {
        let mut state = self.state.clone();
        loop {
            if let ConnectionState::WaitingToRetry { attempt, error, .. } =
                &*state.borrow_and_update()
                && (*attempt >= attempts || error.is_permanent())
            {
                return error.clone();
            }
            if state.changed().await.is_err() {
                // The task is gone, and whoever waits for an answer hears that from the channel.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Asks for a new connection in place of the one that is there. Nothing is lost for it.
    pub(super) fn renew(&self) {
        self.shared.renew.notify_one();
    }

    /// The cell that says whether the authorisation is here.
    pub(super) fn authorized(&self) -> Arc<OnceCell<()>> {
        self.authorized
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The authorisation turned out not to be here.
    pub(super) fn forget_authorization(&self) {
        *self
            .authorized
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Arc::default();
    }

    /// Asks the task to finish; whoever still waits gets `reason`.
    pub(super) fn stop(&self, reason: Option<Error>) {
        if let Some(reason) = reason {
            // The first reason is the true one.
            let _ = self.shared.ending.set(reason);
        }
        self.stop.send_replace(true);
    }

    /// The task, to wait for, for the first who asks.
    pub(super) fn task(&self) -> Option<JoinHandle<()>> {
        self.task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl Drop for Dc {
    fn drop(&mut self) {
        self.stop(None);
    }
}

fn named(mut error: Error, method: Option<&'static str>) -> Error {
    match &mut error {
        Error::Rpc(error) => error.method = method,
        Error::Request(error) => error.method = method,
        _ => {}
    }
    error
}
