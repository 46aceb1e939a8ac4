//! Which sequence an update belongs to, told from its own fields.
//!
//! The documentation knows four kinds: the common sequence (`pts`), the secondary one (`qts`), one `pts` per
//! channel, and those that have no number of their own and follow the packet's `seq`.

use layer_tl_types as tl;
use tl::enums::Update;

/// A box of events with a counter of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    /// Private chats and basic groups, and with them `qts` and `seq`: one difference serves all three.
    Common,
    /// One channel or supergroup, by its bare id.
    Channel(i64),
}

/// An update's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// In the common sequence: the state after it, and how many events it holds.
    Common { pts: i32, count: i32 },
    /// In the secondary sequence; always one event.
    Secondary { qts: i32 },
    /// In a channel's sequence.
    Channel { id: i64, pts: i32, count: i32 },
    /// The server asks us to fetch a channel's difference.
    ChannelTooLong { id: i64, pts: Option<i32> },
    /// No number of its own.
    None,
}

/// The channel that a message lies in, if it does.
pub(crate) fn channel_of_message(message: &tl::enums::Message) -> Option<i64> {
    let peer = match message {
        tl::enums::Message::Message(m) => Some(&m.peer_id),
        tl::enums::Message::Service(m) => Some(&m.peer_id),
        tl::enums::Message::Empty(m) => m.peer_id.as_ref(),
    };
    match peer {
        Some(tl::enums::Peer::Channel(c)) => Some(c.channel_id),
        _ => None,
    }
}

/// Tells an update's place.
pub(crate) fn order_of(update: &Update) -> Order {
    let (pts, count) = match update {
        Update::NewMessage(u) => (u.pts, u.pts_count),
        Update::DeleteMessages(u) => (u.pts, u.pts_count),
        Update::ReadHistoryInbox(u) => (u.pts, u.pts_count),
        Update::ReadHistoryOutbox(u) => (u.pts, u.pts_count),
        Update::WebPage(u) => (u.pts, u.pts_count),
        Update::ReadMessagesContents(u) => (u.pts, u.pts_count),
        Update::EditMessage(u) => (u.pts, u.pts_count),
        Update::FolderPeers(u) => (u.pts, u.pts_count),
        Update::PinnedMessages(u) => (u.pts, u.pts_count),
        _ => return other_order(update),
    };
    if pts == 0 {
        Order::None
    } else {
        Order::Common { pts, count }
    }
}

fn other_order(update: &Update) -> Order {
    let (id, pts, count) = match update {
        Update::NewChannelMessage(u) => (channel_of_message(&u.message), u.pts, u.pts_count),
        Update::EditChannelMessage(u) => (channel_of_message(&u.message), u.pts, u.pts_count),
        Update::DeleteChannelMessages(u) => (Some(u.channel_id), u.pts, u.pts_count),
        Update::ChannelWebPage(u) => (Some(u.channel_id), u.pts, u.pts_count),
        Update::PinnedChannelMessages(u) => (Some(u.channel_id), u.pts, u.pts_count),
        // The only numbered update without a count: it names a state that we must have reached.
        Update::ReadChannelInbox(u) => (Some(u.channel_id), u.pts, 0),
        Update::ChannelTooLong(u) => {
            return Order::ChannelTooLong {
                id: u.channel_id,
                pts: u.pts,
            };
        }
        _ => return secondary_order(update),
    };
    match id {
        Some(id) if pts != 0 => Order::Channel { id, pts, count },
        _ => Order::None,
    }
}

fn secondary_order(update: &Update) -> Order {
    let qts = match update {
        Update::NewEncryptedMessage(u) => u.qts,
        Update::MessagePollVote(u) => u.qts,
        Update::ChatParticipant(u) => u.qts,
        Update::ChannelParticipant(u) => u.qts,
        Update::BotStopped(u) => u.qts,
        Update::BotChatInviteRequester(u) => u.qts,
        Update::BotChatBoost(u) => u.qts,
        Update::BotMessageReaction(u) => u.qts,
        Update::BotMessageReactions(u) => u.qts,
        Update::BotBusinessConnect(u) => u.qts,
        Update::BotNewBusinessMessage(u) => u.qts,
        Update::BotEditBusinessMessage(u) => u.qts,
        Update::BotDeleteBusinessMessage(u) => u.qts,
        Update::BotPurchasedPaidMedia(u) => u.qts,
        _ => 0,
    };
    // 0 stands for "has no place": it orders nothing and resets nothing.
    if qts == 0 {
        Order::None
    } else {
        Order::Secondary { qts }
    }
}
