//! `Peer`: whom or where one can write to, with the access hash that makes it possible.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use layer_tl_types as tl;

/// What kind of peer an id belongs to. Ids of different kinds may be equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PeerKind {
    /// A person or a bot.
    User,
    /// A basic group.
    Group,
    /// A channel or a supergroup.
    Channel,
}

/// A kind and a bare id: enough to tell peers apart, not enough to write to them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId {
    kind: PeerKind,
    id: i64,
}

/// Ids of channels in their marked form start here (`-100…`).
const CHANNEL_MARK: i64 = -1_000_000_000_000;

impl PeerId {
    /// The id of a user or bot.
    #[must_use]
    pub const fn user(id: i64) -> Self {
        Self {
            kind: PeerKind::User,
            id,
        }
    }

    /// The id of a basic group.
    #[must_use]
    pub const fn group(id: i64) -> Self {
        Self {
            kind: PeerKind::Group,
            id,
        }
    }

    /// The id of a channel or supergroup.
    #[must_use]
    pub const fn channel(id: i64) -> Self {
        Self {
            kind: PeerKind::Channel,
            id,
        }
    }

    /// The kind.
    #[must_use]
    pub const fn kind(self) -> PeerKind {
        self.kind
    }

    /// The bare id, as the raw API has it.
    #[must_use]
    pub const fn bare(self) -> i64 {
        self.id
    }

    /// One number for all kinds, as the Bot API has it: users positive, groups negative, channels `-100…`.
    #[must_use]
    pub const fn marked(self) -> i64 {
        match self.kind {
            PeerKind::User => self.id,
            PeerKind::Group => self.id.wrapping_neg(),
            PeerKind::Channel => CHANNEL_MARK.wrapping_sub(self.id),
        }
    }

    /// Reads the form that [`marked`](Self::marked) writes; `None` for 0.
    #[must_use]
    pub const fn from_marked(id: i64) -> Option<Self> {
        if id > 0 {
            Some(Self::user(id))
        } else if id == 0 || id == i64::MIN {
            None
        } else if id > CHANNEL_MARK {
            Some(Self::group(-id))
        } else if id < CHANNEL_MARK {
            Some(Self::channel(CHANNEL_MARK - id))
        } else {
            None
        }
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({})", self.kind, self.id)
    }
}

impl From<&tl::enums::Peer> for PeerId {
    fn from(peer: &tl::enums::Peer) -> Self {
        match peer {
            tl::enums::Peer::User(p) => Self::user(p.user_id),
            tl::enums::Peer::Chat(p) => Self::group(p.chat_id),
            tl::enums::Peer::Channel(p) => Self::channel(p.channel_id),
        }
    }
}

/// How a peer was met for the first time in part only: the documentation's `min` constructors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MinContext {
    /// The chat of the message that showed the peer.
    pub(crate) chat: (PeerId, Option<i64>),
    /// The message's id.
    pub(crate) msg_id: i32,
}

/// What is known about a peer.
#[derive(Clone, Debug, Default)]
pub(crate) struct PeerInfo {
    /// Good for everything: those of `min` constructors, which are good for profile photos only, are
    /// not kept.
    pub(crate) access_hash: Option<i64>,
    /// All we know is from `min` constructors.
    pub(crate) min: bool,
    /// The message that showed it, by which it can be addressed while there is no access hash.
    pub(crate) context: Option<MinContext>,
    pub(crate) name: String,
    pub(crate) username: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) bot: bool,
    pub(crate) broadcast: bool,
    pub(crate) myself: bool,
}

/// A user, group or channel, cheap to clone. It carries its access hash, so that it can be written to without a
/// lookup.
#[derive(Clone)]
pub struct Peer {
    id: PeerId,
    info: Arc<PeerInfo>,
}

impl Peer {
    pub(crate) fn new(id: PeerId, info: PeerInfo) -> Self {
        Self {
            id,
            info: Arc::new(info),
        }
    }

    /// A peer of which nothing but the id is known.
    pub(crate) fn bare(id: PeerId) -> Self {
        Self::new(id, PeerInfo::default())
    }

    #[cfg(test)]
    pub(crate) fn named(id: PeerId, name: &str) -> Self {
        let info = PeerInfo {
            access_hash: Some(1),
            name: name.to_owned(),
            ..PeerInfo::default()
        };
        Self::new(id, info)
    }

    pub(crate) fn info(&self) -> &PeerInfo {
        &self.info
    }

