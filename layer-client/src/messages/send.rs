//! Sending, editing and forwarding, and finding one's own message in what the server answers.

use std::sync::Arc;

use layer_tl_types as tl;

use super::{InputMessage, Message, blank_message};
use crate::client::{BoxFuture, Client};
use crate::error::{Error, RequestError, Result};
use crate::files::{KnownFiles, Media, file_id};
use crate::peers::{Peer, PeerId, PeerKind, PeerMap, PeerRef, input_user, unusable};
use crate::updates::Packet;

/// What tells the server that a repeated request is the same message.
pub(crate) fn random_id() -> Result<i64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::Io(Arc::new(std::io::Error::other(error))))?;
    Ok(i64::from_le_bytes(bytes))
}

impl Client {
    /// Sends a message: to `"me"`, a `"@username"`, a phone number, a link, an id, a [`Peer`] (see
    /// [`PeerRef`]). A `&str` or `String` is plain text; an [`InputMessage`] has everything else.
    ///
    /// # Errors
    /// When the peer cannot be found, and what Telegram answers (`messages.sendMessage`,
    /// `messages.sendMedia`).
    pub async fn send_message(
        &self,
        peer: impl Into<PeerRef>,
        message: impl Into<InputMessage>,
    ) -> Result<Message> {
        self.send(peer.into(), message.into()).await
    }

    /// As [`send_message`](Self::send_message), to a [`Peer`] that an update or a result showed.
    ///
    /// # Errors
    /// As [`send_message`](Self::send_message).
    pub async fn send_message_to_peer(
        &self,
        peer: impl Into<PeerRef>,
        message: impl Into<InputMessage>,
    ) -> Result<Message> {
        self.send(peer.into(), message.into()).await
    }

    /// Changes the text, the medium or the buttons of a message.
    ///
    /// # Errors
    /// `MESSAGE_NOT_MODIFIED`, `MESSAGE_ID_INVALID`, and the like (`messages.editMessage`).
    pub async fn edit_message(
        &self,
        peer: impl Into<PeerRef>,
        msg_id: i32,
        message: impl Into<InputMessage>,
    ) -> Result<Message> {
        self.edit(peer.into(), msg_id, message.into()).await
    }

    /// Forwards messages from one chat to another. `None` stands for one that the server left out.
    ///
    /// # Errors
    /// When a peer cannot be found, and what Telegram answers (`messages.forwardMessages`).
    pub async fn forward_messages(
        &self,
        to: impl Into<PeerRef>,
        from: impl Into<PeerRef>,
        msg_ids: &[i32],
    ) -> Result<Vec<Option<Message>>> {
        self.forward(to.into(), from.into(), msg_ids.to_vec()).await
    }

