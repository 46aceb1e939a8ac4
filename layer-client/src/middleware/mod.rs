//! What a request goes through between the caller and a connection.
//!
//! One chain, the outermost first:
//!
//! 1. the **deadline** of the whole call, if it has one ([`CallOptions::deadline`]);
//! 2. **your layers**, [`Config::layers`](crate::Config::layers), in the order they stand there:
//!    they see a call once, and its outcome;
//! 3. **retry** ([`RetryPolicy`]): the server failed, or did not answer and asking again does no harm;
//! 4. **flood waits** ([`FloodPolicy`]): asked of the server once, remembered for the calls after;
//! 5. the **rate limits** ([`RateLimits`]), if there are any: a call waits for its turn;
//! 6. the **way**: moves to the data centre that the server names, and who we are is said again to
//!    one that forgot it;
//! 7. **your layers for each attempt**,
//!    [`Config::attempt_layers`](crate::Config::attempt_layers): they see every sending, and where
//!    it goes;
//! 8. the connection.
//!
//! A [`Middleware`] is one layer. Dropping the future of a call, wherever in the chain it stands,
//! cancels the request. Policies decide and hold no timers; the layers sleep for them.
//!
//! ```
//! use layer_client::middleware::{BoxFuture, Middleware, Next, Outcome, Request};
//!
//! /// Says how long each call took.
//! struct Stopwatch;
//!
//! impl Middleware for Stopwatch {
//!     fn call<'a>(
//!         &'a self,
//!         request: &'a mut Request,
//!         next: Next<'a>,
//!     ) -> BoxFuture<'a, Outcome> {
//!         Box::pin(async move {
//!             let begun = std::time::Instant::now();
//!             let outcome = next.run(request).await;
//!             let method = request.method().unwrap_or("?");
//!             println!("{method}: {:?}, sent {} times", begun.elapsed(), request.attempts());
//!             outcome
//!         })
//!     }
//! }
//!
//! let config = layer_client::Config {
//!     layers: vec![std::sync::Arc::new(Stopwatch)],
//!     ..Default::default()
//! };
//! ```

mod chain;
mod deadline;
mod flood;
mod memory;
mod rate;
mod request;
mod retry;
mod route;
mod shape;
#[cfg(test)]
mod testing;

use std::time::Duration;

pub use crate::client::BoxFuture;
pub use bytes::Bytes;
pub(crate) use chain::{Chain, run};
pub use chain::{Middleware, Next, Outcome};
pub use flood::{FloodPolicy, FloodWait, Never, SleepUpTo, WaitDecision};
pub use rate::{RateLimit, RateLimits};
pub use request::{CallOptions, Request};
pub use retry::RetryPolicy;

/// A time so long that more makes no difference, and short enough to be added to any other.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
