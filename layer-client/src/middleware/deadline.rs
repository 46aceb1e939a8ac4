//! The deadline of a whole call.

use tokio::time::{Instant, timeout_at};

use super::{Middleware, Next, Request};
use crate::client::BoxFuture;
use crate::error::{Error, TimeoutError};

/// The outermost layer. Those below know the deadline too: a connection gives up at it, and a wait
/// that would pass it is not begun, so that the caller hears what there would be to wait for.
pub(super) struct Deadline;

impl Middleware for Deadline {
    fn call<'a>(
        &'a self,
        request: &'a mut Request,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Vec<u8>, Error>> {
        let Some(after) = request.options().deadline else {
            return next.run(request);
        };
        // So far away that it cannot be said is as good as none.
        let Some(deadline) = Instant::now().checked_add(after) else {
            return next.run(request);
        };
        request.deadline = Some(deadline);
        Box::pin(async move {
            match timeout_at(deadline, next.run(request)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(Error::Timeout(TimeoutError {
                    method: request.method(),
                    after,
                    sent: request.sent,
                })),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::CallOptions;
    use super::super::testing::{Script, call, rpc};
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
        let wire = Script::new([Ok(vec![1])]);
        let options = CallOptions {
            deadline: Some(Duration::MAX),
            ..CallOptions::default()
        };
        assert_eq!(call(&wire, options).await.unwrap(), [1]);
    }
}
