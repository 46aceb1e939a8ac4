//! How many files move at a time, and how large they may be.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod util;

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use layer_client::files::{TransferControl, Upload};
use layer_client::{Client, Config, Error, Message};
use layer_test_server::faults::FaultId;
use layer_test_server::{Limits, Server, UserHandle};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::task::JoinHandle;
use util::{config, server, user, user_with};

const PART: usize = 512 * 1024;

fn rule(server: &Server, rule: &str) -> FaultId {
    server.faults().add(rule.parse().unwrap()).unwrap()
}

/// Waits for something that comes about by itself.
async fn until(what: impl Fn() -> bool) {
    let wait = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(util::PATIENCE, wait)
        .await
        .expect("it did not come about");
}

/// A person with so many files to themselves, whose client moves so many at a time.
async fn with_files(server: &Server, at_once: usize, files: usize) -> (Client, Vec<Message>) {
    let config = Config {
        files_at_once: at_once,
        ..config(server)
    };
    let (_, ann) = user_with(server, "+15550001", "Ann", config).await;
    let mut messages = Vec::new();
    for n in 0..files {
        let bytes = vec![u8::try_from(n).unwrap(); 2 * PART];
        let upload = Upload::bytes("a.bin", &bytes);
        messages.push(ann.send_file("me", upload, "").await.unwrap());
    }
    (ann, messages)
}

/// Downloads or uploads a file, in a task of its own that begins at once; writes down when it is done.
async fn begin(
    ann: &Client,
    message: &Message,
    up: bool,
    control: &TransferControl,
    done: &Arc<Mutex<Vec<i32>>>,
) -> JoinHandle<Result<(), Error>> {
    let (ann, message) = (ann.clone(), message.clone());
    let (control, done) = (control.clone(), done.clone());
    let task = tokio::spawn(async move {
        if up {
            let bytes = vec![1; 2 * PART];
            let upload = Upload::bytes("a", &bytes).control(&control);
            ann.upload_file(upload).await.map(drop)?;
        } else {
            let bytes = ann.download(&message).control(&control).bytes().await?;
            assert_eq!(bytes.len(), 2 * PART);
        }
        done.lock().unwrap().push(message.id());
        Ok(())
    });
    tokio::task::yield_now().await;
    task
}

#[tokio::test]
async fn files_move_so_many_at_a_time_in_the_order_of_asking() {
    for up in [false, true] {
        let server = server().await;
        let (ann, messages) = with_files(&server, 2, 6).await;
        let method = if up { "saveFilePart" } else { "getFile" };
        let asked = rule(&server, &format!("method=upload.{method}: delay 60s"));
        let done = Arc::default();
        let control = TransferControl::new();
        let mut tasks = Vec::new();
        for message in &messages {
            tasks.push(begin(&ann, message, up, &control, &done).await);
        }
        // Two parts each of two files; nobody else asks for anything.
        until(|| server.faults().fired(asked) >= 4).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(server.faults().fired(asked), 4, "{method}");
        // One that waits and goes gives its place in the line up, and one that moves its place.
        tasks.remove(3).abort();
        tasks.remove(0).abort();
        server.faults().remove(asked);
        let slow = tasks.remove(0);
        for task in tasks {
            let task = tokio::time::timeout(util::PATIENCE, task).await;
            task.expect("it has no turn").unwrap().unwrap();
        }
        let wanted = [2, 4, 5].map(|n| messages[n].id());
        assert_eq!(*done.lock().unwrap(), wanted, "{method}");
        assert!(!slow.is_finished());
        slow.abort();
    }
}

