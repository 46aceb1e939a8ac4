//! The short videos beside photos and files, and the covers of videos, as they are downloaded.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod samples;
mod util;

use std::time::Duration;

use layer_client::files::{OutgoingMedia, Thumb, Upload};
use layer_client::{Client, Error, InputMessage, Message, tl};
use util::{server, user};

/// What the data centre answers to a photo uploaded for later.
async fn photo_for_later(client: &Client, png: &[u8]) -> tl::enums::InputPhoto {
    let file = client.upload_file(Upload::bytes("a.png", png)).await;
    let request = tl::functions::messages::UploadMedia {
        business_connection_id: None,
        peer: tl::enums::InputPeer::PeerSelf,
        media: file.unwrap().as_photo(),
    };
    let answer = client.invoke(&request).await.unwrap();
    let tl::enums::MessageMedia::Photo(media) = answer else {
        panic!("{answer:?}")
    };
    let Some(tl::enums::Photo::Photo(photo)) = media.photo else {
        panic!("no photo")
    };
    tl::types::InputPhoto {
        id: photo.id,
        access_hash: photo.access_hash,
        file_reference: photo.file_reference.clone(),
    }
    .into()
}

#[tokio::test]
async fn a_videos_preview_thumbnail_and_cover_are_downloaded() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let (film, png) = (
        samples::mp4(1280, 720, 9000, false, true),
        samples::png(1280, 720),
    );
    let upload = Upload::bytes("film.mp4", &film);
    let video = OutgoingMedia::video(upload).dimensions(1280, 720);
    let mut media = ann.input_media(video).await.unwrap();
    let tl::enums::InputMedia::UploadedDocument(document) = &mut media else {
        panic!("{media:?}")
    };
    document.video_cover = Some(photo_for_later(&ann, &png).await);
    document.video_timestamp = Some(7);
    let message = InputMessage::text("a film").media(media);
    let message = ann.send_message("me", message).await.unwrap();

    let media = message.media().unwrap();
    assert_eq!(media.starts_at(), Some(Duration::from_secs(7)));
    let names: Vec<_> = media.videos().iter().map(Thumb::name).collect();
    assert_eq!(names, ["v"]);
    let preview = media.thumb("v").unwrap();
    assert!(preview.is_video() && preview.starts_at().is_none());
    assert_eq!((preview.width(), preview.height()), (Some(320), Some(180)));
    let cover = media.cover().unwrap();
    server.expire_file_references();
    let bytes = ann.download(&preview).bytes().await.unwrap();
    assert_eq!(preview.size(), Some(bytes.len() as u64));
    assert!(bytes[4..].starts_with(b"ftyp") && !film.starts_with(&bytes));
    assert!(ann.download(cover).bytes().await.unwrap() == png);
    let small = ann.download(media.thumb("m").unwrap()).bytes().await;
    assert!(small.unwrap().starts_with(b"\xff\xd8"));
    assert!(media.thumb("u").is_none());
    assert!(ann.download(media).bytes().await.unwrap() == film);
    // The cover has its sizes, too.
    let smaller = cover.thumb("m").unwrap();
    assert_eq!((smaller.width(), smaller.height()), (Some(320), Some(180)));
    assert!(!ann.download(smaller).bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_profile_photos_video_is_downloaded_by_its_name() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let (_, bob) = user(&server, "+15550002", "Bob").await;
    let clip = samples::mp4(800, 800, 2000, false, false);
    let file = ann.upload_file(Upload::bytes("me.mp4", &clip)).await;
    let request = tl::functions::photos::UploadProfilePhoto {
        fallback: false,
        bot: None,
        file: None,
        video: Some(file.unwrap().input().clone()),
        video_start_ts: Some(1.5),
        video_emoji_markup: None,
    };
    ann.invoke(&request).await.unwrap();

    let now = bob.peer_photo("@ann_user").await.unwrap().unwrap();
    assert!(now.has_video());
    let still = bob.download(&now).bytes().await.unwrap();
    let mut photos = bob.iter_profile_photos("@ann_user");
    let photo = photos.next().await.unwrap().unwrap();
    assert_eq!(photo.id(), now.id());
    let shown = photo.photo().unwrap();
    let video = shown.thumb("u").unwrap();
    assert!(video.is_video() && shown.thumb("v").is_none());
    assert_eq!(video.size(), Some(clip.len() as u64));
    assert_eq!((video.width(), video.height()), (Some(800), Some(800)));
    assert_eq!(video.starts_at(), Some(Duration::from_millis(1500)));
    server.expire_file_references();
    assert!(bob.download(&video).bytes().await.unwrap() == clip);
    assert!(
        bob.download(shown.thumb("c").unwrap())
            .bytes()
            .await
            .unwrap()
            == still
    );
}

