//! Streams with receipts and filters: what counts as handled, and who holds up whom.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod util;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use layer_client::Client;
use layer_client::update::{StreamOptions, Update, UpdateKind, UpdateStream};
use layer_test_server::{NewUser, UserHandle};
use util::{config_with_session, next_text, no_message, server, user, user_with};

/// Sends numbers.
fn send(bob: &UserHandle, to: &UserHandle, texts: impl IntoIterator<Item = i32>) {
    for n in texts {
        bob.send_message(to.peer(), &n.to_string()).unwrap();
    }
}

async fn next_receipt(updates: &mut UpdateStream) -> (String, layer_client::update::Receipt) {
    loop {
        let next = tokio::time::timeout(util::PATIENCE, updates.next_with_receipt());
        let (update, receipt) = next.await.expect("it did not come").unwrap();
        if let Update::NewMessage(message) = &update
            && !message.outgoing()
        {
            return (message.text().unwrap_or_default().to_owned(), receipt);
        }
        receipt.ack();
    }
}

/// Waits until the stream is over what it begins with, a difference that is handled as a whole.
async fn settle(updates: &mut UpdateStream, bob: &UserHandle, ann: &UserHandle) {
    send(bob, ann, [0]);
    assert_eq!(next_text(updates).await, "0");
    no_message(updates).await;
}

#[tokio::test]
async fn only_what_its_receipt_says_is_handled_and_the_rest_comes_again() {
    let server = server().await;
    let directory = tempfile::tempdir().unwrap();
    let config = config_with_session(&server, &directory.path().join("ann.session"));
    let (ann_handle, ann) = user_with(&server, "+15550001", "Ann", config.clone()).await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let mut updates = ann.stream_updates();
    settle(&mut updates, &bob, &ann_handle).await;
    send(&bob, &ann_handle, 1..=5);
    let mut receipts = Vec::new();
    for n in 1..=5 {
        let (text, receipt) = next_receipt(&mut updates).await;
        assert_eq!((text, receipt.attempt()), (n.to_string(), 1));
        receipts.push(receipt);
    }
    // Done in another order, all but the third.
    for at in [4, 0, 1, 3] {
        let receipt = receipts.remove(at.min(receipts.len() - 1));
        receipt.ack();
    }
    let left = receipts.pop().unwrap();
    drop(updates);
    // The stream is gone, and with it the receipt's meaning.
    left.ack();
    ann.disconnect().await.unwrap();
    drop(ann);
    let ann = Client::connect(config).await.unwrap();
    let mut updates = ann.stream_updates();
    let mut again = next_text(&mut updates).await.parse::<i32>().unwrap();
    assert!((1..=5).contains(&again));
    while again < 5 {
        let next = next_text(&mut updates).await.parse().unwrap();
        assert_eq!(next, again + 1);
        again = next;
    }
}

#[tokio::test]
async fn a_worker_that_panics_gives_its_update_back() {
    let server = server().await;
    let (ann_handle, ann) = user(&server, "+15550001", "Ann").await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let mut updates = ann.stream_updates();
    settle(&mut updates, &bob, &ann_handle).await;
    send(&bob, &ann_handle, 1..=3);
    let (text, receipt) = next_receipt(&mut updates).await;
    assert_eq!(text, "1");
    let worker = tokio::spawn(async move {
        let _receipt = receipt;
        panic!("as a worker may");
    });
    assert!(worker.await.is_err());
    let (text, receipt) = next_receipt(&mut updates).await;
    assert_eq!((text.as_str(), receipt.attempt()), ("1", 2));
    receipt.ack();
    for expected in ["2", "3"] {
        let (text, receipt) = next_receipt(&mut updates).await;
        assert_eq!((text.as_str(), receipt.attempt()), (expected, 1));
        receipt.ack();
    }
    no_message(&mut updates).await;
}

