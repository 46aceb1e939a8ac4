//! How many files move at a time ([`Config::files_at_once`](crate::Config::files_at_once)): a transfer
//! has one of so many places, or waits for one in the order of asking.
//!
//! A place is held by the transfer and by what it has under way. A transfer whose reader or source does
//! not come on keeps it for a while only: whoever opens a file and forgets about it must not hold up all
//! others.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// For so long a place is kept for somebody who is away.
const PATIENCE: Duration = Duration::from_secs(10);

/// The places of all transfers of a client: of downloads and of uploads, which may wait for each other.
pub(crate) struct Turns {
    downloads: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
}

impl Turns {
    pub(crate) fn new(at_once: usize) -> Self {
        let places = || Arc::new(Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS)));
        Self {
            downloads: places(),
            uploads: places(),
        }
    }

    pub(super) fn of_download(&self) -> Turn {
        Turn::new(&self.downloads)
    }

    pub(super) fn of_upload(&self) -> Turn {
        Turn::new(&self.uploads)
    }
}

/// A place, free for another one when the last of these is dropped. (There is always a permit in it: the
/// semaphore is never closed.)
pub(super) type Place = Arc<Option<OwnedSemaphorePermit>>;

type Waiting =
    Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send + Sync>>;

/// A transfer's place, or its place in the line.
pub(super) struct Turn {
    places: Arc<Semaphore>,
    held: Option<Place>,
    /// The place that it had, which may be held by something under way.
    had: Weak<Option<OwnedSemaphorePermit>>,
    waiting: Option<Waiting>,
    /// Holds the place while the one who wants it is away.
    keeper: JoinSet<()>,
}

impl Turn {
    fn new(places: &Arc<Semaphore>) -> Self {
        Self {
            places: places.clone(),
            held: None,
            had: Weak::new(),
            waiting: None,
            keeper: JoinSet::new(),
        }
    }

    /// Its place, to be held by what it has under way, once it is its turn.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Place> {
        if let Some(held) = &self.held {
            return Poll::Ready(held.clone());
        }
        let place = match self.had.upgrade() {
            Some(place) => place,
            None => {
                let waiting = self
                    .waiting
                    .get_or_insert_with(|| Box::pin(self.places.clone().acquire_owned()));
                Arc::new(ready!(waiting.as_mut().poll(cx)).ok())
            }
        };
        self.waiting = None;
        self.keeper.abort_all();
        self.had = Arc::downgrade(&place);
        self.held = Some(place.clone());
        Poll::Ready(place)
    }

    /// Somebody else is to come on now, and may stay away.
    pub(super) fn rest(&mut self) {
        if let Some(held) = self.held.take() {
            self.keeper = JoinSet::new();
            self.keeper.spawn(async move {
                sleep(PATIENCE).await;
                drop(held);
            });
        }
    }

    /// Wants nothing for now.
    pub(super) fn give_up(&mut self) {
        self.held = None;
        self.waiting = None;
        self.keeper.abort_all();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Waker;

    use super::*;

    fn has(turn: &mut Turn) -> bool {
        turn.poll(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    }

    fn turns<const N: usize>(turns: &Turns) -> [Turn; N] {
        std::array::from_fn(|_| turns.of_download())
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_have_a_place_and_the_others_wait_in_the_order_of_asking() {
        let turns_of = Turns::new(2);
        let [mut a, mut b, mut c, mut d, mut e] = turns(&turns_of);
        assert!(has(&mut a) && has(&mut b));
        assert!(!has(&mut c) && !has(&mut d) && !has(&mut e));
        // Asking again is no reason to come first, and uploads have places of their own.
        assert!(!has(&mut e) && !has(&mut d) && has(&mut turns_of.of_upload()));
        drop(b);
        assert!(!has(&mut e) && !has(&mut d) && has(&mut c));
        // Who waits and goes gives the place in the line up.
        drop(d);
        drop(a);
        assert!(has(&mut e));
        let mut late = turns_of.of_download();
        assert!(!has(&mut late));
        drop((c, e));
        assert!(has(&mut late) && has(&mut turns_of.of_download()));
        assert_eq!(turns_of.downloads.available_permits(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_under_way_holds_the_place_when_the_transfer_does_not() {
        let turns_of = Turns::new(1);
        let [mut a, mut b] = turns(&turns_of);
        let under_way = poll_fn(|cx| a.poll(cx)).await;
        a.give_up();
        assert!(!has(&mut b));
        // It is still its own.
        assert!(has(&mut a));
        a.give_up();
        drop(under_way);
        assert!(has(&mut b) && !has(&mut a));
        // Whoever wants nothing for now does not wait either.
        a.give_up();
        drop(b);
        assert!(has(&mut turns_of.of_download()) && has(&mut a));
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_kept_for_a_while_for_somebody_who_is_away() {
        let turns_of = Turns::new(1);
        let [mut a, mut b] = turns(&turns_of);
        assert!(has(&mut a));
        for _ in 0..5 {
            a.rest();
            assert!(!has(&mut b));
            sleep(PATIENCE - Duration::from_millis(1)).await;
            assert!(!has(&mut b) && has(&mut a));
        }
        a.rest();
        let begun = tokio::time::Instant::now();
        let turn = tokio::time::timeout(2 * PATIENCE, poll_fn(|cx| b.poll(cx))).await;
        assert!(turn.is_ok() && begun.elapsed() == PATIENCE);
        drop(turn);
        assert!(!has(&mut a));
        // Away or not, a dropped one has no place.
        b.rest();
        drop(b);
        tokio::task::yield_now().await;
        assert!(has(&mut a));
    }
}
