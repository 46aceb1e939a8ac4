//! The owner of all connections' tasks: makes them when they are needed and ends them in order.
//! Each task waits for nothing but its own server, so that none holds up another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustc_hash::FxHashMap;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::Role;
use super::call::{Over, Sending};
use super::dc::Dc;
use super::plan::Plan;
use super::state::{ConnectionState, ConnectionStates, States};
use super::worker::Worker;
use crate::client::{Inner, WeakClient};
use crate::error::{Error, RpcError};
use crate::middleware::Outcome;

/// How long the tasks may take to say goodbye, all together.
const GOODBYE: Duration = Duration::from_secs(3);
/// Owns the tasks. The lock is held for as long as a look-up takes.
pub(crate) struct Pool {
    pub(super) plan: Arc<Plan>,
    client: WeakClient,
    dcs: Mutex<Dcs>,
    /// How CDNs are spoken to, by their numbers.
    pub(super) cdns: tokio::sync::Mutex<HashMap<i32, Arc<Plan>>>,
    states: States,
}

#[derive(Default)]
struct Dcs {
    tasks: FxHashMap<(i32, Role), Arc<Dc>>,
    closed: bool,
}

impl Pool {
    pub(crate) fn new(plan: Plan, client: WeakClient) -> Self {
        Self {
            plan: Arc::new(plan),
            client,
            dcs: Mutex::default(),
            cdns: tokio::sync::Mutex::default(),
            states: States::default(),
        }
    }

    fn dcs(&self) -> std::sync::MutexGuard<'_, Dcs> {
        self.dcs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The data centre's main task, which begins now if it did not run.
    pub(crate) fn dc(&self, dc_id: i32) -> Result<Arc<Dc>, Error> {
        self.task(&mut self.dcs(), dc_id, Role::Main, &self.plan)
    }

    /// Of at most `most` connections of a kind, the task of the one with the least to do; one more
    /// begins when all have something. Those of one way go where the first of them does.
    pub(super) fn idlest(
        &self,
        dc_id: i32,
        role: fn(usize) -> Role,
        most: usize,
        plan: &Arc<Plan>,
        sending: &Sending<'_>,
    ) -> Result<Arc<Dc>, Error> {
        let mut dcs = self.dcs();
        let load = |n| dcs.tasks.get(&(dc_id, role(n))).map_or(0, |dc| dc.load());
        let idlest = || (0..most.max(1)).min_by_key(|n| load(*n)).unwrap_or(0);
        let n = match &sending.lane.way {
            Some(way) => way.connection(idlest),
            None => idlest(),
        };
        self.task(&mut dcs, dc_id, role(n), plan)
    }

    fn task(
        &self,
        dcs: &mut Dcs,
        dc_id: i32,
        role: Role,
        plan: &Arc<Plan>,
    ) -> Result<Arc<Dc>, Error> {
        if dcs.closed {
            return Err(Error::Closed);
        }
        let dc = dcs.tasks.entry((dc_id, role)).or_insert_with(|| {
            let worker = Worker::spawn(dc_id, role, plan.clone(), self.client.clone());
            Arc::new(worker)
        });
        Ok(dc.clone())
    }

    /// Ends the connections to a CDN; whoever waits for them gets `reason`.
    pub(super) fn forget_cdn(&self, dc_id: i32, reason: &Error) {
        self.dcs().tasks.retain(|(id, role), dc| {
            let stays = *id != dc_id || !role.is_cdn();
            if !stays {
                dc.stop(Some(reason.clone()));
            }
            stays
        });
    }

    /// Sends a request to a data centre, authorised there if we are signed in.
    pub(crate) async fn call(&self, inner: &Inner, dc_id: i32, sending: &Sending<'_>) -> Outcome {
        let deadline = Instant::now() + sending.within;
        // Without a login there is no key yet that connections for files could use.
        let over = match sending.lane.over {
            Over::Files if !inner.is_signed_in() => Over::Main,
            Over::Cdn => {
                let call = self.call_cdn(inner, dc_id, deadline, sending);
                return Box::pin(call).await;
            }
            over => over,
        };
        let (mut authorised_again, mut waited) = (false, false);
        loop {
            let away = inner.is_signed_in() && dc_id != inner.home_dc();
            if away {
                let dc = self.dc(dc_id)?;
                // Boxed, as what is seldom is here: every call has room for all that it may come to.
                Box::pin(self.authorize(inner, dc_id, &dc, deadline)).await?;
            }
            let dc = match over {
                Over::Files => {
                    let most = inner.config.file_connections;
                    self.idlest(dc_id, Role::Media, most, &self.plan, sending)?
                }
                _ => self.dc(dc_id)?,
            };
            let error = match dc.call(deadline, sending).await {
                Err(error) => error,
                answer => return answer,
            };
            let before = match &sending.lane.place {
                // The server may forget what it was told; it is told once more.
                _ if away && !authorised_again && error.is("AUTH_KEY_UNREGISTERED") => {
                    authorised_again = true;
                    self.forget_authorization(inner, dc_id);
                    continue;
                }
                // The request before it failed and is not over yet; this one was not looked at.
                Some(place) if !waited && error.is("MSG_WAIT_*") => place.before_is_over(),
                _ => return Err(error),
            };
            drop(error);
            waited = true;
            if Box::pin(timeout_at(deadline, before)).await.is_err() {
                return Err(dc.too_late(false, sending.method(), sending.within));
            }
        }
    }

