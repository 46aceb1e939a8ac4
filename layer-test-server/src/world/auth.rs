//! What the data centre knows of authorization keys and of the logins behind them.
//!
//! An [`AuthBook`] is part of the [`World`](super::World): keys and their temporary keys, the codes that were
//! "sent", exported authorizations, login tokens and 2FA passwords. It knows nothing of sockets; what must happen to connections it leaves in `dropped` and `notices`.

pub(crate) mod accounts;
pub(crate) mod codes;
pub(crate) mod password;
pub(crate) mod tokens;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use layer_crypto::{AuthKey, SecureRandom};
use layer_mtproto::session::SaltBook;
use layer_tl_types as tl;

use accounts::AccountSettings;
use codes::CodeBook;
use password::Password;
use tokens::TokenBook;

use crate::faults::KeyKind;

/// Keys held at most; beyond it the least recently used key without a login is forgotten.
const MAX_KEYS: usize = 20_000;

/// What stays the same while the server runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct AuthSettings {
    /// Every login code is this one; random when absent.
    pub(crate) login_code: Option<String>,
    /// The only application id and hash that are accepted; any plausible pair when absent.
    pub(crate) api: Option<(i32, String)>,
    /// Where each data centre can be reached.
    pub(crate) dcs: Vec<Listing>,
    /// Temporary keys bound to one permanent key at most.
    pub(crate) temporary_keys: usize,
}

/// Where a data centre can be reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listing {
    pub(crate) dc_id: i32,
    pub(crate) address: SocketAddr,
    /// It is meant for files.
    pub(crate) media_only: bool,
    /// It is a CDN's.
    pub(crate) cdn: bool,
}

/// The message that carries the call being served.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Caller {
    /// The key that it came under, temporary or permanent.
    pub(crate) auth_key_id: i64,
    pub(crate) msg_id: i64,
}

/// An update for whoever holds a key, signed in or not.
#[derive(Clone, Debug)]
pub(crate) struct KeyNotice {
    /// The permanent key it is for.
    pub(crate) auth_key_id: i64,
    /// What to push to the key's sessions.
    pub(crate) updates: tl::enums::Updates,
}

/// Who is signed in with a key.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    /// The account.
    pub(crate) user_id: i64,
    /// Unix time of the sign-in.
    pub(crate) since: i32,
    /// The name of this login in `account.getAuthorizations`; never 0.
    pub(crate) hash: i64,
    /// Counts the logins of this server, since many happen within a second.
    pub(crate) number: u64,
    /// Carried over from another data centre by `auth.importAuthorization`.
    pub(crate) imported: bool,
}

/// What `initConnection` told of the program behind a key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Device {
    pub(crate) api_id: i32,
    pub(crate) model: String,
    pub(crate) system: String,
    pub(crate) app_version: String,
    pub(crate) lang_code: String,
}

/// A key that expires.
#[derive(Clone, Debug)]
pub(crate) struct Temporary {
    /// Unix time at which it is forgotten.
    pub(crate) expires_at: i32,
    /// The permanent key that it stands for, once bound.
    pub(crate) bound_to: Option<i64>,
}

/// What the network side needs of a key.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) key: AuthKey,
    pub(crate) salts: SaltBook,
    pub(crate) kind: KeyKind,
}

/// One authorization key.
pub(crate) struct KeyRecord {
    pub(crate) key: AuthKey,
    pub(crate) salts: SaltBook,
    /// The data centre it was made with, and the only one where it means anything.
    pub(crate) dc_id: i32,
    pub(crate) temporary: Option<Temporary>,
    pub(crate) login: Option<Login>,
    /// The account whose 2FA password is still to come.
    pub(crate) password_pending: Option<i64>,
    /// Its login was ended from another device.
    pub(crate) revoked: bool,
    pub(crate) device: Device,
    /// The layer of its last `invokeWithLayer`.
    pub(crate) layer: i32,
    /// Unix time of its last call.
    pub(crate) used: i32,
    /// The address of its last connection.
    pub(crate) ip: String,
}

impl KeyRecord {
    pub(crate) fn kind(&self) -> KeyKind {
        match self.temporary {
            Some(_) => KeyKind::Temporary,
            None => KeyKind::Permanent,
        }
    }
}

/// Keys, logins and all that leads to them.
pub(crate) struct AuthBook {
    pub(crate) settings: AuthSettings,
    /// Set by the network side before each call.
    pub(crate) caller: Caller,
    pub(crate) codes: CodeBook,
    pub(crate) tokens: TokenBook,
    /// Updates addressed to keys, taken away by the network side after each call.
    pub(crate) notices: Vec<KeyNotice>,
    /// Keys that are gone: their connections are to be closed.
    pub(crate) dropped: Vec<i64>,
    keys: HashMap<i64, KeyRecord>,
    logins: u64,
    passwords: BTreeMap<i64, Password>,
    accounts: BTreeMap<i64, AccountSettings>,
    rng: Box<dyn SecureRandom + Send>,
}

impl fmt::Debug for AuthBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthBook")
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

