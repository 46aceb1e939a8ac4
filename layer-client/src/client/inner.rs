//! What all clones of a client share, and the changes that concern more than one room of it.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::{Config, spawn};
use crate::error::{Error, Terminal};
use crate::files;
use crate::middleware::Chain;
use crate::net::{self, Pool, Role, Target};
use crate::peers::PeerCache;
use crate::session::{SelfUser, SessionError, Store, UpdatesState};
use crate::updates::Hub;

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) session: Store,
    pub(crate) chain: Chain,
    pub(crate) pool: Pool,
    pub(crate) peers: Mutex<PeerCache>,
    pub(crate) updates: Hub,
    pub(crate) files: files::Shared,
    /// Counts the logins, so that what belongs to an earlier one does not end a later one.
    pub(super) logins: AtomicU64,
    /// Tasks that work for the client and end with it.
    pub(super) tasks: Mutex<Vec<JoinHandle<()>>>,
    /// Notified when the server says that its configuration changed.
    pub(crate) options_changed: Arc<Notify>,
    /// What the server's configuration says: where files of the web are fetched; 0 if it did not.
    pub(super) webfile_dc: AtomicI32,
    /// What the server's configuration says: IPv6 is to be tried first.
    pub(super) force_try_ipv6: AtomicBool,
}

impl Inner {
    /// The data centre that requests go to.
    pub(crate) fn home_dc(&self) -> i32 {
        match self.session.read(|session| session.home_dc) {
            0 => self.config.dc_id,
            home => home,
        }
    }

    /// The data centre that fetches files of the web (`webfile_dc_id`, page `api/config`).
    pub(crate) fn webfile_dc(&self) -> i32 {
        match self.webfile_dc.load(Ordering::Relaxed) {
            ..=0 => self.home_dc(),
            dc_id => dc_id,
        }
    }

    /// Whether we believe that someone is signed in.
    pub(crate) fn is_signed_in(&self) -> bool {
        self.session.read(|session| session.user.is_some())
    }

    /// Which login this is, if there is one.
    pub(crate) fn login(&self) -> Option<u64> {
        self.is_signed_in()
            .then(|| self.logins.load(Ordering::Acquire))
    }

    /// Where a data centre can be reached by a connection: as configured, as the server said, as
    /// built in. Tells also whether these are servers for files only.
    pub(crate) fn addresses(&self, dc_id: i32, role: Role) -> (Vec<Target>, bool) {
        let v6_first = self.force_try_ipv6.load(Ordering::Relaxed);
        let versions = self.config.ip_versions.with_v6_first(v6_first);
        self.session.read(|session| {
            let known = session.dcs.get(&dc_id);
            let options = known.map_or(&[][..], |dc| &dc.options);
            let (mut targets, media) = net::targets(&self.config, versions, options, dc_id, role);
            for target in &mut targets {
                target.time_offset = known.map_or(0, |dc| dc.time_offset);
            }
            (targets, media)
        })
    }

    /// The account lives elsewhere: requests go there from now on.
    pub(crate) fn move_home(&self, from: i32, to: i32) {
        self.session.update(|session| session.home_dc = to);
        self.pool.home_moved(to);
        log::debug!("home is data centre {to} now, not {from}");
    }

    /// Someone has signed in at home.
    pub(crate) async fn signed_in(&self, user: SelfUser) {
        let home = self.home_dc();
        self.logins.fetch_add(1, Ordering::AcqRel);
        let _beginning = self.updates.beginning();
        let same = self.session.update(|session| {
            let before = session.user.replace(user);
            let same = before.is_some_and(|before| before.id == user.id);
            if !same {
                session.updates = UpdatesState::default();
            }
            session.home_dc = home;
            for (id, dc) in &mut session.dcs {
                dc.authorized = *id == home;
            }
            same
        });
        self.pool.forget_authorizations();
        if !same {
            // Access hashes are good for the account that they were given to.
            let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
            *peers = PeerCache::load(Vec::new());
            drop(peers);
            self.session.update(|session| session.peers.clear());
            self.chain.forget();
        }
        self.updates.signed_in().await;
    }

    /// The login is over because the server said so, or its key is lost. Says whether there was a
    /// login; without one the error is no more than an answer.
    pub(crate) fn terminate(&self, reason: &Terminal) -> bool {
        let was_signed_in = self.session.update(|session| {
            let was = session.user.take().is_some();
            if was {
                session.updates = UpdatesState::default();
                for dc in session.dcs.values_mut() {
                    // A key that was signed in once is of no use for another login.
                    dc.auth_key = None;
                    dc.salts.clear();
                    dc.authorized = false;
                }
            }
            was
        });
        if was_signed_in {
            log::warn!("the login is over: {reason}");
            let error = Error::Terminal(reason.clone());
            self.pool.retire_all(&error);
            self.updates.terminated(Arc::new(error));
        }
        was_signed_in
    }

    /// Runs a task for as long as the client lives. It must not hold a `Client` while it waits.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|task| !task.is_finished());
        tasks.push(spawn(task));
    }

    /// The last user has gone: connections are closed in order, calls of our own tasks end, and
    /// the session is saved when the last of them lets go.
    pub(super) fn shut(&self) {
        self.pool.shut();
        for task in self
            .tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
        {
            task.abort();
        }
        self.updates.terminated(Arc::new(Error::Closed));
    }

    /// Writes what is not written yet. Blocks for as long as the disk does.
    pub(crate) fn save(&self) -> Result<(), SessionError> {
        // A peer is known before the cursor moves over what named it, and is so in what is written.
        self.session.save_with(|session| {
            let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(peers) = peers.take_changes() {
                session.peers = peers;
            }
        })
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Err(error) = self.save() {
            log::error!("the session was not saved: {error}");
        }
    }
}
