//! Taking a client's packets apart, with the checks that Telegram's servers make.

use std::time::{Duration, Instant};

use bytes::Bytes;
use layer_tl_types::{Deserializable, Identifiable, functions, types};

use super::{MAX_CALLS, Pending, Progress, ServerSession, ServerSessionEvent};
use crate::session::acks::MAX_IDS;
use crate::session::error::{ContainerError, Violation};
use crate::session::gzip;
use crate::session::msg_id::{self, MsgKind};
use crate::session::packet::{self, Message, Opened};
use crate::session::window::{CAPACITY, Seen};
use crate::session::wire::{GZIP_PACKED, MSG_CONTAINER, MSG_COPY, rpc_result};
use crate::tl;

/// A message may be this many seconds behind the server's time.
const MAX_BEHIND: i64 = 300;
/// A message may be this many seconds ahead of the server's time.
const MAX_AHEAD: i64 = 30;
/// The longest delay that a client may ask for before it is disconnected.
const MAX_DISCONNECT_DELAY: u64 = 24 * 3600;

impl ServerSession {
    /// Takes a packet that [`open_packet`](crate::session::open_packet) opened. `unix` is the time since 1970.
    ///
    /// What breaks a rule of msg_ids, seqnos, salts or containers is answered with the notification that the
    /// documentation has for it, and is no error here.
    ///
    /// # Errors
    /// If there is no such notification: the packet is not for this session, or a message cannot be read.
    pub fn handle_opened(
        &mut self,
        opened: &Opened,
        packet: &Bytes,
        now: Instant,
        unix: Duration,
    ) -> Result<(), Violation> {
        if opened.session_id != self.session_id {
            return Err(Violation::SessionId {
                expected: self.session_id,
                got: opened.session_id,
            });
        }
        let body = packet.get(opened.body.clone()).unwrap_or_default();
        let outer = Message {
            msg_id: opened.msg_id,
            seqno: opened.seqno,
            body,
        };
        if let Some(code) = check_msg_id(outer.msg_id, unix) {
            self.reject(outer.msg_id, outer.seqno, code);
            return Ok(());
        }
        if !self.salts.accepts(opened.salt, unix) {
            self.reject_salt(outer.msg_id, outer.seqno, unix);
            return Ok(());
        }
        let messages = match self.unwrap_container(outer) {
            Ok(messages) => messages,
            Err(code) => {
                self.reject(outer.msg_id, outer.seqno, code);
                return Ok(());
            }
        };
        // All of a container is taken, or nothing.
        for message in &messages {
            if self.window.look(message.msg_id) == Seen::New
                && let Some(code) = self.check_seqno(message)
            {
                self.reject(message.msg_id, message.seqno, code);
                return Ok(());
            }
        }
        self.greet(&messages, outer.msg_id, unix);
        let is_container = messages
            .first()
            .is_none_or(|first| first.msg_id != outer.msg_id);
        let outer_seen = self.window.insert(outer.msg_id);
        let mut inflatable = self.config.max_inflated;
        let mut result = Ok(());
        for message in messages {
            let seen = if is_container {
                self.window.insert(message.msg_id)
            } else {
                outer_seen
            };
            let taken = match seen {
                Seen::New => self.take(message, &mut inflatable, packet, (now, unix)),
                Seen::Duplicate => {
                    self.on_duplicate(&message, now);
                    Ok(())
                }
                Seen::Forgotten => {
                    self.reject(message.msg_id, message.seqno, 20);
                    Ok(())
                }
            };
            if result.is_ok() {
                result = taken;
            }
        }
        result
    }

    /// Tells the client that its salt is not the right one, and which is.
    pub fn reject_salt(&mut self, bad_msg_id: i64, bad_msg_seqno: i32, unix: Duration) {
        let notice = types::BadServerSalt {
            bad_msg_id,
            bad_msg_seqno,
            error_code: 48,
            new_server_salt: self.salts.current(unix),
        };
        self.send_bare(tl::boxed(&notice), false);
    }

