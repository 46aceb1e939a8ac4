//! Sessions in bad days: wrong clocks, wrong salts, refusals of every kind, lost connections.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod util;

use std::time::Duration;

use layer_mtproto::session::{ClientEvent, RequestFailure, SubmitOptions, Terminal};
use layer_tl_types::types;
use util::pair::{Pair, boxed, call, id_of, messages, result_of};

const SECOND: Duration = Duration::from_secs(1);
const EVERY_CODE: [i32; 11] = [16, 17, 18, 19, 20, 32, 33, 34, 35, 48, 64];

fn forbidden() -> SubmitOptions {
    let mut options = SubmitOptions::default();
    options.resend_on_reconnect = false;
    options
}

fn careful() -> SubmitOptions {
    let mut options = SubmitOptions::default();
    options.ask_before_resend = true;
    options
}

// ---- clocks ----

#[test]
fn bad_msg_16_and_17_set_a_wrong_clock_right() {
    for skew in [1_000, -1_000, 100_000_000, -100_000_000] {
        for count in [1, 5] {
            let mut pair = Pair::new();
            pair.skew = skew;
            let ids: Vec<_> = (0..count).map(|i| pair.submit(&format!("{i}"))).collect();
            pair.talk();
            pair.pass(20 * SECOND);
            for (i, id) in ids.into_iter().enumerate() {
                pair.assert_answered(id, &format!("{i}"));
            }
            assert_eq!(
                pair.calls.len(),
                count,
                "skew {skew}: nothing is done twice"
            );
            let offset = pair.client.time_offset_secs();
            assert!((offset - skew).abs() <= 1, "offset {offset}, skew {skew}");
            let synced = |e: &ClientEvent| matches!(e, ClientEvent::TimeSynced { .. });
            assert!(pair.events.iter().any(synced));
        }
    }
}

#[test]
fn a_sleep_of_the_computer_is_noticed_and_mended() {
    // The monotonic clock stood still while the server's went on.
    for jump in [40, 400, 100_000] {
        let mut pair = Pair::new();
        let before = pair.submit("before");
        pair.talk();
        pair.assert_answered(before, "before");
        pair.skew = jump;
        let after = pair.submit("after");
        pair.talk();
        pair.pass(20 * SECOND);
        pair.assert_answered(after, "after");
        assert_eq!(pair.calls.len(), 2);
    }
}

#[test]
fn a_clock_set_back_never_reuses_an_accepted_msg_id() {
    let mut pair = Pair::new();
    // 25 seconds ahead: still accepted.
    pair.skew = -25;
    pair.submit("a");
    for packet in pair.client_packets() {
        pair.deliver_to_server(packet);
    }
    let accepted = pair.opened.last().unwrap().0.clone();
    // Now the server's clock goes back a little more, so that we are too far ahead.
    pair.skew = -40;
    pair.submit("b");
    pair.talk();
    pair.pass(20 * SECOND);
    assert_eq!(pair.calls.len(), 2);
    let last = &pair.opened.last().unwrap().0;
    assert!(last.session_id != accepted.session_id || last.msg_id > accepted.msg_id);
}

#[test]
fn a_server_whose_clock_is_set_back_far_is_understood_though_its_ids_grow_on() {
    // The notices keep names ahead of the server's clock, and so do not tell the time: another session does.
    for back in [60, 7_200, 100_000_000] {
        for count in [1, 5] {
            let mut pair = Pair::new();
            pair.skew = back;
            let before = pair.submit("before");
            pair.talk();
            pair.pass(20 * SECOND);
            pair.assert_answered(before, "before");
            pair.skew = 0;
            let ids: Vec<_> = (0..count).map(|i| pair.submit(&format!("{i}"))).collect();
            pair.talk();
            pair.pass(20 * SECOND);
            for (i, id) in ids.into_iter().enumerate() {
                pair.assert_answered(id, &format!("{i}"));
            }
            assert_eq!(pair.calls.len(), count + 1, "nothing is done twice");
            assert!(pair.client.time_offset_secs().abs() <= 1, "{back}");
        }
    }
}

