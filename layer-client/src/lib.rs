//! An async Telegram client for users and bots.
//!
//! # A user
//!
//! ```no_run
//! use layer_client::{Client, Config, SignInError};
//!
//! # fn ask(_: &str) -> String { String::new() }
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let client = Client::connect(Config {
//!         session_path: "my.session".into(),
//!         api_id: 12345,
//!         api_hash: "abc123".into(),
//!         ..Default::default()
//!     })
//!     .await?;
//!
//!     if !client.is_authorized().await? {
//!         let token = client.request_login_code("+1234567890").await?;
//!         match client.sign_in(&token, &ask("code")).await {
//!             Ok(user) => println!("Welcome, {user}!"),
//!             Err(SignInError::PasswordRequired(t)) => {
//!                 client.check_password(t, &ask("password")).await?;
//!             }
//!             Err(error) => return Err(error.into()),
//!         }
//!         client.save_session().await?;
//!     }
//!
//!     client.send_message("me", "Hello from layer!").await?;
//!     Ok(())
//! }
//! ```
//!
//! # A bot
//!
//! ```no_run
//! use layer_client::{Client, Config, update::Update};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let client = Client::connect(Config {
//!         session_path: "bot.session".into(),
//!         api_id: 12345,
//!         api_hash: "abc123".into(),
//!         ..Default::default()
//!     })
//!     .await?;
//!     client.bot_sign_in("1234567890:ABCdef").await?;
//!
//!     let mut updates = client.stream_updates();
//!     while let Some(update) = updates.next().await {
//!         match update {
//!             Update::NewMessage(msg) if !msg.outgoing() => {
//!                 if let (Some(peer), Some(text)) = (msg.peer_id(), msg.text()) {
//!                     client.send_message_to_peer(peer.clone(), text).await?;
//!                 }
//!             }
//!             Update::CallbackQuery(cb) => {
//!                 client.answer_callback_query(cb.query_id, Some("Done!"), false).await?;
//!             }
//!             _ => {}
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # What happens underneath
//!
//! A call goes through the [middleware]: it waits out flood waits as the [`Config`]'s policy says,
//! asks again when the server failed, and follows the account to the data centre it lives on. Each
//! data centre has one task that owns its connection; calls from any number of tasks at once are
//! packed together and do not wait for each other. A lost connection is made again, and requests
//! that were not answered are sent again on it, unless that is forbidden
//! ([`CallOptions::no_resend`](middleware::CallOptions::no_resend),
//! [`CallOptions::at_most_once`](middleware::CallOptions::at_most_once)). Dropping the future of a call
//! cancels the request. Each call ends with its result or with an [`Error`] that says what to do.
//!
//! A peer that went silent, or away while the computer slept, is found out within seconds when
//! something is asked of it, and within a minute otherwise. Files go over connections of their own.
//! [`Client::connection_states`] tells a program that shows it how the connection stands,
//! [`Client::in_order`] has calls executed one after the other, and [`Config::pfs`] turns perfect
//! forward secrecy on.
//!
//! Anything that has no method of its own is called by its name in Telegram's
//! [API](https://core.telegram.org/methods):
//!
//! ```no_run
//! # async fn example(client: layer_client::Client) -> Result<(), layer_client::Error> {
//! use layer_client::tl;
//!
//! let tl::enums::Config::Config(config) =
//!     client.invoke(&tl::functions::help::GetConfig {}).await?;
//! println!("{} data centres", config.dc_options.len());
//! # Ok(())
//! # }
//! ```
//!
//! The [session] file keeps the auth key, and whoever has the file has the account. It is
//! replaced as a whole or not at all, is readable by its owner only, and belongs to one process at
//! a time. [`Config::session_passphrase`] encrypts it; [`Client::export_session`] and
//! [`Config::session_string`] take a login along as text.
//!
//! # Media
//!
//! [`Client::send_media`] sends a photo, a video, a voice message, a poll and whatever else
//! [`OutgoingMedia`](files::OutgoingMedia) can be, [`Client::send_album`] several as one.
//! [`Message::media`] tells what came, and [`Client::download`] fetches it, each of its sizes, the
//! photos of profiles and the stickers of a set. What runs out meanwhile is got anew where it came
//! from. With the feature `media-info` width, height, duration, title and performer are read from
//! the files that are sent.
//!
//! ```no_run
//! # async fn example(client: layer_client::Client, message: layer_client::Message) -> layer_client::Result<()> {
//! use layer_client::files::{MediaKind, OutgoingMedia};
//!
//! client.send_media("me", OutgoingMedia::video("film.mp4").spoiler(true), "Look!").await?;
//! if let Some(MediaKind::Photo(photo)) = message.media().map(|media| media.kind()) {
//!     client.download(photo).to_path("photo.jpg").await?;
//! }
//! # Ok(()) }
//! ```
//!
//! # Where Telegram is not reached directly
//!
//! [`Config::proxy`] takes the links that Telegram's own apps take, and [`Config::transport`] makes
//! connections look like something else. With the feature `websocket` they can go inside of HTTPS.
//!
//! ```
//! use layer_client::Config;
//!
//! let config = Config {
//!     proxy: Some("socks5://ada:lovelace@127.0.0.1:1080".parse()?),
//!     transport: "obfuscated".parse()?, // or "wss"
//!     ..Default::default()
//! };
//! # let _ = config;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Without Telegram
//!
//! [`Config::dc_addresses`] and [`Config::rsa_keys`] point the client at another server, such as the
//! embedded data centre of the crate `layer-test-server`, with which programs can be tested without
//! an account and without a network.

mod alarm;
mod auth;
mod chats;
mod client;
mod dialogs;
mod disk;
mod error;
pub mod files;
mod inline;
mod messages;
pub mod middleware;
mod net;
mod peers;
pub mod proxy;
mod raw;
mod record;
pub mod session;
pub mod text;
mod updates;

/// What happens, as a stream of [`Update`](update::Update)s.
///
/// [`Client::stream_updates`] brings everything, [`Client::stream_updates_with`] what
/// [`StreamOptions`](update::StreamOptions) say: kinds, chats, albums. Any number of streams may be
/// open; they take nothing from each other.
///
/// # What is promised
///
/// - **Nothing is skipped.** What the server pushed and the network lost is fetched, also what
///   happened while the program did not run ([`Config::catch_up`]). The session keeps how far the
///   updates were *handled*, not how far they were received: after a crash at any moment, `kill -9`
///   included, they go on from there. What the server itself does not tell any more is named by
///   [`Update::Missed`](update::Update::Missed).
/// - **Each comes once, and in the order of its chat.** Only after a crash some come again: those
///   handled in the last [`Config::save_delay`], and what came with the same difference, which is
///   handled as a whole.
/// - **A slow reader costs a fixed amount of memory.** From a thousand updates or a few megabytes on,
///   no more are taken from the server; later a difference fetches what came meanwhile.
/// - **Peers stand where they are named**, from the same packet, and can be written to without
///   another request. Those of whom the server tells a part only (page `api/min`) are addressed
///   through the message that showed them.
/// - **Silence is told apart.** A stream ends with a [reason](update::UpdateStream::reason); a
///   connection that only looks alive is made anew, also one that answers and pushes nothing
///   ([`Config::update_check`]); and
///   [`Update::Connection`](update::Update::Connection) tells whoever asks for it.
///
/// # Handling several at once
///
/// ```no_run
/// # async fn handle(_: layer_client::update::Update) {}
/// # async fn example(client: layer_client::Client) {
/// let mut updates = client.stream_updates();
/// while let Some((update, receipt)) = updates.next_with_receipt().await {
///     tokio::spawn(async move {
///         handle(update).await;
///         // Only now it is handled; a task that panics gives it back.
///         receipt.ack();
///     });
/// }
/// # }
/// ```
pub mod update {
    pub use crate::updates::types::*;
    pub use crate::updates::{Receipt, StreamOptions, UpdateStream};
}

pub use auth::{CodeDelivery, LoginToken, PasswordToken, SignInError};
pub use chats::{Participant, ParticipantIter, Role};
#[cfg(feature = "websocket")]
pub use client::WebSocket;
pub use client::{
    Client, Config, DcAddress, InOrder, IpVersions, RsaPublicKey, Transport, TransportKind,
    UnknownTransport, User,
};
pub use dialogs::{Dialog, DialogIter};
pub use error::names as error_names;
pub use error::{
    ConnectCause, ConnectError, DeserializeError, Error, ErrorInfo, FileTooLarge, RequestError,
    Result, RpcError, Terminal, TerminalReason, TimeoutError, error_info, known_errors,
};
pub use layer_tl_types as tl;
pub use messages::{Button, InputMessage, Keyboard, Message, MessageFilter, MessageIter};
pub use net::{ConnectionState, ConnectionStates, PacketStream};
pub use peers::{Peer, PeerId, PeerKind, PeerRef};
pub use proxy::Proxy;
pub use raw::Raw;

/// The README's samples compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
