//! A server's session: what clients in use need of it, and what it refuses and how.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod util;

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use layer_crypto::message::{self, Sender};
use layer_mtproto::session::{
    ServerSession, ServerSessionConfig, ServerSessionEvent, Violation, open_packet,
};
use layer_tl_types::{Deserializable, Identifiable, Serializable, functions, types};
use util::TestRng;
use util::pair::{Pair, boxed, call, container, forge_client, id_of, key, result_of};

const SESSION: i64 = 0x5e55;

/// A server's session and a client by hand.
struct Bench {
    pair: Pair,
    next: i64,
    content: i32,
}

/// A message of the server.
#[derive(Debug, Clone)]
struct Got {
    msg_id: i64,
    seqno: i32,
    body: Vec<u8>,
}

impl Got {
    fn read<T: Identifiable + Deserializable>(&self) -> Option<T> {
        (id_of(&self.body) == T::CONSTRUCTOR_ID).then(|| T::from_bytes(&self.body[4..]).unwrap())
    }
}

fn found<T: Identifiable + Deserializable>(got: &[Got]) -> Vec<T> {
    got.iter().filter_map(Got::read).collect()
}

fn codes(got: &[Got]) -> Vec<(i64, i32)> {
    found::<types::BadMsgNotification>(got)
        .into_iter()
        .map(|notice| (notice.bad_msg_id, notice.error_code))
        .collect()
}

impl Bench {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(configure: impl FnOnce(&mut ServerSessionConfig)) -> Self {
        let mut pair = Pair::new();
        let mut config = ServerSessionConfig::default();
        configure(&mut config);
        pair.server = ServerSession::new(
            key(),
            SESSION,
            pair.salts.clone(),
            TestRng::boxed(5),
            config,
        );
        let next = pair.server_id(0) & !3;
        Self {
            pair,
            next,
            content: 0,
        }
    }

    fn id(&mut self) -> i64 {
        self.next = (self.next + 4).max(self.pair.server_id(0) & !3);
        self.next
    }

    fn seqno(&mut self, content: bool) -> i32 {
        self.content += i32::from(content);
        self.content * 2 - i32::from(content)
    }

    fn deliver(&mut self, packet: Vec<u8>) -> Result<(), Violation> {
        let mut packet = packet;
        let opened = open_packet(&key(), &mut packet).unwrap();
        let unix = self.pair.unix();
        self.pair
            .server
            .handle_opened(&opened, &packet.into(), self.pair.now, unix)
    }

    /// Sends a message with a good salt, and gives what comes back at once.
    fn send(&mut self, msg_id: i64, seqno: i32, body: &[u8]) -> Vec<Got> {
        let salt = self.pair.salts.current(self.pair.unix());
        self.deliver(forge_client(SESSION, salt, msg_id, seqno, body))
            .unwrap();
        self.receive()
    }

    fn receive(&mut self) -> Vec<Got> {
        let mut got = Vec::new();
        for mut packet in self.pair.server_packets() {
            let plain = message::open(&key(), Sender::Server, &mut packet).unwrap();
            let message = parse(&plain[16..]);
            if id_of(&message.body) == 0x73f1_f8dc {
                let mut rest = &message.body[8..];
                while !rest.is_empty() {
                    let inner = parse(rest);
                    assert!(inner.msg_id < message.msg_id);
                    rest = &rest[16 + inner.body.len()..];
                    got.push(inner);
                }
            } else {
                got.push(message);
            }
        }
        got
    }

    fn call(&mut self, text: &str) -> (i64, Vec<Got>) {
        let (id, seqno) = (self.id(), self.seqno(true));
        (id, self.send(id, seqno, &call(text)))
    }

    fn events(&mut self) -> Vec<ServerSessionEvent> {
        std::iter::from_fn(|| self.pair.server.poll_event()).collect()
    }

