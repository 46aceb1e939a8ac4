//! The photos of profiles, and thumbnails of all sorts, as they are downloaded.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod samples;
mod util;

use layer_client::files::{OutgoingMedia, Thumb, Upload};
use layer_client::{Client, tl};
use layer_test_server::Peer;
use util::{server, user};

fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xd8\xff") && bytes.ends_with(b"\xff\xd9")
}

async fn portrait(client: &Client, side: u32) -> i64 {
    let png = samples::png(side, side);
    let file = client
        .upload_file(Upload::bytes("me.png", &png))
        .await
        .unwrap();
    let request = tl::functions::photos::UploadProfilePhoto {
        fallback: false,
        bot: None,
        file: Some(file.input().clone()),
        video: None,
        video_start_ts: None,
        video_emoji_markup: None,
    };
    let tl::enums::photos::Photo::Photo(photo) = client.invoke(&request).await.unwrap();
    photo.photo.id()
}

trait Id {
    fn id(&self) -> i64;
}

impl Id for tl::enums::Photo {
    fn id(&self) -> i64 {
        match self {
            tl::enums::Photo::Photo(photo) => photo.id,
            tl::enums::Photo::Empty(photo) => photo.id,
        }
    }
}

#[tokio::test]
async fn a_users_photo_is_downloaded_small_large_and_stripped() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let (_, bob) = user(&server, "+15550002", "Bob").await;
    assert!(bob.peer_photo("@ann_user").await.unwrap().is_none());
    let mut none = bob.iter_profile_photos("@ann_user");
    assert!(none.next().await.unwrap().is_none());

    let id = portrait(&ann, 640).await;
    let photo = bob.peer_photo("@ann_user").await.unwrap().unwrap();
    assert_eq!((photo.id(), photo.has_video()), (id, false));
    let small = bob.download(photo.small()).bytes().await.unwrap();
    let large = bob.download(&photo).bytes().await.unwrap();
    assert!(is_jpeg(&small));
    assert!(large == samples::png(640, 640));
    assert!(is_jpeg(&photo.stripped().unwrap()));
    // There is no reference that could run out.
    server.expire_file_references();
    assert!(bob.download(photo.small()).bytes().await.unwrap() == small);
}

#[tokio::test]
async fn all_photos_of_a_user_come_newest_first_and_outlive_their_references() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let (_, bob) = user(&server, "+15550002", "Bob").await;
    let mut ids = Vec::new();
    for side in [600, 610, 620] {
        ids.push(portrait(&ann, side).await);
    }
    ids.reverse();
    let mut photos = bob.iter_profile_photos("@ann_user");
    assert_eq!(photos.total().await.unwrap(), Some(3));
    let photos = photos.collect().await.unwrap();
    let got: Vec<_> = photos.iter().map(|photo| photo.id()).collect();
    assert_eq!(got, ids);
    let two = bob.iter_profile_photos("@ann_user").limit(2);
    assert_eq!(two.collect().await.unwrap().len(), 2);

    server.expire_file_references();
    for (photo, side) in photos.iter().zip([620, 610, 600]) {
        let bytes = bob.download(photo).bytes().await.unwrap();
        assert!(bytes == samples::png(side, side));
        // A smaller one, as it is listed.
        let thumbs = photo.photo().unwrap().thumbs();
        let small = thumbs.iter().find(|thumb| thumb.name() == "a").unwrap();
        assert!(is_jpeg(&bob.download(small).bytes().await.unwrap()));
    }
    // It can be sent too, by reference.
    server.expire_file_references();
    let photo = OutgoingMedia::photo(photos[1].photo().unwrap());
    let sent = bob.send_media("me", photo, "").await.unwrap();
    assert_eq!(sent.media().unwrap().photo().unwrap().id, ids[1]);
    // What its owner took away is nowhere to be had anew.
    let request = tl::functions::photos::DeletePhotos {
        id: vec![
            tl::types::InputPhoto {
                id: ids[0],
                access_hash: photos[0].photo().unwrap().access_hash,
                file_reference: ann
                    .iter_profile_photos("me")
                    .next()
                    .await
                    .unwrap()
                    .unwrap()
                    .photo()
                    .unwrap()
                    .file_reference
                    .clone(),
            }
            .into(),
        ],
    };
    assert_eq!(ann.invoke(&request).await.unwrap(), [ids[0]]);
    server.expire_file_references();
    assert!(bob.download(&photos[0]).bytes().await.is_err());
    assert!(bob.download(&photos[1]).bytes().await.is_ok());
}

