//! Locations and references: what a client must know to read a file.

use layer_tl_types::{enums, functions, types};

use super::{
    Session, Stage, bytes, document, get, location, photo, send, the_document, the_photo, two,
    upload,
};
use crate::world::files::ReferenceRule;
use crate::world::ids::PeerId;

fn sent(stage: &mut Stage, me: Session, size: usize) -> types::Document {
    let file = upload(stage, me, &bytes(size), 1024, false);
    the_document(&send(stage, me, PeerId::User(me.user), document(file)).unwrap())
}

/// How a document is answered that is asked for by the reference that it came with.
fn asked(stage: &mut Stage, me: Session, document: &types::Document) -> String {
    stage.refused(me, &get(&location(document)))
}

/// The first message of an account, as `messages.getMessages` shows it.
fn again(stage: &mut Stage, me: Session) -> types::Document {
    let id = types::InputMessageId { id: 1 }.into();
    let found = stage.call(me, &functions::messages::GetMessages { id: vec![id] });
    let enums::messages::Messages::Messages(list) = found.unwrap() else {
        panic!("all of them")
    };
    let enums::Message::Message(message) = &list.messages[0] else {
        panic!("no message")
    };
    the_document(message.media.as_ref().unwrap())
}

#[test]
fn wrong_locations_are_refused() {
    let (mut stage, ann, _) = two();
    let sent = sent(&mut stage, ann, 10_000);
    let mut refused = |change: &dyn Fn(&mut types::Document)| {
        let mut document = sent.clone();
        change(&mut document);
        asked(&mut stage, ann, &document)
    };
    assert_eq!(refused(&|document| document.id += 1), "FILE_ID_INVALID");
    assert_eq!(
        refused(&|document| document.access_hash += 1),
        "FILE_ID_INVALID"
    );
    let empty = refused(&|document| document.file_reference.clear());
    assert_eq!(empty, "FILE_REFERENCE_EMPTY");
    let longer = refused(&|document| document.file_reference.push(0));
    assert_eq!(longer, "FILE_REFERENCE_INVALID");
    for at in 0..sent.file_reference.len() {
        // Also one that looks like an old one: we would know if we had given it out.
        let wrong = refused(&|document| document.file_reference[at] ^= 1);
        assert_eq!(wrong, "FILE_REFERENCE_INVALID", "byte {at}");
        let cut = refused(&|document| document.file_reference.truncate(at));
        let expected = if at == 0 {
            "FILE_REFERENCE_EMPTY"
        } else {
            "FILE_REFERENCE_INVALID"
        };
        assert_eq!(cut, expected);
    }
    let thumb = types::InputDocumentFileLocation {
        id: sent.id,
        access_hash: sent.access_hash,
        file_reference: sent.file_reference.clone(),
        thumb_size: "m".to_owned(),
    };
    assert_eq!(stage.refused(ann, &get(&thumb.into())), "LOCATION_INVALID");
    // A document is no photo.
    let photo = types::InputPhotoFileLocation {
        id: sent.id,
        access_hash: sent.access_hash,
        file_reference: sent.file_reference.clone(),
        thumb_size: String::new(),
    };
    assert_eq!(stage.refused(ann, &get(&photo.into())), "LOCATION_INVALID");
    let takeout = enums::InputFileLocation::InputTakeoutFileLocation;
    assert_eq!(stage.refused(ann, &get(&takeout)), "LOCATION_INVALID");
}

#[test]
fn references_expire_on_demand_of_all_files_or_of_one() {
    let (mut stage, ann, _) = two();
    let (one, other) = (sent(&mut stage, ann, 1000), sent(&mut stage, ann, 2000));
    assert_eq!(again(&mut stage, ann).file_reference, one.file_reference);
    stage.world.expire_references(Some(one.id));
    assert_eq!(asked(&mut stage, ann, &one), "FILE_REFERENCE_EXPIRED");
    assert_eq!(asked(&mut stage, ann, &other), "no error");
    let fresh = again(&mut stage, ann);
    assert_eq!(asked(&mut stage, ann, &fresh), "no error");
    stage.world.expire_references(None);
    assert_eq!(asked(&mut stage, ann, &fresh), "FILE_REFERENCE_EXPIRED");
    assert_eq!(asked(&mut stage, ann, &other), "FILE_REFERENCE_EXPIRED");
    let fresh = again(&mut stage, ann);
    assert_eq!(asked(&mut stage, ann, &fresh), "no error");
}

