//! What one session knows, built from nothing but what the server told it.
//!
//! Strict where a client would have to ask again: every counted update must follow the last one without a gap.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use layer_tl_types::{enums, functions, types};

use super::described::{check_message_named, check_named};
use super::{Session, Stage};
use crate::expected::{Count, Event};
use crate::handles::Peer;
use crate::world::blank;
use crate::world::ids::PeerId;
use crate::world::secondary::{is_in_sequence, qts};

/// A session's copy of its boxes.
#[derive(Clone, Debug, Default)]
pub(super) struct Replica {
    pub(super) pts: i32,
    pub(super) qts: i32,
    pub(super) seq: i32,
    pub(super) date: i32,
    pub(super) messages: BTreeMap<i32, enums::Message>,
    pub(super) read_inbox: BTreeMap<PeerId, i32>,
    pub(super) read_outbox: BTreeMap<PeerId, i32>,
    pub(super) channels: BTreeMap<i64, ChannelCopy>,
    /// Channels to look at anew, because the server said that something about them changed.
    pub(super) stale: Vec<i64>,
    /// Names as last heard.
    pub(super) names: BTreeMap<i64, String>,
    /// Everything that it was told.
    pub(super) told: Vec<Event>,
    /// How often it was told that it is too far behind, and took everything anew.
    pub(super) anew: usize,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ChannelCopy {
    pub(super) pts: i32,
    pub(super) messages: BTreeMap<i32, enums::Message>,
}

pub(super) fn peer_of(peer: &enums::Peer) -> PeerId {
    PeerId::of_tl(peer)
}

pub(super) fn message_id(message: &enums::Message) -> i32 {
    match message {
        enums::Message::Empty(message) => message.id,
        enums::Message::Message(message) => message.id,
        enums::Message::Service(message) => message.id,
    }
}

pub(super) fn message_peer(message: &enums::Message) -> Option<PeerId> {
    match message {
        enums::Message::Empty(message) => message.peer_id.as_ref().map(peer_of),
        enums::Message::Message(message) => Some(peer_of(&message.peer_id)),
        enums::Message::Service(message) => Some(peer_of(&message.peer_id)),
    }
}

impl Replica {
    /// A session that has just signed in and asked for the state.
    pub(super) fn fresh(stage: &mut Stage, session: Session) -> Self {
        let enums::updates::State::State(state) = stage
            .call(session, &functions::updates::GetState {})
            .unwrap();
        assert!(state.pts >= 1, "a fresh account's pts is at least 1");
        let mut replica = Self {
            pts: state.pts,
            qts: state.qts,
            seq: state.seq,
            date: state.date,
            ..Self::default()
        };
        replica.fetch_everything(stage, session);
        replica
    }

    /// What a client does after `differenceTooLong`: it asks for all of it again.
    pub(super) fn fetch_everything(&mut self, stage: &mut Stage, session: Session) {
        let account = &stage.world.accounts[&session.user];
        self.pts = account.pts;
        let ids: Vec<i32> = account.messages.keys().copied().collect();
        self.messages = ids
            .into_iter()
            .map(|id| (id, stage.world.tl_message(session.user, id)))
            .collect();
        let joined: Vec<i64> = stage
            .world
            .channels
            .values()
            .filter(|channel| channel.members.contains_key(&session.user))
            .map(|channel| channel.id)
            .collect();
        self.channels.retain(|id, _| joined.contains(id));
        for id in joined {
            self.fetch_channel(stage, session, id);
        }
    }

    pub(super) fn fetch_channel(&mut self, stage: &Stage, session: Session, id: i64) {
        let channel = &stage.world.channels[&id];
        let messages = channel
            .ids_for(session.user)
            .map(|message| {
                let seen = stage.world.tl_channel_message(session.user, id, message);
                (message, seen)
            })
            .collect();
        self.channels.insert(
            id,
            ChannelCopy {
                pts: channel.pts_for(session.user),
                messages,
            },
        );
    }

