//! Requests that come one after the other: `invokeAfterMsg`, `invokeAfterMsgs` and what becomes of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod util;

use std::time::Duration;

use layer_mtproto::session::{ClientEvent, RequestFailure, RequestId, SubmitOptions};
use layer_tl_types::{Cursor, Deserializable};
use util::pair::{Pair, call, id_of, result_of};

const SECOND: Duration = Duration::from_secs(1);

fn after(before: &[RequestId]) -> SubmitOptions {
    let mut options = SubmitOptions::default();
    options.after = before.to_vec();
    options
}

/// A pair whose server answers nothing by itself.
fn pair() -> Pair {
    let mut pair = Pair::new();
    pair.answering = false;
    pair
}

/// Submits calls of these names, each after the one before.
fn chain(pair: &mut Pair, names: &[&str]) -> Vec<RequestId> {
    let mut ids: Vec<RequestId> = Vec::new();
    for name in names {
        let options = after(&ids.last().copied().into_iter().collect::<Vec<_>>());
        ids.push(pair.submit_with(name, options));
    }
    ids
}

/// The messages that a call comes after, and the call.
fn parse(body: &[u8]) -> (Vec<i64>, Vec<u8>) {
    match id_of(body) {
        0xcb9f_372d => {
            let id = i64::from_le_bytes(body[4..12].try_into().unwrap());
            (vec![id], body[12..].to_vec())
        }
        0x3dc4_b4f0 => {
            let mut rest = Cursor::new(&body[4..]);
            let ids = Vec::<i64>::deserialize(&mut rest).unwrap();
            (ids, rest.remaining().to_vec())
        }
        _ => (vec![], body.to_vec()),
    }
}

/// What came to the server since the last time: its msg_id, what it comes after, and its name.
fn came(pair: &mut Pair) -> Vec<(i64, Vec<i64>, String)> {
    std::mem::take(&mut pair.calls)
        .into_iter()
        .map(|(msg_id, body)| {
            let (after, body) = parse(&body);
            let name = String::from_utf8_lossy(&body[4..]).trim().to_owned();
            (msg_id, after, name)
        })
        .collect()
}

fn answer(pair: &mut Pair, msg_id: i64, name: &str) {
    pair.server.respond(msg_id, result_of(&call(name)));
}

#[test]
fn a_chain_goes_out_at_once_each_call_naming_the_one_before() {
    let mut pair = pair();
    chain(&mut pair, &["a", "b", "c"]);
    pair.talk();
    let came = came(&mut pair);
    let [a, b, c] = came.as_slice() else {
        panic!("{came:?}")
    };
    assert_eq!((&a.1, a.2.as_str()), (&vec![], "a"));
    assert_eq!((&b.1, b.2.as_str()), (&vec![a.0], "b"));
    assert_eq!((&c.1, c.2.as_str()), (&vec![b.0], "c"));
}

#[test]
fn a_call_may_come_after_several() {
    let mut pair = pair();
    let a = pair.submit("a");
    let b = pair.submit("b");
    pair.submit_with("c", after(&[a, b, a]));
    pair.talk();
    let came = came(&mut pair);
    assert_eq!(came[2].1, [came[0].0, came[1].0]);
    assert_eq!(came[2].2, "c");
}

#[test]
fn what_has_its_outcome_needs_not_be_waited_for() {
    let mut pair = pair();
    let a = pair.submit("a");
    pair.talk();
    let first = came(&mut pair)[0].0;
    answer(&mut pair, first, "a");
    pair.talk();
    pair.submit_with("b", after(&[a]));
    pair.talk();
    assert_eq!(came(&mut pair)[0].1, []);
}

#[test]
fn a_call_after_more_than_a_message_may_name_waits_for_all_of_them() {
    let mut pair = pair();
    let many: Vec<_> = (0..101).map(|i| pair.submit(&format!("{i}"))).collect();
    let last = pair.submit_with("last", after(&many));
    pair.talk();
    let calls = came(&mut pair);
    assert_eq!(calls.len(), 101);
    for (msg_id, _, name) in &calls {
        assert!(pair.calls.is_empty(), "before the others are done");
        answer(&mut pair, *msg_id, name);
        pair.talk();
    }
    let calls = came(&mut pair);
    assert_eq!((calls[0].1.as_slice(), calls.len()), (&[][..], 1));
    answer(&mut pair, calls[0].0, "last");
    pair.talk();
    pair.assert_answered(last, "last");
}

