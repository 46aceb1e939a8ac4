//! Profile photos, and photos of groups and channels.

use layer_tl_types::{enums, functions as f, types};

use super::photos::png;
use super::{Session, Stage, get, read, two, upload};
use crate::rpc::Out;
use crate::world::ids::PeerId;
use crate::world::image::measure;

fn set(stage: &mut Stage, me: Session, picture: &[u8], bot: Option<enums::InputUser>) -> i64 {
    let file = Some(upload(stage, me, picture, 1024, false));
    let request = f::photos::UploadProfilePhoto {
        fallback: false,
        bot,
        file,
        video: None,
        video_start_ts: None,
        video_emoji_markup: None,
    };
    let enums::photos::Photo::Photo(answer) = stage.call(me, &request).unwrap();
    answer.photo.id()
}

fn shown(stage: &Stage, viewer: Session, user: i64) -> Option<i64> {
    let enums::User::User(user) = stage.world.tl_user(viewer.user, user) else {
        panic!("a user")
    };
    match user.photo? {
        enums::UserProfilePhoto::Photo(photo) => Some(photo.photo_id),
        enums::UserProfilePhoto::Empty => None,
    }
}

fn listed(
    stage: &mut Stage,
    viewer: Session,
    user: i64,
    offset: i32,
    limit: i32,
) -> (i32, Vec<types::Photo>) {
    let access_hash = stage.world.access_hash(viewer.user, PeerId::User(user));
    let request = f::photos::GetUserPhotos {
        user_id: types::InputUser {
            user_id: user,
            access_hash,
        }
        .into(),
        offset,
        max_id: 0,
        limit,
    };
    let (count, photos) = match stage.call(viewer, &request).unwrap() {
        enums::photos::Photos::Photos(all) => (-1, all.photos),
        enums::photos::Photos::Slice(slice) => (slice.count, slice.photos),
    };
    let photos = photos.into_iter().map(|photo| match photo {
        enums::Photo::Photo(photo) => *photo,
        enums::Photo::Empty(_) => panic!("a photo"),
    });
    (count, photos.collect())
}

fn at(peer: enums::InputPeer, photo_id: i64, big: bool) -> enums::InputFileLocation {
    types::InputPeerPhotoFileLocation {
        big,
        peer,
        photo_id,
    }
    .into()
}

trait Named {
    fn id(&self) -> i64;
}

impl Named for enums::Photo {
    fn id(&self) -> i64 {
        match self {
            enums::Photo::Photo(photo) => photo.id,
            enums::Photo::Empty(empty) => empty.id,
        }
    }
}