    fn requests(&mut self) -> Vec<Vec<u8>> {
        self.events()
            .into_iter()
            .filter_map(|event| match event {
                ServerSessionEvent::Request { body, .. } => Some(body.to_vec()),
                _ => None,
            })
            .collect()
    }

    /// Delivers a packet, and tells of each call whether it lies in it.
    fn calls_lie_in(&mut self, mut packet: Vec<u8>) -> Vec<bool> {
        let opened = open_packet(&key(), &mut packet).unwrap();
        let (unix, packet) = (self.pair.unix(), Bytes::from(packet));
        self.pair
            .server
            .handle_opened(&opened, &packet, self.pair.now, unix)
            .unwrap();
        let calls = self.events().into_iter();
        let place = packet.as_ptr_range();
        calls
            .filter_map(|event| match event {
                ServerSessionEvent::Request { body, .. } => Some(place.contains(&body.as_ptr())),
                _ => None,
            })
            .collect()
    }

    fn pass(&mut self, seconds: u64) -> Vec<Got> {
        self.pair.now += Duration::from_secs(seconds);
        self.pair.server.handle_timeout(self.pair.now);
        self.receive()
    }
}

fn parse(bytes: &[u8]) -> Got {
    let length = usize::try_from(i32::from_le_bytes(bytes[12..16].try_into().unwrap())).unwrap();
    Got {
        msg_id: i64::from_le_bytes(bytes[..8].try_into().unwrap()),
        seqno: i32::from_le_bytes(bytes[8..12].try_into().unwrap()),
        body: bytes[16..16 + length].to_vec(),
    }
}

#[test]
fn a_call_that_is_most_of_its_packet_is_not_copied_and_a_small_one_holds_on_to_nothing() {
    let mut client = Bench::new();
    let salt = client.pair.salts.current(client.pair.unix());
    let large = call(&"a part of a file".repeat(10_000));
    let (id, seqno) = (client.id(), client.seqno(true));
    let packet = forge_client(SESSION, salt, id, seqno, &large);
    assert_eq!(client.calls_lie_in(packet), [true]);
    let members = [(); 3].map(|()| (client.id(), client.seqno(true), call("a small one")));
    let (id, seqno) = (client.id(), client.seqno(false));
    let packet = forge_client(SESSION, salt, id, seqno, &container(&members));
    assert_eq!(client.calls_lie_in(packet), [false; 3]);
}

#[test]
fn the_first_message_opens_the_session_and_only_the_first() {
    let mut bench = Bench::new();
    let (id, got) = bench.call("a");
    let new: Vec<types::NewSessionCreated> = found(&got);
    assert_eq!(new.len(), 1);
    assert_eq!(new[0].first_msg_id, id);
    assert_eq!(
        new[0].server_salt,
        bench.pair.salts.current(bench.pair.unix())
    );
    let (_, got) = bench.call("b");
    assert!(found::<types::NewSessionCreated>(&got).is_empty());
}

#[test]
fn a_servers_msg_ids_and_seqnos_follow_the_rules() {
    let mut bench = Bench::new();
    let (first, mut got) = bench.call("a");
    bench.pair.server.respond(first, result_of(&call("a")));
    bench.pair.server.push(call("update"));
    got.extend(bench.receive());
    let ping = functions::Ping { ping_id: 5 }.to_bytes();
    let (id, seqno) = (bench.id(), bench.seqno(false));
    got.extend(bench.send(id, seqno, &ping));
    let mut last = 0;
    let mut content = 0;
    for message in got {
        assert!(message.msg_id > last);
        last = message.msg_id;
        let id = id_of(&message.body);
        let answer = [0xf35c_6d01, 0x3477_73c5].contains(&id);
        assert_eq!(message.msg_id & 3, if answer { 1 } else { 3 }, "{id:08x}");
        let is_content = id != 0x3477_73c5;
        assert_eq!(message.seqno, content * 2 + i32::from(is_content));
        content += i32::from(is_content);
    }
    assert_eq!(content, 3);
}

