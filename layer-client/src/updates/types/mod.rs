//! `Update`: what happened, with its peers resolved from the packet that told it.

mod album;
mod connection;
mod events;
mod queries;

use std::sync::Arc;

use layer_tl_types as tl;

pub use album::Album;
pub use connection::ConnectionEvent;
pub use events::{
    BotStopped, JoinRequest, MessageDeletion, Missed, ParticipantChange, PollVote, ReactionChange,
    Read, Typing, UserStatus,
};
pub use queries::{CallbackQuery, ChosenInlineResult, InlineQuery};

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
    /// Someone pressed a button under a message of this bot.
    CallbackQuery(CallbackQuery),
    /// Someone types after this bot's name.
    InlineQuery(InlineQuery),
    /// Someone chose one of this bot's inline results.
    ChosenInlineResult(ChosenInlineResult),
    /// A user came online or went.
    UserStatus(UserStatus),
    /// Someone types, or does something like it.
    Typing(Typing),
    /// Messages were read, here or on the other side.
    Read(Read),
    /// Someone's place in a chat changed.
    ParticipantChange(ParticipantChange),
    /// Someone asks to join a chat that this bot runs.
    JoinRequest(JoinRequest),
    /// A user stopped this bot, or started it again.
    BotStopped(BotStopped),
    /// The reactions to a message changed.
    Reaction(ReactionChange),
    /// Someone voted in a poll of this bot.
    PollVote(PollVote),
    /// More has happened than the server would tell: fetch the chat's history to be complete.
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
            Self::NewMessage(message) | Self::MessageEdited(message) => Some(message),
            Self::Album(album) => album.messages().first(),
            _ => None,
        }
    }

    /// The chat that it happened in, where there is one.
    #[must_use]
    pub fn peer(&self) -> Option<&Peer> {
        match self {
            Self::NewMessage(message) | Self::MessageEdited(message) => message.peer_id(),
            Self::Album(album) => album.peer_id(),
            Self::MessageDeleted(deletion) => deletion.peer.as_ref(),
            Self::CallbackQuery(query) => query.peer(),
            Self::Typing(typing) => Some(&typing.peer),
            Self::Read(read) => Some(&read.peer),
            Self::ParticipantChange(change) => Some(&change.chat),
            Self::JoinRequest(request) => Some(&request.chat),
            Self::Reaction(change) => Some(&change.peer),
            Self::Missed(missed) => missed.peer.as_ref(),
            _ => None,
        }
    }

    /// Who did it, where that is told.
    #[must_use]
    pub fn sender(&self) -> Option<&Peer> {
        match self {
            Self::NewMessage(message) | Self::MessageEdited(message) => message.sender(),
            Self::Album(album) => album.sender(),
            Self::CallbackQuery(query) => Some(query.sender()),
            Self::InlineQuery(query) => Some(&query.sender),
            Self::ChosenInlineResult(result) => Some(&result.sender),
            Self::UserStatus(status) => Some(&status.user),
            Self::Typing(typing) => Some(&typing.sender),
            Self::ParticipantChange(change) => Some(&change.actor),
            Self::JoinRequest(request) => Some(&request.user),
            Self::BotStopped(stopped) => Some(&stopped.user),
            Self::Reaction(change) => change.actor.as_ref(),
            Self::PollVote(vote) => Some(&vote.voter),
            _ => None,
        }
    }

    /// Whether it is a message that this account sent.
    #[must_use]
    pub fn outgoing(&self) -> bool {
        self.message().is_some_and(Message::outgoing)
    }
}

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
        Payload::Missed(Key::Common) => Some(Update::Missed(Missed { peer: None })),
        Payload::Missed(Key::Channel(id)) => {
            let peer = finder.find(PeerId::channel(id));
            Some(Update::Missed(Missed { peer: Some(peer) }))
        }
        Payload::Update(update) => Some(typed(update, &finder)),
    }
}

fn typed(update: tl::enums::Update, finder: &Finder<'_>) -> Update {
    use tl::enums::Update as U;
    match update {
        U::NewMessage(u) => Update::NewMessage(Message::new(u.message, finder)),
        U::NewChannelMessage(u) => Update::NewMessage(Message::new(u.message, finder)),
        U::EditMessage(u) => Update::MessageEdited(Message::new(u.message, finder)),
        U::EditChannelMessage(u) => Update::MessageEdited(Message::new(u.message, finder)),
        U::DeleteMessages(u) => Update::MessageDeleted(MessageDeletion {
            peer: None,
            msg_ids: u.messages,
        }),
        U::DeleteChannelMessages(u) => {
            let peer = Some(finder.find(PeerId::channel(u.channel_id)));
            Update::MessageDeleted(MessageDeletion {
                peer,
                msg_ids: u.messages,
            })
        }
        update => queries::typed(update, finder)
            .or_else(|update| events::typed(update, finder))
            .unwrap_or_else(|update| Update::Raw(Raw::new(update))),
    }
}

/// Shorthand for the modules below.
fn user(finder: &Finder<'_>, id: i64) -> Peer {
    finder.find(PeerId::user(id))
}
