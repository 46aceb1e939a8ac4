//! The key exchange: replayed from a recording, with each other, and against servers that cheat.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod util;

use std::time::{Duration, Instant};

use layer_crypto::aes::ige_encrypt;
use layer_crypto::dh::{DhError, TELEGRAM_PRIME};
use layer_crypto::rsa::{PublicKey, telegram_keys};
use layer_crypto::sha::sha1;
use layer_crypto::{AuthKey, nonce_key_iv};
use layer_mtproto::handshake::{
    Client, ClientConfig, Event, HandshakeErrorKind, Outcome, Purpose, Server, ServerEvent,
    ServerOutcome, Stage, Step,
};
use layer_mtproto::plain;
use layer_tl_types::{Cursor, Deserializable, Serializable, enums, functions, types};
use util::{Recorded, TestRng, UNIX, server_keys, unhex};

fn client_of(seed: u64, configure: impl FnOnce(&mut ClientConfig)) -> Client {
    let keys = server_keys()
        .iter()
        .map(|key| key.public().clone())
        .collect();
    let mut config = ClientConfig::new(keys, 2, Purpose::Permanent);
    configure(&mut config);
    Client::new(config, TestRng::boxed(seed), Instant::now(), UNIX)
}

fn client(seed: u64) -> Client {
    client_of(seed, |_| {})
}

fn server(seed: u64) -> Server {
    Server::new(server_keys(), 2, TestRng::boxed(seed))
}

fn sent(client: &mut Client) -> Vec<u8> {
    let mut out = Vec::new();
    assert!(
        client.poll_transmit(Instant::now(), &mut out),
        "nothing to send"
    );
    out
}

fn answered(server: &mut Server, packet: &[u8]) -> Vec<u8> {
    server.handle_packet(packet, UNIX).unwrap();
    let mut out = Vec::new();
    assert!(server.poll_transmit(&mut out));
    out
}

fn body(packet: &[u8]) -> Vec<u8> {
    plain::unpack(packet).unwrap().1.to_vec()
}

fn packet(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    plain::pack(&mut out, 5, body);
    out
}

fn events(client: &mut Client) -> (Vec<Step>, Option<Outcome>) {
    let mut steps = Vec::new();
    let mut outcome = None;
    while let Some(event) = client.poll_event() {
        match event {
            Event::Step(step) => steps.push(step),
            Event::Done(done) => outcome = Some(*done),
            _ => {}
        }
    }
    (steps, outcome)
}

/// Lets both talk until the client has nothing more to say.
fn run(client: &mut Client, server: &mut Server) -> Result<(), HandshakeErrorKind> {
    let now = Instant::now();
    let mut packet = Vec::new();
    while client.poll_transmit(now, &mut packet) {
        server
            .handle_packet(&packet, UNIX + Duration::from_secs(7))
            .map_err(|e| e.kind)?;
        packet.clear();
        assert!(server.poll_transmit(&mut packet));
        client.handle_packet(&packet, now).map_err(|e| e.kind)?;
        packet.clear();
    }
    Ok(())
}

fn outcomes(client: &mut Client, server: &mut Server) -> (Outcome, ServerOutcome) {
    let (_, ours) = events(client);
    let Some(ServerEvent::Done(theirs)) = server.poll_event() else {
        panic!("no key")
    };
    let ours = ours.expect("no key");
    assert!(ours.auth_key.as_bytes() == theirs.auth_key.as_bytes());
    assert_eq!(ours.first_salt, theirs.first_salt);
    (ours, theirs)
}

