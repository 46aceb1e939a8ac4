//! Putting packets together: acknowledgements, service messages and requests that wait, in one container.

use std::time::{Duration, Instant};

use layer_crypto::message::Sender;
use layer_tl_types::{Serializable, functions, types};

use super::binding::KeyState;
use super::sent::{Sent, Service};
use super::{ClientSession, Request, RequestId, Turn};
use crate::session::acks::MAX_IDS;
use crate::session::msg_id::MsgKind;
use crate::session::packet::{self, Envelope, MAX_CONTAINER, MAX_MESSAGES, Message};
use crate::tl;

/// Salts are asked for when those known last no longer than this many seconds.
const SALTS_AHEAD: i64 = 2700;
/// A request is long of which no more than so many are sealed together.
const MANY: usize = 16;
/// How long to wait before asking again.
const SALTS_INTERVAL: Duration = Duration::from_secs(60);
/// So many are asked for.
const SALTS_COUNT: i32 = 64;

/// What is needed while a packet is made, and empty otherwise.
#[derive(Default)]
pub(super) struct Room {
    requests: Vec<RequestId>,
    messages: Vec<Outgoing>,
}

impl Room {
    pub(super) fn give_back(&mut self) {
        *self = Self::default();
    }
}

/// A message that goes with the packet being made.
struct Outgoing {
    msg_id: i64,
    seqno: i32,
    body: Body,
}

/// What is in a message.
enum Body {
    Service(Vec<u8>),
    /// A request with something around it.
    Wrapped(RequestId, Vec<u8>),
    /// A request as it was submitted, which may be a part of a file and is not copied for nothing.
    Plain(RequestId),
}

