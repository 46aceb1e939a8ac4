//! What happens to updates on their way, and to the differences that bring what was lost.

use std::time::Duration;

use layer_test_server::tl::{Deserializable, enums, functions as f, types};
use layer_test_server::{Limits, NewUser, Peer, Server, UserHandle};

use super::{fired, server};
use crate::util::{Client, error, in_time, is};

/// A server with these rules, Ann who writes, and Bob who listens.
async fn listening(rules: &[&str]) -> (Server, UserHandle, UserHandle, Client) {
    let server = server(&[]).await;
    let ann = server.add_user(NewUser::named("+15550001", "Ann"));
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let mut client = Client::connect(&server, 1).await;
    client.enter(&server, "+15550002").await;
    client.invoke(&f::updates::GetState {}).await.unwrap();
    for rule in rules {
        server.faults().add(rule.parse().unwrap()).unwrap();
    }
    (server, ann, bob, client)
}

/// The text and the new `pts` of a pushed message.
fn text(updates: &enums::Updates) -> (String, i32) {
    match updates {
        enums::Updates::UpdateShortMessage(short) => (short.message.clone(), short.pts),
        enums::Updates::Updates(updates) => match &updates.updates[0] {
            enums::Update::NewMessage(update) => match &update.message {
                enums::Message::Message(message) => (message.message.clone(), update.pts),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        },
        enums::Updates::TooLong => ("too long".into(), 0),
        other => panic!("{other:?}"),
    }
}

async fn texts(client: &mut Client, count: usize) -> Vec<(String, i32)> {
    let updates = client
        .until(|client| {
            (client.updates.len() >= count).then(|| std::mem::take(&mut client.updates))
        })
        .await;
    updates.iter().map(text).collect()
}

fn said(texts: &[(&str, i32)]) -> Vec<(String, i32)> {
    texts
        .iter()
        .map(|(text, pts)| ((*text).to_owned(), *pts))
        .collect()
}

fn difference(pts: i32) -> f::updates::GetDifference {
    f::updates::GetDifference {
        pts,
        pts_limit: None,
        pts_total_limit: None,
        date: 1,
        qts: 0,
        qts_limit: None,
    }
}

#[tokio::test]
async fn a_lost_push_is_sent_again_by_nobody_and_stands_in_the_difference() {
    in_time(async {
        let (server, ann, bob, mut client) = listening(&["push nth=2: drop"]).await;
        for text in ["one", "two", "three"] {
            ann.send_message(bob.peer(), text).unwrap();
        }
        assert_eq!(
            texts(&mut client, 2).await,
            said(&[("one", 2), ("three", 4)])
        );
        // A request goes there and back, and brings nothing more.
        let answer = client.invoke(&difference(2)).await.unwrap();
        assert!(client.updates.is_empty());
        assert_eq!(fired(&server), 1);
        let enums::updates::Difference::Difference(answer) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(answer.new_messages.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn pushes_come_twice_or_late_or_in_another_order() {
    for (rule, expected) in [
        (
            "push nth=1: duplicate",
            [("one", 2), ("one", 2), ("two", 3), ("three", 4)],
        ),
        (
            "push nth=1: reorder, duplicate",
            [("one", 2), ("two", 3), ("one", 2), ("three", 4)],
        ),
    ] {
        in_time(async {
            let (_server, ann, bob, mut client) = listening(&[rule]).await;
            for text in ["one", "two", "three"] {
                ann.send_message(bob.peer(), text).unwrap();
            }
            let came = texts(&mut client, 4).await;
            assert_eq!(came, said(&expected), "{rule}");
        })
        .await;
    }
    for (rule, expected) in [
        (
            "push nth=1: reorder",
            [("two", 3), ("one", 2), ("three", 4)],
        ),
        (
            "push nth=2: delay 200ms",
            [("one", 2), ("three", 4), ("two", 3)],
        ),
        (
            "push nth=3: reorder",
            [("one", 2), ("two", 3), ("three", 4)],
        ),
        (
            "push nth=2: too-long",
            [("one", 2), ("too long", 0), ("three", 4)],
        ),
    ] {
        in_time(async {
            let (_server, ann, bob, mut client) = listening(&[rule]).await;
            for text in ["one", "two", "three"] {
                ann.send_message(bob.peer(), text).unwrap();
            }
            let came = texts(&mut client, 3).await;
            assert_eq!(came, said(&expected), "{rule}");
        })
        .await;
    }
}

#[tokio::test]
async fn pushes_can_be_cut_or_garbage_and_the_session_layer_notices_nothing() {
    for rule in ["push nth=1: malformed", "push nth=1: garbage 64"] {
        in_time(async {
            let (_server, ann, bob, mut client) = listening(&[rule]).await;
            ann.send_message(bob.peer(), "one").unwrap();
            ann.send_message(bob.peer(), "two").unwrap();
            let mut bodies = Vec::new();
            while bodies.len() < 2 {
                client.turn_with(|bytes| bodies.push(bytes)).await;
            }
            let object = |body: &[u8]| enums::Updates::from_bytes(body);
            assert!(object(&bodies[0]).is_err(), "{rule}");
            assert_eq!(text(&object(&bodies[1]).unwrap()), ("two".to_owned(), 3));
        })
        .await;
    }
}

#[tokio::test]
async fn a_rule_for_updates_of_one_account_or_kind_leaves_others_alone() {
    in_time(async {
        let (server, ann, bob, mut client) = listening(&["push update=updateUserName: drop"]).await;
        let rule = format!("push user={}: drop", ann.id());
        server.faults().add(rule.parse().unwrap()).unwrap();
        ann.send_message(bob.peer(), "one").unwrap();
        ann.invoke(&f::account::UpdateProfile {
            first_name: Some("Anne".into()),
            last_name: None,
            about: None,
        })
        .unwrap();
        ann.send_message(bob.peer(), "two").unwrap();
        assert_eq!(texts(&mut client, 2).await, said(&[("one", 2), ("two", 3)]));
        let fired: Vec<u64> = server
            .faults()
            .list()
            .iter()
            .map(|rule| rule.fired)
            .collect();
        assert_eq!(fired, [1, 0], "Ann has no session that could be pushed to");
    })
    .await;
}

#[tokio::test]
async fn differences_are_sliced_or_too_long_or_refused_as_ordered() {
    in_time(async {
        let (server, ann, bob, mut client) =
            listening(&["method=updates.getDifference: slice 2"]).await;
        for text in ["one", "two", "three"] {
            ann.send_message(bob.peer(), text).unwrap();
        }
        let answer = client.invoke(&difference(1)).await.unwrap();
        let enums::updates::Difference::Slice(slice) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(slice.new_messages.len(), 2);
        let enums::updates::State::State(state) = slice.intermediate_state;
        assert_eq!(state.pts, 3);
        let order = |rule: &str| server.faults().add(rule.parse().unwrap()).unwrap();
        order("method=updates.getDifference times=1: too-long");
        let answer = client.invoke(&difference(3)).await.unwrap();
        let enums::updates::Difference::TooLong(long) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(long.pts, 4);
        order("method=updates.getDifference times=1: error 500 PERSISTENT_TIMESTAMP_OUTDATED");
        let refused = client.invoke(&difference(3)).await;
        assert_eq!(error(refused), is(500, "PERSISTENT_TIMESTAMP_OUTDATED"));
        let answer = client.invoke(&difference(3)).await.unwrap();
        assert!(matches!(answer, enums::updates::Difference::Difference(_)));
    })
    .await;
}

#[tokio::test]
async fn what_counts_in_no_pts_and_was_lost_stands_in_the_next_difference_all_the_same() {
    in_time(async {
        let rules = [
            "push update=updateUserName: drop",
            "push nth=1 update=updateNewChannelMessage: drop",
        ];
        let (_server, ann, bob, mut client) = listening(&rules).await;
        let chat = ann.create_supergroup("Us").unwrap();
        ann.invite(chat, &[&bob]).unwrap();
        ann.send_message(bob.peer(), "hello").unwrap();
        let enums::updates::State::State(before) =
            client.invoke(&f::updates::GetState {}).await.unwrap();
        ann.invoke(&f::account::UpdateProfile {
            first_name: Some("Anne".into()),
            last_name: None,
            about: None,
        })
        .unwrap();
        // What comes after it moves the client's date on.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let enums::updates::State::State(state) =
            client.invoke(&f::updates::GetState {}).await.unwrap();
        assert!(state.date > before.date && state.seq == before.seq + 1);
        let request = f::updates::GetDifference {
            date: state.date,
            ..difference(state.pts)
        };
        // The answer may be lost as well: it is the same when it is asked for again.
        for _ in 0..2 {
            let answer = client.invoke(&request).await.unwrap();
            let enums::updates::Difference::Difference(answer) = answer else {
                panic!("{answer:?}")
            };
            let is = |wanted: fn(&enums::Update) -> bool| answer.other_updates.iter().any(wanted);
            assert!(is(|update| matches!(update, enums::Update::UserName(_))));
            assert!(is(|update| matches!(
                update,
                enums::Update::ChannelTooLong(_)
            )));
        }
        let enums::updates::State::State(state) =
            client.invoke(&f::updates::GetState {}).await.unwrap();
        let request = f::updates::GetDifference {
            date: state.date.saturating_add(1),
            ..difference(state.pts)
        };
        let answer = client.invoke(&request).await.unwrap();
        assert!(
            matches!(answer, enums::updates::Difference::Empty(_)),
            "{answer:?}"
        );
    })
    .await;
}

fn channel_difference(bob: &UserHandle, chat: Peer, pts: i32) -> f::updates::GetChannelDifference {
    let Peer::Channel(channel_id) = chat else {
        panic!("{chat:?}")
    };
    f::updates::GetChannelDifference {
        force: false,
        channel: types::InputChannel {
            channel_id,
            access_hash: bob.access_hash(chat),
        }
        .into(),
        filter: enums::ChannelMessagesFilter::Empty,
        pts,
        limit: 100,
    }
}

#[tokio::test]
async fn differences_of_channels_are_sliced_or_too_long_or_slow_as_ordered() {
    in_time(async {
        let (server, ann, bob, mut client) = listening(&[]).await;
        let chat = ann.create_supergroup("Us").unwrap();
        ann.invite(chat, &[&bob]).unwrap();
        let from = bob.expected().chats[&chat].pts.unwrap();
        for text in ["one", "two", "three"] {
            ann.send_message(chat, text).unwrap();
        }
        let order = |rule: &str| server.faults().add(rule.parse().unwrap()).unwrap();
        order("method=updates.getChannelDifference times=1: slice 2");
        let answer = client
            .invoke(&channel_difference(&bob, chat, from))
            .await
            .unwrap();
        let enums::updates::ChannelDifference::Difference(part) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!((part.r#final, part.pts), (false, from + 2));
        order("method=updates.getChannelDifference times=1: channel-timeout 7");
        let answer = client
            .invoke(&channel_difference(&bob, chat, part.pts))
            .await
            .unwrap();
        let enums::updates::ChannelDifference::Difference(rest) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(
            (rest.r#final, rest.pts, rest.timeout),
            (true, from + 3, Some(7))
        );
        order("method=updates.getChannelDifference times=1: too-long");
        let answer = client
            .invoke(&channel_difference(&bob, chat, rest.pts))
            .await
            .unwrap();
        let enums::updates::ChannelDifference::TooLong(long) = answer else {
            panic!("{answer:?}")
        };
        let enums::Dialog::Dialog(dialog) = long.dialog else {
            panic!("{:?}", long.dialog)
        };
        assert_eq!(dialog.pts, Some(from + 3));
    })
    .await;
}

#[tokio::test]
async fn the_limits_of_differences_can_be_set() {
    let limits = Limits {
        log_limit: 6,
        difference_limit: 2,
        channel_difference_limit: 3,
        channel_timeout: Duration::from_secs(11),
        ..Limits::default()
    };
    let server = Server::builder().limits(limits).start().await.unwrap();
    let ann = server.add_user(NewUser::named("+15550001", "Ann"));
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let chat = ann.create_supergroup("Us").unwrap();
    ann.invite(chat, &[&bob]).unwrap();
    for _ in 0..7 {
        ann.send_message(bob.peer(), "private").unwrap();
        ann.send_message(chat, "common").unwrap();
    }
    let difference = |pts| bob.invoke(&difference(pts)).unwrap();
    assert!(matches!(
        difference(1),
        enums::updates::Difference::TooLong(_)
    ));
    assert!(matches!(
        difference(2),
        enums::updates::Difference::Slice(_)
    ));
    let pts = bob.expected().chats[&chat].pts.unwrap();
    let channel = |pts| bob.invoke(&channel_difference(&bob, chat, pts)).unwrap();
    assert!(matches!(
        channel(pts - 4),
        enums::updates::ChannelDifference::TooLong(_)
    ));
    let enums::updates::ChannelDifference::Difference(part) = channel(pts - 2) else {
        panic!("two changes are one answer")
    };
    assert_eq!((part.r#final, part.timeout), (true, Some(11)));
    server.shutdown().await;
}
