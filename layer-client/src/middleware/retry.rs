//! How often and when a request is made again after the server failed or did not answer.

use std::time::Duration;

use tokio::time::sleep;

use super::Request;
use super::chain::{Outcome, Way, Wire};
use crate::error::Error;

/// When a request is made again: after errors that are the server's own (see
/// [`RpcError::is_server_failure`](crate::RpcError::is_server_failure)), and after no answer came
/// in time to a request that does no harm when it is done twice.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// How often a request is made again; 0 gives every error to the caller.
    pub attempts: u32,
    /// How often, within these, it is made again for want of an answer. Only what asks and changes
    /// nothing is, and only if it was sent: what could not be sent has waited for a connection all
    /// that time.
    pub timeouts: u32,
    /// How long to wait before the first of them; each further wait is twice as long.
    pub first_delay: Duration,
    /// The longest of the waits.
    pub max_delay: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 3,
            timeouts: 1,
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(10),
        }
    }
}

impl RetryPolicy {
    /// How long to wait before the `attempt`th repetition (from 0), or `None` when it is enough.
    pub(crate) fn delay(&self, attempt: u32) -> Option<Duration> {
        (attempt < self.attempts).then(|| {
            let factor = 1u32.checked_shl(attempt).unwrap_or(u32::MAX);
            self.first_delay.saturating_mul(factor).min(self.max_delay)
        })
    }
}

/// The layer that the policy drives.
pub(super) struct Retry(RetryPolicy);

impl Retry {
    pub(super) fn new(policy: RetryPolicy) -> Self {
        Self(policy)
    }

    pub(super) async fn call(&self, request: &mut Request, way: &Way<'_, impl Wire>) -> Outcome {
        let mut retries = 0;
        let mut timeouts = 0;
        loop {
            let error = match way.after_retry(request).await {
                Err(error) if !request.is_of_transfer() => error,
                outcome => return outcome,
            };
            let again = match &error {
                Error::Rpc(error) => error.is_server_failure(),
                Error::Timeout(error) if error.sent => {
                    timeouts += 1;
                    timeouts <= self.0.timeouts && is_harmless(request.method())
                }
                _ => false,
            };
            let delay = match self.0.delay(retries) {
                Some(delay) if again && !request.options().is_once() => delay,
                _ => return Err(error),
            };
            if !request.has_time_for(delay) {
                return Err(error);
            }
            log::info!("{error}; asking again in {delay:?}");
            retries += 1;
            Box::pin(sleep(delay)).await;
        }
    }
}

/// Whether a method may be done twice without anybody noticing: it asks and changes nothing, or
/// puts what it brings in the same place again.
fn is_harmless(method: Option<&str>) -> bool {
    let Some((_, verb)) = method.and_then(|method| method.split_once('.')) else {
        return false;
    };
    match verb {
        // These ask by their name, and yet press a button, count a view, or make a password.
        "getBotCallbackAnswer" | "getMessagesViews" | "getTmpPassword" => false,
        "saveFilePart" | "saveBigFilePart" | "search" | "searchGlobal" => true,
        _ => verb.starts_with("get") || verb.starts_with("resolve"),
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::super::testing::{Script, call, call_body, done, rpc, timeout};
    use super::super::{CallOptions, Chain};
    use super::*;
    use crate::tl::{self, Serializable};

    #[test]
    fn waits_double_up_to_the_longest_and_come_to_an_end() {
        let policy = RetryPolicy {
            attempts: 40,
            first_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(5),
            ..RetryPolicy::default()
        };
        let seconds = |attempt| policy.delay(attempt).map(|delay| delay.as_secs());
        assert_eq!(
            [seconds(0), seconds(1), seconds(2), seconds(3)].map(Option::unwrap),
            [1, 2, 4, 5]
        );
        assert_eq!((seconds(39), seconds(40)), (Some(5), None));
    }

    #[tokio::test(start_paused = true)]
    async fn failures_of_the_server_are_retried_and_come_to_an_end() {
        for (code, message) in [
            (500, "RPC_CALL_FAIL"),
            (400, "RPC_CALL_FAIL"),
            (500, "AUTH_RESTART"),
            (500, "INTERDC_2_CALL_ERROR"),
            (-503, "Timeout"),
            (555, "SOMETHING_NEW"),
        ] {
            let wire = Script::new((0..9).map(|_| rpc(code, message)));
            let begun = Instant::now();
            call(&wire, CallOptions::default()).await.unwrap_err();
            assert_eq!(wire.sent(), 4, "{message}");
            assert_eq!(begun.elapsed(), Duration::from_millis(500 + 1000 + 2000));

            let wire = Script::new([rpc(code, message), done()]);
            assert_eq!(
                call(&wire, CallOptions::default()).await.unwrap(),
                [1].as_slice()
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_asks_is_asked_again_when_no_answer_came() {
        let wire = Script::new([timeout(true), done()]);
        assert_eq!(
            call(&wire, CallOptions::default()).await.unwrap(),
            [1].as_slice()
        );
        let wire = Script::new((0..9).map(|_| timeout(true)));
        call(&wire, CallOptions::default()).await.unwrap_err();
        assert_eq!(wire.sent(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_never_sent_has_waited_long_enough() {
        let wire = Script::new([timeout(false)]);
        let error = call(&wire, CallOptions::default()).await.unwrap_err();
        assert!(error.is_timeout(), "{error}");
        assert_eq!(wire.sent(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_changes_something_is_not_done_twice_for_want_of_an_answer() {
        let chain = Chain::new(&crate::Config::default());
        let body = tl::functions::account::UpdateStatus { offline: true }.to_bytes();
        let wire = Script::new([timeout(true)]);
        let error = call_body(&chain, &wire, &body, CallOptions::default())
            .await
            .unwrap_err();
        assert!(error.is_timeout(), "{error}");
        assert_eq!(wire.sent(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_forbids_it_is_not_asked_for_twice() {
        for (no_resend, at_most_once) in [(true, false), (false, true)] {
            for answer in [rpc(500, "RPC_CALL_FAIL"), timeout(true)] {
                let options = CallOptions {
                    no_resend,
                    at_most_once,
                    ..CallOptions::default()
                };
                let wire = Script::new([answer]);
                call(&wire, options).await.unwrap_err();
                assert_eq!(wire.sent(), 1);
            }
        }
    }

    #[test]
    fn methods_that_only_ask_are_told_from_those_that_do() {
        for method in [
            "users.getUsers",
            "contacts.resolveUsername",
            "messages.search",
            "upload.saveFilePart",
        ] {
            assert!(is_harmless(Some(method)), "{method}");
        }
        for method in [
            "messages.sendMessage",
            "messages.getBotCallbackAnswer",
            "messages.getMessagesViews",
            "account.getTmpPassword",
            "invokeAfterMsg",
        ] {
            assert!(!is_harmless(Some(method)), "{method}");
        }
        assert!(!is_harmless(None));
    }
}