// ---- salts ----

#[test]
fn bad_server_salt_alone_and_for_a_container_is_mended_without_doing_anything_twice() {
    for count in [1, 7] {
        let mut pair = Pair::new();
        pair.submit("before");
        pair.talk();
        pair.salts.rotate();
        let ids: Vec<_> = (0..count).map(|i| pair.submit(&format!("{i}"))).collect();
        pair.talk();
        pair.pass(SECOND);
        for (i, id) in ids.into_iter().enumerate() {
            pair.assert_answered(id, &format!("{i}"));
        }
        assert_eq!(pair.calls.len(), count + 1);
        assert!(pair.events.contains(&ClientEvent::SaltsChanged));
        let salt = pair.salts.current(pair.unix());
        assert!(pair.client.salts().iter().any(|known| known.salt == salt));
    }
}

#[test]
fn acks_that_a_wrong_salt_took_down_are_sent_again() {
    let mut pair = Pair::new();
    pair.submit("a");
    pair.talk();
    pair.server.push(call("update"));
    pair.talk();
    pair.salts.rotate();
    pair.pass(5 * SECOND);
    assert_eq!(pair.server.unacknowledged(), 0);
}

#[test]
fn a_notice_about_a_message_that_we_did_not_send_changes_nothing() {
    let mut pair = Pair::new();
    pair.submit("a");
    pair.talk();
    let before = (pair.client.salts().to_vec(), pair.client.time_offset_secs());
    let notice = types::BadServerSalt {
        bad_msg_id: 4_000,
        bad_msg_seqno: 1,
        error_code: 48,
        new_server_salt: 666,
    };
    pair.server.send_bare(boxed(&notice), false);
    for code in EVERY_CODE {
        pair.server.reject(4_000, 1, code);
    }
    pair.talk();
    let after = (pair.client.salts().to_vec(), pair.client.time_offset_secs());
    assert_eq!(before, after);
    assert!(pair.client_packets().is_empty());
}

// ---- refusals ----

#[test]
fn every_refusal_alone_or_of_a_container_is_survived_with_one_outcome() {
    for code in EVERY_CODE {
        for count in [1, 6] {
            let mut pair = Pair::new();
            let first = pair.submit("first");
            pair.talk();
            pair.pass(SECOND);
            pair.assert_answered(first, "first");
            let session = pair.client.session_id();
            let ids: Vec<_> = (0..count).map(|i| pair.submit(&format!("{i}"))).collect();
            assert_eq!(pair.refuse_all(code), 1);
            let renewed = pair.client.session_id() != session;
            assert_eq!(
                renewed,
                [18, 19, 33, 34, 35, 64].contains(&code),
                "code {code}"
            );
            pair.talk();
            pair.pass(5 * SECOND);
            for (i, id) in ids.into_iter().enumerate() {
                pair.assert_answered(id, &format!("{i}"));
            }
            assert_eq!(pair.calls.len(), count + 1, "code {code}");
        }
    }
}

#[test]
fn a_refusal_of_one_message_in_a_container_sends_only_that_one_again() {
    for code in [16, 17, 20, 32] {
        let mut pair = Pair::new();
        pair.answering = false;
        let ids = [pair.submit("a"), pair.submit("b"), pair.submit("c")];
        pair.talk();
        let (msg_id, _) = pair.calls[1];
        pair.server.reject(msg_id, 3, code);
        for packet in pair.server_packets() {
            pair.deliver_to_client(packet).unwrap();
        }
        let sent = pair.intercept();
        let calls: Vec<_> = sent
            .iter()
            .flat_map(|(o, p)| messages(o, p))
            .filter(|(_, _, body)| id_of(body) == 0x7e57_ca11)
            .collect();
        assert_eq!(calls.len(), 1, "code {code}");
        assert_eq!(calls[0].2, call("b"));
        // With a right clock, 16 can be about a copy that came late: the old name tells.
        assert_eq!(calls[0].0 == msg_id, code == 16);
        assert_eq!(pair.client.pending(), ids.len());
    }
}

