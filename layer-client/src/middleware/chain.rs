//! The way of one request: to the right data centre, again after a move, a wait or a failure of
//! the server, and to its one outcome.

use std::time::Duration;

use tokio::time::sleep;

use super::{FloodPolicy, FloodWait, RetryPolicy, WaitDecision};
use crate::client::Inner;
use crate::error::{ConnectCause, Error, RpcError, Terminal};
use crate::net::{method_name, moves_home};

/// A request that is sent from one data centre to the next and on again goes round in circles.
const MAX_MOVES: u32 = 4;

/// Sends a serialised request and gives its serialised result.
pub(crate) async fn run(inner: &Inner, dc: Option<i32>, body: Vec<u8>) -> Result<Vec<u8>, Error> {
    let login = inner.login();
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
            Err(error) if progress.key_was_lost(&error) => continue,
            Err(error) => return Err(error),
        };
        match progress.next(&*inner.config.flood_policy, &inner.config.retry, &error) {
            Next::Now => {}
            Next::After(wait) => sleep(wait).await,
            Next::Move(target) => {
                log::info!(
                    "moving from data centre {dc_id} to {target} ({})",
                    error.name
                );
                inner
                    .pool
                    .bring(inner, target, inner.config.request_timeout)
                    .await?;
                inner.move_home(dc_id, target);
            }
            Next::Fail => return Err(outcome(inner, login, dc_id, error)),
        }
    }
}

/// An error of Telegram as the caller gets it: the end of a login for everyone whose call was made
/// with that login, and no more than an answer for calls made without one.
fn outcome(inner: &Inner, login: Option<u64>, dc_id: i32, error: RpcError) -> Error {
    let (Some(login), Some(reason)) = (login, Terminal::from_rpc(&error)) else {
        return Error::Rpc(error);
    };
    if dc_id != inner.home_dc() {
        return Error::Rpc(error);
    }
    if inner.login() == Some(login) {
        inner.terminate(&reason);
    }
    Error::Terminal(reason)
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
    new_key: bool,
}

#[derive(Debug, PartialEq)]
enum Next {
    Now,
    After(Duration),
    /// The account lives at another data centre.
    Move(i32),
    Fail,
}

impl Progress {
    /// Whether the request failed for want of an auth key that the server knows. It has made a
    /// new one by now, or will; the request was not looked at and is sent once more.
    fn key_was_lost(&mut self, error: &Error) -> bool {
        let Error::Connect(error) = error else {
            return false;
        };
        let lost = matches!(error.cause, ConnectCause::Refused(-404));
        lost && !std::mem::replace(&mut self.new_key, true)
    }