    /// Takes in what was pushed or answered. Whatever peers are named must be described in the same packet.
    pub(super) fn apply(&mut self, user: i64, updates: &enums::Updates) {
        match updates {
            enums::Updates::Updates(updates) => {
                if updates.seq != 0 {
                    assert_eq!(updates.seq, self.seq + 1, "a gap in seq");
                    self.seq = updates.seq;
                }
                assert!(updates.date >= self.date, "the date goes back");
                self.date = updates.date;
                for update in &updates.updates {
                    check_named(update, &updates.users, &updates.chats);
                    self.update(update, &updates.chats, true);
                    if updates.seq != 0
                        && let Some(told) = self.told.last_mut()
                    {
                        told.count = Count::Seq(updates.seq);
                    }
                }
            }
            enums::Updates::UpdateShort(short) => self.update(&short.update, &[], true),
            enums::Updates::UpdateShortMessage(short) => {
                let message = types::Message {
                    out: short.out,
                    mentioned: short.mentioned,
                    media_unread: short.media_unread,
                    silent: short.silent,
                    from_id: short.out.then(|| PeerId::User(user).to_tl()),
                    fwd_from: short.fwd_from.clone(),
                    via_bot_id: short.via_bot_id,
                    reply_to: short.reply_to.clone(),
                    entities: short.entities.clone(),
                    ..blank::message(
                        short.id,
                        PeerId::User(short.user_id).to_tl(),
                        short.date,
                        short.message.clone(),
                    )
                };
                self.count(short.pts, short.pts_count, "a short message");
                self.hear_new(&message.clone().into(), short.pts, short.pts_count);
                self.messages.insert(short.id, message.into());
            }
            enums::Updates::UpdateShortChatMessage(short) => {
                let message = types::Message {
                    out: short.out,
                    mentioned: short.mentioned,
                    media_unread: short.media_unread,
                    silent: short.silent,
                    from_id: Some(PeerId::User(short.from_id).to_tl()),
                    fwd_from: short.fwd_from.clone(),
                    via_bot_id: short.via_bot_id,
                    reply_to: short.reply_to.clone(),
                    entities: short.entities.clone(),
                    ..blank::message(
                        short.id,
                        PeerId::Chat(short.chat_id).to_tl(),
                        short.date,
                        short.message.clone(),
                    )
                };
                self.count(short.pts, short.pts_count, "a short group message");
                self.hear_new(&message.clone().into(), short.pts, short.pts_count);
                self.messages.insert(short.id, message.into());
            }
            other => panic!("unexpected in this place: {other:?}"),
        }
    }

    /// `updateShortSentMessage`, completed from what the client asked for.
    pub(super) fn apply_sent(
        &mut self,
        user: i64,
        peer: PeerId,
        request: &functions::messages::SendMessage,
        sent: &types::UpdateShortSentMessage,
    ) {
        let reply_to = match &request.reply_to {
            Some(enums::InputReplyTo::Message(reply))
                if self
                    .messages
                    .get(&reply.reply_to_msg_id)
                    .and_then(message_peer)
                    == Some(peer) =>
            {
                let reply_to_msg_id = Some(reply.reply_to_msg_id);
                Some(
                    types::MessageReplyHeader {
                        reply_to_msg_id,
                        ..blank::reply_header()
                    }
                    .into(),
                )
            }
            _ => None,
        };
        let message = types::Message {
            out: sent.out,
            silent: request.silent,
            from_id: Some(PeerId::User(user).to_tl()),
            reply_to,
            entities: sent.entities.clone(),
            ..blank::message(sent.id, peer.to_tl(), sent.date, request.message.clone())
        };
        self.count(sent.pts, sent.pts_count, "a sent message");
        self.messages.insert(sent.id, message.into());
    }

    /// The messages of its own box, oldest first, by their chats.
    pub(super) fn dialogs(&self) -> impl Iterator<Item = (PeerId, &enums::Message)> {
        let messages = self.messages.values();
        messages.filter_map(|message| Some((message_peer(message)?, message)))
    }

    fn hear_new(&mut self, message: &enums::Message, pts: i32, pts_count: i32) {
        let message = message.clone();
        let update = match message_peer(&message) {
            Some(PeerId::Channel(_)) => types::UpdateNewChannelMessage {
                message,
                pts,
                pts_count,
            }
            .into(),
            _ => types::UpdateNewMessage {
                message,
                pts,
                pts_count,
            }
            .into(),
        };
        self.told.push(Event::of(&update));
    }

