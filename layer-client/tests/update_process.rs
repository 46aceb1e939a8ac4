//! A consumer of updates that is killed at any moment: nothing is skipped, and what is repeated is
//! what the cursor on the disk did not know of yet.
//!
//! The other process is this same program, asked for a test that is ignored otherwise.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod util;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use std::{env, thread};

use layer_client::update::{StreamOptions, Update, UpdateKind};
use layer_client::{Client, Config, DcAddress, RsaPublicKey};
use layer_test_server::{NewUser, Peer, Server, UserHandle};

const SESSION: &str = "LAYER_TEST_SESSION";
const ADDRESS: &str = "LAYER_TEST_ADDRESS";
const KEY: &str = "LAYER_TEST_KEY";
const RECEIPTS: &str = "LAYER_TEST_RECEIPTS";

/// How late the consumer's cursor may reach the disk, on a machine that has nothing else to do.
const SAVE_DELAY: Duration = Duration::from_millis(200);
const KILLS: u32 = 20;
/// How many of the runs may handle the same message, though each may die before its cursor reaches the disk. How late
/// that is, is for `client::connect`'s own tests to say, which have a clock of their own.
const MOST_RUNS: usize = 10;
/// No other process lives longer, whatever becomes of this one.
const LIFE: Duration = Duration::from_secs(120);

fn consumer_config() -> Config {
    let var = |name| env::var(name).expect("this is not a test but a part of one");
    Config {
        api_id: 12345,
        api_hash: "0123456789abcdef0123456789abcdef".to_owned(),
        session_path: var(SESSION).into(),
        dc_addresses: vec![DcAddress::new(1, var(ADDRESS).parse().unwrap())],
        dc_id: 1,
        rsa_keys: vec![RsaPublicKey::from_pem(&var(KEY)).unwrap()],
        save_delay: SAVE_DELAY,
        ..Config::default()
    }
}

/// Says each message that it handles; a message is handled once it was said.
#[test]
#[ignore = "the process that the tests here kill"]
fn consumes_without_end() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let consume = async {
        let client = Client::connect(consumer_config()).await.unwrap();
        let options = StreamOptions::new().kinds([UpdateKind::NewMessage, UpdateKind::Missed]);
        let mut updates = client.stream_updates_with(options.incoming());
        if env::var_os(RECEIPTS).is_none() {
            while let Some(update) = updates.next().await {
                say(&update);
            }
            return;
        }
        let (work, done) = tokio::sync::mpsc::channel(4);
        let done = Arc::new(tokio::sync::Mutex::new(done));
        for n in 0..4 {
            let done = done.clone();
            tokio::spawn(async move {
                loop {
                    let next = done.lock().await.recv().await;
                    let Some((update, receipt)): Option<(Update, layer_client::update::Receipt)> =
                        next
                    else {
                        return;
                    };
                    // So that they end in another order than they began.
                    tokio::time::sleep(Duration::from_millis(n * 3)).await;
                    say(&update);
                    receipt.ack();
                }
            });
        }
        while let Some(next) = updates.next_with_receipt().await {
            work.send(next).await.unwrap();
        }
    };
    runtime.block_on(async { tokio::time::timeout(LIFE, consume).await.unwrap_or(()) });
}

fn say(update: &Update) {
    let line = match update {
        Update::NewMessage(message) => {
            let chat = message.peer_id().unwrap().key().marked();
            format!("handled {chat} {}\n", message.text().unwrap_or_default())
        }
        other => format!("unexpected {other:?}\n"),
    };
    // In one piece: half a line is not handled.
    std::io::stdout().write_all(line.as_bytes()).unwrap();
    std::io::stdout().flush().unwrap();
}

/// The other process, and what it said.
struct Consumer {
    process: Child,
    said: Receiver<String>,
}

