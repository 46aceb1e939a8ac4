//! The server: what happened in each box, and what it answers.

use std::sync::Arc;
use std::time::Duration;

use layer_tl_types as tl;

use crate::messages::blank_message;
use crate::updates::engine::{
    ChannelAnswer, CommonAnswer, CommonState, Failure, Order, Payload, channel_of_message, order_of,
};

/// Boxes by number: the common one, that of `qts`, the packets' `seq`, and then the channels.
pub(super) const COMMON: usize = 0;
pub(super) const QTS: usize = 1;
pub(super) const SEQ: usize = 2;
pub(super) const FIRST: usize = 3;
pub(super) const CHANNELS: usize = 50;
pub(super) const PLACES: usize = FIRST + CHANNELS;
/// Events that a difference brings at most, of each box.
const SLICE: usize = 6;
/// From so many on, a hole may be too long to tell.
const LONG: usize = 4;

pub(super) fn id_of(place: usize) -> i64 {
    i64::try_from(place).unwrap()
}

pub(super) fn place_of(id: i64) -> usize {
    usize::try_from(id).unwrap()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    New,
    Edit,
    Delete,
    Pin,
    /// Names a state, and is no event itself.
    Read,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) end: i32,
    pub(super) count: i32,
    pub(super) kind: Kind,
    at: Duration,
    /// It came of a call of the client's own, whose answer told it.
    pub(super) own: bool,
    /// It was not for us.
    pub(super) absent: bool,
    /// The push did not get through.
    pub(super) lost: bool,
    /// It was lost before we had to leave: no difference can bring it.
    pub(super) doomed: bool,
}

#[derive(Debug)]
pub(super) struct Place {
    pub(super) events: Vec<Event>,
    pub(super) end: i32,
    pub(super) member: bool,
    /// The client knew of it when the run began.
    pub(super) known: bool,
}

/// What a push or an answer shows of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// The event of this number in its box.
    Event {
        place: usize,
        number: usize,
        kind: Kind,
    },
    Missed(usize),
    Damaged,
    Loose,
}

pub(super) struct Server {
    pub(super) places: Vec<Place>,
}

pub(super) fn date(at: Duration) -> i32 {
    i32::try_from(at.as_secs()).unwrap() + 1
}

impl Server {
    pub(super) fn new(known: &dyn Fn(usize) -> bool) -> Self {
        let place = |place| Place {
            events: Vec::new(),
            end: if place == SEQ { 0 } else { 1 },
            member: true,
            known: place < FIRST || known(place),
        };
        Self {
            places: (0..PLACES).map(place).collect(),
        }
    }

    /// Something happens.
    pub(super) fn happen(
        &mut self,
        place: usize,
        kind: Kind,
        count: i32,
        own: bool,
        at: Duration,
    ) -> usize {
        let place = &mut self.places[place];
        let count = if kind == Kind::Read { 0 } else { count };
        place.end += count;
        place.events.push(Event {
            end: place.end,
            count,
            kind,
            at,
            own,
            absent: !place.member,
            lost: false,
            doomed: false,
        });
        place.events.len() - 1
    }

    pub(super) fn state(&self, at: Duration) -> CommonState {
        CommonState {
            pts: self.places[COMMON].end,
            qts: self.places[QTS].end,
            seq: self.places[SEQ].end,
            date: date(at),
        }
    }