#[test]
fn the_recorded_handshake_is_replayed_byte_for_byte() {
    let vector: serde_json::Value =
        serde_json::from_str(include_str!("vectors/auth_key_handshake_2023.json")).unwrap();
    let hex = |name: &str| unhex(vector[name].as_str().unwrap());
    let step2 = hex("step2_random");
    let step3 = hex("step3_random");
    // new_nonce, then what RSA_PAD draws: padding up to 192 bytes, of which 96 are data, and temp_key.
    let rng = Recorded(
        [
            hex("step1_random"),
            step2[..32].to_vec(),
            step2[32..32 + 192].to_vec(),
            step2[32 + 192..].to_vec(),
            step3[..256].to_vec(),
            step3[256..].to_vec(),
        ]
        .into(),
    );
    let mut config = ClientConfig::new(telegram_keys(), 2, Purpose::Permanent);
    config.dc_id = None;
    let now = Instant::now();
    let unix = Duration::from_secs(vector["step3_now"].as_u64().unwrap());
    let mut client = Client::new(config, Box::new(rng), now, unix);
    for step in 1..=3 {
        assert_eq!(
            body(&sent(&mut client)),
            hex(&format!("step{step}_request")),
            "step {step}"
        );
        client
            .handle_packet(&packet(&hex(&format!("step{step}_response"))), now)
            .unwrap();
    }
    let (steps, outcome) = events(&mut client);
    let outcome = outcome.unwrap();
    assert_eq!(
        outcome.auth_key.as_bytes().to_vec(),
        hex("expected_auth_key")
    );
    assert_eq!(
        outcome.first_salt,
        vector["expected_first_salt"].as_i64().unwrap()
    );
    assert_eq!(
        outcome.time_offset_secs,
        vector["expected_time_offset"].as_i64().unwrap()
    );
    assert_eq!(outcome.expires_at, None);
    assert!(steps.contains(&Step::PqFactored {
        p: 0x44b2_e50d,
        q: 0x5e63_ac81
    }));
    assert!(steps.iter().any(|step| matches!(
        step,
        Step::DhParamsReceived {
            g: 3,
            prime_known: true,
            server_time: 1_693_436_740,
            ..
        }
    )));
}

#[test]
fn client_and_server_agree_on_a_key() {
    for seed in 0..5 {
        let (mut client, mut server) = (client(seed), server(seed + 1000));
        run(&mut client, &mut server).unwrap();
        assert_eq!(client.stage(), Stage::Finished);
        let (ours, theirs) = outcomes(&mut client, &mut server);
        assert_eq!(ours.time_offset_secs, 7);
        assert_eq!(ours.expires_at, None);
        assert_eq!(theirs.temporary, None);
        assert_eq!(theirs.dc_id, Some(2));
    }
}

#[test]
fn the_steps_tell_a_learner_every_value() {
    let (mut client, mut server) = (client(1), server(2));
    run(&mut client, &mut server).unwrap();
    let (steps, outcome) = events(&mut client);
    let names: Vec<_> = steps.iter().map(|s| format!("{s:?}")).collect();
    let order = [
        "PqRequested",
        "PqReceived",
        "PqFactored",
        "DhParamsRequested",
        "DhParamsReceived",
        "DhGenRequested",
        "KeyConfirmed",
    ];
    assert_eq!(names.len(), order.len());
    for (name, expected) in names.iter().zip(order) {
        assert!(name.starts_with(expected), "{name}");
    }
    let Step::PqReceived { pq, .. } = steps[1] else {
        panic!()
    };
    let Step::PqFactored { p, q } = steps[2] else {
        panic!()
    };
    assert!(
        p < q && p * q == pq && pq.leading_zeros() < 8,
        "pq has 8 bytes"
    );
    let Step::KeyConfirmed { auth_key_id, .. } = steps[6] else {
        panic!()
    };
    assert_eq!(auth_key_id, outcome.unwrap().auth_key.id());
}

#[test]
fn a_temporary_key_has_an_end() {
    let life = Duration::from_secs(3600);
    let mut client = client_of(1, |c| c.purpose = Purpose::Temporary { expires_in: life });
    let mut server = server(2);
    run(&mut client, &mut server).unwrap();
    let (ours, theirs) = outcomes(&mut client, &mut server);
    assert_eq!(ours.expires_at, Some(1_700_000_007 + 3600));
    assert_eq!(theirs.temporary, Some(life));
    assert_eq!(theirs.dc_id, Some(2));
}