#[test]
fn whatever_shows_a_file_again_has_a_fresh_reference() {
    let (mut stage, ann, _) = two();
    let channel = stage.world.create_channel(ann.user, "News", "", true);
    let channel = channel.unwrap().peer;
    let PeerId::Channel(channel_id) = channel else {
        panic!("a channel")
    };
    let file = upload(&mut stage, ann, &bytes(1000), 1024, false);
    send(&mut stage, ann, channel, document(file)).unwrap();
    let shown = |found: enums::messages::Messages| {
        let messages = match found {
            enums::messages::Messages::Messages(list) => list.messages,
            enums::messages::Messages::Slice(list) => list.messages,
            enums::messages::Messages::ChannelMessages(list) => list.messages,
            enums::messages::Messages::NotModified(_) => vec![],
        };
        let media = messages.iter().find_map(|message| match message {
            enums::Message::Message(message) => message.media.clone(),
            _ => None,
        });
        the_document(&media.unwrap())
    };
    for way in 0..3 {
        stage.world.expire_references(None);
        let found = match way {
            0 => {
                let request = functions::channels::GetMessages {
                    channel: stage.input_channel(ann, channel_id),
                    id: vec![types::InputMessageId { id: 2 }.into()],
                };
                stage.call(ann, &request)
            }
            1 => {
                let request = functions::messages::GetHistory {
                    peer: stage.input(ann, channel),
                    offset_id: 0,
                    offset_date: 0,
                    add_offset: 0,
                    limit: 10,
                    max_id: 0,
                    min_id: 0,
                    hash: 0,
                };
                stage.call(ann, &request)
            }
            _ => {
                let request = functions::messages::Search {
                    peer: stage.input(ann, channel),
                    q: String::new(),
                    from_id: None,
                    saved_peer_id: None,
                    saved_reaction: None,
                    top_msg_id: None,
                    filter: enums::MessagesFilter::InputMessagesFilterDocument,
                    min_date: 0,
                    max_date: 0,
                    offset_id: 0,
                    add_offset: 0,
                    limit: 10,
                    max_id: 0,
                    min_id: 0,
                    hash: 0,
                };
                stage.call(ann, &request)
            }
        };
        let fresh = shown(found.unwrap());
        assert_eq!(asked(&mut stage, ann, &fresh), "no error", "way {way}");
    }
}

#[test]
fn references_expire_by_age() {
    let (mut stage, ann, _) = two();
    let old = sent(&mut stage, ann, 1000);
    stage.world.files.references = ReferenceRule {
        life: Some(60),
        uses: None,
    };
    assert_eq!(
        asked(&mut stage, ann, &old),
        "FILE_REFERENCE_EXPIRED",
        "of before the rule"
    );
    let fresh = again(&mut stage, ann);
    stage.now += 60;
    assert_eq!(asked(&mut stage, ann, &fresh), "no error");
    stage.now += 1;
    assert_eq!(asked(&mut stage, ann, &fresh), "FILE_REFERENCE_EXPIRED");
    let fresh = again(&mut stage, ann);
    assert_eq!(asked(&mut stage, ann, &fresh), "no error");
}

#[test]
fn references_expire_by_use() {
    let (mut stage, ann, _) = two();
    let (one, other) = (sent(&mut stage, ann, 1000), sent(&mut stage, ann, 2000));
    stage.world.files.references.uses = Some(3);
    for _ in 0..3 {
        assert_eq!(asked(&mut stage, ann, &one), "no error");
    }
    assert_eq!(asked(&mut stage, ann, &one), "FILE_REFERENCE_EXPIRED");
    assert_eq!(
        asked(&mut stage, ann, &other),
        "no error",
        "each file for itself"
    );
    let fresh = again(&mut stage, ann);
    for _ in 0..3 {
        assert_eq!(asked(&mut stage, ann, &fresh), "no error");
    }
    assert_eq!(asked(&mut stage, ann, &fresh), "FILE_REFERENCE_EXPIRED");
}

#[test]
fn of_an_album_the_error_names_the_place_of_the_file() {
    let (mut stage, ann, _) = two();
    let picture = super::photos::png(640, 480);
    let mut photos = Vec::new();
    for _ in 0..3 {
        let file = upload(&mut stage, ann, &picture, 1024, false);
        let media = send(&mut stage, ann, PeerId::User(ann.user), photo(file)).unwrap();
        photos.push(the_photo(&media));
    }
    stage.world.expire_references(Some(photos[1].id));
    let album = |stage: &mut Stage, photos: &[types::Photo]| {
        let multi_media = photos.iter().map(|photo| {
            let id = types::InputPhoto {
                id: photo.id,
                access_hash: photo.access_hash,
                file_reference: photo.file_reference.clone(),
            };
            let media = types::InputMediaPhoto {
                spoiler: false,
                id: id.into(),
                ttl_seconds: None,
            };
            types::InputSingleMedia {
                media: media.into(),
                random_id: stage.random(),
                message: String::new(),
                entities: None,
            }
            .into()
        });
        let request = functions::messages::SendMultiMedia {
            silent: false,
            background: false,
            clear_draft: false,
            noforwards: false,
            update_stickersets_order: false,
            invert_media: false,
            allow_paid_floodskip: false,
            peer: enums::InputPeer::PeerSelf,
            reply_to: None,
            multi_media: multi_media.collect(),
            schedule_date: None,
            send_as: None,
            quick_reply_shortcut: None,
            effect: None,
            allow_paid_stars: None,
        };
        stage.refused(ann, &request)
    };
    assert_eq!(album(&mut stage, &photos), "FILE_REFERENCE_1_EXPIRED");
    photos[2].file_reference.push(0);
    photos.remove(1);
    assert_eq!(album(&mut stage, &photos), "FILE_REFERENCE_1_INVALID");
    photos[0].file_reference.clear();
    assert_eq!(album(&mut stage, &photos), "FILE_REFERENCE_0_EMPTY");
}
