//! What the differences bring, and what becomes of the boxes when they fail.

use std::sync::Arc;
use std::time::{Duration, Instant};

use layer_tl_types as tl;

use super::channels::Channel;
use super::sequence::FUTILE_LIMIT;
use super::{CommonState, Delivery, Engine, Fetch, Key, Mark, Order, backoff, order_of};
use crate::peers::PeerMap;

/// A counter that the server puts back by less is that of a replica that lags behind: ours stays.
/// By more, it has begun anew.
const LAG: i32 = 100_000;

/// An answer to `updates.getDifference`, taken apart.
#[derive(Debug)]
pub(crate) enum CommonAnswer {
    Empty {
        date: i32,
        seq: i32,
    },
    /// `last` is false for a slice: there is more.
    Part {
        updates: Vec<tl::enums::Update>,
        peers: Arc<PeerMap>,
        state: CommonState,
        last: bool,
    },
    TooLong {
        pts: i32,
    },
}

/// An answer to `updates.getChannelDifference`, taken apart. `last` is the `final` flag.
#[derive(Debug)]
pub(crate) enum ChannelAnswer {
    Empty {
        pts: i32,
        last: bool,
        timeout: Option<i32>,
    },
    Part {
        updates: Vec<tl::enums::Update>,
        peers: Arc<PeerMap>,
        pts: i32,
        last: bool,
        timeout: Option<i32>,
    },
    TooLong {
        pts: Option<i32>,
        peers: Arc<PeerMap>,
        last: bool,
        timeout: Option<i32>,
    },
}

/// Why a difference could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It may work later.
    Temporary,
    /// The server does not take the state we have (`PERSISTENT_TIMESTAMP_…`).
    Reset,
    /// We may not see this channel (any more).
    Gone,
}

impl Engine {
    /// The answer to [`Request::State`](super::Request::State).
    pub(crate) fn handle_state(&mut self, state: CommonState, now: Instant) {
        let again = self.end_common();
        self.common.known = true;
        let reset = std::mem::take(&mut self.common.reset);
        if reset {
            let nobody = Arc::clone(&self.nobody);
            self.miss(Key::Common, &nobody, Mark::None);
        }
        // What was pushed while we asked is newer than the wish to receive: it is delivered, though the state
        // counts it as past. What lies beyond the state takes its place as usual.
        let common = &mut self.common;
        for (sequence, at) in [
            (&mut common.pts, state.pts),
            (&mut common.qts, state.qts),
            (&mut common.seq, state.seq),
        ] {
            sequence.release(at, &mut self.outlet);
        }
        // The date stays what it was: only a difference names the channels that have news since.
        let date = if common.date == 0 {
            // And none will name what those that were met before this date may lack.
            let mut met: Vec<i64> = self.channels.keys().copied().collect();
            met.sort_unstable();
            for id in met {
                if let Some(channel) = self.channels.get_mut(&id) {
                    channel.hinted = true;
                }
                self.want_channel(id);
            }
            state.date
        } else {
            0
        };
        self.set_common(CommonState { date, ..state });
        let futile = self.common.futile;
        self.settle_common(again, true, false, now);
        if reset {
            self.common.futile = futile;
            self.want_common();
        }
    }

    /// The answer to [`Request::Difference`](super::Request::Difference).
    pub(crate) fn handle_difference(&mut self, answer: CommonAnswer, now: Instant) {
        let again = self.end_common();
        let before = self.common.pts.value();
        match answer {
            CommonAnswer::Empty { date, seq } => {
                let pts = self.common.pts.value();
                let qts = self.common.qts.value();
                self.set_common(CommonState {
                    pts,
                    qts,
                    seq,
                    date,
                });
                let lacking = self.is_common_lacking();
                self.settle_common(again, false, lacking, now);
            }
            CommonAnswer::Part {
                updates,
                peers,
                state,
                last,
            } => {
                let of = updates.len();
                self.common.hinted = false;
                for update in updates {
                    self.deliver_common(update, &peers, of, now);
                }
                let begin = self.common.values();
                self.set_common(state);
                let progress = self.common.values() != begin;
                let stuck = (!last && !progress) || (last && self.is_common_lacking());
                self.settle_common(again || (!last && progress), progress, stuck, now);
            }
            CommonAnswer::TooLong { pts } => {
                let pts = told(before, pts);
                let nobody = Arc::clone(&self.nobody);
                self.miss(Key::Common, &nobody, Mark::Pts(pts));
                self.common.hinted = false;
                self.common.pts.set(pts);
                // Once it is asked again at once, time and again it is not.
                let eager = pts != before && self.common.futile == 0;
                self.settle_common(again || eager, eager, !eager, now);
                self.common.futile = self.common.futile.max(1);
            }
        }
    }

