//! Sending, editing, deleting and reading; the update forms; the errors.

use layer_tl_types::{Serializable, enums, functions, types};

use super::{Session, Stage, two};
use crate::world::ids::PeerId;

fn edit(
    stage: &mut Stage,
    from: Session,
    peer: PeerId,
    id: i32,
    text: &str,
) -> Result<enums::Updates, String> {
    let request = functions::messages::EditMessage {
        no_webpage: false,
        invert_media: false,
        peer: stage.input(from, peer),
        id,
        message: Some(text.to_owned()),
        media: None,
        reply_markup: None,
        entities: None,
        schedule_date: None,
        schedule_repeat_period: None,
        quick_reply_shortcut_id: None,
    };
    stage.call(from, &request).map_err(|error| error.message)
}

#[test]
fn the_first_message_introduces_its_sender_and_later_ones_are_short() {
    let (mut stage, ann, bob) = two();
    stage.say(ann, PeerId::User(bob.user), "one");
    let pushed = stage.pushed(bob.user);
    let [enums::Updates::Updates(updates)] = pushed.as_slice() else {
        panic!("{pushed:?}")
    };
    assert!(
        updates
            .users
            .iter()
            .any(|user| matches!(user, enums::User::User(user) if user.id == ann.user))
    );
    assert_eq!(updates.seq, 0);
    stage.say(ann, PeerId::User(bob.user), "two");
    let pushed = stage.pushed(bob.user);
    let [enums::Updates::UpdateShortMessage(short)] = pushed.as_slice() else {
        panic!("{pushed:?}")
    };
    assert_eq!(
        (short.out, short.user_id, short.message.as_str()),
        (false, ann.user, "two")
    );
    assert_eq!((short.pts, short.pts_count), (3, 1));
}

#[test]
fn the_senders_other_sessions_hear_of_it_and_the_calling_one_does_not() {
    let (mut stage, ann, bob) = two();
    stage.say(ann, PeerId::User(bob.user), "one");
    stage.say(ann, PeerId::User(bob.user), "two");
    let own = stage.sent.iter().find_map(|out| match out {
        crate::rpc::Out::Push(push) if push.user_id == ann.user => Some(push.clone()),
        _ => None,
    });
    let own = own.unwrap();
    assert_eq!(own.except, Some((ann.key, ann.id)));
    assert!(
        matches!(own.updates, enums::Updates::UpdateShortMessage(short) if short.out && short.user_id == bob.user)
    );
}

#[test]
fn a_text_to_a_person_is_answered_shortly_and_one_to_oneself_in_full() {
    let (mut stage, ann, bob) = two();
    let request = stage.text(ann, PeerId::User(bob.user), "hi");
    let answer = stage.call(ann, &request).unwrap();
    assert!(
        matches!(answer, enums::Updates::UpdateShortSentMessage(sent) if sent.out && sent.pts == 2)
    );
    let mut request = stage.text(ann, PeerId::User(ann.user), "note");
    request.peer = enums::InputPeer::PeerSelf;
    let enums::Updates::Updates(updates) = stage.call(ann, &request).unwrap() else {
        panic!("no updates")
    };
    let enums::Update::MessageId(named) = &updates.updates[0] else {
        panic!("no updateMessageID")
    };
    assert_eq!(named.random_id, request.random_id);
    let enums::Update::NewMessage(new) = &updates.updates[1] else {
        panic!("no updateNewMessage")
    };
    let enums::Message::Message(message) = &new.message else {
        panic!("no message")
    };
    assert!(!message.out, "nothing in Saved Messages is outgoing");
    assert_eq!(message.id, named.id);
}

#[test]
fn a_random_id_is_taken_once() {
    let (mut stage, ann, bob) = two();
    let request = stage.text(ann, PeerId::User(bob.user), "hi");
    stage.call(ann, &request).unwrap();
    let error = stage.call(ann, &request).unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        (500, "RANDOM_ID_DUPLICATE")
    );
    assert_eq!(stage.texts(bob, PeerId::User(ann.user)), ["hi"]);
}