impl Consumer {
    fn start(server: &Server, session: &Path, receipts: bool) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args([
                "--exact",
                "consumes_without_end",
                "--ignored",
                "--nocapture",
            ])
            .env(SESSION, session)
            .env(ADDRESS, server.address(1).unwrap().to_string())
            .env(KEY, server.public_key_pem())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        if receipts {
            command.env(RECEIPTS, "1");
        }
        let mut process = command.spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (tell, said) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The end of the pipe may cut the last line.
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        Self { process, said }
    }

    /// `kill -9`, where there is one. Gives everything that it said.
    fn kill(mut self) -> Vec<Handled> {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.said.iter().filter_map(handled).collect()
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A chat, and the number of the message in it.
type Handled = (i64, u32);

fn handled(line: String) -> Option<Handled> {
    assert!(!line.contains("unexpected"), "{line}");
    let at_word = line.find("handled ")?;
    let mut words = line[at_word..].split(' ').skip(1);
    let chat = words.next()?.parse().ok()?;
    // Texts end in a full stop, so that a line cut short is told from a whole one.
    let number = words.next()?.strip_suffix('.')?.parse().ok()?;
    Some((chat, number))
}

/// Writes into each of the chats by turns until told to stop, and then once more: what no consumer
/// saw that was killed before. Gives how often.
fn write(writer: &UserHandle, chats: &[Peer], stop: &AtomicBool) -> u32 {
    let mut number = 0;
    loop {
        let last = stop.load(Ordering::Relaxed);
        number += 1;
        for &chat in chats {
            writer.send_message(chat, &format!("{number}.")).unwrap();
        }
        if last {
            return number;
        }
        thread::sleep(Duration::from_millis(15));
    }
}

async fn killed_at_any_moment(receipts: bool) {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let server = util::server().await;
    let directory = tempfile::tempdir().unwrap();
    let session = directory.path().join("ann.session");
    let config = util::config_with_session(&server, &session);
    let (ann, client) = util::user_with(&server, "+15550001", "Ann", config).await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let chats = [
        ann.peer(),
        bob.create_group("Group", &[&ann]).unwrap(),
        bob.create_supergroup("Supergroup").unwrap(),
        bob.create_channel("Channel").unwrap(),
    ];
    for chat in &chats[2..] {
        bob.invite(*chat, &[&ann]).unwrap();
    }
    // A channel that it never saw an update of begins where it stands when it is first met.
    let mut updates = client.stream_updates();
    for chat in chats {
        bob.send_message(chat, "0.").unwrap();
        // What tells of the chat's beginning has no text.
        while util::next_text(&mut updates).await != "0." {}
    }
    updates.ack();
    drop(updates);
    client.disconnect().await.unwrap();
    drop(client);

    let stop = Arc::new(AtomicBool::new(false));
    let writer = thread::spawn({
        let (bob, stop) = (bob.clone(), stop.clone());
        move || write(&bob, &chats, &stop)
    });
    let mut runs: Vec<Vec<Handled>> = Vec::new();
    for _ in 0..KILLS {
        let consumer = Consumer::start(&server, &session, receipts);
        let mut said = Vec::new();
        // Some die while they begin, the others while they are at work.
        if random.u8(..4) > 0 {
            said.extend(consumer.said.recv_timeout(LIFE).ok().and_then(handled));
        }
        tokio::time::sleep(Duration::from_millis(random.u64(50..1500))).await;
        said.extend(consumer.kill());
        runs.push(said);
    }
    stop.store(true, Ordering::Relaxed);
    let written = writer.join().unwrap();
    // The last run is let live until it has seen the end of all four chats.
    let consumer = Consumer::start(&server, &session, receipts);
    let mut last = Vec::new();
    let mut ends = 0;
    while ends < 4 {
        let line = consumer.said.recv_timeout(Duration::from_secs(60));
        let line = line.unwrap_or_else(|error| {
            let seen: BTreeMap<i64, u32> = last.iter().copied().collect();
            panic!("{error}: {written} was not seen in all of the four: {seen:?}")
        });
        let Some(next) = handled(line) else { continue };
        ends += usize::from(next.1 == written);
        last.push(next);
    }
    // With receipts the workers may still have some that are older.
    tokio::time::sleep(Duration::from_millis(100)).await;
    last.extend(consumer.said.try_iter().filter_map(handled));
    runs.push(last);

    let mut handled_by: BTreeMap<(i64, u32), Vec<usize>> = BTreeMap::new();
    let mut next: BTreeMap<i64, u32> = BTreeMap::new();
    let (mut all, mut repeated) = (0, 0);
    for (run, said) in runs.iter().enumerate() {
        let mut before: BTreeMap<i64, u32> = BTreeMap::new();
        for &(chat, number) in said {
            all += 1;
            if !receipts {
                // In order within a run, and nothing left out between one and the next.
                let last = before.insert(chat, number);
                assert!(
                    last.is_none_or(|last| number == last + 1),
                    "{chat}: {number} after {last:?}"
                );
                let next = next.entry(chat).or_insert(number.min(1));
                assert!(number <= *next, "{chat}: {number} came, {next} was missing");
                *next = (*next).max(number + 1);
            }
            if number == 0 {
                continue;
            }
            let by = handled_by.entry((chat, number)).or_default();
            repeated += usize::from(!by.is_empty());
            assert_ne!(
                by.last(),
                Some(&run),
                "{chat}: {number} came twice in one run"
            );
            by.push(run);
            assert!(
                by.len() <= MOST_RUNS,
                "{chat}: {number} was handled by the runs {by:?}"
            );
        }
    }
    assert_eq!(handled_by.len(), usize::try_from(written * 4).unwrap());
    let with = if receipts {
        "with receipts"
    } else {
        "one by one"
    };
    println!(
        "{with}: {written} messages in each of 4 chats, {all} handled, {repeated} of them again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_killed_at_any_moment_skips_nothing_and_repeats_little() {
    killed_at_any_moment(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_of_a_process_that_was_killed_count_for_what_they_are() {
    killed_at_any_moment(true).await;
}
