//! A client's session against packets that break the rules: dropped with a typed error, and life goes on.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod util;

use std::io::Write;
use std::time::Duration;

use layer_mtproto::session::{ClientEvent, ContainerError, GzipError, RequestFailure, Violation};
use layer_tl_types::{Serializable, types};
use util::pair::{Pair, boxed, call, container, forge, result_of};

fn started() -> Pair {
    let mut pair = Pair::new();
    pair.submit("start");
    pair.talk();
    pair
}

fn still_works(mut pair: Pair) {
    let id = pair.submit("still there?");
    pair.talk();
    pair.pass(Duration::from_secs(30));
    pair.assert_answered(id, "still there?");
}

fn gzip_packed(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(data).unwrap();
    let mut body = 0x3072_cfa1_u32.to_le_bytes().to_vec();
    encoder.finish().unwrap().serialize(&mut body);
    body
}

fn rpc_result(req_msg_id: i64, result: &[u8]) -> Vec<u8> {
    let mut body = 0xf35c_6d01_u32.to_le_bytes().to_vec();
    body.extend_from_slice(&req_msg_id.to_le_bytes());
    body.extend_from_slice(result);
    body
}

#[test]
fn a_packet_of_another_session_is_refused() {
    let mut pair = started();
    let packet = forge(77, pair.server_id(0), 1, &call("update"));
    let expected = pair.client.session_id();
    let error = pair.deliver_to_client(packet).unwrap_err();
    assert_eq!(error, Violation::SessionId { expected, got: 77 });
    assert!(pair.updates().is_empty());
    still_works(pair);
}

#[test]
fn a_packet_with_any_bit_changed_is_refused() {
    let mut pair = started();
    let packet = pair.forged(pair.server_id(0), 1, &call("update"));
    for at in 0..packet.len() {
        let mut changed = packet.clone();
        changed[at] ^= 1 << (at % 8);
        let error = pair.deliver_to_client(changed).unwrap_err();
        assert!(
            matches!(error, Violation::Sealed(_)) && error.is_fatal(),
            "byte {at}: {error}"
        );
    }
    for length in 0..packet.len() {
        assert!(pair.deliver_to_client(packet[..length].to_vec()).is_err());
    }
    assert!(pair.updates().is_empty());
    still_works(pair);
}

#[test]
fn msg_ids_of_a_server_are_odd() {
    let mut pair = started();
    for low in [0, 2] {
        let msg_id = pair.server_id(0) & !3 | low;
        let error = pair
            .deliver_to_client(pair.forged(msg_id, 1, &call("u")))
            .unwrap_err();
        assert_eq!(error, Violation::MsgIdParity { msg_id });
        let inner = container(&[(msg_id, 1, call("u"))]);
        let error = pair
            .deliver_to_client(pair.forged(pair.server_id(1 + low), 2, &inner))
            .unwrap_err();
        assert_eq!(error, Violation::MsgIdParity { msg_id });
    }
    assert!(pair.updates().is_empty());
}

#[test]
fn a_message_is_taken_once_however_often_it_comes() {
    let mut pair = started();
    let msg_id = pair.server_id(0);
    let packet = pair.forged(msg_id, 1, &call("update"));
    pair.deliver_to_client(packet.clone()).unwrap();
    assert_eq!(
        pair.deliver_to_client(packet),
        Err(Violation::Duplicate { msg_id })
    );
    // Also in a container, where it is no reason to complain.
    let again = container(&[(msg_id, 1, call("update")), (msg_id + 4, 3, call("more"))]);
    pair.deliver_to_client(pair.forged(msg_id + 8, 4, &again))
        .unwrap();
    assert_eq!(pair.updates(), [call("update"), call("more")]);
}

#[test]
fn messages_out_of_order_are_taken() {
    let mut pair = started();
    let id = pair.server_id(0);
    for step in [40, 8, 24, 16, 32] {
        pair.deliver_to_client(pair.forged(id + step, 1, &call("update")))
            .unwrap();
    }
    assert_eq!(pair.updates().len(), 5);
}

