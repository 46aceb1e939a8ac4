//! An interactive terminal client that shows what layer can do.

mod cli;
mod command;
mod console;
mod demo;
mod raw;
mod shell;
mod sign_in;
mod transfer;
mod view;

use std::process::ExitCode;

use clap::Parser;
use layer_client::{Client, Config, DcAddress, RsaPublicKey};

use crate::cli::Args;
use crate::console::Console;
use crate::demo::Demo;
use crate::shell::Shell;

/// What went wrong, as a sentence for the person at the terminal.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let level = if args.verbose { "debug" } else { "error" };
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(level)).init();
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), Failure> {
    let mut console = Console::open();
    let demo = match (&args.server, args.api_id, &args.api_hash) {
        (Some(_), ..) | (None, Some(_), Some(_)) => None,
        (None, None, None) => Some(Demo::start().await?),
        (None, Some(_), None) => return Err("TG_API_ID is set, but TG_API_HASH is not".into()),
        (None, None, Some(_)) => return Err("TG_API_HASH is set, but TG_API_ID is not".into()),
    };
    let config = config(&args, demo.as_ref()).await?;
    let client = Client::connect(config).await?;
    sign_in::run(&client, &mut console, &args, demo.as_ref()).await?;

    let outcome = Shell::new(&client, console).run().await;
    client.disconnect().await?;
    if let Some(demo) = demo {
        demo.stop().await;
    }
    outcome
}

/// What the options, or the demo, say of the server and the session.
async fn config(args: &Args, demo: Option<&Demo>) -> Result<Config, Failure> {
    let mut config = Config {
        session_path: args.session.clone().unwrap_or_default(),
        // Servers that are not Telegram take any; Telegram's own are never asked without real ones.
        api_id: args.api_id.unwrap_or(1),
        api_hash: args.api_hash.clone().unwrap_or_else(|| "demo".into()),
        transport: args.transport,
        obfuscated: args.obfuscated,
        dc_id: args.dc,
        device_model: "layer-app".into(),
        ..Default::default()
    };
    if let Some(demo) = demo {
        demo.configure(&mut config)?;
    } else if let Some(server) = &args.server {
        let address = cli::resolve(server).await?;
        config.dc_addresses = vec![DcAddress::new(args.dc, address)];
    }
    if let Some(file) = &args.rsa_key {
        let shown = file.display();
        let pem = std::fs::read_to_string(file)
            .map_err(|error| format!("cannot read the RSA key {shown}: {error}"))?;
        let key = RsaPublicKey::from_pem(&pem)
            .map_err(|error| format!("{shown} holds no RSA key: {error}"))?;
        config.rsa_keys = vec![key];
    }
    if config.session_path.as_os_str().is_empty() && demo.is_none() && args.server.is_none() {
        config.session_path = "layer-app.session".into();
    }
    Ok(config)
}
