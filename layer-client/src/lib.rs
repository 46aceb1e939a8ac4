//! An async Telegram client for users and bots.

#![allow(dead_code)] // until the rooms are joined

mod auth;
mod chats;
mod client;
mod dialogs;
mod error;
pub mod files;
mod inline;
mod messages;
pub mod middleware;
mod net;
mod peers;
pub mod session;
pub mod text;
mod updates;

/// What happens, as types.
pub mod update {
    pub use crate::updates::UpdateStream;
    pub use crate::updates::types::{
        BotStopped, CallbackQuery, ChosenInlineResult, InlineQuery, JoinRequest, MessageDeletion,
        Missed, ParticipantChange, PollVote, ReactionChange, Read, Typing, Update, UserStatus,
    };
}

pub use auth::{CodeDelivery, LoginToken, PasswordToken, SignInError};
pub use chats::{Participant, ParticipantIter, Role};
pub use client::{Client, Config, DcAddress, MtProxy, RsaPublicKey, TransportKind, User};
pub use dialogs::{Dialog, DialogIter};
pub use error::{
    ConnectCause, ConnectError, DeserializeError, Error, RequestError, Result, RpcError, Terminal,
    TerminalReason, TimeoutError,
};
pub use layer_tl_types as tl;
pub use messages::{Button, InputMessage, Keyboard, Message, MessageFilter, MessageIter};
pub use peers::{Peer, PeerId, PeerKind, PeerRef};
