//! The update engine: what the server pushes goes in, what a user may see comes out, in order and once.
//!
//! It owns `pts`, `qts`, `seq` and the `pts` of every channel, and nothing else: no socket, no clock, no task.
//! Packets, answers and `now` are handed in; deliveries, requests to make and the next deadline are asked for.
//! The rules are those of the documentation's page "Working with Updates".
//!
//! An update costs the same however many channels there are, but for the logarithm of a set of timers, which is
//! touched when something is missing. What waits is bounded: in each box by number, and in all together in bytes. The
//! channels that are remembered are bounded too; those in which nothing happened for long are forgotten first.

mod answer;
mod channels;
mod event;
mod order;
mod packet;
mod sequence;

#[cfg(test)]
mod bound_tests;
#[cfg(test)]
mod channel_tests;
#[cfg(test)]
mod failure_tests;
#[cfg(test)]
mod sim;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use layer_tl_types as tl;

pub(crate) use answer::{ChannelAnswer, CommonAnswer, Failure};
use channels::Channel;
pub(crate) use event::{CommonState, Delivery, Mark, Payload, Request};
pub(crate) use order::{Key, Order, channel_of_message, order_of};
pub(crate) use packet::Packet;
use sequence::{Offered, Outlet, Sequence};

use crate::peers::{PeerId, PeerMap};

/// How long without any update until we ask whether we missed some.
const IDLE_WAIT: Duration = Duration::from_secs(15 * 60);
/// Updates of the common box that may wait for a hole to be filled.
const COMMON_ROOM: u32 = 512;
/// The longest pause between attempts.
const BACKOFF_CAP: Duration = Duration::from_secs(64);

/// Where a box stands with its difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fetch {
    Idle,
    /// Wanted, not asked for yet.
    Queued,
    /// Asked for; `again` when something happened meanwhile that it may not cover.
    Running {
        again: bool,
    },
}

#[derive(Debug)]
struct Common {
    /// Whether we know any state at all; without, the first request is `updates.getState`.
    known: bool,
    /// The server refused the state that we had, and the user is yet to be told.
    reset: bool,
    pts: Sequence,
    qts: Sequence,
    seq: Sequence,
    /// From when on the next difference is to name channels. It comes from differences only, and
    /// waits in `next_date` while a channel is not settled: so a channel that a difference named
    /// is named again by the next one, after a crash too, until we have what was missing.
    date: i32,
    next_date: i32,
    fetch: Fetch,
    /// Differences in a row that failed, or that brought nothing though there was to be something.
    futile: u32,
    retry: Option<Instant>,
    idle: Instant,
    /// Updates were turned away while the consumer had no room.
    stale: bool,
    /// The user was told that something could not be read, and no difference has ended since.
    damaged: bool,
    /// The difference that is wanted is for what a stranger said: no push was lost.
    whole: bool,
    /// The server has spoken of news without giving them, and none have come since.
    hinted: bool,
}

impl Common {
    fn values(&self) -> [i32; 3] {
        [&self.pts, &self.qts, &self.seq].map(Sequence::value)
    }
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Engine {
    common: Common,
    channels: HashMap<i64, Channel>,
    /// Every channel once, those that were met or looked at longest ago first.
    clock: VecDeque<i64>,
    timers: BTreeSet<(Instant, i64)>,
    ready: VecDeque<i64>,
    running: usize,
    opened: usize,
    /// Channels that lack something, or may.
    unsettled: HashSet<i64>,
    /// Channels that turned updates away while paused.
    stale: Vec<i64>,
    paused: bool,
    idle_wait: Duration,
    at_once: usize,
    outlet: Outlet,
    nobody: Arc<PeerMap>,
}

impl Engine {
    /// An engine that goes on from `state`, or, without one, from whatever the server says is now.
    pub(crate) fn new(
        state: Option<CommonState>,
        channels: impl IntoIterator<Item = (i64, i32)>,
        now: Instant,
    ) -> Self {
        let at = state.unwrap_or_default();
        let known = state.is_some();
        let channels: HashMap<i64, Channel> = channels
            .into_iter()
            .map(|(id, pts)| (id, Channel::new(pts)))
            .collect();
        Self {
            common: Common {
                known,
                reset: false,
                pts: Sequence::new(at.pts, COMMON_ROOM),
                qts: Sequence::new(at.qts, COMMON_ROOM),
                seq: Sequence::new(at.seq, COMMON_ROOM),
                date: at.date,
                next_date: at.date,
                // What happened since the last run, or the state itself.
                fetch: Fetch::Queued,
                futile: 0,
                retry: None,
                idle: now + IDLE_WAIT,
                stale: false,
                damaged: false,
                whole: false,
                hinted: false,
            },
            idle_wait: IDLE_WAIT,
            at_once: channels::CHANNELS_AT_ONCE,
            clock: channels.keys().copied().collect(),
            channels,
            timers: BTreeSet::new(),
            ready: VecDeque::new(),
            running: 0,
            opened: 0,
            unsettled: HashSet::new(),
            stale: Vec::new(),
            paused: false,
            outlet: Outlet::default(),
            nobody: Arc::default(),
        }
    }

