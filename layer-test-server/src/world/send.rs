//! Sending: who may write where, what is stored, who is told.

use layer_tl_types::{Serializable, enums, types};

use super::World;
use super::account::{Change, Entry, Logged};
use super::channels::{ChannelChange, Right};
use super::ids::PeerId;
use super::message::{Body, Forward, Media, Place};
use super::named::Named;
use crate::rpc::RpcError;

/// A message that is yet to be sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) text: String,
    pub(crate) entities: Vec<enums::MessageEntity>,
    pub(crate) media: Option<Media>,
    pub(crate) markup: Option<enums::ReplyMarkup>,
    /// The id of the message replied to, as the sender knows it.
    pub(crate) reply_to: Option<i32>,
    /// The sender's own id of this message; 0 if it has none.
    pub(crate) random_id: i64,
    pub(crate) silent: bool,
    pub(crate) noforwards: bool,
    pub(crate) invert_media: bool,
    pub(crate) via_bot: Option<i64>,
    pub(crate) forward: Option<Forward>,
    pub(crate) grouped_id: Option<i64>,
    /// Makes it a service message.
    pub(crate) action: Option<enums::MessageAction>,
    pub(crate) clear_draft: bool,
    /// Links are shown without a preview.
    pub(crate) no_webpage: bool,
}

/// What became of a draft.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) peer: PeerId,
    /// The id under which the sender knows the message.
    pub(crate) id: i32,
    pub(crate) pts: i32,
    pub(crate) pts_count: i32,
    pub(crate) random_id: i64,
}

/// How long a text may be, in UTF-16 code units.
pub(crate) const TEXT_LIMIT: usize = 4096;
/// How long a caption may be, in UTF-16 code units.
pub(crate) const CAPTION_LIMIT: usize = 1024;
const ENTITY_LIMIT: usize = 100;
/// Bytes of all entities, links included.
const ENTITY_BYTES_LIMIT: usize = 64 * 1024;
/// Bytes of a keyboard.
const MARKUP_LIMIT: usize = 32 * 1024;
const SENT_KEPT: usize = 10_000;

/// Checks a text and its entities.
pub(crate) fn check_text(
    text: &str,
    entities: &[enums::MessageEntity],
    media: bool,
) -> Result<(), RpcError> {
    let length = text.encode_utf16().count();
    if text.trim().is_empty() && !media {
        return Err(RpcError::bad("MESSAGE_EMPTY"));
    }
    if media && length > CAPTION_LIMIT {
        return Err(RpcError::bad("MEDIA_CAPTION_TOO_LONG"));
    }
    if length > TEXT_LIMIT {
        return Err(RpcError::bad("MESSAGE_TOO_LONG"));
    }
    let entity_bytes: usize = entities.iter().map(|entity| entity.to_bytes().len()).sum();
    if entities.len() > ENTITY_LIMIT || entity_bytes > ENTITY_BYTES_LIMIT {
        return Err(RpcError::bad("ENTITIES_TOO_LONG"));
    }
    Ok(())
}

impl World {
    /// Sends a message in the name of `from` and tells everybody concerned.
    pub(crate) fn send(
        &mut self,
        from: i64,
        peer: PeerId,
        mut draft: Draft,
    ) -> Result<Sent, RpcError> {
        if draft.action.is_none() {
            check_text(&draft.text, &draft.entities, draft.media.is_some())?;
            self.may_write(from, peer, draft.media.is_some())?;
            super::inputs::detect_entities(&draft.text, &mut draft.entities);
            if draft.media.is_none() && !draft.no_webpage {
                draft.media = self.page_in(&draft.text, &draft.entities);
            }
        }
        // The keyboard of an inline result is that of its bot.
        self.check_markup(draft.via_bot.unwrap_or(from), draft.markup.as_ref())?;
        let random_id = draft.random_id;
        let account = self
            .accounts
            .get(&from)
            .ok_or_else(|| RpcError::bad("PEER_ID_INVALID"))?;
        if random_id != 0 && account.sent.contains_key(&random_id) {
            return Err(RpcError::new(500, "RANDOM_ID_DUPLICATE"));
        }
        let clear_draft = draft.clear_draft;
        let sent = match peer {
            PeerId::User(to) => self.send_private(from, to, draft),
            PeerId::Chat(chat) => self.send_group(from, chat, draft, &[], Vec::new(), &[]),
            PeerId::Channel(channel) => self.send_channel(from, channel, draft),
        }?;
        if let Some(account) = self.accounts.get_mut(&from) {
            *account.rating.entry(peer).or_default() += 1;
            if random_id != 0 {
                account.remember_sent(random_id, peer, sent.id, SENT_KEPT);
            }
        }
        if clear_draft {
            self.clear_draft(from, peer);
        }
        Ok(sent)
    }

