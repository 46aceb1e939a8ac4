//! Uploads and downloads against the embedded data centre: every source and place, and everything
//! that may go wrong on the way.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod util;

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use layer_client::files::{Downloadable, FileLocation, OutgoingMedia, TransferControl, Upload};
use layer_client::{Client, Error, Message};
use layer_test_server::Server;
use layer_test_server::faults::FaultId;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use util::{names, server, user};

const MIB: usize = 1024 * 1024;

fn noise(len: usize) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(u64::try_from(len).unwrap());
    (0..len).map(|_| rng.u8(..)).collect()
}

fn rule(server: &Server, rule: &str) -> FaultId {
    server.faults().add(rule.parse().unwrap()).unwrap()
}

/// A person, and a file of theirs.
async fn sent(server: &Server, bytes: &[u8]) -> (Client, Message) {
    let (_, ann) = user(server, "+15550001", "Ann").await;
    let upload = Upload::bytes("a.bin", bytes);
    let message = ann.send_file("me", upload, "").await.unwrap();
    (ann, message)
}

/// Waits for something that comes about by itself.
async fn until(what: impl Fn() -> bool) {
    let wait = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(6 * util::PATIENCE, wait)
        .await
        .expect("it did not come about");
}

/// How often a rule fired, once it fires no more.
async fn settled(server: &Server, rule: FaultId) -> u64 {
    let (mut before, mut calm) = (0, 0);
    while calm < 20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let now = server.faults().fired(rule);
        calm = if now == before { calm + 1 } else { 0 };
        before = now;
    }
    before
}

#[tokio::test]
async fn a_file_goes_wherever_it_is_wanted() {
    let server = server().await;
    let bytes = noise(3 * MIB + 12_345);
    let (ann, message) = sent(&server, &bytes).await;
    let directory = tempfile::tempdir().unwrap();

    let path = directory.path().join("whole");
    ann.download(&message).to_path(&path).await.unwrap();
    assert!(std::fs::read(&path).unwrap() == bytes);
    let path = directory.path().join("piece");
    let piece = 700_001..2_900_003;
    let download = ann.download(&message).range(700_001..2_900_003);
    download.to_path(&path).await.unwrap();
    assert!(std::fs::read(&path).unwrap() == bytes[piece.clone()]);
    assert_eq!(names(directory.path()), ["piece", "whole"]);

    let mut written = Vec::new();
    let download = ann.download(&message).range(700_001..2_900_003);
    download.to_writer(&mut written).await.unwrap();
    assert!(written == bytes[piece]);

    let mut chunks = ann.download(&message).from(5).stream().unwrap();
    assert_eq!(chunks.len_hint(), Some(bytes.len() as u64 - 5));
    let mut streamed = Vec::new();
    while let Some(chunk) = chunks.next().await {
        streamed.extend_from_slice(&chunk.unwrap());
    }
    assert!(streamed == bytes[5..]);
    assert!(chunks.next().await.is_none());

    for range in [
        0..0,
        0..1,
        5..5,
        1023..1025,
        524_287..524_289,
        3_000_000..9_000_000,
    ] {
        let wanted = bytes.get(range.clone()).unwrap_or(&bytes[3_000_000..]);
        let (from, to) = (range.start as u64, range.end as u64);
        let piece = ann
            .download(&message)
            .range(from..to)
            .bytes()
            .await
            .unwrap();
        assert!(piece == wanted, "{range:?}");
    }
    let last = ann
        .download(&message)
        .range(bytes.len() as u64 - 1..)
        .bytes();
    assert_eq!(last.await.unwrap(), bytes[bytes.len() - 1..]);
    let beyond = ann.download(&message).from(1 << 40).bytes().await.unwrap();
    assert!(beyond.is_empty());
}

