//! Which data centre is talked to, and by which keys it is trusted.

use std::io;
use std::net::SocketAddr;

use layer_crypto::rsa::{PublicKey, telegram_keys};
use layer_test_server::{Server, ServerConfig};

use crate::cli::Args;
use crate::exchange::Failure;

const PORT: u16 = 443;
/// Telegram's own, by number (the page `api/datacenter`, and the answer of help.getConfig).
const PRODUCTION: [&str; 5] = [
    "149.154.175.53",
    "149.154.167.51",
    "149.154.175.100",
    "149.154.167.91",
    "91.108.56.130",
];
const TEST: [&str; 3] = ["149.154.175.10", "149.154.167.40", "149.154.175.117"];

pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    pub(crate) keys: Vec<PublicKey>,
    /// The number as the handshake has it: test data centres count from 10,000.
    pub(crate) dc_id: i32,
    /// Whether it is one of Telegram's own.
    pub(crate) is_telegram: bool,
    /// Runs as long as this lives.
    pub(crate) embedded: Option<Server>,
}

/// The key of `--rsa-key`.
async fn trusted_key(args: &Args) -> Result<PublicKey, Failure> {
    let Some(file) = args.rsa_key.clone() else {
        return Err(Failure::Options(
            "--server needs --rsa-key FILE, the public key by which that server is known".into(),
        ));
    };
    let shown = file.display().to_string();
    // What is named may be a pipe that nobody writes to, and must not hold up the clock.
    let pem = tokio::task::spawn_blocking(move || std::fs::read_to_string(file))
        .await
        .map_err(io::Error::other)
        .flatten()
        .map_err(|error| Failure::Options(format!("cannot read the RSA key {shown}: {error}")))?;
    PublicKey::from_pem(&pem)
        .map_err(|error| Failure::Options(format!("{shown} holds no RSA key in PEM: {error}")))
}

impl Target {
    pub(crate) async fn of(args: &Args) -> Result<Self, Failure> {
        if let Some(server) = &args.server {
            return Self::given(args, server).await;
        }
        if args.production {
            return Self::telegram(args.dc, &PRODUCTION, "Telegram", 0);
        }
        if args.test {
            return Self::telegram(args.dc, &TEST, "Telegram's test servers", 10_000);
        }
        Self::embedded(args.dc).await
    }

    async fn given(args: &Args, server: &str) -> Result<Self, Failure> {
        let key = trusted_key(args).await?;
        let address = tokio::net::lookup_host(server)
            .await
            .map_err(|error| {
                Failure::Options(format!(
                    "'{server}' is no address, such as 127.0.0.1:4430: {error}"
                ))
            })?
            .next()
            .ok_or_else(|| Failure::Options(format!("'{server}' has no address")))?;
        Ok(Self {
            name: server.into(),
            address,
            keys: vec![key],
            dc_id: args.dc,
            is_telegram: false,
            embedded: None,
        })
    }

    fn telegram(dc: i32, hosts: &[&str], name: &str, offset: i32) -> Result<Self, Failure> {
        let host = usize::try_from(dc)
            .ok()
            .and_then(|dc| hosts.get(dc.checked_sub(1)?))
            .ok_or_else(|| {
                Failure::Options(format!("{name} has DCs 1 to {}, not {dc}", hosts.len()))
            })?;
        let address = format!("{host}:{PORT}");
        Ok(Self {
            name: format!("{name}, DC {dc}, {address}"),
            address: address
                .parse()
                .map_err(|_| Failure::Options(format!("bad address {address}")))?,
            keys: telegram_keys(),
            dc_id: dc + offset,
            is_telegram: true,
            embedded: None,
        })
    }

    async fn embedded(dc: i32) -> Result<Self, Failure> {
        let server = Server::start(ServerConfig::default())
            .await
            .map_err(|error| Failure::Options(format!("the embedded data centre: {error}")))?;
        let addresses = server.addresses();
        let Some((_, address)) = addresses.iter().find(|(id, _)| *id == dc) else {
            let known: Vec<String> = addresses.iter().map(|(id, _)| id.to_string()).collect();
            let known = known.join(", ");
            return Err(Failure::Options(format!(
                "the embedded data centre has DCs {known}, not {dc}"
            )));
        };
        let key = PublicKey::from_pem(server.public_key_pem())
            .map_err(|error| Failure::Options(error.to_string()))?;
        Ok(Self {
            name: format!("an embedded data centre on this machine, DC {dc}, {address}"),
            address: *address,
            keys: vec![key],
            dc_id: dc,
            is_telegram: false,
            embedded: Some(server),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    async fn target(line: &str) -> Result<Target, String> {
        let args = Args::parse_from(line.split(' '));
        Target::of(&args).await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn telegrams_own_data_centres_are_chosen_by_number() {
        let production = target("layer-connect --production --dc 4").await.unwrap();
        assert_eq!(production.address.to_string(), "149.154.167.91:443");
        assert_eq!(production.dc_id, 4);
        assert!(production.embedded.is_none() && production.keys.len() > 1);
        assert!(production.name.contains("DC 4"), "{}", production.name);

        let test = target("layer-connect --test").await.unwrap();
        assert_eq!(test.address.to_string(), "149.154.167.40:443");
        assert_eq!(test.dc_id, 10_002);
    }

    #[tokio::test]
    async fn numbers_that_telegram_does_not_have_are_refused() {
        for (line, word) in [
            ("layer-connect --production --dc 6", "1 to 5, not 6"),
            ("layer-connect --production --dc 0", "1 to 5, not 0"),
            ("layer-connect --test --dc 4", "1 to 3, not 4"),
            ("layer-connect --test --dc=-1", "1 to 3, not -1"),
        ] {
            let error = target(line).await.err().unwrap();
            assert!(error.contains(word), "{line}: {error}");
        }
    }

    #[tokio::test]
    async fn the_embedded_one_is_the_default() {
        let embedded = target("layer-connect --dc 1").await.unwrap();
        assert!(embedded.address.ip().is_loopback() && embedded.embedded.is_some());
    }
}
