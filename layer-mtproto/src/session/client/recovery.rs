//! Sending again what the server did not take, with a bound and ever more slowly.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::sent::{Sent, Service};
use super::{ClientEvent, ClientSession, MAX_ASKED, RequestId, Turn, random_i64};
use crate::session::error::{RequestFailure, Terminal};
use crate::session::msg_id::{self, MsgIds};
use crate::session::seqno::Seqno;
use crate::session::window::Window;

/// After so many refusals in a row, with nothing taken in between, the session is over.
const MAX_TROUBLE: u32 = 30;
/// The first refusals are answered at once: they are part of life.
const FREE_TROUBLE: u32 = 3;

/// In place of the packet that a request went with, when that was refused.
const NOT_TAKEN: i64 = i64::MAX;

/// How long to wait before the `n`th time, counted from 1.
fn backoff(n: u32) -> Duration {
    match n {
        0 | 1 => Duration::ZERO,
        n => Duration::from_millis(250 << n.min(8).saturating_sub(2)).min(Duration::from_secs(10)),
    }
}

/// Under which msg_id a request goes again. The old one lets the server see whether it had the message already,
/// for it ignored a packet, and the message may have come with another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// A new one.
    Never,
    /// The old one, if it was in another packet before.
    IfUncertain,
    /// The old one.
    Always,
}

impl ClientSession {
    /// The server ignored one of our messages.
    pub(super) fn on_bad_msg(&mut self, bad_msg_id: i64, code: i32, notice: i64, now: Instant) {
        let Some(sent) = self.sent.get(bad_msg_id).cloned() else {
            // Not one that we sent lately: whoever says so may be replaying.
            return;
        };
        if !self.note_trouble(bad_msg_id, code, now) {
            return;
        }
        let mut again = Again::IfUncertain;
        match code {
            16 | 17 => {
                if code == 16 && self.clock_is_certain {
                    // Our time was right: this may be about a copy that came late.
                    again = Again::Always;
                }
                // A server's ids grow on when its clock is set back: then the notice does not name the time by which
                // it says again that our id is too high, and only the ids of another session will tell it.
                let contradicts = !msg_id::is_ahead(bad_msg_id, msg_id::time(notice));
                if code == 17 && contradicts && self.trouble.count > 1 {
                    self.begin_anew(bad_msg_id, &sent, code, now);
                    return;
                }
                self.synchronise(notice, now);
                // Ids from the future would stay ahead for as long as our clock was. They may be left behind if
                // the server took none of them; if it did, ids can grow on only in another session.
                if self.ids.are_ahead(self.clock.server_time(now)) {
                    if self.accepted != 0 {
                        self.begin_anew(bad_msg_id, &sent, code, now);
                        return;
                    }
                    self.ids = MsgIds::default();
                }
            }
            18 | 19 | 33 | 34 | 35 | 64 => {
                self.begin_anew(bad_msg_id, &sent, code, now);
                return;
            }
            32 => self.seqno.skip(),
            _ => {}
        }
        self.refused(bad_msg_id, sent, code, again, now);
    }

    /// The salt was wrong; the right one comes with the notice.
    pub(super) fn on_bad_server_salt(
        &mut self,
        bad_msg_id: i64,
        salt: i64,
        notice: i64,
        now: Instant,
    ) {
        let Some(sent) = self.sent.get(bad_msg_id).cloned() else {
            return;
        };
        if !self.note_trouble(bad_msg_id, 48, now) {
            return;
        }
        let ahead = msg_id::seconds(notice) - self.clock.server_seconds(now);
        if ahead.abs() > 30 {
            self.synchronise(notice, now);
        }
        self.salts.correct(self.clock.server_seconds(now), salt);
        self.events.push_back(ClientEvent::SaltsChanged);
        // The salt is the packet's, so a request that is named went alone.
        if self.has_moved_on(&sent, bad_msg_id) {
            return;
        }
        // A salt can be wrong because the packet is an old one that somebody sent a second time.
        self.refused(bad_msg_id, sent, 48, Again::Always, now);
    }

    /// Counts a refusal, and slows everything down when there are many. `false`: the session is over.
    /// What was sent before the last one was heard of is the same trouble.
    fn note_trouble(&mut self, bad_msg_id: i64, code: i32, now: Instant) -> bool {
        if self.trouble.count > 0 && bad_msg_id <= self.trouble.heard {
            return true;
        }
        self.trouble.heard = self.ids.last();
        self.trouble.count += 1;
        if self.trouble.count > MAX_TROUBLE {
            self.terminate(Terminal::Rejected { code });
            return false;
        }
        if self.trouble.count > FREE_TROUBLE {
            self.trouble.hold_until = Some(now + backoff(self.trouble.count - FREE_TROUBLE + 1));
        }
        true
    }

