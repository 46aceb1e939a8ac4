//! `UpdateStream`: what the program reads.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::hub::Shared;
use super::types::Update;
use super::{driver, types};
use crate::error::Error;

/// Updates, one after the other. Made by [`Client::stream_updates`](crate::Client::stream_updates).
///
/// It is a [`Stream`](futures_core::Stream), and has [`next`](Self::next) of its own so that no
/// extension trait is needed. It does not keep the client alive: it ends when the last clone is
/// dropped, and when the login does; [`reason`](Self::reason) tells which.
#[must_use]
pub struct UpdateStream {
    shared: Arc<Shared>,
    reader: u64,
}

impl UpdateStream {
    pub(super) fn new(shared: Arc<Shared>, reader: u64) -> Self {
        Self { shared, reader }
    }

    /// Sees to it that a driver runs.
    pub(super) fn drive(&self) {
        let mut state = self.shared.lock();
        if state.driven || state.closed.is_some() {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            state.driven = true;
            runtime.spawn(driver::run(Arc::clone(&self.shared)));
        }
    }

    /// Waits for the next update, and tells that the ones before are handled. `None` when there
    /// will be no more. Safe to drop at any time: nothing is lost.
    pub async fn next(&mut self) -> Option<Update> {
        poll_fn(|context| self.poll(context)).await
    }

    /// Tells that what was given so far is handled, without waiting for the next one.
    pub fn ack(&mut self) {
        self.shared.lock().queue.handled(self.reader);
        self.shared.commit();
    }

    /// Why the stream ended; `None` while it goes on.
    #[must_use]
    pub fn reason(&self) -> Option<Error> {
        self.shared.lock().closed.clone()
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Update>> {
        self.drive();
        self.shared.lock().queue.handled(self.reader);
        loop {
            let taken = {
                let mut state = self.shared.lock();
                let taken = state.queue.take(self.reader);
                if taken.is_none() && state.closed.is_none() {
                    state.queue.wait(self.reader, context.waker());
                }
                if taken.is_none() && state.closed.is_some() {
                    drop(state);
                    self.shared.commit();
                    return Poll::Ready(None);
                }
                taken
            };
            self.shared.commit();
            let Some((payload, peers)) = taken else {
                return Poll::Pending;
            };
            let client = self.shared.client.upgrade();
            if let Some(update) = types::of_payload(payload, &peers, client.as_ref()) {
                return Poll::Ready(Some(update));
            }
            self.shared.lock().queue.handled(self.reader);
        }
    }
}

impl futures_core::Stream for UpdateStream {
    type Item = Update;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Update>> {
        self.get_mut().poll(context)
    }
}

impl Drop for UpdateStream {
    fn drop(&mut self) {
        self.shared.lock().queue.leave(self.reader);
        // What the others have handled counts now, and makes room.
        self.shared.commit();
        self.shared.wake.notify_one();
    }
}
