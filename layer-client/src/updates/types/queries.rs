//! What users ask of bots.

use layer_tl_types as tl;

use super::{Other, Update, user};
use crate::client::Client;
use crate::error::Result;
use crate::messages::Message;
use crate::peers::{Finder, Peer, PeerId};
use crate::raw::Raw;

/// Someone pressed a button. Answer it with [`Client::answer_callback_query`], or the user sees it
/// waiting.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallbackQuery {
    /// What the answer must name.
    pub query_id: i64,
    sender: Peer,
    peer: Option<Peer>,
    msg_id: Option<i32>,
    inline_msg_id: Option<Raw<tl::enums::InputBotInlineMessageId>>,
    business: Option<(String, Message)>,
    chat_instance: i64,
    data: Option<Vec<u8>>,
    game: Option<String>,
}

impl CallbackQuery {
    /// What the button holds; `None` for the button of a game.
    #[must_use]
    pub fn data(&self) -> Option<&[u8]> {
        self.data.as_deref()
    }

    /// Who pressed it.
    #[must_use]
    pub fn sender(&self) -> &Peer {
        &self.sender
    }

    /// The chat of the message; `None` for a message that was sent inline.
    #[must_use]
    pub fn peer(&self) -> Option<&Peer> {
        self.peer.as_ref()
    }

    /// The message that the button is under; `None` for one that was sent inline.
    #[must_use]
    pub fn msg_id(&self) -> Option<i32> {
        self.msg_id
    }

    /// The inline message that the button is under.
    #[must_use]
    pub fn inline_msg_id(&self) -> Option<&tl::enums::InputBotInlineMessageId> {
        self.inline_msg_id.as_deref()
    }

    /// The connection that it came by, for a message that the bot sent on behalf of someone
    /// (page `api/business`).
    #[must_use]
    pub fn business_connection_id(&self) -> Option<&str> {
        self.business.as_ref().map(|(id, _)| id.as_str())
    }

    /// The message that the button is under, where the server sends it along: for one that the bot
    /// sent on behalf of someone.
    #[must_use]
    pub fn message(&self) -> Option<&Message> {
        self.business.as_ref().map(|(_, message)| message)
    }

    /// A number that stands for the chat, the same for all presses there.
    #[must_use]
    pub fn chat_instance(&self) -> i64 {
        self.chat_instance
    }

    /// The short name of the game whose button it is.
    #[must_use]
    pub fn game(&self) -> Option<&str> {
        self.game.as_deref()
    }

    /// Answers it.
    ///
    /// # Errors
    /// As [`Client::answer_callback_query`].
    pub async fn answer(&self, client: &Client, text: Option<&str>, alert: bool) -> Result<()> {
        client
            .answer_callback_query(self.query_id, text, alert)
            .await
    }
}

/// Someone types after the bot's name. Answer it with [`Client::answer_inline_query`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InlineQuery {
    /// What the answer must name.
    pub query_id: i64,
    /// Who types.
    pub sender: Peer,
    /// What was typed.
    pub query: String,
    /// Where the results are to go on from, as the last answer said.
    pub offset: String,
    /// In what kind of chat, where the server tells.
    pub chat_kind: Option<InlineChat>,
    /// Where they are, latitude and longitude in degrees, if the bot asked to know and they let it.
    pub location: Option<(f64, f64)>,
}

impl InlineQuery {
    /// Answers it.
    ///
    /// # Errors
    /// As [`Client::answer_inline_query`].
    pub async fn answer(
        &self,
        client: &Client,
        results: Vec<tl::enums::InputBotInlineResult>,
        cache_seconds: i32,
    ) -> Result<()> {
        client
            .answer_inline_query(self.query_id, results, cache_seconds)
            .await
    }
}

/// In what kind of chat someone types after a bot's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InlineChat {
    /// The private chat with this bot.
    ThisBot,
    /// The private chat with another bot.
    OtherBot,
    /// Another private chat.
    Private,
    /// A basic group.
    Group,
    /// A supergroup.
    Supergroup,
    /// A channel.
    Channel,
}

impl From<&tl::enums::InlineQueryPeerType> for InlineChat {
    fn from(kind: &tl::enums::InlineQueryPeerType) -> Self {
        use tl::enums::InlineQueryPeerType as K;
        match kind {
            K::SameBotPm => Self::ThisBot,
            K::BotPm => Self::OtherBot,
            K::Pm => Self::Private,
            K::Chat => Self::Group,
            K::Megagroup => Self::Supergroup,
            K::Broadcast => Self::Channel,
        }
    }
}

fn location(point: &tl::enums::GeoPoint) -> Option<(f64, f64)> {
    match point {
        tl::enums::GeoPoint::Point(point) => Some((point.lat, point.long)),
        tl::enums::GeoPoint::Empty => None,
    }
}

/// Someone chose an inline result.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChosenInlineResult {
    /// Who chose.
    pub sender: Peer,
    /// What had been typed.
    pub query: String,
    /// The result's id.
    pub result_id: String,
    /// The message that came of it, if the bot may edit it.
    pub inline_msg_id: Option<Raw<tl::enums::InputBotInlineMessageId>>,
    /// Where they are, latitude and longitude in degrees, if the bot asked to know and they let it.
    pub location: Option<(f64, f64)>,
}

pub(super) fn typed(update: tl::enums::Update, finder: &Finder<'_>) -> Other {
    use tl::enums::Update as U;
    Ok(match update {
        U::BotCallbackQuery(u) => {
            let peer = finder.find(PeerId::from(&u.peer));
            let sender = finder.find_in_message(PeerId::user(u.user_id), &peer, u.msg_id);
            Update::CallbackQuery(CallbackQuery {
                query_id: u.query_id,
                sender,
                peer: Some(peer),
                msg_id: Some(u.msg_id),
                inline_msg_id: None,
                business: None,
                chat_instance: u.chat_instance,
                data: u.data,
                game: u.game_short_name,
            })
        }
        U::InlineBotCallbackQuery(u) => Update::CallbackQuery(CallbackQuery {
            query_id: u.query_id,
            sender: user(finder, u.user_id),
            peer: None,
            msg_id: None,
            inline_msg_id: Some(Raw::new(u.msg_id)),
            business: None,
            chat_instance: u.chat_instance,
            data: u.data,
            game: u.game_short_name,
        }),
        U::BusinessBotCallbackQuery(u) => {
            let message = Message::new(u.message, finder);
            Update::CallbackQuery(CallbackQuery {
                query_id: u.query_id,
                sender: user(finder, u.user_id),
                peer: message.peer_id().cloned(),
                msg_id: Some(message.id()),
                inline_msg_id: None,
                business: Some((u.connection_id, message)),
                chat_instance: u.chat_instance,
                data: u.data,
                game: None,
            })
        }
        U::BotInlineQuery(u) => Update::InlineQuery(InlineQuery {
            query_id: u.query_id,
            sender: user(finder, u.user_id),
            query: u.query,
            offset: u.offset,
            chat_kind: u.peer_type.as_ref().map(InlineChat::from),
            location: u.geo.as_ref().and_then(location),
        }),
        U::BotInlineSend(u) => Update::ChosenInlineResult(ChosenInlineResult {
            sender: user(finder, u.user_id),
            query: u.query,
            result_id: u.id,
            inline_msg_id: u.msg_id.map(Raw::new),
            location: u.geo.as_ref().and_then(location),
        }),
        other => return Err(other),
    })
}
