//! Users, groups and channels that were met, and how to address them.

use crate::session::SavedPeer;

/// Knows the access hash of every peer that was met.
#[derive(Default)]
pub(crate) struct PeerCache {
    peers: Vec<SavedPeer>,
}

impl PeerCache {
    /// Begins with what the session remembers.
    pub(crate) fn load(peers: Vec<SavedPeer>) -> Self {
        Self { peers }
    }

    /// What the session is to remember; asked for whenever it is saved.
    pub(crate) fn snapshot(&self) -> Vec<SavedPeer> {
        self.peers.clone()
    }
}