    /// Whether `from` may write to `peer` at all.
    pub(crate) fn may_write(&self, from: i64, peer: PeerId, media: bool) -> Result<(), RpcError> {
        match peer {
            PeerId::User(to) => {
                let user = self
                    .users
                    .get(&to)
                    .ok_or_else(|| RpcError::bad("PEER_ID_INVALID"))?;
                if user.deleted {
                    return Err(RpcError::bad("INPUT_USER_DEACTIVATED"));
                }
                let from_bot = self.is_bot(from);
                if from_bot && user.bot.is_some() {
                    return Err(RpcError::bad("USER_IS_BOT"));
                }
                let mine = self.accounts.get(&from);
                let theirs = self.accounts.get(&to);
                if mine.is_some_and(|account| account.blocked.contains_key(&peer)) {
                    return Err(RpcError::bad("YOU_BLOCKED_USER"));
                }
                if theirs.is_some_and(|account| account.blocked.contains_key(&PeerId::User(from))) {
                    return Err(if from_bot {
                        RpcError::bad("USER_IS_BLOCKED")
                    } else {
                        RpcError::forbidden("USER_IS_BLOCKED")
                    });
                }
                // A bot cannot begin a conversation.
                if from_bot && mine.is_some_and(|account| !account.dialogs.contains_key(&peer)) {
                    return Err(RpcError::bad("PEER_ID_INVALID"));
                }
                Ok(())
            }
            PeerId::Chat(chat) => self.may_write_group(from, chat),
            PeerId::Channel(channel) => self.may_write_channel(from, channel, media),
        }
    }

