//! Faults on demand, each as a client sees it on the wire.

#![allow(clippy::unwrap_used)]

#[path = "../util/mod.rs"]
mod util;

mod calls;
mod connections;
mod exchange;
mod incoming;
mod now;
mod outgoing;
mod pushes;

use layer_test_server::Server;
use layer_test_server::tl::{Serializable, functions as f};

/// A server on which these things go wrong.
async fn server(rules: &[&str]) -> Server {
    let start = Server::builder();
    let faults = rules.iter().map(|rule| rule.parse().unwrap());
    faults
        .fold(start, |server, fault| server.fault(fault))
        .start()
        .await
        .unwrap()
}

/// How often the only rule fired.
fn fired(server: &Server) -> u64 {
    server.faults().list()[0].fired
}

fn config() -> Vec<u8> {
    f::help::GetConfig {}.to_bytes()
}
