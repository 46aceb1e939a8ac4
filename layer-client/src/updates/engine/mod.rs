//! The update engine: what the server pushes goes in, what a user may see comes out, in order and once.
//!
//! It owns `pts`, `qts`, `seq` and the `pts` of every channel, and nothing else: no socket, no clock, no task.
//! Packets, answers and `now` are handed in; deliveries, requests to make and the next deadline are asked for.
//! The rules are those of the documentation's page "Working with Updates".

mod answer;
mod event;
mod order;
mod packet;
mod sequence;

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
pub(crate) use event::{CommonState, Delivery, Mark, Payload, Request};
pub(crate) use order::{Key, Order, channel_of_message, order_of};
pub(crate) use packet::Packet;
use sequence::{Offered, Sequence};

use crate::peers::{PeerId, PeerMap};

/// How long without any update until we ask whether we missed some.
const IDLE_WAIT: Duration = Duration::from_secs(15 * 60);
/// Updates of the common box that may wait for a hole to be filled.
const COMMON_ROOM: usize = 512;
/// The same for each channel.
const CHANNEL_ROOM: usize = 64;
/// Channel differences that run at the same time.
const CHANNELS_AT_ONCE: usize = 4;
/// Channels that are polled because the user looks at them.
const OPEN_LIMIT: usize = 10;
/// Differences in a row that may fail to fill a hole, until what we have is delivered without it.
const FUTILE_LIMIT: u32 = 5;
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
    pts: Sequence,
    qts: Sequence,
    seq: Sequence,
    /// From when on the next difference is to name channels. It comes from differences only, and
    /// waits in `next_date` while a channel is not settled: so a channel that a difference named
    /// is named again by the next one, after a crash too, until we have what was missing.
    date: i32,
    next_date: i32,
    fetch: Fetch,
    futile: u32,
    retry: Option<Instant>,
    idle: Instant,
    /// Updates were turned away while the consumer had no room.
    stale: bool,
}

#[derive(Debug)]
struct Channel {
    pts: Sequence,
    fetch: Fetch,
    futile: u32,
    retry: Option<Instant>,
    /// What stands in the engine's set of timers for this channel.
    timer: Option<Instant>,
    opened: bool,
    stale: bool,
}

impl Channel {
    fn new(pts: i32) -> Self {
        Self {
            pts: Sequence::new(pts, CHANNEL_ROOM),
            fetch: Fetch::Idle,
            futile: 0,
            retry: None,
            timer: None,
            opened: false,
            stale: false,
        }
    }

    fn running(&self) -> bool {
        matches!(self.fetch, Fetch::Running { .. })
    }
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Engine {
    common: Common,
    channels: HashMap<i64, Channel>,
    timers: BTreeSet<(Instant, i64)>,
    ready: VecDeque<i64>,
    running: usize,
    /// Channels that lack something, or may.
    unsettled: HashSet<i64>,
    /// Channels that turned updates away while paused.
    stale: Vec<i64>,
    paused: bool,
    out: VecDeque<Delivery>,
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
        Self {
            common: Common {
                known: state.is_some(),
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
            },
            channels: channels
                .into_iter()
                .map(|(id, pts)| (id, Channel::new(pts)))
                .collect(),
            timers: BTreeSet::new(),
            ready: VecDeque::new(),
            running: 0,
            unsettled: HashSet::new(),
            stale: Vec::new(),
            paused: false,
            out: VecDeque::new(),
            nobody: Arc::default(),
        }
    }

    /// Takes a packet that the server pushed, or that answered a call of ours. `known` tells whether a peer can be
    /// shown to the user; a short message about one that cannot is fetched by a difference instead.
    pub(crate) fn handle_packet(
        &mut self,
        packet: Packet,
        known: &dyn Fn(PeerId) -> bool,
        now: Instant,
    ) {
        self.common.idle = now + IDLE_WAIT;
        if packet.too_long || packet.needs.iter().any(|&id| !known(id)) {
            self.want_common();
            return;
        }
        let peers = packet.peers;
        let mut rest = Vec::new();
        for update in packet.updates {
            match order_of(&update) {
                Order::None => rest.push(update),
                Order::ChannelTooLong { id, pts } => self.channel_too_long(id, pts),
                Order::Common { pts, count } => {
                    let delivery = Delivery {
                        payload: Payload::Update(update),
                        peers: Arc::clone(&peers),
                        mark: Mark::Pts(pts),
                    };
                    self.offer_common(Counter::Pts, pts, count, vec![delivery], now);
                }
                Order::Secondary { qts } => {
                    let delivery = Delivery {
                        payload: Payload::Update(update),
                        peers: Arc::clone(&peers),
                        mark: Mark::Qts(qts),
                    };
                    self.offer_common(Counter::Qts, qts, 1, vec![delivery], now);
                }
                Order::Channel { id, pts, count } => {
                    let delivery = Delivery {
                        payload: Payload::Update(update),
                        peers: Arc::clone(&peers),
                        mark: Mark::Channel { id, pts },
                    };
                    self.offer_channel(id, pts, count, delivery, now);
                }
            }
        }
        if let Some((pts, count)) = packet.own {
            self.handle_own(Key::Common, pts, count, now);
        }
        self.offer_rest(rest, &peers, packet.seq, now);
    }

