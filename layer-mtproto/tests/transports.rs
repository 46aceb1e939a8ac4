//! Transports, both sides: recognised from the first bytes, decoded alike however the bytes are split.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod util;

use layer_mtproto::transport::{
    Accepted, Acceptor, Codec, Frame, ObfuscationParams, TransportError, TransportKind,
};
use util::TestRng;

const SECRET: [u8; 16] = *b"0123456789abcdef";

/// Plain, obfuscated, obfuscated with a secret.
fn obfuscations() -> [Option<ObfuscationParams>; 3] {
    [
        None,
        Some(ObfuscationParams {
            secret: None,
            dc_id: 0,
        }),
        Some(ObfuscationParams {
            secret: Some(SECRET),
            dc_id: -10_002,
        }),
    ]
}

/// A plain message: the padded transport must find its length by itself.
fn plain(length: usize) -> Vec<u8> {
    let mut packet = Vec::new();
    layer_mtproto::plain::pack(&mut packet, 0x5f00_0000_0000_0000, &vec![0xab; length]);
    packet
}

/// Something of the shape of an encrypted message.
fn encrypted(blocks: usize) -> Vec<u8> {
    (0..24 + 16 * blocks)
        .map(|i| u8::try_from(i % 251).unwrap() | 1)
        .collect()
}

fn acceptor() -> Acceptor {
    Acceptor::new(vec![[1; 16], SECRET, [2; 16]], TestRng::boxed(99))
}

fn frame(packet: &[u8]) -> Frame {
    Frame::Packet(packet.into())
}

fn pack(codec: &mut Codec, packets: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for packet in packets {
        codec.pack(packet, &mut out).unwrap();
    }
    out
}

fn frames(codec: &mut Codec) -> Vec<Frame> {
    std::iter::from_fn(|| codec.next_frame().unwrap()).collect()
}

/// Feeds `pieces` to an acceptor and then to its codec.
fn serve<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Accepted, Vec<Frame>) {
    let mut acceptor = acceptor();
    let mut accepted: Option<Accepted> = None;
    let mut got = Vec::new();
    for piece in pieces {
        match &mut accepted {
            Some(accepted) => accepted.codec.feed(piece),
            None => accepted = acceptor.feed(piece).unwrap(),
        }
        if let Some(accepted) = &mut accepted {
            got.extend(frames(&mut accepted.codec));
        }
    }
    (accepted.expect("the transport is recognised"), got)
}

#[test]
fn each_transport_is_recognised_and_answers() {
    for kind in TransportKind::ALL {
        for (seed, obfuscation) in obfuscations().into_iter().enumerate() {
            let secret_used = obfuscation.as_ref().is_some_and(|o| o.secret.is_some());
            let obfuscated = obfuscation.is_some();
            let mut client = Codec::client(kind, obfuscation, TestRng::boxed(seed as u64));
            let packets = vec![plain(20), encrypted(3), encrypted(100), plain(500)];
            let bytes = pack(&mut client, &packets);
            let (mut accepted, got) = serve([bytes.as_slice()]);
            assert_eq!(accepted.kind, kind);
            assert_eq!(accepted.obfuscated, obfuscated);
            assert_eq!(accepted.secret_used, secret_used);
            assert_eq!(accepted.dc_id, secret_used.then_some(-10_002));
            let expected: Vec<_> = packets.iter().map(|packet| frame(packet)).collect();
            assert_eq!(got, expected, "{kind}");

            client.feed(&pack(&mut accepted.codec, &packets));
            assert_eq!(frames(&mut client), expected, "{kind}, answered");
            let mut out = Vec::new();
            accepted.codec.pack_error(-404, &mut out);
            client.feed(&out);
            assert_eq!(frames(&mut client), [Frame::Error(-404)], "{kind}");
        }
    }
}

#[test]
fn what_is_read_into_the_codec_is_as_good_as_fed() {
    for kind in TransportKind::ALL {
        for obfuscation in obfuscations() {
            let mut client = Codec::client(kind, obfuscation, TestRng::boxed(5));
            let packets = vec![plain(20), encrypted(1), encrypted(9000), plain(4)];
            let expected: Vec<_> = packets.iter().map(|packet| frame(packet)).collect();
            let (first, bytes) = (plain(40), pack(&mut client, &[plain(40)]));
            let (mut accepted, got) = serve([bytes.as_slice()]);
            assert_eq!(got, [frame(&first)]);
            let (mut got, bytes) = (Vec::new(), pack(&mut client, &packets));
            for (number, piece) in bytes.chunks(7001).enumerate() {
                if number % 3 == 2 {
                    accepted.codec.feed(piece);
                } else {
                    let buffer = accepted.codec.buffer(piece.len()).unwrap();
                    assert!(buffer.capacity() - buffer.len() >= piece.len());
                    buffer.extend_from_slice(piece);
                }
                if number % 2 == 1 {
                    got.extend(frames(&mut accepted.codec));
                }
            }
            got.extend(frames(&mut accepted.codec));
            assert_eq!(got, expected, "{kind}");
        }
    }
}