#[test]
fn a_chain_sent_again_under_new_names_names_the_new_ones() {
    for code in [17, 18, 20, 32, 33, 48, 64] {
        let mut pair = pair();
        let ids = chain(&mut pair, &["a", "b", "c"]);
        pair.refuse_all(code);
        pair.talk();
        pair.pass(3 * SECOND);
        let calls = came(&mut pair);
        let names: Vec<_> = calls.iter().map(|call| call.2.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"], "code {code}");
        assert_eq!(calls[0].1, []);
        assert_eq!(calls[1].1, [calls[0].0]);
        assert_eq!(calls[2].1, [calls[1].0]);
        for (msg_id, _, name) in &calls {
            answer(&mut pair, *msg_id, name);
        }
        pair.talk();
        for (id, name) in ids.into_iter().zip(["a", "b", "c"]) {
            pair.assert_answered(id, name);
        }
    }
}

#[test]
fn a_call_does_not_overtake_one_that_waits_to_be_sent_again() {
    let mut pair = pair();
    let a = pair.submit("a");
    // Twice refused, so it goes again after a while only.
    pair.refuse_all(20);
    pair.refuse_all(20);
    pair.submit_with("b", after(&[a]));
    pair.talk();
    assert_eq!(came(&mut pair), []);
    pair.pass(SECOND);
    let calls = came(&mut pair);
    assert_eq!([&*calls[0].2, &*calls[1].2], ["a", "b"]);
    assert_eq!(calls[1].1, [calls[0].0]);
}

#[test]
fn a_chain_keeps_its_order_over_a_lost_connection() {
    let mut pair = pair();
    chain(&mut pair, &["a", "b"]);
    // It got lost on the way.
    pair.client_packets();
    pair.client.connection_lost(pair.now);
    pair.server.connected();
    pair.talk();
    let calls = came(&mut pair);
    assert_eq!([&*calls[0].2, &*calls[1].2], ["a", "b"]);
    assert_eq!(calls[1].1, [calls[0].0]);
}

#[test]
fn a_call_whose_predecessor_failed_is_sent_again_and_has_its_own_outcome() {
    let mut pair = pair();
    let ids = chain(&mut pair, &["a", "b", "c"]);
    pair.talk();
    let calls = came(&mut pair);
    pair.server.respond_error(calls[0].0, 400, "BAD");
    pair.server
        .respond_error(calls[1].0, 400, "MSG_WAIT_FAILED");
    pair.server
        .respond_error(calls[2].0, 400, "MSG_WAIT_FAILED");
    pair.talk();
    assert!(matches!(
        pair.outcome(ids[0]),
        Some(ClientEvent::RpcError { code: 400, .. })
    ));
    let again = came(&mut pair);
    assert_eq!(again.len(), 1, "c comes after b");
    assert_eq!((again[0].1.as_slice(), &*again[0].2), (&[][..], "b"));
    answer(&mut pair, again[0].0, "b");
    pair.talk();
    let again = came(&mut pair);
    assert_eq!((again[0].1.as_slice(), &*again[0].2), (&[][..], "c"));
    answer(&mut pair, again[0].0, "c");
    pair.talk();
    pair.assert_answered(ids[1], "b");
    pair.assert_answered(ids[2], "c");
}

#[test]
fn a_call_that_waited_too_long_at_the_server_waits_here_without_asking_on_and_on() {
    let mut pair = pair();
    let ids = chain(&mut pair, &["a", "b"]);
    pair.talk();
    let calls = came(&mut pair);
    pair.server
        .respond_error(calls[1].0, 400, "MSG_WAIT_TIMEOUT");
    pair.talk();
    pair.pass(50 * SECOND);
    assert_eq!(came(&mut pair), [], "a is not done yet");
    assert_eq!(pair.outcome(ids[1]), None);
    answer(&mut pair, calls[0].0, "a");
    pair.talk();
    let again = came(&mut pair);
    assert_eq!((again[0].1.as_slice(), &*again[0].2), (&[][..], "b"));
    answer(&mut pair, again[0].0, "b");
    pair.talk();
    pair.assert_answered(ids[0], "a");
    pair.assert_answered(ids[1], "b");
}

#[test]
fn a_call_comes_after_one_that_was_given_up_when_the_server_may_still_be_at_it() {
    let mut pair = pair();
    let sent = pair.submit("sent");
    pair.talk();
    let calls = came(&mut pair);
    let unsent = pair.submit("unsent");
    let last = pair.submit_with("last", after(&[sent, unsent]));
    pair.client.cancel(sent, pair.now);
    pair.client.cancel(unsent, pair.now);
    pair.talk();
    let again = came(&mut pair);
    assert_eq!(again[0].1, [calls[0].0]);
    // The server knows nothing of it: then it is done with.
    pair.server
        .respond_error(again[0].0, 400, "MSG_WAIT_TIMEOUT");
    pair.talk();
    let again = came(&mut pair);
    assert_eq!((again[0].1.as_slice(), &*again[0].2), (&[][..], "last"));
    answer(&mut pair, again[0].0, "last");
    pair.talk();
    pair.assert_answered(last, "last");
    let cancelled = |id| {
        let reason = RequestFailure::Cancelled;
        Some(ClientEvent::Failed { id, reason })
    };
    assert_eq!(pair.outcome(sent), cancelled(sent));
    assert_eq!(pair.outcome(unsent), cancelled(unsent));
}

#[test]
fn a_wait_that_nobody_asked_for_is_an_error_as_any_other() {
    let mut pair = pair();
    let a = pair.submit("a");
    pair.talk();
    let msg_id = came(&mut pair)[0].0;
    pair.server.respond_error(msg_id, 400, "MSG_WAIT_FAILED");
    pair.talk();
    assert!(matches!(
        pair.outcome(a),
        Some(ClientEvent::RpcError { .. })
    ));
    // Nor is a call held back for ever.
    let ids = chain(&mut pair, &["b", "c"]);
    pair.talk();
    let calls = came(&mut pair);
    answer(&mut pair, calls[0].0, "b");
    for (msg_id, ..) in calls.into_iter().skip(1) {
        pair.server.respond_error(msg_id, 400, "MSG_WAIT_FAILED");
    }
    pair.talk();
    let again = came(&mut pair);
    pair.server
        .respond_error(again[0].0, 400, "MSG_WAIT_FAILED");
    pair.talk();
    pair.assert_answered(ids[0], "b");
    assert!(matches!(
        pair.outcome(ids[1]),
        Some(ClientEvent::RpcError { .. })
    ));
    assert_eq!(pair.client.pending(), 0);
}

#[test]
fn a_call_held_back_for_an_older_name_is_not_sent_twice() {
    let mut pair = pair();
    let ids = chain(&mut pair, &["a", "b"]);
    pair.talk();
    let calls = came(&mut pair);
    // The server refuses b's message, as if it had not handed it out, and answers it all the same.
    pair.server.reject(calls[1].0, 3, 20);
    pair.talk();
    let again = came(&mut pair);
    assert_eq!((again.len(), &*again[0].2), (1, "b"));
    pair.server
        .respond_error(calls[1].0, 400, "MSG_WAIT_TIMEOUT");
    pair.talk();
    answer(&mut pair, calls[0].0, "a");
    answer(&mut pair, again[0].0, "b");
    pair.talk();
    assert_eq!(came(&mut pair), []);
    pair.assert_answered(ids[0], "a");
    pair.assert_answered(ids[1], "b");
}

#[test]
fn an_ordered_call_is_compressed_behind_the_name_that_it_comes_after() {
    let mut pair = pair();
    let long = "long ".repeat(1000);
    let ids = chain(&mut pair, &["a", &long]);
    pair.talk();
    let (msg_id, body) = pair.calls[1].clone();
    let (names, rest) = parse(&body);
    assert_eq!(names, [pair.calls[0].0]);
    assert!(rest.len() < 1000);
    let body = layer_mtproto::session::inflate_packed(&rest, 1 << 20).unwrap();
    assert_eq!(body, call(&long));
    pair.server.respond(msg_id, result_of(&body));
    pair.talk();
    pair.assert_answered(ids[1], &long);
}

#[test]
fn a_call_refused_for_waiting_while_it_is_about_to_go_again_is_held_back() {
    let mut pair = pair();
    let ids = chain(&mut pair, &["a", "b"]);
    pair.talk();
    let calls = came(&mut pair);
    // Its answer waits at the server when the connection is lost: it comes when b is in the queue again.
    pair.server
        .respond_error(calls[1].0, 400, "MSG_WAIT_TIMEOUT");
    let answers = pair.server_packets();
    pair.client.connection_lost(pair.now);
    for packet in answers {
        pair.deliver_to_client(packet).unwrap();
    }
    answer(&mut pair, calls[0].0, "a");
    pair.server.connected();
    pair.talk();
    let again = came(&mut pair);
    assert_eq!((again[0].1.as_slice(), &*again[0].2), (&[][..], "b"));
    answer(&mut pair, again[0].0, "b");
    pair.talk();
    pair.assert_answered(ids[0], "a");
    pair.assert_answered(ids[1], "b");
}

#[test]
fn an_old_refusal_for_waiting_is_known_when_nothing_is_waited_for_any_more() {
    let mut pair = pair();
    let ids = chain(&mut pair, &["a", "b"]);
    pair.talk();
    let calls = came(&mut pair);
    pair.server
        .respond_error(calls[1].0, 400, "MSG_WAIT_TIMEOUT");
    // Lost with the connection; meanwhile a is done, and b goes again without naming it.
    let lost = pair.server_packets();
    answer(&mut pair, calls[0].0, "a");
    for packet in pair.server_packets() {
        pair.deliver_to_client(packet).unwrap();
    }
    pair.client.connection_lost(pair.now);
    pair.server.connected();
    pair.client_packets();
    for packet in lost {
        pair.deliver_to_client(packet).unwrap();
    }
    pair.talk();
    let again = came(&mut pair);
    assert_eq!((again.len(), &*again[0].2), (1, "b"));
    answer(&mut pair, again[0].0, "b");
    pair.talk();
    pair.assert_answered(ids[1], "b");
}

#[test]
fn an_older_name_refused_for_waiting_does_not_end_a_call_that_waits_for_nobody_now() {
    let mut pair = pair();
    let ids = chain(&mut pair, &["a", "b"]);
    pair.talk();
    let calls = came(&mut pair);
    answer(&mut pair, calls[0].0, "a");
    pair.talk();
    pair.server.reject(calls[1].0, 3, 20);
    pair.talk();
    let again = came(&mut pair);
    assert_eq!((again[0].1.as_slice(), &*again[0].2), (&[][..], "b"));
    pair.server
        .respond_error(calls[1].0, 400, "MSG_WAIT_TIMEOUT");
    pair.talk();
    assert_eq!(pair.outcome(ids[1]), None);
    answer(&mut pair, again[0].0, "b");
    pair.talk();
    pair.assert_answered(ids[1], "b");
}

#[test]
fn a_call_that_is_held_back_is_not_looked_at_again_and_again() {
    let mut pair = pair();
    let ids = chain(&mut pair, &["a", "b"]);
    pair.talk();
    let calls = came(&mut pair);
    // Refused for the second time, it waits a little before it goes again; and is held back meanwhile.
    pair.server.reject(calls[1].0, 3, 20);
    pair.talk();
    let b = came(&mut pair)[0].0;
    pair.server.reject(b, 3, 20);
    pair.server.respond_error(b, 400, "MSG_WAIT_TIMEOUT");
    for packet in pair.server_packets() {
        pair.deliver_to_client(packet).unwrap();
    }
    pair.now += SECOND;
    pair.talk();
    assert_eq!(came(&mut pair), [], "a is not done yet");
    let next = pair.client.poll_timeout();
    assert!(
        next.is_none_or(|at| at > pair.now),
        "there is nothing to do"
    );
    answer(&mut pair, calls[0].0, "a");
    pair.talk();
    let again = came(&mut pair);
    assert_eq!((again[0].1.as_slice(), &*again[0].2), (&[][..], "b"));
    answer(&mut pair, again[0].0, "b");
    pair.talk();
    pair.assert_answered(ids[0], "a");
    pair.assert_answered(ids[1], "b");
}
