//! The list of chats, in the order that Telegram shows them.

use std::collections::{HashMap, HashSet, VecDeque};

use layer_tl_types as tl;

use crate::client::{BoxFuture, Client};
use crate::error::Result;
use crate::messages::Message;
use crate::peers::{Peer, PeerId, PeerKind};
use crate::raw::Raw;

/// The most that the server gives at once.
const PAGE: usize = 100;

/// One chat of the list.
#[derive(Clone, Debug)]
pub struct Dialog {
    peer: Peer,
    last_message: Option<Message>,
    raw: Raw<tl::types::Dialog>,
}

impl Dialog {
    /// The chat.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.peer.name()
    }

    /// Its newest message.
    #[must_use]
    pub fn last_message(&self) -> Option<&Message> {
        self.last_message.as_ref()
    }

    /// How many messages were not read.
    #[must_use]
    pub fn unread_count(&self) -> i32 {
        self.raw.unread_count
    }

    /// Whether it is pinned to the top.
    #[must_use]
    pub fn pinned(&self) -> bool {
        self.raw.pinned
    }

    /// What the raw API says.
    #[must_use]
    pub fn raw(&self) -> &tl::types::Dialog {
        &self.raw
    }
}

/// The list of chats, page by page. Made by [`Client::iter_dialogs`].
#[must_use]
pub struct DialogIter {
    client: Client,
    limit: usize,
    page: usize,
    given: usize,
    offset_date: i32,
    offset_id: i32,
    offset_peer: tl::enums::InputPeer,
    first: bool,
    /// A chat that gets a message while we iterate moves to the front; the pages overlap then.
    seen: HashSet<PeerId>,
    buffer: VecDeque<Dialog>,
    total: Option<usize>,
    done: bool,
}

impl Client {
    /// Iterates over the chats of this account, pinned ones first, then those with the newest
    /// messages. Each comes once. Not for bots.
    pub fn iter_dialogs(&self) -> DialogIter {
        DialogIter {
            client: self.clone(),
            limit: usize::MAX,
            page: PAGE,
            given: 0,
            offset_date: 0,
            offset_id: 0,
            offset_peer: tl::enums::InputPeer::Empty,
            first: true,
            seen: HashSet::new(),
            buffer: VecDeque::new(),
            total: None,
            done: false,
        }
    }
}

impl DialogIter {
    /// At most so many chats.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// So many a request, at most 100.
    pub fn page_size(mut self, size: usize) -> Self {
        self.page = size.clamp(1, PAGE);
        self
    }

    /// The next chat; `None` after the last.
    ///
    /// # Errors
    /// What Telegram answers (`messages.getDialogs`). The next call tries again.
    pub async fn next(&mut self) -> Result<Option<Dialog>> {
        while self.buffer.is_empty() && !self.done && self.given < self.limit {
            self.fetch().await?;
        }
        if self.given >= self.limit {
            return Ok(None);
        }
        let dialog = self.buffer.pop_front();
        self.given += usize::from(dialog.is_some());
        Ok(dialog)
    }

    /// How many chats there are in all, as far as the server tells.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn total(&mut self) -> Result<Option<usize>> {
        if self.total.is_none() && !self.done {
            self.fetch().await?;
        }
        Ok(self.total)
    }

    /// All that are left, in one list.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn collect(mut self) -> Result<Vec<Dialog>> {
        let mut all = Vec::new();
        while let Some(dialog) = self.next().await? {
            all.push(dialog);
        }
        Ok(all)
    }

    fn fetch(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let request = tl::functions::messages::GetDialogs {
                // Pinned chats come with the first page only.
                exclude_pinned: !self.first,
                folder_id: None,
                offset_date: self.offset_date,
                offset_id: self.offset_id,
                offset_peer: self.offset_peer.clone(),
                limit: i32::try_from(self.page).unwrap_or(100),
                hash: 0,
            };
            let answer = self.client.invoke(&request).await?;
            self.first = false;
            self.take(answer);
            Ok(())
        })
    }

    fn take(&mut self, answer: tl::enums::messages::Dialogs) {
        use tl::enums::messages::Dialogs as D;
        let (dialogs, messages, users, chats, total) = match answer {
            D::Dialogs(page) => {
                self.done = true;
                let total = page.dialogs.len();
                (page.dialogs, page.messages, page.users, page.chats, total)
            }
            D::Slice(page) => {
                let total = usize::try_from(page.count).unwrap_or(0);
                (page.dialogs, page.messages, page.users, page.chats, total)
            }
            D::NotModified(_) => {
                self.done = true;
                return;
            }
        };
        self.total = self.total.or(Some(total));
        let peers = self.client.learn(&users, &chats);
        let finder = self.client.finder(&peers);
        let messages: HashMap<(PeerId, i32), Message> = messages
            .into_iter()
            .map(|raw| Message::new(raw, &finder))
            .filter_map(|message| Some(((message.peer_id()?.key(), message.id()), message)))
            .collect();
        let (mut new, mut moved) = (false, false);
        for dialog in dialogs {
            let tl::enums::Dialog::Dialog(raw) = dialog else {
                continue;
            };
            let id = PeerId::from(&raw.peer);
            let peer = finder.find(id);
            if let (PeerKind::Channel, Some(pts)) = (id.kind(), raw.pts) {
                self.client.inner.updates.note_channel(id.bare(), pts);
            }
            let last_message = messages.get(&(id, raw.top_message)).cloned();
            // The next page begins after the last chat whose newest message we know.
            if let (Some(message), Some(input)) = (&last_message, peer.to_input())
                && !raw.pinned
            {
                moved = true;
                self.offset_date = message.date();
                self.offset_id = message.id();
                self.offset_peer = input;
            }
            if self.seen.insert(id) {
                new = true;
                self.buffer.push_back(Dialog {
                    peer,
                    last_message,
                    raw: Raw::new(*raw),
                });
            }
        }
        // Nothing new, or nowhere to go on from: the end, whatever the count says.
        self.done |= !new || !moved;
    }
}
