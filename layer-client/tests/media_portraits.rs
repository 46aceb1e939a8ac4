//! The photos of profiles, groups and channels, as they are set and deleted.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod samples;
mod util;

use std::time::Duration;

use layer_client::files::{NewProfilePhoto, OutgoingMedia, Upload};
use layer_client::{Client, Config, Error, tl};
use layer_test_server::Server;
use layer_test_server::faults::FaultId;
use util::{PATIENCE, config, server, user, user_with};

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

/// Connections break, and are soon there again.
fn impatient(server: &Server) -> Config {
    Config {
        max_reconnect_delay: Duration::from_millis(300),
        ..config(server)
    }
}

#[tokio::test]
async fn a_profile_photo_whose_answer_was_lost_is_not_set_twice() {
    let server = server().await;
    let (_, ann) = user_with(&server, "+15550001", "Ann", impatient(&server)).await;
    let (_, bob) = user(&server, "+15550002", "Bob").await;
    let png = samples::png(640, 640);
    let mut all = Vec::new();
    let mut set = async |faults: &[&str], dropped: bool, done: u64| {
        let method = "method=photos.uploadProfilePhoto";
        let rules = faults
            .iter()
            .map(|fault| rule(&server, &format!("{method} {fault}")))
            .collect::<Vec<_>>();
        let setting = ann.set_profile_photo(picture(&png));
        let setting = tokio::time::timeout(PATIENCE, setting);
        let (photo, ()) = tokio::join!(setting, async {
            while dropped && server.faults().fired(rules[0]) == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            if dropped {
                server.drop_connections();
            }
        });
        let photo = photo.unwrap().unwrap_or_else(|e| panic!("{faults:?}: {e}"));
        all.insert(0, photo.id());
        if dropped {
            // A call that is late is done by then.
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        assert_eq!(ids(&bob, "@ann_user").await, all, "{faults:?}");
        let fired: u64 = rules.iter().map(|rule| server.faults().fired(*rule)).sum();
        assert_eq!(fired, done, "{faults:?}");
        server.faults().clear();
    };
    // The session's next connection brings the answer.
    set(&["times=1: close-before-ack"], false, 1).await;
    set(&["times=1: close-after-ack"], false, 1).await;
    // It is being done while the connection breaks.
    set(&["times=1: delay 1500ms"], true, 1).await;
    // It was not done: the server failed, forgot it, or never had it.
    set(&["times=2: error 500 RPC_CALL_FAIL"], false, 2).await;
    set(&["times=1: new-session"], false, 1).await;
    set(&["times=1: close"], false, 1).await;
}

/// Does something that `method` stands for, and lets the server forget its sessions before they have told the
/// answer.
async fn forgotten<T>(
    server: &Server,
    bob: &Client,
    method: &str,
    act: impl Future<Output = T>,
) -> T {
    let before = ids(bob, "@ann_user").await;
    let done = rule(
        server,
        &format!("method={method} times=1: close-before-ack"),
    );
    let shut = rule(server, "connect: close");
    let forget = async {
        while ids(bob, "@ann_user").await == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(server.faults().fired(done), 1);
        server.forget_sessions();
        server.faults().remove(shut);
    };
    let both = async { tokio::join!(act, forget) };
    let (outcome, ()) = tokio::time::timeout(PATIENCE, both).await.unwrap();
    outcome
}

#[tokio::test]
async fn a_profile_photo_whose_answer_nobody_has_any_more_is_looked_for() {
    let server = server().await;
    let (_, ann) = user_with(&server, "+15550001", "Ann", impatient(&server)).await;
    let (_, bob) = user(&server, "+15550002", "Bob").await;
    let png = samples::png(600, 600);
    // Its file's connection is there from now on, whatever becomes of the main one.
    let mut all = vec![ann.set_profile_photo(picture(&png)).await.unwrap().id()];
    for side in [620, 630] {
        let png = samples::png(side, side);
        let set = ann.set_profile_photo(picture(&png));
        let set = forgotten(&server, &bob, "photos.uploadProfilePhoto", set).await;
        let set = set.unwrap();
        assert!(ann.download(&set).bytes().await.unwrap() == png);
        all.insert(0, set.id());
        assert_eq!(ids(&bob, "@ann_user").await, all);
    }
    // One is taken away, and not the one before it too.
    let remove = ann.remove_profile_photo();
    let removed = forgotten(&server, &bob, "photos.updateProfilePhoto", remove).await;
    removed.unwrap();
    assert_eq!(ids(&bob, "@ann_user").await, all[1..]);
}

#[tokio::test]
async fn a_profile_photo_that_may_yet_be_set_is_not_asked_for_again() {
    let server = server().await;
    let config = Config {
        request_timeout: Duration::from_secs(1),
        ..config(&server)
    };
    let (_, ann) = user_with(&server, "+15550001", "Ann", config).await;
    let (_, bob) = user(&server, "+15550002", "Bob").await;
    let png = samples::png(640, 640);
    let lost = rule(&server, "method=photos.uploadProfilePhoto: drop");
    let error = ann.set_profile_photo(picture(&png)).await.unwrap_err();
    assert!(matches!(&error, Error::Timeout(e) if e.sent), "{error}");
    assert_eq!(server.faults().fired(lost), 1);
    server.faults().clear();
    // That it was done is seen, though the answer comes too late.
    rule(&server, "method=photos.uploadProfilePhoto: delay 1200ms");
    let set = ann.set_profile_photo(picture(&png)).await.unwrap();
    assert_eq!(ids(&bob, "@ann_user").await, [set.id()]);
}
