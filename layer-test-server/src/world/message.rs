//! What a message says, stored once, and how it looks to each who can see it.

use layer_tl_types::{enums, types};

use super::World;
use super::account::Entry;
use super::blank;
use super::ids::PeerId;
use super::reactions::Given;

/// Where a message was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Between two people, or to oneself.
    Private(i64, i64),
    /// In a basic group.
    Group(i64),
    /// In a channel or supergroup, under this id.
    Channel { id: i64, message: i32 },
}

/// What a video shows before it is played, and where it begins.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cover {
    /// A stored photo.
    pub(crate) photo: Option<i64>,
    /// In seconds.
    pub(crate) timestamp: Option<i32>,
}

/// What is attached to a message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Media {
    /// A stored photo.
    Photo {
        id: i64,
        spoiler: bool,
        ttl_seconds: Option<i32>,
    },
    /// A stored document.
    Document {
        id: i64,
        spoiler: bool,
        ttl_seconds: Option<i32>,
        cover: Cover,
    },
    /// A poll, whose votes are kept for all messages that show it.
    Poll { id: i64 },
    /// The preview of a link.
    WebPage { url: String },
    /// Anything that holds no file.
    Other(enums::MessageMedia),
}

/// Who wrote what was forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ForwardFrom {
    User(i64),
    Channel { id: i64, post: i32 },
}

/// The origin of a forwarded message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Forward {
    pub(crate) from: ForwardFrom,
    pub(crate) date: i32,
    /// Where it was taken from, when forwarded to Saved Messages.
    pub(crate) saved_from: Option<(PeerId, i32)>,
}

/// The content of a message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Body {
    pub(crate) id: u64,
    pub(crate) place: Place,
    pub(crate) from: i64,
    /// The channel in whose name it was posted.
    pub(crate) as_channel: Option<i64>,
    pub(crate) date: i32,
    pub(crate) text: String,
    pub(crate) entities: Vec<enums::MessageEntity>,
    pub(crate) media: Option<Media>,
    pub(crate) markup: Option<enums::ReplyMarkup>,
    pub(crate) edit_date: Option<i32>,
    pub(crate) edit_hide: bool,
    pub(crate) forward: Option<Forward>,
    pub(crate) via_bot: Option<i64>,
    /// The body that it replies to.
    pub(crate) reply_to: Option<u64>,
    /// Makes it a service message.
    pub(crate) action: Option<enums::MessageAction>,
    pub(crate) silent: bool,
    pub(crate) noforwards: bool,
    pub(crate) invert_media: bool,
    pub(crate) grouped_id: Option<i64>,
    /// The accounts in whose copy it is pinned; 0 stands for all of a channel.
    pub(crate) pinned: std::collections::BTreeSet<i64>,
    pub(crate) views: i32,
    /// What people think of it, the latest last.
    pub(crate) reactions: Vec<Given>,
    /// The entries that show it: account and message id. Channel messages have none.
    pub(crate) copies: Vec<(i64, i32)>,
}

impl Body {
    /// The id under which `viewer` knows it.
    pub(crate) fn id_for(&self, viewer: i64) -> Option<i32> {
        match self.place {
            Place::Channel { message, .. } => Some(message),
            _ => self
                .copies
                .iter()
                .find(|(owner, _)| *owner == viewer)
                .map(|(_, id)| *id),
        }
    }

    /// Under which number the pin of this viewer is kept.
    pub(crate) const fn pin_key(&self, viewer: i64) -> i64 {
        match self.place {
            Place::Channel { .. } => 0,
            _ => viewer,
        }
    }

    /// Whether the viewer sees it pinned.
    pub(crate) fn is_pinned(&self, viewer: i64) -> bool {
        self.pinned.contains(&self.pin_key(viewer))
    }

    /// Whether a mention in it means this user.
    pub(crate) fn mentions(&self, viewer: i64, username: Option<&str>) -> bool {
        self.entities.iter().any(|entity| match entity {
            enums::MessageEntity::MentionName(name) => name.user_id == viewer,
            enums::MessageEntity::Mention(span) => {
                let text: Vec<u16> = self.text.encode_utf16().collect();
                let start = usize::try_from(span.offset).unwrap_or(usize::MAX);
                let end = start.saturating_add(usize::try_from(span.length).unwrap_or(0));
                let name = text
                    .get(start..end)
                    .map(String::from_utf16_lossy)
                    .unwrap_or_default();
                username.is_some_and(|own| name.trim_start_matches('@').eq_ignore_ascii_case(own))
            }
            _ => false,
        })
    }
}

