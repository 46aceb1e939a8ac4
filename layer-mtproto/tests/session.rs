//! Sessions: client and server with each other, in good days.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod util;

use std::time::Duration;

use bytes::BytesMut;
use layer_mtproto::handshake::{self, Purpose};
use layer_mtproto::session::{
    ClientEvent, ClientSession, RequestFailure, SaltBook, ServerSession, ServerSessionConfig,
    ServerSessionEvent, SessionParams, SubmitOptions, Terminal, Violation, open_packet,
};
use layer_tl_types::{Serializable, types};
use util::pair::{Pair, boxed, call, container, result_of};
use util::{TestRng, UNIX, server_keys};

const SECOND: Duration = Duration::from_secs(1);

/// Packets as a transport hands them over.
fn shared(packets: Vec<Vec<u8>>) -> Vec<BytesMut> {
    packets.iter().map(|packet| packet[..].into()).collect()
}

#[test]
fn a_request_is_answered() {
    let mut pair = Pair::new();
    let id = pair.submit("hello");
    pair.talk();
    pair.assert_answered(id, "hello");
    assert_eq!(pair.calls.len(), 1);
    assert_eq!(pair.client.pending(), 0);
}

#[test]
fn from_handshake_to_answer() {
    let now = std::time::Instant::now();
    let keys = server_keys()
        .iter()
        .map(|key| key.public().clone())
        .collect();
    let config = handshake::ClientConfig::new(keys, 2, Purpose::Permanent);
    let mut client = handshake::Client::new(config, TestRng::boxed(1), now, UNIX);
    let mut server = handshake::Server::new(server_keys(), 2, TestRng::boxed(2));
    let server_time = UNIX + 1000 * SECOND;
    let mut packet = Vec::new();
    while client.poll_transmit(now, &mut packet) {
        server.handle_packet(&packet, server_time).unwrap();
        packet.clear();
        server.poll_transmit(&mut packet);
        client.handle_packet(&packet, now).unwrap();
        packet.clear();
    }
    let Some(handshake::ServerEvent::Done(theirs)) = server.poll_event() else {
        panic!()
    };
    let ours = std::iter::from_fn(|| client.poll_event())
        .find_map(|event| match event {
            handshake::Event::Done(outcome) => Some(outcome),
            _ => None,
        })
        .unwrap();

    let params = SessionParams::after_handshake(&ours);
    let mut client = ClientSession::new(params, TestRng::boxed(3), now, UNIX);
    let id = client.submit(call("first"), SubmitOptions::default(), now);
    let mut packet = Vec::new();
    assert!(client.poll_transmit(now, &mut packet));
    let opened = open_packet(&theirs.auth_key, &mut packet).unwrap();
    let salts = SaltBook::new(&theirs.auth_key, Some(theirs.first_salt), server_time);
    let mut server = ServerSession::new(
        theirs.auth_key,
        opened.session_id,
        salts,
        TestRng::boxed(4),
        ServerSessionConfig::default(),
    );
    server
        .handle_opened(&opened, &packet.into(), now, server_time)
        .unwrap();
    let Some(ServerSessionEvent::Request { msg_id, body, .. }) = server.poll_event() else {
        panic!("the first salt is good")
    };
    server.respond(msg_id, result_of(&body));
    let mut packet = Vec::new();
    assert!(server.poll_transmit(now, server_time, &mut packet));
    client.handle_packet(&mut packet, now).unwrap();
    let answered = std::iter::from_fn(|| client.poll_event()).any(|event| {
        event
            == ClientEvent::Response {
                id,
                body: result_of(&call("first")).into(),
            }
    });
    assert!(answered);
}

#[test]
fn an_rpc_error_is_an_outcome() {
    let mut pair = Pair::new();
    pair.answering = false;
    let id = pair.submit("too fast");
    pair.talk();
    let msg_id = pair.calls[0].0;
    pair.server.respond_error(msg_id, 420, "FLOOD_WAIT_3");
    pair.talk();
    let message = "FLOOD_WAIT_3".to_owned();
    assert_eq!(
        pair.outcome(id),
        Some(ClientEvent::RpcError {
            id,
            code: 420,
            message
        })
    );
}