#[test]
fn profile_photos_come_newest_first_and_go() {
    let (mut stage, ann, bob) = two();
    // Whoever talks with her hears of it.
    stage.say(bob, PeerId::User(ann.user), "hello");
    let ids: Vec<i64> = (1..=3)
        .map(|n| set(&mut stage, ann, &png(600 + n, 600), None))
        .collect();
    let heard = stage.sent.iter().any(|out| match out {
        Out::Push(push) => push.user_id == bob.user && matches!(
            &push.updates,
            enums::Updates::UpdateShort(short) if matches!(&short.update, enums::Update::User(u) if u.user_id == ann.user)
        ),
        Out::Answer(_) => false,
    });
    assert!(heard);
    assert_eq!(shown(&stage, bob, ann.user), Some(ids[2]));
    let (count, photos) = listed(&mut stage, bob, ann.user, 0, 0);
    let seen: Vec<i64> = photos.iter().map(|photo| photo.id).collect();
    assert_eq!((count, seen), (-1, vec![ids[2], ids[1], ids[0]]));
    let (count, slice) = listed(&mut stage, bob, ann.user, 1, 1);
    assert_eq!((count, slice.len(), slice[0].id), (3, 1, ids[1]));

    let input = |photo: &types::Photo| {
        enums::InputPhoto::from(types::InputPhoto {
            id: photo.id,
            access_hash: photo.access_hash,
            file_reference: photo.file_reference.clone(),
        })
    };
    let update = |id: enums::InputPhoto| f::photos::UpdateProfilePhoto {
        fallback: false,
        bot: None,
        id,
    };
    stage.call(ann, &update(input(&photos[2]))).unwrap();
    assert_eq!(shown(&stage, bob, ann.user), Some(ids[0]));
    assert_eq!(
        stage.refused(bob, &update(input(&photos[2]))),
        "PHOTO_ID_INVALID"
    );
    stage.call(ann, &update(enums::InputPhoto::Empty)).unwrap();
    assert_eq!(shown(&stage, bob, ann.user), Some(ids[2]));
    let request = f::photos::DeletePhotos {
        id: vec![input(&photos[0]), input(&photos[2])],
    };
    assert_eq!(stage.call(ann, &request).unwrap(), [ids[2]]);
    assert_eq!(shown(&stage, bob, ann.user), Some(ids[1]));
    // The reference that a list has is good, also after all others have expired.
    stage.world.expire_references(None);
    let (_, photos) = listed(&mut stage, bob, ann.user, 0, 0);
    stage
        .call(
            ann,
            &f::photos::DeletePhotos {
                id: vec![input(&photos[0])],
            },
        )
        .unwrap();
    assert_eq!(shown(&stage, bob, ann.user), None);
    for n in 0..102 {
        set(&mut stage, ann, &png(700 + n, 600), None);
    }
    assert_eq!(listed(&mut stage, bob, ann.user, 0, 0).1.len(), 100);
}

#[test]
fn a_profile_photo_is_read_small_or_as_it_came() {
    let (mut stage, ann, bob) = two();
    let picture = png(640, 640);
    let id = set(&mut stage, ann, &picture, None);
    let peer = |access_hash| {
        types::InputPeerUser {
            user_id: ann.user,
            access_hash,
        }
        .into()
    };
    let hash = stage.world.access_hash(bob.user, PeerId::User(ann.user));
    let min = stage
        .world
        .min_access_hash(bob.user, PeerId::User(ann.user));
    for hash in [hash, min] {
        assert!(read(&mut stage, bob, &at(peer(hash), id, true), 4096) == picture);
        let small = measure(&read(&mut stage, bob, &at(peer(hash), id, false), 4096)).unwrap();
        assert_eq!((small.width, small.height), (160, 160));
    }
    assert_eq!(
        stage.refused(bob, &get(&at(peer(hash + 1), id, true))),
        "PEER_ID_INVALID"
    );
    assert_eq!(
        stage.refused(bob, &get(&at(peer(hash), id + 1, true))),
        "LOCATION_INVALID"
    );
    // Nor is a photo of somebody else one of hers.
    let other = set(&mut stage, bob, &picture, None);
    assert_eq!(
        stage.refused(bob, &get(&at(peer(hash), other, true))),
        "LOCATION_INVALID"
    );
}

#[test]
fn the_owner_of_a_bot_gives_it_a_photo_and_nobody_else_does() {
    let (mut stage, ann, bob) = two();
    let bot = stage.bot(ann, "pic_bot");
    let named = |stage: &Stage, who: Session| {
        types::InputUser {
            user_id: bot.user,
            access_hash: stage.world.access_hash(who.user, PeerId::User(bot.user)),
        }
        .into()
    };
    let input = named(&stage, ann);
    let id = set(&mut stage, ann, &png(640, 640), Some(input));
    assert_eq!(shown(&stage, bob, bot.user), Some(id));
    assert_eq!(shown(&stage, bob, ann.user), None);
    let request = f::photos::UpdateProfilePhoto {
        fallback: false,
        bot: Some(named(&stage, bob)),
        id: enums::InputPhoto::Empty,
    };
    assert_eq!(stage.refused(bob, &request), "BOT_INVALID");
}