#[test]
fn a_new_session_leaves_forbidden_requests_alone_and_sends_the_others_again() {
    let mut pair = Pair::new();
    pair.answering = false;
    let waiting = pair.submit("waiting");
    let once = pair.submit_with("once", forbidden());
    pair.talk();
    let refused = pair.submit_with("refused", forbidden());
    pair.answering = true;
    pair.refuse_all(64);
    pair.talk();
    pair.pass(SECOND);
    pair.assert_answered(waiting, "waiting");
    // It was refused, so it was not done, and may go again.
    pair.assert_answered(refused, "refused");
    let reason = RequestFailure::ConnectionLost;
    assert_eq!(
        pair.outcome(once),
        Some(ClientEvent::Failed { id: once, reason })
    );
}

/// Whatever is refused for ever ends, and does not make us send at full speed.
#[test]
fn every_refusal_repeated_for_ever_has_a_bound_and_backs_off() {
    for code in EVERY_CODE {
        for count in [1, 4] {
            let mut pair = Pair::new();
            pair.submit("works");
            pair.talk();
            let ids: Vec<_> = (0..count).map(|i| pair.submit(&format!("{i}"))).collect();
            let begin = pair.now;
            let mut packets = 0;
            while pair.client.pending() > 0 {
                packets += pair.refuse_all(code);
                assert!(packets < 60, "code {code}: {packets} packets");
                let next = pair.client.poll_timeout().expect("it does not just stop");
                pair.now = pair.now.max(next);
                pair.client.handle_timeout(pair.now);
                assert!(
                    pair.now < begin + 600 * SECOND,
                    "code {code}: it takes too long"
                );
            }
            while let Some(event) = pair.client.poll_event() {
                pair.events.push(event);
            }
            assert!(pair.now > begin + 2 * SECOND, "code {code}: at full speed");
            for id in ids {
                let outcome = pair.outcome(id);
                let rejected = matches!(
                    &outcome,
                    Some(ClientEvent::Failed {
                        reason: RequestFailure::Rejected { .. }
                            | RequestFailure::Terminated(Terminal::Rejected { .. }),
                        ..
                    })
                );
                assert!(rejected, "code {code}: {outcome:?}");
            }
        }
    }
}

#[test]
fn refusals_without_requests_end_the_session() {
    for code in EVERY_CODE {
        let mut pair = Pair::new();
        pair.submit("works");
        pair.talk();
        let mut packets = 0;
        let over = |pair: &Pair| {
            pair.events
                .iter()
                .any(|event| matches!(event, ClientEvent::Terminal(_)))
        };
        while !over(&pair) {
            packets += pair.refuse_all(code);
            assert!(packets < 100, "code {code}");
            let Some(next) = pair.client.poll_timeout() else {
                break;
            };
            pair.now = pair.now.max(next);
            pair.client.handle_timeout(pair.now);
        }
        assert!(over(&pair));
        let late = pair.submit("late");
        pair.talk();
        assert!(matches!(
            pair.outcome(late),
            Some(ClientEvent::Failed {
                reason: RequestFailure::Terminated(_),
                ..
            })
        ));
    }
}

#[test]
fn an_unknown_refusal_is_bounded_too() {
    let mut pair = Pair::new();
    let id = pair.submit("a");
    for _ in 0..100 {
        pair.refuse_all(77);
        pair.now += 11 * SECOND;
        pair.client.handle_timeout(pair.now);
    }
    assert!(matches!(pair.outcome(id), Some(ClientEvent::Failed { .. })));
}

// ---- new sessions of the server ----

