//! A key exchange with a Telegram data centre, every step of it shown.
//!
//! For learners, and for anyone who wonders why a connection fails: it says at which step, and why.
//! The protocol is layer-mtproto's; here are a socket, a clock, and the telling.

#![warn(clippy::print_stdout, clippy::print_stderr)] // they panic when their reader has gone away

mod cli;
mod exchange;
mod keep;
mod link;
mod narrate;
mod target;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::Args;
use crate::exchange::Progress;

fn main() -> ExitCode {
    let progress = Progress::default();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(asked) if !asked.use_stderr() => asked.exit(),
        Err(error) => {
            let error = cli::in_one_line(&error.to_string());
            return failed(&progress, &format!("{error} (--help lists the options)"), 2);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failed(&progress, &error.to_string(), 1),
    };
    let outcome = runtime.block_on(async {
        let run = exchange::run(&args, &progress);
        match tokio::time::timeout(args.timeout(), run).await {
            Ok(outcome) => outcome.map_err(|error| error.to_string()),
            Err(_) => Err(format!(
                "nothing came of it within {} s (--timeout)",
                args.timeout
            )),
        }
    });
    // Waits for nobody: a name that is still being looked up cannot be called back.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&progress, &error, 1),
    }
}

/// The one line that says at which step it failed, and why.
fn failed(progress: &Progress, error: &str, status: u8) -> ExitCode {
    let error = narrate::harmless(&error.replace('\n', " "));
    let step = progress.step();
    let _ = writeln!(
        std::io::stderr(),
        "layer-connect: failed while {step}: {error}"
    );
    ExitCode::from(status)
}