impl ClientSession {
    /// Appends the packet that is to be sent now to `out`, if there is one. Ask again until there is none. Not to
    /// be called without a connection: what is handed out counts as sent.
    pub fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let any = self.compose(now, out);
        if any {
            packet::seal(&self.key, Sender::Client, &mut out[start..]);
        }
        any
    }

    /// As [`poll_transmit`](Self::poll_transmit), but for several packets, which are sealed all at a time: many times as
    /// fast where they are large. `out` holds nothing but these packets then, and `ends` where each of them ends. None is
    /// begun once there are `enough` bytes.
    pub fn poll_transmit_many(
        &mut self,
        now: Instant,
        enough: usize,
        out: &mut Vec<u8>,
        ends: &mut Vec<usize>,
    ) {
        // Where parts of a file are sent there are mostly several, and what grows is copied.
        let first = self.queue.first().and_then(|id| self.requests.get(&id));
        if let Some(length) = first.map(|request| request.body.len())
            && length >= enough / MANY
        {
            out.clear();
            out.reserve(enough + length);
        }
        packet::compose_many(enough, out, ends, |out| self.compose(now, out));
        packet::seal_many(&self.key, Sender::Client, out, ends);
    }

    /// Appends a packet to `out` that is yet to be sealed.
    fn compose(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        if self.terminal.is_some() {
            return false;
        }
        if !self.connected {
            self.connected = true;
            self.pings.next = self.config.ping_interval.map(|interval| now + interval);
        }
        if self.trouble.hold_until.is_some_and(|hold| hold > now) {
            return false;
        }
        self.trouble.hold_until = None;
        // A session is made to do this often, and keeps the room that it took.
        let mut requests = std::mem::take(&mut self.room.requests);
        let mut messages = std::mem::take(&mut self.room.messages);
        self.ready_requests(now, &mut requests);
        let any = self.compose_of(&requests, &mut messages, now, out);
        requests.clear();
        messages.clear();
        self.room = Room { requests, messages };
        any
    }

    fn compose_of(
        &mut self,
        requests: &[RequestId],
        messages: &mut Vec<Outgoing>,
        now: Instant,
        out: &mut Vec<u8>,
    ) -> bool {
        let acks_due = self
            .acks
            .deadline(self.config.ack_delay)
            .is_some_and(|deadline| deadline <= now);
        if requests.is_empty() && self.service.is_empty() && !acks_due {
            return false;
        }
        self.ask_for_salts(now);
        if !self.acks.is_empty() {
            let msg_ids = self.acks.take();
            let acks = types::MsgsAck { msg_ids };
            self.put_service(Service::Acks(acks), now, messages);
        }
        while messages.len() < MAX_MESSAGES
            && let Some(service) = self.service.pop_front()
        {
            self.put_service(service, now, messages);
        }
        let mut again = false;
        let lengths = messages.iter().map(|message| match &message.body {
            Body::Service(body) => body.len(),
            // There are none yet.
            Body::Wrapped(..) | Body::Plain(_) => 0,
        });
        let mut size: usize = lengths.sum();
        for &id in requests {
            let length = self.requests.get(&id).map_or(0, |request| {
                request.body.len() + 32 + 8 * request.waits.len()
            }) + self.introduction(id).len();
            let full = messages.len() >= MAX_MESSAGES || size + length > MAX_CONTAINER;
            if full && !messages.is_empty() {
                break;
            }
            size += length;
            again |= self.put_request(id, now, messages);
        }
        if messages.is_empty() {
            return false;
        }
        let carrier = self.put_together(messages, again, now, out);
        for message in messages {
            if let Body::Plain(id) | Body::Wrapped(id, _) = message.body
                && let Some(request) = self.requests.get_mut(&id)
            {
                request.carrier = carrier;
            }
        }
        true
    }

    /// The requests that may be sent now, in the order in which they were submitted.
    fn ready_requests(&self, now: Instant, going: &mut Vec<RequestId>) {
        for id in self.queue.iter() {
            let Some(request) = self.requests.get(&id) else {
                continue;
            };
            let waits = request.not_before.is_some_and(|time| time > now);
            if waits || !self.may_go(id, request, going) {
                continue;
            }
            going.push(id);
            if going.len() >= MAX_MESSAGES {
                break;
            }
        }
    }

    /// Whether nothing but time keeps a request from going, given those that go before it.
    pub(super) fn may_go(&self, id: RequestId, request: &Request, going: &[RequestId]) -> bool {
        let key_allows = match self.key_state {
            KeyState::Ready => true,
            KeyState::Binding { request } => request == id,
            KeyState::Unbound => false,
        };
        key_allows && !self.is_blocked(request, going)
    }

    /// Sees that there are salts for a while. A key that is not bound has to be first.
    fn ask_for_salts(&mut self, now: Instant) {
        if !matches!(self.key_state, KeyState::Ready) {
            return;
        }
        let server_now = self.clock.server_seconds(now);
        let asked = self
            .salts_asked
            .is_some_and(|asked| now < asked + SALTS_INTERVAL);
        if !asked && self.salts.ahead(server_now) < SALTS_AHEAD {
            self.salts_asked = Some(now);
            self.service.push_back(Service::GetFutureSalts);
        }
    }

    fn put_service(&mut self, service: Service, now: Instant, messages: &mut Vec<Outgoing>) {
        let (body, content_related) = serialise(&service);
        let msg_id = self.next_msg_id(now);
        let seqno = self.seqno.next(content_related);
        if let Service::Ping { ping_id, .. } = service {
            self.pings.waiting.push_back((ping_id, now));
            self.pings.waiting.truncate(64);
        }
        // Should it get lost, what it asks about is asked about again.
        if let Service::StateReq(_) = service {
            self.state_check
                .get_or_insert(now + self.config.state_check);
        }
        self.sent.insert(msg_id, Sent::Service(service));
        messages.push(Outgoing {
            msg_id,
            seqno,
            body: Body::Service(body),
        });
    }

    /// What goes before a request to introduce the client.
    fn introduction(&self, id: RequestId) -> &[u8] {
        if self.introduced || self.binds(id) {
            &[]
        } else {
            &self.preamble
        }
    }

    /// Whether the request goes under a msg_id that it had before.
    fn put_request(&mut self, id: RequestId, now: Instant, messages: &mut Vec<Outgoing>) -> bool {
        let fresh = self.next_msg_id(now);
        let binds = self.binds(id);
        self.queue.remove(id);
        let Some(request) = self.requests.get_mut(&id) else {
            return false;
        };
        let again = match (request.turn, request.ids.last()) {
            // The binding names its msg_id and session, and is made anew.
            (Turn::Again, Some(_)) if !binds => {
                request.uncertain = true;
                true
            }
            _ => {
                request.uncertain = false;
                request.ordered = false;
                request.ids.push(fresh);
                request.seqno = self.seqno.next(true);
                self.sent.insert(fresh, Sent::Request(id));
                false
            }
        };
        request.turn = Turn::Sent;
        request.acked = false;
        request.sent_at = Some(now);
        request.not_before = None;
        let msg_id = request.ids.last().unwrap_or(fresh);
        let seqno = request.seqno;
        let body = if binds {
            self.set_deadline(id, Some(now + self.config.bind_timeout));
            Body::Wrapped(id, self.bind_request(msg_id))
        } else {
            self.wrapped(id)
        };
        messages.push(Outgoing {
            msg_id,
            seqno,
            body,
        });
        self.state_check
            .get_or_insert(now + self.config.state_check);
        again
    }

    /// A request's body with what goes around it now.
    fn wrapped(&mut self, id: RequestId) -> Body {
        let Some(request) = self.requests.get(&id) else {
            return Body::Plain(id);
        };
        let order = self.order_of(request);
        let introduction = self.introduction(id);
        if order.is_empty() && introduction.is_empty() {
            if let Some(request) = self.requests.get_mut(&id) {
                request.introduces = false;
            }
            return Body::Plain(id);
        }
        let body = [&order, introduction, &request.body].concat();
        let introduces = !introduction.is_empty();
        if let Some(request) = self.requests.get_mut(&id) {
            request.introduces = introduces;
            request.ordered |= !order.is_empty();
        }
        Body::Wrapped(id, body)
    }

    fn next_msg_id(&mut self, now: Instant) -> i64 {
        self.ids.next(self.clock.server_time(now), MsgKind::Client)
    }

    /// Makes a packet of the messages, in a container if need be, and gives the msg_id of the whole.
    fn put_together(
        &mut self,
        messages: &[Outgoing],
        in_container: bool,
        now: Instant,
        out: &mut Vec<u8>,
    ) -> i64 {
        let salt = self.salts.current(self.clock.server_seconds(now));
        let envelope = Envelope {
            salt,
            session_id: self.session_id,
        };
        let requests = &self.requests;
        let borrowed = messages.iter().map(|message| Message {
            msg_id: message.msg_id,
            seqno: message.seqno,
            body: match &message.body {
                Body::Service(body) | Body::Wrapped(_, body) => body,
                Body::Plain(id) => requests.get(id).map_or(&[], |request| &request.body),
            },
        });
        if let [single] = messages
            && !in_container
        {
            for message in borrowed {
                envelope.hold(message, &mut *self.rng, out);
            }
            return single.msg_id;
        }
        let msg_id = self.ids.next(self.clock.server_time(now), MsgKind::Client);
        let container = Message {
            msg_id,
            seqno: self.seqno.next(false),
            body: &[],
        };
        envelope.hold_all(container, borrowed, &mut *self.rng, out);
        let members = messages.iter().map(|message| message.msg_id).collect();
        self.sent.insert(msg_id, Sent::Container(members));
        msg_id
    }
}