    /// The event as it is pushed, or, in a difference, without the number of its own.
    pub(super) fn update(&self, place: usize, number: usize, pushed: bool) -> tl::enums::Update {
        let event = self.places[place].events[number];
        let serial = i32::try_from(number).unwrap();
        let is_new = event.kind == Kind::New;
        let (pts, pts_count) = if pushed || !is_new {
            (event.end, event.count)
        } else {
            (0, 0)
        };
        let user_id = 1 + i64::from(serial % 5);
        match place {
            QTS => {
                return tl::types::UpdateBotStopped {
                    user_id: i64::from(serial),
                    date: 0,
                    stopped: true,
                    qts: event.end,
                }
                .into();
            }
            SEQ => {
                return tl::types::UpdateUserPhone {
                    user_id: i64::from(serial),
                    phone: String::new(),
                }
                .into();
            }
            _ => {}
        }
        let messages = vec![serial];
        if place == COMMON {
            let peer: tl::enums::Peer = tl::types::PeerUser { user_id }.into();
            let message = |peer| blank_message(serial, peer, 0, "of the server".into()).into();
            return match event.kind {
                Kind::New => tl::types::UpdateNewMessage {
                    message: message(peer),
                    pts,
                    pts_count,
                }
                .into(),
                Kind::Edit => tl::types::UpdateEditMessage {
                    message: message(peer),
                    pts,
                    pts_count,
                }
                .into(),
                Kind::Delete => tl::types::UpdateDeleteMessages {
                    messages,
                    pts,
                    pts_count,
                }
                .into(),
                Kind::Pin | Kind::Read => tl::types::UpdateReadHistoryOutbox {
                    peer,
                    max_id: serial,
                    pts,
                    pts_count,
                }
                .into(),
            };
        }
        let channel_id = id_of(place);
        let peer: tl::enums::Peer = tl::types::PeerChannel { channel_id }.into();
        let message = |peer| blank_message(serial, peer, 0, "of the server".into()).into();
        match event.kind {
            Kind::New => tl::types::UpdateNewChannelMessage {
                message: message(peer),
                pts,
                pts_count,
            }
            .into(),
            Kind::Edit => tl::types::UpdateEditChannelMessage {
                message: message(peer),
                pts,
                pts_count,
            }
            .into(),
            Kind::Delete => tl::types::UpdateDeleteChannelMessages {
                channel_id,
                messages,
                pts,
                pts_count,
            }
            .into(),
            Kind::Pin => tl::types::UpdatePinnedChannelMessages {
                pinned: true,
                channel_id,
                messages,
                pts,
                pts_count,
            }
            .into(),
            Kind::Read => tl::types::UpdateReadChannelInbox {
                folder_id: None,
                channel_id,
                max_id: serial,
                still_unread_count: 0,
                pts,
            }
            .into(),
        }
    }

    /// The next events of a box after a state, as far as a replica knows them: messages first, as differences have
    /// it; the state that they lead to; and whether that is all.
    fn after(&self, place: usize, state: i32, view: Duration) -> (Vec<usize>, i32, bool) {
        let events = &self.places[place].events;
        let from = events.partition_point(|event| event.end <= state);
        let upto = events.partition_point(|event| event.at <= view).max(from);
        let mut numbers = Vec::new();
        let (mut end, mut last) = (state, true);
        for (number, event) in events.iter().enumerate().take(upto).skip(from) {
            if event.kind == Kind::Read {
                continue;
            }
            if numbers.len() == SLICE {
                last = false;
                break;
            }
            numbers.push(number);
            end = event.end;
        }
        if numbers.is_empty() {
            // A replica says where it stands itself.
            let seen = events.partition_point(|event| event.at <= view);
            end = events[..seen].last().map_or(1, |event| event.end);
        }
        numbers.sort_by_key(|&number| events[number].kind != Kind::New);
        (numbers, end, last)
    }

    pub(super) fn difference(
        &self,
        pts: i32,
        qts: i32,
        since: i32,
        view: Duration,
        skip: bool,
    ) -> CommonAnswer {
        let place = &self.places[COMMON];
        let missing = place.events.iter().filter(|event| event.end > pts).count();
        if skip && missing > LONG {
            return CommonAnswer::TooLong { pts: place.end };
        }
        let (common, pts, all) = self.after(COMMON, pts, view);
        let (secondary, qts, all_of_qts) = self.after(QTS, qts, view);
        let last = all && all_of_qts;
        let mut updates: Vec<tl::enums::Update> = Vec::new();
        updates.extend(common.iter().map(|&n| self.update(COMMON, n, false)));
        updates.extend(secondary.iter().map(|&n| self.update(QTS, n, false)));
        if last {
            for place in FIRST..PLACES {
                let Place { events, member, .. } = &self.places[place];
                let seen = events.partition_point(|event| event.at <= view);
                let Some(newest) = events[..seen].last() else {
                    continue;
                };
                if *member && date(newest.at) >= since {
                    let named = tl::types::UpdateChannelTooLong {
                        channel_id: id_of(place),
                        pts: Some(newest.end),
                    };
                    updates.push(named.into());
                }
            }
        }
        let seq = self.places[SEQ].end;
        if updates.is_empty() {
            return CommonAnswer::Empty {
                date: date(view),
                seq,
            };
        }
        let state = CommonState {
            pts,
            qts,
            seq,
            // A slice's date is that of the request: what its channels hold comes later.
            date: if last { date(view) } else { since },
        };
        CommonAnswer::Part {
            updates,
            peers: Arc::default(),
            state,
            last,
        }
    }

