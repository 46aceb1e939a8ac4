//! `Update`: what happened, with its peers resolved from the packet that told it.

mod album;
mod business;
mod connection;
mod members;
mod messages;
mod missed;
mod payments;
mod people;
mod queries;
mod reactions;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use layer_tl_types as tl;

pub use album::Album;
pub use business::{BusinessConnection, BusinessDeletion, BusinessMessage};
pub use connection::ConnectionEvent;
pub use members::{
    BotStopped, ChatBoost, ChatChange, ChatChangeKind, InviteLink, JoinRequest, Membership,
    ParticipantChange, PendingJoinRequests,
};
pub use messages::{
    ContentsRead, DialogChange, DialogChangeKind, Draft, MessageCounters, MessageDeletion,
    PinnedMessages, Read, ScheduledDeletion,
};
pub use missed::Missed;
pub use payments::{PaidMediaPurchase, PreCheckoutQuery, ShippingQuery};
pub use people::{
    NewLogin, Presence, ServiceNotification, StoriesRead, StoryChange, Typing, TypingAction,
    UserChange, UserChangeKind, UserStatus,
};
pub use queries::{CallbackQuery, ChosenInlineResult, InlineChat, InlineQuery};
pub use reactions::{PollChange, PollVote, Reaction, ReactionChange, ReactionCount, StoryReaction};

use super::engine::{Key, Payload};
use crate::client::Client;
use crate::messages::Message;
use crate::peers::{Finder, Peer, PeerId, PeerMap};
use crate::raw::Raw;

