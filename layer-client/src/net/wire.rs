//! One connection before it has a session: dialled, its transport chosen. Keys are exchanged in
//! [`exchange`](super::exchange).

use std::net::SocketAddr;
use std::sync::Arc;

use layer_mtproto::transport::{Codec, ObfuscationParams};
use tokio::net::TcpStream;

use super::dial::dial;
use super::plan::Plan;
use super::random::OsRandom;
use crate::error::ConnectError;

/// Read this much at a time.
pub(super) const READ_SIZE: usize = 64 * 1024;

/// A connection and what puts packets on it.
pub(super) struct Wire {
    pub(super) stream: TcpStream,
    pub(super) codec: Codec,
    pub(super) address: SocketAddr,
    /// Whether the other side is one of the servers for files only.
    pub(super) media: bool,
}

/// Opens a connection to one of the addresses, which are those of servers for files only or not.
pub(super) async fn open(
    plan: Arc<Plan>,
    dc_id: i32,
    addresses: Vec<SocketAddr>,
    media: bool,
) -> Result<Wire, ConnectError> {
    let addresses = match plan.proxy {
        Some(proxy) => vec![proxy.addr],
        None => addresses,
    };
    let (stream, address) = dial(&addresses, plan.timeout)
        .await
        .map_err(|(address, cause)| ConnectError {
            dc_id,
            address,
            cause,
        })?;
    let obfuscation = (plan.obfuscated || plan.proxy.is_some()).then(|| ObfuscationParams {
        secret: plan.proxy.map(|proxy| proxy.secret),
        dc_id: i16::try_from(wire_dc(dc_id, plan.test_mode, media)).unwrap_or_default(),
    });
    let codec = Codec::client(plan.transport, obfuscation, OsRandom::boxed());
    Ok(Wire {
        stream,
        codec,
        address,
        media,
    })
}

/// A data centre's number as the protocol has it: test servers count from 10000, and servers for
/// files only are negative.
pub(super) fn wire_dc(dc_id: i32, test_mode: bool, media: bool) -> i32 {
    let number = if test_mode {
        dc_id.saturating_add(10_000)
    } else {
        dc_id
    };
    if media { -number } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_centre_is_numbered_as_the_protocol_has_it() {
        assert_eq!(wire_dc(2, false, false), 2);
        assert_eq!(wire_dc(2, true, false), 10_002);
        assert_eq!(wire_dc(2, false, true), -2);
        assert_eq!(wire_dc(2, true, true), -10_002);
    }
}
