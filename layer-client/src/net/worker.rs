//! The task of one data centre: connects when there is a reason to, keeps the session across
//! connections, and sees that each request has one outcome. What happens on a connection that
//! works is in [`serve`](super::serve).

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use layer_crypto::AuthKey;
use layer_mtproto::session::{ClientSession, FutureSalt, RequestId, SessionParams};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep};

use super::backoff::Backoff;
use super::call::{Request, Ticket};
use super::dc::{Dc, Failed, Shared, Status};
use super::exchange;
use super::plan::Plan;
use super::random::OsRandom;
use super::wire::{self, Wire};
use crate::client::{Client, WeakClient};
use crate::error::{ConnectCause, ConnectError, Error, Terminal};
use crate::session::{SavedKey, SavedSalt};

/// Requests that may be under way at a time; more wait in the channel, and then in their callers.
pub(super) const MAX_REQUESTS: usize = 1024;
/// The channel holds this many more.
const CHANNEL: usize = 64;
/// The wait after the first failure to connect.
const FIRST_DELAY: Duration = Duration::from_millis(300);
/// A connection that lasted so long was a good one: the next failure waits as little as the first.
/// One that breaks sooner, each time, is made again ever more slowly.
const STABLE: Duration = Duration::from_secs(5);
/// After "too many connections" there is no hurry.
const FLOOD_DELAY: Duration = Duration::from_secs(10);
/// An auth key counts as lost when it is refused this often with nothing accepted in between: one
/// refusal may be a mistake, and a lost key is a lost login.
const REFUSALS: u32 = 2;

/// A caller and how it names its request.
pub(super) struct Reply {
    pub(super) ticket: Arc<Ticket>,
    pub(super) sender: oneshot::Sender<Result<Vec<u8>, Error>>,
}

pub(super) struct Worker {
    pub(super) dc_id: i32,
    pub(super) plan: Arc<Plan>,
    pub(super) client: WeakClient,
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) shared: Arc<Shared>,
    /// Requests that were taken while there is no session to give them to.
    pub(super) queue: VecDeque<Request>,
    pub(super) session: Option<ClientSession>,
    pub(super) waiting: HashMap<RequestId, Reply>,
    pub(super) tickets: HashMap<u64, RequestId>,
    status: watch::Sender<Status>,
    backoff: Backoff,
    /// Which address goes first; another one after each failure.
    turn: usize,
    refusals: u32,
    /// Whether packets ever went both ways: then a lost connection is made again unasked.
    was_online: bool,
}

/// How a connection ended.
pub(super) enum Lost {
    /// The task is to end.
    Stopped,
    /// Nobody has needed it for a while.
    Idle,
    /// It broke.
    Broken(ConnectCause),
}

impl Worker {
    pub(super) fn spawn(dc_id: i32, plan: Arc<Plan>, client: WeakClient) -> Dc {
        let (sender, requests) = mpsc::channel(CHANNEL);
        let (status, seen) = watch::channel(Status::Idle);
        let (stopper, stop) = watch::channel(false);
        let shared = Arc::new(Shared::default());
        let worker = Self {
            dc_id,
            backoff: Backoff::new(FIRST_DELAY, plan.max_reconnect_delay),
            plan,
            client,
            requests,
            stop,
            shared: shared.clone(),
            queue: VecDeque::new(),
            session: None,
            waiting: HashMap::new(),
            tickets: HashMap::new(),
            status,
            turn: 0,
            refusals: 0,
            was_online: false,
        };
        Dc::new(sender, shared, seen, stopper, tokio::spawn(worker.run()))
    }

    async fn run(mut self) {
        while self.live().await.is_some() {}
        let ending = self.shared.ending();
        self.fail_all(&ending);
        self.requests.close();
        while let Ok(request) = self.requests.try_recv() {
            // A caller that has gone needs no answer.
            let _ = request.reply.send(Err(ending.clone()));
        }
        log::debug!("data centre {}: closed", self.dc_id);
    }

    /// One connection's life; `None` when the task is to end.
    async fn live(&mut self) -> Option<()> {
        if !self.wanted()? {
            self.status.send_replace(Status::Idle);
            self.backoff.reset();
            let request = tokio::select! {
                _ = self.stop.wait_for(|stop| *stop) => return None,
                request = self.requests.recv() => request?,
            };
            self.queue.push_back(request);
        }
        let wire = match self.connect().await? {
            Ok(wire) => wire,
            Err(error) => return self.failed(error).await,
        };
        let address = wire.address;
        let begun = Instant::now();
        let lost = self.serve(wire).await;
        if matches!(*self.status.borrow(), Status::Online) && begun.elapsed() >= STABLE {
            self.backoff.reset();
        }
        if let Some(session) = &mut self.session {
            session.connection_lost(Instant::now().into_std());
        }
        match lost {
            Lost::Stopped => None,
            Lost::Idle => Some(()),
            Lost::Broken(cause) => {
                let error = ConnectError {
                    dc_id: self.dc_id,
                    address: Some(address),
                    cause,
                };
                self.failed(error).await
            }
        }
    }

    /// Whether there is a reason to have a connection.
    fn wanted(&mut self) -> Option<bool> {
        self.forget_cancelled();
        let home = self.client()?.inner.home_dc() == self.dc_id;
        Some(!self.queue.is_empty() || !self.waiting.is_empty() || (home && self.was_online))
    }

    /// The client, for a moment; `None` when its last clone is gone.
    pub(super) fn client(&self) -> Option<Client> {
        self.client.upgrade()
    }