    /// The messages of a packet. An error is the code of a `bad_msg_notification`.
    fn unwrap_container<'a>(&self, outer: Message<'a>) -> Result<Vec<Message<'a>>, i32> {
        if self.window.look(outer.msg_id) == Seen::Forgotten {
            return Err(20);
        }
        let messages = match tl::constructor_id(outer.body) {
            Some(MSG_CONTAINER) => {
                packet::parse_container(outer.msg_id, outer.body).map_err(|_| 64)?
            }
            Some(MSG_COPY) => {
                vec![packet::parse_copy(outer.msg_id, outer.body).map_err(|_| 64)?]
            }
            _ => return Ok(vec![outer]),
        };
        if outer.seqno & 1 == 1 {
            return Err(34);
        }
        // A packet that came twice is no new container under an old name.
        if self.seqnos.contains_key(&outer.msg_id) {
            return Err(19);
        }
        if messages.iter().any(|message| message.msg_id & 3 != 0) {
            return Err(18);
        }
        Ok(messages)
    }

    /// The seqno against the message's kind and against the messages before and after it.
    fn check_seqno(&self, message: &Message<'_>) -> Option<i32> {
        let odd = message.seqno & 1 == 1;
        match tl::constructor_id(message.body) {
            // A lone msgs_ack with an odd seqno comes from clients in use.
            Some(types::MsgsAck::CONSTRUCTOR_ID) => return None,
            Some(id) if !odd && is_call(id) => return Some(35),
            _ => {}
        }
        let clashes = |lower: i32, higher: i32| lower > higher || (lower == higher && odd);
        let before = self.seqnos.range(..message.msg_id).next_back();
        if before.is_some_and(|(_, seqno)| clashes(*seqno, message.seqno)) {
            return Some(32);
        }
        let after = self.seqnos.range(message.msg_id.saturating_add(1)..).next();
        after
            .filter(|(_, seqno)| clashes(message.seqno, **seqno))
            .map(|_| 33)
    }

    /// Tells the client that its session is new here, once.
    fn greet(&mut self, messages: &[Message<'_>], outer: i64, unix: Duration) {
        if self.unique_id.is_some() {
            return;
        }
        let mut bytes = [0; 8];
        self.rng.fill(&mut bytes);
        let unique_id = i64::from_le_bytes(bytes);
        self.unique_id = Some(unique_id);
        let first_msg_id = messages
            .iter()
            .map(|message| message.msg_id)
            .min()
            .unwrap_or(outer);
        let server_salt = self.salts.current(unix);
        let notice = types::NewSessionCreated {
            first_msg_id,
            unique_id,
            server_salt,
        };
        self.pending.push_front(Pending {
            kind: MsgKind::Notification,
            body: tl::boxed(&notice),
            content_related: true,
            answers: None,
            push: None,
        });
    }

    /// Takes a message that has not come before.
    fn take(
        &mut self,
        message: Message<'_>,
        inflatable: &mut usize,
        packet: &Bytes,
        (now, unix): (Instant, Duration),
    ) -> Result<(), Violation> {
        let Message {
            msg_id,
            seqno,
            body,
        } = message;
        let Some(constructor) = tl::constructor_id(body) else {
            return Err(Violation::Malformed { constructor: None });
        };
        if constructor != types::MsgsAck::CONSTRUCTOR_ID {
            self.seqnos.insert(msg_id, seqno);
            if self.seqnos.len() > CAPACITY {
                self.seqnos.pop_first();
            }
            if seqno & 1 == 1 {
                self.acks.push(msg_id, now);
            }
        }
        if constructor != GZIP_PACKED {
            return self.dispatch(constructor, message, Some(packet), (now, unix));
        }
        let unpacked = gzip::inflate_packed(body, *inflatable).map_err(Violation::Gzip)?;
        *inflatable -= unpacked.len();
        match tl::constructor_id(&unpacked) {
            None => Err(Violation::Malformed { constructor: None }),
            Some(MSG_CONTAINER | MSG_COPY) => Err(Violation::Container(ContainerError::Nested)),
            Some(constructor) => self.dispatch(
                constructor,
                Message {
                    body: &unpacked,
                    ..message
                },
                None,
                (now, unix),
            ),
        }
    }

    fn dispatch(
        &mut self,
        constructor: u32,
        message: Message<'_>,
        packet: Option<&Bytes>,
        (now, unix): (Instant, Duration),
    ) -> Result<(), Violation> {
        use functions as f;
        use types as t;
        let Message {
            msg_id,
            seqno,
            body,
        } = message;
        match constructor {
            t::MsgsAck::CONSTRUCTOR_ID => {
                let acks: t::MsgsAck = read(body)?;
                acks.msg_ids.into_iter().for_each(|id| self.on_ack(id));
            }
            f::Ping::CONSTRUCTOR_ID => {
                let ping: f::Ping = read_function(body)?;
                self.pong(msg_id, ping.ping_id);
            }
            f::PingDelayDisconnect::CONSTRUCTOR_ID => {
                let ping: f::PingDelayDisconnect = read_function(body)?;
                self.pong(msg_id, ping.ping_id);
                let delay = u64::try_from(ping.disconnect_delay).unwrap_or(0);
                let delay = Duration::from_secs(delay.min(MAX_DISCONNECT_DELAY));
                self.events
                    .push_back(ServerSessionEvent::DisconnectAfter(delay));
            }
            f::GetFutureSalts::CONSTRUCTOR_ID => {
                let wanted: f::GetFutureSalts = read_function(body)?;
                self.give_salts(msg_id, wanted.num, unix);
            }
            t::MsgsStateReq::CONSTRUCTOR_ID => {
                let request: t::MsgsStateReq = read(body)?;
                self.answer_state(msg_id, &request.msg_ids);
                // Who asks has not had the answer.
                let answers: Vec<_> = request
                    .msg_ids
                    .iter()
                    .filter_map(|id| self.answer_to(*id))
                    .collect();
                self.resend(&answers);
            }
            t::MsgResendReq::CONSTRUCTOR_ID => {
                let request: t::MsgResendReq = read(body)?;
                if !self.resend(&request.msg_ids) {
                    self.answer_state(msg_id, &request.msg_ids);
                }
            }
            t::MsgResendAnsReq::CONSTRUCTOR_ID => {
                let request: t::MsgResendAnsReq = read(body)?;
                let answers: Vec<_> = request
                    .msg_ids
                    .iter()
                    .filter_map(|id| self.answer_to(*id))
                    .collect();
                self.resend(&answers);
            }
            t::MsgsStateInfo::CONSTRUCTOR_ID
            | t::MsgsAllInfo::CONSTRUCTOR_ID
            | t::HttpWait::CONSTRUCTOR_ID => {}
            f::RpcDropAnswer::CONSTRUCTOR_ID => {
                let wish: f::RpcDropAnswer = read_function(body)?;
                self.drop_answer(msg_id, wish.req_msg_id);
            }
            f::DestroySession::CONSTRUCTOR_ID => {
                let wish: f::DestroySession = read_function(body)?;
                let session_id = wish.session_id;
                self.events
                    .push_back(ServerSessionEvent::DestroySession { session_id });
            }
            f::DestroyAuthKey::CONSTRUCTOR_ID => {
                self.events
                    .push_back(ServerSessionEvent::DestroyAuthKey { msg_id });
            }
            MSG_CONTAINER | MSG_COPY => {
                return Err(Violation::Container(ContainerError::Nested));
            }
            _ => self.on_call(msg_id, seqno, packet::keep(packet, body), now),
        }
        Ok(())
    }

    fn on_call(&mut self, msg_id: i64, seqno: i32, body: Bytes, now: Instant) {
        self.acks.push(msg_id, now);
        self.calls.insert(msg_id, Progress::Running);
        while self.calls.len() > MAX_CALLS {
            self.calls.pop_first();
        }
        self.events.push_back(ServerSessionEvent::Request {
            msg_id,
            seqno,
            body,
        });
    }

    /// The message came before: it is not done twice, but its answer is sent again.
    fn on_duplicate(&mut self, message: &Message<'_>, now: Instant) {
        if message.seqno & 1 == 1 {
            self.acks.push(message.msg_id, now);
        }
        if let Some(answer) = self.answer_to(message.msg_id) {
            self.again.insert(answer);
        }
    }

    /// The message that answers a call, if it is still kept.
    fn answer_to(&self, req_msg_id: i64) -> Option<i64> {
        self.unacked.answer_to(req_msg_id)
    }

    fn on_ack(&mut self, msg_id: i64) {
        self.again.remove(&msg_id);
        if let Some(push) = self
            .unacked
            .remove(&msg_id)
            .and_then(|unacked| unacked.push)
        {
            self.events.push_back(ServerSessionEvent::Acked { push });
        }
    }

    fn pong(&mut self, msg_id: i64, ping_id: i64) {
        self.acks.remove(msg_id);
        self.send_bare(tl::boxed(&types::Pong { msg_id, ping_id }), false);
    }

    fn give_salts(&mut self, req_msg_id: i64, count: i32, unix: Duration) {
        self.acks.remove(req_msg_id);
        let count = usize::try_from(count).unwrap_or(0);
        let salts = self
            .salts
            .future(unix, count)
            .into_iter()
            .map(|salt| types::FutureSalt {
                valid_since: salt.valid_since,
                valid_until: salt.valid_until,
                salt: salt.salt,
            });
        let now = i32::try_from(unix.as_secs()).unwrap_or(i32::MAX);
        let answer = types::FutureSalts {
            req_msg_id,
            now,
            salts: salts.collect(),
        };
        self.send_bare(tl::boxed(&answer), false);
    }

    fn answer_state(&mut self, req_msg_id: i64, ids: &[i64]) {
        self.acks.remove(req_msg_id);
        let status = |id: &i64| {
            let call = match self.calls.get(id) {
                Some(Progress::Answered) => 32 | 64,
                Some(_) => 32,
                None => 0,
            };
            self.window.status(*id) | call
        };
        let info = ids.iter().take(MAX_IDS).map(status).collect();
        self.send_bare(tl::boxed(&types::MsgsStateInfo { req_msg_id, info }), false);
    }

    /// Sends messages again. `false`: not all of them are kept.
    fn resend(&mut self, ids: &[i64]) -> bool {
        let mut all = true;
        for id in ids {
            if self.unacked.contains_key(id) {
                self.again.insert(*id);
            } else {
                all = false;
            }
        }
        all
    }

    fn drop_answer(&mut self, msg_id: i64, req_msg_id: i64) {
        let waiting = |pending: &Pending| pending.answers == Some(req_msg_id);
        let dropped = |msg_id, seq_no, length| {
            let bytes = i32::try_from(length).unwrap_or(i32::MAX);
            tl::boxed(&types::RpcAnswerDropped {
                msg_id,
                seq_no,
                bytes,
            })
        };
        let result = if let Some(at) = self.pending.iter().position(waiting) {
            let length = self
                .pending
                .remove(at)
                .map_or(0, |pending| pending.body.len());
            dropped(0, 0, length)
        } else if let Some(answer) = self.answer_to(req_msg_id) {
            self.again.remove(&answer);
            match self.unacked.remove(&answer) {
                Some(unacked) => dropped(answer, unacked.seqno, unacked.body.len()),
                None => tl::boxed(&types::RpcAnswerUnknown {}),
            }
        } else if self.calls.get(&req_msg_id) == Some(&Progress::Running) {
            self.calls.insert(req_msg_id, Progress::Dropped);
            self.events
                .push_back(ServerSessionEvent::Cancelled { msg_id: req_msg_id });
            tl::boxed(&types::RpcAnswerDroppedRunning {})
        } else {
            tl::boxed(&types::RpcAnswerUnknown {})
        };
        self.acks.remove(msg_id);
        self.put(Pending {
            kind: MsgKind::Response,
            body: rpc_result(msg_id, &result),
            content_related: true,
            answers: Some(msg_id),
            push: None,
        });
    }
}

