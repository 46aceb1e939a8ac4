//! `Message`: one message of a chat, with the peers it names.

use std::fmt;

use layer_tl_types as tl;

use super::InputMessage;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::files::Media;
use crate::peers::{Finder, Peer, PeerId};
use crate::raw::Raw;
use crate::text;

/// One message, cheap to clone. What is not offered here is in [`raw`](Self::raw).
#[derive(Clone)]
pub struct Message {
    inner: Raw<Inner>,
}

#[derive(Debug)]
struct Inner {
    raw: tl::enums::Message,
    chat: Option<Peer>,
    sender: Option<Peer>,
}

impl Message {
    pub(crate) fn new(raw: tl::enums::Message, finder: &Finder<'_>) -> Self {
        let (id, chat, from, out) = match &raw {
            tl::enums::Message::Empty(m) => (m.id, m.peer_id.as_ref(), None, false),
            tl::enums::Message::Message(m) => (m.id, Some(&m.peer_id), m.from_id.as_ref(), m.out),
            tl::enums::Message::Service(m) => (m.id, Some(&m.peer_id), m.from_id.as_ref(), m.out),
        };
        let chat = chat.map(|peer| finder.find(PeerId::from(peer)));
        if let Some(chat) = &chat {
            finder.note(&raw, chat, id);
        }
        // Private chats leave the sender out: it is the other side or ourselves. A channel's posts
        // are the channel's own.
        let sender = match (from, &chat) {
            (Some(from), Some(chat)) => Some(finder.find_in_message(PeerId::from(from), chat, id)),
            (None, Some(_)) if out => Some(finder.find(PeerId::user(finder.me))),
            (None, chat) => chat.clone(),
            (Some(from), None) => Some(finder.find(PeerId::from(from))),
        };
        Self {
            inner: Raw::new(Inner { raw, chat, sender }),
        }
    }

    /// The message as the raw API has it.
    #[must_use]
    pub fn raw(&self) -> &tl::enums::Message {
        &self.inner.raw
    }

    fn full(&self) -> Option<&tl::types::Message> {
        match &self.inner.raw {
            tl::enums::Message::Message(message) => Some(message),
            _ => None,
        }
    }

    /// The message's number: within its channel, or among all private chats and groups of the
    /// account.
    #[must_use]
    pub fn id(&self) -> i32 {
        match &self.inner.raw {
            tl::enums::Message::Empty(m) => m.id,
            tl::enums::Message::Message(m) => m.id,
            tl::enums::Message::Service(m) => m.id,
        }
    }

    /// Whether this account sent it.
    #[must_use]
    pub fn outgoing(&self) -> bool {
        match &self.inner.raw {
            tl::enums::Message::Empty(_) => false,
            tl::enums::Message::Message(m) => m.out,
            tl::enums::Message::Service(m) => m.out,
        }
    }

    /// The chat that it lies in: where to write an answer to.
    #[must_use]
    pub fn peer_id(&self) -> Option<&Peer> {
        self.inner.chat.as_ref()
    }

    /// Who sent it; the channel itself for a post without an author.
    #[must_use]
    pub fn sender(&self) -> Option<&Peer> {
        self.inner.sender.as_ref()
    }

