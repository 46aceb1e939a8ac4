//! How much a session keeps, so that tests can hold it to bounds.

use super::ClientSession;

/// Entries that a session keeps, of each kind.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Footprint {
    /// Requests without an outcome, the binding of the key among them.
    pub requests: usize,
    /// All the msg_ids that they have had.
    pub names: usize,
    /// Objects of msg_ids, requests and others.
    pub sent: usize,
    /// Service messages that wait to be sent.
    pub service: usize,
    /// Messages to be acknowledged.
    pub acks: usize,
    /// Messages that came, to know them again.
    pub seen: usize,
    /// Messages of a doubtful time.
    pub distrusted: usize,
    /// Requests that others come after.
    pub successors: usize,
    /// Events that were not polled.
    pub events: usize,
}

impl ClientSession {
    /// What is kept now.
    #[doc(hidden)]
    #[must_use]
    pub fn footprint(&self) -> Footprint {
        Footprint {
            requests: self.requests.len(),
            names: self.requests.values().map(|r| r.ids.iter().count()).sum(),
            sent: self.sent.len(),
            service: self.service.len(),
            acks: self.acks.len(),
            seen: self.window.len(),
            distrusted: self.distrusted.len(),
            successors: self.successors.len(),
            events: self.events.len(),
        }
    }
}
