//! Uploads and downloads against the embedded data centre.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod util;

use std::sync::Mutex;

use layer_client::files::Upload;
use util::{server, user};

fn noise(len: usize) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(7);
    (0..len).map(|_| rng.u8(..)).collect()
}

#[tokio::test]
async fn five_megabytes_come_back_as_they_went() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("noise.bin");
    let bytes = noise(5 * 1024 * 1024 + 17);
    std::fs::write(&path, &bytes).unwrap();

    let seen = Mutex::new(Vec::new());
    let progress = |done, all| seen.lock().unwrap().push((done, all));
    let upload = Upload::path(&path).progress(&progress);
    let sent = ann.send_file("me", upload, "a caption").await.unwrap();
    assert_eq!(sent.text(), Some("a caption"));
    let media = sent.media().unwrap();
    assert_eq!(media.file_name(), Some("noise.bin"));
    assert_eq!(media.size(), Some(bytes.len() as u64));
    {
        let seen = seen.lock().unwrap();
        assert!(seen.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(seen.last(), Some(&(bytes.len() as u64, bytes.len() as u64)));
    }

    let back = directory.path().join("back.bin");
    let seen = Mutex::new(0);
    let progress = |done, _| *seen.lock().unwrap() = done;
    ann.download_media_with(&sent, &back, &progress)
        .await
        .unwrap();
    assert!(std::fs::read(&back).unwrap() == bytes);
    assert_eq!(*seen.lock().unwrap(), bytes.len() as u64);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
    assert!(ann.download_bytes(&sent).await.unwrap() == bytes);
}

#[tokio::test]
async fn a_big_file_goes_by_the_big_file_method() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let bytes = noise(11 * 1024 * 1024);
    let upload = Upload::bytes("big.bin", &bytes);
    let sent = ann.send_file("me", upload, "").await.unwrap();
    assert!(ann.download_bytes(&sent).await.unwrap() == bytes);
}

#[tokio::test]
async fn a_file_of_one_part_and_one_of_whole_parts() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    for len in [1, 512 * 1024, 1024 * 1024] {
        let bytes = noise(len);
        let sent = ann
            .send_file("me", Upload::bytes("a.bin", &bytes), "")
            .await
            .unwrap();
        assert!(ann.download_bytes(&sent).await.unwrap() == bytes, "{len}");
    }
    assert!(ann.upload_file(Upload::bytes("empty", &[])).await.is_err());
    assert!(ann.upload_file("/does/not/exist").await.is_err());
}

#[tokio::test]
async fn a_failed_download_leaves_nothing_behind() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let bytes = noise(2 * 1024 * 1024);
    let sent = ann
        .send_file("me", Upload::bytes("a.bin", &bytes), "")
        .await
        .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let error = layer_test_server::ApiError::new(400, "LOCATION_INVALID");
    server.fail("upload.getFile", error, None);
    let path = directory.path().join("a.bin");
    assert!(
        ann.download_media(&sent, &path)
            .await
            .unwrap_err()
            .is("LOCATION_INVALID")
    );
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_file_of_another_data_centre_is_fetched_from_there() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let mut new = layer_test_server::NewUser::named("+15550002", "Bob");
    new.username = Some("bob_user".to_owned());
    new.dc_id = 2;
    server.add_user(new);
    let bob = layer_client::Client::connect(util::config(&server))
        .await
        .unwrap();
    let token = bob.request_login_code("+15550002").await.unwrap();
    bob.sign_in(&token, "22222").await.unwrap();
    let mut bobs = bob.stream_updates();

    let bytes = noise(3 * 1024 * 1024 + 5);
    let upload = Upload::bytes("a.bin", &bytes);
    ann.send_file("@bob_user", upload, "for you").await.unwrap();
    let message = util::next_that(&mut bobs, |update| match update {
        layer_client::update::Update::NewMessage(message) => {
            (message.text() == Some("for you")).then_some(message)
        }
        _ => None,
    })
    .await;
    assert!(bob.download_bytes(&message).await.unwrap() == bytes);
}

#[tokio::test]
async fn a_photo_is_sent_as_one_and_sent_again_without_uploading() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    // The beginning of a GIF of 64 by 48.
    let mut bytes = b"GIF89a\x40\0\x30\0".to_vec();
    bytes.extend(noise(70_000));
    let upload = Upload::bytes("a.jpg", &bytes);
    let sent = ann.send_photo("me", upload, "look").await.unwrap();
    let media = sent.media().unwrap();
    assert!(media.photo().is_some());
    assert!(!ann.download_bytes(&sent).await.unwrap().is_empty());
    let again = layer_client::InputMessage::text("again").media(media.to_input().unwrap());
    let again = ann.send_message("me", again).await.unwrap();
    let (one, two) = (
        media.photo().unwrap(),
        again.media().unwrap().photo().unwrap(),
    );
    assert_eq!(one.id, two.id);
}

#[tokio::test]
async fn a_file_reference_that_has_run_out_is_got_again_where_the_file_came_from() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let bytes = noise(700_000);
    let sent = ann
        .send_file("me", Upload::bytes("a.bin", &bytes), "")
        .await
        .unwrap();
    let location = layer_client::files::Downloadable::file_location(&sent).unwrap();
    let rootless = layer_client::files::FileLocation::new(
        location.raw().clone(),
        location.dc_id(),
        location.size(),
    );
    assert!(ann.download(&rootless).bytes().await.unwrap() == bytes);
    server.expire_file_references();
    assert!(ann.download(&location).bytes().await.unwrap() == bytes);
    assert!(ann.download(sent.media().unwrap()).bytes().await.unwrap() == bytes);
    // Who does not say where it came from is told to.
    let error = ann.download(&rootless).bytes().await.unwrap_err();
    assert!(error.to_string().contains("run out"), "{error}");
    let from_message = rootless.of_message(&sent);
    assert!(ann.download(&from_message).bytes().await.unwrap() == bytes);
}
