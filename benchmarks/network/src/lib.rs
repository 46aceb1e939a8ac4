//! What the Rust clients of the benchmark share: what `prepare` wrote for all of them, the command line, and how the driver
//! is told when the part that counts begins and ends.

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Where the data centre is, and who is signed in at it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct World {
    pub dc_id: i32,
    pub address: SocketAddr,
    /// The first does everything; each of the others is one that is idle.
    pub accounts: Vec<Account>,
    /// The file to download.
    pub document: Option<Document>,
}

/// An account that is signed in, as every client can take it over: with the auth key, nobody needs the server's RSA key, nor
/// a sign-in in the words of its own layer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    pub user_id: i64,
    pub phone: String,
    /// In hexadecimal digits, 256 bytes.
    pub auth_key: String,
    /// The session as layer-client has it.
    pub layer: String,
    /// A session string of Telethon.
    pub telethon: String,
}

/// What an `inputDocumentFileLocation` is made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Document {
    /// As text: it does not fit the numbers of JavaScript.
    pub id: String,
    pub access_hash: String,
    /// In hexadecimal digits.
    pub file_reference: String,
    pub size: u64,
}

impl Account {
    pub fn key(&self) -> Outcome<[u8; 256]> {
        let key = unhex(&self.auth_key)?.try_into();
        key.map_err(|_| "an auth key has 256 bytes".into())
    }
}

impl World {
    pub fn first(&self) -> Outcome<&Account> {
        Ok(self.accounts.first().ok_or("nobody is signed in")?)
    }

    /// Those that are idle.
    pub fn others(&self, count: usize) -> Outcome<&[Account]> {
        let others = self.accounts.get(1..=count);
        Ok(others.ok_or("prepare was asked for fewer accounts")?)
    }

    pub fn document(&self) -> Outcome<&Document> {
        let document = self.document.as_ref();
        Ok(document.ok_or("prepare was given no file to download")?)
    }
}

#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(text: &str) -> Outcome<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    let bytes = digits.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?));
    bytes.collect()
}

/// What a client is to do.
pub enum Task {
    /// So many times `help.getNearestDc`, so many of them at a time.
    Requests { count: usize, in_flight: usize },
    /// The document, to this file.
    Download(PathBuf),
    /// This file, without sending it to anybody.
    Upload(PathBuf),
    /// So many clients that are connected and do nothing.
    Idle(usize),
}

/// `CLIENT WORLD.json requests N IN_FLIGHT`, `… download FILE`, `… upload FILE`, `… idle N`.
pub fn arguments() -> Outcome<(World, Task)> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (world, task) = match words[..] {
        [world, "requests", count, in_flight] => {
            let (count, in_flight) = (count.parse()?, in_flight.parse()?);
            (world, Task::Requests { count, in_flight })
        }
        [world, "download", file] => (world, Task::Download(file.into())),
        [world, "upload", file] => (world, Task::Upload(file.into())),
        [world, "idle", count] => (world, Task::Idle(count.parse()?)),
        _ => return Err("WORLD.json and what to do".into()),
    };
    let world = serde_json::from_slice(&std::fs::read(world)?)?;
    Ok((world, task))
}

/// Tells the driver that a point is reached, and waits until it has looked at the clock and the counters.
pub async fn mark(point: &str) -> Outcome<()> {
    writeln!(std::io::stdout(), "{point}")?;
    let line = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    match line.await?? {
        0 => Err("the driver is gone".into()),
        _ => Ok(()),
    }
}

/// Makes `count` calls, `in_flight` of them at a time.
pub async fn calls<F>(count: usize, in_flight: usize, call: impl Fn() -> F) -> Outcome<()>
where
    F: Future<Output = Outcome<()>> + Send + 'static,
{
    let mut workers = JoinSet::new();
    for _ in 0..in_flight {
        workers.spawn(call());
    }
    let mut begun = in_flight;
    // One task for each call: what a program does that serves many people.
    while let Some(done) = workers.join_next().await {
        done??;
        if begun < count {
            workers.spawn(call());
            begun += 1;
        }
    }
    Ok(())
}

/// Runs a client on the runtime that `BENCHMARK_RUNTIME` names: `multi`, tokio's default, or `single`.
pub fn run<F: Future<Output = Outcome<()>>>(client: F) -> Outcome<()> {
    let mut builder = match std::env::var("BENCHMARK_RUNTIME").as_deref() {
        Ok("single") => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    builder.enable_all().build()?.block_on(client)
}