    /// `updates.getState` or `updates.getDifference` failed.
    pub(crate) fn handle_common_failed(&mut self, failure: Failure, now: Instant) {
        self.end_common();
        match failure {
            Failure::Reset | Failure::Gone if self.common.known => {
                // Ask where the server stands; what lies between is lost to us.
                self.common.known = false;
                self.common.reset = true;
                for sequence in [
                    &mut self.common.pts,
                    &mut self.common.qts,
                    &mut self.common.seq,
                ] {
                    sequence.set(0);
                    sequence.let_go();
                }
                if self.common.futile == 0 {
                    self.common.futile = 1;
                    self.want_common();
                } else {
                    self.retry_common(now);
                }
            }
            _ => self.retry_common(now),
        }
    }

    /// Whether the last part of a difference is less than the server has spoken of: a replica that lags behind. After too
    /// many of them it is let go, with a word if something is missing for certain.
    fn is_common_lacking(&mut self) -> bool {
        let common = &mut self.common;
        let short = common.pts.is_short() || common.qts.is_short();
        if (short || common.hinted) && common.futile < FUTILE_LIMIT {
            return true;
        }
        common.hinted = false;
        for sequence in [&mut common.pts, &mut common.qts, &mut common.seq] {
            sequence.let_go();
        }
        if short {
            let nobody = Arc::clone(&self.nobody);
            self.miss(Key::Common, &nobody, Mark::None);
        }
        false
    }

    fn retry_common(&mut self, now: Instant) {
        let common = &mut self.common;
        common.fetch = Fetch::Queued;
        common.retry = Some(now + backoff(common.futile));
        common.futile = common.futile.saturating_add(1);
    }

    fn end_common(&mut self) -> bool {
        let again = matches!(self.common.fetch, Fetch::Running { again: true });
        self.common.fetch = Fetch::Idle;
        self.common.retry = None;
        again
    }

    /// An update out of a common difference: the difference's state covers it, unless it is a channel's.
    fn deliver_common(
        &mut self,
        update: tl::enums::Update,
        peers: &Arc<PeerMap>,
        of: usize,
        now: Instant,
    ) {
        match order_of(&update) {
            Order::ChannelTooLong { id, pts } => self.channel_too_long(id, pts, peers),
            Order::Channel { id, pts, count } => {
                let mark = Mark::Channel { id, pts };
                let delivery = Delivery::update(update, peers, mark, of);
                self.meet_late(id, pts, count, peers);
                self.offer_channel(id, pts, count, delivery, now);
            }
            Order::Common { .. } | Order::Secondary { .. } | Order::None => {
                self.outlet
                    .push(Delivery::update(update, peers, Mark::None, of));
            }
        }
    }

    fn set_common(&mut self, state: CommonState) {
        let common = &mut self.common;
        common.pts.set(told(common.pts.value(), state.pts));
        // 0 means "no news of this counter".
        if state.qts != 0 {
            common.qts.set(told(common.qts.value(), state.qts));
        }
        if state.seq != 0 {
            common.seq.set(state.seq);
        }
        // While the consumer has no room, a channel that was named may have been passed over.
        if state.date != 0 && (!common.stale || common.date == 0) {
            common.next_date = state.date;
            if self.unsettled.is_empty() {
                common.date = state.date;
            }
        }
        let mark = Mark::Common {
            pts: common.pts.value(),
            qts: common.qts.value(),
            seq: common.seq.value(),
            date: common.date,
        };
        self.outlet.push(self.only(mark));
    }

    /// Ends a round: what waits is delivered, waits on, or, after too many rounds, is let go.
    /// `again` when something happened meanwhile, `stuck` when the server gave nothing and says
    /// that there is more.
    fn settle_common(&mut self, again: bool, progress: bool, stuck: bool, now: Instant) {
        let common = &mut self.common;
        common.idle = now + self.idle_wait;
        common.damaged = false;
        if progress {
            common.futile = 0;
        }
        if common.pts.is_hopeless() || common.qts.is_hopeless() {
            let nobody = Arc::clone(&self.nobody);
            self.miss(Key::Common, &nobody, Mark::None);
        }
        let common = &mut self.common;
        for sequence in [&mut common.pts, &mut common.qts, &mut common.seq] {
            if sequence.is_hopeless() {
                sequence.jump(&mut self.outlet);
            } else {
                sequence.settle(now, &mut self.outlet);
            }
        }
        if again && progress {
            self.want_common();
        } else if again || stuck {
            self.retry_common(now);
        } else {
            common.futile = 0;
        }
    }