#[test]
fn the_forms_without_dc_are_taken_too() {
    for purpose in [
        Purpose::Permanent,
        Purpose::Temporary {
            expires_in: Duration::from_secs(60),
        },
    ] {
        let mut client = client_of(1, |c| {
            c.dc_id = None;
            c.purpose = purpose;
        });
        let mut server = server(2).checking_dc();
        run(&mut client, &mut server).unwrap();
        let (_, theirs) = outcomes(&mut client, &mut server);
        assert_eq!(theirs.dc_id, None);
        assert_eq!(theirs.temporary.is_some(), purpose != Purpose::Permanent);
    }
}

#[test]
fn test_and_media_dcs_are_the_same_dc_and_others_are_refused() {
    for dc in [2, -2, 10_002, -10_002] {
        let mut client = client_of(1, |c| c.dc_id = Some(dc));
        let mut server = server(2).checking_dc();
        run(&mut client, &mut server).unwrap();
        assert_eq!(outcomes(&mut client, &mut server).1.dc_id, Some(dc));
    }
    let mut client = client_of(1, |c| c.dc_id = Some(4));
    let error = run(&mut client, &mut server(2).checking_dc()).unwrap_err();
    assert_eq!(
        error,
        HandshakeErrorKind::WrongDc {
            expected: 2,
            got: 4
        }
    );
}

#[test]
fn dh_gen_retry_makes_another_key_at_most_five_times() {
    for refused in [1, 5] {
        let (mut client, mut server) = (client(1), server(2));
        server.refuse_keys(refused);
        run(&mut client, &mut server).unwrap();
        outcomes(&mut client, &mut server);
    }
    let (mut client, mut server) = (client(1), server(2));
    server.refuse_keys(6);
    let error = run(&mut client, &mut server).unwrap_err();
    assert_eq!(error, HandshakeErrorKind::TooManyRetries(6));
}

#[test]
fn dh_gen_fail_ends_it() {
    let (mut client, mut server) = (client(1), server(2));
    server.fail_keys(true);
    assert_eq!(
        run(&mut client, &mut server),
        Err(HandshakeErrorKind::DhGenFail)
    );
    assert_eq!(client.stage(), Stage::Finished);
}

#[test]
fn silence_has_a_deadline_at_every_step() {
    for answers in 0..3 {
        let (mut client, mut server) = (client(1), server(2));
        let now = Instant::now();
        for _ in 0..answers {
            let answer = answered(&mut server, &sent(&mut client));
            client.handle_packet(&answer, now).unwrap();
        }
        let stage = client.stage();
        let deadline = client.poll_timeout().unwrap();
        assert!(deadline <= now + Duration::from_secs(30));
        client
            .handle_timeout(deadline - Duration::from_millis(1))
            .unwrap();
        let error = client.handle_timeout(deadline).unwrap_err();
        assert_eq!(
            (error.stage, &error.kind),
            (stage, &HandshakeErrorKind::Timeout)
        );
        assert_eq!(client.poll_timeout(), None);
        assert!(!client.poll_transmit(now, &mut Vec::new()));
    }
}

#[test]
fn msg_ids_of_plain_messages_follow_the_rules() {
    let (mut client, mut server) = (client(1), server(2));
    let mut last = 0;
    for _ in 0..3 {
        let request = sent(&mut client);
        let (id, _) = plain::unpack(&request).unwrap();
        assert!(id > last && id % 4 == 0 && id >> 32 == 1_700_000_000);
        last = id;
        let answer = answered(&mut server, &request);
        assert_eq!(plain::unpack(&answer).unwrap().0 & 3, 1);
        client.handle_packet(&answer, Instant::now()).unwrap();
    }
}

// ---- a server that may cheat at every step ----

/// What the server says at each step, open to change.
struct Cheat {
    res_pq: fn(&mut types::ResPq),
    inner: fn(&mut types::ServerDhInnerData),
    answer: fn(&mut Vec<u8>),
    dh_params: fn(&mut types::ServerDhParamsOk),
    dh_gen: fn(&mut types::DhGenOk),
}

