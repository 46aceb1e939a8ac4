//! The photos of profiles, groups and channels, as they are set and deleted.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod samples;
mod util;

use std::time::Duration;

use layer_client::files::{NewProfilePhoto, OutgoingMedia, Upload};
use layer_client::{Client, Error, tl};
use layer_test_server::Server;
use layer_test_server::faults::FaultId;
use util::{server, user};

fn rule(server: &Server, rule: &str) -> FaultId {
    server.faults().add(rule.parse().unwrap()).unwrap()
}

fn picture(png: &[u8]) -> NewProfilePhoto<'_> {
    NewProfilePhoto::picture(Upload::bytes("me.png", png))
}

/// The ids of a profile's photos, the newest first.
async fn ids(client: &Client, whose: &str) -> Vec<i64> {
    let photos = client.iter_profile_photos(whose).collect().await.unwrap();
    photos.iter().map(|photo| photo.id()).collect()
}

#[tokio::test]
async fn profile_photos_are_set_chosen_again_removed_and_deleted() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let (_, bob) = user(&server, "+15550002", "Bob").await;
    let mut photos = Vec::new();
    for side in [600, 610, 620] {
        let png = samples::png(side, side);
        let photo = ann.set_profile_photo(picture(&png)).await.unwrap();
        assert!(ann.download(&photo).bytes().await.unwrap() == png);
        photos.push(photo);
    }
    let [first, second, third] = &photos[..] else {
        panic!("{photos:?}")
    };
    let all = [third.id(), second.id(), first.id()];
    assert_eq!(ids(&bob, "@ann_user").await, all);

    // An earlier one once more; that of somebody else is none of hers.
    server.expire_file_references();
    let uploaded = rule(&server, "method=upload.save*: delay 1ms");
    let again = NewProfilePhoto::picture(first);
    let again = ann.set_profile_photo(again).await.unwrap();
    assert_eq!(again.id(), first.id());
    assert_eq!(server.faults().fired(uploaded), 0);
    let all = [first.id(), third.id(), second.id()];
    assert_eq!(ids(&bob, "@ann_user").await, all);
    let anns = bob.iter_profile_photos("@ann_user").next().await.unwrap();
    let stolen = NewProfilePhoto::picture(&anns.unwrap());
    let error = bob.set_profile_photo(stolen).await.unwrap_err();
    assert!(error.is("PHOTO_ID_INVALID"), "{error}");

    ann.remove_profile_photo().await.unwrap();
    assert_eq!(ids(&bob, "@ann_user").await, [third.id(), second.id()]);
    server.expire_file_references();
    let mine = ann.iter_profile_photos("me").collect().await.unwrap();
    server.expire_file_references();
    let deleted = ann.delete_profile_photos(&mine).await.unwrap();
    assert_eq!(deleted, [third.id(), second.id()]);
    assert!(bob.peer_photo("@ann_user").await.unwrap().is_none());
    assert!(ann.delete_profile_photos([]).await.unwrap().is_empty());
    // What is gone cannot be had anew.
    server.expire_file_references();
    let error = ann.delete_profile_photos(&mine).await.unwrap_err();
    assert!(error.to_string().contains("no more"), "{error}");
}

#[tokio::test]
async fn a_profile_photo_is_a_video_or_an_emoji_too() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let (_, bob) = user(&server, "+15550002", "Bob").await;
    let clip = samples::mp4(800, 800, 3000, false, false);
    let png = samples::png(640, 640);
    let clip_of = || NewProfilePhoto::video(Upload::bytes("me.mp4", &clip));
    let moment = Duration::from_millis(1500);
    for still in [false, true] {
        let mut video = clip_of().starts_at(moment);
        if still {
            video = video.still(Upload::bytes("me.png", &png));
        }
        let set = ann.set_profile_photo(video).await.unwrap();
        let shown = set.photo().unwrap();
        assert_eq!(shown.thumb("u").unwrap().starts_at(), Some(moment));
        let now = bob.peer_photo("@ann_user").await.unwrap().unwrap();
        assert_eq!((now.id(), now.has_video()), (set.id(), true));
        let seen = bob.iter_profile_photos("@ann_user").next().await.unwrap();
        let seen = seen.unwrap();
        let video = seen.photo().unwrap().thumb("u").unwrap();
        assert!(bob.download(video).bytes().await.unwrap() == clip);
        let large = bob.download(&now).bytes().await.unwrap();
        assert_eq!(large == png, still);
    }
    let emoji = tl::types::VideoSizeEmojiMarkup {
        emoji_id: 7,
        background_colors: vec![0xff_0000, 0x00_00ff],
    };
    let photo = NewProfilePhoto::markup(emoji.clone());
    let set = ann.set_profile_photo(photo).await.unwrap();
    let raw = set.photo().unwrap().raw().video_sizes.clone();
    assert_eq!(raw, Some(vec![emoji.into()]));
    // A picture has no moment; what the server cannot use, it refuses.
    let still = picture(&png).starts_at(moment);
    assert!(ann.set_profile_photo(still).await.is_ok());
    let long = samples::mp4(800, 600, 3000, false, false);
    let long = NewProfilePhoto::video(Upload::bytes("me.mp4", &long));
    let error = ann.set_profile_photo(long).await.unwrap_err();
    assert!(error.is("VIDEO_FILE_INVALID"), "{error}");
    // Only what is uploaded can move, and only a photo can be one.
    let video = OutgoingMedia::video(Upload::bytes("a.mp4", &clip));
    let message = ann.send_media("me", video, "").await.unwrap();
    let media = message.media().unwrap();
    for wrong in [
        NewProfilePhoto::video(media),
        NewProfilePhoto::picture(media),
        clip_of().still(&set),
    ] {
        let error = ann.set_profile_photo(wrong).await.unwrap_err();
        assert!(matches!(error, Error::Input(_)), "{error}");
    }
}