async fn chat_photo(client: &Client, side: u32) -> tl::enums::InputChatPhoto {
    let png = samples::png(side, side);
    let file = client
        .upload_file(Upload::bytes("chat.png", &png))
        .await
        .unwrap();
    tl::types::InputChatUploadedPhoto {
        file: Some(file.input().clone()),
        video: None,
        video_start_ts: None,
        video_emoji_markup: None,
    }
    .into()
}

#[tokio::test]
async fn the_photos_of_groups_and_channels_are_downloaded_too() {
    let server = server().await;
    let (ann_there, ann) = user(&server, "+15550001", "Ann").await;
    let (bob_there, _) = user(&server, "+15550002", "Bob").await;
    let group = ann_there.create_group("Friends", &[&bob_there]).unwrap();
    let channel = ann_there.create_supergroup("More friends").unwrap();
    for chat in [group, channel] {
        let peer = || ann_there.input_peer(chat);
        assert!(ann.peer_photo(peer()).await.unwrap().is_none());
        for side in [400, 500, 600] {
            let photo = chat_photo(&ann, side).await;
            if chat == group {
                let chat_id = group_id(chat);
                let request = tl::functions::messages::EditChatPhoto { chat_id, photo };
                ann.invoke(&request).await.unwrap();
            } else {
                let channel = tl::types::InputChannel {
                    channel_id: group_id(chat),
                    access_hash: ann_there.access_hash(chat),
                };
                let channel = channel.into();
                let request = tl::functions::channels::EditPhoto { channel, photo };
                ann.invoke(&request).await.unwrap();
            }
        }
        let now = ann.peer_photo(peer()).await.unwrap().unwrap();
        assert!(ann.download(now.large()).bytes().await.unwrap() == samples::png(600, 600));
        let photos = ann.iter_profile_photos(peer()).collect().await.unwrap();
        assert_eq!((photos.len(), photos[0].id()), (3, now.id()));
        server.expire_file_references();
        for (photo, side) in photos.iter().zip([600, 500, 400]) {
            let bytes = ann.download(photo).bytes().await.unwrap();
            assert!(bytes == samples::png(side, side));
        }
    }
}

fn group_id(peer: Peer) -> i64 {
    match peer {
        Peer::Group(id) | Peer::Channel(id) => id,
        _ => panic!("{peer:?} is no group"),
    }
}

#[tokio::test]
async fn each_size_of_a_photo_is_listed_and_downloaded() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let png = samples::png(1600, 1200);
    let photo = OutgoingMedia::photo(Upload::bytes("a.png", &png));
    let message = ann.send_media("me", photo, "").await.unwrap();
    let photo = message.media().unwrap().photo().unwrap();
    assert_eq!((photo.width(), photo.height()), (Some(1600), Some(1200)));
    let thumbs = photo.thumbs();
    let names: Vec<_> = thumbs.iter().map(Thumb::name).collect();
    assert_eq!(names, ["i", "m", "x", "y", "w"]);
    let (inline, there): (Vec<_>, Vec<_>) =
        thumbs.iter().partition(|thumb| thumb.inline().is_some());
    assert_eq!((inline.len(), there.len()), (1, 4));
    assert!(is_jpeg(&inline[0].inline().unwrap()));
    assert_eq!(
        (inline[0].width(), inline[0].height()),
        (Some(40), Some(30))
    );
    assert!(ann.download(inline[0]).bytes().await.is_err());
    server.expire_file_references();
    for thumb in &there {
        let bytes = ann.download(*thumb).bytes().await.unwrap();
        assert_eq!(thumb.size(), Some(bytes.len() as u64), "{thumb:?}");
        assert!(thumb.name() == "w" || is_jpeg(&bytes));
    }
    assert!(ann.download(photo).bytes().await.unwrap() == png);
}
