//! What is sent besides text, as it comes out at the other end.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

#[allow(dead_code)] // its `main` is for the reader
#[path = "../examples/media.rs"]
mod example;
mod samples;
mod util;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use layer_client::files::{
    Document, DocumentKind, Media, MediaKind, OutgoingMedia, OutgoingPoll, Upload,
};
use layer_client::middleware::{BoxFuture, Middleware, Next, Outcome, Request};
use layer_client::update::Update;
use layer_client::{Client, Error, InputMessage, Message, RpcError, tl};
use layer_test_server::{Server, UserHandle};
use util::{config, send_media, server, user, user_with};

const WAVE: [u8; 9] = [0, 31, 1, 30, 2, 29, 3, 28, 4];

async fn sent(client: &Client, media: OutgoingMedia<'_>) -> Message {
    client.send_media("me", media, "a caption").await.unwrap()
}

fn document<'a>(message: &'a Message, kind: DocumentKind) -> Document<'a> {
    let document = message.media().unwrap().document().unwrap();
    assert_eq!(document.kind(), kind, "{document:?}");
    document
}

#[tokio::test]
async fn each_kind_comes_out_as_what_it_was_sent() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let second = Duration::from_secs(1);
    let bytes = samples::mp4(640, 360, 5000, false, true);
    let file = || Upload::bytes("film.mp4", &bytes);

    let video = OutgoingMedia::video(file())
        .dimensions(640, 360)
        .duration(second * 5);
    let video = sent(&ann, video).await;
    assert_eq!(video.text(), Some("a caption"));
    let film = document(&video, DocumentKind::Video);
    assert_eq!((film.width(), film.height()), (Some(640), Some(360)));
    assert_eq!(film.duration(), Some(second * 5));
    assert_eq!(
        (film.file_name(), film.mime_type()),
        (Some("film.mp4"), "video/mp4")
    );
    assert!(film.supports_streaming());
    assert!(matches!(video.media().unwrap().kind(), MediaKind::Video(_)));
    assert!(ann.download(&video).bytes().await.unwrap() == bytes);

    let round = sent(
        &ann,
        OutgoingMedia::round_video(file()).dimensions(240, 240),
    )
    .await;
    let round = document(&round, DocumentKind::RoundVideo);
    assert_eq!(
        (round.width(), round.supports_streaming()),
        (Some(240), false)
    );
    let animation = sent(&ann, OutgoingMedia::animation(file())).await;
    assert!(matches!(
        animation.media().unwrap().kind(),
        MediaKind::Animation(_)
    ));

    let opus = samples::opus(48_000);
    let voice = OutgoingMedia::voice(Upload::bytes("v.ogg", &opus))
        .duration(second * 3)
        .waveform(WAVE);
    let voice = sent(&ann, voice).await;
    let voice = document(&voice, DocumentKind::Voice);
    assert_eq!(
        (voice.duration(), voice.mime_type()),
        (Some(second * 3), "audio/ogg")
    );
    assert_eq!(voice.waveform().as_deref(), Some(&WAVE[..]));

    let mp3 = samples::mp3(2, "x", "y");
    let audio = OutgoingMedia::audio(Upload::bytes("song", &mp3))
        .title("A Title")
        .performer("Some One")
        .duration(second * 200)
        .file_name("song.mp3")
        .mime_type("audio/x-special");
    let audio = sent(&ann, audio).await;
    let audio = document(&audio, DocumentKind::Audio);
    assert_eq!(
        (audio.title(), audio.performer()),
        (Some("A Title"), Some("Some One"))
    );
    assert_eq!(
        (audio.file_name(), audio.mime_type()),
        (Some("song.mp3"), "audio/x-special")
    );

    let webp = samples::webp(512, 512);
    let sticker = OutgoingMedia::sticker(Upload::bytes("s.webp", &webp))
        .emoji("🙂")
        .dimensions(512, 512);
    let sticker = sent(&ann, sticker).await;
    let sticker = document(&sticker, DocumentKind::Sticker);
    assert_eq!(
        (sticker.sticker_emoji(), sticker.mime_type()),
        (Some("🙂"), "image/webp")
    );
    assert_eq!((sticker.width(), sticker.sticker_set()), (Some(512), None));

    let plain = sent(&ann, OutgoingMedia::document(file())).await;
    let plain = document(&plain, DocumentKind::Document);
    assert_eq!(
        (plain.file_name(), plain.size()),
        (Some("film.mp4"), Some(bytes.len() as u64))
    );
    assert!(matches!(
        Media::kind(video.media().unwrap()),
        MediaKind::Video(_)
    ));
}

