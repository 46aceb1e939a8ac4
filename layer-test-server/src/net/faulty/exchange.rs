//! What happens to the key exchange.

use std::time::Instant;

use layer_crypto::dh::TELEGRAM_PRIME;
use layer_mtproto::{handshake, plain};
use layer_tl_types::{Identifiable, functions as f};

use super::{Close, Connection, Manner};
use crate::faults::{Action, Event, Step};

/// The generator and safe prime of RFC 3526's group 14, which is not Telegram's.
const FOREIGN_GROUP: (i32, [u8; 256]) = (2, FOREIGN_PRIME);
#[rustfmt::skip]
const FOREIGN_PRIME: [u8; 256] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc9, 0x0f, 0xda, 0xa2, 0x21, 0x68, 0xc2, 0x34,
    0xc4, 0xc6, 0x62, 0x8b, 0x80, 0xdc, 0x1c, 0xd1, 0x29, 0x02, 0x4e, 0x08, 0x8a, 0x67, 0xcc, 0x74,
    0x02, 0x0b, 0xbe, 0xa6, 0x3b, 0x13, 0x9b, 0x22, 0x51, 0x4a, 0x08, 0x79, 0x8e, 0x34, 0x04, 0xdd,
    0xef, 0x95, 0x19, 0xb3, 0xcd, 0x3a, 0x43, 0x1b, 0x30, 0x2b, 0x0a, 0x6d, 0xf2, 0x5f, 0x14, 0x37,
    0x4f, 0xe1, 0x35, 0x6d, 0x6d, 0x51, 0xc2, 0x45, 0xe4, 0x85, 0xb5, 0x76, 0x62, 0x5e, 0x7e, 0xc6,
    0xf4, 0x4c, 0x42, 0xe9, 0xa6, 0x37, 0xed, 0x6b, 0x0b, 0xff, 0x5c, 0xb6, 0xf4, 0x06, 0xb7, 0xed,
    0xee, 0x38, 0x6b, 0xfb, 0x5a, 0x89, 0x9f, 0xa5, 0xae, 0x9f, 0x24, 0x11, 0x7c, 0x4b, 0x1f, 0xe6,
    0x49, 0x28, 0x66, 0x51, 0xec, 0xe4, 0x5b, 0x3d, 0xc2, 0x00, 0x7c, 0xb8, 0xa1, 0x63, 0xbf, 0x05,
    0x98, 0xda, 0x48, 0x36, 0x1c, 0x55, 0xd3, 0x9a, 0x69, 0x16, 0x3f, 0xa8, 0xfd, 0x24, 0xcf, 0x5f,
    0x83, 0x65, 0x5d, 0x23, 0xdc, 0xa3, 0xad, 0x96, 0x1c, 0x62, 0xf3, 0x56, 0x20, 0x85, 0x52, 0xbb,
    0x9e, 0xd5, 0x29, 0x07, 0x70, 0x96, 0x96, 0x6d, 0x67, 0x0c, 0x35, 0x4e, 0x4a, 0xbc, 0x98, 0x04,
    0xf1, 0x74, 0x6c, 0x08, 0xca, 0x18, 0x21, 0x7c, 0x32, 0x90, 0x5e, 0x46, 0x2e, 0x36, 0xce, 0x3b,
    0xe3, 0x9e, 0x77, 0x2c, 0x18, 0x0e, 0x86, 0x03, 0x9b, 0x27, 0x83, 0xa2, 0xec, 0x07, 0xa2, 0x8f,
    0xb5, 0xc5, 0x5d, 0xf0, 0x6f, 0x4c, 0x52, 0xc9, 0xde, 0x2b, 0xcb, 0xf6, 0x95, 0x58, 0x17, 0x18,
    0x39, 0x95, 0x49, 0x7c, 0xea, 0x95, 0x6a, 0xe5, 0x15, 0xd2, 0x26, 0x18, 0x98, 0xfa, 0x05, 0x10,
    0x15, 0x72, 0x8e, 0x5a, 0x8a, 0xac, 0xaa, 0x68, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
];

