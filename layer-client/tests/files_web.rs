//! Files of the web that the data centre fetches for us.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod util;

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use layer_client::files::{MediaKind, OutgoingMedia, TransferControl, Upload, WebFile};
use layer_client::{Client, Error, tl};
use layer_test_server::Server;
use layer_test_server::faults::FaultId;
use util::{names, send_invoice, server, user};

const PICTURE: &str = "https://example.org/cat.png";

fn noise(len: usize) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(7);
    (0..len).map(|_| rng.u8(..)).collect()
}

fn rule(server: &Server, rule: &str) -> FaultId {
    server.faults().add(rule.parse().unwrap()).unwrap()
}

/// A web with a file in it.
fn publish(server: &Server, bytes: &[u8]) {
    util::publish(server, PICTURE, "image/png", bytes);
}

/// A person to whom a bot sent an invoice with a picture, of which it says a size that is wrong; and the
/// picture.
async fn invoiced(server: &Server) -> (Client, WebFile) {
    let (ann_there, ann) = user(server, "+15550001", "Ann").await;
    send_invoice(server, &ann_there, PICTURE);
    let mut messages = ann.iter_messages("@shop_bot").limit(1);
    let message = messages.next().await.unwrap().unwrap();
    let picture = message.media().unwrap().web_file().unwrap();
    (ann, picture)
}

