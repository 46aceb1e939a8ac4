//! What happens to packets that come.

use std::time::Duration;

use layer_test_server::tl::{Identifiable, Serializable, functions as f, types};

use super::{config, fired, server};
use crate::util::{Gone, Message, PATIENCE, Raw, in_time};

const NEW: u32 = types::NewSessionCreated::CONSTRUCTOR_ID;

/// Waits until the only rule has fired.
async fn has_fired(server: &layer_test_server::Server) {
    let id = server.faults().list()[0].id;
    assert!(server.faults().wait_until_fired(id, 1, PATIENCE).await);
}

#[tokio::test]
async fn a_dropped_packet_never_came() {
    let server = server(&["in method=help.getConfig times=1: drop"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let call = raw.send(&config()).await;
        let seqno = raw.seqno() * 2 - 1;
        assert!(!raw.until_pong().await.iter().any(|m| m.answers(call)));
        // So that it can be sent again as it was, if in time.
        raw.wire = crate::util::Wire::open(server.address(1).unwrap(), Default::default()).await;
        raw.send_as(call, seqno, &config()).await;
        raw.result_of(call).await;
    })
    .await;
}

#[tokio::test]
async fn a_duplicated_packet_is_done_once() {
    let server = server(&["in method=help.getConfig: duplicate", "call: delay 0s"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let call = raw.send(&config()).await;
        raw.result_of(call).await;
        raw.until_pong().await;
        let counts: Vec<_> = server
            .faults()
            .list()
            .iter()
            .map(|rule| rule.fired)
            .collect();
        assert_eq!(counts, [1, 1], "the packet came once more than the call");
    })
    .await;
}

#[tokio::test]
async fn a_delayed_packet_is_overtaken() {
    let server = server(&["in method=help.getConfig: delay 300ms"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        // The session is known already, so that nothing else is new.
        raw.until_pong().await;
        let (slow_id, slow_seqno) = (raw.next_id(), raw.next_seqno());
        raw.send_as(slow_id, slow_seqno, &config()).await;
        let fast = raw.send(&f::help::GetNearestDc {}.to_bytes()).await;
        assert_eq!(raw.order_of(&[slow_id, fast]).await, [fast, slow_id]);
    })
    .await;
}

#[tokio::test]
async fn packets_change_places() {
    let server = server(&["in method=help.getConfig: reorder"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        raw.until_pong().await;
        let first = raw.send(&config()).await;
        let second = raw.send(&f::help::GetNearestDc {}.to_bytes()).await;
        assert_eq!(raw.order_of(&[first, second]).await, [second, first]);
        // Without another packet it does not wait for ever.
        let last = raw.send(&config()).await;
        raw.result_of(last).await;
    })
    .await;
}

#[tokio::test]
async fn any_bad_msg_code_names_the_message_or_the_container() {
    for code in [16, 17, 18, 19, 20, 32, 33, 34, 35, 48, 64, 99] {
        let server = server(&[&format!("in times=2: bad-msg {code}")]).await;
        in_time(async {
            let mut raw = Raw::connect(&server, 1).await;
            let single = raw.send(&config()).await;
            let bad = types::BadMsgNotification::CONSTRUCTOR_ID;
            let notice = raw.find(|message| message.id() == bad).await;
            assert_eq!(
                (notice.long(4), notice.int(12), notice.int(16)),
                (single, 1, code)
            );
            let (container, _) = raw.send_container(&[config(), config()]).await;
            let notice = raw.find(|message| message.id() == bad).await;
            assert_eq!((notice.long(4), notice.int(16)), (container, code));
        })
        .await;
    }
}

#[tokio::test]
async fn only_containers_can_be_meant() {
    let server = server(&["in container: bad-msg 64"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let single = raw.send(&config()).await;
        raw.result_of(single).await;
        let (container, _) = raw.send_container(&[config()]).await;
        let bad = types::BadMsgNotification::CONSTRUCTOR_ID;
        let notice = raw.find(|message| message.id() == bad).await;
        assert_eq!(notice.long(4), container);
        assert_eq!(fired(&server), 1);
    })
    .await;
}

#[tokio::test]
async fn a_bad_server_salt_tells_the_right_one() {
    let server = server(&["in nth=1: bad-server-salt"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let call = raw.send(&config()).await;
        let seqno = raw.seqno() * 2 - 1;
        let bad = types::BadServerSalt::CONSTRUCTOR_ID;
        let notice = raw.find(|message| message.id() == bad).await;
        assert_eq!(
            (notice.long(4), notice.int(12), notice.int(16)),
            (call, 1, 48)
        );
        // The message may come again as it was but for the salt.
        raw.salt = notice.long(20);
        raw.send_as(call, seqno, &config()).await;
        raw.result_of(call).await;
    })
    .await;
}

#[tokio::test]
async fn a_packet_is_asked_for_again_and_then_taken() {
    let server = server(&["in method=help.getConfig nth=1: resend-request"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let call = raw.send(&config()).await;
        let seqno = raw.seqno() * 2 - 1;
        let request = types::MsgResendReq::CONSTRUCTOR_ID;
        let asked = raw.find(|message| message.id() == request).await;
        assert_eq!((asked.int(8), asked.long(12)), (1, call));
        raw.send_as(call, seqno, &config()).await;
        raw.result_of(call).await;
    })
    .await;
}

