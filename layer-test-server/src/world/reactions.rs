//! Reactions to messages (documentation page `api/reactions`).
//!
//! They count in no `pts`. Who wrote the message is told, and whoever reacted in all their sessions; all others ask, as
//! the page says. Bots hear of each by `qts`: where they are administrators, and of what happens in their own private
//! chats (for these the Bot API's documentation says nothing).

use layer_tl_types::{enums, types};

use super::World;
use super::ids::PeerId;
use super::message::{Body, Place};
use super::named::Named;
use crate::rpc::RpcError;

/// What somebody thinks of a message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Given {
    pub(crate) user: i64,
    pub(crate) reactions: Vec<enums::Reaction>,
    pub(crate) date: i32,
    pub(crate) big: bool,
}

/// The reactions that everybody may give where an administrator did not choose others.
pub(crate) const AVAILABLE: [&str; 20] = [
    "👍", "👎", "❤", "🔥", "🥰", "👏", "😁", "🤔", "🤯", "😱", "🤬", "😢", "🎉", "🤩", "🤮", "💩",
    "🙏", "👌", "🕊", "🤡",
];
/// How many one person may give to one message, without Premium (`reactions_user_max_default`).
const EACH_LIMIT: usize = 1;
/// How many different ones a message may have (`reactions_uniq_max`).
const UNIQUE_LIMIT: usize = 11;
/// How many of those who reacted last a message names.
const RECENT: usize = 3;

impl World {
    /// `messages.sendReaction`: these reactions take the place of what the user thought before.
    pub(crate) fn react(
        &mut self,
        user_id: i64,
        peer: PeerId,
        id: i32,
        reactions: Vec<enums::Reaction>,
        big: bool,
    ) -> Result<(), RpcError> {
        match peer {
            PeerId::Channel(channel) => {
                let channel = self.channel_of(user_id, channel)?;
                if !channel.members.contains_key(&user_id) {
                    return Err(RpcError::bad("CHANNEL_PRIVATE"));
                }
            }
            PeerId::Chat(chat) => self.may_write_group(user_id, chat)?,
            PeerId::User(_) => {}
        }
        let body = self
            .body_of(user_id, peer, id)
            .filter(|body| body.action.is_none())
            .ok_or_else(|| RpcError::bad("MESSAGE_ID_INVALID"))?;
        let known = |reaction: &enums::Reaction| match reaction {
            enums::Reaction::Emoji(emoji) => AVAILABLE.contains(&&*emoji.emoticon),
            _ => false,
        };
        if !reactions.iter().all(known) {
            return Err(RpcError::bad("REACTION_INVALID"));
        }
        if reactions.len() > EACH_LIMIT {
            return Err(RpcError::bad("REACTIONS_TOO_MANY"));
        }
        let given = body.reactions.iter().find(|given| given.user == user_id);
        let before = given.map_or_else(Vec::new, |given| given.reactions.clone());
        if before == reactions {
            return Err(RpcError::bad("MESSAGE_NOT_MODIFIED"));
        }
        let (body_id, date) = (body.id, self.now);
        let mut after = body.reactions.clone();
        after.retain(|given| given.user != user_id);
        if !reactions.is_empty() {
            after.push(Given {
                user: user_id,
                reactions: reactions.clone(),
                date,
                big,
            });
        }
        if counts(&after).len() > UNIQUE_LIMIT {
            return Err(RpcError::bad("REACTIONS_TOO_MANY"));
        }
        if let Some(body) = self.bodies.get_mut(&body_id) {
            body.reactions = after;
        }
        self.tell_of_reaction(user_id, body_id);
        self.tell_bots_of_reaction(user_id, body_id, &before, &reactions);
        Ok(())
    }

    fn tell_of_reaction(&mut self, user_id: i64, body_id: u64) {
        let Some(body) = self.bodies.get(&body_id) else {
            return;
        };
        let mut told = match body.place {
            Place::Private(one, other) => vec![one, other],
            _ => vec![body.from, user_id],
        };
        told.sort_unstable();
        told.dedup();
        for reader in told {
            if !self.is_bot(reader)
                && let Some((update, named)) = self.tl_reaction_update(reader, body_id)
            {
                self.note(reader, vec![update], &named.peers());
            }
        }
    }

    /// `updateMessageReactions` as a viewer gets it, if the viewer has the message.
    pub(crate) fn tl_reaction_update(
        &self,
        viewer: i64,
        body_id: u64,
    ) -> Option<(enums::Update, Named)> {
        let body = self.bodies.get(&body_id)?;
        let (peer, msg_id) = self.place_for(viewer, body)?;
        let reactions = self.tl_reactions(viewer, body).unwrap_or_else(none);
        let mut named = Named::of(&[peer]);
        named.body(body);
        let update = types::UpdateMessageReactions {
            peer: peer.to_tl(),
            msg_id,
            top_msg_id: None,
            saved_peer_id: None,
            reactions,
        };
        Some((update.into(), named))
    }

    /// Where a viewer has a message, and by which id.
    fn place_for(&self, viewer: i64, body: &Body) -> Option<(PeerId, i32)> {
        if let Place::Channel { id, message } = body.place {
            let channel = self.channels.get(&id)?;
            return channel
                .is_open_to(viewer, self.now)
                .then_some((PeerId::Channel(id), message));
        }
        let id = body.id_for(viewer)?;
        let entry = self.accounts.get(&viewer)?.messages.get(&id)?;
        Some((entry.peer, id))
    }

