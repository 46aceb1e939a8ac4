//! The data of a session, as it is serialised. Fields are only ever added together with a new
//! version of the envelope, which knows how to read the old ones.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

// For those who ask for the feature, and for the tests that hold `record` against postcard.
#[cfg(any(test, feature = "serde"))]
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::record::{self, Decode, Encode, record};

/// Everything that survives a restart.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(any(test, feature = "serde"), derive(Serialize, Deserialize))]
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
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(any(test, feature = "serde"), derive(Serialize, Deserialize))]
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
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(any(test, feature = "serde"), derive(Serialize, Deserialize))]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(any(test, feature = "serde"), derive(Serialize, Deserialize))]
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

    /// A key of these bytes, without another copy of them on the way; `None` if they are not 256.
    fn copied(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 256] = bytes.try_into().ok()?;
        let mut key = Self::new([0; 256]);
        key.0.copy_from_slice(bytes);
        Some(key)
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

/// Written as its bytes behind their number, which is always 256.
impl Encode for SavedKey {
    fn encode(&self, out: &mut impl FnMut(&[u8])) {
        record::write_bytes(&*self.0, out);
    }
}

impl Decode for SavedKey {
    fn decode(input: &mut &[u8]) -> Option<Self> {
        let len = record::length(input)?;
        Self::copied(record::take(input, len)?)
    }
}

#[cfg(any(test, feature = "serde"))]
impl Serialize for SavedKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&*self.0)
    }
}

#[cfg(any(test, feature = "serde"))]
impl<'de> Deserialize<'de> for SavedKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = SavedKey;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("256 bytes")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<SavedKey, E> {
                SavedKey::copied(bytes).ok_or_else(|| E::invalid_length(bytes.len(), &self))
            }

            /// JSON and its like have no bytes, and hold a list of numbers.
            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<SavedKey, A::Error> {
                use serde::de::Error;

                let mut key = SavedKey::new([0; 256]);
                for (at, byte) in key.0.iter_mut().enumerate() {
                    let next = seq.next_element()?;
                    *byte = next.ok_or_else(|| Error::invalid_length(at, &self))?;
                }
                match seq.next_element::<u8>()? {
                    Some(_) => Err(Error::invalid_length(257, &self)),
                    None => Ok(key),
                }
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

/// Who is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(any(test, feature = "serde"), derive(Serialize, Deserialize))]
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(any(test, feature = "serde"), derive(Serialize, Deserialize))]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(any(test, feature = "serde"), derive(Serialize, Deserialize))]
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
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(any(test, feature = "serde"), derive(Serialize, Deserialize))]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(any(test, feature = "serde"), derive(Serialize, Deserialize))]
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

// As every version of the envelope has them; see `old` for those that were others once.
record!(Session {
    home_dc,
    dcs,
    user,
    updates,
    peers,
});
record!(DcState {
    options,
    auth_key,
    salts,
    time_offset,
    authorized,
});
record!(DcOption {
    address,
    media_only,
    tcpo_only,
    cdn,
    fixed,
    this_port_only,
    secret,
});
record!(SavedSalt {
    valid_since,
    valid_until,
    salt,
});
record!(SelfUser { id, bot });
record!(UpdatesState {
    pts,
    qts,
    date,
    seq,
    channels,
});
record!(enum PeerKind {
    0 => User,
    1 => Bot,
    2 => Group,
    3 => Supergroup,
    4 => Channel,
});
record!(SavedPeer {
    kind,
    id,
    access_hash,
    usernames,
    phone,
    name,
    min,
    seen_in,
});
record!(SeenIn {
    chat_kind,
    chat_id,
    chat_access_hash,
    msg_id,
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::against_postcard::{Any, agree};

    impl Any for SavedKey {
        fn any(rng: &mut fastrand::Rng) -> Self {
            Self::new(std::array::from_fn(|_| rng.u8(..)))
        }
    }

    #[test]
    fn sessions_are_written_and_read_as_postcard_does() {
        agree::<Session>(1_000);
        // Alone, so that damage meets what is rare in a session.
        agree::<DcState>(1_000);
        agree::<DcOption>(1_000);
        agree::<SavedKey>(1_000);
        agree::<UpdatesState>(1_000);
        agree::<SavedPeer>(1_000);
        agree::<SeenIn>(1_000);
    }

    #[test]
    fn a_key_of_another_length_is_none() {
        let mut bytes = record::to_bytes(&SavedKey::new([7; 256])).to_vec();
        assert_eq!(bytes.len(), 258);
        bytes.push(7);
        // 257, 255.
        for low in [0x81, 0xff] {
            bytes[0] = low;
            bytes[1] = if low == 0x81 { 2 } else { 1 };
            assert_eq!(SavedKey::decode(&mut &*bytes), None);
        }
    }

    #[test]
    fn a_session_goes_through_json() {
        for seed in 0..20 {
            let session = Session::any(&mut fastrand::Rng::with_seed(seed));
            let text = serde_json::to_string(&session).unwrap();
            assert_eq!(serde_json::from_str::<Session>(&text).unwrap(), session);
        }
        for len in [255, 257] {
            let text = serde_json::to_string(&vec![7; len]).unwrap();
            let error = serde_json::from_str::<SavedKey>(&text).unwrap_err();
            assert!(error.to_string().contains("expected 256 bytes"), "{error}");
        }
    }
}
