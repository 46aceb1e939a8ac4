//! `--control`: commands on standard input, answered by lines of JSON on standard output.

use std::io::{BufRead, Write};

use layer_test_server::faults::{Fault, FaultId};
use layer_test_server::{CdnFiles, Server};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// Lines that are read ahead of their answers.
const READ_AHEAD: usize = 16;

/// Answers commands until `stop` ends.
pub(crate) async fn serve(server: &Server, stop: impl Future<Output = ()>) {
    let (sender, mut lines) = mpsc::channel(READ_AHEAD);
    // A thread of its own: one that waits for input keeps no runtime from ending.
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return,
            line = lines.recv() => match line {
                Some(line) => {
                    let answer = format!("{}\n", answer(server, line.trim()));
                    let mut output = std::io::stdout();
                    // Whoever asked may not want to know any more.
                    let _ = output.write_all(answer.as_bytes()).and_then(|()| output.flush());
                }
                None => return stop.await,
            },
        }
    }
}

/// The answer to one command.
fn answer(server: &Server, line: &str) -> Value {
    let faults = server.faults();
    match line.split_once(' ').unwrap_or((line, "")) {
        ("list", "") => {
            let faults: Vec<_> = faults
                .list()
                .into_iter()
                .map(|status| {
                    json!({
                        "fault": status.id.number(),
                        "rule": status.fault.to_string(),
                        "fired": status.fired,
                    })
                })
                .collect();
            json!({ "faults": faults })
        }
        ("clear", "") => {
            faults.clear();
            json!({ "removed": true })
        }
        ("cdn", files) => {
            let files = match files.trim() {
                "nothing" => Some(CdnFiles::Nothing),
                least => least.parse().ok().map(CdnFiles::AtLeast),
            };
            match files {
                Some(files) => {
                    server.cdn().serve(files);
                    json!({ "cdn": server.cdn().dc_id() })
                }
                None => json!({ "error": "cdn: expected a number of bytes, or nothing" }),
            }
        }
        ("remove", number) => match number.trim().parse() {
            Ok(number) => json!({ "removed": faults.remove(FaultId::from_number(number)) }),
            Err(_) => {
                json!({ "error": format!("remove: expected a fault's number, got {number:?}") })
            }
        },
        _ => match line.parse::<Fault>().and_then(|fault| {
            let rule = fault.to_string();
            faults.add(fault).map(|id| (id, rule))
        }) {
            Ok((id, rule)) => json!({ "fault": id.number(), "rule": rule }),
            Err(error) => json!({ "error": error.to_string() }),
        },
    }
}
