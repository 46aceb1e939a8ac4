//! Acting as a person or a bot of the data centre, and looking at what is stored for them.
//!
//! What a handle does, happens to the others as if a program had done it: they are pushed updates, and it stands in
//! their differences.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use layer_tl_types::{Deserializable, LAYER, RemoteCall, enums, functions as f, types};
use tokio::sync::oneshot;

use crate::net::{Hub, Waiter, now};
use crate::rpc::{self, Call, Outcome, RpcError};
use crate::world::World;
use crate::world::auth::password::Password;
use crate::world::edit::Edit;
use crate::world::history::Window;
use crate::world::ids::{self, PeerId};
use crate::world::send::Draft;

/// Messages that are looked up for a dialog at most.
const MAX_MESSAGES: usize = 1_000;

/// An error of the API, as a client would get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The code, akin to HTTP's.
    pub code: i32,
    /// The name, with its number if it has one: `FLOOD_WAIT_5`.
    pub message: String,
}

impl ApiError {
    /// An error of this code and name.
    #[must_use]
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.message)
    }
}

impl std::error::Error for ApiError {}

impl From<RpcError> for ApiError {
    fn from(error: RpcError) -> Self {
        Self {
            code: error.code,
            message: error.message,
        }
    }
}

/// A person to be made.
#[derive(Clone, Debug, Default)]
pub struct NewUser {
    /// The phone number, in any way of writing it.
    pub phone: String,
    /// The first name.
    pub first_name: String,
    /// The last name, which may be empty.
    pub last_name: String,
    /// The username, without `@`.
    pub username: Option<String>,
    /// The data centre that the account lives on; the server's default when 0.
    pub dc_id: i32,
    /// Whether the account pays for Telegram Premium.
    pub premium: bool,
    /// The 2FA password that signing in asks for.
    pub password: Option<String>,
}

impl NewUser {
    /// A person with a number and a first name, and nothing else.
    #[must_use]
    pub fn named(phone: impl Into<String>, first_name: impl Into<String>) -> Self {
        Self {
            phone: phone.into(),
            first_name: first_name.into(),
            ..Self::default()
        }
    }
}

impl From<NewUser> for crate::world::NewUser {
    fn from(new: NewUser) -> Self {
        Self {
            phone: new.phone,
            first_name: new.first_name,
            last_name: new.last_name,
            username: new.username,
            home_dc: new.dc_id,
            premium: new.premium,
        }
    }
}

/// Somebody or something that messages can be exchanged with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Peer {
    /// A person or bot.
    User(i64),
    /// A basic group.
    Group(i64),
    /// A channel or supergroup.
    Channel(i64),
}

impl From<PeerId> for Peer {
    fn from(peer: PeerId) -> Self {
        match peer {
            PeerId::User(id) => Self::User(id),
            PeerId::Chat(id) => Self::Group(id),
            PeerId::Channel(id) => Self::Channel(id),
        }
    }
}

impl From<Peer> for PeerId {
    fn from(peer: Peer) -> Self {
        match peer {
            Peer::User(id) => Self::User(id),
            Peer::Group(id) => Self::Chat(id),
            Peer::Channel(id) => Self::Channel(id),
        }
    }
}

/// A message as it is stored for somebody.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StoredMessage {
    /// Its id for that somebody.
    pub id: i32,
    /// Whether they wrote it.
    pub outgoing: bool,
    /// Its text or caption; empty for service messages.
    pub text: String,
    /// Unix time.
    pub date: i32,
    /// All of it, as a client would get it.
    pub raw: enums::Message,
}

impl StoredMessage {
    fn new(raw: enums::Message) -> Self {
        let (id, outgoing, text, date) = match &raw {
            enums::Message::Empty(empty) => (empty.id, false, String::new(), 0),
            enums::Message::Message(m) => (m.id, m.out, m.message.clone(), m.date),
            enums::Message::Service(m) => (m.id, m.out, String::new(), m.date),
        };
        Self {
            id,
            outgoing,
            text,
            date,
            raw,
        }
    }
}

/// A person or bot of the data centre, to act as.
#[derive(Clone)]
pub struct UserHandle {
    pub(crate) hub: Arc<Hub>,
    pub(crate) id: i64,
}

impl UserHandle {
    pub(crate) fn new(hub: Arc<Hub>, id: i64) -> Self {
        Self { hub, id }
    }