    pub(crate) fn send(
        &self,
        peer: PeerRef,
        message: InputMessage,
    ) -> BoxFuture<'_, Result<Message>> {
        self.send_file_of(peer, message, KnownFiles::default())
    }

    /// Sends it. When a file reference of its medium has run out, a new one is got where the file
    /// came from, once.
    pub(crate) fn send_file_of(
        &self,
        peer: PeerRef,
        mut message: InputMessage,
        mut known: KnownFiles,
    ) -> BoxFuture<'_, Result<Message>> {
        Box::pin(async move {
            let peer = self.resolve(peer).await?;
            let random_id = random_id()?;
            loop {
                match self.send_request(&peer, &message, random_id).await {
                    Ok(updates) => return self.sent(updates, &peer, message, random_id),
                    Err(error) if error.is("RANDOM_ID_DUPLICATE") => {
                        let found = self.find_sent(&peer, &message).await;
                        return found.unwrap_or(None).ok_or(error);
                    }
                    Err(error) => message = self.renewed(message, &mut known, error).await?,
                }
            }
        })
    }

    /// The message with new file references, if `error` says that one has run out and there is a place
    /// to get one.
    async fn renewed(
        &self,
        message: InputMessage,
        known: &mut KnownFiles,
        error: Error,
    ) -> Result<InputMessage> {
        let Some(mut media) = message.media.as_deref().cloned() else {
            return Err(error);
        };
        known.renew(self, &mut media, error).await?;
        Ok(message.media(media))
    }

    /// A message of ours that the server has already: the answer to an earlier copy of the request
    /// never came. No method finds a message by its `random_id`, so it is the newest of this account's
    /// with the same text, and a medium if that had one, among the newest of the chat.
    async fn find_sent(&self, peer: &Peer, message: &InputMessage) -> Result<Option<Message>> {
        if message.schedule.is_some() {
            return Ok(None);
        }
        let newest = self.newest(peer).await?;
        let file = message.media.as_deref().and_then(file_id);
        // The server takes white space off both ends.
        let text = message.text.trim();
        let to_myself = peer.key() == PeerId::user(self.my_id());
        Ok(newest.into_iter().find(|sent| {
            (sent.outgoing() || to_myself)
                && sent.text().unwrap_or_default().trim() == text
                && (message.media.is_none() || sent.media().is_some())
                && (file.is_none() || sent.media().and_then(Media::file_id) == file)
        }))
    }

    /// The newest messages of a chat.
    pub(crate) async fn newest(&self, peer: &Peer) -> Result<Vec<Message>> {
        let request = tl::functions::messages::GetHistory {
            peer: peer.to_input().ok_or_else(|| unusable(peer.key()))?,
            offset_id: 0,
            offset_date: 0,
            add_offset: 0,
            limit: 100,
            max_id: 0,
            min_id: 0,
            hash: 0,
        };
        Ok(self.page(self.invoke(&request).await?).messages)
    }

    async fn send_request(
        &self,
        peer: &Peer,
        message: &InputMessage,
        random_id: i64,
    ) -> Result<tl::enums::Updates> {
        let input = peer.to_input().ok_or_else(|| unusable(peer.key()))?;
        let entities = self.outgoing_entities(&message.entities);
        let reply_to = message.reply_to.map(reply_header);
        if let Some(media) = message.media.as_deref().cloned() {
            let request = tl::functions::messages::SendMedia {
                silent: message.silent,
                background: message.background,
                clear_draft: message.clear_draft,
                noforwards: message.protected,
                update_stickersets_order: false,
                invert_media: false,
                allow_paid_floodskip: false,
                peer: input,
                reply_to,
                media,
                message: message.text.clone(),
                random_id,
                reply_markup: message.markup.as_deref().cloned(),
                entities,
                schedule_date: message.schedule,
                schedule_repeat_period: None,
                send_as: None,
                quick_reply_shortcut: None,
                effect: None,
                allow_paid_stars: None,
                suggested_post: None,
            };
            return self.invoke(&request).await;
        }
        let request = tl::functions::messages::SendMessage {
            no_webpage: message.no_preview,
            silent: message.silent,
            background: message.background,
            clear_draft: message.clear_draft,
            noforwards: message.protected,
            update_stickersets_order: false,
            invert_media: false,
            allow_paid_floodskip: false,
            peer: input,
            reply_to,
            message: message.text.clone(),
            random_id,
            reply_markup: message.markup.as_deref().cloned(),
            entities,
            schedule_date: message.schedule,
            schedule_repeat_period: None,
            send_as: None,
            quick_reply_shortcut: None,
            effect: None,
            allow_paid_stars: None,
            suggested_post: None,
        };
        self.invoke(&request).await
    }

    /// Makes the message out of what answered its sending, and lets the update engine know.
    fn sent(
        &self,
        updates: tl::enums::Updates,
        peer: &Peer,
        message: InputMessage,
        random_id: i64,
    ) -> Result<Message> {
        let tl::enums::Updates::UpdateShortSentMessage(short) = updates else {
            let found = self.absorb(updates);
            return found
                .sent(random_id)
                .or_else(|| found.any_new())
                .ok_or_else(|| unexpected("messages.sendMessage", "the message was not shown"));
        };
        let mut raw = blank_message(short.id, raw_peer(peer.key()), short.date, message.text);
        raw.out = short.out;
        raw.silent = message.silent;
        raw.from_id = Some(raw_peer(PeerId::user(self.my_id())));
        raw.media = short.media.clone();
        raw.entities = short.entities.clone();
        raw.ttl_period = short.ttl_period;
        raw.reply_markup = message.markup.as_deref().cloned();
        raw.reply_to = message.reply_to.map(sent_reply_header);
        let mut peers = PeerMap::default();
        peers.insert(peer.clone());
        let peers = Arc::new(peers);
        let message = Message::new(raw.clone().into(), &self.finder(&peers));
        let update = tl::types::UpdateNewMessage {
            message: raw.into(),
            pts: short.pts,
            pts_count: short.pts_count,
        };
        self.inner.updates.handle_packet(Packet {
            updates: vec![update.into()],
            peers,
            ..Packet::default()
        });
        Ok(message)
    }

    pub(crate) fn edit(
        &self,
        peer: PeerRef,
        msg_id: i32,
        message: InputMessage,
    ) -> BoxFuture<'_, Result<Message>> {
        self.edit_file_of(peer, msg_id, message, KnownFiles::default())
    }

    /// As [`send_file_of`](Self::send_file_of), for editing.
    pub(crate) fn edit_file_of(
        &self,
        peer: PeerRef,
        msg_id: i32,
        mut message: InputMessage,
        mut known: KnownFiles,
    ) -> BoxFuture<'_, Result<Message>> {
        Box::pin(async move {
            let peer = self.resolve_input(peer).await?;
            let updates = loop {
                let request = tl::functions::messages::EditMessage {
                    no_webpage: message.no_preview,
                    invert_media: false,
                    peer: peer.clone(),
                    id: msg_id,
                    entities: self.outgoing_entities(&message.entities),
                    message: (!message.text.is_empty()).then(|| message.text.clone()),
                    media: message.media.as_deref().cloned(),
                    reply_markup: message.markup.as_deref().cloned(),
                    schedule_date: message.schedule,
                    schedule_repeat_period: None,
                    quick_reply_shortcut_id: None,
                };
                match self.invoke(&request).await {
                    Ok(updates) => break updates,
                    Err(error) => message = self.renewed(message, &mut known, error).await?,
                }
            };
            let found = self.absorb(updates);
            found
                .with_id(msg_id)
                .ok_or_else(|| unexpected("messages.editMessage", "the message was not shown"))
        })
    }

    fn forward(
        &self,
        to: PeerRef,
        from: PeerRef,
        msg_ids: Vec<i32>,
    ) -> BoxFuture<'_, Result<Vec<Option<Message>>>> {
        Box::pin(async move {
            let to_peer = self.resolve_input(to).await?;
            let from_peer = self.resolve_input(from).await?;
            let random_ids = msg_ids
                .iter()
                .map(|_| random_id())
                .collect::<Result<Vec<_>>>()?;
            let request = tl::functions::messages::ForwardMessages {
                silent: false,
                background: false,
                with_my_score: false,
                drop_author: false,
                drop_media_captions: false,
                noforwards: false,
                allow_paid_floodskip: false,
                from_peer,
                id: msg_ids,
                random_id: random_ids.clone(),
                to_peer,
                top_msg_id: None,
                reply_to: None,
                schedule_date: None,
                schedule_repeat_period: None,
                send_as: None,
                quick_reply_shortcut: None,
                effect: None,
                video_timestamp: None,
                allow_paid_stars: None,
                suggested_post: None,
            };
            let found = self.absorb(self.invoke(&request).await?);
            Ok(random_ids.into_iter().map(|id| found.sent(id)).collect())
        })
    }

    /// Mentions by id need the user's access hash on the way out; those of unknown users are left
    /// out.
    pub(crate) fn outgoing_entities(
        &self,
        entities: &[tl::enums::MessageEntity],
    ) -> Option<Vec<tl::enums::MessageEntity>> {
        let outgoing: Vec<_> = entities
            .iter()
            .filter_map(|entity| match entity {
                tl::enums::MessageEntity::MentionName(mention) => {
                    let user_id = if mention.user_id == self.my_id() {
                        tl::enums::InputUser::UserSelf
                    } else {
                        let id = PeerId::user(mention.user_id);
                        input_user(self.cache().get(id)?.to_input()?)?
                    };
                    Some(
                        tl::types::InputMessageEntityMentionName {
                            offset: mention.offset,
                            length: mention.length,
                            user_id,
                        }
                        .into(),
                    )
                }
                other => Some(other.clone()),
            })
            .collect();
        (!outgoing.is_empty()).then_some(outgoing)
    }

    /// Takes the updates that answered a call: peers are remembered, the engine is told, and what
    /// the caller may look for is kept.
    pub(crate) fn absorb(&self, updates: tl::enums::Updates) -> Absorbed {
        let packet = Packet::new(updates, self.my_id());
        self.remember(&packet.peers);
        let finder = self.finder(&packet.peers);
        let mut absorbed = Absorbed {
            peers: Arc::clone(&packet.peers),
            ..Absorbed::default()
        };
        for update in &packet.updates {
            use tl::enums::Update as U;
            let (message, edited) = match update {
                U::MessageId(u) => {
                    absorbed.ids.push((u.random_id, u.id));
                    continue;
                }
                U::NewMessage(u) => (&u.message, false),
                U::NewChannelMessage(u) => (&u.message, false),
                U::NewScheduledMessage(u) => (&u.message, false),
                U::EditMessage(u) => (&u.message, true),
                U::EditChannelMessage(u) => (&u.message, true),
                _ => continue,
            };
            let message = Message::new(message.clone(), &finder);
            absorbed.messages.push((message, edited));
        }
        self.inner.updates.handle_packet(packet);
        absorbed
    }
}

