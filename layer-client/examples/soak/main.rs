//! Updates by the thousand a second through the whole client, for as long as you like, against the embedded data centre in a
//! process of its own: none may be lost, none may come twice, and memory must stay flat.
//!
//! ```text
//! cargo run --release -p layer-client --example soak -- --minutes 30 --rate 2000 --plot soak.svg
//! ```
//!
//! `--help` says what else it measures.

mod client;
mod measure;
mod plot;
mod serve;

use std::alloc::System;
use std::process::ExitCode;
use std::time::Duration;

use cap::Cap;

/// Counts what the client holds. The data centre, being a process of its own, is not in it.
#[global_allocator]
static HELD: Cap<System> = Cap::new(System, usize::MAX);

const HELP: &str = "\
soak [COMMAND] [OPTIONS]: updates through the whole client

  soak run      --minutes 30 --rate 2000 --chats 48 --cut-every 20 --lost 0.02 --most-growth 4 --plot FILE
                a client takes so many updates a second while connections are cut every so many seconds and so many
                percent of the pushes are lost; not successful when one is lost or comes twice, or when memory grew by
                more MiB; this is what is done without a command
  soak rate     --seconds 20 --chats 48
                how many updates a second one core takes: the client runs in one thread, the data centre sends as fast
                as it is taken. With `taskset -c 0` before it, the data centre takes another core
  soak cuts     --cuts 50 --rate 2000 --chats 48
                how long it takes from a cut connection to the first update, and until nothing is missing
  soak channels --chats 2000
                what a channel costs the client in memory
";

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What is wanted.
#[derive(Clone, Debug)]
struct Options {
    minutes: f64,
    seconds: f64,
    rate: u64,
    chats: usize,
    cut_every: u64,
    lost: f64,
    most_growth: f64,
    cuts: usize,
    plot: Option<String>,
    /// Whether all chats are channels.
    only_channels: bool,
    /// Updates under way at most; no bound when 0.
    window: u64,
}

impl Options {
    fn read(command: &str, mut words: impl Iterator<Item = String>) -> Outcome<Self> {
        let mut options = Self {
            minutes: 30.0,
            seconds: 20.0,
            rate: 2000,
            chats: if command == "channels" { 2000 } else { 48 },
            cut_every: 20,
            lost: 0.02,
            most_growth: 4.0,
            cuts: 50,
            plot: None,
            only_channels: false,
            window: 0,
        };
        while let Some(name) = words.next() {
            let value = words
                .next()
                .ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--minutes" => options.minutes = value.parse()?,
                "--seconds" => options.seconds = value.parse()?,
                "--rate" => options.rate = value.parse()?,
                "--chats" => options.chats = value.parse()?,
                "--cut-every" => options.cut_every = value.parse()?,
                "--lost" => options.lost = value.parse()?,
                "--most-growth" => options.most_growth = value.parse()?,
                "--cuts" => options.cuts = value.parse()?,
                "--plot" => options.plot = Some(value),
                "--only-channels" => options.only_channels = value.parse()?,
                "--window" => options.window = value.parse()?,
                _ => return Err(format!("there is no option {name}; --help names all").into()),
            }
        }
        options.chats = options.chats.max(1);
        Ok(options)
    }

    /// The same for the data centre's process.
    fn words(&self) -> Vec<String> {
        let of = |name: &str, value: String| [format!("--{name}"), value];
        [
            of("rate", self.rate.to_string()),
            of("chats", self.chats.to_string()),
            of("cut-every", self.cut_every.to_string()),
            of("lost", self.lost.to_string()),
            of("only-channels", self.only_channels.to_string()),
            of("window", self.window.to_string()),
        ]
        .concat()
    }
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).peekable();
    let command = match words.peek() {
        Some(word) if !word.starts_with("--") => words.next().unwrap_or_default(),
        _ => "run".to_owned(),
    };
    let asks = ["-h", "--help", "help"];
    if std::env::args().any(|word| asks.contains(&word.as_str())) {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let done = Options::read(&command, words).and_then(|options| run(&command, options));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &str, options: Options) -> Outcome<bool> {
    let mut runtime = match command {
        "rate" => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime.enable_all().build()?;
    let done = runtime.block_on(async {
        match command {
            "serve" => serve::serve(&options).await.map(|()| true),
            "run" => client::soak(&options).await,
            "rate" => client::rate(&options).await,
            "cuts" => client::cuts(&options).await,
            "channels" => client::channels(&options).await,
            _ => Err(format!("there is no command {command}; --help names all").into()),
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}
