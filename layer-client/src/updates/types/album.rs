//! Messages that were sent as one album.

use crate::messages::Message;
use crate::peers::Peer;

/// The messages of an album, in the order of their ids; never none.
#[derive(Clone, Debug)]
pub struct Album {
    messages: Vec<Message>,
}

impl Album {
    pub(crate) fn new(mut messages: Vec<Message>) -> Self {
        messages.sort_by_key(Message::id);
        Self { messages }
    }

    /// The messages, the first one first.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The number that they share.
    #[must_use]
    pub fn id(&self) -> Option<i64> {
        self.messages.first()?.album()
    }

    /// The caption: the text of the first of them that has one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.messages.iter().find_map(Message::text)
    }

    /// The chat that they lie in.
    #[must_use]
    pub fn peer_id(&self) -> Option<&Peer> {
        self.messages.first()?.peer_id()
    }

    /// Who sent them.
    #[must_use]
    pub fn sender(&self) -> Option<&Peer> {
        self.messages.first()?.sender()
    }
}
