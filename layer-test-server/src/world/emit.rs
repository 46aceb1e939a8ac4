//! From a change to what the account's sessions hear of it.
//!
//! Every change goes through [`World::emit`] (account boxes) or [`World::emit_channel`]: it is counted, logged, and
//! pushed to all sessions but the one whose call made it, which learns it from the answer. So `pts` is contiguous in
//! every session.

use layer_tl_types::{enums, types};

use super::World;
use super::account::{Change, Logged, Noted};
use super::channels::{ChannelChange, ChannelLogged};
use super::ids::PeerId;
use super::message::{Body, Place};
use super::named::Named;
use super::secondary::is_in_sequence;
use crate::rpc::{Out, Push};

impl World {
    /// The session to leave out when `user_id` is told of what its own call did.
    pub(super) fn except(&self, user_id: i64) -> Option<(i64, i64)> {
        self.origin
            .filter(|origin| origin.user_id == user_id)
            .map(|origin| (origin.auth_key_id, origin.session_id))
    }

    /// The date to name towards an account: never older than one that it was given.
    pub(crate) fn date_for(&mut self, user_id: i64) -> i32 {
        let now = self.now;
        self.accounts.get_mut(&user_id).map_or(now, |account| {
            account.given_date = account.given_date.max(now);
            account.given_date
        })
    }

    /// An `updates` container with every peer described.
    pub(crate) fn container(
        &mut self,
        viewer: i64,
        updates: Vec<enums::Update>,
        named: &Named,
    ) -> enums::Updates {
        let (users, chats) = self.describe(viewer, named);
        let date = self.date_for(viewer);
        types::Updates {
            updates,
            users,
            chats,
            date,
            seq: 0,
        }
        .into()
    }

    /// Tells an account something that is neither counted nor kept.
    pub(crate) fn push_short(&mut self, user_id: i64, update: enums::Update, also_caller: bool) {
        let date = self.date_for(user_id);
        let updates = types::UpdateShort { update, date }.into();
        self.push(user_id, updates, also_caller);
    }

    /// Puts updates into the outbox.
    pub(crate) fn push(&mut self, user_id: i64, updates: enums::Updates, also_caller: bool) {
        let except = if also_caller {
            None
        } else {
            self.except(user_id)
        };
        self.outbox.push(Out::Push(Push {
            user_id,
            updates,
            except,
        }));
    }

    /// Counts and logs a change of an account's box and tells its other sessions.
    pub(crate) fn emit(&mut self, user_id: i64, change: Change) -> Logged {
        self.emit_with(user_id, change, Vec::new(), &[])
    }

    /// [`World::emit`], with updates that count in no `pts` in the same container.
    pub(crate) fn emit_with(
        &mut self,
        user_id: i64,
        change: Change,
        extra: Vec<enums::Update>,
        names: &[PeerId],
    ) -> Logged {
        let (now, limit) = (self.now, self.config.log_limit);
        let Some(account) = self.accounts.get_mut(&user_id) else {
            return Logged {
                pts: 0,
                pts_count: 0,
                date: now,
                change,
            };
        };
        let logged = account.append(change, now, limit);
        self.record(user_id, 0, |world| world.tl_change(user_id, &logged));
        if extra.is_empty()
            && let Some(short) = self.short_form(user_id, &logged)
        {
            self.push(user_id, short, false);
            return logged;
        }
        self.keep_notes(user_id, &extra, names, 0);
        let mut named = Named::of(names);
        self.name_change(user_id, &logged.change, &mut named);
        let mut updates = vec![self.tl_change(user_id, &logged)];
        updates.extend(extra);
        let container = self.container(user_id, updates, &named);
        self.push(user_id, container, false);
        logged
    }

    /// Tells an account of changes that count in no `pts`, and keeps them for its next difference.
    pub(crate) fn note(&mut self, user_id: i64, updates: Vec<enums::Update>, names: &[PeerId]) {
        if updates.iter().all(is_in_sequence) {
            return self.note_in_sequence(user_id, updates, names);
        }
        self.keep_notes(user_id, &updates, names, 0);
        let container = self.container(user_id, updates, &Named::of(names));
        self.push(user_id, container, false);
    }

    /// A note's date is later than all that the account was given so far, so that a difference from any earlier state
    /// has it and one from a later state has not.
    pub(super) fn keep_notes(
        &mut self,
        user_id: i64,
        updates: &[enums::Update],
        names: &[PeerId],
        seq: i32,
    ) {
        const KEPT: usize = 1_000;
        if updates.is_empty() {
            return;
        }
        let now = self.now;
        let Some(account) = self.accounts.get_mut(&user_id) else {
            return;
        };
        let date = now.max(account.given_date.saturating_add(1));
        account.given_date = date;
        for update in updates {
            account.notes.push_back(Noted {
                date,
                update: update.clone(),
                names: names.to_vec(),
                seq,
            });
        }
        while account.notes.len() > KEPT {
            account.notes.pop_front();
        }
        for update in updates {
            self.record(user_id, seq, |_| update.clone());
        }
    }

