//! Much at a time. Ten thousand messages in one go: nothing grows without bound, and nobody who reads or asks misses any.
//! Packets that come together: each is taken as if it had come alone.

#![allow(clippy::unwrap_used)]

mod util;

use std::collections::BTreeSet;
use std::time::Duration;

use layer_test_server::tl::{Deserializable, Serializable, enums, functions as f};
use layer_test_server::{NewUser, Server, ServerConfig, UserHandle};
use util::{Client, Gone, Raw, Way, Wire, in_time};

const BURST: usize = 10_000;
/// A burst may take longer than other tests, on a machine that has much to do.
const PATIENCE: Duration = Duration::from_secs(120);

async fn two(server: &Server) -> (UserHandle, UserHandle, Client, i32) {
    let ann = server.add_user(NewUser::named("+15550001", "Ann"));
    let bob = server.add_user(NewUser::named("+15550002", "Bob"));
    let mut client = Client::connect(server, 1).await;
    client.enter(server, "+15550002").await;
    let enums::updates::State::State(state) =
        client.invoke(&f::updates::GetState {}).await.unwrap();
    (ann, bob, client, state.pts)
}

fn burst(from: &UserHandle, to: &UserHandle) {
    for number in 0..BURST {
        from.send_message(to.peer(), &number.to_string()).unwrap();
    }
}

/// The state after an object of updates, if it has one; whether it says that there is too much.
fn pts(updates: &enums::Updates) -> (Option<i32>, bool) {
    match updates {
        enums::Updates::TooLong => (None, true),
        enums::Updates::UpdateShortMessage(short) => (Some(short.pts), false),
        enums::Updates::Updates(updates) => match &updates.updates[..] {
            [enums::Update::NewMessage(update)] => (Some(update.pts), false),
            _ => (None, false),
        },
        _ => (None, false),
    }
}