    pub(super) fn channel_difference(
        &self,
        id: i64,
        pts: i32,
        view: Duration,
        skip: bool,
    ) -> Result<ChannelAnswer, Failure> {
        let number = place_of(id);
        let place = &self.places[number];
        if !place.member {
            return Err(Failure::Gone);
        }
        let timeout = Some(5);
        let missing = place.events.iter().filter(|event| event.end > pts).count();
        if skip && missing > LONG {
            return Ok(ChannelAnswer::TooLong {
                pts: Some(place.end),
                peers: Arc::default(),
                last: true,
                timeout,
            });
        }
        let (numbers, pts, last) = self.after(number, pts, view);
        if numbers.is_empty() {
            return Ok(ChannelAnswer::Empty { pts, last, timeout });
        }
        let updates = numbers.iter().map(|&n| self.update(number, n, false));
        Ok(ChannelAnswer::Part {
            updates: updates.collect(),
            peers: Arc::default(),
            pts,
            last,
            timeout,
        })
    }
}

/// Tells which event a delivery shows.
pub(super) fn shown(payload: &Payload) -> Option<Shown> {
    use crate::updates::engine::Key;
    use tl::enums::Update as U;
    let update = match payload {
        Payload::Nothing => return None,
        Payload::Malformed => return Some(Shown::Damaged),
        Payload::Missed(Key::Common) => return Some(Shown::Missed(COMMON)),
        Payload::Missed(Key::Channel(id)) => return Some(Shown::Missed(place_of(*id))),
        Payload::Update(update) => update,
    };
    let id = |message: &tl::enums::Message| match message {
        tl::enums::Message::Message(m) => m.id,
        _ => panic!("no message of this server"),
    };
    let (place, serial, kind) = match update {
        U::NewMessage(u) => (COMMON, id(&u.message), Kind::New),
        U::EditMessage(u) => (COMMON, id(&u.message), Kind::Edit),
        U::DeleteMessages(u) => (COMMON, u.messages[0], Kind::Delete),
        U::ReadHistoryOutbox(u) => (COMMON, u.max_id, Kind::Pin),
        U::BotStopped(u) => (QTS, i32::try_from(u.user_id).unwrap(), Kind::New),
        U::UserPhone(u) => (SEQ, i32::try_from(u.user_id).unwrap(), Kind::New),
        U::UserTyping(_) => return Some(Shown::Loose),
        U::NewChannelMessage(u) => {
            let place = place_of(channel_of_message(&u.message).unwrap());
            (place, id(&u.message), Kind::New)
        }
        U::EditChannelMessage(u) => {
            let place = place_of(channel_of_message(&u.message).unwrap());
            (place, id(&u.message), Kind::Edit)
        }
        U::DeleteChannelMessages(u) => (place_of(u.channel_id), u.messages[0], Kind::Delete),
        U::PinnedChannelMessages(u) => (place_of(u.channel_id), u.messages[0], Kind::Pin),
        U::ReadChannelInbox(u) => (place_of(u.channel_id), u.max_id, Kind::Read),
        other => panic!("no update of this server: {:?}", order_of(other)),
    };
    debug_assert!(!matches!(order_of(update), Order::ChannelTooLong { .. }));
    Some(Shown::Event {
        place,
        number: usize::try_from(serial).unwrap(),
        kind,
    })
}
