//! How the connection to the account's data centre stands, for whoever shows it to a person.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::watch;

use crate::error::{ConnectError, Error};

/// How the connection to the account's home data centre stands.
///
/// [`Client::connection_states`](crate::Client::connection_states) tells each change. `{}` prints a
/// sentence for a status line.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ConnectionState {
    /// There is none, and nobody has asked for anything yet.
    Idle,
    /// One is being made.
    #[non_exhaustive]
    Connecting {
        /// Which attempt it is since there was a connection, from 1.
        attempt: u32,
        /// What the attempt before it said, or what broke the connection before.
        last_error: Option<ConnectError>,
    },
    /// It is open, and the keys to talk over it are being made.
    ExchangingKeys,
    /// Packets go both ways.
    Online,
    /// It broke or could not be made, and is tried again.
    #[non_exhaustive]
    WaitingToRetry {
        /// How many attempts have failed one after the other.
        attempt: u32,
        /// How long after this state was told the next attempt begins.
        after: Duration,
        /// What happened.
        error: ConnectError,
    },
    /// There will be none: the client was closed.
    #[non_exhaustive]
    Closed {
        /// What calls end with.
        reason: Error,
    },
}

impl ConnectionState {
    /// Whether packets go both ways.
    #[must_use]
    pub fn is_online(&self) -> bool {
        matches!(self, Self::Online)
    }

    /// What is wrong, if something is.
    #[must_use]
    pub fn error(&self) -> Option<&ConnectError> {
        match self {
            Self::Connecting { last_error, .. } => last_error.as_ref(),
            Self::WaitingToRetry { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for ConnectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idle => f.write_str("not connected"),
            Self::Connecting { attempt: 1, .. } => f.write_str("connecting"),
            Self::Connecting { attempt, .. } => write!(f, "connecting, attempt {attempt}"),
            Self::ExchangingKeys => f.write_str("making keys"),
            Self::Online => f.write_str("online"),
            Self::WaitingToRetry { after, error, .. } => write!(
                f,
                "no connection, trying again in {:.1} s: {error}",
                after.as_secs_f32()
            ),
            Self::Closed { reason } => reason.fmt(f),
        }
    }
}

/// The latest state, for all who watch.
pub(super) struct States(watch::Sender<ConnectionState>);

impl Default for States {
    fn default() -> Self {
        Self(watch::Sender::new(ConnectionState::Idle))
    }
}

impl States {
    /// Tells a state. Nothing comes after the end.
    pub(super) fn tell(&self, state: ConnectionState) {
        self.0.send_if_modified(|last| {
            let goes_on = !matches!(last, ConnectionState::Closed { .. });
            if goes_on {
                *last = state;
            }
            goes_on
        });
    }

    pub(super) fn latest(&self) -> ConnectionState {
        self.0.borrow().clone()
    }

    pub(super) fn watch(&self) -> ConnectionStates {
        let mut seen = self.0.subscribe();
        seen.mark_changed();
        ConnectionStates(Watching::At(seen))
    }
}

/// The states of the connection, one after the other. Made by
/// [`Client::connection_states`](crate::Client::connection_states).
///
/// The first is how it stands now. Who reads slowly misses the states in between and gets the
/// latest. It is a [`Stream`](futures_core::Stream), has [`next`](Self::next) of its own so that no
/// extension trait is needed, and does not keep the client alive: [`ConnectionState::Closed`] is the
/// last.
#[must_use]
pub struct ConnectionStates(Watching);

type Change = Pin<Box<dyn Future<Output = (watch::Receiver<ConnectionState>, bool)> + Send + Sync>>;

enum Watching {
    At(watch::Receiver<ConnectionState>),
    For(Change),
    Ended,
}

impl ConnectionStates {
    /// Waits for the next state; `None` after the last. Safe to drop at any time.
    pub async fn next(&mut self) -> Option<ConnectionState> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<ConnectionState>> {
        loop {
            match &mut self.0 {
                Watching::Ended => return Poll::Ready(None),
                Watching::At(_) => {
                    let Watching::At(mut seen) = std::mem::replace(&mut self.0, Watching::Ended)
                    else {
                        return Poll::Ready(None);
                    };
                    self.0 = Watching::For(Box::pin(async move {
                        let changed = seen.changed().await.is_ok();
                        (seen, changed)
                    }));
                }
                Watching::For(change) => {
                    let (mut seen, changed) = ready!(change.as_mut().poll(context));
                    if !changed {
                        self.0 = Watching::Ended;
                        return Poll::Ready(None);
                    }
                    let state = seen.borrow_and_update().clone();
                    self.0 = match state {
                        ConnectionState::Closed { .. } => Watching::Ended,
                        _ => Watching::At(seen),
                    };
                    return Poll::Ready(Some(state));
                }
            }
        }
    }
}

impl futures_core::Stream for ConnectionStates {
    type Item = ConnectionState;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<ConnectionState>> {
        self.get_mut().poll(context)
    }
}

impl fmt::Debug for ConnectionStates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConnectionStates")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connecting(attempt: u32) -> ConnectionState {
        ConnectionState::Connecting {
            attempt,
            last_error: None,
        }
    }

    #[tokio::test]
    async fn a_slow_reader_gets_the_latest_state_and_not_all_of_them() {
        let states = States::default();
        let mut watch = states.watch();
        assert!(matches!(watch.next().await, Some(ConnectionState::Idle)));
        for attempt in 1..1000 {
            states.tell(connecting(attempt));
        }
        states.tell(ConnectionState::Online);
        assert!(watch.next().await.unwrap().is_online());
        let nothing = tokio::time::timeout(Duration::from_millis(1), watch.next());
        assert!(nothing.await.is_err());
        // Who comes later begins with how it stands.
        assert!(states.watch().next().await.unwrap().is_online());
    }

    #[tokio::test]
    async fn the_end_is_told_once_and_nothing_comes_after() {
        let states = States::default();
        let mut watch = states.watch();
        watch.next().await.unwrap();
        states.tell(ConnectionState::Closed {
            reason: Error::Closed,
        });
        states.tell(ConnectionState::Online);
        let last = watch.next().await.unwrap();
        assert!(matches!(last, ConnectionState::Closed { .. }), "{last}");
        assert!(watch.next().await.is_none());
        assert!(watch.next().await.is_none());
    }

    #[tokio::test]
    async fn a_client_that_is_gone_ends_the_stream() {
        let states = States::default();
        let mut watch = states.watch();
        watch.next().await.unwrap();
        drop(states);
        assert!(watch.next().await.is_none());
    }

    #[test]
    fn a_state_is_a_sentence_for_a_status_line() {
        let error = ConnectError {
            dc_id: 2,
            address: None,
            cause: crate::error::ConnectCause::HungUp,
        };
        let state = ConnectionState::WaitingToRetry {
            attempt: 1,
            after: Duration::from_millis(2960),
            error,
        };
        let text = state.to_string();
        assert!(
            text.starts_with("no connection, trying again in 3.0 s: "),
            "{text}"
        );
        assert!(state.error().is_some());
    }
}
