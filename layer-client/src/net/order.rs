//! Calls that the server is to execute one after the other (`invokeAfterMsg`, page `api/invoking`).
//!
//! Each call has a [`Place`] behind the one that was made before it. A call is sent as soon as the
//! one before it is, and names it, so that a row of calls takes one round trip. When the one before
//! fails, the server refuses those behind it; each then waits until the call before it has come to
//! its end, whatever it went through (flood waits, another data centre), and is sent once more.

use std::sync::Arc;

use tokio::sync::watch;

use super::call::Ticket;

/// How far a call has come, as the one behind it has to know.
#[derive(Clone, Debug)]
enum Stage {
    /// It was not given to a connection yet.
    Waiting,
    /// It was, as this.
    Sent(Arc<Ticket>),
}

/// The end of the line: behind whom the next call goes.
#[derive(Debug, Default)]
pub(crate) struct Tail(Option<watch::Receiver<Stage>>);

/// A call's place in the line, which it leaves when this is dropped.
pub(crate) struct Place {
    before: Option<watch::Receiver<Stage>>,
    stage: watch::Sender<Stage>,
}

impl Tail {
    /// The next place.
    pub(crate) fn next(&mut self) -> Arc<Place> {
        let (stage, seen) = watch::channel(Stage::Waiting);
        let before = self.0.replace(seen);
        Arc::new(Place { before, stage })
    }
}

impl Place {
    /// Waits until the call before this one was given to a connection, and gives the name it has
    /// there; none when it is over.
    pub(super) async fn turn(&self) -> Option<Arc<Ticket>> {
        let mut before = self.before.clone()?;
        let sent = |stage: &Stage| matches!(stage, Stage::Sent(_));
        let stage = before.wait_for(sent).await.ok()?.clone();
        match stage {
            // However it ended, it holds up nobody.
            _ if before.has_changed().is_err() => None,
            Stage::Sent(ticket) => Some(ticket),
            Stage::Waiting => None,
        }
    }

    /// This call was given to a connection.
    pub(super) fn sent(&self, ticket: Arc<Ticket>) {
        self.stage.send_replace(Stage::Sent(ticket));
    }

    /// Waits until the call before this one is over.
    pub(super) async fn before_is_over(&self) {
        if let Some(mut before) = self.before.clone() {
            while before.changed().await.is_ok() {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn waits(future: impl Future) -> bool {
        tokio::time::timeout(Duration::from_secs(5), future)
            .await
            .is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_waits_until_the_one_before_it_is_on_its_way() {
        let mut tail = Tail::default();
        let (first, second) = (tail.next(), tail.next());
        assert!(first.turn().await.is_none());
        assert!(waits(second.turn()).await);
        let ticket = Ticket::new();
        first.sent(ticket.clone());
        let named = second.turn().await.unwrap();
        assert!(Arc::ptr_eq(&named, &ticket));
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_call_is_waited_for_and_lets_the_next_go() {
        let mut tail = Tail::default();
        let (first, second, third) = (tail.next(), tail.next(), tail.next());
        first.sent(Ticket::new());
        assert!(waits(second.before_is_over()).await);
        drop(first);
        second.before_is_over().await;
        assert!(second.turn().await.is_none());
        // A call that was dropped before it was sent is over as well.
        drop(second);
        assert!(third.turn().await.is_none());
        third.before_is_over().await;
    }
}
