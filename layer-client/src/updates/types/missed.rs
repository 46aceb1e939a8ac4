//! What the server would not tell.

use crate::peers::Peer;

/// More has happened than the server would tell: fetch the history of [`chats`](Self::chats) to be
/// complete ([`Client::iter_messages`](crate::Client::iter_messages)).
///
/// It comes when so much has happened that the server does not tell it one by one, and of a channel
/// that is heard of for the first time, where it is not known what has been seen of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Missed {
    /// The channel; `None` for private chats and basic groups, which the server counts together.
    pub peer: Option<Peer>,
    /// The chats to fetch: the channel; or the private chats and basic groups whose newest message
    /// may be one of those missed. Deletions and edits of older messages may be missed too.
    pub chats: Vec<Peer>,
    /// Whether `chats` is all of them. Bots have no list of chats, and for them it never is.
    pub complete: bool,
}

impl Missed {
    /// Something in private chats and basic groups.
    pub(crate) fn unknown() -> Self {
        Self {
            peer: None,
            chats: Vec::new(),
            complete: false,
        }
    }
}
