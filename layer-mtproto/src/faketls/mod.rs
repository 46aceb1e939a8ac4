//! FakeTLS: what `ee` secrets of an MTProxy ask for, both sides.
//!
//! The connection begins like TLS 1.3 with the domain that the secret names, and all that follows is in records of
//! application data. Nothing is encrypted by it. The two hellos prove that both sides know the secret: where TLS has
//! random bytes they have an HMAC, so that who does not know the secret sees nothing but TLS, and gets no answer.
//! There is no page of the documentation; the facts are those of Telegram's own proxy and clients.
//!
//! Inside of the records is the obfuscated, padded transport, which [`transport`](crate::transport) knows:
//!
//! ```
//! use std::time::Duration;
//!
//! use layer_crypto::SecureRandom;
//! use layer_mtproto::faketls::{Client, Opening, Replays, Server};
//! use layer_mtproto::transport::{
//!     Acceptor, Codec, Frame, ObfuscationParams, ProxySecret, TransportKind,
//! };
//!
//! struct Random(u8); // from the operating system in earnest
//! impl SecureRandom for Random {
//!     fn fill(&mut self, dest: &mut [u8]) {
//!         dest.fill_with(|| {
//!             self.0 = self.0.wrapping_mul(5).wrapping_add(1);
//!             self.0
//!         });
//!     }
//! }
//! let unix = Duration::from_secs(1_700_000_000);
//! let secret = ProxySecret::fake_tls([7; 16], "www.example.com").unwrap();
//!
//! // The client says hello.
//! let mut client = Client::new(secret.key(), "www.example.com", unix, &mut Random(1));
//! let hello = client.hello().to_vec();
//!
//! // Each connection of a server begins with this; `Replays` is one for all of them.
//! let mut server = Server::new([secret.clone()].into());
//! let mut replays = Replays::default();
//! let mut answer = Vec::new();
//! let opening = server.feed(&hello, unix, &mut replays, &mut Random(2), &mut answer)?;
//! let Opening::Tls(accepted) = opening else { panic!("{opening:?}") };
//! // From here on the bytes go to an acceptor as ever, which knows of the records.
//! let mut acceptor = Acceptor::new(vec![*accepted.secret.key()], Box::new(Random(3)))
//!     .require_secret()
//!     .within(accepted.records);
//!
//! // The client reads the answer, and sends its first packet.
//! let records = client.feed(&answer)?.expect("the answer is whole");
//! let obfuscation = ObfuscationParams { secret: Some(*secret.key()), dc_id: 2 };
//! let kind = TransportKind::PaddedIntermediate;
//! let mut codec = Codec::client(kind, Some(obfuscation), Box::new(Random(4))).within(records);
//! let mut bytes = Vec::new();
//! codec.pack(&[1; 40], &mut bytes)?;
//!
//! let mut accepted = acceptor.feed(&bytes)?.expect("the transport is recognised");
//! assert_eq!(accepted.codec.next_frame()?, Some(Frame::Packet([1; 40][..].into())));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod client;
mod error;
mod hello;
mod records;
#[cfg(feature = "server")]
mod replays;
#[cfg(feature = "server")]
mod server;

pub use client::Client;
pub use error::FakeTlsError;
pub use records::Records;
#[cfg(feature = "server")]
pub use replays::Replays;
#[cfg(feature = "server")]
pub use server::{Accepted, Opening, Server};

/// A record's header: type, version, length.
const HEADER: usize = 5;
/// The largest payload of a record that is written, in bytes; TDLib takes no larger one.
const MAX_WRITTEN: usize = 16 * 1024;
/// The largest payload of a record that is taken: what TLS 1.3 allows to an encrypted one.
const MAX_TAKEN: usize = MAX_WRITTEN + 256;
/// Where the 32 bytes of `random` are in a record with a hello: after the record's header, the message's type and
/// length, and the version.
const RANDOM: std::ops::Range<usize> = 11..43;

/// Types of records.
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

/// Each side sends it once, for the sake of middleboxes that know nothing newer than TLS 1.2.
const CHANGE_CIPHER_SPEC_RECORD: [u8; 6] = [CHANGE_CIPHER_SPEC, 3, 3, 0, 1, 1];
