//! Temporary keys: binding one to a permanent key, and going on in the session of the next one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod util;

use std::time::{Duration, Instant};

use layer_crypto::AuthKey;
use layer_crypto::message::open_v1;
use layer_mtproto::session::{
    BindFailure, Binding, ClientEvent, RequestFailure, SessionParams, SubmitOptions,
};
use layer_tl_types::{Cursor, Deserializable, Identifiable, functions, types};
use util::UNIX;
use util::pair::{Pair, boxed, call, id_of, key, messages};

const BIND: u32 = 0xcdd4_2a05;
const INVOKE_AFTER_MSG: u32 = 0xcb9f_372d;
/// A day from the beginning.
const EXPIRES_AT: i32 = 1_700_000_000 + 86_400;

fn permanent() -> AuthKey {
    AuthKey::from_bytes(std::array::from_fn(|i| u8::try_from(i).unwrap() ^ 0xc3))
}

/// A pair whose key is a temporary one; the server answers nothing by itself.
fn temporary() -> Pair {
    temporary_with(|_| {})
}

fn temporary_with(more: impl FnOnce(&mut SessionParams)) -> Pair {
    let mut pair = Pair::with(
        |params| {
            params.binding = Some(Binding::new(permanent(), EXPIRES_AT));
            more(params);
        },
        |_| {},
    );
    assert_eq!(pair.unix(), UNIX);
    pair.answering = false;
    pair
}

/// What `auth.bindTempAuthKey` said, and the msg_id that it came under.
#[derive(Debug, Clone, PartialEq)]
struct Bind {
    msg_id: i64,
    nonce: i64,
    /// msg_id, seqno and length of the message inside.
    inner_header: (i64, i32, i32),
    inner: types::BindAuthKeyInner,
    random: Vec<u8>,
}

fn parse(msg_id: i64, body: &[u8]) -> Bind {
    assert_eq!(id_of(body), BIND);
    let mut body = Cursor::new(&body[4..]);
    assert_eq!(i64::deserialize(&mut body).unwrap(), permanent().id());
    let nonce = i64::deserialize(&mut body).unwrap();
    assert_eq!(i32::deserialize(&mut body).unwrap(), EXPIRES_AT);
    let sealed = Vec::<u8>::deserialize(&mut body).unwrap();
    assert!(body.is_empty(), "nothing follows");
    let plaintext = open_v1(&permanent(), &sealed).unwrap();
    let (random, rest) = plaintext.split_at(16);
    let mut rest = Cursor::new(rest);
    let inner_header = (
        i64::deserialize(&mut rest).unwrap(),
        i32::deserialize(&mut rest).unwrap(),
        i32::deserialize(&mut rest).unwrap(),
    );
    assert_eq!(
        u32::deserialize(&mut rest).unwrap(),
        types::BindAuthKeyInner::CONSTRUCTOR_ID
    );
    let inner = types::BindAuthKeyInner::deserialize(&mut rest).unwrap();
    assert!(rest.is_empty());
    Bind {
        msg_id,
        nonce,
        inner_header,
        inner,
        random: random.to_vec(),
    }
}

/// Takes the one call that the server was given, which has to be a binding that is right under its msg_id.
fn the_binding(pair: &mut Pair) -> Bind {
    let [(msg_id, body)] = <[_; 1]>::try_from(std::mem::take(&mut pair.calls)).unwrap();
    let bind = parse(msg_id, &body);
    assert_eq!(bind.inner_header, (msg_id, 0, 40));
    let (session, _) = pair.opened.last().unwrap();
    assert_eq!(bind.inner.temp_session_id, session.session_id);
    assert_eq!(bind.inner.temp_session_id, pair.client.session_id());
    bind
}

fn accept(pair: &mut Pair) {
    pair.talk();
    let bind = the_binding(pair);
    pair.server.respond(bind.msg_id, bool_true());
    pair.talk();
}

fn bool_true() -> Vec<u8> {
    0x9972_75b5_u32.to_le_bytes().to_vec()
}

fn bound(pair: &Pair) -> usize {
    let is_bound = |event: &&ClientEvent| matches!(event, ClientEvent::Bound);
    pair.events.iter().filter(is_bound).count()
}