#[test]
fn get_future_salts_is_answered_bare_with_at_least_two() {
    for (num, expected) in [
        (0, 2),
        (1, 2),
        (2, 2),
        (10, 10),
        (64, 64),
        (1000, 64),
        (-1, 2),
    ] {
        let mut bench = Bench::new();
        let (id, seqno) = (bench.id(), bench.seqno(true));
        let got = bench.send(id, seqno, &functions::GetFutureSalts { num }.to_bytes());
        let salts: Vec<types::FutureSalts> = found(&got);
        assert_eq!(salts.len(), 1);
        assert_eq!(salts[0].req_msg_id, id);
        assert_eq!(salts[0].salts.len(), expected);
        assert_eq!(i64::from(salts[0].now), 1_700_000_000);
    }
}

#[test]
fn pings_are_answered_bare_and_may_delay_the_disconnection() {
    let mut bench = Bench::new();
    let (id, seqno) = (bench.id(), bench.seqno(false));
    let got = bench.send(id, seqno, &functions::Ping { ping_id: 5 }.to_bytes());
    let pongs: Vec<types::Pong> = found(&got);
    assert_eq!((pongs[0].msg_id, pongs[0].ping_id), (id, 5));
    for (delay, expected) in [(75, 75), (-5, 0), (i32::MAX, 24 * 3600)] {
        let (id, seqno) = (bench.id(), bench.seqno(true));
        let ping = functions::PingDelayDisconnect {
            ping_id: 6,
            disconnect_delay: delay,
        };
        let got = bench.send(id, seqno, &ping.to_bytes());
        assert_eq!(found::<types::Pong>(&got).len(), 1);
        let expected = ServerSessionEvent::DisconnectAfter(Duration::from_secs(expected));
        assert_eq!(bench.events(), [expected]);
    }
}

#[test]
fn a_wrong_salt_earns_the_right_one() {
    let mut bench = Bench::new();
    let id = bench.id();
    bench
        .deliver(forge_client(SESSION, 666, id, 1, &call("a")))
        .unwrap();
    let got = bench.receive();
    let bad: Vec<types::BadServerSalt> = found(&got);
    assert_eq!(
        (bad[0].bad_msg_id, bad[0].bad_msg_seqno, bad[0].error_code),
        (id, 1, 48)
    );
    assert_eq!(
        bad[0].new_server_salt,
        bench.pair.salts.current(bench.pair.unix())
    );
    assert!(bench.requests().is_empty());
    // The same message with that salt is taken: it was ignored before.
    bench.send(id, 1, &call("a"));
    assert_eq!(bench.requests().len(), 1);
}

#[test]
fn msg_ids_are_checked() {
    let mut bench = Bench::new();
    let now = bench.next >> 32;
    for (msg_id, code) in [
        (now << 32 | 1, 18),
        (now << 32 | 2, 18),
        ((now - 302) << 32 | 4, 16),
        ((now + 32) << 32 | 4, 17),
        (4, 16),
        (i64::MAX & !3, 17),
        (i64::MIN, 16),
    ] {
        let got = bench.send(msg_id, 1, &call("a"));
        assert_eq!(codes(&got), [(msg_id, code)]);
    }
    for ahead in [-298, 28] {
        bench.send(
            (now + ahead) << 32 | 4,
            if ahead < 0 { 1 } else { 3 },
            &call("a"),
        );
    }
    assert_eq!(bench.requests().len(), 2);
}