#[tokio::test]
async fn a_file_whose_size_nobody_knows_ends_where_it_ends() {
    let server = server().await;
    for len in [1, 512 * 1024, 2 * MIB, 2 * MIB + 1] {
        let bytes = noise(len);
        let (ann, message) = sent(&server, &bytes).await;
        let known = message.file_location().unwrap();
        let unknown = FileLocation::new(known.raw().clone(), known.dc_id(), None);
        assert!(
            ann.download(&unknown).bytes().await.unwrap() == bytes,
            "{len}"
        );
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        ann.download(&unknown).from(1).to_path(&path).await.unwrap();
        assert!(std::fs::read(&path).unwrap() == bytes[1..], "{len}");
    }
}

#[tokio::test]
async fn one_reads_and_jumps_about_in_a_remote_file() {
    let server = server().await;
    let bytes = noise(5 * MIB + 17);
    let (ann, message) = sent(&server, &bytes).await;
    let mut reader = ann.download(&message).reader().unwrap();
    assert_eq!(reader.size(), Some(bytes.len() as u64));
    let mut rng = fastrand::Rng::with_seed(3);
    let mut at = 0;
    for _ in 0..30 {
        let mut buffer = vec![0; rng.usize(1..200_000)];
        let read = reader.read(&mut buffer).await.unwrap();
        assert!(buffer[..read] == bytes[at..at + read], "at {at}");
        at += read;
        match rng.u32(..4) {
            0 => at = rng.usize(..bytes.len()),
            1 => at = (at + rng.usize(..MIB)).min(bytes.len()),
            2 => at = at.saturating_sub(rng.usize(..MIB)),
            _ => {}
        }
        let to = reader.seek(std::io::SeekFrom::Start(at as u64)).await;
        assert_eq!(to.unwrap(), at as u64);
    }
    let end = reader.seek(std::io::SeekFrom::End(-7)).await.unwrap();
    assert_eq!(end, bytes.len() as u64 - 7);
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, bytes[bytes.len() - 7..]);
    assert_eq!(reader.read(&mut [0; 9]).await.unwrap(), 0);
    reader.seek(std::io::SeekFrom::Current(-7)).await.unwrap();
    assert_eq!(reader.read_u8().await.unwrap(), bytes[bytes.len() - 7]);
    assert!(
        reader
            .seek(std::io::SeekFrom::Current(i64::MIN))
            .await
            .is_err()
    );
    // Of a piece, places are counted from its beginning.
    let mut reader = ann.download(&message).range(1000..2000).reader().unwrap();
    reader.seek(std::io::SeekFrom::Start(990)).await.unwrap();
    rest.clear();
    reader.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, bytes[1990..2000]);
}

/// Gives bytes in pieces of odd lengths, empty ones too.
struct Pieces(Vec<Bytes>);

impl futures_core::Stream for Pieces {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.pop().map(Ok))
    }
}

#[tokio::test]
async fn a_file_comes_from_wherever_it_is() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    for len in [1, 300, 512 * 1024, MIB, 3 * MIB + 77, 11 * MIB] {
        let bytes = noise(len);
        let mut reader = &bytes[..];
        let mut to_end = &bytes[..];
        let mut pieces = Vec::new();
        let mut rest = Bytes::copy_from_slice(&bytes);
        let mut rng = fastrand::Rng::with_seed(1);
        while !rest.is_empty() {
            let piece = rng.usize(..rest.len().min(700_000) + 1);
            pieces.insert(0, rest.split_to(piece));
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        std::fs::write(&path, &bytes).unwrap();
        for upload in [
            Upload::path(&path),
            Upload::bytes("a", &bytes),
            Upload::reader("a", &mut reader, len as u64),
            Upload::reader_to_end("a", &mut to_end),
            Upload::stream("a", Pieces(pieces)),
        ] {
            let message = ann.send_file("me", upload, "").await.unwrap();
            assert_eq!(message.media().unwrap().size(), Some(len as u64));
            assert!(
                ann.download_bytes(&message).await.unwrap() == bytes,
                "{len}"
            );
        }
    }
}

