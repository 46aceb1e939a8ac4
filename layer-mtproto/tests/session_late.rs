//! Notices that come late: about packets whose messages have gone with other packets since.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod util;

use std::time::Duration;

use layer_mtproto::session::{ClientEvent, RequestFailure, SubmitOptions};
use layer_tl_types::types;
use util::pair::{Pair, boxed, call, id_of, messages, result_of};

const SECOND: Duration = Duration::from_secs(1);

fn forbidden() -> SubmitOptions {
    let mut options = SubmitOptions::default();
    options.resend_on_reconnect = false;
    options
}

/// A pair of which the client has sent one call, alone; the msg_id that it went under.
fn sent(options: SubmitOptions) -> (Pair, layer_mtproto::session::RequestId, i64) {
    let mut pair = Pair::new();
    pair.submit("first");
    pair.talk();
    pair.pass(SECOND);
    let id = pair.submit_with("a", options);
    let packets = pair.intercept();
    assert_eq!(packets.len(), 1);
    let msg_id = packets[0].0.msg_id;
    (pair, id, msg_id)
}

/// How often the call is in what the client has to send, and the msg_ids that it has there.
fn copies(pair: &mut Pair) -> Vec<i64> {
    pair.intercept()
        .iter()
        .flat_map(|(opened, packet)| messages(opened, packet))
        .filter(|(_, _, body)| *body == call("a"))
        .map(|(msg_id, ..)| msg_id)
        .collect()
}

fn wrong_salt(pair: &mut Pair, bad_msg_id: i64) {
    let notice = types::BadServerSalt {
        bad_msg_id,
        bad_msg_seqno: 3,
        error_code: 48,
        new_server_salt: pair.fresh_salts()[0].salt,
    };
    notify(pair, &boxed(&notice));
}

fn refusal(pair: &mut Pair, bad_msg_id: i64, error_code: i32) {
    let notice = types::BadMsgNotification {
        bad_msg_id,
        bad_msg_seqno: 3,
        error_code,
    };
    notify(pair, &boxed(&notice));
}

fn notify(pair: &mut Pair, notice: &[u8]) {
    pair.now += Duration::from_millis(10);
    let msg_id =
        pair.server_id(0) + 4 * i64::try_from((pair.now - pair.start).as_micros()).unwrap();
    let packet = pair.forged(msg_id, 0, notice);
    pair.deliver_to_client(packet).unwrap();
}

#[test]
fn a_second_notice_of_a_wrong_salt_sends_no_second_copy() {
    for options in [SubmitOptions::default(), forbidden()] {
        let (mut pair, _, msg_id) = sent(options);
        wrong_salt(&mut pair, msg_id);
        assert_eq!(copies(&mut pair), [msg_id], "in a container");
        // The packet was on its way twice, and each copy earned its notice.
        wrong_salt(&mut pair, msg_id);
        pair.now += 5 * SECOND;
        pair.client.handle_timeout(pair.now);
        assert_eq!(copies(&mut pair), []);
    }
}

#[test]
fn a_refusal_of_an_older_packet_does_not_rename_what_has_gone_again() {
    for code in [16, 17, 20, 32] {
        let (mut pair, id, msg_id) = sent(SubmitOptions::default());
        pair.client.connection_lost(pair.now);
        assert_eq!(copies(&mut pair), [msg_id], "in a container");
        refusal(&mut pair, msg_id, code);
        pair.now += 5 * SECOND;
        pair.client.handle_timeout(pair.now);
        pair.talk();
        // The server knows it by its name, however often it comes.
        let came: Vec<_> = pair.calls.iter().filter(|(_, b)| *b == call("a")).collect();
        assert_eq!(came, [&(msg_id, call("a"))], "code {code}");
        pair.assert_answered(id, "a");
    }
}

#[test]
fn a_name_that_will_not_do_is_given_up_in_the_end() {
    let (mut pair, id, msg_id) = sent(SubmitOptions::default());
    pair.client.connection_lost(pair.now);
    assert_eq!(copies(&mut pair), [msg_id]);
    let mut names = Vec::new();
    for _ in 0..6 {
        let last = names.last().copied().unwrap_or(msg_id);
        if last == msg_id {
            refusal(&mut pair, msg_id, 20);
        }
        pair.now += 10 * SECOND;
        pair.client.handle_timeout(pair.now);
        names.extend(copies(&mut pair));
    }
    assert_ne!(names.last(), Some(&msg_id), "{names:x?}");
    assert_eq!(pair.outcome(id), None);
}

