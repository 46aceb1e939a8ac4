//! Files up and down again.

use layer_tl_types::{enums, functions, types};

use super::{Session, Stage, two};
use crate::world::Config;
use crate::world::ids::{ECHO_ID, PeerId};

fn bytes(size: usize) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(u64::try_from(size).unwrap());
    std::iter::repeat_with(|| rng.u8(..)).take(size).collect()
}

/// Uploads in parts of this size and names the file.
fn upload(stage: &mut Stage, me: Session, data: &[u8], part: usize, big: bool) -> enums::InputFile {
    let id = stage.random();
    let parts = i32::try_from(data.len().div_ceil(part)).unwrap();
    for (index, bytes) in (0..).zip(data.chunks(part)) {
        let bytes = bytes.to_vec();
        let done = if big {
            stage.call(
                me,
                &functions::upload::SaveBigFilePart {
                    file_id: id,
                    file_part: index,
                    file_total_parts: parts,
                    bytes,
                },
            )
        } else {
            stage.call(
                me,
                &functions::upload::SaveFilePart {
                    file_id: id,
                    file_part: index,
                    bytes,
                },
            )
        };
        assert!(done.unwrap());
    }
    if big {
        types::InputFileBig {
            id,
            parts,
            name: "file.bin".to_owned(),
        }
        .into()
    } else {
        let md5_checksum = crate::world::files::md5_hex(data);
        types::InputFile {
            id,
            parts,
            name: "file.bin".to_owned(),
            md5_checksum,
        }
        .into()
    }
}

fn document(file: enums::InputFile) -> enums::InputMedia {
    types::InputMediaUploadedDocument {
        nosound_video: false,
        force_file: true,
        spoiler: false,
        file,
        thumb: None,
        mime_type: "application/octet-stream".to_owned(),
        attributes: Vec::new(),
        stickers: None,
        video_cover: None,
        video_timestamp: None,
        ttl_seconds: None,
    }
    .into()
}

fn photo(file: enums::InputFile) -> enums::InputMedia {
    types::InputMediaUploadedPhoto {
        spoiler: false,
        file,
        stickers: None,
        ttl_seconds: None,
    }
    .into()
}

fn send(
    stage: &mut Stage,
    me: Session,
    peer: PeerId,
    media: enums::InputMedia,
) -> Result<enums::MessageMedia, String> {
    let text = stage.text(me, peer, "caption");
    let request = functions::messages::SendMedia {
        silent: false,
        background: false,
        clear_draft: false,
        noforwards: false,
        update_stickersets_order: false,
        invert_media: false,
        allow_paid_floodskip: false,
        peer: text.peer,
        reply_to: None,
        media,
        message: text.message,
        random_id: text.random_id,
        reply_markup: None,
        entities: None,
        schedule_date: None,
        schedule_repeat_period: None,
        send_as: None,
        quick_reply_shortcut: None,
        effect: None,
        allow_paid_stars: None,
        suggested_post: None,
    };
    let answer = stage.call(me, &request).map_err(|error| error.message)?;
    let enums::Updates::Updates(updates) = answer else {
        panic!("media is answered in full")
    };
    let media = updates.updates.iter().find_map(|update| match update {
        enums::Update::NewMessage(new) => match &new.message {
            enums::Message::Message(message) => message.media.clone(),
            _ => None,
        },
        _ => None,
    });
    Ok(media.unwrap())
}

fn the_document(media: &enums::MessageMedia) -> types::Document {
    let enums::MessageMedia::Document(media) = media else {
        panic!("no document")
    };
    let Some(enums::Document::Document(document)) = &media.document else {
        panic!("no document")
    };
    types::Document::clone(document)
}

fn location(document: &types::Document) -> enums::InputFileLocation {
    types::InputDocumentFileLocation {
        id: document.id,
        access_hash: document.access_hash,
        file_reference: document.file_reference.clone(),
        thumb_size: String::new(),
    }
    .into()
}

fn read(
    stage: &mut Stage,
    me: Session,
    location: &enums::InputFileLocation,
    limit: i32,
) -> Vec<u8> {
    let mut data = Vec::new();
    loop {
        let request = functions::upload::GetFile {
            precise: false,
            cdn_supported: false,
            location: location.clone(),
            offset: i64::try_from(data.len()).unwrap(),
            limit,
        };
        let enums::upload::File::File(piece) = stage.call(me, &request).unwrap() else {
            panic!("no file")
        };
        let whole = piece.bytes.len() == usize::try_from(limit).unwrap();
        data.extend(piece.bytes);
        if !whole {
            return data;
        }
    }
}

