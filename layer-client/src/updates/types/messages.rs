//! What happens to messages that are there: deleted, read, pinned, seen, and what is not sent yet.

use layer_tl_types as tl;

use super::{Other, Update};
use crate::messages::Message;
use crate::peers::{Finder, Peer, PeerId};
use crate::raw::Raw;

/// Messages were deleted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MessageDeletion {
    /// The channel or supergroup; `None` for private chats and basic groups, whose messages have
    /// ids of their own across all chats of the account.
    pub peer: Option<Peer>,
    /// Which.
    pub msg_ids: Vec<i32>,
}

/// Messages were read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Read {
    /// Where.
    pub peer: Peer,
    /// The topic or comment thread, if it is about one.
    pub topic: Option<i32>,
    /// Up to which message.
    pub max_id: i32,
    /// Whether it is the other side that has read what this account sent.
    pub outgoing: bool,
    /// How many are left unread, where the server tells.
    pub unread: Option<i32>,
}

/// Voice messages were listened to, videos seen, mentions and reactions looked at.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ContentsRead {
    /// The channel or supergroup; `None` for private chats and basic groups.
    pub peer: Option<Peer>,
    /// The topic, if it is about one.
    pub topic: Option<i32>,
    /// Which messages.
    pub msg_ids: Vec<i32>,
}

/// Messages were pinned in a chat, or are no longer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PinnedMessages {
    /// Where.
    pub peer: Peer,
    /// Which.
    pub msg_ids: Vec<i32>,
    /// Whether they are pinned now.
    pub pinned: bool,
}

/// A channel's post was seen or forwarded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MessageCounters {
    /// The channel.
    pub peer: Peer,
    /// Which post.
    pub msg_id: i32,
    /// How often it was seen, if that is what changed.
    pub views: Option<i32>,
    /// How often it was forwarded, if that is what changed.
    pub forwards: Option<i32>,
}

/// Messages that were to be sent later are no longer in the schedule.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ScheduledDeletion {
    /// Where.
    pub peer: Peer,
    /// Which, by their ids in the schedule.
    pub msg_ids: Vec<i32>,
    /// The ids of the messages that they became, when they went because they were sent.
    pub sent_msg_ids: Vec<i32>,
}

/// The draft in a chat changed, by another program of this account.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Draft {
    /// Where.
    pub peer: Peer,
    /// The topic, if it is for one.
    pub topic: Option<i32>,
    /// The text; `None` when there is no draft any more.
    pub text: Option<String>,
    /// When, Unix seconds.
    pub date: Option<i32>,
    /// As the raw API has it, with what is answered and how it is formatted.
    pub raw: Raw<tl::enums::DraftMessage>,
}

/// The list of chats changed, by another program of this account.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DialogChange {
    /// Which chat; `None` when it is about the order of several, or a folder.
    pub peer: Option<Peer>,
    /// What.
    pub change: DialogChangeKind,
}

/// What changed in the list of chats.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DialogChangeKind {
    /// It is pinned now, or not.
    Pinned(bool),
    /// It is marked as unread now, or not.
    MarkedUnread(bool),
    /// The chats that are pinned, in their order; `None` when it is to be fetched.
    PinnedOrder(Option<Vec<Peer>>),
    /// It lies in this folder now; 0 is the main list, 1 the archive.
    Folder(i32),
}

pub(super) fn typed(update: tl::enums::Update, finder: &Finder<'_>) -> Other {
    use tl::enums::Update as U;
    let channel = |id| finder.find(PeerId::channel(id));
    let peer = |peer: &tl::enums::Peer| finder.find(PeerId::from(peer));
    Ok(match update {
        U::NewMessage(u) => Update::NewMessage(Message::new(u.message, finder)),
        U::NewChannelMessage(u) => Update::NewMessage(Message::new(u.message, finder)),
        U::EditMessage(u) => Update::MessageEdited(Message::new(u.message, finder)),
        U::EditChannelMessage(u) => Update::MessageEdited(Message::new(u.message, finder)),
        U::NewScheduledMessage(u) => Update::MessageScheduled(Message::new(u.message, finder)),
        U::DeleteMessages(u) => Update::MessageDeleted(MessageDeletion {
            peer: None,
            msg_ids: u.messages,
        }),
        U::DeleteChannelMessages(u) => Update::MessageDeleted(MessageDeletion {
            peer: Some(channel(u.channel_id)),
            msg_ids: u.messages,
        }),
        U::DeleteScheduledMessages(u) => Update::ScheduledDeleted(ScheduledDeletion {
            peer: peer(&u.peer),
            msg_ids: u.messages,
            sent_msg_ids: u.sent_messages.unwrap_or_default(),
        }),
        U::PinnedMessages(u) => Update::PinnedMessages(PinnedMessages {
            peer: peer(&u.peer),
            msg_ids: u.messages,
            pinned: u.pinned,
        }),
        U::PinnedChannelMessages(u) => Update::PinnedMessages(PinnedMessages {
            peer: channel(u.channel_id),
            msg_ids: u.messages,
            pinned: u.pinned,
        }),
        U::ChannelMessageViews(u) => Update::MessageCounters(MessageCounters {
            peer: channel(u.channel_id),
            msg_id: u.id,
            views: Some(u.views),
            forwards: None,
        }),
        U::ChannelMessageForwards(u) => Update::MessageCounters(MessageCounters {
            peer: channel(u.channel_id),
            msg_id: u.id,
            views: None,
            forwards: Some(u.forwards),
        }),
        other => return read(other, finder).or_else(|other| dialog(other, finder)),
    })
}

