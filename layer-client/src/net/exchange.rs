//! The key exchange over a connection that is open: the packets of the sans-IO handshake carried
//! back and forth, within the plan's time.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use layer_mtproto::handshake::{self, Purpose};
use layer_mtproto::transport::Frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use super::plan::Plan;
use super::random::OsRandom;
use super::wire::{Wire, wire_dc};
use crate::error::{ConnectCause, ConnectError};

/// During the key exchange no packet is larger than a few kilobytes.
const HANDSHAKE_LIMIT: usize = 64 * 1024;

/// Unix time by the system's clock. Asked once for each key exchange and session; from there on
/// time is what the monotonic clock says.
pub(super) fn unix_now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// Makes an auth key over the connection, within the plan's time.
pub(super) async fn exchange_keys(
    mut wire: Wire,
    plan: Arc<Plan>,
    dc_id: i32,
    purpose: Purpose,
) -> Result<(Wire, handshake::Outcome), ConnectError> {
    let deadline = Instant::now() + plan.timeout;
    let address = Some(wire.address.clone());
    let failed = |cause| ConnectError {
        dc_id,
        address,
        cause,
    };
    wire.codec.set_limit(HANDSHAKE_LIMIT);
    let outcome = match timeout_at(deadline, drive(&mut wire, &plan, dc_id, purpose)).await {
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
    purpose: Purpose,
) -> Result<handshake::Outcome, ConnectCause> {
    let io = |error| ConnectCause::Io(Arc::new(error));
    let dc_id = wire_dc(dc_id, plan.test_mode, wire.media);
    let mut config = handshake::ClientConfig::new(plan.keys.clone(), dc_id, purpose);
    // Ours runs from the dialling on, and ends first.
    config.timeout = plan.timeout.saturating_mul(2);
    let now = Instant::now().into_std();
    let mut exchange = handshake::Client::new(config, OsRandom::boxed(), now, unix_now());
    let mut incoming = vec![0; 4096];
    let mut heard = false;
    loop {
        let mut packet = Vec::new();
        while exchange.poll_transmit(Instant::now().into_std(), &mut packet) {
            let mut out = Vec::new();
            wire.codec
                .pack(&packet, &mut out)
                .map_err(|e| ConnectCause::Transport(e.to_string()))?;
            wire.stream.write_all(&out).await.map_err(io)?;
            packet.clear();
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
