//! People and bots: making them, finding them, and how each looks to another.

use std::collections::BTreeMap;

use layer_tl_types::{enums, types};

use super::World;
use super::account::Account;
use super::blank;
use super::ids::{self, PeerId};
use crate::rpc::RpcError;

/// A person or bot, as the server knows them.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: i64,
    /// Digits only, with the country code; bots have none.
    pub(crate) phone: Option<String>,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    /// As written by its owner; looked up without regard to case.
    pub(crate) username: Option<String>,
    pub(crate) about: String,
    /// What makes it a bot.
    pub(crate) bot: Option<BotInfo>,
    /// The data centre that the account lives on.
    pub(crate) home_dc: i32,
    /// Until when the account counts as online (Unix time).
    pub(crate) online_until: i32,
    /// When it was last seen (Unix time).
    pub(crate) last_seen: i32,
    /// Deleted accounts keep their id and lose everything else.
    pub(crate) deleted: bool,
    pub(crate) verified: bool,
    pub(crate) support: bool,
    /// Pays for Telegram Premium.
    pub(crate) premium: bool,
    /// Profile photos, the one that is shown first.
    pub(crate) photos: Vec<i64>,
}

/// What makes an account a bot.
#[derive(Clone, Debug)]
pub(crate) struct BotInfo {
    /// `id:secret`.
    pub(crate) token: String,
    pub(crate) owner: i64,
    pub(crate) description: String,
    /// Command and description.
    pub(crate) commands: Vec<(String, String)>,
    /// The placeholder of inline mode, if the bot has that mode.
    pub(crate) inline_placeholder: Option<String>,
    /// It sees of groups only what is meant for it.
    pub(crate) privacy: bool,
}

/// A person to be made.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewUser {
    /// With or without `+` and spaces.
    pub(crate) phone: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    /// Without `@`.
    pub(crate) username: Option<String>,
    /// The data centre of the account; 0 for the world's default.
    pub(crate) home_dc: i32,
    pub(crate) premium: bool,
}

/// What an account has in its address book about another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contact {
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    /// The number under which it was saved; empty if only the account is known.
    pub(crate) phone: String,
}

/// Keeps the digits of a phone number.
pub(crate) fn digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}

/// Whether Telegram would take this as a username: 5 to 32 of `a-z0-9_`, a letter first.
pub(crate) fn valid_username(name: &str) -> bool {
    (4..=32).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic())
        && !name.ends_with('_')
        && !name.contains("__")
}

impl World {
    /// Makes a person.
    pub(crate) fn create_user(&mut self, new: NewUser) -> i64 {
        let id = self.next_user_id;
        self.next_user_id += 1;
        let home_dc = if new.home_dc == 0 {
            self.config.home_dc
        } else {
            new.home_dc
        };
        let phone = digits(&new.phone);
        let username = new
            .username
            .filter(|name| !self.usernames.contains_key(&name.to_lowercase()));
        self.insert_user(User {
            id,
            phone: (!phone.is_empty()).then_some(phone),
            first_name: new.first_name,
            last_name: new.last_name,
            username,
            about: String::new(),
            bot: None,
            home_dc,
            online_until: 0,
            last_seen: self.now,
            deleted: false,
            verified: false,
            support: false,
            premium: new.premium,
            photos: Vec::new(),
        });
        id
    }

    /// Makes a bot, owned by `owner`; the username is taken as it is. Returns its id and token.
    pub(crate) fn create_bot(&mut self, owner: i64, name: &str, username: &str) -> (i64, String) {
        let id = self.next_user_id;
        self.next_user_id += 1;
        let token = self.new_token(id);
        self.insert_user(User {
            id,
            phone: None,
            first_name: name.to_owned(),
            last_name: String::new(),
            username: Some(username.to_owned()),
            about: String::new(),
            bot: Some(BotInfo {
                token: token.clone(),
                owner,
                description: String::new(),
                commands: Vec::new(),
                inline_placeholder: None,
                privacy: true,
            }),
            home_dc: self
                .users
                .get(&owner)
                .map_or(self.config.home_dc, |owner| owner.home_dc),
            online_until: 0,
            last_seen: self.now,
            deleted: false,
            verified: false,
            support: false,
            premium: false,
            photos: Vec::new(),
        });
        (id, token)
    }

    /// A fresh token for the bot with this id.
    pub(crate) fn new_token(&mut self, id: i64) -> String {
        format!("{id}:AA{}", self.dice.text(33))
    }

    pub(super) fn insert_user(&mut self, user: User) {
        if let Some(name) = &user.username {
            self.usernames
                .insert(name.to_lowercase(), PeerId::User(user.id));
        }
        if let Some(phone) = &user.phone {
            self.phones.insert(phone.clone(), user.id);
        }
        self.accounts.insert(user.id, Account::new());
        self.users.insert(user.id, user);
    }