    fn tell_bots_of_reaction(
        &mut self,
        user_id: i64,
        body_id: u64,
        before: &[enums::Reaction],
        after: &[enums::Reaction],
    ) {
        let Some(body) = self.bodies.get(&body_id) else {
            return;
        };
        if self.is_bot(user_id) {
            return;
        }
        let bots = match body.place {
            Place::Private(one, other) => vec![one, other],
            Place::Group(id) => self.admin_bots(PeerId::Chat(id)),
            Place::Channel { id, .. } => self.admin_bots(PeerId::Channel(id)),
        };
        let anonymous = body.as_channel.is_some();
        let date = self.now;
        let totals = counts(&body.reactions);
        let places: Vec<(i64, PeerId, i32)> = bots
            .into_iter()
            .filter(|bot| self.is_bot(*bot))
            .filter_map(|bot| {
                let (peer, id) = self.place_for(bot, body)?;
                Some((bot, peer, id))
            })
            .collect();
        for (bot, peer, msg_id) in places {
            let update: enums::Update = if anonymous {
                let count = |(reaction, count): &(enums::Reaction, i32)| {
                    types::ReactionCount {
                        chosen_order: None,
                        reaction: reaction.clone(),
                        count: *count,
                    }
                    .into()
                };
                types::UpdateBotMessageReactions {
                    peer: peer.to_tl(),
                    msg_id,
                    date,
                    reactions: totals.iter().map(count).collect(),
                    qts: 0,
                }
                .into()
            } else {
                types::UpdateBotMessageReaction {
                    peer: peer.to_tl(),
                    msg_id,
                    date,
                    actor: PeerId::User(user_id).to_tl(),
                    old_reactions: before.to_vec(),
                    new_reactions: after.to_vec(),
                    qts: 0,
                }
                .into()
            };
            self.emit_qts(bot, update, &[peer, PeerId::User(user_id)]);
        }
    }

    /// The reactions to a message as a viewer sees them; nothing when there are none.
    pub(crate) fn tl_reactions(&self, viewer: i64, body: &Body) -> Option<enums::MessageReactions> {
        if body.reactions.is_empty() {
            return None;
        }
        let own = body.reactions.iter().find(|given| given.user == viewer);
        let order = |reaction: &enums::Reaction| {
            let position = own?.reactions.iter().position(|own| own == reaction)?;
            i32::try_from(position).ok()
        };
        let results = counts(&body.reactions)
            .into_iter()
            .map(|(reaction, count)| {
                types::ReactionCount {
                    chosen_order: order(&reaction),
                    reaction,
                    count,
                }
                .into()
            })
            .collect();
        // In channels nobody sees who it was.
        let can_see_list = body.as_channel.is_none();
        let recent = recent(body).map(|given| Self::tl_given(viewer, given));
        Some(
            types::MessageReactions {
                min: false,
                can_see_list,
                reactions_as_tags: false,
                results,
                recent_reactions: can_see_list.then(|| recent.flatten().collect()),
                top_reactors: None,
            }
            .into(),
        )
    }

    fn tl_given(viewer: i64, given: &Given) -> Vec<enums::MessagePeerReaction> {
        let reactions = given.reactions.iter();
        reactions
            .map(|reaction| {
                types::MessagePeerReaction {
                    big: given.big,
                    unread: false,
                    my: given.user == viewer,
                    peer_id: PeerId::User(given.user).to_tl(),
                    date: given.date,
                    reaction: reaction.clone(),
                }
                .into()
            })
            .collect()
    }

    /// `messages.getMessageReactionsList`: who gave which reaction, the latest first.
    pub(crate) fn reaction_list(
        &self,
        viewer: i64,
        peer: PeerId,
        id: i32,
        wanted: Option<&enums::Reaction>,
        (offset, limit): (usize, usize),
    ) -> Result<types::messages::MessageReactionsList, RpcError> {
        let body = self
            .body_of(viewer, peer, id)
            .ok_or_else(|| RpcError::bad("MSG_ID_INVALID"))?;
        if body.as_channel.is_some() {
            return Err(RpcError::forbidden("BROADCAST_FORBIDDEN"));
        }
        let mut all: Vec<(i64, enums::MessagePeerReaction)> = Vec::new();
        for given in body.reactions.iter().rev() {
            for (reaction, listed) in given.reactions.iter().zip(Self::tl_given(viewer, given)) {
                if wanted.is_none_or(|wanted| wanted == reaction) {
                    all.push((given.user, listed));
                }
            }
        }
        let count = i32::try_from(all.len()).unwrap_or(i32::MAX);
        let end = offset.saturating_add(limit);
        let next_offset = (end < all.len()).then(|| end.to_string());
        let mut named = Named::of(&[peer]);
        let reactions = all
            .into_iter()
            .skip(offset)
            .take(limit)
            .map(|(user, listed)| {
                named.user(user);
                listed
            })
            .collect();
        let (users, chats) = self.describe(viewer, &named);
        Ok(types::messages::MessageReactionsList {
            count,
            reactions,
            chats,
            users,
            next_offset,
        })
    }
}

/// Those who reacted last, the latest first.
pub(super) fn recent(body: &Body) -> impl Iterator<Item = &Given> {
    let all = body.reactions.iter().rev();
    all.filter(|_| body.as_channel.is_none()).take(RECENT)
}

/// How often each reaction was given, the most frequent first.
fn counts(given: &[Given]) -> Vec<(enums::Reaction, i32)> {
    let mut counts: Vec<(enums::Reaction, i32)> = Vec::new();
    for reaction in given.iter().flat_map(|given| &given.reactions) {
        match counts.iter_mut().find(|(known, _)| known == reaction) {
            Some((_, count)) => *count += 1,
            None => counts.push((reaction.clone(), 1)),
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

/// No reactions at all.
fn none() -> enums::MessageReactions {
    types::MessageReactions {
        min: false,
        can_see_list: false,
        reactions_as_tags: false,
        results: Vec::new(),
        recent_reactions: None,
        top_reactors: None,
    }
    .into()
}