    /// The answer to [`Request::Channel`](super::Request::Channel).
    pub(crate) fn handle_channel_difference(
        &mut self,
        id: i64,
        answer: ChannelAnswer,
        now: Instant,
    ) {
        let Some(again) = self.end_channel(id) else {
            return;
        };
        let Some(before) = self.channels.get(&id).map(|channel| channel.pts.value()) else {
            return;
        };
        let mut too_long = false;
        let (pts, last, timeout, some) = match answer {
            ChannelAnswer::Empty { pts, last, timeout } => (pts, last, timeout, false),
            ChannelAnswer::Part {
                updates,
                peers,
                pts,
                last,
                timeout,
            } => {
                let some = !updates.is_empty();
                let of = updates.len();
                for update in updates {
                    self.deliver_from_channel(id, update, &peers, of, now);
                }
                (pts, last, timeout, some)
            }
            ChannelAnswer::TooLong {
                pts,
                peers,
                last,
                timeout,
            } => {
                self.miss(Key::Channel(id), &peers, Mark::None);
                too_long = true;
                (pts.unwrap_or(before), last, timeout, true)
            }
        };
        let pts = told(before, pts);
        let progress = pts != before;
        if progress || some {
            self.outlet.push(self.only(Mark::Channel { id, pts }));
        }
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        channel.pts.set(pts);
        let hopeless = channel.pts.is_hopeless();
        if hopeless {
            let nobody = Arc::clone(&self.nobody);
            self.miss(Key::Channel(id), &nobody, Mark::None);
        }
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        if hopeless {
            channel.pts.jump(&mut self.outlet);
        } else {
            channel.pts.settle(now, &mut self.outlet);
        }
        let at_once = again || !last;
        // The last part, and less than the server had spoken of: a replica that lags behind.
        channel.hinted &= !progress && !some;
        let short = channel.named > channel.pts.value();
        let lacking = (short || channel.hinted) && !too_long;
        let let_go = lacking && !at_once && channel.futile >= FUTILE_LIMIT;
        let given_up = let_go && short;
        if !lacking || let_go {
            channel.named = 0;
            channel.hinted = false;
        }
        if at_once && progress && (!too_long || channel.futile == 0) {
            channel.futile = u32::from(too_long);
            self.want_channel(id);
        } else if at_once || (lacking && !let_go) {
            if progress && !too_long {
                channel.futile = 0;
            }
            retry_channel(channel, now);
        } else {
            channel.futile = 0;
            if channel.opened {
                let seconds = u64::try_from(timeout.unwrap_or(1)).unwrap_or(1).max(1);
                channel.retry = Some(now + Duration::from_secs(seconds));
            }
        }
        if given_up {
            let nobody = Arc::clone(&self.nobody);
            self.miss(Key::Channel(id), &nobody, Mark::None);
        }
        self.set_timer(id);
    }

    /// `updates.getChannelDifference` failed.
    pub(crate) fn handle_channel_failed(&mut self, id: i64, failure: Failure, now: Instant) {
        if self.end_channel(id).is_none() {
            return;
        }
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        match failure {
            Failure::Temporary => {
                retry_channel(channel, now);
                self.set_timer(id);
            }
            Failure::Gone | Failure::Reset => {
                // What the server did push is still delivered; the next push begins the channel anew.
                if failure == Failure::Reset || channel.is_lacking() {
                    let nobody = Arc::clone(&self.nobody);
                    self.miss(Key::Channel(id), &nobody, Mark::None);
                }
                if failure == Failure::Reset
                    && let Some(channel) = self.channels.get_mut(&id)
                {
                    // Only what was pushed since says where the server stands.
                    channel.pts.set(0);
                }
                self.drop_channel(id);
            }
        }
    }

    fn end_channel(&mut self, id: i64) -> Option<bool> {
        let channel = self.channels.get_mut(&id)?;
        let Fetch::Running { again } = channel.fetch else {
            return None;
        };
        channel.fetch = Fetch::Idle;
        channel.retry = None;
        self.running = self.running.saturating_sub(1);
        Some(again)
    }

    /// An update out of a channel's difference, whose state covers it, unless it is another box's.
    fn deliver_from_channel(
        &mut self,
        id: i64,
        update: tl::enums::Update,
        peers: &Arc<PeerMap>,
        of: usize,
        now: Instant,
    ) {
        match order_of(&update) {
            Order::ChannelTooLong { .. } => {}
            Order::Channel {
                id: other,
                pts,
                count,
            } if other != id => {
                let mark = Mark::Channel { id: other, pts };
                let delivery = Delivery::update(update, peers, mark, of);
                self.offer_channel(other, pts, count, delivery, now);
            }
            _ => self
                .outlet
                .push(Delivery::update(update, peers, Mark::None, of)),
        }
    }
}

fn retry_channel(channel: &mut Channel, now: Instant) {
    channel.retry = Some(now + backoff(channel.futile));
    channel.futile = channel.futile.saturating_add(1);
}

/// Where a counter stands after the server's word.
fn told(ours: i32, theirs: i32) -> i32 {
    if theirs < ours && ours.saturating_sub(theirs) <= LAG {
        ours
    } else {
        theirs
    }
}