/// What a viewer's copy adds to the body.
#[derive(Clone, Copy, Debug)]
struct View {
    id: i32,
    peer: PeerId,
    mentioned: bool,
    media_unread: bool,
}

impl World {
    /// A message of an account's own box; `messageEmpty` if there is none of that id.
    pub(crate) fn tl_message(&self, viewer: i64, id: i32) -> enums::Message {
        let entry = self
            .accounts
            .get(&viewer)
            .and_then(|account| account.messages.get(&id));
        match entry {
            Some(entry) => self.tl_entry(viewer, id, entry),
            None => types::MessageEmpty { id, peer_id: None }.into(),
        }
    }

    fn tl_entry(&self, viewer: i64, id: i32, entry: &Entry) -> enums::Message {
        let view = View {
            id,
            peer: entry.peer,
            mentioned: entry.mentioned,
            media_unread: entry.media_unread,
        };
        match self.bodies.get(&entry.body) {
            Some(body) => self.tl_body(viewer, body, view),
            None => types::MessageEmpty {
                id,
                peer_id: Some(entry.peer.to_tl()),
            }
            .into(),
        }
    }

    /// A message of a channel; `messageEmpty` if there is none of that id.
    pub(crate) fn tl_channel_message(&self, viewer: i64, channel: i64, id: i32) -> enums::Message {
        let body = self
            .channels
            .get(&channel)
            .and_then(|channel| channel.messages.get(&id));
        let Some(body) = body.and_then(|body| self.bodies.get(body)) else {
            return types::MessageEmpty {
                id,
                peer_id: Some(PeerId::Channel(channel).to_tl()),
            }
            .into();
        };
        let mentioned = self.is_mentioned(viewer, body);
        let view = View {
            id,
            peer: PeerId::Channel(channel),
            mentioned,
            media_unread: false,
        };
        self.tl_body(viewer, body, view)
    }

    /// Whether a message means `viewer` in particular: by name, or as a reply to theirs.
    pub(crate) fn is_mentioned(&self, viewer: i64, body: &Body) -> bool {
        if body.from == viewer {
            return false;
        }
        let username = self
            .users
            .get(&viewer)
            .and_then(|user| user.username.as_deref());
        let answered = body.reply_to.and_then(|id| self.bodies.get(&id));
        body.mentions(viewer, username)
            || answered.is_some_and(|other| other.from == viewer && other.as_channel.is_none())
    }

    /// A message of either kind.
    pub(crate) fn tl_any_message(&self, viewer: i64, peer: PeerId, id: i32) -> enums::Message {
        match peer {
            PeerId::Channel(channel) => self.tl_channel_message(viewer, channel, id),
            _ => self.tl_message(viewer, id),
        }
    }

    /// The content of a message of either kind.
    pub(crate) fn body_of(&self, viewer: i64, peer: PeerId, id: i32) -> Option<&Body> {
        let body = match peer {
            PeerId::Channel(channel) => *self.channels.get(&channel)?.messages.get(&id)?,
            _ => {
                let entry = self.accounts.get(&viewer)?.messages.get(&id)?;
                if entry.peer != peer {
                    return None;
                }
                entry.body
            }
        };
        self.bodies.get(&body)
    }