fn bind_failures(pair: &Pair) -> Vec<BindFailure> {
    pair.events
        .iter()
        .filter_map(|event| match event {
            ClientEvent::BindFailed { reason } => Some(reason.clone()),
            _ => None,
        })
        .collect()
}

/// The bodies of all requests that the server was handed.
fn requested(pair: &Pair) -> Vec<Vec<u8>> {
    pair.calls.iter().map(|(_, body)| body.clone()).collect()
}

// -- binding ----------------------------------------------------------------------------------------------

#[test]
fn the_binding_message_says_what_the_documentation_asks_for() {
    let mut pair = temporary();
    pair.talk();
    let bind = the_binding(&mut pair);
    assert_eq!(
        bind.inner,
        types::BindAuthKeyInner {
            nonce: bind.nonce,
            temp_auth_key_id: key().id(),
            perm_auth_key_id: permanent().id(),
            temp_session_id: pair.client.session_id(),
            expires_at: EXPIRES_AT,
        }
    );
    assert_ne!(bind.random, [0; 16], "random bytes");
}

#[test]
fn no_request_goes_out_before_the_temporary_key_is_bound() {
    let mut pair = temporary();
    let ids = ["a", "b"].map(|text| pair.submit(text));
    assert_eq!(pair.client.pending(), 2, "the binding is nobody's request");
    pair.talk();
    let bind = the_binding(&mut pair);
    pair.client.ping();
    pair.pass(Duration::from_secs(10));
    assert!(pair.calls.is_empty(), "nothing but pings and the like");
    assert_eq!(bound(&pair), 0);

    pair.answering = true;
    pair.server.respond(bind.msg_id, bool_true());
    pair.talk();
    assert_eq!(bound(&pair), 1);
    pair.assert_answered(ids[0], "a");
    pair.assert_answered(ids[1], "b");
    let later = pair.submit("later");
    pair.talk();
    pair.assert_answered(later, "later");
    assert_eq!(pair.client.pending(), 0);
}

/// The constructors of what the client has to send now.
fn going(pair: &mut Pair) -> Vec<u32> {
    let packets = pair.intercept();
    let bodies = packets
        .iter()
        .flat_map(|(opened, body)| messages(opened, body));
    bodies.map(|(_, _, body)| id_of(&body)).collect()
}

#[test]
fn the_binding_goes_alone_and_salts_are_asked_for_after_it() {
    // Hardly any salts are known.
    let scarce = || temporary_with(|params| params.salts.truncate(1));
    let mut pair = scarce();
    pair.submit("a");
    assert_eq!(going(&mut pair), [BIND]);
    let mut pair = scarce();
    accept(&mut pair);
    pair.submit("a");
    assert!(going(&mut pair).contains(&functions::GetFutureSalts::CONSTRUCTOR_ID));
}

#[test]
fn each_time_it_is_sent_the_binding_is_made_anew_under_a_new_msg_id() {
    for code in [16, 17, 18, 19, 20, 32, 33, 34, 35, 48, 64] {
        let mut pair = temporary();
        let id = pair.submit("a");
        pair.refuse_all(code);
        pair.talk();
        pair.pass(Duration::from_secs(5));
        let bind = the_binding(&mut pair);
        assert_ne!(bind.random, [0; 16]);
        pair.answering = true;
        pair.server.respond(bind.msg_id, bool_true());
        pair.talk();
        assert_eq!(bound(&pair), 1, "code {code}");
        pair.assert_answered(id, "a");
    }
}

#[test]
fn a_binding_lost_with_the_connection_is_made_again() {
    let mut pair = temporary();
    let id = pair.submit("a");
    let lost = pair.intercept();
    let lost = messages(&lost[0].0, &lost[0].1);
    let lost = lost.iter().find(|(_, _, body)| id_of(body) == BIND);
    let lost = lost.map(|(msg_id, _, body)| parse(*msg_id, body)).unwrap();
    pair.client.connection_lost(pair.now);
    // No connection for an hour: nothing was refused, and nothing is given up.
    pair.now += Duration::from_secs(3600);
    pair.client.handle_timeout(pair.now);
    pair.server.connected();
    pair.talk();
    let bind = the_binding(&mut pair);
    assert!(bind.msg_id > lost.msg_id && bind.nonce != lost.nonce && bind.random != lost.random);
    pair.answering = true;
    pair.server.respond(bind.msg_id, bool_true());
    pair.talk();
    pair.assert_answered(id, "a");
    assert!(bind_failures(&pair).is_empty());
}

