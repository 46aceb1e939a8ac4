//! What bots are told of who comes, goes, rises and falls.
//!
//! As the Bot API documents it for `chat_member` and `my_chat_member`: administrators hear of everybody, and every bot
//! of itself. The updates count in the bot's `qts`.

use layer_tl_types::{enums, types};

use super::World;
use super::ids::PeerId;

/// Somebody's standing in a chat before it changed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Standing {
    Group(Option<enums::ChatParticipant>),
    Channel(Option<enums::ChannelParticipant>),
}

/// Nobody's view of a chat: no participant is oneself.
const NOBODY: i64 = 0;

impl World {
    /// Somebody's standing in a group or channel now.
    pub(super) fn standing(&self, chat: PeerId, user_id: i64) -> Standing {
        match chat {
            PeerId::Channel(id) => Standing::Channel(self.tl_channel_member(NOBODY, id, user_id)),
            other => Standing::Group(self.tl_group_member(other.bare(), user_id)),
        }
    }

    /// Tells the bots that must hear of it how somebody's standing changed by what `actor` did. `invite` is the hash of
    /// the link by which they came.
    pub(super) fn standing_changed(
        &mut self,
        chat: PeerId,
        actor: i64,
        user_id: i64,
        before: Standing,
        invite: Option<&str>,
    ) {
        let after = self.standing(chat, user_id);
        if before == after {
            return;
        }
        let mut bots = self.admin_bots(chat);
        if self.is_bot(user_id) && !bots.contains(&user_id) {
            bots.push(user_id);
        }
        let date = self.now;
        let invite = invite.map(|hash| self.tl_invite(hash));
        let mut names = vec![chat, PeerId::User(actor), PeerId::User(user_id)];
        for standing in [&before, &after] {
            names.extend(named_in(standing).into_iter().map(PeerId::User));
        }
        for bot in bots {
            let update = match (before.clone(), after.clone()) {
                (Standing::Group(prev_participant), Standing::Group(new_participant)) => {
                    types::UpdateChatParticipant {
                        chat_id: chat.bare(),
                        date,
                        actor_id: actor,
                        user_id,
                        prev_participant,
                        new_participant,
                        invite: invite.clone(),
                        qts: 0,
                    }
                    .into()
                }
                (Standing::Channel(prev_participant), Standing::Channel(new_participant)) => {
                    types::UpdateChannelParticipant {
                        via_chatlist: false,
                        channel_id: chat.bare(),
                        date,
                        actor_id: actor,
                        user_id,
                        prev_participant,
                        new_participant,
                        invite: invite.clone(),
                        qts: 0,
                    }
                    .into()
                }
                _ => continue,
            };
            self.emit_qts(bot, update, &names);
        }
    }

    /// The bots that are administrators of a chat.
    pub(super) fn admin_bots(&self, chat: PeerId) -> Vec<i64> {
        let admins: Vec<i64> = match chat {
            PeerId::Chat(id) => self.chats.get(&id).map_or_else(Vec::new, |group| {
                let admins = group.members.iter().filter(|(_, member)| member.admin);
                admins.map(|(id, _)| *id).collect()
            }),
            PeerId::Channel(id) => self.channels.get(&id).map_or_else(Vec::new, |channel| {
                let admins = channel
                    .members
                    .iter()
                    .filter(|(_, member)| member.admin.is_some());
                admins.map(|(id, _)| *id).collect()
            }),
            PeerId::User(_) => Vec::new(),
        };
        admins.into_iter().filter(|id| self.is_bot(*id)).collect()
    }

    /// Tells a bot that somebody stopped or started it.
    pub(crate) fn bot_stopped(&mut self, bot: i64, user_id: i64, stopped: bool) {
        if !self.is_bot(bot) {
            return;
        }
        let update = types::UpdateBotStopped {
            user_id,
            date: self.now,
            stopped,
            qts: 0,
        };
        self.emit_qts(bot, update.into(), &[PeerId::User(user_id)]);
    }
}

/// The users that a participant names.
fn named_in(standing: &Standing) -> Vec<i64> {
    use enums::ChannelParticipant as C;
    use enums::ChatParticipant as G;
    match standing {
        Standing::Group(Some(G::Participant(member))) => vec![member.inviter_id],
        Standing::Group(Some(G::Admin(member))) => vec![member.inviter_id],
        Standing::Channel(Some(C::ParticipantSelf(member))) => vec![member.inviter_id],
        Standing::Channel(Some(C::Admin(member))) => {
            let mut named = vec![member.promoted_by];
            named.extend(member.inviter_id);
            named
        }
        Standing::Channel(Some(C::Banned(member))) => vec![member.kicked_by],
        _ => Vec::new(),
    }
}
