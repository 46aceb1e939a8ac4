//! Packets made with a key that is known, and the bytes of MTProto's own messages.

use std::io::Write as _;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use layer_crypto::message::{self, HEADER, Sender};
use layer_crypto::{AuthKey, SecureRandom};
use layer_mtproto::plain;
use layer_mtproto::session::{
    ClientSession, SaltBook, ServerSession, ServerSessionConfig, SessionParams, inflate_packed,
    open_packet,
};

use crate::input::Input;

/// The wall clock at the start.
pub(crate) const UNIX: Duration = Duration::from_secs(1_700_000_000);

/// The monotonic clock at the start.
pub(crate) fn start() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}

/// Seeded randomness.
pub(crate) struct Seeded(fastrand::Rng);

impl Seeded {
    pub(crate) fn boxed(seed: u64) -> Box<dyn SecureRandom + Send> {
        Box::new(Self(fastrand::Rng::with_seed(seed)))
    }
}

impl SecureRandom for Seeded {
    fn fill(&mut self, dest: &mut [u8]) {
        self.0.fill(dest);
    }
}

pub(crate) fn key() -> AuthKey {
    static KEY: OnceLock<AuthKey> = OnceLock::new();
    KEY.get_or_init(|| AuthKey::from_bytes([0x5a; 256])).clone()
}

/// Seals a plaintext, padded to whole blocks where it is not.
pub(crate) fn seal(from: Sender, plaintext: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; HEADER];
    packet.extend_from_slice(plaintext);
    packet.resize(HEADER + plaintext.len().max(1).next_multiple_of(16), 7);
    if let Err(error) = message::seal(&key(), from, &mut packet) {
        panic!("whole blocks were not sealed: {error}");
    }
    packet
}

/// A message with its name and number.
pub(crate) struct Message {
    pub(crate) msg_id: i64,
    pub(crate) seqno: i32,
    pub(crate) body: Vec<u8>,
}

impl Message {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.msg_id.to_le_bytes());
        out.extend_from_slice(&self.seqno.to_le_bytes());
        out.extend_from_slice(&int(self.body.len()).to_le_bytes());
        out.extend_from_slice(&self.body);
    }

    /// The packet of this one message.
    pub(crate) fn seal(&self, from: Sender, salt: i64, session_id: i64) -> Vec<u8> {
        let mut plaintext = salt.to_le_bytes().to_vec();
        plaintext.extend_from_slice(&session_id.to_le_bytes());
        self.write(&mut plaintext);
        plaintext.resize((plaintext.len() + 12).next_multiple_of(16), 7);
        seal(from, &plaintext)
    }
}

/// `msg_container` of these.
pub(crate) fn container(messages: &[Message]) -> Vec<u8> {
    let mut body = Tl::new(0x73f1_f8dc).int(int(messages.len())).0;
    messages.iter().for_each(|message| message.write(&mut body));
    body
}

/// The messages of an opened packet, as far as they can be read: those in its container, or the one.
pub(crate) fn messages(msg_id: i64, body: &[u8]) -> Vec<(i64, Vec<u8>)> {
    let Some(mut rest) = body.strip_prefix(&0x73f1_f8dc_u32.to_le_bytes()) else {
        return vec![(msg_id, body.to_vec())];
    };
    let mut found = Vec::new();
    let _count = rest.split_off(..4);
    while let Some((header, after)) = rest.split_first_chunk::<16>() {
        let mut header = Input::new(header);
        let (msg_id, _seqno, len) = (header.long(), header.int(), header.int());
        let len = usize::try_from(len).unwrap_or(0).min(after.len());
        found.push((msg_id, after[..len].to_vec()));
        rest = &after[len..];
    }
    found
}

pub(crate) fn int(len: usize) -> i32 {
    i32::try_from(len).unwrap_or(i32::MAX)
}

/// Bytes of a TL object, written without the crate under test.
pub(crate) struct Tl(pub(crate) Vec<u8>);

impl Tl {
    pub(crate) fn new(id: u32) -> Self {
        Self(id.to_le_bytes().to_vec())
    }

    pub(crate) fn int(self, value: i32) -> Self {
        self.raw(&value.to_le_bytes())
    }

    pub(crate) fn long(self, value: i64) -> Self {
        self.raw(&value.to_le_bytes())
    }

    pub(crate) fn longs(self, values: &[i64]) -> Self {
        let vector = self
            .raw(&0x1cb5_c415_u32.to_le_bytes())
            .int(int(values.len()));
        values.iter().fold(vector, |tl, value| tl.long(*value))
    }

    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        match u8::try_from(bytes.len()) {
            Ok(len) if len < 254 => self.0.push(len),
            _ => self
                .0
                .extend_from_slice(&(int(bytes.len()) << 8 | 254).to_le_bytes()),
        }
        self.0.extend_from_slice(bytes);
        let header = if bytes.len() < 254 { 1 } else { 4 };
        let padding = (header + bytes.len()).next_multiple_of(4) - header - bytes.len();
        self.0.resize(self.0.len() + padding, 0);
        self
    }
}

/// `gzip_packed` of these bytes.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    Tl::new(0x3072_cfa1).bytes(&packed.unwrap_or_default()).0
}

/// Packets at random, plaintexts at random, plain messages, and gzip.
pub(crate) fn packet(input: &[u8]) {
    let mut input = Input::new(input);
    let mode = input.byte();
    let bytes = input.rest();
    let session = || ClientSession::new(SessionParams::new(key()), Seeded::boxed(1), start(), UNIX);
    match mode % 6 {
        0 => _ = open_packet(&key(), &mut bytes.to_vec()),
        1 => _ = session().handle_packet(&mut bytes.to_vec(), start()),
        2 => {
            let mut session = session();
            let mut plaintext = bytes.to_vec();
            if mode & 0x80 != 0 && plaintext.len() >= 16 {
                plaintext[8..16].copy_from_slice(&session.session_id().to_le_bytes());
            }
            let _ = session.handle_packet(&mut seal(Sender::Server, &plaintext), start());
        }
        3 => {
            let mut packet = seal(Sender::Client, bytes);
            let Ok(opened) = open_packet(&key(), &mut packet) else {
                return;
            };
            assert!(packet.get(opened.body.clone()).is_some(), "{opened:?}");
            let salts = SaltBook::new(&key(), Some(opened.salt), UNIX);
            let config = ServerSessionConfig::default();
            let id = opened.session_id;
            let mut session = ServerSession::new(key(), id, salts, Seeded::boxed(2), config);
            let _ = session.handle_opened(&opened, &packet.into(), start(), UNIX);
        }
        4 => {
            if let Ok((msg_id, body)) = plain::unpack(bytes) {
                let mut again = Vec::new();
                plain::pack(&mut again, msg_id, body);
                assert_eq!(plain::unpack(&again), Ok((msg_id, body)));
            }
        }
        _ => {
            const LIMIT: usize = 1 << 16;
            let body = Tl::new(0x3072_cfa1).bytes(bytes).0;
            for body in [bytes, &body] {
                if let Ok(inflated) = inflate_packed(body, LIMIT) {
                    assert!(inflated.len() <= LIMIT);
                }
            }
        }
    }
}
