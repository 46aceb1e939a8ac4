//! From what the server pushes to what the program sees.

use std::sync::Arc;

use crate::client::WeakClient;
use crate::error::Error;

/// Where the connection's owner hands in updates.
pub(crate) struct Hub {
    _client: WeakClient,
}

impl Hub {
    /// Made once a client, before it connects; everything it needs is reached by upgrading.
    pub(crate) fn new(client: WeakClient) -> Self {
        Self { _client: client }
    }

    /// Takes the bytes of an `Updates`. Never blocks.
    pub(crate) fn handle_updates(&self, bytes: Vec<u8>) {
        log::trace!("{} bytes of updates", bytes.len());
    }

    /// The home connection was lost and is back, or the server made a new session of it: what was
    /// pushed in between is fetched by a difference.
    pub(crate) fn reconnected(&self) {}

    /// Someone has signed in: the state begins with what the server says.
    pub(crate) fn signed_in(&self) {}

    /// The login or the client came to its end; the stream ends with this reason.
    pub(crate) fn terminated(&self, reason: Arc<Error>) {
        log::debug!("updates end: {reason}");
    }
}
