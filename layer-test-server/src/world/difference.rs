//! `updates.getState`, `getDifference` and `getChannelDifference`: answered from the logs.

use layer_tl_types::{enums, types};

use super::World;
use super::account::{Change, Noted};
use super::channels::ChannelChange;
use super::files::FileBend;
use super::ids::PeerId;
use super::named::Named;
use super::owed::Lost;
use super::secondary::Secondary;
use crate::rpc::RpcError;

/// What a client says it has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known {
    pub(crate) pts: i32,
    pub(crate) date: i32,
    pub(crate) qts: i32,
    /// The most changes in one answer, if the client says.
    pub(crate) limit: Option<i32>,
    /// The most changes of `qts` in one answer, if the client says.
    pub(crate) qts_limit: Option<i32>,
    /// Beyond this distance the client wants "too long".
    pub(crate) total_limit: Option<i32>,
}

/// What a fault makes of a call's answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bend {
    /// The client is told that it is too far behind.
    pub(crate) too_long: bool,
    /// The most changes in one answer.
    pub(crate) slice: Option<usize>,
    /// The `timeout` of a channel's difference, in seconds.
    pub(crate) timeout: Option<i32>,
    /// What becomes of a file.
    pub(crate) file: FileBend,
}

impl World {
    /// The account's state as of now.
    pub(crate) fn state(&mut self, user_id: i64) -> types::updates::State {
        let date = self.date_for(user_id);
        let account = self.accounts.get(&user_id);
        let (pts, qts, seq) = account.map_or((1, 0, 0), |a| (a.pts, a.qts, a.seq));
        types::updates::State {
            pts,
            qts,
            date,
            seq,
            unread_count: self.unread_total(user_id),
        }
    }

    /// The most changes in one answer.
    fn slice_limit(&self) -> usize {
        let limit = self.config.difference_limit;
        let bent = self.bend.slice.map_or(limit, |slice| slice.min(limit));
        bent.max(1)
    }

    /// Everything after what the client has.
    pub(crate) fn difference(
        &mut self,
        user_id: i64,
        known: Known,
    ) -> Result<enums::updates::Difference, RpcError> {
        if known.pts == 0 {
            return Err(RpcError::bad("PERSISTENT_TIMESTAMP_EMPTY"));
        }
        let account = self
            .accounts
            .get(&user_id)
            .ok_or_else(|| RpcError::new(401, "AUTH_KEY_UNREGISTERED"))?;
        if known.pts < 0 || known.pts > account.pts || known.date < 0 {
            return Err(RpcError::bad("PERSISTENT_TIMESTAMP_INVALID"));
        }
        let behind = account.pts - known.pts;
        let gone = known.pts < account.oldest_pts() || self.bend.too_long;
        if gone
            || known
                .total_limit
                .is_some_and(|limit| limit > 0 && behind > limit)
        {
            return Ok(types::updates::DifferenceTooLong { pts: account.pts }.into());
        }
        let limit = known
            .limit
            .and_then(|limit| usize::try_from(limit).ok())
            .filter(|limit| *limit > 0)
            .unwrap_or(usize::MAX)
            .min(self.slice_limit());
        let lost = self.owed(user_id, known.date);
        let account = self
            .accounts
            .get(&user_id)
            .ok_or_else(|| RpcError::new(401, "AUTH_KEY_UNREGISTERED"))?;
        let missing = self.logged_after(user_id, known.pts);
        let mut whole = missing.len() <= limit;
        let mut named = Named::default();
        let mut new_messages = Vec::new();
        let mut other_updates = Vec::new();
        let mut last_pts = known.pts;
        for logged in missing.iter().take(limit) {
            last_pts = logged.pts;
            let account = self.accounts.get(&user_id);
            match &logged.change {
                // What was deleted since is not mentioned again; its deletion follows.
                Change::New { id } | Change::Edit { id }
                    if account.is_none_or(|account| !account.messages.contains_key(id)) => {}
                Change::New { id } => {
                    self.name_message(user_id, *id, &mut named);
                    new_messages.push(self.tl_message(user_id, *id));
                }
                change => {
                    self.name_change(user_id, change, &mut named);
                    other_updates.push(self.tl_change(user_id, logged));
                }
            }
        }
        // What is gone from the log is lost: the answer has no word for it.
        let mut last_qts = known.qts.clamp(0, account.qts);
        if let Some(account) = self.accounts.get(&user_id).filter(|_| whole) {
            let wanted = known
                .qts_limit
                .and_then(|limit| usize::try_from(limit).ok())
                .filter(|limit| *limit > 0);
            let room = (limit - missing.len()).min(wanted.unwrap_or(usize::MAX));
            let unknown = |secondary: &&Secondary| secondary.qts > last_qts;
            let found: Vec<&Secondary> = account.secondary.iter().filter(unknown).collect();
            whole = found.len() <= room;
            for secondary in found.into_iter().take(room) {
                last_qts = secondary.qts;
                other_updates.push(secondary.update.clone());
                secondary.names.iter().for_each(|name| named.add(*name));
            }
        }
        if whole {
            self.add_notes(user_id, known.date, &lost, &mut other_updates, &mut named);
        }
        let state = types::updates::State {
            pts: last_pts,
            qts: last_qts,
            ..self.state(user_id)
        };
        if whole {
            self.pay(user_id, state.date);
        }
        if whole && missing.is_empty() && other_updates.is_empty() {
            return Ok(types::updates::DifferenceEmpty {
                date: state.date,
                seq: state.seq,
            }
            .into());
        }
        let (users, chats) = self.describe(user_id, &named);
        let new_encrypted_messages = Vec::new();
        if whole {
            return Ok(types::updates::Difference {
                new_messages,
                new_encrypted_messages,
                other_updates,
                chats,
                users,
                state: state.into(),
            }
            .into());
        }
        // A slice keeps the client's date, so that the notes still come with the last one.
        let intermediate_state = types::updates::State {
            date: known.date,
            seq: self.seq_at(user_id, known.date, &lost),
            ..state
        }
        .into();
        Ok(types::updates::DifferenceSlice {
            new_messages,
            new_encrypted_messages,
            other_updates,
            chats,
            users,
            intermediate_state,
        }
        .into())
    }