#[tokio::test]
async fn a_source_that_fails_or_is_empty_fails_the_upload() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let mut short = &b"abc"[..];
    let error = ann
        .upload_file(Upload::reader("a", &mut short, 4))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof)
    );
    let mut empty = &b""[..];
    let error = ann
        .upload_file(Upload::reader_to_end("a", &mut empty))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("empty"), "{error}");
    let error = ann
        .upload_file(Upload::stream("a", Pieces(Vec::new())))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("empty"), "{error}");
}

#[tokio::test]
async fn waits_failures_and_lost_connections_end_no_transfer() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let bytes = noise(12 * MIB);
    server.faults().seed(5);
    let rules = [
        rule(
            &server,
            "method=upload.* chance=15%: error 500 RPC_CALL_FAIL",
        ),
        rule(&server, "method=upload.* chance=8%: flood-premium-wait 1"),
        rule(&server, "method=upload.* chance=8%: flood-wait 0"),
        rule(&server, "method=upload.* chance=8%: close"),
    ];
    let message = ann
        .send_file("me", Upload::bytes("a", &bytes), "")
        .await
        .unwrap();
    assert!(ann.download_bytes(&message).await.unwrap() == bytes);
    let fired: Vec<_> = rules.map(|rule| server.faults().fired(rule)).to_vec();
    assert!(fired.iter().sum::<u64>() > 5, "{fired:?}");
}

#[tokio::test]
async fn a_reference_that_runs_out_on_the_way_is_got_again_once() {
    let server = server().await;
    let bytes = noise(8 * MIB);
    let (ann, message) = sent(&server, &bytes).await;
    let location = message.file_location().unwrap();
    let expired = rule(&server, "method=upload.getFile nth=6: expire-references");
    let asked = rule(&server, "method=messages.getMessages: delay 1ms");
    assert!(ann.download(&location).bytes().await.unwrap() == bytes);
    assert_eq!(server.faults().fired(expired), 1);
    // However many parts were under way.
    assert_eq!(server.faults().fired(asked), 1);
}

#[tokio::test]
async fn a_file_that_lies_elsewhere_is_followed_once() {
    let server = Server::builder()
        .data_centres(2)
        .login_code("22222")
        .start()
        .await
        .unwrap();
    let bytes = noise(4 * MIB);
    let (ann, message) = sent(&server, &bytes).await;
    let known = message.file_location().unwrap();
    let wrong = FileLocation::new(known.raw().clone(), 3 - known.dc_id(), known.size());
    let at_the_wrong_one = format!("method=upload.getFile dc={}: delay 1ms", wrong.dc_id());
    let asked = rule(&server, &at_the_wrong_one);
    assert!(ann.download(&wrong).bytes().await.unwrap() == bytes);
    // No more than were under way when the first of them was sent on.
    let asked = server.faults().fired(asked);
    assert!((1..=4).contains(&asked), "{asked}");
}

#[tokio::test]
async fn parts_are_compared_with_their_hashes_if_one_wants() {
    let server = server().await;
    let bytes = noise(3 * MIB + 5);
    let (ann, message) = sent(&server, &bytes).await;
    let spoilt = rule(&server, "method=upload.getFile nth=2: wrong-bytes");
    assert!(ann.download(&message).bytes().await.unwrap() != bytes);
    assert_eq!(server.faults().fired(spoilt), 1);
    let spoilt = rule(&server, "method=upload.getFile nth=2: wrong-bytes");
    let asked = rule(&server, "method=upload.getFileHashes: delay 1ms");
    assert!(ann.download(&message).verify(true).bytes().await.unwrap() == bytes);
    assert_eq!(server.faults().fired(spoilt), 1);
    assert!(server.faults().fired(asked) > 0);
    let piece = ann.download(&message).verify(true).range(700_000..700_010);
    assert_eq!(piece.bytes().await.unwrap(), bytes[700_000..700_010]);
}