#[test]
fn an_answer_to_any_of_the_attempts_binds() {
    let mut pair = temporary();
    pair.talk();
    let first = the_binding(&mut pair);
    pair.client.connection_lost(pair.now);
    pair.server.connected();
    pair.talk();
    let second = the_binding(&mut pair);
    pair.server.respond(first.msg_id, bool_true());
    pair.talk();
    assert_eq!(bound(&pair), 1);
    pair.server.respond(second.msg_id, bool_true());
    pair.talk();
    assert_eq!(bound(&pair), 1, "once");
}

#[test]
fn a_refused_binding_holds_requests_back() {
    let mut pair = temporary();
    let mut options = SubmitOptions::default();
    options.deadline = Some(pair.now + Duration::from_secs(60));
    let id = pair.submit("a");
    let hasty = pair.submit_with("hasty", options);
    pair.talk();
    let bind = the_binding(&mut pair);
    pair.server
        .respond_error(bind.msg_id, 400, "ENCRYPTED_MESSAGE_INVALID");
    pair.talk();
    pair.pass(Duration::from_secs(300));
    let (code, message) = (400, "ENCRYPTED_MESSAGE_INVALID".to_owned());
    assert_eq!(
        bind_failures(&pair),
        [BindFailure::Rpc { code, message }],
        "once"
    );
    assert!(pair.calls.is_empty(), "neither a request nor a binding");
    assert_eq!(pair.outcome(id), None, "it waits for another key");
    assert_eq!(
        pair.outcome(hasty),
        Some(ClientEvent::Failed {
            id: hasty,
            reason: RequestFailure::Deadline { sent: false }
        })
    );
}

#[test]
fn an_answer_that_is_not_true_does_not_bind() {
    let mut pair = temporary();
    pair.submit("a");
    pair.talk();
    let bind = the_binding(&mut pair);
    pair.server
        .respond(bind.msg_id, 0xbc79_9737_u32.to_le_bytes().to_vec());
    pair.talk();
    assert_eq!(bind_failures(&pair), [BindFailure::Unexpected]);
    assert!(pair.calls.is_empty());
}

#[test]
fn a_server_in_trouble_is_asked_again_ever_more_slowly_and_not_for_ever() {
    let mut pair = temporary();
    let mut asked = 0;
    let mut first = None;
    pair.talk();
    while bind_failures(&pair).is_empty() {
        pair.pass(Duration::from_millis(100));
        for (msg_id, _) in std::mem::take(&mut pair.calls) {
            asked += 1;
            first.get_or_insert(pair.now);
            pair.server.respond_error(msg_id, -503, "Timeout");
            pair.talk();
        }
        assert!(asked < 100, "never given up");
    }
    assert_eq!(asked, 8);
    assert!(pair.now - first.unwrap() > Duration::from_secs(10));
    let reason = RequestFailure::Rejected {
        code: -503,
        attempts: 8,
    };
    assert_eq!(bind_failures(&pair), [BindFailure::Request(reason)]);
}

#[test]
fn a_binding_without_an_answer_has_a_deadline() {
    let mut pair = temporary();
    pair.talk();
    pair.pass(Duration::from_secs(29));
    assert!(bind_failures(&pair).is_empty());
    pair.pass(Duration::from_secs(2));
    let reason = RequestFailure::Deadline { sent: true };
    assert_eq!(bind_failures(&pair), [BindFailure::Request(reason)]);
}

#[test]
fn a_session_that_ends_before_it_is_bound_says_so_once_for_each_request() {
    let mut pair = temporary();
    let id = pair.submit("a");
    pair.talk();
    pair.client.close();
    pair.talk();
    assert!(matches!(
        pair.outcome(id),
        Some(ClientEvent::Failed {
            reason: RequestFailure::Terminated(_),
            ..
        })
    ));
    assert!(bind_failures(&pair).is_empty(), "the end says it all");
}

