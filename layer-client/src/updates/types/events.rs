//! What happens around messages: deletions, reads, typing, members, reactions.

use layer_tl_types as tl;

use super::{Update, user};
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

/// A user came online or went.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UserStatus {
    /// Who.
    pub user: Peer,
    /// What they are now.
    pub status: tl::enums::UserStatus,
}

/// Someone types, records, uploads, or has stopped.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Typing {
    /// Where.
    pub peer: Peer,
    /// Who.
    pub sender: Peer,
    /// What exactly.
    pub action: tl::enums::SendMessageAction,
}

/// Messages were read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Read {
    /// Where.
    pub peer: Peer,
    /// Up to which message.
    pub max_id: i32,
    /// Whether it is the other side that has read what this account sent.
    pub outgoing: bool,
}

/// Someone's place in a chat changed: joined, left, was made an administrator. For bots.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ParticipantChange {
    /// The chat.
    pub chat: Peer,
    /// Whose place.
    pub user: Peer,
    /// Who changed it.
    pub actor: Peer,
    /// When, Unix seconds.
    pub date: i32,
    /// Whether they are in the chat now.
    pub is_member: bool,
    /// As the raw API has it, with the rights before and after.
    pub raw: Raw<tl::enums::Update>,
}

/// Someone asks to join a chat. For bots.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JoinRequest {
    /// The chat.
    pub chat: Peer,
    /// Who asks.
    pub user: Peer,
    /// What they say about themselves.
    pub about: String,
    /// When, Unix seconds.
    pub date: i32,
}

/// A user stopped the bot, or started it again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BotStopped {
    /// Who.
    pub user: Peer,
    /// Whether they stopped it.
    pub stopped: bool,
    /// When, Unix seconds.
    pub date: i32,
}

/// The reactions to a message changed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReactionChange {
    /// Where.
    pub peer: Peer,
    /// Which message.
    pub msg_id: i32,
    /// Who, where the server tells.
    pub actor: Option<Peer>,
    /// As the raw API has it, with the reactions themselves.
    pub raw: Raw<tl::enums::Update>,
}

/// Someone voted in a poll. For bots.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PollVote {
    /// Which poll.
    pub poll_id: i64,
    /// Who.
    pub voter: Peer,
    /// The options chosen; none when the vote was taken back.
    pub options: Vec<Vec<u8>>,
}

/// The server has more than it would tell.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Missed {
    /// The channel whose history is to be fetched; `None` for all private chats and basic groups.
    pub peer: Option<Peer>,
}

pub(super) fn typed(
    update: tl::enums::Update,
    finder: &Finder<'_>,
) -> Result<Update, tl::enums::Update> {
    use tl::enums::Update as U;
    let channel = |id| finder.find(PeerId::channel(id));
    Ok(match update {
        U::UserStatus(u) => {
            let status = UserStatus {
                user: user(finder, u.user_id),
                status: u.status,
            };
            Update::UserStatus(status)
        }
        U::UserTyping(u) => {
            let sender = user(finder, u.user_id);
            Update::Typing(Typing {
                peer: sender.clone(),
                sender,
                action: u.action,
            })
        }
        U::ChatUserTyping(u) => {
            let peer = finder.find(PeerId::group(u.chat_id));
            let sender = finder.find(PeerId::from(&u.from_id));
            Update::Typing(Typing {
                peer,
                sender,
                action: u.action,
            })
        }
        U::ChannelUserTyping(u) => {
            let peer = channel(u.channel_id);
            let sender = finder.find(PeerId::from(&u.from_id));
            Update::Typing(Typing {
                peer,
                sender,
                action: u.action,
            })
        }
        U::ReadHistoryInbox(u) => {
            let peer = finder.find(PeerId::from(&u.peer));
            Update::Read(Read {
                peer,
                max_id: u.max_id,
                outgoing: false,
            })
        }
        U::ReadHistoryOutbox(u) => {
            let peer = finder.find(PeerId::from(&u.peer));
            Update::Read(Read {
                peer,
                max_id: u.max_id,
                outgoing: true,
            })
        }
        U::ReadChannelInbox(u) => Update::Read(Read {
            peer: channel(u.channel_id),
            max_id: u.max_id,
            outgoing: false,
        }),
        U::ReadChannelOutbox(u) => Update::Read(Read {
            peer: channel(u.channel_id),
            max_id: u.max_id,
            outgoing: true,
        }),
        U::BotStopped(u) => {
            let (stopped, date) = (u.stopped, u.date);
            Update::BotStopped(BotStopped {
                user: user(finder, u.user_id),
                stopped,
                date,
            })
        }
        U::BotChatInviteRequester(u) => Update::JoinRequest(JoinRequest {
            chat: finder.find(PeerId::from(&u.peer)),
            user: user(finder, u.user_id),
            about: u.about,
            date: u.date,
        }),
        U::MessagePollVote(u) => {
            let voter = finder.find(PeerId::from(&u.peer));
            Update::PollVote(PollVote {
                poll_id: u.poll_id,
                voter,
                options: u.options,
            })
        }
        other => return with_raw(other, finder),
    })
}

/// Those that carry more than the fields here say.
fn with_raw(update: tl::enums::Update, finder: &Finder<'_>) -> Result<Update, tl::enums::Update> {
    use tl::enums::Update as U;
    let place = match &update {
        U::ChatParticipant(u) => {
            let chat = PeerId::group(u.chat_id);
            Some((
                chat,
                u.user_id,
                u.actor_id,
                u.date,
                u.new_participant.is_some(),
            ))
        }
        U::ChannelParticipant(u) => {
            let chat = PeerId::channel(u.channel_id);
            let is_member = u.new_participant.as_ref().is_some_and(|now| match now {
                tl::enums::ChannelParticipant::Banned(p) => !p.left,
                tl::enums::ChannelParticipant::Left(_) => false,
                _ => true,
            });
            Some((chat, u.user_id, u.actor_id, u.date, is_member))
        }
        _ => None,
    };
    if let Some((chat, user_id, actor_id, date, is_member)) = place {
        return Ok(Update::ParticipantChange(ParticipantChange {
            chat: finder.find(chat),
            user: user(finder, user_id),
            actor: user(finder, actor_id),
            date,
            is_member,
            raw: Raw::new(update),
        }));
    }
    let reaction = match &update {
        U::MessageReactions(u) => Some((PeerId::from(&u.peer), u.msg_id, None)),
        U::BotMessageReactions(u) => Some((PeerId::from(&u.peer), u.msg_id, None)),
        U::BotMessageReaction(u) => Some((
            PeerId::from(&u.peer),
            u.msg_id,
            Some(PeerId::from(&u.actor)),
        )),
        _ => None,
    };
    if let Some((peer, msg_id, actor)) = reaction {
        return Ok(Update::Reaction(ReactionChange {
            peer: finder.find(peer),
            msg_id,
            actor: actor.map(|id| finder.find(id)),
            raw: Raw::new(update),
        }));
    }
    Err(update)
}