    /// A data centre does not know any more what it was told of our login.
    pub(super) fn forget_authorization(&self, inner: &Inner, dc_id: i32) {
        inner.session.update(|session| {
            session.dcs.entry(dc_id).or_default().authorized = false;
        });
        if let Some(dc) = self.dcs().tasks.get(&(dc_id, Role::Main)) {
            dc.forget_authorization();
        }
    }

    /// Someone else signed in: what was brought elsewhere was another's authorisation.
    pub(crate) fn forget_authorizations(&self) {
        for dc in self.dcs().tasks.values() {
            dc.forget_authorization();
        }
    }

    /// How the connection to the home data centre stands.
    pub(crate) fn state(&self) -> ConnectionState {
        self.states.latest()
    }

    /// That, and each change of it.
    pub(crate) fn states(&self) -> ConnectionStates {
        self.states.watch()
    }

    /// The home data centre's task tells how its connection stands.
    pub(super) fn tell(&self, state: ConnectionState) {
        self.states.tell(state);
    }

    /// Another data centre is home now.
    pub(crate) fn home_moved(&self, to: i32) {
        let state = self.dcs().tasks.get(&(to, Role::Main)).map(|dc| dc.state());
        self.states.tell(state.unwrap_or(ConnectionState::Idle));
    }

    /// Makes the main connection to a data centre anew, if there is one.
    pub(crate) fn renew(&self, dc_id: i32) {
        if let Some(dc) = self.dcs().tasks.get(&(dc_id, Role::Main)) {
            dc.renew();
        }
    }

    /// Ends the tasks of one data centre; whoever waits for them gets `reason`.
    pub(crate) fn retire(&self, dc_id: i32, reason: &Error) {
        self.dcs().tasks.retain(|(id, _), dc| {
            let stays = *id != dc_id;
            if !stays {
                dc.stop(Some(reason.clone()));
            }
            stays
        });
    }

    /// Ends all tasks, and with them the use of their keys; new ones begin on demand.
    pub(crate) fn retire_all(&self, reason: &Error) {
        for (_, dc) in self.dcs().tasks.drain() {
            dc.stop(Some(reason.clone()));
        }
        self.states.tell(ConnectionState::Idle);
    }

    /// Asks all tasks to end in order. Nothing is sent after.
    pub(crate) fn shut(&self) -> Vec<Arc<Dc>> {
        let mut dcs = self.dcs();
        dcs.closed = true;
        let tasks: Vec<_> = dcs.tasks.drain().map(|(_, dc)| dc).collect();
        drop(dcs);
        for dc in &tasks {
            dc.stop(None);
        }
        self.states.tell(ConnectionState::Closed {
            reason: Error::Closed,
        });
        tasks
    }

    /// As [`shut`](Self::shut), and waits for the tasks, though not for long: they end side by
    /// side, and what hangs is cut off.
    pub(crate) async fn close(&self) {
        let tasks = self.shut();
        let deadline = Instant::now() + GOODBYE;
        let mut handles: Vec<JoinHandle<()>> = tasks.iter().filter_map(|dc| dc.task()).collect();
        for handle in &mut handles {
            if timeout_at(deadline, &mut *handle).await.is_err() {
                log::warn!("a connection did not close within {GOODBYE:?}");
                handle.abort();
            }
        }
    }
}

/// The wrong home: `PHONE_MIGRATE`, `USER_MIGRATE`, `NETWORK_MIGRATE` move the account; others
/// (`FILE_MIGRATE`, `STATS_MIGRATE`) send one request elsewhere.
pub(crate) fn moves_home(error: &RpcError) -> bool {
    ["PHONE_MIGRATE", "USER_MIGRATE", "NETWORK_MIGRATE"].contains(&error.name.as_str())
}