    /// The account's id.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.id
    }

    /// The account as a peer of others.
    #[must_use]
    pub fn peer(&self) -> Peer {
        Peer::User(self.id)
    }

    /// The access hash by which this account knows `peer`, for calls built by hand.
    #[must_use]
    pub fn access_hash(&self, peer: Peer) -> i64 {
        self.hub.world().access_hash(self.id, peer.into())
    }

    /// Calls any method of the API in the account's name, without a connection or a key.
    ///
    /// # Errors
    /// The error that a client would get; `500 DEFERRED` for calls that wait for a bot, which
    /// [`UserHandle::invoke_later`] does.
    pub fn invoke<F: RemoteCall>(&self, request: &F) -> Result<F::Return, ApiError> {
        match self.dispatch(&request.to_bytes())? {
            Outcome::Ready(bytes) => decode(&bytes),
            Outcome::Deferred(_) => Err(ApiError::new(500, "DEFERRED")),
        }
    }

    /// As [`UserHandle::invoke`], and waits for the answer if a bot has to give it.
    ///
    /// # Errors
    /// The error that a client would get.
    pub async fn invoke_later<F: RemoteCall>(&self, request: &F) -> Result<F::Return, ApiError> {
        let (sender, receiver) = oneshot::channel();
        let bytes = request.to_bytes();
        let outcome = self.hub.act(|world| {
            let outcome = self.call(world, &bytes)?;
            if let Outcome::Deferred(ticket) = outcome {
                self.hub.wait_for(world, ticket, Waiter::Local(sender));
            }
            Ok::<_, RpcError>(outcome)
        })?;
        match outcome {
            Outcome::Ready(bytes) => decode(&bytes),
            Outcome::Deferred(_) => {
                let gone = |_| ApiError::new(500, "SERVER_STOPPED");
                decode(&receiver.await.map_err(gone)??)
            }
        }
    }

    fn dispatch(&self, bytes: &[u8]) -> Result<Outcome, ApiError> {
        Ok(self.hub.act(|world| self.call(world, bytes))?)
    }

    fn call(&self, world: &mut World, bytes: &[u8]) -> rpc::Reply {
        let dc_id = world.users.get(&self.id).map_or(0, |user| user.home_dc);
        let call = Call {
            auth_key_id: 0,
            session_id: 0,
            dc_id,
            user_id: Some(self.id),
            layer: LAYER,
            now: self.hub.clock.seconds(now()),
        };
        rpc::dispatch(world, &call, bytes)
    }

    // -- messages -----------------------------------------------------------------------------------------

    /// Sends a text. Returns the message's id for this account.
    ///
    /// # Errors
    /// The error that a client would get.
    pub fn send_message(&self, to: Peer, text: &str) -> Result<i32, ApiError> {
        self.send(
            to,
            Draft {
                text: text.to_owned(),
                ..Draft::default()
            },
        )
    }

    /// Sends a text with a keyboard or another markup under it, as bots do.
    ///
    /// # Errors
    /// The error that a client would get.
    pub fn send_with_markup(
        &self,
        to: Peer,
        text: &str,
        markup: enums::ReplyMarkup,
    ) -> Result<i32, ApiError> {
        let markup = Some(markup);
        self.send(
            to,
            Draft {
                text: text.to_owned(),
                markup,
                ..Draft::default()
            },
        )
    }

    /// Sends a text in answer to another message.
    ///
    /// # Errors
    /// The error that a client would get.
    pub fn reply(&self, to: Peer, message_id: i32, text: &str) -> Result<i32, ApiError> {
        let reply_to = Some(message_id);
        self.send(
            to,
            Draft {
                text: text.to_owned(),
                reply_to,
                ..Draft::default()
            },
        )
    }

    fn send(&self, to: Peer, draft: Draft) -> Result<i32, ApiError> {
        let sent = self
            .hub
            .act(|world| world.send(self.id, to.into(), draft))?;
        Ok(sent.id)
    }

    /// Changes the text of a message.
    ///
    /// # Errors
    /// The error that a client would get.
    pub fn edit_message(&self, peer: Peer, id: i32, text: &str) -> Result<(), ApiError> {
        let edit = Edit {
            text: Some(text.to_owned()),
            ..Edit::default()
        };
        self.hub
            .act(|world| world.edit(self.id, peer.into(), id, edit))?;
        Ok(())
    }

    /// Deletes messages, for everybody where that is possible.
    ///
    /// # Errors
    /// The error that a client would get.
    pub fn delete_messages(&self, peer: Peer, ids: &[i32]) -> Result<(), ApiError> {
        self.hub.act(|world| match peer {
            Peer::Channel(channel) => world.delete_in_channel(self.id, channel, ids).map(drop),
            _ => {
                world.delete(self.id, ids, true);
                Ok(())
            }
        })?;
        Ok(())
    }

    /// Marks everything in a dialog up to `max_id` as read.
    ///
    /// # Errors
    /// The error that a client would get.
    pub fn read(&self, peer: Peer, max_id: i32) -> Result<(), ApiError> {
        self.hub.act(|world| match peer {
            Peer::Channel(channel) => world.read_channel(self.id, channel, max_id).map(drop),
            _ => {
                world.read_history(self.id, peer.into(), max_id);
                Ok(())
            }
        })?;
        Ok(())
    }

    /// Presses a callback button under a bot's message, and waits for the bot's answer.
    ///
    /// # Errors
    /// The error that a client would get; `400 BOT_RESPONSE_TIMEOUT` when the bot is silent.
    pub async fn press(
        &self,
        peer: Peer,
        message_id: i32,
        data: &[u8],
    ) -> Result<types::messages::BotCallbackAnswer, ApiError> {
        let request = f::messages::GetBotCallbackAnswer {
            game: false,
            peer: self.input_peer(peer),
            msg_id: message_id,
            data: Some(data.to_vec()),
            password: None,
        };
        self.invoke_later(&request).await.map(Into::into)
    }

    /// The messages of a dialog as this account sees them, oldest first, the last 1,000 at most.
    #[must_use]
    pub fn messages(&self, peer: Peer) -> Vec<StoredMessage> {
        let mut messages: Vec<StoredMessage> = Vec::new();
        while messages.len() < MAX_MESSAGES {
            let offset_id = messages.last().map_or(0, |message| message.id);
            let window = Window {
                offset_id,
                limit: 100,
                ..Window::default()
            };
            let page = self
                .hub
                .look(|world| world.history(self.id, peer.into(), window, 0));
            let page = match page {
                enums::messages::Messages::Messages(list) => list.messages,
                enums::messages::Messages::Slice(list) => list.messages,
                enums::messages::Messages::ChannelMessages(list) => list.messages,
                enums::messages::Messages::NotModified(_) => vec![],
            };
            if page.is_empty() {
                break;
            }
            messages.extend(page.into_iter().map(StoredMessage::new));
        }
        messages.reverse();
        messages
    }

    /// Waits for the first message of a dialog that came from somebody else and has an id above `after` (0 for any),
    /// for `patience` at most.
    pub async fn wait_for_message(
        &self,
        peer: Peer,
        after: i32,
        patience: Duration,
    ) -> Option<StoredMessage> {
        let found = self.hub.until(|| {
            self.messages(peer)
                .into_iter()
                .find(|message| !message.outgoing && message.id > after)
        });
        tokio::time::timeout(patience, found).await.ok()
    }

    // -- chats --------------------------------------------------------------------------------------------

    /// Makes a basic group with others.
    ///
    /// # Errors
    /// The error that a client would get.
    pub fn create_group(&self, title: &str, members: &[&UserHandle]) -> Result<Peer, ApiError> {
        let members: Vec<i64> = members.iter().map(|user| user.id).collect();
        let sent = self
            .hub
            .act(|world| world.create_group(self.id, title, &members))?;
        Ok(sent.peer.into())
    }

    /// Makes a channel, in which only this account can post until it names others.
    ///
    /// # Errors
    /// The error that a client would get.
    pub fn create_channel(&self, title: &str) -> Result<Peer, ApiError> {
        let sent = self
            .hub
            .act(|world| world.create_channel(self.id, title, "", true))?;
        Ok(sent.peer.into())
    }

    /// Makes a supergroup.
    ///
    /// # Errors
    /// The error that a client would get.
    pub fn create_supergroup(&self, title: &str) -> Result<Peer, ApiError> {
        let sent = self
            .hub
            .act(|world| world.create_channel(self.id, title, "", false))?;
        Ok(sent.peer.into())
    }

    /// Brings others into a group, supergroup or channel.
    ///
    /// # Errors
    /// The error that a client would get.
    pub fn invite(&self, chat: Peer, members: &[&UserHandle]) -> Result<(), ApiError> {
        let members: Vec<i64> = members.iter().map(|user| user.id).collect();
        self.hub.act(|world| match chat {
            Peer::Channel(id) => world.invite_to_channel(self.id, id, &members).map(drop),
            Peer::Group(id) => members
                .iter()
                .try_for_each(|member| world.add_to_group(self.id, id, *member).map(drop)),
            Peer::User(_) => Err(RpcError::bad("CHAT_ID_INVALID")),
        })?;
        Ok(())
    }

    /// Joins a channel or supergroup.
    ///
    /// # Errors
    /// The error that a client would get.
    pub fn join(&self, chat: Peer) -> Result<(), ApiError> {
        self.hub.act(|world| match chat {
            Peer::Channel(id) => world.join_channel(self.id, id, None).map(drop),
            _ => Err(RpcError::bad("CHANNEL_INVALID")),
        })?;
        Ok(())
    }

    /// Leaves a group, supergroup or channel.
    ///
    /// # Errors
    /// The error that a client would get.
    pub fn leave(&self, chat: Peer) -> Result<(), ApiError> {
        self.hub.act(|world| match chat {
            Peer::Channel(id) => world.leave_channel(self.id, id),
            Peer::Group(id) => world.remove_from_group(self.id, id, self.id).map(drop),
            Peer::User(_) => Err(RpcError::bad("CHAT_ID_INVALID")),
        })?;
        Ok(())
    }

    /// A peer in the form that calls want it, with the access hash that this account has for it.
    #[must_use]
    pub fn input_peer(&self, peer: Peer) -> enums::InputPeer {
        let access_hash = self.access_hash(peer);
        match peer {
            Peer::User(user_id) => types::InputPeerUser {
                user_id,
                access_hash,
            }
            .into(),
            Peer::Group(chat_id) => types::InputPeerChat { chat_id }.into(),
            Peer::Channel(channel_id) => types::InputPeerChannel {
                channel_id,
                access_hash,
            }
            .into(),
        }
    }

    // -- the account --------------------------------------------------------------------------------------

    /// Sets the 2FA password that signing in asks for from now on.
    pub fn set_password(&self, password: &str, hint: &str) {
        let kdf = self.hub.world().auth.new_kdf();
        // Slow on purpose, so not under the world's lock.
        let stored = Password::from_text(password, kdf, hint);
        if let Ok(stored) = stored {
            self.hub
                .act(|world| world.auth.set_password(self.id, Some(stored)));
        }
    }

    /// Removes the 2FA password.
    pub fn remove_password(&self) {
        self.hub.act(|world| world.auth.set_password(self.id, None));
    }

    /// Moves the account to another data centre: its programs are told so by `USER_MIGRATE_n`.
    pub fn move_to(&self, dc_id: i32) {
        self.hub.act(|world| {
            if let Some(user) = world.users.get_mut(&self.id) {
                user.home_dc = dc_id;
            }
        });
    }

    /// Signs all programs of the account out: their calls are answered `401 SESSION_REVOKED`.
    pub fn revoke_sessions(&self) {
        self.hub.act(|world| {
            for key in world.auth.keys_of(self.id) {
                world.auth.revoke(key);
            }
        });
    }

    /// Lets the account pay for Telegram Premium, or no longer.
    pub fn set_premium(&self, premium: bool) {
        self.hub.act(|world| {
            if let Some(user) = world.users.get_mut(&self.id) {
                user.premium = premium;
            }
        });
    }

    /// How many programs are signed in as this account.
    #[must_use]
    pub fn login_count(&self) -> usize {
        self.hub.world().auth.devices_of(self.id).len()
    }

    /// Waits until a program is signed in as this account, for `patience` at most, and tells whether one is.
    pub async fn wait_for_login(&self, patience: Duration) -> bool {
        let found = self.hub.until(|| (self.login_count() > 0).then_some(()));
        tokio::time::timeout(patience, found).await.is_ok()
    }

    /// The account as it sees itself.
    #[must_use]
    pub fn user(&self) -> enums::User {
        self.hub.world().tl_user(self.id, self.id)
    }

    /// The content of a file that this server stores, by the id of its photo or document.
    #[must_use]
    pub fn file(&self, id: i64) -> Option<Vec<u8>> {
        let world = self.hub.world();
        world.files.get(id)?.original()?.to_vec().ok()
    }
}

