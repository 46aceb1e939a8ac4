//! FakeTLS, both sides: hellos that prove the secret, records however they are split, and all that is refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod util;

use std::sync::Arc;
use std::time::Duration;

use layer_mtproto::faketls::{Accepted, Client, FakeTlsError, Opening, Records, Replays, Server};
use layer_mtproto::transport::{
    Acceptor, Codec, Frame, ObfuscationParams, ProxySecret, TransportError, TransportKind,
};
use util::{TestRng, UNIX, unhex};

const KEY: [u8; 16] = *b"0123456789abcdef";
const DOMAIN: &str = "www.example.com";
/// Where in a hello its `random` is.
const RANDOM: std::ops::Range<usize> = 11..43;

fn secrets() -> Arc<[ProxySecret]> {
    [
        ProxySecret::plain(KEY),
        ProxySecret::fake_tls([1; 16], "example.org").unwrap(),
        ProxySecret::fake_tls(KEY, DOMAIN).unwrap(),
    ]
    .into()
}

fn client() -> Client {
    Client::new(&KEY, DOMAIN, UNIX, &mut TestRng::new(7))
}

/// What a server makes of the bytes of a new connection, and its answer.
fn serve_at(
    bytes: &[u8],
    unix: Duration,
    replays: &mut Replays,
) -> (Result<Opening, FakeTlsError>, Vec<u8>) {
    let mut out = Vec::new();
    let opening = Server::new(secrets()).feed(bytes, unix, replays, &mut TestRng::new(8), &mut out);
    (opening, out)
}

fn serve(bytes: &[u8]) -> (Result<Opening, FakeTlsError>, Vec<u8>) {
    serve_at(bytes, UNIX, &mut Replays::default())
}

fn refusal(bytes: &[u8]) -> FakeTlsError {
    let (opening, out) = serve(bytes);
    assert!(out.is_empty(), "who is refused gets no answer");
    opening.unwrap_err()
}

/// A client and a server that have met.
fn pair() -> (Records, Accepted) {
    let mut client = client();
    let (opening, answer) = serve(client.hello());
    let Opening::Tls(accepted) = opening.unwrap() else {
        panic!("no TLS");
    };
    (client.feed(&answer).unwrap().unwrap(), accepted)
}

fn client_codec(records: Records) -> Codec {
    let obfuscation = ObfuscationParams {
        secret: Some(KEY),
        dc_id: -4,
    };
    let kind = TransportKind::PaddedIntermediate;
    Codec::client(kind, Some(obfuscation), TestRng::boxed(9)).within(records)
}

fn acceptor(records: Records) -> Acceptor {
    Acceptor::new(vec![KEY], TestRng::boxed(10))
        .require_secret()
        .within(records)
}

fn packet(length: usize) -> Vec<u8> {
    let mut packet = Vec::new();
    layer_mtproto::plain::pack(&mut packet, 0x5f00_0000_0000_0000, &vec![0xab; length]);
    packet
}

fn pack(codec: &mut Codec, lengths: &[usize]) -> Vec<u8> {
    let mut out = Vec::new();
    for length in lengths {
        codec.pack(&packet(*length), &mut out).unwrap();
    }
    out
}

fn frames(codec: &mut Codec) -> Vec<Frame> {
    std::iter::from_fn(|| codec.next_frame().unwrap()).collect()
}

fn packets(lengths: &[usize]) -> Vec<Frame> {
    lengths.iter().map(|l| frame(*l)).collect()
}

fn frame(length: usize) -> Frame {
    Frame::Packet(packet(length)[..].into())
}

