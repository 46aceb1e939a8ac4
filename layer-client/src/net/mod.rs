//! Connections: a task for each owns its socket, codec and session; the [`Pool`] owns the tasks.
//! Requests reach a task through a bounded channel and come back as bytes.
//!
//! - `call`, `order`, `dc`: a request on its way, and the caller's handle on a task;
//! - `worker`, `serve`, `keys`, `vigil`: the task: connecting, talking, keys, watching over it;
//! - `pool`, `transfer`, `cdn`: which tasks there are, the account's authorisation among them, and the
//!   keys of those that are not Telegram's own;
//! - `wire`, `dial`, `addresses`, `tunnel`, `socks5`, `exchange`: from an address to a connection that has a key.

mod addresses;
mod backoff;
mod call;
mod cdn;
mod dc;
mod dial;
mod disguise;
mod exchange;
mod keys;
mod order;
mod packets;
mod plan;
mod pool;
mod random;
mod serve;
mod socks5;
mod state;
mod stream;
mod transfer;
mod tunnel;
mod vigil;
#[cfg(feature = "websocket")]
mod websocket;
mod wire;
mod worker;

pub(crate) use addresses::{Target, known, targets};
pub(crate) use call::{Lane, Over, Resend, Sending, Way};
pub(crate) use dial::is_unreachable;
pub(crate) use order::Tail;
pub use packets::PacketStream;
pub(crate) use plan::Plan;
pub(crate) use pool::{Pool, moves_home};
pub(crate) use random::OsRandom;
pub use state::{ConnectionState, ConnectionStates};

/// Which of a data centre's connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// The one that carries everything but files.
    Main,
    /// One of those that carry files, so that a large one holds up nothing else.
    Media(usize),
    /// One to a CDN, which is not a part of Telegram's cloud (page `cdn`): it has keys of its own,
    /// knows no account, and nothing that it says but files is heard.
    Cdn(usize),
}

impl Role {
    fn is_cdn(self) -> bool {
        matches!(self, Self::Cdn(_))
    }
}