const HONEST: Cheat = Cheat {
    res_pq: |_| {},
    inner: |_| {},
    answer: |_| {},
    dh_params: |_| {},
    dh_gen: |_| {},
};

fn read<F: Deserializable>(packet: &[u8]) -> F {
    F::deserialize(&mut Cursor::new(&body(packet))).unwrap()
}

/// Plays the server as `cheat` has it, and gives how it ended for the client.
fn exchange(cheat: &Cheat) -> Result<(), (Stage, HandshakeErrorKind)> {
    let mut client = client(1);
    let now = Instant::now();
    let failed = |e: layer_mtproto::handshake::HandshakeError| (e.stage, e.kind);
    let key = &server_keys()[0];

    let request: functions::ReqPqMulti = read(&sent(&mut client));
    let mut res_pq = types::ResPq {
        nonce: request.nonce,
        server_nonce: [3; 16],
        pq: 0x17ED_4894_1A08_F981_u64.to_be_bytes().to_vec(),
        server_public_key_fingerprints: vec![1, key.public().fingerprint()],
    };
    (cheat.res_pq)(&mut res_pq);
    client
        .handle_packet(&packet(&enums::ResPq::from(res_pq).to_bytes()), now)
        .map_err(failed)?;

    let request: functions::ReqDhParams = read(&sent(&mut client));
    let wish = key.decrypt_pad(&request.encrypted_data).unwrap();
    let wish: types::PQInnerDataDc =
        Deserializable::deserialize(&mut Cursor::new(&wish[4..])).unwrap();
    let secret = layer_crypto::dh::Secret::generate(&mut TestRng::new(1));
    let mut inner = types::ServerDhInnerData {
        nonce: request.nonce,
        server_nonce: request.server_nonce,
        g: 3,
        dh_prime: TELEGRAM_PRIME.to_vec(),
        g_a: secret.public(3, &TELEGRAM_PRIME).unwrap().to_vec(),
        server_time: 1_700_000_000,
    };
    (cheat.inner)(&mut inner);
    let inner = enums::ServerDhInnerData::from(inner).to_bytes();
    let mut answer = sha1(&[&inner]).to_vec();
    answer.extend_from_slice(&inner);
    answer.resize(answer.len().next_multiple_of(16), 0);
    (cheat.answer)(&mut answer);
    let (aes_key, iv) = nonce_key_iv(&wish.server_nonce, &wish.new_nonce);
    let _ = ige_encrypt(&aes_key, &iv, &mut answer);
    let mut dh_params = types::ServerDhParamsOk {
        nonce: request.nonce,
        server_nonce: request.server_nonce,
        encrypted_answer: answer,
    };
    (cheat.dh_params)(&mut dh_params);
    client
        .handle_packet(
            &packet(&enums::ServerDhParams::from(dh_params).to_bytes()),
            now,
        )
        .map_err(failed)?;

    let request: functions::SetClientDhParams = read(&sent(&mut client));
    let mut sealed = request.encrypted_data.clone();
    layer_crypto::aes::ige_decrypt(&aes_key, &iv, &mut sealed).unwrap();
    let half: types::ClientDhInnerData =
        Deserializable::deserialize(&mut Cursor::new(&sealed[24..])).unwrap();
    let auth_key: AuthKey = secret.agree(&half.g_b, &TELEGRAM_PRIME).unwrap();
    let mut dh_gen = types::DhGenOk {
        nonce: request.nonce,
        server_nonce: request.server_nonce,
        new_nonce_hash1: auth_key.new_nonce_hash(&wish.new_nonce, 1),
    };
    (cheat.dh_gen)(&mut dh_gen);
    client
        .handle_packet(
            &packet(&enums::SetClientDhParamsAnswer::from(dh_gen).to_bytes()),
            now,
        )
        .map_err(failed)
}

#[test]
fn an_honest_server_by_hand_is_believed() {
    assert_eq!(exchange(&HONEST), Ok(()));
}