    /// The updates of a packet that have no number of their own follow the packet's `seq`.
    fn offer_rest(
        &mut self,
        rest: Vec<tl::enums::Update>,
        peers: &Arc<PeerMap>,
        seq: Option<packet::Seq>,
        now: Instant,
    ) {
        let mut deliveries: Vec<Delivery> = rest
            .into_iter()
            .map(|update| Delivery {
                payload: Payload::Update(update),
                peers: Arc::clone(peers),
                mark: Mark::None,
            })
            .collect();
        let Some(seq) = seq else {
            self.out.extend(deliveries);
            return;
        };
        if seq.end == 0 || seq.start == 0 {
            self.out.extend(deliveries);
            return;
        }
        let mark = Mark::Seq(seq.end);
        match deliveries.last_mut() {
            Some(last) => last.mark = mark,
            None => deliveries.push(Delivery {
                payload: Payload::Nothing,
                peers: Arc::clone(&self.nobody),
                mark,
            }),
        }
        let count = seq.end.saturating_sub(seq.start).saturating_add(1);
        self.offer_common(Counter::Seq, seq.end, count, deliveries, now);
    }

    /// Takes the `pts` that a call of ours (`messages.affectedMessages` and the like) moved the state to.
    pub(crate) fn handle_own(&mut self, key: Key, pts: i32, count: i32, now: Instant) {
        if pts == 0 {
            return;
        }
        let peers = Arc::clone(&self.nobody);
        match key {
            Key::Common => {
                let delivery = Delivery {
                    payload: Payload::Nothing,
                    peers,
                    mark: Mark::Pts(pts),
                };
                self.offer_common(Counter::Pts, pts, count, vec![delivery], now);
            }
            Key::Channel(id) => {
                let delivery = Delivery {
                    payload: Payload::Nothing,
                    peers,
                    mark: Mark::Channel { id, pts },
                };
                self.offer_channel(id, pts, count, delivery, now);
            }
        }
    }

    /// The server sent updates that could not be read.
    pub(crate) fn handle_malformed(&mut self) {
        if self.common.fetch == Fetch::Idle {
            let peers = Arc::clone(&self.nobody);
            self.out.push_back(Delivery {
                payload: Payload::Malformed,
                peers,
                mark: Mark::None,
            });
        }
        self.want_common();
    }

    /// Pushes may have been lost: the connection or the server's session is a new one, or a queue was full.
    pub(crate) fn handle_lost(&mut self) {
        self.common.retry = None;
        self.want_common();
    }

    /// As [`handle_lost`](Self::handle_lost), when it is not known which channels the lost pushes were about.
    pub(crate) fn handle_lost_everywhere(&mut self) {
        self.handle_lost();
        let all: Vec<i64> = self.channels.keys().copied().collect();
        for id in all {
            self.want_channel(id);
        }
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

    /// The server told a channel's state in passing (a dialog, the full channel). It counts when
    /// we have none.
    pub(crate) fn note_channel(&mut self, id: i64, pts: i32) {
        if pts > 0 {
            self.meet_channel(id, pts);
        }
    }

    /// Begins with a channel at this state, unless we have one. The cursor learns of it before any
    /// of its updates, so that a crash between the two does not begin later.
    fn meet_channel(&mut self, id: i64, pts: i32) {
        if self.channels.contains_key(&id) {
            return;
        }
        self.channels.insert(id, Channel::new(pts));
        let peers = Arc::clone(&self.nobody);
        self.out.push_back(Delivery {
            payload: Payload::Nothing,
            peers,
            mark: Mark::Channel { id, pts },
        });
    }

    /// The user looks at a channel, or no longer: it is polled as often as the server says. Of a
    /// channel that we know nothing of, it begins with what the first difference brings.
    pub(crate) fn set_opened(&mut self, id: i64, opened: bool) {
        let open = self.channels.values().filter(|c| c.opened).count();
        if opened && open >= OPEN_LIMIT {
            return;
        }
        self.meet_channel(id, 1);
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.opened = opened;
        }
        if opened {
            self.want_channel(id);
        }
    }

    /// A difference as soon as it may be: a pause that failures have earned us stays.
    fn want_common(&mut self) {
        match &mut self.common.fetch {
            Fetch::Running { again } => *again = true,
            fetch => *fetch = Fetch::Queued,
        }
    }

    /// As [`want_common`](Self::want_common), for a channel and on the server's instigation.
    fn nudge_channel(&mut self, id: i64) {
        let pausing = |channel: &Channel| channel.futile > 0 && channel.retry.is_some();
        if !self.channels.get(&id).is_some_and(pausing) {
            self.want_channel(id);
        }
    }

