//! `min` constructors (documentation page `api/min`): how strangers look in what goes to all members of a channel.
//!
//! One's own dialogs, address books and basic groups make somebody known. Everybody else comes `min` in the pushes of
//! channels and supergroups, with an access hash that is good for nothing but photos; they are named by the message
//! they came in (`inputPeerUserFromMessage` and its like). Where else Telegram sends them is not documented: answers
//! and differences describe everybody in full here, as the server of one account can.

use layer_tl_types::{enums, types};

use super::World;
use super::blank;
use super::ids::{self, PeerId};
use super::named::Named;

impl World {
    /// Describes the peers of what goes to all members of a channel, as one of them gets it.
    pub(super) fn describe_for_member(
        &self,
        viewer: i64,
        channel: i64,
        named: &Named,
    ) -> (Vec<enums::User>, Vec<enums::Chat>) {
        let mut users = Vec::new();
        let mut chats = Vec::new();
        for peer in named.peers() {
            match peer {
                PeerId::User(id) if self.is_stranger(viewer, id) => {
                    users.push(self.tl_stranger(viewer, id));
                }
                PeerId::User(id) => users.push(self.tl_user(viewer, id)),
                PeerId::Chat(id) => chats.extend(self.tl_group(viewer, id)),
                PeerId::Channel(id) if id != channel && !self.is_member(viewer, id) => {
                    chats.extend(self.tl_strange_channel(viewer, id));
                }
                PeerId::Channel(id) => chats.extend(self.tl_channel(viewer, id)),
            }
        }
        (users, chats)
    }

    fn is_member(&self, user_id: i64, channel: i64) -> bool {
        let channel = self.channels.get(&channel);
        channel.is_some_and(|channel| channel.members.contains_key(&user_id))
    }

    /// Whether the viewer never met the user.
    fn is_stranger(&self, viewer: i64, id: i64) -> bool {
        let Some(user) = self.users.get(&id) else {
            return false;
        };
        let knows = |one: i64, other: i64| {
            self.accounts.get(&one).is_some_and(|account| {
                account.contacts.contains_key(&other)
                    || account.dialogs.contains_key(&PeerId::User(other))
            })
        };
        let together = || {
            let mut groups = self.chats.values();
            groups
                .any(|group| group.members.contains_key(&viewer) && group.members.contains_key(&id))
        };
        viewer != id
            && !user.support
            && !user.deleted
            && !self.is_resident(id)
            && !knows(viewer, id)
            && !knows(id, viewer)
            && !together()
    }

    /// The hash of a peer that is known by a message only.
    pub(crate) fn min_access_hash(&self, viewer: i64, peer: PeerId) -> i64 {
        let hash = self.access_hash(viewer, peer);
        ids::keyed(self.config.secret, &[viewer, hash])
    }

    fn tl_stranger(&self, viewer: i64, id: i64) -> enums::User {
        let Some(user) = self.users.get(&id) else {
            return types::UserEmpty { id }.into();
        };
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        types::User {
            min: true,
            bot: user.bot.is_some(),
            verified: user.verified,
            access_hash: Some(self.min_access_hash(viewer, PeerId::User(id))),
            first_name: some(&user.first_name),
            last_name: some(&user.last_name),
            username: user.username.clone(),
            bot_info_version: user.bot.as_ref().map(|_| 1),
            apply_min_photo: true,
            photo: self.tl_user_photo(id),
            ..blank::user(id)
        }
        .into()
    }

    fn tl_strange_channel(&self, viewer: i64, id: i64) -> Option<enums::Chat> {
        let channel = self.channels.get(&id)?;
        Some(
            types::Channel {
                min: true,
                broadcast: channel.broadcast,
                megagroup: !channel.broadcast,
                access_hash: Some(self.min_access_hash(viewer, PeerId::Channel(id))),
                username: channel.username.clone(),
                ..blank::channel(
                    id,
                    channel.title.clone(),
                    self.tl_chat_photo(channel.photo),
                    channel.date,
                )
            }
            .into(),
        )
    }
}