#[test]
fn what_went_before_first_msg_id_is_sent_again_and_what_came_after_is_not() {
    let mut pair = Pair::new();
    pair.answering = false;
    pair.submit("start");
    pair.talk();
    pair.pass(SECOND);
    let old = pair.submit("old");
    pair.talk();
    pair.now += SECOND;
    let young = pair.submit("young");
    pair.talk();
    assert_eq!(pair.calls.len(), 3);
    let first_msg_id = pair.calls[2].0;
    let new = types::NewSessionCreated {
        first_msg_id,
        unique_id: 7,
        server_salt: 0,
    };
    let salt = pair.salts.current(pair.unix());
    pair.server.send_bare(
        boxed(&types::NewSessionCreated {
            server_salt: salt,
            ..new
        }),
        true,
    );
    for packet in pair.server_packets() {
        pair.deliver_to_client(packet).unwrap();
    }
    let packets = pair.intercept();
    let again: Vec<_> = packets
        .iter()
        .flat_map(|(o, p)| messages(o, p))
        .filter(|(_, _, body)| id_of(body) == 0x7e57_ca11)
        .map(|(msg_id, _, body)| (msg_id, body))
        .collect();
    // Under the old names, so that nothing is done twice if the server knows them after all.
    assert_eq!(again, pair.calls[..2]);
    for (msg_id, body) in pair.calls.clone() {
        pair.server.respond(msg_id, result_of(&body));
    }
    pair.talk();
    pair.assert_answered(old, "old");
    pair.assert_answered(young, "young");
}

#[test]
fn a_container_that_opened_the_session_is_not_sent_again() {
    // first_msg_id names the container or its first message: both mean that all of it was received.
    for name_container in [true, false] {
        let mut pair = Pair::new();
        pair.submit("a");
        pair.submit("b");
        let packets = pair.intercept();
        let (opened, packet) = &packets[0];
        let inner = messages(opened, packet);
        let first_msg_id = if name_container {
            opened.msg_id
        } else {
            inner[0].0
        };
        let salt = pair.salts.current(pair.unix());
        let new = types::NewSessionCreated {
            first_msg_id,
            unique_id: 7,
            server_salt: salt,
        };
        let packet = pair.forged(pair.server_id(0), 1, &boxed(&new));
        pair.deliver_to_client(packet).unwrap();
        let sent = pair.intercept();
        let again = sent.iter().flat_map(|(o, p)| messages(o, p));
        assert!(
            again
                .into_iter()
                .all(|(_, _, body)| id_of(&body) != 0x7e57_ca11)
        );
    }
}

#[test]
fn new_sessions_for_ever_are_bounded() {
    let mut pair = Pair::new();
    pair.answering = false;
    let id = pair.submit("a");
    let begin = pair.now;
    let mut sent = 0;
    for unique_id in 0..1000 {
        let packets = pair.intercept();
        let inner = packets.iter().flat_map(|(o, p)| messages(o, p));
        sent += inner
            .filter(|(_, _, body)| id_of(body) == 0x7e57_ca11)
            .count();
        let salt = pair.salts.current(pair.unix());
        let new = types::NewSessionCreated {
            first_msg_id: i64::MAX,
            unique_id,
            server_salt: salt,
        };
        pair.server.send_bare(boxed(&new), true);
        for packet in pair.server_packets() {
            pair.deliver_to_client(packet).unwrap();
        }
        if pair.client.pending() == 0 {
            break;
        }
        if let Some(next) = pair.client.poll_timeout() {
            pair.now = pair.now.max(next);
            pair.client.handle_timeout(pair.now);
        }
    }
    assert!(pair.now > begin + 5 * SECOND, "at full speed");
    assert!(sent < 20, "sent {sent} times");
    let reason = RequestFailure::ConnectionLost;
    assert_eq!(pair.outcome(id), Some(ClientEvent::Failed { id, reason }));
}

// ---- lost connections ----

