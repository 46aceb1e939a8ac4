//! The client's side of a session.
//!
//! Requests go in as bytes and come out as exactly one outcome each, whatever the server and the network do in
//! between. The files beside this one: `outgoing` puts packets together, `incoming` takes them apart, `recovery`
//! sends again what the server did not take, `order` keeps requests behind each other, `binding` binds a temporary key and hands over to the session of the
//! next one.

mod binding;
mod config;
mod footprint;
mod incoming;
mod order;
mod outgoing;
mod recovery;
mod sent;

pub use binding::{BindFailure, Binding};
pub use config::{ClientEvent, SessionConfig, SessionParams, SubmitOptions};
pub use footprint::Footprint;

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use layer_crypto::{AuthKey, SecureRandom};
use rustc_hash::FxHashMap;

use self::binding::KeyState;
use self::order::{MAX_NAMED, Successors, Wait};
use self::sent::{SentLog, Service};
use super::acks::Acks;
use super::ascending::Ascending;
use super::clock::Clock;
use super::error::{RequestFailure, Terminal};
use super::gzip;
use super::msg_id::MsgIds;
use super::packet::MAX_BODY;
use super::salts::{FutureSalt, Salts};
use super::seqno::Seqno;
use super::window::Window;

/// The most messages that are asked about at once.
const MAX_ASKED: usize = 1024;

/// Names a request within its session, in the order in which they were submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(u64);

/// Whether and how a request is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Under a new msg_id.
    Fresh,
    /// Under the msg_id that it has, in a container: the server will know if it had it.
    Again,
    /// It is on its way.
    Sent,
}

/// A request without an outcome.
struct Request {
    body: Bytes,
    options: SubmitOptions,
    turn: Turn,
    ids: Names,
    /// The seqno that goes with the present msg_id.
    seqno: i32,
    /// The msg_id of the packet it went with last, beyond all others when that was refused.
    carrier: i64,
    sent_at: Option<Instant>,
    /// Whether its present msg_id went with an earlier packet too, which may have arrived.
    uncertain: bool,
    /// Whether the server said that it has it.
    acked: bool,
    /// Not to be sent before.
    not_before: Option<Instant>,
    /// How often the server refused it.
    attempts: u8,
    /// How often the connection was lost under it.
    losses: u8,
    /// Whether it was sent with the preamble.
    introduces: bool,
    waits: Vec<Wait>,
    /// Whether it was sent under its present msg_id with the names of those that it comes after.
    ordered: bool,
    /// Whether the server would not let it wait, so that it does so here.
    held_back: bool,
}

/// The msg_ids that a request had in this session.
#[derive(Default)]
struct Names {
    present: Option<i64>,
    former: Vec<i64>,
}

impl Names {
    /// The present one.
    fn last(&self) -> Option<i64> {
        self.present
    }

    fn push(&mut self, msg_id: i64) {
        self.former.extend(self.present.replace(msg_id));
    }

    fn clear(&mut self) {
        *self = Self::default();
    }

    fn iter(&self) -> impl Iterator<Item = i64> {
        self.former.iter().copied().chain(self.present)
    }
}

/// How often in a row the server refused something, whatever it was.
#[derive(Default)]
struct Trouble {
    count: u32,
    /// The last msg_id that was given out when it was counted.
    heard: i64,
    hold_until: Option<Instant>,
}

/// Pings and what came of them.
#[derive(Default)]
struct Pings {
    next: Option<Instant>,
    /// The ping not answered yet, and when it was sent.
    waiting: VecDeque<(i64, Instant)>,
    /// When the last valid packet came.
    heard: Option<Instant>,
    reported: bool,
}

/// A client's session.
pub struct ClientSession {
    key: AuthKey,
    key_state: KeyState,
    binding: Option<Binding>,
    /// When the key is to be renewed, in the server's time; as soon as that is known.
    renew_at: Option<i64>,
    preamble: Vec<u8>,
    /// Whether the server has had the preamble.
    introduced: bool,
    session_id: i64,
    rng: Box<dyn SecureRandom + Send>,
    config: SessionConfig,
    clock: Clock,
    /// Whether the clock was compared with the server's in this session.
    clock_is_certain: bool,
    salts: Salts,
    /// When salts were asked for, and may be again.
    salts_asked: Option<Instant>,
    ids: MsgIds,
    seqno: Seqno,
    window: Window,
    /// msg_ids that were refused for their time, until the time is certain.
    distrusted: Vec<i64>,
    acks: Acks,
    next_request: u64,
    requests: FxHashMap<RequestId, Request>,
    successors: Successors,
    /// Those that are to be sent.
    queue: Ascending<RequestId>,
    service: VecDeque<Service>,
    room: outgoing::Room,
    sent: SentLog,
    /// The highest msg_id that the server is known to have taken.
    accepted: i64,
    deadlines: BTreeSet<(Instant, RequestId)>,
    unique_ids: VecDeque<i64>,
    trouble: Trouble,
    pings: Pings,
    state_check: Option<Instant>,
    connected: bool,
    terminal: Option<Terminal>,
    events: VecDeque<ClientEvent>,
}

