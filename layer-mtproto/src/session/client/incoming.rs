//! Taking packets apart: every check before anything is used, then one function for each service message.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use layer_crypto::message::Sender;
use layer_tl_types::{Deserializable, Identifiable, types};

use super::sent::{Sent, Service};
use super::{ClientEvent, ClientSession, RequestId};
use crate::session::acks::MAX_IDS;
use crate::session::error::{ContainerError, RequestFailure, Violation};
use crate::session::gzip::{self, GzipError};
use crate::session::msg_id;
use crate::session::packet::{self, Message, Opened};
use crate::session::salts::FutureSalt;
use crate::session::window::Seen;
use crate::session::wire::{GZIP_PACKED, MSG_CONTAINER, MSG_COPY, RPC_RESULT, split_rpc_result};
use crate::tl;

/// A message may be this many seconds behind our time.
const MAX_BEHIND: i64 = 300;
/// A message may be this many seconds ahead of our time.
const MAX_AHEAD: i64 = 30;
/// Sessions of the server that are remembered.
const MAX_UNIQUE_IDS: usize = 32;
/// Messages of a doubtful time that are asked for again once the time is certain.
const MAX_DISTRUSTED: usize = 1024;
/// How long to wait before a doubtful time is asked for again.
const PING_INTERVAL: Duration = Duration::from_secs(5);

/// Where a message was found, and what may still be unpacked in its packet.
struct Place<'a> {
    in_container: bool,
    in_gzip: bool,
    /// How many bytes the compressed messages of this packet may still become.
    inflatable: &'a mut usize,
    /// The packet, if it may be kept.
    packet: Option<&'a Bytes>,
}

impl Place<'_> {
    /// A part of the packet to keep.
    fn keep(&self, part: &[u8]) -> Bytes {
        packet::keep(self.packet.filter(|_| !self.in_gzip), part)
    }
}

impl ClientSession {
    /// Takes a packet from the server, which is decrypted in place.
    ///
    /// # Errors
    /// If it breaks a rule. [`Violation::is_fatal`] tells whether the connection should be given up; otherwise
    /// what was wrong was dropped, and the rest taken.
    pub fn handle_packet(&mut self, packet: &mut [u8], now: Instant) -> Result<(), Violation> {
        let opened = packet::open(&self.key, Sender::Server, packet)?;
        self.handle_opened(opened, packet, None, now)
    }

    /// As [`handle_packet`](Self::handle_packet), but for several packets, which are decrypted all at a time: many times
    /// as fast where they are large. `packets` is empty then, and `results` holds what came of each, in their order, up to
    /// the first that is [fatal](Violation::is_fatal); what comes behind that one is not looked at.
    ///
    /// An answer that is most of its packet is not copied out of it.
    pub fn handle_packets(
        &mut self,
        packets: &mut Vec<BytesMut>,
        results: &mut Vec<Result<(), Violation>>,
        now: Instant,
    ) {
        results.clear();
        if let [packet] = packets.as_mut_slice() {
            let opened = packet::open(&self.key, Sender::Server, packet);
            let packet = std::mem::take(packet);
            results.push(self.handle_shared(opened, packet, now));
            packets.clear();
            return;
        }
        let opened = packet::open_many(&self.key, Sender::Server, packets);
        for (opened, packet) in opened.into_iter().zip(packets.drain(..)) {
            let result = self.handle_shared(opened, packet, now);
            let fatal = result.as_ref().is_err_and(Violation::is_fatal);
            results.push(result);
            if fatal {
                break;
            }
        }
    }

    fn handle_shared(
        &mut self,
        opened: Result<Opened, Violation>,
        packet: BytesMut,
        now: Instant,
    ) -> Result<(), Violation> {
        let packet = packet.freeze();
        self.handle_opened(opened?, &packet, Some(&packet), now)
    }

    fn handle_opened(
        &mut self,
        opened: Opened,
        packet: &[u8],
        shared: Option<&Bytes>,
        now: Instant,
    ) -> Result<(), Violation> {
        if opened.session_id != self.session_id {
            return Err(Violation::SessionId {
                expected: self.session_id,
                got: opened.session_id,
            });
        }
        let msg_id = opened.msg_id;
        check_parity(msg_id)?;
        let body = &packet[opened.body];
        self.check_time(msg_id, body, now)?;
        let message = Message {
            msg_id,
            seqno: opened.seqno,
            body,
        };
        self.pings.heard = Some(now);
        if self.terminal.is_some() {
            return Ok(());
        }
        let mut inflatable = self.config.max_inflated;
        let mut place = Place {
            in_container: false,
            in_gzip: false,
            inflatable: &mut inflatable,
            packet: shared,
        };
        self.take(message, &mut place, now)
    }

