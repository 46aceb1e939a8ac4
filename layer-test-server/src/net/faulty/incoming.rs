//! What happens to packets that come.

use std::time::Instant;

use layer_tl_types::types;

use super::{Close, Connection, Delayed, Incoming, Manner, SWAP_PATIENCE, method};
use crate::faults::{Action, Event, Point, matches};
use crate::net::twist::boxed;
use crate::net::{forge, lock};

impl Connection {
    /// Takes a packet, unless something else is to happen to it.
    pub(in crate::net) fn take_or_fail(
        &mut self,
        incoming: Incoming,
        now: Instant,
    ) -> Result<(), Close> {
        self.trouble.incoming += 1;
        if self.watches(Point::In) {
            let body = incoming.body();
            let holds = |pattern: &str| {
                let fits = |body: &[u8]| matches(pattern, &method(body));
                if forge::is_container(body) {
                    forge::contained(body).any(|(_, body)| fits(body))
                } else {
                    fits(body)
                }
            };
            let event = Event::In {
                number: self.trouble.incoming,
                key: incoming.known.kind,
                container: forge::is_container(body),
                holds: &holds,
            };
            let decision = self.decide(&event, now);
            if !decision.actions.is_empty() {
                return self.fail_incoming(incoming, &decision.actions, now);
            }
        }
        self.take(incoming, now)?;
        self.take_swapped(now)
    }

    pub(super) fn take_swapped(&mut self, now: Instant) -> Result<(), Close> {
        match self.trouble.swapped_in.take() {
            Some((_, incoming)) => self.take(incoming, now),
            None => Ok(()),
        }
    }

    fn fail_incoming(
        &mut self,
        incoming: Incoming,
        actions: &[Action],
        now: Instant,
    ) -> Result<(), Close> {
        let (id, session_id) = (incoming.known.key.id(), incoming.opened.session_id);
        let (msg_id, seqno) = (incoming.opened.msg_id, incoming.opened.seqno);
        let (mut manner, mut swaps, mut over) = (Manner::default(), false, false);
        for action in actions {
            if manner.take(action) {
                continue;
            }
            match action {
                Action::Reorder => swaps = true,
                Action::BadMsg(code) => {
                    let slot = self.slot(&incoming, now);
                    lock(&slot.state).reject(msg_id, seqno, *code);
                    over = true;
                }
                Action::BadServerSalt => {
                    let slot = self.slot(&incoming, now);
                    let unix = self.hub.clock.unix(now);
                    lock(&slot.state).reject_salt(msg_id, seqno, unix);
                    over = true;
                }
                Action::ResendRequest => {
                    let slot = self.slot(&incoming, now);
                    let msg_ids = vec![msg_id];
                    lock(&slot.state).send(boxed(&types::MsgResendReq { msg_ids }));
                    over = true;
                }
                Action::NewSession => {
                    self.hub.registry().remove(id, session_id);
                }
                Action::RotateSalts => incoming.known.salts.rotate(),
                Action::ForgetKey(kind) => {
                    self.forget_key(id, *kind);
                    over = true;
                }
                other => over |= self.upset(other),
            }
        }
        if over || manner.lost {
            return Ok(());
        }
        if swaps {
            self.take_swapped(now)?;
            self.trouble.swapped_in = Some((now + SWAP_PATIENCE, incoming));
            return Ok(());
        }
        if let Some(delay) = manner.delay {
            let twice = manner.twice.then(|| incoming.clone());
            for incoming in [Some(incoming), twice].into_iter().flatten() {
                self.put_off(now + delay, Delayed::In(Box::new(incoming)));
            }
            return Ok(());
        }
        if manner.twice {
            self.take(incoming.clone(), now)?;
        }
        self.take(incoming, now)?;
        self.take_swapped(now)
    }
}