#[test]
fn packets_go_both_ways_in_records_of_application_data() {
    let (records, accepted) = pair();
    assert_eq!(accepted.secret.domain(), Some(DOMAIN));
    let mut client = client_codec(records);
    let lengths = [20, 400, 70_000, 4];
    let bytes = pack(&mut client, &lengths);
    let mut server = acceptor(accepted.records).feed(&bytes).unwrap().unwrap();
    assert_eq!((server.dc_id, server.secret_used), (Some(-4), true));
    assert_eq!(frames(&mut server.codec), packets(&lengths));

    let answer = pack(&mut server.codec, &lengths);
    client.feed(&answer);
    assert_eq!(frames(&mut client), packets(&lengths));

    // On the wire: the client's ChangeCipherSpec once, and records of 16 KiB at most.
    let (announcement, rest) = bytes.split_at(6);
    assert_eq!(announcement, [20, 3, 3, 0, 1, 1]);
    assert!(record_lengths(rest)[0] > 64);
    assert_eq!(record_lengths(rest).len(), 1 + 1 + 5 + 1);
    // The server's came with its hello, and each frame begins a record of its own.
    let lengths = record_lengths(&answer);
    assert_eq!(lengths.len(), 1 + 1 + 5 + 1);
    assert_eq!(lengths[2..6], [16_384; 4]);
}

fn record_lengths(mut bytes: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    while let [kind, major, minor, high, low, rest @ ..] = bytes {
        assert_eq!((*kind, *major, *minor), (23, 3, 3));
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        lengths.push(length);
        bytes = &rest[length..];
    }
    assert!(bytes.is_empty());
    lengths
}

#[test]
fn hellos_split_at_every_byte_are_read_the_same() {
    let hello = client().hello().to_vec();
    for at in 0..hello.len() {
        let (first, second) = hello.split_at(at);
        let mut server = Server::new(secrets());
        let (mut replays, mut out) = (Replays::default(), Vec::new());
        let mut feed =
            |bytes: &[u8]| server.feed(bytes, UNIX, &mut replays, &mut TestRng::new(8), &mut out);
        assert!(
            matches!(feed(first), Ok(Opening::NeedMore)),
            "split at {at}"
        );
        assert!(matches!(feed(second), Ok(Opening::Tls(_))), "split at {at}");
        assert!(matches!(feed(&[]), Err(FakeTlsError::Finished)));
    }
    let (_, answer) = serve(&hello);
    for at in 0..answer.len() {
        let mut client = client();
        assert!(
            client.feed(&answer[..at]).unwrap().is_none(),
            "split at {at}"
        );
        assert!(
            client.feed(&answer[at..]).unwrap().is_some(),
            "split at {at}"
        );
        assert_eq!(client.feed(&[]).unwrap_err(), FakeTlsError::Finished);
    }
}

#[test]
fn records_split_at_every_byte_are_read_the_same() {
    let lengths = [20, 4, 100];
    let (records, _) = pair();
    let bytes = pack(&mut client_codec(records), &lengths);
    for at in 0..=bytes.len() {
        let (_, accepted) = pair();
        let mut acceptor = acceptor(accepted.records);
        let mut server = None;
        let mut got = Vec::new();
        for piece in [&bytes[..at], &bytes[at..]] {
            match &mut server {
                None => server = acceptor.feed(piece).unwrap().map(|accepted| accepted.codec),
                Some(codec) => codec.feed(piece),
            }
            got.extend(server.iter_mut().flat_map(frames));
        }
        assert_eq!(got, packets(&lengths), "split at {at}");
    }
}

#[test]
fn what_comes_with_a_hello_is_not_lost() {
    // The client's first packet in the same piece as its hello, though it had no reason to send it yet.
    let (records, _) = pair();
    let mut bytes = client().hello().to_vec();
    bytes.extend(pack(&mut client_codec(records), &[20]));
    let (opening, mut answer) = serve(&bytes);
    let Opening::Tls(accepted) = opening.unwrap() else {
        panic!("no TLS");
    };
    let mut server = acceptor(accepted.records).feed(&[]).unwrap().unwrap();
    assert_eq!(frames(&mut server.codec), packets(&[20]));
    // And the server's with its answer.
    let mut client = client();
    answer.extend_from_slice(&[23, 3, 3, 0, 4, 1]);
    assert!(client.feed(&answer).unwrap().is_some());
}

/// Hellos that were recorded, for the secret 000102…0f and `www.example.com`, and when they were made.
fn recorded() -> [(Vec<u8>, Duration); 2] {
    let hello = |hex: &str, unix| (unhex(hex.trim()), Duration::from_secs(unix));
    [
        hello(
            include_str!("vectors/faketls_hello_mtcute.hex"),
            1_700_000_000,
        ),
        hello(
            include_str!("vectors/faketls_hello_tdlib_1_8_62.hex"),
            1_795_642_827,
        ),
    ]
}

