//! How strangers look in what channels push, and how they are named.

use layer_tl_types::{enums, functions, types};

use super::{Session, Stage, two};
use crate::world::ids::PeerId;

/// Two people who met in a supergroup alone.
fn strangers() -> (Stage, Session, Session, PeerId) {
    let (mut stage, ann, bob) = two();
    stage
        .world
        .create_channel(ann.user, "Us", "", false)
        .unwrap();
    let id = *stage.world.channels.keys().next_back().unwrap();
    stage
        .world
        .invite_to_channel(ann.user, id, &[bob.user])
        .unwrap();
    stage.world.take_outbox();
    (stage, ann, bob, PeerId::Channel(id))
}

/// The user as the last push described them.
fn pushed(stage: &Stage, to: Session, user: Session) -> types::User {
    let pushed = stage.pushed(to.user);
    let enums::Updates::Updates(updates) = &pushed[0] else {
        panic!("{pushed:?}")
    };
    let found = updates.users.iter().find_map(|described| match described {
        enums::User::User(described) if described.id == user.user => Some((**described).clone()),
        _ => None,
    });
    found.unwrap()
}

fn seen(
    stage: &Stage,
    viewer: Session,
    place: PeerId,
    msg_id: i32,
    user_id: i64,
) -> enums::InputPeer {
    types::InputPeerUserFromMessage {
        peer: stage.input(viewer, place),
        msg_id,
        user_id,
    }
    .into()
}

#[test]
fn a_stranger_comes_min_and_is_named_by_the_message() {
    let (mut stage, ann, bob, peer) = strangers();
    let id = stage.say(bob, peer, "hello");
    let user = pushed(&stage, ann, bob);
    assert!(user.min && user.phone.is_none() && user.status.is_none());
    assert_eq!(user.first_name.as_deref(), Some("Robert"));
    // The hash is good for nothing.
    let hash = user.access_hash.unwrap();
    let by_hash = types::InputUser {
        user_id: bob.user,
        access_hash: hash,
    };
    let request = functions::users::GetFullUser { id: by_hash.into() };
    assert_eq!(stage.refused(ann, &request), "USER_ID_INVALID");
    // The message is.
    let mut request = stage.text(ann, PeerId::User(bob.user), "hi");
    request.peer = seen(&stage, ann, peer, id, bob.user);
    stage.call(ann, &request).unwrap();
    let by_message = types::InputUserFromMessage {
        peer: stage.input(ann, peer),
        msg_id: id,
        user_id: bob.user,
    };
    let request = functions::users::GetFullUser {
        id: by_message.into(),
    };
    stage.call(ann, &request).unwrap();
    // They have met now.
    stage.say(bob, peer, "again");
    let user = pushed(&stage, ann, bob);
    assert!(!user.min);
    let by_hash = types::InputUser {
        user_id: bob.user,
        access_hash: user.access_hash.unwrap(),
    };
    let request = functions::users::GetFullUser { id: by_hash.into() };
    stage.call(ann, &request).unwrap();
}

#[test]
fn a_message_names_only_whom_it_shows_and_only_to_those_who_can_read_it() {
    let (mut stage, ann, bob, peer) = strangers();
    let eve = stage.person("Evelyn");
    let id = stage.say(bob, peer, "hello");
    for (viewer, msg_id, user) in [
        (ann, id, eve.user),
        (ann, id + 100, bob.user),
        (eve, id, bob.user),
    ] {
        let mut request = stage.text(viewer, PeerId::User(user), "hi");
        request.peer = seen(&stage, viewer, peer, msg_id, user);
        assert_eq!(stage.refused(viewer, &request), "PEER_ID_INVALID");
    }
}

#[test]
fn answers_and_differences_describe_everybody_in_full() {
    let (mut stage, ann, bob, peer) = strangers();
    stage.say(bob, peer, "hello");
    let pts = stage.world.channels[&peer.bare()].pts;
    let request = functions::updates::GetChannelDifference {
        force: false,
        channel: stage.input_channel(ann, peer.bare()),
        filter: enums::ChannelMessagesFilter::Empty,
        pts: pts - 1,
        limit: 10,
    };
    let answer = stage.call(ann, &request).unwrap();
    let enums::updates::ChannelDifference::Difference(difference) = answer else {
        panic!("{answer:?}")
    };
    let full = |user: &enums::User| matches!(user, enums::User::User(user) if !user.min);
    assert!(difference.users.iter().all(full));
}

#[test]
fn a_channel_that_something_was_forwarded_from_comes_min_to_those_who_are_not_in_it() {
    let (mut stage, ann, bob, peer) = strangers();
    stage
        .world
        .create_channel(bob.user, "News", "", true)
        .unwrap();
    let news = PeerId::Channel(*stage.world.channels.keys().next_back().unwrap());
    let post = stage.say(bob, news, "news");
    let request = functions::messages::ForwardMessages {
        silent: false,
        background: false,
        with_my_score: false,
        drop_author: false,
        drop_media_captions: false,
        noforwards: false,
        allow_paid_floodskip: false,
        from_peer: stage.input(bob, news),
        id: vec![post],
        random_id: vec![stage.random()],
        to_peer: stage.input(bob, peer),
        top_msg_id: None,
        reply_to: None,
        schedule_date: None,
        schedule_repeat_period: None,
        send_as: None,
        quick_reply_shortcut: None,
        effect: None,
        video_timestamp: None,
        allow_paid_stars: None,
        suggested_post: None,
    };
    stage.call(bob, &request).unwrap();
    let pushed = stage.pushed(ann.user);
    let enums::Updates::Updates(updates) = &pushed[0] else {
        panic!("{pushed:?}")
    };
    let found = updates.chats.iter().find_map(|chat| match chat {
        enums::Chat::Channel(chat) if PeerId::Channel(chat.id) == news => Some(chat.clone()),
        _ => None,
    });
    let found = found.unwrap();
    assert!(found.min);
    let by_hash = types::InputPeerChannel {
        channel_id: news.bare(),
        access_hash: found.access_hash.unwrap(),
    };
    let mut request = stage.text(ann, news, "hi");
    request.peer = by_hash.into();
    assert_eq!(stage.refused(ann, &request), "CHANNEL_INVALID");
}
