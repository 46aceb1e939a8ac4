//! What to do when the server wants us to wait (`FLOOD_WAIT`, `FLOOD_PREMIUM_WAIT`,
//! `SLOWMODE_WAIT`, …).

use std::time::Duration;

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

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(seconds: u64, waited: u64) -> FloodWait<'static> {
        FloodWait {
            method: None,
            name: "FLOOD_WAIT",
            wait: Duration::from_secs(seconds),
            attempt: 0,
            waited: Duration::from_secs(waited),
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
}
