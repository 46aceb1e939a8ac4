//! `layer-test-server`: the embedded data centre as a program.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod commands;

use clap::Parser;
#[cfg(feature = "web")]
use layer_test_server::TlsIdentity;
use layer_test_server::{CdnFiles, Fault, ProxySecret, Server, ServerConfig};
use serde_json::json;

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
    after_help = "--help shows examples, and how faults are written.",
    after_long_help = "Examples:
  layer-test-server
      on free ports; see the line of JSON for where
  layer-test-server --listen 127.0.0.1:4430 --login-code 22222
      DC 1 on port 4430, DC 2 on the next free one; every login code is 22222
  layer-test-server --mtproxy-secret 0123456789abcdef0123456789abcdef
      also takes MTProxy clients with that secret, on every port and for every data centre
  layer-test-server --mtproxy-secret ee0123456789abcdef0123456789abcdef6578616d706c652e636f6d
      the same in what looks like TLS with example.com (FakeTLS)
  layer-test-server --listen 127.0.0.1:4430 --listen [::1]:4430 --listen-media 127.0.0.1:4440
      on IPv4 and IPv6, and with addresses for files that help.getConfig names with media_only
  layer-test-server --fault 'method=messages.sendMessage times=2: flood-wait 3'
      the first two messages are refused for three seconds

Each port takes all transports, told from the first bytes: abridged, intermediate, padded intermediate and full,
plain or obfuscated, over TCP, WebSocket (ws://ADDRESS:PORT/apiws, subprotocol binary), WebSocket over TLS (wss, with
the certificate below or your own: --tls-cert, --tls-key), and FakeTLS.

Standard output holds one line, for example:
  {\"dcs\":[{\"id\":1,\"address\":\"127.0.0.1:4430\"},…],\"fingerprint\":\"-123…\",
   \"public_key\":\"-----BEGIN RSA PUBLIC KEY-----…\",\"tls_certificate\":\"-----BEGIN CERTIFICATE-----…\"}

Ctrl-C or SIGTERM ends it in order.

Faults are written \"WHERE: ACTION\": a point and what narrows it down, a colon, and what happens then (several
actions are parted by commas). When several rules fit, the one given last decides.
  connect     a connection is accepted           exchange   a request of the key exchange comes
  in          an encrypted packet comes          call       a call comes; method=NAME alone means this
  out         an encrypted packet goes out       push       updates go to a session, before the session layer has them
  now         at once, and once
  narrowed by method=messages.* dc=2 connection=1 transport=abridged over=ws user=1000001 key=temporary packet=3
              container step=pq update=updateNewMessage part=3 offset=4MiB file=77
  counted by  times=2 after=5 nth=3 chance=10% for=30s

Actions, by the point where they mean something:
  not push    close, delay 200ms, silence, transport-error -404, skew-clock 3600
  connect     split, cut 100, noise 16
  in          drop, duplicate, reorder, bad-msg 16, bad-server-salt, resend-request, new-session, rotate-salts,
              forget-key permanent, forget-key temporary
  call        drop, duplicate, close-before-ack, close-after-ack, bad-msg 20, bad-server-salt, new-session,
              rotate-salts, forget-key permanent, error 400 PEER_ID_INVALID, flood-wait 5, flood-premium-wait 5,
              slowmode-wait 5, migrate user 2 (phone, user, network, file, stats), gzip, gzip-bomb 64MiB, garbage 64,
              state-request, detailed-info; for differences: too-long, slice 5, channel-timeout 5
              for files: bandwidth 256KiB, shared-bandwidth 1MiB, wrong-bytes, wrong-hashes, lose-part,
              expire-references, expire-tokens, cdn-forgets
  out         drop, duplicate, reorder, replay 3, split, cut 10, noise 16, garbage 64, wrong-session, wrong-msg-key,
              short-padding, long-padding
  exchange    drop, duplicate, split, cut 10, noise 16, garbage 64, malformed, wrong-nonce, wrong-server-nonce,
              wrong-inner-nonce, wrong-hash, dh-gen-retry, dh-gen-fail, foreign-prime, bad-prime, bad-generator,
              bad-public
  push        drop, duplicate, reorder, delay 200ms, malformed, garbage 64, too-long
  now         close, silence, transport-error -404, new-session, rotate-salts, forget-key permanent,
              forget-key temporary, skew-clock 3600, expire-references, expire-tokens, cdn-forgets

Examples of faults:
  connect nth=1: close                        the first connection is closed at once
  connect dc=2: silence                       DC 2 takes connections and says nothing
  out packet=3: cut 10                        each connection is cut 10 bytes into the third packet
  out chance=5%: drop                         one packet in twenty is lost
  in container nth=1: bad-msg 64              the first container is ignored, and said to be invalid
  push chance=5%: drop                        one update in twenty never comes, but for what a difference has
  method=updates.getDifference: slice 5       differences come in pieces of five changes
  exchange times=2: dh-gen-retry              two keys are refused before one is taken
  method=upload.* dc=2: migrate file 1        files are said to be on DC 1
  method=upload.saveBigFilePart part=3: error 500 RPC_CALL_FAIL
                                              the fourth part of a file is never taken
  method=upload.getFile offset=4MiB times=1: expire-references
                                              references expire when a file is half read
  method=upload.getCdnFile nth=3: wrong-bytes the third piece from the CDN is not what was stored
  now: rotate-salts                           with --control: every salt is thrown away

