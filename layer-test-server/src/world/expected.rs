//! What an account must see, and the journals of what happens to accounts that a test watches.

use std::collections::BTreeMap;

use layer_tl_types::enums;

use super::World;
use super::ids::PeerId;
use super::named::Named;
use crate::expected::{Count, Event, Expected, ExpectedChat, ExpectedMessage};

/// The journals that are open.
#[derive(Debug, Default)]
pub(crate) struct Journals {
    next: u64,
    open: BTreeMap<u64, Journal>,
}

#[derive(Debug)]
struct Journal {
    user_id: i64,
    events: Vec<Event>,
}

impl Journals {
    /// Begins to note what happens to an account.
    pub(crate) fn open(&mut self, user_id: i64) -> u64 {
        self.next += 1;
        let events = Vec::new();
        self.open.insert(self.next, Journal { user_id, events });
        self.next
    }

    /// What was noted since the last time.
    pub(crate) fn take(&mut self, journal: u64) -> Vec<Event> {
        let journal = self.open.get_mut(&journal);
        journal.map_or_else(Vec::new, |journal| std::mem::take(&mut journal.events))
    }

    /// Notes no more.
    pub(crate) fn close(&mut self, journal: u64) {
        self.open.remove(&journal);
    }

    fn watches(&self, user_id: i64) -> bool {
        self.open.values().any(|journal| journal.user_id == user_id)
    }
}

impl World {
    /// Notes an update that an account must be told of, if somebody watches it. `seq` is that of its container.
    pub(super) fn record(
        &mut self,
        user_id: i64,
        seq: i32,
        update: impl FnOnce(&Self) -> enums::Update,
    ) {
        if !self.journals.watches(user_id) {
            return;
        }
        let mut event = Event::of(&update(self));
        if event.count == Count::Uncounted && seq > 0 {
            event.count = Count::Seq(seq);
        }
        // Of what counts in these, the session of the call is told like all others.
        if !matches!(event.count, Count::Seq(_) | Count::Qts(_)) {
            event.by = self.except(user_id).map(|(_, session_id)| session_id);
        }
        for journal in self.journals.open.values_mut() {
            if journal.user_id == user_id {
                journal.events.push(event.clone());
            }
        }
    }

    /// What an account must have now.
    pub(crate) fn expected(&self, user_id: i64) -> Expected {
        let mut expected = Expected::default();
        let Some(account) = self.accounts.get(&user_id) else {
            return expected;
        };
        (expected.pts, expected.qts, expected.seq) = (account.pts, account.qts, account.seq);
        for (id, entry) in &account.messages {
            let message = ExpectedMessage::of(&self.tl_message(user_id, *id));
            let chat: &mut ExpectedChat = expected.chats.entry(entry.peer.into()).or_default();
            chat.messages.push(message);
        }
        for (id, channel) in &self.channels {
            if !channel.members.contains_key(&user_id) {
                continue;
            }
            let messages = channel.ids_for(user_id);
            let chat = ExpectedChat {
                pts: Some(channel.pts_for(user_id)),
                messages: messages
                    .map(|message| {
                        ExpectedMessage::of(&self.tl_channel_message(user_id, *id, message))
                    })
                    .collect(),
                ..ExpectedChat::default()
            };
            expected.chats.insert(PeerId::Channel(*id).into(), chat);
        }
        for (peer, chat) in &mut expected.chats {
            if let Some(dialog) = account.dialogs.get(&PeerId::from(*peer)) {
                chat.read_inbox = dialog.read_inbox;
                chat.read_outbox = dialog.read_outbox;
            }
        }
        expected
    }

    /// Pushes an update that nothing here made, and keeps it for differences if it is to be.
    pub(crate) fn push_foreign(
        &mut self,
        user_id: i64,
        update: enums::Update,
        names: &[PeerId],
        kept: bool,
    ) {
        if kept {
            self.note(user_id, vec![update], names);
        } else {
            let container = self.container(user_id, vec![update], &Named::of(names));
            self.push(user_id, container, true);
        }
    }
}
