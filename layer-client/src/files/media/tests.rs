use std::sync::Arc;
use std::time::Duration;

use layer_tl_types as tl;
use tl::enums::{DocumentAttribute as A, MessageMedia as M};

use super::*;
use crate::messages::blank_message;
use crate::peers::{Finder, PeerId, PeerMap};

fn message(media: impl Into<M>) -> Message {
    let peer = tl::types::PeerUser { user_id: 5 };
    let mut raw = blank_message(9, peer.into(), 0, String::new());
    raw.media = Some(media.into());
    let peers = Arc::new(PeerMap::default());
    let finder = Finder {
        packet: &peers,
        cache: None,
        me: PeerId::user(1).bare(),
    };
    Message::new(raw.into(), &finder)
}

fn size(name: &str, w: i32, h: i32, size: i32) -> tl::enums::PhotoSize {
    tl::types::PhotoSize {
        r#type: name.to_owned(),
        w,
        h,
        size,
    }
    .into()
}

fn photo(sizes: Vec<tl::enums::PhotoSize>) -> tl::enums::Photo {
    tl::types::Photo {
        has_stickers: false,
        id: 77,
        access_hash: 1,
        file_reference: vec![1],
        date: 0,
        sizes,
        video_sizes: Some(vec![
            tl::types::VideoSize {
                r#type: "u".to_owned(),
                w: 800,
                h: 800,
                size: 1234,
                video_start_ts: None,
            }
            .into(),
        ]),
        dc_id: 2,
    }
    .into()
}

fn document(attributes: Vec<A>) -> tl::enums::Document {
    tl::types::Document {
        id: 88,
        access_hash: 1,
        file_reference: vec![2],
        date: 0,
        mime_type: "application/x-special".to_owned(),
        size: 4096,
        thumbs: Some(vec![size("m", 320, 200, 900)]),
        video_thumbs: None,
        dc_id: 2,
        attributes,
    }
    .into()
}

fn media_document(attributes: Vec<A>) -> tl::types::MessageMediaDocument {
    tl::types::MessageMediaDocument {
        nopremium: false,
        spoiler: true,
        video: false,
        round: false,
        voice: false,
        document: Some(document(attributes)),
        alt_documents: Some(vec![document(vec![])]),
        video_cover: Some(photo(vec![])),
        video_timestamp: None,
        ttl_seconds: Some(7),
    }
}

fn video(round_message: bool, duration: f64) -> A {
    tl::types::DocumentAttributeVideo {
        round_message,
        supports_streaming: true,
        nosound: false,
        duration,
        w: 640,
        h: 360,
        preload_prefix_size: None,
        video_start_ts: None,
        video_codec: None,
    }
    .into()
}

fn audio(voice: bool, duration: i32) -> A {
    tl::types::DocumentAttributeAudio {
        voice,
        duration,
        title: None,
        performer: None,
        waveform: None,
    }
    .into()
}

fn sticker() -> A {
    tl::types::DocumentAttributeSticker {
        mask: false,
        alt: "🙂".to_owned(),
        stickerset: tl::types::InputStickerSetId {
            id: 1,
            access_hash: 2,
        }
        .into(),
        mask_coords: None,
    }
    .into()
}

#[test]
fn the_most_particular_attribute_tells_what_a_document_is() {
    use DocumentKind as K;
    let cases = [
        (vec![], K::Document),
        (vec![video(false, 1.0)], K::Video),
        (vec![video(true, 1.0)], K::RoundVideo),
        (vec![video(false, 1.0), A::Animated], K::Animation),
        (vec![A::Animated, video(false, 1.0)], K::Animation),
        (vec![video(false, 1.0), sticker()], K::Sticker),
        (vec![audio(false, 1)], K::Audio),
        (vec![audio(true, 1)], K::Voice),
        (vec![A::HasStickers], K::Document),
    ];
    for (attributes, kind) in cases {
        let message = message(media_document(attributes));
        let document = message.media().unwrap().document().unwrap();
        assert_eq!(document.kind(), kind, "{document:?}");
    }
}

#[test]
fn what_a_document_says_is_offered() {
    let one = message(media_document(vec![sticker(), video(false, 2.5)]));
    let media = one.media().unwrap();
    let MediaKind::Sticker(document) = media.kind() else {
        panic!("{media:?}");
    };
    assert_eq!(document.sticker_emoji(), Some("🙂"));
    assert!(document.sticker_set().is_some());
    assert_eq!(media.duration(), Some(Duration::from_millis(2500)));
    assert_eq!((media.width(), media.height()), (Some(640), Some(360)));
    assert_eq!((media.ttl_seconds(), media.is_spoiler()), (Some(7), true));
    assert_eq!((media.alt_documents().len(), media.size()), (1, Some(4096)));
    assert_eq!(media.cover().unwrap().id, 77);
    assert_eq!(media.mime_type(), Some("application/x-special"));
    let thumbs = media.thumbs();
    assert_eq!((thumbs.len(), thumbs[0].size()), (1, Some(900)));
    let at = thumbs[0].file_location().unwrap();
    assert!(matches!(
        at.raw(),
        tl::enums::InputFileLocation::InputDocumentFileLocation(at) if at.thumb_size == "m"
    ));
}