    fn next(&mut self, flood: &dyn FloodPolicy, retry: &RetryPolicy, error: &RpcError) -> Next {
        if let Some(target) = error.migrate_to() {
            self.moves += 1;
            if self.moves > MAX_MOVES {
                return Next::Fail;
            }
            return match (moves_home(error), self.dc) {
                (true, None) => Next::Move(target),
                // Whoever names a data centre means it.
                (true, Some(_)) => Next::Fail,
                (false, _) => {
                    self.dc = Some(target);
                    Next::Now
                }
            };
        }
        if let Some(wait) = error.wait() {
            let asked = FloodWait {
                method: self.method,
                name: &error.name,
                wait,
                attempt: self.waits,
                waited: self.waited,
            };
            if flood.decide(&asked) == WaitDecision::Fail {
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
            return match retry.delay(self.retries) {
                Some(delay) => {
                    self.retries += 1;
                    Next::After(delay)
                }
                None => Next::Fail,
            };
        }
        Next::Fail
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Never, SleepUpTo};
    use super::*;
    use crate::error::ConnectError;

    fn next(progress: &mut Progress, code: i32, message: &str) -> Next {
        let flood = SleepUpTo(Duration::from_secs(60));
        progress.next(
            &flood,
            &RetryPolicy::default(),
            &RpcError::parse(code, message),
        )
    }

    #[test]
    fn an_account_that_lives_elsewhere_is_followed_and_one_request_is_sent_elsewhere() {
        for name in ["PHONE_MIGRATE_4", "USER_MIGRATE_4", "NETWORK_MIGRATE_4"] {
            assert_eq!(next(&mut Progress::default(), 303, name), Next::Move(4));
        }
        for name in ["FILE_MIGRATE_4", "STATS_MIGRATE_4"] {
            let mut progress = Progress::default();
            assert_eq!(next(&mut progress, 303, name), Next::Now);
            assert_eq!(progress.dc, Some(4));
        }
    }

    #[test]
    fn a_request_is_not_sent_round_in_circles() {
        let mut progress = Progress::default();
        let moves = (0..100)
            .take_while(|n| {
                next(&mut progress, 303, &format!("FILE_MIGRATE_{}", n % 2 + 1)) == Next::Now
            })
            .count();
        assert_eq!(moves, 4);
    }

    #[test]
    fn who_names_a_data_centre_is_not_moved_from_it() {
        let mut progress = Progress {
            dc: Some(2),
            ..Progress::default()
        };
        assert_eq!(next(&mut progress, 303, "USER_MIGRATE_4"), Next::Fail);
    }

    #[test]
    fn waits_are_the_policys_and_add_up() {
        let mut progress = Progress::default();
        let wait = |seconds| Next::After(Duration::from_secs(seconds));
        assert_eq!(next(&mut progress, 420, "FLOOD_WAIT_40"), wait(40));
        assert_eq!(next(&mut progress, 420, "FLOOD_PREMIUM_WAIT_20"), wait(20));
        assert_eq!(next(&mut progress, 420, "SLOWMODE_WAIT_1"), Next::Fail);
        let error = RpcError::parse(420, "FLOOD_WAIT_1");
        let next = Progress::default().next(&Never, &RetryPolicy::default(), &error);
        assert_eq!(next, Next::Fail);
    }

    #[test]
    fn a_wait_of_nothing_is_not_asked_for_at_full_speed() {
        let next = next(&mut Progress::default(), 420, "FLOOD_WAIT_0");
        assert_eq!(next, Next::After(Duration::from_millis(100)));
    }

    #[test]
    fn failures_of_the_server_are_retried_and_come_to_an_end() {
        for (code, message) in [
            (500, "RPC_CALL_FAIL"),
            (500, "AUTH_RESTART"),
            (-503, "Timeout"),
        ] {
            let mut progress = Progress::default();
            let mut retries = 0;
            while let Next::After(_) = next(&mut progress, code, message) {
                retries += 1;
            }
            assert_eq!(retries, RetryPolicy::default().attempts, "{message}");
        }
    }

    #[test]
    fn a_server_that_does_not_know_us_is_told_once() {
        let mut progress = Progress::default();
        assert_eq!(next(&mut progress, 400, "CONNECTION_NOT_INITED"), Next::Now);
        assert_eq!(
            next(&mut progress, 400, "CONNECTION_NOT_INITED"),
            Next::Fail
        );
    }

    #[test]
    fn a_refused_key_is_made_anew_once() {
        let refused = Error::Connect(ConnectError {
            dc_id: 2,
            address: None,
            cause: ConnectCause::Refused(-404),
        });
        let mut progress = Progress::default();
        assert!(progress.key_was_lost(&refused));
        assert!(!progress.key_was_lost(&refused));
        assert!(!Progress::default().key_was_lost(&Error::Closed));
    }

    #[test]
    fn other_errors_are_the_callers() {
        assert_eq!(
            next(&mut Progress::default(), 400, "PEER_ID_INVALID"),
            Next::Fail
        );
        assert_eq!(
            next(&mut Progress::default(), 401, "AUTH_KEY_UNREGISTERED"),
            Next::Fail
        );
    }
}
