//! What users call, against the embedded data centre.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod util;

use std::sync::Arc;

use layer_client::middleware::{BoxFuture, Middleware, Next, Outcome, Request};
use layer_client::text;
use layer_client::update::Update;
use layer_client::{Button, Config, Error, InputMessage, Keyboard, PeerKind, Role};
use layer_test_server::NewUser;
use util::{config, next_text, next_that, server, user, user_with};

#[tokio::test]
async fn two_users_talk() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let (_, bob) = user(&server, "+15550002", "Bob").await;
    let mut anns = ann.stream_updates();
    let mut bobs = bob.stream_updates();

    let sent = ann.send_message("@bob_user", "Hello, Bob").await.unwrap();
    assert!(sent.outgoing());
    assert_eq!(sent.text(), Some("Hello, Bob"));

    let received = next_that(&mut bobs, |update| match update {
        Update::NewMessage(message) if !message.outgoing() => Some(message),
        _ => None,
    })
    .await;
    assert_eq!(received.text(), Some("Hello, Bob"));
    assert_eq!(received.sender().unwrap().name(), "Ann");
    let peer = received.peer_id().unwrap();
    assert_eq!(peer.kind(), PeerKind::User);

    bob.send_message_to_peer(peer.clone(), "Hello, Ann")
        .await
        .unwrap();
    assert_eq!(next_text(&mut anns).await, "Hello, Ann");

    let answer = received.reply(&bob, "and this is an answer").await.unwrap();
    assert_eq!(answer.reply_to(), Some(received.id()));
    assert_eq!(next_text(&mut anns).await, "and this is an answer");
    server.shutdown().await;
}

#[tokio::test]
async fn one_writes_to_oneself_and_formats() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let sent = ann
        .send_message(
            "me",
            InputMessage::markdown("**bold 😀** and [link](https://e.org/)"),
        )
        .await
        .unwrap();
    let stored = ann.get_messages("me", &[sent.id(), 9999]).await.unwrap();
    let stored_message = stored[0].as_ref().unwrap();
    assert_eq!(stored_message.text(), Some("bold 😀 and link"));
    assert_eq!(
        stored_message.markdown(),
        "**bold 😀** and [link](https://e.org/)"
    );
    assert_eq!(stored_message.entities().len(), 2);
    assert_eq!(text::utf16_slice("bold 😀", 0, 7), Some("bold 😀"));
    assert!(stored[1].is_none());
}

#[tokio::test]
async fn edits_and_deletions_arrive() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let (_, bob) = user(&server, "+15550002", "Bob").await;
    let mut bobs = bob.stream_updates();
    let sent = ann.send_message("@bob_user", "frist").await.unwrap();
    assert_eq!(next_text(&mut bobs).await, "frist");

    let edited = ann
        .edit_message("@bob_user", sent.id(), "first")
        .await
        .unwrap();
    assert_eq!(edited.text(), Some("first"));
    assert!(edited.edit_date().is_some());
    let seen = next_that(&mut bobs, |update| match update {
        Update::MessageEdited(message) => Some(message),
        _ => None,
    })
    .await;
    assert_eq!(seen.text(), Some("first"));

    assert_eq!(
        ann.delete_messages("@bob_user", &[sent.id()])
            .await
            .unwrap(),
        1
    );
    let gone = next_that(&mut bobs, |update| match update {
        Update::MessageDeleted(deletion) => Some(deletion.msg_ids),
        _ => None,
    })
    .await;
    assert_eq!(gone, [seen.id()]);
    // The own deletion moved our pts: the next message comes without a difference.
    let mut anns = ann.stream_updates();
    bob.send_message("@ann_user", "back").await.unwrap();
    assert_eq!(next_text(&mut anns).await, "back");
}

#[tokio::test]
async fn history_is_iterated_from_the_newest_to_the_oldest_across_pages() {
    let server = server().await;
    let (ann_handle, ann) = user(&server, "+15550001", "Ann").await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    for n in 0..230 {
        bob.send_message(ann_handle.peer(), &format!("message {n}"))
            .unwrap();
    }
    let dialogs = ann.iter_dialogs().collect().await.unwrap();
    let peer = dialogs
        .iter()
        .find(|d| d.name() == "Bob")
        .unwrap()
        .peer()
        .clone();

    let texts: Vec<String> = ann
        .iter_messages(&peer)
        .collect()
        .await
        .unwrap()
        .iter()
        .filter_map(|message| message.text().map(ToOwned::to_owned))
        .collect();
    let expected: Vec<String> = (0..230).rev().map(|n| format!("message {n}")).collect();
    assert_eq!(texts, expected);

    let some = ann.iter_messages(&peer).limit(7).collect().await.unwrap();
    assert_eq!(some.len(), 7);
    assert_eq!(some[0].text(), Some("message 229"));
    let found = ann
        .search_messages(&peer, "message 12")
        .limit(20)
        .collect()
        .await
        .unwrap();
    assert!(!found.is_empty());
    assert!(
        found
            .iter()
            .all(|m| m.text().unwrap().contains("message 12"))
    );
    ann.mark_as_read(&peer).await.unwrap();
    ann.send_typing(&peer).await.unwrap();
}