#[test]
fn nonces_are_compared_at_every_step() {
    use HandshakeErrorKind::{Nonce, ServerNonce};
    let cases = [
        (
            Cheat {
                res_pq: |m| m.nonce[0] ^= 1,
                ..HONEST
            },
            Stage::Pq,
            Nonce,
        ),
        (
            Cheat {
                dh_params: |m| m.nonce[0] ^= 1,
                ..HONEST
            },
            Stage::DhParams,
            Nonce,
        ),
        (
            Cheat {
                dh_params: |m| m.server_nonce[15] ^= 1,
                ..HONEST
            },
            Stage::DhParams,
            ServerNonce,
        ),
        (
            Cheat {
                inner: |m| m.nonce[0] ^= 1,
                ..HONEST
            },
            Stage::DhParams,
            Nonce,
        ),
        (
            Cheat {
                inner: |m| m.server_nonce[0] ^= 1,
                ..HONEST
            },
            Stage::DhParams,
            ServerNonce,
        ),
        (
            Cheat {
                dh_gen: |m| m.nonce[0] ^= 1,
                ..HONEST
            },
            Stage::DhGen,
            Nonce,
        ),
        (
            Cheat {
                dh_gen: |m| m.server_nonce[0] ^= 1,
                ..HONEST
            },
            Stage::DhGen,
            ServerNonce,
        ),
    ];
    for (i, (cheat, stage, kind)) in cases.into_iter().enumerate() {
        assert_eq!(exchange(&cheat), Err((stage, kind)), "case {i}");
    }
}

#[test]
fn pq_must_be_the_product_of_two_primes_in_eight_bytes() {
    let pqs: [fn(&mut types::ResPq); 5] = [
        |m| m.pq = vec![0; 9],
        |m| m.pq = vec![],
        |m| m.pq = vec![1],
        |m| m.pq = 0x7fff_ffff_u64.to_be_bytes().to_vec(),
        |m| m.pq = vec![0; 8],
    ];
    for (i, res_pq) in pqs.into_iter().enumerate() {
        let result = exchange(&Cheat { res_pq, ..HONEST });
        assert!(
            matches!(result, Err((Stage::Pq, HandshakeErrorKind::Pq { .. }))),
            "{i}: {result:?}"
        );
    }
}

#[test]
fn a_server_without_a_trusted_rsa_key_is_refused() {
    let cheat = Cheat {
        res_pq: |m| m.server_public_key_fingerprints = vec![1, 2],
        ..HONEST
    };
    let expected = HandshakeErrorKind::UnknownFingerprints {
        offered: vec![1, 2],
    };
    assert_eq!(exchange(&cheat), Err((Stage::Pq, expected)));
}

#[test]
fn the_groups_prime_and_generator_are_checked() {
    type Change = fn(&mut types::ServerDhInnerData);
    let cases: [(Change, DhError); 4] = [
        (|m| m.g = 8, DhError::GeneratorRange { g: 8 }),
        (|m| m.g = 2, DhError::GeneratorResidue { g: 2 }),
        (|m| m.dh_prime[0] = 0x47, DhError::PrimeSize { bits: 2047 }),
        (
            |m| {
                // Still 2 modulo 3, so that only the test of primality can tell.
                m.dh_prime[255] = m.dh_prime[255].wrapping_add(6);
            },
            DhError::NotSafePrime,
        ),
    ];
    for (inner, expected) in cases {
        let result = exchange(&Cheat { inner, ..HONEST });
        assert_eq!(
            result,
            Err((Stage::DhParams, HandshakeErrorKind::Group(expected)))
        );
    }
}

#[test]
fn g_a_must_be_in_the_safe_range() {
    let near_prime: fn(&mut types::ServerDhInnerData) = |m| {
        m.g_a = TELEGRAM_PRIME.to_vec();
        m.g_a[255] -= 1;
    };
    let cases: [fn(&mut types::ServerDhInnerData); 5] = [
        |m| m.g_a = vec![],
        |m| m.g_a = vec![1],
        |m| m.g_a = vec![0xff; 248],
        near_prime,
        |m| m.g_a = vec![0xff; 257],
    ];
    for inner in cases {
        let result = exchange(&Cheat { inner, ..HONEST });
        assert!(
            matches!(
                result,
                Err((Stage::DhParams, HandshakeErrorKind::Public(_)))
            ),
            "{result:?}"
        );
    }
}

