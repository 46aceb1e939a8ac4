//! FakeTLS: hellos that are right but for some bytes, hellos at random behind a right proof, and records at random.

use layer_crypto::sha::hmac_sha256;
use layer_mtproto::faketls::{Client, FakeTlsError, Opening, Records, Replays, Server};
use layer_mtproto::transport::{
    Acceptor, Codec, Frame, ProxySecret, TransportError, TransportKind,
};

use crate::input::Input;
use crate::transport::{Heard, SECRET, listen, pieces};
use crate::wire::{Seeded, UNIX};

const DOMAIN: &str = "example.org";
/// Where `random` is in a record with a hello.
const RANDOM: std::ops::Range<usize> = 11..43;

fn client_hello() -> Client {
    Client::new(&SECRET, DOMAIN, UNIX, &mut *Seeded::boxed(1))
}

/// Changes some bytes.
fn spoil(input: &mut Input<'_>, bytes: &mut [u8]) {
    for _ in 0..input.byte() % 8 {
        let at = usize::from(input.short());
        let value = input.byte();
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= value;
        }
    }
}

/// A record of these bytes.
fn record(kind: u8, version: u8, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len())
        .unwrap_or(u16::MAX)
        .to_be_bytes();
    [&[kind, 3, version, len[0], len[1]], payload].concat()
}

/// Makes the proof of a hello that was changed right again.
fn prove(hello: &mut [u8], before: &[u8], xor: u32) {
    let Some(random) = hello.get_mut(RANDOM) else {
        return;
    };
    random.fill(0);
    let mut proof = hmac_sha256(&SECRET, &[before, hello]);
    for (byte, time) in proof[28..].iter_mut().zip(xor.to_le_bytes()) {
        *byte ^= time;
    }
    hello[RANDOM].copy_from_slice(&proof);
}

/// What goes over the connection after the hellos: records that the input puts together, and what is no record.
fn stream(input: &mut Input<'_>) -> Vec<u8> {
    let mut stream = Vec::new();
    while !input.is_empty() {
        match input.byte() % 8 {
            0 => stream.extend_from_slice(input.piece()),
            1 => stream.extend_from_slice(&[20, 3, 3, 0, 1, 1]),
            2 => stream.extend_from_slice(&record(input.byte(), input.byte(), input.piece())),
            _ => stream.extend_from_slice(&record(23, 3, input.piece())),
        }
    }
    stream
}

/// A server and a client that has the secret.
pub(crate) fn server(input: &[u8]) {
    let mut input = Input::new(input);
    let how = input.byte();
    let lengths = input.array();
    let mut hello = if how & 1 == 0 {
        client_hello().hello().to_vec()
    } else {
        let mut body = input.piece().to_vec();
        body.resize(body.len() + usize::from(input.byte()) * 3, 0);
        record(22, 1, &body)
    };
    spoil(&mut input, &mut hello);
    if how & 2 == 0 {
        let seconds = u32::try_from(UNIX.as_secs()).unwrap_or(0);
        let made = if how & 4 == 0 {
            seconds
        } else {
            seconds ^ u32::from(input.byte()) << 4
        };
        prove(&mut hello, &[], made);
    }
    let rest = stream(&mut input);
    let bytes = [hello.as_slice(), &rest].concat();
    let one = serve(pieces(&bytes, lengths));
    let other = serve(std::iter::once(bytes.as_slice()));
    // Of several faults in one piece another may be told than in many.
    let failed = |(hello, acceptor, heard): &Served| {
        hello.is_err() || acceptor.is_some() || heard.error.is_some()
    };
    assert_eq!(
        failed(&one),
        failed(&other),
        "in pieces of {lengths:?}: {one:?}, {other:?}"
    );
    if !failed(&one) {
        assert_eq!(one, other, "in pieces of {lengths:?}");
    }
}

type Served = (Result<usize, FakeTlsError>, Option<TransportError>, Heard);