#[test]
fn a_long_packet_stays_where_it_was_read_and_a_short_one_holds_on_to_nothing() {
    let mut client = Codec::client(TransportKind::Intermediate, None, TestRng::boxed(5));
    let bytes = pack(&mut client, &[encrypted(5000), encrypted(5)]);
    let (mut accepted, _) = serve([&bytes[..4]]);
    let buffer = accepted.codec.buffer(bytes.len()).unwrap();
    buffer.extend_from_slice(&bytes[4..]);
    let place = buffer.as_ptr_range();
    let packets: Vec<_> = std::iter::from_fn(|| accepted.codec.next_frame().unwrap())
        .map(|frame| match frame {
            Frame::Packet(packet) => place.contains(&packet.as_ptr()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(packets, [true, false]);
}

#[test]
fn frames_split_at_every_byte_boundary_decode_the_same() {
    for kind in TransportKind::ALL {
        for obfuscation in obfuscations() {
            let mut client = Codec::client(kind, obfuscation, TestRng::boxed(5));
            let packets = vec![plain(20), encrypted(1), encrypted(33), plain(4)];
            let expected: Vec<_> = packets.iter().map(|packet| frame(packet)).collect();
            let bytes = pack(&mut client, &packets);
            for at in 0..=bytes.len() {
                let (accepted, got) = serve([&bytes[..at], &bytes[at..]]);
                assert_eq!((accepted.kind, &got), (kind, &expected), "split at {at}");
            }
            let (accepted, got) = serve(bytes.chunks(1));
            assert_eq!((accepted.kind, &got), (kind, &expected), "byte by byte");

            // The way back.
            let mut server = accepted.codec;
            let bytes = pack(&mut server, &packets);
            let mut got = Vec::new();
            for byte in bytes.chunks(1) {
                client.feed(byte);
                got.extend(frames(&mut client));
            }
            assert_eq!(got, expected, "back, byte by byte");
        }
    }
}

#[test]
fn oversized_lengths_are_refused_before_the_packet_comes() {
    let announce = |kind| -> Vec<u8> {
        let mut bytes = match kind {
            TransportKind::Abridged => vec![0xef, 0x7f],
            TransportKind::Intermediate => vec![0xee; 4],
            TransportKind::PaddedIntermediate => vec![0xdd; 4],
            _ => Vec::new(),
        };
        match kind {
            TransportKind::Abridged => bytes.extend([0xff; 3]),
            TransportKind::Full => bytes.extend([0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0]),
            _ => bytes.extend([0xff, 0xff, 0xff, 0x7f]),
        }
        bytes
    };
    for kind in TransportKind::ALL {
        let mut accepted = acceptor().feed(&announce(kind)).unwrap().unwrap();
        let error = accepted.codec.next_frame().unwrap_err();
        assert!(
            matches!(error, TransportError::Length { .. }),
            "{kind}: {error}"
        );
        // And it stays refused, whatever follows.
        accepted.codec.feed(&[0; 100]);
        assert_eq!(accepted.codec.next_frame().unwrap_err(), error);
    }
}

#[test]
fn a_servers_limit_for_strangers_holds_until_it_is_raised() {
    for kind in TransportKind::ALL {
        let mut client = Codec::client(kind, None, TestRng::boxed(1));
        let bytes = pack(&mut client, &[plain(20), plain(2000)]);
        let mut accepted = acceptor().with_limit(1024).feed(&bytes).unwrap().unwrap();
        assert_eq!(accepted.codec.next_frame(), Ok(Some(frame(&plain(20)))));
        let mut raised = acceptor().with_limit(1024).feed(&bytes).unwrap().unwrap();
        assert!(matches!(
            accepted.codec.next_frame(),
            Err(TransportError::Length {
                limit: 1024..=1039,
                ..
            })
        ));
        raised.codec.set_limit(4096);
        assert_eq!(frames(&mut raised.codec).len(), 2, "{kind}");
    }
}

#[test]
fn lengths_below_a_word_are_refused() {
    for bytes in [
        &[0xef, 0][..],
        &[0xee, 0xee, 0xee, 0xee, 3, 0, 0, 0],
        &[15, 0, 0, 0, 0, 0, 0, 0],
    ] {
        let mut accepted = acceptor().feed(bytes).unwrap().unwrap();
        assert!(matches!(
            accepted.codec.next_frame(),
            Err(TransportError::Length { .. })
        ));
    }
}

#[test]
fn the_full_transport_checks_number_and_checksum() {
    let mut client = Codec::client(TransportKind::Full, None, TestRng::boxed(1));
    let first = pack(&mut client, &[encrypted(1)]);
    let second = pack(&mut client, &[encrypted(2)]);
    let start = |bytes: &[u8]| acceptor().feed(bytes).unwrap().unwrap().codec;

    let mut damaged = first.clone();
    damaged[20] ^= 1;
    assert!(matches!(
        start(&damaged).next_frame(),
        Err(TransportError::Checksum { .. })
    ));

    let mut codec = start(&first);
    codec.feed(&first);
    codec.next_frame().unwrap();
    assert_eq!(
        codec.next_frame(),
        Err(TransportError::Sequence {
            expected: 1,
            got: 0
        })
    );

    let mut codec = start(&first);
    codec.feed(&second);
    assert_eq!(frames(&mut codec).len(), 2);
}

#[test]
fn crc32_has_its_published_check_value() {
    assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
}

#[test]
fn quick_acks_are_asked_for_and_given() {
    for kind in [
        TransportKind::Abridged,
        TransportKind::Intermediate,
        TransportKind::PaddedIntermediate,
    ] {
        for blocks in [1, 100] {
            let mut client = Codec::client(kind, None, TestRng::boxed(1));
            let mut bytes = Vec::new();
            client
                .pack_with_quick_ack(&encrypted(blocks), &mut bytes)
                .unwrap();
            let (mut accepted, got) = serve([bytes.as_slice()]);
            assert_eq!(got, [frame(&encrypted(blocks))]);
            assert!(accepted.codec.quick_ack_requested());
            let mut answer = Vec::new();
            accepted.codec.pack_quick_ack(0x0a0b_0c0d, &mut answer);
            accepted.codec.pack_error(-429, &mut answer);
            for byte in answer.chunks(1) {
                client.feed(byte);
            }
            let expected = [Frame::QuickAck(0x8a0b_0c0d), Frame::Error(-429)];
            assert_eq!(frames(&mut client), expected, "{kind}");
        }
    }
}

#[test]
fn an_error_without_envelope_on_the_full_transport_is_an_error() {
    let mut client = Codec::client(TransportKind::Full, None, TestRng::boxed(1));
    client.feed(&(-404_i32).to_le_bytes());
    assert_eq!(client.next_frame(), Ok(Some(Frame::Error(-404))));
}

#[test]
fn other_protocols_are_named_and_noise_is_refused() {
    let feed = |bytes: &[u8]| {
        acceptor()
            .feed(bytes)
            .map(|accepted| accepted.map(|a| a.kind))
    };
    assert_eq!(feed(b"GET / HTTP/1.1\r\n"), Err(TransportError::Http));
    assert_eq!(feed(b"POST /api HTTP/1.1"), Err(TransportError::Http));
    assert_eq!(feed(&[0x16, 3, 1, 2, 0, 1]), Err(TransportError::Tls));
    assert_eq!(feed(&[0x55; 71]), Ok(None));
    assert_eq!(feed(&[0x55; 72]), Err(TransportError::UnknownTransport));
}

#[test]
fn a_required_secret_is_required() {
    for kind in TransportKind::ALL {
        let unknown = Some(ObfuscationParams {
            secret: Some([3; 16]),
            dc_id: 2,
        });
        for obfuscation in [Some(ObfuscationParams::default()), unknown] {
            let mut client = Codec::client(kind, obfuscation, TestRng::boxed(1));
            let bytes = pack(&mut client, &[encrypted(4)]);
            let result = acceptor().require_secret().feed(&bytes).map(|_| ());
            assert_eq!(result, Err(TransportError::SecretRequired), "{kind}");
        }
    }
}

#[test]
fn unaligned_and_overlong_packets_are_not_sent() {
    for kind in TransportKind::ALL {
        let mut client = Codec::client(kind, None, TestRng::boxed(1));
        let mut out = vec![7];
        let error = client.pack(&[1; 21], &mut out).unwrap_err();
        assert_eq!(error, TransportError::Unaligned { length: 21 });
        let overlong = client.pack(&vec![0; 4 << 24], &mut out);
        assert!(matches!(overlong, Err(TransportError::Length { .. })));
        assert_eq!(out, [7], "what was there before is left alone");
    }
}

#[test]
fn random_bytes_never_panic() {
    let mut rng = fastrand::Rng::with_seed(7);
    for _ in 0..2_000 {
        let mut acceptor = acceptor();
        let mut bytes: Vec<u8> = (0..rng.usize(0..300)).map(|_| rng.u8(..)).collect();
        if rng.bool() {
            let preamble = [
                &[0xef][..],
                &[0xee; 4],
                &[0xdd; 4],
                &[0x20, 0, 0, 0, 0, 0, 0, 0],
            ];
            bytes.splice(0..0, preamble[rng.usize(0..4)].iter().copied());
        }
        if let Ok(Some(mut accepted)) = acceptor.feed(&bytes) {
            while let Ok(Some(_)) = accepted.codec.next_frame() {}
        }
    }
}

#[test]
fn names_of_transports_are_parsed_as_they_are_printed() {
    for kind in TransportKind::ALL {
        assert_eq!(kind.to_string().parse(), Ok(kind));
    }
    assert!("carrier-pigeon".parse::<TransportKind>().is_err());
}