#[tokio::test]
async fn dialogs_come_once_each_across_pages() {
    let server = server().await;
    let (ann_handle, ann) = user(&server, "+15550001", "Ann").await;
    for n in 0..35 {
        let other = server.add_user(NewUser::named(format!("+1666000{n:02}"), format!("U{n}")));
        other.send_message(ann_handle.peer(), "hello").unwrap();
    }
    let dialogs = ann.iter_dialogs().page_size(10).collect().await.unwrap();
    let mut names: Vec<&str> = dialogs.iter().map(|d| d.name()).collect();
    names.retain(|name| name.starts_with('U'));
    let mut distinct = names.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!((names.len(), distinct.len()), (35, 35));
    let newest = dialogs.iter().find(|d| d.name() == "U34").unwrap();
    assert_eq!(newest.last_message().unwrap().text(), Some("hello"));
    assert_eq!(newest.unread_count(), 1);
}

#[tokio::test]
async fn groups_and_channels_are_made_filled_and_left() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let (_, bob) = user(&server, "+15550002", "Bob").await;
    let mut bobs = bob.stream_updates();
    let group = ann.create_group("Our group", ["@bob_user"]).await.unwrap();
    assert_eq!((group.kind(), group.name()), (PeerKind::Group, "Our group"));
    ann.send_message(&group, "in the group").await.unwrap();
    let (text, peer) = next_that(&mut bobs, |update| match update {
        Update::NewMessage(m) if m.text().is_some() => {
            Some((m.text().unwrap().to_owned(), m.peer_id().unwrap().clone()))
        }
        _ => None,
    })
    .await;
    assert_eq!((text.as_str(), peer.name()), ("in the group", "Our group"));

    let supergroup = ann
        .create_supergroup("Our supergroup", "about")
        .await
        .unwrap();
    assert_eq!(supergroup.kind(), PeerKind::Channel);
    ann.invite(&supergroup, ["@bob_user"]).await.unwrap();
    ann.send_message(&supergroup, "in the supergroup")
        .await
        .unwrap();
    let peer = next_that(&mut bobs, |update| match update {
        Update::NewMessage(m) if m.text() == Some("in the supergroup") => m.peer_id().cloned(),
        _ => None,
    })
    .await;
    bob.send_message_to_peer(peer.clone(), "I am here")
        .await
        .unwrap();
    let members = ann.iter_participants(&supergroup).collect().await.unwrap();
    let mut members: Vec<_> = members
        .iter()
        .map(|m| (m.peer.name().to_owned(), m.role))
        .collect();
    members.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(members[0], ("Ann".to_owned(), Role::Creator));
    assert_eq!(members[1].0, "Bob");
    bob.leave(&peer).await.unwrap();
    assert_eq!(
        ann.iter_participants(&supergroup)
            .collect()
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_peer_that_does_not_exist_is_a_typed_error() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let error = ann.send_message("@nobody_here", "?").await.unwrap_err();
    assert!(matches!(error, Error::PeerNotFound(_)), "{error:?}");
    let error = ann.send_message("not a name", "?").await.unwrap_err();
    assert!(matches!(error, Error::Input(_)), "{error:?}");
    let error = ann.send_message(987_654_321, "?").await.unwrap_err();
    assert!(matches!(error, Error::PeerNotFound(_)), "{error:?}");
    let found = ann.resolve_peer("https://t.me/ann_user").await.unwrap();
    assert!(found.is_self());
}

#[tokio::test]
async fn a_bot_echoes_and_answers_its_buttons() {
    let server = server().await;
    let (ann_handle, ann) = user(&server, "+15550001", "Ann").await;
    let bot_handle = server.add_bot(&ann_handle, "Echo Two", "echo_two_bot");
    let bot = layer_client::Client::connect(config(&server))
        .await
        .unwrap();
    bot.bot_sign_in(bot_handle.token()).await.unwrap();
    let mut queries = bot.stream_updates();
    let work = tokio::spawn(async move {
        while let Some(update) = queries.next().await {
            match update {
                Update::NewMessage(msg) if !msg.outgoing() => {
                    if let (Some(peer), Some(text)) = (msg.peer_id(), msg.text()) {
                        let keyboard = Keyboard::inline().row([Button::callback("Do", "do it")]);
                        let echo = InputMessage::text(text).keyboard(keyboard);
                        bot.send_message_to_peer(peer.clone(), echo).await.unwrap();
                    }
                }
                Update::CallbackQuery(cb) => {
                    assert_eq!(cb.data(), Some(&b"do it"[..]));
                    assert_eq!(cb.sender().name(), "Ann");
                    bot.answer_callback_query(cb.query_id, Some("Done!"), false)
                        .await
                        .unwrap();
                }
                _ => {}
            }
        }
    });
    let mut anns = ann.stream_updates();
    ann.send_message("@echo_two_bot", "Say it again")
        .await
        .unwrap();
    let echo = next_that(&mut anns, |update| match update {
        Update::NewMessage(message) if !message.outgoing() => Some(message),
        _ => None,
    })
    .await;
    assert_eq!(echo.text(), Some("Say it again"));
    assert!(echo.reply_markup().is_some());
    let answer = ann
        .press_button("@echo_two_bot", echo.id(), "do it")
        .await
        .unwrap();
    assert_eq!(answer.message.as_deref(), Some("Done!"));
    work.abort();
}