impl Connection {
    /// Asks what is to happen to a request of the key exchange.
    pub(in crate::net) fn decide_exchange(&mut self, packet: &[u8], now: Instant) -> Vec<Action> {
        self.trouble.exchanged += 1;
        let Some(step) = step(packet) else {
            return Vec::new();
        };
        let event = Event::Exchange {
            step,
            number: self.trouble.exchanged,
        };
        self.decide(&event, now).actions
    }

    /// Sends an answer of the key exchange, changed as the actions want it.
    pub(in crate::net) fn send_exchanged(
        &mut self,
        mut packet: Vec<u8>,
        actions: &[Action],
        now: Instant,
    ) -> Result<(), Close> {
        let mut manner = Manner::default();
        for action in actions {
            // The nonces stand behind the constructor's id, what is hashed behind them.
            let flip = match action {
                Action::WrongNonce => Some(plain::HEADER + 4),
                Action::WrongServerNonce => Some(plain::HEADER + 20),
                // Of an encrypted answer, some byte within it.
                Action::WrongHash => Some(plain::HEADER + 44),
                _ => None,
            };
            if let Some(byte) = flip.and_then(|at| packet.get_mut(at)) {
                *byte ^= 1;
            }
            match action {
                Action::Malformed => halve(&mut packet),
                Action::Garbage(bytes) => packet = self.hub.faults().noise(*bytes),
                other => {
                    manner.take(other);
                }
            }
        }
        self.send(packet, &manner, now)
    }

    /// Does what an action does to a request of the key exchange before it is answered; true when that is all.
    pub(in crate::net) fn fail_exchange(&mut self, action: &Action) -> bool {
        matches!(action, Action::Drop) || self.upset(action)
    }
}

/// Makes the server's side of the key exchange do what the actions want it to say.
pub(in crate::net) fn prepare(handshake: &mut handshake::Server, actions: &[Action]) {
    let wants = |action| actions.contains(&action);
    handshake.refuse_keys(if wants(Action::DhGenRetry) {
        u8::MAX
    } else {
        0
    });
    handshake.fail_keys(wants(Action::DhGenFail));
    handshake.use_group(wants(Action::ForeignPrime).then_some(FOREIGN_GROUP));
    let forgeries = actions.to_vec();
    handshake.forge_answer(move |answer| {
        for action in forgeries {
            match action {
                Action::BadPrime => {
                    let mut prime = TELEGRAM_PRIME;
                    // No prime, and the generator's residue is the same.
                    prime[255] -= 12;
                    answer.dh_prime = prime.to_vec();
                }
                // No quadratic residue modulo Telegram's prime.
                Action::BadGenerator => answer.g = 2,
                Action::BadPublic => answer.g_a = vec![1],
                Action::WrongInnerNonce => answer.nonce[0] ^= 1,
                _ => {}
            }
        }
    });
}

/// Cuts the body of a plain message in two and keeps the first half.
fn halve(packet: &mut Vec<u8>) {
    let half = packet.len().saturating_sub(plain::HEADER) / 8 * 4;
    packet.truncate(plain::HEADER + half);
    if let (Some(field), Ok(half)) = (packet.get_mut(16..plain::HEADER), u32::try_from(half)) {
        field.copy_from_slice(&half.to_le_bytes());
    }
}

/// Which request of the key exchange a plain packet holds.
fn step(packet: &[u8]) -> Option<Step> {
    let (_, body) = plain::unpack(packet).ok()?;
    match u32::from_le_bytes(*body.first_chunk()?) {
        f::ReqPq::CONSTRUCTOR_ID | f::ReqPqMulti::CONSTRUCTOR_ID => Some(Step::Pq),
        f::ReqDhParams::CONSTRUCTOR_ID => Some(Step::DhParams),
        f::SetClientDhParams::CONSTRUCTOR_ID => Some(Step::DhGen),
        _ => None,
    }
}
