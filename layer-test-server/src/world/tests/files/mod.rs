//! Files up and down again.

mod photos;
mod portraits;
mod references;
mod uploads;
mod web;

use layer_tl_types::{enums, functions, types};
use md5::{Digest as _, Md5};

use super::{Session, Stage, two};
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
        let md5_checksum = Md5::digest(data)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
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
    let media = updates.updates.iter().find_map(|update| {
        let message = match update {
            enums::Update::NewMessage(new) => &new.message,
            enums::Update::NewChannelMessage(new) => &new.message,
            _ => return None,
        };
        match message {
            enums::Message::Message(message) => message.media.clone(),
            _ => None,
        }
    });
    Ok(media.unwrap())
}

fn get(location: &enums::InputFileLocation) -> functions::upload::GetFile {
    functions::upload::GetFile {
        precise: false,
        cdn_supported: false,
        location: location.clone(),
        offset: 0,
        limit: 4096,
    }
}

/// What a photo's message shows.
fn the_photo(media: &enums::MessageMedia) -> types::Photo {
    let enums::MessageMedia::Photo(media) = media else {
        panic!("no photo")
    };
    let Some(enums::Photo::Photo(photo)) = &media.photo else {
        panic!("no photo")
    };
    types::Photo::clone(photo)
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
    stage.world.expire_references(None);
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
fn a_file_of_another_data_centre_says_where_it_is() {
    let (mut stage, ann, bob) = two();
    let file = upload(&mut stage, ann, &bytes(100), 1024, false);
    let sent =
        the_document(&send(&mut stage, ann, PeerId::User(bob.user), document(file)).unwrap());
    let request = get(&location(&sent));
    let error = stage.world.read_file(bob.user, 1, &request).unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        (303, "FILE_MIGRATE_2")
    );
}