impl Default for AuthBook {
    /// A book without data centres, with the operating system's randomness.
    fn default() -> Self {
        Self::new(AuthSettings::default(), crate::random::source())
    }
}

impl AuthBook {
    pub(crate) fn new(settings: AuthSettings, rng: Box<dyn SecureRandom + Send>) -> Self {
        Self {
            settings,
            caller: Caller::default(),
            codes: CodeBook::default(),
            tokens: TokenBook::default(),
            notices: Vec::new(),
            dropped: Vec::new(),
            keys: HashMap::new(),
            logins: 0,
            passwords: BTreeMap::new(),
            accounts: BTreeMap::new(),
            rng,
        }
    }

    /// Random bytes from the source that the server was given.
    pub(crate) fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill(&mut bytes);
        bytes
    }

    /// A random number that is not zero, as ids and hashes want it.
    pub(crate) fn random_id(&mut self) -> i64 {
        loop {
            let id = i64::from_le_bytes(self.random());
            if id != 0 {
                return id;
            }
        }
    }

    // -- keys ---------------------------------------------------------------------------------------------

    /// Keeps a key that was just made with data centre `dc_id`; `first_salt` follows from the exchange.
    ///
    /// False when a key of that id is held already: the exchange has to be done again.
    pub(crate) fn add_key(
        &mut self,
        key: AuthKey,
        dc_id: i32,
        life: Option<Duration>,
        first_salt: i64,
        unix: Duration,
    ) -> bool {
        let id = key.id();
        if self.keys.contains_key(&id) {
            return false;
        }
        if self.keys.len() >= MAX_KEYS {
            self.forget_oldest();
        }
        let time = |at: Duration| i32::try_from(at.as_secs()).unwrap_or(i32::MAX);
        let temporary = life.map(|life| Temporary {
            expires_at: time(unix.saturating_add(life)),
            bound_to: None,
        });
        let salts = SaltBook::new(&key, Some(first_salt), unix);
        self.keys.insert(
            id,
            KeyRecord {
                key,
                salts,
                dc_id,
                temporary,
                login: None,
                password_pending: None,
                revoked: false,
                device: Device::default(),
                layer: 0,
                used: time(unix),
                ip: String::new(),
            },
        );
        true
    }

    fn forget_oldest(&mut self) {
        let oldest = self
            .keys
            .iter()
            .filter(|(_, record)| record.login.is_none())
            .min_by_key(|(_, record)| record.used)
            .map(|(id, _)| *id);
        if let Some(id) = oldest {
            self.forget_key(id);
        }
    }

    /// The key, unless it is unknown, belongs to another data centre or has expired.
    pub(crate) fn open_key(
        &mut self,
        id: i64,
        dc_id: i32,
        now: i32,
        peer: IpAddr,
    ) -> Option<Known> {
        let record = self.keys.get(&id)?;
        if record.dc_id != dc_id {
            return None;
        }
        if let Some(temporary) = &record.temporary {
            // A temporary key is worth nothing without the permanent one behind it.
            let orphaned = temporary
                .bound_to
                .is_some_and(|id| !self.keys.contains_key(&id));
            if orphaned || temporary.expires_at <= now {
                self.forget_key(id);
                return None;
            }
        }
        let permanent = self.permanent(id);
        if let Some(record) = self.keys.get_mut(&permanent)
            && record.ip.is_empty()
        {
            record.ip = peer.to_string();
        }
        let record = self.keys.get(&id)?;
        Some(Known {
            key: record.key.clone(),
            salts: record.salts.clone(),
            kind: record.kind(),
        })
    }

    /// Throws the salts of all keys away that fit.
    pub(crate) fn rotate_salts(&self, fits: impl Fn(&KeyRecord) -> bool) {
        for record in self.keys.values().filter(|record| fits(record)) {
            record.salts.rotate();
        }
    }

    /// Forgets all keys that fit.
    pub(crate) fn forget_keys(&mut self, fits: impl Fn(&KeyRecord) -> bool) {
        for id in self.key_ids() {
            if self.keys.get(&id).is_some_and(&fits) {
                self.forget_key(id);
            }
        }
    }

    /// The permanent key behind `id`: itself, or what it is bound to.
    pub(crate) fn permanent(&self, id: i64) -> i64 {
        self.keys
            .get(&id)
            .and_then(|record| record.temporary.as_ref())
            .and_then(|temporary| temporary.bound_to)
            .unwrap_or(id)
    }

    /// Whether the key is temporary and not bound to a permanent one.
    pub(crate) fn is_unbound(&self, id: i64) -> bool {
        self.keys
            .get(&id)
            .and_then(|record| record.temporary.as_ref())
            .is_some_and(|temporary| temporary.bound_to.is_none())
    }

    pub(crate) fn record(&self, id: i64) -> Option<&KeyRecord> {
        self.keys.get(&id)
    }

    pub(crate) fn record_mut(&mut self, id: i64) -> Option<&mut KeyRecord> {
        self.keys.get_mut(&id)
    }

    /// Forgets a key and the temporary keys bound to it; their connections are closed.
    pub(crate) fn forget_key(&mut self, id: i64) -> bool {
        if self.keys.remove(&id).is_none() {
            return false;
        }
        self.dropped.push(id);
        for temporary in self.temporary_keys(id) {
            self.keys.remove(&temporary);
            self.dropped.push(temporary);
        }
        true
    }

    /// Ids of all keys, permanent and temporary.
    pub(crate) fn key_ids(&self) -> Vec<i64> {
        self.keys.keys().copied().collect()
    }

    fn temporary_keys(&self, permanent: i64) -> Vec<i64> {
        let bound = |record: &KeyRecord| record.temporary.as_ref().and_then(|t| t.bound_to);
        let mut keys: Vec<_> = self
            .keys
            .iter()
            .filter(|(_, record)| bound(record) == Some(permanent))
            .map(|(id, record)| (record.used, *id))
            .collect();
        keys.sort_unstable();
        keys.into_iter().map(|(_, id)| id).collect()
    }

    /// A permanent key and all keys that stand for it.
    pub(crate) fn with_temporary(&self, permanent: i64) -> Vec<i64> {
        let mut keys = self.temporary_keys(permanent);
        keys.push(permanent);
        keys
    }

    /// Lets the temporary key stand for the permanent one, until `expires_at`.
    pub(crate) fn bind(&mut self, temporary: i64, permanent: i64, expires_at: i32) {
        let mut bound = self.temporary_keys(permanent);
        bound.retain(|id| *id != temporary);
        let most = self.settings.temporary_keys.max(1);
        for oldest in bound.iter().take((bound.len() + 1).saturating_sub(most)) {
            self.forget_key(*oldest);
        }
        if let Some(record) = self.keys.get_mut(&temporary)
            && let Some(part) = record.temporary.as_mut()
        {
            part.bound_to = Some(permanent);
            part.expires_at = part.expires_at.min(expires_at);
        }
    }

    /// Forgets the temporary keys of a permanent key but for `except`.
    pub(crate) fn drop_temporary(&mut self, permanent: i64, except: &[i64]) {
        for id in self.temporary_keys(permanent) {
            if !except.contains(&id) {
                self.forget_key(id);
            }
        }
    }

    // -- logins -------------------------------------------------------------------------------------------

    /// The account signed in with a permanent key.
    pub(crate) fn user_of(&self, key: i64) -> Option<i64> {
        self.keys
            .get(&key)
            .and_then(|record| record.login.as_ref())
            .map(|login| login.user_id)
    }

    /// Signs an account in with a key.
    pub(crate) fn login(&mut self, key: i64, user_id: i64, imported: bool, now: i32) {
        let hash = self.random_id();
        self.logins += 1;
        let number = self.logins;
        if let Some(record) = self.keys.get_mut(&key) {
            record.login = Some(Login {
                user_id,
                since: now,
                hash,
                number,
                imported,
            });
            record.password_pending = None;
            record.revoked = false;
        }
    }

    /// Ends the login of a key; the key stays usable for another one.
    pub(crate) fn logout(&mut self, key: i64) {
        if let Some(record) = self.keys.get_mut(&key) {
            record.login = None;
            record.password_pending = None;
        }
    }

    /// Ends the login of a key on another's behalf: what comes with it is answered `SESSION_REVOKED`.
    pub(crate) fn revoke(&mut self, key: i64) {
        self.logout(key);
        if let Some(record) = self.keys.get_mut(&key) {
            record.revoked = true;
        }
    }

    /// The permanent keys signed in as `user_id`, on all data centres, oldest login first.
    pub(crate) fn keys_of(&self, user_id: i64) -> Vec<i64> {
        let mut keys: Vec<_> = self
            .keys
            .iter()
            .filter_map(|(id, record)| record.login.as_ref().map(|login| (id, login)))
            .filter(|(_, login)| login.user_id == user_id)
            .map(|(id, login)| (login.number, *id))
            .collect();
        keys.sort_unstable();
        keys.into_iter().map(|(_, id)| id).collect()
    }

    /// The logins of `user_id` that a person would call devices: not those carried to other data centres.
    pub(crate) fn devices_of(&self, user_id: i64) -> Vec<(i64, &KeyRecord)> {
        self.keys_of(user_id)
            .into_iter()
            .filter_map(|id| self.keys.get(&id).map(|record| (id, record)))
            .filter(|(_, record)| record.login.as_ref().is_some_and(|login| !login.imported))
            .collect()
    }

    // -- passwords and settings ---------------------------------------------------------------------------

    pub(crate) fn password(&self, user_id: i64) -> Option<&Password> {
        self.passwords.get(&user_id)
    }

    pub(crate) fn set_password(&mut self, user_id: i64, password: Option<Password>) {
        match password {
            Some(password) => self.passwords.insert(user_id, password),
            None => self.passwords.remove(&user_id),
        };
    }

    pub(crate) fn account(&mut self, user_id: i64) -> &mut AccountSettings {
        self.accounts.entry(user_id).or_default()
    }
}