/// The code of the notification that a msg_id earns, if it is not one that may come now.
fn check_msg_id(id: i64, unix: Duration) -> Option<i32> {
    let server = i64::try_from(unix.as_secs()).unwrap_or(i64::MAX);
    let ahead = msg_id::seconds(id).saturating_sub(server);
    if id & 3 != 0 {
        Some(18)
    } else if ahead < -MAX_BEHIND {
        Some(16)
    } else if ahead > MAX_AHEAD {
        Some(17)
    } else {
        None
    }
}

/// Whether a message is a call of the API, which has to be content-related.
fn is_call(constructor: u32) -> bool {
    !matches!(
        constructor,
        MSG_CONTAINER
            | MSG_COPY
            | GZIP_PACKED
            | types::MsgsAck::CONSTRUCTOR_ID
            | functions::Ping::CONSTRUCTOR_ID
            | functions::PingDelayDisconnect::CONSTRUCTOR_ID
            | functions::GetFutureSalts::CONSTRUCTOR_ID
            | types::MsgsStateReq::CONSTRUCTOR_ID
            | types::MsgsStateInfo::CONSTRUCTOR_ID
            | types::MsgsAllInfo::CONSTRUCTOR_ID
            | types::MsgResendReq::CONSTRUCTOR_ID
            | types::MsgResendAnsReq::CONSTRUCTOR_ID
            | types::HttpWait::CONSTRUCTOR_ID
            | functions::RpcDropAnswer::CONSTRUCTOR_ID
            | functions::DestroySession::CONSTRUCTOR_ID
            | functions::DestroyAuthKey::CONSTRUCTOR_ID
    )
}

fn read<T: Identifiable + Deserializable>(body: &[u8]) -> Result<T, Violation> {
    tl::read(body).ok_or(Violation::Malformed {
        constructor: tl::constructor_id(body),
    })
}

fn read_function<F: Identifiable + Deserializable>(body: &[u8]) -> Result<F, Violation> {
    tl::read_function(body).ok_or(Violation::Malformed {
        constructor: tl::constructor_id(body),
    })
}