    /// A message too far from our time is dropped, unless it proves that it was made just now: then it is our
    /// time that is wrong. The first message of the session sets our time, for it names our session id, so it is
    /// no older than that.
    fn check_time(&mut self, msg_id: i64, body: &[u8], now: Instant) -> Result<(), Violation> {
        let ahead = msg_id::seconds(msg_id) - self.clock.server_seconds(now);
        if !self.clock_is_certain {
            self.clock_is_certain = true;
            if ahead.abs() > 2 {
                self.synchronise(msg_id, now);
            }
            self.plan_renewal(now);
            return Ok(());
        }
        if (-MAX_BEHIND..=MAX_AHEAD).contains(&ahead) {
            return Ok(());
        }
        if self.proves_the_time(msg_id, body) {
            self.synchronise(msg_id, now);
            if !self.distrusted.is_empty() {
                let ids = std::mem::take(&mut self.distrusted);
                self.put_back(Service::ResendReq(ids));
            }
            return Ok(());
        }
        // Either the message is not of now, or our clock stood still while the computer slept. A pong will tell.
        let inner = match tl::constructor_id(body) {
            Some(MSG_CONTAINER) => packet::parse_container(msg_id, body).unwrap_or_default(),
            _ => Vec::new(),
        };
        let ids = inner.iter().map(|message| message.msg_id);
        let ids = ids.chain(inner.is_empty().then_some(msg_id));
        let room = MAX_DISTRUSTED.saturating_sub(self.distrusted.len());
        self.distrusted.extend(ids.take(room));
        let asked = self
            .service
            .iter()
            .any(|service| matches!(service, Service::Ping { .. }))
            || self
                .pings
                .waiting
                .back()
                .is_some_and(|(_, sent)| *sent + PING_INTERVAL > now);
        if !asked {
            self.ping();
        }
        Err(Violation::Time { msg_id, ahead })
    }

    /// Whether a packet names something that only the server could have from us, and lately.
    fn proves_the_time(&self, msg_id: i64, body: &[u8]) -> bool {
        let proves = |body: &[u8]| {
            if let Some(bad) = tl::read::<types::BadMsgNotification>(body) {
                return self.sent.get(bad.bad_msg_id).is_some();
            }
            if let Some(bad) = tl::read::<types::BadServerSalt>(body) {
                return self.sent.get(bad.bad_msg_id).is_some();
            }
            tl::read::<types::Pong>(body)
                .is_some_and(|pong| self.pings.waiting.iter().any(|(id, _)| *id == pong.ping_id))
        };
        if tl::constructor_id(body) != Some(MSG_CONTAINER) {
            return proves(body);
        }
        packet::parse_container(msg_id, body)
            .is_ok_and(|messages| messages.iter().any(|message| proves(message.body)))
    }

    /// Takes the server's time from one of its msg_ids.
    pub(super) fn synchronise(&mut self, msg_id: i64, now: Instant) {
        let before = self.clock.offset_secs();
        self.clock.synchronise(now, msg_id::time(msg_id));
        self.clock_is_certain = true;
        let offset_secs = self.clock.offset_secs();
        if offset_secs != before {
            self.events
                .push_back(ClientEvent::TimeSynced { offset_secs });
        }
    }

    /// Takes a message that has not come before.
    fn take(
        &mut self,
        message: Message<'_>,
        place: &mut Place<'_>,
        now: Instant,
    ) -> Result<(), Violation> {
        let Message {
            msg_id,
            seqno,
            body,
        } = message;
        let wants_ack = seqno & 1 == 1;
        let seen = self.window.insert(msg_id);
        if wants_ack {
            // Also if it came before: our acknowledgement may have been lost.
            self.acks.push(msg_id, now);
        }
        match seen {
            Seen::New => self.dispatch(msg_id, body, place, now),
            Seen::Duplicate => Err(Violation::Duplicate { msg_id }),
            Seen::Forgotten => Err(Violation::Forgotten { msg_id }),
        }
    }

