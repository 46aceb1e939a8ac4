//! A bot that handles several updates at once, those of one chat one after the other.
//!
//! Each worker has the chats that fall to it. An update is handled when its worker says so: the
//! program may be killed at any moment, and begins again with what no worker had finished.

use layer_client::update::{Receipt, StreamOptions, Update, UpdateKind};
use layer_client::{Client, Config};
use tokio::sync::mpsc;

const WORKERS: usize = 8;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::connect(Config {
        session_path: "workers.session".into(),
        api_id: 12345, // both from my.telegram.org
        api_hash: "abc123".into(),
        ..Default::default()
    })
    .await?;
    client.bot_sign_in("1234567890:ABCdef").await?;

    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let (work, todo) = mpsc::channel(16);
            (work, tokio::spawn(worker(client.clone(), todo)))
        })
        .collect();
    let options = StreamOptions::new()
        .kinds([UpdateKind::NewMessage])
        .incoming();
    let mut updates = client.stream_updates_with(options);
    while let Some((update, receipt)) = updates.next_with_receipt().await {
        let chat = update.peer().map_or(0, |peer| peer.id().unsigned_abs());
        let turn = usize::try_from(chat % WORKERS as u64)?;
        // Waits while that worker has enough to do; what comes meanwhile waits at the server.
        workers[turn].0.send((update, receipt)).await?;
    }
    // The stream stays until the workers are done, for their receipts to count.
    for (work, worker) in workers {
        drop(work);
        worker.await?;
    }
    if let Some(reason) = updates.reason() {
        eprintln!("{reason}");
    }
    client.disconnect().await?;
    Ok(())
}

async fn worker(client: Client, mut todo: mpsc::Receiver<(Update, Receipt)>) {
    while let Some((update, receipt)) = todo.recv().await {
        if let Some(message) = update.message()
            && let Some(text) = message.text()
        {
            let answer = message.respond(&client, format!("You said: {text}"));
            match answer.await {
                Ok(_) => {}
                // It comes again, though not for ever.
                Err(error) if receipt.attempt() < 3 => {
                    eprintln!("{error}");
                    continue;
                }
                Err(error) => eprintln!("given up: {error}"),
            }
        }
        receipt.ack();
    }
}