#[test]
fn groups_and_channels_have_photos_of_which_a_message_tells() {
    let (mut stage, ann, bob) = two();
    let picture = png(640, 640);
    let group = stage
        .world
        .create_group(ann.user, "Us", &[bob.user])
        .unwrap()
        .peer;
    let channel = stage
        .world
        .create_channel(ann.user, "News", "", true)
        .unwrap()
        .peer;
    let PeerId::Channel(channel_id) = channel else {
        panic!("a channel")
    };
    for peer in [group, channel] {
        let file = Some(upload(&mut stage, ann, &picture, 1024, false));
        let photo: enums::InputChatPhoto = types::InputChatUploadedPhoto {
            file,
            video: None,
            video_start_ts: None,
            video_emoji_markup: None,
        }
        .into();
        let hash = stage.world.access_hash(ann.user, channel);
        let input = types::InputChannel {
            channel_id,
            access_hash: hash,
        };
        let edit = |stage: &mut Stage, photo: enums::InputChatPhoto| match peer {
            PeerId::Channel(_) => stage.call(
                ann,
                &f::channels::EditPhoto {
                    channel: input.clone().into(),
                    photo,
                },
            ),
            _ => stage.call(
                ann,
                &f::messages::EditChatPhoto {
                    chat_id: peer.bare(),
                    photo,
                },
            ),
        };
        let answer = edit(&mut stage, photo).unwrap();
        let enums::Updates::Updates(updates) = answer else {
            panic!("in full")
        };
        let shown = updates.chats.iter().find_map(|chat| match chat {
            enums::Chat::Chat(chat) => Some(chat.photo.clone()),
            enums::Chat::Channel(channel) => Some(channel.photo.clone()),
            _ => None,
        });
        let Some(enums::ChatPhoto::Photo(shown)) = shown else {
            panic!("no photo: {:?}", updates.chats)
        };
        let place = match peer {
            PeerId::Channel(_) => types::InputPeerChannel {
                channel_id,
                access_hash: hash,
            }
            .into(),
            _ => types::InputPeerChat {
                chat_id: peer.bare(),
            }
            .into(),
        };
        let location = at(place, shown.photo_id, true);
        assert!(read(&mut stage, ann, &location, 4096) == picture);
        // The message that tells of it has a reference that is good, however late it is looked at.
        let told = |stage: &mut Stage| {
            let history = stage.world.history(
                ann.user,
                peer,
                crate::world::history::Window {
                    limit: 1,
                    ..Default::default()
                },
                0,
            );
            let messages = match history {
                enums::messages::Messages::Messages(list) => list.messages,
                enums::messages::Messages::Slice(list) => list.messages,
                enums::messages::Messages::ChannelMessages(list) => list.messages,
                enums::messages::Messages::NotModified(_) => vec![],
            };
            let enums::Message::Service(message) = &messages[0] else {
                panic!("a service message")
            };
            message.action.clone()
        };
        stage.world.expire_references(None);
        let enums::MessageAction::ChatEditPhoto(edited) = told(&mut stage) else {
            panic!("a photo was set")
        };
        let enums::Photo::Photo(photo) = edited.photo else {
            panic!("the photo")
        };
        let location = types::InputPhotoFileLocation {
            id: photo.id,
            access_hash: photo.access_hash,
            file_reference: photo.file_reference,
            thumb_size: "c".to_owned(),
        };
        assert!(read(&mut stage, ann, &location.into(), 4096) == picture);
        edit(&mut stage, enums::InputChatPhoto::Empty).unwrap();
        assert!(matches!(
            told(&mut stage),
            enums::MessageAction::ChatDeletePhoto
        ));
        let again = edit(&mut stage, enums::InputChatPhoto::Empty).unwrap_err();
        assert_eq!(again.message, "CHAT_NOT_MODIFIED");
    }
    let request = f::channels::EditPhoto {
        channel: types::InputChannel {
            channel_id,
            access_hash: stage.world.access_hash(bob.user, channel),
        }
        .into(),
        photo: enums::InputChatPhoto::Empty,
    };
    assert_ne!(stage.refused(bob, &request), "no error");
}

