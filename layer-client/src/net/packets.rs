//! A connection for programs that speak MTProto themselves, such as those that show how it goes.

use std::fmt;
use std::sync::Arc;

use layer_mtproto::transport::{Codec, Frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Plan;
use super::stream::Stream;
use super::wire::{self, READ_SIZE};
use crate::client::{BoxFuture, Config, check_way};
use crate::error::{ConnectCause, Result};
use crate::proxy::Address;

/// A connection to a data centre that carries packets and knows nothing of what is in them: no key
/// was made, and no session is there.
///
/// A [`Client`](crate::Client) has its own; this is for programs that speak MTProto themselves. It is
/// opened as a client's are, by [`Config::transport`], [`Config::proxy`] and the addresses that the
/// configuration knows.
pub struct PacketStream {
    stream: Stream,
    codec: Codec,
    address: Address,
    incoming: Vec<u8>,
}

impl PacketStream {
    /// Opens a connection to data centre `dc_id`, within [`Config::connect_timeout`].
    ///
    /// # Errors
    /// [`Error::Input`](crate::Error::Input) when the configuration combines what nobody
    /// understands, [`Error::Connect`](crate::Error::Connect) when no way was open.
    pub fn open(config: &Config, dc_id: i32) -> BoxFuture<'static, Result<PacketStream>> {
        let checked = check_way(config);
        let targets = super::targets(config, config.ip_versions, &[], dc_id, super::Role::Main).0;
        let plan = Arc::new(Plan::new(config, Vec::new(), Vec::new()));
        Box::pin(async move {
            checked?;
            let wire = wire::open(plan, dc_id, targets, false).await?;
            Ok(PacketStream {
                stream: wire.stream,
                codec: wire.codec,
                address: wire.address,
                incoming: vec![0; READ_SIZE],
            })
        })
    }

    /// Where the other side is: the data centre, or the MTProxy.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Sends a packet, whose length is a multiple of four bytes.
    ///
    /// # Errors
    /// [`ConnectCause::Transport`] when the length is wrong, [`ConnectCause::Io`] when the connection
    /// broke.
    pub async fn send(&mut self, packet: &[u8]) -> Result<(), ConnectCause> {
        let mut framed = Vec::new();
        self.codec
            .pack(packet, &mut framed)
            .map_err(|error| ConnectCause::Transport(error.to_string()))?;
        let io = |error| ConnectCause::Io(Arc::new(error));
        self.stream.write_all(&framed).await.map_err(io)?;
        self.stream.flush().await.map_err(io)
    }

    /// The next packet, however it was cut up on its way. Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// [`ConnectCause::Refused`] when a transport error came instead, [`ConnectCause::HungUp`] at the
    /// end, [`ConnectCause::Transport`] when the other side breaks the transport's rules.
    pub async fn receive(&mut self) -> Result<Vec<u8>, ConnectCause> {
        loop {
            let frame = self.codec.next_frame();
            match frame.map_err(|error| ConnectCause::Transport(error.to_string()))? {
                Some(Frame::Packet(packet)) => return Ok(packet.into()),
                Some(Frame::Error(code)) => return Err(ConnectCause::Refused(code)),
                Some(_) => {}
                None => match self.stream.read(&mut self.incoming).await {
                    Ok(0) => return Err(ConnectCause::HungUp),
                    Ok(read) => self.codec.feed(&self.incoming[..read]),
                    Err(error) => return Err(ConnectCause::Io(Arc::new(error))),
                },
            }
        }
    }
}

impl fmt::Debug for PacketStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PacketStream")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