#[test]
fn texts_are_checked() {
    let (mut stage, ann, bob) = two();
    let peer = PeerId::User(bob.user);
    for (text, error) in [
        ("", "MESSAGE_EMPTY"),
        ("  \n ", "MESSAGE_EMPTY"),
        (&*"x".repeat(4097), "MESSAGE_TOO_LONG"),
    ] {
        let request = stage.text(ann, peer, text);
        assert_eq!(stage.refused(ann, &request), error);
    }
    // The limit is in UTF-16 code units: an emoji is two.
    let request = stage.text(ann, peer, &"😀".repeat(2049));
    assert_eq!(stage.refused(ann, &request), "MESSAGE_TOO_LONG");
    stage.say(ann, peer, &"😀".repeat(2048));
    let mut request = stage.text(ann, peer, "bad");
    request.entities = Some(vec![
        types::MessageEntityBold {
            offset: -1,
            length: 2,
        }
        .into(),
    ]);
    assert_eq!(stage.refused(ann, &request), "ENTITY_BOUNDS_INVALID");
}

#[test]
fn a_wrong_access_hash_names_nobody() {
    let (mut stage, ann, bob) = two();
    let mut request = stage.text(ann, PeerId::User(bob.user), "hi");
    request.peer = types::InputPeerUser {
        user_id: bob.user,
        access_hash: 1,
    }
    .into();
    assert_eq!(stage.refused(ann, &request), "PEER_ID_INVALID");
    // Another viewer's hash is wrong too.
    let carl = stage.person("Carl");
    request.peer = stage.input(carl, PeerId::User(bob.user));
    assert_eq!(stage.refused(ann, &request), "PEER_ID_INVALID");
}

#[test]
fn blocked_people_cannot_write() {
    let (mut stage, ann, bob) = two();
    let id = stage.input(bob, PeerId::User(ann.user));
    assert!(
        stage
            .call(
                bob,
                &functions::contacts::Block {
                    my_stories_from: false,
                    id
                }
            )
            .unwrap()
    );
    let request = stage.text(ann, PeerId::User(bob.user), "hi");
    assert_eq!(stage.refused(ann, &request), "USER_IS_BLOCKED");
    let request = stage.text(bob, PeerId::User(ann.user), "hi");
    assert_eq!(stage.refused(bob, &request), "YOU_BLOCKED_USER");
}

#[test]
fn a_bot_cannot_begin_a_conversation() {
    let (mut stage, ann, _) = two();
    let bot = stage.bot(ann, "polite_bot");
    let request = stage.text(bot, PeerId::User(ann.user), "hi");
    assert_eq!(stage.refused(bot, &request), "PEER_ID_INVALID");
    stage.say(ann, PeerId::User(bot.user), "/start");
    stage.say(bot, PeerId::User(ann.user), "hi");
    // It may leave out the hash of those it has met.
    let mut request = stage.text(bot, PeerId::User(ann.user), "again");
    request.peer = types::InputPeerUser {
        user_id: ann.user,
        access_hash: 0,
    }
    .into();
    stage.call(bot, &request).unwrap();
}

