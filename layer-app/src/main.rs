//! An interactive terminal client that shows what layer can do.
//!
//! A line goes from the [`console`] to the [`command`] parser, and from there to the [`shell`],
//! which asks layer-client and shows what comes of it with [`view`]. The [`demo`] is the data
//! centre that runs in this process when there is no other to talk to.

#![warn(clippy::print_stdout, clippy::print_stderr)] // they panic when their reader has gone away

mod cli;
mod command;
mod complete;
mod console;
mod demo;
mod output;
mod raw;
mod shell;
mod sign_in;
mod transfer;
mod view;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use layer_client::{Client, Config, DcAddress};

use crate::cli::Args;
use crate::console::Console;
use crate::demo::Demo;
use crate::output::{ReaderGone, complain};
use crate::shell::{Left, Shell};

/// What went wrong, as a sentence for the person at the terminal.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Of a program whose output nobody reads any more; shells know it from others (128 + SIGPIPE).
const READER_GONE: u8 = 141;
/// How long to wait for a server when leaving.
const FAREWELL: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let args = Args::parse();
    let level = if args.verbose { "debug" } else { "error" };
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(level)).init();
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::from)
        .and_then(|runtime| {
            let outcome = runtime.block_on(run(args));
            // Waits for nobody: a name that is still being looked up cannot be called back.
            runtime.shutdown_background();
            outcome
        });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<ReaderGone>() => ExitCode::from(READER_GONE),
        Err(error) => {
            complain(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), Failure> {
    let demo = match (&args.server, args.api_id, &args.api_hash) {
        (Some(_), ..) | (None, Some(_), Some(_)) => None,
        (None, None, None) => Some(Demo::start(&args).await?),
        (None, Some(_), None) => {
            return Err(
                "TG_API_ID is set, but TG_API_HASH is not; https://my.telegram.org gives both"
                    .into(),
            );
        }
        (None, None, Some(_)) => {
            return Err(
                "TG_API_HASH is set, but TG_API_ID is not; https://my.telegram.org gives both"
                    .into(),
            );
        }
    };
    let config = config(&args, demo.as_ref()).await?;
    let client = unless_interrupted(async { Ok(Client::connect(config).await?) }).await?;
    let outcome = converse(&client, &args, demo.as_ref()).await;
    // A server that does not answer must not keep anybody here; the session is saved meanwhile.
    let left = tokio::time::timeout(FAREWELL, client.disconnect()).await;
    if let Some(demo) = demo {
        demo.stop().await;
    }
    outcome?;
    if let Ok(left) = left {
        left?;
    }
    Ok(())
}

/// Signs in and does what is typed, until that is over.
async fn converse(client: &Client, args: &Args, demo: Option<&Demo>) -> Result<(), Failure> {
    let mut console = Console::open();
    let mut again = false;
    loop {
        let user =
            unless_interrupted(sign_in::run(client, &mut console, args, demo, again)).await?;
        let script = console.is_script();
        let shell = Shell::new(client, user.id(), &mut console).run();
        let left = if script {
            unless_interrupted(shell).await?
        } else {
            shell.await?
        };
        // The demo's accounts live as long as it does, so that one can come back to them.
        if left == Left::Quit || demo.is_none() || !console.goes_on().await? {
            return Ok(());
        }
        again = true;
    }
}

/// Does the work, unless Ctrl-C ends it.
pub(crate) async fn unless_interrupted<T>(
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        outcome = work => outcome,
        signal = tokio::signal::ctrl_c() => {
            signal?;
            Err("interrupted".into())
        }
    }
}

/// What the options, or the demo, say of the server and the session.
async fn config(args: &Args, demo: Option<&Demo>) -> Result<Config, Failure> {
    let mut config = Config {
        session_path: args.session.clone().unwrap_or_default(),
        // Servers that are not Telegram take any; Telegram's own are never asked without real ones.
        api_id: args.api_id.unwrap_or(1),
        api_hash: args.api_hash.clone().unwrap_or_else(|| "demo".into()),
        transport: args.transport()?,
        proxy: args.proxy()?,
        dc_id: args.dc,
        device_model: "layer-app".into(),
        ..Default::default()
    };
    if let Some(demo) = demo {
        demo.configure(&mut config)?;
    } else if let Some(server) = &args.server {
        config.rsa_keys = vec![cli::trusted_key(args)?];
        let address = cli::resolve(server).await?;
        config.dc_addresses = vec![DcAddress::new(args.dc, address)];
    } else if args.session.is_none() {
        config.session_path = cli::DEFAULT_SESSION.into();
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn configured(line: &str) -> Result<Config, String> {
        let args = Args::parse_from(line.split(' '));
        config(&args, None).await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn with_credentials_it_is_telegram_with_its_own_keys_and_a_session_file() {
        let config = configured("layer-app --api-id 7 --api-hash abc")
            .await
            .unwrap();
        assert_eq!((config.api_id, config.api_hash.as_str()), (7, "abc"));
        assert!(config.dc_addresses.is_empty() && config.rsa_keys.is_empty());
        assert_eq!(config.session_path.to_str(), Some(cli::DEFAULT_SESSION));
        let named = configured("layer-app --api-id 7 --api-hash abc --session a.session");
        assert_eq!(
            named.await.unwrap().session_path.to_str(),
            Some("a.session")
        );
    }

    #[tokio::test]
    async fn another_server_is_trusted_by_its_own_key_and_kept_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key.pem");
        let line = format!(
            "layer-app --server 127.0.0.1:4 --dc 3 --rsa-key {}",
            key.display()
        );
        let error = configured(&line).await.unwrap_err();
        assert!(error.contains("cannot read the RSA key"), "{error}");
        std::fs::write(&key, "-----BEGIN RSA PUBLIC KEY-----").unwrap();
        let error = configured(&line).await.unwrap_err();
        assert!(error.contains("holds no RSA key"), "{error}");
        let server = layer_test_server::Server::builder().start().await.unwrap();
        std::fs::write(&key, server.public_key_pem()).unwrap();
        let config = configured(&line).await.unwrap();
        assert_eq!(config.rsa_keys.len(), 1);
        assert_eq!((config.dc_id, config.dc_addresses[0].id), (3, 3));
        assert!(config.session_path.as_os_str().is_empty());
    }
}
