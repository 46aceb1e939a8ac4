//! What a server and a network can do to a conversation: messages are sent through each fault, and
//! each arrives once and in order, under permanent and under temporary keys.

#![allow(clippy::unwrap_used)] // a test is allowed to fail

mod support;

use std::time::Duration;

use layer_client::update::Update;
use layer_client::{Client, Config};
use layer_test_server::{NewUser, Server, UserHandle};
use support::*;

/// One by one, while messages are sent.
const FAULTS: &[&str] = &[
    // The connection.
    "method=messages.sendMessage times=1: close-before-ack",
    "method=messages.sendMessage times=1: close-after-ack",
    "in nth=2: close",
    "out nth=2: close",
    "out nth=2: cut 10",
    "connect times=2: close",
    "connect times=1: split",
    "in nth=2: transport-error -404",
    // Packets.
    "out nth=2: duplicate",
    "out times=2: reorder",
    "out nth=3: replay 1",
    "out nth=2: wrong-msg-key",
    "out nth=2: short-padding",
    "out nth=2: long-padding",
    "out nth=2: garbage 64",
    "in nth=2: duplicate",
    // Messages.
    "in nth=2: bad-msg 16",
    "in nth=2: bad-msg 17",
    "in nth=2: bad-msg 18",
    "in nth=2: bad-msg 19",
    "in nth=2: bad-msg 20",
    "in nth=2: bad-msg 32",
    "in nth=2: bad-msg 33",
    "in nth=2: bad-msg 34",
    "in nth=2: bad-msg 35",
    "in nth=2: bad-msg 64",
    "method=messages.sendMessage times=2: bad-msg 32",
    "in nth=2: bad-server-salt",
    "in times=3: rotate-salts",
    "in nth=2: new-session",
    "in nth=2: resend-request",
    "method=messages.sendMessage times=1: new-session",
    "method=messages.sendMessage times=1: bad-server-salt",
    "method=messages.sendMessage times=1: close",
    // Calls.
    "method=messages.sendMessage times=1: error 500 RPC_CALL_FAIL",
    "method=messages.sendMessage times=1: flood-wait 1",
    "method=messages.sendMessage times=1: gzip",
    "method=messages.sendMessage times=1: detailed-info",
    "method=messages.sendMessage times=1: state-request",
    // From here on the server's clock is another.
    "method=messages.sendMessage times=1: skew-clock 3600",
    "method=messages.sendMessage times=1: skew-clock 0",
    "method=messages.sendMessage times=1: skew-clock -3600",
];

async fn client(server: &Server, pfs: bool) -> (Client, UserHandle) {
    let person = person(server);
    let config = Config {
        pfs,
        // Connections break all the time here.
        max_reconnect_delay: Duration::from_millis(300),
        ..config(server)
    };
    let client = Client::connect(config).await.unwrap();
    sign_in(server, &client).await.unwrap();
    (client, person)
}

/// Sends messages through each fault.
async fn converse(pfs: bool, faults: &[&str]) {
    let server = server().await;
    let (client, person) = client(&server, pfs).await;
    let mut expected = Vec::new();
    for fault in faults {
        let id = server.faults().add(fault.parse().unwrap()).unwrap();
        if fault.starts_with("connect") {
            server.drop_connections();
        }
        if fault.contains("bindTempAuthKey") {
            server.forget_temporary_keys();
        }
        for n in 0..4 {
            let text = format!("{fault} {n}");
            let sending = client.send_message("me", text.as_str());
            let sent = tokio::time::timeout(PATIENCE, sending).await;
            let sent = sent.unwrap_or_else(|_| panic!("pfs {pfs}, {fault}: no answer"));
            if let Err(error) = sent {
                panic!("pfs {pfs}, {fault}: {error}");
            }
            expected.push(text);
        }
        assert!(
            server.faults().fired(id) > 0,
            "pfs {pfs}: {fault} never came"
        );
        server.faults().clear();
    }
    let stored = person.messages(person.peer());
    let stored: Vec<_> = stored.iter().map(|message| message.text.clone()).collect();
    assert_eq!(stored, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_arrives_once_and_in_order_through_every_fault() {
    converse(false, FAULTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_arrives_once_and_in_order_through_every_fault_under_temporary_keys() {
    converse(true, FAULTS).await;
    converse(
        true,
        &[
            "in nth=2: forget-key temporary",
            "method=messages.sendMessage times=1: forget-key temporary",
            "method=auth.bindTempAuthKey times=1: forget-key temporary",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_permanent_key_that_is_lost_under_temporary_ones_is_the_logins_end() {
    let server = server().await;
    let (client, _) = client(&server, true).await;
    server.forget_keys();
    let error = client.me().await.unwrap_err();
    assert!(error.is_terminal(), "{error:?}");
    // Someone can sign in again.
    let again = tokio::time::timeout(Duration::from_secs(30), sign_in(&server, &client));
    again.await.unwrap().unwrap();
}

#[tokio::test]
async fn updates_go_on_under_the_next_temporary_key() {
    let server = server().await;
    let (client, person) = client(&server, true).await;
    let friend = server.add_user(NewUser::named("15550009", "Grace"));
    let mut updates = client.stream_updates();
    for n in 0..3 {
        server.forget_temporary_keys();
        let text = format!("hello {n}");
        friend.send_message(person.peer(), &text).unwrap();
        let search = async {
            loop {
                match updates.next().await.unwrap() {
                    Update::NewMessage(message) if message.text() == Some(&text) => return,
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.unwrap();
    }
}
