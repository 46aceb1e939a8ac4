//! The short videos beside photos and files, and the covers of videos, as they are downloaded.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod samples;
mod util;

use std::time::Duration;

use layer_client::files::{OutgoingMedia, Thumb, Upload};
use layer_client::{Client, InputMessage, tl};
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
