//! What bots see of the accounts that people connected them to (page `api/business`).

use layer_tl_types as tl;

use super::{Other, Update, user};
use crate::messages::Message;
use crate::peers::{Finder, Peer, PeerId};
use crate::raw::Raw;

/// Someone connected this bot to their account, changed what it may do there, or disconnected it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BusinessConnection {
    /// What calls on their behalf name (`invokeWithBusinessConnection`).
    pub id: String,
    /// Who.
    pub user: Peer,
    /// The data centre that such calls go to.
    pub dc_id: i32,
    /// When, Unix seconds.
    pub date: i32,
    /// Whether it is over.
    pub disabled: bool,
    /// What the bot may do; `None` for nothing.
    pub rights: Option<Raw<tl::types::BusinessBotRights>>,
}

/// A message in a chat of an account that this bot is connected to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BusinessMessage {
    /// Which connection.
    pub connection_id: String,
    /// The message.
    pub message: Message,
    /// The message that it answers, where there is one.
    pub reply_to: Option<Message>,
    /// Whether it is one that was changed.
    pub edited: bool,
}

/// Messages were deleted in a chat of an account that this bot is connected to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BusinessDeletion {
    /// Which connection.
    pub connection_id: String,
    /// The chat.
    pub peer: Peer,
    /// Which.
    pub msg_ids: Vec<i32>,
}

pub(super) fn typed(update: tl::enums::Update, finder: &Finder<'_>) -> Other {
    use tl::enums::Update as U;
    let message = |connection_id, message, reply_to: Option<tl::enums::Message>, edited| {
        Update::BusinessMessage(BusinessMessage {
            connection_id,
            message: Message::new(message, finder),
            reply_to: reply_to.map(|reply| Message::new(reply, finder)),
            edited,
        })
    };
    Ok(match update {
        U::BotBusinessConnect(u) => {
            let tl::enums::BotBusinessConnection::Connection(c) = u.connection;
            let rights = c.rights.map(|rights| {
                let tl::enums::BusinessBotRights::Rights(rights) = rights;
                Raw::new(rights)
            });
            Update::BusinessConnection(BusinessConnection {
                id: c.connection_id,
                user: user(finder, c.user_id),
                dc_id: c.dc_id,
                date: c.date,
                disabled: c.disabled,
                rights,
            })
        }
        U::BotNewBusinessMessage(u) => {
            message(u.connection_id, u.message, u.reply_to_message, false)
        }
        U::BotEditBusinessMessage(u) => {
            message(u.connection_id, u.message, u.reply_to_message, true)
        }
        U::BotDeleteBusinessMessage(u) => Update::BusinessDeletion(BusinessDeletion {
            connection_id: u.connection_id,
            peer: finder.find(PeerId::from(&u.peer)),
            msg_ids: u.messages,
        }),
        other => return Err(other),
    })
}
