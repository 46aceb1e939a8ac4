//! Who is in a chat, and what the chat is.

use layer_tl_types as tl;

use super::{Other, Update, user};
use crate::chats::Role;
use crate::peers::{Finder, Peer, PeerId};
use crate::raw::Raw;

/// Someone's place in a chat changed: joined, left, was made an administrator. Bots are told of all
/// chats that they run, users of basic groups only (other chats tell by messages).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ParticipantChange {
    /// The chat.
    pub chat: Peer,
    /// Whose place.
    pub user: Peer,
    /// Who changed it, where that is told; it may be the user.
    pub actor: Option<Peer>,
    /// When, Unix seconds, where that is told.
    pub date: Option<i32>,
    /// What became of it.
    pub change: Membership,
    /// Their place before; `None` for someone who was not in the chat, or when it is not told.
    pub old: Option<Role>,
    /// Their place now; `None` for someone who is not in the chat.
    pub new: Option<Role>,
    /// The invite link that they came by.
    pub invite: Option<InviteLink>,
    /// As the raw API has it, with the rights before and after.
    pub raw: Raw<tl::enums::Update>,
}

impl ParticipantChange {
    /// Whether they are in the chat now.
    #[must_use]
    pub fn is_member(&self) -> bool {
        is_in(self.new)
    }
}

fn is_in(role: Option<Role>) -> bool {
    !matches!(role, None | Some(Role::Left | Role::Banned))
}

/// What became of someone's place in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Membership {
    /// Came by themselves, or by an invite link.
    Joined,
    /// Was brought in by someone.
    Added,
    /// Went.
    Left,
    /// Was put out, and may come back.
    Removed,
    /// Was put out, or kept out, for good.
    Banned,
    /// May come again.
    Unbanned,
    /// Was made an administrator.
    Promoted,
    /// Is no administrator any more.
    Demoted,
    /// May do less than before.
    Restricted,
    /// May do what everyone may again.
    Unrestricted,
    /// Is what they were, with other rights or another title.
    Changed,
}

/// An invite link that someone came by, or asks to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InviteLink {
    /// The link; to bots that may not see it, with dots in place of its end.
    Link(String),
    /// No link: they found the chat, and asked to join.
    PublicRequest,
}

fn invite_link(invite: &tl::enums::ExportedChatInvite) -> InviteLink {
    match invite {
        tl::enums::ExportedChatInvite::ChatInviteExported(invite) => {
            InviteLink::Link(invite.link.clone())
        }
        tl::enums::ExportedChatInvite::ChatInvitePublicJoinRequests => InviteLink::PublicRequest,
    }
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
    /// The link that they came by.
    pub invite: InviteLink,
    /// When, Unix seconds.
    pub date: i32,
}

/// How many ask to join a chat that this user runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PendingJoinRequests {
    /// The chat.
    pub chat: Peer,
    /// How many.
    pub count: i32,
    /// Those who asked last.
    pub recent: Vec<Peer>,
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

/// A chat was boosted, or a boost ended. For bots.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChatBoost {
    /// The chat.
    pub chat: Peer,
    /// Who boosted it; not told of a gift that nobody has taken.
    pub user: Option<Peer>,
    /// The boost's id.
    pub id: String,
    /// Since when, Unix seconds.
    pub date: i32,
    /// Until when, Unix seconds; in the past for one that ended.
    pub expires: i32,
    /// Whether it came of a gift or of a giveaway.
    pub gift: bool,
    /// For how many it counts.
    pub multiplier: i32,
}

/// A chat itself changed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChatChange {
    /// Which.
    pub chat: Peer,
    /// What.
    pub change: ChatChangeKind,
}

/// What changed about a chat.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ChatChangeKind {
    /// Something that is to be fetched (`messages.getChats`, `channels.getChannels`): this account
    /// came or went, the title or the rights changed.
    Anything,
    /// What everyone may do.
    DefaultRights(Raw<tl::enums::ChatBannedRights>),
    /// Messages delete themselves after so many seconds; `None` when they do not.
    AutoDelete(Option<i32>),
    /// Messages up to this one are gone for this account.
    Cleared(i32),
}