impl ClientSession {
    /// Begins a session under a random session id. At `now` our wall clock says `unix` since 1970.
    #[must_use]
    pub fn new(
        params: SessionParams,
        rng: Box<dyn SecureRandom + Send>,
        now: Instant,
        unix: Duration,
    ) -> Self {
        let mut clock = Clock::new(now, unix);
        clock.set_offset_secs(params.time_offset_secs);
        let mut session = Self::assemble(params, rng, clock);
        session.begin_binding();
        session
    }

    fn assemble(
        params: SessionParams,
        mut rng: Box<dyn SecureRandom + Send>,
        clock: Clock,
    ) -> Self {
        let session_id = random_i64(&mut *rng);
        Self {
            key: params.auth_key,
            key_state: KeyState::Ready,
            binding: params.binding,
            renew_at: None,
            preamble: params.preamble,
            introduced: false,
            session_id,
            rng,
            config: params.config,
            clock,
            clock_is_certain: false,
            salts: Salts::new(params.salts),
            salts_asked: None,
            ids: MsgIds::default(),
            seqno: Seqno::default(),
            window: Window::default(),
            distrusted: Vec::new(),
            acks: Acks::default(),
            next_request: 0,
            requests: FxHashMap::default(),
            successors: Successors::new(),
            queue: Ascending::default(),
            service: VecDeque::new(),
            room: outgoing::Room::default(),
            sent: SentLog::default(),
            accepted: 0,
            deadlines: BTreeSet::new(),
            unique_ids: VecDeque::new(),
            trouble: Trouble::default(),
            pings: Pings::default(),
            state_check: None,
            connected: false,
            terminal: None,
            events: VecDeque::new(),
        }
    }

    /// The session's name.
    #[must_use]
    pub fn session_id(&self) -> i64 {
        self.session_id
    }

    /// The auth key.
    #[must_use]
    pub fn auth_key(&self) -> &AuthKey {
        &self.key
    }

    /// The salts that are known, worth saving.
    #[must_use]
    pub fn salts(&self) -> &[FutureSalt] {
        self.salts.known()
    }

    /// How many seconds the server is ahead of our wall time.
    #[must_use]
    pub fn time_offset_secs(&self) -> i64 {
        self.clock.offset_secs()
    }