    /// The same peer with the message that showed it, for those known in part only.
    pub(crate) fn with_context(&self, context: MinContext) -> Self {
        Self::new(
            self.id,
            PeerInfo {
                context: Some(context),
                ..(*self.info).clone()
            },
        )
    }

    /// The bare id, as the raw API has it. See [`PeerId::marked`] for one number space.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.id.bare()
    }

    /// Kind and id together, as a key for maps.
    #[must_use]
    pub fn key(&self) -> PeerId {
        self.id
    }

    /// User, group or channel.
    #[must_use]
    pub fn kind(&self) -> PeerKind {
        self.id.kind()
    }

    /// The first and last name, or the title. Empty when it is not known.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.info.name
    }

    /// The username, without `@`.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        self.info.username.as_deref()
    }

    /// The phone number, digits only, of users who let us see it.
    #[must_use]
    pub fn phone(&self) -> Option<&str> {
        self.info.phone.as_deref()
    }

    /// Whether it is a bot.
    #[must_use]
    pub fn is_bot(&self) -> bool {
        self.info.bot
    }

    /// Whether it is the account itself.
    #[must_use]
    pub fn is_self(&self) -> bool {
        self.info.myself
    }

    /// Whether it is a channel where only its owners post.
    #[must_use]
    pub fn is_broadcast(&self) -> bool {
        self.info.broadcast
    }

    /// The peer as calls of the raw API want it, if what we know is enough for it.
    #[must_use]
    pub fn to_input(&self) -> Option<tl::enums::InputPeer> {
        let info = &*self.info;
        if info.myself {
            return Some(tl::enums::InputPeer::PeerSelf);
        }
        match (self.id.kind(), info.access_hash) {
            (PeerKind::Group, _) => Some(tl::types::InputPeerChat { chat_id: self.id() }.into()),
            (PeerKind::User, Some(access_hash)) => Some(
                tl::types::InputPeerUser {
                    user_id: self.id(),
                    access_hash,
                }
                .into(),
            ),
            (PeerKind::Channel, Some(access_hash)) => Some(
                tl::types::InputPeerChannel {
                    channel_id: self.id(),
                    access_hash,
                }
                .into(),
            ),
            (kind, None) => {
                let context = info.context?;
                let chat = Self::new(
                    context.chat.0,
                    PeerInfo {
                        access_hash: context.chat.1,
                        ..PeerInfo::default()
                    },
                )
                .to_input()?;
                Some(if kind == PeerKind::User {
                    tl::types::InputPeerUserFromMessage {
                        peer: chat,
                        msg_id: context.msg_id,
                        user_id: self.id(),
                    }
                    .into()
                } else {
                    tl::types::InputPeerChannelFromMessage {
                        peer: chat,
                        msg_id: context.msg_id,
                        channel_id: self.id(),
                    }
                    .into()
                })
            }
        }
    }

    /// Whether it can be addressed by itself, without a message that shows it.
    pub(crate) fn is_full(&self) -> bool {
        self.info.myself || self.kind() == PeerKind::Group || self.info.access_hash.is_some()
    }

    /// The same for calls that take a user only.
    #[must_use]
    pub fn to_input_user(&self) -> Option<tl::enums::InputUser> {
        input_user(self.to_input()?)
    }

    /// The same for calls that take a channel only.
    #[must_use]
    pub fn to_input_channel(&self) -> Option<tl::enums::InputChannel> {
        input_channel(self.to_input()?)
    }
}

/// An `InputPeer` in the form for calls that take users only.
pub(crate) fn input_user(peer: tl::enums::InputPeer) -> Option<tl::enums::InputUser> {
    use tl::enums::InputPeer as P;
    match peer {
        P::PeerSelf => Some(tl::enums::InputUser::UserSelf),
        P::User(p) => Some(
            tl::types::InputUser {
                user_id: p.user_id,
                access_hash: p.access_hash,
            }
            .into(),
        ),
        P::UserFromMessage(p) => Some(
            tl::types::InputUserFromMessage {
                peer: p.peer,
                msg_id: p.msg_id,
                user_id: p.user_id,
            }
            .into(),
        ),
        _ => None,
    }
}