#[test]
fn what_must_not_be_repeated_is_asked_about_when_an_older_packet_of_it_is_refused() {
    let (mut pair, id, msg_id) = sent(forbidden());
    wrong_salt(&mut pair, msg_id);
    assert_eq!(
        copies(&mut pair),
        [msg_id],
        "in a container, which gets lost"
    );
    refusal(&mut pair, msg_id, 20);
    pair.now += 5 * SECOND;
    pair.client.handle_timeout(pair.now);
    assert_eq!(copies(&mut pair), [], "a second copy");
    // The server says that it has not had it, so it goes again.
    pair.pass(30 * SECOND);
    assert_eq!(
        pair.calls.iter().filter(|(_, b)| *b == call("a")).count(),
        1
    );
    pair.assert_answered(id, "a");
}

#[test]
fn a_refusal_of_an_older_container_does_not_send_its_messages_twice() {
    let mut pair = Pair::new();
    pair.submit_with("a", forbidden());
    pair.submit("b");
    let packets = pair.intercept();
    let first = packets[0].0.msg_id;
    wrong_salt(&mut pair, first);
    assert_eq!(copies(&mut pair).len(), 1);
    wrong_salt(&mut pair, first);
    refusal(&mut pair, first, 17);
    pair.now += 5 * SECOND;
    pair.client.handle_timeout(pair.now);
    assert_eq!(copies(&mut pair), []);
}

#[test]
fn what_a_client_asks_for_again_does_not_use_up_what_the_server_sends_by_itself() {
    let mut pair = Pair::with(|_| {}, |server| server.max_resends = 1);
    pair.answering = false;
    let id = pair.submit("a");
    pair.talk();
    let (msg_id, body) = pair.calls.pop().unwrap();
    pair.server.respond(msg_id, result_of(&body));
    // The answer gets lost, and so do the copies that the client's repetition earns it.
    pair.server_packets();
    for _ in 0..3 {
        pair.client.connection_lost(pair.now);
        for packet in pair.client_packets() {
            pair.deliver_to_server(packet);
        }
        assert!(!pair.server_packets().is_empty());
    }
    assert_eq!(pair.outcome(id), None);
    pair.now += 200 * SECOND;
    pair.server.handle_timeout(pair.now);
    for packet in pair.server_packets() {
        let _ = pair.deliver_to_client(packet);
    }
    pair.assert_answered(id, "a");
}

#[test]
fn what_must_not_be_repeated_fails_when_the_server_knows_nothing_of_it_any_more() {
    for (status, goes_again) in [(1, false), (2, true), (3, true)] {
        let (mut pair, id, msg_id) = sent(forbidden());
        pair.now += 25 * SECOND;
        pair.client.handle_timeout(pair.now);
        let packets = pair.intercept();
        let mut asked = packets.iter().flat_map(|(o, p)| messages(o, p));
        let (req_msg_id, ..) = asked
            .find(|(_, _, body)| id_of(body) == 0xda69_fb52)
            .expect("msgs_state_req");
        let info = types::MsgsStateInfo {
            req_msg_id,
            info: vec![status],
        };
        notify(&mut pair, &boxed(&info));
        if goes_again {
            assert_eq!(copies(&mut pair), [msg_id], "it certainly did not come");
        } else {
            let reason = RequestFailure::ConnectionLost;
            assert_eq!(pair.outcome(id), Some(ClientEvent::Failed { id, reason }));
        }
    }
}

#[test]
fn what_must_not_be_repeated_fails_if_the_server_wants_it_again_and_then_forgets_its_session() {
    for options in [SubmitOptions::default(), forbidden()] {
        let may_repeat = options.resend_on_reconnect;
        let (mut pair, id, msg_id) = sent(options);
        let again = types::MsgResendReq {
            msg_ids: vec![msg_id],
        };
        notify(&mut pair, &boxed(&again));
        let new = types::NewSessionCreated {
            first_msg_id: msg_id + (1 << 30),
            unique_id: 77,
            server_salt: pair.fresh_salts()[0].salt,
        };
        notify(&mut pair, &boxed(&new));
        if may_repeat {
            assert_eq!(copies(&mut pair), [msg_id]);
        } else {
            assert_eq!(copies(&mut pair), []);
            let reason = RequestFailure::ConnectionLost;
            assert_eq!(pair.outcome(id), Some(ClientEvent::Failed { id, reason }));
        }
    }
}

#[test]
fn what_was_refused_was_not_done_and_goes_again_in_a_new_session_of_the_server() {
    let (mut pair, id, msg_id) = sent(forbidden());
    wrong_salt(&mut pair, msg_id);
    let new = types::NewSessionCreated {
        first_msg_id: msg_id + (1 << 30),
        unique_id: 77,
        server_salt: pair.fresh_salts()[0].salt,
    };
    notify(&mut pair, &boxed(&new));
    assert_eq!(copies(&mut pair), [msg_id]);
    assert_eq!(pair.outcome(id), None);
}