    /// `updateShortMessage` and `updateShortChatMessage`, where Telegram uses them: plain text in a dialog that the
    /// account already knows.
    fn short_form(&mut self, user_id: i64, logged: &Logged) -> Option<enums::Updates> {
        let Change::New { id } = logged.change else {
            return None;
        };
        let account = self.accounts.get(&user_id)?;
        let entry = *account.messages.get(&id)?;
        let body = self.bodies.get(&entry.body)?;
        let plain = body.action.is_none()
            && body.media.is_none()
            && body.markup.is_none()
            && body.grouped_id.is_none()
            && body.forward.is_none()
            && body.via_bot.is_none()
            && !body.noforwards;
        let known = account
            .dialogs
            .get(&entry.peer)
            .is_some_and(|dialog| dialog.ids.len() > 1);
        if !plain || !known || entry.peer == PeerId::User(user_id) {
            return None;
        }
        let out = body.from == user_id;
        let reply_to = body
            .reply_to
            .and_then(|reply| self.reply_header(user_id, reply));
        let entities = (!body.entities.is_empty()).then(|| body.entities.clone());
        let short = match (entry.peer, body.place) {
            (PeerId::User(other), Place::Private(..)) => types::UpdateShortMessage {
                out,
                mentioned: entry.mentioned,
                media_unread: entry.media_unread,
                silent: body.silent,
                id,
                user_id: other,
                message: body.text.clone(),
                pts: logged.pts,
                pts_count: logged.pts_count,
                date: body.date,
                fwd_from: None,
                via_bot_id: None,
                reply_to,
                entities,
                ttl_period: None,
            }
            .into(),
            (PeerId::Chat(chat_id), Place::Group(_)) => types::UpdateShortChatMessage {
                out,
                mentioned: entry.mentioned,
                media_unread: entry.media_unread,
                silent: body.silent,
                id,
                from_id: body.from,
                chat_id,
                message: body.text.clone(),
                pts: logged.pts,
                pts_count: logged.pts_count,
                date: body.date,
                fwd_from: None,
                via_bot_id: None,
                reply_to,
                entities,
                ttl_period: None,
            }
            .into(),
            _ => return None,
        };
        self.date_for(user_id);
        Some(short)
    }

    /// A change as an update.
    pub(crate) fn tl_change(&self, viewer: i64, logged: &Logged) -> enums::Update {
        let (pts, pts_count) = (logged.pts, logged.pts_count);
        match &logged.change {
            Change::New { id } => types::UpdateNewMessage {
                message: self.tl_message(viewer, *id),
                pts,
                pts_count,
            }
            .into(),
            Change::Edit { id } => types::UpdateEditMessage {
                message: self.tl_message(viewer, *id),
                pts,
                pts_count,
            }
            .into(),
            Change::Delete { ids } => types::UpdateDeleteMessages {
                messages: ids.clone(),
                pts,
                pts_count,
            }
            .into(),
            Change::ReadInbox {
                peer,
                max_id,
                still_unread,
            } => types::UpdateReadHistoryInbox {
                folder_id: None,
                peer: peer.to_tl(),
                top_msg_id: None,
                max_id: *max_id,
                still_unread_count: *still_unread,
                pts,
                pts_count,
            }
            .into(),
            Change::ReadOutbox { peer, max_id } => types::UpdateReadHistoryOutbox {
                peer: peer.to_tl(),
                max_id: *max_id,
                pts,
                pts_count,
            }
            .into(),
            Change::ReadContents { ids } => types::UpdateReadMessagesContents {
                messages: ids.clone(),
                pts,
                pts_count,
                date: Some(logged.date),
            }
            .into(),
            Change::Pinned { peer, ids, pinned } => types::UpdatePinnedMessages {
                pinned: *pinned,
                peer: peer.to_tl(),
                messages: ids.clone(),
                pts,
                pts_count,
            }
            .into(),
        }
    }

    /// Adds the peers that a change names.
    pub(crate) fn name_change(&self, viewer: i64, change: &Change, named: &mut Named) {
        match change {
            Change::New { id } | Change::Edit { id } => self.name_message(viewer, *id, named),
            Change::ReadInbox { peer, .. }
            | Change::ReadOutbox { peer, .. }
            | Change::Pinned { peer, .. } => {
                named.add(*peer);
            }
            Change::Delete { .. } | Change::ReadContents { .. } => {}
        }
    }

    /// Adds the peers of a message of an account's own box.
    pub(crate) fn name_message(&self, viewer: i64, id: i32, named: &mut Named) {
        if let Some(entry) = self
            .accounts
            .get(&viewer)
            .and_then(|account| account.messages.get(&id))
        {
            named.add(entry.peer);
            if let Some(body) = self.bodies.get(&entry.body) {
                self.name_body(body, named);
            }
        }
    }