    /// Moves `pts`, which must follow without a gap.
    pub(super) fn count(&mut self, pts: i32, pts_count: i32, what: &str) {
        assert_eq!(self.pts + pts_count, pts, "a gap before {what}");
        self.pts = pts;
    }

    /// Whether a channel's update is the next one. A copy that was fetched meanwhile may be ahead.
    fn count_channel(&mut self, id: i64, pts: i32, pts_count: i32, live: bool) -> bool {
        let Some(copy) = self.channels.get_mut(&id) else {
            // The first update of a channel never seen before.
            if live {
                self.stale.push(id);
            }
            return false;
        };
        if live {
            if pts <= copy.pts {
                return false;
            }
            assert_eq!(copy.pts + pts_count, pts, "a gap in channel {id}");
            copy.pts = pts;
        }
        true
    }

    #[expect(clippy::collapsible_match, reason = "counting is an act, not a guard")]
    fn update(&mut self, update: &enums::Update, chats: &[enums::Chat], live: bool) {
        macro_rules! count {
            ($update:expr) => {
                if live {
                    self.count($update.pts, $update.pts_count, "an update");
                }
            };
        }
        // What passes is told and counted by nobody.
        let passes = matches!(
            update,
            enums::Update::UserTyping(_)
                | enums::Update::ChatUserTyping(_)
                | enums::Update::ChannelUserTyping(_)
                | enums::Update::UserStatus(_)
                | enums::Update::ChannelTooLong(_)
                | enums::Update::MessagePoll(_)
        );
        if !passes {
            self.told.push(Event::of(update));
        }
        if let Some(qts) = qts(update) {
            assert_eq!(qts, self.qts + 1, "a gap in qts");
            self.qts = qts;
        }
        if !live && is_in_sequence(update) {
            self.seq += 1;
        }
        match update {
            enums::Update::NewMessage(update) => {
                count!(update);
                self.messages
                    .insert(message_id(&update.message), update.message.clone());
            }
            enums::Update::EditMessage(update) => {
                count!(update);
                self.messages
                    .insert(message_id(&update.message), update.message.clone());
            }
            enums::Update::DeleteMessages(update) => {
                count!(update);
                for id in &update.messages {
                    self.messages.remove(id);
                }
            }
            enums::Update::ReadHistoryInbox(update) => {
                count!(update);
                self.read_inbox.insert(peer_of(&update.peer), update.max_id);
            }
            enums::Update::ReadHistoryOutbox(update) => {
                count!(update);
                self.read_outbox
                    .insert(peer_of(&update.peer), update.max_id);
            }
            enums::Update::ReadMessagesContents(update) => {
                count!(update);
                self.contents_read(&update.messages);
            }
            enums::Update::PinnedMessages(update) => {
                count!(update);
                for id in &update.messages {
                    if let Some(enums::Message::Message(message)) = self.messages.get_mut(id) {
                        message.pinned = update.pinned;
                    }
                }
            }
            enums::Update::NewChannelMessage(update) => {
                let Some(PeerId::Channel(id)) = message_peer(&update.message) else {
                    panic!("no channel")
                };
                if self.count_channel(id, update.pts, update.pts_count, live) {
                    self.put(id, &update.message);
                }
            }
            enums::Update::EditChannelMessage(update) => {
                let Some(PeerId::Channel(id)) = message_peer(&update.message) else {
                    panic!("no channel")
                };
                if self.count_channel(id, update.pts, update.pts_count, live) {
                    self.put(id, &update.message);
                }
            }
            enums::Update::DeleteChannelMessages(update) => {
                if self.count_channel(update.channel_id, update.pts, update.pts_count, live) {
                    self.channel_deleted(update.channel_id, &update.messages);
                }
            }
            enums::Update::PinnedChannelMessages(update) => {
                if self.count_channel(update.channel_id, update.pts, update.pts_count, live) {
                    let copy = self.channels.get_mut(&update.channel_id).unwrap();
                    for id in &update.messages {
                        if let Some(enums::Message::Message(message)) = copy.messages.get_mut(id) {
                            message.pinned = update.pinned;
                        }
                    }
                }
            }
            enums::Update::ReadChannelInbox(update) => {
                let read = self.read_inbox.entry(PeerId::Channel(update.channel_id));
                let read = read.or_default();
                *read = update.max_id.max(*read);
            }
            enums::Update::ReadChannelOutbox(update) => {
                let read = self.read_outbox.entry(PeerId::Channel(update.channel_id));
                let read = read.or_default();
                *read = update.max_id.max(*read);
            }
            enums::Update::Channel(update) => {
                let member = chats.iter().any(|chat| {
                    matches!(chat, enums::Chat::Channel(chat) if chat.id == update.channel_id && !chat.left)
                });
                if member {
                    self.stale.push(update.channel_id);
                } else {
                    self.channels.remove(&update.channel_id);
                }
            }
            enums::Update::ChannelTooLong(update) => self.stale.push(update.channel_id),
            enums::Update::UserName(update) => {
                self.names.insert(update.user_id, update.first_name.clone());
            }
            _ => {}
        }
    }