#[test]
fn outgoing_msg_ids_and_seqnos_follow_the_rules() {
    let mut pair = Pair::new();
    for i in 0..20 {
        pair.submit(&format!("call {i}"));
        if i % 3 == 0 {
            pair.client.ping();
        }
        pair.talk();
        pair.now += Duration::from_millis(i * 100);
    }
    let mut last = 0;
    let mut content = 0;
    let mut check = |msg_id: i64, seqno: i32, body: &[u8]| {
        assert!(msg_id > last && msg_id % 4 == 0 && msg_id & 0xffff_ffff != 0);
        last = msg_id;
        let id = u32::from_le_bytes(body[..4].try_into().unwrap());
        // msgs_ack, ping, msg_container
        let is_content = ![0x62d6_b459, 0x7abe_77ec, 0x73f1_f8dc].contains(&id);
        assert_eq!(seqno, content * 2 + i32::from(is_content), "{id:08x}");
        content += i32::from(is_content);
        assert!((msg_id >> 32) >= 1_700_000_000 && (msg_id >> 32) < 1_700_000_100);
    };
    for (opened, packet) in &pair.opened {
        let body = &packet[opened.body.clone()];
        for (msg_id, seqno, inner) in contents(body) {
            check(msg_id, seqno, &inner);
        }
        check(opened.msg_id, opened.seqno, body);
    }
    assert!(content >= 20);
}

/// The messages in a container, or none.
fn contents(body: &[u8]) -> Vec<(i64, i32, Vec<u8>)> {
    let int = |at: usize| u32::from_le_bytes(body[at..at + 4].try_into().unwrap());
    if int(0) != 0x73f1_f8dc {
        return Vec::new();
    }
    let mut at = 8;
    (0..int(4))
        .map(|_| {
            let msg_id = i64::from_le_bytes(body[at..at + 8].try_into().unwrap());
            let length = int(at + 12) as usize;
            let inner = body[at + 16..at + 16 + length].to_vec();
            let seqno = i32::from_le_bytes(body[at + 8..at + 12].try_into().unwrap());
            at += 16 + length;
            (msg_id, seqno, inner)
        })
        .collect()
}

#[test]
fn what_waits_goes_in_one_container() {
    let mut pair = Pair::new();
    let ids: Vec<_> = (0..50).map(|i| (i, pair.submit(&format!("{i}")))).collect();
    let packets = pair.client_packets();
    assert_eq!(packets.len(), 1);
    packets
        .into_iter()
        .for_each(|packet| pair.deliver_to_server(packet));
    // In the order in which they were submitted.
    let order: Vec<_> = pair.calls.iter().map(|(_, body)| body.clone()).collect();
    assert_eq!(
        order,
        (0..50).map(|i| call(&format!("{i}"))).collect::<Vec<_>>()
    );
    pair.talk();
    ids.into_iter()
        .for_each(|(i, id)| pair.assert_answered(id, &format!("{i}")));
}

#[test]
fn containers_hold_at_most_1020_messages_and_a_mebibyte() {
    let mut pair = Pair::with(|p| p.config.gzip_threshold = None, |_| {});
    let count = 2500;
    let ids: Vec<_> = (0..count)
        .map(|i| (i, pair.submit(&format!("{i}"))))
        .collect();
    let noise = "x".repeat(300_000);
    let large: Vec<_> = (0..10).map(|_| pair.submit(&noise)).collect();
    pair.talk();
    for (opened, packet) in &pair.opened {
        let inner = contents(&packet[opened.body.clone()]);
        assert!(inner.len() <= 1020, "{}", inner.len());
        assert!(opened.body.len() <= (1 << 20) + 1020 * 16 + 8);
    }
    ids.into_iter()
        .for_each(|(i, id)| pair.assert_answered(id, &format!("{i}")));
    large
        .into_iter()
        .for_each(|id| pair.assert_answered(id, &noise));
}

#[test]
fn a_request_larger_than_a_container_goes_alone_and_one_larger_than_a_packet_fails() {
    let mut pair = Pair::with(|p| p.config.gzip_threshold = None, |_| {});
    let text = "x".repeat(2 << 20);
    let (small, large) = (pair.submit("small"), pair.submit(&text));
    pair.talk();
    pair.assert_answered(small, "small");
    pair.assert_answered(large, &text);
    let huge = pair.submit(&"x".repeat(16 << 20));
    pair.talk();
    let outcome = pair.outcome(huge);
    assert!(matches!(
        outcome,
        Some(ClientEvent::Failed {
            reason: RequestFailure::TooLong { .. },
            ..
        })
    ));
}

