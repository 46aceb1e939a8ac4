//! The boxes of channels and supergroups: each with a counter of its own, as many as the account is in.

use std::sync::Arc;
use std::time::Instant;

use super::sequence;
use super::{Delivery, Engine, Fetch, Key, Mark, Offered, Request, Sequence, earlier};
use crate::peers::PeerMap;

/// Channels that are remembered. A user can be in a thousand; of a bot in more than this, those in
/// which something happened longest ago begin anew, like one that was never met.
pub(super) const CHANNEL_LIMIT: usize = 1 << 17;
/// Updates of one channel that may wait for a hole to be filled.
pub(super) const CHANNEL_ROOM: u32 = 64;
/// Channel differences that run at the same time, unless it is said otherwise.
pub(super) const CHANNELS_AT_ONCE: usize = 4;
/// Channels that are polled because the user looks at them.
const OPEN_LIMIT: usize = 10;
/// How many are looked at in search of one to forget.
const LOOKS: usize = 16;

#[derive(Debug)]
pub(super) struct Channel {
    pub(super) pts: Sequence,
    pub(super) fetch: Fetch,
    /// Differences in a row that failed, or that brought nothing though there was to be something.
    pub(super) futile: u32,
    pub(super) retry: Option<Instant>,
    /// What stands in the engine's set of timers for this channel.
    pub(super) timer: Option<Instant>,
    pub(super) opened: bool,
    /// Updates were turned away while the consumer had no room.
    pub(super) stale: bool,
    /// The farthest state that the server has spoken of without giving what leads there.
    pub(super) named: i32,
    /// The server has spoken of news without a state, and nothing has come since.
    pub(super) hinted: bool,
    /// We may not see it, and the cursor does not name it. What is newer begins it anew.
    pub(super) gone: bool,
    /// Something happened here since it was last considered for forgetting.
    used: bool,
}

impl Channel {
    pub(super) fn new(pts: i32) -> Self {
        Self {
            pts: Sequence::new(pts, CHANNEL_ROOM),
            fetch: Fetch::Idle,
            futile: 0,
            retry: None,
            timer: None,
            opened: false,
            stale: false,
            named: 0,
            hinted: false,
            gone: false,
            used: false,
        }
    }

    pub(super) fn running(&self) -> bool {
        matches!(self.fetch, Fetch::Running { .. })
    }

    /// Whether something is missing for certain.
    pub(super) fn is_lacking(&self) -> bool {
        self.named > self.pts.value() || self.pts.has_hole()
    }
}

impl Engine {
    /// The server told a channel's state in passing (a dialog, the full channel). It counts when
    /// we have none.
    pub(crate) fn note_channel(&mut self, id: i64, pts: i32) {
        if pts > 0 {
            let nobody = Arc::clone(&self.nobody);
            self.meet_channel(id, pts, &nobody, false);
        }
    }

    /// Begins with a channel at this state, unless we have one. The cursor learns of it before any
    /// of its updates, so that a crash between the two does not begin later. `late` when it may
    /// have begun before, so that the user is told, and the cursor learns of it when he is. False
    /// when there is no room.
    fn meet_channel(&mut self, id: i64, pts: i32, peers: &Arc<PeerMap>, mut late: bool) -> bool {
        if let Some(channel) = self.channels.get_mut(&id) {
            if !channel.gone || channel.pts.value() > pts {
                return true;
            }
            channel.gone = false;
            // What came between was not for us, or was lost.
            late |= channel.pts.value() < pts;
            channel.pts.set(pts);
        } else {
            if self.channels.len() >= CHANNEL_LIMIT {
                if self.paused {
                    // The common difference will name it.
                    self.common.stale = true;
                    return false;
                }
                self.forget_one();
            }
            self.channels.insert(id, Channel::new(pts));
            self.clock.push_back(id);
        }
        let mark = Mark::Channel { id, pts };
        if late {
            self.miss(Key::Channel(id), peers, mark);
        } else {
            self.outlet.push(self.only(mark));
        }
        true
    }

    /// Begins with a channel whose first update comes when it may have had others that we were not told of, and says so.
    pub(super) fn meet_late(&mut self, id: i64, pts: i32, count: i32, peers: &Arc<PeerMap>) {
        if self.common.known && !self.channels.contains_key(&id) {
            self.meet_channel(id, pts.saturating_sub(count.max(0)), peers, true);
        }
    }

    /// Makes room for another channel: one goes where nothing happened for long and nothing is
    /// lacking; failing that, any for which no difference runs.
    fn forget_one(&mut self) {
        for _ in 0..LOOKS {
            let Some(id) = self.clock.pop_front() else {
                return;
            };
            if let Some(channel) = self.channels.get_mut(&id)
                && !std::mem::take(&mut channel.used)
                && !channel.opened
                && !self.unsettled.contains(&id)
            {
                return self.forget(id);
            }
            self.clock.push_back(id);
        }
        for _ in 0..=self.running.min(self.clock.len()) {
            let Some(id) = self.clock.pop_front() else {
                return;
            };
            if self.channels.get(&id).is_some_and(|c| !c.running()) {
                return self.forget(id);
            }
            self.clock.push_back(id);
        }
    }

    fn forget(&mut self, id: i64) {
        if self.unsettled.contains(&id) {
            let nobody = Arc::clone(&self.nobody);
            self.miss(Key::Channel(id), &nobody, Mark::None);
        }
        self.drop_channel(id);
        self.channels.remove(&id);
        if self.ready.len() > 2 * self.channels.len() + LOOKS {
            let channels = &self.channels;
            self.ready
                .retain(|id| channels.get(id).is_some_and(|c| c.fetch == Fetch::Queued));
        }
    }