#[test]
fn seqnos_are_checked() {
    let mut bench = Bench::new();
    let (a, b, c) = (bench.id(), bench.id(), bench.id());
    bench.send(b, 5, &call("b"));
    assert_eq!(
        codes(&bench.send(c, 5, &call("c"))),
        [(c, 32)],
        "equal and odd"
    );
    assert_eq!(
        codes(&bench.send(c, 3, &call("c"))),
        [(c, 32)],
        "lower than before"
    );
    assert_eq!(
        codes(&bench.send(a, 7, &call("a"))),
        [(a, 33)],
        "higher than after"
    );
    assert_eq!(
        codes(&bench.send(c, 6, &call("c"))),
        [(c, 35)],
        "a call has an odd one"
    );
    assert_eq!(bench.requests().len(), 1);
    bench.send(c, 7, &call("c"));
    bench.send(a, 3, &call("a"));
    assert_eq!(bench.requests().len(), 2);
    let id = bench.id();
    let got = bench.send(id, 9, &container(&[(id - 1000, 9, call("d"))]));
    assert_eq!(codes(&got), [(id, 34)], "a container has an even one");
}

#[test]
fn a_lone_msgs_ack_with_an_odd_seqno_is_tolerated() {
    let mut bench = Bench::new();
    bench.call("a");
    let push = bench.pair.server.push(call("update"));
    let got = bench.receive();
    let acks = types::MsgsAck {
        msg_ids: got.iter().map(|m| m.msg_id).collect(),
    };
    let id = bench.id();
    // With the number that the next call has, too.
    assert!(codes(&bench.send(id, 3, &boxed(&acks))).is_empty());
    assert!(bench.events().contains(&ServerSessionEvent::Acked { push }));
    let id = bench.id();
    assert!(codes(&bench.send(id, 3, &call("b"))).is_empty());
}

#[test]
fn containers_in_any_shape_are_taken_as_a_whole_or_not_at_all() {
    let mut bench = Bench::new();
    bench.call("start");
    bench.events();
    let base = bench.next + 1000;
    // Empty; one; many.
    assert!(codes(&bench.send(base, 2, &container(&[]))).is_empty());
    bench.send(base + 8, 4, &container(&[(base + 4, 3, call("one"))]));
    let many: Vec<_> = (0..1020)
        .map(|i| {
            (
                base + 12 + i64::from(i) * 4,
                5 + 2 * i,
                call(&format!("{i}")),
            )
        })
        .collect();
    let id = base + 12 + 1020 * 4;
    bench.send(id, 3000, &container(&many));
    assert_eq!(bench.requests().len(), 1021);
    // One message in it is wrong: nothing is done.
    let wrong = container(&[(id + 4, 2999, call("x")), (id + 8, 3, call("y"))]);
    assert_eq!(codes(&bench.send(id + 12, 3002, &wrong)), [(id + 8, 32)]);
    let nested = container(&[(id + 16, 2999, container(&[]))]);
    assert_eq!(codes(&bench.send(id + 20, 3002, &nested)), [(id + 20, 64)]);
    let mut cut = container(&[(id + 24, 2999, call("x"))]);
    cut.truncate(cut.len() - 4);
    assert_eq!(codes(&bench.send(id + 28, 3002, &cut)), [(id + 28, 64)]);
    let young = container(&[(id + 40, 2999, call("x"))]);
    assert_eq!(codes(&bench.send(id + 36, 3002, &young)), [(id + 36, 64)]);
    // A container under the name of a message that came.
    let again = container(&[(base + 4, 3, call("x"))]);
    assert_eq!(codes(&bench.send(id - 4, 3002, &again)), [(id - 4, 19)]);
    assert!(bench.requests().is_empty());
}

#[test]
fn gzip_and_zlib_are_taken_also_around_any_call() {
    let mut bench = Bench::new();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&call("gzip")).unwrap();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    zlib.write_all(&call("zlib")).unwrap();
    for data in [gzip.finish().unwrap(), zlib.finish().unwrap()] {
        let mut body = 0x3072_cfa1_u32.to_le_bytes().to_vec();
        data.serialize(&mut body);
        let (id, seqno) = (bench.id(), bench.seqno(true));
        bench.send(id, seqno, &body);
    }
    assert_eq!(bench.requests(), [call("gzip"), call("zlib")]);
}

