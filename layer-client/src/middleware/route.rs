//! To the right data centre: after a move, with an auth key that the server knows, and with who we
//! are said.

use super::Request;
use super::chain::{Outcome, Way, Wire};
use crate::error::{ConnectCause, Error, RpcError};
use crate::net::moves_home;

/// A request that is sent from one data centre to the next and on again goes round in circles.
const MAX_MOVES: u32 = 4;

/// Sends a call where it belongs, and after it where it is sent on to.
pub(super) async fn call(request: &mut Request, way: &Way<'_, impl Wire>) -> Outcome {
    let mut progress = Progress::new(request.dc());
    progress.stays = request.is_of_transfer();
    loop {
        let dc_id = progress.dc.unwrap_or_else(|| way.wire().home());
        request.target = Some(dc_id);
        let (step, outcome) = match way.attempt(request).await {
            Err(error) => (progress.next(&error), Err(error)),
            outcome => (Step::Done, outcome),
        };
        let named = request.options().dc;
        request.target = progress.dc.filter(|dc| Some(*dc) != named);
        let target = match step {
            Step::Again => continue,
            Step::MoveHome(target) => target,
            Step::Done => return outcome,
        };
        drop(outcome);
        log::info!("moving from data centre {dc_id} to {target}");
        way.wire().move_home(dc_id, target).await?;
    }
}

struct Progress {
    /// Where it goes; `None` is home.
    dc: Option<i32>,
    /// It is the caller's to follow a file.
    stays: bool,
    moves: u32,
    initialised: bool,
    new_key: bool,
}

enum Step {
    /// Once more, where it goes now.
    Again,
    /// The account lives at another data centre.
    MoveHome(i32),
    /// It is not the way that was wrong.
    Done,
}

impl Progress {
    fn new(dc: Option<i32>) -> Self {
        Self {
            dc,
            stays: false,
            moves: 0,
            initialised: false,
            new_key: false,
        }
    }

    fn next(&mut self, error: &Error) -> Step {
        match error {
            Error::Rpc(error) => self.refused(error),
            // For want of an auth key that the server knows. The connection has made a new one by
            // now, or will; the request was not looked at and is sent once more.
            Error::Connect(error) if matches!(error.cause, ConnectCause::Refused(-404)) => {
                again_if(!std::mem::replace(&mut self.new_key, true))
            }
            _ => Step::Done,
        }
    }

    fn refused(&mut self, error: &RpcError) -> Step {
        if let Some(target) = error.migrate_to() {
            self.moves += 1;
            if self.moves > MAX_MOVES {
                return Step::Done;
            }
            return match (moves_home(error), self.dc) {
                (true, None) => Step::MoveHome(target),
                // Whoever names a data centre means it.
                (true, Some(_)) => Step::Done,
                (false, _) if self.stays => Step::Done,
                (false, _) => {
                    self.dc = Some(target);
                    Step::Again
                }
            };
        }
        if error.is("CONNECTION_NOT_INITED") || error.is("CONNECTION_LAYER_INVALID") {
            // The task has noted it, and says who we are before the next request.
            return again_if(!std::mem::replace(&mut self.initialised, true));
        }
        Step::Done
    }
}

fn again_if(again: bool) -> Step {
    if again { Step::Again } else { Step::Done }
}

#[cfg(test)]
mod tests {
    use super::super::CallOptions;
    use super::super::testing::{Script, call, done, rpc};
    use super::*;
    use crate::error::ConnectError;

    fn at(dc: i32) -> CallOptions {
        CallOptions {
            dc: Some(dc),
            ..CallOptions::default()
        }
    }

    #[tokio::test]
    async fn an_account_that_lives_elsewhere_is_followed() {
        for name in ["PHONE_MIGRATE_4", "USER_MIGRATE_4", "NETWORK_MIGRATE_4"] {
            let wire = Script::new([rpc(303, name), done()]);
            call(&wire, CallOptions::default()).await.unwrap();
            assert_eq!((wire.dcs(), wire.home()), (vec![1, 4], 4), "{name}");
        }
    }

    #[tokio::test]
    async fn one_request_is_sent_elsewhere_and_the_account_stays() {
        for name in ["FILE_MIGRATE_4", "STATS_MIGRATE_4"] {
            let wire = Script::new([rpc(303, name), done()]);
            call(&wire, CallOptions::default()).await.unwrap();
            assert_eq!((wire.dcs(), wire.home()), (vec![1, 4], 1), "{name}");
        }
    }

    #[tokio::test]
    async fn a_request_is_not_sent_round_in_circles() {
        let answers = (0..100).map(|n| rpc(303, &format!("FILE_MIGRATE_{}", n % 2 + 1)));
        let wire = Script::new(answers);
        let error = call(&wire, CallOptions::default()).await.unwrap_err();
        assert!(error.is("FILE_MIGRATE"), "{error}");
        assert_eq!(wire.sent(), 5);
    }

    #[tokio::test]
    async fn who_names_a_data_centre_is_not_moved_from_it() {
        let wire = Script::new([rpc(303, "USER_MIGRATE_4")]);
        let error = call(&wire, at(2)).await.unwrap_err();
        assert!(error.is("USER_MIGRATE"), "{error}");
        assert_eq!((wire.dcs(), wire.home()), (vec![2], 1));
    }

    #[tokio::test]
    async fn a_server_that_does_not_know_us_is_told_once() {
        let wire = Script::new([rpc(400, "CONNECTION_NOT_INITED"), done()]);
        call(&wire, CallOptions::default()).await.unwrap();
        let wire = Script::new((0..9).map(|_| rpc(400, "CONNECTION_NOT_INITED")));
        call(&wire, CallOptions::default()).await.unwrap_err();
        assert_eq!(wire.sent(), 2);
    }

    #[tokio::test]
    async fn a_refused_key_is_made_anew_once() {
        let refused = || {
            Err(Error::Connect(ConnectError {
                dc_id: 2,
                address: None,
                cause: ConnectCause::Refused(-404),
            }))
        };
        let wire = Script::new([refused(), done()]);
        call(&wire, CallOptions::default()).await.unwrap();
        let wire = Script::new((0..9).map(|_| refused()));
        call(&wire, CallOptions::default()).await.unwrap_err();
        assert_eq!(wire.sent(), 2);
    }

    #[tokio::test]
    async fn other_errors_are_the_callers() {
        for (code, name) in [(400, "PEER_ID_INVALID"), (401, "AUTH_KEY_UNREGISTERED")] {
            let wire = Script::new([rpc(code, name)]);
            let error = call(&wire, CallOptions::default()).await.unwrap_err();
            assert!(error.is(name), "{error}");
            assert_eq!(wire.sent(), 1);
        }
    }
}
