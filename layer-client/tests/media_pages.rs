//! What nobody sent as a file: the previews of links, sticker sets, and files fetched from an address.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod samples;
mod util;

use layer_client::InputMessage;
use layer_client::files::{MediaKind, OutgoingMedia};
use layer_test_server::{NewStickerSet, NewWebPage, Server};
use util::{server, user};

const PAGE: &str = "https://example.org/cats";
const PDF: &[u8] = b"%PDF-1.4 all about cats";

async fn web() -> Server {
    let server = server().await;
    server
        .add_web_page(NewWebPage {
            url: PAGE.to_owned(),
            title: "Cats".to_owned(),
            description: "All about them".to_owned(),
            photo: Some(samples::png(300, 200)),
            document: Some(("cats.pdf".into(), "application/pdf".into(), PDF.to_vec())),
        })
        .unwrap();
    server
}

#[tokio::test]
async fn the_media_of_a_web_page_are_downloaded_also_when_the_message_is_gone() {
    let server = web().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let message = ann
        .send_message("me", format!("Look: {PAGE}"))
        .await
        .unwrap();
    let Some(MediaKind::WebPage(page)) = message.media().map(|media| media.kind()) else {
        panic!("{message:?}");
    };
    assert_eq!(
        (page.title.as_deref(), page.url.as_str()),
        (Some("Cats"), PAGE)
    );
    let (photo, document) = (page.photo().unwrap(), page.document().unwrap());
    assert_eq!(document.file_name(), Some("cats.pdf"));
    assert!(ann.download(&message).bytes().await.unwrap() == PDF);
    // From the message, and from the page when there is no message any more.
    for gone in [false, true] {
        server.expire_file_references();
        if gone {
            message.delete(&ann).await.unwrap();
        }
        assert!(ann.download(photo).bytes().await.unwrap() == samples::png(300, 200));
        assert!(ann.download(document).bytes().await.unwrap() == PDF);
        // A file of a page can be sent as one's own.
        server.expire_file_references();
        let sent = ann
            .send_media("me", OutgoingMedia::document(document), "")
            .await;
        assert_eq!(sent.unwrap().media().unwrap().file_name(), Some("cats.pdf"));
    }
    let plain = InputMessage::text(PAGE).link_preview(false);
    assert!(
        ann.send_message("me", plain)
            .await
            .unwrap()
            .media()
            .is_none()
    );
}

#[tokio::test]
async fn a_message_with_a_preview_is_copied_as_text() {
    let server = web().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    // Longer than a caption may be.
    let text = format!("{PAGE} {}", "word ".repeat(300));
    let message = ann.send_message("me", &text).await.unwrap();
    let copy = ann.copy_message("me", &message).await.unwrap();
    assert_eq!(copy.text(), Some(text.trim()));
    assert!(matches!(
        copy.media().unwrap().kind(),
        MediaKind::WebPage(_)
    ));
    let again = OutgoingMedia::copy(message.media().unwrap());
    let again = ann.send_media("me", again, "other words").await.unwrap();
    assert!(matches!(
        again.media().unwrap().kind(),
        MediaKind::WebPage(_)
    ));
}

#[tokio::test]
async fn the_server_fetches_from_an_address() {
    let server = web().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let photo = OutgoingMedia::photo_url(PAGE).spoiler(true);
    let photo = ann.send_media("me", photo, "").await.unwrap();
    assert!(photo.media().unwrap().is_spoiler());
    assert_eq!(photo.media().unwrap().width(), Some(300));
    let file = ann
        .send_media("me", OutgoingMedia::document_url(PAGE), "")
        .await
        .unwrap();
    assert_eq!(file.media().unwrap().file_name(), Some("cats.pdf"));
    let nowhere = OutgoingMedia::photo_url("https://example.org/nothing");
    let refused = ann.send_media("me", nowhere, "").await.unwrap_err();
    assert!(refused.is("WEBPAGE_CURL_FAILED"), "{refused}");
    // In an album it is kept first, as what is uploaded.
    let album = [
        OutgoingMedia::photo_url(PAGE).caption("one"),
        OutgoingMedia::photo_url(PAGE).caption("two"),
    ];
    let album = ann.send_album("me", album).await.unwrap();
    assert_eq!(
        (album[0].text(), album[1].text()),
        (Some("one"), Some("two"))
    );
}

#[tokio::test]
async fn stickers_are_downloaded_and_sent_from_their_set() {
    let server = server().await;
    let (one, two) = (samples::webp(512, 512), samples::webp(512, 400));
    let sticker =
        |emoji: &str, bytes: &Vec<u8>| (emoji.to_owned(), "image/webp".to_owned(), bytes.clone());
    server
        .add_sticker_set(NewStickerSet {
            short_name: "Animals".to_owned(),
            title: "All animals".to_owned(),
            stickers: vec![sticker("🐈", &one), sticker("🐕", &two)],
        })
        .unwrap();
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let set = ann.sticker_set("t.me/addstickers/Animals").await.unwrap();
    assert_eq!((set.title(), set.short_name()), ("All animals", "Animals"));
    let stickers = set.documents();
    assert_eq!(stickers.len(), 2);
    assert_eq!(stickers[1].sticker_emoji(), Some("🐕"));
    assert!(ann.download(set.preview().unwrap()).bytes().await.unwrap() == one);
    server.expire_file_references();
    assert!(ann.download(stickers[1]).bytes().await.unwrap() == two);
    server.expire_file_references();
    let sent = OutgoingMedia::sticker(stickers[1]);
    let sent = ann.send_media("me", sent, "").await.unwrap();
    let Some(MediaKind::Sticker(sent)) = sent.media().map(|media| media.kind()) else {
        panic!("{sent:?}");
    };
    // And from the sticker to its set.
    let set = ann.sticker_set(sent.sticker_set().unwrap()).await.unwrap();
    assert_eq!(set.short_name(), "Animals");
    let none = ann.sticker_set("Plants").await.unwrap_err();
    assert!(none.is("STICKERSET_INVALID"), "{none}");
}