#[tokio::test]
async fn a_part_that_the_server_lost_is_sent_again() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    for len in [2 * MIB, 11 * MIB] {
        let bytes = noise(len);
        std::fs::write(&path, &bytes).unwrap();
        for upload in [Upload::path(&path), Upload::bytes("a", &bytes)] {
            let lost = rule(&server, "method=upload.save* part=2 times=1: lose-part");
            let also = rule(&server, "method=upload.save* part=1 times=1: lose-part");
            let message = ann.send_file("me", upload, "").await.unwrap();
            assert_eq!(server.faults().fired(lost) + server.faults().fired(also), 2);
            assert!(ann.download_bytes(&message).await.unwrap() == bytes);
        }
    }
    // However it is sent.
    let bytes = noise(2 * MIB);
    std::fs::write(&path, &bytes).unwrap();
    for album in [false, true] {
        let lost = rule(&server, "method=upload.save* part=2 times=1: lose-part");
        let media = OutgoingMedia::document(&path);
        let message = if album {
            let other = OutgoingMedia::document(Upload::bytes("b", b"other"));
            let sent = ann.send_album("me", [media, other]).await.unwrap();
            sent.into_iter().next().unwrap()
        } else {
            ann.send_media("me", media, "").await.unwrap()
        };
        assert_eq!(server.faults().fired(lost), 1);
        assert!(ann.download_bytes(&message).await.unwrap() == bytes);
    }
    // What is not there to be read again is told.
    std::fs::write(&path, noise(11 * MIB)).unwrap();
    rule(&server, "method=upload.save* part=2 times=1: lose-part");
    let mut reader = &bytes[..];
    let upload = Upload::reader("a", &mut reader, bytes.len() as u64);
    let error = ann.send_file("me", upload, "").await.unwrap_err();
    assert!(error.is("FILE_PART_MISSING"), "{error}");
    // Nor is one of a file that changed meanwhile.
    let lost = rule(&server, "method=upload.save* part=2 times=1: lose-part");
    let saved = rule(&server, "method=messages.sendMedia times=1: delay 300ms");
    let (sent, ()) = tokio::join!(ann.send_file("me", Upload::path(&path), ""), async {
        until(|| server.faults().fired(saved) == 1).await;
        std::fs::write(&path, b"other").unwrap();
    });
    assert_eq!(server.faults().fired(lost), 1);
    assert!(sent.unwrap_err().to_string().contains("changed"));
}

#[tokio::test]
async fn a_transfer_is_watched_paused_and_gone_on_with() {
    let server = server().await;
    let bytes = noise(6 * MIB);
    let (ann, message) = sent(&server, &bytes).await;
    let asked = rule(&server, "method=upload.getFile: bandwidth 2MiB");
    let control = TransferControl::new();
    let download = ann.download(&message).window(2).control(&control);
    let task = tokio::spawn(download.bytes());
    until(|| control.progress().done > 0).await;
    assert_eq!(control.progress().total, Some(bytes.len() as u64));
    control.pause();
    assert!(control.is_paused());
    // What was under way comes; nothing else is asked for.
    let most = server.faults().fired(asked) + 2;
    let paused = settled(&server, asked).await;
    assert!(paused <= most, "{paused} parts asked for, not {most}");
    assert!(!task.is_finished());
    control.resume();
    assert!(task.await.unwrap().unwrap() == bytes);
    let progress = control.progress();
    assert_eq!(progress.done, bytes.len() as u64);
    assert!(progress.rate > 0);

    let control = TransferControl::new();
    let upload = Upload::bytes("a", &bytes).window(2).control(&control);
    let uploading = ann.upload_file(upload);
    let saved = rule(&server, "method=upload.save*: bandwidth 2MiB");
    let steer = async {
        until(|| control.progress().done > 0).await;
        control.pause();
        let most = server.faults().fired(saved) + 2;
        let paused = settled(&server, saved).await;
        assert!(paused <= most, "{paused} parts sent, not {most}");
        control.cancel();
    };
    let (uploaded, ()) = tokio::join!(uploading, steer);
    assert!(matches!(uploaded, Err(Error::Cancelled)));
}

