//! One TCP connection and its codec: packets out, packets in.

use std::io;
use std::net::SocketAddr;

use layer_crypto::SecureRandom;
use layer_mtproto::transport::{Codec, Frame, ObfuscationParams, TransportError, TransportKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::exchange::Failure;

/// The system's random numbers.
pub(crate) struct SystemRandom;

impl SecureRandom for SystemRandom {
    fn fill(&mut self, dest: &mut [u8]) {
        // Without random numbers there is no key worth making, and nothing to go on with.
        getrandom::fill(dest).expect("the operating system gives random numbers");
    }
}

pub(crate) struct Link {
    stream: TcpStream,
    codec: Codec,
    buffer: Vec<u8>,
}

impl Link {
    pub(crate) async fn open(
        address: SocketAddr,
        kind: TransportKind,
        obfuscation: Option<ObfuscationParams>,
    ) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let codec = Codec::client(kind, obfuscation, Box::new(SystemRandom));
        Ok(Self {
            stream,
            codec,
            buffer: vec![0; 16 * 1024],
        })
    }

    pub(crate) async fn send(&mut self, mut packet: Vec<u8>) -> Result<(), Failure> {
        self.codec.pack(&mut packet, 0)?;
        Ok(self.stream.write_all(&packet).await?)
    }

    /// The next packet, however it is cut up on its way.
    pub(crate) async fn receive(&mut self) -> Result<Vec<u8>, Failure> {
        loop {
            match self.codec.next_frame()? {
                Some(Frame::Packet(packet)) => return Ok(packet),
                Some(Frame::Error(code)) => return Err(Failure::Refused(code)),
                Some(_) => {}
                None => match self.stream.read(&mut self.buffer).await? {
                    0 => return Err(Failure::Closed),
                    count => self.codec.feed(&self.buffer[..count]),
                },
            }
        }
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        Self::Transport(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