#[test]
fn hellos_of_other_clients_are_taken() {
    let key = unhex("000102030405060708090a0b0c0d0e0f")
        .try_into()
        .unwrap();
    let secret = ProxySecret::fake_tls(key, DOMAIN).unwrap();
    for (hello, unix) in recorded() {
        let mut server = Server::new([secret.clone()].into());
        let (mut replays, mut out) = (Replays::default(), Vec::new());
        let mut feed = |unix, bytes: &[u8]| {
            server.feed(bytes, unix, &mut replays, &mut TestRng::new(8), &mut out)
        };
        let opening = feed(unix, &hello);
        assert!(matches!(opening, Ok(Opening::Tls(_))), "{opening:?}");
        let mut late = Server::new([secret.clone()].into());
        let later = unix + Duration::from_secs(700);
        let opening = late.feed(&hello, later, &mut replays, &mut TestRng::new(8), &mut out);
        assert!(
            matches!(opening, Err(FakeTlsError::Clock { ahead: -705..=-700 })),
            "{opening:?}"
        );
    }
}

/// The cipher suites of a hello, and its extensions with their lengths, without what has no meaning.
fn shape(hello: &[u8]) -> (Vec<u16>, Vec<(u16, usize)>) {
    let word = |at: usize| u16::from_be_bytes([hello[at], hello[at + 1]]);
    let has_meaning = |word: &u16| word & 0x0f0f != 0x0a0a;
    let suites = usize::from(word(76));
    let listed = (78..78 + suites).step_by(2).map(word).filter(has_meaning);
    let mut extensions = Vec::new();
    let mut at = 78 + suites + 2;
    let end = at + 2 + usize::from(word(at));
    assert_eq!(end, hello.len());
    at += 2;
    while at < end {
        let length = usize::from(word(at + 2));
        extensions.push(match word(at) {
            // The encrypted hello: of a changing length, and in 1.8.62 of an older draft than Chrome, and TDLib
            // after it, send.
            0xfe02 | 0xfe0d => (0xfe0d, 0),
            kind => (kind, length),
        });
        at += 4 + length;
    }
    assert!(!has_meaning(&extensions[0].0) && !has_meaning(&extensions.last().unwrap().0));
    extensions.retain(|(kind, _)| has_meaning(kind));
    extensions.sort_unstable();
    (listed.collect(), extensions)
}

#[test]
fn the_hello_has_the_shape_of_tdlibs() {
    let [_, (tdlib, _)] = recorded();
    for seed in 0..20 {
        let ours = Client::new(&KEY, DOMAIN, UNIX, &mut TestRng::new(seed));
        assert_eq!(shape(ours.hello()), shape(&tdlib));
    }
}

#[test]
fn a_tls_server_understands_the_hello() {
    for seed in 0..20 {
        let client = Client::new(&KEY, DOMAIN, UNIX, &mut TestRng::new(seed));
        let mut acceptor = rustls::server::Acceptor::default();
        let mut bytes = client.hello();
        while !bytes.is_empty() {
            acceptor.read_tls(&mut bytes).unwrap();
        }
        let accepted = acceptor
            .accept()
            .map_err(|(error, _)| error)
            .unwrap()
            .expect("all of it is here");
        let hello = accepted.client_hello();
        assert_eq!(hello.server_name(), Some(DOMAIN));
        let protocols: Vec<_> = hello.alpn().unwrap().collect();
        assert_eq!(protocols, [&b"h2"[..], b"http/1.1"]);
        let suites: Vec<_> = hello
            .cipher_suites()
            .iter()
            .map(|s| u16::from(*s))
            .collect();
        assert_eq!(suites[1..4], [0x1301, 0x1302, 0x1303]);
        assert_eq!(suites[0] & 0x0f0f, 0x0a0a, "the first is of no meaning");
    }
}

