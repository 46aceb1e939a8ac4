//! What faults make of a call and of its answer, between the moment that the call came and the answer's.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use flate2::Compression;
use layer_tl_types::{Identifiable, Serializable, types};

use super::forge;
use super::registry::SlotState;
use crate::faults::Action;
use crate::rpc::RpcError;
use crate::world::difference::Bend;

/// Calls of one session whose answers are to be twisted at most; the oldest are let go.
const MAX_TWISTS: usize = 1_000;
/// How long the answer is held back after its state was asked for.
const STATE_PATIENCE: Duration = Duration::from_secs(1);

/// What becomes of a call.
#[derive(Debug, Default)]
pub(crate) struct Twist {
    /// It is not done, and answered with this.
    pub(crate) refusal: Option<RpcError>,
    /// What happens to its answer.
    pub(crate) answer: Vec<Action>,
}

/// The twists of one session, by the msg_id of the call.
#[derive(Debug, Default)]
pub(crate) struct Twists(BTreeMap<i64, Twist>);

impl Twists {
    pub(crate) fn put(&mut self, msg_id: i64, twist: Twist) {
        self.0.insert(msg_id, twist);
        if self.0.len() > MAX_TWISTS {
            self.0.pop_first();
        }
    }

    /// The error that a call is to be answered with.
    pub(crate) fn refusal(&mut self, msg_id: i64) -> Option<RpcError> {
        self.0.get_mut(&msg_id)?.refusal.take()
    }

    /// What becomes of the difference or the file that a call asks for.
    pub(crate) fn bend(&self, msg_id: i64) -> Bend {
        let mut bend = Bend::default();
        for action in self
            .0
            .get(&msg_id)
            .into_iter()
            .flat_map(|twist| &twist.answer)
        {
            match action {
                Action::TooLong => bend.too_long = true,
                Action::Slice(changes) => bend.slice = usize::try_from(*changes).ok(),
                Action::ChannelTimeout(seconds) => bend.timeout = i32::try_from(*seconds).ok(),
                Action::WrongBytes => bend.file.wrong_bytes = true,
                Action::WrongHashes => bend.file.wrong_hashes = true,
                Action::LosePart => bend.file.loses_part = true,
                Action::CdnForgets => bend.file.forgets = true,
                _ => {}
            }
        }
        bend
    }

    /// What happens to the answer.
    fn answer(&mut self, msg_id: i64) -> Vec<Action> {
        let twist = self.0.remove(&msg_id);
        twist.map(|twist| twist.answer).unwrap_or_default()
    }
}

impl SlotState {
    /// Answers a call with `packed` if there is such a form of it and else with `plain`, unless a fault wants
    /// something else.
    pub(crate) fn answer(
        &mut self,
        msg_id: i64,
        plain: Vec<u8>,
        packed: Option<Vec<u8>>,
        noise: &mut dyn FnMut(u32) -> Vec<u8>,
        (now, unix): (Instant, Duration),
    ) {
        let actions = self.twists.answer(msg_id);
        let forged = actions.iter().find_map(|action| match action {
            Action::Gzip => forge::gzip(&plain, Compression::default()),
            Action::GzipBomb(size) => forge::bomb(*size),
            Action::Garbage(length) => Some(noise(*length)),
            _ => None,
        });
        let bytes = forged.or(packed).unwrap_or(plain);
        let again = actions.contains(&Action::Duplicate).then(|| bytes.clone());
        if actions.contains(&Action::DetailedInfo) {
            if let Some((answer_msg_id, length, _)) = self.hold_back(msg_id, bytes, now, unix) {
                let info = types::MsgDetailedInfo {
                    msg_id,
                    answer_msg_id,
                    bytes: i32::try_from(length).unwrap_or(i32::MAX),
                    status: 0,
                };
                self.send_service(boxed(&info));
            }
        } else if actions.contains(&Action::StateRequest) {
            if let Some((answer_msg_id, _, packet)) = self.hold_back(msg_id, bytes, now, unix) {
                let msg_ids = vec![answer_msg_id];
                self.send(boxed(&types::MsgsStateReq { msg_ids }));
                self.stage(now + STATE_PATIENCE, packet);
            }
        } else {
            self.respond(msg_id, bytes);
        }
        if let Some(result) = again {
            self.send(forge::rpc_result(msg_id, &result));
        }
    }

    /// Answers a call, but keeps the packet that says so from going out: its msg_id, its length and itself.
    fn hold_back(
        &mut self,
        msg_id: i64,
        result: Vec<u8>,
        now: Instant,
        unix: Duration,
    ) -> Option<(i64, usize, Vec<u8>)> {
        // What waits already goes before it and without it.
        loop {
            let mut packet = Vec::new();
            if !self.transmit_session(now, unix, &mut packet) {
                break;
            }
            self.stage(now, packet);
        }
        self.respond(msg_id, result);
        let mut packet = Vec::new();
        self.transmit_session(now, unix, &mut packet);
        let (answer_msg_id, length) = forge::answer_in(self.key(), &packet, msg_id)?;
        Some((answer_msg_id, length, packet))
    }
}

/// A value with its constructor's id.
pub(crate) fn boxed<T: Identifiable + Serializable>(value: &T) -> Vec<u8> {
    let mut bytes = T::CONSTRUCTOR_ID.to_le_bytes().to_vec();
    value.serialize(&mut bytes);
    bytes
}