#[tokio::test]
async fn a_paused_transfer_lets_others_come_first() {
    for up in [false, true] {
        let server = server().await;
        let (ann, messages) = with_files(&server, 1, 3).await;
        let method = if up { "saveFilePart" } else { "getFile" };
        let asked = rule(
            &server,
            &format!("method=upload.{method} nth=2: delay 100ms"),
        );
        let done = Arc::default();
        let controls = [(); 3].map(|()| TransferControl::new());
        let mut tasks = Vec::new();
        for (message, control) in messages.iter().zip(&controls) {
            tasks.push(begin(&ann, message, up, control, &done).await);
        }
        // The second one waits when it is paused, and is passed by.
        controls[1].pause();
        until(|| done.lock().unwrap().len() == 2).await;
        assert_eq!(server.faults().fired(asked), 1);
        let others = [messages[0].id(), messages[2].id()];
        assert_eq!(*done.lock().unwrap(), others, "{method}");
        controls[1].resume();
        for task in tasks {
            let task = tokio::time::timeout(util::PATIENCE, task).await;
            task.expect("it has no turn").unwrap().unwrap();
        }
        assert_eq!(done.lock().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn a_file_flows_from_a_download_into_an_upload_however_few_may_move() {
    let server = server().await;
    let (ann, messages) = with_files(&server, 1, 4).await;
    let pipes = messages.iter().map(|message| {
        let ann = &ann;
        async move {
            let chunks = ann.download(message).part_size(64 * 1024).stream();
            let upload = Upload::stream("b.bin", chunks_of(chunks.unwrap()));
            ann.send_file("me", upload, "").await.unwrap()
        }
    });
    let mut sent = Vec::new();
    let mut pipes: Vec<_> = pipes.map(Box::pin).collect();
    // All of them side by side.
    while !pipes.is_empty() {
        let next =
            std::future::poll_fn(|cx| {
                let at = pipes.iter_mut().enumerate().find_map(|(at, pipe)| {
                    match pipe.as_mut().poll(cx) {
                        Poll::Ready(message) => Some((at, message)),
                        Poll::Pending => None,
                    }
                });
                at.map_or(Poll::Pending, Poll::Ready)
            });
        let (at, message) = tokio::time::timeout(util::PATIENCE, next).await.unwrap();
        drop(pipes.remove(at));
        sent.push(message);
    }
    for message in sent {
        assert_eq!(message.media().unwrap().size(), Some(2 * PART as u64));
    }
}

/// Errors as an upload takes them.
struct Chunks<'a>(layer_client::files::DownloadStream<'a>);

fn chunks_of(stream: layer_client::files::DownloadStream<'_>) -> Chunks<'_> {
    Chunks(stream)
}

impl futures_core::Stream for Chunks<'_> {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = Pin::new(&mut self.0).poll_next(cx);
        next.map(|chunk| chunk.map(|chunk| chunk.map_err(std::io::Error::other)))
    }
}

#[tokio::test]
async fn a_reader_that_jumps_about_keeps_its_place() {
    let server = server().await;
    let (ann, messages) = with_files(&server, 1, 2).await;
    let download = ann.download(&messages[0]).part_size(4096).window(2);
    let mut reader = download.reader().unwrap();
    assert_eq!(reader.read_u8().await.unwrap(), 0);
    let (control, done) = (TransferControl::new(), Arc::default());
    let other = begin(&ann, &messages[1], false, &control, &done).await;
    for at in [900_000, 5, 500_000] {
        reader.seek(std::io::SeekFrom::Start(at)).await.unwrap();
        let byte = tokio::time::timeout(util::PATIENCE, reader.read_u8()).await;
        assert_eq!(byte.unwrap().unwrap(), 0);
        assert_eq!(control.progress().done, 0);
    }
    drop(reader);
    let other = tokio::time::timeout(util::PATIENCE, other).await;
    other.unwrap().unwrap().unwrap();
}

/// Lets somebody be away for longer than a place is kept.
async fn stay_away() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(11)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn who_does_not_come_on_gives_the_place_up_after_a_while() {
    let server = server().await;
    let (ann, messages) = with_files(&server, 1, 2).await;
    let (first, second) = (&messages[0], &messages[1]);
    let control = TransferControl::new();
    let mut stream = ann.download(first).control(&control).stream().unwrap();
    let mut reader = ann.download(first).control(&control).reader().unwrap();
    // Room for a little, and nobody who takes it away.
    let (mut full, _other_end) = tokio::io::duplex(1000);
    let mut writer = Box::pin(ann.download(first).control(&control).to_writer(&mut full));
    let (mut source, never) = tokio::io::duplex(1000);
    let upload = Upload::reader_to_end("a", &mut source).control(&control);
    let mut upload = Box::pin(ann.upload_file(upload));
    for kind in ["stream", "reader", "writer", "upload"] {
        // So far, and no further.
        match kind {
            "stream" => drop(stream.next().await.unwrap().unwrap()),
            "reader" => assert_eq!(reader.read_u8().await.unwrap(), 0),
            stalled => {
                let begun = Duration::from_millis(100);
                let stalled = if stalled == "writer" {
                    tokio::time::timeout(begun, &mut writer).await.is_err()
                } else {
                    tokio::time::timeout(begun, &mut upload).await.is_err()
                };
                assert!(stalled);
            }
        }
        let (control, done) = (TransferControl::new(), Arc::default());
        let up = kind == "upload";
        let other = begin(&ann, second, up, &control, &done).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(control.progress().done, 0, "{kind}");
        stay_away().await;
        let other = tokio::time::timeout(util::PATIENCE, other).await;
        other.expect(kind).unwrap().unwrap();
    }
    // All of them go on when they like.
    assert!(stream.next().await.unwrap().is_ok());
    drop((writer, stream));
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest.len(), 2 * PART - 1);
    drop(never);
    assert!(upload.await.unwrap_err().to_string().contains("empty"));
}

/// Says whether anybody asked for its bytes, of which there are none.
struct Untouched(Arc<Mutex<bool>>);

impl futures_core::Stream for Untouched {
    type Item = std::io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        *self.0.lock().unwrap() = true;
        Poll::Ready(None)
    }
}

