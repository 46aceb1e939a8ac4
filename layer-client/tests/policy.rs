//! What requests go through on their way, and the session under a passphrase and as text, against
//! the embedded data centre.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use layer_client::middleware::{
    BoxFuture, CallOptions, Middleware, Never, Next, Outcome, RateLimit, RateLimits, Request,
};
use layer_client::session::{FileStorage, SessionError, change_passphrase};
use layer_client::{Client, Config, Error, TerminalReason, tl};
use layer_test_server::faults::{Action, Fault, Where};
use layer_test_server::{ApiError, Server};
use support::*;

async fn ask(client: &Client) -> Result<tl::enums::Config, Error> {
    client.invoke(&tl::functions::help::GetConfig {}).await
}

/// Counts what passes it.
#[derive(Default)]
struct Counter(AtomicU32);

impl Counter {
    fn take(&self) -> u32 {
        self.0.swap(0, Ordering::SeqCst)
    }
}

impl Middleware for Counter {
    fn call<'a>(&'a self, request: &'a mut Request, next: Next<'a>) -> BoxFuture<'a, Outcome> {
        self.0.fetch_add(1, Ordering::SeqCst);
        next.run(request)
    }
}

/// A client whose calls and sendings are counted.
async fn counted(config: Config) -> (Client, Arc<Counter>, Arc<Counter>) {
    let (calls, sendings) = (Arc::<Counter>::default(), Arc::<Counter>::default());
    let client = Client::connect(Config {
        layers: vec![calls.clone()],
        attempt_layers: vec![sendings.clone()],
        ..config
    })
    .await
    .unwrap();
    calls.take();
    sendings.take();
    (client, calls, sendings)
}

#[tokio::test]
async fn a_users_layers_see_each_call_and_each_sending() {
    let server = server().await;
    let (client, calls, sendings) = counted(config(&server)).await;
    server.fail(
        "help.getConfig",
        ApiError::new(500, "RPC_CALL_FAIL"),
        Some(2),
    );
    ask(&client).await.unwrap();
    assert_eq!((calls.take(), sendings.take()), (1, 3));
    server.fail(
        "help.getConfig",
        ApiError::new(303, "FILE_MIGRATE_2"),
        Some(1),
    );
    ask(&client).await.unwrap();
    assert_eq!((calls.take(), sendings.take()), (1, 2));
}

#[tokio::test]
async fn a_wait_that_the_server_asked_for_is_not_asked_for_again() {
    let server = server().await;
    let config = Config {
        flood_policy: Arc::new(Never),
        ..config(&server)
    };
    let (client, _, sendings) = counted(config).await;
    server.flood_wait("help.getConfig", 60);
    let first = ask(&client).await.unwrap_err();
    assert!(first.is("FLOOD_WAIT"), "{first}");
    // Nothing stands in the way any more, but nobody has told us.
    server.clear_faults(None);
    let second = ask(&client).await.unwrap_err();
    let wait = second.rpc().and_then(|error| error.wait()).unwrap();
    assert!(
        wait > Duration::from_secs(30) && wait <= Duration::from_secs(60),
        "{wait:?}"
    );
    assert_eq!(sendings.take(), 1);
    // Other methods are free.
    let nearest = tl::functions::help::GetNearestDc {};
    client.invoke(&nearest).await.unwrap();
}

