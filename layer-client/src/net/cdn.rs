//! CDNs (page `cdn`): servers outside of Telegram's cloud that have encrypted files and are trusted
//! with nothing else. Their RSA keys are what `help.getCdnConfig` says; the auth keys made with them
//! are kept in memory, one for each connection, and nobody is signed in there.

use std::sync::Arc;

use tokio::time::{Instant, timeout_at};

use super::Role;
use super::call::Sending;
use super::plan::Plan;
use super::pool::Pool;
use crate::client::{Inner, RsaPublicKey};
use crate::error::{ConnectCause, ConnectError, Error};
use crate::middleware::Outcome;
use crate::tl::{self, Deserializable, Serializable};

/// Connections to one CDN at most.
const CONNECTIONS: usize = 2;
/// After so many failures in a row to connect the file is better fetched from elsewhere.
const ATTEMPTS: u32 = 3;

impl Pool {
    /// Sends a request to a CDN.
    pub(super) async fn call_cdn(
        &self,
        inner: &Inner,
        dc_id: i32,
        deadline: Instant,
        sending: &Sending<'_>,
    ) -> Outcome {
        let plan = match timeout_at(deadline, self.cdn_plan(inner, dc_id, deadline)).await {
            Ok(plan) => plan?,
            Err(_) => return Err(failed(dc_id, ConnectCause::Timeout(sending.within))),
        };
        let most = CONNECTIONS.min(inner.config.file_connections);
        let dc = self.idlest(dc_id, Role::Cdn, most, &plan, sending)?;
        let answer = tokio::select! {
            answer = dc.call(deadline, sending) => answer,
            failed = dc.gave_up(ATTEMPTS) => Err(Error::Connect(failed)),
        };
        if let Err(reason @ Error::Connect(_)) = &answer {
            // It may have other keys by now.
            self.cdns.lock().await.remove(&dc_id);
            self.forget_cdn(dc_id, reason);
        }
        answer
    }

    /// How a CDN is spoken to; whoever comes first asks for its keys.
    async fn cdn_plan(
        &self,
        inner: &Inner,
        dc_id: i32,
        deadline: Instant,
    ) -> Result<Arc<Plan>, Error> {
        let mut cdns = self.cdns.lock().await;
        if let Some(plan) = cdns.get(&dc_id) {
            return Ok(plan.clone());
        }
        let request = tl::functions::help::GetCdnConfig {}.to_bytes().into();
        let within = deadline.saturating_duration_since(Instant::now());
        let home = self.dc(inner.home_dc())?;
        let answer = home.call(deadline, &Sending::new(&request, within)).await?;
        let tl::enums::CdnConfig::Config(config) = tl::enums::CdnConfig::from_bytes(&answer)
            .map_err(|error| Error::unreadable("help.getCdnConfig", &error))?;
        let keys: Vec<RsaPublicKey> = config
            .public_keys
            .iter()
            .filter_map(|key| {
                let tl::enums::CdnPublicKey::Key(key) = key;
                (key.dc_id == dc_id).then(|| RsaPublicKey::from_pem(&key.public_key).ok())?
            })
            .collect();
        if keys.is_empty() {
            let reason = "help.getCdnConfig has no key of this CDN".to_owned();
            return Err(failed(dc_id, ConnectCause::Handshake(reason)));
        }
        let plan = Arc::new(self.plan.for_cdn(keys));
        cdns.insert(dc_id, plan.clone());
        Ok(plan)
    }
}

fn failed(dc_id: i32, cause: ConnectCause) -> Error {
    Error::Connect(ConnectError {
        dc_id,
        address: None,
        cause,
    })
}
