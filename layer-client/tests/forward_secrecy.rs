//! Perfect forward secrecy: everything is said under temporary keys, which come and go without a
//! request being lost or done twice, and without the login being in danger. The clock is tokio's,
//! stopped.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod peer;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use layer_client::session::{MemoryStorage, SelfUser, Session};
use layer_client::{Client, Config, Error, Terminal, tl};
use layer_crypto::AuthKey;
use peer::{Call, Peer, Reply, basics, nearest};
use tl::Identifiable;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

type Nearest = tl::functions::help::GetNearestDc;
type Bind = tl::functions::auth::BindTempAuthKey;

fn config(peer: &Peer) -> Config {
    Config {
        pfs: true,
        ..peer.config()
    }
}

async fn ask(client: &Client) -> Result<tl::enums::NearestDc, Error> {
    client.invoke(&Nearest {}).await
}

/// A session that someone is signed in with, but for its key.
fn signed_in() -> Arc<MemoryStorage> {
    let mut session = Session::default();
    session.home_dc = 1;
    session.user = Some(SelfUser::new(7, false));
    let storage = MemoryStorage::new();
    session.save(&storage).unwrap();
    Arc::new(storage)
}

/// The id of the permanent key that a session keeps.
fn kept_key(storage: &MemoryStorage) -> i64 {
    let session = Session::load(storage).unwrap().unwrap();
    let key = session.dcs[&1].auth_key.as_ref().unwrap();
    AuthKey::from_bytes(*key.as_bytes()).id()
}

#[tokio::test(start_paused = true)]
async fn nothing_is_said_under_the_permanent_key_and_nothing_before_the_binding() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(config(&peer)).await.unwrap();
    for _ in 0..3 {
        ask(&client).await.unwrap();
    }
    peer.cut();
    ask(&client).await.unwrap();
    let (permanent, temporary) = peer.keys();
    assert_eq!((permanent.len(), temporary.len()), (1, 1));
    let messages = peer.messages();
    assert!(
        messages
            .iter()
            .all(|message| temporary.contains(&message.key_id))
    );
    assert!(peer.all_calls()[0].is::<Bind>());
    // It is bound once, whatever becomes of the connection, and to the key that is kept.
    assert_eq!(peer.messages_of(Bind::CONSTRUCTOR_ID).len(), 1);
    let binding = &peer.messages_of(Bind::CONSTRUCTOR_ID)[0];
    let named = i64::from_le_bytes(*binding.body[4..].first_chunk().unwrap());
    assert_eq!(permanent, [named]);
    // Who we are is said after the binding.
    assert!(peer.calls::<tl::functions::help::GetConfig>()[0].introduced);
}