    fn dispatch(
        &mut self,
        msg_id: i64,
        body: &[u8],
        place: &mut Place<'_>,
        now: Instant,
    ) -> Result<(), Violation> {
        let Some(constructor) = tl::constructor_id(body) else {
            return Err(Violation::Malformed { constructor: None });
        };
        match constructor {
            MSG_CONTAINER | MSG_COPY if place.in_container => {
                Err(Violation::Container(ContainerError::Nested))
            }
            MSG_CONTAINER => {
                let messages =
                    packet::parse_container(msg_id, body).map_err(Violation::Container)?;
                self.take_all(&messages, place, now)
            }
            MSG_COPY => {
                let message = packet::parse_copy(msg_id, body).map_err(Violation::Container)?;
                self.take_all(&[message], place, now)
            }
            GZIP_PACKED if place.in_gzip => Err(Violation::Gzip(GzipError::Nested)),
            GZIP_PACKED => {
                let unpacked =
                    gzip::inflate_packed(body, *place.inflatable).map_err(Violation::Gzip)?;
                *place.inflatable -= unpacked.len();
                place.in_gzip = true;
                let result = self.dispatch(msg_id, &unpacked, place, now);
                place.in_gzip = false;
                result
            }
            _ => self.on_message(constructor, msg_id, body, place, now),
        }
    }