#[test]
fn no_two_hellos_are_alike() {
    let hello = |seed| {
        Client::new(&KEY, DOMAIN, UNIX, &mut TestRng::new(seed))
            .hello()
            .to_vec()
    };
    // The second extension is Chrome's first: the order is another each time.
    let first_extension = |hello: Vec<u8>| hello[118..120].to_vec();
    let mut seen: Vec<_> = (0..50).map(|seed| first_extension(hello(seed))).collect();
    seen.sort();
    seen.dedup();
    assert!(seen.len() > 5, "{seen:?}");
    assert_ne!(hello(1)[RANDOM], hello(2)[RANDOM]);
    assert_ne!(hello(1)[44..76], hello(2)[44..76], "the session id");
}

#[test]
fn an_answer_with_any_byte_changed_is_refused() {
    let hello = client().hello().to_vec();
    let (_, answer) = serve(&hello);
    for at in 0..answer.len() {
        let mut damaged = answer.clone();
        damaged[at] ^= 1;
        // A longer record waits for more.
        if let Ok(records) = client().feed(&damaged) {
            assert!(records.is_none(), "byte {at} counts for nothing");
            assert!(matches!(at, 3 | 4 | 136 | 137), "byte {at}");
        }
    }
}

#[test]
fn a_hello_with_any_byte_changed_gets_no_answer() {
    let hello = client().hello().to_vec();
    for at in 0..hello.len() {
        let mut damaged = hello.clone();
        if matches!(at, 39 | 40) {
            // The time is not covered by the proof, and these make little of it.
            continue;
        }
        damaged[at] ^= 1;
        let (opening, out) = serve(&damaged);
        assert!(out.is_empty(), "byte {at}");
        match opening {
            Ok(Opening::Tls(_)) => panic!("byte {at} counts for nothing"),
            Ok(Opening::NotTls(_)) => assert!(at < 5),
            Ok(Opening::NeedMore) => assert!(matches!(at, 3 | 4), "byte {at}"),
            Err(_) => {}
        }
    }
}

#[test]
fn a_server_that_does_not_know_the_secret_is_found_out() {
    let mut stranger = Client::new(&[1; 16], "example.org", UNIX, &mut TestRng::new(3));
    let (_, answer) = serve(stranger.hello());
    assert_eq!(
        client().feed(&answer).unwrap_err(),
        FakeTlsError::WrongSecret
    );
    assert!(stranger.feed(&answer).is_ok());
    // Nor does the right answer to another hello do.
    let mut other = Client::new(&[1; 16], "example.org", UNIX, &mut TestRng::new(4));
    assert_eq!(other.feed(&answer).unwrap_err(), FakeTlsError::WrongSecret);
}

#[test]
fn servers_that_are_no_proxies_are_told_apart() {
    let feed = |bytes: &[u8]| client().feed(bytes).unwrap_err();
    assert_eq!(feed(b"HTTP/1.1 400"), FakeTlsError::NotTls { got: b'H' });
    assert_eq!(feed(&[0]), FakeTlsError::NotTls { got: 0 });
    // handshake_failure
    assert_eq!(
        feed(&[21, 3, 3, 0, 2, 2, 40]),
        FakeTlsError::Alert { description: 40 }
    );
    assert!(client().feed(&[21, 3, 3, 0, 2, 2]).unwrap().is_none());
    // A server of TLS 1.2 sends its certificate where the ChangeCipherSpec is due.
    let mut hello = vec![22, 3, 3, 0, 50, 2];
    hello.resize(55, 0);
    hello.extend_from_slice(&[22, 3, 3]);
    assert_eq!(feed(&hello), FakeTlsError::WrongSecret);
    // A record with no room for the proof.
    assert_eq!(
        feed(&[22, 3, 3, 0, 37]),
        FakeTlsError::Record {
            kind: 22,
            version: 0x0303,
            length: 37
        }
    );
}

#[test]
fn an_answer_with_oversized_records_is_refused_before_they_come() {
    let (_, answer) = serve(client().hello());
    for at in [3, 136] {
        let mut oversized = answer[..at + 2].to_vec();
        oversized[at..].copy_from_slice(&16_641_u16.to_be_bytes());
        let error = client().feed(&oversized).unwrap_err();
        assert!(
            matches!(error, FakeTlsError::Record { length: 16_641, .. }),
            "{error}"
        );
    }
}

