//! An `Updates` object taken apart into what the engine needs, with the short forms made long.

use std::sync::Arc;

use layer_tl_types as tl;

use crate::messages::blank_message;
use crate::peers::{PeerId, PeerMap};

/// The part of the packet sequence that a packet covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seq {
    pub(crate) start: i32,
    pub(crate) end: i32,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Packet {
    pub(crate) updates: Vec<tl::enums::Update>,
    pub(crate) peers: Arc<PeerMap>,
    pub(crate) seq: Option<Seq>,
    /// Peers that the packet names without describing them: all must be known for it to be of use.
    pub(crate) needs: Vec<PeerId>,
    /// The server says that there is too much to push.
    pub(crate) too_long: bool,
    /// `pts` and `pts_count` of our own message (`updateShortSentMessage`).
    pub(crate) own: Option<(i32, i32)>,
}

impl Packet {
    /// Takes an `Updates` object apart. `me` is the account's id, for short messages that it sent itself.
    pub(crate) fn new(updates: tl::enums::Updates, me: i64) -> Self {
        use tl::enums::Updates as U;
        match updates {
            U::TooLong => Self {
                too_long: true,
                ..Self::default()
            },
            U::UpdateShort(short) => Self {
                updates: vec![short.update],
                ..Self::default()
            },
            U::UpdateShortMessage(short) => short_message(*short, me),
            U::UpdateShortChatMessage(short) => short_chat_message(*short),
            U::UpdateShortSentMessage(sent) => Self {
                own: Some((sent.pts, sent.pts_count)),
                ..Self::default()
            },
            U::Combined(u) => Self {
                updates: u.updates,
                peers: Arc::new(PeerMap::collect(&u.users, &u.chats)),
                seq: Some(Seq {
                    start: u.seq_start,
                    end: u.seq,
                }),
                ..Self::default()
            },
            U::Updates(u) => Self {
                updates: u.updates,
                peers: Arc::new(PeerMap::collect(&u.users, &u.chats)),
                seq: Some(Seq {
                    start: u.seq,
                    end: u.seq,
                }),
                ..Self::default()
            },
        }
    }
}

/// Whom a short message names besides its chat and sender.
fn named(
    via_bot: Option<i64>,
    forward: Option<&tl::enums::MessageFwdHeader>,
    reply: Option<&tl::enums::MessageReplyHeader>,
    entities: Option<&Vec<tl::enums::MessageEntity>>,
) -> Vec<PeerId> {
    let mut peers: Vec<PeerId> = via_bot.map(PeerId::user).into_iter().collect();
    if let Some(tl::enums::MessageFwdHeader::Header(header)) = forward {
        let saved = header.saved_from_peer.iter().chain(&header.saved_from_id);
        peers.extend(header.from_id.iter().chain(saved).map(PeerId::from));
    }
    match reply {
        Some(tl::enums::MessageReplyHeader::Header(header)) => {
            peers.extend(header.reply_to_peer_id.iter().map(PeerId::from));
        }
        Some(tl::enums::MessageReplyHeader::MessageReplyStoryHeader(header)) => {
            peers.push(PeerId::from(&header.peer));
        }
        None => {}
    }
    for entity in entities.into_iter().flatten() {
        if let tl::enums::MessageEntity::MentionName(mention) = entity {
            peers.push(PeerId::user(mention.user_id));
        }
    }
    peers
}

fn short_message(short: tl::types::UpdateShortMessage, me: i64) -> Packet {
    let mut needs = vec![PeerId::user(short.user_id)];
    needs.extend(named(
        short.via_bot_id,
        short.fwd_from.as_ref(),
        short.reply_to.as_ref(),
        short.entities.as_ref(),
    ));
    let peer = tl::types::PeerUser {
        user_id: short.user_id,
    }
    .into();
    let mut message = blank_message(short.id, peer, short.date, short.message);
    message.out = short.out;
    message.mentioned = short.mentioned;
    message.media_unread = short.media_unread;
    message.silent = short.silent;
    message.from_id = short
        .out
        .then(|| tl::types::PeerUser { user_id: me }.into());
    message.fwd_from = short.fwd_from;
    message.via_bot_id = short.via_bot_id;
    message.reply_to = short.reply_to;
    message.entities = short.entities;
    message.ttl_period = short.ttl_period;
    one_message(message, short.pts, short.pts_count, needs)
}

fn short_chat_message(short: tl::types::UpdateShortChatMessage) -> Packet {
    let mut needs = vec![PeerId::group(short.chat_id), PeerId::user(short.from_id)];
    needs.extend(named(
        short.via_bot_id,
        short.fwd_from.as_ref(),
        short.reply_to.as_ref(),
        short.entities.as_ref(),
    ));
    let peer = tl::types::PeerChat {
        chat_id: short.chat_id,
    }
    .into();
    let mut message = blank_message(short.id, peer, short.date, short.message);
    message.out = short.out;
    message.mentioned = short.mentioned;
    message.media_unread = short.media_unread;
    message.silent = short.silent;
    message.from_id = Some(
        tl::types::PeerUser {
            user_id: short.from_id,
        }
        .into(),
    );
    message.fwd_from = short.fwd_from;
    message.via_bot_id = short.via_bot_id;
    message.reply_to = short.reply_to;
    message.entities = short.entities;
    message.ttl_period = short.ttl_period;
    one_message(message, short.pts, short.pts_count, needs)
}

fn one_message(
    message: tl::types::Message,
    pts: i32,
    pts_count: i32,
    needs: Vec<PeerId>,
) -> Packet {
    let update = tl::types::UpdateNewMessage {
        message: message.into(),
        pts,
        pts_count,
    }
    .into();
    Packet {
        updates: vec![update],
        needs,
        ..Packet::default()
    }
}
