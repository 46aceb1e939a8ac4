//! What is found out without being told: a server that does not push, and what it would not tell.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod util;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use layer_client::middleware::{BoxFuture, Middleware, Next, Outcome, Request};
use layer_client::tl::Serializable;
use layer_client::update::{Missed, StreamOptions, Update, UpdateKind};
use layer_client::{Client, Config, ConnectionState, tl};
use layer_test_server::{NewUser, Server};
use util::{
    config, config_with_session, next_text, next_that, no_message, server, user, user_with,
};

fn fault(server: &Server, rule: &str) {
    server.faults().add(rule.parse().unwrap()).unwrap();
}

#[tokio::test]
async fn a_server_that_answers_but_does_not_push_is_noticed_and_left() {
    let server = server().await;
    let mut config = config(&server);
    config.update_check = Duration::from_secs(1);
    let (ann_handle, ann) = user_with(&server, "+15550001", "Ann", config).await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let mut updates = ann.stream_updates();
    bob.send_message(ann_handle.peer(), "pushed").unwrap();
    assert_eq!(next_text(&mut updates).await, "pushed");
    fault(&server, "push: drop");
    let mut states = ann.connection_states();
    assert!(states.next().await.unwrap().is_online());
    for n in 1..=2 {
        bob.send_message(ann_handle.peer(), &n.to_string()).unwrap();
        assert_eq!(next_text(&mut updates).await, n.to_string());
    }
    // It has brought something twice without having pushed it.
    let state = tokio::time::timeout(util::PATIENCE, states.next()).await;
    let state = state.unwrap().unwrap();
    assert!(
        matches!(state, ConnectionState::Connecting { .. }),
        "{state}"
    );
    server.faults().clear();
    while !ann.connection_state().is_online() {
        states.next().await.unwrap();
    }
    bob.send_message(ann_handle.peer(), "pushed again").unwrap();
    assert_eq!(next_text(&mut updates).await, "pushed again");
    assert!(updates.reason().is_none());
}

#[tokio::test]
async fn a_quiet_account_keeps_its_connection() {
    let server = server().await;
    let mut config = config(&server);
    config.update_check = Duration::from_secs(1);
    let (_, ann) = user_with(&server, "+15550001", "Ann", config).await;
    let kinds = [UpdateKind::Connection];
    let mut told = ann.stream_updates_with(StreamOptions::new().kinds(kinds));
    let mut checks = 0;
    let quiet = async {
        while let Some(Update::Connection(event)) = told.next().await {
            let event = format!("{event:?}");
            checks += usize::from(event == "CaughtUp");
            assert!(!event.contains("Connecting"), "{event}");
        }
    };
    assert!(
        tokio::time::timeout(Duration::from_secs(5), quiet)
            .await
            .is_err()
    );
    assert!(checks >= 4, "{checks}");
}