#[tokio::test]
async fn a_photo_a_spoiler_and_one_that_destroys_itself() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let png = samples::png(320, 200);
    let photo = OutgoingMedia::photo(Upload::bytes("a.png", &png)).spoiler(true);
    let photo = sent(&ann, photo).await;
    let media = photo.media().unwrap();
    assert!(media.is_spoiler() && matches!(media.kind(), MediaKind::Photo(_)));
    assert_eq!((media.width(), media.height()), (Some(320), Some(200)));
    assert_eq!(media.ttl_seconds(), None);
    let brief = OutgoingMedia::photo(Upload::bytes("a.png", &png)).ttl_seconds(30);
    let (bob, _) = user(&server, "+15550002", "Bob").await;
    let brief = ann.send_media("@bob_user", brief, "").await.unwrap();
    assert_eq!(brief.media().unwrap().ttl_seconds(), Some(30));
    drop(bob);
}

#[tokio::test]
async fn a_file_uploaded_once_is_sent_twice_under_two_names_with_a_thumbnail() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let file = ann
        .upload_file(Upload::bytes("a.txt", b"text"))
        .await
        .unwrap();
    let jpeg = samples::jpeg(90, 60);
    let media = OutgoingMedia::document(&file)
        .file_name("b.txt")
        .thumbnail(Upload::bytes("t.jpg", &jpeg));
    let one = sent(&ann, media).await;
    let document = document(&one, DocumentKind::Document);
    assert_eq!(
        (document.file_name(), document.mime_type()),
        (Some("b.txt"), "text/plain")
    );
    let thumbs = document.thumbs();
    let thumb = thumbs.iter().find(|thumb| thumb.size().is_some()).unwrap();
    assert_eq!((thumb.width(), thumb.height()), (Some(90), Some(60)));
    assert!(ann.download(thumb).bytes().await.unwrap() == jpeg);
    // As before, and still so.
    let raw = InputMessage::text("raw").media(
        ann.input_media(OutgoingMedia::photo(Upload::bytes(
            "a.png",
            &samples::png(9, 9),
        )))
        .await
        .unwrap(),
    );
    assert!(
        ann.send_message("me", raw)
            .await
            .unwrap()
            .media()
            .unwrap()
            .photo()
            .is_some()
    );
}

#[tokio::test]
async fn the_server_is_told_what_it_may_make_of_a_file() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let file = ann
        .upload_file(Upload::bytes("a.mp4", b"film"))
        .await
        .unwrap();
    let cases = [
        (OutgoingMedia::document(&file), (true, false, false)),
        (
            OutgoingMedia::document(&file).force_file(false),
            (false, false, false),
        ),
        // A video without sound would become an animation.
        (OutgoingMedia::video(&file), (false, true, false)),
        (
            OutgoingMedia::video(&file).nosound(true),
            (false, true, true),
        ),
        (OutgoingMedia::animation(&file), (false, false, true)),
    ];
    for (media, told) in cases {
        let tl::enums::InputMedia::UploadedDocument(media) = ann.input_media(media).await.unwrap()
        else {
            panic!("it is uploaded");
        };
        let nosound = media.attributes.iter().any(|attribute| {
            matches!(attribute, tl::enums::DocumentAttribute::Video(video) if video.nosound)
        });
        assert_eq!((media.force_file, media.nosound_video, nosound), told);
    }
}

