//! What happens to calls before they are served, and what is to become of their answers.

use std::sync::Arc;
use std::time::Instant;

use layer_tl_types::types;

use super::{Close, Connection, method};
use crate::faults::{Action, Decision, Event, Point, Transfer};
use crate::net::lock;
use crate::net::registry::Slot;
use crate::net::twist::{Twist, boxed};
use crate::rpc::RpcError;

/// Bytes of a call that take one of the places for those that are put off.
const DELAYED_PLACE: usize = 32 * 1024;

/// Bytes that a call and its answer move.
fn moved(body: &[u8]) -> u64 {
    let wanted = Transfer::of(body).map_or(0, |transfer| transfer.wanted());
    wanted.saturating_add(u64::try_from(body.len()).unwrap_or(u64::MAX))
}

impl Connection {
    /// Serves a call, unless something else is to happen to it.
    pub(in crate::net) fn call_or_fail(
        &mut self,
        slot: &Arc<Slot>,
        (msg_id, seqno): (i64, i32),
        body: &[u8],
        now: Instant,
    ) -> Result<(), Close> {
        let id = slot.auth_key_id;
        let decision = if self.watches(Point::Call) {
            let user = {
                let world = self.hub.world();
                world.auth.user_of(world.auth.permanent(id))
            };
            let event = Event::Call {
                method: &method(body),
                user,
                key: slot.key_kind,
                transfer: &|| Transfer::of(body),
            };
            self.decide(&event, now)
        } else {
            Decision::default()
        };
        let mut twist = Twist::default();
        let (mut delay, mut dropped, mut over) = (None, false, false);
        for action in decision.actions {
            if let Some((code, message)) = action.refusal(decision.left) {
                twist.refusal = Some(RpcError::new(code, message));
                continue;
            }
            match action {
                Action::Drop => dropped = true,
                Action::Delay(time) => delay = Some(time),
                Action::Bandwidth(rate) => {
                    let wait = self.trouble.way.take(moved(body), rate, now);
                    delay = delay.max(Some(wait));
                }
                Action::SharedBandwidth(rate) => {
                    let wait = self
                        .hub
                        .way(self.dc_id, |way| way.take(moved(body), rate, now));
                    delay = delay.max(Some(wait));
                }
                Action::ExpireReferences => self.hub.act(|world| world.expire_references(None)),
                Action::ExpireTokens => self.hub.act(|world| world.files.cdn.expire_tokens()),
                Action::CloseBeforeAck => self.trouble.lost = true,
                Action::CloseAfterAck => {
                    let msg_ids = vec![msg_id];
                    lock(&slot.state).send_service(boxed(&types::MsgsAck { msg_ids }));
                    self.work(now)?;
                    // What the session says from here on waits for its next connection.
                    self.detach();
                    self.closing = true;
                }
                Action::BadMsg(code) => {
                    lock(&slot.state).reject(msg_id, seqno, code);
                    over = true;
                }
                Action::BadServerSalt => {
                    let unix = self.hub.clock.unix(now);
                    lock(&slot.state).reject_salt(msg_id, seqno, unix);
                    over = true;
                }
                Action::NewSession => {
                    let unique_id = self.hub.world().auth.random_id();
                    let unix = self.hub.clock.unix(now);
                    // Later than whatever came with the call, in one container perhaps: what was answered is known by its
                    // msg_id when it comes again.
                    let soon = i64::try_from(unix.as_secs()).map_or(0, |now| (now + 1) << 32);
                    let first_msg_id = msg_id.saturating_add(4).max(soon);
                    lock(&slot.state).pretend_new(first_msg_id, unique_id, unix);
                    over = true;
                }
                Action::RotateSalts => lock(&slot.state).rotate_salts(),
                Action::ForgetKey(kind) => {
                    self.forget_key(id, kind);
                    over = true;
                }
                other => {
                    over |= self.upset(&other);
                    twist.answer.push(other);
                }
            }
        }
        if over {
            // Nobody looked at the call: it is done when it comes again.
            lock(&slot.state).forget_call(msg_id);
        }
        if over || dropped {
            return Ok(());
        }
        if twist.refusal.is_some() || !twist.answer.is_empty() {
            lock(&slot.state).twists.put(msg_id, twist);
        }
        let (hub, dc_id) = (Arc::clone(&self.hub), self.dc_id);
        match delay {
            None => hub.call(slot, dc_id, msg_id, body),
            Some(delay) => {
                let places = u32::try_from(1 + body.len() / DELAYED_PLACE).unwrap_or(u32::MAX);
                let taken = Arc::clone(&hub.delayed_calls).try_acquire_many_owned(places);
                let Ok(place) = taken else {
                    log::warn!("too many calls are put off, and one of them is lost");
                    return Ok(());
                };
                let (slot, body) = (Arc::clone(slot), body.to_vec());
                let hub = Arc::downgrade(&hub);
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    drop(place);
                    if let Some(hub) = hub.upgrade() {
                        hub.call(&slot, dc_id, msg_id, &body);
                    }
                });
            }
        }
        Ok(())
    }
}
