//! From what a person wrote to a peer with its access hash: the cache first, then the server.

use std::sync::{Mutex, MutexGuard, PoisonError};

use layer_tl_types as tl;

use super::reference::Kind;
use super::{MinContext, Peer, PeerCache, PeerId, PeerKind, PeerMap, PeerRef, peer_of_chat};
use crate::client::{BoxFuture, Client};
use crate::error::{Error, Result};

impl Client {
    /// Finds a user, group or channel. Those that were met before cost no request.
    ///
    /// # Errors
    /// [`Error::PeerNotFound`] when nobody has the name or number, or the id was never met; [`Error::Input`] when the
    /// text is none of the forms of [`PeerRef`].
    pub async fn resolve_peer(&self, peer: impl Into<PeerRef>) -> Result<Peer> {
        self.resolve(peer.into()).await
    }

    /// As [`resolve_peer`](Self::resolve_peer), not generic. What it gives can be made an `InputPeer`.
    pub(crate) fn resolve(&self, peer: PeerRef) -> BoxFuture<'_, Result<Peer>> {
        Box::pin(async move {
            match peer.0 {
                Kind::Me => self.myself(),
                Kind::Username(name) => self.by_username(&name).await,
                Kind::Phone(digits) => self.by_phone(&digits).await,
                Kind::Number(number) => self.by_number(number).await,
                Kind::Id(id) => self.by_id(id).await,
                Kind::Peer(peer) if peer.to_input().is_some() => Ok(peer),
                Kind::Peer(peer) => self.by_id(peer.key()).await,
                Kind::Input(input) => self.of_input(input),
                Kind::Invite(hash) => self.by_invite(hash).await,
                Kind::Nonsense(text) => Err(Error::input(format!(
                    "\"{text}\" names no chat: write \"me\", a @username, a phone number with +, a t.me link or an id"
                ))),
            }
        })
    }

    /// Resolves to the form that most calls want.
    pub(crate) async fn resolve_input(&self, peer: PeerRef) -> Result<tl::enums::InputPeer> {
        let peer = self.resolve(peer).await?;
        peer.to_input().ok_or_else(|| unusable(peer.key()))
    }

    /// Resolves what must be a user.
    pub(crate) async fn resolve_user(&self, peer: PeerRef) -> Result<tl::enums::InputUser> {
        let peer = self.resolve(peer).await?;
        peer.to_input_user()
            .ok_or_else(|| Error::input(format!("{:?} is not a user", peer.key())))
    }

    /// The account's id and itself as a peer.
    pub(crate) fn myself(&self) -> Result<Peer> {
        let me = self.inner.session.read(|session| session.user);
        let Some(me) = me else {
            return Err(Error::input("nobody is signed in yet; sign in first"));
        };
        let mut info = super::peer::PeerInfo {
            bot: me.bot,
            ..super::peer::PeerInfo::default()
        };
        if let Some(known) = self.cache().get(PeerId::user(me.id)) {
            info = known.info().clone();
        }
        info.myself = true;
        Ok(Peer::new(PeerId::user(me.id), info))
    }

    /// Finds the peers of a packet's contents.
    pub(crate) fn finder<'a>(&'a self, packet: &'a PeerMap) -> Finder<'a> {
        Finder {
            packet,
            cache: Some(&self.inner.peers),
            me: self.my_id(),
        }
    }

    pub(crate) fn my_id(&self) -> i64 {
        self.inner
            .session
            .read(|session| session.user.map_or(0, |user| user.id))
    }

    pub(crate) fn cache(&self) -> MutexGuard<'_, PeerCache> {
        self.inner
            .peers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Every result that names users and chats comes by here.
    pub(crate) fn remember(&self, peers: &PeerMap) {
        if !peers.is_empty() && self.cache().extend(peers) {
            self.inner.session.touch();
        }
    }

    /// Collects and remembers in one step.
    pub(crate) fn learn(&self, users: &[tl::enums::User], chats: &[tl::enums::Chat]) -> PeerMap {
        let peers = PeerMap::collect(users, chats);
        self.remember(&peers);
        peers
    }

    async fn by_username(&self, name: &str) -> Result<Peer> {
        if let Some(peer) = self
            .cache()
            .by_username(name)
            .filter(|peer| peer.to_input().is_some())
        {
            return Ok(peer);
        }
        let request = tl::functions::contacts::ResolveUsername {
            username: name.to_owned(),
            referer: None,
        };
        match self.invoke(&request).await {
            Ok(found) => self.of_resolved(found),
            Err(error) if error.is("USERNAME_NOT_OCCUPIED") || error.is("USERNAME_INVALID") => Err(
                Error::PeerNotFound(format!("nobody has the username @{name}")),
            ),
            Err(error) => Err(error),
        }
    }

    async fn by_phone(&self, digits: &str) -> Result<Peer> {
        if let Some(peer) = self
            .cache()
            .by_phone(digits)
            .filter(|peer| peer.to_input().is_some())
        {
            return Ok(peer);
        }
        let request = tl::functions::contacts::ResolvePhone {
            phone: digits.to_owned(),
        };
        match self.invoke(&request).await {
            Ok(found) => self.of_resolved(found),
            Err(error) if error.is("PHONE_NOT_OCCUPIED") => Err(Error::PeerNotFound(format!(
                "nobody with the number +{digits} can be found; they may hide it, or not be on Telegram"
            ))),
            Err(error) => Err(error),
        }
    }

    fn of_resolved(&self, found: tl::enums::contacts::ResolvedPeer) -> Result<Peer> {
        let tl::enums::contacts::ResolvedPeer::Peer(found) = found;
        let peers = self.learn(&found.users, &found.chats);
        let id = PeerId::from(&found.peer);
        peers.get(id).cloned().ok_or_else(|| unusable(id))
    }

    async fn by_number(&self, number: i64) -> Result<Peer> {
        let Some(id) = PeerId::from_marked(number) else {
            return Err(Error::input(format!("{number} is nobody's id")));
        };
        if self.cache().is_known(id) || number < 0 {
            return self.by_id(id).await;
        }
        // A bare id of another kind, or a phone number without its plus.
        for other in [PeerId::channel(number), PeerId::group(number)] {
            if self.cache().is_known(other) {
                return self.by_id(other).await;
            }
        }
        if let Some(peer) = self.cache().by_phone(&number.to_string()) {
            return Ok(peer);
        }
        self.by_id(id).await
    }

    /// By an id that was met before. Bots may ask about any that met them.
    pub(crate) async fn by_id(&self, id: PeerId) -> Result<Peer> {
        if id == PeerId::user(self.my_id()) {
            return self.myself();
        }
        if let Some(peer) = self
            .cache()
            .get(id)
            .filter(|peer| peer.to_input().is_some())
        {
            return Ok(peer);
        }
        let bot = self
            .inner
            .session
            .read(|session| session.user.is_some_and(|user| user.bot));
        match id.kind() {
            PeerKind::Group => return Ok(Peer::bare(id)),
            PeerKind::User if bot => {
                let user = tl::types::InputUser {
                    user_id: id.bare(),
                    access_hash: 0,
                };
                let request = tl::functions::users::GetUsers {
                    id: vec![user.into()],
                };
                let users = self.invoke(&request).await?;
                if let Some(peer) = self.learn(&users, &[]).get(id) {
                    return Ok(peer.clone());
                }
            }
            PeerKind::Channel if bot => {
                let channel = tl::types::InputChannel {
                    channel_id: id.bare(),
                    access_hash: 0,
                };
                let request = tl::functions::channels::GetChannels {
                    id: vec![channel.into()],
                };
                let chats = match self.invoke(&request).await? {
                    tl::enums::messages::Chats::Chats(found) => found.chats,
                    tl::enums::messages::Chats::Slice(found) => found.chats,
                };
                if let Some(peer) = self.learn(&[], &chats).get(id) {
                    return Ok(peer.clone());
                }
            }
            PeerKind::User | PeerKind::Channel => {}
        }
        Err(unusable(id))
    }

    fn of_input(&self, input: tl::enums::InputPeer) -> Result<Peer> {
        use tl::enums::InputPeer as P;
        let (id, access_hash) = match &input {
            P::PeerSelf => return self.myself(),
            P::Chat(p) => (PeerId::group(p.chat_id), None),
            P::User(p) => (PeerId::user(p.user_id), Some(p.access_hash)),
            P::Channel(p) => (PeerId::channel(p.channel_id), Some(p.access_hash)),
            P::Empty | P::UserFromMessage(_) | P::ChannelFromMessage(_) => {
                return Err(Error::input("this form of InputPeer is for raw calls only"));
            }
        };
        let mut info = super::peer::PeerInfo::default();
        if let Some(known) = self.cache().get(id) {
            info = known.info().clone();
        }
        info.min = false;
        info.access_hash = access_hash.or(info.access_hash);
        Ok(Peer::new(id, info))
    }

    async fn by_invite(&self, hash: String) -> Result<Peer> {
        let found = self
            .invoke(&tl::functions::messages::CheckChatInvite { hash })
            .await?;
        let chat = match &found {
            tl::enums::ChatInvite::Already(invite) => &invite.chat,
            tl::enums::ChatInvite::Peek(invite) => &invite.chat,
            tl::enums::ChatInvite::Invite(_) => {
                return Err(Error::input(
                    "this account is not in that chat yet; join it by its invite link first",
                ));
            }
        };
        let peer = peer_of_chat(chat)
            .ok_or_else(|| Error::PeerNotFound("the chat does not exist".to_owned()))?;
        self.learn(&[], std::slice::from_ref(chat));
        Ok(peer)
    }
}