#[test]
fn a_message_older_than_all_that_are_remembered_is_refused() {
    let mut pair = started();
    let id = pair.server_id(0);
    for batch in 0..5 {
        let many: Vec<_> = (0..1000)
            .map(|i| (id + batch * 10_000 + i * 4, 1, call("u")))
            .collect();
        pair.deliver_to_client(pair.forged(id + batch * 10_000 + 8_000, 2, &container(&many)))
            .unwrap();
    }
    let msg_id = id - 4;
    let error = pair
        .deliver_to_client(pair.forged(msg_id, 1, &call("old")))
        .unwrap_err();
    assert_eq!(error, Violation::Forgotten { msg_id });
    // 1000 are remembered at the least.
    let msg_id = id + 4 * 10_000;
    let error = pair
        .deliver_to_client(pair.forged(msg_id, 1, &call("old")))
        .unwrap_err();
    assert_eq!(error, Violation::Duplicate { msg_id });
}

#[test]
fn messages_too_far_from_our_time_are_refused() {
    for (ahead, ok) in [
        (29, true),
        (31, false),
        (-299, true),
        (-302, false),
        (100_000, false),
    ] {
        let mut pair = started();
        let msg_id = pair.server_id(ahead);
        let result = pair.deliver_to_client(pair.forged(msg_id, 1, &call("update")));
        assert_eq!(result.is_ok(), ok, "{ahead} s: {result:?}");
        if !ok {
            assert!(matches!(result, Err(Violation::Time { .. })));
            assert!(pair.updates().is_empty());
        }
        still_works(pair);
    }
}

#[test]
fn containers_in_containers_and_broken_containers_are_refused_as_a_whole() {
    let inner = |id: i64| (id, 1, call("update"));
    let mut pair = started();
    let id = pair.server_id(0);
    let nested = container(&[inner(id), (id + 8, 2, container(&[inner(id + 4)]))]);
    let error = pair
        .deliver_to_client(pair.forged(id + 12, 2, &nested))
        .unwrap_err();
    assert_eq!(error, Violation::Container(ContainerError::Nested));

    let young = container(&[inner(id), inner(id + 24)]);
    let error = pair
        .deliver_to_client(pair.forged(id + 20, 2, &young))
        .unwrap_err();
    assert_eq!(error, Violation::Container(ContainerError::Order));

    let whole = container(&[inner(id), inner(id + 4)]);
    for cut in (0..whole.len()).step_by(4).filter(|cut| *cut >= 4) {
        let msg_id = id + 32 + i64::try_from(cut).unwrap();
        let error = pair
            .deliver_to_client(pair.forged(msg_id, 2, &whole[..cut]))
            .unwrap_err();
        assert_eq!(
            error,
            Violation::Container(ContainerError::Malformed),
            "cut at {cut}"
        );
    }
    assert!(pair.updates().is_empty());
    still_works(pair);
}

#[test]
fn a_container_hidden_in_gzip_is_no_deeper_than_one() {
    let mut pair = started();
    let id = pair.server_id(0);
    // In the open: a container, compressed. That is one level each, and taken.
    let packed = gzip_packed(&container(&[(id, 1, call("update"))]));
    pair.deliver_to_client(pair.forged(id + 4, 2, &packed))
        .unwrap();
    assert_eq!(pair.updates().len(), 1);
    // In a container: a compressed container.
    let hidden = gzip_packed(&container(&[(id + 8, 1, call("update"))]));
    let outer = container(&[(id + 12, 1, hidden)]);
    let error = pair
        .deliver_to_client(pair.forged(id + 16, 2, &outer))
        .unwrap_err();
    assert_eq!(error, Violation::Container(ContainerError::Nested));
    let twice = gzip_packed(&gzip_packed(&call("update")));
    let error = pair
        .deliver_to_client(pair.forged(id + 20, 1, &twice))
        .unwrap_err();
    assert_eq!(error, Violation::Gzip(GzipError::Nested));
    assert_eq!(pair.updates().len(), 1);
}

