//! What the data centres keep: accounts, chats, messages, files, and the logs from which differences are answered.
//!
//! A plain value without I/O or clock: a call comes in with its time, the answer and what others must hear come out.
//! All data centres share one `World` behind a mutex; sessions and keys are the shell's.

pub(crate) mod account;
pub(crate) mod auth;
pub(crate) mod blank;
pub(crate) mod bots;
pub(crate) mod callbacks;
pub(crate) mod channel_view;
pub(crate) mod channels;
pub(crate) mod chats;
pub(crate) mod dialogs;
pub(crate) mod difference;
pub(crate) mod edit;
pub(crate) mod emit;
pub(crate) mod expected;
pub(crate) mod files;
pub(crate) mod history;
pub(crate) mod ids;
pub(crate) mod image;
pub(crate) mod inputs;
pub(crate) mod invites;
pub(crate) mod media;
pub(crate) mod message;
pub(crate) mod min;
pub(crate) mod moderation;
pub(crate) mod named;
pub(crate) mod owed;
pub(crate) mod participants;
pub(crate) mod polls;
pub(crate) mod portraits;
pub(crate) mod privacy;
pub(crate) mod reactions;
pub(crate) mod secondary;
pub(crate) mod send;
mod shelf;
pub(crate) mod users;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use account::Account;
use channels::Channel;
use chats::Group;
use ids::{Dice, PeerId};
use message::Body;
pub(crate) use users::NewUser;
use users::User;

use crate::config::Limits;
use crate::rpc::{Call, Out};

/// The world's limits and defaults.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Seeds access hashes, tokens and links.
    pub(crate) secret: u64,
    /// The data centre of accounts that do not name one.
    pub(crate) home_dc: i32,
    /// Changes kept per account and per channel; a client further behind gets "too long".
    pub(crate) log_limit: usize,
    /// Changes in one `updates.difference`; more come as slices.
    pub(crate) difference_limit: usize,
    /// Changes that `updates.getChannelDifference` bridges; further behind it is "too long".
    pub(crate) channel_difference_limit: usize,
    /// The `timeout` that a channel difference names, in seconds.
    pub(crate) channel_timeout: i32,
    /// Messages kept in one account or channel; the oldest go first.
    pub(crate) message_limit: usize,
    /// Bytes of file parts and files kept in all.
    pub(crate) file_bytes_limit: u64,
    /// Of these, bytes that are in memory; the rest is in a file.
    pub(crate) file_memory: u64,
    /// How many parts a file may have.
    pub(crate) file_parts: i32,
    /// How many it may have for those who pay.
    pub(crate) file_parts_premium: i32,
    /// Seconds for which parts are kept that nobody made into a file.
    pub(crate) upload_life: i32,
    /// How long a bot may take to answer a callback or inline query, in seconds.
    pub(crate) bot_timeout: i32,
    /// For how long a message can be edited, in seconds.
    pub(crate) edit_time: i32,
}

impl Default for Config {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            secret: 0x1a7e_57ab_1e5e_ed00,
            home_dc: 2,
            log_limit: limits.log_limit,
            difference_limit: limits.difference_limit,
            channel_difference_limit: limits.channel_difference_limit,
            channel_timeout: i32::try_from(limits.channel_timeout.as_secs()).unwrap_or(i32::MAX),
            message_limit: limits.message_limit,
            file_bytes_limit: limits.file_bytes,
            file_memory: limits.file_memory,
            file_parts: limits.file_parts,
            file_parts_premium: limits.file_parts_premium,
            upload_life: i32::try_from(limits.upload_life.as_secs()).unwrap_or(i32::MAX),
            bot_timeout: 10,
            edit_time: 172_800,
        }
    }
}