/// We know of the peer, but not how to address it.
pub(crate) fn unusable(id: PeerId) -> Error {
    Error::PeerNotFound(format!(
        "{id:?} was not met by this session, so its access hash is not known; resolve its username, or iterate the dialogs"
    ))
}

/// Finds peers for what a packet contains: in the packet, else in the cache; a full one before one in part.
pub(crate) struct Finder<'a> {
    pub(crate) packet: &'a PeerMap,
    pub(crate) cache: Option<&'a Mutex<PeerCache>>,
    pub(crate) me: i64,
}

impl Finder<'_> {
    /// The peer; one that has nothing but its id when it is not known.
    pub(crate) fn find(&self, id: PeerId) -> Peer {
        let here = self.packet.get(id);
        if let Some(peer) = here.filter(|peer| peer.is_full()) {
            return peer.clone();
        }
        // What the packet says is in the cache as well, and joined there with what was known.
        let cached = self.cache.and_then(|cache| locked(cache).get(id));
        cached
            .or_else(|| here.cloned())
            .unwrap_or_else(|| Peer::bare(id))
    }

    /// As [`find`](Self::find), for a peer that a message shows: one known in part can be addressed through it.
    pub(crate) fn find_in_message(&self, id: PeerId, chat: &Peer, msg_id: i32) -> Peer {
        let peer = self.find(id);
        if peer.is_full() || peer.key() == chat.key() || !chat.is_full() {
            return peer;
        }
        let context = MinContext {
            chat: (chat.key(), chat.info().access_hash),
            msg_id,
        };
        // The newest message is the one that is there longest.
        if let Some(cache) = self.cache {
            locked(cache).note_context(id, context);
        }
        peer.with_context(context)
    }

    /// Notes of all whom a message names that they can be addressed through it.
    pub(crate) fn note(&self, message: &tl::enums::Message, chat: &Peer, msg_id: i32) {
        // Nearly all packets describe everyone in full.
        if self.packet.is_partial() {
            for id in named_in(message) {
                self.find_in_message(id, chat, msg_id);
            }
        }
    }
}