#[test]
fn a_lost_connection_sends_unanswered_requests_again_and_the_server_does_them_once() {
    let mut pair = Pair::new();
    pair.answering = false;
    let ids: Vec<_> = (0..5).map(|i| pair.submit(&format!("{i}"))).collect();
    pair.talk();
    pair.client.connection_lost(pair.now);
    pair.server.connected();
    pair.now += 10 * SECOND;
    let before: Vec<_> = pair.calls.iter().map(|(id, _)| *id).collect();
    let packets = pair.intercept();
    let again: Vec<_> = packets
        .iter()
        .flat_map(|(opened, packet)| messages(opened, packet))
        .filter(|(_, _, body)| id_of(body) == 0x7e57_ca11)
        .map(|(msg_id, ..)| msg_id)
        .collect();
    assert_eq!(again, before, "under the same names");
    for (opened, packet) in packets {
        assert!(
            !again.contains(&opened.msg_id),
            "in a container, even if alone"
        );
        let unix = pair.unix();
        pair.server
            .handle_opened(&opened, &packet.into(), pair.now, unix)
            .unwrap();
    }
    pair.talk();
    assert_eq!(pair.calls.len(), 5, "done once");
    for (msg_id, body) in pair.calls.clone() {
        pair.server.respond(msg_id, result_of(&body));
    }
    pair.talk();
    for (i, id) in ids.into_iter().enumerate() {
        pair.assert_answered(id, &format!("{i}"));
    }
}

#[test]
fn answers_lost_with_the_connection_come_again() {
    for wait in [0, 1, 1_000] {
        let mut pair = Pair::new();
        let ids = [pair.submit("a"), pair.submit("b")];
        for packet in pair.client_packets() {
            pair.deliver_to_server(packet);
        }
        assert!(
            !pair.server_packets().is_empty(),
            "they are on their way, and lost"
        );
        pair.client.connection_lost(pair.now);
        pair.now += wait * SECOND;
        pair.server.connected();
        pair.talk();
        pair.assert_answered(ids[0], "a");
        pair.assert_answered(ids[1], "b");
        assert_eq!(pair.calls.len(), 2, "after {wait} s");
    }
}

#[test]
fn a_request_that_must_not_go_again_fails_when_the_connection_is_lost() {
    let mut pair = Pair::new();
    pair.answering = false;
    let sent = pair.submit_with("sent", forbidden());
    pair.talk();
    let unsent = pair.submit_with("unsent", forbidden());
    pair.client.connection_lost(pair.now);
    pair.answering = true;
    pair.talk();
    let reason = RequestFailure::ConnectionLost;
    assert_eq!(
        pair.outcome(sent),
        Some(ClientEvent::Failed { id: sent, reason })
    );
    pair.assert_answered(unsent, "unsent");
}

#[test]
fn a_request_that_is_asked_about_first_goes_again_only_if_it_never_came() {
    // Which is known, and done once, whether it came before the connection was lost or not.
    for arrives in [false, true] {
        let mut pair = Pair::new();
        pair.submit("first");
        pair.talk();
        pair.pass(SECOND);
        pair.answering = false;
        let id = pair.submit_with("a", careful());
        for packet in pair.client_packets() {
            if arrives {
                pair.deliver_to_server(packet);
            }
        }
        pair.client.connection_lost(pair.now);
        pair.server.connected();
        pair.now += SECOND;
        let question = pair.intercept();
        let asked: Vec<_> = question
            .iter()
            .flat_map(|(opened, packet)| messages(opened, packet))
            .map(|(.., body)| id_of(&body))
            .collect();
        assert!(asked.contains(&0xda69_fb52), "msgs_state_req: {asked:x?}");
        assert!(!asked.contains(&0x7e57_ca11), "it is not sent yet");
        // The question may get lost too, with its connection or without.
        pair.client.connection_lost(pair.now);
        pair.server.connected();
        assert!(!pair.intercept().is_empty());
        pair.answering = true;
        pair.pass(30 * SECOND);
        if arrives {
            let (msg_id, body) = pair.calls[1].clone();
            pair.server.respond(msg_id, result_of(&body));
            pair.talk();
        }
        pair.assert_answered(id, "a");
        assert_eq!(pair.calls.len(), 2, "{arrives}");
    }
}