#[tokio::test]
async fn what_has_no_file_is_sent_too() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let (_bob, _) = user(&server, "+15550002", "Bob").await;
    let place = sent(&ann, OutgoingMedia::geo_point(48.85, 2.35)).await;
    let Some(MediaKind::Geo(point)) = place.media().map(Media::kind) else {
        panic!("{place:?}");
    };
    assert_eq!((point.lat, point.long), (48.85, 2.35));
    let venue = sent(&ann, OutgoingMedia::venue(1.0, 2.0, "Here", "Street")).await;
    assert!(matches!(
        venue.media().unwrap().kind(),
        MediaKind::Venue(venue) if venue.title == "Here" && venue.address == "Street"
    ));
    let contact = sent(&ann, OutgoingMedia::contact("15550002", "Bob", "B")).await;
    assert!(matches!(
        contact.media().unwrap().kind(),
        MediaKind::Contact(contact) if contact.first_name == "Bob" && contact.user_id != 0
    ));
    let dice = sent(&ann, OutgoingMedia::dice("🎲")).await;
    assert!(matches!(
        dice.media().unwrap().kind(),
        MediaKind::Dice(dice) if (1..=6).contains(&dice.value)
    ));
    let group = ann.create_group("Friends", ["@bob_user"]).await.unwrap();
    let quiz = OutgoingPoll::quiz("6 times 7?", ["41", "42"], 1).solution("Well.");
    let quiz = ann.send_media(&group, quiz.into(), "").await.unwrap();
    let Some(MediaKind::Poll(poll)) = quiz.media().map(Media::kind) else {
        panic!("{quiz:?}");
    };
    let tl::enums::Poll::Poll(poll) = &poll.poll;
    assert!(poll.quiz && poll.answers.len() == 2);
}

#[tokio::test]
async fn the_medium_of_a_message_is_replaced() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let first = Upload::bytes("a.txt", b"one");
    let first = sent(&ann, OutgoingMedia::document(first)).await;
    let second = OutgoingMedia::document(Upload::bytes("b.txt", b"two"));
    let edited = ann.edit_media("me", first.id(), second, "").await.unwrap();
    assert_eq!(
        (edited.id(), edited.text()),
        (first.id(), Some("a caption"))
    );
    assert_eq!(edited.media().unwrap().file_name(), Some("b.txt"));
    let third = OutgoingMedia::copy(first.media().unwrap()).caption("another");
    server.expire_file_references();
    let back = Upload::bytes("c.txt", b"three");
    let kept = sent(&ann, OutgoingMedia::document(back)).await;
    let old = kept.media().unwrap();
    server.expire_file_references();
    let edited = ann
        .edit_media("me", first.id(), OutgoingMedia::copy(old), "new")
        .await
        .unwrap();
    assert_eq!(edited.text(), Some("new"));
    assert_eq!(edited.media().unwrap().file_name(), Some("c.txt"));
    // Nobody has the first file any more, and its message another: there is nothing to get it by.
    assert!(ann.send_media("me", third, "").await.is_err());
}

#[tokio::test]
async fn a_received_file_is_copied_also_when_its_reference_has_run_out() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let bytes = samples::opus(48_000);
    let voice = OutgoingMedia::voice(Upload::bytes("v.ogg", &bytes)).waveform(WAVE);
    let voice = sent(&ann, voice).await;
    let png = samples::png(320, 200);
    let photo = sent(&ann, OutgoingMedia::photo(Upload::bytes("a.png", &png))).await;
    let id = |message: &Message| {
        let media = message.media().unwrap();
        media
            .photo()
            .map_or_else(|| media.document().unwrap().id, |photo| photo.id)
    };
    for original in [&voice, &photo] {
        for expired in [false, true] {
            if expired {
                server.expire_file_references();
            }
            let media = original.media().unwrap();
            let copy = ann
                .send_media("me", OutgoingMedia::copy(media), "x")
                .await
                .unwrap();
            assert_eq!(id(&copy), id(original));
        }
    }
    // Said by hand what it is.
    let again = OutgoingMedia::photo(photo.media().unwrap());
    assert_eq!(
        id(&ann.send_media("me", again, "").await.unwrap()),
        id(&photo)
    );
    let wrong = OutgoingMedia::photo(voice.media().unwrap());
    assert!(matches!(
        ann.send_media("me", wrong, "").await,
        Err(Error::Input(_))
    ));
    let wrong = OutgoingMedia::document(photo.media().unwrap());
    assert!(matches!(
        ann.send_media("me", wrong, "").await,
        Err(Error::Input(_))
    ));
    // The message is gone, and with it the only place to get a reference.
    server.expire_file_references();
    photo.delete(&ann).await.unwrap();
    let media = OutgoingMedia::copy(photo.media().unwrap());
    assert!(ann.send_media("me", media, "").await.is_err());
}

