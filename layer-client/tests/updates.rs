//! Updates, through cut connections and restarts, against the embedded data centre.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod util;

use layer_client::Client;
use layer_client::update::Update;
use layer_test_server::NewUser;
use util::{config_with_session, next_text, next_that, no_message, server, user, user_with};

#[tokio::test]
async fn updates_survive_a_dropped_connection() {
    let server = server().await;
    let (ann_handle, ann) = user(&server, "+15550001", "Ann").await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let mut updates = ann.stream_updates();
    bob.send_message(ann_handle.peer(), "before").unwrap();
    assert_eq!(next_text(&mut updates).await, "before");
    for round in 0..3 {
        server.drop_connections();
        for n in 0..10 {
            bob.send_message(ann_handle.peer(), &format!("{round}.{n}"))
                .unwrap();
        }
        for n in 0..10 {
            assert_eq!(next_text(&mut updates).await, format!("{round}.{n}"));
        }
    }
    no_message(&mut updates).await;
    assert!(updates.reason().is_none());
}

#[tokio::test]
async fn a_restart_catches_up_with_what_was_missed_exactly_once() {
    let server = server().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ann.session");
    let config = config_with_session(&server, &path);
    let (ann_handle, ann) = user_with(&server, "+15550001", "Ann", config.clone()).await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let mut updates = ann.stream_updates();
    for text in ["one", "two"] {
        bob.send_message(ann_handle.peer(), text).unwrap();
    }
    let supergroup = bob.create_supergroup("Ours").unwrap();
    bob.invite(supergroup, &[&ann_handle]).unwrap();
    bob.send_message(supergroup, "three").unwrap();
    // The order is that of each chat, not between chats.
    let mut came = Vec::new();
    while came.len() < 3 {
        let text = next_that(&mut updates, |update| match update {
            Update::NewMessage(m) => m.text().map(ToOwned::to_owned),
            _ => None,
        });
        came.push(text.await);
    }
    came.sort();
    assert_eq!(came, ["one", "three", "two"]);
    // A difference is handled when its last update is, be that of a kind that says nothing here.
    no_message(&mut updates).await;
    updates.ack();
    drop(updates);
    ann.disconnect().await.unwrap();
    drop(ann);

    for n in 0..20 {
        bob.send_message(ann_handle.peer(), &format!("private {n}"))
            .unwrap();
        bob.send_message(supergroup, &format!("group {n}")).unwrap();
    }
    let ann = Client::connect(config).await.unwrap();
    let mut updates = ann.stream_updates();
    let (mut private, mut group) = (Vec::new(), Vec::new());
    while private.len() < 20 || group.len() < 20 {
        let text = next_text(&mut updates).await;
        if text.starts_with("private") {
            private.push(text);
        } else {
            group.push(text);
        }
    }
    let expected = |name: &str| (0..20).map(|n| format!("{name} {n}")).collect::<Vec<_>>();
    assert_eq!(private, expected("private"));
    assert_eq!(group, expected("group"));
    no_message(&mut updates).await;
}

#[tokio::test]
async fn what_was_not_handled_is_delivered_again() {
    let server = server().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ann.session");
    let config = config_with_session(&server, &path);
    let (ann_handle, ann) = user_with(&server, "+15550001", "Ann", config.clone()).await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let mut updates = ann.stream_updates();
    // The stream begins with a difference, which is handled as a whole; what comes then is live.
    bob.send_message(ann_handle.peer(), "zero").unwrap();
    assert_eq!(next_text(&mut updates).await, "zero");
    no_message(&mut updates).await;
    for text in ["one", "two", "three"] {
        bob.send_message(ann_handle.peer(), text).unwrap();
    }
    assert_eq!(next_text(&mut updates).await, "one");
    // Asking for "two" tells that "one" is handled; "two" itself never is.
    assert_eq!(next_text(&mut updates).await, "two");
    drop(updates);
    ann.disconnect().await.unwrap();
    drop(ann);
    let ann = Client::connect(config).await.unwrap();
    let mut updates = ann.stream_updates();
    assert_eq!(next_text(&mut updates).await, "two");
    assert_eq!(next_text(&mut updates).await, "three");
}