#[test]
fn a_bomb_fails_its_request_and_nothing_else() {
    let mut pair = Pair::with(|p| p.config.max_inflated = 1 << 20, |_| {});
    pair.answering = false;
    let id = pair.submit("a");
    let other = pair.submit("b");
    pair.talk();
    let bomb = gzip_packed(&vec![0; 40 << 20]);
    let msg_id = pair.calls[0].0;
    let packet = pair.forged(pair.server_id(0), 11, &rpc_result(msg_id, &bomb));
    pair.deliver_to_client(packet).unwrap();
    let reason = RequestFailure::InvalidResponse(GzipError::TooLarge { limit: 1 << 20 });
    assert_eq!(pair.outcome(id), Some(ClientEvent::Failed { id, reason }));
    // Many small ones in one packet are no way around the bound.
    let small = gzip_packed(&vec![7; 300 << 10]);
    let base = pair.server_id(1);
    let many: Vec<_> = (0..10).map(|i| (base + i * 4, 1, small.clone())).collect();
    let error = pair
        .deliver_to_client(pair.forged(base + 100, 2, &container(&many)))
        .unwrap_err();
    assert!(matches!(error, Violation::Gzip(GzipError::TooLarge { .. })) && !error.is_fatal());
    assert!(pair.updates().len() <= 3);
    pair.server.respond(pair.calls[1].0, result_of(&call("b")));
    pair.talk();
    pair.assert_answered(other, "b");
}

#[test]
fn an_error_inside_gzip_is_an_error() {
    let mut pair = Pair::new();
    pair.answering = false;
    let id = pair.submit("a");
    pair.talk();
    let error = types::RpcError {
        error_code: 400,
        error_message: "X".repeat(2000),
    };
    let packet = pair.forged(
        pair.server_id(0),
        11,
        &rpc_result(pair.calls[0].0, &gzip_packed(&boxed(&error))),
    );
    pair.deliver_to_client(packet).unwrap();
    assert!(matches!(
        pair.outcome(id),
        Some(ClientEvent::RpcError { code: 400, .. })
    ));
}

#[test]
fn a_second_answer_and_answers_to_nothing_are_ignored() {
    let mut pair = started();
    let id = pair.submit("a");
    pair.talk();
    let msg_id = pair.calls[1].0;
    let base = pair.server_id(0);
    for (i, req_msg_id) in (0..).zip([msg_id, 0, -1, i64::MAX]) {
        let body = rpc_result(req_msg_id, &result_of(&call("b")));
        pair.deliver_to_client(pair.forged(base + i * 4, 11, &body))
            .unwrap();
    }
    pair.assert_answered(id, "a");
}

#[test]
fn future_salts_that_were_not_asked_for_are_ignored() {
    let mut pair = started();
    let before = pair.client.salts().to_vec();
    let salt = types::FutureSalt {
        valid_since: 0,
        valid_until: i32::MAX,
        salt: 666,
    };
    let salts = types::FutureSalts {
        req_msg_id: 4,
        now: 0,
        salts: vec![salt],
    };
    pair.deliver_to_client(pair.forged(pair.server_id(0), 2, &boxed(&salts)))
        .unwrap();
    assert_eq!(pair.client.salts(), before);
}

#[test]
fn service_messages_cut_short_are_violations_and_not_panics() {
    let mut pair = started();
    let id = pair.server_id(0);
    let whole = [
        boxed(&types::MsgsAck {
            msg_ids: vec![1, 2],
        }),
        boxed(&types::BadMsgNotification {
            bad_msg_id: 1,
            bad_msg_seqno: 1,
            error_code: 16,
        }),
        boxed(&types::BadServerSalt {
            bad_msg_id: 1,
            bad_msg_seqno: 1,
            error_code: 48,
            new_server_salt: 1,
        }),
        boxed(&types::NewSessionCreated {
            first_msg_id: 1,
            unique_id: 1,
            server_salt: 1,
        }),
        boxed(&types::Pong {
            msg_id: 1,
            ping_id: 1,
        }),
        boxed(&types::MsgsStateReq { msg_ids: vec![1] }),
        boxed(&types::MsgsStateInfo {
            req_msg_id: 1,
            info: vec![1; 20],
        }),
        boxed(&types::MsgsAllInfo {
            msg_ids: vec![1],
            info: vec![1],
        }),
        boxed(&types::MsgDetailedInfo {
            msg_id: 1,
            answer_msg_id: 1,
            bytes: 1,
            status: 0,
        }),
        boxed(&types::MsgNewDetailedInfo {
            answer_msg_id: 1,
            bytes: 1,
            status: 0,
        }),
        boxed(&types::MsgResendReq { msg_ids: vec![1] }),
        boxed(&types::FutureSalts {
            req_msg_id: 1,
            now: 1,
            salts: vec![],
        }),
        boxed(&types::DestroySessionOk { session_id: 1 }),
        rpc_result(1, &[]),
    ];
    let mut next = id;
    for body in whole {
        for cut in (4..body.len()).step_by(4) {
            next += 4;
            let result = pair.deliver_to_client(pair.forged(next, 2, &body[..cut]));
            assert!(
                matches!(result, Err(Violation::Malformed { .. })),
                "{result:?}"
            );
        }
    }
    // A vector that says it has more than there is.
    let mut huge = 0x62d6_b459_u32.to_le_bytes().to_vec();
    huge.extend_from_slice(&0x1cb5_c415_u32.to_le_bytes());
    huge.extend_from_slice(&u32::MAX.to_le_bytes());
    assert!(
        pair.deliver_to_client(pair.forged(next + 4, 2, &huge))
            .is_err()
    );
    assert!(
        pair.deliver_to_client(pair.forged(next + 8, 2, &[]))
            .is_err()
    );
    still_works(pair);
}

