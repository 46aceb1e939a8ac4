//! Transports: streams at random on both sides, behind obfuscation as well, split at random; and packets from one side
//! to the other.

use layer_crypto::aes::AesCtr;
use layer_crypto::sha::sha256;
use layer_mtproto::transport::{
    Accepted, Acceptor, Codec, Frame, ObfuscationParams, TransportError, TransportKind,
};

use crate::input::Input;
use crate::wire::Seeded;

pub(crate) const SECRET: [u8; 16] = *b"sixteen bytes !!";
/// The length of what opens an obfuscated connection.
const INIT: usize = 64;

/// What came out of a stream until it ended or broke.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Heard {
    pub(crate) frames: Vec<Frame>,
    pub(crate) error: Option<TransportError>,
}

pub(crate) fn listen(codec: &mut Codec, heard: &mut Heard) {
    while heard.error.is_none() {
        match codec.next_frame() {
            Ok(Some(frame)) => heard.frames.push(frame),
            Ok(None) => return,
            Err(error) => heard.error = Some(error),
        }
    }
}

/// Gives a codec what came, or reads it to where the codec looks at it.
fn give(codec: &mut Codec, piece: &[u8]) {
    match codec.buffer(piece.len()) {
        Some(buffer) if piece.len() % 2 == 1 => buffer.extend_from_slice(piece),
        _ => codec.feed(piece),
    }
}

/// The pieces that a stream comes in: as long as the input says, over and over.
pub(crate) fn pieces(stream: &[u8], lengths: [u8; 4]) -> impl Iterator<Item = &[u8]> {
    let mut rest = stream;
    let mut lengths = lengths.into_iter().cycle();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let wanted = lengths.next().map_or(1, usize::from).max(1);
        let (piece, after) = rest.split_at(wanted.min(rest.len()));
        rest = after;
        Some(piece)
    })
}

fn kind(choice: u8) -> TransportKind {
    TransportKind::ALL[usize::from(choice % 4)]
}

fn obfuscation(choice: u8) -> Option<ObfuscationParams> {
    let params = |secret| ObfuscationParams { secret, dc_id: 2 };
    match choice >> 2 & 3 {
        0 | 1 => None,
        2 => Some(params(None)),
        _ => Some(params(Some(SECRET))),
    }
}

fn cipher(material: &[u8], secret: Option<&[u8; 16]>) -> AesCtr {
    let mut key = [0; 32];
    let mut iv = [0; 16];
    key.copy_from_slice(&material[..32]);
    iv.copy_from_slice(&material[32..48]);
    if let Some(secret) = secret {
        key = sha256(&[&key, secret]);
    }
    AesCtr::new(&key, &iv)
}

/// What a client makes of a server's bytes.
pub(crate) fn client(input: &[u8]) {
    let mut input = Input::new(input);
    let choice = input.byte();
    let lengths = input.array();
    let mut stream = input.rest().to_vec();
    let (kind, obfuscation) = (kind(choice), obfuscation(choice));
    let codec = || Codec::client(kind, obfuscation.clone(), Seeded::boxed(u64::from(choice)));
    if let Some(params) = &obfuscation {
        // The server's cipher, from what the client sends first.
        let mut hello = Vec::new();
        assert_eq!(codec().pack(&[0; 40], &mut hello), Ok(()));
        let mut reversed = hello[..INIT].to_vec();
        reversed.reverse();
        cipher(&reversed[8..56], params.secret.as_ref()).apply(&mut stream);
    }
    let hear = |lengths| {
        let mut heard = Heard::default();
        let mut codec = codec();
        for piece in pieces(&stream, lengths) {
            give(&mut codec, piece);
            listen(&mut codec, &mut heard);
        }
        heard
    };
    let whole = {
        let mut heard = Heard::default();
        let mut codec = codec();
        codec.feed(&stream);
        listen(&mut codec, &mut heard);
        heard
    };
    assert_eq!(hear(lengths), whole, "{kind} in pieces of {lengths:?}");
    let total: usize = whole.frames.iter().map(frame_len).sum();
    assert!(total <= stream.len(), "more came out than went in");
}

fn frame_len(frame: &Frame) -> usize {
    match frame {
        Frame::Packet(packet) => packet.len(),
        _ => 4,
    }
}