fn read(update: tl::enums::Update, finder: &Finder<'_>) -> Other {
    use tl::enums::Update as U;
    let read = |peer, max_id, outgoing| Read {
        peer: finder.find(peer),
        topic: None,
        max_id,
        outgoing,
        unread: None,
    };
    Ok(Update::Read(match update {
        U::ReadHistoryInbox(u) => Read {
            topic: u.top_msg_id,
            unread: Some(u.still_unread_count),
            ..read(PeerId::from(&u.peer), u.max_id, false)
        },
        U::ReadHistoryOutbox(u) => read(PeerId::from(&u.peer), u.max_id, true),
        U::ReadChannelInbox(u) => Read {
            unread: Some(u.still_unread_count),
            ..read(PeerId::channel(u.channel_id), u.max_id, false)
        },
        U::ReadChannelOutbox(u) => read(PeerId::channel(u.channel_id), u.max_id, true),
        U::ReadChannelDiscussionInbox(u) => Read {
            topic: Some(u.top_msg_id),
            ..read(PeerId::channel(u.channel_id), u.read_max_id, false)
        },
        U::ReadChannelDiscussionOutbox(u) => Read {
            topic: Some(u.top_msg_id),
            ..read(PeerId::channel(u.channel_id), u.read_max_id, true)
        },
        U::ReadMessagesContents(u) => {
            return Ok(Update::ContentsRead(ContentsRead {
                peer: None,
                topic: None,
                msg_ids: u.messages,
            }));
        }
        U::ChannelReadMessagesContents(u) => {
            return Ok(Update::ContentsRead(ContentsRead {
                peer: Some(finder.find(PeerId::channel(u.channel_id))),
                topic: u.top_msg_id,
                msg_ids: u.messages,
            }));
        }
        other => return Err(other),
    }))
}

fn dialog(update: tl::enums::Update, finder: &Finder<'_>) -> Other {
    use tl::enums::Update as U;
    let peer = |peer: &tl::enums::DialogPeer| match peer {
        tl::enums::DialogPeer::Peer(p) => Some(finder.find(PeerId::from(&p.peer))),
        tl::enums::DialogPeer::Folder(_) => None,
    };
    let change = |peer, change| Update::Dialog(DialogChange { peer, change });
    Ok(match update {
        U::DialogPinned(u) => change(peer(&u.peer), DialogChangeKind::Pinned(u.pinned)),
        U::DialogUnreadMark(u) => change(peer(&u.peer), DialogChangeKind::MarkedUnread(u.unread)),
        U::PinnedDialogs(u) => {
            let order = u.order.map(|order| order.iter().filter_map(peer).collect());
            change(None, DialogChangeKind::PinnedOrder(order))
        }
        // Of several at once the raw form is the plainer one.
        U::FolderPeers(u) if u.folder_peers.len() == 1 => {
            let Some(tl::enums::FolderPeer::Peer(of)) = u.folder_peers.first() else {
                return Err(U::FolderPeers(u));
            };
            let peer = Some(finder.find(PeerId::from(&of.peer)));
            change(peer, DialogChangeKind::Folder(of.folder_id))
        }
        U::DraftMessage(u) => {
            let (text, date) = match &u.draft {
                tl::enums::DraftMessage::Message(draft) => {
                    (Some(draft.message.clone()), Some(draft.date))
                }
                tl::enums::DraftMessage::Empty(empty) => (None, empty.date),
            };
            Update::Draft(Draft {
                peer: finder.find(PeerId::from(&u.peer)),
                topic: u.top_msg_id,
                text,
                date,
                raw: Raw::new(u.draft),
            })
        }
        other => return Err(other),
    })
}
