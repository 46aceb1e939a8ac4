//! The options of the command line.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use layer_client::proxy::ProxyLinkError;
use layer_client::{Proxy, Transport, WebSocket};

use crate::exchange::Failure;
use crate::target::Target;

/// Makes an auth key with a Telegram data centre, showing each step, then asks it for its
/// configuration (help.getConfig).
///
/// Without options it starts an embedded data centre on this machine and connects to that: no
/// account and no network are needed. It leaves with status 0 only when the configuration has come;
/// otherwise one line says at which step it failed, and why.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:\n  \
    cargo run -p layer-connect\n  \
    cargo run -p layer-connect -- --transport padded --obfuscated\n  \
    cargo run -p layer-connect -- --transport wss\n  \
    cargo run -p layer-connect -- --production --proxy socks5://127.0.0.1:1080\n  \
    cargo run -p layer-connect -- --production --proxy 'tg://proxy?server=…&port=…&secret=…'\n  \
    cargo run -p layer-connect -- --test --dc 2\n  \
    cargo run -p layer-connect -- --server 127.0.0.1:4430 --dc 1 --rsa-key server.pem"
)]
pub(crate) struct Args {
    /// The data centre to talk to, in place of the embedded one
    #[arg(long, value_name = "HOST:PORT")]
    #[arg(conflicts_with_all = ["production", "test"])]
    pub(crate) server: Option<String>,

    /// Which data centre it is: 1 to 5 in production, 1 to 3 for tests, 1 or 2 embedded
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) dc: i32,

    /// The public RSA key of --server, a PEM file (layer-test-server prints its own)
    #[arg(long, value_name = "FILE", requires = "server")]
    pub(crate) rsa_key: Option<PathBuf>,

    /// Telegram's own data centres
    #[arg(long, conflicts_with = "test")]
    pub(crate) production: bool,

    /// Telegram's own data centres for tests
    #[arg(long)]
    pub(crate) test: bool,

    /// How packets travel: a framing (abridged, intermediate, padded or full), after obfuscated- to
    /// look like random bytes, or after ws- or wss- in a WebSocket without or with TLS
    #[arg(long, value_name = "[WAY-]KIND", default_value = "intermediate")]
    pub(crate) transport: Transport,

    /// Obfuscate the connection, as official clients do: short for --transport obfuscated-…
    #[arg(long)]
    pub(crate) obfuscated: bool,

    /// Go through a proxy. Takes the links that Telegram takes (https://t.me/proxy?…,
    /// https://t.me/socks?…, tg://proxy?…, tg://socks?…), socks5://user:password@host:port, and
    /// http://user:password@host:port
    #[arg(long, value_name = "LINK", env = "TG_PROXY", hide_env_values = true)]
    #[arg(value_parser = proxy_link)]
    pub(crate) proxy: Option<Result<Proxy, ProxyLinkError>>,

    /// The certificate that --server's wss is signed by, a PEM file, if it is not one that browsers
    /// trust
    #[arg(long, value_name = "FILE", requires = "server")]
    pub(crate) certificate: Option<PathBuf>,

    /// Keep the auth key in this file, as layer-app's --session reads it
    #[arg(long, value_name = "FILE")]
    pub(crate) session: Option<PathBuf>,

    /// The application's id, from my.telegram.org; only Telegram itself asks for a real one
    #[arg(long, value_name = "ID", env = "TG_API_ID", default_value_t = 1)]
    pub(crate) api_id: i32,

    /// Give up after this many seconds, whatever the other side does
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) timeout: u32,
}

/// What is wrong with a link is told by us: clap would print the link, and with it the secret.
fn proxy_link(link: &str) -> Result<Result<Proxy, ProxyLinkError>, Infallible> {
    Ok(link.parse())
}

impl Args {
    /// The proxy to go through.
    pub(crate) fn proxy(&self) -> Result<Option<Proxy>, String> {
        self.proxy
            .clone()
            .transpose()
            .map_err(|error| format!("--proxy: {error}"))
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout.into())
    }

    pub(crate) fn is_websocket(&self) -> bool {
        matches!(self.transport, Transport::WebSocket(_))
    }

    /// The transport that the options ask for together, with the certificates that are trusted.
    pub(crate) fn transport_to(&self, target: &Target) -> Result<Transport, Failure> {
        let trusting = |socket: &WebSocket, pem: &str| {
            let socket = socket.clone().with_root_certificates(pem);
            let failed = |error: layer_client::Error| Failure::Options(error.to_string());
            Ok(socket.map_err(failed)?.into())
        };
        match (&self.transport, &self.certificate, &target.embedded) {
            (Transport::Plain(kind), ..) if self.obfuscated => Ok(Transport::Obfuscated(*kind)),
            (Transport::WebSocket(socket), Some(file), _) => {
                let pem = std::fs::read_to_string(file).map_err(|error| {
                    let file = file.display();
                    Failure::Options(format!("cannot read the certificate {file}: {error}"))
                })?;
                trusting(socket, &pem)
            }
            (Transport::WebSocket(socket), None, Some(server)) => {
                trusting(socket, server.tls_certificate_pem())
            }
            (transport, ..) => Ok(transport.clone()),
        }
    }

    /// What is told of the transport.
    pub(crate) fn how(&self) -> String {
        let way = match &self.transport {
            Transport::Plain(_) if !self.obfuscated => "plain",
            Transport::WebSocket(socket) if socket.is_secure() => "in a WebSocket with TLS",
            Transport::WebSocket(_) => "in a WebSocket",
            _ => "obfuscated",
        };
        format!("{}, {way}", self.transport.framing())
    }
}

/// What was wrong with the options, without the usage that clap adds below it.
pub(crate) fn in_one_line(error: &str) -> String {
    let said = error
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("tip:"))
        .filter(|line| !line.is_empty());
    let said = said.collect::<Vec<_>>().join(" ");
    said.strip_prefix("error: ").unwrap_or(&said).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn a_wrong_option_is_told_in_one_line() {
        let error = |line: &str| {
            in_one_line(
                &Args::try_parse_from(line.split(' '))
                    .unwrap_err()
                    .to_string(),
            )
        };
        let missing = error("layer-connect --rsa-key a.pem");
        assert!(missing.contains("--server <HOST:PORT>"), "{missing}");
        assert!(!missing.contains("Usage"), "{missing}");
        let wrong = error("layer-connect --transport carrier-pigeon");
        assert!(
            wrong.starts_with("invalid value 'carrier-pigeon'"),
            "{wrong}"
        );
        assert!(
            wrong.contains("abridged, intermediate, padded or full"),
            "{wrong}"
        );
        assert!(error("layer-connect --timeout 0").contains("not in 1..=86400"));
    }

    #[test]
    fn the_options_are_consistent() {
        Args::command().debug_assert();
    }
}
