//! A handle that does not keep the client alive, for tasks that work for it.

use std::sync::{Arc, Weak};

use super::{Client, Inner};

/// Does not keep the client alive. Upgrade it for the length of one piece of
/// work; what comes of it does not keep the connections open.
#[derive(Clone)]
pub(crate) struct WeakClient(Weak<Inner>);

impl WeakClient {
    /// The client, unless its last clone was dropped.
    pub(crate) fn upgrade(&self) -> Option<Client> {
        self.0.upgrade().map(Client::borrowed)
    }
}

impl From<Weak<Inner>> for WeakClient {
    fn from(inner: Weak<Inner>) -> Self {
        Self(inner)
    }
}

impl Client {
    pub(crate) fn downgrade(&self) -> WeakClient {
        WeakClient(Arc::downgrade(&self.inner))
    }
}