#[tokio::test]
async fn a_cancelled_download_goes_on_where_it_was() {
    let server = server().await;
    let bytes = noise(12 * MIB);
    let (ann, message) = sent(&server, &bytes).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    let asked = rule(&server, "method=upload.getFile: bandwidth 4MiB");
    let control = TransferControl::new();
    let task = tokio::spawn({
        let download = ann.download(&message).window(2).control(&control);
        let path = path.clone();
        async move { download.to_path(path).await }
    });
    until(|| control.progress().done >= 4 * MIB as u64).await;
    control.cancel();
    assert!(matches!(task.await.unwrap(), Err(Error::Cancelled)));
    assert_eq!(names(directory.path()), ["a.part", "a.part.state"]);
    let before = server.faults().fired(asked);
    let control = TransferControl::new();
    let download = ann.download(&message).control(&control);
    download.to_path(&path).await.unwrap();
    assert!(std::fs::read(&path).unwrap() == bytes);
    assert_eq!(names(directory.path()), ["a"]);
    // 24 parts in all, 8 of which were there.
    let rest = server.faults().fired(asked) - before;
    assert!(rest <= 16, "{rest} parts were asked for again");
    assert_eq!(control.progress().done, bytes.len() as u64);

    // What belongs to another file, or is damaged, is thrown away.
    let other = noise(12 * MIB + 1);
    let message = ann
        .send_file("me", Upload::bytes("b", &other), "")
        .await
        .unwrap();
    for damage in [false, true] {
        std::fs::write(directory.path().join("a.part"), &bytes).unwrap();
        let state = directory.path().join("a.part.state");
        std::fs::write(
            &state,
            if damage {
                &b"LYTR\x01 and so on"[..]
            } else {
                b""
            },
        )
        .unwrap();
        ann.download(&message).to_path(&path).await.unwrap();
        assert!(std::fs::read(&path).unwrap() == other);
    }
    assert_eq!(names(directory.path()), ["a"]);
}

#[tokio::test]
async fn two_downloads_do_not_share_a_path() {
    let server = server().await;
    let bytes = noise(6 * MIB);
    let (ann, message) = sent(&server, &bytes).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    let asked = rule(&server, "method=upload.getFile: bandwidth 1MiB");
    let task = tokio::spawn({
        let download = ann.download(&message);
        let path = path.clone();
        async move { download.to_path(path).await }
    });
    until(|| server.faults().fired(asked) >= 4).await;
    let error = ann.download(&message).to_path(&path).await.unwrap_err();
    assert!(error.to_string().contains("another download"), "{error}");
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    let before = settled(&server, asked).await;
    assert!(before <= 8, "{before}");
    assert!(!path.exists());
    server.faults().clear();
    // The lock went with the other one.
    ann.download(&message).to_path(&path).await.unwrap();
    assert!(std::fs::read(&path).unwrap() == bytes);
}

#[tokio::test]
async fn nothing_of_a_dropped_transfer_goes_on() {
    for upload in [false, true] {
        let server = server().await;
        let bytes = noise(6 * MIB);
        let (ann, message) = sent(&server, &bytes).await;
        // Nothing of it is answered for as long as the test lasts.
        let method = if upload { "saveFilePart" } else { "getFile" };
        let asked = rule(&server, &format!("method=upload.{method}: delay 60s"));
        let task = tokio::spawn(async move {
            if upload {
                let upload = Upload::bytes("a", &bytes);
                ann.upload_file(upload).await.map(drop)
            } else {
                ann.download(&message).bytes().await.map(drop)
            }
        });
        until(|| server.faults().fired(asked) >= 4).await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        // It had the last of the client: what was still at work for it would keep the connections open.
        let open = || server.sessions().iter().any(|session| session.connected);
        let closed = async {
            while open() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let closed = tokio::time::timeout(util::PATIENCE, closed).await;
        assert!(closed.is_ok(), "{method} goes on");
    }
}