fn film() -> Vec<u8> {
    samples::mp4(640, 360, 5000, false, true)
}

fn video(film: &[u8]) -> OutgoingMedia<'_> {
    OutgoingMedia::video(Upload::bytes("film.mp4", film)).dimensions(640, 360)
}

const MOMENT: Duration = Duration::from_secs(3);

/// The cover that a message shows.
async fn cover_of(client: &Client, message: &Message) -> (i64, Vec<u8>) {
    let cover = message.media().unwrap().cover().unwrap();
    (cover.id, client.download(cover).bytes().await.unwrap())
}

#[tokio::test]
async fn a_video_is_given_a_cover_and_the_moment_at_which_it_begins() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let (_, bob) = user(&server, "+15550002", "Bob").await;
    let (film, png) = (film(), samples::png(640, 360));
    let poster = || Upload::bytes("poster.png", &png);
    let outgoing = video(&film)
        .cover(poster())
        .starts_at(MOMENT + Duration::from_millis(900));
    let sent = ann.send_media("@bob_user", outgoing, "").await.unwrap();
    let mut dialogs = bob.iter_messages("@ann_user");
    let received = dialogs.next().await.unwrap().unwrap();
    server.expire_file_references();
    let (id, bytes) = cover_of(&bob, &received).await;
    assert!(bytes == png);
    let media = received.media().unwrap();
    assert_eq!(media.starts_at(), Some(MOMENT), "in whole seconds");

    // A copy has both; also the raw one.
    let copies = [
        bob.send_media("me", OutgoingMedia::copy(media), "").await,
        bob.copy_message("me", &received).await,
    ];
    let fresh = bob.get_messages("@ann_user", &[received.id()]).await;
    let fresh = fresh.unwrap().pop().unwrap().unwrap();
    let raw = fresh.media().unwrap().to_input().unwrap();
    let raw = bob
        .send_message("me", InputMessage::text("").media(raw))
        .await;
    for copy in copies.into_iter().chain([raw]) {
        let copy = copy.unwrap();
        let media = copy.media().unwrap();
        assert_eq!(
            media.document().unwrap().id,
            sent.media().unwrap().document().unwrap().id
        );
        assert_eq!(media.starts_at(), Some(MOMENT));
        assert_eq!(cover_of(&bob, &copy).await.0, id);
    }
    // The photo of another message becomes one without being uploaded, and is put in the place of another.
    let photo = OutgoingMedia::photo(poster());
    let photo = bob.send_media("me", photo, "").await.unwrap();
    let photo = photo.media().unwrap().photo().unwrap();
    server.expire_file_references();
    let outgoing = video(&film).cover(photo);
    let sent = bob.send_media("me", outgoing, "").await.unwrap();
    assert_eq!(cover_of(&bob, &sent).await.0, photo.id);
    assert_eq!(sent.media().unwrap().starts_at(), None);
    let again = OutgoingMedia::document(sent.media().unwrap())
        .cover(poster())
        .starts_at(MOMENT);
    server.expire_file_references();
    let edited = bob.edit_media("me", sent.id(), again, "").await.unwrap();
    let media = edited.media().unwrap();
    assert_eq!(media.starts_at(), Some(MOMENT));
    assert_ne!(media.cover().unwrap().id, photo.id);
}

