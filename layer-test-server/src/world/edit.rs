//! What happens to messages after they were sent: edited, deleted, read, pinned.

use layer_tl_types::{enums, types};

use super::World;
use super::account::{Change, Logged};
use super::channels::{ChannelChange, ChannelLogged, Right};
use super::ids::PeerId;
use super::message::{Media, Place};
use super::send::check_text;
use crate::rpc::RpcError;

/// What an edit replaces; absent parts stay.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edit {
    pub(crate) text: Option<String>,
    pub(crate) entities: Vec<enums::MessageEntity>,
    pub(crate) media: Option<Media>,
    pub(crate) markup: Option<enums::ReplyMarkup>,
    /// Ends the poll that the message is.
    pub(crate) close_poll: bool,
}

/// `pts` and `pts_count` after something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Affected {
    pub(crate) pts: i32,
    pub(crate) pts_count: i32,
}

impl From<&Logged> for Affected {
    fn from(logged: &Logged) -> Self {
        Self {
            pts: logged.pts,
            pts_count: logged.pts_count,
        }
    }
}

impl From<&ChannelLogged> for Affected {
    fn from(logged: &ChannelLogged) -> Self {
        Self {
            pts: logged.pts,
            pts_count: logged.pts_count,
        }
    }
}

impl World {
    /// The account's present `pts`, for calls that change nothing.
    pub(crate) fn unaffected(&self, user_id: i64) -> Affected {
        Affected {
            pts: self.accounts.get(&user_id).map_or(1, |account| account.pts),
            pts_count: 0,
        }
    }

    /// Edits a message of one's own (or any post, with the right to).
    pub(crate) fn edit(
        &mut self,
        editor: i64,
        peer: PeerId,
        id: i32,
        edit: Edit,
    ) -> Result<Affected, RpcError> {
        let body = self
            .body_of(editor, peer, id)
            .ok_or_else(|| RpcError::bad("MESSAGE_ID_INVALID"))?;
        if body.action.is_some() {
            return Err(RpcError::bad("MESSAGE_ID_INVALID"));
        }
        let body_id = body.id;
        self.check_markup(body.via_bot.unwrap_or(editor), edit.markup.as_ref())?;
        let may_edit_posts = match (peer, body.as_channel) {
            (PeerId::Channel(channel), Some(_)) => self
                .channels
                .get(&channel)
                .is_some_and(|channel| channel.has_right(editor, Right::Edit)),
            _ => false,
        };
        if body.from != editor && !may_edit_posts {
            return Err(RpcError::forbidden("MESSAGE_AUTHOR_REQUIRED"));
        }
        if body.forward.is_some() {
            return Err(RpcError::bad("MESSAGE_ID_INVALID"));
        }
        let forever = self.is_bot(editor) || may_edit_posts || peer == PeerId::User(editor);
        if !forever && self.now.saturating_sub(body.date) > self.config.edit_time {
            return Err(RpcError::bad("MESSAGE_EDIT_TIME_EXPIRED"));
        }
        let mut text = edit.text.unwrap_or_else(|| body.text.clone());
        let mut entities = if edit.entities.is_empty() && text == body.text {
            body.entities.clone()
        } else {
            edit.entities
        };
        let media = edit.media.or_else(|| body.media.clone());
        super::inputs::trim(&mut text, &mut entities);
        check_text(&text, &entities, media.is_some())?;
        super::inputs::detect_entities(&text, &mut entities);
        // An edit without a keyboard takes the inline keyboard away.
        let markup = edit.markup;
        let same = text == body.text && entities == body.entities && media == body.media;
        let same_markup = markup == body.markup;
        let closed = edit.close_poll && self.close_poll(body_id);
        if same && same_markup && !closed {
            return Err(RpcError::bad("MESSAGE_NOT_MODIFIED"));
        }
        let now = self.now;
        let Some(body) = self.bodies.get_mut(&body_id) else {
            return Err(RpcError::bad("MESSAGE_ID_INVALID"));
        };
        body.text = text;
        body.entities = entities;
        body.media = media;
        body.markup = markup;
        body.edit_date = Some(now.max(body.date));
        body.edit_hide = same;
        Ok(self.emit_edit(editor, body_id))
    }

    /// Tells everybody who has the message that it changed.
    fn emit_edit(&mut self, editor: i64, body: u64) -> Affected {
        let Some(body) = self.bodies.get(&body) else {
            return self.unaffected(editor);
        };
        if let Place::Channel {
            id: channel,
            message,
        } = body.place
        {
            return (&self.emit_channel(editor, channel, ChannelChange::Edit { id: message }))
                .into();
        }
        let mut affected = self.unaffected(editor);
        for (owner, id) in body.copies.clone() {
            let logged = self.emit(owner, Change::Edit { id });
            if owner == editor {
                affected = (&logged).into();
            }
        }
        affected
    }

