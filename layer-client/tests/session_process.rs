//! Session files and processes: one that is killed at any moment, and two at once.
//!
//! The other process is this same program, asked for one of the tests that are ignored otherwise.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

use layer_client::session::{
    FileStorage, MemoryStorage, PeerKind, SavedPeer, Session, SessionError, SessionStorage,
};

/// Tells the other process where its session is.
const PATH: &str = "LAYER_TEST_SESSION";
/// What the other process says when it is under way.
const READY: &str = "ready";
/// No other process lives longer, whatever becomes of this one.
const LIFE: Duration = Duration::from_secs(60);

/// Another process, killed at the latest when this is dropped.
struct Other(Child);

impl Other {
    /// Runs one of the ignored tests until it says that it is ready.
    fn start(test: &str, path: &Path) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture"])
            .env(PATH, path)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let other = Self(child);
        let mut lines = output.lines().map(Result::unwrap);
        assert!(
            lines.any(|line| line.contains(READY)),
            "the other process ended without a word"
        );
        other
    }

    /// `kill -9`, where there is one.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn storage_of_the_environment() -> FileStorage {
    FileStorage::open(env::var_os(PATH).expect("this is not a test but a part of one")).unwrap()
}

/// A session in which everything says the same number, and which takes a while to write.
fn numbered(number: i32) -> Session {
    let mut session = Session::default();
    session.home_dc = number;
    session.peers = (0..2000)
        .map(|_| {
            let mut peer = SavedPeer::new(PeerKind::User, number.into());
            peer.name = number.to_string().repeat(2000);
            peer
        })
        .collect();
    session
}

/// Saves two sessions by turns. They stand in files of their own, so that the time goes into saving.
#[test]
#[ignore = "the process that `a_process_killed_at_any_moment_leaves_a_whole_session` kills"]
fn saves_without_end() {
    let storage = storage_of_the_environment();
    let beside = storage.path().parent().unwrap();
    let [one, two] = ["one", "two"].map(|name| fs::read(beside.join(name)).unwrap());
    storage.save(&one).unwrap();
    println!("{READY}");
    let begun = Instant::now();
    while begun.elapsed() < LIFE {
        storage.save(&two).unwrap();
        storage.save(&one).unwrap();
    }
}

#[test]
fn a_process_killed_at_any_moment_leaves_a_whole_session() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.session");
    let sessions = [("one", 1), ("two", 2)].map(|(name, number)| {
        let memory = MemoryStorage::new();
        numbered(number).save(&memory).unwrap();
        let bytes = memory.load().unwrap().unwrap();
        fs::write(directory.path().join(name), &bytes).unwrap();
        bytes
    });
    let mut cut_short = 0;
    for _ in 0..30 {
        let mut other = Other::start("saves_without_end", &path);
        std::thread::sleep(Duration::from_micros(random.u64(..30_000)));
        other.kill();
        cut_short += u32::from(directory.path().join("a.session.tmp").exists());
        // The lock went with the process, and a half-written file is nobody's session.
        let storage = FileStorage::open(&path).unwrap();
        assert!(sessions.contains(&storage.load().unwrap().unwrap()));
    }
    let left = Session::load(&FileStorage::open(&path).unwrap()).unwrap();
    assert!([1, 2].map(|number| Some(numbered(number))).contains(&left));
    println!("{cut_short} saves were cut short");
}

#[test]
#[ignore = "the process that `the_second_process_is_told_which_has_it` asks about"]
fn holds_the_session() {
    let _storage = storage_of_the_environment();
    println!("{READY}");
    std::thread::sleep(LIFE);
}

#[test]
fn the_second_process_is_told_which_has_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.session");
    let mut other = Other::start("holds_the_session", &path);
    let error = FileStorage::open(&path).unwrap_err();
    let SessionError::InUse { pid, .. } = &error else {
        panic!("{error}")
    };
    let holder = other.0.id();
    assert_eq!(*pid, Some(holder));
    let told = error.to_string();
    assert!(
        told.contains(&holder.to_string()) && told.contains("a.session"),
        "{told}"
    );
    other.kill();
    FileStorage::open(&path).unwrap();
}