    fn tl_body(&self, viewer: i64, body: &Body, view: View) -> enums::Message {
        // Nothing in Saved Messages is outgoing.
        let out = body.from == viewer && view.peer != PeerId::User(viewer);
        let post = body.as_channel.is_some() && self.is_broadcast(view.peer);
        let from_id = match (body.as_channel, view.peer) {
            (Some(_), _) if post => None,
            (Some(channel), _) => Some(PeerId::Channel(channel).to_tl()),
            // The sender of an incoming private message is the dialog itself.
            (None, PeerId::User(_)) if !out && view.peer != PeerId::User(viewer) => None,
            (None, _) => Some(PeerId::User(body.from).to_tl()),
        };
        let reply_to = body.reply_to.and_then(|id| self.reply_header(viewer, id));
        if let Some(action) = &body.action {
            return types::MessageService {
                out,
                mentioned: view.mentioned,
                media_unread: view.media_unread,
                silent: body.silent,
                post,
                from_id,
                reply_to,
                ..blank::service_message(
                    view.id,
                    view.peer.to_tl(),
                    body.date,
                    self.tl_action(action),
                )
            }
            .into();
        }
        types::Message {
            out,
            mentioned: view.mentioned,
            media_unread: view.media_unread,
            silent: body.silent,
            post,
            edit_hide: body.edit_hide,
            pinned: body.is_pinned(viewer),
            noforwards: body.noforwards,
            invert_media: body.invert_media,
            from_id,
            saved_peer_id: (view.peer == PeerId::User(viewer))
                .then(|| Self::saved_peer(viewer, body).to_tl()),
            fwd_from: body
                .forward
                .as_ref()
                .map(|forward| self.tl_forward(forward).into()),
            via_bot_id: body.via_bot,
            reply_to,
            media: body
                .media
                .as_ref()
                .map(|media| self.tl_media(viewer, media)),
            reply_markup: body.markup.clone(),
            entities: (!body.entities.is_empty()).then(|| body.entities.clone()),
            views: post.then_some(body.views),
            forwards: post.then_some(0),
            edit_date: body.edit_date,
            reactions: self.tl_reactions(viewer, body),
            grouped_id: body.grouped_id,
            ..blank::message(view.id, view.peer.to_tl(), body.date, body.text.clone())
        }
        .into()
    }

    /// The sub-dialog of Saved Messages that a message belongs to.
    pub(super) fn saved_peer(viewer: i64, body: &Body) -> PeerId {
        match body.forward.as_ref() {
            Some(Forward {
                saved_from: Some((peer, _)),
                ..
            }) => *peer,
            _ => PeerId::User(viewer),
        }
    }

    pub(crate) fn reply_header(&self, viewer: i64, body: u64) -> Option<enums::MessageReplyHeader> {
        let id = self.bodies.get(&body)?.id_for(viewer)?;
        Some(
            types::MessageReplyHeader {
                reply_to_msg_id: Some(id),
                ..blank::reply_header()
            }
            .into(),
        )
    }

    pub(crate) fn tl_forward(&self, forward: &Forward) -> types::MessageFwdHeader {
        let blank = blank::fwd_header(forward.date);
        let (from_id, channel_post) = match forward.from {
            ForwardFrom::User(id) => (PeerId::User(id), None),
            ForwardFrom::Channel { id, post } => (PeerId::Channel(id), Some(post)),
        };
        types::MessageFwdHeader {
            from_id: Some(from_id.to_tl()),
            channel_post,
            saved_from_peer: forward.saved_from.map(|(peer, _)| peer.to_tl()),
            saved_from_msg_id: forward.saved_from.map(|(_, id)| id),
            ..blank
        }
    }

    /// The media with file references of today.
    pub(crate) fn tl_media(&self, viewer: i64, media: &Media) -> enums::MessageMedia {
        match media {
            Media::Photo {
                id,
                spoiler,
                ttl_seconds,
            } => types::MessageMediaPhoto {
                spoiler: *spoiler,
                photo: Some(self.tl_photo(*id)),
                ttl_seconds: *ttl_seconds,
            }
            .into(),
            Media::Document {
                id,
                spoiler,
                ttl_seconds,
                cover,
            } => {
                let kind = self.files.kind(*id);
                types::MessageMediaDocument {
                    spoiler: *spoiler,
                    video: kind.video,
                    round: kind.round,
                    voice: kind.voice,
                    document: Some(self.tl_document(*id)),
                    video_cover: cover.photo.map(|id| self.tl_photo(id)),
                    video_timestamp: cover.timestamp,
                    ttl_seconds: *ttl_seconds,
                    ..blank::media_document()
                }
                .into()
            }
            Media::Poll { id } => self.tl_poll(viewer, *id),
            Media::WebPage { url } => self.tl_page_media(url),
            Media::Other(media) => media.clone(),
        }
    }
}