#[tokio::test]
async fn a_whole_message_is_copied_without_its_buttons() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let (_bob, bob) = user(&server, "+15550002", "Bob").await;
    let mut bobs = bob.stream_updates();
    let caption = InputMessage::markdown("**bold** words");
    let file = OutgoingMedia::document(Upload::bytes("a.txt", b"text"));
    let original = ann.send_media("me", file, caption).await.unwrap();
    server.expire_file_references();
    let copy = ann.copy_message("@bob_user", &original).await.unwrap();
    assert_eq!(copy.markdown(), "**bold** words");
    assert!(copy.forward().is_none());
    let got = util::next_that(&mut bobs, |update| match update {
        Update::NewMessage(message) => message.media().is_some().then_some(message),
        _ => None,
    })
    .await;
    assert_eq!(got.media().unwrap().file_name(), Some("a.txt"));
    let text = ann.send_message("me", "only text").await.unwrap();
    let copy = ann.copy_message("@bob_user", &text).await.unwrap();
    assert_eq!(copy.text(), Some("only text"));
    let png = samples::png(9, 9);
    let veiled = OutgoingMedia::photo(Upload::bytes("a.png", &png)).spoiler(true);
    let copy = ann.copy_message("me", &sent(&ann, veiled).await).await;
    assert!(copy.unwrap().media().unwrap().is_spoiler());
    let place = sent(&ann, OutgoingMedia::geo_point(1.0, 2.0)).await;
    let copy = ann.copy_message("me", &place).await.unwrap();
    assert!(matches!(copy.media().unwrap().kind(), MediaKind::Geo(_)));
}

fn album<'a>(files: &'a [Vec<u8>]) -> Vec<OutgoingMedia<'a>> {
    let photos = files.iter().enumerate().map(|(index, bytes)| {
        let file = Upload::bytes(format!("{index}.png"), bytes);
        OutgoingMedia::photo(file).caption(format!("number {index}"))
    });
    photos.collect()
}

fn pictures(count: u32) -> Vec<Vec<u8>> {
    (0..count)
        .map(|index| samples::png(100 + index, 50))
        .collect()
}

fn check_album(messages: &[Message], count: usize) {
    assert_eq!(messages.len(), count);
    let album = messages[0].album();
    assert!(album.is_some());
    for (index, message) in messages.iter().enumerate() {
        assert_eq!(message.text(), Some(&*format!("number {index}")));
        assert_eq!(message.album(), album);
        let width = i32::try_from(100 + index).unwrap();
        assert_eq!(message.media().unwrap().width(), Some(width));
    }
    assert!(messages.windows(2).all(|pair| pair[0].id() < pair[1].id()));
}