// -- the end of a key -------------------------------------------------------------------------------------

fn expiring(pair: &Pair) -> usize {
    let expiring = ClientEvent::KeyExpiring {
        expires_at: EXPIRES_AT,
    };
    pair.events.iter().filter(|e| **e == expiring).count()
}

#[test]
fn the_end_of_a_temporary_key_is_told_once_and_in_time() {
    let mut pair = temporary();
    accept(&mut pair);
    pair.pass(Duration::from_secs(86_400 - 601));
    assert_eq!(expiring(&pair), 0);
    pair.pass(Duration::from_secs(2));
    assert_eq!(expiring(&pair), 1);
    pair.pass(Duration::from_secs(1000));
    assert_eq!(expiring(&pair), 1);
}

#[test]
fn a_short_key_is_renewed_in_the_last_quarter_of_its_life() {
    let mut pair = temporary_with(|params| {
        params.binding = Some(Binding::new(permanent(), 1_700_000_100));
    });
    let expiring = |pair: &mut Pair| {
        while let Some(event) = pair.client.poll_event() {
            pair.events.push(event);
        }
        let is = |event: &ClientEvent| matches!(event, ClientEvent::KeyExpiring { .. });
        pair.events.iter().any(is)
    };
    // Our own clock alone does not tell: it may be wrong.
    assert_eq!(pair.client.poll_timeout(), None);
    pair.talk();
    pair.calls.clear();
    // Also without a connection.
    pair.client.connection_lost(pair.now);
    assert_eq!(
        pair.client.poll_timeout(),
        Some(pair.now + Duration::from_secs(75))
    );
    pair.client
        .handle_timeout(pair.now + Duration::from_secs(74));
    assert!(!expiring(&mut pair));
    pair.client
        .handle_timeout(pair.now + Duration::from_secs(75));
    assert!(expiring(&mut pair));
    assert_eq!(pair.client.poll_timeout(), None);
}

// -- the session of the next key --------------------------------------------------------------------------

/// Goes on with the next temporary key. The test's network knows one key only, so it is the same one.
fn renew(pair: &mut Pair) {
    let mut params = SessionParams::new(key());
    params.salts = pair.fresh_salts();
    params.binding = Some(Binding::new(permanent(), EXPIRES_AT));
    let old = std::mem::replace(
        &mut pair.client,
        layer_mtproto::session::ClientSession::new(
            SessionParams::new(key()),
            util::TestRng::boxed(9),
            Instant::now(),
            UNIX,
        ),
    );
    pair.client = old.into_successor(params);
}

#[test]
fn a_successor_takes_over_what_is_unanswered_and_each_request_has_one_outcome() {
    let mut pair = temporary();
    accept(&mut pair);
    let answered = pair.submit("answered");
    pair.answering = true;
    pair.talk();
    pair.answering = false;
    let mut forbidden = SubmitOptions::default();
    forbidden.resend_on_reconnect = false;
    let mut hasty = SubmitOptions::default();
    hasty.deadline = Some(pair.now + Duration::from_secs(60));
    let sent = pair.submit("sent");
    let once = pair.submit_with("once", forbidden.clone());
    let late = pair.submit_with("late", hasty);
    pair.talk();
    assert_eq!(pair.calls.len(), 4);
    pair.calls.clear();
    let unsent = pair.submit("unsent");
    let unsent_once = pair.submit_with("unsent once", forbidden);
    let session = pair.client.session_id();
    renew(&mut pair);
    assert_ne!(pair.client.session_id(), session);
    assert_eq!(pair.client.pending(), 4);

    accept(&mut pair);
    assert_eq!(bound(&pair), 2);
    let names = ["sent", "late", "unsent", "unsent once"];
    assert_eq!(requested(&pair), names.map(call), "in their order");
    for (msg_id, body) in std::mem::take(&mut pair.calls) {
        if body != call("late") {
            pair.server.respond(msg_id, util::pair::result_of(&body));
        }
    }
    pair.talk();
    pair.pass(Duration::from_secs(70));
    pair.assert_answered(answered, "answered");
    pair.assert_answered(sent, "sent");
    pair.assert_answered(unsent, "unsent");
    pair.assert_answered(unsent_once, "unsent once");
    let failed = |id, reason| Some(ClientEvent::Failed { id, reason });
    assert_eq!(
        pair.outcome(once),
        failed(once, RequestFailure::ConnectionLost)
    );
    let deadline = RequestFailure::Deadline { sent: true };
    assert_eq!(pair.outcome(late), failed(late, deadline));
    // Names go on, and are never given out twice.
    let next = pair.submit("next");
    assert!(next > unsent_once);
}

