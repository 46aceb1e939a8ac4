//! A key exchange with a Telegram data centre, every step of it shown.
//!
//! For learners, and for anyone who wonders why a connection fails: it says at which step, and why.
//! The protocol is layer-mtproto's; here are a socket, a clock, and the telling.

mod cli;
mod exchange;
mod keep;
mod link;
mod narrate;
mod target;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Args;
use crate::exchange::Progress;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let progress = Progress::default();
    let run = exchange::run(&args, &progress);
    let failure = match tokio::time::timeout(args.timeout(), run).await {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("nothing came of it within {} s (--timeout)", args.timeout),
    };
    eprintln!("layer-connect: failed while {}: {failure}", progress.step());
    ExitCode::FAILURE
}
