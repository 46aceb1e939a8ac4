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
}

/// Opens a connection to one of the addresses.
pub(super) async fn open(
    plan: Arc<Plan>,
    dc_id: i32,
    addresses: Vec<SocketAddr>,
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
        dc_id: i16::try_from(wire_dc(dc_id, plan.test_mode)).unwrap_or_default(),
    });
    let codec = Codec::client(plan.transport, obfuscation, OsRandom::boxed());
    Ok(Wire {
        stream,
        codec,
        address,
    })
}

/// A data centre's number as the protocol has it: test servers count from 10000.
pub(super) fn wire_dc(dc_id: i32, test_mode: bool) -> i32 {
    if test_mode {
        dc_id.saturating_add(10_000)
    } else {
        dc_id
    }
}
