//! Groups, supergroups and channels: who may do what, and who hears of it.

use layer_tl_types::{enums, functions};

use super::{Session, Stage, two};
use crate::world::Config;
use crate::world::ids::PeerId;

fn channel(stage: &mut Stage, owner: Session, broadcast: bool) -> i64 {
    stage
        .world
        .create_channel(owner.user, "Channel", "about", broadcast)
        .unwrap()
        .peer
        .bare()
}

fn invite(stage: &mut Stage, actor: Session, channel: i64, user: Session) -> Result<(), String> {
    let request = functions::channels::InviteToChannel {
        channel: stage.input_channel(actor, channel),
        users: vec![stage.input_user(actor, user.user)],
    };
    stage
        .call(actor, &request)
        .map(|_| ())
        .map_err(|error| error.message)
}

fn difference(
    stage: &mut Stage,
    me: Session,
    id: i64,
    pts: i32,
) -> enums::updates::ChannelDifference {
    let request = functions::updates::GetChannelDifference {
        force: false,
        channel: stage.input_channel(me, id),
        filter: enums::ChannelMessagesFilter::Empty,
        pts,
        limit: 100,
    };
    stage.call(me, &request).unwrap()
}

#[test]
fn only_administrators_post_in_a_broadcast_channel() {
    let (mut stage, ann, bob) = two();
    let id = channel(&mut stage, ann, true);
    invite(&mut stage, ann, id, bob).unwrap();
    stage.say(ann, PeerId::Channel(id), "post");
    let request = stage.text(bob, PeerId::Channel(id), "no");
    assert_eq!(stage.refused(bob, &request), "CHAT_WRITE_FORBIDDEN");
    let enums::Message::Message(post) = stage.world.tl_channel_message(bob.user, id, 2) else {
        panic!("no post")
    };
    assert!(post.post && post.from_id.is_none() && post.views.is_some());
    assert_eq!(
        invite(&mut stage, bob, id, ann).unwrap_err(),
        "CHAT_ADMIN_REQUIRED"
    );
}

#[test]
fn a_private_channel_is_closed_to_strangers_and_a_public_one_is_not() {
    let (mut stage, ann, bob) = two();
    let id = channel(&mut stage, ann, true);
    stage.say(ann, PeerId::Channel(id), "post");
    let mut get = functions::channels::GetFullChannel {
        channel: stage.input_channel(bob, id),
    };
    assert_eq!(stage.refused(bob, &get), "CHANNEL_PRIVATE");
    get.channel = layer_tl_types::types::InputChannel {
        channel_id: id,
        access_hash: 1,
    }
    .into();
    assert_eq!(stage.refused(bob, &get), "CHANNEL_INVALID");
    let name = functions::channels::UpdateUsername {
        channel: stage.input_channel(ann, id),
        username: "open_channel".to_owned(),
    };
    assert!(stage.call(ann, &name).unwrap());
    let resolve = functions::contacts::ResolveUsername {
        username: "Open_Channel".to_owned(),
        referer: None,
    };
    let enums::contacts::ResolvedPeer::Peer(found) = stage.call(bob, &resolve).unwrap();
    assert_eq!(found.peer, PeerId::Channel(id).to_tl());
    assert!(matches!(&found.chats[0], enums::Chat::Channel(chat) if chat.left));
    get.channel = stage.input_channel(bob, id);
    stage.call(bob, &get).unwrap();
    stage
        .call(
            bob,
            &functions::channels::JoinChannel {
                channel: stage.input_channel(bob, id),
            },
        )
        .unwrap();
    let again = functions::channels::JoinChannel {
        channel: stage.input_channel(bob, id),
    };
    assert_eq!(stage.refused(bob, &again), "USER_ALREADY_PARTICIPANT");
}

