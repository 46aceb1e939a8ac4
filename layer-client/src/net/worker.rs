//! The task of one connection: connects when there is a reason to, keeps the session across
//! connections, and sees that each request has one outcome. What happens on a connection that
//! works is in [`serve`](super::serve), what concerns keys in [`keys`](super::keys).

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use layer_mtproto::session::{BindFailure, ClientSession, RequestId};
use rustc_hash::FxHashMap;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

use super::Role;
use super::backoff::Backoff;
use super::call::{Reply, Request, Ticket};
use super::dc::{Dc, Shared};
use super::keys::Keys;
use super::plan::Plan;
use super::random::OsRandom;
use super::state::ConnectionState;
use super::wire::{self, Wire};
use crate::client::{Client, WeakClient, spawn};
use crate::error::{ConnectCause, ConnectError, Error};

/// Requests that may be under way at a time; more wait in the channel, and then in their callers.
pub(super) const MAX_REQUESTS: usize = 1024;
/// The channel holds as many more, so that whoever asks seldom has to wait for room.
const CHANNEL: usize = MAX_REQUESTS;
/// The wait after the first failure to connect.
const FIRST_DELAY: Duration = Duration::from_millis(300);
/// A connection that lasted so long, or that brought an answer, was a good one: the next failure waits
/// as little as the first. One that breaks sooner, each time, is made again ever more slowly.
const STABLE: Duration = Duration::from_secs(5);
/// After "too many connections" there is no hurry.
const FLOOD_DELAY: Duration = Duration::from_secs(10);

/// Those that wait for answers.
type Replies = FxHashMap<RequestId, Reply>;

pub(super) struct Worker {
    pub(super) dc_id: i32,
    pub(super) role: Role,
    pub(super) plan: Arc<Plan>,
    pub(super) client: WeakClient,
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) shared: Arc<Shared>,
    /// Requests that were taken while there is no session to give them to.
    pub(super) queue: VecDeque<Request>,
    pub(super) session: Option<ClientSession>,
    pub(super) waiting: Replies,
    pub(super) keys: Keys,
    state: watch::Sender<ConnectionState>,
    backoff: Backoff,
    /// What the last attempt said, until there is a connection.
    last_error: Option<ConnectError>,
    /// Which address goes first; another one after each failure.
    turn: usize,
    /// Whether packets ever went both ways: then a lost connection is made again unasked.
    was_online: bool,
    /// Whether a request was answered on this connection.
    pub(super) answered: bool,
}

/// How a connection ended.
pub(super) enum Lost {
    /// The task is to end.
    Stopped,
    /// Nobody has needed it for a while.
    Idle,
    /// Its temporary key is about to end.
    Renew,
    /// Another one is wanted in its place.
    Unwanted,
    /// Its temporary key could not be bound.
    Unbound(BindFailure),
    /// It broke.
    Broken(ConnectCause),
}

impl Worker {
    pub(super) fn spawn(dc_id: i32, role: Role, plan: Arc<Plan>, client: WeakClient) -> Dc {
        let (sender, requests) = mpsc::channel(CHANNEL);
        let (state, seen) = watch::channel(ConnectionState::Idle);
        let (stopper, stop) = watch::channel(false);
        let shared = Arc::new(Shared::default());
        let worker = Self {
            dc_id,
            role,
            backoff: Backoff::new(FIRST_DELAY, plan.max_reconnect_delay),
            plan,
            client,
            requests,
            stop,
            shared: shared.clone(),
            queue: VecDeque::new(),
            session: None,
            waiting: Replies::default(),
            keys: Keys::default(),
            state,
            last_error: None,
            turn: 0,
            was_online: false,
            answered: false,
        };
        Dc::new(sender, shared, seen, stopper, spawn(worker.run()))
    }

    async fn run(mut self) {
        while self.live().await.is_some() {}
        let ending = self.shared.ending();
        self.fail_all(&ending);
        self.requests.close();
        while let Ok(request) = self.requests.try_recv() {
            request.reply.send(Err(ending.clone()));
        }
        log::debug!("data centre {}: closed", self.dc_id);
    }

    /// One connection's life; `None` when the task is to end.
    async fn live(&mut self) -> Option<()> {
        if !self.wanted()? {
            self.set_state(ConnectionState::Idle);
            self.backoff.reset();
            self.last_error = None;
            let request = tokio::select! {
                _ = self.stop.wait_for(|stop| *stop) => return None,
                request = self.requests.recv() => request?,
            };
            self.queue.push_back(request);
        }
        // Boxed: a connection that is open keeps no room for what opening it took.
        let wire = match Box::pin(self.connect()).await? {
            Ok(wire) => wire,
            Err(error) => return self.failed(error).await,
        };
        let address = wire.address.clone();
        let begun = Instant::now();
        self.answered = false;
        let lost = self.serve(wire).await;
        if self.answered || (self.state.borrow().is_online() && begun.elapsed() >= STABLE) {
            self.backoff.reset();
        }
        if let Some(session) = &mut self.session {
            session.connection_lost(Instant::now().into_std());
        }
        let cause = match lost {
            Lost::Stopped => return None,
            Lost::Idle | Lost::Unwanted => return Some(()),
            Lost::Renew => {
                log::info!("data centre {}: the temporary key is renewed", self.dc_id);
                self.keys.outlive();
                return Some(());
            }
            Lost::Unbound(reason) => self.not_bound(&reason)?,
            Lost::Broken(cause) => cause,
        };
        let error = ConnectError {
            dc_id: self.dc_id,
            address: Some(address),
            cause,
        };
        self.failed(error).await
    }