#[test]
fn an_edit_reaches_both_sides_and_is_refused_where_it_must_be() {
    let (mut stage, ann, bob) = two();
    let id = stage.say(ann, PeerId::User(bob.user), "one");
    edit(&mut stage, ann, PeerId::User(bob.user), id, "two").unwrap();
    assert_eq!(stage.texts(bob, PeerId::User(ann.user)), ["two"]);
    let pushed = stage.pushed(bob.user);
    let [enums::Updates::Updates(updates)] = pushed.as_slice() else {
        panic!("{pushed:?}")
    };
    let [enums::Update::EditMessage(update)] = updates.updates.as_slice() else {
        panic!("no edit")
    };
    let enums::Message::Message(message) = &update.message else {
        panic!("no message")
    };
    assert!(message.edit_date.is_some());
    let mut refused =
        |from, peer, id, text: &str| edit(&mut stage, from, peer, id, text).unwrap_err();
    assert_eq!(
        refused(ann, PeerId::User(bob.user), id, "two"),
        "MESSAGE_NOT_MODIFIED"
    );
    assert_eq!(
        refused(ann, PeerId::User(bob.user), 99, "three"),
        "MESSAGE_ID_INVALID"
    );
    assert_eq!(
        refused(bob, PeerId::User(ann.user), 1, "three"),
        "MESSAGE_AUTHOR_REQUIRED"
    );
    assert_eq!(
        refused(ann, PeerId::User(bob.user), id, " "),
        "MESSAGE_EMPTY"
    );
    stage.now += 200_000;
    let late = edit(&mut stage, ann, PeerId::User(bob.user), id, "three").unwrap_err();
    assert_eq!(late, "MESSAGE_EDIT_TIME_EXPIRED");
}

#[test]
fn deleting_takes_it_from_oneself_and_with_revoke_from_both() {
    let (mut stage, ann, bob) = two();
    let first = stage.say(ann, PeerId::User(bob.user), "one");
    let second = stage.say(ann, PeerId::User(bob.user), "two");
    let request = functions::messages::DeleteMessages {
        revoke: false,
        id: vec![first],
    };
    let enums::messages::AffectedMessages::Messages(done) = stage.call(ann, &request).unwrap();
    assert_eq!((done.pts, done.pts_count), (4, 1));
    assert!(stage.pushed(bob.user).is_empty());
    let request = functions::messages::DeleteMessages {
        revoke: true,
        id: vec![first, second, 77],
    };
    let enums::messages::AffectedMessages::Messages(done) = stage.call(ann, &request).unwrap();
    assert_eq!((done.pts, done.pts_count), (5, 1));
    assert_eq!(stage.texts(bob, PeerId::User(ann.user)), ["one"]);
    assert!(stage.texts(ann, PeerId::User(bob.user)).is_empty());
}

#[test]
fn reading_tells_the_author() {
    let (mut stage, ann, bob) = two();
    stage.say(ann, PeerId::User(bob.user), "one");
    stage.say(ann, PeerId::User(bob.user), "two");
    let peer = stage.input(bob, PeerId::User(ann.user));
    let request = functions::messages::ReadHistory { peer, max_id: 1 };
    let enums::messages::AffectedMessages::Messages(done) = stage.call(bob, &request).unwrap();
    assert_eq!(done.pts_count, 1);
    let pushed = stage.pushed(ann.user);
    let [enums::Updates::Updates(updates)] = pushed.as_slice() else {
        panic!("{pushed:?}")
    };
    assert!(
        matches!(&updates.updates[0], enums::Update::ReadHistoryOutbox(read) if read.max_id == 1)
    );
    let pushed = stage.pushed(bob.user);
    let [enums::Updates::Updates(updates)] = pushed.as_slice() else {
        panic!("{pushed:?}")
    };
    assert!(
        matches!(&updates.updates[0], enums::Update::ReadHistoryInbox(read) if read.still_unread_count == 1)
    );
    // Once read, nothing more happens.
    let enums::messages::AffectedMessages::Messages(done) = stage.call(bob, &request).unwrap();
    assert_eq!(done.pts_count, 0);
}

#[test]
fn replies_mean_the_same_message_to_both() {
    let (mut stage, ann, bob) = two();
    stage.say(bob, PeerId::User(bob.user), "shifts the ids");
    let id = stage.say(ann, PeerId::User(bob.user), "question");
    let mut request = stage.text(ann, PeerId::User(bob.user), "answer");
    request.reply_to = Some(
        types::InputReplyToMessage {
            reply_to_msg_id: id,
            top_msg_id: None,
            reply_to_peer_id: None,
            quote_text: None,
            quote_entities: None,
            quote_offset: None,
            monoforum_peer_id: None,
            todo_item_id: None,
        }
        .into(),
    );
    stage.call(ann, &request).unwrap();
    let reply = |viewer: Session, id: i32| match stage.world.tl_message(viewer.user, id) {
        enums::Message::Message(message) => match message.reply_to {
            Some(enums::MessageReplyHeader::Header(header)) => header.reply_to_msg_id,
            _ => None,
        },
        _ => None,
    };
    assert_eq!(reply(ann, 2), Some(1));
    assert_eq!(reply(bob, 3), Some(2));
}