fn locked(cache: &Mutex<PeerCache>) -> MutexGuard<'_, PeerCache> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whom a message names: who wrote it, wrote what is forwarded, was answered, is mentioned (page `api/min`).
fn named_in(message: &tl::enums::Message) -> Vec<PeerId> {
    let mut named: Vec<PeerId> = Vec::new();
    let (from, reply) = match message {
        tl::enums::Message::Empty(_) => return named,
        tl::enums::Message::Message(m) => (&m.from_id, &m.reply_to),
        tl::enums::Message::Service(m) => (&m.from_id, &m.reply_to),
    };
    named.extend(from.as_ref().map(PeerId::from));
    if let Some(tl::enums::MessageReplyHeader::Header(reply)) = reply {
        named.extend(reply.reply_to_peer_id.as_ref().map(PeerId::from));
    }
    match message {
        tl::enums::Message::Message(m) => {
            if let Some(tl::enums::MessageFwdHeader::Header(forward)) = &m.fwd_from {
                let peers = [&forward.from_id, &forward.saved_from_peer];
                named.extend(peers.into_iter().flatten().map(PeerId::from));
            }
            named.extend(m.via_bot_id.map(PeerId::user));
            let mentions = m
                .entities
                .iter()
                .flatten()
                .filter_map(|entity| match entity {
                    tl::enums::MessageEntity::MentionName(mention) => Some(mention.user_id),
                    _ => None,
                });
            named.extend(mentions.map(PeerId::user));
        }
        tl::enums::Message::Service(m) => {
            let users: &[i64] = match &m.action {
                tl::enums::MessageAction::ChatAddUser(a) => &a.users,
                tl::enums::MessageAction::ChatCreate(a) => &a.users,
                tl::enums::MessageAction::ChatDeleteUser(a) => &[a.user_id],
                tl::enums::MessageAction::ChatJoinedByLink(a) => &[a.inviter_id],
                _ => &[],
            };
            named.extend(users.iter().copied().map(PeerId::user));
        }
        tl::enums::Message::Empty(_) => {}
    }
    named
}