#[test]
fn the_encrypted_answers_hash_length_and_padding_are_checked() {
    use HandshakeErrorKind::{EncryptedHash, EncryptedLength};
    let cheat = Cheat {
        answer: |a| a[0] ^= 1,
        ..HONEST
    };
    assert_eq!(exchange(&cheat), Err((Stage::DhParams, EncryptedHash)));
    let cheat = Cheat {
        answer: |a| a.resize(a.len() + 16, 0),
        ..HONEST
    };
    assert_eq!(exchange(&cheat), Err((Stage::DhParams, EncryptedHash)));
    for cut in [0_usize, 8, 16] {
        let cheat = Cheat {
            dh_params: match cut {
                0 => |m| m.encrypted_answer.clear(),
                8 => |m| m.encrypted_answer.truncate(8),
                _ => |m| m.encrypted_answer.truncate(16),
            },
            ..HONEST
        };
        let expected = EncryptedLength { length: cut };
        assert_eq!(exchange(&cheat), Err((Stage::DhParams, expected)));
    }
}

#[test]
fn the_hash_of_new_nonce_is_checked() {
    let cheat = Cheat {
        dh_gen: |m| m.new_nonce_hash1[0] ^= 1,
        ..HONEST
    };
    assert_eq!(
        exchange(&cheat),
        Err((Stage::DhGen, HandshakeErrorKind::NewNonceHash))
    );
}

#[test]
fn an_ok_turned_into_a_retry_or_a_fail_is_noticed() {
    for fail in [false, true] {
        let (mut client, mut server) = (client(1), server(2));
        let now = Instant::now();
        for _ in 0..2 {
            let answer = answered(&mut server, &sent(&mut client));
            client.handle_packet(&answer, now).unwrap();
        }
        let mut answer = answered(&mut server, &sent(&mut client));
        let id: u32 = if fail { 0xa69d_ae02 } else { 0x46dc_1fb9 };
        answer[plain::HEADER..plain::HEADER + 4].copy_from_slice(&id.to_le_bytes());
        let error = client.handle_packet(&answer, now).unwrap_err();
        assert_eq!(error.kind, HandshakeErrorKind::NewNonceHash);
    }
}

#[test]
fn server_dh_params_fail_is_believed_only_with_its_hash() {
    for honest in [true, false] {
        let mut client = client(1);
        let mut server = server(2);
        let now = Instant::now();
        let answer = answered(&mut server, &sent(&mut client));
        client.handle_packet(&answer, now).unwrap();
        let request: functions::ReqDhParams = read(&sent(&mut client));
        let wish = server_keys()[0]
            .decrypt_pad(&request.encrypted_data)
            .unwrap();
        let wish: types::PQInnerDataDc =
            Deserializable::deserialize(&mut Cursor::new(&wish[4..])).unwrap();
        let mut new_nonce_hash: [u8; 16] = sha1(&[&wish.new_nonce])[4..].try_into().unwrap();
        new_nonce_hash[0] ^= u8::from(!honest);
        let fail: enums::ServerDhParams = types::ServerDhParamsFail {
            nonce: request.nonce,
            server_nonce: request.server_nonce,
            new_nonce_hash,
        }
        .into();
        let error = client
            .handle_packet(&packet(&fail.to_bytes()), now)
            .unwrap_err();
        let expected = if honest {
            HandshakeErrorKind::DhParamsFail
        } else {
            HandshakeErrorKind::NewNonceHash
        };
        assert_eq!(error.kind, expected);
    }
}