#[test]
fn gzip_is_used_both_ways_where_it_makes_the_message_smaller() {
    let mut pair = Pair::new();
    let text = "all work and no play ".repeat(5_000);
    let id = pair.submit(&text);
    let packets = pair.client_packets();
    assert!(packets.iter().map(Vec::len).sum::<usize>() < 5_000);
    packets
        .into_iter()
        .for_each(|packet| pair.deliver_to_server(packet));
    assert_eq!(pair.calls[0].1, call(&text));
    let packets = pair.server_packets();
    assert!(packets.iter().map(Vec::len).sum::<usize>() < 5_000);
    packets
        .into_iter()
        .for_each(|packet| pair.deliver_to_client(packet).unwrap());
    pair.assert_answered(id, &text);
}

#[test]
fn acks_go_with_other_traffic_or_after_a_short_while() {
    let mut pair = Pair::new();
    let push = pair.server.push(call("update"));
    // A push opens no session: something must come from the client first.
    pair.submit("a");
    pair.talk();
    assert_eq!(pair.updates(), [call("update")]);
    let acked = |pair: &Pair| {
        pair.server_events
            .contains(&ServerSessionEvent::Acked { push })
    };
    assert!(!acked(&pair));
    pair.submit("b");
    pair.talk();
    assert!(acked(&pair), "with the next request");

    let push = pair.server.push(call("another"));
    pair.talk();
    pair.pass(SECOND);
    assert!(
        pair.server_events
            .contains(&ServerSessionEvent::Acked { push }),
        "by the timer"
    );
    assert_eq!(pair.server.unacknowledged(), 0);
}

#[test]
fn many_acks_do_not_wait() {
    let mut pair = Pair::new();
    pair.submit("a");
    pair.talk();
    pair.pass(SECOND);
    for i in 0..20 {
        pair.server.push(call(&format!("{i}")));
    }
    pair.talk();
    assert_eq!(pair.server.unacknowledged(), 0);
}

#[test]
fn updates_come_as_their_bytes() {
    let mut pair = Pair::new();
    pair.submit("a");
    pair.server.push(call("one"));
    pair.server.push(call("two"));
    pair.talk();
    assert_eq!(pair.updates(), [call("one"), call("two")]);
}

#[test]
fn a_new_session_is_announced_once() {
    let mut pair = Pair::new();
    for i in 0..3 {
        pair.submit(&format!("{i}"));
        pair.talk();
    }
    let new = |pair: &Pair| {
        let is_new = |event: &&ClientEvent| matches!(event, ClientEvent::NewSession { .. });
        pair.events.iter().filter(is_new).count()
    };
    assert_eq!(new(&pair), 1);
    // Said again, under another msg_id: still one.
    let Some(ClientEvent::NewSession {
        first_msg_id,
        unique_id,
    }) = pair
        .events
        .iter()
        .find(|event| matches!(event, ClientEvent::NewSession { .. }))
        .cloned()
    else {
        panic!()
    };
    let again = types::NewSessionCreated {
        first_msg_id,
        unique_id,
        server_salt: 5,
    };
    pair.server.send_bare(boxed(&again), true);
    pair.talk();
    assert_eq!(new(&pair), 1);
}

#[test]
fn pings_are_answered_and_timed() {
    let mut pair = Pair::new();
    let ping_id = pair.client.ping();
    let packets = pair.client_packets();
    pair.now += Duration::from_millis(80);
    packets
        .into_iter()
        .for_each(|packet| pair.deliver_to_server(packet));
    pair.talk();
    let round_trip = Duration::from_millis(80);
    assert!(pair.events.contains(&ClientEvent::Pong {
        ping_id,
        round_trip
    }));
}

#[test]
fn an_idle_connection_is_pinged_and_its_silence_noticed() {
    let mut pair = Pair::new();
    pair.submit("a");
    pair.talk();
    pair.pass(61 * SECOND);
    let delay = ServerSessionEvent::DisconnectAfter(75 * SECOND);
    assert!(pair.server_events.contains(&delay));
    assert!(
        pair.events
            .iter()
            .any(|event| matches!(event, ClientEvent::Pong { .. }))
    );

    // Now the network swallows everything.
    let end = pair.now + 200 * SECOND;
    let mut silent_at = None;
    while let Some(next) = pair.client.poll_timeout().filter(|next| *next < end) {
        pair.now = pair.now.max(next);
        pair.client.handle_timeout(pair.now);
        pair.client_packets();
        while let Some(event) = pair.client.poll_event() {
            if event == ClientEvent::Silent {
                assert!(silent_at.is_none(), "said once");
                silent_at = Some(pair.now);
            }
        }
    }
    assert!(
        silent_at.unwrap() < end - 100 * SECOND,
        "noticed within 100 seconds"
    );
}