#[tokio::test]
async fn an_album_arrives_as_one_in_its_order() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    for count in [2, 10] {
        let files = pictures(count);
        let mut media = album(&files);
        media[0] = OutgoingMedia::photo(Upload::bytes("0.png", &files[0]))
            .caption(InputMessage::markdown("number **0**").silent(true));
        let messages = ann.send_album("me", media).await.unwrap();
        check_album(&messages, files.len());
        assert!(messages.iter().all(Message::silent));
        assert_eq!(messages[0].markdown(), "number **0**");
    }
    let files = pictures(1);
    let refused = ann.send_album("me", album(&files)).await;
    assert!(matches!(refused, Err(Error::Input(_))));
    // Nothing was sent when one of them fails.
    let before = ann.iter_messages("me").collect().await.unwrap().len();
    let broken = [
        OutgoingMedia::photo(Upload::bytes("a.png", &files[0])),
        OutgoingMedia::photo("/does/not/exist.png"),
    ];
    assert!(ann.send_album("me", broken).await.is_err());
    assert_eq!(
        ann.iter_messages("me").collect().await.unwrap().len(),
        before
    );
}

#[tokio::test]
async fn an_album_of_received_files_gets_what_has_run_out_anew() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let files = pictures(3);
    let first = ann.send_album("me", album(&files)).await.unwrap();
    server.expire_file_references();
    let fresh = samples::png(100, 50);
    let mut again = vec![OutgoingMedia::photo(Upload::bytes("0.png", &fresh)).caption("number 0")];
    again.extend(first.iter().enumerate().skip(1).map(|(index, message)| {
        OutgoingMedia::copy(message.media().unwrap()).caption(format!("number {index}"))
    }));
    let second = ann.send_album("me", again).await.unwrap();
    check_album(&second, 3);
    assert_ne!(second[0].album(), first[0].album());
}

/// Has the answer to the first of these calls lost, after the server did it. Meanwhile the account
/// throws dice somewhere else.
struct Lost(&'static str, AtomicU32, OnceLock<UserHandle>);

impl Middleware for Lost {
    fn call<'a>(&'a self, request: &'a mut Request, next: Next<'a>) -> BoxFuture<'a, Outcome> {
        let lost = request.method() == Some(self.0) && self.1.fetch_add(1, Ordering::SeqCst) == 0;
        Box::pin(async move {
            let answer = next.run(request).await;
            if lost {
                if let Some(person) = self.2.get() {
                    throw_dice(person);
                }
                return Err(Error::Rpc(RpcError::parse(500, "RPC_CALL_FAIL")));
            }
            answer
        })
    }
}

fn throw_dice(person: &UserHandle) {
    let request = send_media(
        tl::enums::InputPeer::PeerSelf,
        tl::types::InputMediaDice {
            emoticon: "🎲".to_owned(),
        },
    );
    person.invoke(&request).unwrap();
}

async fn forgetful(server: &Server, method: &'static str) -> (Client, Arc<Lost>) {
    let lost = Arc::new(Lost(method, AtomicU32::new(0), OnceLock::new()));
    let config = layer_client::Config {
        attempt_layers: vec![lost.clone()],
        ..config(server)
    };
    let (person, client) = user_with(server, "+15550001", "Ann", config).await;
    assert!(lost.2.set(person).is_ok());
    (client, lost)
}

#[tokio::test]
async fn an_album_whose_answer_was_lost_is_found_and_not_sent_twice() {
    let server = server().await;
    let (ann, lost) = forgetful(&server, "messages.sendMultiMedia").await;
    let files = pictures(4);
    let messages = ann.send_album("me", album(&files)).await.unwrap();
    check_album(&messages, 4);
    assert_eq!(lost.1.load(Ordering::SeqCst), 2);
    // The album and the dice.
    assert_eq!(ann.iter_messages("me").collect().await.unwrap().len(), 5);
}

#[tokio::test]
async fn a_copy_whose_answer_was_lost_is_found_by_its_file() {
    let server = server().await;
    let (ann, lost) = forgetful(&server, "messages.sendMedia").await;
    let files = pictures(2);
    let album = ann.send_album("me", album(&files)).await.unwrap();
    let copy = OutgoingMedia::copy(album[0].media().unwrap());
    let copy = ann.send_media("me", copy, "").await.unwrap();
    assert_eq!(lost.1.load(Ordering::SeqCst), 2);
    assert_eq!(copy.media().unwrap().width(), Some(100));
    assert!(copy.id() > album[1].id() && copy.album().is_none());
    assert_eq!(ann.iter_messages("me").collect().await.unwrap().len(), 4);
}