    /// Whether there is a reason to have a connection.
    fn wanted(&mut self) -> Option<bool> {
        self.forget_cancelled();
        self.client()?;
        let home = self.was_online && self.client_at_home().is_some();
        Some(home || !self.queue.is_empty() || !self.waiting.is_empty())
    }

    /// The client, for a moment; `None` when its last clone is gone.
    pub(super) fn client(&self) -> Option<Client> {
        self.client.upgrade()
    }

    /// The client, if this is the connection that carries the account's updates.
    pub(super) fn client_at_home(&self) -> Option<Client> {
        self.client()
            .filter(|client| self.role == Role::Main && client.inner.home_dc() == self.dc_id)
    }

    /// Tells how the connection stands.
    pub(super) fn set_state(&self, state: ConnectionState) {
        if let Some(client) = self.client_at_home() {
            client.inner.pool.tell(state.clone());
        }
        self.state.send_replace(state);
    }

    /// Opens a connection and sees that there is a session for it.
    async fn connect(&mut self) -> Option<Result<Wire, ConnectError>> {
        self.set_state(ConnectionState::Connecting {
            attempt: self.backoff.failures().saturating_add(1),
            last_error: self.last_error.clone(),
        });
        let (mut addresses, media) = self.client()?.inner.addresses(self.dc_id, self.role);
        if !addresses.is_empty() {
            let turn = self.turn % addresses.len();
            addresses.rotate_left(turn);
        }
        let opening = wire::open(self.plan.clone(), self.dc_id, addresses, media);
        match self.meanwhile(opening).await? {
            Ok(wire) => self.establish(wire).await,
            Err(error) => Some(Err(error)),
        }
    }

    /// Does `work` while requests are taken, up to a bound, and cancelled ones forgotten. `None`
    /// when the task is to end.
    pub(super) async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        loop {
            let room = self.queue.len() + self.waiting.len() < MAX_REQUESTS;
            tokio::select! {
                biased;
                _ = self.stop.wait_for(|stop| *stop) => return None,
                done = &mut work => return Some(done),
                request = self.requests.recv(), if room => self.queue.push_back(request?),
                () = self.shared.cancels.notified() => {}
            }
            self.forget_cancelled();
        }
    }

    /// Forgets requests that nobody waits for; the server is told if it has them.
    pub(super) fn forget_cancelled(&mut self) {
        let cancelled = self.shared.cancels.take();
        if cancelled.is_empty() {
            return;
        }
        let now = Instant::now().into_std();
        for ticket in cancelled {
            if let Some(id) = request_of(&self.waiting, &ticket) {
                self.waiting.remove(&id);
                if let Some(session) = &mut self.session {
                    session.cancel(id, now);
                }
            }
        }
        self.queue.retain(|request| !request.reply.is_closed());
    }

    /// An attempt or a connection failed: what that means, and the wait before the next.
    async fn failed(&mut self, error: ConnectError) -> Option<()> {
        let mut delay = self.backoff.failed(OsRandom::number());
        self.turn = self.turn.wrapping_add(1);
        match error.cause {
            ConnectCause::Refused(-404) => self.key_refused(&error)?,
            ConnectCause::Refused(-429) => delay = delay.max(FLOOD_DELAY),
            _ => {}
        }
        log::info!("{error}; trying again in {delay:?}");
        self.last_error = Some(error.clone());
        self.set_state(ConnectionState::WaitingToRetry {
            attempt: self.backoff.failures(),
            after: delay,
            error: error.clone(),
        });
        if error.is_permanent() {
            self.was_online = false;
            self.fail_all(&Error::Connect(error));
            return Some(());
        }
        self.meanwhile(sleep(delay)).await
    }

    /// Packets go both ways.
    pub(super) fn online(&mut self) {
        self.keys.accepted();
        self.last_error = None;
        self.set_state(ConnectionState::Online);
        let again = std::mem::replace(&mut self.was_online, true);
        log::debug!("data centre {}: online", self.dc_id);
        if again && let Some(client) = self.client_at_home() {
            client.inner.updates.reconnected();
        }
    }

    pub(super) fn fail_all(&mut self, error: &Error) {
        for (_, reply) in self.waiting.drain() {
            reply.send(Err(error.clone()));
        }
        for request in self.queue.drain(..) {
            request.reply.send(Err(error.clone()));
        }
    }
}

/// What the session calls a request that waits for its answer here.
pub(super) fn request_of(replies: &Replies, ticket: &Arc<Ticket>) -> Option<RequestId> {
    let id = ticket.request()?;
    // Another data centre's session may use the name as well.
    let reply = replies.get(&id)?;
    Arc::ptr_eq(&reply.ticket, ticket).then_some(id)
}
