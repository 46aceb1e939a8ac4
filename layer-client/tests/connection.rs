//! Connections that break, servers that forget, requests that must not be lost, against the
//! embedded data centre.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use layer_client::middleware::Never;
use layer_client::proxy::Proxy;
use layer_client::session::StringStorage;
use layer_client::{Client, Config, Error, Transport, TransportKind, tl};
use layer_test_server::{ApiError, Server};
use support::*;

async fn ask(client: &Client) -> Result<tl::enums::Config, Error> {
    client.invoke(&tl::functions::help::GetConfig {}).await
}

#[tokio::test]
async fn every_transport_carries_a_conversation() {
    let server = server().await;
    for kind in TransportKind::ALL {
        for transport in [Transport::Plain(kind), Transport::Obfuscated(kind)] {
            let config = Config {
                transport,
                ..config(&server)
            };
            let client = Client::connect(config).await.unwrap();
            ask(&client).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_proxy_is_gone_through_with_either_form_of_secret() {
    let secret = "00112233445566778899aabbccddeeff";
    let bytes: Vec<u8> = (0..16).map(|n| n * 0x11).collect();
    let server = Server::builder()
        .data_centres(2)
        .mtproxy_secret(<[u8; 16]>::try_from(bytes).unwrap())
        .start()
        .await
        .unwrap();
    for secret in [secret.to_owned(), format!("dd{secret}")] {
        let address = server.address(1).unwrap().into();
        let proxy = Proxy::mtproxy(address, secret.parse().unwrap());
        let config = Config {
            proxy: Some(proxy),
            dc_id: 2,
            ..config(&server)
        };
        let client = Client::connect(config).await.unwrap();
        let tl::enums::Config::Config(answer) = ask(&client).await.unwrap();
        assert_eq!(answer.this_dc, 2);
    }
}

#[tokio::test]
async fn a_session_is_used_again_without_another_key_exchange() {
    let server = server().await;
    let person = person(&server);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.session");
    let client = Client::connect(config_at(&server, &path)).await.unwrap();
    sign_in(&server, &client).await.unwrap();
    client.save_session().await.unwrap();
    let keys = server.key_count();
    drop(client);

    let client = Client::connect(config_at(&server, &path)).await.unwrap();
    assert!(client.is_authorized().await.unwrap());
    assert_eq!(client.me().await.unwrap().id(), person.id());
    assert_eq!(server.key_count(), keys);
}

#[tokio::test]
async fn a_session_travels_as_text() {
    let server = server().await;
    person(&server);
    let first = Arc::new(StringStorage::default());
    let config = || config(&server);
    let client = Client::connect(Config {
        session_storage: Some(first.clone()),
        ..config()
    })
    .await
    .unwrap();
    sign_in(&server, &client).await.unwrap();
    client.disconnect().await.unwrap();
    let second = Arc::new(StringStorage::import(&first.export()).unwrap());
    let client = Client::connect(Config {
        session_storage: Some(second),
        ..config()
    })
    .await
    .unwrap();
    assert!(client.is_authorized().await.unwrap());
}

#[tokio::test]
async fn no_request_is_lost_when_connections_are_cut() {
    let server = Arc::new(server().await);
    let (client, person) = signed_in(&server).await;
    let cutting = tokio::spawn({
        let server = server.clone();
        async move {
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_millis(150)).await;
                server.drop_connections();
            }
        }
    });
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                for _ in 0..20 {
                    let me = client.me().await.unwrap();
                    assert_eq!(me.to_string(), "Ada");
                    tokio::time::sleep(Duration::from_millis(40)).await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    cutting.await.unwrap();
    assert_eq!(client.me().await.unwrap().id(), person.id());
}

#[tokio::test]
async fn a_server_that_forgets_salts_and_sessions_is_followed() {
    let server = server().await;
    let (client, _) = signed_in(&server).await;
    server.rotate_salts();
    client.me().await.unwrap();
    server.forget_sessions();
    client.me().await.unwrap();
    server.drop_connections();
    server.forget_sessions();
    client.me().await.unwrap();
}

#[tokio::test]
async fn a_clock_that_changed_while_the_program_did_not_run_is_followed() {
    for seconds in [3600, -3600] {
        let server = server().await;
        person(&server);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.session");
        let client = Client::connect(config_at(&server, &path)).await.unwrap();
        sign_in(&server, &client).await.unwrap();
        client.disconnect().await.unwrap();
        drop(client);
        server.skew_clock(seconds);
        let client = Client::connect(config_at(&server, &path)).await.unwrap();
        client.me().await.unwrap();
    }
}

#[tokio::test]
async fn another_data_centre_is_given_the_accounts_authorisation() {
    let server = server().await;
    let (client, person) = signed_in(&server).await;
    let myself = tl::functions::users::GetUsers {
        id: vec![tl::enums::InputUser::UserSelf],
    };
    let ask = || client.invoke_in_dc(2, &myself);
    // However many come at once, it is taken there once.
    let (a, b, c) = tokio::join!(ask(), ask(), ask());
    for users in [a, b, c] {
        let user = users.unwrap().remove(0);
        let tl::enums::User::User(user) = user else {
            panic!("{user:?}")
        };
        assert_eq!(user.id, person.id());
    }
    assert_eq!(server.key_count(), 2);
}

#[tokio::test]
async fn a_request_is_sent_where_the_server_says() {
    let server = server().await;
    let (client, _) = signed_in(&server).await;
    server.fail(
        "help.getNearestDc",
        ApiError::new(303, "FILE_MIGRATE_2"),
        Some(1),
    );
    let tl::enums::NearestDc::Dc(nearest) = client
        .invoke(&tl::functions::help::GetNearestDc {})
        .await
        .unwrap();
    assert_eq!(nearest.this_dc, 2);
    assert!(format!("{client:?}").contains("home_dc: 1"), "{client:?}");
}

#[tokio::test]
async fn a_flood_wait_is_slept_through_or_the_callers() {
    let server = server().await;
    let (client, _) = signed_in(&server).await;
    server.flood_wait("users.getUsers", 1);
    let begun = Instant::now();
    client.me().await.unwrap();
    assert!(
        begun.elapsed() >= Duration::from_millis(500),
        "{:?}",
        begun.elapsed()
    );

    let impatient = Client::connect(Config {
        flood_policy: Arc::new(Never),
        ..config(&server)
    })
    .await
    .unwrap();
    server.flood_wait("help.getConfig", 30);
    let error = ask(&impatient).await.unwrap_err();
    assert!(error.is("FLOOD_*"), "{error}");
    let rpc = error.rpc().unwrap();
    assert_eq!((rpc.method, rpc.code), (Some("help.getConfig"), 420));
    assert!(rpc.wait().unwrap() > Duration::from_secs(20));
}

#[tokio::test]
async fn failures_of_the_server_are_asked_again() {
    let server = server().await;
    let client = Client::connect(config(&server)).await.unwrap();
    server.fail(
        "help.getConfig",
        ApiError::new(500, "RPC_CALL_FAIL"),
        Some(2),
    );
    ask(&client).await.unwrap();
    server.fail(
        "help.getConfig",
        ApiError::new(400, "PEER_ID_INVALID"),
        Some(1),
    );
    let error = ask(&client).await.unwrap_err();
    assert!(error.is("PEER_ID_INVALID"), "{error}");
}

#[tokio::test]
async fn disconnecting_saves_the_session_and_ends_all_calls() {
    let server = server().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.session");
    let client = Client::connect(config_at(&server, &path)).await.unwrap();
    let clone = client.clone();
    client.disconnect().await.unwrap();
    assert!(path.exists());
    let error = ask(&clone).await.unwrap_err();
    assert!(error.is_closed(), "{error:?}");
}

#[tokio::test]
async fn the_last_clone_dropped_closes_down_in_order() {
    let server = server().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.session");
    let client = Client::connect(config_at(&server, &path)).await.unwrap();
    let clone = client.clone();
    drop(client);
    ask(&clone).await.unwrap();
    drop(clone);
    // The next may come at once.
    let next = Client::connect(config_at(&server, &path)).await.unwrap();
    ask(&next).await.unwrap();
    assert_eq!(server.key_count(), 1);
}

#[tokio::test]
async fn our_own_tasks_do_not_keep_a_dropped_client_alive() {
    let server = server().await;
    let (client, _) = signed_in(&server).await;
    let mut updates = client.stream_updates();
    drop(client);
    let next = tokio::time::timeout(PATIENCE, updates.next())
        .await
        .unwrap();
    assert!(next.is_none(), "{next:?}");
}

#[tokio::test]
async fn a_call_that_is_dropped_leaves_the_others_alone() {
    let server = server().await;
    let (client, _) = signed_in(&server).await;
    for _ in 0..50 {
        let call = client.me();
        let _ = tokio::time::timeout(Duration::from_micros(200), call).await;
    }
    client.me().await.unwrap();
}

#[tokio::test]
async fn a_server_that_goes_away_is_waited_for_until_the_deadline() {
    let server = server().await;
    let client = Client::connect(Config {
        request_timeout: Duration::from_secs(1),
        ..config(&server)
    })
    .await
    .unwrap();
    server.shutdown().await;
    let begun = Instant::now();
    let error = ask(&client).await.unwrap_err();
    assert!(error.is_timeout() || error.is_connect(), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_server_with_another_key_is_not_trusted() {
    let server = server().await;
    let config = Config {
        rsa_keys: Vec::new(),
        ..config(&server)
    };
    let begun = Instant::now();
    let error = Client::connect(config).await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(error.to_string().contains("key exchange"), "{error}");
}