    /// `messages.deleteMessages`: from one's own box, and with `revoke` from everybody's.
    pub(crate) fn delete(&mut self, user_id: i64, ids: &[i32], revoke: bool) -> Affected {
        let mut own: Vec<i32> = Vec::new();
        let mut others: std::collections::BTreeMap<i64, Vec<i32>> =
            std::collections::BTreeMap::new();
        for &id in ids {
            let Some(entry) = self
                .accounts
                .get(&user_id)
                .and_then(|account| account.messages.get(&id))
                .copied()
            else {
                continue;
            };
            let Some(body) = self.bodies.get(&entry.body) else {
                continue;
            };
            let everywhere = revoke
                && match entry.peer {
                    PeerId::User(_) => true,
                    // In a group one can delete one's own for all; its administrators can delete any.
                    PeerId::Chat(chat) => {
                        body.from == user_id
                            || self.chats.get(&chat).is_some_and(|group| {
                                group.creator == user_id
                                    || group
                                        .members
                                        .get(&user_id)
                                        .is_some_and(|member| member.admin)
                            })
                    }
                    PeerId::Channel(_) => false,
                };
            if everywhere {
                for (owner, copy) in body.copies.clone() {
                    if owner != user_id && self.forget_entry(owner, copy).is_some() {
                        others.entry(owner).or_default().push(copy);
                    }
                }
            }
            if self.forget_entry(user_id, id).is_some() {
                own.push(id);
            }
        }
        for (owner, ids) in others {
            self.emit(owner, Change::Delete { ids });
        }
        if own.is_empty() {
            return self.unaffected(user_id);
        }
        (&self.emit(user_id, Change::Delete { ids: own })).into()
    }

    /// `channels.deleteMessages`.
    pub(crate) fn delete_in_channel(
        &mut self,
        user_id: i64,
        channel_id: i64,
        ids: &[i32],
    ) -> Result<Affected, RpcError> {
        let channel = self.channel_of(user_id, channel_id)?;
        let any = channel.has_right(user_id, Right::Delete);
        let mut doomed = Vec::new();
        for id in ids {
            let Some(body) = channel
                .messages
                .get(id)
                .and_then(|body| self.bodies.get(body))
            else {
                continue;
            };
            if !any && body.from != user_id {
                return Err(RpcError::forbidden("MESSAGE_DELETE_FORBIDDEN"));
            }
            doomed.push(*id);
        }
        doomed.dedup();
        let pts = channel.pts_for(user_id);
        if doomed.is_empty() {
            return Ok(Affected { pts, pts_count: 0 });
        }
        if let Some(channel) = self.channels.get_mut(&channel_id) {
            for id in &doomed {
                if let Some(body) = channel.messages.remove(id) {
                    self.bodies.remove(&body);
                }
            }
        }
        Ok((&self.emit_channel(user_id, channel_id, ChannelChange::Delete { ids: doomed })).into())
    }

    /// `messages.deleteHistory`.
    pub(crate) fn delete_history(
        &mut self,
        user_id: i64,
        peer: PeerId,
        max_id: i32,
        just_clear: bool,
        revoke: bool,
    ) -> Affected {
        let ids: Vec<i32> = self
            .accounts
            .get(&user_id)
            .map(|account| {
                account
                    .ids(peer)
                    .filter(|id| max_id == 0 || *id <= max_id)
                    .collect()
            })
            .unwrap_or_default();
        let affected = self.delete(user_id, &ids, revoke);
        if let Some(account) = self.accounts.get_mut(&user_id) {
            let empty = account
                .dialogs
                .get(&peer)
                .is_some_and(|dialog| dialog.ids.is_empty());
            if empty && !just_clear {
                account.dialog(peer).hidden = true;
            }
        }
        affected
    }

    /// How many incoming messages of a dialog lie after `read`.
    pub(crate) fn unread_after(&self, user_id: i64, peer: PeerId, read: i32) -> i32 {
        let after = (std::ops::Bound::Excluded(read), std::ops::Bound::Unbounded);
        let incoming = |body: &u64| {
            self.bodies
                .get(body)
                .is_some_and(|body| body.from != user_id)
        };
        let count = match peer {
            PeerId::Channel(channel) => self.channels.get(&channel).map_or(0, |channel| {
                channel
                    .messages
                    .range(after)
                    .filter(|(_, body)| incoming(body))
                    .count()
            }),
            _ => self.accounts.get(&user_id).map_or(0, |account| {
                let ids = account
                    .dialogs
                    .get(&peer)
                    .into_iter()
                    .flat_map(|dialog| dialog.ids.range(after));
                ids.filter(|id| {
                    account
                        .messages
                        .get(id)
                        .is_some_and(|entry| incoming(&entry.body))
                })
                .count()
            }),
        };
        i32::try_from(count).unwrap_or(i32::MAX)
    }