#[tokio::test]
async fn what_is_no_video_has_no_cover_and_what_is_no_photo_is_none() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let (film, png) = (film(), samples::png(64, 64));
    let uploaded = server
        .faults()
        .add("method=upload.save*: delay 1ms".parse().unwrap());
    let picture = || Upload::bytes("a.png", &png);
    let refused = [
        OutgoingMedia::photo(picture()).cover(picture()),
        OutgoingMedia::photo(picture()).starts_at(MOMENT),
        OutgoingMedia::geo_point(1.0, 2.0).cover(picture()),
    ];
    for media in refused {
        let error = ann.send_media("me", media, "").await.unwrap_err();
        assert!(matches!(error, Error::Input(_)), "{error}");
    }
    assert_eq!(server.faults().fired(uploaded.unwrap()), 0);
    let sent = ann.send_media("me", video(&film), "").await.unwrap();
    let wrong = video(&film).cover(sent.media().unwrap());
    let error = ann.send_media("me", wrong, "").await.unwrap_err();
    assert!(matches!(error, Error::Input(_)), "{error}");
}

#[tokio::test]
async fn covers_go_through_albums_and_lost_parts() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("poster.png");
    let (film, png) = (film(), samples::png(640, 360));
    std::fs::write(&path, &png).unwrap();
    let photo = OutgoingMedia::photo(&path);
    let photo = ann.send_media("me", photo, "").await.unwrap();
    let photo = photo.media().unwrap().photo().unwrap();
    let first = ann
        .send_media("me", video(&film).cover(&path), "")
        .await
        .unwrap();
    server.expire_file_references();
    let album = [
        // One whose photo has run out, one that has to be uploaded, one that Telegram has with its cover.
        video(&film).cover(photo).starts_at(MOMENT),
        video(&film).cover(&path),
        OutgoingMedia::copy(first.media().unwrap()),
    ];
    let album = ann.send_album("me", album).await.unwrap();
    let mut covers = Vec::new();
    for message in &album {
        let (id, bytes) = cover_of(&ann, message).await;
        assert!(bytes == png);
        covers.push(id);
    }
    let starts: Vec<_> = album
        .iter()
        .map(|m| m.media().unwrap().starts_at())
        .collect();
    assert_eq!(starts, [Some(MOMENT), None, None]);
    assert_eq!(covers[0], photo.id);
    assert_eq!(covers[2], cover_of(&ann, &first).await.0);

    // The film is the first that is saved, the cover the second.
    let lost = "method=upload.save* part=0 nth=2: lose-part"
        .parse()
        .unwrap();
    let lost = server.faults().add(lost).unwrap();
    let sent = ann
        .send_media("me", video(&film).cover(&path), "")
        .await
        .unwrap();
    assert_eq!(server.faults().fired(lost), 1);
    assert!(cover_of(&ann, &sent).await.1 == png);
}

#[tokio::test]
async fn a_cover_that_is_nowhere_else_any_more_is_used_as_long_as_it_is_good() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let (film, png) = (film(), samples::png(640, 360));
    let photo = OutgoingMedia::photo(Upload::bytes("a.png", &png));
    let photo_of = ann.send_media("me", photo, "").await.unwrap();
    let photo = photo_of.media().unwrap().photo().unwrap();
    let film_of = ann.send_media("me", video(&film), "").await.unwrap();
    let document = film_of.media().unwrap().document().unwrap();
    ann.delete_messages("me", &[photo_of.id()]).await.unwrap();
    // Of the two only the film's reference has run out, and only it can be had anew.
    server.files().expire_reference(document.id);
    let outgoing = OutgoingMedia::video(document).cover(photo);
    let sent = ann.send_media("me", outgoing, "").await.unwrap();
    assert_eq!(cover_of(&ann, &sent).await.0, photo.id);
    server.files().expire_reference(photo.id);
    let outgoing = OutgoingMedia::video(document).cover(photo);
    assert!(ann.send_media("me", outgoing, "").await.is_err());
}
