//! What is stored of pictures.

use layer_tl_types::{enums, types};

use super::{
    Session, Stage, bytes, document, get, photo, read, send, the_document, the_photo, two, upload,
};
use crate::world::ids::PeerId;
use crate::world::image::measure;

/// What passes for a picture of this size.
pub(super) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    png.extend(width.to_be_bytes());
    png.extend(height.to_be_bytes());
    png.resize(3000, 7);
    png
}

/// Sends a picture as a photo to oneself.
fn sent(stage: &mut Stage, me: Session, picture: &[u8]) -> Result<types::Photo, String> {
    let file = upload(stage, me, picture, 1024, false);
    send(stage, me, PeerId::User(me.user), photo(file)).map(|media| the_photo(&media))
}

fn size(photo: &types::Photo, letter: &str) -> enums::InputFileLocation {
    types::InputPhotoFileLocation {
        id: photo.id,
        access_hash: photo.access_hash,
        file_reference: photo.file_reference.clone(),
        thumb_size: letter.to_owned(),
    }
    .into()
}

#[test]
fn a_photo_has_several_sizes_and_the_largest_is_what_was_uploaded() {
    let (mut stage, ann, bob) = two();
    let picture = png(2000, 1000);
    let shown = sent(&mut stage, ann, &picture).unwrap();
    let mut sizes = shown.sizes.iter();
    let Some(enums::PhotoSize::PhotoStrippedSize(stripped)) = sizes.next() else {
        panic!("the stripped one comes first: {:?}", shown.sizes)
    };
    assert_eq!(
        (&*stripped.r#type, &stripped.bytes[..3]),
        ("i", &[1, 20, 40][..])
    );
    let mut seen = Vec::new();
    for size_of in sizes {
        let enums::PhotoSize::Size(one) = size_of else {
            panic!("{size_of:?}")
        };
        let data = read(&mut stage, bob, &size(&shown, &one.r#type), 4096);
        let image = measure(&data).unwrap();
        assert_eq!((image.width, image.height), (one.w, one.h));
        assert_eq!(i32::try_from(data.len()).unwrap(), one.size);
        if one.r#type == "w" {
            assert!(data == picture);
        } else {
            assert!(data.starts_with(b"\xff\xd8\xff") && data.ends_with(b"\xff\xd9"));
        }
        seen.push((one.r#type.clone(), one.w, one.h));
    }
    let expected = [
        ("m", 320, 160),
        ("x", 800, 400),
        ("y", 1280, 640),
        ("w", 2000, 1000),
    ];
    assert_eq!(
        seen,
        expected.map(|(letter, w, h)| (letter.to_owned(), w, h))
    );
    for letter in ["", "s", "i", "mm", "M", "\u{e9}"] {
        let refused = stage.refused(ann, &get(&size(&shown, letter)));
        assert_eq!(refused, "LOCATION_INVALID", "{letter:?}");
    }
    // A small one has no other size.
    let small = sent(&mut stage, ann, &png(300, 200)).unwrap();
    assert_eq!(small.sizes.len(), 2);
    assert_eq!(
        stage
            .world
            .files
            .get(small.id)
            .unwrap()
            .original()
            .unwrap()
            .len(),
        3000
    );
}

#[test]
fn what_is_no_picture_or_of_no_good_shape_is_refused() {
    let (mut stage, ann, _) = two();
    let mut error = |picture: &[u8]| sent(&mut stage, ann, picture).unwrap_err();
    assert_eq!(error(&bytes(3000)), "IMAGE_PROCESS_FAILED");
    assert_eq!(error(&png(8000, 2001)), "PHOTO_INVALID_DIMENSIONS");
    assert_eq!(error(&png(2100, 100)), "PHOTO_INVALID_DIMENSIONS");
    assert_eq!(
        error(&png(i32::MAX.cast_unsigned(), 1)),
        "PHOTO_INVALID_DIMENSIONS"
    );
    let mut large = png(100, 100);
    large.resize(10 * 1024 * 1024 + 1, 0);
    let file = upload(&mut stage, ann, &large, 512 * 1024, true);
    let refused = send(&mut stage, ann, PeerId::User(ann.user), photo(file));
    assert_eq!(refused.unwrap_err(), "PHOTO_SAVE_FILE_INVALID");
}

#[test]
fn a_progressive_jpeg_says_how_much_of_it_shows_it() {
    let (mut stage, ann, _) = two();
    let mut picture = vec![0xff, 0xd8, 0xff, 0xc2, 0, 11, 8, 1, 0, 1, 0, 1, 1, 0x11, 0];
    for _ in 0..2 {
        picture.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]);
        picture.extend([9; 500]);
    }
    picture.extend([0xff, 0xd9]);
    let shown = sent(&mut stage, ann, &picture).unwrap();
    let Some(enums::PhotoSize::Progressive(size_of)) = shown.sizes.last() else {
        panic!("{:?}", shown.sizes)
    };
    assert_eq!(
        (size_of.w, size_of.h, &size_of.sizes[..]),
        (256, 256, &[525, 1037][..])
    );
    assert!(read(&mut stage, ann, &size(&shown, &size_of.r#type), 4096) == picture);
}

#[test]
fn a_document_has_the_thumbnail_that_came_with_it_or_one_that_was_made() {
    let (mut stage, ann, _) = two();
    let mut with = |thumb: Option<&[u8]>, video: bool| {
        let file = upload(&mut stage, ann, &bytes(5000), 1024, false);
        let thumb = thumb.map(|thumb| upload(&mut stage, ann, thumb, 1024, false));
        let enums::InputMedia::UploadedDocument(mut media) = document(file) else {
            panic!("a document")
        };
        media.thumb = thumb;
        if video {
            media.attributes.push(
                types::DocumentAttributeVideo {
                    round_message: false,
                    supports_streaming: false,
                    nosound: false,
                    duration: 1.0,
                    w: 1920,
                    h: 1080,
                    preload_prefix_size: None,
                    video_start_ts: None,
                    video_codec: None,
                }
                .into(),
            );
        }
        let sent = send(&mut stage, ann, PeerId::User(ann.user), (*media).into()).unwrap();
        let sent = the_document(&sent);
        let thumbs = sent.thumbs.clone().unwrap_or_default();
        let at = types::InputDocumentFileLocation {
            id: sent.id,
            access_hash: sent.access_hash,
            file_reference: sent.file_reference,
            thumb_size: "m".to_owned(),
        };
        let image = (!thumbs.is_empty()).then(|| read(&mut stage, ann, &at.into(), 4096));
        (thumbs.len(), image)
    };
    assert_eq!(with(None, false), (0, None));
    let given = png(320, 200);
    assert_eq!(with(Some(&given), false), (2, Some(given.clone())));
    assert_eq!(with(Some(&given), true), (2, Some(given)));
    let (count, made) = with(None, true);
    let made = measure(&made.unwrap()).unwrap();
    assert_eq!((count, made.width, made.height), (2, 320, 180));
}

/// What a document is shown with: the id of its cover, and where it begins.
fn covered(media: &enums::MessageMedia) -> (Option<i64>, Option<i32>) {
    let enums::MessageMedia::Document(media) = media else {
        panic!("no document")
    };
    let id = media.video_cover.as_ref().map(|cover| match cover {
        enums::Photo::Photo(photo) => photo.id,
        enums::Photo::Empty(photo) => panic!("an empty cover: {photo:?}"),
    });
    (id, media.video_timestamp)
}

#[test]
fn a_document_is_sent_with_a_cover_newly_and_again() {
    let (mut stage, ann, bob) = two();
    let (me, to_bob) = (PeerId::User(ann.user), PeerId::User(bob.user));
    let shown = sent(&mut stage, ann, &png(640, 360)).unwrap();
    let cover = |shown: &types::Photo| -> enums::InputPhoto {
        types::InputPhoto {
            id: shown.id,
            access_hash: shown.access_hash,
            file_reference: shown.file_reference.clone(),
        }
        .into()
    };
    let new = |stage: &mut Stage, cover: enums::InputPhoto| {
        let file = upload(stage, ann, &bytes(2000), 1024, false);
        let mut media = document(file);
        if let enums::InputMedia::UploadedDocument(media) = &mut media {
            media.video_cover = Some(cover);
            media.video_timestamp = Some(7);
        }
        send(stage, ann, me, media)
    };
    let film = new(&mut stage, cover(&shown)).unwrap();
    assert_eq!(covered(&film), (Some(shown.id), Some(7)));
    let film = the_document(&film);
    let again = |film: &types::Document, cover| -> enums::InputMedia {
        types::InputMediaDocument {
            spoiler: false,
            id: types::InputDocument {
                id: film.id,
                access_hash: film.access_hash,
                file_reference: film.file_reference.clone(),
            }
            .into(),
            video_cover: cover,
            video_timestamp: None,
            ttl_seconds: None,
            query: None,
        }
        .into()
    };
    // The cover is the message's, and not the document's.
    let plain = send(&mut stage, ann, to_bob, again(&film, None)).unwrap();
    assert_eq!(covered(&plain), (None, None));
    let media = again(&film, Some(cover(&shown)));
    let second = send(&mut stage, ann, to_bob, media).unwrap();
    assert_eq!(covered(&second), (Some(shown.id), None));
    // What is no photo, or has no good reference, is no cover.
    let wrong = types::Photo {
        id: film.id,
        access_hash: film.access_hash,
        file_reference: film.file_reference.clone(),
        ..shown.clone()
    };
    assert_eq!(new(&mut stage, cover(&wrong)).unwrap_err(), "PHOTO_INVALID");
    stage.world.expire_references(Some(shown.id));
    let error = new(&mut stage, cover(&shown)).unwrap_err();
    assert_eq!(error, "FILE_REFERENCE_EXPIRED");
    let media = again(&film, Some(cover(&shown)));
    let error = send(&mut stage, ann, me, media).unwrap_err();
    assert_eq!(error, "FILE_REFERENCE_EXPIRED");
}