#[test]
fn random_messages_never_panic_and_the_session_survives() {
    let seed = 11;
    let mut rng = fastrand::Rng::with_seed(seed);
    let constructors = [
        0x62d6_b459_u32,
        0xa7ef_f811,
        0xedab_447b,
        0xda69_fb52,
        0x04de_b57d,
        0x8cc0_d131,
        0x276d_3ec6,
        0x809d_b6df,
        0x7d86_1a08,
        0x8610_baeb,
        0xf35c_6d01,
        0x73f1_f8dc,
        0x3072_cfa1,
        0xe060_46b2,
        0xae50_0895,
        0x3477_73c5,
        0x9ec2_0908,
        0xe220_45fc,
    ];
    let mut pair = started();
    let mut id = pair.server_id(0);
    for _ in 0..5_000 {
        id += 4;
        let mut body = constructors[rng.usize(..constructors.len())]
            .to_le_bytes()
            .to_vec();
        for _ in 0..rng.usize(0..20) {
            let word = if rng.bool() {
                rng.u32(..)
            } else {
                [0, 1, 2, 0x1cb5_c415][rng.usize(..4)]
            };
            body.extend_from_slice(&word.to_le_bytes());
        }
        let _ = pair.deliver_to_client(pair.forged(id, rng.i32(..), &body));
        if rng.usize(..10) == 0 {
            pair.intercept();
        }
    }
    pair.events.clear();
    pair.now += Duration::from_secs(5);
    still_works(pair);
}

#[test]
fn floods_of_service_messages_do_not_grow_memory() {
    let mut pair = started();
    let id = pair.server_id(0);
    // Each wants an answer; the answers that wait are bounded.
    for i in 0..2_000 {
        let ask = types::MsgsStateReq {
            msg_ids: vec![1; 100],
        };
        pair.deliver_to_client(pair.forged(id + i * 8, 1, &boxed(&ask)))
            .unwrap();
        let info = types::MsgDetailedInfo {
            msg_id: 1,
            answer_msg_id: i * 4 + 1,
            bytes: 1,
            status: 0,
        };
        pair.deliver_to_client(pair.forged(id + i * 8 + 4, 1, &boxed(&info)))
            .unwrap();
    }
    let bytes: usize = pair.client_packets().iter().map(Vec::len).sum();
    assert!(bytes < 400_000, "{bytes} bytes in answer");
}

#[test]
fn a_state_that_nobody_asked_for_does_not_lose_an_answer() {
    let mut pair = started();
    pair.answering = false;
    let id = pair.submit("a");
    pair.talk();
    let (req_msg_id, body) = pair.calls.last().cloned().unwrap();
    let info = types::MsgsStateInfo {
        req_msg_id,
        info: vec![4],
    };
    let packet = pair.forged(pair.server_id(0), 0, &boxed(&info));
    pair.deliver_to_client(packet).unwrap();
    pair.server.respond(req_msg_id, result_of(&body));
    pair.talk();
    pair.assert_answered(id, "a");
}