    pub(super) fn check_markup(
        &self,
        from: i64,
        markup: Option<&enums::ReplyMarkup>,
    ) -> Result<(), RpcError> {
        let Some(markup) = markup else { return Ok(()) };
        if !self.is_bot(from) {
            return Err(RpcError::bad("REPLY_MARKUP_INVALID"));
        }
        if markup.to_bytes().len() > MARKUP_LIMIT {
            return Err(RpcError::bad("REPLY_MARKUP_TOO_LONG"));
        }
        let rows = match markup {
            enums::ReplyMarkup::ReplyInlineMarkup(markup) => &markup.rows,
            enums::ReplyMarkup::ReplyKeyboardMarkup(markup) => &markup.rows,
            _ => return Ok(()),
        };
        for row in rows {
            let enums::KeyboardButtonRow::Row(row) = row;
            for button in &row.buttons {
                match button {
                    enums::KeyboardButton::Callback(button) if button.data.len() > 64 => {
                        return Err(RpcError::bad("BUTTON_DATA_INVALID"));
                    }
                    enums::KeyboardButton::Url(button) if button.url.is_empty() => {
                        return Err(RpcError::bad("BUTTON_URL_INVALID"));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Stores what was said.
    pub(super) fn new_body(&mut self, from: i64, peer: PeerId, place: Place, draft: Draft) -> u64 {
        let id = self.next_body;
        self.next_body += 1;
        let reply_to = draft
            .reply_to
            .and_then(|id| self.body_of(from, peer, id))
            .map(|body| body.id);
        let as_channel = match peer {
            PeerId::Channel(channel) if self.is_broadcast(peer) => Some(channel),
            _ => None,
        };
        let body = Body {
            id,
            place,
            from,
            as_channel,
            date: self.now,
            text: draft.text,
            entities: draft.entities,
            media: draft.media,
            markup: draft.markup,
            edit_date: None,
            edit_hide: false,
            forward: draft.forward,
            via_bot: draft.via_bot,
            reply_to,
            action: draft.action,
            silent: draft.silent,
            noforwards: draft.noforwards,
            invert_media: draft.invert_media,
            grouped_id: draft.grouped_id,
            pinned: std::collections::BTreeSet::new(),
            views: i32::from(as_channel.is_some()),
            reactions: Vec::new(),
            copies: Vec::new(),
        };
        self.bodies.insert(id, body);
        id
    }

    /// Puts a body into an account's box, without telling it yet.
    fn deliver(&mut self, owner: i64, peer: PeerId, body: u64) -> Option<i32> {
        let stored = self.bodies.get(&body)?;
        let incoming = stored.from != owner;
        let mentioned = peer != PeerId::User(stored.from) && self.is_mentioned(owner, stored);
        let voice = matches!(&stored.media, Some(Media::Document { id, .. }) if self.files.kind(*id).is_played());
        let (date, limit) = (stored.date, self.config.message_limit);
        let account = self.accounts.get_mut(&owner)?;
        let id = account.next_id;
        account.next_id = account.next_id.saturating_add(1);
        account.messages.insert(
            id,
            Entry {
                body,
                peer,
                mentioned,
                media_unread: incoming && (voice || mentioned),
            },
        );
        let dialog = account.dialog(peer);
        dialog.ids.insert(id);
        dialog.hidden = false;
        dialog.touched = date;
        let oldest = if account.messages.len() > limit {
            account.messages.keys().next().copied()
        } else {
            None
        };
        if let Some(body) = self.bodies.get_mut(&body) {
            body.copies.push((owner, id));
        }
        if let Some(oldest) = oldest {
            self.forget_entry(owner, oldest);
        }
        if self.is_resident(owner) && incoming {
            self.bot_mail.push_back((owner, peer, id));
        }
        Some(id)
    }

    /// Drops an entry of a box, and the body when nobody has it any more.
    pub(super) fn forget_entry(&mut self, owner: i64, id: i32) -> Option<Entry> {
        let account = self.accounts.get_mut(&owner)?;
        let entry = account.messages.remove(&id)?;
        if let Some(dialog) = account.dialogs.get_mut(&entry.peer) {
            dialog.ids.remove(&id);
        }
        let empty = self.bodies.get_mut(&entry.body).is_some_and(|body| {
            body.copies.retain(|copy| *copy != (owner, id));
            body.copies.is_empty()
        });
        if empty {
            self.bodies.remove(&entry.body);
        }
        Some(entry)
    }

    /// Service messages have a `random_id` of the server's making: TDLib finds by it what it created in the answer.
    fn random_id_of(&mut self, draft: &Draft) -> i64 {
        if draft.action.is_some() && draft.random_id == 0 {
            self.dice.positive()
        } else {
            draft.random_id
        }
    }

    fn send_private(&mut self, from: i64, to: i64, draft: Draft) -> Result<Sent, RpcError> {
        let random_id = self.random_id_of(&draft);
        let body = self.new_body(from, PeerId::User(to), Place::Private(from, to), draft);
        let missing = || RpcError::bad("PEER_ID_INVALID");
        let id = self
            .deliver(from, PeerId::User(to), body)
            .ok_or_else(missing)?;
        let theirs = if from == to {
            None
        } else {
            self.deliver(to, PeerId::User(from), body)
        };
        let logged = self.emit(from, Change::New { id });
        if let Some(id) = theirs {
            self.emit(to, Change::New { id });
        }
        Ok(Sent {
            peer: PeerId::User(to),
            id,
            pts: logged.pts,
            pts_count: logged.pts_count,
            random_id,
        })
    }

    /// Sends to everybody in a basic group and to `also` (who have just left it), with `extra` updates beside it.
    pub(super) fn send_group(
        &mut self,
        from: i64,
        chat: i64,
        draft: Draft,
        also: &[i64],
        extra: Vec<enums::Update>,
        names: &[PeerId],
    ) -> Result<Sent, RpcError> {
        let random_id = self.random_id_of(&draft);
        let peer = PeerId::Chat(chat);
        let group = self
            .chats
            .get(&chat)
            .ok_or_else(|| RpcError::bad("PEER_ID_INVALID"))?;
        let mut readers: Vec<i64> = group.members.keys().copied().collect();
        readers.extend(also.iter().filter(|id| !group.members.contains_key(id)));
        let body = self.new_body(from, peer, Place::Group(chat), draft);
        self.note_speaker(from, peer);
        if let Some(stored) = self.bodies.get(&body) {
            readers.retain(|reader| !self.is_bot(*reader) || self.bot_gets(*reader, peer, stored));
        }
        // All entries come first, so that replies and mentions look the same to everybody.
        let delivered: Vec<(i64, i32)> = readers
            .into_iter()
            .filter_map(|reader| Some((reader, self.deliver(reader, peer, body)?)))
            .collect();
        let mut own = None;
        for (reader, id) in delivered {
            let logged = self.emit_with(reader, Change::New { id }, extra.clone(), names);
            if reader == from {
                own = Some((id, logged));
            }
        }
        let (id, logged) = own.ok_or_else(|| RpcError::forbidden("CHAT_WRITE_FORBIDDEN"))?;
        Ok(Sent {
            peer,
            id,
            pts: logged.pts,
            pts_count: logged.pts_count,
            random_id,
        })
    }

    pub(super) fn send_channel(
        &mut self,
        from: i64,
        channel_id: i64,
        draft: Draft,
    ) -> Result<Sent, RpcError> {
        let random_id = self.random_id_of(&draft);
        let peer = PeerId::Channel(channel_id);
        let limit = self.config.message_limit;
        let channel = self
            .channels
            .get_mut(&channel_id)
            .ok_or_else(|| RpcError::bad("CHANNEL_INVALID"))?;
        let id = channel.next_id;
        channel.next_id = channel.next_id.saturating_add(1);
        let body = self.new_body(
            from,
            peer,
            Place::Channel {
                id: channel_id,
                message: id,
            },
            draft,
        );
        self.note_speaker(from, peer);
        let mut dropped = None;
        if let Some(channel) = self.channels.get_mut(&channel_id) {
            channel.messages.insert(id, body);
            if channel.messages.len() > limit {
                dropped = channel.messages.pop_first();
            }
            if let Some((id, _)) = dropped {
                let views = channel.views.values_mut();
                views.for_each(|view| _ = view.seen.remove(&id));
            }
        }
        if let Some((_, body)) = dropped {
            self.bodies.remove(&body);
        }
        let members: Vec<i64> = self
            .channels
            .get(&channel_id)
            .into_iter()
            .flat_map(|c| c.members.keys().copied())
            .collect();
        for member in members {
            if let Some(account) = self.accounts.get_mut(&member) {
                account.dialog(peer).hidden = false;
            }
            if self.is_resident(member) && member != from {
                self.bot_mail.push_back((member, peer, id));
            }
        }
        // One's own message is read by oneself.
        if let Some(account) = self.accounts.get_mut(&from) {
            let unread_before = account
                .dialogs
                .get(&peer)
                .is_some_and(|dialog| dialog.read_inbox < id - 1);
            if !unread_before {
                account.dialog(peer).read_inbox = id;
            }
        }
        let logged = self.emit_channel(from, channel_id, ChannelChange::New { id });
        Ok(Sent {
            peer,
            id,
            pts: logged.pts,
            pts_count: logged.pts_count,
            random_id,
        })
    }

    /// The answer to a call that sent one message, in the form that Telegram uses for it.
    pub(crate) fn sent_updates(
        &mut self,
        from: i64,
        sent: &Sent,
        extra: Vec<enums::Update>,
    ) -> enums::Updates {
        if extra.is_empty()
            && let Some(short) = self.sent_short(from, sent)
        {
            return short;
        }
        let mut named = Named::of(&[sent.peer]);
        let mut updates = Vec::new();
        if sent.random_id != 0 {
            updates.push(
                types::UpdateMessageId {
                    id: sent.id,
                    random_id: sent.random_id,
                }
                .into(),
            );
        }
        updates.push(self.sent_update(from, sent, &mut named));
        updates.extend(extra);
        self.container(from, updates, &named)
    }

    /// `updateNewMessage` or `updateNewChannelMessage` of what was just sent.
    pub(crate) fn sent_update(&self, from: i64, sent: &Sent, named: &mut Named) -> enums::Update {
        let message = self.tl_any_message(from, sent.peer, sent.id);
        let (pts, pts_count) = (sent.pts, sent.pts_count);
        named.add(sent.peer);
        match sent.peer {
            PeerId::Channel(channel) => {
                self.name_channel_message(channel, sent.id, named);
                types::UpdateNewChannelMessage {
                    message,
                    pts,
                    pts_count,
                }
                .into()
            }
            _ => {
                self.name_message(from, sent.id, named);
                types::UpdateNewMessage {
                    message,
                    pts,
                    pts_count,
                }
                .into()
            }
        }
    }

    fn sent_short(&mut self, from: i64, sent: &Sent) -> Option<enums::Updates> {
        let PeerId::User(to) = sent.peer else {
            return None;
        };
        let body = self.body_of(from, sent.peer, sent.id)?;
        if to == from
            || body.markup.is_some()
            || body.action.is_some()
            || body.via_bot.is_some()
            || body.forward.is_some()
        {
            return None;
        }
        if body.grouped_id.is_some() || body.media.is_some() || sent.random_id == 0 {
            return None;
        }
        let (date, entities) = (
            body.date,
            (!body.entities.is_empty()).then(|| body.entities.clone()),
        );
        self.date_for(from);
        Some(
            types::UpdateShortSentMessage {
                out: true,
                id: sent.id,
                pts: sent.pts,
                pts_count: sent.pts_count,
                date,
                media: None,
                entities,
                ttl_period: None,
            }
            .into(),
        )
    }

    /// Who may post in a broadcast channel.
    pub(crate) fn may_write_channel(
        &self,
        from: i64,
        channel_id: i64,
        media: bool,
    ) -> Result<(), RpcError> {
        let channel = self
            .channels
            .get(&channel_id)
            .ok_or_else(|| RpcError::bad("CHANNEL_INVALID"))?;
        if channel.is_banned(from, self.now) {
            return Err(RpcError::bad("USER_BANNED_IN_CHANNEL"));
        }
        if !channel.members.contains_key(&from) {
            return Err(if channel.username.is_some() {
                RpcError::forbidden("CHAT_WRITE_FORBIDDEN")
            } else {
                RpcError::bad("CHANNEL_PRIVATE")
            });
        }
        if channel.broadcast && !channel.has_right(from, Right::Post) {
            return Err(RpcError::forbidden("CHAT_WRITE_FORBIDDEN"));
        }
        if channel.is_restricted(from, media, self.now) {
            return Err(RpcError::forbidden(if media {
                "CHAT_SEND_MEDIA_FORBIDDEN"
            } else {
                "CHAT_WRITE_FORBIDDEN"
            }));
        }
        Ok(())
    }

    /// Logged changes of an account after `pts`, for tests and differences.
    pub(crate) fn logged_after(&self, user_id: i64, pts: i32) -> Vec<Logged> {
        self.accounts
            .get(&user_id)
            .map(|account| {
                account
                    .log
                    .iter()
                    .filter(|logged| logged.pts > pts)
                    .cloned()
                    .collect()
            })
            .unwrap_or_default()
    }
}
