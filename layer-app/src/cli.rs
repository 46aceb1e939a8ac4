//! The options of the command line.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use layer_client::proxy::ProxyLinkError;
use layer_client::{Proxy, RsaPublicKey, Transport};

/// Where a session with Telegram is kept unless told.
pub(crate) const DEFAULT_SESSION: &str = "layer-app.session";

/// A Telegram client in a terminal.
///
/// With TG_API_ID and TG_API_HASH set (from my.telegram.org) it talks to Telegram. Without them it
/// starts an embedded data centre on this machine and signs in there, so that everything can be
/// tried with no account and no network.
///
/// At the prompt, 'help' lists the commands. Fed from a pipe, it takes the same lines as a script:
/// first those that signing in asks for (phone, code, password), then commands. It stops at the
/// first that fails, and exits with status 1.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:\n  \
    cargo run -p layer-app\n  \
    printf 'send @echo hello\\nwait 5 hello\\nhistory @echo\\n' | cargo run -p layer-app\n  \
    TG_API_ID=… TG_API_HASH=… cargo run -p layer-app -- --session my.session\n  \
    TG_API_ID=… TG_API_HASH=… cargo run -p layer-app -- --proxy 'tg://proxy?server=…&port=…&secret=…'\n  \
    cargo run -p layer-app -- --server 127.0.0.1:4430 --dc 1 --rsa-key server.pem"
)]
pub(crate) struct Args {
    /// The data centre to begin with, in place of Telegram or the embedded one
    #[arg(long, value_name = "HOST:PORT", requires = "rsa_key")]
    pub(crate) server: Option<String>,

    /// The number of the data centre that --server names
    #[arg(long, value_name = "N", default_value_t = 2)]
    #[arg(value_parser = clap::value_parser!(i32).range(1..))]
    pub(crate) dc: i32,

    /// The public RSA key of --server, a PEM file (layer-test-server prints its own)
    #[arg(long, value_name = "FILE", requires = "server")]
    pub(crate) rsa_key: Option<PathBuf>,

    /// How packets travel: a framing (abridged, intermediate, padded or full), after obfuscated- to
    /// look like random bytes, or after ws- or wss- in a WebSocket without or with TLS. Where a
    /// firewall lets nothing but the web through, try wss
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

    /// Where the session is kept, so that the next run need not sign in. Without it, Telegram's is
    /// kept in layer-app.session here, and any other server's in memory
    #[arg(long, value_name = "FILE")]
    pub(crate) session: Option<PathBuf>,

    /// Sign in with this phone number instead of asking for it
    #[arg(long, value_name = "NUMBER", env = "TG_PHONE")]
    pub(crate) phone: Option<String>,

    /// Sign in as a bot with this token from @BotFather
    #[arg(
        long,
        value_name = "TOKEN",
        env = "TG_BOT_TOKEN",
        hide_env_values = true
    )]
    pub(crate) bot_token: Option<String>,

    /// The application's id, from my.telegram.org
    #[arg(long, value_name = "ID", env = "TG_API_ID")]
    pub(crate) api_id: Option<i32>,

    /// The application's hash, from my.telegram.org
    #[arg(long, value_name = "HASH", env = "TG_API_HASH", hide_env_values = true)]
    pub(crate) api_hash: Option<String>,

    /// Log the protocol to standard error (RUST_LOG chooses the level in detail)
    #[arg(short, long)]
    pub(crate) verbose: bool,
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

    /// The transport that --transport, --obfuscated and --certificate ask for together.
    pub(crate) fn transport(&self) -> Result<Transport, String> {
        match (&self.transport, &self.certificate) {
            (Transport::Plain(kind), _) if self.obfuscated => Ok(Transport::Obfuscated(*kind)),
            (transport, Some(file)) => {
                let shown = file.display();
                let pem = std::fs::read_to_string(file)
                    .map_err(|error| format!("cannot read the certificate {shown}: {error}"))?;
                trusting(transport, &pem).map_err(|error| format!("{shown}: {error}"))
            }
            (transport, None) => Ok(transport.clone()),
        }
    }
}

/// A WebSocket's transport that trusts this certificate too; any other as it is.
pub(crate) fn trusting(transport: &Transport, pem: &str) -> Result<Transport, layer_client::Error> {
    match transport {
        Transport::WebSocket(socket) => Ok(socket.clone().with_root_certificates(pem)?.into()),
        transport => Ok(transport.clone()),
    }
}

/// Resolves `HOST:PORT`, saying what was wrong with it where it fails.
pub(crate) async fn resolve(server: &str) -> Result<SocketAddr, String> {
    tokio::net::lookup_host(server)
        .await
        .map_err(|error| format!("'{server}' is no address, such as 127.0.0.1:4430: {error}"))?
        .next()
        .ok_or_else(|| format!("'{server}' has no address"))
}

/// The key that `--rsa-key` names.
pub(crate) fn trusted_key(args: &Args) -> Result<RsaPublicKey, String> {
    let file = args.rsa_key.as_deref();
    let file = file.ok_or("--server needs --rsa-key FILE")?;
    let shown = file.display();
    let pem = std::fs::read_to_string(file)
        .map_err(|error| format!("cannot read the RSA key {shown}: {error}"))?;
    RsaPublicKey::from_pem(&pem)
        .map_err(|error| format!("{shown} holds no RSA key in PEM: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_options_are_consistent() {
        Args::command().debug_assert();
    }
}