#[test]
fn a_file_comes_back_as_it_went() {
    let (mut stage, ann, bob) = two();
    for (size, part, big) in [
        (1, 1024, false),
        (5000, 1024, false),
        (300_000, 32_768, false),
        (5_000_000, 524_288, true),
    ] {
        let data = bytes(size);
        let file = upload(&mut stage, ann, &data, part, big);
        let media = send(&mut stage, ann, PeerId::User(bob.user), document(file)).unwrap();
        let sent = the_document(&media);
        assert_eq!(sent.size, i64::try_from(size).unwrap());
        assert!(
            matches!(&sent.attributes[0], enums::DocumentAttribute::Filename(name) if name.file_name == "file.bin")
        );
        assert_eq!(read(&mut stage, bob, &location(&sent), 131_072), data);
    }
}

#[test]
fn a_stored_file_is_sent_again_by_reference_and_by_the_echo_bot() {
    let (mut stage, ann, _) = two();
    let file = upload(&mut stage, ann, &bytes(2000), 1024, false);
    let sent = the_document(&send(&mut stage, ann, PeerId::User(ECHO_ID), document(file)).unwrap());
    let echoed = *stage.world.accounts[&ann.user]
        .messages
        .keys()
        .next_back()
        .unwrap();
    let enums::Message::Message(echo) = stage.world.tl_message(ann.user, echoed) else {
        panic!("no echo")
    };
    assert_eq!(the_document(&echo.media.unwrap()).id, sent.id);
    let mut id = types::InputDocument {
        id: sent.id,
        access_hash: sent.access_hash,
        file_reference: sent.file_reference.clone(),
    };
    let by_reference = |id: &types::InputDocument| {
        types::InputMediaDocument {
            spoiler: false,
            id: id.clone().into(),
            video_cover: None,
            video_timestamp: None,
            ttl_seconds: None,
            query: None,
        }
        .into()
    };
    send(&mut stage, ann, PeerId::User(ann.user), by_reference(&id)).unwrap();
    stage.world.files.expire_references();
    let error = send(&mut stage, ann, PeerId::User(ann.user), by_reference(&id)).unwrap_err();
    assert_eq!(error, "FILE_REFERENCE_EXPIRED");
    // The message fetched again has a reference that holds.
    let enums::Message::Message(again) = stage.world.tl_message(ann.user, 1) else {
        panic!("no message")
    };
    id.file_reference = the_document(&again.media.unwrap()).file_reference;
    send(&mut stage, ann, PeerId::User(ann.user), by_reference(&id)).unwrap();
}

#[test]
fn wrong_locations_are_refused() {
    let (mut stage, ann, bob) = two();
    let file = upload(&mut stage, ann, &bytes(10_000), 1024, false);
    let sent =
        the_document(&send(&mut stage, ann, PeerId::User(bob.user), document(file)).unwrap());
    let mut refused = |location: enums::InputFileLocation| {
        let request = functions::upload::GetFile {
            precise: false,
            cdn_supported: false,
            location,
            offset: 0,
            limit: 4096,
        };
        stage.refused(ann, &request)
    };
    let with = |change: &dyn Fn(&mut types::Document)| {
        let mut document = sent.clone();
        change(&mut document);
        location(&document)
    };
    assert_eq!(
        refused(with(&|document| document.id += 1)),
        "FILE_ID_INVALID"
    );
    assert_eq!(
        refused(with(&|document| document.access_hash += 1)),
        "FILE_ID_INVALID"
    );
    assert_eq!(
        refused(with(&|document| document.file_reference.clear())),
        "FILE_REFERENCE_EMPTY"
    );
    assert_eq!(
        refused(with(&|document| document.file_reference.push(0))),
        "FILE_REFERENCE_INVALID"
    );
    assert_eq!(
        refused(enums::InputFileLocation::InputTakeoutFileLocation),
        "LOCATION_INVALID"
    );
}

#[test]
fn a_file_of_another_data_centre_says_where_it_is() {
    let (mut stage, ann, bob) = two();
    let file = upload(&mut stage, ann, &bytes(100), 1024, false);
    let sent =
        the_document(&send(&mut stage, ann, PeerId::User(bob.user), document(file)).unwrap());
    let request = functions::upload::GetFile {
        precise: false,
        cdn_supported: false,
        location: location(&sent),
        offset: 0,
        limit: 4096,
    };
    let error = stage.world.read_file(1, &request).unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        (303, "FILE_MIGRATE_2")
    );
}