/// What a call's updates showed.
#[derive(Default)]
pub(crate) struct Absorbed {
    ids: Vec<(i64, i32)>,
    messages: Vec<(Message, bool)>,
    peers: Arc<PeerMap>,
}

impl Absorbed {
    pub(crate) fn sent(&self, random_id: i64) -> Option<Message> {
        let (_, id) = self.ids.iter().find(|(random, _)| *random == random_id)?;
        let new = self.messages.iter().filter(|(_, edited)| !edited);
        new.map(|(message, _)| message)
            .find(|message| message.id() == *id)
            .cloned()
    }

    fn any_new(&self) -> Option<Message> {
        let new = self.messages.iter().find(|(_, edited)| !edited);
        new.map(|(message, _)| message.clone())
    }

    fn with_id(&self, id: i32) -> Option<Message> {
        let messages = self.messages.iter().map(|(message, _)| message);
        messages.rev().find(|message| message.id() == id).cloned()
    }

    /// The group or channel that the updates told of.
    pub(crate) fn chat(&self) -> Option<Peer> {
        let of_messages = self
            .messages
            .iter()
            .filter_map(|(message, _)| message.peer_id());
        of_messages
            .chain(self.peers.iter())
            .find(|peer| peer.kind() != PeerKind::User)
            .cloned()
    }
}