#[test]
fn future_salts_are_asked_for_ahead_and_rotated() {
    let mut pair = Pair::with(|p| p.salts.truncate(1), |_| {});
    pair.submit("a");
    pair.talk();
    assert!(pair.events.contains(&ClientEvent::SaltsChanged));
    assert!(pair.client.salts().len() >= 60);
    // A day and a half with a call now and then: never a wrong salt.
    pair.events.clear();
    for i in 0..54 {
        pair.now += 2400 * SECOND;
        let text = format!("{i}");
        let id = pair.submit(&text);
        pair.talk();
        pair.assert_answered(id, &text);
        let last = pair.opened.last().unwrap().0.salt;
        assert!(pair.salts.accepts(last, pair.unix()));
    }
    let calls = pair.calls.len();
    assert_eq!(calls, 55, "no call came twice");
    assert!(pair.opened.len() < 200);
}

#[test]
fn a_session_without_salts_learns_one() {
    let mut pair = Pair::with(|p| p.salts.clear(), |_| {});
    let id = pair.submit("a");
    pair.talk();
    pair.assert_answered(id, "a");
    assert_eq!(pair.calls.len(), 1);
}

#[test]
fn a_cancelled_request_has_one_outcome_and_its_answer_is_dropped() {
    let mut pair = Pair::new();
    pair.answering = false;
    let unsent = pair.submit("unsent");
    pair.client.cancel(unsent, pair.now);
    let sent = pair.submit("sent");
    pair.talk();
    pair.client.cancel(sent, pair.now);
    pair.client.cancel(sent, pair.now);
    pair.talk();
    assert_eq!(pair.calls.len(), 1, "what was not sent is not sent");
    let msg_id = pair.calls[0].0;
    assert!(
        pair.server_events
            .contains(&ServerSessionEvent::Cancelled { msg_id })
    );
    pair.server.respond(msg_id, result_of(&call("sent")));
    pair.talk();
    for id in [unsent, sent] {
        let reason = RequestFailure::Cancelled;
        assert_eq!(pair.outcome(id), Some(ClientEvent::Failed { id, reason }));
    }
    pair.pass(SECOND);
    assert_eq!(pair.server.unacknowledged(), 0);
    assert!(pair.updates().is_empty());
}

#[test]
fn an_answer_on_its_way_can_be_dropped() {
    let mut pair = Pair::new();
    let id = pair.submit("a");
    for packet in pair.client_packets() {
        pair.deliver_to_server(packet);
    }
    let lost = pair.server_packets();
    assert!(!lost.is_empty());
    pair.client.cancel(id, pair.now);
    pair.talk();
    pair.pass(SECOND);
    // rpc_answer_dropped: the server keeps it no longer. What is left is new_session_created, which was lost too.
    assert!(pair.server.unacknowledged() <= 1);
}

#[test]
fn a_deadline_says_whether_the_request_was_sent() {
    let mut pair = Pair::new();
    pair.answering = false;
    let options = |pair: &Pair| {
        let mut options = SubmitOptions::default();
        options.deadline = Some(pair.now + 5 * SECOND);
        options
    };
    let sent = pair.submit_with("sent", options(&pair));
    pair.talk();
    let unsent = pair.submit_with("unsent", options(&pair));
    assert_eq!(
        pair.client.poll_timeout(),
        Some(pair.now + 500 * SECOND / 1000).min(pair.client.poll_timeout())
    );
    pair.now += 6 * SECOND;
    pair.client.handle_timeout(pair.now);
    pair.talk();
    for (id, sent) in [(sent, true), (unsent, false)] {
        let reason = RequestFailure::Deadline { sent };
        assert_eq!(pair.outcome(id), Some(ClientEvent::Failed { id, reason }));
    }
    let past = pair.submit_with("past", options(&pair));
    assert_eq!(pair.outcome(past), None);
    let mut late = SubmitOptions::default();
    late.deadline = Some(pair.now);
    let late = pair.submit_with("late", late);
    pair.talk();
    let reason = RequestFailure::Deadline { sent: false };
    assert_eq!(
        pair.outcome(late),
        Some(ClientEvent::Failed { id: late, reason })
    );
}

