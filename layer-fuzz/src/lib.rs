//! What is fuzzed, as plain functions: each [`Target`] takes any bytes, and panics when a promise is broken.
//!
//! The fuzzers in `fuzz/` call these under libFuzzer; the tests of this crate replay `fuzz/corpus` through them, so that
//! whatever a fuzzer once reached is reached by every `cargo test`, on a stable toolchain. [`seeds`] writes the inputs
//! that fuzzers begin with.
//!
//! Where bytes at random would stop at the first check (a msg_key, a nonce, a checksum), the target makes the check
//! pass and lets the fuzzer decide what lies behind it.

mod faketls;
mod handshake;
mod input;
mod links;
mod markup;
mod schema;
pub mod seeds;
mod server_calls;
mod session_client;
mod session_file;
mod session_server;
mod transport;
mod values;
mod wire;

/// Something that takes bytes from outside.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of the fuzzer and of its folder in the corpus.
    pub name: &'static str,
    /// Runs it on one input.
    pub run: fn(&[u8]),
    /// The longest input in bytes that a fuzzer should try.
    pub max_len: usize,
}

/// Every target, in alphabetical order.
pub const TARGETS: &[Target] = &[
    target("client_session", session_client::run, 2048),
    target("faketls_client", faketls::client, 2048),
    target("faketls_server", faketls::server, 2048),
    target("handshake_client", handshake::client, 1024),
    target("handshake_server", handshake::server, 1024),
    target("links", links::run, 512),
    target("markup", markup::run, 512),
    target("packet", wire::packet, 2048),
    target("schema", schema::run, 2048),
    target("server_calls", server_calls::run, 1024),
    target("server_session", session_server::run, 2048),
    target("session_file", session_file::run, 4096),
    target("transport_accept", transport::accept, 2048),
    target("transport_client", transport::client, 2048),
    target("transport_pair", transport::pair, 2048),
    target("values", values::run, 4096),
];

const fn target(name: &'static str, run: fn(&[u8]), max_len: usize) -> Target {
    Target { name, run, max_len }
}

/// Runs the target of that name.
///
/// # Panics
/// When a promise is broken, or there is no such target.
pub fn run(name: &str, input: &[u8]) {
    match TARGETS.iter().find(|target| target.name == name) {
        Some(target) => (target.run)(input),
        None => panic!("no target is called {name:?}"),
    }
}