#[test]
fn an_answer_that_the_connection_took_along_comes_without_the_request() {
    let mut pair = Pair::new();
    let id = pair.submit_with("a", careful());
    for packet in pair.client_packets() {
        pair.deliver_to_server(packet);
    }
    assert!(!pair.server_packets().is_empty(), "the answer is lost");
    pair.client.connection_lost(pair.now);
    pair.now += SECOND;
    pair.server.connected();
    pair.talk();
    pair.assert_answered(id, "a");
    assert_eq!(pair.calls.len(), 1);
}

#[test]
fn a_request_that_is_asked_about_first_fails_if_the_server_lost_its_sessions() {
    let mut pair = Pair::new();
    pair.answering = false;
    let id = pair.submit_with("a", careful());
    pair.talk();
    assert_eq!(pair.calls.len(), 1);
    let fresh = Pair::new();
    pair.server = layer_mtproto::session::ServerSession::new(
        util::pair::key(),
        pair.client.session_id(),
        fresh.salts,
        util::TestRng::boxed(9),
        layer_mtproto::session::ServerSessionConfig::default(),
    );
    pair.client.connection_lost(pair.now);
    pair.answering = true;
    pair.talk();
    let reason = RequestFailure::ConnectionLost;
    assert_eq!(pair.outcome(id), Some(ClientEvent::Failed { id, reason }));
    assert_eq!(pair.calls.len(), 1);
}

#[test]
fn a_server_that_lost_its_sessions_gets_everything_again() {
    let mut pair = Pair::new();
    pair.answering = false;
    let ids = [pair.submit("a"), pair.submit("b")];
    pair.talk();
    pair.pass(SECOND);
    let fresh = Pair::new();
    let session = pair.client.session_id();
    pair.server = layer_mtproto::session::ServerSession::new(
        util::pair::key(),
        session,
        fresh.salts,
        util::TestRng::boxed(9),
        layer_mtproto::session::ServerSessionConfig::default(),
    );
    pair.client.connection_lost(pair.now);
    pair.answering = true;
    pair.talk();
    pair.assert_answered(ids[0], "a");
    pair.assert_answered(ids[1], "b");
    let new = |e: &&ClientEvent| matches!(e, ClientEvent::NewSession { .. });
    assert_eq!(
        pair.events.iter().filter(new).count(),
        2,
        "updates need a difference"
    );
}

#[test]
fn cuts_for_ever_are_bounded() {
    let mut pair = Pair::new();
    pair.answering = false;
    let id = pair.submit("a");
    let mut sent = 0;
    while pair.client.pending() > 0 {
        sent += pair.intercept().len();
        pair.client.connection_lost(pair.now);
        assert!(sent < 100);
    }
    pair.talk();
    let reason = RequestFailure::ConnectionLost;
    assert_eq!(pair.outcome(id), Some(ClientEvent::Failed { id, reason }));
}

#[test]
fn a_cancelled_request_does_not_come_back_with_the_connection() {
    let mut pair = Pair::new();
    pair.answering = false;
    let id = pair.submit("a");
    pair.talk();
    pair.client.cancel(id, pair.now);
    pair.client.connection_lost(pair.now);
    pair.server.connected();
    pair.talk();
    assert_eq!(pair.calls.len(), 1);
    // But the server is told, also on the next connection.
    let cancelled = |e: &layer_mtproto::session::ServerSessionEvent| {
        matches!(
            e,
            layer_mtproto::session::ServerSessionEvent::Cancelled { .. }
        )
    };
    assert!(pair.server_events.iter().any(cancelled));
}

// ---- messages about messages ----