#[test]
fn a_closed_session_fails_everything_once() {
    let mut pair = Pair::new();
    pair.answering = false;
    let ids = [pair.submit("a"), pair.submit("b")];
    pair.talk();
    pair.client.close();
    pair.client.close();
    let late = pair.submit("c");
    pair.talk();
    for id in [ids[0], ids[1], late] {
        let reason = RequestFailure::Terminated(Terminal::Closed);
        assert_eq!(pair.outcome(id), Some(ClientEvent::Failed { id, reason }));
    }
    let terminal = pair
        .events
        .iter()
        .filter(|e| matches!(e, ClientEvent::Terminal(_)))
        .count();
    assert_eq!(terminal, 1);
    assert!(pair.client_packets().is_empty());
    assert_eq!(pair.client.poll_timeout(), None);
}

#[test]
fn a_call_after_another_names_it() {
    let mut pair = Pair::new();
    pair.answering = false;
    let first = pair.submit("first");
    let mut options = SubmitOptions::default();
    options.after = vec![first];
    pair.submit_with("second", options.clone());
    pair.talk();
    let (first_id, _) = pair.calls[0];
    let mut expected = 0xcb9f_372d_u32.to_le_bytes().to_vec();
    expected.extend_from_slice(&first_id.to_le_bytes());
    expected.extend_from_slice(&call("second"));
    assert_eq!(pair.calls[1].1, expected);
    // What is done needs not be waited for.
    pair.server.respond(first_id, result_of(&call("first")));
    pair.talk();
    pair.submit_with("third", options);
    pair.talk();
    assert_eq!(pair.calls[2].1, call("third"));
}

#[test]
fn another_session_can_be_destroyed() {
    let mut pair = Pair::new();
    pair.client.destroy_session(77);
    pair.talk();
    assert!(
        pair.server_events
            .contains(&ServerSessionEvent::DestroySession { session_id: 77 })
    );
    pair.server.respond_destroy_session(77, true);
    pair.talk();
    let event = ClientEvent::SessionDestroyed {
        session_id: 77,
        existed: true,
    };
    assert!(pair.events.contains(&event));
}

#[test]
fn containers_in_any_shape_are_taken() {
    let mut pair = Pair::new();
    pair.submit("a");
    pair.talk();
    let id = pair.server_id(0);
    // Empty, of one, of several with gzip among them.
    pair.deliver_to_client(pair.forged(id, 100, &container(&[])))
        .unwrap();
    let one = container(&[(id + 4, 101, call("one"))]);
    pair.deliver_to_client(pair.forged(id + 8, 102, &one))
        .unwrap();
    let mut gzip = 0x3072_cfa1_u32.to_le_bytes().to_vec();
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, &call("two")).unwrap();
    encoder.finish().unwrap().serialize(&mut gzip);
    let several = container(&[(id + 12, 103, gzip), (id + 16, 105, call("three"))]);
    pair.deliver_to_client(pair.forged(id + 20, 106, &several))
        .unwrap();
    assert_eq!(pair.updates(), [call("one"), call("two"), call("three")]);
}

/// Two clients with the same numbers drawn, and requests too large to go in one packet.
fn twins() -> [Pair; 2] {
    [(); 2].map(|()| {
        let mut pair = Pair::with(
            |params| params.config.gzip_threshold = None,
            |config| config.gzip_threshold = None,
        );
        pair.submit("first");
        pair.talk();
        for n in 0..6 {
            let text = n.to_string().repeat(700_000 + n * 40_000);
            pair.submit(&text);
        }
        pair
    })
}

#[test]
fn packets_made_all_at_a_time_are_those_made_one_by_one() {
    let [mut alone, mut together] = twins();
    let one_by_one = alone.client_packets();
    let (mut out, mut ends) = (b"what is left from the last time".to_vec(), vec![7]);
    together
        .client
        .poll_transmit_many(together.now, 3_000_000, &mut out, &mut ends);
    assert_eq!(ends.len(), 4, "none is begun once there is enough");
    let mut begun = 0;
    for (end, packet) in ends.iter().zip(&one_by_one) {
        assert!(out[begun..*end] == *packet);
        begun = *end;
    }
    assert_eq!(begun, out.len());
    together
        .client
        .poll_transmit_many(together.now, 3_000_000, &mut out, &mut ends);
    assert!(out == one_by_one[4..].concat() && ends.len() == 2);
    together
        .client
        .poll_transmit_many(together.now, 3_000_000, &mut out, &mut ends);
    assert!(out.is_empty() && ends.is_empty());
}