#[tokio::test]
async fn a_burst_beyond_the_queue_is_delivered_whole_and_in_order() {
    let server = server().await;
    let (ann_handle, ann) = user(&server, "+15550001", "Ann").await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let mut updates = ann.stream_updates();
    bob.send_message(ann_handle.peer(), "first").unwrap();
    assert_eq!(next_text(&mut updates).await, "first");
    for n in 0..3000 {
        bob.send_message(ann_handle.peer(), &n.to_string()).unwrap();
    }
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    for n in 0..3000 {
        assert_eq!(next_text(&mut updates).await, n.to_string());
    }
    no_message(&mut updates).await;
}

#[tokio::test]
async fn every_stream_sees_every_update() {
    let server = server().await;
    let (ann_handle, ann) = user(&server, "+15550001", "Ann").await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let (mut one, mut two) = (ann.stream_updates(), ann.stream_updates());
    for n in 0..5 {
        bob.send_message(ann_handle.peer(), &n.to_string()).unwrap();
    }
    for n in 0..5 {
        assert_eq!(next_text(&mut one).await, n.to_string());
    }
    for n in 0..5 {
        assert_eq!(next_text(&mut two).await, n.to_string());
    }
}

#[tokio::test]
async fn the_stream_ends_with_a_reason() {
    let server = server().await;
    let (ann_handle, ann) = user(&server, "+15550001", "Ann").await;
    let mut updates = ann.stream_updates();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    ann_handle.revoke_sessions();
    let end = async { while updates.next().await.is_some() {} };
    // Whoever calls next learns it; so does the stream.
    let error = ann.send_message("me", "?").await.unwrap_err();
    assert!(error.is_terminal(), "{error}");
    tokio::time::timeout(util::PATIENCE, end).await.unwrap();
    assert!(updates.reason().unwrap().is_terminal());

    let (_, bob) = user(&server, "+15550002", "Bob").await;
    let mut updates = bob.stream_updates();
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    drop(bob);
    let ended = tokio::time::timeout(util::PATIENCE, async {
        while updates.next().await.is_some() {}
    });
    ended.await.unwrap();
    assert!(updates.reason().unwrap().is_closed());
}

#[tokio::test]
async fn without_catching_up_the_past_stays_past() {
    let server = server().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ann.session");
    let mut config = config_with_session(&server, &path);
    let (ann_handle, ann) = user_with(&server, "+15550001", "Ann", config.clone()).await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let mut updates = ann.stream_updates();
    bob.send_message(ann_handle.peer(), "one").unwrap();
    assert_eq!(next_text(&mut updates).await, "one");
    drop(updates);
    ann.disconnect().await.unwrap();
    drop(ann);
    bob.send_message(ann_handle.peer(), "two").unwrap();
    config.catch_up = false;
    let ann = Client::connect(config).await.unwrap();
    let mut updates = ann.stream_updates();
    no_message(&mut updates).await;
    bob.send_message(ann_handle.peer(), "three").unwrap();
    assert_eq!(next_text(&mut updates).await, "three");
}

#[tokio::test]
async fn what_comes_between_signing_in_and_the_first_stream_is_delivered() {
    let server = server().await;
    let (ann_handle, ann) = user(&server, "+15550001", "Ann").await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    bob.send_message(ann_handle.peer(), "early").unwrap();
    let mut updates = ann.stream_updates();
    assert_eq!(next_text(&mut updates).await, "early");
    // And so is what comes while nobody reads.
    drop(updates);
    bob.send_message(ann_handle.peer(), "between").unwrap();
    let mut updates = ann.stream_updates();
    assert_eq!(next_text(&mut updates).await, "early");
    assert_eq!(next_text(&mut updates).await, "between");
}

#[tokio::test]
async fn malformed_and_lost_pushes_are_made_good() {
    let server = server().await;
    let (ann_handle, ann) = user(&server, "+15550001", "Ann").await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let mut updates = ann.stream_updates();
    bob.send_message(ann_handle.peer(), "one").unwrap();
    assert_eq!(next_text(&mut updates).await, "one");
    // The server forgets its sessions: it says so, and what was pushed in between is gone.
    server.forget_sessions();
    bob.send_message(ann_handle.peer(), "two").unwrap();
    assert!(ann.is_authorized().await.unwrap());
    assert_eq!(next_text(&mut updates).await, "two");
    // Differences that fail are tried again.
    let error = layer_test_server::ApiError::new(500, "INTERNAL");
    server.fail("updates.getDifference", error, Some(2));
    server.drop_connections();
    bob.send_message(ann_handle.peer(), "three").unwrap();
    assert_eq!(next_text(&mut updates).await, "three");
}