#[test]
fn a_successor_keeps_the_order_of_calls_that_wait_for_each_other() {
    let mut pair = temporary();
    accept(&mut pair);
    let first = pair.submit("first");
    let mut options = SubmitOptions::default();
    options.after = vec![first];
    pair.submit_with("second", options);
    pair.talk();
    pair.calls.clear();
    renew(&mut pair);
    accept(&mut pair);
    let [(first, body), (_, second)] = pair.calls.as_slice() else {
        panic!("{:?}", pair.calls)
    };
    assert_eq!(*body, call("first"));
    assert_eq!(id_of(second), INVOKE_AFTER_MSG);
    assert_eq!(second[4..12], first.to_le_bytes(), "under its new name");
    assert_eq!(second[12..], call("second"));
}

#[test]
fn a_successor_of_a_session_that_was_not_bound_binds_once() {
    let mut pair = temporary();
    let id = pair.submit("a");
    pair.talk();
    let bind = the_binding(&mut pair);
    pair.server
        .respond_error(bind.msg_id, 400, "TEMP_AUTH_KEY_ALREADY_BOUND");
    pair.talk();
    renew(&mut pair);
    assert_eq!(pair.client.pending(), 1);
    pair.talk();
    let bind = the_binding(&mut pair);
    pair.answering = true;
    pair.server.respond(bind.msg_id, bool_true());
    pair.talk();
    pair.assert_answered(id, "a");
    assert_eq!(bound(&pair), 1);

    // And one whose binding was under way.
    let mut pair = temporary();
    let id = pair.submit("a");
    pair.talk();
    pair.calls.clear();
    renew(&mut pair);
    accept(&mut pair);
    assert_eq!(requested(&pair), [call("a")]);
    assert_eq!(pair.outcome(id), None);
}

#[test]
fn events_of_the_old_session_are_not_mistaken_for_the_new_ones() {
    let mut pair = temporary();
    let id = pair.submit("a");
    pair.talk();
    pair.client.close();
    renew(&mut pair);
    let events: Vec<_> = std::iter::from_fn(|| pair.client.poll_event()).collect();
    let terminated =
        |event: &ClientEvent| matches!(event, ClientEvent::Failed { id: of, .. } if *of == id);
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(events.iter().all(terminated));
}

#[test]
fn successors_for_ever_are_bounded() {
    let mut pair = temporary();
    accept(&mut pair);
    let id = pair.submit("a");
    pair.talk();
    pair.calls.clear();
    let mut renewals = 0;
    while pair.outcome(id).is_none() {
        renew(&mut pair);
        renewals += 1;
        assert!(renewals < 100, "carried on for ever");
        if pair.client.pending() > 0 {
            accept(&mut pair);
            assert_eq!(requested(&pair), [call("a")]);
            pair.calls.clear();
        }
        pair.talk();
    }
    assert_eq!(renewals, 17);
}

// -- who the client is ------------------------------------------------------------------------------------

const PREAMBLE: [u8; 8] = [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88];

/// Whether the call begins with the preamble, which is taken off.
fn introduced(body: &[u8]) -> (bool, Vec<u8>) {
    match body.strip_prefix(&PREAMBLE) {
        Some(rest) => (true, rest.to_vec()),
        None => (false, body.to_vec()),
    }
}

