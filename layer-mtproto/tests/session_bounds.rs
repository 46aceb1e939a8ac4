//! What a server may say as often as it likes, and how little that moves a client.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod util;

use std::time::Duration;

use layer_mtproto::session::{ClientEvent, RequestFailure};
use layer_tl_types::{Serializable, types};
use util::pair::{Pair, boxed, call, id_of, messages};

const SECOND: Duration = Duration::from_secs(1);

/// A pair in its session, with one call on its way; the call's request and msg_id.
fn waiting() -> (Pair, layer_mtproto::session::RequestId, i64) {
    let mut pair = Pair::new();
    pair.submit("first");
    pair.talk();
    pair.answering = false;
    let id = pair.submit("a");
    pair.talk();
    let msg_id = pair.calls.last().unwrap().0;
    (pair, id, msg_id)
}

/// Says something to the client under a new msg_id.
fn say(pair: &mut Pair, body: &[u8]) {
    pair.now += Duration::from_millis(1);
    let part = i64::try_from((pair.now - pair.start).as_micros()).unwrap();
    let msg_id = pair.server_id(0) + 4 * part;
    let packet = pair.forged(msg_id, 0, body);
    pair.deliver_to_client(packet).unwrap();
}

#[test]
fn a_message_wanted_again_and_again_goes_again_a_bounded_number_of_times() {
    let (mut pair, _, msg_id) = waiting();
    let mut copies = 0;
    for _ in 0..1000 {
        let again = types::MsgResendReq {
            msg_ids: vec![msg_id],
        };
        say(&mut pair, &boxed(&again));
        let packets = pair.intercept();
        let bodies = packets.iter().flat_map(|(opened, p)| messages(opened, p));
        copies += bodies.filter(|(_, _, body)| *body == call("a")).count();
    }
    assert_eq!(copies, 16);
}

#[test]
fn a_message_that_never_arrives_is_given_up_after_ever_longer_waits() {
    let (mut pair, id, _) = waiting();
    let (mut copies, begun) = (0, pair.now);
    while pair.outcome(id).is_none() {
        let next = pair.client.poll_timeout().unwrap();
        pair.now = pair.now.max(next);
        pair.client.handle_timeout(pair.now);
        for (opened, packet) in pair.intercept() {
            for (msg_id, _, body) in messages(&opened, &packet) {
                copies += usize::from(body == call("a"));
                if id_of(&body) == 0xda69_fb52 {
                    let info = types::MsgsStateInfo {
                        req_msg_id: msg_id,
                        info: vec![2],
                    };
                    say(&mut pair, &boxed(&info));
                } else if id_of(&body) == 0xf342_7b8c {
                    let mut pong = 0x3477_73c5_u32.to_le_bytes().to_vec();
                    msg_id.serialize(&mut pong);
                    pong.extend_from_slice(&body[4..12]);
                    say(&mut pair, &pong);
                }
            }
        }
        assert!(copies < 100, "sent on and on");
    }
    assert_eq!(copies, 7);
    assert!(pair.now - begun > 100 * SECOND);
    let (code, attempts) = (20, 8);
    let reason = RequestFailure::Rejected { code, attempts };
    assert_eq!(pair.outcome(id), Some(ClientEvent::Failed { id, reason }));
}

#[test]
fn a_state_request_of_any_length_is_answered_for_as_many_as_may_be_asked_about() {
    let (mut pair, _, _) = waiting();
    let ask = types::MsgsStateReq {
        msg_ids: vec![1; 100_000],
    };
    say(&mut pair, &boxed(&ask));
    let packets = pair.client_packets();
    let bytes: usize = packets.iter().map(Vec::len).sum();
    assert!((8192..9000).contains(&bytes), "{bytes} bytes");
}

#[test]
fn all_three_replies_to_rpc_drop_answer_are_taken_in_silence() {
    let replies: [Vec<u8>; 3] = [
        boxed(&types::RpcAnswerUnknown {}),
        boxed(&types::RpcAnswerDroppedRunning {}),
        boxed(&types::RpcAnswerDropped {
            msg_id: 5,
            seq_no: 1,
            bytes: 100,
        }),
    ];
    for reply in replies {
        let (mut pair, id, msg_id) = waiting();
        pair.client.cancel(id, pair.now);
        let packets = pair.intercept();
        let mut sent = packets.iter().flat_map(|(opened, p)| messages(opened, p));
        let (drop_id, _, body) = sent
            .find(|(_, _, body)| id_of(body) == 0x58e4_a740)
            .expect("rpc_drop_answer");
        assert_eq!(body[4..], msg_id.to_le_bytes(), "it names the call");
        pair.talk();
        pair.events.clear();
        let mut result = 0xf35c_6d01_u32.to_le_bytes().to_vec();
        drop_id.serialize(&mut result);
        result.extend_from_slice(&reply);
        say(&mut pair, &result);
        assert_eq!(pair.events, []);
        assert_eq!(pair.client.pending(), 0);
        let footprint = pair.client.footprint();
        assert_eq!((footprint.service, footprint.names), (0, 0));
    }
}