    /// The person with this number, however it is written.
    pub(crate) fn user_by_phone(&self, phone: &str) -> Option<i64> {
        self.phones.get(&digits(phone)).copied()
    }

    /// The bot with this token.
    pub(crate) fn user_by_token(&self, token: &str) -> Option<i64> {
        let id = token.split_once(':')?.0.parse().ok()?;
        let bot = self.users.get(&id)?.bot.as_ref()?;
        (bot.token == token).then_some(id)
    }

    /// Whoever has this username.
    pub(crate) fn peer_by_username(&self, username: &str) -> Option<PeerId> {
        self.usernames
            .get(&username.trim_start_matches('@').to_lowercase())
            .copied()
    }

    /// The account, or the error that says there is none.
    pub(crate) fn user(&self, id: i64) -> Result<&User, RpcError> {
        self.users
            .get(&id)
            .ok_or_else(|| RpcError::bad("USER_ID_INVALID"))
    }

    /// Whether the account is a bot.
    pub(crate) fn is_bot(&self, id: i64) -> bool {
        self.users.get(&id).is_some_and(|user| user.bot.is_some())
    }

    /// The hash by which `viewer` may name `peer`.
    pub(crate) fn access_hash(&self, viewer: i64, peer: PeerId) -> i64 {
        let kind = match peer {
            PeerId::User(_) => 1,
            PeerId::Chat(_) => 2,
            PeerId::Channel(_) => 3,
        };
        ids::keyed(self.config.secret, &[viewer, kind, peer.bare()])
    }

    /// A user as `viewer` sees them; `userEmpty` if there is no such user.
    pub(crate) fn tl_user(&self, viewer: i64, id: i64) -> enums::User {
        let Some(user) = self.users.get(&id) else {
            return types::UserEmpty { id }.into();
        };
        let own = viewer == id;
        let contact = self
            .accounts
            .get(&viewer)
            .and_then(|account| account.contacts.get(&id));
        let known_to_them = self
            .accounts
            .get(&id)
            .is_some_and(|account| account.contacts.contains_key(&viewer));
        let access_hash = Some(self.access_hash(viewer, PeerId::User(id)));
        if user.deleted {
            return types::User {
                deleted: true,
                access_hash,
                ..blank::user(id)
            }
            .into();
        }
        let (first_name, last_name) = match contact {
            Some(contact) if !own && !contact.first_name.is_empty() => {
                (&contact.first_name, &contact.last_name)
            }
            _ => (&user.first_name, &user.last_name),
        };
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        types::User {
            is_self: own,
            contact: contact.is_some(),
            mutual_contact: contact.is_some() && known_to_them,
            bot: user.bot.is_some(),
            bot_chat_history: user.bot.as_ref().is_some_and(|bot| !bot.privacy),
            bot_can_edit: user.bot.as_ref().is_some_and(|bot| bot.owner == viewer),
            verified: user.verified,
            support: user.support,
            premium: user.premium,
            photo: self.tl_user_photo(id),
            access_hash,
            first_name: some(first_name),
            last_name: some(last_name),
            username: user.username.clone(),
            phone: if own || contact.is_some() || known_to_them {
                user.phone.clone()
            } else {
                None
            },
            status: user.bot.is_none().then(|| self.tl_status(user)),
            bot_info_version: user.bot.as_ref().map(|_| 1),
            bot_inline_placeholder: user
                .bot
                .as_ref()
                .and_then(|bot| bot.inline_placeholder.clone()),
            ..blank::user(id)
        }
        .into()
    }

    /// When the user is or was online.
    pub(crate) fn tl_status(&self, user: &User) -> enums::UserStatus {
        if user.online_until > self.now {
            types::UserStatusOnline {
                expires: user.online_until,
            }
            .into()
        } else {
            types::UserStatusOffline {
                was_online: user.last_seen,
            }
            .into()
        }
    }

    /// `account.updateStatus`: notes it and tells everybody who has a private dialog with the user or knows them.
    pub(crate) fn set_online(&mut self, user_id: i64, online: bool) {
        let now = self.now;
        let Some(user) = self.users.get_mut(&user_id) else {
            return;
        };
        user.last_seen = now;
        user.online_until = if online { now.saturating_add(300) } else { 0 };
        let Some(user) = self.users.get(&user_id) else {
            return;
        };
        let status = self.tl_status(user);
        for other in self.acquaintances(user_id) {
            self.push_short(
                other,
                types::UpdateUserStatus {
                    user_id,
                    status: status.clone(),
                }
                .into(),
                false,
            );
        }
    }