#[test]
fn a_message_by_its_position_names_its_author() {
    let mut stage = Stage::new(crate::world::Config::default());
    let (ann, bob, carl) = (
        stage.person("Anna"),
        stage.person("Robert"),
        stage.person("Carl"),
    );
    let group = stage
        .world
        .create_group(ann.user, "Three", &[bob.user, carl.user])
        .unwrap()
        .peer;
    stage.say(bob, group, "hi");
    let chat = stage.input(carl, group);
    let request = functions::users::GetUsers {
        id: vec![
            types::InputUserFromMessage {
                peer: chat,
                msg_id: 2,
                user_id: bob.user,
            }
            .into(),
        ],
    };
    let users = stage.call(carl, &request).unwrap();
    assert!(matches!(&users[0], enums::User::User(user) if user.id == bob.user));
    let wrong = types::InputUserFromMessage {
        peer: stage.input(carl, group),
        msg_id: 2,
        user_id: 777_000,
    };
    let users = stage
        .call(
            carl,
            &functions::users::GetUsers {
                id: vec![wrong.into()],
            },
        )
        .unwrap();
    assert!(matches!(&users[0], enums::User::Empty(_)));
}

#[test]
fn typing_is_told_at_once_and_kept_nowhere() {
    let (mut stage, ann, bob) = two();
    let action = enums::SendMessageAction::SendMessageTypingAction;
    let peer = stage.input(ann, PeerId::User(bob.user));
    stage
        .call(
            ann,
            &functions::messages::SetTyping {
                peer,
                top_msg_id: None,
                action,
            },
        )
        .unwrap();
    let pushed = stage.pushed(bob.user);
    let [enums::Updates::UpdateShort(short)] = pushed.as_slice() else {
        panic!("{pushed:?}")
    };
    assert!(
        matches!(&short.update, enums::Update::UserTyping(typing) if typing.user_id == ann.user)
    );
    assert_eq!(stage.world.accounts[&bob.user].pts, 1);
}