    /// Opens a connection and sees that there is a session for it.
    async fn connect(&mut self) -> Option<Result<Wire, ConnectError>> {
        self.status.send_if_modified(|status| {
            let begins = !matches!(status, Status::Connecting(_));
            if begins {
                *status = Status::Connecting(None);
            }
            begins
        });
        let mut addresses = self.client()?.inner.addresses(self.dc_id, false).0;
        if !addresses.is_empty() {
            let turn = self.turn % addresses.len();
            addresses.rotate_left(turn);
        }
        let opening = wire::open(self.plan.clone(), self.dc_id, addresses);
        let wire = match self.meanwhile(opening).await? {
            Ok(wire) => wire,
            Err(error) => return Some(Err(error)),
        };
        if self.session.is_some() {
            return Some(Ok(wire));
        }
        if self.resume()? {
            return Some(Ok(wire));
        }
        log::info!("data centre {}: making an auth key", self.dc_id);
        let exchange = exchange::exchange_keys(wire, self.plan.clone(), self.dc_id);
        let (wire, outcome) = match self.meanwhile(exchange).await? {
            Ok(done) => done,
            Err(error) => return Some(Err(error)),
        };
        self.client()?.inner.session.update(|session| {
            let dc = session.dcs.entry(self.dc_id).or_default();
            dc.auth_key = Some(SavedKey::new(*outcome.auth_key.as_bytes()));
            dc.salts.clear();
            dc.time_offset = outcome.time_offset_secs;
            dc.authorized = false;
        });
        self.begin(SessionParams::after_handshake(&outcome));
        Some(Ok(wire))
    }

    /// Begins a session with the key that the session file has; says whether it has one.
    fn resume(&mut self) -> Option<bool> {
        let client = self.client()?;
        let known = client.inner.session.read(|session| {
            let dc = session.dcs.get(&self.dc_id)?;
            let key = AuthKey::from_bytes(*dc.auth_key.as_ref()?.as_bytes());
            let mut params = SessionParams::new(key);
            params.time_offset_secs = dc.time_offset;
            params.salts = dc.salts.iter().copied().map(Into::into).collect();
            Some(params)
        });
        let Some(params) = known else {
            return Some(false);
        };
        self.begin(params);
        Some(true)
    }

    fn begin(&mut self, mut params: SessionParams) {
        params.config.ping_interval = Some(self.plan.ping_interval);
        // The server hangs up when two pings in a row did not reach it.
        params.config.disconnect_delay =
            self.plan.ping_interval.saturating_mul(2) + params.config.pong_timeout;
        let now = Instant::now().into_std();
        let session = ClientSession::new(params, OsRandom::boxed(), now, exchange::unix_now());
        self.session = Some(session);
    }

    /// Does `work` while requests are taken, up to a bound, and cancelled ones forgotten. `None`
    /// when the task is to end.
    async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
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
            if let Some(id) = self.tickets.remove(&ticket) {
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
        log::info!("{error}; trying again in {delay:?}");
        self.turn = self.turn.wrapping_add(1);
        match error.cause {
            ConnectCause::Refused(-404) if self.session.is_some() => {
                self.refusals += 1;
                if self.refusals >= REFUSALS {
                    self.refusals = 0;
                    self.key_lost(&error)?;
                }
            }
            ConnectCause::Refused(-429) => delay = delay.max(FLOOD_DELAY),
            _ => {}
        }
        let attempts = self.backoff.failures();
        let permanent = error.is_permanent();
        self.status.send_replace(Status::Connecting(Some(Failed {
            attempts,
            last: error.clone(),
        })));
        if permanent {
            self.was_online = false;
            self.fail_all(&Error::Connect(error));
            return Some(());
        }
        self.meanwhile(sleep(delay)).await
    }

    /// The server does not know our key any more. With a login that is the login's end; without,
    /// a new key is as good.
    fn key_lost(&mut self, error: &ConnectError) -> Option<()> {
        let client = self.client()?;
        let inner = &client.inner;
        if inner.home_dc() == self.dc_id && inner.terminate(&Terminal::AuthKeyLost) {
            return None;
        }
        log::warn!(
            "data centre {}: it does not know the auth key; making a new one",
            self.dc_id
        );
        inner.session.update(|session| {
            let dc = session.dcs.entry(self.dc_id).or_default();
            dc.auth_key = None;
            dc.salts.clear();
            dc.authorized = false;
        });
        inner.pool.forget_authorization(self.dc_id);
        self.session = None;
        // The chain sends these again; the server has not seen them.
        self.fail_waiting(&Error::Connect(error.clone()));
        Some(())
    }

    /// Packets go both ways.
    pub(super) fn online(&mut self) {
        self.refusals = 0;
        self.status.send_replace(Status::Online);
        let again = std::mem::replace(&mut self.was_online, true);
        log::debug!("data centre {}: online", self.dc_id);
        if again && let Some(client) = self.client_at_home() {
            client.inner.updates.reconnected();
        }
    }

    fn fail_waiting(&mut self, error: &Error) {
        self.tickets.clear();
        for (_, reply) in self.waiting.drain() {
            // A caller that has gone needs no answer.
            let _ = reply.sender.send(Err(error.clone()));
        }
    }

    fn fail_all(&mut self, error: &Error) {
        self.fail_waiting(error);
        for request in self.queue.drain(..) {
            // As above.
            let _ = request.reply.send(Err(error.clone()));
        }
    }
}

impl From<SavedSalt> for FutureSalt {
    fn from(saved: SavedSalt) -> Self {
        let SavedSalt {
            valid_since,
            valid_until,
            salt,
        } = saved;
        Self {
            valid_since,
            valid_until,
            salt,
        }
    }
}

impl From<FutureSalt> for SavedSalt {
    fn from(known: FutureSalt) -> Self {
        Self::new(known.salt, known.valid_since, known.valid_until)
    }
}
