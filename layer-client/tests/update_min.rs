//! A user who is known in part only, from a message in a supergroup, can be written to through it
//! (page `api/min`).

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod util;

use layer_client::update::Update;
use layer_client::{Client, PeerId, tl};
use layer_test_server::NewUser;
use util::{config_with_session, next_text, next_that, server, user_with};

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

    // Of a stranger the data centre tells a part only, with an access hash that is good for nothing here.
    let id = dan.send_message(supergroup, "two").unwrap();
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
