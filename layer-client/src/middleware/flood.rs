//! What to do when the server wants us to wait (`FLOOD_WAIT`, `FLOOD_PREMIUM_WAIT`,
//! `SLOWMODE_WAIT`, …). What it said is [remembered](super::memory), and not asked for again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::chain::{Outcome, Way, Wire};
use super::memory::{Key, Memory};
use super::{FOR_EVER, Request, deadline};
use crate::error::{Error, RpcError};

/// At least so long is waited, or a server that says 0 for ever is asked at full speed.
const A_LITTLE: Duration = Duration::from_millis(100);

/// What the server wants.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FloodWait<'a> {
    /// The method that was called, as the schema names it.
    pub method: Option<&'static str>,
    /// The name of the error, such as `FLOOD_WAIT`.
    pub name: &'a str,
    /// How long the server wants us to wait before the next call.
    pub wait: Duration,
    /// How often this call was made to wait before.
    pub attempt: u32,
    /// How long this call has waited already.
    pub waited: Duration,
    /// Whether the server said so to an earlier call, and was not asked again.
    pub remembered: bool,
}

/// What a [`FloodPolicy`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitDecision {
    /// Wait as long as the server wants, then call again.
    Sleep,
    /// Give the error to the caller.
    Fail,
}

/// Decides whether a call sleeps through a wait or fails with it. Any closure
/// `Fn(&FloodWait) -> WaitDecision` is one.
pub trait FloodPolicy: Send + Sync {
    /// Decides about one wait.
    fn decide(&self, wait: &FloodWait<'_>) -> WaitDecision;
}

impl<F: Fn(&FloodWait<'_>) -> WaitDecision + Send + Sync> FloodPolicy for F {
    fn decide(&self, wait: &FloodWait<'_>) -> WaitDecision {
        self(wait)
    }
}

/// Sleeps through waits of up to this long altogether a call, and fails with longer ones.
#[derive(Clone, Copy, Debug)]
pub struct SleepUpTo(pub Duration);

impl FloodPolicy for SleepUpTo {
    fn decide(&self, wait: &FloodWait<'_>) -> WaitDecision {
        if wait.waited.saturating_add(wait.wait) <= self.0 {
            WaitDecision::Sleep
        } else {
            WaitDecision::Fail
        }
    }
}

/// Never sleeps: every wait is the caller's.
#[derive(Clone, Copy, Debug)]
pub struct Never;

impl FloodPolicy for Never {
    fn decide(&self, _wait: &FloodWait<'_>) -> WaitDecision {
        WaitDecision::Fail
    }
}

/// The layer that the policy drives.
pub(super) struct FloodWaits {
    policy: Arc<dyn FloodPolicy>,
    memory: Memory,
}

impl FloodWaits {
    pub(super) fn new(policy: Arc<dyn FloodPolicy>) -> Self {
        Self {
            policy,
            memory: Memory::default(),
        }
    }

    /// Another account is told its own.
    pub(super) fn forget(&self) {
        self.memory.forget();
    }

    /// The wait that `error` is, from now on, remembered if it is known for which calls it holds.
    fn note(&self, request: &Request, error: &RpcError) -> Option<Instant> {
        let wait = error.wait().filter(|_| error.code == RpcError::FLOOD)?;
        let now = Instant::now();
        let until = now + wait.clamp(A_LITTLE, FOR_EVER);
        let mut keys = Key::of(request).into_iter();
        if let Some(key) = keys.find(|key| key.is_meant_by(error)) {
            self.memory.remember(key, error, until);
        }
        Some(until)
    }

    pub(super) async fn call(&self, request: &mut Request, way: &Way<'_, impl Wire>) -> Outcome {
        let mut so_far = SoFar::default();
        loop {
            // Waits are boxed, so that calls which need none, and that is most, have no room for them.
            if !request.is_of_transfer()
                && let Some((mut error, until)) = self.memory.refusal(|| Key::of(request))
            {
                error.method = request.method();
                Box::pin(self.wait(request, error, until, true, &mut so_far)).await?;
                continue;
            }
            if let Some(turn) = way.turn(request)
                && !turn.await
            {
                return Err(deadline::passed(request));
            }
            let error = match way.after_turn(request).await {
                Err(Error::Rpc(error)) if !request.is_of_transfer() => error,
                outcome => return outcome,
            };
            let Some(until) = self.note(request, &error) else {
                return Err(Error::Rpc(error));
            };
            Box::pin(self.wait(request, error, until, false, &mut so_far)).await?;
        }
    }