    /// Sets after how long a silence it is asked whether something was missed, from now on.
    pub(crate) fn set_idle_wait(&mut self, wait: Duration, now: Instant) {
        self.idle_wait = wait;
        self.common.idle = self.common.idle.min(now + wait);
    }

    /// Sets how many channels' differences may run at the same time.
    pub(crate) fn set_channels_at_once(&mut self, count: usize) {
        self.at_once = count.max(1);
    }

    /// Takes a packet that the server pushed, or that answered a call of ours. `known` tells whether a peer can be
    /// shown to the user; a short message about one that cannot is fetched by a difference instead.
    pub(crate) fn handle_packet(
        &mut self,
        packet: Packet,
        known: &dyn Fn(PeerId) -> bool,
        now: Instant,
    ) {
        self.common.idle = now + self.idle_wait;
        if packet.too_long {
            self.want_common();
            self.common.hinted = true;
            self.common.whole = false;
            return;
        }
        if packet.needs.iter().any(|&id| !known(id)) {
            return self.fetch_instead(&packet);
        }
        let peers = packet.peers;
        let of = packet.updates.len();
        let mut rest = Vec::new();
        for update in packet.updates {
            match order_of(&update) {
                Order::None => rest.push(update),
                Order::ChannelTooLong { id, pts } => self.channel_too_long(id, pts, &peers),
                Order::Common { pts, count } => {
                    let delivery = Delivery::update(update, &peers, Mark::Pts(pts), of);
                    self.offer_common(Counter::Pts, pts, count, vec![delivery], now);
                }
                Order::Secondary { qts } => {
                    let delivery = Delivery::update(update, &peers, Mark::Qts(qts), of);
                    self.offer_common(Counter::Qts, qts, 1, vec![delivery], now);
                }
                Order::Channel { id, pts, count } => {
                    let mark = Mark::Channel { id, pts };
                    let delivery = Delivery::update(update, &peers, mark, of);
                    // The push may be ahead of a difference that would have told of the channel.
                    if self.common.fetch != Fetch::Idle && !self.common.whole {
                        self.meet_late(id, pts, count, &peers);
                    }
                    self.offer_channel(id, pts, count, delivery, now);
                }
            }
        }
        if let Some((pts, count)) = packet.own {
            self.handle_own(Key::Common, pts, count, now);
        }
        self.offer_rest(rest, &peers, of, packet.seq, now);
    }

    /// A short message that names someone of whom nothing is known: the difference describes them.
    fn fetch_instead(&mut self, packet: &Packet) {
        let common = &mut self.common;
        let state = |update| match order_of(update) {
            Order::Common { pts, .. } => Some(pts),
            _ => None,
        };
        let newest = packet.updates.iter().filter_map(state).max();
        // What we have already is no reason to ask.
        if newest.is_none_or(|pts| pts > common.pts.value()) {
            common.pts.turn_away(newest.unwrap_or(0));
            let whole = common.whole || common.fetch == Fetch::Idle;
            self.want_common();
            self.common.whole = whole;
        }
    }

    /// The updates of a packet that have no number of their own follow the packet's `seq`.
    fn offer_rest(
        &mut self,
        rest: Vec<tl::enums::Update>,
        peers: &Arc<PeerMap>,
        of: usize,
        seq: Option<packet::Seq>,
        now: Instant,
    ) {
        let seq = seq.filter(|seq| seq.start != 0 && seq.end != 0);
        let mark = if seq.is_some() {
            Mark::None
        } else {
            Mark::Loose
        };
        let mut deliveries: Vec<Delivery> = rest
            .into_iter()
            .map(|update| Delivery::update(update, peers, mark, of))
            .collect();
        let Some(seq) = seq else {
            self.outlet.ready.extend(deliveries);
            return;
        };
        let mark = Mark::Seq(seq.end);
        match deliveries.last_mut() {
            Some(last) => last.mark = mark,
            None => deliveries.push(self.only(mark)),
        }
        let count = seq.end.saturating_sub(seq.start).saturating_add(1);
        self.offer_common(Counter::Seq, seq.end, count, deliveries, now);
    }

    /// A step of the state with nothing to see.
    fn only(&self, mark: Mark) -> Delivery {
        Delivery::new(Payload::Nothing, &self.nobody, mark)
    }

    /// Says that something of this box is missing.
    fn miss(&mut self, key: Key, peers: &Arc<PeerMap>, mark: Mark) {
        let missed = Delivery::new(Payload::Missed(key), peers, mark);
        self.outlet.push(missed);
    }

