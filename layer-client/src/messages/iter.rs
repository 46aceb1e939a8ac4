//! `MessageIter`: a chat's messages from the newest to the oldest, page by page.

use std::collections::VecDeque;

use layer_tl_types as tl;

use super::Message;
use super::fetch::Page;
use crate::client::{BoxFuture, Client};
use crate::error::Result;
use crate::peers::PeerRef;

/// The most that the server gives at once.
const PAGE: usize = 100;

/// What a search is limited to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageFilter {
    /// Everything.
    #[default]
    All,
    /// Photos.
    Photos,
    /// Videos.
    Videos,
    /// Photos and videos.
    PhotosAndVideos,
    /// Files.
    Documents,
    /// Links.
    Links,
    /// Voice messages.
    Voice,
    /// Music.
    Music,
    /// Mentions of this account.
    Mentions,
    /// Pinned messages.
    Pinned,
}

impl MessageFilter {
    fn to_raw(self) -> tl::enums::MessagesFilter {
        use tl::enums::MessagesFilter as F;
        match self {
            Self::All => F::InputMessagesFilterEmpty,
            Self::Photos => F::InputMessagesFilterPhotos,
            Self::Videos => F::InputMessagesFilterVideo,
            Self::PhotosAndVideos => F::InputMessagesFilterPhotoVideo,
            Self::Documents => F::InputMessagesFilterDocument,
            Self::Links => F::InputMessagesFilterUrl,
            Self::Voice => F::InputMessagesFilterVoice,
            Self::Music => F::InputMessagesFilterMusic,
            Self::Mentions => F::InputMessagesFilterMyMentions,
            Self::Pinned => F::InputMessagesFilterPinned,
        }
    }
}

/// A chat's messages from the newest to the oldest. Made by [`Client::iter_messages`].
///
/// ```no_run
/// # async fn f(client: layer_client::Client) -> layer_client::Result<()> {
/// let mut messages = client.iter_messages("@durov").limit(50);
/// while let Some(message) = messages.next().await? {
///     println!("{}", message.text().unwrap_or("(no text)"));
/// }
/// # Ok(()) }
/// ```
#[must_use]
pub struct MessageIter {
    client: Client,
    peer: Source,
    limit: usize,
    given: usize,
    offset_id: i32,
    offset_date: i32,
    max_id: i32,
    min_id: i32,
    query: String,
    filter: MessageFilter,
    from: Option<PeerRef>,
    search: bool,
    sender: Option<tl::enums::InputPeer>,
    buffer: VecDeque<Message>,
    total: Option<usize>,
    done: bool,
}

enum Source {
    Unresolved(Option<PeerRef>),
    Resolved(tl::enums::InputPeer),
}

impl Client {
    /// Iterates over a chat's messages, newest first.
    pub fn iter_messages(&self, peer: impl Into<PeerRef>) -> MessageIter {
        MessageIter {
            client: self.clone(),
            peer: Source::Unresolved(Some(peer.into())),
            limit: usize::MAX,
            given: 0,
            offset_id: 0,
            offset_date: 0,
            max_id: 0,
            min_id: 0,
            query: String::new(),
            filter: MessageFilter::All,
            from: None,
            search: false,
            sender: None,
            buffer: VecDeque::new(),
            total: None,
            done: false,
        }
    }

    /// Searches a chat's messages for a text, newest first.
    pub fn search_messages(
        &self,
        peer: impl Into<PeerRef>,
        query: impl Into<String>,
    ) -> MessageIter {
        self.iter_messages(peer).search(query)
    }
}

impl MessageIter {
    /// At most so many messages.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Only messages older than this one.
    pub fn offset_id(mut self, msg_id: i32) -> Self {
        self.offset_id = msg_id;
        self
    }

    /// Only messages sent before this Unix time.
    pub fn offset_date(mut self, date: i32) -> Self {
        self.offset_date = date;
        self
    }