fn serve<'a>(mut pieces: impl Iterator<Item = &'a [u8]>) -> Served {
    let secrets = ProxySecret::fake_tls(SECRET, DOMAIN);
    let mut server = Server::new(secrets.iter().cloned().collect());
    let (mut replays, mut rng, mut answer) = (Replays::default(), Seeded::boxed(2), Vec::new());
    let mut heard = Heard::default();
    let mut acceptor = None;
    let mut begun = 0;
    for piece in pieces.by_ref() {
        match server.feed(piece, UNIX, &mut replays, &mut *rng, &mut answer) {
            Err(error) => {
                assert!(answer.is_empty(), "a bad hello was answered");
                return (Err(error), None, heard);
            }
            Ok(Opening::NeedMore) => assert!(answer.is_empty()),
            Ok(Opening::NotTls(bytes)) => {
                begun += bytes.len();
                break;
            }
            Ok(Opening::Tls(accepted)) => {
                assert!(answer.len() > RANDOM.end);
                let fresh = Acceptor::new(vec![SECRET], Seeded::boxed(3));
                acceptor = Some(fresh.require_secret().within(accepted.records));
                break;
            }
        }
    }
    let Some(mut acceptor) = acceptor else {
        // How much was seen of what is no TLS depends on the pieces.
        return (Ok(begun.min(1)), None, heard);
    };
    let mut accepted = None;
    // What came with the hello is not fed again.
    for piece in std::iter::once(&[][..]).chain(pieces) {
        let Some(codec) = &mut accepted else {
            match acceptor.feed(piece) {
                Ok(found) => accepted = found.map(|found| found.codec),
                Err(error) => return (Ok(answer.len()), Some(error), heard),
            }
            if let Some(codec) = &mut accepted {
                listen(codec, &mut heard);
            }
            continue;
        };
        codec.feed(piece);
        listen(codec, &mut heard);
    }
    (Ok(answer.len()), None, heard)
}

/// A client and a server that has the secret.
pub(crate) fn client(input: &[u8]) {
    let mut input = Input::new(input);
    let how = input.byte();
    let lengths = input.array();
    let hello = client_hello().hello().to_vec();
    let mut answer = if how & 1 == 0 {
        let secrets = ProxySecret::fake_tls(SECRET, DOMAIN);
        let mut server = Server::new(secrets.iter().cloned().collect());
        let (mut replays, mut answer) = (Replays::default(), Vec::new());
        let mut rng = Seeded::boxed(2);
        let opening = server.feed(&hello, UNIX, &mut replays, &mut *rng, &mut answer);
        assert!(matches!(opening, Ok(Opening::Tls(_))), "{opening:?}");
        answer
    } else {
        let mut body = input.piece().to_vec();
        body.resize(body.len().max(40), 0);
        [
            record(22, 3, &body),
            record(20, 3, &[1]),
            record(23, 3, input.piece()),
        ]
        .concat()
    };
    spoil(&mut input, &mut answer);
    if how & 2 == 0 {
        prove(&mut answer, &hello[RANDOM], 0);
    }
    let rest = stream(&mut input);
    let bytes = [answer.as_slice(), &rest].concat();
    let one = ask(pieces(&bytes, lengths));
    let other = ask(std::iter::once(bytes.as_slice()));
    assert_eq!(one, other, "in pieces of {lengths:?}");
}

fn ask<'a>(mut pieces: impl Iterator<Item = &'a [u8]>) -> (Option<FakeTlsError>, Heard) {
    let mut client = client_hello();
    let mut heard = Heard::default();
    let mut records: Option<Records> = None;
    for piece in pieces.by_ref() {
        match client.feed(piece) {
            Ok(None) => {}
            Ok(found) => {
                records = found;
                break;
            }
            Err(error) => return (Some(error), heard),
        }
    }
    let Some(records) = records else {
        return (None, heard);
    };
    let mut codec =
        Codec::client(TransportKind::Intermediate, None, Seeded::boxed(4)).within(records);
    listen(&mut codec, &mut heard);
    for piece in pieces {
        codec.feed(piece);
        listen(&mut codec, &mut heard);
    }
    let len: usize = heard
        .frames
        .iter()
        .map(|frame| match frame {
            Frame::Packet(packet) => packet.len(),
            _ => 4,
        })
        .sum();
    assert!(len < 1 << 20);
    (None, heard)
}