    fn want_channel(&mut self, id: i64) {
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        match &mut channel.fetch {
            Fetch::Running { again } => *again = true,
            Fetch::Queued => {}
            Fetch::Idle => {
                channel.fetch = Fetch::Queued;
                channel.retry = None;
                self.ready.push_back(id);
            }
        }
        self.set_timer(id);
    }

    fn channel_too_long(&mut self, id: i64, pts: Option<i32>) {
        match (self.channels.get(&id), pts) {
            (Some(channel), Some(pts)) if channel.pts.value() >= pts && !channel.running() => {}
            (Some(_), _) => self.nudge_channel(id),
            // A channel of which we know nothing: there is no state to take a difference from, so it begins here,
            // one event back so that its newest comes.
            (None, Some(pts)) => {
                self.meet_channel(id, pts.saturating_sub(1).max(1));
                self.want_channel(id);
            }
            (None, None) => {}
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
            if i64::from(end) - i64::from(count.max(0)) >= i64::from(sequence.value()) {
                common.stale = true;
            }
            return;
        }
        let out = &mut self.out;
        let offered = sequence.offer(end, count, deliveries, locked, now, &mut |d| out.extend(d));
        match offered {
            Offered::Full => self.want_common(),
            Offered::Applied => common.futile = 0,
            Offered::Already | Offered::Held => {}
        }
    }

    fn offer_channel(&mut self, id: i64, pts: i32, count: i32, delivery: Delivery, now: Instant) {
        self.meet_channel(id, pts.saturating_sub(count.max(0)));
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        if self.paused {
            let behind = i64::from(pts) - i64::from(count.max(0)) >= i64::from(channel.pts.value());
            if behind && !std::mem::replace(&mut channel.stale, true) {
                self.stale.push(id);
                self.unsettled.insert(id);
            }
            return;
        }
        let locked = channel.running();
        let out = &mut self.out;
        match channel
            .pts
            .offer(pts, count, vec![delivery], locked, now, &mut |d| {
                out.extend(d)
            }) {
            Offered::Full => self.nudge_channel(id),
            Offered::Applied => {
                channel.futile = 0;
                self.set_timer(id);
            }
            Offered::Held => self.set_timer(id),
            Offered::Already => {}
        }
    }

    /// Brings the sets of timers and of unsettled channels in line with what a channel waits for.
    fn set_timer(&mut self, id: i64) {
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        let settled = channel.fetch == Fetch::Idle
            && channel.futile == 0
            && !channel.stale
            && !channel.pts.is_waiting();
        let wanted = match channel.fetch {
            Fetch::Idle => earlier(channel.pts.deadline(), channel.retry),
            Fetch::Queued | Fetch::Running { .. } => None,
        };
        if channel.timer != wanted {
            if let Some(old) = channel.timer.take() {
                self.timers.remove(&(old, id));
            }
            if let Some(new) = wanted {
                self.timers.insert((new, id));
            }
            channel.timer = wanted;
        }
        if settled {
            self.settled(id);
        } else {
            self.unsettled.insert(id);
        }
    }

    /// A channel lacks nothing any more. With the last of them the date moves on.
    fn settled(&mut self, id: i64) {
        if self.unsettled.remove(&id) && self.unsettled.is_empty() {
            let common = &mut self.common;
            if common.next_date > common.date {
                common.date = common.next_date;
                let mark = Mark::Date(common.date);
                let peers = Arc::clone(&self.nobody);
                self.out.push_back(Delivery {
                    payload: Payload::Nothing,
                    peers,
                    mark,
                });
            }
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
                    pts: common.pts.value(),
                    qts: common.qts.value(),
                    date: common.date,
                }
            } else {
                Request::State
            });
        }
        while self.running < CHANNELS_AT_ONCE {
            let id = self.ready.pop_front()?;
            let Some(channel) = self.channels.get_mut(&id) else {
                continue;
            };
            if channel.fetch != Fetch::Queued {
                continue;
            }
            channel.fetch = Fetch::Running { again: false };
            channel.pts.stop_timer();
            self.running += 1;
            return Some(Request::Channel {
                id,
                pts: channel.pts.value(),
            });
        }
        None
    }

    /// The next thing for the consumer.
    pub(crate) fn poll_delivery(&mut self) -> Option<Delivery> {
        self.out.pop_front()
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
                    common.idle = now + IDLE_WAIT;
                    self.want_common();
                }
            }
            Fetch::Queued if due(common.retry) => common.retry = None,
            Fetch::Queued | Fetch::Running { .. } => {}
        }
        while let Some(&(at, id)) = self.timers.first() {
            if at > now {
                break;
            }
            self.timers.pop_first();
            if let Some(channel) = self.channels.get_mut(&id) {
                channel.timer = None;
            }
            self.want_channel(id);
        }
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