/// What a server makes of a client's bytes: plain as they come, or behind an obfuscated beginning.
pub(crate) fn accept(input: &[u8]) {
    let mut input = Input::new(input);
    let choice = input.byte();
    let lengths = input.array();
    let limit = [16 << 20, 1 << 16, 64, 8][usize::from(choice >> 6)];
    let secret = (choice & 1 != 0).then_some(SECRET);
    let stream = if choice & 2 == 0 {
        input.rest().to_vec()
    } else {
        // A beginning that means a transport, by another hand than the crate's.
        let mut init: [u8; INIT] = std::array::from_fn(|_| input.byte() | 1);
        if let Some(tag) = [[0xef; 4], [0xee; 4], [0xdd; 4]].get(usize::from(choice >> 2 & 3)) {
            init[56..60].copy_from_slice(tag);
        }
        let mut cipher = cipher(&init[8..56], secret.as_ref());
        let mut stream = init.to_vec();
        cipher.apply(&mut stream);
        stream[..56].copy_from_slice(&init[..56]);
        let mut rest = input.rest().to_vec();
        cipher.apply(&mut rest);
        stream.append(&mut rest);
        stream
    };
    let acceptor = || {
        let acceptor = Acceptor::new(vec![[9; 16], SECRET], Seeded::boxed(1)).with_limit(limit);
        if choice & 0x10 != 0 {
            acceptor.require_secret()
        } else {
            acceptor
        }
    };
    let one = hear(acceptor(), pieces(&stream, lengths));
    let other = hear(acceptor(), std::iter::once(stream.as_slice()));
    assert_eq!(one, other, "in pieces of {lengths:?}");
}

type Met = (Option<(TransportKind, bool, Option<i16>, bool)>, Heard);

fn hear<'a>(mut acceptor: Acceptor, pieces: impl Iterator<Item = &'a [u8]>) -> Met {
    let mut heard = Heard::default();
    let mut accepted: Option<Accepted> = None;
    for piece in pieces {
        match &mut accepted {
            Some(accepted) => accepted.codec.feed(piece),
            None => match acceptor.feed(piece) {
                Ok(found) => accepted = found,
                Err(error) => {
                    heard.error = Some(error);
                    break;
                }
            },
        }
        if let Some(accepted) = &mut accepted {
            listen(&mut accepted.codec, &mut heard);
        }
    }
    let met = accepted.map(|mut accepted| {
        let mut answer = Vec::new();
        accepted.codec.pack_error(-404, &mut answer);
        accepted.codec.pack_quick_ack(7, &mut answer);
        assert!(answer.len() >= 4);
        (
            accepted.kind,
            accepted.obfuscated,
            accepted.dc_id,
            accepted.secret_used,
        )
    });
    (met, heard)
}

/// What one side packs, the other reads: packets, errors and quick acknowledgements, in pieces.
pub(crate) fn pair(input: &[u8]) {
    let mut input = Input::new(input);
    let choice = input.byte();
    let lengths = input.array();
    let kind = kind(choice);
    let obfuscation = obfuscation(choice);
    let mut client = Codec::client(kind, obfuscation.clone(), Seeded::boxed(3));
    let mut acceptor = Acceptor::new(vec![SECRET], Seeded::boxed(4));
    let mut server: Option<Accepted> = None;
    while !input.is_empty() {
        let how = input.byte();
        let mut packet = input.piece().to_vec();
        // What is a packet: a plain message or whole blocks behind a header, for only these lose their padding.
        packet.truncate(packet.len() / 16 * 16);
        packet.splice(..0, [1; 24]);
        packet.extend_from_slice(&[2; 16]);
        let mut out = vec![0xaa; usize::from(how >> 6)];
        let begun = out.len();
        let packed = if how & 1 == 0 {
            client.pack(&packet, &mut out)
        } else {
            client.pack_with_quick_ack(&packet, &mut out)
        };
        assert_eq!(packed, Ok(()));
        assert!(out[..begun].iter().all(|byte| *byte == 0xaa));
        let mut heard = Heard::default();
        for piece in pieces(&out[begun..], lengths) {
            match &mut server {
                Some(server) => give(&mut server.codec, piece),
                None => match acceptor.feed(piece) {
                    Ok(found) => server = found,
                    Err(error) => panic!("{kind} was refused: {error}"),
                },
            }
            if let Some(server) = &mut server {
                listen(&mut server.codec, &mut heard);
            }
        }
        let Some(server) = &mut server else {
            panic!("{kind} was not recognised");
        };
        assert_eq!(
            (server.kind, server.obfuscated),
            (kind, obfuscation.is_some())
        );
        assert_eq!(heard.error, None);
        assert_eq!(heard.frames, [Frame::Packet(packet[..].into())]);
        let asked = how & 1 != 0 && kind != TransportKind::Full;
        assert_eq!(server.codec.quick_ack_requested(), asked);

        let mut answer = Vec::new();
        let expected = match how >> 1 & 3 {
            0 => {
                server.codec.pack_error(-404, &mut answer);
                Some(Frame::Error(-404))
            }
            1 => {
                server.codec.pack_quick_ack(0x1234, &mut answer);
                (kind != TransportKind::Full).then_some(Frame::QuickAck(0x8000_1234))
            }
            _ => {
                assert_eq!(server.codec.pack(&packet, &mut answer), Ok(()));
                Some(Frame::Packet(packet[..].into()))
            }
        };
        let mut heard = Heard::default();
        for piece in pieces(&answer, lengths) {
            give(&mut client, piece);
            listen(&mut client, &mut heard);
        }
        assert_eq!(heard.error, None);
        assert_eq!(heard.frames, Vec::from_iter(expected));
    }
}
