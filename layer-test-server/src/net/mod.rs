//! The network side: listeners, connections, sessions, and the way of calls into the world and of updates out of it.
//!
//! One [`Hub`] serves all data centres. Locks are taken in this order and never across an await: the world, the
//! registry of sessions, one session. Everything that an account hears is handed out under the world's lock, so
//! that no session hears it in another order than it happened.

mod calls;
pub(crate) mod connection;
mod delivery;
mod detour;
mod entrance;
mod faulty;
mod forge;
pub(crate) mod listener;
mod order;
mod outflow;
mod packets;
pub(crate) mod registry;
mod twist;
#[cfg(feature = "web")]
pub(crate) mod web;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use layer_crypto::rsa::PrivateKey;
use layer_mtproto::faketls::Replays;
use layer_mtproto::transport::ProxySecret;
use tokio::sync::{Notify, Semaphore, watch};

use crate::config::Limits;
use crate::faults::{Action, Book, Scene};
use crate::rpc::Ticket;
use crate::world::World;
pub(crate) use delivery::Waiter;
use registry::Registry;

/// So many calls are put off at most; large ones count for several.
const MAX_DELAYED_CALLS: usize = 10_000;

/// Locks, and goes on with what a panicking holder left: a test server must outlive a failing test.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The monotonic time, which a test may have paused.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The server's clock: the system's time at the start, and the monotonic clock from there on.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    unix: Duration,
    /// Seconds by which the server's clock is wrong on purpose.
    skew: AtomicI64,
}

impl Clock {
    pub(crate) fn new(now: Instant) -> Self {
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            started: now,
            unix,
            skew: AtomicI64::new(0),
        }
    }

    /// Time since 1970 at `now`.
    pub(crate) fn unix(&self, now: Instant) -> Duration {
        let true_time = self.unix + now.saturating_duration_since(self.started);
        let skew = self.skew.load(Ordering::Relaxed);
        let seconds = Duration::from_secs(skew.unsigned_abs());
        if skew < 0 {
            true_time.saturating_sub(seconds)
        } else {
            true_time.saturating_add(seconds)
        }
    }

    /// Unix time in whole seconds, as the API counts it.
    pub(crate) fn seconds(&self, now: Instant) -> i32 {
        i32::try_from(self.unix(now).as_secs()).unwrap_or(i32::MAX)
    }

    /// Makes the clock wrong by so many seconds.
    pub(crate) fn set_skew(&self, seconds: i64) {
        self.skew.store(seconds, Ordering::Relaxed);
    }
}

/// What all connections share.
pub(crate) struct Hub {
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    keys: Arc<[PrivateKey]>,
    /// The CDN that there is.
    cdn: Option<Cdn>,
    /// MTProxy secrets by which clients may come.
    pub(crate) secrets: Arc<[ProxySecret]>,
    /// The hellos of FakeTLS that came.
    pub(crate) replays: Mutex<Replays>,
    #[cfg(feature = "web")]
    pub(crate) tls: web::Tls,
    /// The ids of the data centres that there are.
    pub(crate) dcs: Vec<i32>,
    /// Woken after each call, for those who wait for something to appear.
    pub(crate) changed: Notify,
    /// Set when the server shuts down.
    pub(crate) stopping: watch::Sender<bool>,
    world: Mutex<World>,
    registry: Mutex<Registry>,
    waiters: Mutex<HashMap<Ticket, Waiter>>,
    faults: Mutex<Book>,
    /// What files take of the bandwidth of each data centre.
    ways: Mutex<HashMap<i32, faulty::Way>>,
    /// Places for calls that a fault puts off.
    pub(crate) delayed_calls: Arc<Semaphore>,
    /// The connections that there are, by their numbers.
    live: Mutex<HashMap<u64, Live>>,
}

/// A CDN's data centre, with a key of its own.
pub(crate) struct Cdn {
    pub(crate) dc_id: i32,
    pub(crate) keys: Arc<[PrivateKey]>,
}

/// What a hub is made of.
pub(crate) struct Parts {
    pub(crate) world: World,
    pub(crate) keys: Arc<[PrivateKey]>,
    pub(crate) cdn: Option<Cdn>,
    pub(crate) secrets: Arc<[ProxySecret]>,
    #[cfg(feature = "web")]
    pub(crate) tls: web::Tls,
    pub(crate) dcs: Vec<i32>,
    pub(crate) limits: Limits,
    /// Of the chances of faults.
    pub(crate) seed: u64,
}

/// A connection, for those who have an order for it.
pub(crate) struct Live {
    pub(crate) scene: Scene,
    pub(crate) orders: Vec<Action>,
    pub(crate) wake: Arc<Notify>,
}

impl Hub {
    pub(crate) fn new(parts: Parts) -> Self {
        let limits = parts.limits;
        Self {
            registry: Mutex::new(Registry::new(limits.sessions_per_key, limits.sessions)),
            limits,
            clock: Clock::new(now()),
            keys: parts.keys,
            cdn: parts.cdn,
            secrets: parts.secrets,
            replays: Mutex::new(Replays::default()),
            #[cfg(feature = "web")]
            tls: parts.tls,
            dcs: parts.dcs,
            changed: Notify::new(),
            stopping: watch::Sender::new(false),
            world: Mutex::new(parts.world),
            waiters: Mutex::new(HashMap::new()),
            faults: Mutex::new(Book::new(fastrand::Rng::with_seed(parts.seed))),
            ways: Mutex::new(HashMap::new()),
            delayed_calls: Arc::new(Semaphore::new(MAX_DELAYED_CALLS)),
            live: Mutex::new(HashMap::new()),
        }
    }

    /// The RSA keys of a data centre.
    pub(crate) fn keys(&self, dc_id: i32) -> Arc<[PrivateKey]> {
        let cdn = self.cdn.as_ref().filter(|cdn| cdn.dc_id == dc_id);
        Arc::clone(cdn.map_or(&self.keys, |cdn| &cdn.keys))
    }

    /// The secrets that need no disguise.
    pub(crate) fn open_secrets(&self) -> Vec<[u8; 16]> {
        let secrets = self.secrets.iter();
        secrets
            .filter(|secret| secret.domain().is_none())
            .map(|secret| *secret.key())
            .collect()
    }

    /// The rules by which things go wrong. Nothing else is locked while this is.
    pub(crate) fn faults(&self) -> MutexGuard<'_, Book> {
        lock(&self.faults)
    }

    /// The connections that there are. Nothing else is locked while this is.
    pub(crate) fn live(&self) -> MutexGuard<'_, HashMap<u64, Live>> {
        lock(&self.live)
    }

    /// The world as it is, for looking only: what is done to it goes through [`Hub::act`].
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    pub(crate) fn registry(&self) -> MutexGuard<'_, Registry> {
        lock(&self.registry)
    }

    /// Does something to the world, as its own user and not by a call, and tells everybody who must hear of it.
    pub(crate) fn act<T>(self: &Arc<Self>, action: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.world();
        world.set_now(self.clock.seconds(now()));
        let result = action(&mut world);
        world.settle();
        self.deliver(&mut world);
        drop(world);
        self.changed.notify_waiters();
        result
    }

    /// Asks the world something that changes nothing. Nobody is woken.
    pub(crate) fn look<T>(&self, question: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.world();
        world.set_now(self.clock.seconds(now()));
        question(&mut world)
    }

    /// Asks `found` after everything that happens, until there is an answer.
    pub(crate) async fn until<T>(&self, mut found: impl FnMut() -> Option<T>) -> T {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            if let Some(value) = found() {
                return value;
            }
            changed.await;
        }
    }
}