/// A video without frames, of this shape.
fn film(width: u16, height: u16) -> Vec<u8> {
    let mut head = vec![0; 84];
    head[76..78].copy_from_slice(&width.to_be_bytes());
    head[80..82].copy_from_slice(&height.to_be_bytes());
    let mut film = b"\0\0\0\x0cftypisom".to_vec();
    for (kind, size) in [(b"moov", 108_u32), (b"trak", 100), (b"tkhd", 92)] {
        film.extend(size.to_be_bytes());
        film.extend(kind);
    }
    [film, head].concat()
}

#[test]
fn a_profile_photo_may_move() {
    let (mut stage, ann, bob) = two();
    let request = |file, video, markup| f::photos::UploadProfilePhoto {
        fallback: false,
        bot: None,
        file,
        video,
        video_start_ts: Some(0.5),
        video_emoji_markup: markup,
    };
    let markup = |colours: &[i32]| {
        enums::VideoSize::from(types::VideoSizeEmojiMarkup {
            emoji_id: 5,
            background_colors: colours.to_vec(),
        })
    };
    let clip = film(640, 640);
    let long = upload(&mut stage, ann, &film(640, 480), 1024, false);
    let wide = upload(&mut stage, ann, &film(1200, 1200), 1024, false);
    let none = upload(&mut stage, ann, &png(640, 640), 1024, false);
    for refused in [long, wide, none] {
        let refused = request(None, Some(refused), None);
        assert_eq!(stage.refused(ann, &refused), "VIDEO_FILE_INVALID");
    }
    assert_eq!(
        stage.refused(ann, &request(None, None, None)),
        "PHOTO_FILE_MISSING"
    );
    let bare = request(None, None, Some(markup(&[])));
    assert_eq!(stage.refused(ann, &bare), "EMOJI_MARKUP_INVALID");
    assert_eq!(shown(&stage, bob, ann.user), None);

    let (picture, colours) = (png(640, 640), markup(&[0x00ff_0000, 255]));
    for (still, moving) in [(true, true), (false, true), (false, false)] {
        let file = still.then(|| upload(&mut stage, ann, &picture, 1024, false));
        let video = moving.then(|| upload(&mut stage, ann, &clip, 1024, false));
        let markup = (!moving).then(|| colours.clone());
        stage.call(ann, &request(file, video, markup)).unwrap();
        let enums::User::User(user) = stage.world.tl_user(bob.user, ann.user) else {
            panic!("a user")
        };
        let Some(enums::UserProfilePhoto::Photo(now)) = user.photo else {
            panic!("a photo")
        };
        assert!(now.has_video);
        let (_, photos) = listed(&mut stage, bob, ann.user, 0, 0);
        let sizes = photos[0].video_sizes.clone().unwrap();
        let location = |size: &str| {
            enums::InputFileLocation::from(types::InputPhotoFileLocation {
                id: photos[0].id,
                access_hash: photos[0].access_hash,
                file_reference: photos[0].file_reference.clone(),
                thumb_size: size.to_owned(),
            })
        };
        match &sizes[..] {
            [enums::VideoSize::Size(size)] if moving => {
                assert_eq!((size.w, size.h, size.video_start_ts), (640, 640, Some(0.5)));
                assert!(read(&mut stage, bob, &location(&size.r#type), 4096) == clip);
            }
            [markup] if !moving => assert_eq!(*markup, colours),
            other => panic!("{other:?}"),
        }
        let large = read(&mut stage, bob, &location("c"), 4096);
        assert_eq!(large == picture, still);
        let size = measure(&large).unwrap();
        assert_eq!((size.width, size.height), (640, 640));
    }
}
