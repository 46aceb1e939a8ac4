//! What bots see of groups (page `bots/features`, "Privacy mode"), and the box that a bot has of a supergroup.
//!
//! A bot in privacy mode gets what is meant for it; one without, and an administrator, everything but what other bots
//! write. What it does not see is in none of its boxes. Of a basic group every account has a box of its own anyway. The
//! messages of a supergroup lie in one box for all people; how Telegram counts for bots that see a part of them is not
//! documented. Here each bot has a box of its own there, whose `pts` is contiguous like any other.

use std::collections::{BTreeSet, VecDeque};

use super::World;
use super::channels::{Channel, ChannelChange, ChannelLogged};
use super::ids::PeerId;
use super::message::Body;

/// What a bot has of a supergroup.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) pts: i32,
    pub(crate) log: VecDeque<ChannelLogged>,
    /// The messages that it was told of.
    pub(crate) seen: BTreeSet<i32>,
}

impl Channel {
    /// The state of the box that an account has of this channel.
    pub(crate) fn pts_for(&self, viewer: i64) -> i32 {
        self.views.get(&viewer).map_or(self.pts, |view| view.pts)
    }

    /// The log of that box.
    pub(crate) fn log_for(&self, viewer: i64) -> &VecDeque<ChannelLogged> {
        self.views.get(&viewer).map_or(&self.log, |view| &view.log)
    }

    /// The oldest `pts` from which that log can still lead to the present.
    pub(crate) fn oldest_for(&self, viewer: i64) -> i32 {
        let first = self.log_for(viewer).front();
        first.map_or(self.pts_for(viewer), |first| first.pts - first.pts_count)
    }

    /// The messages of that box, oldest first.
    pub(crate) fn ids_for(&self, viewer: i64) -> impl DoubleEndedIterator<Item = i32> + '_ {
        let view = self.views.get(&viewer);
        let ids = self.messages.keys().copied();
        ids.filter(move |id| view.is_none_or(|view| view.seen.contains(id)))
    }

    /// Begins the box of a bot that comes in; it knows nothing of before.
    pub(super) fn open_view(&mut self, bot: i64) {
        let pts = self.pts.max(self.pts_for(bot));
        self.views.insert(
            bot,
            View {
                pts,
                log: VecDeque::new(),
                seen: BTreeSet::new(),
            },
        );
    }
}

/// A word that is a command, and the name of the bot that it is for, if it says so.
fn command(text: &str) -> Option<Option<&str>> {
    let word = text.split_whitespace().next()?.strip_prefix('/')?;
    let (name, bot) = match word.split_once('@') {
        Some((name, bot)) => (name, Some(bot)),
        None => (word, None),
    };
    (!name.is_empty()).then_some(bot)
}

impl World {
    /// Whether a bot gets a message of a group or supergroup. That mentions count is not on the page, but was so for
    /// as long as there are bots.
    pub(super) fn bot_gets(&self, bot: i64, chat: PeerId, body: &Body) -> bool {
        if body.from == bot || body.action.is_some() {
            return true;
        }
        if self.is_bot(body.from) && body.as_channel.is_none() {
            return false;
        }
        let (admin, last_bot) = match chat {
            PeerId::Chat(id) => self.chats.get(&id).map_or((false, None), |group| {
                let admin = group.members.get(&bot).is_some_and(|member| member.admin);
                (admin, group.last_bot)
            }),
            PeerId::Channel(id) => self.channels.get(&id).map_or((false, None), |channel| {
                let member = channel.members.get(&bot);
                let admin = member.is_some_and(|member| member.admin.is_some());
                (channel.broadcast || admin, channel.last_bot)
            }),
            PeerId::User(_) => (true, None),
        };
        let Some(user) = self.users.get(&bot) else {
            return false;
        };
        if admin || user.bot.as_ref().is_none_or(|info| !info.privacy) {
            return true;
        }
        let own_name = user.username.as_deref();
        let named = |name: &str| own_name.is_some_and(|own| own.eq_ignore_ascii_case(name));
        let commanded = match command(&body.text) {
            Some(Some(name)) => named(name),
            // Nobody's command goes to the bot that spoke last.
            Some(None) => last_bot.is_none_or(|last| last == bot),
            None => false,
        };
        commanded || body.via_bot == Some(bot) || self.is_mentioned(bot, body)
    }

    /// A bot spoke in a group or supergroup.
    pub(super) fn note_speaker(&mut self, from: i64, chat: PeerId) {
        if !self.is_bot(from) {
            return;
        }
        match chat {
            PeerId::Chat(id) => {
                if let Some(group) = self.chats.get_mut(&id) {
                    group.last_bot = Some(from);
                }
            }
            PeerId::Channel(id) => {
                if let Some(channel) = self.channels.get_mut(&id) {
                    channel.last_bot = Some(from);
                }
            }
            PeerId::User(_) => {}
        }
    }

    /// A channel's change as it goes into a member's box; nothing when it does not.
    pub(super) fn change_for(
        &mut self,
        member: i64,
        channel_id: i64,
        logged: &ChannelLogged,
    ) -> Option<ChannelLogged> {
        let limit = self.config.log_limit;
        let channel = self.channels.get(&channel_id)?;
        let Some(view) = channel.views.get(&member) else {
            return Some(logged.clone());
        };
        let known = |ids: &[i32]| -> Vec<i32> {
            let ids = ids.iter().copied();
            ids.filter(|id| view.seen.contains(id)).collect()
        };
        let change = match &logged.change {
            ChannelChange::New { id } => {
                let body = self.bodies.get(channel.messages.get(id)?)?;
                let gets = self.bot_gets(member, PeerId::Channel(channel_id), body);
                gets.then_some(ChannelChange::New { id: *id })?
            }
            // What becomes a command only later was not seen, and is not seen then.
            ChannelChange::Edit { id } => view
                .seen
                .contains(id)
                .then_some(ChannelChange::Edit { id: *id })?,
            ChannelChange::Delete { ids } => ChannelChange::Delete { ids: known(ids) },
            ChannelChange::Pinned { ids, pinned } => ChannelChange::Pinned {
                ids: known(ids),
                pinned: *pinned,
            },
        };
        let pts_count = change.count();
        if pts_count == 0 {
            return None;
        }
        let view = self.channels.get_mut(&channel_id)?.views.get_mut(&member)?;
        match &change {
            ChannelChange::New { id } => {
                view.seen.insert(*id);
            }
            ChannelChange::Delete { ids } => view.seen.retain(|id| !ids.contains(id)),
            _ => {}
        }
        view.pts = view.pts.saturating_add(pts_count);
        let logged = ChannelLogged {
            pts: view.pts,
            pts_count,
            change,
        };
        view.log.push_back(logged.clone());
        while view.log.len() > limit {
            view.log.pop_front();
        }
        Some(logged)
    }

    /// Switches a bot's privacy mode. Telegram does so for the groups that the bot is added to from then on; here it
    /// is so at once.
    pub(crate) fn set_privacy(&mut self, bot: i64, privacy: bool) {
        if let Some(info) = self.users.get_mut(&bot).and_then(|user| user.bot.as_mut()) {
            info.privacy = privacy;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_other_texts() {
        assert_eq!(command("/start now"), Some(None));
        assert_eq!(command("/start@some_bot"), Some(Some("some_bot")));
        assert_eq!(command("/"), None);
        assert_eq!(command("start /now"), None);
        assert_eq!(command(""), None);
    }
}