#[test]
fn a_request_that_got_lost_is_asked_about_and_sent_again() {
    let mut pair = Pair::new();
    pair.submit("start");
    pair.talk();
    pair.pass(SECOND);
    let id = pair.submit("lost");
    assert_eq!(pair.client_packets().len(), 1, "and the network loses it");
    // Something younger arrives, so that the server can say what it has not.
    let young = pair.submit("young");
    pair.talk();
    pair.assert_answered(young, "young");
    pair.pass(45 * SECOND);
    pair.assert_answered(id, "lost");
    assert_eq!(pair.calls.len(), 3);
}

#[test]
fn a_slow_answer_is_waited_for_and_not_asked_for_twice() {
    let mut pair = Pair::new();
    pair.answering = false;
    let id = pair.submit("slow");
    pair.talk();
    pair.pass(300 * SECOND);
    assert_eq!(pair.calls.len(), 1);
    assert!(pair.opened.len() < 40, "{} packets", pair.opened.len());
    let (msg_id, body) = pair.calls[0].clone();
    pair.server.respond(msg_id, result_of(&body));
    pair.talk();
    pair.assert_answered(id, "slow");
}

#[test]
fn msgs_all_info_tells_what_is_missing() {
    let mut pair = Pair::new();
    pair.answering = false;
    pair.submit("a");
    pair.submit("b");
    pair.talk();
    let missing = pair.calls[1].0;
    let msg_ids = vec![pair.calls[0].0, missing, 12];
    let info = types::MsgsAllInfo {
        msg_ids,
        info: vec![4, 2, 1],
    };
    pair.server.send_bare(boxed(&info), false);
    for packet in pair.server_packets() {
        pair.deliver_to_client(packet).unwrap();
    }
    let sent = pair.intercept();
    let calls: Vec<_> = sent
        .iter()
        .flat_map(|(o, p)| messages(o, p))
        .filter(|(_, _, body)| id_of(body) == 0x7e57_ca11)
        .collect();
    // Under its old name: it may only be late.
    assert_eq!(calls.len(), 1);
    assert_eq!((calls[0].0, &calls[0].2), (missing, &call("b")));
}

#[test]
fn msgs_state_req_of_the_server_is_answered() {
    let mut pair = Pair::new();
    pair.submit("a");
    pair.talk();
    pair.pass(SECOND);
    let known = pair.server_id(0);
    let packet = pair.forged(known, 10, &call("update"));
    pair.deliver_to_client(packet).unwrap();
    let asks = types::MsgsStateReq {
        msg_ids: vec![1, known, known + 400],
    };
    let packet = pair.forged(known + 8, 10, &boxed(&asks));
    pair.deliver_to_client(packet).unwrap();
    let sent = pair.intercept();
    let infos: Vec<types::MsgsStateInfo> = sent
        .iter()
        .flat_map(|(o, p)| messages(o, p))
        .filter(|(_, _, body)| id_of(body) == 0x04de_b57d)
        .map(|(_, _, body)| layer_tl_types::Deserializable::from_bytes(&body[4..]).unwrap())
        .collect();
    assert_eq!(infos.len(), 1);
    assert_eq!(
        (infos[0].req_msg_id, infos[0].info.as_slice()),
        (known + 8, &[1, 4, 3][..])
    );
}

