//! Transfers whose process is killed at any moment: the bytes are right in the end, and not all of
//! them went over the wire again.
//!
//! The other process is this same program, asked for a test that is ignored otherwise.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod util;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use layer_client::files::{Download, Upload};
use layer_client::{Client, Config, DcAddress, RsaPublicKey};
use layer_test_server::Server;
use layer_test_server::faults::FaultId;
use util::{config_with_session, send_invoice, server, user_with};

const DIRECTORY: &str = "LAYER_TEST_DIRECTORY";
const ADDRESS: &str = "LAYER_TEST_ADDRESS";
const KEY: &str = "LAYER_TEST_KEY";
const MESSAGE: &str = "LAYER_TEST_MESSAGE";

/// What each process keeps in its folder.
const SESSION: &str = "a.session";
const SOURCE: &str = "source.bin";
const TARGET: &str = "target.bin";
const CHECKPOINT: &str = "upload.state";
const DONE: &str = "done";

const PARTS: usize = 60;
const PART: usize = 512 * 1024;
/// Parts under way at a time.
const WINDOW: usize = 2;
/// So often what is done is written down, on a machine that has nothing else to do.
const EVERY: Duration = Duration::from_millis(20);
/// No other process lives longer, whatever becomes of this one.
const LIFE: Duration = Duration::from_secs(120);
/// Longer than a process takes to begin on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

fn var(name: &str) -> String {
    env::var(name).expect("this is not a test but a part of one")
}

async fn connect() -> Client {
    let config = Config {
        api_id: 12345,
        api_hash: "0123456789abcdef0123456789abcdef".to_owned(),
        session_path: Path::new(&var(DIRECTORY)).join(SESSION),
        dc_addresses: vec![DcAddress::new(1, var(ADDRESS).parse().unwrap())],
        dc_id: 1,
        rsa_keys: vec![RsaPublicKey::from_pem(&var(KEY)).unwrap()],
        ..Config::default()
    };
    Client::connect(config).await.unwrap()
}

/// Does it, and says in a file that it did.
fn in_this_process(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { tokio::time::timeout(LIFE, work).await.unwrap_or(()) });
}

/// Downloads it, and says in a file that it did.
async fn to_the_end(download: Download<'_>, directory: &Path) {
    let download = download
        .part_size(PART as u64)
        .window(WINDOW)
        .checkpoint_every(EVERY);
    download.to_path(directory.join(TARGET)).await.unwrap();
    fs::write(directory.join(DONE), "").unwrap();
}

#[test]
#[ignore = "the process that the tests here kill"]
fn downloads() {
    in_this_process(async {
        let directory = var(DIRECTORY);
        let client = connect().await;
        let id = var(MESSAGE).parse().unwrap();
        let found = client.get_messages("me", &[id]).await.unwrap();
        let download = client.download(found[0].as_ref().unwrap());
        to_the_end(download, Path::new(&directory)).await;
    });
}

#[test]
#[ignore = "the process that the tests here kill"]
fn downloads_from_the_web() {
    in_this_process(async {
        let directory = var(DIRECTORY);
        let client = connect().await;
        let id = var(MESSAGE).parse().unwrap();
        let found = client.get_messages("@shop_bot", &[id]).await.unwrap();
        let media = found[0].as_ref().unwrap().media().unwrap();
        let download = client.download_web_file(&media.web_file().unwrap());
        to_the_end(download, Path::new(&directory)).await;
    });
}

#[test]
#[ignore = "the process that the tests here kill"]
fn uploads() {
    in_this_process(async {
        let directory = var(DIRECTORY);
        let directory = Path::new(&directory);
        let client = connect().await;
        let source = directory.join(SOURCE);
        let upload = Upload::path(&source)
            .window(WINDOW)
            .checkpoint(directory.join(CHECKPOINT))
            .checkpoint_every(EVERY);
        let sent = client.send_file("me", upload, "").await.unwrap();
        fs::write(directory.join(DONE), sent.id().to_string()).unwrap();
    });
}

/// Another process, killed at the latest when this is dropped.
struct Other(Child);