#[tokio::test]
async fn a_wait_that_would_pass_the_deadline_is_the_callers_at_once() {
    let server = server().await;
    let client = Client::connect(config(&server)).await.unwrap();
    server.flood_wait("help.getConfig", 20);
    let options = CallOptions {
        deadline: Some(Duration::from_secs(10)),
        ..CallOptions::default()
    };
    let begun = Instant::now();
    let error = client
        .invoke_with(&tl::functions::help::GetConfig {}, options)
        .await
        .unwrap_err();
    assert!(error.is("FLOOD_WAIT"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

/// The next calls of a method reach the server, and are never answered.
fn swallow(server: &Server, method: &str, times: u64) {
    let fault = Fault::on(Where::method(method)).times(times);
    server.faults().add(fault.then(Action::Drop)).unwrap();
}

#[tokio::test]
async fn what_only_asks_is_asked_again_when_the_answer_is_lost() {
    let server = server().await;
    let config = Config {
        request_timeout: Duration::from_millis(500),
        ..config(&server)
    };
    let (client, calls, sendings) = counted(config).await;
    swallow(&server, "help.getConfig", 1);
    ask(&client).await.unwrap();
    assert_eq!((calls.take(), sendings.take()), (1, 2));
}

#[tokio::test]
async fn what_changes_something_is_the_callers_when_the_answer_is_lost() {
    let server = server().await;
    let (client, _) = signed_in(&server).await;
    let options = CallOptions {
        timeout: Some(Duration::from_millis(500)),
        ..CallOptions::default()
    };
    let status = tl::functions::account::UpdateStatus { offline: true };
    swallow(&server, "account.updateStatus", 1);
    let error = client.invoke_with(&status, options).await.unwrap_err();
    let Error::Timeout(error) = error else {
        panic!("{error}")
    };
    assert!(error.sent);
    assert_eq!(error.method, Some("account.updateStatus"));
}

#[tokio::test]
async fn a_call_that_is_never_answered_ends_at_its_deadline() {
    let server = server().await;
    let client = Client::connect(config(&server)).await.unwrap();
    swallow(&server, "help.getConfig", 9);
    let options = CallOptions {
        deadline: Some(Duration::from_millis(500)),
        ..CallOptions::default()
    };
    let request = tl::functions::help::GetConfig {};
    let error = client.invoke_with(&request, options).await.unwrap_err();
    let Error::Timeout(error) = error else {
        panic!("{error}")
    };
    assert!(error.sent);
    server.clear_faults(None);
    ask(&client).await.unwrap();
}

#[tokio::test]
async fn slow_mode_is_remembered_for_its_chat() {
    let server = server().await;
    let (client, person) = signed_in(&server).await;
    let slow = person.create_supergroup("Slow").unwrap();
    let other = person.create_supergroup("Other").unwrap();
    drop(client);
    let client = Client::connect(Config {
        flood_policy: Arc::new(Never),
        ..config(&server)
    })
    .await
    .unwrap();
    sign_in(&server, &client).await.unwrap();
    let say = |peer| {
        let client = &client;
        let request = tl::functions::messages::SendMessage {
            no_webpage: false,
            silent: false,
            background: false,
            clear_draft: false,
            noforwards: false,
            update_stickersets_order: false,
            invert_media: false,
            allow_paid_floodskip: false,
            peer: person.input_peer(peer),
            reply_to: None,
            message: "Hello".to_owned(),
            random_id: fastrand::i64(..),
            reply_markup: None,
            entities: None,
            schedule_date: None,
            schedule_repeat_period: None,
            send_as: None,
            quick_reply_shortcut: None,
            effect: None,
            allow_paid_stars: None,
            suggested_post: None,
        };
        async move { client.invoke(&request).await }
    };
    let rule = "method=messages.sendMessage times=1: slowmode-wait 60";
    server.faults().add(rule.parse().unwrap()).unwrap();
    let first = say(slow).await.unwrap_err();
    let second = say(slow).await.unwrap_err();
    assert!(first.is("SLOWMODE_WAIT") && second.is("SLOWMODE_WAIT"));
    say(other).await.unwrap();
}

#[tokio::test]
async fn as_long_as_it_takes_is_not_too_long() {
    let server = server().await;
    let client = Client::connect(config(&server)).await.unwrap();
    let options = CallOptions {
        timeout: Some(Duration::MAX),
        deadline: Some(Duration::MAX),
        ..CallOptions::default()
    };
    let request = tl::functions::help::GetConfig {};
    client.invoke_with(&request, options).await.unwrap();
}

#[tokio::test]
async fn a_rate_limit_keeps_calls_apart() {
    let server = server().await;
    let limit = RateLimit::new(1, Duration::from_millis(400)).method("help.getNearestDc");
    let client = Client::connect(Config {
        rate_limits: RateLimits::none().and(limit),
        ..config(&server)
    })
    .await
    .unwrap();
    let nearest = tl::functions::help::GetNearestDc {};
    let begun = Instant::now();
    let calls = [(); 3].map(|()| client.invoke(&nearest));
    for call in calls {
        call.await.unwrap();
    }
    assert!(begun.elapsed() >= Duration::from_millis(800));
}

#[tokio::test]
async fn each_end_of_a_login_is_told_by_its_reason_and_ends_the_updates() {
    use TerminalReason::*;
    for (code, name, reason) in [
        (401, "AUTH_KEY_UNREGISTERED", AuthKeyUnregistered),
        (401, "AUTH_KEY_INVALID", AuthKeyInvalid),
        (406, "AUTH_KEY_DUPLICATED", AuthKeyDuplicated),
        (401, "SESSION_REVOKED", SessionRevoked),
        (401, "SESSION_EXPIRED", SessionExpired),
        (401, "USER_DEACTIVATED", UserDeactivated),
        (401, "USER_DEACTIVATED_BAN", UserDeactivated),
    ] {
        let server = server().await;
        let (client, _) = signed_in(&server).await;
        let mut updates = client.stream_updates();
        server.fail("help.getConfig", ApiError::new(code, name), Some(1));
        let error = ask(&client).await.unwrap_err();
        let Error::Terminal(terminal) = &error else {
            panic!("{name}: {error:?}")
        };
        assert_eq!(terminal.reason(), Some(reason), "{name}");
        assert!(error.is(name) && error.is_terminal(), "{name}");
        let ended = async { while updates.next().await.is_some() {} };
        tokio::time::timeout(PATIENCE, ended).await.expect(name);
        let told = updates.reason().expect(name);
        assert!(told.is(name), "{name}: {told}");
    }
}

#[tokio::test]
async fn a_session_is_kept_under_a_passphrase() {
    let server = server().await;
    person(&server);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.session");
    let with = |passphrase: Option<&str>| Config {
        session_passphrase: passphrase.map(Into::into),
        ..config_at(&server, &path)
    };
    let client = Client::connect(with(Some("open sesame"))).await.unwrap();
    sign_in(&server, &client).await.unwrap();
    client.disconnect().await.unwrap();
    drop(client);
    let kept = std::fs::read(&path).unwrap();
    assert!(!kept.windows(9).any(|window| window == b"127.0.0.1"));

    let refused = |outcome: Result<Client, Error>| match outcome.unwrap_err() {
        Error::Session(error) => error,
        error => panic!("{error}"),
    };
    let error = refused(Client::connect(with(Some("open barley"))).await);
    assert!(
        matches!(*error, SessionError::WrongPassphrase { .. }),
        "{error}"
    );
    let error = refused(Client::connect(with(None)).await);
    assert!(
        matches!(*error, SessionError::PassphraseRequired { .. }),
        "{error}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), kept);

    let client = Client::connect(with(Some("open sesame"))).await.unwrap();
    assert!(client.is_authorized().await.unwrap());
    drop(client);
    let storage = Arc::new(FileStorage::open(&path).unwrap());
    change_passphrase(storage, Some(&"open sesame".into()), None).unwrap();
    let client = Client::connect(with(None)).await.unwrap();
    assert!(client.is_authorized().await.unwrap());
    assert_eq!(server.key_count(), 1);
}

#[tokio::test]
async fn a_login_is_taken_along_as_text() {
    let server = server().await;
    let (client, person) = signed_in(&server).await;
    let text = client.export_session();
    client.disconnect().await.unwrap();
    drop(client);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.session");
    let client = Client::connect(Config {
        session_string: Some(text),
        ..config_at(&server, &path)
    })
    .await
    .unwrap();
    assert_eq!(client.me().await.unwrap().id(), person.id());
    client.disconnect().await.unwrap();
    drop(client);
    // It is kept from then on.
    let client = Client::connect(config_at(&server, &path)).await.unwrap();
    assert!(client.is_authorized().await.unwrap());
    assert_eq!(server.key_count(), 1);

    let error = Client::connect(Config {
        session_string: Some("no session at all".to_owned()),
        ..config(&server)
    })
    .await
    .unwrap_err();
    assert!(matches!(error, Error::Session(_)), "{error}");
}