    /// Takes the messages of a container. One that is wrong does not keep the others from being taken.
    fn take_all(
        &mut self,
        messages: &[Message<'_>],
        place: &mut Place<'_>,
        now: Instant,
    ) -> Result<(), Violation> {
        for message in messages {
            check_parity(message.msg_id)?;
        }
        place.in_container = true;
        let mut first = Ok(());
        for message in messages {
            let result = self.take(*message, place, now);
            let harmless = matches!(result, Err(Violation::Duplicate { .. }));
            if first.is_ok() && !harmless {
                first = result;
            }
        }
        place.in_container = false;
        first
    }

    fn on_message(
        &mut self,
        constructor: u32,
        msg_id: i64,
        body: &[u8],
        place: &mut Place<'_>,
        now: Instant,
    ) -> Result<(), Violation> {
        use types as t;
        match constructor {
            RPC_RESULT => {
                let malformed = Violation::Malformed {
                    constructor: Some(constructor),
                };
                let (req_msg_id, result) = split_rpc_result(body).ok_or(malformed)?;
                self.on_rpc_result(req_msg_id, msg_id, result, place, now)
            }
            t::MsgsAck::CONSTRUCTOR_ID => {
                let acks: t::MsgsAck = read(body)?;
                acks.msg_ids.into_iter().for_each(|id| self.on_received(id));
                Ok(())
            }
            t::BadMsgNotification::CONSTRUCTOR_ID => {
                let bad: t::BadMsgNotification = read(body)?;
                self.on_bad_msg(bad.bad_msg_id, bad.error_code, msg_id, now);
                Ok(())
            }
            t::BadServerSalt::CONSTRUCTOR_ID => {
                let bad: t::BadServerSalt = read(body)?;
                self.on_bad_server_salt(bad.bad_msg_id, bad.new_server_salt, msg_id, now);
                Ok(())
            }
            t::NewSessionCreated::CONSTRUCTOR_ID => {
                let new: t::NewSessionCreated = read(body)?;
                // Whatever its seqno says, it must be acknowledged.
                self.acks.push(msg_id, now);
                self.on_new_session(&new, now);
                Ok(())
            }
            t::Pong::CONSTRUCTOR_ID => {
                let pong: t::Pong = read(body)?;
                self.on_pong(&pong, now);
                Ok(())
            }
            t::FutureSalts::CONSTRUCTOR_ID => {
                let salts: t::FutureSalts = read(body)?;
                self.on_future_salts(salts);
                Ok(())
            }
            t::MsgsStateReq::CONSTRUCTOR_ID => {
                let request: t::MsgsStateReq = read(body)?;
                self.answer_state(msg_id, &request.msg_ids);
                Ok(())
            }
            t::MsgsStateInfo::CONSTRUCTOR_ID => {
                let info: t::MsgsStateInfo = read(body)?;
                // Only in answer to our own question.
                if let Some(Sent::Service(Service::StateReq(ids) | Service::ResendReq(ids))) =
                    self.sent.get(info.req_msg_id).cloned()
                {
                    self.sent.remove(info.req_msg_id);
                    self.on_states(&ids, &info.info, now);
                }
                Ok(())
            }
            t::MsgsAllInfo::CONSTRUCTOR_ID => {
                let info: t::MsgsAllInfo = read(body)?;
                self.on_states(&info.msg_ids, &info.info, now);
                Ok(())
            }
            t::MsgDetailedInfo::CONSTRUCTOR_ID => {
                let info: t::MsgDetailedInfo = read(body)?;
                self.on_received(info.msg_id);
                self.on_detailed_info(info.answer_msg_id, now);
                Ok(())
            }
            t::MsgNewDetailedInfo::CONSTRUCTOR_ID => {
                let info: t::MsgNewDetailedInfo = read(body)?;
                self.on_detailed_info(info.answer_msg_id, now);
                Ok(())
            }
            t::MsgResendReq::CONSTRUCTOR_ID => {
                let request: t::MsgResendReq = read(body)?;
                self.on_resend_req(msg_id, &request.msg_ids);
                Ok(())
            }
            t::MsgResendAnsReq::CONSTRUCTOR_ID => {
                // Answers are the server's to send.
                let request: t::MsgResendAnsReq = read(body)?;
                self.answer_state(msg_id, &request.msg_ids);
                Ok(())
            }
            t::DestroySessionOk::CONSTRUCTOR_ID => {
                let done: t::DestroySessionOk = read(body)?;
                self.on_session_destroyed(done.session_id, true);
                Ok(())
            }
            t::DestroySessionNone::CONSTRUCTOR_ID => {
                let done: t::DestroySessionNone = read(body)?;
                self.on_session_destroyed(done.session_id, false);
                Ok(())
            }
            t::RpcAnswerUnknown::CONSTRUCTOR_ID
            | t::RpcAnswerDroppedRunning::CONSTRUCTOR_ID
            | t::RpcAnswerDropped::CONSTRUCTOR_ID => Ok(()),
            _ => {
                self.events.push_back(ClientEvent::Updates(body.to_vec()));
                Ok(())
            }
        }
    }

    fn on_rpc_result(
        &mut self,
        req_msg_id: i64,
        msg_id: i64,
        result: &[u8],
        place: &mut Place<'_>,
        now: Instant,
    ) -> Result<(), Violation> {
        // An answer always wants to be acknowledged.
        self.acks.push(msg_id, now);
        let id = match self.sent.get(req_msg_id) {
            Some(Sent::Request(id)) => *id,
            Some(Sent::Service(_)) => {
                self.on_received(req_msg_id);
                self.sent.remove(req_msg_id);
                self.trouble.count = 0;
                return match tl::constructor_id(result) {
                    Some(GZIP_PACKED | MSG_CONTAINER | MSG_COPY) | None => Ok(()),
                    Some(RPC_RESULT | types::RpcError::CONSTRUCTOR_ID) => Ok(()),
                    Some(constructor) => self.on_message(constructor, msg_id, result, place, now),
                };
            }
            // The answer to a request that was cancelled, or answered before.
            _ => return Ok(()),
        };
        self.on_received(req_msg_id);
        self.trouble.count = 0;
        if self.binds(id) {
            self.on_bind_answer(id, result, now);
            return Ok(());
        }
        if tl::constructor_id(result) != Some(GZIP_PACKED) {
            self.finish(id, req_msg_id, place.keep(result));
            return Ok(());
        }
        match gzip::inflate_packed(result, *place.inflatable) {
            Ok(unpacked) => {
                *place.inflatable -= unpacked.len();
                self.finish(id, req_msg_id, unpacked.into());
            }
            Err(error) => self.fail(id, RequestFailure::InvalidResponse(error)),
        }
        Ok(())
    }

    fn finish(&mut self, id: RequestId, req_msg_id: i64, result: Bytes) {
        let error = tl::read::<types::RpcError>(&result);
        let is = |begin| {
            error
                .as_ref()
                .is_some_and(|error| error.error_message.starts_with(begin))
        };
        if is("MSG_WAIT_") && self.hold_back(id, req_msg_id) {
            return;
        }
        let introduces = self
            .requests
            .get(&id)
            .is_some_and(|request| request.introduces);
        if !self.settle(id) {
            return;
        }
        // The server says that it does not know who we are (`CONNECTION_NOT_INITED`).
        if is("CONNECTION_") {
            self.introduced = false;
        // It has looked at what was in the call, and not only at what the call waits for.
        } else if introduces && !is("MSG_WAIT_") {
            self.introduced = true;
        }
        self.events.push_back(match error {
            Some(error) => ClientEvent::RpcError {
                id,
                code: error.error_code,
                message: error.error_message,
            },
            None => ClientEvent::Response { id, body: result },
        });
    }

    /// The server has a message of ours.
    fn on_received(&mut self, msg_id: i64) {
        let Some(sent) = self.sent.get(msg_id) else {
            return;
        };
        self.accepted = self.accepted.max(msg_id);
        if let Sent::Request(id) = sent
            && let Some(request) = self.requests.get_mut(id)
            && request.ids.last() == Some(msg_id)
        {
            request.acked = true;
        }
    }

    fn on_new_session(&mut self, new: &types::NewSessionCreated, now: Instant) {
        if self.unique_ids.contains(&new.unique_id) {
            return;
        }
        self.unique_ids.push_back(new.unique_id);
        if self.unique_ids.len() > MAX_UNIQUE_IDS {
            self.unique_ids.pop_front();
        }
        self.salts
            .correct(self.clock.server_seconds(now), new.server_salt);
        // It may be a server that knows nothing of us any more.
        self.introduced = false;
        self.events.push_back(ClientEvent::NewSession {
            first_msg_id: new.first_msg_id,
            unique_id: new.unique_id,
        });
        self.resend_before(new.first_msg_id, now);
    }

    fn on_pong(&mut self, pong: &types::Pong, now: Instant) {
        self.on_received(pong.msg_id);
        self.trouble.count = 0;
        let waiting = &mut self.pings.waiting;
        if let Some(at) = waiting.iter().position(|(id, _)| *id == pong.ping_id) {
            let sent = waiting
                .drain(..=at)
                .next_back()
                .map_or(now, |(_, sent)| sent);
            self.pings.reported = false;
            let round_trip = now.saturating_duration_since(sent);
            self.events.push_back(ClientEvent::Pong {
                ping_id: pong.ping_id,
                round_trip,
            });
        }
    }

    fn on_future_salts(&mut self, salts: types::FutureSalts) {
        // Only in answer to our own question.
        let asked = Sent::Service(Service::GetFutureSalts);
        if self.sent.get(salts.req_msg_id) != Some(&asked) {
            return;
        }
        self.on_received(salts.req_msg_id);
        self.sent.remove(salts.req_msg_id);
        self.trouble.count = 0;
        self.salts
            .merge(salts.salts.into_iter().map(|salt| FutureSalt {
                valid_since: salt.valid_since,
                valid_until: salt.valid_until,
                salt: salt.salt,
            }));
        self.events.push_back(ClientEvent::SaltsChanged);
    }

    /// Tells what is known of messages, of no more than may be asked about at once.
    pub(super) fn answer_state(&mut self, req_msg_id: i64, ids: &[i64]) {
        let ids = ids.iter().take(MAX_IDS);
        let info = ids.map(|id| self.window.status(*id)).collect();
        self.put_back(Service::StateInfo { req_msg_id, info });
    }

    /// An answer waits at the server: it is acknowledged if it came, and asked for if it did not.
    fn on_detailed_info(&mut self, answer_msg_id: i64, now: Instant) {
        if self.window.look(answer_msg_id) == Seen::Duplicate {
            self.acks.push(answer_msg_id, now);
            return;
        }
        if let Some(Service::ResendReq(ids)) = self
            .service
            .iter_mut()
            .find(|service| matches!(service, Service::ResendReq(ids) if ids.len() < 1024))
        {
            if !ids.contains(&answer_msg_id) {
                ids.push(answer_msg_id);
            }
        } else {
            self.put_back(Service::ResendReq(vec![answer_msg_id]));
        }
    }

    fn on_session_destroyed(&mut self, session_id: i64, existed: bool) {
        self.events.push_back(ClientEvent::SessionDestroyed {
            session_id,
            existed,
        });
    }

    /// Puts a service message into the queue, which the server cannot make longer than this.
    pub(super) fn put_back(&mut self, service: Service) {
        if self.service.len() < 256 {
            self.service.push_back(service);
        }
    }
}

fn check_parity(msg_id: i64) -> Result<(), Violation> {
    // 1 for answers and 3 for notifications; a client's are even.
    if msg_id & 1 == 1 {
        Ok(())
    } else {
        Err(Violation::MsgIdParity { msg_id })
    }
}

fn read<T: Identifiable + Deserializable>(body: &[u8]) -> Result<T, Violation> {
    tl::read(body).ok_or(Violation::Malformed {
        constructor: tl::constructor_id(body),
    })
}
