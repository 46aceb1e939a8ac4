//! `UpdateStream`: what the program reads.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::albums::Albums;
use super::driver;
use super::hub::Shared;
use super::queue::Open;
use super::types::Update;
use crate::client::spawn;
use crate::error::Error;

/// Updates, one after the other. Made by [`Client::stream_updates`](crate::Client::stream_updates).
///
/// It is a [`Stream`](futures_core::Stream), and has [`next`](Self::next) of its own so that no
/// extension trait is needed. It does not keep the client alive: it ends when the last clone is
/// dropped, and when the login does; [`reason`](Self::reason) tells which.
///
/// # What counts as handled
///
/// An update counts as handled when the next one is asked for, so a program that handles one after
/// the other has nothing to do. One that hands its updates to other tasks asks with
/// [`next_with_receipt`](Self::next_with_receipt), and each task tells by the [`Receipt`] when it is
/// done, in whatever order. What was not handled when the program ends, however it ends, comes again
/// at the next start.
///
/// ```no_run
/// # async fn work(_: layer_client::update::Update) -> Result<(), ()> { Ok(()) }
/// # async fn example(client: layer_client::Client) {
/// use std::sync::Arc;
/// use tokio::sync::Semaphore;
///
/// let workers = Arc::new(Semaphore::new(16));
/// let mut updates = client.stream_updates();
/// while let Some((update, receipt)) = updates.next_with_receipt().await {
///     let Ok(worker) = workers.clone().acquire_owned().await else { break };
///     tokio::spawn(async move {
///         // A worker that fails or panics drops the receipt: the update comes again.
///         if work(update).await.is_ok() || receipt.attempt() == 3 {
///             receipt.ack();
///         }
///         drop(worker);
///     });
/// }
/// # }
/// ```
///
/// At most about a thousand updates wait for the oldest that is not handled; then no more are taken
/// from the server until it is, and what came meanwhile is fetched afterwards.
#[must_use]
pub struct UpdateStream {
    shared: Arc<Shared>,
    reader: u64,
    albums: Option<Albums>,
}

/// What came out of the queue, to be given to the program.
pub(super) struct Given {
    /// The items that it is made of; none for what may be missed.
    pub(super) numbers: Vec<u64>,
    pub(super) update: Update,
}

/// Tells when an update is handled; see [`UpdateStream::next_with_receipt`].
///
/// Dropped without [`ack`](Self::ack) it gives the update back: the stream brings it again, as soon as
/// it can. After the stream was dropped it has no effect any more, so keep the stream until
/// the work is done.
#[must_use = "dropped without `ack` it gives the update back"]
pub struct Receipt {
    shared: Arc<Shared>,
    reader: u64,
    numbers: Vec<u64>,
    attempt: u32,
    settled: bool,
}

impl Receipt {
    /// The update is handled.
    pub fn ack(mut self) {
        self.settle(true);
    }

    /// How often the update was given to this stream by now, from 1. For what fails each time.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    fn settle(&mut self, handled: bool) {
        if std::mem::replace(&mut self.settled, true) || self.numbers.is_empty() {
            return;
        }
        let mut state = self.shared.lock();
        state.queue.settle(self.reader, &self.numbers, handled);
        drop(state);
        if handled {
            self.shared.commit();
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.settle(false);
    }
}

impl std::fmt::Debug for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receipt")
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

impl UpdateStream {
    pub(super) fn new(shared: Arc<Shared>, reader: u64, albums: Option<Albums>) -> Self {
        Self {
            shared,
            reader,
            albums,
        }
    }

    /// Sees to it that a driver runs.
    pub(super) fn drive(&self) {
        let mut state = self.shared.lock();
        if state.driven || state.closed.is_some() {
            return;
        }
        if tokio::runtime::Handle::try_current().is_ok() {
            state.driven = true;
            spawn(driver::run(Arc::clone(&self.shared)));
        }
    }

    /// Waits for the next update, and tells that the ones before are handled, but for those that
    /// have a receipt. `None` when there will be no more. Safe to drop at any time: nothing is lost.
    pub async fn next(&mut self) -> Option<Update> {
        poll_fn(|context| self.poll(context)).await
    }

    /// As [`next`](Self::next), for a program that hands the update on: it is handled when its
    /// receipt says so, however many others were asked for meanwhile.
    pub async fn next_with_receipt(&mut self) -> Option<(Update, Receipt)> {
        let given = poll_fn(|context| self.poll_given(context)).await?;
        let attempt = {
            let mut state = self.shared.lock();
            let queue = &mut state.queue;
            queue.give(self.reader, &given.numbers, Open::Receipt)
        };
        let receipt = Receipt {
            shared: Arc::clone(&self.shared),
            reader: self.reader,
            numbers: given.numbers,
            attempt,
            settled: false,
        };
        Some((given.update, receipt))
    }

    /// Tells that what was given so far is handled, without waiting for the next one. It says
    /// nothing of what has a receipt.
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
        self.poll_given(context).map(|given| {
            let given = given?;
            let mut state = self.shared.lock();
            let queue = &mut state.queue;
            queue.give(self.reader, &given.numbers, Open::Given);
            Some(given.update)
        })
    }

    fn poll_given(&mut self, context: &mut Context<'_>) -> Poll<Option<Given>> {
        self.drive();
        self.ack();
        loop {
            if let Some(whole) = self.albums.as_mut().and_then(Albums::pop) {
                return Poll::Ready(Some(whole));
            }
            let (taken, ended) = {
                let mut state = self.shared.lock();
                let taken = state.queue.take(self.reader);
                let ended = state.closed.is_some();
                if taken.is_none() && !ended {
                    state.queue.wait(self.reader, context.waker());
                }
                (taken, ended)
            };
            match (taken, &mut self.albums) {
                (Some((number, update)), None) => {
                    let numbers = number.into_iter().collect();
                    return Poll::Ready(Some(Given { numbers, update }));
                }
                (Some((number, update)), Some(albums)) => albums.take(number, update),
                (None, albums) => {
                    let due = albums.as_mut().is_some_and(|a| a.poll_due(context, ended));
                    if !due && ended {
                        return Poll::Ready(None);
                    } else if !due {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

impl futures_core::Stream for UpdateStream {
    type Item = Update;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Update>> {
        self.get_mut().poll(context)
    }
}

impl std::fmt::Debug for UpdateStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UpdateStream")
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