#[tokio::test]
async fn an_upload_reads_nothing_before_its_turn() {
    let server = server().await;
    let (ann, messages) = with_files(&server, 1, 1).await;
    let slow = rule(&server, "method=upload.saveFilePart: delay 60s");
    let (control, done) = (TransferControl::new(), Arc::default());
    let first = begin(&ann, &messages[0], true, &control, &done).await;
    until(|| server.faults().fired(slow) == 2).await;
    let touched = Arc::new(Mutex::new(false));
    let waiting = Upload::stream("b", Untouched(touched.clone()));
    let mut waiting = Box::pin(ann.upload_file(waiting));
    let moment = Duration::from_millis(100);
    let waits = tokio::time::timeout(moment, &mut waiting).await.is_err();
    assert!(waits && !*touched.lock().unwrap());
    first.abort();
    assert!(waiting.await.unwrap_err().to_string().contains("empty"));
    assert!(*touched.lock().unwrap());
}

/// A data centre that takes 30 parts of a file, or 50 for those who pay.
async fn narrow() -> Server {
    let limits = Limits {
        file_parts: 30,
        file_parts_premium: 50,
        ..Limits::default()
    };
    let server = Server::builder().login_code("22222").limits(limits);
    server.start().await.unwrap()
}

async fn uploads(ann: &Client, bytes: &[u8], known: bool) -> Result<(), Error> {
    let mut reader = bytes;
    let upload = if known {
        Upload::bytes("a", bytes)
    } else {
        Upload::reader_to_end("a", &mut reader)
    };
    ann.send_file("me", upload, "").await.map(drop)
}

fn refuses(refused: Result<(), Error>, size: Option<usize>, parts: usize, premium: bool) {
    let error = refused.unwrap_err();
    let Error::FileTooLarge(too_large) = &error else {
        panic!("{error}")
    };
    let found = (too_large.size, too_large.limit, too_large.parts);
    let limit = parts * PART;
    let wanted = (size.map(|size| size as u64), limit as u64, parts as u64);
    assert_eq!((found, too_large.premium), (wanted, premium));
    let text = error.to_string();
    assert!(text.contains(&limit.to_string()), "{text}");
    assert_eq!(text.contains("Premium"), !premium, "{text}");
}

async fn ann_of(server: &Server) -> (UserHandle, Client) {
    user(server, "+15550001", "Ann").await
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_before_anything_is_sent() {
    let server = narrow().await;
    let (there, ann) = ann_of(&server).await;
    let bytes = vec![7; 51 * PART];
    let [most, more] = [30 * PART, 30 * PART + 1];
    let saved = rule(&server, "method=upload.save*: delay 1ms");
    let asked = rule(&server, "method=help.getAppConfig: delay 1ms");
    let fired = |rule| server.faults().fired(rule);
    // Of a small one nobody needs to ask.
    uploads(&ann, &bytes[..20 * PART], true).await.unwrap();
    assert_eq!((fired(saved), fired(asked)), (20, 0));
    uploads(&ann, &bytes[..most], true).await.unwrap();
    assert_eq!((fired(saved), fired(asked)), (50, 1));
    refuses(
        uploads(&ann, &bytes[..more], true).await,
        Some(more),
        30,
        false,
    );
    assert_eq!((fired(saved), fired(asked)), (50, 1));
    // Who pays may send more.
    there.set_premium(true);
    uploads(&ann, &bytes[..more], true).await.unwrap();
    assert_eq!((fired(saved), fired(asked)), (81, 1));
    let all = bytes.len();
    refuses(uploads(&ann, &bytes, true).await, Some(all), 50, true);
    assert_eq!((fired(saved), fired(asked)), (81, 1));
}

#[tokio::test]
async fn a_stream_that_is_too_long_ends_where_no_more_is_taken() {
    let server = narrow().await;
    let (_, ann) = ann_of(&server).await;
    let bytes = vec![7; 51 * PART];
    let saved = rule(&server, "method=upload.save*: delay 1ms");
    let fired = || server.faults().fired(saved);
    // Exactly what may be, and one byte more.
    uploads(&ann, &bytes[..30 * PART], false).await.unwrap();
    assert_eq!(fired(), 30);
    refuses(
        uploads(&ann, &bytes[..30 * PART + 1], false).await,
        None,
        30,
        false,
    );
    assert!(fired() <= 60, "{}", fired());
    // Who pays may send more. (Some of the parts above may be on their way still.)
    let server = narrow().await;
    let (there, ann) = ann_of(&server).await;
    there.set_premium(true);
    let saved = rule(&server, "method=upload.save*: delay 1ms");
    let fired = || server.faults().fired(saved);
    uploads(&ann, &bytes[..50 * PART], false).await.unwrap();
    assert_eq!(fired(), 50);
    refuses(uploads(&ann, &bytes, false).await, None, 50, true);
    assert!(fired() <= 100);
}

#[tokio::test]
async fn an_upload_goes_on_where_the_limits_are_not_to_be_learned() {
    let server = narrow().await;
    let (_, ann) = ann_of(&server).await;
    server.fail(
        "help.getAppConfig",
        layer_test_server::ApiError::new(400, "METHOD_INVALID"),
        None,
    );
    let bytes = vec![7; 31 * PART];
    uploads(&ann, &bytes[..30 * PART], true).await.unwrap();
    // As the documentation has it, and the data centre has not.
    let error = uploads(&ann, &bytes, true).await.unwrap_err();
    assert!(error.is("FILE_PART*"), "{error}");
}
