//! The way of one request: to the right data centre, again after a move, a wait or a failure of
//! the server, and to its one outcome.

use std::time::Duration;

use tokio::time::sleep;

use super::{FloodWait, WaitDecision};
use crate::client::Inner;
use crate::error::{Error, RpcError, Terminal};
use crate::net::{method_name, moves_home};

/// A request that is sent from one data centre to the next and on again goes round in circles.
const MAX_MOVES: u32 = 4;

/// Sends a serialised request and gives its serialised result.
pub(crate) async fn run(inner: &Inner, dc: Option<i32>, body: Vec<u8>) -> Result<Vec<u8>, Error> {
    let mut progress = Progress {
        dc,
        method: method_name(&body),
        ..Progress::default()
    };
    loop {
        let dc_id = progress.dc.unwrap_or_else(|| inner.home_dc());
        let result = inner
            .pool
            .call(inner, dc_id, body.clone(), inner.config.request_timeout)
            .await;
        let error = match result {
            Ok(bytes) => return Ok(bytes),
            Err(Error::Rpc(error)) => error,
            Err(error) => return Err(error),
        };
        match progress.next(inner, dc_id, &error) {
            Next::Now => {}
            Next::After(wait) => sleep(wait).await,
            Next::Fail => return Err(Error::Rpc(error)),
            Next::End(reason) => return Err(Error::Terminal(reason)),
        }
    }
}

#[derive(Default)]
struct Progress {
    dc: Option<i32>,
    method: Option<&'static str>,
    moves: u32,
    waits: u32,
    waited: Duration,
    retries: u32,
    initialised: bool,
}

enum Next {
    Now,
    After(Duration),
    Fail,
    End(Terminal),
}

impl Progress {
    fn next(&mut self, inner: &Inner, dc_id: i32, error: &RpcError) -> Next {
        if let Some(target) = error.migrate_to() {
            self.moves += 1;
            if self.moves > MAX_MOVES {
                return Next::Fail;
            }
            if !moves_home(error) {
                self.dc = Some(target);
            } else if self.dc.is_none() {
                log::info!(
                    "moving from data centre {dc_id} to {target} ({})",
                    error.name
                );
                inner.move_home(dc_id, target);
            } else {
                return Next::Fail;
            }
            return Next::Now;
        }
        if let Some(wait) = error.wait() {
            let asked = FloodWait {
                method: self.method,
                name: &error.name,
                wait,
                attempt: self.waits,
                waited: self.waited,
            };
            if inner.config.flood_policy.decide(&asked) == WaitDecision::Fail {
                return Next::Fail;
            }
            log::info!("{} {} s for {:?}", error.name, wait.as_secs(), self.method);
            self.waits += 1;
            self.waited = self.waited.saturating_add(wait);
            // At least a little, or a server that says 0 for ever is asked at full speed.
            return Next::After(wait.max(Duration::from_millis(100)));
        }
        if error.is("CONNECTION_NOT_INITED") || error.is("CONNECTION_LAYER_INVALID") {
            // The task has noted it, and says who we are before the next request.
            let again = !std::mem::replace(&mut self.initialised, true);
            return if again { Next::Now } else { Next::Fail };
        }
        if error.is_server_failure() {
            return match inner.config.retry.delay(self.retries) {
                Some(delay) => {
                    self.retries += 1;
                    Next::After(delay)
                }
                None => Next::Fail,
            };
        }
        match Terminal::from_rpc(error) {
            Some(reason) if dc_id == inner.home_dc() && inner.terminate(&reason) => {
                Next::End(reason)
            }
            _ => Next::Fail,
        }
    }
}