impl Other {
    fn start(test: &str, server: &Server, directory: &Path, message: i32) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args(["--exact", test, "--ignored", "--nocapture"])
            .env(DIRECTORY, directory)
            .env(ADDRESS, server.address(1).unwrap().to_string())
            .env(KEY, server.public_key_pem())
            .env(MESSAGE, message.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // `kill -9`, where there is one. It may be gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Has processes do the work, each of which is killed at some moment, until one comes to its end.
/// How many were killed, how many parts went over the wire, and how many of them for the last.
async fn kill_until_done(
    server: &Server,
    test: &str,
    parts: FaultId,
    at: &Path,
    id: i32,
    state: &str,
) -> (u64, u64, u64) {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let done = at.join(DONE);
    for kills in 0..40 {
        let before = server.faults().fired(parts);
        let other = Other::start(test, server, at, id);
        // From the seventh on they may work in peace. The first ones may die before anything was
        // written down.
        let some = if kills < 7 {
            random.u64(1..9)
        } else {
            u64::MAX / 2
        };
        let written = || kills < 3 || at.join(state).exists();
        let wait = async {
            let went = || server.faults().fired(parts) - before;
            while !(done.exists() || went() >= some && written()) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            tokio::time::sleep(Duration::from_micros(random.u64(..60_000))).await;
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("the process does nothing");
        drop(other);
        if done.exists() {
            let all = server.faults().fired(parts);
            return (kills, all, all - before);
        }
    }
    panic!("it does not come to its end");
}

fn noise() -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(11);
    (0..PARTS * PART - 5).map(|_| rng.u8(..)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_whose_process_is_killed_goes_on_where_it_was() {
    let server = server().await;
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let config = config_with_session(&server, &at.join(SESSION));
    let (_, ann) = user_with(&server, "+15550001", "Ann", config).await;
    let bytes = noise();
    let sent = ann
        .send_file("me", Upload::bytes("a", &bytes), "")
        .await
        .unwrap();
    ann.disconnect().await.unwrap();
    drop(ann);
    let asked = "method=upload.getFile: bandwidth 8MiB".parse().unwrap();
    let asked = server.faults().add(asked).unwrap();

    let state = "target.bin.part.state";
    let (kills, all, last) =
        kill_until_done(&server, "downloads", asked, at, sent.id(), state).await;
    assert!(fs::read(at.join(TARGET)).unwrap() == bytes);
    assert!(!at.join("target.bin.part").exists() && !at.join("target.bin.part.state").exists());
    println!("{kills} kills, {all} parts asked for of {PARTS}, {last} in the end");
    // Begun from nothing, the last would have asked for all of them.
    assert!(kills >= 3 && last < PARTS as u64, "{kills} kills, {last}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_from_the_web_whose_process_is_killed_goes_on_where_it_was() {
    let server = server().await;
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let config = config_with_session(&server, &at.join(SESSION));
    let (ann_there, ann) = user_with(&server, "+15550001", "Ann", config).await;
    let bytes = noise();
    let url = "https://example.org/cat.png";
    util::publish(&server, url, "image/png", &bytes);
    send_invoice(&server, &ann_there, url);
    let message = ann.iter_messages("@shop_bot").next().await.unwrap();
    let id = message.unwrap().id();
    ann.disconnect().await.unwrap();
    drop(ann);
    let asked = "method=upload.getWebFile: bandwidth 8MiB".parse().unwrap();
    let asked = server.faults().add(asked).unwrap();

    let (state, test) = ("target.bin.part.state", "downloads_from_the_web");
    let (kills, all, last) = kill_until_done(&server, test, asked, at, id, state).await;
    assert!(fs::read(at.join(TARGET)).unwrap() == bytes);
    assert!(!at.join("target.bin.part").exists() && !at.join(state).exists());
    println!("{kills} kills, {all} parts asked for of {PARTS}, {last} in the end");
    assert!(kills >= 3 && last < PARTS as u64, "{kills} kills, {last}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_whose_process_is_killed_goes_on_where_it_was() {
    let server = server().await;
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let config = config_with_session(&server, &at.join(SESSION));
    let (_, ann) = user_with(&server, "+15550001", "Ann", config).await;
    ann.disconnect().await.unwrap();
    drop(ann);
    let bytes = noise();
    fs::write(at.join(SOURCE), &bytes).unwrap();
    let saved = "method=upload.saveBigFilePart: bandwidth 8MiB"
        .parse()
        .unwrap();
    let saved = server.faults().add(saved).unwrap();

    let (kills, all, last) = kill_until_done(&server, "uploads", saved, at, 0, CHECKPOINT).await;
    assert!(!at.join(CHECKPOINT).exists());
    let id = fs::read_to_string(at.join(DONE)).unwrap().parse().unwrap();
    println!("{kills} kills, {all} parts saved of {PARTS}, {last} in the end");
    assert!(kills >= 3 && last < PARTS as u64, "{kills} kills, {last}");
    let ann = Client::connect(config_with_session(&server, &at.join(SESSION)))
        .await
        .unwrap();
    let found = ann.get_messages("me", &[id]).await.unwrap();
    assert!(
        ann.download_bytes(found[0].as_ref().unwrap())
            .await
            .unwrap()
            == bytes
    );
}