    /// `messages.readHistory`: marks what came in up to `max_id` (0: all) as read, and tells those who wrote it.
    pub(crate) fn read_history(&mut self, user_id: i64, peer: PeerId, max_id: i32) -> Affected {
        let Some(account) = self.accounts.get(&user_id) else {
            return self.unaffected(user_id);
        };
        let Some(dialog) = account.dialogs.get(&peer) else {
            return self.unaffected(user_id);
        };
        let top = dialog.ids.last().copied().unwrap_or(0);
        let max_id = if max_id <= 0 { top } else { max_id.min(top) };
        let before = dialog.read_inbox;
        if max_id <= before {
            return self.unaffected(user_id);
        }
        let range = (
            std::ops::Bound::Excluded(before),
            std::ops::Bound::Included(max_id),
        );
        let read: Vec<u64> = dialog
            .ids
            .range(range)
            .filter_map(|id| account.messages.get(id).map(|entry| entry.body))
            .filter(|body| {
                self.bodies
                    .get(body)
                    .is_some_and(|body| body.from != user_id)
            })
            .collect();
        if let Some(account) = self.accounts.get_mut(&user_id) {
            let dialog = account.dialog(peer);
            dialog.read_inbox = max_id;
            dialog.unread_mark = false;
        }
        if read.is_empty() {
            return self.unaffected(user_id);
        }
        let still_unread = self.unread_after(user_id, peer, max_id);
        let affected = (&self.emit(
            user_id,
            Change::ReadInbox {
                peer,
                max_id,
                still_unread,
            },
        ))
            .into();
        // The newest message of each author that was read.
        let mut outboxes: std::collections::BTreeMap<i64, i32> = std::collections::BTreeMap::new();
        for body in &read {
            let Some(body) = self.bodies.get(body) else {
                continue;
            };
            if let Some(id) = body.id_for(body.from) {
                let newest = outboxes.entry(body.from).or_default();
                *newest = id.max(*newest);
            }
        }
        for (author, max_id) in outboxes {
            let peer = match peer {
                PeerId::User(_) => PeerId::User(user_id),
                other => other,
            };
            let Some(account) = self.accounts.get_mut(&author) else {
                continue;
            };
            let dialog = account.dialog(peer);
            if dialog.read_outbox < max_id {
                dialog.read_outbox = max_id;
                self.emit(author, Change::ReadOutbox { peer, max_id });
            }
        }
        affected
    }

    /// `channels.readHistory`. Reading a channel counts in no `pts`.
    pub(crate) fn read_channel(
        &mut self,
        user_id: i64,
        channel_id: i64,
        max_id: i32,
    ) -> Result<bool, RpcError> {
        let channel = self.channel_of(user_id, channel_id)?;
        let peer = PeerId::Channel(channel_id);
        let max_id = if max_id <= 0 {
            channel.top()
        } else {
            max_id.min(channel.top())
        };
        let before = self.read_inbox(user_id, peer);
        if max_id <= before || !channel.members.contains_key(&user_id) {
            return Ok(false);
        }
        let range = (
            std::ops::Bound::Excluded(before),
            std::ops::Bound::Included(max_id),
        );
        let mut authors: std::collections::BTreeMap<i64, i32> = std::collections::BTreeMap::new();
        for (id, body) in channel.messages.range(range) {
            if let Some(body) = self
                .bodies
                .get(body)
                .filter(|body| body.from != user_id && body.as_channel.is_none())
            {
                authors.insert(body.from, *id);
            }
        }
        let pts = channel.pts_for(user_id);
        if let Some(account) = self.accounts.get_mut(&user_id) {
            let dialog = account.dialog(peer);
            dialog.read_inbox = max_id;
            dialog.unread_mark = false;
        }
        let still_unread_count = self.unread_after(user_id, peer, max_id);
        self.note(
            user_id,
            vec![
                types::UpdateReadChannelInbox {
                    folder_id: None,
                    channel_id,
                    max_id,
                    still_unread_count,
                    pts,
                }
                .into(),
            ],
            &[peer],
        );
        for (author, max_id) in authors {
            let Some(account) = self.accounts.get_mut(&author) else {
                continue;
            };
            let dialog = account.dialog(peer);
            if dialog.read_outbox < max_id {
                dialog.read_outbox = max_id;
                self.note(
                    author,
                    vec![types::UpdateReadChannelOutbox { channel_id, max_id }.into()],
                    &[peer],
                );
            }
        }
        Ok(true)
    }