    /// How many requests have no outcome yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        let binding = matches!(self.key_state, KeyState::Binding { .. });
        self.requests.len() - usize::from(binding)
    }

    /// Takes a request: a serialised function. Its outcome comes as an event.
    pub fn submit(
        &mut self,
        body: impl Into<Bytes>,
        options: SubmitOptions,
        now: Instant,
    ) -> RequestId {
        self.submit_bytes(body.into(), options, now)
    }

    fn submit_bytes(&mut self, body: Bytes, options: SubmitOptions, now: Instant) -> RequestId {
        let refusal = if let Some(reason) = self.terminal {
            Some(RequestFailure::Terminated(reason))
        } else if body.len() > MAX_BODY {
            Some(RequestFailure::TooLong { length: body.len() })
        } else if options.deadline.is_some_and(|deadline| deadline <= now) {
            Some(RequestFailure::Deadline { sent: false })
        } else {
            None
        };
        if let Some(reason) = refusal {
            let id = self.next_id();
            self.events.push_back(ClientEvent::Failed { id, reason });
            return id;
        }
        let packed = self
            .config
            .gzip_threshold
            .and_then(|threshold| gzip::deflate_if_smaller(&body, threshold));
        self.enter(packed.map_or(body, Bytes::from), options)
    }

    fn next_id(&mut self) -> RequestId {
        let id = RequestId(self.next_request);
        self.next_request += 1;
        id
    }

    /// Enters a request into the books.
    fn enter(&mut self, body: Bytes, options: SubmitOptions) -> RequestId {
        let id = self.next_id();
        let waits = self.line_up(id, &options.after);
        if let Some(deadline) = options.deadline {
            self.deadlines.insert((deadline, id));
        }
        let request = Request {
            body,
            options,
            turn: Turn::Fresh,
            ids: Names::default(),
            seqno: 0,
            carrier: 0,
            sent_at: None,
            uncertain: false,
            acked: false,
            not_before: None,
            attempts: 0,
            losses: 0,
            introduces: false,
            held_back: waits.len() > MAX_NAMED,
            waits,
            ordered: false,
        };
        self.requests.insert(id, request);
        self.queue.insert(id);
        id
    }

    fn set_deadline(&mut self, id: RequestId, deadline: Option<Instant>) {
        if let Some(request) = self.requests.get_mut(&id) {
            if let Some(old) = std::mem::replace(&mut request.options.deadline, deadline) {
                self.deadlines.remove(&(old, id));
            }
            if let Some(new) = deadline {
                self.deadlines.insert((new, id));
            }
        }
    }

    /// Gives a request up, if it has no outcome yet. The server is told that its answer is not wanted.
    pub fn cancel(&mut self, id: RequestId, _now: Instant) {
        self.abandon(id, RequestFailure::Cancelled);
    }

    /// Fails a request, and tells the server to keep its answer.
    fn abandon(&mut self, id: RequestId, reason: RequestFailure) {
        let Some(request) = self.requests.get(&id) else {
            return;
        };
        if request.sent_at.is_some()
            && let Some(msg_id) = request.ids.last()
        {
            self.service.push_back(Service::DropAnswer(msg_id));
        }
        self.fail(id, reason);
    }

    /// Sends a ping, and gives the id that comes back with the pong.
    pub fn ping(&mut self) -> i64 {
        let ping_id = random_i64(&mut *self.rng);
        self.service.push_back(Service::Ping {
            ping_id,
            disconnect_delay: None,
        });
        ping_id
    }

    /// Asks the server to forget another session of this key.
    pub fn destroy_session(&mut self, session_id: i64) {
        self.service.push_back(Service::DestroySession(session_id));
    }

    /// The connection is gone. Requests without an answer go again with the next one, unless that is forbidden or
    /// the server is to be asked first.
    pub fn connection_lost(&mut self, _now: Instant) {
        self.connected = false;
        self.introduced = false;
        self.pings = Pings::default();
        self.state_check = None;
        self.salts_asked = None;
        self.service.retain(|service| {
            matches!(service, Service::DropAnswer(_) | Service::DestroySession(_))
        });
        let (mut again, mut in_doubt) = (Vec::new(), Vec::new());
        for id in self.in_order(|request| request.turn == Turn::Sent) {
            let Some(request) = self.requests.get_mut(&id) else {
                continue;
            };
            request.losses = request.losses.saturating_add(1);
            if !request.options.resend_on_reconnect || request.losses > self.config.max_losses {
                self.fail(id, RequestFailure::ConnectionLost);
            } else if request.options.ask_before_resend {
                // It is asked about even if the server said that it has it: it may have forgotten its session, and
                // does not know where to answer before it hears from us.
                request.acked = false;
                in_doubt.extend(request.ids.last());
            } else {
                request.turn = Turn::Again;
                again.push(id);
            }
        }
        self.queue.insert_all(again);
        for ids in in_doubt.chunks(MAX_ASKED) {
            self.put_back(Service::StateReq(ids.to_vec()));
        }
        if let KeyState::Binding { request } = self.key_state {
            self.set_deadline(request, None);
        }
    }

    /// Ends the session: every request fails, and new ones fail at once.
    pub fn close(&mut self) {
        self.terminate(Terminal::Closed);
    }

    fn terminate(&mut self, reason: Terminal) {
        if self.terminal.is_some() {
            return;
        }
        self.terminal = Some(reason);
        if let KeyState::Binding { request } = self.key_state {
            self.settle(request);
            self.key_state = KeyState::Unbound;
        }
        for id in self.in_order(|_| true) {
            self.fail(id, RequestFailure::Terminated(reason));
        }
        self.service.clear();
        self.sent.clear();
        self.events.push_back(ClientEvent::Terminal(reason));
    }

    /// The requests for which that is so, in the order in which they were submitted.
    fn in_order(&self, holds: impl Fn(&Request) -> bool) -> Vec<RequestId> {
        let those = self.requests.iter().filter(|(_, request)| holds(request));
        let mut ids: Vec<_> = those.map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids
    }

    /// Takes a request that the server has answered out of all books.
    fn settle(&mut self, id: RequestId) -> bool {
        self.remove(id, false)
    }

    fn remove(&mut self, id: RequestId, given_up: bool) -> bool {
        let Some(request) = self.requests.remove(&id) else {
            return false;
        };
        let given_up = request.ids.last().filter(|_| given_up);
        self.move_up(id, given_up);
        self.queue.remove(id);
        for msg_id in request.ids.iter() {
            self.sent.remove(msg_id);
        }
        if let Some(deadline) = request.options.deadline {
            self.deadlines.remove(&(deadline, id));
        }
        true
    }

    fn fail(&mut self, id: RequestId, reason: RequestFailure) {
        if !self.remove(id, true) {
            return;
        }
        if self.binds(id) {
            self.binding_failed(BindFailure::Request(reason));
        } else {
            self.events.push_back(ClientEvent::Failed { id, reason });
        }
    }

    /// What happened since the last call.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called, and
    /// [`poll_transmit`](Self::poll_transmit) after it.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.terminal.is_some() {
            return None;
        }
        let deadline = self.deadlines.first().map(|(deadline, _)| *deadline);
        let renewal = self.renewal_due();
        if !self.connected {
            return deadline.into_iter().chain(renewal).min();
        }
        let to_send = [
            self.acks.deadline(self.config.ack_delay),
            self.next_resend(),
        ]
        .into_iter()
        .flatten()
        .min()
        .map(|at| self.trouble.hold_until.map_or(at, |hold| hold.max(at)));
        [
            deadline,
            renewal,
            to_send,
            self.pings.next,
            self.silence_deadline(),
            self.state_check,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// When a request that has to wait may be sent.
    fn next_resend(&self) -> Option<Instant> {
        // One that waits for something else as well is looked at again when that is over.
        let waiting = |id| {
            let request = self.requests.get(&id)?;
            request.not_before.filter(|_| self.may_go(id, request, &[]))
        };
        let hold = self
            .trouble
            .hold_until
            .filter(|_| !self.queue.is_empty() || !self.service.is_empty());
        self.queue
            .iter()
            .filter_map(waiting)
            .min()
            .into_iter()
            .chain(hold)
            .min()
    }

    fn silence_deadline(&self) -> Option<Instant> {
        let (_, sent) = self.pings.waiting.front()?;
        if self.pings.reported || self.pings.heard.is_some_and(|heard| heard > *sent) {
            return None;
        }
        Some(*sent + self.config.pong_timeout)
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.check_expiry(now);
        while let Some((deadline, id)) = self.deadlines.first().copied()
            && deadline <= now
        {
            self.deadlines.pop_first();
            let sent = self
                .requests
                .get(&id)
                .is_some_and(|request| request.sent_at.is_some());
            self.abandon(id, RequestFailure::Deadline { sent });
        }
        if self
            .silence_deadline()
            .is_some_and(|deadline| deadline <= now)
        {
            self.pings.reported = true;
            self.events.push_back(ClientEvent::Silent);
        }
        if self.pings.next.is_some_and(|next| next <= now) {
            let ping_id = random_i64(&mut *self.rng);
            let delay = i32::try_from(self.config.disconnect_delay.as_secs()).unwrap_or(i32::MAX);
            self.service
                .retain(|service| !matches!(service, Service::Ping { .. }));
            self.service.push_back(Service::Ping {
                ping_id,
                disconnect_delay: Some(delay),
            });
            self.pings.next = self.config.ping_interval.map(|interval| now + interval);
            self.give_room_back();
        }
        if self.state_check.is_some_and(|check| check <= now) {
            self.check_states(now);
        }
    }
}

impl ClientSession {
    /// What many requests at a time needed is not kept for ever.
    fn give_room_back(&mut self) {
        self.requests.shrink_to(self.requests.len() * 2);
        self.sent.give_room_back();
        self.queue.give_room_back();
        self.room.give_back();
        self.events.shrink_to(self.events.len() * 2);
    }
}

fn random_i64(rng: &mut dyn SecureRandom) -> i64 {
    let mut bytes = [0; 8];
    rng.fill(&mut bytes);
    i64::from_le_bytes(bytes)
}
