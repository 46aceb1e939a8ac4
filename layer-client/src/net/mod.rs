//! Connections: a task for each data centre owns its socket, codec and session; the [`Pool`] owns
//! the tasks. Requests reach a task through a bounded channel and come back as bytes.

mod addresses;
mod backoff;
mod call;
mod dc;
mod dial;
mod exchange;
mod plan;
mod pool;
mod random;
mod serve;
mod wire;
mod worker;

pub(crate) use addresses::{built_in, known, usable};
pub(crate) use plan::Plan;
pub(crate) use pool::{Pool, moves_home};
pub(crate) use random::OsRandom;