/// The body of a service message, and whether it is content-related.
fn serialise(service: &Service) -> (Vec<u8>, bool) {
    match service {
        Service::Acks(acks) => (tl::boxed(acks), false),
        Service::Ping {
            ping_id,
            disconnect_delay: None,
        } => (functions::Ping { ping_id: *ping_id }.to_bytes(), false),
        Service::Ping {
            ping_id,
            disconnect_delay: Some(delay),
        } => {
            let ping = functions::PingDelayDisconnect {
                ping_id: *ping_id,
                disconnect_delay: *delay,
            };
            (ping.to_bytes(), false)
        }
        Service::GetFutureSalts => (
            functions::GetFutureSalts { num: SALTS_COUNT }.to_bytes(),
            true,
        ),
        Service::StateReq(ids) => {
            let msg_ids = ids.iter().copied().take(MAX_IDS).collect();
            (tl::boxed(&types::MsgsStateReq { msg_ids }), false)
        }
        Service::StateInfo { req_msg_id, info } => {
            let info = types::MsgsStateInfo {
                req_msg_id: *req_msg_id,
                info: info.clone(),
            };
            (tl::boxed(&info), false)
        }
        Service::ResendReq(ids) => {
            let msg_ids = ids.iter().copied().take(MAX_IDS).collect();
            (tl::boxed(&types::MsgResendReq { msg_ids }), false)
        }
        Service::DropAnswer(req_msg_id) => (
            functions::RpcDropAnswer {
                req_msg_id: *req_msg_id,
            }
            .to_bytes(),
            true,
        ),
        Service::DestroySession(session_id) => (
            functions::DestroySession {
                session_id: *session_id,
            }
            .to_bytes(),
            true,
        ),
    }
}
