//! What did not reach a program, because a fault kept it back or too much was waiting, and a difference must have.
//!
//! A client asks for a difference by its `pts`, its `qts` and a date. Changes that count in neither it gets by the
//! date alone, which later updates move on: so the data centre has to know what it never sent, as Telegram's must (how
//! it does is not documented). Programs are told apart by their auth keys.

use std::collections::BTreeSet;

use layer_tl_types::enums;

use super::World;
use super::account::Noted;
use crate::expected::{Count, Event};
use crate::handles::Peer;

/// Things owed to one program at most; when there are more, they stay with those.
const MOST: usize = 1_000;

/// What is owed to one program.
#[derive(Debug, Default)]
pub(crate) struct Owed {
    /// In no difference yet.
    open: Lost,
    /// In one whose state has this date: whoever asks from there has it.
    paid: Option<(i32, Lost)>,
}

/// What a program did not get.
#[derive(Clone, Debug, Default)]
pub(super) struct Lost {
    /// The dates of notes, each of which has one of its own.
    pub(super) notes: BTreeSet<i32>,
    /// Channels in which something happened.
    pub(super) channels: BTreeSet<i64>,
}

impl Lost {
    fn add(&mut self, other: &Self) {
        self.notes.extend(&other.notes);
        self.channels.extend(&other.channels);
    }
}

impl World {
    /// Notes that a program of an account did not get this.
    pub(crate) fn owe(&mut self, user_id: i64, key: i64, updates: &enums::Updates) {
        let (enums::Updates::Updates(lost), Some(account)) =
            (updates, self.accounts.get_mut(&user_id))
        else {
            // The short forms hold what counts in `pts`, or what passes.
            return;
        };
        let open = &mut account.owed.entry(key).or_default().open;
        let noted = |noted: &Noted| noted.date == lost.date && lost.updates.contains(&noted.update);
        if open.notes.len() < MOST && account.notes.iter().any(noted) {
            open.notes.insert(lost.date);
        }
        for update in &lost.updates {
            let event = Event::of(update);
            if let (Some(Peer::Channel(id)), Count::Channel { .. }) = (event.chat, event.count)
                && open.channels.len() < MOST
            {
                open.channels.insert(id);
            }
        }
    }

    /// What a difference from `date` must have for the program that asks.
    pub(super) fn owed(&mut self, user_id: i64, date: i32) -> Lost {
        let key = self.origin.map_or(0, |origin| origin.auth_key_id);
        let account = self.accounts.get_mut(&user_id);
        let Some(account) = account.filter(|account| account.owed.contains_key(&key)) else {
            return Lost::default();
        };
        let owed = account.owed.entry(key).or_default();
        owed.paid = owed.paid.take().filter(|(paid, _)| date < *paid);
        let mut lost = owed.open.clone();
        if let Some((_, paid)) = &owed.paid {
            lost.add(paid);
        }
        if lost.notes.is_empty() && lost.channels.is_empty() {
            account.owed.remove(&key);
        } else {
            // The difference's date must tell those who have it from those who asked.
            account.given_date = account.given_date.max(date.saturating_add(1));
        }
        lost
    }

    /// A whole difference, whose state has this date, had all that is owed.
    pub(super) fn pay(&mut self, user_id: i64, date: i32) {
        let key = self.origin.map_or(0, |origin| origin.auth_key_id);
        let account = self.accounts.get_mut(&user_id);
        if let Some(owed) = account.and_then(|account| account.owed.get_mut(&key)) {
            let mut lost = std::mem::take(&mut owed.open);
            if let Some((_, paid)) = &owed.paid {
                lost.add(paid);
            }
            owed.paid = Some((date, lost));
        }
    }
}