#[test]
fn a_bomb_from_a_client_is_refused() {
    let mut bench = Bench::with(|c| c.max_inflated = 1 << 20);
    bench.call("start");
    bench.events();
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    bomb.write_all(&vec![0; 20 << 20]).unwrap();
    let mut body = 0x3072_cfa1_u32.to_le_bytes().to_vec();
    bomb.finish().unwrap().serialize(&mut body);
    let salt = bench.pair.salts.current(bench.pair.unix());
    let (id, seqno) = (bench.id(), bench.seqno(true));
    let error = bench
        .deliver(forge_client(SESSION, salt, id, seqno, &body))
        .unwrap_err();
    assert!(matches!(error, Violation::Gzip(_)));
    assert!(bench.requests().is_empty());
}

#[test]
fn a_repeated_call_is_done_once_and_its_answer_sent_again() {
    let mut bench = Bench::new();
    let (id, _) = bench.call("a");
    assert_eq!(bench.requests().len(), 1);
    // Still running: it is acknowledged.
    bench.send(id, 1, &call("a"));
    let got = bench.pass(1);
    assert!(
        found::<types::MsgsAck>(&got)
            .iter()
            .any(|acks| acks.msg_ids.contains(&id))
    );
    bench.pair.server.respond(id, result_of(&call("a")));
    let answer = bench.receive();
    // The answer was lost: alone, in a container, as often as it likes.
    for i in 0..3 {
        let got = if i == 1 {
            let outer = bench.id();
            bench.send(outer, 2, &container(&[(id, 1, call("a"))]))
        } else {
            bench.send(id, 1, &call("a"))
        };
        assert_eq!(got.len(), 1);
        assert_eq!(
            (got[0].msg_id, &got[0].body),
            (answer[0].msg_id, &answer[0].body)
        );
    }
    assert!(bench.requests().is_empty());
    // Answered twice by mistake: once is enough.
    bench.pair.server.respond(id, result_of(&call("other")));
    assert!(bench.receive().is_empty());
}

#[test]
fn a_call_that_was_forgotten_is_handed_out_again_when_it_comes_again() {
    let mut bench = Bench::new();
    let (id, _) = bench.call("a");
    assert_eq!(bench.requests().len(), 1);
    bench.pair.server.forget(id);
    bench.pair.server.respond(id, result_of(&call("a")));
    assert!(bench.receive().is_empty(), "an answer to what is not known");
    bench.send(id, 1, &call("a"));
    assert_eq!(bench.requests().len(), 1);
    bench.pair.server.respond(id, result_of(&call("a")));
    assert_eq!(bench.receive().len(), 1);
}

#[test]
fn what_is_not_acknowledged_is_sent_again_to_a_new_connection_and_by_a_timer() {
    let mut bench = Bench::new();
    let (id, got) = bench.call("a");
    let greeting = got[0].msg_id;
    bench.pair.server.respond(id, result_of(&call("a")));
    bench.pair.server.push(call("update"));
    let sent: Vec<_> = bench.receive().iter().map(|m| m.msg_id).collect();
    bench.pair.server.connected();
    let again: Vec<_> = bench.receive().iter().map(|m| m.msg_id).collect();
    assert_eq!(again, [vec![greeting], sent.clone()].concat());
    assert!(
        bench.pass(30).is_empty(),
        "clients take up to 30 s to acknowledge"
    );
    let mut times = 0;
    for _ in 0..100 {
        let got = bench.pass(10);
        times += usize::from(got.iter().any(|m| m.msg_id == sent[0]));
    }
    assert!((1..=3).contains(&times), "{times} times, and not for ever");
    let acks = types::MsgsAck { msg_ids: again };
    let ack = bench.id();
    bench.send(ack, 2, &boxed(&acks));
    bench.pair.server.connected();
    let got = bench.receive();
    assert!(got.is_empty(), "{got:?}");
    assert_eq!(bench.pair.server.unacknowledged(), 0);
}

