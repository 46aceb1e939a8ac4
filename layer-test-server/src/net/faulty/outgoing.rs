//! What happens to packets that go out.

use std::time::Instant;

use layer_crypto::AuthKey;

use super::{Close, Connection, Delayed, Manner, SWAP_PATIENCE};
use crate::faults::{Action, Event, MAX_REPLAY, Point};
use crate::net::forge;
use crate::net::registry::Slot;
use crate::random;

impl Connection {
    /// Sends a session's packet, unless something else is to happen to it.
    pub(in crate::net) fn send_or_fail(
        &mut self,
        slot: &Slot,
        key: &AuthKey,
        packet: &[u8],
        now: Instant,
    ) -> Result<(), Close> {
        self.trouble.outgoing += 1;
        if !self.watches(Point::Out) {
            self.trouble.earlier.clear();
            self.frame(packet)?;
            return self.send_swapped();
        }
        let mut packet = packet.to_vec();
        let event = Event::Out {
            number: self.trouble.outgoing,
            key: slot.key_kind,
            kept: self.trouble.earlier.len(),
        };
        let actions = self.decide(&event, now).actions;
        let kept = packet.clone();
        let (mut manner, mut swaps) = (Manner::default(), false);
        for action in &actions {
            if manner.take(action) {
                continue;
            }
            let other = match action {
                Action::Reorder => {
                    swaps = true;
                    None
                }
                Action::Replay(back) => {
                    let earlier = &self.trouble.earlier;
                    let at = earlier.len().checked_sub(usize::from(*back));
                    if let Some(earlier) = at.and_then(|at| earlier.get(at)).cloned() {
                        self.frame(&earlier)?;
                    }
                    None
                }
                Action::WrongSession => forge::wrong_session(key, &packet),
                Action::ShortPadding => forge::short_padding(key, &packet),
                Action::LongPadding => forge::long_padding(key, &packet, &mut *random::source()),
                Action::WrongMsgKey => Some(forge::wrong_msg_key(&packet)),
                Action::Garbage(bytes) => Some(self.hub.faults().noise(*bytes)),
                other => {
                    if self.upset(other) {
                        return Ok(());
                    }
                    None
                }
            };
            packet = other.unwrap_or(packet);
        }
        self.trouble.earlier.push(kept);
        if self.trouble.earlier.len() > usize::from(MAX_REPLAY) {
            self.trouble.earlier.remove(0);
        }
        if swaps && !manner.lost {
            self.send_swapped()?;
            self.trouble.swapped_out = Some((now + SWAP_PATIENCE, packet));
            return Ok(());
        }
        self.send(packet, &manner, now)?;
        self.send_swapped()
    }

    pub(super) fn send_swapped(&mut self) -> Result<(), Close> {
        match self.trouble.swapped_out.take() {
            Some((_, packet)) => self.frame(&packet),
            None => Ok(()),
        }
    }

    /// Sends a packet in such a manner.
    pub(super) fn send(
        &mut self,
        packet: Vec<u8>,
        manner: &Manner,
        now: Instant,
    ) -> Result<(), Close> {
        let again = manner.twice.then(|| packet.clone());
        for packet in [Some(packet), again].into_iter().flatten() {
            if let Some(delay) = manner.delay.filter(|_| !manner.lost) {
                self.put_off(now + delay, Delayed::Out(packet));
                continue;
            }
            if let Some(bytes) = manner.noise {
                self.make_noise(bytes);
            }
            if let Some(bytes) = manner.cut {
                self.out.cut_at(self.out.end() + bytes);
            }
            if !manner.lost {
                self.frame(&packet)?;
            }
            if manner.split {
                self.out.split_until(self.out.end());
            }
        }
        Ok(())
    }
}
