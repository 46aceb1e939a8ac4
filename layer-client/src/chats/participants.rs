//! Who is in a group or channel.

use std::collections::{HashSet, VecDeque};

use layer_tl_types as tl;

use super::group_id;
use crate::client::{BoxFuture, Client};
use crate::error::Result;
use crate::peers::{Finder, Peer, PeerId, PeerRef};

/// The most that the server gives at once.
const PAGE: i32 = 100;

/// What someone may do in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// Made it.
    Creator,
    /// Runs it.
    Admin,
    /// Is in it.
    Member,
    /// May do less than others.
    Restricted,
    /// Was in it.
    Left,
    /// May not be in it.
    Banned,
}

/// Someone in a chat.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Participant {
    /// Who.
    pub peer: Peer,
    /// What they may do.
    pub role: Role,
    /// Since when, Unix seconds, where the server tells.
    pub date: Option<i32>,
}

/// The members of a chat, page by page. Made by [`Client::iter_participants`].
#[must_use]
pub struct ParticipantIter {
    client: Client,
    chat: Option<PeerRef>,
    channel: Option<tl::enums::InputChannel>,
    offset: i32,
    limit: usize,
    given: usize,
    seen: HashSet<PeerId>,
    buffer: VecDeque<Participant>,
    done: bool,
}

impl Client {
    /// Iterates over the members of a group, supergroup or channel.
    pub fn iter_participants(&self, chat: impl Into<PeerRef>) -> ParticipantIter {
        ParticipantIter {
            client: self.clone(),
            chat: Some(chat.into()),
            channel: None,
            offset: 0,
            limit: usize::MAX,
            given: 0,
            seen: HashSet::new(),
            buffer: VecDeque::new(),
            done: false,
        }
    }
}

impl ParticipantIter {
    /// At most so many.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// The next member; `None` after the last.
    ///
    /// # Errors
    /// When the chat cannot be found, and what Telegram answers (`messages.getFullChat`,
    /// `channels.getParticipants`).
    pub async fn next(&mut self) -> Result<Option<Participant>> {
        while self.buffer.is_empty() && !self.done && self.given < self.limit {
            self.fetch().await?;
        }
        if self.given >= self.limit {
            return Ok(None);
        }
        let participant = self.buffer.pop_front();
        self.given += usize::from(participant.is_some());
        Ok(participant)
    }

    /// All that are left, in one list.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn collect(mut self) -> Result<Vec<Participant>> {
        let mut all = Vec::new();
        while let Some(participant) = self.next().await? {
            all.push(participant);
        }
        Ok(all)
    }

    fn fetch(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            if let Some(chat) = self.chat.take() {
                let chat = self.client.resolve(chat).await?;
                self.channel = chat.to_input_channel();
                if self.channel.is_none() {
                    self.done = true;
                    return self.fetch_group(group_id(&chat)?).await;
                }
            }
            match self.channel.clone() {
                Some(channel) => self.fetch_channel(channel).await,
                None => {
                    self.done = true;
                    Ok(())
                }
            }
        })
    }

    async fn fetch_group(&mut self, chat_id: i64) -> Result<()> {
        let request = tl::functions::messages::GetFullChat { chat_id };
        let tl::enums::messages::ChatFull::Full(full) = self.client.invoke(&request).await?;
        let peers = self.client.learn(&full.users, &full.chats);
        let finder = self.client.finder(&peers);
        if let tl::enums::ChatFull::Full(chat) = &full.full_chat
            && let tl::enums::ChatParticipants::Participants(members) = &chat.participants
        {
            self.buffer.extend(
                members
                    .participants
                    .iter()
                    .map(|member| of_group(member, &finder)),
            );
        }
        Ok(())
    }

    async fn fetch_channel(&mut self, channel: tl::enums::InputChannel) -> Result<()> {
        let request = tl::functions::channels::GetParticipants {
            channel,
            filter: tl::enums::ChannelParticipantsFilter::ChannelParticipantsRecent,
            offset: self.offset,
            limit: PAGE,
            hash: 0,
        };
        let answer = self.client.invoke(&request).await?;
        let tl::enums::channels::ChannelParticipants::Participants(page) = answer else {
            self.done = true;
            return Ok(());
        };
        let peers = self.client.learn(&page.users, &page.chats);
        let finder = self.client.finder(&peers);
        let got = page.participants.len();
        for member in &page.participants {
            let participant = of_channel(member, &finder);
            if self.seen.insert(participant.peer.key()) {
                self.buffer.push_back(participant);
            }
        }
        self.offset = self
            .offset
            .saturating_add(i32::try_from(got).unwrap_or(i32::MAX));
        self.done = got == 0 || self.offset >= page.count;
        Ok(())
    }
}

fn of_group(member: &tl::enums::ChatParticipant, finder: &Finder<'_>) -> Participant {
    use tl::enums::ChatParticipant as C;
    let (id, role, date) = match member {
        C::Participant(p) => (p.user_id, Role::Member, Some(p.date)),
        C::Creator(p) => (p.user_id, Role::Creator, None),
        C::Admin(p) => (p.user_id, Role::Admin, Some(p.date)),
    };
    let peer = finder.find(PeerId::user(id));
    Participant { peer, role, date }
}

pub(crate) fn of_channel(
    member: &tl::enums::ChannelParticipant,
    finder: &Finder<'_>,
) -> Participant {
    use tl::enums::ChannelParticipant as C;
    let (id, role, date) = match member {
        C::Participant(p) => (PeerId::user(p.user_id), Role::Member, Some(p.date)),
        C::ParticipantSelf(p) => (PeerId::user(p.user_id), Role::Member, Some(p.date)),
        C::Creator(p) => (PeerId::user(p.user_id), Role::Creator, None),
        C::Admin(p) => (PeerId::user(p.user_id), Role::Admin, Some(p.date)),
        C::Banned(p) => {
            let tl::enums::ChatBannedRights::Rights(rights) = &p.banned_rights;
            let role = if rights.view_messages {
                Role::Banned
            } else {
                Role::Restricted
            };
            (PeerId::from(&p.peer), role, Some(p.date))
        }
        C::Left(p) => (PeerId::from(&p.peer), Role::Left, None),
    };
    let peer = finder.find(id);
    Participant { peer, role, date }
}
