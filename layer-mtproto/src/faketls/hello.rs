//! The hellos themselves: a client's as Chrome makes it, a server's, and what a server reads in a client's.

use layer_crypto::{SecureRandom, x25519};
use zeroize::Zeroizing;

use super::{APPLICATION_DATA, CHANGE_CIPHER_SPEC_RECORD, HANDSHAKE, HEADER};
use crate::transport::MAX_DOMAIN;

pub(super) const CLIENT_HELLO: u8 = 1;
pub(super) const SERVER_HELLO: u8 = 2;

/// Bytes, with lengths filled in once what they count is there.
struct Writer(Vec<u8>);

impl Writer {
    fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn random(&mut self, count: usize, rng: &mut dyn SecureRandom) {
        let start = self.0.len();
        self.0.resize(start + count, 0);
        rng.fill(&mut self.0[start..]);
    }

    /// What `write` writes, after its length in `width` bytes.
    fn counted(&mut self, width: usize, write: impl FnOnce(&mut Self)) {
        let at = self.0.len();
        self.0.resize(at + width, 0);
        write(self);
        // A hello has a few kilobytes, which two bytes count.
        let length = self.0.len() - at - width;
        let length = u32::try_from(length).unwrap_or_default().to_be_bytes();
        self.0[at..at + width].copy_from_slice(&length[4 - width..]);
    }

    fn extension(&mut self, kind: u16, write: impl FnOnce(&mut Self)) {
        self.put(&kind.to_be_bytes());
        self.counted(2, write);
    }
}

/// A value of those that are reserved so that servers learn to ignore what they do not know (RFC 8701).
fn grease(rng: &mut dyn SecureRandom) -> [u8; 2] {
    let mut byte = [0];
    rng.fill(&mut byte);
    [byte[0] & 0xf0 | 0x0a; 2]
}

fn below(bound: usize, rng: &mut dyn SecureRandom) -> usize {
    let mut bytes = [0; 4];
    rng.fill(&mut bytes);
    usize::try_from(u32::from_le_bytes(bytes)).unwrap_or_default() % bound.max(1)
}

/// A public key of X25519. Any 32 bytes would do for us, but half of them are no point of the curve, and that can
/// be told from outside.
fn public_key(rng: &mut dyn SecureRandom) -> [u8; 32] {
    let mut secret = Zeroizing::new([0; 32]);
    rng.fill(&mut *secret);
    x25519::public_key(&secret)
}

/// Something of the form of a public key of ML-KEM-768: 768 numbers below 3329 in 12 bits each, and 32 bytes.
fn ml_kem_768(rng: &mut dyn SecureRandom) -> Vec<u8> {
    let mut numbers = Vec::with_capacity(768);
    while numbers.len() < 768 {
        let mut bytes = [0; 2];
        rng.fill(&mut bytes);
        let number = u16::from_le_bytes(bytes) & 0x0fff;
        if number < 3329 {
            numbers.push(number);
        }
    }
    let mut key = Vec::with_capacity(1184);
    for [a, b] in numbers.as_chunks::<2>().0 {
        let [b0, b1, b2, _] = (u32::from(*a) | u32::from(*b) << 12).to_le_bytes();
        key.extend_from_slice(&[b0, b1, b2]);
    }
    let mut seed = [0; 32];
    rng.fill(&mut seed);
    key.extend_from_slice(&seed);
    key
}

/// The suites that Chrome offers, after one of no meaning.
const CIPHER_SUITES: [u8; 30] = [
    0x13, 0x01, 0x13, 0x02, 0x13, 0x03, 0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30, 0xcc, 0xa9,
    0xcc, 0xa8, 0xc0, 0x13, 0xc0, 0x14, 0x00, 0x9c, 0x00, 0x9d, 0x00, 0x2f, 0x00, 0x35,
];
/// The signatures that Chrome takes.
const SIGNATURES: [u8; 16] = [
    0x04, 0x03, 0x08, 0x04, 0x04, 0x01, 0x05, 0x03, 0x08, 0x05, 0x05, 0x01, 0x08, 0x06, 0x06, 0x01,
];
const X25519_MLKEM768: [u8; 2] = [0x11, 0xec];
const X25519: [u8; 2] = [0x00, 0x1d];