#[test]
fn hellos_from_another_time_are_refused() {
    let hello = client().hello().to_vec();
    let at = |unix| serve_at(&hello, unix, &mut Replays::default()).0;
    let second = Duration::from_secs(1);
    for (unix, ahead) in [
        (UNIX + 601 * second, -601),
        (UNIX - 61 * second, 61),
        (Duration::ZERO, 1_700_000_000),
    ] {
        assert_eq!(at(unix).unwrap_err(), FakeTlsError::Clock { ahead });
    }
    for unix in [UNIX + 600 * second, UNIX - 60 * second] {
        assert!(matches!(at(unix), Ok(Opening::Tls(_))));
    }
}

#[test]
fn a_hello_is_taken_once() {
    let hello = client().hello().to_vec();
    let mut replays = Replays::default();
    assert!(serve_at(&hello, UNIX, &mut replays).0.is_ok());
    // Nor does it help to move its time, which whoever overheard it can do.
    for moved in [0, 1, 0x10] {
        let mut hello = hello.clone();
        hello[39] ^= moved;
        let (opening, out) = serve_at(&hello, UNIX, &mut replays);
        assert_eq!(opening.unwrap_err(), FakeTlsError::Replayed);
        assert!(out.is_empty());
    }
    let another = Client::new(&KEY, DOMAIN, UNIX, &mut TestRng::new(70));
    assert!(serve_at(another.hello(), UNIX, &mut replays).0.is_ok());
}

#[test]
fn a_hello_needs_a_secret_of_ours_with_its_own_domain() {
    let hello = |key, domain| {
        Client::new(key, domain, UNIX, &mut TestRng::new(7))
            .hello()
            .to_vec()
    };
    assert_eq!(
        refusal(&hello(&[9; 16], DOMAIN)),
        FakeTlsError::UnknownSecret
    );
    assert_eq!(refusal(&hello(&KEY, "example.org")), FakeTlsError::Domain);
    for (key, domain) in [
        (&KEY, DOMAIN),
        (&KEY, "WWW.Example.COM"),
        (&[1; 16], "example.org"),
    ] {
        assert!(matches!(serve(&hello(key, domain)).0, Ok(Opening::Tls(_))));
    }
    // A secret without a domain is none for TLS.
    let plain = Server::new([ProxySecret::plain(KEY), ProxySecret::padded(KEY)].into()).feed(
        &hello(&KEY, DOMAIN),
        UNIX,
        &mut Replays::default(),
        &mut TestRng::new(8),
        &mut Vec::new(),
    );
    assert_eq!(plain.unwrap_err(), FakeTlsError::UnknownSecret);
}

#[test]
fn what_is_no_tls_comes_back_whole_for_the_acceptor() {
    for kind in TransportKind::ALL {
        for obfuscation in [
            None,
            Some(ObfuscationParams {
                secret: Some(KEY),
                dc_id: 2,
            }),
        ] {
            let mut codec = Codec::client(kind, obfuscation, TestRng::boxed(1));
            let bytes = pack(&mut codec, &[20]);
            let (opening, out) = serve(&bytes);
            assert!(matches!(opening.unwrap(), Opening::NotTls(all) if all == bytes));
            assert!(out.is_empty());
        }
    }
    // Split inside of what TLS begins with, too, and with a length that no hello has.
    let mut server = Server::new(secrets());
    let (mut replays, mut out) = (Replays::default(), Vec::new());
    let mut feed =
        |bytes: &[u8]| server.feed(bytes, UNIX, &mut replays, &mut TestRng::new(8), &mut out);
    assert!(matches!(feed(&[22]), Ok(Opening::NeedMore)));
    assert!(matches!(feed(&[3, 1, 0xff]), Ok(Opening::NeedMore)));
    let all = feed(&[0xff, 1]).unwrap();
    assert!(matches!(all, Opening::NotTls(all) if all == [22, 3, 1, 0xff, 0xff, 1]));
}