#[test]
fn forwarding_names_the_first_author() {
    let (mut stage, ann, bob) = two();
    let carl = stage.person("Carl");
    let id = stage.say(ann, PeerId::User(bob.user), "news");
    let random_id = vec![stage.random()];
    let request = functions::messages::ForwardMessages {
        silent: false,
        background: false,
        with_my_score: false,
        drop_author: false,
        drop_media_captions: false,
        noforwards: false,
        allow_paid_floodskip: false,
        from_peer: stage.input(bob, PeerId::User(ann.user)),
        id: vec![id],
        random_id,
        to_peer: stage.input(bob, PeerId::User(carl.user)),
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
    let enums::Message::Message(message) = stage.world.tl_message(carl.user, 1) else {
        panic!("no message")
    };
    let Some(enums::MessageFwdHeader::Header(header)) = message.fwd_from else {
        panic!("no header")
    };
    assert_eq!(header.from_id, Some(PeerId::User(ann.user).to_tl()));
}

#[test]
fn everybody_knows_the_service_account_without_its_hash() {
    let (mut stage, ann, _) = two();
    stage.world.service_text(ann.user, "Login code: 22222");
    // TDLib writes a hash that it made up.
    let [answer, made_up] = [0, 1].map(|access_hash| {
        let user_id = 777_000;
        let peer = types::InputPeerUser {
            user_id,
            access_hash,
        }
        .into();
        let request = functions::messages::GetPeerSettings { peer };
        let enums::messages::PeerSettings::Settings(answer) = stage.call(ann, &request).unwrap();
        answer
    });
    assert_eq!(answer.to_bytes(), made_up.to_bytes());
    assert!(matches!(&answer.users[0], enums::User::User(user) if user.verified && user.support));
    let enums::PeerSettings::Settings(bar) = answer.settings;
    assert!(!bar.report_spam && !bar.add_contact && !bar.block_contact);
}

#[test]
fn the_action_bar_is_whole_for_a_stranger_and_short_for_whom_one_answered() {
    let (mut stage, ann, bob) = two();
    stage.say(bob, PeerId::User(ann.user), "buy this");
    let bar = |stage: &mut Stage| {
        let peer = stage.input(ann, PeerId::User(bob.user));
        let request = functions::messages::GetPeerSettings { peer };
        let enums::messages::PeerSettings::Settings(answer) = stage.call(ann, &request).unwrap();
        let enums::PeerSettings::Settings(bar) = answer.settings;
        (bar.report_spam, bar.add_contact, bar.block_contact)
    };
    assert_eq!(bar(&mut stage), (true, true, true));
    stage.say(ann, PeerId::User(bob.user), "why not");
    assert_eq!(bar(&mut stage), (false, true, false));
    let id = stage.input_user(ann, bob.user);
    stage
        .call(ann, &functions::contacts::AcceptContact { id })
        .unwrap();
    assert_eq!(bar(&mut stage), (false, false, false));
}

#[test]
fn a_service_message_is_found_in_its_answer_by_a_random_id() {
    let (mut stage, ann, bob) = two();
    let request = functions::messages::CreateChat {
        users: vec![stage.input_user(ann, bob.user)],
        title: "Group".to_owned(),
        ttl_period: None,
    };
    let enums::messages::InvitedUsers::Users(made) = stage.call(ann, &request).unwrap();
    let enums::Updates::Updates(updates) = made.updates else {
        panic!("no updates")
    };
    let enums::Update::MessageId(named) = &updates.updates[0] else {
        panic!("no updateMessageID")
    };
    let enums::Update::NewMessage(new) = &updates.updates[1] else {
        panic!("no service message")
    };
    assert!(matches!(&new.message, enums::Message::Service(message) if message.id == named.id));
    assert_ne!(named.random_id, 0);
}

#[test]
fn saved_messages_are_listed_by_origin() {
    let (mut stage, ann, bob) = two();
    let id = stage.say(bob, PeerId::User(ann.user), "worth keeping");
    stage.say(ann, PeerId::User(ann.user), "a note");
    let body = stage
        .world
        .body_of(ann.user, PeerId::User(bob.user), id)
        .unwrap();
    let draft = crate::world::send::Draft {
        text: body.text.clone(),
        forward: Some(crate::world::message::Forward {
            from: crate::world::message::ForwardFrom::User(bob.user),
            date: body.date,
            saved_from: Some((PeerId::User(bob.user), id)),
        }),
        ..Default::default()
    };
    stage
        .world
        .send(ann.user, PeerId::User(ann.user), draft)
        .unwrap();
    let mut texts = |origin: PeerId| {
        let request = functions::messages::GetSavedHistory {
            parent_peer: None,
            peer: stage.input(ann, origin),
            offset_id: 0,
            offset_date: 0,
            add_offset: 0,
            limit: 10,
            max_id: 0,
            min_id: 0,
            hash: 0,
        };
        match stage.call(ann, &request).unwrap() {
            enums::messages::Messages::Messages(all) => all
                .messages
                .iter()
                .map(|message| match message {
                    enums::Message::Message(message) => message.message.clone(),
                    _ => String::new(),
                })
                .collect::<Vec<_>>(),
            other => panic!("unexpected: {other:?}"),
        }
    };
    assert_eq!(texts(PeerId::User(bob.user)), ["worth keeping"]);
    assert_eq!(texts(PeerId::User(ann.user)), ["a note"]);
}