#[tokio::test]
async fn a_forgotten_session_says_that_it_is_new() {
    let server = server(&["in method=help.getConfig nth=2: new-session"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let mut greetings = Vec::new();
        for _ in 0..3 {
            let call = raw.send(&config()).await;
            let mut answered = false;
            while !answered {
                let messages = raw.receive().await.unwrap();
                answered = messages.iter().any(|message| message.answers(call));
                let new = |message: &&Message| message.id() == NEW;
                greetings.extend(messages.iter().filter(new).map(|m| (call, m.clone())));
            }
        }
        assert_eq!(greetings.len(), 2, "at first, and when it was forgotten");
        let (call, notice) = &greetings[1];
        assert_eq!(notice.long(4), *call);
        assert_ne!(
            notice.long(12),
            greetings[0].1.long(12),
            "another unique_id"
        );
    })
    .await;
}

#[tokio::test]
async fn a_forgotten_session_and_the_one_after_it_give_out_no_msg_id_twice() {
    let server = server(&["in method=help.getConfig nth=4: new-session"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let call = raw.send(&config()).await;
        raw.result_of(call).await;
        raw.until_pong().await;
        // The last of three packets that come as one finds a session that has answers to write still.
        let (mut calls, mut packets) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let (msg_id, seqno) = (raw.next_id(), raw.next_seqno());
            packets.push(raw.packet(msg_id, seqno, &config()));
            calls.push(msg_id);
        }
        let together: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
        raw.wire.send_together(&together).await;
        let mut messages = raw.until_pong().await;
        messages.extend(raw.until_pong().await);
        // Two sessions that speak by turns under one name would give out the same ids.
        let mut ids: Vec<i64> = messages.iter().map(|message| message.msg_id).collect();
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
        let answered = |call: &i64| messages.iter().any(|message| message.answers(*call));
        assert!(calls.iter().all(answered));
        let notice = messages.iter().find(|message| message.id() == NEW).unwrap();
        assert_eq!(notice.long(4), calls[2], "so that they are sent again");
    })
    .await;
}

#[tokio::test]
async fn salts_can_be_thrown_away_before_a_packet_is_looked_at() {
    let server = server(&["in nth=2: rotate-salts"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let call = raw.send(&config()).await;
        raw.result_of(call).await;
        let call = raw.send(&config()).await;
        let bad = types::BadServerSalt::CONSTRUCTOR_ID;
        let notice = raw.find(|message| message.id() == bad).await;
        assert_eq!(notice.long(4), call);
        raw.salt = notice.long(20);
        let call = raw.send(&config()).await;
        raw.result_of(call).await;
    })
    .await;
}

#[tokio::test]
async fn a_clock_goes_wrong_and_right_again() {
    let server = server(&["in nth=1: skew-clock 4000", "in nth=2: skew-clock -4000"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let bad = types::BadMsgNotification::CONSTRUCTOR_ID;
        // The rule that was given last comes first: its second packet is the fourth.
        let mut codes = Vec::new();
        for _ in 0..3 {
            let call = raw.send(&config()).await;
            let notice = raw.find(|m| m.id() == bad || m.answers(call)).await;
            codes.push((notice.id() == bad).then(|| notice.int(16)));
        }
        assert_eq!(codes, [Some(16), Some(17), Some(17)]);
        server.skew_clock(0);
        let call = raw.send(&config()).await;
        raw.result_of(call).await;
    })
    .await;
}

#[tokio::test]
async fn a_packet_can_cost_the_connection() {
    for (action, expected) in [
        ("close", Gone::Closed),
        ("transport-error -429", Gone::Transport(-429)),
        ("forget-key permanent", Gone::Transport(-404)),
    ] {
        let server = server(&[&format!("in: {action}")]).await;
        in_time(async {
            let mut raw = Raw::connect(&server, 1).await;
            raw.send(&config()).await;
            assert_eq!(raw.receive().await.unwrap_err(), expected, "{action}");
            let keys = server.key_count();
            assert_eq!(keys, usize::from(!action.starts_with("forget")), "{action}");
        })
        .await;
    }
}

#[tokio::test]
async fn several_things_happen_to_one_packet() {
    let server = server(&["in method=help.getConfig nth=1: drop, rotate-salts, close"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let call = raw.send(&config()).await;
        let seqno = raw.seqno() * 2 - 1;
        assert_eq!(raw.receive().await.unwrap_err(), Gone::Closed);
        raw.wire = crate::util::Wire::open(server.address(1).unwrap(), Default::default()).await;
        raw.send_as(call, seqno, &config()).await;
        let bad = types::BadServerSalt::CONSTRUCTOR_ID;
        assert_eq!(raw.find(|message| message.id() == bad).await.long(4), call);
    })
    .await;
}

#[tokio::test]
async fn a_connection_falls_silent_in_the_middle() {
    let server = server(&["in packet=2: silence"]).await;
    in_time(async {
        let mut raw = Raw::connect(&server, 1).await;
        let call = raw.send(&config()).await;
        raw.result_of(call).await;
        raw.send(&config()).await;
        raw.send(&f::Ping { ping_id: 5 }.to_bytes()).await;
        has_fired(&server).await;
        let patience = Duration::from_millis(300);
        assert!(tokio::time::timeout(patience, raw.receive()).await.is_err());
    })
    .await;
}