#[test]
fn a_servers_packets_made_all_at_a_time_are_those_made_one_by_one() {
    let [mut alone, mut together] = twins();
    for pair in [&mut alone, &mut together] {
        for packet in pair.client_packets() {
            pair.deliver_to_server(packet);
        }
    }
    let one_by_one = alone.server_packets();
    let (now, unix) = (together.now, together.unix());
    let (mut out, mut ends) = (vec![1], vec![1]);
    let mut all = Vec::new();
    for count in [4, 2, 0] {
        let server = &mut together.server;
        server.poll_transmit_many(now, unix, 3_000_000, &mut out, &mut ends);
        assert_eq!(ends.len(), count);
        assert_eq!(ends.last().copied().unwrap_or(0), out.len());
        all.extend_from_slice(&out);
    }
    assert!(one_by_one.concat() == all);
}

#[test]
fn packets_taken_all_at_a_time_come_to_what_they_do_one_by_one() {
    let [mut alone, mut together] = twins();
    let mut packets = Vec::new();
    for pair in [&mut alone, &mut together] {
        for packet in pair.client_packets() {
            pair.deliver_to_server(packet);
        }
        packets.push(pair.server_packets());
    }
    let mut at_once = packets.pop().unwrap();
    assert!(at_once == packets[0] && at_once.len() == 6);
    // One that another session was meant for is dropped, one that nobody with the key made ends it.
    let stranger = together.forged(together.server_id(0), 1, &[0; 4]);
    let mut other = Pair::new();
    other.client = ClientSession::new(
        SessionParams::new(util::pair::key()),
        TestRng::boxed(77),
        other.now,
        UNIX,
    );
    at_once.insert(2, other.forged(other.server_id(0), 1, &[0; 4]));
    let mut forged = stranger;
    forged[30] ^= 1;
    at_once.insert(5, forged);
    let mut at_once = shared(at_once);
    let mut results = Vec::new();
    let client = &mut together.client;
    client.handle_packets(&mut at_once, &mut results, together.now);
    assert!(at_once.is_empty());
    let verdicts: Vec<_> = results.iter().map(Result::is_ok).collect();
    assert_eq!(verdicts, [true, true, false, true, true, false]);
    assert!(results[5].as_ref().is_err_and(Violation::is_fatal));

    for packet in packets.remove(0).drain(..4) {
        alone.deliver_to_client(packet).unwrap();
    }
    while let Some(event) = together.client.poll_event() {
        together.events.push(event);
    }
    assert!(alone.events == together.events && alone.events.len() >= 5);
}

/// Where in the packets an answer's bytes lie, if they are not a copy.
fn lie_in(
    packets: &[(usize, usize)],
    pair: &Pair,
    id: layer_mtproto::session::RequestId,
) -> Option<usize> {
    let Some(ClientEvent::Response { body, .. }) = pair.outcome(id) else {
        panic!("it was not answered")
    };
    let at = body.as_ptr().addr();
    packets
        .iter()
        .position(|(start, length)| (*start..start + length).contains(&at))
}

#[test]
fn an_answer_that_is_most_of_its_packet_is_not_copied_and_a_small_one_holds_on_to_nothing() {
    let mut pair = Pair::with(|_| {}, |server| server.gzip_threshold = None);
    let (large, small) = ("a part of a file".repeat(10_000), ["one", "two", "three"]);
    for texts in [&[large.as_str()][..], &small] {
        let ids: Vec<_> = texts.iter().map(|text| pair.submit(text)).collect();
        for packet in pair.client_packets() {
            pair.deliver_to_server(packet);
        }
        let mut packets = shared(pair.server_packets());
        let where_they_lie: Vec<_> = packets
            .iter()
            .map(|packet| (packet.as_ptr().addr(), packet.len()))
            .collect();
        let mut results = Vec::new();
        pair.client
            .handle_packets(&mut packets, &mut results, pair.now);
        assert!(results.iter().all(Result::is_ok));
        while let Some(event) = pair.client.poll_event() {
            pair.events.push(event);
        }
        for (id, text) in ids.iter().zip(texts) {
            pair.assert_answered(*id, text);
            let shared = lie_in(&where_they_lie, &pair, *id).is_some();
            assert_eq!(shared, text.len() > 1000, "{}", text.len());
        }
    }
}