#[tokio::test]
async fn messages_are_forwarded_and_deleted_in_a_supergroup() {
    let server = server().await;
    let (_, ann) = user(&server, "+15550001", "Ann").await;
    let group = ann.create_supergroup("Ours", "").await.unwrap();
    let mut anns = ann.stream_updates();
    let one = ann.send_message(&group, "one").await.unwrap();
    let two = ann.send_message(&group, "two").await.unwrap();
    let there = ann
        .forward_messages("me", &group, &[one.id(), two.id()])
        .await
        .unwrap();
    let texts: Vec<_> = there
        .iter()
        .flatten()
        .map(|m| m.text().unwrap_or_default())
        .collect();
    assert_eq!(texts, ["one", "two"]);
    assert!(there[0].as_ref().unwrap().forward().is_some());

    assert_eq!(ann.delete_messages(&group, &[one.id()]).await.unwrap(), 1);
    let left = ann
        .get_messages(&group, &[one.id(), two.id()])
        .await
        .unwrap();
    assert!(left[0].is_none());
    assert_eq!(left[1].as_ref().unwrap().text(), Some("two"));
    let three = ann.send_message(&group, "three").await.unwrap();
    // What we sent ourselves is in the stream too, once each.
    let mut own = Vec::new();
    while own.len() < 5 {
        let text = next_that(&mut anns, |update| match update {
            Update::NewMessage(m) => m.text().map(ToOwned::to_owned),
            _ => None,
        });
        own.push(text.await);
    }
    own.sort();
    assert_eq!(own, ["one", "one", "three", "two", "two"]);
    ann.mark_as_read_up_to(&group, three.id()).await.unwrap();
}

#[tokio::test]
async fn what_is_known_of_peers_survives_a_restart() {
    let server = server().await;
    let directory = tempfile::tempdir().unwrap();
    let config = util::config_with_session(&server, &directory.path().join("ann.session"));
    let (ann_handle, ann) = user_with(&server, "+15550001", "Ann", config.clone()).await;
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    bob.send_message(ann_handle.peer(), "hello").unwrap();
    ann.iter_dialogs().collect().await.unwrap();
    ann.disconnect().await.unwrap();
    drop(ann);
    let ann = layer_client::Client::connect(config).await.unwrap();
    let error = layer_test_server::ApiError::new(400, "NO_NEED_TO_ASK");
    for method in [
        "contacts.resolveUsername",
        "users.getUsers",
        "messages.getDialogs",
    ] {
        server.fail(method, error.clone(), None);
    }
    let sent = ann.send_message(bob.id(), "by its id").await.unwrap();
    assert_eq!(sent.peer_id().unwrap().name(), "Bob");
}

/// The first answer to each message that is sent is lost, and the request made again.
struct LosesAnswers;

impl Middleware for LosesAnswers {
    fn call<'a>(&'a self, request: &'a mut Request, next: Next<'a>) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            if request.method() == Some("messages.sendMessage") {
                next.run(request).await?;
            }
            next.run(request).await
        })
    }
}

#[tokio::test]
async fn a_message_that_is_there_already_is_found_instead_of_refused() {
    let server = server().await;
    let ways = Config {
        attempt_layers: vec![Arc::new(LosesAnswers)],
        ..config(&server)
    };
    let (_, ann) = user_with(&server, "+15550001", "Ann", ways).await;
    let (_, bob) = user(&server, "+15550002", "Bob").await;
    for to in ["@bob_user", "me"] {
        for text in ["one", "two  ", "one"] {
            let sent = ann.send_message(to, text).await.unwrap();
            assert_eq!(sent.text(), Some(text.trim()));
            assert!(sent.outgoing() || to == "me");
            bob.send_message("@ann_user", text).await.unwrap();
            let mut chat = ann.iter_messages(to);
            let mut newest = Vec::new();
            while let Some(message) = chat.next().await.unwrap() {
                newest.push(message);
            }
            let twins = newest
                .iter()
                .filter(|message| message.text() == sent.text());
            let newest_of_ours = twins
                .filter(|m| m.outgoing() || to == "me")
                .max_by_key(|m| m.id());
            assert_eq!(newest_of_ours.unwrap().id(), sent.id());
        }
    }
}