/// Asks for everything after `pts`, and gives the ids of the messages.
async fn catch_up(client: &mut Client, mut pts: i32) -> Vec<i32> {
    let mut ids = Vec::new();
    loop {
        let request = f::updates::GetDifference {
            pts,
            pts_limit: None,
            pts_total_limit: None,
            date: i32::MAX - 1,
            qts: 0,
            qts_limit: None,
        };
        let (messages, state) = match client.invoke(&request).await.unwrap() {
            enums::updates::Difference::Difference(all) => (all.new_messages, None),
            enums::updates::Difference::Slice(slice) => {
                (slice.new_messages, Some(slice.intermediate_state))
            }
            enums::updates::Difference::Empty(_) => return ids,
            enums::updates::Difference::TooLong(long) => panic!("{long:?}"),
        };
        ids.extend(messages.iter().map(|message| match message {
            enums::Message::Message(message) => message.id,
            other => panic!("{other:?}"),
        }));
        match state {
            Some(enums::updates::State::State(state)) => pts = state.pts,
            None => return ids,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_a_burst_has_all_of_it_by_pushes_or_by_the_difference() {
    let server = Server::builder().start().await.unwrap();
    let (ann, bob, mut client, start) = two(&server).await;
    let test = async {
        let (from, to) = (ann.clone(), bob.clone());
        let writing = tokio::task::spawn_blocking(move || burst(&from, &to));
        // Pushes come one after the other, until there are all or one says that there is too much.
        let (mut last, mut told, mut too_long) = (start, 0_usize, false);
        while told < BURST && !too_long {
            client.turn().await.unwrap();
            for updates in client.updates.drain(..) {
                let (pts, over) = pts(&updates);
                too_long |= over;
                if let Some(pts) = pts.filter(|_| !too_long) {
                    assert_eq!(pts, last + 1);
                    (last, told) = (pts, told + 1);
                }
            }
        }
        writing.await.unwrap();
        let rest = catch_up(&mut client, last).await;
        let different: BTreeSet<i32> = rest.iter().copied().collect();
        assert_eq!(different.len(), rest.len(), "none twice");
        assert_eq!(told + rest.len(), BURST);
    };
    tokio::time::timeout(PATIENCE, test).await.unwrap();
    assert_eq!(bob.expected().chats[&ann.peer()].messages.len(), BURST);
    server.shutdown().await;
}

#[tokio::test]
async fn a_session_that_does_not_read_is_told_that_it_is_too_much_and_keeps_little() {
    let server = Server::builder().start().await.unwrap();
    let (ann, bob, mut client, start) = two(&server).await;
    let test = async {
        // Nobody else runs meanwhile: the session finds all of it at once.
        burst(&ann, &bob);
        let (mut told, mut too_long) = (0, false);
        while !too_long {
            client.turn().await.unwrap();
            for updates in client.updates.drain(..) {
                let (pts, over) = pts(&updates);
                too_long |= over;
                told += usize::from(pts.is_some());
            }
        }
        assert!(told <= 1_000, "{told}");
        let pushed = i32::try_from(told).unwrap();
        let rest = catch_up(&mut client, start + pushed).await;
        assert_eq!(told + rest.len(), BURST);
    };
    tokio::time::timeout(PATIENCE, test).await.unwrap();
    server.shutdown().await;
}

#[tokio::test]
async fn a_session_that_comes_back_after_a_burst_is_told_to_ask() {
    let server = Server::builder().start().await.unwrap();
    let (ann, bob, mut client, start) = two(&server).await;
    let test = async {
        client.wire = Wire::open(server.address(1).unwrap(), Way::default()).await;
        while server.sessions().iter().any(|session| session.connected) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        burst(&ann, &bob);
        client.reconnect(server.address(1).unwrap()).await;
        let ping = client.submit(&f::updates::GetState {});
        let answer = client.answer(ping).await.unwrap();
        let enums::updates::State::State(state) =
            enums::updates::State::from_bytes(&answer).unwrap();
        assert_eq!(state.pts, start + i32::try_from(BURST).unwrap());
        let mut too_long = false;
        let mut told = 0;
        while !too_long {
            for updates in client.updates.drain(..) {
                told += usize::from(pts(&updates).0.is_some());
                too_long |= updates == enums::Updates::TooLong;
            }
            if !too_long {
                client.turn().await.unwrap();
            }
        }
        assert!(told <= 100, "{told}");
        assert_eq!(catch_up(&mut client, start).await.len(), BURST);
    };
    tokio::time::timeout(PATIENCE, test).await.unwrap();
    server.shutdown().await;
}

#[tokio::test]
async fn what_was_dropped_with_a_burst_stands_in_the_difference_whatever_its_date() {
    let server = Server::builder().start().await.unwrap();
    let (ann, bob, mut client, _) = two(&server).await;
    let test = async {
        ann.send_message(bob.peer(), "so that they know each other")
            .unwrap();
        // Nobody reads meanwhile, and the name comes when there is no room left.
        for number in 0..1_100 {
            ann.send_message(bob.peer(), &number.to_string()).unwrap();
        }
        let request = f::account::UpdateProfile {
            first_name: Some("Anne".into()),
            last_name: None,
            about: None,
        };
        ann.invoke(&request).unwrap();
        // The state is of after it.
        let enums::updates::State::State(state) =
            client.invoke(&f::updates::GetState {}).await.unwrap();
        let request = f::updates::GetDifference {
            pts: state.pts,
            pts_limit: None,
            pts_total_limit: None,
            date: state.date,
            qts: 0,
            qts_limit: None,
        };
        let answer = client.invoke(&request).await.unwrap();
        let enums::updates::Difference::Difference(difference) = answer else {
            panic!("{answer:?}")
        };
        let [enums::Update::UserName(update)] = &difference.other_updates[..] else {
            panic!("{:?}", difference.other_updates)
        };
        assert_eq!(update.first_name, "Anne");
    };
    tokio::time::timeout(PATIENCE, test).await.unwrap();
    server.shutdown().await;
}

/// How long it takes and how much it holds, for whoever wants to know:
/// `cargo test -p layer-test-server --release --test burst -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "a measurement"]
async fn figures() {
    let server = Server::builder().start().await.unwrap();
    let resident = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS"));
        line.unwrap_or_default().to_owned()
    };
    let (ann, bob, _client, _) = two(&server).await;
    println!("before: {}", resident());
    for _ in 0..3 {
        let started = std::time::Instant::now();
        burst(&ann, &bob);
        println!(
            "private: {BURST} in {:?}, {}",
            started.elapsed(),
            resident()
        );
    }
    let chat = ann.create_supergroup("Us").unwrap();
    let members: Vec<UserHandle> = (0..10)
        .map(|n| server.add_user(NewUser::named(format!("+1555100{n}"), "Member")))
        .collect();
    ann.invite(chat, &members.iter().collect::<Vec<_>>())
        .unwrap();
    ann.invite(chat, &[&bob]).unwrap();
    let started = std::time::Instant::now();
    for number in 0..BURST {
        ann.send_message(chat, &number.to_string()).unwrap();
    }
    println!(
        "12 members: {BURST} in {:?}, {}",
        started.elapsed(),
        resident()
    );
}

/// Packets with long calls, and the msg_ids of these.
fn long_calls(raw: &mut Raw, count: usize) -> (Vec<i64>, Vec<Vec<u8>>) {
    let call = f::upload::SaveFilePart {
        file_id: 1,
        file_part: 0,
        bytes: vec![7; 200_000],
    };
    let calls = (0..count).map(|_| {
        let (msg_id, seqno) = (raw.next_id(), raw.next_seqno());
        (msg_id, raw.packet(msg_id, seqno, &call.to_bytes()))
    });
    calls.unzip()
}

async fn send(raw: &mut Raw, packets: &[Vec<u8>]) {
    let packets: Vec<_> = packets.iter().map(Vec::as_slice).collect();
    raw.wire.send_together(&packets).await;
}

/// The calls that are answered before all are or the connection is over, and what was said then.
async fn answered(raw: &mut Raw, calls: &[i64]) -> (Vec<i64>, Option<Gone>) {
    let (mut answered, mut said) = (Vec::new(), None);
    while answered.len() < calls.len() {
        match raw.receive().await {
            Ok(messages) => {
                let is_answered =
                    |call: &&i64| messages.iter().any(|message| message.answers(**call));
                answered.extend(calls.iter().filter(is_answered));
            }
            // What was answered before may be written after that.
            Err(gone @ Gone::Transport(_)) => said = Some(gone),
            Err(Gone::Closed) => break,
        }
    }
    (answered, said)
}

#[tokio::test]
async fn long_packets_that_come_together_are_all_taken_in_their_order() {
    let server = Server::start(ServerConfig::default()).await.unwrap();
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let (calls, packets) = long_calls(&mut raw, 20);
        send(&mut raw, &packets).await;
        assert_eq!(answered(&mut raw, &calls).await, (calls, None));
    })
    .await;
}

