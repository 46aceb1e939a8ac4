//! The deadline of a whole call.

use tokio::time::Instant;

use super::Request;
use crate::error::{Error, TimeoutError};

/// When the call is over, from now on. The layers know it too: a connection gives up at it, and a
/// wait that would pass it is not begun, so that the caller hears what there would be to wait for.
pub(super) fn begin(request: &mut Request) -> Option<Instant> {
    let after = request.options().deadline?;
    // So far away that it cannot be said is as good as none.
    request.deadline = Instant::now().checked_add(after);
    request.deadline
}

/// What its caller hears then.
pub(super) fn passed(request: &Request) -> Error {
    Error::Timeout(TimeoutError {
        method: request.method(),
        after: request.options().deadline.unwrap_or_default(),
        sent: request.sent,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::CallOptions;
    use super::super::testing::{Script, call, done, rpc};
    use super::*;

    fn within(seconds: u64) -> CallOptions {
        CallOptions {
            deadline: Some(Duration::from_secs(seconds)),
            ..CallOptions::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_ends_at_its_deadline_and_is_cancelled() {
        let wire = Script::silent();
        let begun = Instant::now();
        let error = call(&wire, within(5)).await.unwrap_err();
        assert_eq!(begun.elapsed(), Duration::from_secs(5));
        let Error::Timeout(error) = error else {
            panic!("{error}")
        };
        assert_eq!(error.after, Duration::from_secs(5));
        assert_eq!((wire.sent(), wire.cancelled()), (1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_would_pass_the_deadline_is_not_begun() {
        let wire = Script::new([rpc(420, "FLOOD_WAIT_10")]);
        let begun = Instant::now();
        let error = call(&wire, within(5)).await.unwrap_err();
        assert!(error.is("FLOOD_WAIT"), "{error}");
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_deadline_a_call_takes_as_long_as_it_takes() {
        let wire = Script::silent();
        let call = call(&wire, CallOptions::default());
        let year = Duration::from_secs(365 * 24 * 3600);
        assert!(tokio::time::timeout(year, call).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_beyond_all_time_is_none() {
        let wire = Script::new([done()]);
        let options = CallOptions {
            deadline: Some(Duration::MAX),
            ..CallOptions::default()
        };
        assert_eq!(call(&wire, options).await.unwrap(), [1].as_slice());
    }
}
