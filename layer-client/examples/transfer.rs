//! How fast files go up and down, what that costs, and how much memory it takes: against the embedded
//! data centre in a process of its own on this machine.
//!
//! ```text
//! cargo run --release -p layer-client --example transfer -- 200
//! ```
//!
//! The number is the size in megabytes. What it prints of processor and memory is the client's alone
//! (on Linux; elsewhere it does not say).

use std::io::{BufRead, BufReader, Write};
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::task::{Context, Poll};
use std::time::Instant;

use layer_client::files::Upload;
use layer_client::{Client, Config, DcAddress, RsaPublicKey};
use layer_test_server::{NewUser, Server};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

const PHONE: &str = "+15550001";
const MB: u64 = 1_000_000;

#[tokio::main]
async fn main() -> Result<()> {
    let argument = std::env::args().nth(1).unwrap_or_else(|| "200".to_owned());
    if argument == "serve" {
        return serve().await;
    }
    let size = argument.parse::<u64>()? * MB;
    let mut other = Command::new(std::env::current_exe()?)
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let done = measure(size, &mut other).await;
    other.kill()?;
    other.wait()?;
    done
}

/// The data centre, until its standard input ends.
async fn serve() -> Result<()> {
    let server = Server::builder().login_code("22222").start().await?;
    let mut ann = NewUser::named(PHONE, "Ann");
    // Without it, files of more than 2 GB are refused.
    ann.premium = true;
    server.add_user(ann);
    println!("{}", server.address(1).ok_or("no data centre 1")?);
    println!("{}", server.public_key_pem());
    println!("end");
    std::io::stdout().flush()?;
    tokio::task::spawn_blocking(|| std::io::stdin().lines().count()).await?;
    Ok(())
}

async fn measure(size: u64, other: &mut std::process::Child) -> Result<()> {
    let mut lines = BufReader::new(other.stdout.take().ok_or("no output")?).lines();
    let address = lines.next().ok_or("no address")??.parse()?;
    let mut key = String::new();
    for line in lines {
        match line? {
            end if end == "end" => break,
            line => key = key + &line + "\n",
        }
    }
    let client = Client::connect(Config {
        api_id: 1,
        api_hash: "hash".into(),
        dc_id: 1,
        dc_addresses: vec![DcAddress::new(1, address)],
        rsa_keys: vec![RsaPublicKey::from_pem(&key).map_err(|error| error.to_string())?],
        ..Config::default()
    })
    .await?;
    let token = client.request_login_code(PHONE).await?;
    client.sign_in(&token, "22222").await?;
    println!("{} MB; before anything, {}", size / MB, memory());

    let mut source = Noise::new(size);
    let cost = Cost::begin();
    let sent = client
        .send_file("me", Upload::reader("noise", &mut source, size), "")
        .await?;
    cost.tell("upload", size);

    let mut sink = Noise::new(size);
    let cost = Cost::begin();
    client.download(&sent).to_writer(&mut sink).await?;
    cost.tell("download", size);
    if sink.left > 0 || sink.wrong {
        return Err("the bytes are not those that were sent".into());
    }

    let path = std::env::temp_dir().join(format!("layer-transfer-{}", std::process::id()));
    let cost = Cost::begin();
    let written = client.download(&sent).to_path(&path).await;
    cost.tell("download to a file", size);
    std::fs::remove_file(&path)?;
    Ok(written?)
}

/// What was used since.
struct Cost {
    begun: Instant,
    cpu: Option<f64>,
}

impl Cost {
    fn begin() -> Self {
        Self {
            begun: Instant::now(),
            cpu: cpu(),
        }
    }

    fn tell(self, what: &str, size: u64) {
        let seconds = self.begun.elapsed().as_secs_f64();
        #[allow(clippy::cast_precision_loss)] // far less than 2^53 megabytes
        let megabytes = (size / MB) as f64;
        let cpu = self.cpu.zip(cpu()).map_or_else(
            || "?".to_owned(),
            |(before, now)| format!("{:.2}", (now - before) / megabytes * 1000.0),
        );
        println!(
            "{what}: {:.0} MB/s, {cpu} CPU seconds a GB, {}",
            megabytes / seconds,
            memory()
        );
    }
}

/// Seconds that the processor worked for this process (`/proc/self/stat`, in ticks of 10 ms).
fn cpu() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    Some(f64::from(ticks()? + ticks()?) / 100.0)
}

/// The most memory that the process had.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    format!("at most {} of memory", peak.map_or("?", str::trim))
}

/// Bytes that follow from their place, to be read, or compared with what is written.
struct Noise {
    at: u64,
    left: u64,
    wrong: bool,
}

impl Noise {
    fn new(size: u64) -> Self {
        Self {
            at: 0,
            left: size,
            wrong: false,
        }
    }

    /// A word for each eight bytes, so that it costs little.
    fn byte(at: u64) -> u8 {
        let word = (at / 8).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
        word.wrapping_mul(0xbf58_476d_1ce4_e5b9).to_le_bytes()[(at % 8) as usize]
    }
}

impl AsyncRead for Noise {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let some = self.left.min(buf.remaining() as u64);
        let begin = self.at;
        let room = buf.initialize_unfilled_to(usize::try_from(some).unwrap_or(0));
        for (at, byte) in (begin..).zip(room.iter_mut()) {
            *byte = Self::byte(at);
        }
        let read = room.len();
        buf.advance(read);
        self.at += some;
        self.left -= some;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Noise {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        // One byte in a thousand tells as well.
        for (at, byte) in (self.at..).zip(bytes).step_by(997) {
            self.wrong |= *byte != Self::byte(at);
        }
        self.at += bytes.len() as u64;
        self.left = self.left.saturating_sub(bytes.len() as u64);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
