//! What the differences bring, and what becomes of the boxes when they fail.

use std::sync::Arc;
use std::time::{Duration, Instant};

use layer_tl_types as tl;

use super::{
    CommonState, Delivery, Engine, FUTILE_LIMIT, Fetch, IDLE_WAIT, Key, Mark, Order, Payload,
    Sequence, backoff, order_of,
};
use crate::peers::PeerMap;

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
        let common = &mut self.common;
        let fresh = !std::mem::replace(&mut common.known, true);
        if fresh {
            // What was pushed while we asked is newer than the wish to receive: it is delivered, state or not.
            let out = &mut self.out;
            for sequence in [&mut common.pts, &mut common.qts, &mut common.seq] {
                sequence.jump(&mut |d| out.extend(d));
            }
        }
        self.set_common(CommonState {
            pts: state.pts.max(self.common.pts.value()),
            qts: state.qts.max(self.common.qts.value()),
            seq: state.seq.max(self.common.seq.value()),
            date: state.date,
        });
        self.settle_common(again, true, false, now);
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
                self.settle_common(again, false, false, now);
            }
            CommonAnswer::Part {
                updates,
                peers,
                state,
                last,
            } => {
                let progress = !updates.is_empty() || state.pts != before;
                for update in updates {
                    self.deliver_common(update, &peers, now);
                }
                self.set_common(state);
                let stuck = !last && !progress;
                self.settle_common(again || (!last && progress), progress, stuck, now);
            }
            CommonAnswer::TooLong { pts } => {
                let peers = Arc::clone(&self.nobody);
                self.out.push_back(Delivery {
                    payload: Payload::Missed(Key::Common),
                    peers,
                    mark: Mark::Pts(pts),
                });
                let progress = pts != before;
                self.common.pts.set(pts);
                self.settle_common(again || progress, progress, !progress, now);
            }
        }
    }

    /// `updates.getState` or `updates.getDifference` failed.
    pub(crate) fn handle_common_failed(&mut self, failure: Failure, now: Instant) {
        self.end_common();
        match failure {
            Failure::Reset | Failure::Gone if self.common.known => {
                // Ask where the server stands, and say that what lies between is lost to us.
                self.common.known = false;
                let peers = Arc::clone(&self.nobody);
                self.out.push_back(Delivery {
                    payload: Payload::Missed(Key::Common),
                    peers,
                    mark: Mark::None,
                });
                self.common.pts.set(0);
                self.common.qts.set(0);
                self.common.seq.set(0);
                self.want_common();
            }
            _ => self.retry_common(now),
        }
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
    fn deliver_common(&mut self, update: tl::enums::Update, peers: &Arc<PeerMap>, now: Instant) {
        let peers = Arc::clone(peers);
        match order_of(&update) {
            Order::ChannelTooLong { id, pts } => self.channel_too_long(id, pts),
            Order::Channel { id, pts, count } => {
                let mark = Mark::Channel { id, pts };
                self.offer_channel(
                    id,
                    pts,
                    count,
                    Delivery {
                        payload: Payload::Update(update),
                        peers,
                        mark,
                    },
                    now,
                );
            }
            Order::Common { .. } | Order::Secondary { .. } | Order::None => {
                self.out.push_back(Delivery {
                    payload: Payload::Update(update),
                    peers,
                    mark: Mark::None,
                });
            }
        }
    }

    fn set_common(&mut self, state: CommonState) {
        let common = &mut self.common;
        common.pts.set(state.pts);
        // 0 means "no news of this counter".
        if state.qts != 0 {
            common.qts.set(state.qts);
        }
        if state.seq != 0 {
            common.seq.set(state.seq);
        }
        if state.date != 0 {
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
        let peers = Arc::clone(&self.nobody);
        self.out.push_back(Delivery {
            payload: Payload::Nothing,
            peers,
            mark,
        });
    }

    /// Ends a round: what waits is delivered, waits on, or, after too many rounds, is let go.
    /// `again` when something happened meanwhile, `stuck` when the server gave nothing and says
    /// that there is more.
    fn settle_common(&mut self, again: bool, progress: bool, stuck: bool, now: Instant) {
        let common = &mut self.common;
        common.idle = now + IDLE_WAIT;
        if progress {
            common.futile = 0;
        }
        let wait = backoff(common.futile);
        let give_up = common.futile >= FUTILE_LIMIT && !again;
        let out = &mut self.out;
        let mut waiting = false;
        for sequence in [&mut common.pts, &mut common.qts, &mut common.seq] {
            settle(sequence, give_up, wait, now, out);
            waiting |= sequence.is_waiting();
        }
        if waiting || stuck || (again && !progress) {
            common.futile = common.futile.saturating_add(1);
        } else {
            common.futile = 0;
        }
        if again && progress {
            self.want_common();
        } else if again || stuck {
            common.fetch = Fetch::Queued;
            common.retry = Some(now + wait);
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
                for update in updates {
                    self.deliver_from_channel(id, update, &peers, now);
                }
                (pts, last, timeout, some)
            }
            ChannelAnswer::TooLong {
                pts,
                peers,
                last,
                timeout,
            } => {
                self.out.push_back(Delivery {
                    payload: Payload::Missed(Key::Channel(id)),
                    peers,
                    mark: Mark::None,
                });
                (pts.unwrap_or(before), last, timeout, true)
            }
        };
        let progress = pts != before;
        let peers = Arc::clone(&self.nobody);
        if progress || some {
            self.out.push_back(Delivery {
                payload: Payload::Nothing,
                peers,
                mark: Mark::Channel { id, pts },
            });
        }
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        channel.pts.set(pts);
        if progress {
            channel.futile = 0;
        }
        let more = again || (!last && progress);
        let give_up = channel.futile >= FUTILE_LIMIT && !more;
        let wait = backoff(channel.futile);
        settle(&mut channel.pts, give_up, wait, now, &mut self.out);
        if channel.pts.is_waiting() || (!last && !progress) {
            channel.futile = channel.futile.saturating_add(1);
        } else {
            channel.futile = 0;
        }
        if !last && !progress {
            channel.retry = Some(now + wait);
        } else if channel.opened && last {
            let seconds = u64::try_from(timeout.unwrap_or(1)).unwrap_or(1).max(1);
            channel.retry = Some(now + Duration::from_secs(seconds));
        }
        if more && (progress || channel.futile <= 1) {
            self.want_channel(id);
        } else if more {
            channel.retry = Some(now + wait);
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
                channel.futile = channel.futile.saturating_add(1);
                channel.retry = Some(now + backoff(channel.futile));
                self.set_timer(id);
            }
            Failure::Gone | Failure::Reset => {
                // What the server did push is still delivered; the next push begins the channel anew.
                let out = &mut self.out;
                if failure == Failure::Reset {
                    let peers = Arc::clone(&self.nobody);
                    let payload = Payload::Missed(Key::Channel(id));
                    out.push_back(Delivery {
                        payload,
                        peers,
                        mark: Mark::None,
                    });
                }
                channel.pts.jump(&mut |d| out.extend(d));
                if let Some(at) = channel.timer.take() {
                    self.timers.remove(&(at, id));
                }
                self.channels.remove(&id);
                self.settled(id);
                let peers = Arc::clone(&self.nobody);
                let mark = Mark::ChannelGone(id);
                self.out.push_back(Delivery {
                    payload: Payload::Nothing,
                    peers,
                    mark,
                });
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
                let peers = Arc::clone(peers);
                let delivery = Delivery {
                    payload: Payload::Update(update),
                    peers,
                    mark,
                };
                self.offer_channel(other, pts, count, delivery, now);
            }
            _ => self.out.push_back(Delivery {
                payload: Payload::Update(update),
                peers: Arc::clone(peers),
                mark: Mark::None,
            }),
        }
    }
}

/// After a difference: what it covered goes, what follows is delivered, and what still lacks something waits on,
/// unless we have waited often enough.
fn settle(
    sequence: &mut Sequence,
    give_up: bool,
    wait: Duration,
    now: Instant,
    out: &mut std::collections::VecDeque<Delivery>,
) {
    if give_up {
        sequence.jump(&mut |d| out.extend(d));
    } else {
        sequence.settle(wait, now, &mut |d| out.extend(d));
    }
}