#[test]
fn messages_for_a_client_that_never_acknowledges_are_bounded() {
    let mut bench = Bench::with(|c| c.max_unacked = 50);
    bench.call("a");
    for i in 0..1_000 {
        bench.pair.server.push(call(&format!("{i}")));
        if i % 7 == 0 {
            bench.receive();
        }
    }
    assert!(bench.pair.server.unacknowledged() <= 100);
}

#[test]
fn bytes_for_a_client_that_never_acknowledges_are_bounded() {
    let mut bench = Bench::with(|c| c.max_unacked_bytes = 10_000);
    bench.call("a");
    for _ in 0..100 {
        bench.pair.server.push(call(&"x".repeat(1_000)));
        bench.receive();
    }
    let kept = bench.pair.server.unacknowledged();
    assert!((1..=10).contains(&kept), "{kept}");
}

#[test]
fn msgs_state_req_is_answered_byte_by_byte() {
    let mut bench = Bench::new();
    let (running, _) = bench.call("running");
    let (answered, _) = bench.call("answered");
    bench
        .pair
        .server
        .respond(answered, result_of(&call("answered")));
    bench.receive();
    let missing = bench.id();
    let (_, _) = bench.call("later");
    let msg_ids = vec![running - 400, running, answered, missing, bench.next + 4000];
    let (id, seqno) = (bench.id(), bench.seqno(false));
    let got = bench.send(id, seqno, &boxed(&types::MsgsStateReq { msg_ids }));
    let info: Vec<types::MsgsStateInfo> = found(&got);
    assert_eq!(info[0].req_msg_id, id);
    let status: Vec<_> = info[0].info.iter().map(|status| status & 7).collect();
    assert_eq!(status, [1, 4, 4, 2, 3]);
    assert_eq!(info[0].info[1], 4 | 32);
    assert_eq!(info[0].info[2], 4 | 32 | 64);
}

#[test]
fn msg_resend_req_is_obeyed_or_answered() {
    let mut bench = Bench::new();
    let (id, _) = bench.call("a");
    bench.pair.server.respond(id, result_of(&call("a")));
    let answer = bench.receive()[0].msg_id;
    let (ask, seqno) = (bench.id(), bench.seqno(false));
    let got = bench.send(
        ask,
        seqno,
        &boxed(&types::MsgResendReq {
            msg_ids: vec![answer],
        }),
    );
    assert!(got.iter().any(|m| m.msg_id == answer));
    assert!(found::<types::MsgsStateInfo>(&got).is_empty());
    let (ask, seqno) = (bench.id(), bench.seqno(false));
    let got = bench.send(
        ask,
        seqno,
        &boxed(&types::MsgResendReq {
            msg_ids: vec![answer, 5],
        }),
    );
    assert_eq!(found::<types::MsgsStateInfo>(&got)[0].info.len(), 2);
    let (ask, seqno) = (bench.id(), bench.seqno(false));
    let got = bench.send(
        ask,
        seqno,
        &boxed(&types::MsgResendAnsReq { msg_ids: vec![id] }),
    );
    assert!(got.iter().any(|m| m.msg_id == answer));
}