    /// Ends a channel's entry: what was held back is delivered, and the cursor names it no longer.
    pub(super) fn drop_channel(&mut self, id: i64) {
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        channel.pts.jump(&mut self.outlet);
        channel.fetch = Fetch::Idle;
        channel.futile = 0;
        channel.retry = None;
        channel.stale = false;
        channel.named = 0;
        channel.hinted = false;
        channel.gone = true;
        if let Some(at) = channel.timer.take() {
            self.timers.remove(&(at, id));
        }
        if std::mem::take(&mut channel.opened) {
            self.opened -= 1;
        }
        self.settled(id);
        self.outlet.push(self.only(Mark::ChannelGone(id)));
    }

    /// The user looks at a channel, or no longer: it is polled as often as the server says. Of a
    /// channel that we know nothing of, it begins with what the first difference brings.
    pub(crate) fn set_opened(&mut self, id: i64, opened: bool) {
        if opened && self.opened >= OPEN_LIMIT {
            return;
        }
        if opened {
            let pts = self.channels.get(&id).map_or(1, |c| c.pts.value().max(1));
            let nobody = Arc::clone(&self.nobody);
            self.meet_channel(id, pts, &nobody, false);
        }
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        match (std::mem::replace(&mut channel.opened, opened), opened) {
            (false, true) => self.opened += 1,
            (true, false) => self.opened -= 1,
            (true, true) | (false, false) => {}
        }
        if opened {
            self.want_channel(id);
        }
    }

    /// As [`want_common`](Self::want_common), for a channel and on the server's instigation.
    pub(super) fn nudge_channel(&mut self, id: i64) {
        let pausing = |channel: &Channel| channel.futile > 0 && channel.retry.is_some();
        if !self.channels.get(&id).is_some_and(pausing) {
            self.want_channel(id);
        }
    }

    pub(super) fn want_channel(&mut self, id: i64) {
        let Some(channel) = self.channels.get_mut(&id).filter(|c| !c.gone) else {
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

    /// The server asks us to fetch a channel's difference.
    pub(super) fn channel_too_long(&mut self, id: i64, pts: Option<i32>, peers: &Arc<PeerMap>) {
        match (self.channels.get_mut(&id).filter(|c| !c.gone), pts) {
            (Some(channel), Some(pts)) if channel.pts.value() >= pts => {}
            (Some(channel), _) => {
                match pts {
                    Some(pts) => channel.named = channel.named.max(pts),
                    None => channel.hinted = true,
                }
                channel.used = true;
                self.nudge_channel(id);
            }
            (None, _) if self.paused => self.common.stale = true,
            // A channel of which we know nothing: there is no state to take a difference from, so it begins here,
            // one event back so that its newest comes, and the user is told that there is more.
            (None, Some(pts)) => {
                let begin = pts.saturating_sub(1).max(1);
                let known = self.channels.get(&id).map(|c| c.pts.value());
                let begin = match known {
                    Some(known) if known >= pts => return,
                    // The server refused what we had: what is before this, the user is to fetch.
                    Some(0) => pts,
                    Some(known) => known.max(begin),
                    None => begin,
                };
                self.meet_channel(id, begin, peers, known.is_none());
                if let Some(channel) = self.channels.get_mut(&id) {
                    channel.named = channel.named.max(pts);
                }
                self.want_channel(id);
            }
            (None, None) => self.miss(Key::Channel(id), peers, Mark::None),
        }
    }

    pub(super) fn offer_channel(
        &mut self,
        id: i64,
        pts: i32,
        count: i32,
        delivery: Delivery,
        now: Instant,
    ) {
        let start = pts.saturating_sub(count.max(0));
        if !self.meet_channel(id, start, &delivery.peers, false) {
            return;
        }
        let Some(channel) = self.channels.get_mut(&id).filter(|c| !c.gone) else {
            return;
        };
        channel.used = true;
        if self.paused {
            if sequence::start(pts, count) >= i64::from(channel.pts.value()) {
                channel.named = channel.named.max(pts);
                if !std::mem::replace(&mut channel.stale, true) {
                    self.stale.push(id);
                    self.unsettled.insert(id);
                }
            }
            return;
        }
        let locked = channel.running();
        let offered = channel
            .pts
            .offer(pts, count, vec![delivery], locked, now, &mut self.outlet);
        match offered {
            Offered::Full => {
                channel.named = channel.named.max(pts);
                self.nudge_channel(id);
            }
            Offered::Applied | Offered::Held => self.set_timer(id),
            Offered::Already => {}
        }
    }

    /// Brings the sets of timers and of unsettled channels in line with what a channel waits for.
    pub(super) fn set_timer(&mut self, id: i64) {
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        let settled = channel.fetch == Fetch::Idle
            && channel.futile == 0
            && !channel.stale
            && !channel.pts.is_waiting();
        let wanted = match channel.fetch {
            // A pause that failures have earned us stays.
            Fetch::Idle if channel.futile > 0 && channel.retry.is_some() => channel.retry,
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
                let date = self.only(Mark::Date(self.common.date));
                self.outlet.push(date);
            }
        }
    }

    pub(super) fn poll_channel_request(&mut self) -> Option<Request> {
        while self.running < self.at_once {
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
                // The server does not take 0.
                pts: channel.pts.value().max(1),
            });
        }
        None
    }

    pub(super) fn handle_channel_timeouts(&mut self, now: Instant) {
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