    /// Accounts that have `user_id` as a contact or in a private dialog, except itself and bots.
    pub(crate) fn acquaintances(&self, user_id: i64) -> Vec<i64> {
        let mut found: BTreeMap<i64, ()> = BTreeMap::new();
        if let Some(account) = self.accounts.get(&user_id) {
            for peer in account.dialogs.keys() {
                if let PeerId::User(other) = peer {
                    found.insert(*other, ());
                }
            }
        }
        for (&other, account) in &self.accounts {
            if account.contacts.contains_key(&user_id) {
                found.insert(other, ());
            }
        }
        found
            .into_keys()
            .filter(|other| *other != user_id && !self.is_bot(*other))
            .collect()
    }

    /// `account.updateUsername` and its like: an empty name takes the username away.
    pub(crate) fn set_username(&mut self, user_id: i64, username: &str) -> Result<(), RpcError> {
        let current = self.user(user_id)?.username.clone();
        if current.as_deref().unwrap_or_default() == username {
            return Err(RpcError::bad("USERNAME_NOT_MODIFIED"));
        }
        if !username.is_empty() {
            self.check_username(PeerId::User(user_id), username)?;
        }
        if let Some(old) = current {
            self.usernames.remove(&old.to_lowercase());
        }
        let name = (!username.is_empty()).then(|| username.to_owned());
        if let Some(name) = &name {
            self.usernames
                .insert(name.to_lowercase(), PeerId::User(user_id));
        }
        if let Some(user) = self.users.get_mut(&user_id) {
            user.username = name;
        }
        self.announce_name(user_id);
        Ok(())
    }

    /// Changes the name or description of an account and tells its acquaintances.
    pub(crate) fn set_profile(
        &mut self,
        user_id: i64,
        first: Option<String>,
        last: Option<String>,
        about: Option<String>,
    ) {
        let Some(user) = self.users.get_mut(&user_id) else {
            return;
        };
        let renamed = first.is_some() || last.is_some();
        if let Some(first) = first {
            user.first_name = first;
        }
        if let Some(last) = last {
            user.last_name = last;
        }
        if let Some(about) = about {
            user.about = about;
        }
        if renamed {
            self.announce_name(user_id);
        }
    }

    /// Whether `peer` may take `username`.
    pub(crate) fn check_username(&self, peer: PeerId, username: &str) -> Result<(), RpcError> {
        if !valid_username(username) {
            return Err(RpcError::bad("USERNAME_INVALID"));
        }
        match self.usernames.get(&username.to_lowercase()) {
            Some(other) if *other != peer => Err(RpcError::bad("USERNAME_OCCUPIED")),
            _ => Ok(()),
        }
    }

    fn announce_name(&mut self, user_id: i64) {
        let Some(user) = self.users.get(&user_id) else {
            return;
        };
        let usernames = user
            .username
            .iter()
            .map(|name| {
                types::Username {
                    editable: true,
                    active: true,
                    username: name.clone(),
                }
                .into()
            })
            .collect();
        let update: enums::Update = types::UpdateUserName {
            user_id,
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            usernames,
        }
        .into();
        let mut told = self.acquaintances(user_id);
        told.push(user_id);
        for other in told {
            self.note(other, vec![update.clone()], &[PeerId::User(user_id)]);
        }
    }

    /// A private text from Telegram's service account, such as a login code.
    pub(crate) fn service_text(&mut self, user_id: i64, text: &str) {
        let origin = self.origin.take();
        let draft = super::send::Draft {
            text: text.to_owned(),
            ..Default::default()
        };
        let sent = self.send(ids::SERVICE_ID, PeerId::User(user_id), draft);
        debug_assert!(sent.is_ok(), "the service account can write to everybody");
        self.origin = origin;
    }

    /// `contacts.block` and `contacts.unblock`, which stop and start a bot.
    pub(crate) fn set_blocked(&mut self, user_id: i64, peer: PeerId, blocked: bool) {
        let now = self.now;
        let Some(account) = self.accounts.get_mut(&user_id) else {
            return;
        };
        let changed = if blocked {
            account.blocked.insert(peer, now).is_none()
        } else {
            account.blocked.remove(&peer).is_some()
        };
        if let PeerId::User(bot) = peer
            && changed
        {
            self.bot_stopped(bot, user_id, blocked);
        }
        let update = types::UpdatePeerBlocked {
            blocked,
            blocked_my_stories_from: false,
            peer_id: peer.to_tl(),
        };
        self.note(user_id, vec![update.into()], &[peer]);
    }

    /// Adds to or changes the address book. Names of an existing contact are replaced.
    pub(crate) fn set_contact(&mut self, owner: i64, user_id: i64, contact: Contact) {
        if let Some(account) = self.accounts.get_mut(&owner) {
            account.contacts.insert(user_id, contact);
        }
    }
}