    /// Takes the `pts` that a call of ours (`messages.affectedMessages` and the like) moved the state to.
    pub(crate) fn handle_own(&mut self, key: Key, pts: i32, count: i32, now: Instant) {
        if pts == 0 {
            return;
        }
        match key {
            Key::Common => {
                let delivery = self.only(Mark::Pts(pts));
                self.offer_common(Counter::Pts, pts, count, vec![delivery], now);
            }
            Key::Channel(id) => {
                let delivery = self.only(Mark::Channel { id, pts });
                self.offer_channel(id, pts, count, delivery, now);
            }
        }
    }

    /// The server sent updates that could not be read.
    pub(crate) fn handle_malformed(&mut self) {
        if !std::mem::replace(&mut self.common.damaged, true) {
            let damaged = Delivery::new(Payload::Malformed, &self.nobody, Mark::None);
            self.outlet.push(damaged);
        }
        self.common.hinted = true;
        self.want_common();
    }

    /// Pushes may have been lost: the connection or the server's session is a new one, or a queue was full.
    /// The difference brings what the common box lacks, and names the channels that lack something.
    pub(crate) fn handle_lost(&mut self) {
        self.common.retry = None;
        self.want_common();
    }

    /// Tells whether the consumer has room. While it has none, numbered updates are turned away and no difference
    /// is asked for; afterwards the differences fill the hole.
    pub(crate) fn set_paused(&mut self, paused: bool) {
        if self.paused == paused {
            return;
        }
        self.paused = paused;
        if !paused {
            if std::mem::take(&mut self.common.stale) {
                self.want_common();
            }
            for id in std::mem::take(&mut self.stale) {
                if let Some(channel) = self.channels.get_mut(&id) {
                    channel.stale = false;
                }
                self.want_channel(id);
            }
        }
    }

    /// A difference as soon as it may be: a pause that failures have earned us stays.
    fn want_common(&mut self) {
        self.common.whole = false;
        match &mut self.common.fetch {
            Fetch::Running { again } => *again = true,
            fetch => *fetch = Fetch::Queued,
        }
    }

    fn offer_common(
        &mut self,
        counter: Counter,
        end: i32,
        count: i32,
        deliveries: Vec<Delivery>,
        now: Instant,
    ) {
        let common = &mut self.common;
        let locked = matches!(common.fetch, Fetch::Running { .. }) || !common.known;
        let sequence = match counter {
            Counter::Pts => &mut common.pts,
            Counter::Qts => &mut common.qts,
            Counter::Seq => &mut common.seq,
        };
        if self.paused {
            if sequence::start(end, count) >= i64::from(sequence.value()) {
                common.stale = true;
                sequence.turn_away(end);
            }
            return;
        }
        let offered = sequence.offer(end, count, deliveries, locked, now, &mut self.outlet);
        if offered == Offered::Full {
            sequence.turn_away(end);
            self.want_common();
        }
    }

    /// The next call to make, if any. Each must be answered by one of the `handle_…` methods of the answers.
    pub(crate) fn poll_request(&mut self) -> Option<Request> {
        if self.paused {
            return None;
        }
        if self.common.fetch == Fetch::Queued && self.common.retry.is_none() {
            let common = &mut self.common;
            common.fetch = Fetch::Running { again: false };
            for sequence in [&mut common.pts, &mut common.qts, &mut common.seq] {
                sequence.stop_timer();
            }
            return Some(if common.known {
                Request::Difference {
                    // The server does not take 0.
                    pts: common.pts.value().max(1),
                    qts: common.qts.value(),
                    date: common.date,
                }
            } else {
                Request::State
            });
        }
        self.poll_channel_request()
    }

    /// The next thing for the consumer.
    pub(crate) fn poll_delivery(&mut self) -> Option<Delivery> {
        self.outlet.ready.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let common = &self.common;
        let waiting = match common.fetch {
            Fetch::Running { .. } => None,
            Fetch::Queued => common.retry,
            Fetch::Idle => {
                let gaps = earlier(
                    common.pts.deadline(),
                    earlier(common.qts.deadline(), common.seq.deadline()),
                );
                earlier(gaps, Some(common.idle))
            }
        };
        earlier(waiting, self.timers.first().map(|&(at, _)| at))
    }

    /// Notices holes that stayed open, pauses that are over, and long silence.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let common = &mut self.common;
        match common.fetch {
            Fetch::Idle => {
                let gap = due(common.pts.deadline())
                    || due(common.qts.deadline())
                    || due(common.seq.deadline());
                if gap || common.idle <= now {
                    common.idle = now + self.idle_wait;
                    self.want_common();
                }
            }
            Fetch::Queued if due(common.retry) => common.retry = None,
            Fetch::Queued | Fetch::Running { .. } => {}
        }
        self.handle_channel_timeouts(now);
    }
}

/// Which of the common box's three counters.
#[derive(Clone, Copy, Debug)]
enum Counter {
    Pts,
    Qts,
    Seq,
}

fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// The pause before attempt number `futile`.
fn backoff(futile: u32) -> Duration {
    sequence::GAP_WAIT
        .saturating_mul(1 << futile.min(10))
        .min(BACKOFF_CAP)
}