pub(crate) fn reply_header(msg_id: i32) -> tl::enums::InputReplyTo {
    tl::types::InputReplyToMessage {
        reply_to_msg_id: msg_id,
        top_msg_id: None,
        reply_to_peer_id: None,
        quote_text: None,
        quote_entities: None,
        quote_offset: None,
        monoforum_peer_id: None,
        todo_item_id: None,
    }
    .into()
}

fn sent_reply_header(msg_id: i32) -> tl::enums::MessageReplyHeader {
    tl::types::MessageReplyHeader {
        reply_to_scheduled: false,
        forum_topic: false,
        quote: false,
        reply_to_msg_id: Some(msg_id),
        reply_to_peer_id: None,
        reply_from: None,
        reply_media: None,
        reply_to_top_id: None,
        quote_text: None,
        quote_entities: None,
        quote_offset: None,
        todo_item_id: None,
    }
    .into()
}

pub(crate) fn raw_peer(id: PeerId) -> tl::enums::Peer {
    match id.kind() {
        PeerKind::User => tl::types::PeerUser { user_id: id.bare() }.into(),
        PeerKind::Group => tl::types::PeerChat { chat_id: id.bare() }.into(),
        PeerKind::Channel => tl::types::PeerChannel {
            channel_id: id.bare(),
        }
        .into(),
    }
}

/// The server did as asked and does not show it.
pub(crate) fn unexpected(method: &'static str, reason: &str) -> Error {
    Error::Request(RequestError {
        method: Some(method),
        reason: reason.to_owned(),
        sent: true,
    })
}
