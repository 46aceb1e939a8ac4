//! Groups and channels: making them, joining, leaving, and who is in them.

mod participants;

use layer_tl_types as tl;

pub use participants::{Participant, ParticipantIter, Role};

use crate::client::{BoxFuture, Client};
use crate::error::{Error, Result};
use crate::messages::unexpected;
use crate::peers::{Peer, PeerKind, PeerRef};

impl Client {
    /// Makes a basic group with these users in it.
    ///
    /// # Errors
    /// When a user cannot be found, and what Telegram answers (`messages.createChat`).
    pub async fn create_group<P: Into<PeerRef>>(
        &self,
        title: impl Into<String>,
        users: impl IntoIterator<Item = P>,
    ) -> Result<Peer> {
        let users = users.into_iter().map(Into::into).collect();
        self.new_group(title.into(), users).await
    }

    /// Makes a supergroup.
    ///
    /// # Errors
    /// What Telegram answers (`channels.createChannel`).
    pub async fn create_supergroup(
        &self,
        title: impl Into<String>,
        about: impl Into<String>,
    ) -> Result<Peer> {
        self.new_channel(title.into(), about.into(), false).await
    }

    /// Makes a channel, where only its owners post.
    ///
    /// # Errors
    /// What Telegram answers (`channels.createChannel`).
    pub async fn create_channel(
        &self,
        title: impl Into<String>,
        about: impl Into<String>,
    ) -> Result<Peer> {
        self.new_channel(title.into(), about.into(), true).await
    }

    /// Adds users to a group, supergroup or channel.
    ///
    /// # Errors
    /// When a peer cannot be found, and what Telegram answers (`messages.addChatUser`,
    /// `channels.inviteToChannel`).
    pub async fn invite<P: Into<PeerRef>>(
        &self,
        chat: impl Into<PeerRef>,
        users: impl IntoIterator<Item = P>,
    ) -> Result<()> {
        let users = users.into_iter().map(Into::into).collect();
        self.add_users(chat.into(), users).await
    }

    /// Joins a public group or channel.
    ///
    /// # Errors
    /// When it cannot be found, and what Telegram answers (`channels.joinChannel`).
    pub async fn join(&self, chat: impl Into<PeerRef>) -> Result<()> {
        self.join_channel(chat.into()).await
    }

    /// Leaves a group or channel.
    ///
    /// # Errors
    /// When it cannot be found, and what Telegram answers (`channels.leaveChannel`,
    /// `messages.deleteChatUser`).
    pub async fn leave(&self, chat: impl Into<PeerRef>) -> Result<()> {
        self.leave_chat(chat.into()).await
    }

    /// Takes a user out of a basic group.
    ///
    /// # Errors
    /// When a peer cannot be found, and what Telegram answers (`messages.deleteChatUser`).
    pub async fn remove_from_group(
        &self,
        group: impl Into<PeerRef>,
        user: impl Into<PeerRef>,
    ) -> Result<()> {
        self.remove_user(group.into(), user.into()).await
    }

    fn new_group(&self, title: String, users: Vec<PeerRef>) -> BoxFuture<'_, Result<Peer>> {
        Box::pin(async move {
            let users = self.users(users).await?;
            let request = tl::functions::messages::CreateChat {
                users,
                title,
                ttl_period: None,
            };
            let tl::enums::messages::InvitedUsers::Users(invited) = self.invoke(&request).await?;
            self.absorb(invited.updates)
                .chat()
                .ok_or_else(|| unexpected("messages.createChat", "the new group was not shown"))
        })
    }

    fn new_channel(
        &self,
        title: String,
        about: String,
        broadcast: bool,
    ) -> BoxFuture<'_, Result<Peer>> {
        Box::pin(async move {
            let request = tl::functions::channels::CreateChannel {
                broadcast,
                megagroup: !broadcast,
                for_import: false,
                forum: false,
                title,
                about,
                geo_point: None,
                address: None,
                ttl_period: None,
            };
            self.absorb(self.invoke(&request).await?)
                .chat()
                .ok_or_else(|| unexpected("channels.createChannel", "the channel was not shown"))
        })
    }

    async fn users(&self, users: Vec<PeerRef>) -> Result<Vec<tl::enums::InputUser>> {
        let mut inputs = Vec::with_capacity(users.len());
        for user in users {
            inputs.push(self.resolve_user(user).await?);
        }
        Ok(inputs)
    }

    fn add_users(&self, chat: PeerRef, users: Vec<PeerRef>) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let chat = self.resolve(chat).await?;
            let users = self.users(users).await?;
            if let Some(channel) = chat.to_input_channel() {
                let request = tl::functions::channels::InviteToChannel { channel, users };
                let tl::enums::messages::InvitedUsers::Users(invited) =
                    self.invoke(&request).await?;
                self.absorb(invited.updates);
                return Ok(());
            }
            let chat_id = group_id(&chat)?;
            for user_id in users {
                let request = tl::functions::messages::AddChatUser {
                    chat_id,
                    user_id,
                    fwd_limit: 100,
                };
                let tl::enums::messages::InvitedUsers::Users(invited) =
                    self.invoke(&request).await?;
                self.absorb(invited.updates);
            }
            Ok(())
        })
    }

    fn join_channel(&self, chat: PeerRef) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let channel = self.channel(chat).await?;
            let request = tl::functions::channels::JoinChannel { channel };
            self.absorb(self.invoke(&request).await?);
            Ok(())
        })
    }

    fn leave_chat(&self, chat: PeerRef) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let chat = self.resolve(chat).await?;
            let updates = if let Some(channel) = chat.to_input_channel() {
                let request = tl::functions::channels::LeaveChannel { channel };
                self.invoke(&request).await?
            } else {
                let request = tl::functions::messages::DeleteChatUser {
                    revoke_history: false,
                    chat_id: group_id(&chat)?,
                    user_id: tl::enums::InputUser::UserSelf,
                };
                self.invoke(&request).await?
            };
            self.absorb(updates);
            Ok(())
        })
    }

    fn remove_user(&self, group: PeerRef, user: PeerRef) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let group = self.resolve(group).await?;
            let user_id = self.resolve_user(user).await?;
            let request = tl::functions::messages::DeleteChatUser {
                revoke_history: false,
                chat_id: group_id(&group)?,
                user_id,
            };
            self.absorb(self.invoke(&request).await?);
            Ok(())
        })
    }

    /// Resolves what must be a channel or supergroup.
    pub(crate) async fn channel(&self, chat: PeerRef) -> Result<tl::enums::InputChannel> {
        let chat = self.resolve(chat).await?;
        chat.to_input_channel()
            .ok_or_else(|| Error::input(format!("{:?} is not a channel", chat.key())))
    }
}

pub(crate) fn group_id(chat: &Peer) -> Result<i64> {
    if chat.kind() == PeerKind::Group {
        Ok(chat.id())
    } else {
        Err(Error::input(format!("{:?} is not a group", chat.key())))
    }
}