#[tokio::test]
async fn what_comes_together_with_a_damaged_packet_or_an_unknown_key_is_taken_up_to_there() {
    let server = Server::start(ServerConfig::default()).await.unwrap();
    in_time(async {
        for (byte, said) in [(0, Some(Gone::Transport(-404))), (100, None)] {
            let mut raw = Raw::connect(&server, 1).await;
            let (calls, mut packets) = long_calls(&mut raw, 5);
            packets[3][byte] ^= 1;
            send(&mut raw, &packets).await;
            let taken = (calls[..3].to_vec(), said);
            assert_eq!(answered(&mut raw, &calls).await, taken, "{byte}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_key_that_is_destroyed_opens_nothing_that_came_together_with_that() {
    let server = Server::start(ServerConfig::default()).await.unwrap();
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let (calls, mut packets) = long_calls(&mut raw, 2);
        let (msg_id, seqno) = (raw.next_id(), raw.next_seqno());
        packets.insert(
            1,
            raw.packet(msg_id, seqno, &f::DestroyAuthKey {}.to_bytes()),
        );
        send(&mut raw, &packets).await;
        let taken = (calls[..1].to_vec(), Some(Gone::Transport(-404)));
        assert_eq!(answered(&mut raw, &calls).await, taken);
    })
    .await;
}