#[tokio::test]
async fn an_album_gets_through_what_a_network_does() {
    let server = server().await;
    let config = layer_client::Config {
        // Connections break all the time here.
        max_reconnect_delay: Duration::from_millis(300),
        ..config(&server)
    };
    let (_, ann) = user_with(&server, "+15550001", "Ann", config).await;
    let faults = [
        "method=messages.uploadMedia times=1: close-before-ack",
        "method=messages.uploadMedia nth=2: close-after-ack",
        "method=messages.uploadMedia times=2: error 500 RPC_CALL_FAIL",
        "method=messages.uploadMedia times=1: bad-server-salt",
        "method=messages.sendMultiMedia times=1: close-before-ack",
        "method=messages.sendMultiMedia times=1: close-after-ack",
        "method=messages.sendMultiMedia times=1: error 500 RPC_CALL_FAIL",
        "method=messages.sendMultiMedia times=1: flood-wait 1",
        "method=upload.saveFilePart times=3: error 500 RPC_CALL_FAIL",
    ];
    let files = pictures(3);
    for (count, fault) in faults.iter().enumerate() {
        let id = server.faults().add(fault.parse().unwrap()).unwrap();
        let messages = ann.send_album("me", album(&files)).await;
        let messages = messages.unwrap_or_else(|error| panic!("{fault}: {error}"));
        check_album(&messages, 3);
        let all = ann.iter_messages("me").collect().await.unwrap().len();
        assert_eq!(all, 3 * (count + 1), "{fault}");
        assert!(server.faults().fired(id) > 0, "{fault}");
        server.faults().clear();
    }
}

#[cfg(feature = "media-info")]
#[tokio::test]
async fn what_nobody_said_is_read_from_the_file() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("upright.mp4");
    std::fs::write(&path, samples::mp4(1920, 1080, 7500, true, false)).unwrap();
    let film = sent(&ann, OutgoingMedia::video(&path)).await;
    let film = document(&film, DocumentKind::Video);
    assert_eq!((film.width(), film.height()), (Some(1080), Some(1920)));
    assert_eq!(film.duration(), Some(Duration::from_millis(7500)));
    let mp3 = samples::mp3(100, "A Title", "Some One");
    let song = OutgoingMedia::audio(Upload::bytes("a.mp3", &mp3)).performer("Me");
    let song = sent(&ann, song).await;
    let song = document(&song, DocumentKind::Audio);
    assert_eq!(
        (song.title(), song.performer()),
        (Some("A Title"), Some("Me"))
    );
    assert_eq!(song.duration(), Some(Duration::from_secs(3)));
    let png = samples::png(64, 48);
    let picture = sent(&ann, OutgoingMedia::document(Upload::bytes("a.png", &png))).await;
    let picture = document(&picture, DocumentKind::Document);
    assert_eq!((picture.width(), picture.height()), (Some(64), Some(48)));
    // What does not read is sent all the same.
    let broken = OutgoingMedia::video(Upload::bytes("a.mp4", b"no film"));
    let broken = sent(&ann, broken).await;
    let broken = document(&broken, DocumentKind::Video);
    assert_eq!(broken.duration(), Some(Duration::ZERO));
}

#[tokio::test]
async fn the_example_does_what_it_says() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    example::send(&ann).await.unwrap();
    let lines = example::look(&ann).await.unwrap();
    assert_eq!(lines.len(), 6, "{lines:?}");
    assert!(lines[0].starts_with("a photo of 200x150,") && lines[0].ends_with("behind a veil"));
    assert_eq!(lines[1], "Notre-Dame in Paris");
    assert!(lines[2].ends_with("The way back") && lines[3].ends_with("The way there"));
    assert_eq!(
        lines[4],
        "4s of voice, as loud as [0, 8, 16, 31, 24, 12, 4, 1]"
    );
}