    /// The text, or the caption of a medium; `None` when there is none.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.full()
            .map(|m| m.message.as_str())
            .filter(|text| !text.is_empty())
    }

    /// What in the text is bold, a link, and so on; offsets and lengths in UTF-16 code units.
    #[must_use]
    pub fn entities(&self) -> &[tl::enums::MessageEntity] {
        self.full()
            .and_then(|m| m.entities.as_deref())
            .unwrap_or_default()
    }

    /// The text with its entities as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        text::markdown::render(self.text().unwrap_or_default(), self.entities())
    }

    /// The text with its entities as HTML.
    #[must_use]
    pub fn html(&self) -> String {
        text::html::render(self.text().unwrap_or_default(), self.entities())
    }

    /// When it was sent, Unix seconds.
    #[must_use]
    pub fn date(&self) -> i32 {
        match &self.inner.raw {
            tl::enums::Message::Empty(_) => 0,
            tl::enums::Message::Message(m) => m.date,
            tl::enums::Message::Service(m) => m.date,
        }
    }

    /// When it was last edited, Unix seconds.
    #[must_use]
    pub fn edit_date(&self) -> Option<i32> {
        self.full()?.edit_date
    }

    /// The number of the message of the same chat that it answers.
    #[must_use]
    pub fn reply_to(&self) -> Option<i32> {
        let header = match &self.inner.raw {
            tl::enums::Message::Empty(_) => None,
            tl::enums::Message::Message(m) => m.reply_to.as_ref(),
            tl::enums::Message::Service(m) => m.reply_to.as_ref(),
        };
        match header? {
            tl::enums::MessageReplyHeader::Header(header) => header.reply_to_msg_id,
            tl::enums::MessageReplyHeader::MessageReplyStoryHeader(_) => None,
        }
    }

    /// Where it was forwarded from.
    #[must_use]
    pub fn forward(&self) -> Option<&tl::types::MessageFwdHeader> {
        let tl::enums::MessageFwdHeader::Header(header) = self.full()?.fwd_from.as_ref()?;
        Some(header)
    }

    /// The photo, file or other medium in it.
    #[must_use]
    pub fn media(&self) -> Option<Media<'_>> {
        let media = self.full()?.media.as_ref()?;
        Some(Media::new(media, self))
    }

    /// The buttons under it.
    #[must_use]
    pub fn reply_markup(&self) -> Option<&tl::enums::ReplyMarkup> {
        self.full()?.reply_markup.as_ref()
    }

    /// What happened, for service messages: someone joined, a title changed.
    #[must_use]
    pub fn action(&self) -> Option<&tl::enums::MessageAction> {
        match &self.inner.raw {
            tl::enums::Message::Service(m) => Some(&m.action),
            _ => None,
        }
    }

    /// The number shared by the messages of one album.
    #[must_use]
    pub fn album(&self) -> Option<i64> {
        self.full()?.grouped_id
    }

    /// The id of the inline bot that it was sent with.
    #[must_use]
    pub fn via_bot_id(&self) -> Option<i64> {
        self.full()?.via_bot_id
    }

    /// How often a channel's post was seen.
    #[must_use]
    pub fn views(&self) -> Option<i32> {
        self.full()?.views
    }

    /// Whether it mentions this account.
    #[must_use]
    pub fn mentioned(&self) -> bool {
        match &self.inner.raw {
            tl::enums::Message::Empty(_) => false,
            tl::enums::Message::Message(m) => m.mentioned,
            tl::enums::Message::Service(m) => m.mentioned,
        }
    }

    /// Whether it was sent without a sound.
    #[must_use]
    pub fn silent(&self) -> bool {
        self.full().is_some_and(|m| m.silent)
    }

    /// Whether it is pinned in its chat.
    #[must_use]
    pub fn pinned(&self) -> bool {
        self.full().is_some_and(|m| m.pinned)
    }

    fn chat(&self) -> Result<Peer> {
        self.peer_id()
            .cloned()
            .ok_or_else(|| Error::input("this message says nothing about its chat; it was deleted"))
    }

    /// Answers it, naming it as what is answered.
    ///
    /// # Errors
    /// As [`Client::send_message`].
    pub async fn reply(&self, client: &Client, message: impl Into<InputMessage>) -> Result<Self> {
        let message = message.into().reply_to(self.id());
        client.send(self.chat()?.into(), message).await
    }

    /// Writes into the same chat.
    ///
    /// # Errors
    /// As [`Client::send_message`].
    pub async fn respond(&self, client: &Client, message: impl Into<InputMessage>) -> Result<Self> {
        client.send(self.chat()?.into(), message.into()).await
    }

    /// Changes it.
    ///
    /// # Errors
    /// As [`Client::edit_message`].
    pub async fn edit(&self, client: &Client, message: impl Into<InputMessage>) -> Result<Self> {
        client
            .edit(self.chat()?.into(), self.id(), message.into())
            .await
    }

    /// Deletes it, for everyone in the chat.
    ///
    /// # Errors
    /// As [`Client::delete_messages`].
    pub async fn delete(&self, client: &Client) -> Result<()> {
        client
            .delete_messages(self.chat()?, &[self.id()])
            .await
            .map(drop)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.id())
            .field("peer", &self.inner.chat)
            .field("outgoing", &self.outgoing())
            .field("text", &self.text())
            .finish_non_exhaustive()
    }
}

/// A message that has nothing but the necessary.
pub(crate) fn blank_message(
    id: i32,
    peer_id: tl::enums::Peer,
    date: i32,
    message: String,
) -> tl::types::Message {
    tl::types::Message {
        out: false,
        mentioned: false,
        media_unread: false,
        silent: false,
        post: false,
        from_scheduled: false,
        legacy: false,
        edit_hide: false,
        pinned: false,
        noforwards: false,
        invert_media: false,
        offline: false,
        video_processing_pending: false,
        paid_suggested_post_stars: false,
        paid_suggested_post_ton: false,
        id,
        from_id: None,
        from_boosts_applied: None,
        from_rank: None,
        peer_id,
        saved_peer_id: None,
        fwd_from: None,
        via_bot_id: None,
        via_business_bot_id: None,
        reply_to: None,
        date,
        message,
        media: None,
        reply_markup: None,
        entities: None,
        views: None,
        forwards: None,
        replies: None,
        edit_date: None,
        post_author: None,
        grouped_id: None,
        reactions: None,
        restriction_reason: None,
        ttl_period: None,
        quick_reply_shortcut_id: None,
        effect: None,
        factcheck: None,
        report_delivery_until_date: None,
        paid_message_stars: None,
        suggested_post: None,
        schedule_repeat_period: None,
        summary_from_language: None,
    }
}