    /// Up to where the account has read a dialog.
    pub(crate) fn read_inbox(&self, user_id: i64, peer: PeerId) -> i32 {
        self.accounts
            .get(&user_id)
            .and_then(|account| account.dialogs.get(&peer))
            .map_or(0, |dialog| dialog.read_inbox)
    }

    /// `messages.readMessageContents`.
    pub(crate) fn read_contents(&mut self, user_id: i64, ids: &[i32]) -> Affected {
        let mut changed = Vec::new();
        if let Some(account) = self.accounts.get_mut(&user_id) {
            for id in ids {
                if let Some(entry) = account
                    .messages
                    .get_mut(id)
                    .filter(|entry| entry.media_unread)
                {
                    entry.media_unread = false;
                    changed.push(*id);
                }
            }
        }
        if changed.is_empty() {
            return self.unaffected(user_id);
        }
        (&self.emit(user_id, Change::ReadContents { ids: changed })).into()
    }

    /// `messages.updatePinnedMessage`, without the service message. Returns what it moved for the caller.
    pub(crate) fn pin(
        &mut self,
        user_id: i64,
        peer: PeerId,
        id: i32,
        pinned: bool,
        one_side: bool,
    ) -> Result<Affected, RpcError> {
        let body = self
            .body_of(user_id, peer, id)
            .ok_or_else(|| RpcError::bad("MESSAGE_ID_INVALID"))?;
        if let PeerId::Channel(channel) = peer
            && !self
                .channels
                .get(&channel)
                .is_some_and(|channel| channel.has_right(user_id, Right::Pin))
        {
            return Err(RpcError::bad("CHAT_ADMIN_REQUIRED"));
        }
        if body.is_pinned(user_id) == pinned {
            return Err(RpcError::bad("CHAT_NOT_MODIFIED"));
        }
        if let PeerId::Chat(chat) = peer {
            self.may_write_group(user_id, chat)?;
        }
        let (body_id, mut copies) = (body.id, body.copies.clone());
        if let PeerId::Channel(channel) = peer {
            self.set_pinned(body_id, user_id, pinned);
            let logged = self.emit_channel(
                user_id,
                channel,
                ChannelChange::Pinned {
                    ids: vec![id],
                    pinned,
                },
            );
            return Ok((&logged).into());
        }
        copies.retain(|(owner, _)| *owner == user_id || !one_side);
        let mut affected = self.unaffected(user_id);
        for (owner, id) in copies {
            let entry = self
                .accounts
                .get(&owner)
                .and_then(|account| account.messages.get(&id));
            let Some(entry) = entry else { continue };
            let peer = entry.peer;
            if !self.set_pinned(body_id, owner, pinned) {
                continue;
            }
            let logged = self.emit(
                owner,
                Change::Pinned {
                    peer,
                    ids: vec![id],
                    pinned,
                },
            );
            if owner == user_id {
                affected = (&logged).into();
            }
        }
        Ok(affected)
    }

    /// Pins or unpins for one viewer; says whether that changed anything.
    fn set_pinned(&mut self, body: u64, viewer: i64, pinned: bool) -> bool {
        let Some(body) = self.bodies.get_mut(&body) else {
            return false;
        };
        let key = body.pin_key(viewer);
        if pinned {
            body.pinned.insert(key)
        } else {
            body.pinned.remove(&key)
        }
    }

    /// `messages.setTyping`: tells the others at once, and keeps nothing.
    pub(crate) fn typing(
        &mut self,
        user_id: i64,
        peer: PeerId,
        action: &enums::SendMessageAction,
    ) -> Result<(), RpcError> {
        let from_id = PeerId::User(user_id).to_tl();
        let (readers, update): (Vec<i64>, enums::Update) = match peer {
            PeerId::User(other) => (
                vec![other],
                types::UpdateUserTyping {
                    user_id,
                    top_msg_id: None,
                    action: action.clone(),
                }
                .into(),
            ),
            PeerId::Chat(chat_id) => {
                self.may_write_group(user_id, chat_id)?;
                let update = types::UpdateChatUserTyping {
                    chat_id,
                    from_id,
                    action: action.clone(),
                };
                (self.group_members(chat_id), update.into())
            }
            PeerId::Channel(channel_id) => {
                self.may_write_channel(user_id, channel_id, false)?;
                let update = types::UpdateChannelUserTyping {
                    channel_id,
                    top_msg_id: None,
                    from_id,
                    action: action.clone(),
                };
                (self.channel_members(channel_id), update.into())
            }
        };
        for reader in readers.into_iter().filter(|reader| *reader != user_id) {
            self.push_short(reader, update.clone(), false);
        }
        Ok(())
    }
}
