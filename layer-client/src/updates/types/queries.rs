//! What users ask of bots.

use layer_tl_types as tl;

use super::{Update, user};
use crate::client::Client;
use crate::error::Result;
use crate::peers::{Finder, Peer, PeerId};

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
    inline_msg_id: Option<tl::enums::InputBotInlineMessageId>,
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
        self.inline_msg_id.as_ref()
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
    pub inline_msg_id: Option<tl::enums::InputBotInlineMessageId>,
}

pub(super) fn typed(
    update: tl::enums::Update,
    finder: &Finder<'_>,
) -> std::result::Result<Update, tl::enums::Update> {
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
            inline_msg_id: Some(u.msg_id),
            chat_instance: u.chat_instance,
            data: u.data,
            game: u.game_short_name,
        }),
        U::BotInlineQuery(u) => Update::InlineQuery(InlineQuery {
            query_id: u.query_id,
            sender: user(finder, u.user_id),
            query: u.query,
            offset: u.offset,
        }),
        U::BotInlineSend(u) => Update::ChosenInlineResult(ChosenInlineResult {
            sender: user(finder, u.user_id),
            query: u.query,
            result_id: u.id,
            inline_msg_id: u.msg_id,
        }),
        other => return Err(other),
    })
}