    pub(super) fn contents_read(&mut self, ids: &[i32]) {
        for id in ids {
            match self.messages.get_mut(id) {
                Some(enums::Message::Message(message)) => message.media_unread = false,
                Some(enums::Message::Service(message)) => message.media_unread = false,
                _ => {}
            }
        }
    }

    pub(super) fn channel_deleted(&mut self, id: i64, ids: &[i32]) {
        if let Some(copy) = self.channels.get_mut(&id) {
            for id in ids {
                copy.messages.remove(id);
            }
        }
    }

    fn put(&mut self, channel: i64, message: &enums::Message) {
        let copy = self.channels.get_mut(&channel).unwrap();
        copy.messages.insert(message_id(message), message.clone());
    }

    /// Whether an object is the next one, one of before, or one after a gap.
    pub(super) fn place_of(&self, updates: &enums::Updates) -> Ordering {
        let (within, seq, date) = match updates {
            enums::Updates::Updates(updates) => (&updates.updates[..], updates.seq, updates.date),
            enums::Updates::UpdateShort(short) => {
                (std::slice::from_ref(&short.update), 0, i32::MAX)
            }
            enums::Updates::UpdateShortMessage(short) => {
                return (short.pts - short.pts_count).cmp(&self.pts);
            }
            enums::Updates::UpdateShortChatMessage(short) => {
                return (short.pts - short.pts_count).cmp(&self.pts);
            }
            other => panic!("unexpected in this place: {other:?}"),
        };
        let mut places: Vec<Ordering> = within
            .iter()
            .filter_map(|update| {
                let event = Event::of(update);
                Some(match (event.count, event.chat) {
                    (Count::Common { pts, pts_count }, _) => (pts - pts_count).cmp(&self.pts),
                    (Count::Channel { pts, pts_count }, Some(Peer::Channel(id))) => {
                        (pts - pts_count).cmp(&self.channels.get(&id)?.pts)
                    }
                    (Count::Qts(qts), _) => (qts - 1).cmp(&self.qts),
                    _ => return None,
                })
            })
            .collect();
        if seq != 0 {
            places.push((seq - 1).cmp(&self.seq));
        }
        if places.is_empty() && date <= self.date {
            return Ordering::Less;
        }
        // One that is late in any respect is all of it late, and a gap is a gap.
        let gap = places.contains(&Ordering::Greater);
        let late = places.contains(&Ordering::Less);
        match (gap, late) {
            (true, _) => Ordering::Greater,
            (_, true) => Ordering::Less,
            _ => Ordering::Equal,
        }
    }

    /// Looks at the channels that were said to have changed.
    pub(super) fn refresh(&mut self, stage: &Stage, session: Session) {
        for id in std::mem::take(&mut self.stale) {
            let member = stage
                .world
                .channels
                .get(&id)
                .is_some_and(|channel| channel.members.contains_key(&session.user));
            if !member {
                self.channels.remove(&id);
            } else if !self.channels.contains_key(&id) {
                self.fetch_channel(stage, session, id);
            }
        }
    }