async fn next_missed(updates: &mut layer_client::update::UpdateStream) -> Missed {
    next_that(updates, |update| match update {
        Update::Missed(missed) => Some(missed),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn too_long_a_difference_names_the_chats_that_moved() {
    names_the_chats_that_moved("too-long").await;
}

#[tokio::test]
async fn a_state_that_the_server_does_not_take_names_the_chats_that_moved() {
    names_the_chats_that_moved("error 400 PERSISTENT_TIMESTAMP_INVALID").await;
}

#[tokio::test]
async fn a_server_that_lags_behind_is_asked_again_and_nothing_is_missed() {
    let server = server().await;
    let directory = tempfile::tempdir().unwrap();
    let config = config_with_session(&server, &directory.path().join("ann.session"));
    let (ann_handle, ann) = user_with(&server, "+15550001", "Ann", config.clone()).await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let mut updates = ann.stream_updates();
    bob.send_message(ann_handle.peer(), "before").unwrap();
    assert_eq!(next_text(&mut updates).await, "before");
    updates.ack();
    drop(updates);
    ann.disconnect().await.unwrap();
    drop(ann);
    for n in 1..=3 {
        bob.send_message(ann_handle.peer(), &n.to_string()).unwrap();
    }
    fault(
        &server,
        "method=updates.getDifference times=2: error 400 PERSISTENT_TIMESTAMP_OUTDATED",
    );
    let ann = Client::connect(config).await.unwrap();
    let mut updates = ann.stream_updates();
    let mut heard = Vec::new();
    while heard.last().is_none_or(|text| text != "3") {
        heard.push(
            next_that(&mut updates, |update| match update {
                Update::Missed(_) => panic!("nothing is missed"),
                update => update.message().and_then(|m| m.text()).map(str::to_owned),
            })
            .await,
        );
    }
    heard.retain(|text| text != "before");
    assert_eq!(heard, ["1", "2", "3"]);
}

async fn names_the_chats_that_moved(happens: &str) {
    let server = server().await;
    let directory = tempfile::tempdir().unwrap();
    let config = config_with_session(&server, &directory.path().join("ann.session"));
    let (ann_handle, ann) = user_with(&server, "+15550001", "Ann", config.clone()).await;
    let people = [
        ("+15550002", "Bob"),
        ("+15550003", "Cid"),
        ("+15550004", "Dan"),
    ];
    let people = people.map(|(phone, name)| server.add_user(NewUser::named(phone, name)));
    let [bob, cid, dan] = &people;
    let mut updates = ann.stream_updates();
    for person in &people {
        person.send_message(ann_handle.peer(), "before").unwrap();
        assert_eq!(next_text(&mut updates).await, "before");
    }
    // The next difference says that all of this is past; the server counts in seconds.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    server.drop_connections();
    no_message(&mut updates).await;
    drop(updates);
    ann.disconnect().await.unwrap();
    drop(ann);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    bob.send_message(ann_handle.peer(), "missed").unwrap();
    let group = cid.create_group("Group", &[&ann_handle]).unwrap();
    cid.send_message(group, "missed").unwrap();
    let rule = format!("method=updates.getDifference times=1: {happens}");
    fault(&server, &rule);
    let ann = Client::connect(config).await.unwrap();
    let mut updates = ann.stream_updates();
    let missed = next_missed(&mut updates).await;
    assert!(missed.complete && missed.peer.is_none());
    let mut chats: Vec<i64> = missed.chats.iter().map(|chat| chat.id()).collect();
    chats.sort_unstable();
    let layer_test_server::Peer::Group(group) = group else {
        panic!("{group:?}")
    };
    let mut expected = vec![bob.id(), group];
    expected.sort_unstable();
    assert_eq!(chats, expected);
    // They are named so that they can be fetched.
    for chat in &missed.chats {
        let newest = ann.iter_messages(chat).next().await.unwrap().unwrap();
        assert_eq!(newest.text(), Some("missed"));
    }
    // And it goes on.
    dan.send_message(ann_handle.peer(), "after").unwrap();
    assert_eq!(next_text(&mut updates).await, "after");
}

#[tokio::test]
async fn too_long_a_channel_difference_names_the_channel() {
    let server = server().await;
    let (ann_handle, ann) = user(&server, "+15550001", "Ann").await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let channel = bob.create_channel("News").unwrap();
    bob.invite(channel, &[&ann_handle]).unwrap();
    let mut updates = ann.stream_updates();
    bob.send_message(channel, "one").unwrap();
    while next_text(&mut updates).await != "one" {}
    fault(
        &server,
        "method=updates.getChannelDifference times=1: too-long",
    );
    fault(&server, "push times=1: drop");
    bob.send_message(channel, "lost").unwrap();
    bob.send_message(channel, "shows the hole").unwrap();
    let missed = next_missed(&mut updates).await;
    let peer = missed.peer.as_ref().unwrap();
    assert!(missed.complete && missed.chats == [peer.clone()]);
    assert_eq!((peer.name(), peer.is_broadcast()), ("News", true));
    bob.send_message(channel, "two").unwrap();
    while next_text(&mut updates).await != "two" {}
}

/// Counts calls of one method, and how many of them there were at once.
#[derive(Default)]
struct Meter {
    now: AtomicUsize,
    most: AtomicUsize,
    all: AtomicUsize,
}

impl Middleware for Meter {
    fn call<'a>(&'a self, request: &'a mut Request, next: Next<'a>) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            if request.method() != Some("updates.getChannelDifference") {
                return next.run(request).await;
            }
            self.all.fetch_add(1, Ordering::SeqCst);
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            let outcome = next.run(request).await;
            self.now.fetch_sub(1, Ordering::SeqCst);
            outcome
        })
    }
}

#[tokio::test]
async fn as_many_channels_as_configured_are_fetched_at_once() {
    for at_once in [1, 3] {
        let server = server().await;
        let directory = tempfile::tempdir().unwrap();
        let meter = Arc::new(Meter::default());
        let config = Config {
            channel_differences: at_once,
            layers: vec![meter.clone()],
            ..config_with_session(&server, &directory.path().join("ann.session"))
        };
        let (ann_handle, ann) = user_with(&server, "+15550001", "Ann", config.clone()).await;
        let bob = server.add_user(NewUser::named("+15550002", "Bob"));
        let mut updates = ann.stream_updates();
        let channels: Vec<_> = (0..8)
            .map(|n| {
                let channel = bob.create_channel(&format!("Channel {n}")).unwrap();
                bob.invite(channel, &[&ann_handle]).unwrap();
                bob.send_message(channel, "before").unwrap();
                channel
            })
            .collect();
        let mut before = 0;
        while before < channels.len() {
            before += usize::from(next_text(&mut updates).await == "before");
        }
        no_message(&mut updates).await;
        drop(updates);
        ann.disconnect().await.unwrap();
        drop(ann);
        for channel in &channels {
            bob.send_message(*channel, "after").unwrap();
        }
        fault(&server, "method=updates.getChannelDifference: delay 50ms");
        let calls = meter.all.load(Ordering::SeqCst);
        meter.most.store(0, Ordering::SeqCst);
        let ann = Client::connect(config).await.unwrap();
        let mut updates = ann.stream_updates();
        let mut after = 0;
        while after < channels.len() {
            after += usize::from(next_text(&mut updates).await == "after");
        }
        assert!(meter.all.load(Ordering::SeqCst) >= calls + channels.len());
        assert_eq!(meter.most.load(Ordering::SeqCst), at_once);
    }
}