#[test]
fn rpc_drop_answer_knows_three_answers() {
    let dropped = |bench: &mut Bench, req_msg_id: i64| {
        let (id, seqno) = (bench.id(), bench.seqno(true));
        let got = bench.send(
            id,
            seqno,
            &functions::RpcDropAnswer { req_msg_id }.to_bytes(),
        );
        let result = got.iter().find(|m| id_of(&m.body) == 0xf35c_6d01).unwrap();
        assert_eq!(result.body[4..12], id.to_le_bytes());
        id_of(&result.body[12..])
    };
    let mut bench = Bench::new();
    let (running, _) = bench.call("running");
    assert_eq!(
        dropped(&mut bench, running),
        types::RpcAnswerDroppedRunning::CONSTRUCTOR_ID
    );
    assert!(
        bench
            .events()
            .contains(&ServerSessionEvent::Cancelled { msg_id: running })
    );
    // The call itself is then answered the same.
    bench
        .pair
        .server
        .respond(running, result_of(&call("running")));
    let got = bench.receive();
    assert_eq!(
        id_of(&got[0].body[12..]),
        types::RpcAnswerDroppedRunning::CONSTRUCTOR_ID
    );

    let (done, _) = bench.call("done");
    bench.pair.server.respond(done, result_of(&call("done")));
    bench.receive();
    assert_eq!(
        dropped(&mut bench, done),
        types::RpcAnswerDropped::CONSTRUCTOR_ID
    );
    assert_eq!(
        dropped(&mut bench, done),
        types::RpcAnswerUnknown::CONSTRUCTOR_ID
    );
    assert_eq!(
        dropped(&mut bench, 4),
        types::RpcAnswerUnknown::CONSTRUCTOR_ID
    );
}

#[test]
fn sessions_and_keys_can_be_destroyed() {
    let mut bench = Bench::new();
    let (id, seqno) = (bench.id(), bench.seqno(true));
    bench.send(
        id,
        seqno,
        &functions::DestroySession { session_id: 9 }.to_bytes(),
    );
    assert_eq!(
        bench.events(),
        [ServerSessionEvent::DestroySession { session_id: 9 }]
    );
    bench.pair.server.respond_destroy_session(9, false);
    let got = bench.receive();
    assert_eq!(found::<types::DestroySessionNone>(&got)[0].session_id, 9);
    let (id, seqno) = (bench.id(), bench.seqno(true));
    bench.send(id, seqno, &functions::DestroyAuthKey {}.to_bytes());
    assert_eq!(
        bench.events(),
        [ServerSessionEvent::DestroyAuthKey { msg_id: id }]
    );
}

#[test]
fn a_call_without_a_quick_answer_is_acknowledged() {
    let mut bench = Bench::new();
    let (quick, _) = bench.call("quick");
    bench.pair.server.respond(quick, result_of(&call("quick")));
    bench.receive();
    let (slow, _) = bench.call("slow");
    let got = bench.pass(1);
    let acks: Vec<types::MsgsAck> = found(&got);
    assert_eq!(acks.len(), 1);
    assert_eq!(acks[0].msg_ids, [slow], "the answer acknowledges the other");
}

#[test]
fn a_packet_for_another_session_is_no_business_of_this_one() {
    let mut bench = Bench::new();
    let salt = bench.pair.salts.current(bench.pair.unix());
    let id = bench.id();
    let error = bench
        .deliver(forge_client(1, salt, id, 1, &call("a")))
        .unwrap_err();
    assert_eq!(
        error,
        Violation::SessionId {
            expected: SESSION,
            got: 1
        }
    );
    assert!(bench.receive().is_empty());
}

#[test]
fn random_messages_never_panic() {
    let mut rng = fastrand::Rng::with_seed(5);
    let constructors = [
        0x62d6_b459_u32,
        0xda69_fb52,
        0x04de_b57d,
        0x8cc0_d131,
        0x7d86_1a08,
        0x8610_baeb,
        0x73f1_f8dc,
        0x3072_cfa1,
        0xe060_46b2,
        0x58e4_a740,
        0xb921_bd04,
        0x7abe_77ec,
        0xf342_7b8c,
        0xe751_2126,
        0xd143_5160,
        0x9299_359f,
    ];
    let mut bench = Bench::new();
    let salt = bench.pair.salts.current(bench.pair.unix());
    for _ in 0..5_000 {
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
        let id = bench.id();
        let _ = bench.deliver(forge_client(SESSION, salt, id, rng.i32(..), &body));
        bench.receive();
        bench.events();
    }
}
