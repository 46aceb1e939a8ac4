//! [`Client`]: a cheap handle on connections, session, peers and updates.

mod config;
mod invoke;

mod weak;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use crate::peers::PeerCache;
use crate::session::{SessionError, Store};
use crate::updates::Hub;

pub use config::{Config, DcAddress, TransportKind};
pub(crate) use weak::WeakClient;

/// What the non-generic insides of a public method return.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A connection to Telegram as one account, or as none yet.
///
/// Clones are cheap and share everything. When the last is dropped the connections are closed and
/// the session is saved; [`disconnect`](Client::disconnect) does the same and waits for it.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) session: Store,
    pub(crate) peers: Mutex<PeerCache>,
    pub(crate) updates: Hub,
}

impl Inner {
    /// Writes what is not written yet. Blocks for as long as the disk does.
    pub(crate) fn save(&self) -> Result<(), SessionError> {
        let peers = self
            .peers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .snapshot();
        if self.session.read(|session| session.peers != peers) {
            self.session.update(|session| session.peers = peers);
        }
        self.session.save()
    }
}
