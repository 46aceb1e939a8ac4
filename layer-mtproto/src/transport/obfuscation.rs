//! Obfuscation: a stream cipher over the whole connection, keyed by its first 64 bytes.
//!
//! It hides nothing from someone who knows the protocol, unless an MTProxy secret is mixed into the keys; it
//! only keeps the bytes from looking like Telegram (`mtproto/mtproto-transports#transport-obfuscation`).

use layer_crypto::SecureRandom;
use layer_crypto::aes::AesCtr;
use layer_crypto::sha::sha256;

use super::TransportKind;

/// The length in bytes of the initialisation that opens an obfuscated connection.
pub(super) const INIT: usize = 64;

/// How a client obfuscates its connection.
#[derive(Clone, Default)]
pub struct ObfuscationParams {
    /// The 16 bytes of an MTProxy secret, without the byte in front that some are given with.
    pub secret: Option<[u8; 16]>,
    /// The DC wanted, which a proxy needs to know: + 10000 for test DCs, negative for media DCs.
    pub dc_id: i16,
}

/// First words that an obfuscated connection must not begin with, for they mean another protocol.
const FORBIDDEN: [[u8; 4]; 7] = [
    *b"HEAD",
    *b"POST",
    *b"GET ",
    *b"OPTI",
    [0x16, 3, 1, 2],
    [0xdd; 4],
    [0xee; 4],
];

fn allowed(init: &[u8; INIT]) -> bool {
    init[0] != 0xef && !FORBIDDEN.iter().any(|word| init.starts_with(word)) && init[4..8] != [0; 4]
}

/// The two directions of an obfuscated connection.
pub(super) struct Ciphers {
    pub(super) outgoing: AesCtr,
    pub(super) incoming: AesCtr,
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

/// The ciphers of the side that made `init`: its own direction first.
fn ciphers(init: &[u8; INIT], secret: Option<&[u8; 16]>) -> (AesCtr, AesCtr) {
    let mut reversed = *init;
    reversed.reverse();
    (
        cipher(&init[8..56], secret),
        cipher(&reversed[8..56], secret),
    )
}

/// Makes the first 64 bytes of a client's connection and the ciphers for what follows.
pub(super) fn open(
    kind: TransportKind,
    params: &ObfuscationParams,
    rng: &mut dyn SecureRandom,
) -> ([u8; INIT], Ciphers) {
    let mut init = [0; INIT];
    loop {
        rng.fill(&mut init);
        if let Some(tag) = kind.tag() {
            init[56..60].copy_from_slice(&tag);
        } else if TransportKind::from_tag([init[56], init[57], init[58], init[59]]).is_some() {
            // The full transport has no tag, and must not get one by chance.
            continue;
        }
        if allowed(&init) {
            break;
        }
    }
    if params.secret.is_some() {
        init[60..62].copy_from_slice(&params.dc_id.to_le_bytes());
    }
    let (mut outgoing, incoming) = ciphers(&init, params.secret.as_ref());
    let mut encrypted = init;
    outgoing.apply(&mut encrypted);
    init[56..].copy_from_slice(&encrypted[56..]);
    (init, Ciphers { outgoing, incoming })
}

/// What a server reads from a client's first 64 bytes, supposing that the client used `secret`.
pub(super) struct Reading {
    pub(super) tag: [u8; 4],
    pub(super) dc_id: i16,
    pub(super) ciphers: Ciphers,
}

pub(super) fn read(init: &[u8; INIT], secret: Option<&[u8; 16]>) -> Reading {
    let (mut incoming, outgoing) = ciphers(init, secret);
    let mut plain = *init;
    incoming.apply(&mut plain);
    Reading {
        tag: [plain[56], plain[57], plain[58], plain[59]],
        dc_id: i16::from_le_bytes([plain[60], plain[61]]),
        ciphers: Ciphers { outgoing, incoming },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_words_of_other_protocols_are_forbidden() {
        let mut init = [7; INIT];
        assert!(allowed(&init));
        init[0] = 0xef;
        assert!(!allowed(&init));
        for word in FORBIDDEN {
            init[..4].copy_from_slice(&word);
            assert!(!allowed(&init), "{word:?}");
        }
        init = [7; INIT];
        init[4..8].copy_from_slice(&[0; 4]);
        assert!(!allowed(&init));
    }

    #[test]
    fn a_forbidden_draw_is_drawn_again() {
        struct Draws(Vec<u8>);
        impl SecureRandom for Draws {
            fn fill(&mut self, dest: &mut [u8]) {
                dest.fill(self.0.pop().unwrap());
            }
        }
        let (init, _) = open(
            TransportKind::Intermediate,
            &ObfuscationParams::default(),
            &mut Draws(vec![1, 0xdd, 0xee, 0xef]),
        );
        assert_eq!(init[..56], [1; 56]);
    }

    #[test]
    fn both_sides_read_the_same() {
        struct Ramp;
        impl SecureRandom for Ramp {
            fn fill(&mut self, dest: &mut [u8]) {
                dest.iter_mut().zip(1..).for_each(|(d, i)| *d = i);
            }
        }
        for secret in [None, Some([9; 16])] {
            let params = ObfuscationParams { secret, dc_id: -4 };
            let (init, mut ours) = open(TransportKind::PaddedIntermediate, &params, &mut Ramp);
            let mut theirs = read(&init, secret.as_ref());
            assert_eq!(theirs.tag, [0xdd; 4]);
            if secret.is_some() {
                assert_eq!(theirs.dc_id, -4);
                assert_ne!(read(&init, None).tag, [0xdd; 4]);
            }
            let mut text = *b"there";
            ours.outgoing.apply(&mut text);
            theirs.ciphers.incoming.apply(&mut text);
            assert_eq!(&text, b"there");
            theirs.ciphers.outgoing.apply(&mut text);
            ours.incoming.apply(&mut text);
            assert_eq!(&text, b"there");
        }
    }
}