#[test]
fn answers_out_of_turn_cut_short_or_of_garbage_are_errors() {
    let now = Instant::now();
    for steps in 0..3 {
        let begin = || {
            let (mut client, mut server) = (client(1), server(2));
            for _ in 0..steps {
                let answer = answered(&mut server, &sent(&mut client));
                client.handle_packet(&answer, now).unwrap();
            }
            let answer = answered(&mut server, &sent(&mut client));
            (client, answer)
        };
        for length in [0, 7, 8, 19, 20, 23, 24, 39, 40, 56, 60] {
            let (mut client, answer) = begin();
            let length = length.min(answer.len() - 1);
            assert!(
                client.handle_packet(&answer[..length], now).is_err(),
                "{length} bytes"
            );
            assert!(
                client.handle_packet(&answer, now).is_err(),
                "an error is the end"
            );
        }
        let (mut client, answer) = begin();
        let truth = body(&answer);
        let cut = packet(&truth[..truth.len() - 8]);
        assert!(client.handle_packet(&cut, now).is_err());
    }
}

// ---- the server's side ----

#[test]
fn repeated_requests_get_the_same_answer() {
    let (mut client, mut server) = (client(1), server(2));
    for _ in 0..3 {
        let request = sent(&mut client);
        let answer = answered(&mut server, &request);
        let again = answered(&mut server, &request);
        assert_eq!(body(&answer), body(&again));
        client.handle_packet(&again, Instant::now()).unwrap();
    }
    outcomes(&mut client, &mut server);
    assert!(server.poll_event().is_none(), "one key, not two");
}

#[test]
fn a_connection_may_carry_one_exchange_after_another() {
    let mut server = server(2);
    for seed in 0..3 {
        let mut client = client(seed);
        run(&mut client, &mut server).unwrap();
        outcomes(&mut client, &mut server);
    }
    // Also when one is left unfinished.
    answered(&mut server, &sent(&mut client(8)));
    let mut client = client(9);
    run(&mut client, &mut server).unwrap();
    outcomes(&mut client, &mut server);
}

/// A client as older libraries are: req_pq, the SHA-1 scheme, and padding after the message.
#[test]
fn the_legacy_forms_are_taken() {
    let mut server = server(2);
    let key: PublicKey = server_keys()[0].public().clone();
    let nonce = [9; 16];
    let mut request = functions::ReqPq { nonce }.to_bytes();
    request.extend_from_slice(&[0x55; 32]);
    let answer = body(&answered(&mut server, &packet(&request)));
    let res_pq = types::ResPq::deserialize(&mut Cursor::new(&answer[4..])).unwrap();
    let pq = u64::from_be_bytes(res_pq.pq.as_slice().try_into().unwrap());
    let (p, q) = layer_crypto::factorize(pq).unwrap();
    let bytes = |n: u64| n.to_be_bytes()[4..].to_vec();
    let new_nonce = [4; 32];
    let inner: enums::PQInnerData = types::PQInnerData {
        pq: res_pq.pq.clone(),
        p: bytes(p),
        q: bytes(q),
        nonce,
        server_nonce: res_pq.server_nonce,
        new_nonce,
    }
    .into();
    let encrypted = key
        .encrypt_legacy(&inner.to_bytes(), &mut TestRng::new(3))
        .unwrap();
    let request = functions::ReqDhParams {
        nonce,
        server_nonce: res_pq.server_nonce,
        p: bytes(p),
        q: bytes(q),
        public_key_fingerprint: key.fingerprint(),
        encrypted_data: encrypted.to_vec(),
    };
    let answer = body(&answered(&mut server, &packet(&request.to_bytes())));
    types::ServerDhParamsOk::deserialize(&mut Cursor::new(&answer[4..])).unwrap();
}