#[test]
fn hostile_numbers_are_no_durations_and_no_sizes() {
    for seconds in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
        let message = message(media_document(vec![video(false, seconds)]));
        assert_eq!(message.media().unwrap().duration(), None);
    }
    let message = message(media_document(vec![audio(true, i32::MIN)]));
    assert_eq!(message.media().unwrap().duration(), None);
    let sizes = vec![
        size("a", i32::MAX, i32::MAX, i32::MIN),
        size("b", i32::MIN, i32::MIN, -1),
    ];
    let message = self::message(tl::types::MessageMediaPhoto {
        spoiler: false,
        photo: Some(photo(sizes)),
        ttl_seconds: None,
    });
    assert_eq!(message.media().unwrap().size(), None);
}

#[test]
fn each_form_of_a_size_is_listed() {
    let bytes = vec![1, 30, 40, 9];
    let sizes = vec![
        tl::types::PhotoSizeEmpty {
            r#type: "s".to_owned(),
        }
        .into(),
        tl::types::PhotoStrippedSize {
            r#type: "i".to_owned(),
            bytes,
        }
        .into(),
        tl::types::PhotoPathSize {
            r#type: "j".to_owned(),
            bytes: vec![12, 133],
        }
        .into(),
        tl::types::PhotoCachedSize {
            r#type: "s".to_owned(),
            w: 90,
            h: 60,
            bytes: vec![5, 6],
        }
        .into(),
        tl::types::PhotoSizeProgressive {
            r#type: "y".to_owned(),
            w: 1280,
            h: 720,
            sizes: vec![100, 5000, 200],
        }
        .into(),
        size("x", 800, 450, 3000),
    ];
    let message = message(tl::types::MessageMediaPhoto {
        spoiler: false,
        photo: Some(photo(sizes)),
        ttl_seconds: None,
    });
    let photo = message.media().unwrap().photo().unwrap();
    let thumbs = photo.thumbs();
    let names: Vec<_> = thumbs.iter().map(Thumb::name).collect();
    assert_eq!(names, ["i", "j", "s", "y", "x"]);
    assert!(thumbs[0].inline().unwrap().starts_with(b"\xff\xd8"));
    assert_eq!(
        (thumbs[0].width(), thumbs[0].height()),
        (Some(40), Some(30))
    );
    assert_eq!(thumbs[1].outline().as_deref(), Some("M12,5z"));
    assert!(thumbs[1].inline().unwrap().starts_with(b"<?xml"));
    assert_eq!(thumbs[2].inline(), Some(vec![5, 6]));
    assert_eq!((thumbs[3].size(), thumbs[3].inline()), (Some(5000), None));
    let there: Vec<_> = thumbs.iter().map(|thumb| thumb.size().is_some()).collect();
    assert_eq!(there, [false, false, true, true, true]);
    assert_eq!(photo.largest().unwrap().name(), "y");
    let videos = photo.videos();
    assert!(videos[0].is_video() && videos[0].size() == Some(1234));
}

fn page(photo: Option<tl::enums::Photo>, document: Option<tl::enums::Document>) -> M {
    tl::types::MessageMediaWebPage {
        force_large_media: true,
        force_small_media: false,
        manual: false,
        safe: false,
        webpage: tl::types::WebPage {
            has_large_media: false,
            video_cover_photo: false,
            id: 3,
            url: "https://example.org/a".to_owned(),
            display_url: "example.org".to_owned(),
            hash: 0,
            r#type: None,
            site_name: None,
            title: Some("A page".to_owned()),
            description: None,
            photo,
            embed_url: None,
            embed_type: None,
            embed_width: None,
            embed_height: None,
            duration: None,
            author: None,
            document,
            cached_page: None,
            attributes: None,
        }
        .into(),
    }
    .into()
}

#[test]
fn the_file_of_a_web_page_is_its_document_or_its_photo() {
    let both = message(page(
        Some(photo(vec![size("x", 8, 8, 55)])),
        Some(document(vec![])),
    ));
    let media = both.media().unwrap();
    assert_eq!(media.size(), Some(4096));
    let MediaKind::WebPage(page) = media.kind() else {
        panic!("{media:?}");
    };
    assert_eq!(page.title.as_deref(), Some("A page"));
    assert_eq!(
        (page.photo().unwrap().id, page.document().unwrap().id),
        (77, 88)
    );
    // It is the page's, not the message's own.
    assert!(media.photo().is_none() && media.document().is_none());
    let one = message(self::page(Some(photo(vec![size("x", 8, 8, 55)])), None));
    assert_eq!(one.media().unwrap().size(), Some(55));
    let none = message(self::page(None, None));
    assert!(none.media().unwrap().file_location().is_none());
    assert!(matches!(
        none.media().unwrap().to_input(),
        Some(tl::enums::InputMedia::WebPage(page)) if page.force_large_media && page.optional
    ));
}

#[test]
fn what_cannot_be_sent_again_is_no_input() {
    let gone = message(tl::types::MessageMediaPhoto {
        spoiler: false,
        photo: None,
        ttl_seconds: Some(5),
    });
    let media = gone.media().unwrap();
    assert!(matches!(media.kind(), MediaKind::Other(_)));
    assert!(media.to_input().is_none() && media.file_location().is_none());
    let unsupported = message(M::Unsupported);
    assert!(unsupported.media().unwrap().to_input().is_none());
}
