//! What a transfer does next, without doing it: which part of a file is asked for or sent, how many
//! at a time, what is tried again and when. No sockets, no files, no clock: time is handed in, and
//! what is to be asked and what came of it go in and out as values. The tokio side that drives these
//! machines is in [`download`](super::download) and [`upload`](super::upload).

pub(super) mod checkpoint;
pub(super) mod download;
pub(super) mod hashes;
pub(super) mod pace;
pub(super) mod set;
#[cfg(test)]
mod sim;
pub(super) mod upload;

use std::time::Duration;

use crate::error::Error;

/// So often in a row one thing is tried.
pub(super) const TRIES: u32 = 10;
const FIRST_DELAY: Duration = Duration::from_millis(250);
const LAST_DELAY: Duration = Duration::from_secs(30);

/// What an error means for the part that it happened to.
#[derive(Debug)]
pub(super) enum Failure {
    /// Come back later, all of you.
    Wait(Duration),
    /// The file lies in another data centre.
    Moved(i32),
    /// The file reference has run out.
    Reference(Error),
    /// The CDN or the main data centre does not take the token any more.
    Token,
    /// It may go better another time.
    Again(Error),
    /// It will not.
    Final(Error),
}

impl Failure {
    pub(super) fn of(error: Error) -> Self {
        let again = match &error {
            Error::Rpc(rpc) => {
                if let Some(wait) = rpc.wait() {
                    return Self::Wait(wait);
                }
                if let Some(dc_id) = rpc.migrate_to().filter(|_| rpc.is("FILE_MIGRATE")) {
                    return Self::Moved(dc_id);
                }
                if rpc.name.starts_with("FILE_REFERENCE_") {
                    return Self::Reference(error);
                }
                if rpc.is("FILE_TOKEN_INVALID") || rpc.is("REQUEST_TOKEN_INVALID") {
                    return Self::Token;
                }
                rpc.is_server_failure()
            }
            Error::Timeout(_) | Error::Request(_) => true,
            // No address is none in a minute either.
            Error::Connect(error) => !error.is_permanent(),
            _ => false,
        };
        if again {
            Self::Again(error)
        } else {
            Self::Final(error)
        }
    }
}

/// How long to wait after so many failures in a row.
pub(super) fn delay(failures: u32) -> Duration {
    let doubled = 1_u32 << failures.saturating_sub(1).min(16);
    FIRST_DELAY.saturating_mul(doubled).min(LAST_DELAY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{RpcError, TimeoutError};

    #[test]
    fn each_error_means_one_thing() {
        let of = |code, message| match Failure::of(RpcError::parse(code, message).into()) {
            Failure::Wait(wait) => format!("wait {}", wait.as_secs()),
            Failure::Moved(dc_id) => format!("moved {dc_id}"),
            Failure::Reference(_) => "reference".to_owned(),
            Failure::Token => "token".to_owned(),
            Failure::Again(_) => "again".to_owned(),
            Failure::Final(_) => "final".to_owned(),
        };
        for (code, message, meaning) in [
            (420, "FLOOD_WAIT_3", "wait 3"),
            (420, "FLOOD_PREMIUM_WAIT_7", "wait 7"),
            (303, "FILE_MIGRATE_4", "moved 4"),
            (303, "USER_MIGRATE_4", "final"),
            (400, "FILE_REFERENCE_EXPIRED", "reference"),
            (400, "FILE_REFERENCE_INVALID", "reference"),
            (400, "FILE_REFERENCE_EMPTY", "reference"),
            (400, "FILE_REFERENCE_2_EXPIRED", "reference"),
            (400, "FILE_TOKEN_INVALID", "token"),
            (400, "REQUEST_TOKEN_INVALID", "token"),
            (500, "RPC_CALL_FAIL", "again"),
            (-503, "Timeout", "again"),
            (400, "LOCATION_INVALID", "final"),
            (401, "AUTH_KEY_UNREGISTERED", "final"),
        ] {
            assert_eq!(of(code, message), meaning, "{message}");
        }
        let timeout = Error::Timeout(TimeoutError {
            method: None,
            after: Duration::ZERO,
            sent: true,
        });
        assert!(matches!(Failure::of(timeout), Failure::Again(_)));
        assert!(matches!(Failure::of(Error::Closed), Failure::Final(_)));
    }

    #[test]
    fn waits_double_and_do_not_grow_for_ever() {
        let millis = |failures| delay(failures).as_millis();
        assert_eq!([0, 1, 2, 3, 40].map(millis), [250, 250, 500, 1000, 30_000]);
    }
}