#[test]
fn a_short_g_b_is_taken_and_leading_zeros_do_not_matter() {
    // The client strips leading zeros from its number: 1 exchange in 256 has some. Both forms must do.
    let mut shortest = usize::MAX;
    for seed in 0..700 {
        let secret = layer_crypto::dh::Secret::generate(&mut TestRng::new(seed));
        if secret.public(3, &TELEGRAM_PRIME).unwrap()[0] != 0 {
            continue;
        }
        let mut client = client_with_secret(seed);
        let mut server = server(2);
        run(&mut client, &mut server).unwrap();
        let (steps, _) = events(&mut client);
        let Some(Step::DhGenRequested { g_b, .. }) = steps
            .iter()
            .find(|s| matches!(s, Step::DhGenRequested { .. }))
        else {
            panic!()
        };
        shortest = shortest.min(g_b.len());
        assert!(matches!(server.poll_event(), Some(ServerEvent::Done(_))));
        break;
    }
    assert!(shortest < 256, "no seed gave a short number");
}

/// A client whose Diffie-Hellman secret comes from `seed` alone.
fn client_with_secret(seed: u64) -> Client {
    struct Mixed(TestRng, TestRng);
    impl layer_crypto::SecureRandom for Mixed {
        fn fill(&mut self, dest: &mut [u8]) {
            if dest.len() == 256 {
                self.1.fill(dest)
            } else {
                self.0.fill(dest)
            }
        }
    }
    let keys = server_keys()
        .iter()
        .map(|key| key.public().clone())
        .collect();
    let config = ClientConfig::new(keys, 2, Purpose::Permanent);
    let rng = Mixed(TestRng::new(77), TestRng::new(seed));
    Client::new(config, Box::new(rng), Instant::now(), UNIX)
}

#[test]
fn the_server_checks_nonces_factors_keys_and_retry_ids() {
    use HandshakeErrorKind as K;
    let tamper = |change: fn(&mut functions::ReqDhParams)| {
        let (mut client, mut server) = (client(1), server(2));
        let answer = answered(&mut server, &sent(&mut client));
        client.handle_packet(&answer, Instant::now()).unwrap();
        let mut request: functions::ReqDhParams = read(&sent(&mut client));
        change(&mut request);
        server
            .handle_packet(&packet(&request.to_bytes()), UNIX)
            .unwrap_err()
            .kind
    };
    assert_eq!(tamper(|r| r.nonce[0] ^= 1), K::Nonce);
    assert_eq!(tamper(|r| r.server_nonce[0] ^= 1), K::ServerNonce);
    assert_eq!(tamper(|r| r.p[0] ^= 1), K::Factors);
    assert_eq!(tamper(|r| r.q = vec![1; 400]), K::Factors);
    assert_eq!(
        tamper(|r| r.public_key_fingerprint = 5),
        K::UnknownFingerprint(5)
    );
    assert!(matches!(tamper(|r| r.encrypted_data[9] ^= 1), K::Rsa(_)));
    assert!(matches!(tamper(|r| r.encrypted_data.clear()), K::Rsa(_)));

    let (mut client, mut server) = (client(1), server(2));
    server.refuse_keys(1);
    let now = Instant::now();
    for _ in 0..2 {
        let answer = answered(&mut server, &sent(&mut client));
        client.handle_packet(&answer, now).unwrap();
    }
    let first = sent(&mut client);
    answered(&mut server, &first);
    // The same key again, but not as the repetition of a lost message: retry_id is missing.
    let mut padded = body(&first);
    padded.extend_from_slice(&[0; 4]);
    let error = server.handle_packet(&packet(&padded), UNIX).unwrap_err();
    assert!(matches!(error.kind, K::RetryId { got: 0, .. }), "{error}");
}

#[test]
fn strangers_messages_never_panic_the_server() {
    let mut rng = fastrand::Rng::with_seed(3);
    for seed in 0..150 {
        let (mut client, mut server) = (client(seed % 3), server(2));
        for _ in 0..rng.usize(0..2) {
            let answer = answered(&mut server, &sent(&mut client));
            client.handle_packet(&answer, Instant::now()).unwrap();
        }
        let mut request = sent(&mut client);
        for _ in 0..rng.usize(1..4) {
            let at = rng.usize(..request.len());
            request[at] = rng.u8(..);
        }
        request.truncate(rng.usize(request.len() / 2..=request.len()));
        let _ = server.handle_packet(&request, UNIX);
    }
}