    /// Catches up by differences alone, in pieces of at most `limit`.
    pub(super) fn catch_up(&mut self, stage: &mut Stage, session: Session, limit: Option<i32>) {
        for _ in 0..100_000 {
            let request = functions::updates::GetDifference {
                pts: self.pts,
                pts_limit: limit,
                pts_total_limit: None,
                date: self.date,
                qts: self.qts,
                qts_limit: None,
            };
            let known_date = self.date;
            match stage.call(session, &request).unwrap() {
                enums::updates::Difference::Empty(empty) => {
                    assert_eq!(empty.seq, self.seq, "a seq ahead of what was told");
                    assert!(empty.date >= known_date);
                    self.date = empty.date;
                    break;
                }
                enums::updates::Difference::TooLong(_) => {
                    self.anew += 1;
                    self.fetch_everything(stage, session);
                }
                enums::updates::Difference::Difference(difference) => {
                    let enums::updates::State::State(state) = &difference.state;
                    self.difference(
                        &difference.new_messages,
                        &difference.other_updates,
                        &difference.users,
                        &difference.chats,
                    );
                    (self.pts, self.date) = (state.pts, state.date);
                    self.check_state(state);
                    break;
                }
                enums::updates::Difference::Slice(slice) => {
                    let enums::updates::State::State(state) = &slice.intermediate_state;
                    let before = (self.pts, self.qts);
                    self.difference(
                        &slice.new_messages,
                        &slice.other_updates,
                        &slice.users,
                        &slice.chats,
                    );
                    (self.pts, self.date) = (state.pts, state.date);
                    self.check_state(state);
                    assert!((self.pts, self.qts) > before, "a slice leads nowhere");
                }
            }
        }
        let mut stale = std::mem::take(&mut self.stale);
        stale.sort_unstable();
        stale.dedup();
        for id in stale {
            let member = stage
                .world
                .channels
                .get(&id)
                .is_some_and(|channel| channel.members.contains_key(&session.user));
            if !member {
                self.channels.remove(&id);
            } else if self.channels.contains_key(&id) {
                self.catch_up_channel(stage, session, id, limit.unwrap_or(100));
            } else {
                // A client would fetch what was there before; what it hears of a new channel, it hears there.
                self.anew += 1;
                self.fetch_channel(stage, session, id);
            }
        }
    }

    /// A difference names nothing ahead of what it contains.
    fn check_state(&self, state: &types::updates::State) {
        assert_eq!(state.qts, self.qts, "a qts ahead of what was told");
        assert_eq!(state.seq, self.seq, "a seq ahead of what was told");
    }

    fn catch_up_channel(&mut self, stage: &mut Stage, session: Session, id: i64, limit: i32) {
        loop {
            let request = functions::updates::GetChannelDifference {
                force: false,
                channel: stage.input_channel(session, id),
                filter: enums::ChannelMessagesFilter::Empty,
                pts: self.channels[&id].pts,
                limit,
            };
            match stage.call(session, &request).unwrap() {
                enums::updates::ChannelDifference::Empty(empty) => {
                    assert_eq!(empty.pts, request.pts);
                    return;
                }
                enums::updates::ChannelDifference::TooLong(_) => {
                    self.anew += 1;
                    self.fetch_channel(stage, session, id);
                    return;
                }
                enums::updates::ChannelDifference::Difference(difference) => {
                    assert!(
                        difference.pts > request.pts,
                        "a channel difference leads nowhere"
                    );
                    self.difference(
                        &difference.new_messages,
                        &difference.other_updates,
                        &difference.users,
                        &difference.chats,
                    );
                    self.channels.get_mut(&id).unwrap().pts = difference.pts;
                    if difference.r#final {
                        return;
                    }
                }
            }
        }
    }

    fn difference(
        &mut self,
        messages: &[enums::Message],
        updates: &[enums::Update],
        users: &[enums::User],
        chats: &[enums::Chat],
    ) {
        for message in messages {
            check_message_named(message, users, chats);
            self.hear_new(message, 0, 0);
            match message_peer(message) {
                Some(PeerId::Channel(id)) => self.put(id, message),
                _ => {
                    self.messages.insert(message_id(message), message.clone());
                }
            }
        }
        for update in updates {
            check_named(update, users, chats);
            self.update(update, chats, false);
        }
    }
}
