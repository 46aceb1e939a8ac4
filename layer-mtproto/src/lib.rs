//! MTProto 2.0 without I/O: handshake, session and transports, for both sides.
//!
//! Nothing here opens a socket, reads a clock or draws a random number by itself. State machines take bytes and
//! the time, and hand back bytes, events and the moment at which they want to be asked again:
//!
//! - [`transport`] turns a stream of bytes into packets, and tells a server which transport a client speaks;
//! - [`faketls`] makes a connection through an MTProxy look like TLS;
//! - [`plain`] frames the messages of the key exchange;
//! - [`handshake`] makes an auth key;
//! - [`session`] carries requests, answers and updates over it.
//!
//! The servers' halves are there with the feature `server`; a client is built without them.
// Both sides share their files (a codec, a hello): what only a server calls there is called by nobody without it.
#![cfg_attr(not(feature = "server"), allow(dead_code))]

pub mod faketls;
pub mod handshake;
pub mod plain;
pub mod session;
mod tl;
pub mod transport;