    /// Only messages with a smaller id.
    pub fn max_id(mut self, msg_id: i32) -> Self {
        self.max_id = msg_id;
        self
    }

    /// Only messages with a greater id.
    pub fn min_id(mut self, msg_id: i32) -> Self {
        self.min_id = msg_id;
        self
    }

    /// Only messages that contain these words.
    pub fn search(mut self, query: impl Into<String>) -> Self {
        self.query = query.into();
        self.search = true;
        self
    }

    /// Only messages of this kind.
    pub fn filter(mut self, filter: MessageFilter) -> Self {
        self.filter = filter;
        self.search = true;
        self
    }

    /// Only messages of this sender.
    pub fn from(mut self, sender: impl Into<PeerRef>) -> Self {
        self.from = Some(sender.into());
        self.search = true;
        self
    }

    /// The next message; `None` after the last.
    ///
    /// # Errors
    /// When the peer cannot be found, and what Telegram answers (`messages.getHistory`,
    /// `messages.search`). The next call tries again.
    pub async fn next(&mut self) -> Result<Option<Message>> {
        while self.buffer.is_empty() && !self.done && self.given < self.limit {
            self.fetch().await?;
        }
        if self.given >= self.limit {
            return Ok(None);
        }
        let message = self.buffer.pop_front();
        self.given += usize::from(message.is_some());
        Ok(message)
    }

    /// How many messages there are in all, as far as the server tells.
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
    pub async fn collect(mut self) -> Result<Vec<Message>> {
        let mut all = Vec::new();
        while let Some(message) = self.next().await? {
            all.push(message);
        }
        Ok(all)
    }

    fn fetch(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.resolve().await?;
            let limit = (self.limit - self.given).clamp(1, PAGE);
            let page = self.request(limit).await?;
            self.total = self.total.or(page.total);
            let before = self.offset_id;
            let new = page
                .messages
                .into_iter()
                .filter(|message| before == 0 || message.id() < before);
            self.buffer.extend(new);
            match self.buffer.back() {
                Some(last) => {
                    self.offset_id = last.id();
                    // From here on the id says it all.
                    self.offset_date = 0;
                    self.done = page.complete || self.offset_id <= 1;
                }
                None => self.done = true,
            }
            Ok(())
        })
    }

    async fn resolve(&mut self) -> Result<()> {
        if let Source::Unresolved(reference) = &mut self.peer {
            let Some(reference) = reference.take() else {
                self.done = true;
                return Ok(());
            };
            let peer = self.client.resolve(reference).await?;
            let input = peer
                .to_input()
                .ok_or_else(|| crate::peers::unusable(peer.key()))?;
            self.peer = Source::Resolved(input);
        }
        if let Some(from) = self.from.take() {
            self.sender = Some(self.client.resolve_input(from).await?);
        }
        Ok(())
    }

    async fn request(&self, limit: usize) -> Result<Page> {
        let Source::Resolved(peer) = &self.peer else {
            return Ok(Page::default());
        };
        let limit = i32::try_from(limit).unwrap_or(i32::MAX);
        let answer = if self.search {
            let request = tl::functions::messages::Search {
                peer: peer.clone(),
                q: self.query.clone(),
                from_id: self.sender.clone(),
                saved_peer_id: None,
                saved_reaction: None,
                top_msg_id: None,
                filter: self.filter.to_raw(),
                min_date: 0,
                max_date: self.offset_date,
                offset_id: self.offset_id,
                add_offset: 0,
                limit,
                max_id: self.max_id,
                min_id: self.min_id,
                hash: 0,
            };
            self.client.invoke(&request).await?
        } else {
            let request = tl::functions::messages::GetHistory {
                peer: peer.clone(),
                offset_id: self.offset_id,
                offset_date: self.offset_date,
                add_offset: 0,
                limit,
                max_id: self.max_id,
                min_id: self.min_id,
                hash: 0,
            };
            self.client.invoke(&request).await?
        };
        Ok(self.client.page(answer))
    }
}
