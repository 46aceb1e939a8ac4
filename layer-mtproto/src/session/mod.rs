//! The session: requests and answers over an auth key, whatever happens to the connection.
//!
//! [`ClientSession`] and [`ServerSession`] take the packets of a transport's codec and hand back packets for it.
//! They know the rules of `mtproto/description`, `mtproto/service_messages` and
//! `mtproto/service_messages_about_messages`; what a request means is left to others, who see only its bytes.

mod acks;
mod ascending;
mod client;
pub(crate) mod clock;
mod error;
mod gzip;
pub(crate) mod msg_id;
mod packet;
mod salts;
mod seqno;
#[cfg(feature = "server")]
mod server;
mod window;
mod wire;

#[doc(hidden)]
pub use client::Footprint;
pub use client::{
    BindFailure, Binding, ClientEvent, ClientSession, RequestId, SessionConfig, SessionParams,
    SubmitOptions,
};
pub use clock::Clock;
pub use error::{ContainerError, RequestFailure, Terminal, Violation};
pub use gzip::{GzipError, inflate_packed};
pub use packet::{Opened, open_packet, open_packets};
pub use salts::{FutureSalt, SALT_PERIOD, SaltBook};
#[cfg(feature = "server")]
pub use server::{PushId, ServerSession, ServerSessionConfig, ServerSessionEvent};