/// [`Update`] and [`UpdateKind`], which have the same names.
macro_rules! updates {
    ($($(#[$doc:meta])* $kind:ident $(($content:ty))?,)*) => {
        /// Something that happened.
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub enum Update {
            $($(#[$doc])* $kind $(($content))?,)*
        }

        /// What kind of thing happened: the names of [`Update`] without what is in them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum UpdateKind {
            $($(#[$doc])* $kind,)*
        }

        impl Update {
            /// What kind of thing happened.
            #[must_use]
            pub fn kind(&self) -> UpdateKind {
                match self {
                    $(Self::$kind { .. } => UpdateKind::$kind,)*
                }
            }
        }
    };
}

updates! {
    /// A message arrived, or was sent from this account ([`Message::outgoing`]).
    NewMessage(Message),
    /// The messages of an album, together; only where
    /// [`StreamOptions::albums`](crate::update::StreamOptions::albums) asks for it.
    Album(Album),
    /// A message was changed.
    MessageEdited(Message),
    /// Messages were deleted.
    MessageDeleted(MessageDeletion),
    /// Messages were read, here or on the other side.
    Read(Read),
    /// What is in messages was listened to or looked at.
    ContentsRead(ContentsRead),
    /// Messages were pinned in a chat, or are no longer.
    PinnedMessages(PinnedMessages),
    /// A channel's post was seen or forwarded.
    MessageCounters(MessageCounters),
    /// A message is to be sent later.
    MessageScheduled(Message),
    /// Messages are not to be sent later any more, perhaps because they were.
    ScheduledDeleted(ScheduledDeletion),
    /// The draft in a chat changed.
    Draft(Draft),
    /// The list of chats changed.
    Dialog(DialogChange),
    /// The reactions to a message changed.
    Reaction(ReactionChange),
    /// Someone reacted to a story.
    StoryReaction(StoryReaction),
    /// The state of a poll changed.
    Poll(PollChange),
    /// Someone voted in a poll of this bot.
    PollVote(PollVote),
    /// Someone pressed a button under a message of this bot.
    CallbackQuery(CallbackQuery),
    /// Someone types after this bot's name.
    InlineQuery(InlineQuery),
    /// Someone chose one of this bot's inline results.
    ChosenInlineResult(ChosenInlineResult),
    /// Someone wants to know what it costs to send a thing.
    ShippingQuery(ShippingQuery),
    /// Someone is about to pay.
    PreCheckoutQuery(PreCheckoutQuery),
    /// Someone paid for media that this bot offered.
    PaidMediaPurchase(PaidMediaPurchase),
    /// Someone's place in a chat changed.
    ParticipantChange(ParticipantChange),
    /// Someone asks to join a chat that this bot runs.
    JoinRequest(JoinRequest),
    /// How many ask to join a chat that this user runs.
    PendingJoinRequests(PendingJoinRequests),
    /// A chat itself changed.
    ChatChange(ChatChange),
    /// A chat that this bot runs was boosted, or a boost ended.
    ChatBoost(ChatBoost),
    /// A user stopped this bot, or started it again.
    BotStopped(BotStopped),
    /// A user came online or went.
    UserStatus(UserStatus),
    /// Someone types, or does something like it.
    Typing(Typing),
    /// A user changed something about themselves.
    UserChange(UserChange),
    /// A story was posted, changed or deleted.
    Story(StoryChange),
    /// Stories were seen by this account.
    StoriesRead(StoriesRead),
    /// Someone connected this bot to their account, or disconnected it.
    BusinessConnection(BusinessConnection),
    /// A message arrived or was changed in an account that this bot is connected to.
    BusinessMessage(BusinessMessage),
    /// Messages were deleted in an account that this bot is connected to.
    BusinessDeletion(BusinessDeletion),
    /// The account was signed in somewhere else.
    NewLogin(NewLogin),
    /// Telegram has something to say to the person.
    ServiceNotification(ServiceNotification),
    /// More has happened than the server would tell.
    Missed(Missed),
    /// This stream was read too slowly and missed so many updates; only where
    /// [`StreamOptions::lossy`](crate::update::StreamOptions::lossy) allows it.
    Lagged(u64),
    /// The connection changed; only where
    /// [`StreamOptions::kinds`](crate::update::StreamOptions::kinds) names it.
    Connection(ConnectionEvent),
    /// The server sent something that could not be read; what it was is being fetched otherwise.
    Damaged,
    /// Anything else, as the raw API has it.
    Raw(Raw<tl::enums::Update>),
}

impl Update {
    /// The message that is new or was changed.
    #[must_use]
    pub fn message(&self) -> Option<&Message> {
        match self {
            Self::NewMessage(m) | Self::MessageEdited(m) | Self::MessageScheduled(m) => Some(m),
            Self::Album(album) => album.messages().first(),
            Self::BusinessMessage(business) => Some(&business.message),
            _ => None,
        }
    }

    /// The chat that it happened in, where there is one.
    #[must_use]
    pub fn peer(&self) -> Option<&Peer> {
        match self {
            Self::MessageDeleted(u) => u.peer.as_ref(),
            Self::Read(u) => Some(&u.peer),
            Self::ContentsRead(u) => u.peer.as_ref(),
            Self::PinnedMessages(u) => Some(&u.peer),
            Self::MessageCounters(u) => Some(&u.peer),
            Self::ScheduledDeleted(u) => Some(&u.peer),
            Self::Draft(u) => Some(&u.peer),
            Self::Dialog(u) => u.peer.as_ref(),
            Self::Reaction(u) => Some(&u.peer),
            Self::CallbackQuery(u) => u.peer(),
            Self::ParticipantChange(u) => Some(&u.chat),
            Self::JoinRequest(u) => Some(&u.chat),
            Self::PendingJoinRequests(u) => Some(&u.chat),
            Self::ChatChange(u) => Some(&u.chat),
            Self::ChatBoost(u) => Some(&u.chat),
            Self::Typing(u) => Some(&u.peer),
            Self::BusinessDeletion(u) => Some(&u.peer),
            Self::Missed(u) => u.peer.as_ref(),
            _ => self.message()?.peer_id(),
        }
    }

    /// Who did it, where that is told.
    #[must_use]
    pub fn sender(&self) -> Option<&Peer> {
        match self {
            Self::Reaction(u) => u.actor.as_ref(),
            Self::StoryReaction(u) => (!u.outgoing).then_some(&u.peer),
            Self::PollVote(u) => Some(&u.voter),
            Self::CallbackQuery(u) => Some(u.sender()),
            Self::InlineQuery(u) => Some(&u.sender),
            Self::ChosenInlineResult(u) => Some(&u.sender),
            Self::ShippingQuery(u) => Some(&u.user),
            Self::PreCheckoutQuery(u) => Some(&u.user),
            Self::PaidMediaPurchase(u) => Some(&u.user),
            Self::ParticipantChange(u) => u.actor.as_ref(),
            Self::JoinRequest(u) => Some(&u.user),
            Self::ChatBoost(u) => u.user.as_ref(),
            Self::BotStopped(u) => Some(&u.user),
            Self::UserStatus(u) => Some(&u.user),
            Self::Typing(u) => Some(&u.sender),
            Self::UserChange(u) => Some(&u.user),
            Self::Story(u) => Some(&u.peer),
            Self::BusinessConnection(u) => Some(&u.user),
            _ => self.message()?.sender(),
        }
    }

    /// Whether it is a message that this account sent.
    #[must_use]
    pub fn outgoing(&self) -> bool {
        self.message().is_some_and(Message::outgoing)
    }
}

/// What a part of this module makes of an update, or the update when it is not for that part.
type Other = Result<Update, tl::enums::Update>;

/// A delivery of the engine as the user sees it; `None` when there is nothing to see.
pub(crate) fn of_payload(
    payload: Payload,
    peers: &Arc<PeerMap>,
    client: Option<&Client>,
) -> Option<Update> {
    let nobody = PeerMap::default();
    let finder = match client {
        Some(client) => client.finder(peers),
        None => Finder {
            packet: if peers.is_empty() { &nobody } else { peers },
            cache: None,
            me: 0,
        },
    };
    match payload {
        Payload::Nothing => None,
        Payload::Malformed => Some(Update::Damaged),
        Payload::Missed(Key::Common) => Some(Update::Missed(Missed::unknown())),
        Payload::Missed(Key::Channel(id)) => {
            let peer = finder.find(PeerId::channel(id));
            Some(Update::Missed(Missed {
                chats: vec![peer.clone()],
                peer: Some(peer),
                complete: true,
            }))
        }
        Payload::Update(update) => Some(typed(update, &finder)),
    }
}

fn typed(update: tl::enums::Update, finder: &Finder<'_>) -> Update {
    messages::typed(update, finder)
        .or_else(|update| queries::typed(update, finder))
        .or_else(|update| people::typed(update, finder))
        .or_else(|update| members::typed(update, finder))
        .or_else(|update| reactions::typed(update, finder))
        .or_else(|update| payments::typed(update, finder))
        .or_else(|update| business::typed(update, finder))
        .unwrap_or_else(|update| Update::Raw(Raw::new(update)))
}

/// Shorthand for the modules below.
fn user(finder: &Finder<'_>, id: i64) -> Peer {
    finder.find(PeerId::user(id))
}
