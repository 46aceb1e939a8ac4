//! Fetching messages, and taking pages of them apart.

use std::collections::HashMap;
use std::sync::Arc;

use layer_tl_types as tl;

use super::Message;
use crate::client::{BoxFuture, Client};
use crate::error::Result;
use crate::peers::{PeerKind, PeerRef};

/// A page of messages, with what the server says about the whole.
#[derive(Default)]
pub(crate) struct Page {
    pub(crate) messages: Vec<Message>,
    /// How many there are in all, as far as the server tells.
    pub(crate) total: Option<usize>,
    /// Whether nothing comes after this page.
    pub(crate) complete: bool,
}

impl Client {
    /// Fetches messages by their ids. Those that do not exist (any more) are `None`.
    ///
    /// # Errors
    /// When the peer cannot be found, and what Telegram answers (`messages.getMessages`,
    /// `channels.getMessages`).
    pub async fn get_messages(
        &self,
        peer: impl Into<PeerRef>,
        msg_ids: &[i32],
    ) -> Result<Vec<Option<Message>>> {
        self.fetch_messages(peer.into(), msg_ids.to_vec()).await
    }

    pub(crate) fn fetch_messages(
        &self,
        peer: PeerRef,
        msg_ids: Vec<i32>,
    ) -> BoxFuture<'_, Result<Vec<Option<Message>>>> {
        Box::pin(async move {
            let peer = self.resolve(peer).await?;
            let mut found = HashMap::new();
            // The server takes at most 100 at once.
            for chunk in msg_ids.chunks(100) {
                let id = chunk
                    .iter()
                    .map(|&id| tl::types::InputMessageId { id }.into())
                    .collect();
                let answer = if let Some(channel) = peer.to_input_channel() {
                    let request = tl::functions::channels::GetMessages { channel, id };
                    self.invoke(&request).await?
                } else {
                    self.invoke(&tl::functions::messages::GetMessages { id })
                        .await?
                };
                let real = self.page(answer).messages.into_iter().filter(|message| {
                    // The common box does not know chats: an id of another one is no answer.
                    let chat = message.peer_id();
                    !matches!(message.raw(), tl::enums::Message::Empty(_))
                        && (peer.kind() == PeerKind::Channel || chat == Some(&peer))
                });
                found.extend(real.map(|message| (message.id(), message)));
            }
            Ok(msg_ids.iter().map(|id| found.get(id).cloned()).collect())
        })
    }

    /// Takes a page apart, and remembers its peers.
    pub(crate) fn page(&self, answer: tl::enums::messages::Messages) -> Page {
        use tl::enums::messages::Messages as M;
        let (messages, users, chats, total, complete) = match answer {
            M::Messages(page) => {
                let total = page.messages.len();
                (page.messages, page.users, page.chats, Some(total), true)
            }
            M::Slice(page) => {
                let total = usize::try_from(page.count).ok();
                (page.messages, page.users, page.chats, total, false)
            }
            M::ChannelMessages(page) => {
                let total = usize::try_from(page.count).ok();
                (page.messages, page.users, page.chats, total, false)
            }
            M::NotModified(_) => return Page::default(),
        };
        let peers = Arc::new(self.learn(&users, &chats));
        let finder = self.finder(&peers);
        Page {
            messages: messages
                .into_iter()
                .map(|message| Message::new(message, &finder))
                .collect(),
            total,
            complete,
        }
    }
}