#[test]
fn parts_are_checked() {
    let (mut stage, ann, bob) = two();
    let mut save = |file_part: i32, bytes: Vec<u8>| {
        stage.refused(
            ann,
            &functions::upload::SaveFilePart {
                file_id: 5,
                file_part,
                bytes,
            },
        )
    };
    assert_eq!(save(-1, vec![1]), "FILE_PART_INVALID");
    assert_eq!(save(4000, vec![1]), "FILE_PART_INVALID");
    assert_eq!(save(0, Vec::new()), "FILE_PART_EMPTY");
    assert_eq!(save(0, vec![0; 524_289]), "FILE_PART_TOO_BIG");
    assert_eq!(save(0, vec![0; 1024]), "no error");
    assert_eq!(save(2, vec![0; 10]), "no error");
    let mut big = |file_part: i32, file_total_parts: i32, size: usize| {
        let bytes = vec![0; size];
        stage.refused(
            ann,
            &functions::upload::SaveBigFilePart {
                file_id: 6,
                file_part,
                file_total_parts,
                bytes,
            },
        )
    };
    assert_eq!(big(0, 0, 1024), "FILE_PARTS_INVALID");
    assert_eq!(big(0, 9000, 1024), "FILE_PARTS_INVALID");
    assert_eq!(big(3, 3, 1024), "FILE_PARTS_INVALID");
    assert_eq!(big(0, 3, 1000), "FILE_PART_SIZE_INVALID");
    assert_eq!(big(0, -1, 1024), "no error");
    let mut named = |parts: i32, md5: &str| {
        let file = types::InputFile {
            id: 5,
            parts,
            name: String::new(),
            md5_checksum: md5.to_owned(),
        };
        send(
            &mut stage,
            ann,
            PeerId::User(bob.user),
            document(file.into()),
        )
        .unwrap_err()
    };
    assert_eq!(named(0, ""), "FILE_PARTS_INVALID");
    assert_eq!(named(3, ""), "FILE_PART_1_MISSING");
    assert_eq!(named(1, "00"), "MD5_CHECKSUM_INVALID");
    let unknown = types::InputFileBig {
        id: 77,
        parts: 1,
        name: String::new(),
    };
    assert_eq!(
        send(
            &mut stage,
            ann,
            PeerId::User(bob.user),
            document(unknown.into())
        )
        .unwrap_err(),
        "FILE_PARTS_INVALID"
    );
}

#[test]
fn a_photo_has_the_size_of_its_header_and_what_is_none_is_refused() {
    let (mut stage, ann, bob) = two();
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    png.extend(640_u32.to_be_bytes());
    png.extend(480_u32.to_be_bytes());
    png.resize(3000, 7);
    let file = upload(&mut stage, ann, &png, 1024, false);
    let media = send(&mut stage, ann, PeerId::User(bob.user), photo(file)).unwrap();
    let enums::MessageMedia::Photo(media) = media else {
        panic!("no photo")
    };
    let Some(enums::Photo::Photo(shown)) = &media.photo else {
        panic!("no photo")
    };
    let enums::PhotoSize::Size(size) = &shown.sizes[0] else {
        panic!("no size")
    };
    assert_eq!((size.w, size.h, size.size), (640, 480, 3000));
    let location = types::InputPhotoFileLocation {
        id: shown.id,
        access_hash: shown.access_hash,
        file_reference: shown.file_reference.clone(),
        thumb_size: size.r#type.clone(),
    };
    assert_eq!(read(&mut stage, bob, &location.into(), 4096), png);
    let file = upload(&mut stage, ann, &bytes(3000), 1024, false);
    let error = send(&mut stage, ann, PeerId::User(bob.user), photo(file)).unwrap_err();
    assert_eq!(error, "IMAGE_PROCESS_FAILED");
}

#[test]
fn abandoned_uploads_make_room_for_new_ones() {
    let mut stage = Stage::new(Config {
        file_bytes_limit: 4096,
        ..Config::default()
    });
    let ann = stage.person("Anna");
    for file_id in 0..100 {
        let bytes = vec![0; 1024];
        stage
            .call(
                ann,
                &functions::upload::SaveFilePart {
                    file_id,
                    file_part: 0,
                    bytes,
                },
            )
            .unwrap();
        assert!(stage.world.files.bytes() <= 4096);
    }
    let request = functions::upload::SaveFilePart {
        file_id: 100,
        file_part: 0,
        bytes: vec![0; 8192],
    };
    assert_eq!(stage.refused(ann, &request), "STORAGE_FULL");
}