#[tokio::test]
async fn a_channel_that_cannot_be_had_stops_no_other_and_calls_go_on_beside_a_stuck_stream() {
    let server = server().await;
    let (ann_handle, ann) = user(&server, "+15550001", "Ann").await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let [lost, broken, good] = ["Lost", "Broken", "Good"].map(|name| {
        let channel = bob.create_channel(name).unwrap();
        bob.invite(channel, &[&ann_handle]).unwrap();
        channel
    });
    let mut updates = ann.stream_updates();
    let mut before = 0;
    for channel in [lost, broken, good] {
        bob.send_message(channel, "before").unwrap();
    }
    while before < 3 {
        before += usize::from(next_text(&mut updates).await == "before");
    }
    // The first difference says that the channel is private, the second fails for ever.
    for (channel, error) in [(lost, "400 CHANNEL_PRIVATE"), (broken, "500 INTERNAL")] {
        let rule = format!("method=updates.getChannelDifference times=1: error {error}");
        fault(&server, &rule);
        fault(&server, "push times=1: drop");
        bob.send_message(channel, "lost").unwrap();
        bob.send_message(channel, "shows the hole").unwrap();
    }
    for n in 0..20 {
        bob.send_message(good, &format!("good {n}")).unwrap();
    }
    let mut came = 0;
    while came < 20 {
        let text = next_text(&mut updates).await;
        if text.starts_with("good") {
            assert_eq!(text, format!("good {came}"));
            came += 1;
        }
    }
    // Nobody reads any more, and calls are answered as ever.
    for n in 0..1400 {
        bob.send_message(good, &n.to_string()).unwrap();
    }
    for _ in 0..20 {
        assert!(ann.is_authorized().await.unwrap());
    }
    let mut came = 0;
    while came < 1400 {
        came += usize::from(next_text(&mut updates).await == came.to_string());
    }
}

/// Answers `updates.getState` as for an account where nothing has happened yet.
struct Fresh;

impl Middleware for Fresh {
    fn call<'a>(&'a self, request: &'a mut Request, next: Next<'a>) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            if request.method() != Some("updates.getState") {
                return next.run(request).await;
            }
            let state = tl::types::updates::State {
                pts: 0,
                qts: 0,
                date: 0,
                seq: 0,
                unread_count: 0,
            };
            Ok(tl::enums::updates::State::from(state).to_bytes().into())
        })
    }
}

#[tokio::test]
async fn a_fresh_account_begins_at_zero_and_receives() {
    let server = server().await;
    let directory = tempfile::tempdir().unwrap();
    let config = Config {
        layers: vec![Arc::new(Fresh)],
        ..config_with_session(&server, &directory.path().join("ann.session"))
    };
    let (ann_handle, ann) = user_with(&server, "+15550001", "Ann", config.clone()).await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let mut updates = ann.stream_updates();
    for text in ["one", "two"] {
        bob.send_message(ann_handle.peer(), text).unwrap();
        assert_eq!(next_text(&mut updates).await, text);
    }
    updates.ack();
    drop(updates);
    ann.disconnect().await.unwrap();
    drop(ann);
    bob.send_message(ann_handle.peer(), "three").unwrap();
    let ann = Client::connect(config).await.unwrap();
    let mut updates = ann.stream_updates();
    assert_eq!(next_text(&mut updates).await, "three");
    no_message(&mut updates).await;
}

#[tokio::test]
async fn a_program_that_only_listens_hears_that_its_session_was_revoked() {
    let server = server().await;
    let (ann_handle, ann) = user(&server, "+15550001", "Ann").await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let mut updates = ann.stream_updates();
    bob.send_message(ann_handle.peer(), "before").unwrap();
    assert_eq!(next_text(&mut updates).await, "before");
    ann_handle.revoke_sessions();
    // As the server does when it revokes one.
    server.drop_connections();
    let end = async { while updates.next().await.is_some() {} };
    tokio::time::timeout(util::PATIENCE, end).await.unwrap();
    let reason = updates.reason().unwrap();
    assert!(reason.is_terminal(), "{reason}");
}
