//! The way of a call: out of its wrappers, past those it waits for, to its handler, and its answer back.

use std::sync::Arc;

use flate2::Compression;
use layer_tl_types::{Identifiable, types};

use super::delivery::Waiter;
use super::order::{Admission, Verdict};
use super::registry::Slot;
use super::{Hub, forge, lock, now};
use crate::rpc::gate::{self, Source};
use crate::rpc::wrap::Unwrapped;
use crate::rpc::{Outcome, RpcError};
use crate::world::difference::Bend;

/// Results shorter than this are not worth packing, says the documentation.
const MIN_COMPRESSED: usize = 256;

impl Hub {
    /// Serves a call of a session.
    pub(crate) fn call(self: &Arc<Self>, slot: &Arc<Slot>, dc_id: i32, msg_id: i64, body: &[u8]) {
        match Unwrapped::new(body) {
            Err(error) => self.answer(slot, msg_id, Err(error)),
            Ok(call) => {
                let admission =
                    lock(&slot.state)
                        .order
                        .admit(msg_id, &call.after, dc_id, body, now());
                match admission {
                    Admission::Now => self.serve(slot, dc_id, msg_id, call),
                    Admission::Parked => return,
                    Admission::Refused(error) => {
                        self.answer(slot, msg_id, Err(RpcError::bad(error)));
                    }
                }
            }
        }
        self.run_parked(slot);
    }

    /// Serves the calls whose predecessors are answered now, and refuses those that waited too long.
    pub(crate) fn run_parked(self: &Arc<Self>, slot: &Arc<Slot>) {
        // Each turn takes one call off a bounded list.
        loop {
            let next = lock(&slot.state).order.next_ready(now());
            let Some(parked) = next else { return };
            match (parked.verdict, Unwrapped::new(&parked.body)) {
                (Verdict::Go, Ok(call)) => self.serve(slot, parked.dc_id, parked.msg_id, call),
                (Verdict::Go, Err(error)) => self.answer(slot, parked.msg_id, Err(error)),
                (Verdict::Refused(error), _) => {
                    self.answer(slot, parked.msg_id, Err(RpcError::bad(error)));
                }
            }
        }
    }

    fn serve(self: &Arc<Self>, slot: &Arc<Slot>, dc_id: i32, msg_id: i64, call: Unwrapped<'_>) {
        let asks = gate::asks_for_updates(&call);
        let source = Source {
            auth_key_id: slot.auth_key_id,
            session_id: slot.session_id,
            msg_id,
            dc_id,
            now: self.clock.seconds(now()),
        };
        let (refusal, bend) = {
            let twists = &mut lock(&slot.state).twists;
            (twists.refusal(msg_id), twists.bend(msg_id))
        };
        let mut world = self.world();
        world.bend = bend;
        let reply = gate::serve(&mut world, &source, call, refusal);
        world.bend = Bend::default();
        if asks {
            lock(&slot.state).wants_updates = true;
        }
        // The answer goes before the updates that the call caused.
        match reply {
            Ok(Outcome::Deferred(ticket)) => {
                self.wait_for(
                    &world,
                    ticket,
                    Waiter::Session {
                        slot: Arc::clone(slot),
                        msg_id,
                    },
                );
            }
            Ok(Outcome::Ready(bytes)) => self.answer(slot, msg_id, Ok(bytes)),
            Err(error) => self.answer(slot, msg_id, Err(error)),
        }
        self.deliver(&mut world);
        drop(world);
        self.changed.notify_waiters();
    }

    /// Queues the answer of a call on its session.
    pub(super) fn answer(&self, slot: &Slot, msg_id: i64, result: Result<Vec<u8>, RpcError>) {
        let succeeded = result.is_ok();
        let plain = result.unwrap_or_else(|error| gate::error_bytes(&error));
        let packed = compress(&plain);
        let now = now();
        let time = (now, self.clock.unix(now));
        let mut noise = |bytes| self.faults().noise(bytes);
        let mut state = lock(&slot.state);
        state.order.done(msg_id, succeeded);
        state.answer(msg_id, plain, packed, &mut noise, time);
    }
}

/// A result in `gzip_packed`, if that makes it smaller. Files are left alone: they are large, and seldom become smaller.
fn compress(result: &[u8]) -> Option<Vec<u8>> {
    let is_file = result.starts_with(&types::upload::File::CONSTRUCTOR_ID.to_le_bytes());
    if is_file || result.len() < MIN_COMPRESSED {
        return None;
    }
    forge::gzip(result, Compression::fast()).filter(|packed| packed.len() < result.len())
}