pub(super) fn typed(update: tl::enums::Update, finder: &Finder<'_>) -> Other {
    use tl::enums::Update as U;
    let peer = |peer: &tl::enums::Peer| finder.find(PeerId::from(peer));
    let group = |id| finder.find(PeerId::group(id));
    let channel = |id| finder.find(PeerId::channel(id));
    let chat = |chat, change| Update::ChatChange(ChatChange { chat, change });
    Ok(match update {
        U::BotStopped(u) => Update::BotStopped(BotStopped {
            user: user(finder, u.user_id),
            stopped: u.stopped,
            date: u.date,
        }),
        U::BotChatInviteRequester(u) => Update::JoinRequest(JoinRequest {
            chat: peer(&u.peer),
            user: user(finder, u.user_id),
            invite: invite_link(&u.invite),
            about: u.about,
            date: u.date,
        }),
        U::PendingJoinRequests(u) => Update::PendingJoinRequests(PendingJoinRequests {
            chat: peer(&u.peer),
            count: u.requests_pending,
            recent: u
                .recent_requesters
                .iter()
                .map(|&id| user(finder, id))
                .collect(),
        }),
        U::BotChatBoost(u) => {
            let tl::enums::Boost::Boost(boost) = u.boost;
            Update::ChatBoost(ChatBoost {
                chat: peer(&u.peer),
                user: boost.user_id.map(|id| user(finder, id)),
                date: boost.date,
                expires: boost.expires,
                gift: boost.gift || boost.giveaway,
                multiplier: boost.multiplier.unwrap_or(1),
                id: boost.id,
            })
        }
        U::Chat(u) => chat(group(u.chat_id), ChatChangeKind::Anything),
        U::Channel(u) => chat(channel(u.channel_id), ChatChangeKind::Anything),
        U::ChatDefaultBannedRights(u) => {
            let rights = Raw::new(u.default_banned_rights);
            chat(peer(&u.peer), ChatChangeKind::DefaultRights(rights))
        }
        U::PeerHistoryTtl(u) => chat(peer(&u.peer), ChatChangeKind::AutoDelete(u.ttl_period)),
        U::ChannelAvailableMessages(u) => {
            let kind = ChatChangeKind::Cleared(u.available_min_id);
            chat(channel(u.channel_id), kind)
        }
        other => return place(other, finder),
    })
}

/// A place before and after, as far as it is told.
#[derive(Default)]
struct Places {
    actor: Option<i64>,
    date: Option<i32>,
    old: Option<Role>,
    new: Option<Role>,
    invite: Option<InviteLink>,
    change: Option<Membership>,
}

fn place(update: tl::enums::Update, finder: &Finder<'_>) -> Other {
    use tl::enums::Update as U;
    let (chat, user_id, places) = match &update {
        U::ChatParticipant(u) => {
            let places = Places {
                actor: Some(u.actor_id),
                date: Some(u.date),
                old: u.prev_participant.as_ref().map(of_group),
                new: u.new_participant.as_ref().map(of_group),
                invite: u.invite.as_ref().map(invite_link),
                change: None,
            };
            (PeerId::group(u.chat_id), u.user_id, places)
        }
        U::ChannelParticipant(u) => {
            let places = Places {
                actor: Some(u.actor_id),
                date: Some(u.date),
                old: u.prev_participant.as_ref().map(of_channel),
                new: u.new_participant.as_ref().map(of_channel),
                invite: u.invite.as_ref().map(invite_link),
                change: None,
            };
            (PeerId::channel(u.channel_id), u.user_id, places)
        }
        U::ChatParticipantAdd(u) => {
            let places = Places {
                actor: Some(u.inviter_id),
                date: Some(u.date),
                new: Some(Role::Member),
                ..Places::default()
            };
            (PeerId::group(u.chat_id), u.user_id, places)
        }
        U::ChatParticipantDelete(u) => {
            // Whether they went or were put out is not told; the message about it does.
            let places = Places {
                old: Some(Role::Member),
                change: Some(Membership::Left),
                ..Places::default()
            };
            (PeerId::group(u.chat_id), u.user_id, places)
        }
        U::ChatParticipantAdmin(u) => {
            let (admin, member) = (Some(Role::Admin), Some(Role::Member));
            let (old, new) = if u.is_admin {
                (member, admin)
            } else {
                (admin, member)
            };
            let places = Places {
                old,
                new,
                ..Places::default()
            };
            (PeerId::group(u.chat_id), u.user_id, places)
        }
        _ => return Err(update),
    };
    let by_self = places.actor == Some(user_id) || places.invite.is_some();
    let change = places.change;
    let change = change.unwrap_or_else(|| membership(places.old, places.new, by_self));
    Ok(Update::ParticipantChange(ParticipantChange {
        chat: finder.find(chat),
        user: user(finder, user_id),
        actor: places.actor.map(|id| user(finder, id)),
        date: places.date,
        change,
        old: places.old,
        new: places.new,
        invite: places.invite,
        raw: Raw::new(update),
    }))
}

