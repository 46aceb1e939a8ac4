//! The task of one data centre.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::dc::{Dc, Shared, Status};
use super::plan::Plan;
use crate::client::WeakClient;

pub(super) struct Worker;

impl Worker {
    pub(super) fn spawn(_dc_id: i32, _plan: Arc<Plan>, _client: WeakClient) -> Dc {
        let (requests, _) = mpsc::channel(64);
        let (_, status) = watch::channel(Status::Idle);
        let (stop, _) = watch::channel(false);
        Dc::new(
            requests,
            Arc::new(Shared::default()),
            status,
            stop,
            tokio::spawn(async {}),
        )
    }
}
