//! [`Server::faults`](crate::Server::faults): giving rules to a running server, and counting how often they fired.

use std::sync::Arc;
use std::time::Duration;

use crate::faults::{Fault, FaultId, FaultStatus, Point, RuleError};
use crate::net::{Hub, now};

/// The faults of a running server; see [`faults`](crate::faults) for what there is.
#[derive(Clone, Copy)]
pub struct Faults<'a> {
    hub: &'a Arc<Hub>,
}

impl<'a> Faults<'a> {
    pub(crate) fn of(hub: &'a Arc<Hub>) -> Self {
        Self { hub }
    }

    /// Gives a rule, which applies from now on. One at [`Point::Now`] is done before this returns, but for what
    /// connections have to do themselves, which follows at once.
    ///
    /// # Errors
    /// If the rule makes no sense as a whole: an action or a selector that means nothing at its point.
    pub fn add(&self, fault: Fault) -> Result<FaultId, RuleError> {
        let id = self.hub.faults().add(fault.clone(), now())?;
        if fault.point() == Point::Now {
            self.hub.at_once(fault.place(), fault.actions());
        }
        Ok(id)
    }

    /// Takes a rule back; false when there is none of that name.
    pub fn remove(&self, id: FaultId) -> bool {
        self.hub.faults().remove(id)
    }

    /// Takes all rules back.
    pub fn clear(&self) {
        self.hub.faults().clear(None);
    }

    /// How often a rule fired; 0 when there is none of that name.
    #[must_use]
    pub fn fired(&self, id: FaultId) -> u64 {
        self.hub.faults().fired(id)
    }

    /// The rules in the order in which they were given, also those that will not fire again.
    #[must_use]
    pub fn list(&self) -> Vec<FaultStatus> {
        self.hub.faults().list()
    }

    /// Waits until a rule has fired so often, for `patience` at most; whether it has.
    pub async fn wait_until_fired(&self, id: FaultId, times: u64, patience: Duration) -> bool {
        let fired = self.hub.until(|| (self.fired(id) >= times).then_some(()));
        tokio::time::timeout(patience, fired).await.is_ok()
    }

    /// Decides from now on which ones of many a rule with a chance hits.
    pub fn seed(&self, seed: u64) {
        self.hub.faults().reseed(fastrand::Rng::with_seed(seed));
    }
}

impl std::fmt::Debug for Faults<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.list()).finish()
    }
}