#[tokio::test]
async fn the_owner_of_a_bot_gives_it_its_photo() {
    let server = server().await;
    let (ann_there, ann) = user(&server, "+15550001", "Ann").await;
    let (_, bob) = user(&server, "+15550002", "Bob").await;
    server.add_bot(&ann_there, "Shop", "shop_bot");
    let png = samples::png(640, 640);
    let photo = picture(&png).of_bot("@shop_bot");
    let set = ann.set_profile_photo(photo).await.unwrap();
    assert_eq!(ids(&bob, "@shop_bot").await, [set.id()]);
    assert!(ids(&bob, "@ann_user").await.is_empty());
    server.expire_file_references();
    assert!(ann.download(&set).bytes().await.unwrap() == png);
    let chosen = NewProfilePhoto::picture(&set).of_bot("@shop_bot");
    assert_eq!(ann.set_profile_photo(chosen).await.unwrap().id(), set.id());
    let error = bob
        .set_profile_photo(picture(&png).of_bot("@shop_bot"))
        .await
        .unwrap_err();
    assert!(error.is("BOT_INVALID"), "{error}");
}

#[tokio::test]
async fn groups_and_channels_are_given_photos_and_videos_and_lose_them() {
    let server = server().await;
    let (ann_there, ann) = user(&server, "+15550001", "Ann").await;
    let (bob_there, _) = user(&server, "+15550002", "Bob").await;
    let clip = samples::mp4(640, 640, 3000, false, false);
    let group = ann_there.create_group("Friends", &[&bob_there]).unwrap();
    let channel = ann_there.create_channel("News").unwrap();
    for chat in [group, channel] {
        let chat = || ann_there.input_peer(chat);
        let png = samples::png(600, 600);
        ann.set_chat_photo(chat(), picture(&png)).await.unwrap();
        let now = ann.peer_photo(chat()).await.unwrap().unwrap();
        assert!(!now.has_video());
        assert!(ann.download(now.large()).bytes().await.unwrap() == png);
        let video = NewProfilePhoto::video(Upload::bytes("us.mp4", &clip));
        ann.set_chat_photo(chat(), video).await.unwrap();
        assert!(ann.peer_photo(chat()).await.unwrap().unwrap().has_video());
        let photos = ann.iter_profile_photos(chat()).collect().await.unwrap();
        assert_eq!(photos.len(), 2);
        let moving = photos[0].photo().unwrap().thumb("u").unwrap();
        assert!(ann.download(moving).bytes().await.unwrap() == clip);
        // The first one once more.
        server.expire_file_references();
        let first = NewProfilePhoto::picture(&photos[1]);
        ann.set_chat_photo(chat(), first).await.unwrap();
        let again = ann.peer_photo(chat()).await.unwrap().unwrap();
        assert_eq!(again.id(), now.id());
        ann.delete_chat_photo(chat()).await.unwrap();
        assert!(ann.peer_photo(chat()).await.unwrap().is_none());
        let error = ann.delete_chat_photo(chat()).await.unwrap_err();
        assert!(error.is("CHAT_NOT_MODIFIED"), "{error}");
    }
    // Nothing is uploaded for what is no group.
    let uploaded = rule(&server, "method=upload.save*: delay 1ms");
    let png = samples::png(600, 600);
    let error = ann.set_chat_photo("me", picture(&png)).await.unwrap_err();
    assert!(matches!(error, Error::Input(_)), "{error}");
    assert!(ann.delete_chat_photo("me").await.is_err());
    assert_eq!(server.faults().fired(uploaded), 0);
}

#[tokio::test]
async fn a_photos_part_that_the_server_lost_is_sent_again() {
    let server = server().await;
    let (ann_there, ann) = user(&server, "+15550001", "Ann").await;
    let channel = ann_there.input_peer(ann_there.create_channel("News").unwrap());
    let directory = tempfile::tempdir().unwrap();
    let (still, moving) = (
        directory.path().join("a.png"),
        directory.path().join("a.mp4"),
    );
    std::fs::write(&still, samples::png(640, 640)).unwrap();
    std::fs::write(&moving, samples::mp4(640, 640, 3000, false, false)).unwrap();
    for video in [false, true] {
        let photo = || match video {
            false => NewProfilePhoto::picture(&still),
            true => NewProfilePhoto::video(&moving),
        };
        let lost = rule(&server, "method=upload.save* part=0 times=1: lose-part");
        let set = ann.set_profile_photo(photo()).await.unwrap();
        assert_eq!(server.faults().fired(lost), 1);
        assert!(!ann.download(&set).bytes().await.unwrap().is_empty());
        let lost = rule(&server, "method=upload.save* part=0 times=1: lose-part");
        ann.set_chat_photo(channel.clone(), photo()).await.unwrap();
        assert_eq!(server.faults().fired(lost), 1);
    }
}