/// A record with a client's hello, `random` all zero: what Chrome sends today, its extensions in any order.
pub(super) fn client(domain: &str, rng: &mut dyn SecureRandom) -> Vec<u8> {
    let domain = &domain.as_bytes()[..domain.len().min(MAX_DOMAIN)];
    let extensions = extensions(domain, rng);
    let mut hello = Writer(vec![HANDSHAKE, 3, 1]);
    hello.counted(2, |record| {
        record.put(&[CLIENT_HELLO]);
        record.counted(3, |hello| {
            hello.put(&[3, 3]);
            hello.put(&[0; 32]);
            hello.counted(1, |session| session.random(32, rng));
            hello.counted(2, |suites| {
                suites.put(&grease(rng));
                suites.put(&CIPHER_SUITES);
            });
            hello.put(&[1, 0]); // no compression
            hello.counted(2, |all| all.put(&extensions));
        });
    });
    hello.0
}

fn extensions(domain: &[u8], rng: &mut dyn SecureRandom) -> Vec<u8> {
    let group = grease(rng);
    let version = grease(rng);
    let first = grease(rng);
    let mut last = grease(rng);
    if first == last {
        // No extension comes twice.
        last = last.map(|byte| byte ^ 0x10);
    }
    let mut parts: Vec<Writer> = Vec::with_capacity(16);
    let mut part = |kind: u16, write: &mut dyn FnMut(&mut Writer)| {
        let mut part = Writer(Vec::new());
        part.extension(kind, write);
        parts.push(part);
    };
    part(0x0000, &mut |sni| {
        sni.counted(2, |names| {
            names.put(&[0]);
            names.counted(2, |name| name.put(domain));
        });
    });
    part(0x0005, &mut |status| status.put(&[1, 0, 0, 0, 0]));
    part(0x000a, &mut |groups| {
        groups.counted(2, |groups| {
            groups.put(&group);
            groups.put(&X25519_MLKEM768);
            groups.put(&X25519);
            groups.put(&[0x00, 0x17, 0x00, 0x18]);
        });
    });
    part(0x000b, &mut |formats| formats.put(&[1, 0]));
    part(0x000d, &mut |signatures| {
        signatures.counted(2, |all| all.put(&SIGNATURES));
    });
    part(0x0010, &mut |alpn| {
        alpn.counted(2, |protocols| {
            protocols.counted(1, |name| name.put(b"h2"));
            protocols.counted(1, |name| name.put(b"http/1.1"));
        });
    });
    part(0x0012, &mut |_| {}); // signed certificate timestamps
    part(0x0017, &mut |_| {}); // extended master secret
    part(0x001b, &mut |compression| compression.put(&[2, 0, 2])); // of certificates, by Brotli
    part(0x0023, &mut |_| {}); // session ticket
    part(0x002b, &mut |versions| {
        versions.counted(1, |versions| {
            versions.put(&version);
            versions.put(&[3, 4, 3, 3]);
        });
    });
    part(0x002d, &mut |modes| modes.put(&[1, 1]));
    part(0x0033, &mut |shares| {
        shares.counted(2, |shares| {
            shares.put(&group);
            shares.counted(2, |nothing| nothing.put(&[0]));
            shares.put(&X25519_MLKEM768);
            shares.counted(2, |share| {
                share.put(&ml_kem_768(rng));
                share.put(&public_key(rng));
            });
            shares.put(&X25519);
            shares.counted(2, |share| share.put(&public_key(rng)));
        });
    });
    part(0x44cd, &mut |settings| {
        settings.counted(2, |protocols| {
            protocols.counted(1, |name| name.put(b"h2"));
        });
    });
    part(0xfe0d, &mut |ech| {
        // Encrypted hello of no meaning: HKDF-SHA256, AES-128-GCM, a key, and a payload of a usual length.
        ech.put(&[0, 0, 1, 0, 1]);
        ech.random(1, rng);
        ech.counted(2, |key| key.put(&public_key(rng)));
        let length = 144 + 32 * below(4, rng);
        ech.counted(2, |payload| payload.random(length, rng));
    });
    part(0xff01, &mut |renegotiation| renegotiation.put(&[0]));
    for end in (1..parts.len()).rev() {
        parts.swap(end, below(end + 1, rng));
    }
    let mut all = Writer(Vec::new());
    all.extension(u16::from_be_bytes(first), |_| {});
    for part in &parts {
        all.put(&part.0);
    }
    all.extension(u16::from_be_bytes(last), |nothing| nothing.put(&[0]));
    all.0
}