/// Lets the server answer everything; gives the calls and whether each came with the preamble.
fn served(pair: &mut Pair) -> Vec<(bool, Vec<u8>)> {
    pair.talk();
    let calls = std::mem::take(&mut pair.calls);
    let mut seen = Vec::new();
    for (msg_id, body) in calls {
        let (with, rest) = introduced(&body);
        pair.server.respond(msg_id, util::pair::result_of(&rest));
        seen.push((with, rest));
    }
    pair.talk();
    seen
}

fn preambled() -> Pair {
    let mut pair = Pair::with(|params| params.preamble = PREAMBLE.to_vec(), |_| {});
    pair.answering = false;
    pair
}

#[test]
fn a_client_introduces_itself_until_it_was_answered() {
    let mut pair = preambled();
    pair.submit("a");
    pair.submit("b");
    assert_eq!(served(&mut pair), [(true, call("a")), (true, call("b"))]);
    pair.submit("c");
    assert_eq!(served(&mut pair), [(false, call("c"))]);
    pair.client.connection_lost(pair.now);
    pair.server.connected();
    pair.submit("d");
    assert_eq!(served(&mut pair), [(true, call("d"))]);
    pair.submit("e");
    assert_eq!(served(&mut pair), [(false, call("e"))]);
}

#[test]
fn a_client_introduces_itself_again_to_a_server_that_does_not_know_it() {
    let mut pair = preambled();
    pair.submit("a");
    served(&mut pair);
    // It says so.
    pair.submit("b");
    pair.talk();
    let (msg_id, _) = pair.calls.pop().unwrap();
    pair.server
        .respond_error(msg_id, 400, "CONNECTION_NOT_INITED");
    pair.talk();
    pair.submit("c");
    assert_eq!(served(&mut pair), [(true, call("c"))]);
    // It has a new session for us.
    let new = types::NewSessionCreated {
        first_msg_id: pair.server_id(0) & !3,
        unique_id: 5,
        server_salt: pair.fresh_salts()[0].salt,
    };
    let packet = pair.forged(pair.server_id(0), 1, &boxed(&new));
    pair.deliver_to_client(packet).unwrap();
    pair.submit("d");
    assert_eq!(served(&mut pair).last(), Some(&(true, call("d"))));
}

#[test]
fn a_call_that_its_predecessor_failed_introduces_nobody() {
    let mut pair = preambled();
    pair.submit("a");
    pair.talk();
    let (msg_id, _) = pair.calls.pop().unwrap();
    pair.server.respond_error(msg_id, 400, "MSG_WAIT_FAILED");
    pair.talk();
    pair.submit("b");
    assert_eq!(served(&mut pair), [(true, call("b"))]);
}

#[test]
fn a_binding_is_followed_by_an_introduction() {
    let mut pair = temporary_with(|params| params.preamble = PREAMBLE.to_vec());
    pair.submit("a");
    accept(&mut pair);
    assert_eq!(served(&mut pair), [(true, call("a"))]);
    let old = pair.submit("old");
    pair.talk();
    assert_eq!(requested(&pair), [call("old")]);
    pair.calls.clear();
    let mut params = SessionParams::new(key());
    params.salts = pair.fresh_salts();
    params.binding = Some(Binding::new(permanent(), EXPIRES_AT));
    params.preamble = PREAMBLE.to_vec();
    let spare = Pair::new().client;
    let client = std::mem::replace(&mut pair.client, spare);
    pair.client = client.into_successor(params);
    accept(&mut pair);
    assert_eq!(served(&mut pair), [(true, call("old"))]);
    pair.assert_answered(old, "old");
}

#[test]
fn a_long_call_is_compressed_behind_the_preamble() {
    let mut pair = preambled();
    let text = "a".repeat(4000);
    let id = pair.submit(&text);
    pair.talk();
    let (msg_id, body) = pair.calls.pop().unwrap();
    let (with, rest) = introduced(&body);
    assert!(with && rest.len() < 1000);
    let unpacked = layer_mtproto::session::inflate_packed(&rest, 1 << 20).unwrap();
    assert_eq!(unpacked, call(&text));
    pair.server
        .respond(msg_id, util::pair::result_of(&unpacked));
    pair.talk();
    pair.assert_answered(id, &text);
}
