//! What a request goes through between the caller and a connection: deadline, flood waits, retry.
//! Policies decide and hold no timers; the chain sleeps for them.

mod chain;
mod flood;
mod retry;

pub(crate) use chain::run;
pub use flood::{FloodPolicy, FloodWait, Never, SleepUpTo, WaitDecision};
pub use retry::RetryPolicy;