fn of_group(participant: &tl::enums::ChatParticipant) -> Role {
    use tl::enums::ChatParticipant as P;
    match participant {
        P::Participant(_) => Role::Member,
        P::Creator(_) => Role::Creator,
        P::Admin(_) => Role::Admin,
    }
}

fn of_channel(participant: &tl::enums::ChannelParticipant) -> Role {
    use tl::enums::ChannelParticipant as P;
    match participant {
        P::Participant(_) | P::ParticipantSelf(_) => Role::Member,
        P::Creator(_) => Role::Creator,
        P::Admin(_) => Role::Admin,
        P::Left(_) => Role::Left,
        P::Banned(banned) => {
            let tl::enums::ChatBannedRights::Rights(rights) = &banned.banned_rights;
            match (rights.view_messages, banned.left) {
                (true, _) => Role::Banned,
                (false, true) => Role::Left,
                (false, false) => Role::Restricted,
            }
        }
    }
}

fn membership(old: Option<Role>, new: Option<Role>, by_self: bool) -> Membership {
    let banned = |role| role == Some(Role::Banned);
    let runs = |role| matches!(role, Some(Role::Creator | Role::Admin));
    let restricted = |role| role == Some(Role::Restricted);
    match (is_in(old), is_in(new)) {
        (_, false) if banned(new) && !banned(old) => Membership::Banned,
        (false, true) if by_self => Membership::Joined,
        (false, true) => Membership::Added,
        (true, false) if by_self => Membership::Left,
        (true, false) => Membership::Removed,
        (false, false) if banned(old) && !banned(new) => Membership::Unbanned,
        (true, true) if runs(new) && !runs(old) => Membership::Promoted,
        (true, true) if restricted(new) => Membership::Restricted,
        (true, true) if runs(old) && !runs(new) => Membership::Demoted,
        (true, true) if restricted(old) && !runs(new) => Membership::Unrestricted,
        _ => Membership::Changed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_a_place_follows_from_the_places_before_and_after() {
        use Membership as M;
        use Role::{Admin, Banned, Creator, Left, Member, Restricted};
        for (old, new, by_self, expected) in [
            (None, Some(Member), true, M::Joined),
            (Some(Left), Some(Member), false, M::Added),
            (Some(Banned), Some(Member), false, M::Added),
            (Some(Member), None, true, M::Left),
            (Some(Admin), Some(Left), false, M::Removed),
            (Some(Member), Some(Banned), false, M::Banned),
            (None, Some(Banned), false, M::Banned),
            (Some(Banned), None, false, M::Unbanned),
            (Some(Banned), Some(Left), false, M::Unbanned),
            (Some(Member), Some(Admin), false, M::Promoted),
            (Some(Restricted), Some(Admin), false, M::Promoted),
            (Some(Admin), Some(Member), false, M::Demoted),
            (Some(Member), Some(Restricted), false, M::Restricted),
            (Some(Restricted), Some(Restricted), false, M::Restricted),
            (Some(Admin), Some(Restricted), false, M::Restricted),
            (Some(Restricted), Some(Member), false, M::Unrestricted),
            (Some(Admin), Some(Admin), false, M::Changed),
            (Some(Creator), Some(Admin), false, M::Changed),
            (Some(Member), Some(Member), false, M::Changed),
        ] {
            assert_eq!(membership(old, new, by_self), expected, "{old:?} {new:?}");
        }
    }
}