#[tokio::test]
async fn a_file_of_the_web_is_fetched_by_the_data_centre_that_is_there_for_it() {
    let server = server().await;
    let bytes = noise(3 * 1024 * 1024 + 77);
    publish(&server, &bytes);
    let (ann, picture) = invoiced(&server).await;
    assert_eq!((picture.url(), picture.size()), (Some(PICTURE), Some(77)));
    assert!(!picture.is_direct());
    let [home, there] = [1, 2].map(|dc| {
        let rule_for = format!("method=upload.getWebFile dc={dc}: delay 1ms");
        rule(&server, &rule_for)
    });

    let seen = Mutex::new(Vec::new());
    let progress = |done, all| seen.lock().unwrap().push((done, all));
    let download = ann.download_web_file(&picture).progress(&progress);
    assert!(download.bytes().await.unwrap() == bytes);
    // Seven parts, and none beyond the end.
    let asked = |rule| server.faults().fired(rule);
    assert_eq!((asked(home), asked(there)), (0, 7));
    let all = bytes.len() as u64;
    let seen = seen.into_inner().unwrap();
    assert!(
        seen.len() == 7 && seen.iter().all(|(_, of)| *of == all),
        "{seen:?}"
    );

    // There is nothing to compare it with.
    let piece = ann.download_web_file(&picture).verify(true);
    let piece = piece.range(700_001..2_900_003);
    assert!(piece.bytes().await.unwrap() == bytes[700_001..2_900_003]);
    let beyond = ann.download_web_file(&picture).from(1 << 30).bytes();
    assert!(beyond.await.unwrap().is_empty());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cat.png");
    let download = ann.download_web_file(&picture).window(2);
    download.to_path(&path).await.unwrap();
    assert!(std::fs::read(&path).unwrap() == bytes);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn waits_and_failures_end_no_download_of_a_web_file() {
    let server = server().await;
    let bytes = noise(4 * 1024 * 1024);
    publish(&server, &bytes);
    let (ann, picture) = invoiced(&server).await;
    let rules = [
        "nth=1: error 500 RPC_CALL_FAIL",
        "nth=3: flood-wait 0",
        "nth=6: close",
    ];
    let rules = rules.map(|what| rule(&server, &format!("method=upload.getWebFile {what}")));
    let download = ann.download_web_file(&picture);
    assert!(download.bytes().await.unwrap() == bytes);
    assert_eq!(rules.map(|rule| server.faults().fired(rule)), [1; 3]);
    // What is not there any more, nobody asks for again.
    server.faults().clear();
    let gone = tl::types::InputWebFileLocation {
        url: "https://example.org/dog.png".to_owned(),
        access_hash: 1,
    };
    let download = ann.download_web_file(&WebFile::at(gone));
    let error = download.bytes().await.unwrap_err();
    assert!(error.is("LOCATION_INVALID"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_to_be_fetched_directly_says_from_where() {
    let server = server().await;
    publish(&server, b"a cat");
    server.files().trust_host("example.org");
    let (ann, picture) = invoiced(&server).await;
    assert!(picture.is_direct());
    let asked = rule(&server, "method=upload.getWebFile: delay 1ms");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cat.png");
    let to_path = ann.download_web_file(&picture).to_path(&path).await;
    let in_memory = ann.download_web_file(&picture).bytes().await.map(drop);
    let stream = ann.download_web_file(&picture).stream().map(drop);
    for refused in [to_path, in_memory, stream] {
        let error = refused.unwrap_err();
        assert!(
            matches!(&error, Error::FetchDirectly { url } if url == PICTURE),
            "{error}"
        );
        assert!(error.to_string().contains(PICTURE));
    }
    assert_eq!(server.faults().fired(asked), 0);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

/// Width and height of a PNG.
fn sides(png: &[u8]) -> (u32, u32) {
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n") && png.ends_with(b"IEND\xae\x42\x60\x82"));
    let side = |at: usize| u32::from_be_bytes(*png[at..].first_chunk().unwrap());
    (side(16), side(20))
}

#[tokio::test]
async fn the_map_of_a_place_is_downloaded() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let (_, bob) = user(&server, "+15550002", "Bob").await;
    let place = OutgoingMedia::geo_point(48.8530, 2.3498);
    ann.send_media("@bob_user", place, "").await.unwrap();
    let message = bob
        .iter_messages("@ann_user")
        .next()
        .await
        .unwrap()
        .unwrap();
    let MediaKind::Geo(point) = message.media().unwrap().kind() else {
        panic!("no place")
    };
    let map = |(w, h), zoom, scale| tl::types::InputWebFileGeoPointLocation {
        geo_point: tl::types::InputGeoPoint {
            lat: point.lat,
            long: point.long,
            accuracy_radius: point.accuracy_radius,
        }
        .into(),
        access_hash: point.access_hash,
        w,
        h,
        zoom,
        scale,
    };
    let small = bob.download_web_file(&WebFile::at(map((64, 48), 15, 1)));
    assert_eq!(sides(&small.bytes().await.unwrap()), (64, 48));
    let there = rule(&server, "method=upload.getWebFile dc=2: delay 1ms");
    let large = WebFile::at(map((1024, 1024), 20, 3));
    let download = bob.download_web_file(&large).part_size(4096);
    let drawn = download.bytes().await.unwrap();
    assert_eq!(sides(&drawn), (3072, 3072));
    let parts = drawn.len().div_ceil(4096) as u64;
    assert_eq!((server.faults().fired(there), parts > 1), (parts, true));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("map.png");
    bob.download_web_file(&large).to_path(&path).await.unwrap();
    assert!(std::fs::read(&path).unwrap() == drawn);
    let wide = WebFile::at(map((1025, 100), 15, 1));
    let error = bob.download_web_file(&wide).bytes().await.unwrap_err();
    assert!(error.is("LOCATION_INVALID"), "{error}");
}

#[tokio::test]
async fn the_cover_of_an_album_is_downloaded() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let song = OutgoingMedia::audio(Upload::bytes("song.mp3", b"la la la"))
        .title("Song")
        .performer("Anna");
    let message = ann.send_media("me", song, "").await.unwrap();
    let document = message.media().unwrap().document().unwrap();
    let cover = |small| tl::types::InputWebFileAudioAlbumThumbLocation {
        small,
        document: Some(
            tl::types::InputDocument {
                id: document.id,
                access_hash: document.access_hash,
                file_reference: document.file_reference.clone(),
            }
            .into(),
        ),
        title: None,
        performer: None,
    };
    let mut lengths = Vec::new();
    for small in [true, false] {
        let cover = ann.download_web_file(&WebFile::at(cover(small)));
        let cover = cover.bytes().await.unwrap();
        assert!(cover.starts_with(b"\xff\xd8\xff") && cover.ends_with(b"\xff\xd9"));
        lengths.push(cover.len());
    }
    assert!(lengths[0] < lengths[1], "{lengths:?}");
}

/// Bytes of a part, and parts of the files that are broken off.
const PART: usize = 4096;
const PARTS: usize = 40;
/// Parts that are there when it is broken off, at least; and those that may be asked for beside what is missing:
/// the last of those that are there, and what was under way.
const BROKEN_OFF: u64 = 10;
const AGAIN: u64 = 3;

/// A download that is broken off by whoever has the control.
async fn download(
    ann: &Client,
    file: &WebFile,
    path: &Path,
    control: &TransferControl,
) -> Result<(), Error> {
    let download = ann.download_web_file(file).part_size(PART as u64).window(2);
    let download = download.checkpoint_every(Duration::ZERO).control(control);
    download.to_path(path).await
}

/// Some of it is there, and the rest is broken off.
async fn break_off(server: &Server, ann: &Client, file: &WebFile, path: &Path) {
    let slow = rule(server, "method=upload.getWebFile: delay 5ms");
    let control = TransferControl::new();
    let (outcome, ()) = tokio::join!(download(ann, file, path, &control), async {
        while control.progress().done < BROKEN_OFF * PART as u64 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        control.cancel();
    });
    assert!(matches!(outcome, Err(Error::Cancelled)), "{outcome:?}");
    server.faults().remove(slow);
    let left = names(path.parent().unwrap());
    assert_eq!(left, ["cat.png.part", "cat.png.part.state"]);
}

#[tokio::test]
async fn a_download_of_a_web_file_goes_on_if_the_file_is_still_the_same() {
    let server = server().await;
    let bytes = noise(PARTS * PART - 7);
    publish(&server, &bytes);
    let (ann, picture) = invoiced(&server).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cat.png");
    let asked = rule(&server, "method=upload.getWebFile: delay 0ms");
    let none = TransferControl::new();
    for range in [false, true] {
        break_off(&server, &ann, &picture, &path).await;
        let before = server.faults().fired(asked);
        if range {
            // Another range, or other parts, are another download.
            let other = ann
                .download_web_file(&picture)
                .range(..5000)
                .part_size(4096);
            other.to_path(&path).await.unwrap();
            assert!(std::fs::read(&path).unwrap() == bytes[..5000]);
        } else {
            download(&ann, &picture, &path, &none).await.unwrap();
            let asked = server.faults().fired(asked) - before;
            assert!(asked <= PARTS as u64 - BROKEN_OFF + AGAIN, "{asked}");
            assert!(std::fs::read(&path).unwrap() == bytes);
        }
        assert_eq!(names(directory.path()), ["cat.png"]);
        std::fs::remove_file(&path).unwrap();
    }
    // All is there but the name.
    std::fs::create_dir(&path).unwrap();
    download(&ann, &picture, &path, &none).await.unwrap_err();
    std::fs::remove_dir(&path).unwrap();
    let before = server.faults().fired(asked);
    download(&ann, &picture, &path, &none).await.unwrap();
    let again = server.faults().fired(asked) - before;
    assert!((1..=AGAIN).contains(&again), "{again}");
    assert!(std::fs::read(&path).unwrap() == bytes);
}

#[tokio::test]
async fn a_download_of_a_web_file_begins_anew_if_the_file_is_another() {
    let server = server().await;
    let bytes = noise(PARTS * PART - 7);
    publish(&server, &bytes);
    let (ann, picture) = invoiced(&server).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cat.png");
    let none = TransferControl::new();
    let mut turned = bytes.clone();
    let changes: [(&str, usize, bool, bool); 5] = [
        // Another type, size, time; and where all was there already.
        ("image/jpeg", bytes.len(), false, false),
        ("image/jpeg", bytes.len() - PART * 3, false, false),
        ("image/jpeg", bytes.len() + PART * 3, false, false),
        ("image/jpeg", bytes.len() + PART * 3, true, false),
        ("image/png", bytes.len(), false, true),
    ];
    for (mime_type, len, wait, complete) in changes {
        if complete {
            std::fs::create_dir(&path).unwrap();
            download(&ann, &picture, &path, &none).await.unwrap_err();
            std::fs::remove_dir(&path).unwrap();
        } else {
            break_off(&server, &ann, &picture, &path).await;
        }
        if wait {
            // Times are whole seconds.
            tokio::time::sleep(Duration::from_millis(1100)).await;
        }
        turned.resize(len, 7);
        turned
            .iter_mut()
            .for_each(|byte| *byte = byte.wrapping_add(1));
        util::publish(&server, PICTURE, mime_type, &turned);
        download(&ann, &picture, &path, &none).await.unwrap();
        assert!(std::fs::read(&path).unwrap() == turned, "{mime_type} {len}");
        assert_eq!(names(directory.path()), ["cat.png"]);
        std::fs::remove_file(&path).unwrap();
    }
    // Some servers say that a file is shorter in another way.
    break_off(&server, &ann, &picture, &path).await;
    let beyond = "method=upload.getWebFile times=1: error 400 OFFSET_INVALID";
    let beyond = rule(&server, beyond);
    download(&ann, &picture, &path, &none).await.unwrap();
    assert!(std::fs::read(&path).unwrap() == turned);
    assert_eq!(server.faults().fired(beyond), 1);
    std::fs::remove_file(&path).unwrap();
    // Gone, it leaves nothing behind.
    break_off(&server, &ann, &picture, &path).await;
    rule(
        &server,
        "method=upload.getWebFile: error 400 LOCATION_INVALID",
    );
    let error = download(&ann, &picture, &path, &none).await.unwrap_err();
    assert!(error.is("LOCATION_INVALID"), "{error}");
    assert!(names(directory.path()).is_empty());
}

#[tokio::test]
async fn a_web_file_that_changes_while_it_is_downloaded_is_no_mixture_of_both() {
    let server = server().await;
    let bytes = noise(PARTS * PART - 7);
    publish(&server, &bytes);
    let (ann, picture) = invoiced(&server).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cat.png");
    for (resumed, mime_type) in [(false, "image/jpeg"), (true, "image/png")] {
        if resumed {
            break_off(&server, &ann, &picture, &path).await;
        }
        let slow = rule(&server, "method=upload.getWebFile: delay 5ms");
        let control = TransferControl::new();
        let changed = vec![u8::from(resumed); bytes.len()];
        let (outcome, ()) = tokio::join!(download(&ann, &picture, &path, &control), async {
            let enough = (BROKEN_OFF + 5) * PART as u64;
            while control.progress().done < enough {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            util::publish(&server, PICTURE, mime_type, &changed);
        });
        server.faults().remove(slow);
        if resumed {
            // It begins anew once more.
            outcome.unwrap();
            assert!(std::fs::read(&path).unwrap() == changed);
        } else {
            let error = outcome.unwrap_err();
            assert!(error.to_string().contains("another"), "{error}");
            assert!(names(directory.path()).is_empty());
        }
    }
}
