//! `layer-test-server`: the embedded data centre as a program.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use layer_test_server::{Server, ServerConfig};

/// A Telegram-compatible data centre on this machine, without an account or a network.
///
/// Programs reach it by the addresses and the public key that it prints as one line of JSON when it is ready. It keeps
/// everything in memory: accounts, chats, messages and files are gone when it ends.
///
/// Any phone number can sign up. The login code appears on standard error, or is always the same with --login-code.
/// @BotFather makes bots, @echo answers with what it is told.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:
  layer-test-server
      on free ports; see the line of JSON for where
  layer-test-server --listen 127.0.0.1:4430 --login-code 22222
      DC 1 on port 4430, DC 2 on the next free one; every login code is 22222
  layer-test-server --mtproxy-secret 0123456789abcdef0123456789abcdef
      also takes MTProxy clients with that secret, on every port and for every data centre

Standard output holds one line, for example:
  {\"dcs\":[{\"id\":1,\"address\":\"127.0.0.1:4430\"},…],\"fingerprint\":\"-123…\",\"public_key\":\"-----BEGIN RSA PUBLIC KEY-----…\"}

Ctrl-C or SIGTERM ends it in order."
)]
struct Options {
    /// Where DC 1 listens; the others follow on the next free ports. Port 0 takes any free ones.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// How many data centres there are.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=50))]
    dcs: u8,

    /// The data centre on which bots made by hand and preset accounts live.
    #[arg(long, value_name = "DC", default_value_t = 1)]
    home_dc: i32,

    /// A private RSA key of 2048 bits as PEM; a fixed test key, the same for everybody, if not given.
    #[arg(long, value_name = "FILE")]
    rsa_key: Option<PathBuf>,

    /// Makes every login code this one.
    #[arg(long, value_name = "CODE")]
    login_code: Option<String>,

    /// A secret for MTProxy clients: 32 hexadecimal digits, with or without "dd" before them. May be repeated.
    #[arg(long, value_name = "HEX", value_parser = parse_secret)]
    mtproxy_secret: Vec<[u8; 16]>,

    /// Says nothing on standard error but errors; login codes are not shown then.
    #[arg(long, short)]
    quiet: bool,

    /// Says more on standard error: -v names each call, -vv everything.
    #[arg(long, short, action = clap::ArgAction::Count)]
    verbose: u8,
}

fn parse_secret(text: &str) -> Result<[u8; 16], String> {
    let digits = match text.len() {
        34 if text.starts_with("dd") => &text[2..],
        _ => text,
    };
    let wrong = || format!("expected 32 hexadecimal digits, got {:?}", text);
    if digits.len() != 32 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let number = u128::from_str_radix(digits, 16).map_err(|_| wrong())?;
    Ok(number.to_be_bytes())
}

fn main() -> ExitCode {
    let options = Options::parse();
    let level = match (options.quiet, options.verbose) {
        (true, _) => "error",
        (false, 0) => "info",
        (false, 1) => "debug",
        (false, _) => "trace",
    };
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(level)).init();
    match serve(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Standard error may be closed; the exit status still tells.
            let _ = writeln!(std::io::stderr(), "layer-test-server: {message}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn serve(options: Options) -> Result<(), String> {
    let rsa_key = match &options.rsa_key {
        Some(file) => Some(
            std::fs::read_to_string(file)
                .map_err(|error| format!("cannot read {}: {error}", file.display()))?,
        ),
        None => None,
    };
    let config = ServerConfig {
        listen: options.listen,
        dc_count: options.dcs,
        home_dc: options.home_dc,
        rsa_key,
        login_code: options.login_code,
        mtproxy_secrets: options.mtproxy_secret,
        ..ServerConfig::default()
    };
    let stop = stop_signal().map_err(|error| format!("cannot wait for signals: {error}"))?;
    let server = Server::start(config)
        .await
        .map_err(|error| error.to_string())?;
    let mut output = std::io::stdout();
    // Whoever started us may not want to know.
    let _ = writeln!(output, "{}", description(&server)).and_then(|()| output.flush());
    stop.await;
    log::info!("shutting down");
    server.shutdown().await;
    Ok(())
}

/// The line that tells other programs where the data centres are.
fn description(server: &Server) -> serde_json::Value {
    let dcs: Vec<_> = server
        .addresses()
        .into_iter()
        .map(|(id, address)| {
            serde_json::json!({
                "id": id,
                "address": address.to_string(),
                "host": address.ip().to_string(),
                "port": address.port(),
            })
        })
        .collect();
    serde_json::json!({
        "dcs": dcs,
        // As text: it does not fit the numbers of some languages.
        "fingerprint": server.fingerprint().to_string(),
        "public_key": server.public_key_pem(),
    })
}

/// Ends with the first signal that asks for an orderly end.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Ends with the first signal that asks for an orderly end.
#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_with_and_without_their_mark() {
        let secret = parse_secret("000102030405060708090a0b0c0d0eff").unwrap();
        assert_eq!((secret[1], secret[15]), (1, 0xff));
        assert_eq!(
            parse_secret("dd000102030405060708090a0b0c0d0eff"),
            Ok(secret)
        );
        for wrong in [
            "",
            "00",
            "zz0102030405060708090a0b0c0d0eff",
            "+00102030405060708090a0b0c0d0eff",
        ] {
            assert!(parse_secret(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_options_make_sense() {
        use clap::CommandFactory;
        Options::command().debug_assert();
    }
}
