//! What an account must see, held against what a session of it is told.

#![allow(clippy::unwrap_used)]

mod util;

use layer_test_server::expected::{Count, Event, EventKind};
use layer_test_server::tl::{enums, functions as f, types};
use layer_test_server::{NewUser, Peer, Server};
use util::{Client, in_time};

/// The updates that came, taken out of their objects.
fn flat(updates: &mut Vec<enums::Updates>) -> Vec<enums::Update> {
    let mut all = Vec::new();
    for object in updates.drain(..) {
        match object {
            enums::Updates::Updates(updates) => all.extend(updates.updates),
            enums::Updates::UpdateShort(short) => all.push(short.update),
            other => panic!("unexpected in this place: {other:?}"),
        }
    }
    all
}

#[tokio::test]
async fn a_session_is_told_what_the_watch_says_in_its_order() {
    let server = Server::builder().start().await.unwrap();
    let ann = server.add_user(NewUser::named("+15550001", "Ann"));
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    in_time(async {
        let mut client = Client::connect(&server, 1).await;
        client.enter(&server, "+15550002").await;
        client.invoke(&f::updates::GetState {}).await.unwrap();
        let watch = bob.watch();
        let chat = ann.create_supergroup("Us").unwrap();
        ann.invite(chat, &[&bob]).unwrap();
        for text in ["one", "two"] {
            let id = ann.send_message(chat, text).unwrap();
            ann.edit_message(chat, id, "changed").unwrap();
        }
        ann.delete_messages(chat, &[3]).unwrap();
        ann.send_message(bob.peer(), "hello").unwrap();
        ann.leave(chat).unwrap();
        let noted = watch.take();
        assert_eq!(noted.len(), 9);
        let told = client
            .until(|client| {
                (client.updates.len() >= noted.len()).then(|| flat(&mut client.updates))
            })
            .await;
        let told: Vec<Event> = told.iter().map(Event::of).collect();
        assert_eq!(told, noted);
        assert!(watch.take().is_empty());
        let expected = bob.expected();
        assert_eq!(expected.pts, 2);
        let texts: Vec<_> = expected.chats[&chat]
            .messages
            .iter()
            .map(|message| (message.id, message.text.as_str(), message.service))
            .collect();
        let service = |id| (id, "", true);
        assert_eq!(
            texts,
            [service(1), service(2), (4, "changed", false), service(5)]
        );
        assert_eq!(expected.chats[&ann.peer()].messages[0].text, "hello");
    })
    .await;
}

#[tokio::test]
async fn updates_of_any_kind_can_be_pushed_and_kept() {
    let server = Server::builder().start().await.unwrap();
    let ann = server.add_user(NewUser::named("+15550001", "Ann"));
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    in_time(async {
        let mut client = Client::connect(&server, 1).await;
        client.enter(&server, "+15550001").await;
        let enums::updates::State::State(state) =
            client.invoke(&f::updates::GetState {}).await.unwrap();
        let story = |id| -> enums::Update {
            types::UpdateReadStories {
                peer: types::PeerUser { user_id: bob.id() }.into(),
                max_id: id,
            }
            .into()
        };
        let watch = ann.watch();
        ann.push(story(1), &[bob.peer()]);
        ann.push_kept(story(2), &[bob.peer()]);
        ann.push_object(enums::Updates::TooLong);
        let told = client
            .until(|client| {
                (client.updates.len() >= 3).then(|| std::mem::take(&mut client.updates))
            })
            .await;
        for (object, id) in told.iter().zip(1..=2) {
            let enums::Updates::Updates(object) = object else {
                panic!("{object:?}")
            };
            assert_eq!(object.updates, [story(id)]);
            let named =
                matches!(&object.users[..], [enums::User::User(user)] if user.id == bob.id());
            assert!(named, "{:?}", object.users);
        }
        assert_eq!(told[2], enums::Updates::TooLong);
        let difference = client
            .invoke(&f::updates::GetDifference {
                pts: state.pts,
                pts_limit: None,
                pts_total_limit: None,
                date: state.date,
                qts: state.qts,
                qts_limit: None,
            })
            .await
            .unwrap();
        let enums::updates::Difference::Difference(difference) = difference else {
            panic!("{difference:?}")
        };
        assert_eq!(difference.other_updates, [story(2)]);
        let events = watch.take();
        assert_eq!(events.len(), 1, "what is not kept need not be heard");
        assert_eq!(events[0].count, Count::Uncounted);
        assert_eq!(events[0].kind, EventKind::Other(Box::new(story(2))));
        assert!(!ann.expected().chats.contains_key(&Peer::User(bob.id())));
    })
    .await;
}

#[tokio::test]
async fn updates_with_a_qts_are_counted_for_bots_and_stand_in_the_difference() {
    let server = Server::builder().start().await.unwrap();
    let ann = server.add_user(NewUser::named("+15550001", "Ann"));
    let bot = server.add_bot(&ann, "Helper", "helper_bot");
    let channel = ann.create_channel("News").unwrap();
    let Peer::Channel(channel_id) = channel else {
        panic!("{channel:?}")
    };
    let boost = types::Boost {
        gift: false,
        giveaway: false,
        unclaimed: false,
        id: "1".into(),
        user_id: Some(ann.id()),
        giveaway_msg_id: None,
        date: 1,
        expires: 2,
        used_gift_slug: None,
        multiplier: None,
        stars: None,
    };
    let update = types::UpdateBotChatBoost {
        peer: types::PeerChannel { channel_id }.into(),
        boost: boost.into(),
        qts: 0,
    };
    let watch = bot.watch();
    bot.push_qts(update.clone().into(), &[channel, ann.peer()]);
    bot.push_qts(update.into(), &[channel, ann.peer()]);
    let counts: Vec<Count> = watch.take().iter().map(|event| event.count).collect();
    assert_eq!(counts, [Count::Qts(1), Count::Qts(2)]);
    assert_eq!(bot.expected().qts, 2);
    let request = f::updates::GetDifference {
        pts: 1,
        pts_limit: None,
        pts_total_limit: None,
        date: 1,
        qts: 1,
        qts_limit: None,
    };
    let answer = bot.invoke(&request).unwrap();
    let enums::updates::Difference::Difference(difference) = answer else {
        panic!("{answer:?}")
    };
    let [enums::Update::BotChatBoost(update)] = &difference.other_updates[..] else {
        panic!("{:?}", difference.other_updates)
    };
    assert_eq!(update.qts, 2);
    // What has no qts is left alone.
    let other = types::UpdateReadStories {
        peer: types::PeerUser { user_id: ann.id() }.into(),
        max_id: 1,
    };
    bot.push_qts(other.into(), &[]);
    assert_eq!(bot.expected().qts, 2);
    server.shutdown().await;
}