#[tokio::test]
async fn a_stream_gets_what_its_options_say_and_nothing_else() {
    let server = server().await;
    let (ann_handle, ann) = user(&server, "+15550001", "Ann").await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let cid = server.add_user(NewUser::named("+15550003", "Cid"));
    let new = || StreamOptions::new().kinds([UpdateKind::NewMessage]);
    let of_bob = layer_client::PeerId::user(bob.id());
    let mut all = ann.stream_updates();
    let mut chat = ann.stream_updates_with(new().chats([of_bob]));
    let mut incoming = ann.stream_updates_with(new().incoming());
    let asked = Arc::new(AtomicUsize::new(0));
    let mut even = ann.stream_updates_with(new().incoming().matching({
        let asked = asked.clone();
        move |update| {
            // The first that it sees it cannot bear.
            assert!(asked.fetch_add(1, Ordering::Relaxed) > 0, "as a filter may");
            let text = update.message().and_then(|message| message.text());
            text.is_some_and(|text| text.ends_with(['0', '2', '4']))
        }
    }));
    settle(&mut all, &bob, &ann_handle).await;
    ann_handle.send_message(bob.peer(), "to Bob").unwrap();
    send(&cid, &ann_handle, [1]);
    send(&bob, &ann_handle, 2..=4);
    let texts = async |stream: &mut UpdateStream| {
        let mut texts = Vec::new();
        loop {
            let next = tokio::time::timeout(Duration::from_millis(700), stream.next()).await;
            let Ok(Some(update)) = next else { break texts };
            assert_eq!(update.kind(), UpdateKind::NewMessage);
            texts.push(
                update
                    .message()
                    .unwrap()
                    .text()
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
    };
    assert_eq!(texts(&mut chat).await, ["0", "to Bob", "2", "3", "4"]);
    let mut came = texts(&mut incoming).await;
    came.sort();
    assert_eq!(came, ["0", "1", "2", "3", "4"]);
    assert_eq!(texts(&mut even).await, ["0", "2", "4"]);
    assert_eq!(asked.load(Ordering::Relaxed), 5);
}

#[tokio::test]
async fn a_stream_that_is_not_read_holds_up_only_what_it_wants() {
    let server = server().await;
    let directory = tempfile::tempdir().unwrap();
    let config = config_with_session(&server, &directory.path().join("ann.session"));
    let (ann_handle, ann) = user_with(&server, "+15550001", "Ann", config.clone()).await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let buttons = StreamOptions::new().kinds([UpdateKind::CallbackQuery]);
    let idle = ann.stream_updates_with(buttons);
    let mut updates = ann.stream_updates();
    settle(&mut updates, &bob, &ann_handle).await;
    // More than may wait.
    for n in 1..=1500 {
        send(&bob, &ann_handle, [n]);
        assert_eq!(next_text(&mut updates).await, n.to_string());
    }
    updates.ack();
    drop((updates, idle));
    ann.disconnect().await.unwrap();
    drop(ann);
    let ann = Client::connect(config).await.unwrap();
    no_message(&mut ann.stream_updates()).await;
}

#[tokio::test]
async fn the_slowest_stream_decides_unless_it_may_miss_some() {
    let server = server().await;
    let (ann_handle, ann) = user(&server, "+15550001", "Ann").await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let mut window = ann.stream_updates_with(StreamOptions::new().lossy(10));
    let mut updates = ann.stream_updates();
    settle(&mut updates, &bob, &ann_handle).await;
    let stuck = ann.stream_updates();
    let mut count = 0;
    for n in 1..=3000 {
        send(&bob, &ann_handle, [n]);
    }
    // What is read is what may wait for the stuck one, and what was under way.
    while let Ok(Some(update)) =
        tokio::time::timeout(Duration::from_millis(700), updates.next()).await
    {
        count += usize::from(update.message().is_some());
    }
    assert!((1000..1500).contains(&count), "{count}");
    // It goes, and everything comes.
    drop(stuck);
    for n in count + 1..=3000 {
        assert_eq!(next_text(&mut updates).await, n.to_string());
    }
    // The window missed most of it and has the newest.
    let Some(Update::Lagged(missed)) = window.next().await else {
        panic!("it missed nothing")
    };
    assert!(missed > 2000, "{missed}");
    assert_eq!(
        async {
            let mut last = String::new();
            while let Ok(Some(update)) =
                tokio::time::timeout(Duration::from_millis(100), window.next()).await
            {
                if let Some(text) = update.message().and_then(|m| m.text()) {
                    text.clone_into(&mut last);
                }
            }
            last
        }
        .await,
        "3000"
    );
}

#[tokio::test]
async fn connection_events_come_only_to_those_who_name_them() {
    let server = server().await;
    let (ann_handle, ann) = user(&server, "+15550001", "Ann").await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let mut plain = ann.stream_updates();
    let kinds = [UpdateKind::Connection, UpdateKind::NewMessage];
    let mut told = ann.stream_updates_with(StreamOptions::new().kinds(kinds));
    settle(&mut plain, &bob, &ann_handle).await;
    while tokio::time::timeout(Duration::from_millis(300), told.next())
        .await
        .is_ok()
    {}
    server.drop_connections();
    let mut seen = Vec::new();
    while seen.last().is_none_or(|last| last != "CaughtUp") {
        let next = tokio::time::timeout(util::PATIENCE, told.next())
            .await
            .unwrap();
        if let Update::Connection(event) = next.unwrap() {
            seen.push(format!("{event:?}"));
        }
    }
    let at = |what: &str| seen.iter().position(|seen| seen.contains(what));
    assert!(at("WaitingToRetry") < at("State(Online)"), "{seen:?}");
    assert!(at("State(Online)") < at("CatchingUp"), "{seen:?}");
    // And to the others nothing.
    while let Ok(Some(update)) =
        tokio::time::timeout(Duration::from_millis(300), plain.next()).await
    {
        assert_ne!(update.kind(), UpdateKind::Connection);
    }
}

#[tokio::test]
async fn what_was_handled_is_saved_when_the_last_clone_is_dropped_however_long_saving_may_wait() {
    let server = server().await;
    let directory = tempfile::tempdir().unwrap();
    let mut config = config_with_session(&server, &directory.path().join("ann.session"));
    config.save_delay = Duration::from_secs(3600);
    let (ann_handle, ann) = user_with(&server, "+15550001", "Ann", config.clone()).await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let mut updates = ann.stream_updates();
    settle(&mut updates, &bob, &ann_handle).await;
    send(&bob, &ann_handle, 1..=3);
    for n in 1..=3 {
        assert_eq!(next_text(&mut updates).await, n.to_string());
    }
    updates.ack();
    drop((updates, ann));
    let again = async {
        loop {
            // Until the connections have said goodbye the session is in use.
            match Client::connect(config.clone()).await {
                Ok(client) => return client,
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    let ann = tokio::time::timeout(util::PATIENCE, again).await.unwrap();
    let mut updates = ann.stream_updates();
    no_message(&mut updates).await;
    send(&bob, &ann_handle, [4]);
    assert_eq!(next_text(&mut updates).await, "4");
}