Commands of --control, one a line:
  RULE        gives a rule; answered by {\"fault\":3,\"rule\":\"…\"}
  list        {\"faults\":[{\"fault\":3,\"rule\":\"…\",\"fired\":2},…]}
  remove 3    takes a rule back; {\"removed\":true}
  clear       takes all rules back; {\"removed\":true}
  cdn 4096    the CDN serves files of so many bytes and more from now on; \"cdn nothing\" for none; {\"cdn\":203}
What is none of these is answered by {\"error\":\"…\"}. The end of standard input ends nothing."
)]
struct Options {
    /// Where DC 1 listens; the others follow on the next free ports. Port 0 takes any free ones. May be repeated, to
    /// listen on IPv6 as well, for example: --listen 127.0.0.1:0 --listen [::1]:0
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: Vec<SocketAddr>,

    /// Where the data centres listen besides for clients that fetch and store files, in the same way: help.getConfig
    /// names these addresses with media_only. May be repeated.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen_media: Vec<SocketAddr>,

    /// Makes one more data centre, a CDN's, which serves the files of at least so many bytes: 0 for all.
    #[arg(long, value_name = "BYTES")]
    cdn: Option<u64>,

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

    /// A secret for MTProxy clients, as links have it: 32 hexadecimal digits, with or without "dd" before them, or
    /// with "ee" before them and a domain in hexadecimal digits behind them, by which clients come in what looks like
    /// TLS; or base64 of the same. May be repeated.
    #[arg(long, value_name = "SECRET")]
    mtproxy_secret: Vec<ProxySecret>,

    /// The certificate of WebSockets over TLS as PEM; made at the start if not given, and in the line of JSON.
    #[cfg(feature = "web")]
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The certificate's private key as PEM.
    #[cfg(feature = "web")]
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Lets something go wrong, as "WHERE: ACTION"; see below. May be repeated, and the last that fits decides.
    #[arg(long, value_name = "RULE")]
    fault: Vec<Fault>,

    /// Decides which ones of many a fault with a chance hits, so that a run can be had again.
    #[arg(long, value_name = "NUMBER")]
    fault_seed: Option<u64>,

    /// Takes commands on standard input, one a line, and answers each with a line of JSON; see below.
    #[arg(long)]
    control: bool,

    /// Says nothing on standard error but errors; login codes are not shown then.
    #[arg(long, short)]
    quiet: bool,

    /// Says more on standard error: -v names each call, -vv everything.
    #[arg(long, short, action = clap::ArgAction::Count)]
    verbose: u8,
}

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))
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
    let rsa_key = options.rsa_key.as_deref().map(read).transpose()?;
    #[cfg(feature = "web")]
    let tls = match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => Some(TlsIdentity {
            certificate: read(certificate)?,
            private_key: read(key)?,
        }),
        _ => None,
    };
    let mut listen = options.listen.into_iter();
    let first = listen.next().ok_or("expected an address to listen on")?;
    let config = ServerConfig {
        listen: first,
        also_listen: listen.collect(),
        media_listen: options.listen_media,
        cdn: options.cdn.map(CdnFiles::AtLeast),
        dc_count: options.dcs,
        home_dc: options.home_dc,
        rsa_key,
        login_code: options.login_code,
        mtproxy_secrets: options.mtproxy_secret,
        #[cfg(feature = "web")]
        tls,
        faults: options.fault,
        fault_seed: options.fault_seed,
        ..ServerConfig::default()
    };
    let stop = stop_signal().map_err(|error| format!("cannot wait for signals: {error}"))?;
    let server = Server::start(config)
        .await
        .map_err(|error| error.to_string())?;
    let mut output = std::io::stdout();
    // Whoever started us may not want to know.
    let line = format!("{}\n", description(&server));
    // In one piece, for those who read only once.
    let _ = output
        .write_all(line.as_bytes())
        .and_then(|()| output.flush());
    if options.control {
        commands::serve(&server, stop).await;
    } else {
        stop.await;
    }
    log::info!("shutting down");
    server.shutdown().await;
    Ok(())
}

/// The line that tells other programs where the data centres are.
fn description(server: &Server) -> serde_json::Value {
    let cdn = server.cdn();
    let cdns = cdn
        .addresses()
        .into_iter()
        .zip(cdn.dc_id().into_iter().cycle());
    let listed = |addresses: Vec<(i32, SocketAddr)>, flag: Option<&'static str>| {
        addresses.into_iter().map(move |(id, address)| {
            let mut dc = json!({
                "id": id,
                "address": address.to_string(),
                "host": address.ip().to_string(),
                "port": address.port(),
            });
            if let Some(flag) = flag {
                dc[flag] = json!(true);
            }
            dc
        })
    };
    let cdns = cdns.map(|(address, id)| (id, address)).collect();
    let dcs: Vec<_> = listed(server.addresses(), None)
        .chain(listed(server.media_addresses(), Some("media_only")))
        .chain(listed(cdns, Some("cdn")))
        .collect();
    let mut description = json!({
        "dcs": dcs,
        // As text: it does not fit the numbers of some languages.
        "fingerprint": server.fingerprint().to_string(),
        "public_key": server.public_key_pem(),
    });
    if let Some(key) = cdn.public_key_pem() {
        description["cdn_public_key"] = json!(key);
    }
    #[cfg(feature = "web")]
    {
        description["tls_certificate"] = json!(server.tls_certificate_pem());
    }
    description
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
    fn the_options_make_sense() {
        use clap::CommandFactory;
        Options::command().debug_assert();
    }
}
