//! The owner of all data centres' tasks: makes them when they are needed, takes the account's
//! authorisation to those that are not its home, and ends them in order.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::timeout;

use super::dc::Dc;
use super::plan::Plan;
use super::worker::Worker;
use crate::client::{Inner, WeakClient};
use crate::error::{Error, RpcError};
use crate::tl::{self, Deserializable, Serializable};

/// How long the tasks may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(3);

/// Owns the tasks. The lock is held for as long as a look-up takes.
pub(crate) struct Pool {
    plan: Arc<Plan>,
    client: WeakClient,
    dcs: Mutex<Dcs>,
}

#[derive(Default)]
struct Dcs {
    tasks: HashMap<i32, Arc<Dc>>,
    closed: bool,
}

impl Pool {
    pub(crate) fn new(plan: Plan, client: WeakClient) -> Self {
        Self {
            plan: Arc::new(plan),
            client,
            dcs: Mutex::default(),
        }
    }

    fn dcs(&self) -> std::sync::MutexGuard<'_, Dcs> {
        self.dcs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The data centre's task, which begins now if it did not run.
    pub(crate) fn dc(&self, dc_id: i32) -> Result<Arc<Dc>, Error> {
        let mut dcs = self.dcs();
        if dcs.closed {
            return Err(Error::Closed);
        }
        let dc = dcs.tasks.entry(dc_id).or_insert_with(|| {
            Arc::new(Worker::spawn(dc_id, self.plan.clone(), self.client.clone()))
        });
        Ok(dc.clone())
    }

    /// Sends a request to a data centre, authorised there if we are signed in.
    pub(crate) async fn call(
        &self,
        inner: &Inner,
        dc_id: i32,
        body: Vec<u8>,
        within: Duration,
    ) -> Result<Vec<u8>, Error> {
        let dc = self.dc(dc_id)?;
        if !inner.is_signed_in() || dc_id == inner.home_dc() {
            return dc.call(body, within).await;
        }
        self.authorize(inner, dc_id, &dc, within).await?;
        match dc.call(body.clone(), within).await {
            // The server may forget what it was told; it is told once more.
            Err(error) if error.is("AUTH_KEY_UNREGISTERED") => {
                dc.forget_authorization();
                inner.session.update(|session| {
                    session.dcs.entry(dc_id).or_default().authorized = false;
                });
                self.authorize(inner, dc_id, &dc, within).await?;
                dc.call(body, within).await
            }
            result => result,
        }
    }

    /// Takes the account's authorisation from its home to this data centre, unless it is there.
    /// However many requests wait for it, it is taken once.
    async fn authorize(
        &self,
        inner: &Inner,
        dc_id: i32,
        dc: &Dc,
        within: Duration,
    ) -> Result<(), Error> {
        let cell = dc.authorized();
        cell.get_or_try_init(|| async {
            if inner
                .session
                .read(|s| s.dcs.get(&dc_id).is_some_and(|dc| dc.authorized))
            {
                return Ok(());
            }
            let export = tl::functions::auth::ExportAuthorization { dc_id };
            let bytes = self
                .dc(inner.home_dc())?
                .call(export.to_bytes(), within)
                .await?;
            let tl::enums::auth::ExportedAuthorization::Authorization(exported) =
                tl::enums::auth::ExportedAuthorization::from_bytes(&bytes)
                    .map_err(|error| Error::unreadable("auth.exportAuthorization", &error))?;
            let import = tl::functions::auth::ImportAuthorization {
                id: exported.id,
                bytes: exported.bytes,
            };
            dc.call(import.to_bytes(), within).await?;
            inner.session.update(|session| {
                session.dcs.entry(dc_id).or_default().authorized = true;
            });
            Ok(())
        })
        .await
        .copied()
    }

    /// Takes the authorisation, if there is one, to a data centre that is to become home.
    pub(crate) async fn bring(
        &self,
        inner: &Inner,
        dc_id: i32,
        within: Duration,
    ) -> Result<(), Error> {
        if !inner.is_signed_in() || dc_id == inner.home_dc() {
            return Ok(());
        }
        let dc = self.dc(dc_id)?;
        self.authorize(inner, dc_id, &dc, within).await
    }

    /// A data centre's key was lost, and what it was authorised for with it.
    pub(super) fn forget_authorization(&self, dc_id: i32) {
        if let Some(dc) = self.dcs().tasks.get(&dc_id) {
            dc.forget_authorization();
        }
    }

    /// Ends one task; whoever waits for it gets `reason`.
    pub(crate) fn retire(&self, dc_id: i32, reason: Error) {
        if let Some(dc) = self.dcs().tasks.remove(&dc_id) {
            dc.stop(Some(reason));
        }
    }

    /// Ends all tasks, and with them the use of their keys; new ones begin on demand.
    pub(crate) fn retire_all(&self, reason: &Error) {
        for (_, dc) in self.dcs().tasks.drain() {
            dc.stop(Some(reason.clone()));
        }
    }

    /// Asks all tasks to end in order. Nothing is sent after.
    pub(crate) fn shut(&self) -> Vec<Arc<Dc>> {
        let mut dcs = self.dcs();
        dcs.closed = true;
        let tasks: Vec<_> = dcs.tasks.drain().map(|(_, dc)| dc).collect();
        for dc in &tasks {
            dc.stop(None);
        }
        tasks
    }

    /// As [`shut`](Self::shut), and waits for the tasks, though not for long.
    pub(crate) async fn close(&self) {
        let tasks = self.shut();
        let all = async {
            for dc in &tasks {
                if let Some(task) = dc.task() {
                    // A task that panicked is as ended as one that returned.
                    let _ = task.await;
                }
            }
        };
        if timeout(GOODBYE, all).await.is_err() {
            log::warn!("a connection did not close within {GOODBYE:?}");
        }
    }
}

/// The wrong home: `PHONE_MIGRATE`, `USER_MIGRATE`, `NETWORK_MIGRATE` move the account; others
/// (`FILE_MIGRATE`, `STATS_MIGRATE`) send one request elsewhere.
pub(crate) fn moves_home(error: &RpcError) -> bool {
    ["PHONE_MIGRATE", "USER_MIGRATE", "NETWORK_MIGRATE"].contains(&error.name.as_str())
}