    /// Sends again what was refused: a message, or all that was in a container.
    fn refused(&mut self, msg_id: i64, sent: Sent, code: i32, again: Again, now: Instant) {
        match sent {
            Sent::Container(members) => {
                self.sent.remove(msg_id);
                for member in members {
                    match self.sent.get(member).cloned() {
                        Some(Sent::Container(_)) | None => {}
                        Some(sent) if self.has_moved_on(&sent, msg_id) => {}
                        Some(sent) => self.refused_one(member, sent, code, again, now),
                    }
                }
            }
            // The message itself is named.
            sent => {
                let moved_on = self.has_moved_on(&sent, msg_id);
                if moved_on && self.must_not_repeat(&sent) {
                    // Its older packet, most likely; what became of the newer one will be asked.
                    return;
                }
                // Under its old name the server knows it, should the notice be about an older packet; but that
                // name will not do for ever.
                let stubborn = self.is_stubborn(&sent);
                let again = match again {
                    _ if moved_on && !stubborn => Again::Always,
                    Again::IfUncertain => Again::Never,
                    Again::Always if code == 16 && stubborn => Again::Never,
                    again => again,
                };
                self.refused_one(msg_id, sent, code, again, now);
            }
        }
    }

    fn must_not_repeat(&self, sent: &Sent) -> bool {
        let Sent::Request(id) = sent else {
            return false;
        };
        self.requests
            .get(id)
            .is_some_and(|request| !request.options.may_be_done_twice())
    }

    /// Whether a request has gone with another packet since the one that was refused. One copy of it on its way is
    /// enough: a second could be done again by a server that forgets.
    fn has_moved_on(&self, sent: &Sent, packet: i64) -> bool {
        let Sent::Request(id) = sent else {
            return false;
        };
        self.requests
            .get(id)
            .is_some_and(|request| request.uncertain && request.carrier != packet)
    }

    fn is_stubborn(&self, sent: &Sent) -> bool {
        let Sent::Request(id) = sent else {
            return false;
        };
        self.requests
            .get(id)
            .is_some_and(|request| request.uncertain && request.attempts >= 4)
    }

    fn refused_one(&mut self, msg_id: i64, sent: Sent, code: i32, again: Again, now: Instant) {
        match sent {
            Sent::Container(_) => {}
            Sent::Request(id) => {
                // It may have gone again under another id since.
                let current = self
                    .requests
                    .get(&id)
                    .is_some_and(|r| r.turn == Turn::Sent && r.ids.last() == Some(msg_id));
                if current {
                    self.retry(id, code, again, now);
                }
            }
            Sent::Service(service) => {
                self.sent.remove(msg_id);
                self.retry_service(service, now);
            }
        }
    }

    /// Sends a request again, if it was not refused too often.
    pub(super) fn retry(&mut self, id: RequestId, code: i32, again: Again, now: Instant) {
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        request.attempts = request.attempts.saturating_add(1);
        let attempts = request.attempts;
        if attempts >= self.config.max_attempts {
            self.fail(id, RequestFailure::Rejected { code, attempts });
            return;
        }
        // What was refused was certainly not done.
        request.carrier = NOT_TAKEN;
        request.turn = match again {
            Again::Always => Turn::Again,
            Again::IfUncertain if request.uncertain => Turn::Again,
            _ => Turn::Fresh,
        };
        request.acked = false;
        let wait = backoff(u32::from(attempts));
        request.not_before = (!wait.is_zero()).then(|| now + wait);
        self.queue.insert(id);
    }

    fn retry_service(&mut self, service: Service, now: Instant) {
        match service {
            Service::Acks(acks) => {
                let ids = acks.msg_ids.into_iter();
                ids.for_each(|id| self.acks.push(id, now));
            }
            Service::GetFutureSalts => self.salts_asked = None,
            // Its question is asked again when it is due.
            Service::StateReq(_) => {}
            Service::Ping { ping_id, .. } => {
                self.pings.waiting.retain(|(id, _)| *id != ping_id);
                self.put_back(service);
            }
            service => self.put_back(service),
        }
    }

    /// Leaves a session that the server finds fault with, for a new one. What was not answered goes again.
    fn begin_anew(&mut self, bad_msg_id: i64, bad: &Sent, code: i32, now: Instant) {
        let refused = match bad {
            Sent::Container(members) => members.clone(),
            _ => vec![bad_msg_id],
        };
        let old = self.session_id;
        self.session_id = random_i64(&mut *self.rng);
        self.seqno = Seqno::default();
        self.window = Window::default();
        self.distrusted.clear();
        self.accepted = 0;
        if self.ids.are_ahead(self.clock.server_time(now)) {
            self.ids = MsgIds::default();
        }
        self.acks.take();
        self.sent.clear();
        self.salts_asked = None;
        self.service
            .retain(|service| matches!(service, Service::DestroySession(_) | Service::Ping { .. }));
        self.put_back(Service::DestroySession(old));
        self.forget_messages_waited_for();
        for id in self.in_order(|_| true) {
            let Some(request) = self.requests.get_mut(&id) else {
                continue;
            };
            let was_refused = !request.uncertain
                && request
                    .ids
                    .last()
                    .is_some_and(|last| refused.contains(&last));
            let was_sent = request.turn != Turn::Fresh;
            request.ids.clear();
            request.uncertain = false;
            if was_refused {
                self.retry(id, code, Again::Never, now);
            } else if was_sent {
                self.lost(id);
            }
        }
    }

