//! What a server has no business to send, and a client has to survive.

use layer_tl_types::types as t;

use super::Dice;
use super::clock::Clock;
use crate::util::pair::{boxed, container};

/// A container in a container.
const NESTED: usize = 10;

/// A body, and whether it wants to be acknowledged. `taken` are messages of the client that came lately.
pub(crate) fn nonsense(
    taken: &[i64],
    salt: i64,
    clock: &Clock,
    dice: &mut Dice,
) -> (Vec<u8>, bool) {
    let seconds = i64::try_from(clock.server_unix().as_secs()).unwrap();
    let made_up = |dice: &mut Dice, low: i64| {
        let past = i64::try_from(dice.below(200)).unwrap();
        (seconds - past) << 32 | (i64::from(dice.bits()) & !3) | low
    };
    let ours = |dice: &mut Dice| match taken.len() {
        0 => made_up(dice, 0),
        n => taken[dice.below(n)],
    };
    let some = |dice: &mut Dice| vec![ours(dice), made_up(dice, 0), made_up(dice, 1)];
    let kind = dice.below(14);
    let body = match kind {
        0 => boxed(&t::MsgsStateReq {
            msg_ids: some(dice),
        }),
        1 => boxed(&t::MsgResendReq {
            msg_ids: some(dice),
        }),
        2 => boxed(&t::MsgResendAnsReq {
            msg_ids: some(dice),
        }),
        3 => boxed(&t::MsgDetailedInfo {
            msg_id: ours(dice),
            answer_msg_id: made_up(dice, 1),
            bytes: 100,
            status: 0,
        }),
        4 => boxed(&t::MsgNewDetailedInfo {
            answer_msg_id: made_up(dice, 1),
            bytes: 100,
            status: 0,
        }),
        5 => boxed(&t::MsgsAllInfo {
            msg_ids: vec![made_up(dice, 0); 3],
            info: vec![1; dice.below(5)],
        }),
        6 => boxed(&t::MsgsStateInfo {
            req_msg_id: ours(dice),
            info: vec![4; dice.below(5)],
        }),
        7 => boxed(&t::NewSessionCreated {
            first_msg_id: ours(dice),
            unique_id: i64::from(dice.bits()),
            server_salt: salt,
        }),
        8 => boxed(&t::BadServerSalt {
            bad_msg_id: made_up(dice, 0),
            bad_msg_seqno: 1,
            error_code: 48,
            new_server_salt: 1,
        }),
        9 => boxed(&t::FutureSalts {
            req_msg_id: made_up(dice, 0),
            now: 0,
            salts: vec![],
        }),
        NESTED => {
            let inner = container(&[(made_up(dice, 1), 0, vec![1, 2, 3, 4])]);
            container(&[(made_up(dice, 1), 0, inner)])
        }
        // A service message cut short.
        11 => boxed(&t::MsgsAck {
            msg_ids: vec![1, 2],
        })[..12]
            .to_vec(),
        // An answer to nothing.
        12 => {
            let mut body = 0xf35c_6d01_u32.to_le_bytes().to_vec();
            body.extend_from_slice(&made_up(dice, 0).to_le_bytes());
            body.extend_from_slice(&[7; 16]);
            body
        }
        _ => (0..4 * (1 + dice.below(20)))
            .map(|_| dice.bits().to_le_bytes()[0])
            .collect(),
    };
    // A container is never acknowledged, and this one would come again and again for it.
    (body, kind != NESTED && dice.below(2) == 0)
}
