//! The way from nothing to a configuration: connect, make a key, ask.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use layer_mtproto::handshake::{self, ClientConfig, Event, HandshakeError, Outcome, Purpose};
use layer_mtproto::session::{ClientEvent, ClientSession, SessionParams, SubmitOptions};
use layer_tl_types::{self as tl, Deserializable, Serializable};

use crate::cli::Args;
use crate::keep::Keeper;
use crate::link::{Link, SystemRandom};
use crate::narrate;
use crate::target::Target;

/// Where the run stands, for the one line that tells of a failure.
pub(crate) struct Progress(Cell<&'static str>);

impl Default for Progress {
    fn default() -> Self {
        Self(Cell::new("reading the options"))
    }
}

impl Progress {
    pub(crate) fn step(&self) -> &'static str {
        self.0.get()
    }

    fn at(&self, step: &'static str) {
        self.0.set(step);
    }
}

/// Why it ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    Options(String),
    Io(io::Error),
    Closed,
    Refused(i32),
    Transport(String),
    Handshake(HandshakeError),
    Session(String),
    Rpc { code: i32, message: String },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Options(text) | Self::Session(text) | Self::Transport(text) => f.write_str(text),
            Self::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => f.write_str(
                "nobody listens there (connection refused); is the server running, and the port right?",
            ),
            Self::Io(error) if !is_hang_up(error) => {
                write!(f, "{error}; check the address and the network")
            }
            Self::Io(_) | Self::Closed => f.write_str(
                "the server closed the connection; does it speak MTProto on this port, and this transport?",
            ),
            Self::Refused(-404) => f.write_str(
                "the server answered -404: it knows no such data centre or auth key (try another --dc)",
            ),
            Self::Refused(-429) => {
                f.write_str("the server answered -429: too many connections; wait a minute")
            }
            Self::Refused(-444) => f.write_str("the server answered -444: it has no such data centre"),
            Self::Refused(code) => write!(f, "the server answered with transport error {code}"),
            Self::Handshake(error) => write!(f, "{}", error.kind),
            Self::Rpc { message, .. } if message.contains("API_ID") => {
                write!(f, "the server answered {message}: set TG_API_ID (my.telegram.org gives one)")
            }
            Self::Rpc { code, message } => write!(f, "the server answered {code} {message}"),
        }
    }
}

/// However it is cut, a cut connection is one.
fn is_hang_up(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof
    )
}

impl From<HandshakeError> for Failure {
    fn from(error: HandshakeError) -> Self {
        Self::Handshake(error)
    }
}

pub(crate) fn wall_clock() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// The whole run. `progress` says where it stands when it is given up from outside.
pub(crate) async fn run(args: &Args, progress: &Progress) -> Result<(), Failure> {
    let keeper = args.session.as_deref().map(Keeper::open).transpose()?;
    let proxy = args.proxy().map_err(Failure::Options)?;
    let target = Target::of(args).await?;
    narrate::tell(&format!("Data centre: {}\n", target.name));
    narrate::tell(&format!("Transport:   {}\n", args.how()));
    if let Some(proxy) = &proxy {
        narrate::tell(&format!("Through:     {proxy}\n"));
    }

    progress.at("connecting");
    let mut link = Link::open(args, &target, proxy).await?;

    let outcome = make_key(&target, &mut link, args, progress).await?;
    progress.at("asking for the configuration (help.getConfig)");
    let config = ask_for_config(&outcome, &mut link, args.api_id).await?;
    narrate::tell(&narrate::config(&config));
    if let (Some(keeper), Some(file)) = (&keeper, &args.session) {
        progress.at("saving the session");
        keeper.save(args.dc, target.address, &outcome)?;
        narrate::tell(&format!("\nThe auth key is kept in {}.\n", file.display()));
    }
    if let Some(server) = target.embedded {
        server.shutdown().await;
    }
    Ok(())
}

/// One request over the new key: encrypted from here on.
async fn ask_for_config(
    outcome: &Outcome,
    link: &mut Link,
    api_id: i32,
) -> Result<tl::types::Config, Failure> {
    let request = tl::functions::InvokeWithLayer {
        layer: tl::LAYER,
        query: tl::functions::InitConnection {
            api_id,
            device_model: "layer-connect".into(),
            system_version: std::env::consts::OS.into(),
            app_version: env!("CARGO_PKG_VERSION").into(),
            system_lang_code: "en".into(),
            lang_pack: String::new(),
            lang_code: "en".into(),
            proxy: None,
            params: None,
            query: tl::functions::help::GetConfig {},
        },
    };
    let params = SessionParams::after_handshake(outcome);
    let now = Instant::now();
    let mut session = ClientSession::new(params, Box::new(SystemRandom), now, wall_clock());
    let id = session.submit(request.to_bytes(), SubmitOptions::default(), now);
    loop {
        let mut packet = Vec::new();
        while session.poll_transmit(Instant::now(), &mut packet) {
            link.send(&packet).await?;
            packet.clear();
        }
        let mut packet = match session.poll_timeout() {
            None => link.receive().await?,
            Some(deadline) => {
                match tokio::time::timeout_at(deadline.into(), link.receive()).await {
                    Ok(packet) => packet?,
                    Err(_) => {
                        session.handle_timeout(Instant::now());
                        continue;
                    }
                }
            }
        };
        session
            .handle_packet(&mut packet, Instant::now())
            .map_err(|violation| Failure::Session(violation.to_string()))?;
        while let Some(event) = session.poll_event() {
            match event {
                ClientEvent::Response { id: answered, body } if answered == id => {
                    let tl::enums::Config::Config(config) = tl::enums::Config::from_bytes(&body)
                        .map_err(|error| Failure::Session(error.to_string()))?;
                    return Ok(*config);
                }
                ClientEvent::RpcError {
                    id: answered,
                    code,
                    message,
                } if answered == id => {
                    return Err(Failure::Rpc { code, message });
                }
                ClientEvent::Failed {
                    id: answered,
                    reason,
                } if answered == id => {
                    return Err(Failure::Session(reason.to_string()));
                }
                _ => {}
            }
        }
    }
}

async fn make_key(
    target: &Target,
    link: &mut Link,
    args: &Args,
    progress: &Progress,
) -> Result<Outcome, Failure> {
    let mut config = ClientConfig::new(target.keys.clone(), target.dc_id, Purpose::Permanent);
    config.timeout = args.timeout();
    let rng = Box::new(SystemRandom);
    let mut client = handshake::Client::new(config, rng, Instant::now(), wall_clock());
    loop {
        while let Some(event) = client.poll_event() {
            match event {
                Event::Step(step) => narrate::tell(&narrate::step(&step)),
                Event::Done(outcome) => return Ok(*outcome),
                _ => {}
            }
        }
        progress.at(match client.stage() {
            handshake::Stage::Pq => "asking for pq (step 1)",
            handshake::Stage::DhParams => "asking for the Diffie-Hellman parameters (step 4)",
            handshake::Stage::DhGen => "making the key (step 6)",
            _ => "ending the key exchange",
        });
        let mut packet = Vec::new();
        if client.poll_transmit(Instant::now(), &mut packet) {
            link.send(&packet).await?;
            continue;
        }
        let packet = link.receive().await?;
        client.handle_packet(&packet, Instant::now())?;
    }
}