/// What a server's codec says of these records, after a first packet.
fn after_first_packet(records: &[u8]) -> Result<Option<Frame>, TransportError> {
    let (records_of_client, accepted) = pair();
    let bytes = pack(&mut client_codec(records_of_client), &[20]);
    let mut server = acceptor(accepted.records).feed(&bytes).unwrap().unwrap();
    server.codec.feed(records);
    assert_eq!(server.codec.next_frame(), Ok(Some(frame(20))));
    let next = server.codec.next_frame();
    if next.is_err() {
        server.codec.feed(&[23, 3, 3, 0, 0]);
        assert_eq!(server.codec.next_frame(), next, "an error stays");
    }
    next
}

#[test]
fn other_records_end_the_stream_where_they_begin() {
    let record = |kind, version: u16, length: u16| {
        let [major, minor] = version.to_be_bytes();
        let [high, low] = length.to_be_bytes();
        let error = FakeTlsError::Record {
            kind,
            version,
            length: length.into(),
        };
        (vec![kind, major, minor, high, low], error)
    };
    for (bytes, error) in [
        record(23, 0x0303, 16_641), // larger than TLS allows
        record(23, 0x0303, u16::MAX),
        record(23, 0x0301, 16),
        record(22, 0x0303, 16), // a handshake now
        record(20, 0x0303, 1),  // a ChangeCipherSpec after data
        record(0, 0, 0),
        (
            vec![21, 3, 3, 0, 2, 1, 0],
            FakeTlsError::Alert { description: 0 },
        ),
    ] {
        assert_eq!(after_first_packet(&bytes), Err(error.into()));
    }
    for harmless in [
        &[][..],
        &[23, 3, 3, 0, 0],
        &[23, 3, 3, 0x41, 0x00, 7],
        &[21],
    ] {
        assert_eq!(after_first_packet(harmless), Ok(None));
    }
}

#[test]
fn one_change_cipher_spec_is_taken_before_the_first_data() {
    let announcement = [20, 3, 3, 0, 1, 1];
    let feed = |bytes: &[u8]| acceptor(pair().1.records).feed(bytes).map(|_| ());
    assert_eq!(feed(&announcement), Ok(()));
    assert_eq!(
        feed(&[20, 3, 3, 0, 1, 2]).map_err(|e| e.to_string().len() > 20),
        Err(true)
    );
    assert!(feed(&[announcement, announcement].concat()).is_err());
    // And none at all is as good.
    let bytes = pack(&mut client_codec(pair().0), &[20]);
    let accepted = acceptor(pair().1.records).feed(&bytes[6..]).unwrap();
    assert!(accepted.is_some());
}

#[test]
fn garbage_is_refused_and_never_panics() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut rng = fastrand::Rng::with_seed(seed);
    let hello = client().hello().to_vec();
    let (_, answer) = serve(&hello);
    for _ in 0..2_000 {
        let mut noise: Vec<u8> = (0..rng.usize(0..200)).map(|_| rng.u8(..)).collect();
        // Half of the time the noise comes after a start that is right.
        let right = rng.bool();
        let start = |bytes: &[u8], at: usize| bytes[..if right { at } else { 0 }].to_vec();
        let mut to_client = start(&answer, rng.usize(0..140));
        let mut to_server = start(&hello, rng.usize(0..200));
        to_client.append(&mut noise.clone());
        to_server.append(&mut noise.clone());
        assert!(
            !matches!(client().feed(&to_client), Ok(Some(_))),
            "{noise:?}"
        );
        assert!(
            !matches!(serve(&to_server).0, Ok(Opening::Tls(_))),
            "{noise:?}"
        );
        let mut codec = client_codec(pair().0);
        if right {
            noise.splice(0..0, [23, 3, 3, 0, 90]);
        }
        codec.feed(&noise);
        while let Ok(Some(_)) = codec.next_frame() {}
    }
}

#[test]
fn a_domain_longer_than_any_is_cut_as_other_clients_cut_it() {
    let long = "a".repeat(300);
    let client = Client::new(&KEY, &long, UNIX, &mut TestRng::new(1));
    let secret = ProxySecret::fake_tls(KEY, &long[..182]).unwrap();
    let opening = Server::new([secret].into()).feed(
        client.hello(),
        UNIX,
        &mut Replays::default(),
        &mut TestRng::new(8),
        &mut Vec::new(),
    );
    assert!(matches!(opening, Ok(Opening::Tls(_))), "{opening:?}");
}