/// A server's answer, `random` all zero: its hello, a ChangeCipherSpec, and a record that looks like the certificate
/// and all else that TLS 1.3 encrypts.
pub(super) fn server(session: &[u8; 32], rng: &mut dyn SecureRandom) -> Vec<u8> {
    let mut hello = Writer(vec![HANDSHAKE, 3, 3]);
    hello.counted(2, |record| {
        record.put(&[SERVER_HELLO]);
        record.counted(3, |hello| {
            hello.put(&[3, 3]);
            hello.put(&[0; 32]);
            hello.counted(1, |id| id.put(session));
            hello.put(&[0x13, 0x01]); // AES-128-GCM with SHA-256
            hello.put(&[0]); // no compression
            hello.counted(2, |extensions| {
                extensions.extension(0x0033, |share| {
                    share.put(&X25519);
                    share.counted(2, |key| key.put(&public_key(rng)));
                });
                extensions.extension(0x002b, |version| version.put(&[3, 4]));
            });
        });
    });
    hello.put(&CHANGE_CIPHER_SPEC_RECORD);
    hello.put(&[APPLICATION_DATA, 3, 3]);
    // The length that certificates of usual sites have.
    let length = 2500 + below(1120, rng);
    hello.counted(2, |payload| payload.random(length, rng));
    hello.0
}

/// What a server needs of a client's hello.
pub(super) struct ClientHello<'a> {
    pub(super) session: [u8; 32],
    /// The name in the SNI extension.
    pub(super) domain: &'a [u8],
}

/// Reads the record with a client's hello.
pub(super) fn read_client(record: &[u8]) -> Result<ClientHello<'_>, &'static str> {
    let mut reader = Reader(record.get(HEADER..).unwrap_or_default());
    if reader.take(1) != Some(&[CLIENT_HELLO]) {
        return Err("another message than a hello");
    }
    let mut hello = reader.counted(3).ok_or("its length is wrong")?;
    if !reader.0.is_empty() {
        return Err("more than one message in its record");
    }
    if hello.take(2) != Some(&[3, 3]) || hello.take(32).is_none() {
        return Err("its version is not that of TLS 1.2 and 1.3");
    }
    let session = hello.counted(1).ok_or("its session id is cut off")?;
    let session = session
        .0
        .try_into()
        .map_err(|_| "its session id has not 32 bytes")?;
    let suites = hello.counted(2).ok_or("its cipher suites are cut off")?;
    if !suites.0.chunks(2).any(|suite| suite == [0x13, 0x01]) {
        return Err("it does not offer TLS_AES_128_GCM_SHA256");
    }
    hello
        .counted(1)
        .ok_or("its compression methods are cut off")?;
    let mut extensions = hello.counted(2).ok_or("its extensions are cut off")?;
    while !extensions.0.is_empty() {
        let cut_off = "an extension is cut off";
        let kind = extensions.take(2).ok_or(cut_off)?;
        let mut extension = extensions.counted(2).ok_or(cut_off)?;
        if kind == [0, 0] {
            let mut names = extension.counted(2).ok_or(cut_off)?;
            return match (names.take(1), names.counted(2)) {
                (Some([0]), Some(Reader(domain))) => Ok(ClientHello { session, domain }),
                _ => Err("its server name is malformed"),
            };
        }
    }
    Err("it names no server")
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// What comes after its length in `width` bytes.
    fn counted(&mut self, width: usize) -> Option<Self> {
        let length = self
            .take(width)?
            .iter()
            .fold(0, |length, byte| length << 8 | usize::from(*byte));
        self.take(length).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fast(fastrand::Rng);
    impl SecureRandom for Fast {
        fn fill(&mut self, dest: &mut [u8]) {
            self.0.fill(dest);
        }
    }

    struct Same;
    impl SecureRandom for Same {
        fn fill(&mut self, dest: &mut [u8]) {
            dest.fill(0x77);
        }
    }

    #[test]
    fn what_looks_like_a_key_of_x25519_is_one() {
        let key = x25519::public_key(&[0x77; 32]);
        let times = |hello: &[u8]| hello.windows(32).filter(|part| *part == key).count();
        // Both shares, and the key of the encrypted hello.
        assert_eq!(times(&client("www.example.com", &mut Same)), 3);
        assert_eq!(times(&server(&[0; 32], &mut Same)), 1);
    }

    #[test]
    fn a_key_of_ml_kem_has_numbers_below_its_prime_only() {
        for seed in 0..4 {
            let key = ml_kem_768(&mut Fast(fastrand::Rng::with_seed(seed)));
            assert_eq!(key.len(), 1184);
            for [a, b, c] in key[..1152].as_chunks().0 {
                assert!(u16::from(*a) | u16::from(b & 15) << 8 < 3329);
                assert!(u16::from(b >> 4) | u16::from(*c) << 4 < 3329);
            }
        }
    }

    #[test]
    fn lengths_are_those_of_what_they_count() {
        let mut writer = Writer(vec![9]);
        writer.counted(3, |writer| {
            writer.put(&[1]);
            writer.counted(1, |writer| writer.put(&[2; 200]));
        });
        assert_eq!(writer.0[..6], [9, 0, 0, 202, 1, 200]);
        assert_eq!(writer.0.len(), 206);
    }
}