    /// Sleeps through a wait, or fails with it, as the policy says.
    async fn wait(
        &self,
        request: &Request,
        error: RpcError,
        until: Instant,
        remembered: bool,
        so_far: &mut SoFar,
    ) -> Result<(), Error> {
        let wait = until.saturating_duration_since(Instant::now());
        let asked = FloodWait {
            method: request.method(),
            name: &error.name,
            wait,
            attempt: so_far.attempt,
            waited: so_far.waited,
            remembered,
        };
        if self.policy.decide(&asked) == WaitDecision::Fail || !request.has_time_for(wait) {
            return Err(Error::Rpc(error));
        }
        log::info!("{error}; waiting");
        so_far.attempt += 1;
        so_far.waited = so_far.waited.saturating_add(wait);
        sleep_until(until).await;
        Ok(())
    }
}

/// How often and how long a call was made to wait.
#[derive(Default)]
struct SoFar {
    attempt: u32,
    waited: Duration,
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        Script, call_body, channel, done, forward_to, get_config, message_to, rpc, send_code,
    };
    use super::super::{CallOptions, Chain};
    use super::*;
    use crate::client::Config;
    use crate::tl::{self, Serializable};

    fn wait(seconds: u64, waited: u64) -> FloodWait<'static> {
        FloodWait {
            method: None,
            name: "FLOOD_WAIT",
            wait: Duration::from_secs(seconds),
            attempt: 0,
            waited: Duration::from_secs(waited),
            remembered: false,
        }
    }

    #[test]
    fn the_threshold_counts_all_the_waits_of_a_call() {
        let policy = SleepUpTo(Duration::from_secs(60));
        assert_eq!(policy.decide(&wait(60, 0)), WaitDecision::Sleep);
        assert_eq!(policy.decide(&wait(61, 0)), WaitDecision::Fail);
        assert_eq!(policy.decide(&wait(30, 31)), WaitDecision::Fail);
        assert_eq!(
            policy.decide(&wait(u64::MAX / 2, u64::MAX / 2)),
            WaitDecision::Fail
        );
    }

    #[test]
    fn a_closure_is_a_policy() {
        let policy = |wait: &FloodWait<'_>| match wait.method {
            Some("messages.sendMessage") => WaitDecision::Sleep,
            _ => WaitDecision::Fail,
        };
        assert_eq!(
            FloodPolicy::decide(&policy, &wait(1, 0)),
            WaitDecision::Fail
        );
    }

    fn chain(policy: impl FloodPolicy + 'static) -> Chain {
        Chain::new(&Config {
            flood_policy: Arc::new(policy),
            ..Config::default()
        })
    }

    async fn ask(chain: &Chain, wire: &Script, body: &[u8]) -> Outcome {
        call_body(chain, wire, body, CallOptions::default()).await
    }

    fn all_kinds() -> [&'static str; 6] {
        [
            "FLOOD_WAIT_7",
            "FLOOD_PREMIUM_WAIT_7",
            "SLOWMODE_WAIT_7",
            "FLOOD_TEST_PHONE_WAIT_7",
            "2FA_CONFIRM_WAIT_7",
            "TAKEOUT_INIT_DELAY_7",
        ]
    }

    #[tokio::test(start_paused = true)]
    async fn every_kind_of_wait_is_waited_for() {
        for kind in all_kinds() {
            let chain = chain(SleepUpTo(Duration::from_secs(60)));
            let wire = Script::new([rpc(420, kind), done()]);
            let begun = Instant::now();
            assert_eq!(
                ask(&chain, &wire, &get_config()).await.unwrap(),
                [1].as_slice(),
                "{kind}"
            );
            assert_eq!(begun.elapsed(), Duration::from_secs(7), "{kind}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_kind_of_wait_is_the_callers_if_the_policy_says_so() {
        for kind in all_kinds() {
            let wire = Script::new([rpc(420, kind)]);
            let error = ask(&chain(Never), &wire, &get_config()).await.unwrap_err();
            let rpc = error.rpc().unwrap();
            assert_eq!(rpc.wait(), Some(Duration::from_secs(7)), "{kind}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waits_of_one_call_add_up_for_the_policy() {
        let chain = chain(SleepUpTo(Duration::from_secs(60)));
        let wire = Script::new([
            rpc(420, "FLOOD_WAIT_40"),
            rpc(420, "FLOOD_PREMIUM_WAIT_20"),
            rpc(420, "FLOOD_WAIT_1"),
        ]);
        let begun = Instant::now();
        let error = ask(&chain, &wire, &get_config()).await.unwrap_err();
        assert_eq!(error.rpc().unwrap().value, Some(1));
        assert_eq!(begun.elapsed(), Duration::from_secs(60));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_of_nothing_is_not_asked_for_at_full_speed() {
        let chain = chain(SleepUpTo(Duration::from_secs(2)));
        let wire = Script::new((0..1000).map(|_| rpc(420, "FLOOD_WAIT_0")));
        ask(&chain, &wire, &get_config()).await.unwrap_err();
        assert_eq!(wire.sent(), 21);
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_call_of_the_method_fails_at_once_without_asking_the_server() {
        let chain = chain(Never);
        let wire = Script::new([rpc(420, "FLOOD_WAIT_30"), done()]);
        ask(&chain, &wire, &get_config()).await.unwrap_err();
        tokio::time::advance(Duration::from_millis(9500)).await;
        let error = ask(&chain, &wire, &get_config()).await.unwrap_err();
        let error = error.rpc().unwrap();
        // What is left of it, and never too little.
        assert_eq!((error.name.as_str(), error.value), ("FLOOD_WAIT", Some(21)));
        assert_eq!((error.code, error.method), (420, Some("help.getConfig")));
        assert_eq!(wire.sent(), 1);

        tokio::time::advance(Duration::from_millis(20500)).await;
        ask(&chain, &wire, &get_config()).await.unwrap();
        assert_eq!(wire.sent(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_call_of_the_method_waits_without_asking_the_server() {
        let chain = chain(|wait: &FloodWait<'_>| match wait.remembered {
            true => WaitDecision::Sleep,
            false => WaitDecision::Fail,
        });
        let wire = Script::new([rpc(420, "FLOOD_WAIT_30"), done()]);
        ask(&chain, &wire, &get_config()).await.unwrap_err();
        let begun = Instant::now();
        ask(&chain, &wire, &get_config()).await.unwrap();
        assert_eq!((begun.elapsed().as_secs(), wire.sent()), (30, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn another_method_does_not_wait() {
        let chain = chain(Never);
        let wire = Script::new([rpc(420, "FLOOD_WAIT_30"), done()]);
        ask(&chain, &wire, &get_config()).await.unwrap_err();
        let other = tl::functions::help::GetNearestDc {}.to_bytes();
        ask(&chain, &wire, &other).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_method_is_the_same_in_a_wrapper() {
        let chain = chain(Never);
        let wire = Script::new([rpc(420, "FLOOD_WAIT_30")]);
        ask(&chain, &wire, &get_config()).await.unwrap_err();
        let wrapped = tl::functions::InvokeWithoutUpdates {
            query: tl::functions::help::GetConfig {},
        };
        ask(&chain, &wire, &wrapped.to_bytes()).await.unwrap_err();
        assert_eq!(wire.sent(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn slow_mode_holds_for_its_chat_and_for_all_that_is_sent_there() {
        let chain = chain(Never);
        let wire = Script::new([rpc(420, "SLOWMODE_WAIT_30"), done()]);
        ask(&chain, &wire, &message_to(channel(5)).to_bytes())
            .await
            .unwrap_err();
        let error = ask(&chain, &wire, &message_to(channel(5)).to_bytes())
            .await
            .unwrap_err();
        assert!(error.is("SLOWMODE_WAIT"), "{error}");
        let error = ask(&chain, &wire, &forward_to(channel(5)))
            .await
            .unwrap_err();
        assert!(error.is("SLOWMODE_WAIT"), "{error}");
        assert_eq!(wire.sent(), 1);
        ask(&chain, &wire, &message_to(channel(6)).to_bytes())
            .await
            .unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn slow_mode_of_a_chat_that_the_request_does_not_show_is_not_held_against_others() {
        let chain = chain(Never);
        let wire = Script::new([rpc(420, "SLOWMODE_WAIT_30"), done()]);
        ask(&chain, &wire, &get_config()).await.unwrap_err();
        ask(&chain, &wire, &get_config()).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn signing_in_with_another_number_is_another_matter() {
        let chain = chain(Never);
        let wire = Script::new([rpc(420, "FLOOD_WAIT_86400"), done()]);
        ask(&chain, &wire, &send_code("+1")).await.unwrap_err();
        ask(&chain, &wire, &send_code("+1")).await.unwrap_err();
        assert_eq!(wire.sent(), 1);
        ask(&chain, &wire, &send_code("+2")).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn another_account_is_not_held_to_the_waits_of_the_one_before() {
        let chain = chain(Never);
        let wire = Script::new([rpc(420, "FLOOD_WAIT_30"), done()]);
        ask(&chain, &wire, &get_config()).await.unwrap_err();
        chain.forget();
        ask(&chain, &wire, &get_config()).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_dropped_while_it_waits_is_never_sent() {
        let chain = chain(SleepUpTo(Duration::from_secs(60)));
        let wire = Script::new([rpc(420, "FLOOD_WAIT_30"), done()]);
        let body = get_config();
        let call = ask(&chain, &wire, &body);
        let dropped = tokio::time::timeout(Duration::from_secs(3), call).await;
        assert!(dropped.is_err());
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(wire.sent(), 1);
    }
}