    /// The server of this session never had a request, or forgot it.
    pub(super) fn lost(&mut self, id: RequestId) {
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        request.losses = request.losses.saturating_add(1);
        if !request.options.may_be_done_twice() || request.losses > self.config.max_losses {
            self.fail(id, RequestFailure::ConnectionLost);
            return;
        }
        // Under its old name, if it still has one in this session: the server may know it after all.
        request.turn = Turn::Again;
        request.acked = false;
        self.queue.insert(id);
    }

    /// The server began a session with `first_msg_id`: what went before it is unknown there.
    /// A message goes by the packet that carried it last: one under an old name may be the first of a new one.
    pub(super) fn resend_before(&mut self, first_msg_id: i64, now: Instant) {
        let first_msg_id = self.sent.carrier(first_msg_id).unwrap_or(first_msg_id);
        let before = self.in_order(|request| {
            // Also what was about to go again on somebody's wish, if it must not be repeated.
            let went = match request.turn {
                Turn::Sent => true,
                Turn::Again => !request.options.may_be_done_twice(),
                Turn::Fresh => false,
            };
            went && request.carrier < first_msg_id
        });
        for id in before {
            self.lost(id);
            if let Some(request) = self.requests.get_mut(&id) {
                let wait = backoff(u32::from(request.losses));
                request.not_before = (!wait.is_zero()).then(|| now + wait);
            }
        }
    }

    /// Asks what became of requests that are neither answered nor acknowledged.
    pub(super) fn check_states(&mut self, now: Instant) {
        let sent = |request: &super::Request| request.turn == Turn::Sent;
        let due = self.in_order(|request| {
            let old = request
                .sent_at
                .is_some_and(|at| at + self.config.state_check <= now);
            sent(request) && old && !request.acked
        });
        let due: Vec<_> = due
            .iter()
            .filter_map(|id| self.requests.get(id)?.ids.last())
            .take(MAX_ASKED)
            .collect();
        if !due.is_empty()
            && !self
                .service
                .iter()
                .any(|s| matches!(s, Service::StateReq(_)))
        {
            self.put_back(Service::StateReq(due));
        }
        // Those asked about now are asked about again after the same time, the others when they are as old.
        let again = now + self.config.state_check;
        self.state_check = self
            .requests
            .values()
            .filter(|request| sent(request))
            .filter_map(|request| Some(request.sent_at? + self.config.state_check))
            .map(|due| if due <= now { again } else { due })
            .min();
    }

    /// What the server says about messages of ours, one byte for each.
    pub(super) fn on_states(&mut self, ids: &[i64], info: &[u8], now: Instant) {
        for (msg_id, status) in ids.iter().zip(info) {
            let Some(Sent::Request(id)) = self.sent.get(*msg_id) else {
                continue;
            };
            let id = *id;
            let Some(request) = self.requests.get_mut(&id) else {
                continue;
            };
            if request.turn != Turn::Sent || request.ids.last() != Some(*msg_id) {
                continue;
            }
            match status & 7 {
                // Nothing is known of it: it may have been done, and forgotten.
                1 if !request.options.may_be_done_twice() => {
                    self.fail(id, RequestFailure::ConnectionLost);
                }
                // Forgotten, or never received: it will know its name if it is only on its way.
                1..=3 => self.retry(id, 20, Again::Always, now),
                4 => request.acked = true,
                _ => {}
            }
        }
    }

    /// The server wants messages again. They go in a container, under the ids they have.
    pub(super) fn on_resend_req(&mut self, req_msg_id: i64, ids: &[i64]) {
        let mut unknown = false;
        // A container that is named stands for what was in it, however often it is named.
        let mut containers = BTreeSet::new();
        for msg_id in ids {
            match self.sent.get(*msg_id) {
                Some(Sent::Request(id)) => self.resend(*id, *msg_id),
                Some(Sent::Container(members)) => {
                    if containers.insert(*msg_id) {
                        for member in members.clone() {
                            if let Some(Sent::Request(id)) = self.sent.get(member) {
                                self.resend(*id, member);
                            }
                        }
                    }
                }
                _ => unknown = true,
            }
        }
        if unknown {
            self.answer_state(req_msg_id, ids);
        }
    }

    /// Sends a request again under the msg_id by which it is wanted, if that is still its own.
    fn resend(&mut self, id: RequestId, msg_id: i64) {
        if let Some(request) = self.requests.get_mut(&id)
            && request.ids.last() == Some(msg_id)
            && request.turn == Turn::Sent
            && request.losses < self.config.max_losses
        {
            request.losses += 1;
            request.turn = Turn::Again;
            self.queue.insert(id);
        }
    }
}
