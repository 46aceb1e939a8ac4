//! A user who is known in part only, from a message in a supergroup, can be written to through it
//! (page `api/min`).

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod util;

use layer_client::update::Update;
use layer_client::{Client, PeerId, tl};
use layer_test_server::{NewUser, Peer, UserHandle};
use util::{config_with_session, next_text, next_that, server, user_with};

/// The newest message of a supergroup as an update for this account, with users in part only.
fn pushed_in_part(to: &UserHandle, supergroup: Peer, message_id: i32) -> tl::enums::Updates {
    let Peer::Channel(channel_id) = supergroup else {
        panic!("{supergroup:?}")
    };
    let access_hash = to.access_hash(supergroup);
    let channel = tl::enums::InputChannel::from(tl::types::InputChannel {
        channel_id,
        access_hash,
    });
    let full = to.invoke(&tl::functions::channels::GetFullChannel {
        channel: channel.clone(),
    });
    let tl::enums::messages::ChatFull::Full(full) = full.unwrap();
    let tl::enums::ChatFull::ChannelFull(full) = full.full_chat else {
        panic!("{full:?}")
    };
    let found = to.invoke(&tl::functions::channels::GetMessages {
        channel,
        id: vec![tl::types::InputMessageId { id: message_id }.into()],
    });
    let tl::enums::messages::Messages::ChannelMessages(found) = found.unwrap() else {
        panic!()
    };
    let users = found.users.into_iter().map(|user| match user {
        tl::enums::User::User(mut user) => {
            user.min = true;
            // Good for profile photos, and for nothing else.
            user.access_hash = Some(12345);
            tl::enums::User::User(user)
        }
        other => other,
    });
    tl::types::Updates {
        updates: vec![
            tl::types::UpdateNewChannelMessage {
                message: found.messages.into_iter().next().unwrap(),
                pts: full.pts,
                pts_count: 1,
            }
            .into(),
        ],
        users: users.collect(),
        chats: found.chats,
        date: 0,
        seq: 0,
    }
    .into()
}

#[tokio::test]
async fn who_is_known_in_part_is_written_to_through_the_message_that_showed_them() {
    let server = server().await;
    let directory = tempfile::tempdir().unwrap();
    let config = config_with_session(&server, &directory.path().join("ann.session"));
    let (ann_handle, ann) = user_with(&server, "+15550001", "Ann", config.clone()).await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let dan = server.add_user(NewUser::named("+15550003", "Dan"));
    let supergroup = bob.create_supergroup("Ours").unwrap();
    // Before Ann looks, so that nothing tells her of Dan.
    bob.invite(supergroup, &[&dan]).unwrap();
    let mut updates = ann.stream_updates();
    bob.send_message(ann_handle.peer(), "zero").unwrap();
    assert_eq!(next_text(&mut updates).await, "zero");
    bob.invite(supergroup, &[&ann_handle]).unwrap();
    bob.send_message(supergroup, "one").unwrap();
    while next_text(&mut updates).await != "one" {}

    server
        .faults()
        .add("push times=1: drop".parse().unwrap())
        .unwrap();
    let id = dan.send_message(supergroup, "two").unwrap();
    ann_handle.push_object(pushed_in_part(&ann_handle, supergroup, id));
    let sender = next_that(&mut updates, |update| match update {
        Update::NewMessage(message) if message.text() == Some("two") => message.sender().cloned(),
        _ => None,
    })
    .await;
    assert_eq!((sender.id(), sender.name()), (dan.id(), "Dan"));
    let input = sender.to_input().unwrap();
    let tl::enums::InputPeer::UserFromMessage(input) = input else {
        panic!("{input:?}")
    };
    assert_eq!((input.msg_id, input.user_id), (id, dan.id()));
    updates.ack();
    drop(updates);
    ann.disconnect().await.unwrap();
    drop(ann);

    // The program that begins again knows it as well, by the user's id alone.
    let ann = Client::connect(config).await.unwrap();
    let again = ann.resolve_peer(PeerId::user(dan.id())).await.unwrap();
    assert_eq!((again.name(), again.to_input()), ("Dan", sender.to_input()));
    // A user for calls that take no other kind of peer is had the same way.
    let request = tl::functions::users::GetUsers {
        id: vec![again.to_input_user().unwrap()],
    };
    assert_eq!(ann.invoke(&request).await.unwrap().len(), 1);
    ann.send_message(&again, "found you").await.unwrap();
    let came = dan.messages(ann_handle.peer());
    assert_eq!(came.last().unwrap().text, "found you");
}
