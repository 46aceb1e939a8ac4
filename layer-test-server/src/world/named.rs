//! Which peers an answer names, so that its `users` and `chats` hold every one of them.

use std::collections::BTreeSet;

use layer_tl_types::enums;

use super::World;
use super::ids::PeerId;
use super::message::{Body, ForwardFrom, Media};
use super::reactions;

/// A set of peers to be described.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named(BTreeSet<PeerId>);

impl Named {
    /// The peers given.
    pub(crate) fn of(peers: &[PeerId]) -> Self {
        Self(peers.iter().copied().collect())
    }

    /// Adds one peer.
    pub(crate) fn add(&mut self, peer: PeerId) {
        self.0.insert(peer);
    }

    /// All of them.
    pub(crate) fn peers(&self) -> Vec<PeerId> {
        self.0.iter().copied().collect()
    }

    /// Whether the peer is among them.
    pub(crate) fn holds(&self, peer: PeerId) -> bool {
        self.0.contains(&peer)
    }

    /// Adds one user.
    pub(crate) fn user(&mut self, id: i64) {
        self.0.insert(PeerId::User(id));
    }

    /// Adds all peers of a message, but for the dialog it is in.
    pub(crate) fn body(&mut self, body: &Body) {
        match body.as_channel {
            Some(channel) => self.add(PeerId::Channel(channel)),
            None => self.user(body.from),
        }
        if let Some(forward) = &body.forward {
            match forward.from {
                ForwardFrom::User(id) => self.user(id),
                ForwardFrom::Channel { id, .. } => self.add(PeerId::Channel(id)),
            }
        }
        for given in reactions::recent(body) {
            self.user(given.user);
        }
        if let Some(bot) = body.via_bot {
            self.user(bot);
        }
        for entity in &body.entities {
            if let enums::MessageEntity::MentionName(name) = entity {
                self.user(name.user_id);
            }
        }
        if let Some(Media::Other(enums::MessageMedia::Contact(contact))) = &body.media
            && contact.user_id != 0
        {
            self.user(contact.user_id);
        }
        match &body.action {
            Some(enums::MessageAction::ChatCreate(action)) => self.users(&action.users),
            Some(enums::MessageAction::ChatAddUser(action)) => self.users(&action.users),
            Some(enums::MessageAction::ChatDeleteUser(action)) => self.user(action.user_id),
            Some(enums::MessageAction::ChatJoinedByLink(action)) => self.user(action.inviter_id),
            _ => {}
        }
    }

    fn users(&mut self, ids: &[i64]) {
        self.0.extend(ids.iter().copied().map(PeerId::User));
    }
}

impl World {
    /// Describes the peers as `viewer` sees them: users, then chats.
    pub(crate) fn describe(
        &self,
        viewer: i64,
        named: &Named,
    ) -> (Vec<enums::User>, Vec<enums::Chat>) {
        let mut users = Vec::new();
        let mut chats = Vec::new();
        for peer in &named.0 {
            match *peer {
                PeerId::User(id) => users.push(self.tl_user(viewer, id)),
                PeerId::Chat(id) => chats.extend(self.tl_group(viewer, id)),
                PeerId::Channel(id) => chats.extend(self.tl_channel(viewer, id)),
            }
        }
        (users, chats)
    }
}