    /// Adds what is counted in no `pts`, and points to the channels that have moved on.
    fn add_notes(
        &self,
        user_id: i64,
        date: i32,
        lost: &Lost,
        updates: &mut Vec<enums::Update>,
        named: &mut Named,
    ) {
        let Some(account) = self.accounts.get(&user_id) else {
            return;
        };
        let unknown = |noted: &&Noted| noted.date > date || lost.notes.contains(&noted.date);
        for noted in account.notes.iter().filter(unknown) {
            updates.push(noted.update.clone());
            for name in &noted.names {
                named.add(*name);
            }
        }
        for (&channel_id, &touched) in &account.touched_channels {
            if touched < date && !lost.channels.contains(&channel_id) {
                continue;
            }
            if let Some(channel) = self
                .channels
                .get(&channel_id)
                .filter(|channel| channel.members.contains_key(&user_id))
            {
                named.add(PeerId::Channel(channel_id));
                updates.push(
                    types::UpdateChannelTooLong {
                        channel_id,
                        pts: Some(channel.pts_for(user_id)),
                    }
                    .into(),
                );
            }
        }
    }

    /// Whoever asks for the difference of a channel without being in it hears of it as long as they go on asking every
    /// `timeout` seconds (page `api/updates`); bots do not.
    fn watch_channel(&mut self, user_id: i64, channel_id: i64, timeout: i32) {
        let (now, bot) = (self.now, self.is_bot(user_id));
        if let Some(channel) = self.channels.get_mut(&channel_id)
            && !bot
            && !channel.members.contains_key(&user_id)
        {
            channel
                .watchers
                .insert(user_id, now.saturating_add(timeout));
        }
    }

    /// Everything in a channel after what the client has.
    pub(crate) fn channel_difference(
        &mut self,
        user_id: i64,
        channel_id: i64,
        pts: i32,
        limit: i32,
    ) -> Result<enums::updates::ChannelDifference, RpcError> {
        let channel = self.channel_of(user_id, channel_id)?;
        if pts == 0 {
            return Err(RpcError::bad("PERSISTENT_TIMESTAMP_EMPTY"));
        }
        let present = channel.pts_for(user_id);
        if pts < 0 || pts > present {
            return Err(RpcError::bad("PERSISTENT_TIMESTAMP_INVALID"));
        }
        if limit <= 0 {
            return Err(RpcError::bad("LIMIT_INVALID"));
        }
        let timeout = self.bend.timeout.unwrap_or(self.config.channel_timeout);
        self.watch_channel(user_id, channel_id, timeout);
        let timeout = Some(timeout);
        let peer = PeerId::Channel(channel_id);
        let channel = self.channel_of(user_id, channel_id)?;
        if present == pts && !self.bend.too_long {
            return Ok(types::updates::ChannelDifferenceEmpty {
                r#final: true,
                pts,
                timeout,
            }
            .into());
        }
        let bridged = i64::from(present) - i64::from(pts);
        let too_far =
            usize::try_from(bridged).unwrap_or(usize::MAX) > self.config.channel_difference_limit;
        if pts < channel.oldest_for(user_id) || too_far || self.bend.too_long {
            let ids: Vec<i32> = channel.ids_for(user_id).rev().take(10).collect();
            let mut named = Named::of(&[peer]);
            let messages = ids
                .iter()
                .map(|&id| {
                    self.name_channel_message(channel_id, id, &mut named);
                    self.tl_channel_message(user_id, channel_id, id)
                })
                .collect();
            let (users, chats) = self.describe(user_id, &named);
            let dialog = self.tl_dialog(user_id, peer);
            return Ok(types::updates::ChannelDifferenceTooLong {
                r#final: true,
                timeout,
                dialog,
                messages,
                chats,
                users,
            }
            .into());
        }
        let limit = usize::try_from(limit).unwrap_or(1).min(self.slice_limit());
        let missing: Vec<_> = channel
            .log_for(user_id)
            .iter()
            .filter(|logged| logged.pts > pts)
            .take(limit + 1)
            .cloned()
            .collect();
        let r#final = missing.len() <= limit;
        let mut named = Named::of(&[peer]);
        let mut new_messages = Vec::new();
        let mut other_updates = Vec::new();
        let mut last_pts = pts;
        for logged in missing.iter().take(limit) {
            last_pts = logged.pts;
            match &logged.change {
                ChannelChange::New { id } | ChannelChange::Edit { id }
                    if !channel.messages.contains_key(id) => {}
                ChannelChange::New { id } => {
                    self.name_channel_message(channel_id, *id, &mut named);
                    new_messages.push(self.tl_channel_message(user_id, channel_id, *id));
                }
                change => {
                    self.name_channel_change(channel_id, change, &mut named);
                    other_updates.push(self.tl_channel_change(user_id, channel_id, logged));
                }
            }
        }
        let (users, chats) = self.describe(user_id, &named);
        Ok(types::updates::ChannelDifference {
            r#final,
            pts: last_pts,
            // More is there to be asked for at once, so there is nothing to wait for.
            timeout: timeout.filter(|_| r#final),
            new_messages,
            other_updates,
            chats,
            users,
        }
        .into())
    }
}