impl fmt::Debug for UserHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserHandle")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A bot of the data centre. It can do what a [`UserHandle`] can, by [`BotHandle::user`] or by itself.
#[derive(Clone, Debug)]
pub struct BotHandle {
    user: UserHandle,
    token: String,
}

impl BotHandle {
    pub(crate) fn new(user: UserHandle, token: String) -> Self {
        Self { user, token }
    }

    /// The token by which programs sign in as the bot.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Switches the bot's privacy mode, as @BotFather's `/setprivacy` does: with it, and that is how bots begin, it sees
    /// of groups only what is meant for it, unless it is an administrator.
    pub fn set_privacy(&self, privacy: bool) {
        let id = self.user.id;
        self.user.hub.act(|world| world.set_privacy(id, privacy));
    }

    /// The bot as an account.
    #[must_use]
    pub fn user(&self) -> &UserHandle {
        &self.user
    }
}

impl std::ops::Deref for BotHandle {
    type Target = UserHandle;

    fn deref(&self) -> &UserHandle {
        &self.user
    }
}

/// The id of the built-in service account, which sends login codes.
pub const SERVICE_USER_ID: i64 = ids::SERVICE_ID;

fn decode<T: Deserializable>(bytes: &[u8]) -> Result<T, ApiError> {
    T::from_bytes(bytes).map_err(|_| ApiError::new(500, "UNEXPECTED_ANSWER"))
}
