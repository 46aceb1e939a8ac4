//! What a [`UserHandle`] can do to others in chats, and to messages: administrators, bans, blocks, reactions.

use layer_tl_types::{enums, types};

use crate::handles::{ApiError, Peer, UserHandle};
use crate::rpc::RpcError;
use crate::world::blank;
use crate::world::channels::all_rights;

/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use layer_test_server::{NewUser, Server};
///
/// let server = Server::builder().start().await?;
/// let ann = server.add_user(NewUser::named("+15550001", "Ann"));
/// let bob = server.add_user(NewUser::named("+15550002", "Bob"));
/// let bot = server.add_bot(&ann, "Guard", "guard_bot");
/// let chat = ann.create_supergroup("Us")?;
/// ann.invite(chat, &[&bob])?;
/// ann.promote(chat, &bot)?;
/// let id = bob.send_message(chat, "hello")?;
/// ann.react(chat, id, "👍")?;
/// ann.ban(chat, &bob)?;
/// // The bot was told of each: it came, it rose, there was a reaction, somebody was banned.
/// assert_eq!(bot.expected().qts, 4);
/// # server.shutdown().await;
/// # Ok(()) }
/// ```
impl UserHandle {
    /// Makes somebody an administrator with all rights; in a channel or supergroup also whoever is not in it yet.
    ///
    /// # Errors
    /// The error that a client would get.
    pub fn promote(&self, chat: Peer, user: &UserHandle) -> Result<(), ApiError> {
        self.set_admin(chat, user, true)
    }

    /// Makes an administrator an ordinary member again.
    ///
    /// # Errors
    /// The error that a client would get.
    pub fn demote(&self, chat: Peer, user: &UserHandle) -> Result<(), ApiError> {
        self.set_admin(chat, user, false)
    }

    fn set_admin(&self, chat: Peer, user: &UserHandle, admin: bool) -> Result<(), ApiError> {
        let rights = if admin {
            all_rights()
        } else {
            blank::no_admin_rights()
        };
        self.hub.act(|world| match chat {
            Peer::Channel(id) => world.set_admin(self.id, id, user.id, rights, None),
            Peer::Group(id) => world.set_group_admin(self.id, id, user.id, admin),
            Peer::User(_) => Err(RpcError::bad("CHAT_ID_INVALID")),
        })?;
        Ok(())
    }

    /// Takes somebody out of a chat; of a channel or supergroup they can see nothing from then on.
    ///
    /// # Errors
    /// The error that a client would get.
    pub fn ban(&self, chat: Peer, user: &UserHandle) -> Result<(), ApiError> {
        let rights = types::ChatBannedRights {
            view_messages: true,
            ..blank::no_banned_rights(0)
        };
        self.hub.act(|world| match chat {
            Peer::Channel(id) => world.set_banned(self.id, id, user.id, rights).map(drop),
            Peer::Group(id) => world.remove_from_group(self.id, id, user.id).map(drop),
            Peer::User(_) => Err(RpcError::bad("CHAT_ID_INVALID")),
        })?;
        Ok(())
    }

    /// Lets somebody who was banned from a channel or supergroup come back.
    ///
    /// # Errors
    /// The error that a client would get.
    pub fn unban(&self, chat: Peer, user: &UserHandle) -> Result<(), ApiError> {
        let rights = blank::no_banned_rights(0);
        self.hub.act(|world| match chat {
            Peer::Channel(id) => world.set_banned(self.id, id, user.id, rights).map(drop),
            _ => Err(RpcError::bad("CHANNEL_INVALID")),
        })?;
        Ok(())
    }

    /// Blocks somebody, which stops a bot.
    pub fn block(&self, user: &UserHandle) {
        self.hub
            .act(|world| world.set_blocked(self.id, Peer::User(user.id).into(), true));
    }

    /// Blocks somebody no more, which starts a bot again.
    pub fn unblock(&self, user: &UserHandle) {
        self.hub
            .act(|world| world.set_blocked(self.id, Peer::User(user.id).into(), false));
    }

    /// Reacts to a message with an emoji, in place of what the account thought of it before; with an empty one it takes
    /// that back.
    ///
    /// # Errors
    /// The error that a client would get.
    pub fn react(&self, peer: Peer, message_id: i32, emoji: &str) -> Result<(), ApiError> {
        let reaction = |emoji: &str| -> enums::Reaction {
            let emoticon = emoji.to_owned();
            types::ReactionEmoji { emoticon }.into()
        };
        let given = (!emoji.is_empty()).then(|| reaction(emoji));
        let reactions = given.into_iter().collect();
        self.hub
            .act(|world| world.react(self.id, peer.into(), message_id, reactions, false))?;
        Ok(())
    }
}