/// An `InputPeer` in the form for calls that take channels only.
pub(crate) fn input_channel(peer: tl::enums::InputPeer) -> Option<tl::enums::InputChannel> {
    use tl::enums::InputPeer as P;
    match peer {
        P::Channel(p) => Some(
            tl::types::InputChannel {
                channel_id: p.channel_id,
                access_hash: p.access_hash,
            }
            .into(),
        ),
        P::ChannelFromMessage(p) => Some(
            tl::types::InputChannelFromMessage {
                peer: p.peer,
                msg_id: p.msg_id,
                channel_id: p.channel_id,
            }
            .into(),
        ),
        _ => None,
    }
}

impl PartialEq for Peer {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Peer {}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("id", &self.id)
            .field("name", &self.info.name)
            .finish()
    }
}

/// The peers that came in one packet.
#[derive(Clone, Debug, Default)]
pub(crate) struct PeerMap {
    peers: HashMap<PeerId, Peer>,
    /// Some of them cannot be addressed by themselves.
    partial: bool,
}

impl PeerMap {
    /// Takes what a packet says about users and chats.
    pub(crate) fn collect(users: &[tl::enums::User], chats: &[tl::enums::Chat]) -> Self {
        let found = users
            .iter()
            .filter_map(peer_of_user)
            .chain(chats.iter().filter_map(peer_of_chat));
        let mut map = Self::default();
        found.for_each(|peer| map.insert(peer));
        map
    }

    /// Whether some of them cannot be addressed by themselves.
    pub(crate) fn is_partial(&self) -> bool {
        self.partial
    }

    pub(crate) fn get(&self, id: PeerId) -> Option<&Peer> {
        self.peers.get(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.peers.len()
    }

    pub(crate) fn insert(&mut self, peer: Peer) {
        self.partial |= !peer.is_full();
        self.peers.insert(peer.key(), peer);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Peer> {
        self.peers.values()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }
}

/// Joins the first and the last name.
fn full_name(first: Option<&str>, last: Option<&str>) -> String {
    [first, last]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn active_username(
    one: Option<&String>,
    many: Option<&Vec<tl::enums::Username>>,
) -> Option<String> {
    one.cloned().or_else(|| {
        many?.iter().find_map(|name| match name {
            tl::enums::Username::Username(name) if name.active => Some(name.username.clone()),
            tl::enums::Username::Username(_) => None,
        })
    })
}

/// What a `User` says; `None` for the empty one.
pub(crate) fn peer_of_user(user: &tl::enums::User) -> Option<Peer> {
    let tl::enums::User::User(user) = user else {
        return None;
    };
    // An empty phone number in a `min` user says that its access hash is a whole one (constructor `user`).
    let whole = !user.min || user.phone.as_deref() == Some("");
    Some(Peer::new(
        PeerId::user(user.id),
        PeerInfo {
            access_hash: user.access_hash.filter(|_| whole),
            min: user.min,
            context: None,
            name: full_name(user.first_name.as_deref(), user.last_name.as_deref()),
            username: active_username(user.username.as_ref(), user.usernames.as_ref()),
            phone: user.phone.clone().filter(|phone| !phone.is_empty()),
            bot: user.bot,
            broadcast: false,
            myself: user.is_self,
        },
    ))
}

/// What a `Chat` says; `None` for the empty one.
pub(crate) fn peer_of_chat(chat: &tl::enums::Chat) -> Option<Peer> {
    let peer = match chat {
        tl::enums::Chat::Empty(_) => return None,
        tl::enums::Chat::Chat(chat) => Peer::new(
            PeerId::group(chat.id),
            PeerInfo {
                name: chat.title.clone(),
                ..PeerInfo::default()
            },
        ),
        tl::enums::Chat::Forbidden(chat) => Peer::new(
            PeerId::group(chat.id),
            PeerInfo {
                name: chat.title.clone(),
                ..PeerInfo::default()
            },
        ),
        tl::enums::Chat::Channel(chat) => Peer::new(
            PeerId::channel(chat.id),
            PeerInfo {
                access_hash: chat.access_hash.filter(|_| !chat.min),
                min: chat.min,
                name: chat.title.clone(),
                username: active_username(chat.username.as_ref(), chat.usernames.as_ref()),
                broadcast: chat.broadcast,
                ..PeerInfo::default()
            },
        ),
        tl::enums::Chat::ChannelForbidden(chat) => Peer::new(
            PeerId::channel(chat.id),
            PeerInfo {
                access_hash: Some(chat.access_hash),
                name: chat.title.clone(),
                broadcast: chat.broadcast,
                ..PeerInfo::default()
            },
        ),
    };
    Some(peer)
}
