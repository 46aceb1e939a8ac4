//! What the data centre draws: the maps of places and the covers of music.

use layer_tl_types::{enums, functions, types};

use super::{Session, Stage, bytes, document, send, the_document, two, upload};
use crate::world::ids::PeerId;
use crate::world::image::{Image, measure};

fn get(location: impl Into<enums::InputWebFileLocation>) -> functions::upload::GetWebFile {
    functions::upload::GetWebFile {
        location: location.into(),
        offset: 0,
        limit: 4096,
    }
}

/// The whole of it in parts, and its MIME type.
fn whole(
    stage: &mut Stage,
    me: Session,
    location: impl Into<enums::InputWebFileLocation>,
) -> Result<(Vec<u8>, String), String> {
    let mut request = get(location);
    let mut data = Vec::new();
    loop {
        request.offset = i32::try_from(data.len()).unwrap();
        let answer = stage.call(me, &request).map_err(|error| error.message)?;
        let enums::upload::WebFile::File(part) = answer;
        data.extend_from_slice(&part.bytes);
        let size = usize::try_from(part.size).unwrap();
        if data.len() == size {
            request.offset = i32::try_from(size.next_multiple_of(4096)).unwrap();
            let enums::upload::WebFile::File(end) = stage.call(me, &request).unwrap();
            assert!(end.bytes.is_empty());
            return Ok((data, part.mime_type));
        }
        assert_eq!(part.bytes.len(), 4096);
    }
}

const fn sized(width: i32, height: i32) -> Option<Image> {
    Some(Image { width, height })
}

#[test]
fn the_map_of_a_place_is_given_to_those_who_were_shown_it() {
    let (mut stage, ann, bob) = two();
    let place = types::InputGeoPoint {
        lat: 48.8530,
        long: 2.3498,
        accuracy_radius: Some(20),
    };
    let media = types::InputMediaGeoPoint {
        geo_point: place.clone().into(),
    };
    let shown = send(&mut stage, ann, PeerId::User(bob.user), media.into()).unwrap();
    let enums::MessageMedia::Geo(shown) = shown else {
        panic!("no place: {shown:?}")
    };
    let enums::GeoPoint::Point(point) = &shown.geo else {
        panic!("no point")
    };
    let map = types::InputWebFileGeoPointLocation {
        geo_point: place.clone().into(),
        access_hash: point.access_hash,
        w: 300,
        h: 200,
        zoom: 15,
        scale: 2,
    };
    let (drawn, mime_type) = whole(&mut stage, bob, map.clone()).unwrap();
    assert_eq!(
        (measure(&drawn), &*mime_type),
        (sized(600, 400), "image/png")
    );
    assert!(whole(&mut stage, ann, map.clone()).unwrap().0 == drawn);
    let others: [fn(&mut types::InputWebFileGeoPointLocation); 6] = [
        |map| map.access_hash ^= 1,
        |map| map.w = 15,
        |map| map.h = 1025,
        |map| map.zoom = 12,
        |map| map.scale = 4,
        |map| map.geo_point = enums::InputGeoPoint::Empty,
    ];
    for change in others {
        let mut other = map.clone();
        change(&mut other);
        assert_eq!(
            whole(&mut stage, bob, other).unwrap_err(),
            "LOCATION_INVALID"
        );
    }
    // Another place has another hash.
    for (lat, accuracy_radius) in [(48.8531, Some(20)), (48.8530, None)] {
        let other = types::InputGeoPoint {
            lat,
            accuracy_radius,
            ..place.clone()
        };
        let other = types::InputWebFileGeoPointLocation {
            geo_point: other.into(),
            ..map.clone()
        };
        assert_eq!(
            whole(&mut stage, bob, other).unwrap_err(),
            "LOCATION_INVALID"
        );
    }
    let elsewhere = stage.world.read_web_file(bob.user, 1, &get(map.clone()));
    assert_eq!(elsewhere.unwrap_err().message, "LOCATION_INVALID");
    // However many are asked for, few are kept.
    for zoom in 13..=20 {
        for scale in 1..=3 {
            let other = types::InputWebFileGeoPointLocation {
                zoom,
                scale,
                ..map.clone()
            };
            let (other, _) = whole(&mut stage, bob, other).unwrap();
            assert_eq!(measure(&other), sized(300 * scale, 200 * scale));
            assert_eq!(other == drawn, (zoom, scale) == (15, 2));
        }
    }
}

#[test]
fn the_cover_of_an_album_is_found_by_the_music_or_by_its_names() {
    let (mut stage, ann, bob) = two();
    let mut music = |title: &str, voice: bool| {
        let file = upload(&mut stage, ann, &bytes(2000), 1024, false);
        let mut media = document(file);
        if let enums::InputMedia::UploadedDocument(media) = &mut media {
            let audio = types::DocumentAttributeAudio {
                voice,
                duration: 100,
                title: Some(title.to_owned()),
                performer: Some("Anna".to_owned()),
                waveform: None,
            };
            media.attributes.push(audio.into());
        }
        the_document(&send(&mut stage, ann, PeerId::User(bob.user), media).unwrap())
    };
    let (song, nameless, voice) = (music("Song", false), music("", false), music("Song", true));
    let by_document = |song: &types::Document, small| types::InputWebFileAudioAlbumThumbLocation {
        small,
        document: Some(
            types::InputDocument {
                id: song.id,
                access_hash: song.access_hash,
                file_reference: song.file_reference.clone(),
            }
            .into(),
        ),
        title: None,
        performer: None,
    };
    let by_name = |title: &str| types::InputWebFileAudioAlbumThumbLocation {
        small: false,
        document: None,
        title: Some(title.to_owned()),
        performer: Some("Anna".to_owned()),
    };
    let (cover, mime_type) = whole(&mut stage, bob, by_document(&song, false)).unwrap();
    assert_eq!(
        (measure(&cover), &*mime_type),
        (sized(600, 600), "image/jpeg")
    );
    let (small, _) = whole(&mut stage, bob, by_document(&song, true)).unwrap();
    assert_eq!(measure(&small), sized(100, 100));
    assert!(whole(&mut stage, bob, by_name("Song")).unwrap().0 == cover);
    assert!(whole(&mut stage, bob, by_name("Other song")).unwrap().0 != cover);
    let mut unknown = song.clone();
    unknown.access_hash ^= 1;
    let mut empty = by_document(&song, false);
    empty.document = Some(enums::InputDocument::Empty);
    for (location, error) in [
        (by_document(&nameless, false), "LOCATION_INVALID"),
        (by_name(""), "LOCATION_INVALID"),
        (by_document(&voice, false), "DOCUMENT_INVALID"),
        (by_document(&unknown, false), "DOCUMENT_INVALID"),
        (empty, "DOCUMENT_INVALID"),
    ] {
        assert_eq!(whole(&mut stage, bob, location).unwrap_err(), error);
    }
    stage.world.expire_references(None);
    let error = whole(&mut stage, bob, by_document(&song, false)).unwrap_err();
    assert_eq!(error, "FILE_REFERENCE_EXPIRED");
}
