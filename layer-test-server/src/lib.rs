//! An embedded Telegram-compatible data centre, for testing Telegram programs without an account or a network.
//!
//! It speaks real MTProto on real ports: official clients sign in to it as they would to Telegram, once they trust its
//! RSA key and know its address. As a library it starts in a few lines, and lets a test act as people and bots, read
//! the code that was "sent", look at what was stored, and order faults:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use layer_test_server::{NewUser, Server};
//!
//! let server = Server::builder().login_code("22222").start().await?;
//! let ann = server.add_user(NewUser::named("+15550001", "Ann"));
//! let (bot, group) = (server.add_bot(&ann, "Helper", "helper_bot"), ann.create_group("Us", &[])?);
//! ann.invite(group, &[&bot])?;
//! ann.send_message(group, "/start")?;
//!
//! // … connect your program to server.addresses(), trusting server.public_key_pem() …
//! server.faults().add("method=messages.sendMessage times=2: flood-wait 3".parse()?)?;
//! server.drop_connections();
//! server.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! # The ways in
//!
//! Every port takes every transport, told from the first bytes: abridged, intermediate, padded intermediate and full,
//! plain or obfuscated, over TCP, WebSocket (`ws://…/apiws`), WebSocket over TLS (the certificate is
//! `Server::tls_certificate_pem`), and FakeTLS with the `ee` secrets of [`ServerBuilder::mtproxy_secret`]. WebSockets
//! come with the feature `web`, which is on by default.
//!
//! # What goes wrong
//!
//! [`Server::faults`] lets a test order what is to go wrong, from flood waits to packets cut in the middle; see
//! [`faults`].
//!
//! # Files
//!
//! Files are stored as they came, and read with all the rules of Telegram's page on them: [`Server::files`] lets their
//! references expire and their parts be forgotten. [`Server::cdn`] is a CDN's data
//! centre, for those who ask for one.
//!
//! # What must be seen
//!
//! [`UserHandle::expected`] has the messages that an account must have, [`UserHandle::watch`] notes what it must be told
//! and in which order, and [`UserHandle::push`] tells it what this data centre does not make by itself; see [`expected`].
//!
//! # How it is built
//!
//! [`faults`] says what is to go wrong and does nothing itself. `net` moves bytes: listeners, connections, sessions, and the order in which an account hears things. `rpc` turns the
//! bytes of a call into the bytes of its answer. `world` is what the data centres keep, a plain value without I/O or a
//! clock. All data centres share one world, as Telegram's look like one to an account; auth keys belong to the data
//! centre that they were made with.
//!
//! # The RSA key
//!
//! Unless it is given another, every server uses the same key, which lies in this crate for everybody to read. It
//! protects nothing, and no program that talks to Telegram must trust it.

mod acting;
mod cdn;
mod config;
mod control;
pub mod expected;
pub mod faults;
mod files;
mod handles;
mod net;
mod random;
mod rpc;
mod server;
mod shelf;
mod world;

pub use cdn::Cdn;
#[cfg(feature = "web")]
pub use config::TlsIdentity;
pub use config::{Limits, ServerBuilder, ServerConfig, StartError};
pub use control::Faults;
pub use faults::{Action, Fault, Where};
pub use files::Files;
pub use handles::{ApiError, BotHandle, NewUser, Peer, SERVICE_USER_ID, StoredMessage, UserHandle};
pub use layer_mtproto::transport::{ProxySecret, ProxySecretError};
pub use layer_tl_types as tl;
pub use server::{Server, SessionInfo};
pub use shelf::{NewStickerSet, NewWebPage};
pub use world::files::{CdnFiles, Speed};