#[tokio::test(start_paused = true)]
async fn the_permanent_key_is_made_once_and_kept_and_the_temporary_one_is_not() {
    let peer = Peer::new(basics).await;
    let storage = Arc::new(MemoryStorage::new());
    for round in 1..=3 {
        let client = Client::connect(Config {
            session_storage: Some(storage.clone()),
            ..config(&peer)
        })
        .await
        .unwrap();
        client.disconnect().await.unwrap();
        let (permanent, temporary) = peer.keys();
        assert_eq!((permanent.len(), temporary.len()), (1, round));
        assert_eq!(permanent, [kept_key(&storage)]);
        let session = Session::load(&*storage).unwrap().unwrap();
        assert!(
            session.dcs[&1].salts.is_empty(),
            "those of the temporary key"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_temporary_key_is_renewed_before_its_end_and_no_request_is_lost_or_done_twice() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(Config {
        temporary_key_life: 60 * SECOND,
        ..config(&peer)
    })
    .await
    .unwrap();
    let begun = Instant::now();
    let mut asked = 0;
    while begun.elapsed() < 600 * SECOND {
        ask(&client).await.unwrap();
        asked += 1;
        sleep(SECOND / 2).await;
    }
    assert_eq!(peer.calls::<Nearest>().len(), asked);
    let (permanent, temporary) = peer.keys();
    // Renewed a quarter of its life before the end.
    assert_eq!(permanent.len(), 1);
    assert!((10..=15).contains(&temporary.len()), "{}", temporary.len());
    keys_ended_in_time(&peer, 60 * SECOND);
}

/// Asserts that no key was used for longer than it lives.
fn keys_ended_in_time(peer: &Peer, life: Duration) {
    let mut first = HashMap::new();
    for message in peer.messages() {
        let since = *first.entry(message.key_id).or_insert(message.at);
        assert!(message.at - since <= life, "{:?}", message.at - since);
    }
}

#[tokio::test(start_paused = true)]
async fn a_temporary_key_is_renewed_under_load_without_anything_done_twice() {
    let peer = Arc::new(Peer::new(basics).await);
    let client = Client::connect(Config {
        temporary_key_life: 60 * SECOND,
        ..config(&peer)
    })
    .await
    .unwrap();
    // Each answer takes a while, so that something is under way at all times.
    peer.answer(|call| {
        if call.is::<Nearest>() {
            Reply::Silence
        } else {
            basics(call)
        }
    });
    let answering = tokio::spawn({
        let peer = peer.clone();
        async move {
            let mut answered = 0;
            loop {
                sleep(SECOND / 4).await;
                let calls = peer.calls::<Nearest>();
                let due = calls
                    .iter()
                    .filter(|call| call.at.elapsed() >= SECOND)
                    .count();
                for call in &calls[answered..due] {
                    peer.respond(call.msg_id, nearest(1));
                }
                answered = answered.max(due);
            }
        }
    });
    let callers: Vec<_> = (0..8)
        .map(|n: u32| {
            let client = client.clone();
            tokio::spawn(async move {
                sleep(SECOND / 7 * n).await;
                for _ in 0..100 {
                    ask(&client).await.unwrap();
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    answering.abort();
    assert_eq!(peer.calls::<Nearest>().len(), 800);
    assert!(peer.keys().1.len() >= 3, "{:?}", peer.keys().1.len());
    keys_ended_in_time(&peer, 60 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_temporary_key_is_replaced_and_costs_neither_login_nor_request() {
    let peer = Peer::new(basics).await;
    let storage = signed_in();
    let client = Client::connect(Config {
        session_storage: Some(storage.clone()),
        ..config(&peer)
    })
    .await
    .unwrap();
    peer.answer(|call| {
        if call.is::<Nearest>() {
            Reply::Silence
        } else {
            basics(call)
        }
    });
    let under_way = tokio::spawn({
        let client = client.clone();
        async move { ask(&client).await }
    });
    peer.until(|peer| peer.calls::<Nearest>().len() == 1).await;
    peer.answer(basics);
    for _ in 0..5 {
        peer.forget_keys(true);
        peer.cut();
        ask(&client).await.unwrap();
    }
    under_way.await.unwrap().unwrap();
    assert_eq!(peer.keys().0, [kept_key(&storage)]);
    client.save_session().await.unwrap();
    let session = Session::load(&*storage).unwrap().unwrap();
    assert!(session.user.is_some());
}

/// Refuses the first so many bindings with this.
fn refusing(times: usize, error: &'static str) -> impl Fn(&Call) -> Reply + Send + Sync {
    let count = AtomicUsize::new(0);
    move |call| {
        if call.is::<Bind>() && count.fetch_add(1, Ordering::AcqRel) < times {
            return Reply::Error(400, error);
        }
        basics(call)
    }
}

#[tokio::test(start_paused = true)]
async fn a_binding_that_is_refused_is_tried_with_another_temporary_key() {
    for error in [
        "ENCRYPTED_MESSAGE_INVALID",
        "TEMP_AUTH_KEY_ALREADY_BOUND",
        "TEMP_AUTH_KEY_EMPTY",
    ] {
        let peer = Peer::new(refusing(4, error)).await;
        let storage = signed_in();
        let client = Client::connect(Config {
            session_storage: Some(storage.clone()),
            ..config(&peer)
        })
        .await;
        // The first three are enough for who connects to hear of it.
        let told = client.unwrap_err();
        assert!(told.to_string().contains(error), "{told}");
        let client = Client::connect(Config {
            session_storage: Some(storage.clone()),
            ..config(&peer)
        })
        .await
        .unwrap();
        ask(&client).await.unwrap();
        let (permanent, temporary) = peer.keys();
        assert_eq!((permanent.len(), temporary.len()), (1, 5), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn bindings_that_are_refused_time_and_again_mean_that_the_permanent_key_is_lost() {
    let peer = Peer::new(basics).await;
    let storage = signed_in();
    let client = Client::connect(Config {
        session_storage: Some(storage.clone()),
        ..config(&peer)
    })
    .await
    .unwrap();
    let mut updates = client.stream_updates();
    peer.answer(refusing(usize::MAX, "ENCRYPTED_MESSAGE_INVALID"));
    peer.forget_keys(true);
    peer.cut();
    let binds = || peer.messages_of(Bind::CONSTRUCTOR_ID).len();
    let before = binds();
    let error = ask(&client).await.unwrap_err();
    assert!(
        matches!(error, Error::Terminal(Terminal::AuthKeyLost)),
        "{error:?}"
    );
    assert_eq!(binds() - before, 5);
    assert!(updates.next().await.is_none());
    let reason = updates.reason().unwrap();
    assert!(
        matches!(reason, Error::Terminal(Terminal::AuthKeyLost)),
        "{reason:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_permanent_key_that_was_nobodys_is_replaced_without_a_word() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(config(&peer)).await.unwrap();
    peer.answer(refusing(5, "ENCRYPTED_MESSAGE_INVALID"));
    peer.forget_keys(true);
    peer.forget_keys(false);
    peer.cut();
    ask(&client).await.unwrap();
    assert_eq!(peer.keys().0.len(), 1);
    assert_eq!(peer.calls::<Nearest>().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_binding_without_an_answer_is_not_waited_for_for_ever() {
    let peer = Peer::new(basics).await;
    let client = Client::connect(config(&peer)).await.unwrap();
    let met = AtomicUsize::new(0);
    peer.answer(move |call| {
        if call.is::<Bind>() && met.fetch_add(1, Ordering::AcqRel) == 0 {
            return Reply::Vanish;
        }
        basics(call)
    });
    peer.forget_keys(true);
    peer.cut();
    let begun = Instant::now();
    ask(&client).await.unwrap();
    assert!(begun.elapsed() <= 35 * SECOND, "{:?}", begun.elapsed());
}