#[test]
fn msg_detailed_info_is_acknowledged_or_asked_for() {
    let mut pair = Pair::new();
    let id = pair.submit("a");
    for packet in pair.client_packets() {
        pair.deliver_to_server(packet);
    }
    // The answer gets lost; the server tells of it instead of sending it again.
    let lost = pair.server_packets();
    let mut packet = lost[0].clone();
    let plain = layer_crypto::message::open(
        &util::pair::key(),
        layer_crypto::message::Sender::Server,
        &mut packet,
    )
    .unwrap();
    // new_session_created and rpc_result, in a container.
    let length = usize::try_from(i32::from_le_bytes(plain[28..32].try_into().unwrap())).unwrap();
    let body = &plain[32..32 + length];
    let mut at = 8;
    let mut answer = 0;
    while at < body.len() {
        let msg_id = i64::from_le_bytes(body[at..at + 8].try_into().unwrap());
        let size = usize::try_from(i32::from_le_bytes(
            body[at + 12..at + 16].try_into().unwrap(),
        ))
        .unwrap();
        if id_of(&body[at + 16..]) == 0xf35c_6d01 {
            answer = msg_id;
        }
        at += 16 + size;
    }
    assert_ne!(answer, 0);
    let info = types::MsgDetailedInfo {
        msg_id: pair.calls[0].0,
        answer_msg_id: answer,
        bytes: 100,
        status: 0,
    };
    pair.server.send_bare(boxed(&info), false);
    pair.talk();
    pair.assert_answered(id, "a");
    pair.pass(SECOND);
    // Told of it once more, the client says that it has it, and does not ask.
    let sent_before = pair.opened.len();
    let info = types::MsgNewDetailedInfo {
        answer_msg_id: answer,
        bytes: 100,
        status: 0,
    };
    pair.server.send_bare(boxed(&info), false);
    pair.talk();
    pair.pass(SECOND);
    let sent: Vec<_> = pair.opened[sent_before..]
        .iter()
        .flat_map(|(o, p)| messages(o, p))
        .collect();
    assert!(
        sent.iter().any(|(_, _, body)| id_of(body) == 0x62d6_b459),
        "acknowledged"
    );
    assert!(
        sent.iter().all(|(_, _, body)| id_of(body) != 0x7d86_1a08),
        "not asked for"
    );
}

#[test]
fn msg_resend_req_of_the_server_is_obeyed_in_a_container() {
    let mut pair = Pair::new();
    pair.answering = false;
    pair.submit("a");
    pair.talk();
    pair.pass(SECOND);
    let (msg_id, _) = pair.calls[0];
    pair.server.send_bare(
        boxed(&types::MsgResendReq {
            msg_ids: vec![msg_id],
        }),
        false,
    );
    for packet in pair.server_packets() {
        pair.deliver_to_client(packet).unwrap();
    }
    let sent = pair.intercept();
    let (opened, packet) = &sent[0];
    assert_ne!(opened.msg_id, msg_id);
    assert!(
        messages(opened, packet)
            .iter()
            .any(|(id, _, body)| *id == msg_id && *body == call("a"))
    );
    // What is not known is answered with what is known.
    pair.server.send_bare(
        boxed(&types::MsgResendReq {
            msg_ids: vec![msg_id, 8],
        }),
        false,
    );
    for packet in pair.server_packets() {
        pair.deliver_to_client(packet).unwrap();
    }
    let sent = pair.intercept();
    let any = sent
        .iter()
        .flat_map(|(o, p)| messages(o, p))
        .any(|(_, _, b)| id_of(&b) == 0x04de_b57d);
    assert!(any, "msgs_state_info");
}

#[test]
fn msg_resend_req_that_names_a_container_brings_all_that_was_in_it() {
    let mut pair = Pair::new();
    pair.answering = false;
    pair.submit("a");
    pair.submit("b");
    let sent = pair.intercept();
    let (opened, packet) = &sent[0];
    let before = messages(opened, packet);
    assert!(before.len() >= 2, "a container");
    // Named twice, it is sent once.
    let wanted = types::MsgResendReq {
        msg_ids: vec![opened.msg_id, opened.msg_id],
    };
    pair.talk();
    pair.server.send_bare(boxed(&wanted), false);
    for packet in pair.server_packets() {
        pair.deliver_to_client(packet).unwrap();
    }
    let sent = pair.intercept();
    let again: Vec<_> = sent.iter().flat_map(|(o, p)| messages(o, p)).collect();
    for text in ["a", "b"] {
        let named = |list: &[(i64, i32, Vec<u8>)]| -> Vec<i64> {
            let of = list.iter().filter(|(_, _, body)| *body == call(text));
            of.map(|(id, ..)| *id).collect()
        };
        assert_eq!(named(&again), named(&before), "{text}");
    }
}
