//! The handle on one data centre's task.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::call::{Cancels, Request, Ticket, Waiting};
use crate::error::{ConnectError, Error, TimeoutError};
use crate::tl;

/// How a data centre's connection stands.
#[derive(Clone, Debug)]
pub(crate) enum Status {
    /// Nobody needs it.
    Idle,
    /// Being made; what the attempts before this one said.
    Connecting(Option<Failed>),
    /// Packets go both ways.
    Online,
}

/// Attempts that failed, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Failed {
    pub(crate) attempts: u32,
    pub(crate) last: ConnectError,
}

/// What the handle and the task share.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) cancels: Arc<Cancels>,
    /// Why the task came to its end, when it is not that the client was closed.
    ending: OnceLock<Error>,
}

impl Shared {
    pub(super) fn ending(&self) -> Error {
        self.ending.get().cloned().unwrap_or(Error::Closed)
    }
}

/// One data centre's task, seen from outside.
pub(crate) struct Dc {
    requests: mpsc::Sender<Request>,
    shared: Arc<Shared>,
    status: watch::Receiver<Status>,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
    tickets: AtomicU64,
    /// Whether the account's authorisation was brought here; whoever comes first brings it.
    authorized: Mutex<Arc<OnceCell<()>>>,
}

impl Dc {
    pub(super) fn new(
        requests: mpsc::Sender<Request>,
        shared: Arc<Shared>,
        status: watch::Receiver<Status>,
        stop: watch::Sender<bool>,
        task: JoinHandle<()>,
    ) -> Self {
        Self {
            requests,
            shared,
            status,
            stop,
            task: Mutex::new(Some(task)),
            tickets: AtomicU64::new(0),
            authorized: Mutex::default(),
        }
    }

    /// Sends a request and waits for its result, at most this long. Dropping the future cancels
    /// the request.
    pub(crate) async fn call(&self, body: Vec<u8>, within: Duration) -> Result<Vec<u8>, Error> {
        let method = method_name(&body);
        let deadline = Instant::now() + within;
        let ticket = Arc::new(Ticket::new(self.tickets.fetch_add(1, Ordering::Relaxed)));
        let (request, mut waiting) =
            Waiting::new(body, ticket.clone(), self.shared.cancels.clone());
        let answer = timeout_at(deadline, async {
            if self.requests.send(request).await.is_err() {
                return None;
            }
            waiting.answer().await
        });
        match answer.await {
            Ok(Some(answer)) => answer.map_err(|error| named(error, method)),
            Ok(None) => Err(self.shared.ending()),
            Err(_) => Err(self.too_late(&ticket, method, within)),
        }
    }

    /// If there was no connection, that is what is wrong; otherwise nobody answered.
    fn too_late(&self, ticket: &Ticket, method: Option<&'static str>, after: Duration) -> Error {
        let sent = ticket.was_sent();
        match self.last_failure() {
            Some(failure) if !sent => Error::Connect(failure),
            _ => Error::Timeout(TimeoutError {
                method,
                after,
                sent,
            }),
        }
    }

    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// What the last attempt at a connection said, while there is none.
    pub(crate) fn last_failure(&self) -> Option<ConnectError> {
        match &*self.status.borrow() {
            Status::Connecting(failed) => failed.as_ref().map(|failed| failed.last.clone()),
            Status::Idle | Status::Online => None,
        }
    }

    /// Resolves once so many attempts in a row have failed, or one failed for good.
    pub(crate) async fn gave_up(&self, attempts: u32) -> ConnectError {
        let mut status = self.status();
        loop {
            if let Status::Connecting(Some(failed)) = &*status.borrow_and_update()
                && (failed.attempts >= attempts || failed.last.is_permanent())
            {
                return failed.last.clone();
            }
            if status.changed().await.is_err() {
                // The task is gone, and whoever waits for an answer hears that from the channel.
                std::future::pending::<()>().await;
            }
        }
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

    /// The task, to wait for.
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

/// What the schema calls the method that a serialised request calls.
pub(crate) fn method_name(body: &[u8]) -> Option<&'static str> {
    let id = body.first_chunk::<4>().copied().map(u32::from_le_bytes)?;
    tl::name_for_id(id)
}

fn named(mut error: Error, method: Option<&'static str>) -> Error {
    match &mut error {
        Error::Rpc(error) => error.method = method,
        Error::Request(error) => error.method = method,
        _ => {}
    }
    error
}
