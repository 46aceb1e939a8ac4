//! One connection before it has a session: dialled, its transport chosen, keys exchanged.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use layer_mtproto::handshake::{self, Purpose};
use layer_mtproto::transport::{Codec, Frame, ObfuscationParams};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::dial::dial;
use super::plan::Plan;
use super::random::OsRandom;
use crate::error::{ConnectCause, ConnectError};

/// During the key exchange no packet is larger than a few kilobytes.
const HANDSHAKE_LIMIT: usize = 64 * 1024;
/// Read this much at a time.
pub(super) const READ_SIZE: usize = 64 * 1024;

/// A connection and what puts packets on it.
pub(super) struct Wire {
    pub(super) stream: TcpStream,
    pub(super) codec: Codec,
    pub(super) address: SocketAddr,
}

/// Unix time by the system's clock. Asked once for each key exchange and session; from there on
/// time is what the monotonic clock says.
pub(super) fn unix_now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
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
fn wire_dc(dc_id: i32, test_mode: bool) -> i32 {
    if test_mode {
        dc_id.saturating_add(10_000)
    } else {
        dc_id
    }
}

/// Makes a permanent auth key over the connection, within the plan's time.
pub(super) async fn exchange_keys(
    mut wire: Wire,
    plan: Arc<Plan>,
    dc_id: i32,
) -> Result<(Wire, handshake::Outcome), ConnectError> {
    let deadline = Instant::now() + plan.timeout;
    let address = Some(wire.address);
    let failed = |cause| ConnectError {
        dc_id,
        address,
        cause,
    };
    wire.codec.set_limit(HANDSHAKE_LIMIT);
    let outcome = match timeout_at(deadline, drive(&mut wire, &plan, dc_id)).await {
        Ok(outcome) => outcome.map_err(failed)?,
        Err(_) => return Err(failed(ConnectCause::Timeout(plan.timeout))),
    };
    wire.codec.set_limit(layer_mtproto::transport::MAX_PACKET);
    Ok((wire, outcome))
}

async fn drive(
    wire: &mut Wire,
    plan: &Plan,
    dc_id: i32,
) -> Result<handshake::Outcome, ConnectCause> {
    let io = |error| ConnectCause::Io(Arc::new(error));
    let dc_id = wire_dc(dc_id, plan.test_mode);
    let mut config = handshake::ClientConfig::new(plan.keys.clone(), dc_id, Purpose::Permanent);
    // Ours runs from the dialling on, and ends first.
    config.timeout = plan.timeout.saturating_mul(2);
    let now = Instant::now().into_std();
    let mut exchange = handshake::Client::new(config, OsRandom::boxed(), now, unix_now());
    let mut incoming = vec![0; 4096];
    let mut heard = false;
    loop {
        let mut out = Vec::new();
        while exchange.poll_transmit(Instant::now().into_std(), &mut out) {
            wire.codec
                .pack(&mut out, 0)
                .map_err(|e| ConnectCause::Transport(e.to_string()))?;
            wire.stream.write_all(&out).await.map_err(io)?;
            out.clear();
        }
        while let Some(event) = exchange.poll_event() {
            if let handshake::Event::Done(outcome) = event {
                return Ok(*outcome);
            }
        }
        let read = match wire.stream.read(&mut incoming).await {
            Ok(0) if !heard => return Err(ConnectCause::HungUp),
            Ok(0) => {
                return Err(ConnectCause::Handshake(
                    "the other side hung up in the middle of it".to_owned(),
                ));
            }
            Ok(read) => read,
            Err(error) => return Err(io(error)),
        };
        heard = true;
        wire.codec.feed(&incoming[..read]);
        while let Some(frame) = wire
            .codec
            .next_frame()
            .map_err(|e| ConnectCause::Transport(e.to_string()))?
        {
            match frame {
                Frame::Packet(packet) => exchange
                    .handle_packet(&packet, Instant::now().into_std())
                    .map_err(|e| ConnectCause::Handshake(e.to_string()))?,
                Frame::Error(code) => return Err(ConnectCause::Refused(code)),
                _ => {}
            }
        }
    }
}
