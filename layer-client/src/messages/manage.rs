//! What one does with messages that exist: delete, read, pin, and the signs of life in a chat.

use layer_tl_types as tl;

use crate::client::{BoxFuture, Client};
use crate::error::Result;
use crate::peers::{PeerKind, PeerRef};
use crate::updates::Key;

impl Client {
    /// Deletes messages, for everyone in the chat, and tells how many events that was.
    ///
    /// # Errors
    /// When the peer cannot be found, and what Telegram answers (`messages.deleteMessages`,
    /// `channels.deleteMessages`).
    pub async fn delete_messages(
        &self,
        peer: impl Into<PeerRef>,
        msg_ids: &[i32],
    ) -> Result<usize> {
        self.delete(peer.into(), msg_ids.to_vec()).await
    }

    /// Marks a chat as read, up to the newest message.
    ///
    /// # Errors
    /// When the peer cannot be found, and what Telegram answers (`messages.readHistory`,
    /// `channels.readHistory`).
    pub async fn mark_as_read(&self, peer: impl Into<PeerRef>) -> Result<()> {
        self.read_up_to(peer.into(), 0).await
    }

    /// Marks a chat as read up to a message.
    ///
    /// # Errors
    /// As [`mark_as_read`](Self::mark_as_read).
    pub async fn mark_as_read_up_to(&self, peer: impl Into<PeerRef>, msg_id: i32) -> Result<()> {
        self.read_up_to(peer.into(), msg_id).await
    }

    /// Shows in a chat that this account is typing. It stays for about 6 seconds, or until a
    /// message is sent.
    ///
    /// # Errors
    /// When the peer cannot be found, and what Telegram answers (`messages.setTyping`).
    pub async fn send_typing(&self, peer: impl Into<PeerRef>) -> Result<()> {
        let action = tl::enums::SendMessageAction::SendMessageTypingAction;
        self.set_action(peer.into(), action).await
    }

    /// Shows in a chat what this account is doing.
    ///
    /// # Errors
    /// As [`send_typing`](Self::send_typing).
    pub async fn send_action(
        &self,
        peer: impl Into<PeerRef>,
        action: tl::enums::SendMessageAction,
    ) -> Result<()> {
        self.set_action(peer.into(), action).await
    }

    /// Pins a message, without a notification.
    ///
    /// # Errors
    /// When the peer cannot be found, and what Telegram answers (`messages.updatePinnedMessage`).
    pub async fn pin_message(&self, peer: impl Into<PeerRef>, msg_id: i32) -> Result<()> {
        self.set_pinned(peer.into(), msg_id, true).await
    }

    /// Takes a pinned message down.
    ///
    /// # Errors
    /// As [`pin_message`](Self::pin_message).
    pub async fn unpin_message(&self, peer: impl Into<PeerRef>, msg_id: i32) -> Result<()> {
        self.set_pinned(peer.into(), msg_id, false).await
    }

    fn delete(&self, peer: PeerRef, id: Vec<i32>) -> BoxFuture<'_, Result<usize>> {
        Box::pin(async move {
            let peer = self.resolve(peer).await?;
            let answer = if let Some(channel) = peer.to_input_channel() {
                let request = tl::functions::channels::DeleteMessages { channel, id };
                self.invoke(&request).await?
            } else {
                let request = tl::functions::messages::DeleteMessages { revoke: true, id };
                self.invoke(&request).await?
            };
            let key = if peer.kind() == PeerKind::Channel {
                Key::Channel(peer.id())
            } else {
                Key::Common
            };
            let tl::enums::messages::AffectedMessages::Messages(affected) = answer;
            self.inner
                .updates
                .handle_own(key, affected.pts, affected.pts_count);
            Ok(usize::try_from(affected.pts_count).unwrap_or(0))
        })
    }

    fn read_up_to(&self, peer: PeerRef, max_id: i32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let peer = self.resolve(peer).await?;
            if let Some(channel) = peer.to_input_channel() {
                let request = tl::functions::channels::ReadHistory { channel, max_id };
                self.invoke(&request).await?;
                return Ok(());
            }
            let peer = self.resolve_input(peer.into()).await?;
            let request = tl::functions::messages::ReadHistory { peer, max_id };
            let tl::enums::messages::AffectedMessages::Messages(affected) =
                self.invoke(&request).await?;
            self.inner
                .updates
                .handle_own(Key::Common, affected.pts, affected.pts_count);
            Ok(())
        })
    }

    fn set_action(
        &self,
        peer: PeerRef,
        action: tl::enums::SendMessageAction,
    ) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let peer = self.resolve_input(peer).await?;
            let request = tl::functions::messages::SetTyping {
                peer,
                top_msg_id: None,
                action,
            };
            self.invoke(&request).await.map(drop)
        })
    }

    fn set_pinned(&self, peer: PeerRef, id: i32, pinned: bool) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let peer = self.resolve_input(peer).await?;
            let request = tl::functions::messages::UpdatePinnedMessage {
                silent: true,
                unpin: !pinned,
                pm_oneside: false,
                peer,
                id,
            };
            self.absorb(self.invoke(&request).await?);
            Ok(())
        })
    }
}
