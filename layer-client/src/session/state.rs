//! The data of a session, as it is serialised. Fields are only ever added together with a new
//! version of the envelope, which knows how to read the old ones.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// Everything that survives a restart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Session {
    /// The data centre that the account lives on; 0 while none was chosen.
    pub home_dc: i32,
    /// What is known of each data centre, by its number.
    pub dcs: BTreeMap<i32, DcState>,
    /// Who is signed in.
    pub user: Option<SelfUser>,
    /// Up to where updates were handled.
    pub updates: UpdatesState,
    /// Users, groups and channels that were met, with what is needed to address them.
    pub peers: Vec<SavedPeer>,
}

/// What is known of one data centre.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DcState {
    /// Where it can be reached, best first, as `help.getConfig` said.
    pub options: Vec<DcOption>,
    /// The permanent auth key.
    pub auth_key: Option<SavedKey>,
    /// Salts that are valid now or will be.
    pub salts: Vec<SavedSalt>,
    /// The server's clock minus ours, in seconds.
    pub time_offset: i64,
    /// Whether the account's authorisation was transferred to this key.
    pub authorized: bool,
}

/// One way to reach a data centre (constructor `dcOption`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DcOption {
    /// Where it listens. No other port is ever tried, as `this_port_only` demands.
    pub address: SocketAddr,
    /// Only for uploads and downloads.
    pub media_only: bool,
    /// Only for obfuscated connections.
    pub tcpo_only: bool,
    /// A server of the content delivery network.
    pub cdn: bool,
    /// To be preferred through a proxy (`static` in the schema).
    pub fixed: bool,
    /// The server named this port as the only one.
    pub this_port_only: bool,
    /// The secret for an obfuscated connection to it.
    pub secret: Option<Vec<u8>>,
}

impl DcOption {
    /// An address for everything, without conditions.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            media_only: false,
            tcpo_only: false,
            cdn: false,
            fixed: false,
            this_port_only: false,
            secret: None,
        }
    }
}

/// A salt and the Unix times between which it is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SavedSalt {
    /// From when on, in Unix seconds.
    pub valid_since: i32,
    /// Until when, in Unix seconds.
    pub valid_until: i32,
    /// The salt.
    pub salt: i64,
}

impl SavedSalt {
    /// A salt that is valid between two Unix times.
    #[must_use]
    pub fn new(salt: i64, valid_since: i32, valid_until: i32) -> Self {
        Self {
            valid_since,
            valid_until,
            salt,
        }
    }
}

/// An auth key at rest: 256 bytes that are wiped when dropped and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SavedKey(Box<[u8; 256]>);

impl SavedKey {
    /// Keeps a key.
    #[must_use]
    pub fn new(bytes: [u8; 256]) -> Self {
        Self(Box::new(bytes))
    }

    /// The key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 256] {
        &self.0
    }
}

impl Drop for SavedKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for SavedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SavedKey(..)")
    }
}

impl Serialize for SavedKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&*self.0)
    }
}

impl<'de> Deserialize<'de> for SavedKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = SavedKey;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("256 bytes")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<SavedKey, E> {
                let key: [u8; 256] = bytes
                    .try_into()
                    .map_err(|_| E::invalid_length(bytes.len(), &self))?;
                Ok(SavedKey::new(key))
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

/// Who is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SelfUser {
    /// The account's id.
    pub id: i64,
    /// Whether it is a bot.
    pub bot: bool,
}

impl SelfUser {
    /// Names the account.
    #[must_use]
    pub fn new(id: i64, bot: bool) -> Self {
        Self { id, bot }
    }
}

/// Up to where updates were handled by the program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UpdatesState {
    /// Position in the account's common sequence; 0 while unknown.
    pub pts: i32,
    /// Position in the secret chats' and bots' sequence.
    pub qts: i32,
    /// Date of the last update, Unix seconds.
    pub date: i32,
    /// Position in the sequence of update containers.
    pub seq: i32,
    /// pts of each channel, by its id.
    pub channels: BTreeMap<i64, i32>,
}

/// What a saved peer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum PeerKind {
    /// A person.
    User,
    /// A bot.
    Bot,
    /// A small group.
    Group,
    /// A supergroup.
    Supergroup,
    /// A broadcast channel.
    Channel,
}

/// What is needed to address a peer again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SavedPeer {
    /// What it is.
    pub kind: PeerKind,
    /// Its bare id.
    pub id: i64,
    /// Its access hash for this account; groups have none.
    pub access_hash: Option<i64>,
    /// Its usernames, the main one first, without `@`.
    pub usernames: Vec<String>,
    /// Its phone number, digits only.
    pub phone: Option<String>,
    /// What a person would call it.
    pub name: String,
    /// Whether it is known in part only (page `api/min`).
    pub min: bool,
    /// The message that it can be addressed through while it has no access hash.
    pub seen_in: Option<SeenIn>,
}

/// A message that shows a peer which is known in part only (page `api/min`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SeenIn {
    /// What the chat of the message is.
    pub chat_kind: PeerKind,
    /// The chat's bare id.
    pub chat_id: i64,
    /// The chat's access hash; groups have none.
    pub chat_access_hash: Option<i64>,
    /// The message's id.
    pub msg_id: i32,
}

impl SeenIn {
    /// Names a message.
    #[must_use]
    pub fn new(
        chat_kind: PeerKind,
        chat_id: i64,
        chat_access_hash: Option<i64>,
        msg_id: i32,
    ) -> Self {
        Self {
            chat_kind,
            chat_id,
            chat_access_hash,
            msg_id,
        }
    }
}

impl SavedPeer {
    /// A peer of that kind and id, of which nothing else is known yet.
    #[must_use]
    pub fn new(kind: PeerKind, id: i64) -> Self {
        Self {
            kind,
            id,
            access_hash: None,
            usernames: Vec::new(),
            phone: None,
            name: String::new(),
            min: false,
            seen_in: None,
        }
    }
}
