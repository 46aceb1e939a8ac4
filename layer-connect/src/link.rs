//! The connection to the data centre, by whatever way: packets out, packets in.

use std::io;

use layer_client::proxy::ProxyError;
use layer_client::{Config, ConnectCause, DcAddress, Error, PacketStream, Proxy};
use layer_crypto::SecureRandom;

use crate::cli::Args;
use crate::exchange::Failure;
use crate::target::Target;

/// The system's random numbers.
pub(crate) struct SystemRandom;

impl SecureRandom for SystemRandom {
    fn fill(&mut self, dest: &mut [u8]) {
        // Without random numbers there is no key worth making, and nothing to go on with.
        getrandom::fill(dest).expect("the operating system gives random numbers");
    }
}

pub(crate) struct Link(PacketStream);

impl Link {
    pub(crate) async fn open(
        args: &Args,
        target: &Target,
        proxy: Option<Proxy>,
    ) -> Result<Self, Failure> {
        let mut config = Config {
            transport: args.transport_to(target)?,
            proxy,
            test_mode: args.test,
            connect_timeout: args.timeout(),
            ..Default::default()
        };
        // Telegram's WebSockets are elsewhere than its other servers, and found by number.
        if !(target.is_telegram && args.is_websocket()) {
            config.dc_addresses = vec![DcAddress::new(args.dc, target.address)];
        }
        Ok(Self(PacketStream::open(&config, args.dc).await?))
    }

    pub(crate) async fn send(&mut self, packet: &[u8]) -> Result<(), Failure> {
        Ok(self.0.send(packet).await?)
    }

    /// The next packet, however it is cut up on its way.
    pub(crate) async fn receive(&mut self) -> Result<Vec<u8>, Failure> {
        Ok(self.0.receive().await?)
    }
}

impl From<ConnectCause> for Failure {
    fn from(cause: ConnectCause) -> Self {
        match cause {
            ConnectCause::Io(error) => Self::Io(again(&error)),
            ConnectCause::HungUp => Self::Closed,
            ConnectCause::Refused(code) => Self::Refused(code),
            ConnectCause::Transport(sentence) => Self::Transport(sentence),
            other => Self::Transport(format!("{other:?}")),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let Error::Connect(error) = error else {
            return Self::Options(error.to_string());
        };
        match &error.cause {
            ConnectCause::Io(error) => Self::Io(again(error)),
            ConnectCause::Proxy(failure)
                if matches!(failure.error, ProxyError::CredentialsRequired) =>
            {
                Self::Transport(format!(
                    "the {} wants a user name and a password: --proxy …://user:password@host:port",
                    failure.proxy
                ))
            }
            ConnectCause::Proxy(failure) => Self::Transport(failure.to_string()),
            _ => Self::Transport(error.to_string()),
        }
    }
}

/// The same error, to be owned.
fn again(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}