    /// Adds the peers of a channel's message.
    pub(crate) fn name_channel_message(&self, channel: i64, id: i32, named: &mut Named) {
        named.add(PeerId::Channel(channel));
        let body = self
            .channels
            .get(&channel)
            .and_then(|channel| channel.messages.get(&id));
        if let Some(body) = body.and_then(|body| self.bodies.get(body)) {
            self.name_body(body, named);
        }
    }

    fn name_body(&self, body: &Body, named: &mut Named) {
        named.body(body);
        if let Some(poll) = Self::poll_of(body) {
            self.name_poll(poll, named);
        }
    }

    /// Counts and logs a change of a channel and tells the other sessions of all its members. Returns it as it went into
    /// the box of `actor`, who made it.
    pub(crate) fn emit_channel(
        &mut self,
        actor: i64,
        channel_id: i64,
        change: ChannelChange,
    ) -> ChannelLogged {
        let (now, limit) = (self.now, self.config.log_limit);
        let Some(channel) = self.channels.get_mut(&channel_id) else {
            return ChannelLogged {
                pts: 0,
                pts_count: 0,
                change,
            };
        };
        let logged = channel.append(change, limit);
        let members: Vec<i64> = channel.members.keys().copied().collect();
        let mut own = ChannelLogged {
            pts: channel.pts_for(actor),
            pts_count: 0,
            ..logged.clone()
        };
        if !channel.views.contains_key(&actor) {
            own.clone_from(&logged);
        }
        let mut named = Named::of(&[PeerId::Channel(channel_id)]);
        self.name_channel_change(channel_id, &logged.change, &mut named);
        for member in members {
            let Some(logged) = self.change_for(member, channel_id, &logged) else {
                continue;
            };
            if member == actor {
                own.clone_from(&logged);
            }
            if let Some(account) = self.accounts.get_mut(&member) {
                account
                    .touched_channels
                    .insert(channel_id, now.max(account.given_date));
            }
            let update = self.tl_channel_change(member, channel_id, &logged);
            self.record(member, 0, |_| update.clone());
            self.push_of_channel(member, channel_id, update, &named);
        }
        for watcher in self.watchers(channel_id) {
            let update = self.tl_channel_change(watcher, channel_id, &logged);
            self.push_of_channel(watcher, channel_id, update, &named);
        }
        own
    }

    /// Those who are no members and look at a channel.
    fn watchers(&mut self, channel_id: i64) -> Vec<i64> {
        let now = self.now;
        let Some(channel) = self.channels.get_mut(&channel_id) else {
            return Vec::new();
        };
        channel.watchers.retain(|_, until| *until >= now);
        let watchers = channel.watchers.keys().copied();
        watchers
            .filter(|id| !channel.members.contains_key(id) && channel.is_open_to(*id, now))
            .collect()
    }

    fn push_of_channel(
        &mut self,
        reader: i64,
        channel_id: i64,
        update: enums::Update,
        named: &Named,
    ) {
        let (users, chats) = self.describe_for_member(reader, channel_id, named);
        let container = types::Updates {
            updates: vec![update],
            users,
            chats,
            date: self.date_for(reader),
            seq: 0,
        };
        self.push(reader, container.into(), false);
    }

    /// A channel's change as an update.
    pub(crate) fn tl_channel_change(
        &self,
        viewer: i64,
        channel_id: i64,
        logged: &ChannelLogged,
    ) -> enums::Update {
        let (pts, pts_count) = (logged.pts, logged.pts_count);
        match &logged.change {
            ChannelChange::New { id } => types::UpdateNewChannelMessage {
                message: self.tl_channel_message(viewer, channel_id, *id),
                pts,
                pts_count,
            }
            .into(),
            ChannelChange::Edit { id } => types::UpdateEditChannelMessage {
                message: self.tl_channel_message(viewer, channel_id, *id),
                pts,
                pts_count,
            }
            .into(),
            ChannelChange::Delete { ids } => types::UpdateDeleteChannelMessages {
                channel_id,
                messages: ids.clone(),
                pts,
                pts_count,
            }
            .into(),
            ChannelChange::Pinned { ids, pinned } => types::UpdatePinnedChannelMessages {
                pinned: *pinned,
                channel_id,
                messages: ids.clone(),
                pts,
                pts_count,
            }
            .into(),
        }
    }

    /// Adds the peers that a channel's change names.
    pub(crate) fn name_channel_change(
        &self,
        channel_id: i64,
        change: &ChannelChange,
        named: &mut Named,
    ) {
        if let ChannelChange::New { id } | ChannelChange::Edit { id } = change {
            self.name_channel_message(channel_id, *id, named);
        }
    }
}