/// Everything the server knows.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) config: Config,
    /// Unix time of what is happening now; set by [`World::begin`] and [`World::set_now`].
    pub(crate) now: i32,
    pub(crate) users: BTreeMap<i64, User>,
    pub(crate) accounts: BTreeMap<i64, Account>,
    pub(crate) chats: BTreeMap<i64, Group>,
    pub(crate) channels: BTreeMap<i64, Channel>,
    /// Lower case, without `@`.
    pub(crate) usernames: BTreeMap<String, PeerId>,
    /// Digits only.
    pub(crate) phones: BTreeMap<String, i64>,
    /// Invite hashes and what they open.
    pub(crate) invites: BTreeMap<String, invites::Invite>,
    /// Who asks to be let in where.
    pub(crate) join_requests: BTreeMap<PeerId, BTreeMap<i64, invites::JoinRequest>>,
    pub(crate) bodies: BTreeMap<u64, Body>,
    pub(crate) files: files::Files,
    pub(crate) shelf: shelf::Shelf,
    pub(crate) queries: callbacks::Queries,
    pub(crate) bot_talks: BTreeMap<i64, bots::Talk>,
    /// What a fault makes of the difference that the present call asks for.
    pub(crate) bend: difference::Bend,
    pub(crate) polls: BTreeMap<i64, polls::Poll>,
    /// The polls in the order in which they were made.
    pub(crate) poll_order: VecDeque<i64>,
    /// What happens to accounts that are watched.
    pub(crate) journals: expected::Journals,
    /// What the shell has to send; it takes all of it after each call.
    pub(crate) outbox: Vec<Out>,
    pub(crate) auth: auth::AuthBook,
    pub(crate) dice: Dice,
    /// The call being served, whose own session hears of its effects by the answer.
    pub(crate) origin: Option<Origin>,
    /// Messages that a built-in bot has yet to react to.
    pub(crate) bot_mail: VecDeque<(i64, PeerId, i32)>,
    pub(crate) next_user_id: i64,
    pub(crate) next_chat_id: i64,
    pub(crate) next_channel_id: i64,
    pub(crate) next_body: u64,
}

/// The session whose call is being served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) user_id: i64,
    pub(crate) auth_key_id: i64,
    pub(crate) session_id: i64,
}

impl World {
    /// A world with nobody in it but Telegram's service account, @BotFather and @echo.
    pub(crate) fn new(config: Config) -> Self {
        let mut world = Self {
            now: 0,
            users: BTreeMap::new(),
            accounts: BTreeMap::new(),
            chats: BTreeMap::new(),
            channels: BTreeMap::new(),
            usernames: BTreeMap::new(),
            phones: BTreeMap::new(),
            invites: BTreeMap::new(),
            join_requests: BTreeMap::new(),
            bodies: BTreeMap::new(),
            files: files::Files::new(&config),
            shelf: shelf::Shelf::default(),
            queries: callbacks::Queries::default(),
            bot_talks: BTreeMap::new(),
            bend: difference::Bend::default(),
            polls: BTreeMap::new(),
            poll_order: VecDeque::new(),
            journals: expected::Journals::default(),
            outbox: Vec::new(),
            auth: auth::AuthBook::default(),
            dice: Dice::new(config.secret),
            origin: None,
            bot_mail: VecDeque::new(),
            next_user_id: 1_000_001,
            next_chat_id: 10_001,
            next_channel_id: 1_000_000_001,
            next_body: 1,
            config,
        };
        world.make_residents();
        world
    }

    /// Sets the time and the caller for what follows; [`World::settle`] ends it.
    pub(crate) fn begin(&mut self, call: &Call) {
        self.set_now(call.now);
        self.origin = call.user_id.map(|user_id| Origin {
            user_id,
            auth_key_id: call.auth_key_id,
            session_id: call.session_id,
        });
    }

    /// Sets the time for actions that no call makes. It never goes back.
    pub(crate) fn set_now(&mut self, now: i32) {
        self.now = self.now.max(now);
    }

    /// Ends a call: the built-in bots react to what they were sent.
    pub(crate) fn settle(&mut self) {
        self.origin = None;
        self.run_bots();
    }

    /// Takes what has to be sent.
    pub(crate) fn take_outbox(&mut self) -> Vec<Out> {
        std::mem::take(&mut self.outbox)
    }
}