#[test]
fn members_share_ids_and_pts() {
    let (mut stage, ann, bob) = two();
    let id = channel(&mut stage, ann, false);
    invite(&mut stage, ann, id, bob).unwrap();
    let pushed = stage.pushed(bob.user);
    assert_eq!(pushed.len(), 2, "updateChannel, then the service message");
    let from_ann = stage.say(ann, PeerId::Channel(id), "one");
    let from_bob = stage.say(bob, PeerId::Channel(id), "two");
    assert_eq!((from_ann, from_bob), (3, 4));
    assert_eq!(stage.world.channels[&id].pts, 5);
    assert_eq!(
        stage.world.accounts[&bob.user].pts, 1,
        "a channel does not move the account's pts"
    );
    let answer = difference(&mut stage, bob, id, 3);
    let enums::updates::ChannelDifference::Difference(found) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(
        (found.pts, found.new_messages.len(), found.r#final),
        (5, 2, true)
    );
    let answer = difference(&mut stage, bob, id, 5);
    assert!(
        matches!(answer, enums::updates::ChannelDifference::Empty(none) if none.timeout == Some(30))
    );
}

#[test]
fn only_the_last_part_of_a_channels_difference_says_how_long_to_wait() {
    let mut stage = Stage::new(Config {
        difference_limit: 2,
        ..Config::default()
    });
    let ann = stage.person("Anna");
    let id = channel(&mut stage, ann, false);
    for text in ["one", "two"] {
        stage.say(ann, PeerId::Channel(id), text);
    }
    let part = |stage: &mut Stage, pts| match difference(stage, ann, id, pts) {
        enums::updates::ChannelDifference::Difference(part) => (part.pts, part.timeout),
        other => panic!("{other:?}"),
    };
    assert_eq!(part(&mut stage, 1), (3, None));
    assert_eq!(part(&mut stage, 3), (4, Some(30)));
}

#[test]
fn a_channel_too_far_ahead_says_so_with_its_dialog() {
    let mut stage = Stage::new(Config {
        channel_difference_limit: 5,
        ..Config::default()
    });
    let ann = stage.person("Anna");
    let id = channel(&mut stage, ann, true);
    for _ in 0..20 {
        stage.say(ann, PeerId::Channel(id), "x");
    }
    let answer = difference(&mut stage, ann, id, 2);
    let enums::updates::ChannelDifference::TooLong(long) = answer else {
        panic!("{answer:?}")
    };
    let enums::Dialog::Dialog(dialog) = long.dialog else {
        panic!("a folder")
    };
    assert_eq!((dialog.pts, dialog.top_message), (Some(22), 21));
    assert!(!long.messages.is_empty());
}

#[test]
fn the_accounts_difference_points_to_channels_that_moved_on() {
    let (mut stage, ann, bob) = two();
    let id = channel(&mut stage, ann, true);
    invite(&mut stage, ann, id, bob).unwrap();
    let enums::updates::State::State(state) =
        stage.call(bob, &functions::updates::GetState {}).unwrap();
    stage.now += 10;
    stage.say(ann, PeerId::Channel(id), "post");
    let request = functions::updates::GetDifference {
        pts: state.pts,
        pts_limit: None,
        pts_total_limit: None,
        date: state.date,
        qts: 0,
        qts_limit: None,
    };
    let answer = stage.call(bob, &request).unwrap();
    let enums::updates::Difference::Difference(found) = answer else {
        panic!("{answer:?}")
    };
    assert!(found.other_updates.iter().any(
        |update| matches!(update, enums::Update::ChannelTooLong(long) if long.channel_id == id && long.pts == Some(3))
    ));
    assert!(
        found
            .chats
            .iter()
            .any(|chat| matches!(chat, enums::Chat::Channel(chat) if chat.id == id))
    );
}

#[test]
fn participants_by_filter() {
    let (mut stage, ann, bob) = two();
    let carl = stage.person("Carl");
    let id = channel(&mut stage, ann, false);
    invite(&mut stage, ann, id, bob).unwrap();
    invite(&mut stage, ann, id, carl).unwrap();
    let mut count = |filter: enums::ChannelParticipantsFilter| {
        let request = functions::channels::GetParticipants {
            channel: stage.input_channel(bob, id),
            filter,
            offset: 0,
            limit: 10,
            hash: 0,
        };
        match stage.call(bob, &request).unwrap() {
            enums::channels::ChannelParticipants::Participants(found) => {
                assert!(found.users.len() >= found.participants.len());
                found.count
            }
            enums::channels::ChannelParticipants::NotModified => panic!("no hash was given"),
        }
    };
    assert_eq!(
        count(enums::ChannelParticipantsFilter::ChannelParticipantsRecent),
        3
    );
    assert_eq!(
        count(enums::ChannelParticipantsFilter::ChannelParticipantsAdmins),
        1
    );
    let search = layer_tl_types::types::ChannelParticipantsSearch {
        q: "car".to_owned(),
    };
    assert_eq!(count(search.into()), 1);
    let stranger = stage.person("Dora");
    let request = functions::channels::GetParticipant {
        channel: stage.input_channel(ann, id),
        participant: stage.input(ann, PeerId::User(stranger.user)),
    };
    assert_eq!(stage.refused(ann, &request), "USER_NOT_PARTICIPANT");
}

#[test]
fn whoever_was_banned_sees_nothing_more() {
    let (mut stage, ann, bob) = two();
    let id = channel(&mut stage, ann, false);
    invite(&mut stage, ann, id, bob).unwrap();
    let mut rights = crate::world::blank::no_banned_rights(0);
    rights.view_messages = true;
    let request = functions::channels::EditBanned {
        channel: stage.input_channel(ann, id),
        participant: stage.input(ann, PeerId::User(bob.user)),
        banned_rights: rights.into(),
    };
    stage.call(ann, &request).unwrap();
    let pushed = stage.pushed(bob.user);
    assert_eq!(
        pushed.len(),
        1,
        "that the channel changed, and no message of it"
    );
    let get = functions::channels::GetMessages {
        channel: stage.input_channel(bob, id),
        id: Vec::new(),
    };
    assert_eq!(stage.refused(bob, &get), "CHANNEL_PRIVATE");
}

#[test]
fn group_changes_reach_all_members_with_the_list_of_members() {
    let (mut stage, ann, bob) = two();
    let carl = stage.person("Carl");
    let request = functions::messages::CreateChat {
        users: vec![stage.input_user(ann, bob.user)],
        title: "Group".to_owned(),
        ttl_period: None,
    };
    let enums::messages::InvitedUsers::Users(made) = stage.call(ann, &request).unwrap();
    let enums::Updates::Updates(updates) = made.updates else {
        panic!("no updates")
    };
    assert!(
        updates
            .updates
            .iter()
            .any(|update| matches!(update, enums::Update::ChatParticipants(_)))
    );
    let chat_id = *stage.world.chats.keys().next().unwrap();
    let add = functions::messages::AddChatUser {
        chat_id,
        user_id: stage.input_user(bob, carl.user),
        fwd_limit: 0,
    };
    stage.call(bob, &add).unwrap();
    assert_eq!(stage.refused(bob, &add), "USER_ALREADY_PARTICIPANT");
    assert_eq!(
        stage.pushed(carl.user).len(),
        0,
        "a refused call tells nobody anything"
    );
    stage.say(carl, PeerId::Chat(chat_id), "hello");
    assert!(matches!(
        stage.pushed(ann.user)[0],
        enums::Updates::UpdateShortChatMessage(_)
    ));
    let remove = functions::messages::DeleteChatUser {
        revoke_history: false,
        chat_id,
        user_id: stage.input_user(bob, ann.user),
    };
    assert_eq!(stage.refused(bob, &remove), "CHAT_ADMIN_REQUIRED");
    let leave = functions::messages::DeleteChatUser {
        revoke_history: false,
        chat_id,
        user_id: enums::InputUser::UserSelf,
    };
    stage.call(carl, &leave).unwrap();
    let request = stage.text(carl, PeerId::Chat(chat_id), "still here?");
    assert_eq!(stage.refused(carl, &request), "CHAT_WRITE_FORBIDDEN");
}

#[test]
fn an_invite_link_opens_the_door() {
    let (mut stage, ann, bob) = two();
    let id = channel(&mut stage, ann, false);
    let export = functions::messages::ExportChatInvite {
        legacy_revoke_permanent: false,
        request_needed: false,
        peer: stage.input(ann, PeerId::Channel(id)),
        expire_date: None,
        usage_limit: None,
        title: None,
        subscription_pricing: None,
    };
    let enums::ExportedChatInvite::ChatInviteExported(invite) = stage.call(ann, &export).unwrap()
    else {
        panic!("no link")
    };
    let hash = invite.link.rsplit('+').next().unwrap().to_owned();
    let check = functions::messages::CheckChatInvite { hash: hash.clone() };
    assert!(
        matches!(stage.call(bob, &check).unwrap(), enums::ChatInvite::Invite(shown) if shown.title == "Channel")
    );
    stage
        .call(bob, &functions::messages::ImportChatInvite { hash })
        .unwrap();
    assert!(matches!(
        stage.call(bob, &check).unwrap(),
        enums::ChatInvite::Already(_)
    ));
    let wrong = functions::messages::ImportChatInvite {
        hash: "nothing".to_owned(),
    };
    assert_eq!(stage.refused(bob, &wrong), "INVITE_HASH_INVALID");
}

#[test]
fn what_was_created_is_named_by_a_random_id_as_tdlib_wants() {
    fn named(updates: enums::Updates) -> bool {
        let enums::Updates::Updates(updates) = updates else {
            panic!("expected updates, got {updates:?}");
        };
        updates
            .updates
            .iter()
            .any(|update| matches!(update, enums::Update::MessageId(id) if id.random_id != 0))
    }
    let (mut stage, ann, bob) = two();
    let request = functions::messages::CreateChat {
        users: vec![stage.input_user(ann, bob.user)],
        title: "Both".to_owned(),
        ttl_period: None,
    };
    let enums::messages::InvitedUsers::Users(invited) = stage.call(ann, &request).unwrap();
    assert!(named(invited.updates));
    for broadcast in [true, false] {
        let request = functions::channels::CreateChannel {
            broadcast,
            megagroup: !broadcast,
            for_import: false,
            forum: false,
            title: "All".to_owned(),
            about: String::new(),
            geo_point: None,
            address: None,
            ttl_period: None,
        };
        assert!(named(stage.call(ann, &request).unwrap()));
    }
}
