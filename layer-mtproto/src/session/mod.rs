//! The session: requests and answers over an auth key.

pub(crate) mod clock;
pub(crate) mod msg_id;

pub use clock::Clock;
